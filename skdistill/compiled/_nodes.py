"""Conversion of trees with child pointers, the format of other libraries, to a forest of flat arrays."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._forest import Forest


def forest_from_nodes(
    *,
    n_features: int,
    root: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    feature: np.ndarray,
    threshold: np.ndarray,
    missing_left: np.ndarray,
    value: np.ndarray,
    **others: Any,
) -> Forest:
    """Build a forest from the nodes of all trees in any order; nodes that no root reaches are omitted.

    Parameters
    ----------
    n_features : int
    root : ndarray of int, shape (n_trees,)
        First node of each tree.
    left, right : ndarray of int, shape (n_nodes,)
        Children of each node; -1 for leaves.
    feature, threshold, missing_left : ndarray of shape (n_nodes,)
        As for :class:`Forest`; ignored for leaves.
    value : ndarray of shape (n_nodes, width)
        Leaf values; ignored for splits.
    **others
        Further fields of the forest: ``tree_output``, ``base``, ``subsets``, ``is_category``.
    """
    levels = _levels(root, left, right)
    splits, leaves = np.zeros(len(left), dtype=np.int64), np.zeros(len(left), dtype=np.int64)
    leaves[left < 0] = 1
    for level in reversed(levels):
        splits[level] = 1 + splits[left[level]] + splits[right[level]]
        leaves[level] = leaves[left[level]] + leaves[right[level]]
    place, first = np.zeros(len(left), dtype=np.int64), np.zeros(len(left), dtype=np.int64)
    place[root] = np.cumsum(splits[root]) - splits[root]
    first[root] = np.cumsum(leaves[root]) - leaves[root]
    for level in levels:
        of_left, of_right = left[level], right[level]
        place[of_left], first[of_left] = place[level] + 1, first[level]
        place[of_right] = place[level] + 1 + splits[of_left]
        first[of_right] = first[level] + leaves[of_left]
    split_nodes = np.concatenate([np.zeros(0, dtype=np.int64), *levels])
    children = np.concatenate([root, left[split_nodes], right[split_nodes]])
    leaf_nodes = children[left[children] < 0]
    order = split_nodes[np.argsort(place[split_nodes])]
    leaf_order = leaf_nodes[np.argsort(first[leaf_nodes])]
    return Forest(
        n_features=n_features,
        feature=feature[order],
        threshold=threshold[order],
        missing_left=missing_left[order],
        n_left=splits[left[order]],
        tree_splits=splits[root],
        value=value[leaf_order],
        **others,
    )


def _levels(root: np.ndarray, left: np.ndarray, right: np.ndarray) -> list[np.ndarray]:
    """Return the splits of all trees as one array per level."""
    levels, level = [], root[left[root] >= 0]
    while len(level):
        levels.append(level)
        children = np.concatenate([left[level], right[level]])
        level = children[left[children] >= 0]
    return levels


def round_down(thresholds: np.ndarray) -> np.ndarray:
    """Return the largest float32 at most each threshold, which gives the same comparisons with float32 cells."""
    with np.errstate(over="ignore", under="ignore"):
        rounded = thresholds.astype(np.float32)
        return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def stack_outputs(forests: Sequence[Forest]) -> Forest:
    """Return one forest with the outputs of all forests."""
    n_outputs = np.array([len(forest.base) for forest in forests])
    n_subsets = np.array([len(forest.subsets) for forest in forests])
    subsets = np.zeros((n_subsets.sum(), max(forest.subsets.shape[1] for forest in forests)), dtype=bool)
    thresholds = []
    for forest, first in zip(forests, np.cumsum(n_subsets) - n_subsets, strict=True):
        subsets[first : first + len(forest.subsets), : forest.subsets.shape[1]] = forest.subsets
        coded = forest.is_category[forest.feature]
        thresholds.append((forest.threshold + np.where(coded, first, 0)).astype(forest.dtype))
    shift = np.cumsum(n_outputs) - n_outputs
    joined = {
        name: np.concatenate([getattr(forest, name) for forest in forests])
        for name in ("feature", "missing_left", "n_left", "tree_splits", "value", "base")
    }
    return Forest(
        n_features=forests[0].n_features,
        threshold=np.concatenate(thresholds),
        tree_output=np.concatenate([f.tree_output + first for f, first in zip(forests, shift, strict=True)]),
        subsets=subsets,
        is_category=np.any([forest.is_category for forest in forests], axis=0),
        **joined,
    )
