"""The children of splits as positions, for languages whose trees have pointers."""

from dataclasses import dataclass

import numpy as np

from ..compiled._forest import Spans
from ._program import Trees


@dataclass(frozen=True)
class Children:
    """The children of each split: positions of splits, or of leaves."""

    left: np.ndarray
    right: np.ndarray
    left_is_leaf: np.ndarray
    right_is_leaf: np.ndarray
    is_second: np.ndarray
    """Whether a leaf is the right child of a split whose left child is a leaf."""

    @classmethod
    def of(cls, trees: Trees) -> "Children":
        spans = Spans.of(trees.n_left, trees.tree_splits)
        first_leaf = np.cumsum(trees.tree_splits + 1) - trees.tree_splits - 1
        leaf = spans.first_leaf + np.repeat(first_leaf, trees.tree_splits)
        left_is_leaf, right_is_leaf = trees.n_left == 0, spans.n_splits == trees.n_left + 1
        following = np.arange(1, len(trees.n_left) + 1)
        left = np.where(left_is_leaf, leaf, following)
        right = np.where(right_is_leaf, leaf + trees.n_left + 1, following + trees.n_left)
        is_second = np.zeros(len(trees.value), dtype=bool)
        is_second[right[left_is_leaf & right_is_leaf]] = True
        return cls(left, right, left_is_leaf, right_is_leaf, is_second)

    def shift_of_leaves(self, stored: np.ndarray, n_stored: int) -> int:
        """Return by how much the positions of stored leaves are shifted so that no split has twice the same position.

        Some versions of onnxruntime take a split whose children are a split and a leaf at the same position for a tree
        without splits. A child that is the only split of two is at the position after its parent, so that for n leaves,
        at most n - 1 splits exclude one of n shifts each.
        """
        mixed = np.flatnonzero(self.left_is_leaf != self.right_is_leaf)
        mixed = mixed[mixed + 1 < n_stored]
        leaf = stored[np.where(self.left_is_leaf[mixed], self.left[mixed], self.right[mixed])]
        return int(np.setdiff1d(np.arange(n_stored), (mixed + 1 - leaf) % n_stored)[0])
