r"""Gains of the splits of many trees for given residuals, and the best part of each tree that contains its root.

A row with the gradient :math:`g_i` and the curvature :math:`h_i` of its loss adds to the sums :math:`G` and :math:`H`
of its leaf in each tree. The gain of a split of a node into :math:`L` and :math:`R` is, as in boosting,

.. math:: \frac{G_L^2}{H_L + \lambda} + \frac{G_R^2}{H_R + \lambda} - \frac{(G_L + G_R)^2}{H_L + H_R + \lambda}.

Leaves are numbered from left to right, so that the sums of all nodes are differences of cumulated sums of leaves.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from ..compiled import Forest
from ._kept_splits import cut_back, group_sums, ranges, with_ancestors_only


class Part(NamedTuple):
    """A part of a tree that contains its root: the forest, its splits in preorder, the leaf values, its gain."""

    forest: Forest
    splits: np.ndarray
    value: np.ndarray
    gain: float


class CandidateTrees:
    """Trees of a forest, with the leaf of each row in each of them.

    Splits with few rows on either side are left out.

    Parameters
    ----------
    forest : Forest
        Every tree has a split.
    X : ndarray or sparse matrix of shape (n_rows, n_features)
    min_rows : int
        Minimum number of rows of a leaf.
    n_jobs : int
    """

    def __init__(self, forest: Forest, X: Any, min_rows: int, n_jobs: int) -> None:
        leaves = forest.leaves(X, n_jobs)
        n_rows = group_sums(leaves, np.ones((X.shape[0], 1)), forest.n_leaves)[:, 0]
        is_kept = _has_rows(forest, n_rows, min_rows)
        self.forest, leaf = cut_back(forest, with_ancestors_only(forest, is_kept), n_rows)
        self.leaves = leaf[leaves]
        self.indicator = _transposed_indicator(self.leaves, self.forest.n_leaves)
        forest = self.forest
        self.first, self.middle = forest.first_leaf, forest.first_leaf + forest.n_left + 1
        self.stop = forest.first_leaf + forest.spans.n_splits + 1
        self.levels = _levels(forest)
        self.width = int(forest.tree_splits.max(initial=0))
        place = ranges(np.zeros_like(forest.tree_splits), forest.tree_splits)
        self.cell = np.repeat(np.arange(forest.n_trees), forest.tree_splits) * self.width + place

    def best_part(
        self, gradient: np.ndarray, curvature: np.ndarray, max_leaf_nodes: int, ridge: float
    ) -> tuple[Part, np.ndarray] | None:
        """Return the part of a tree that lowers the loss most, and the change of each row's scores; ``None`` if none.

        Parameters
        ----------
        gradient : ndarray of shape (n_rows, n_scores)
            Negative gradient of the loss of each row.
        curvature : ndarray of shape (n_rows, n_scores) or (n_rows, 1)
        max_leaf_nodes : int
        ridge : float
            Added to the curvature of each leaf.
        """
        if self.width == 0:
            return None
        n_scores = gradient.shape[1]
        sums = self.indicator @ np.column_stack([gradient, curvature]).astype(np.float32)
        cumulated = np.vstack([np.zeros((1, sums.shape[1])), np.cumsum(sums, axis=0, dtype=np.float64)])
        gain = self._gains(cumulated, n_scores, ridge)
        tree, splits = self._best_tree(gain, max_leaf_nodes)
        of_part = float(gain[splits].sum())
        if of_part <= 0:
            return None
        bounds = self.forest.tree_leaf[tree : tree + 2]
        starts = np.concatenate([bounds[:1], np.sort(self.middle[splits])])
        of_parts = np.diff(cumulated[np.append(starts, bounds[1])], axis=0)
        value = of_parts[:, :n_scores] / (of_parts[:, n_scores:] + ridge)
        change = value[np.searchsorted(starts, self.leaves[:, tree], side="right") - 1]
        return Part(self.forest, splits, value, of_part), change

    def _gains(self, cumulated: np.ndarray, n_scores: int, ridge: float) -> np.ndarray:
        def score(start: np.ndarray, stop: np.ndarray) -> np.ndarray:
            total = cumulated[stop] - cumulated[start]
            return (total[:, :n_scores] ** 2 / (total[:, n_scores:] + ridge)).sum(axis=1)

        parent = score(self.first, self.stop)
        return np.maximum(score(self.first, self.middle) + score(self.middle, self.stop) - parent, 0)

    def _best_tree(self, gain: np.ndarray, max_leaf_nodes: int) -> tuple[int, np.ndarray]:
        """Return the tree whose best splits gain most, and these splits in preorder."""
        worth = np.full((self.forest.n_trees, self.width), -1.0)
        gains = np.zeros_like(worth)
        worth.flat[self.cell], gains.flat[self.cell] = self._worth(gain), gain
        n_splits = min(max_leaf_nodes - 1, self.width)
        best = np.argpartition(-worth, n_splits - 1, axis=1)[:, :n_splits]
        tree = int(np.take_along_axis(gains, best, axis=1).sum(axis=1).argmax())
        chosen = best[tree][worth[tree, best[tree]] > 0]
        return tree, np.sort(chosen) + self.forest.tree_split[tree]

    def _worth(self, gain: np.ndarray) -> np.ndarray:
        """Return a gain for each split that falls from each split to those below it.

        A split with a small gain may lead to larger ones: it is worth its own gain, or the mean of it and of the worth
        of one or both of its children if that is more. It is not worth more than the split above it.
        """
        worth = np.append(gain, 0.0)
        for split, left, right in reversed(self.levels):
            own, of_left, of_right = worth[split], worth[left], worth[right]
            means = (own + of_left) / 2, (own + of_right) / 2, (own + of_left + of_right) / 3
            worth[split] = np.maximum.reduce([own, *means])
        for split, left, right in self.levels:
            most = worth[split] * (1 - 1e-9)  # below the split, so that no part leaves out a split above
            worth[left], worth[right] = np.minimum(worth[left], most), np.minimum(worth[right], most)
        return worth[:-1]


def _has_rows(forest: Forest, n_rows: np.ndarray, min_rows: int) -> np.ndarray:
    """Return which splits have at least so many rows on both sides."""
    cumulated = np.append(0, np.cumsum(n_rows))
    first, middle = forest.first_leaf, forest.first_leaf + forest.n_left + 1
    n_left = cumulated[middle] - cumulated[first]
    n_right = cumulated[first + forest.spans.n_splits + 1] - cumulated[middle]
    return np.minimum(n_left, n_right) >= min_rows


def _transposed_indicator(leaves: np.ndarray, n_leaves: int) -> sparse.csr_matrix:
    """Return the matrix of ones where a row, a column of the matrix, is in a leaf, of shape (n_leaves, n_rows)."""
    n_rows, n_trees = leaves.shape
    ends = np.arange(n_rows + 1, dtype=np.int64) * n_trees
    ones = np.ones(leaves.size, dtype=np.float32)
    return sparse.csr_matrix((ones, leaves.ravel(), ends), shape=(n_rows, n_leaves)).T.tocsr()


def _levels(forest: Forest) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return the splits of each depth and their children; a child that is a leaf has the number of splits."""
    _, left, right = forest.pointers()
    n_splits, depth = len(forest.feature), forest.spans.depth
    order = np.argsort(depth, kind="stable")
    by_depth = np.split(order, np.cumsum(np.bincount(depth))[:-1]) if n_splits else []
    return [(split, np.minimum(left[split], n_splits), np.minimum(right[split], n_splits)) for split in by_depth]


def joined_parts(parts: list[Part], base: np.ndarray) -> Forest:
    """Return the forest of some parts of trees, in their order."""
    first = parts[0].forest

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(part.forest, name)[part.splits] for part in parts])

    below = [
        np.searchsorted(part.splits, part.splits + 1 + part.forest.n_left[part.splits])
        - np.arange(1, len(part.splits) + 1)
        for part in parts
    ]
    return Forest(
        n_features=first.n_features,
        feature=joined("feature"),
        threshold=joined("threshold"),
        missing_left=joined("missing_left"),
        n_left=np.concatenate(below),
        tree_splits=np.array([len(part.splits) for part in parts]),
        tree_output=np.zeros(len(parts), dtype=np.int64),
        value=np.concatenate([part.value for part in parts]),
        base=base,
        subsets=first.subsets,
        is_category=first.is_category,
    )
