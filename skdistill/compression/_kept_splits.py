"""Parts of a forest: some of its trees, and trees cut back to some of their splits."""

from dataclasses import replace

import numpy as np

from ..compiled import Forest


def take_trees(forest: Forest, trees: np.ndarray) -> Forest:
    """Return the forest of some trees, in the order given.

    Parameters
    ----------
    forest : Forest
    trees : ndarray of int, shape (n_trees,)
        Positions of trees.
    """
    splits = ranges(forest.tree_split[trees], forest.tree_split[trees + 1])
    leaves = ranges(forest.tree_leaf[trees], forest.tree_leaf[trees + 1])
    return replace(
        forest,
        feature=forest.feature[splits],
        threshold=forest.threshold[splits],
        missing_left=forest.missing_left[splits],
        n_left=forest.n_left[splits],
        tree_splits=forest.tree_splits[trees],
        tree_output=forest.tree_output[trees],
        value=forest.value[leaves],
    )


def ranges(start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Return the integers of all ranges from ``start`` to ``stop``, one range after the other."""
    size = stop - start
    return np.repeat(start - (np.cumsum(size) - size), size) + np.arange(size.sum())


def with_ancestors_only(forest: Forest, is_kept: np.ndarray) -> np.ndarray:
    """Return which splits are kept if those below a split that is not kept are left out too."""
    n_splits, gone = len(is_kept), np.flatnonzero(~is_kept)
    starts = np.bincount(gone, minlength=n_splits + 1)
    ends = np.bincount(gone + forest.spans.n_splits[gone], minlength=n_splits + 1)
    return np.cumsum(starts - ends)[:-1] == 0


def cut_back(forest: Forest, is_kept: np.ndarray, leaf_weight: np.ndarray) -> tuple[Forest, np.ndarray]:
    """Return the trees with some of their splits, and for each leaf the leaf that it has become part of.

    Parameters
    ----------
    forest : Forest
    is_kept : ndarray of bool, shape (n_splits,)
        Which splits remain; all ancestors of a kept split are kept.
    leaf_weight : ndarray of shape (n_leaves,) or (n_leaves, width)
        Leaves that are merged have the mean of their values with these weights, or their mean if none has weight.
    """
    kept = np.flatnonzero(is_kept)
    before = np.append(0, np.cumsum(is_kept))
    is_first = np.zeros(forest.n_leaves, dtype=bool)
    is_first[forest.tree_leaf[:-1]] = True
    is_first[(forest.first_leaf + forest.n_left + 1)[kept]] = True
    leaf = np.cumsum(is_first) - 1
    cut = replace(
        forest,
        feature=forest.feature[kept],
        threshold=forest.threshold[kept],
        missing_left=forest.missing_left[kept],
        n_left=before[kept + 1 + forest.n_left[kept]] - before[kept + 1],
        tree_splits=before[forest.tree_split[1:]] - before[forest.tree_split[:-1]],
        value=_means(forest.leaf_values, leaf, leaf_weight),
        unit=np.ones(len(forest.base)),
    )
    return cut, leaf


def _means(value: np.ndarray, group: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weighted mean of the values of each group, of shape (n_groups, width)."""
    n_groups, n_members = int(group[-1]) + 1, np.bincount(group)
    weight = np.broadcast_to(weight.reshape(len(value), -1), value.shape)
    means = np.empty((n_groups, value.shape[1]))
    for column, (values, weights) in enumerate(zip(value.T, weight.T, strict=True)):
        total = np.bincount(group, weights, n_groups)
        plain = np.bincount(group, values, n_groups) / n_members
        means[:, column] = np.where(
            total > 0, np.bincount(group, weights * values, n_groups) / np.where(total > 0, total, 1), plain
        )
    return means


def group_sums(leaves: np.ndarray, numbers: np.ndarray, n_leaves: int) -> np.ndarray:
    """Return the sums of the rows' numbers in each leaf, of shape (n_leaves, n_columns).

    Parameters
    ----------
    leaves : ndarray of int, shape (n_rows, n_trees)
        Each row's leaf in each tree, counted over all trees.
    numbers : ndarray of shape (n_rows, n_columns)
    n_leaves : int
        Of all trees together.
    """
    total = np.zeros((n_leaves, numbers.shape[1]))
    for codes in leaves.T:
        first = codes.min(initial=n_leaves)  # a tree has few of all leaves
        for column, of_rows in enumerate(numbers.T):
            sums = np.bincount(codes - first, of_rows)
            total[first : first + len(sums), column] += sums
    return total
