"""Pruning: what a split or a tree does not change is left out."""

import numpy as np

from ..compiled import Forest
from ..compiled._nodes import forest_from_nodes

NEGLIGIBLE = 1e-5
"""Share of the scores' variance that all merged leaves together may cost."""


def prune(forest: Forest, leaf_weight: np.ndarray) -> Forest:
    """Merge sibling leaves whose values hardly differ; trees without a split become part of ``base``.

    Parameters
    ----------
    forest : Forest
        Of one output.
    leaf_weight : ndarray of shape (n_leaves,)
        Rows of each leaf, by weight. Values of trees are centred by it.
    """
    root, left, right = (part.copy() for part in forest.pointers())
    n_splits = len(forest.feature)
    value = np.concatenate([np.zeros(n_splits), forest.value[:, 0]])
    weight = np.concatenate([np.zeros(n_splits), leaf_weight])
    tree = np.repeat(np.arange(forest.n_trees), forest.tree_splits + 1)
    total = np.bincount(tree, leaf_weight, forest.n_trees)
    mean = np.bincount(tree, leaf_weight * value[n_splits:], forest.n_trees) / np.where(total > 0, total, 1)
    value[n_splits:] -= mean[tree]
    left_to_spend = NEGLIGIBLE * np.sum(leaf_weight * value[n_splits:] ** 2)
    is_split = left >= 0
    while True:
        bottom = np.flatnonzero(is_split)
        bottom = bottom[~is_split[left[bottom]] & ~is_split[right[bottom]]]
        pair = np.column_stack([left[bottom], right[bottom]])
        both = weight[pair].sum(axis=1)
        share = weight[pair] / np.where(both > 0, both, 1)[:, None]
        cost = both * share.prod(axis=1) * (value[pair[:, 0]] - value[pair[:, 1]]) ** 2
        order = np.argsort(cost, kind="stable")
        spent = np.cumsum(cost[order])
        merged = order[spent <= left_to_spend]
        if len(merged) == 0:
            break
        left_to_spend -= spent[len(merged) - 1]
        node = bottom[merged]
        value[node] = np.where(
            both[merged] > 0, (share * value[pair]).sum(axis=1)[merged], value[pair].mean(axis=1)[merged]
        )
        weight[node] = both[merged]
        is_split[node] = False
    bare = ~is_split[root]
    left[~is_split] = right[~is_split] = -1
    extended = np.zeros(forest.n_leaves)
    return forest_from_nodes(
        n_features=forest.n_features,
        root=root[~bare],
        left=left,
        right=right,
        feature=np.concatenate([forest.feature, extended.astype(forest.feature.dtype)]),
        threshold=np.concatenate([forest.threshold, extended.astype(forest.threshold.dtype)]),
        missing_left=np.concatenate([forest.missing_left, extended.astype(bool)]),
        value=value[:, None],
        tree_output=forest.tree_output[~bare],
        base=forest.base + mean.sum() + value[root[bare]].sum(),
        subsets=forest.subsets,
        is_category=forest.is_category,
    )


def leaf_weights(forest: Forest, leaves: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weight of the rows in each leaf, of shape (n_leaves,)."""
    total = np.zeros(forest.n_leaves)
    for codes in leaves.T:
        total += np.bincount(codes, weight, forest.n_leaves)
    return total
