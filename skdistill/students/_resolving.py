r"""Re-solving: all leaf values of a sequence of trees at once, where boosting chose them tree by tree.

A row's score is the sum of one leaf value a tree, so for given trees the best values are a regression on the leaf
indicators :math:`Z`. The change :math:`\delta` of the values that boosting found minimises

.. math:: \sum_i w_i \, \ell(t_i, (Z (v + \delta))_i) + \lambda \, \delta^\top P \, \delta,

a Newton step for the cross-entropy, exact for squared error. :math:`P` is a ridge on the increments along each tree:
a leaf's change is the sum of one increment for each node below the root on its path, so that neighbours in a tree
change alike unless the rows insist. Numbers of a row that enter its score linearly, such as the last hidden layer of a
network, can be solved for beside the leaves. :math:`\lambda` is chosen on rows held out; of all that lose to the best
by no more than two standard errors the largest is taken, infinity (no change) included: what a teacher says of rows it
was trained on is spiky, and a small ridge follows the spikes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, logit

from ..compiled import Forest

RIDGES = (15.0, 50.0, 150.0, 500.0)
"""In rows of mean weight and curvature, times the number of trees: more trees share a change of the score, so each may
change less."""

HELD_OUT = 0.2
"""Share of the rows that the ridge is chosen on."""

STANDARD_ERRORS = 2.0
FEWEST_ROWS = 50
"""With fewer rows nothing is re-solved: there is nothing to choose a ridge with."""

STEPS = 4
"""Newton's steps, all with the curvature of the first."""

CONVERGED = 0.01
"""Share of the loss gained so far below which a further step is not worth its time."""

CURVATURE_ROWS = 15_000
"""Rows at most that the curvature is estimated on."""

ROWS_AT_ONCE = 10_000
LEAVES_AT_ONCE = 3000
"""Bigger sets of trees are solved block by block, and bigger trees not at all: memory grows with the leaves' square."""


@dataclass(frozen=True)
class Loss:
    """A loss of scores: its value, its negative gradient and its curvature, each of shape (n_rows,)."""

    link: Callable[[float], float]
    """From the mean target to the best constant score."""

    value: Callable[[np.ndarray, np.ndarray], np.ndarray]
    pull: Callable[[np.ndarray, np.ndarray], np.ndarray]
    curvature: Callable[[np.ndarray], np.ndarray]

    def best_constant(self, target: np.ndarray, weight: np.ndarray) -> float:
        """Return the score that is best for all rows alike."""
        return self.link(float(np.average(target, weights=weight)))


SQUARED_ERROR = Loss(
    link=lambda mean: mean,
    value=lambda target, score: (target - score) ** 2 / 2,
    pull=lambda target, score: target - score,
    curvature=np.ones_like,
)
CROSS_ENTROPY = Loss(
    link=lambda mean: float(logit(np.clip(mean, 1e-10, 1 - 1e-10))),
    value=lambda target, score: np.logaddexp(0, score) - target * score,
    pull=lambda target, score: target - expit(score),
    curvature=lambda score: np.maximum(expit(score) * expit(-score), 1e-6),
)

LOSSES = {"identity": SQUARED_ERROR, "binary": CROSS_ENTROPY, "one-vs-rest": CROSS_ENTROPY}
"""By the link of the scores."""


