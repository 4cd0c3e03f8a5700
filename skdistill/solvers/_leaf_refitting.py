r"""Leaf refitting: all leaf values of a sequence of trees at once, where boosting fitted them tree by tree.

A row's score is the sum of one leaf value per tree, so for given trees the best values are a regression on the leaf
indicators :math:`Z`. The change :math:`\delta` of the values that boosting found minimises

.. math:: \sum_i w_i \, \ell(t_i, (Z (v + \delta))_i) + \lambda \, \delta^\top P \, \delta

by Newton's method, in one step for the squared error. :math:`P` is a ridge on the increments along each tree: the
change of a leaf is the sum of one increment for each node below the root on its path, so that regularisation shrinks
differences between the changes of neighbouring leaves. Numbers of a row that enter its score linearly, such as the
last hidden layer of a network, can be fitted beside the leaves.

:math:`\lambda` is chosen on validation rows: the largest, infinity (no change) included, whose loss exceeds the
smallest by no more than two standard errors. In-sample outputs of an overfitted teacher would favour a small ridge.
"""

from collections.abc import Callable
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve

from .._losses import Loss
from ..compiled import Forest

RIDGES = (15.0, 50.0, 150.0, 500.0)
"""Ridges to choose from, in rows of mean weight and curvature, times the number of trees that share a change of the
score."""

VALIDATION_SHARE = 0.2
"""Share of the rows that the ridge is chosen on."""

STANDARD_ERRORS = 2.0
"""Number of standard errors by which the validation loss of the chosen ridge may exceed the smallest."""

MIN_ROWS_TO_REFIT = 50
"""Minimum number of rows for refitting leaves; fewer rows are not enough to choose a ridge."""

MAX_NEWTON_STEPS = 4
"""Bounds the Newton steps, all of which use the curvature of the first."""

MIN_GAIN_SHARE = 0.01
"""Minimum gain of a step as a share of the gain so far; a smaller gain ends the iterations."""

MAX_CURVATURE_ROWS = 15_000
"""Bounds the rows that the curvature is estimated on."""

BLOCK_ROWS = 10_000
"""Number of rows whose scores are summed at a time."""

MAX_BLOCK_LEAVES = 3000
"""Bounds the leaves that are refitted together, since memory grows with their square.

More trees are refitted block by block; a larger tree keeps its values.
"""


