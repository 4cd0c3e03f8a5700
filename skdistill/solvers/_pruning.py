"""Pruning of forests: splits and trees that hardly change the scores are left out."""

import numpy as np

from ..compiled import Forest
from ..compiled._nodes import forest_from_nodes

MAX_VARIANCE_SHARE = 1e-5
"""Bounds the error of all merged leaves together, as a share of the variance of the scores."""


def prune_forest(forest: Forest, leaf_weight: np.ndarray) -> Forest:
    """Merge sibling leaves whose values hardly differ; trees without a split become part of ``base``.

    Parameters
    ----------
    forest : Forest
        Of one output.
    leaf_weight : ndarray of shape (n_leaves,)
        Weight of the rows of each leaf, by which the values of each tree are centred.
    """
    root, left, right = (part.copy() for part in forest.pointers())
    n_splits = len(forest.feature)
    value = np.concatenate([np.zeros(n_splits), forest.value[:, 0]])
    mean = _center_trees(forest, value, leaf_weight)
    is_split = left >= 0
    _merge_siblings(left, right, value, np.concatenate([np.zeros(n_splits), leaf_weight]), is_split)
    is_constant = ~is_split[root]
    left[~is_split] = right[~is_split] = -1
    of_leaves = np.zeros(forest.n_leaves)
    return forest_from_nodes(
        n_features=forest.n_features,
        root=root[~is_constant],
        left=left,
        right=right,
        feature=np.concatenate([forest.feature, of_leaves.astype(forest.feature.dtype)]),
        threshold=np.concatenate([forest.threshold, of_leaves.astype(forest.threshold.dtype)]),
        missing_left=np.concatenate([forest.missing_left, of_leaves.astype(bool)]),
        value=value[:, None],
        tree_output=forest.tree_output[~is_constant],
        base=forest.base + mean.sum() + value[root[is_constant]].sum(),
        subsets=forest.subsets,
        is_category=forest.is_category,
    )


def _center_trees(forest: Forest, value: np.ndarray, leaf_weight: np.ndarray) -> np.ndarray:
    """Subtract from the values of leaves, the last of all nodes, the mean of their tree; return these means."""
    n_splits = len(forest.feature)
    tree = np.repeat(np.arange(forest.n_trees), forest.tree_splits + 1)
    total = np.bincount(tree, leaf_weight, forest.n_trees)
    mean = np.bincount(tree, leaf_weight * value[n_splits:], forest.n_trees) / np.where(total > 0, total, 1)
    value[n_splits:] -= mean[tree]
    return mean


def _merge_siblings(
    left: np.ndarray, right: np.ndarray, value: np.ndarray, weight: np.ndarray, is_split: np.ndarray
) -> None:
    """Turn splits of two leaves into leaves, the cheapest first, as long as their error stays within the bound."""
    remaining = MAX_VARIANCE_SHARE * np.sum((weight * value**2)[~is_split])
    while True:
        bottom = np.flatnonzero(is_split)
        bottom = bottom[~is_split[left[bottom]] & ~is_split[right[bottom]]]
        pair = np.column_stack([left[bottom], right[bottom]])
        both = weight[pair].sum(axis=1)
        share = weight[pair] / np.where(both > 0, both, 1)[:, None]
        cost = both * share.prod(axis=1) * (value[pair[:, 0]] - value[pair[:, 1]]) ** 2
        order = np.argsort(cost, kind="stable")
        spent = np.cumsum(cost[order])
        merged = order[spent <= remaining]
        if len(merged) == 0:
            return
        remaining -= spent[len(merged) - 1]
        node = bottom[merged]
        value[node] = np.where(
            both[merged] > 0, (share * value[pair]).sum(axis=1)[merged], value[pair].mean(axis=1)[merged]
        )
        weight[node] = both[merged]
        is_split[node] = False


def leaf_weights(forest: Forest, leaves: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weight of the rows in each leaf, of shape (n_leaves,)."""
    total = np.zeros(forest.n_leaves)
    for codes in leaves.T:
        total += np.bincount(codes, weight, forest.n_leaves)
    return total