def resolve(
    forest: Forest,
    leaves: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    loss: Loss,
    held_out: np.ndarray,
    offset: np.ndarray | None = None,
    hidden: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return better leaf values, of shape (n_leaves,), weights of ``hidden``, and the ridge that was chosen.

    Parameters
    ----------
    forest : Forest
        Of one output.
    leaves : ndarray of int, shape (n_rows, n_trees)
        Each row's leaf in each tree, counted over all trees.
    target, weight : ndarray of shape (n_rows,)
    loss : Loss
    held_out : ndarray of bool, shape (n_rows,)
        Rows that the ridge is chosen on.
    offset : ndarray of shape (n_rows,), default=None
        What others add to the scores.
    hidden : ndarray of shape (n_rows, n_hidden), default=None
        Standardised numbers of each row, whose weights are zero so far.
    """
    offset = np.zeros(len(target)) if offset is None else offset
    hidden = np.zeros((len(target), 0), dtype=np.float32) if hidden is None else hidden
    weights = np.zeros(hidden.shape[1])
    values = forest.value[:, 0].astype(np.float64)
    useful = [np.count_nonzero(weight[rows]) for rows in (held_out, ~held_out)]
    largest = forest.tree_splits.max(initial=0)
    if len(target) < FEWEST_ROWS or min(useful) == 0 or largest == 0 or largest >= LEAVES_AT_ONCE:
        return values, weights, np.inf
    blocks = _blocks(forest)
    chosen = np.inf
    for index, block in enumerate(blocks * (1 if len(blocks) == 1 else 2)):  # twice over, so that blocks agree
        system = _System(forest, leaves, block, target, weight, loss, values, offset, hidden, weights)
        if index == 0:
            chosen = system.choose_ridge(held_out)
        if not np.isfinite(chosen):
            break
        values, weights = system.solve(chosen)
    return values, weights, chosen


def _blocks(forest: Forest) -> list[slice]:
    """Return slices of trees of at most so many leaves together, but one tree at least."""
    n_leaves = forest.tree_splits + 1
    number = (np.cumsum(n_leaves) - n_leaves) // LEAVES_AT_ONCE
    first = np.flatnonzero(np.diff(number, prepend=-1))
    return [slice(start, stop) for start, stop in zip(first, [*first[1:], len(n_leaves)], strict=True)]


class _System:
    """The regression for a block of trees, the values of all others given."""

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
        self.target, self.weight, self.loss, self.values = target, weight, loss, values
        bounds = forest.tree_leaf[block.start : block.stop + 1]
        self.span = slice(bounds[0], bounds[-1])
        self.before = np.concatenate([values[self.span], weights])
        self.n_leaves = np.diff(bounds)
        self.first = bounds[:-1] - bounds[0]
        most = int(self.n_leaves.max()) - 1
        self.codes = np.empty((len(self.n_leaves), len(target)), dtype=np.min_scalar_type(most))  # within their tree
        score = np.empty(len(target))
        for start in range(0, len(target), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            score[rows] = offset[rows] + forest.base[0] + values[leaves[rows]].sum(axis=1)
            self.codes[:, rows] = (leaves[rows, block] - bounds[:-1]).T
        self.others = score - self._scores(self.before)
        self.curvature = weight * loss.curvature(score)
        self.unit = self.curvature.sum() / weight.sum()
        self.n_trees = forest.n_trees
        self.factors: dict[float, tuple[np.ndarray, bool]] = {}
        self.penalties = [_increment_penalty(forest, tree) for tree in range(block.start, block.stop)]

    def choose_ridge(self, held_out: np.ndarray) -> float:
        """Return the largest ridge that is no worse on rows held out than the best, but for the error.

        From the smallest ridge upwards, until one is worse.
        """
        fitted_on = ~held_out
        weight = self.weight[held_out]

        def loss_with(values: np.ndarray) -> np.ndarray:
            return self.loss.value(self.target[held_out], self.others[held_out] + self._scores(values, held_out))

        chosen, best = RIDGES[0], loss_with(self._descend(RIDGES[0], fitted_on))
        for ridge in (*RIDGES[1:], np.inf):
            values = self._descend(ridge, fitted_on) if np.isfinite(ridge) else self.before
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
        """Return all leaf values, and the weights of hidden numbers, with those of the block re-solved."""
        values, solved = self.values.copy(), self._descend(ridge, np.ones(len(self.target), dtype=bool))
        values[self.span] = solved[: self.n_leaves.sum()]
        return values, solved[self.n_leaves.sum() :]

    def _descend(self, ridge: float, rows: np.ndarray) -> np.ndarray:
        """Return the block's values after some steps on some of the rows, all with the curvature of all rows."""
        ridge = ridge * self.unit
        factor = self._factor(ridge)
        weight = self.weight * rows
        values, losses = self.before, []
        for _ in range(STEPS + 1):
            score = self.others + self._scores(values)
            change = values - self.before
            penalty = ridge * self._penalise(change)
            losses.append(weight @ self.loss.value(self.target, score) + change @ penalty / 2)
            if losses[-1] > losses[0]:  # the curvature was too small: very unlike the rows it was estimated on
                return self.before
            if len(losses) > 1 and losses[-2] - losses[-1] < CONVERGED * (losses[0] - losses[-1]):
                return values
            gradient = self._gradient(weight * self.loss.pull(self.target, score)) - penalty
            latest, values = values, values + cho_solve(factor, gradient.astype(np.float32), check_finite=False)
        return latest

    def _scores(self, values: np.ndarray, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return what the block and the hidden numbers add to rows."""
        total = (self.hidden[rows] @ values[self.n_leaves.sum() :].astype(np.float32)).astype(np.float64)
        for codes, first in zip(self.codes, self.first, strict=True):
            total += values[first:].take(codes[rows])
        return total

    def _gradient(self, pull: np.ndarray) -> np.ndarray:
        pulls = [np.bincount(codes, pull, size) for codes, size in zip(self.codes, self.n_leaves, strict=True)]
        return np.concatenate([*pulls, pull.astype(np.float32) @ self.hidden])

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
        """Estimate of the curvature-weighted products of leaf indicators and hidden numbers, a square of float32.

        Each pair of trees is a small table of counts: cheaper than a sparse product, whose result is dense. The steps
        that use them need no more than an estimate, so of many rows some are enough.
        """
        chosen = np.flatnonzero(self.curvature > 0)
        if len(chosen) > CURVATURE_ROWS:
            chosen = np.sort(np.random.RandomState(0).choice(chosen, CURVATURE_ROWS, replace=False))
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
    """Return the ridge on increments as a form of a tree's leaf values, of shape (n_leaves, n_leaves).

    Its inverse counts for each pair of leaves the nodes below the root that both lie under, divided by its mean
    diagonal, so that trees of any depth are held alike.
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