def refit_leaves(
    forest: Forest,
    leaves: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    loss: Loss,
    is_validation: np.ndarray,
    offset: np.ndarray | None = None,
    hidden: np.ndarray | None = None,
    system: Callable[..., "_System"] | None = None,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return refitted leaf values, of shape (n_leaves,), weights of ``hidden``, and the ridge that was chosen.

    Parameters
    ----------
    forest : Forest
        Of one output.
    leaves : ndarray of int, shape (n_rows, n_trees)
        Each row's leaf in each tree, counted over all trees.
    target, weight : ndarray of shape (n_rows,)
    loss : Loss
    is_validation : ndarray of bool, shape (n_rows,)
        Rows that the ridge is chosen on.
    offset : ndarray of shape (n_rows,), default=None
        Scores that the trees are added to.
    hidden : ndarray of shape (n_rows, n_hidden), default=None
        Standardised numbers of each row, whose weights start from zero.
    system : callable, default=None
        Makes the regression of a block of trees; ``None`` is :class:`_System`, which has no constraints.
    """
    system = _System if system is None else system
    offset = np.zeros(len(target)) if offset is None else offset
    hidden = np.zeros((len(target), 0), dtype=np.float32) if hidden is None else hidden
    weights = np.zeros(hidden.shape[1])
    values = forest.value[:, 0].astype(np.float64)
    useful = [np.count_nonzero(weight[rows]) for rows in (is_validation, ~is_validation)]
    largest = forest.tree_splits.max(initial=0)
    if len(target) < MIN_ROWS_TO_REFIT or min(useful) == 0 or largest == 0 or largest >= MAX_BLOCK_LEAVES:
        return values, weights, np.inf
    blocks = _blocks(forest)
    chosen = np.inf
    for index, block in enumerate(blocks * (1 if len(blocks) == 1 else 2)):  # a second round lets blocks agree
        regression = system(forest, leaves, block, target, weight, loss, values, offset, hidden, weights)
        if index == 0:
            chosen = regression.choose_ridge(is_validation)
        if not np.isfinite(chosen):
            break
        values, weights = regression.solve(chosen)
    return values, weights, chosen


def _blocks(forest: Forest) -> list[slice]:
    """Return slices of trees with a bounded number of leaves together, at least one tree each."""
    n_leaves = forest.tree_splits + 1
    number = (np.cumsum(n_leaves) - n_leaves) // MAX_BLOCK_LEAVES
    first = np.flatnonzero(np.diff(number, prepend=-1))
    return [slice(start, stop) for start, stop in zip(first, [*first[1:], len(n_leaves)], strict=True)]


class _System:
    """The regression for a block of trees, with the values of all other trees fixed."""

    def __init__(
        self,
        forest: Forest,
        leaves: np.ndarray,
        block: slice,
        target: np.ndarray,
        weight: np.ndarray,
        loss: Loss,
        values: np.ndarray,
        offset: np.ndarray,
        hidden: np.ndarray,
        weights: np.ndarray,
    ) -> None:
        self.hidden = hidden
        self.target, self.weight, self.loss, self.values = target[:, None], weight, loss, values
        bounds = forest.tree_leaf[block.start : block.stop + 1]
        self.span = slice(bounds[0], bounds[-1])
        self.before = np.concatenate([values[self.span], weights])
        self.n_leaves = np.diff(bounds)
        self.first = bounds[:-1] - bounds[0]
        most = int(self.n_leaves.max()) - 1
        self.codes = np.empty((len(self.n_leaves), len(target)), dtype=np.min_scalar_type(most))  # within their tree
        score = np.empty(len(target))
        for start in range(0, len(target), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            score[rows] = offset[rows] + forest.base[0] + values[leaves[rows]].sum(axis=1)
            self.codes[:, rows] = (leaves[rows, block] - bounds[:-1]).T
        self.others = score - self._scores(self.before)
        self.curvature = weight * loss.curvature_at(score[:, None])
        self.unit = self.curvature.sum() / weight.sum()
        self.n_trees = forest.n_trees
        self.factors: dict[float, tuple[np.ndarray, bool]] = {}
        self.penalties = [_increment_penalty(forest, tree) for tree in range(block.start, block.stop)]

    def choose_ridge(self, is_validation: np.ndarray) -> float:
        """Return the largest ridge whose validation loss is within some standard errors of the smallest.

        Ridges are tried in ascending order, until one exceeds it by more.
        """
        fitted_on = ~is_validation
        weight = self.weight[is_validation]

        def loss_with(values: np.ndarray) -> np.ndarray:
            scores = self.others[is_validation] + self._scores(values, is_validation)
            return self.loss.value(scores[:, None], self.target[is_validation])

        chosen, best = RIDGES[0], loss_with(self._minimise(RIDGES[0], fitted_on))
        for ridge in (*RIDGES[1:], np.inf):
            values = self._minimise(ridge, fitted_on) if np.isfinite(ridge) else self.before
            excess = loss_with(values) - best
            mean = np.average(excess, weights=weight)
            error = np.sqrt(np.sum((weight * (excess - mean)) ** 2)) / weight.sum()
            if mean > STANDARD_ERRORS * error:
                break
            chosen = ridge
            if mean < 0:
                best = best + excess
        return chosen

    def solve(self, ridge: float) -> tuple[np.ndarray, np.ndarray]:
        """Return all leaf values, those of the block refitted, and the weights of hidden numbers."""
        values, refitted = self.values.copy(), self._minimise(ridge, np.ones(len(self.target), dtype=bool))
        values[self.span] = refitted[: self.n_leaves.sum()]
        return values, refitted[self.n_leaves.sum() :]

    def _minimise(self, ridge: float, rows: np.ndarray) -> np.ndarray:
        """Return the values of the block after Newton steps on some of the rows, with the curvature of all rows."""
        ridge = ridge * self.unit
        factor = self._factor(ridge)
        weight = self.weight * rows
        values, losses = self.before, []
        for _ in range(MAX_NEWTON_STEPS + 1):
            score = (self.others + self._scores(values))[:, None]
            change = values - self.before
            penalty = ridge * self._penalise(change)
            losses.append(weight @ self.loss.value(score, self.target) + change @ penalty / 2)
            if losses[-1] > losses[0]:  # the estimated curvature was too small for these rows
                return self.before
            if len(losses) > 1 and losses[-2] - losses[-1] < MIN_GAIN_SHARE * (losses[0] - losses[-1]):
                return values
            gradient = self._gradient(weight * self.loss.gradient(score, self.target)[:, 0]) + penalty
            latest, values = values, values - cho_solve(factor, gradient.astype(np.float32), check_finite=False)
        return latest

    def _scores(self, values: np.ndarray, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return the share of the block and of the hidden numbers in the scores of rows."""
        total = (self.hidden[rows] @ values[self.n_leaves.sum() :].astype(np.float32)).astype(np.float64)
        for codes, first in zip(self.codes, self.first, strict=True):
            total += values[first:].take(codes[rows])
        return total

    def _gradient(self, by_score: np.ndarray) -> np.ndarray:
        """Return the gradient by leaf values and weights of hidden numbers, given that by the scores of rows."""
        leaves = [np.bincount(codes, by_score, size) for codes, size in zip(self.codes, self.n_leaves, strict=True)]
        return np.concatenate([*leaves, by_score.astype(np.float32) @ self.hidden])

    def _penalise(self, change: np.ndarray) -> np.ndarray:
        *parts, of_hidden = np.split(change, [*self.first[1:], self.n_leaves.sum()])
        of_leaves = [self.n_trees * (penalty @ part) for penalty, part in zip(self.penalties, parts, strict=True)]
        return np.concatenate([*of_leaves, of_hidden])

    def _factor(self, ridge: float) -> tuple[np.ndarray, bool]:
        """Factorise the curvature and the penalty; float32 is enough for steps that correct each other."""
        if ridge in self.factors:
            return self.factors[ridge]
        matrix = self.gram.copy()
        for first, penalty in zip(self.first, self.penalties, strict=True):
            span = slice(first, first + len(penalty))
            matrix[span, span] += self.n_trees * ridge * penalty
        of_hidden = np.arange(self.n_leaves.sum(), len(matrix))
        matrix[of_hidden, of_hidden] += ridge
        self.factors[ridge] = cho_factor(matrix, overwrite_a=True, check_finite=False)
        return self.factors[ridge]

    @cached_property
    def gram(self) -> np.ndarray:
        """Estimate of the curvature-weighted Gram matrix of leaf indicators and hidden numbers, in float32.

        Each pair of trees is a small table of counts, which is cheaper than a sparse product, whose result is dense.
        Newton steps correct each other, so that an estimate on some of the rows is enough.
        """
        chosen = np.flatnonzero(self.curvature > 0)
        if len(chosen) > MAX_CURVATURE_ROWS:
            chosen = np.sort(np.random.RandomState(0).choice(chosen, MAX_CURVATURE_ROWS, replace=False))
        curvature, codes = self.curvature[chosen], np.ascontiguousarray(self.codes[:, chosen])
        curvature = curvature * (self.curvature.sum() / curvature.sum())
        hidden, n_leaves = self.hidden[chosen], self.n_leaves.sum()
        gram, width = np.empty((n_leaves + hidden.shape[1],) * 2, dtype=np.float32), self.n_leaves.max()
        weighted = hidden * curvature[:, None].astype(np.float32)
        gram[n_leaves:, n_leaves:] = hidden.T @ weighted
        if hidden.shape[1]:
            leaf, ends = (codes + self.first[:, None]).T.ravel(), len(codes) * np.arange(len(chosen) + 1)
            ones = np.ones(len(leaf), dtype=np.float32)
            indicator = sparse.csr_matrix((ones, leaf, ends), shape=(len(chosen), n_leaves))
            gram[:n_leaves, n_leaves:] = indicator.T @ weighted
            gram[n_leaves:, :n_leaves] = gram[:n_leaves, n_leaves:].T
        for a, (size, first) in enumerate(zip(self.n_leaves, self.first, strict=True)):
            wide = codes[a].astype(np.intp) * width
            for b in range(a, len(codes)):
                other, start = self.n_leaves[b], self.first[b]
                counts = np.bincount(wide + codes[b], curvature, size * width).reshape(size, width)[:, :other]
                gram[first : first + size, start : start + other] = counts
                gram[start : start + other, first : first + size] = counts.T
        return gram


def _increment_penalty(forest: Forest, tree: int) -> np.ndarray:
    """Return the ridge on increments as a quadratic form of a tree's leaf values, of shape (n_leaves, n_leaves).

    Its inverse counts for each pair of leaves their common ancestors below the root, divided by the mean of its
    diagonal, so that trees of any depth are equally regularised.
    """
    n_splits = int(forest.tree_splits[tree])
    if n_splits == 0:
        return np.ones((1, 1))
    splits = slice(forest.tree_split[tree] + 1, forest.tree_split[tree + 1])  # all but the root
    first, size = forest.spans.first_leaf[splits], forest.spans.n_splits[splits] + 1
    leaf = np.arange(n_splits + 1)[:, None]
    under = ((leaf >= first) & (leaf < first + size)).astype(np.float64)
    shared = under @ under.T + np.eye(n_splits + 1)
    return np.linalg.inv(shared) * np.trace(shared) / (n_splits + 1)
