"""One tree under constraints: grown from the columns of one set, with the nearest leaf means that are monotone."""

import numpy as np

from .._losses import Loss, SoftmaxCrossEntropy
from ..compiled import Forest
from ._binned_tree import Tree, TreeData
from ._leaf_order import LeafOrder
from ._tao import _first_scores, fit_tree, loss_of

MAX_GROWN_SETS = 16
"""Maximum number of sets of columns that a tree is grown for; others have worse first splits."""


def fit_tree_of_sets(
    rows: TreeData, max_leaves: int, sets: list[list[int]] | None, *, optimize: bool, n_regrowths: int
) -> Tree:
    """Return the tree of least loss whose splits test columns of one set only; ``None`` means all columns."""
    if sets is None:
        return fit_tree(rows, max_leaves, optimize=optimize, n_regrowths=n_regrowths)
    parts = [rows.only(np.array(columns)) for columns in _promising(rows, sets)]
    losses = [loss_of(fit_tree(part, max_leaves, optimize=False, n_regrowths=0), part) for part in parts]
    return fit_tree(parts[int(np.argmin(losses))], max_leaves, optimize=optimize, n_regrowths=n_regrowths)


def _promising(rows: TreeData, sets: list[list[int]]) -> list[list[int]]:
    """Return the sets whose columns have the best first splits, if there are many sets."""
    if len(sets) <= MAX_GROWN_SETS:
        return sets
    scores = _first_scores(rows)
    worst = scores[np.isfinite(scores)].max(initial=0)
    saved = np.where(np.isfinite(scores), worst - scores, 0)
    order = np.argsort([-saved[columns].sum() for columns in sets], kind="stable")
    return [sets[place] for place in order[:MAX_GROWN_SETS]]


def ordered_means(
    forest: Forest, mean: np.ndarray, weight: np.ndarray, directions: np.ndarray, loss: Loss
) -> np.ndarray:
    """Return the means of the leaves of one tree, shape (n_leaves, n_outputs), that are nearest and in order.

    For more than two classes, the logarithms of the odds against the constrained class, or against the geometric mean
    of several constrained ones, are put in order class by class.

    Parameters
    ----------
    forest : Forest
        Of one tree.
    mean : ndarray of shape (n_leaves, n_outputs)
    weight : ndarray of shape (n_leaves,)
    directions : ndarray of int, shape (n_outputs, n_features)
    loss : Loss
    """
    if not isinstance(loss, SoftmaxCrossEntropy):
        return _in_order(forest, mean, np.tile(weight[:, None], mean.shape[1]), directions)
    scores = loss.scores(mean)
    scores = scores - scores[:, _constrained_classes(directions)].mean(axis=1, keepdims=True)
    return loss.outputs(_in_order(forest, scores, weight[:, None] * mean, directions))


def _constrained_classes(directions: np.ndarray) -> np.ndarray:
    """Return the classes to which constraints belong: in each column, the one whose direction is that of no other."""
    is_alone = np.array([(directions == row).sum(axis=0) == 1 for row in directions])
    return np.flatnonzero((is_alone & (directions != 0)).any(axis=1))


def _in_order(forest: Forest, values: np.ndarray, weight: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Return the values of each output that are nearest and in order."""
    parts = zip(values.T, weight.T, directions, strict=True)
    nearest = [LeafOrder.of(forest, 0, row).nearest(each, of_leaf) for each, of_leaf, row in parts]
    return np.column_stack(nearest)
