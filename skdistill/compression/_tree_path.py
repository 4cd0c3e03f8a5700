"""The cost-complexity path of a single tree, whose leaves hold the mean targets of their rows."""

from typing import Any

import numpy as np

from .._losses import Loss
from .._types import LinkName
from ..compiled import Forest
from ._budget import Budget
from ._kept_splits import cut_back, group_sums, with_ancestors_only
from ._losses_of_links import as_transfer_set, loss_of

PROBABILITY_MARGIN = 1e-6
"""Bounds the distance of the mean probabilities of leaves to 0 and 1, so that scores are finite."""


def prune_tree(
    tree: Forest,
    X: Any,
    targets: Any,
    budget: Budget,
    *,
    link: LinkName = "identity",
    sample_weight: Any = None,
) -> Forest:
    r"""Return the largest tree within a budget on the cost-complexity path [1]_ of a tree, its leaves relabelled.

    The error :math:`R` of a node is the squared distance of the targets of its rows to their mean. Again and again the
    split with the smallest :math:`(R(t) - R(T_t)) / (|T_t| - 1)` becomes a leaf, where :math:`R(T_t)` is the error of
    the leaves below it and :math:`|T_t|` their number. Splits that no row tells apart go first.

    Parameters
    ----------
    tree : Forest
        Of one tree; its leaf values are not used.
    X : ndarray or sparse matrix of shape (n_rows, n_features)
        Rows as the tree reads them.
    targets : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Values, probabilities of the second of two classes, or probabilities of all of more classes.
    budget : Budget
        Limits of the result.
    link : {"identity", "binary", "one-vs-rest", "softmax"}, default="identity"
        Link of the scores of the result; a leaf holds the scores of the mean target of its rows.
    sample_weight : array-like of shape (n_rows,) or None, default=None
        Weight of each row; ``None`` for equal weights.

    Returns
    -------
    tree : Forest
        Of one tree, within the budget, with values stored as float16.

    Raises
    ------
    StudentSizeError
        If a tree without a split exceeds the budget.
    ValueError
        If there are several trees, or another argument is invalid.

    References
    ----------
    .. [1] L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and Regression Trees", 1984.

    Examples
    --------
    >>> import numpy as np
    >>> import skdistill
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from skdistill.compression import Budget, prune_tree
    >>> X = np.random.default_rng(0).uniform(size=(1000, 1))
    >>> teacher = DecisionTreeRegressor().fit(X, X[:, 0] > 0.5)
    >>> tree = skdistill.compile(teacher).scorer
    >>> prune_tree(tree, X, X[:, 0], Budget(max_parameters=11)).n_leaves
    2
    """
    who = "prune_tree"
    targets, weight = as_transfer_set(who, X, targets, sample_weight)
    loss = loss_of(who, link)
    if tree.n_trees != 1:
        raise ValueError(f"{who}: got {tree.n_trees} trees; expected one. Pass several trees to prune_trees.")
    numbers = np.column_stack([weight, weight[:, None] * targets, weight * (targets**2).sum(axis=1)])
    sums = group_sums(tree.leaves(X), numbers, tree.n_leaves)
    order = _path(tree, sums)
    low, high = 0, len(order)
    while low < high:  # the first tree of the path within the budget
        middle = (low + high) // 2
        found = _relabelled(tree, sums, order[:middle], loss)
        low, high = (low, middle) if budget.excess(found) <= 1 else (middle + 1, high)
    found = _relabelled(tree, sums, order[:low], loss)
    if budget.excess(found) > 1:
        raise budget.too_small(who, found)
    return found


def _path(tree: Forest, sums: np.ndarray) -> np.ndarray:
    """Return splits in the order in which they become leaves; splits below them are left out."""
    start, stop = tree.first_leaf, tree.first_leaf + tree.spans.n_splits + 1
    cumulated = np.vstack([np.zeros((1, sums.shape[1])), np.cumsum(sums, axis=0)])
    error = _errors(cumulated[stop] - cumulated[start])
    below = np.append(0.0, np.cumsum(_errors(sums)))
    of_leaves = below[stop] - below[start]
    n_below, is_there = tree.spans.n_splits.astype(np.float64), np.ones(len(start), dtype=bool)
    ancestors = np.arange(len(start))
    order = []
    while is_there.any():
        rate = np.where(is_there, (error - of_leaves) / np.maximum(n_below, 1), np.inf)
        weakest = int(rate.argmin())
        saved, gained = n_below[weakest], error[weakest] - of_leaves[weakest]
        is_above = (ancestors <= weakest) & (weakest < ancestors + tree.spans.n_splits)
        n_below[is_above] -= saved
        of_leaves[is_above] += gained
        is_there[weakest : weakest + tree.spans.n_splits[weakest]] = False
        order.append(weakest)
    return np.array(order, dtype=np.intp)


def _errors(sums: np.ndarray) -> np.ndarray:
    """Return the squared error of each node from the sums of weights, of targets and of their squares."""
    weight = np.where(sums[:, 0] > 0, sums[:, 0], 1)
    return np.maximum(sums[:, -1] - (sums[:, 1:-1] ** 2).sum(axis=1) / weight, 0)


def _relabelled(tree: Forest, sums: np.ndarray, cut: np.ndarray, loss: Loss) -> Forest:
    """Return the tree without some splits and those below them, with the scores of the mean targets."""
    is_kept = np.ones(len(tree.feature), dtype=bool)
    is_kept[cut] = False
    small, leaf = cut_back(tree, with_ancestors_only(tree, is_kept), sums[:, 0])
    total = np.column_stack([np.bincount(leaf, column, small.n_leaves) for column in sums.T])
    mean = total[:, 1:-1].sum(axis=0) / total[:, 0].sum()
    weight = total[:, [0]]
    means = np.where(weight > 0, total[:, 1:-1] / np.where(weight > 0, weight, 1), mean)
    values = loss.scores(loss.clipped(means, PROBABILITY_MARGIN))
    small.tree_output = np.zeros(1, dtype=np.int64)
    return small.with_values(values, np.zeros(values.shape[1])).stored_as(np.float16)
