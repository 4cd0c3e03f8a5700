r"""Re-solving: all leaf values of a sequence of trees at once, where boosting chose them tree by tree.

A row's score is the sum of one leaf value a tree, so for given trees the best values are a regression on the leaf
indicators :math:`Z`. The change :math:`\delta` of the values that boosting found minimises

.. math:: \sum_i w_i \, \ell(t_i, (Z (v + \delta))_i) + \lambda \, \delta^\top P \, \delta,

a Newton step for the cross-entropy, exact for squared error. :math:`P` is a ridge on the increments along each tree:
a leaf's change is the sum of one increment for each node below the root on its path, so that neighbours in a tree
change alike unless the rows insist. :math:`\lambda` is chosen on rows held out; of all that lose to the best by no more
than two standard errors the largest is taken, infinity (no change) included: what a teacher says of rows it was
trained on is spiky, and a small ridge follows the spikes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import block_diag, cho_factor, cho_solve
from scipy.special import expit, logit

from ..compiled import Forest

RIDGES = (15.0, 50.0, 150.0, 500.0)
"""In rows of mean weight and curvature, times the number of trees: more trees share a change of the score, so each may
change less."""

HELD_OUT = 0.2
STANDARD_ERRORS = 2.0
FEWEST_ROWS = 50
"""With fewer rows nothing is re-solved: there is nothing to choose a ridge with."""

NEWTON_STEPS = 4
LEAVES_AT_ONCE = 4096
"""Bigger sets of trees are solved block by block: memory grows with the square of the leaves."""


@dataclass(frozen=True)
class Loss:
    """A loss of scores: its value, its negative gradient and its curvature, each of shape (n_rows,)."""

    link: Callable[[float], float]
    """From the mean target to the best constant score."""

    value: Callable[[np.ndarray, np.ndarray], np.ndarray]
    pull: Callable[[np.ndarray, np.ndarray], np.ndarray]
    curvature: Callable[[np.ndarray], np.ndarray]
    steps: int

    def best_constant(self, target: np.ndarray, weight: np.ndarray) -> float:
        """Return the score that is best for all rows alike."""
        return self.link(float(np.average(target, weights=weight)))


SQUARED_ERROR = Loss(
    link=lambda mean: mean,
    value=lambda target, score: (target - score) ** 2 / 2,
    pull=lambda target, score: target - score,
    curvature=np.ones_like,
    steps=1,
)
CROSS_ENTROPY = Loss(
    link=lambda mean: float(logit(np.clip(mean, 1e-10, 1 - 1e-10))),
    value=lambda target, score: np.logaddexp(0, score) - target * score,
    pull=lambda target, score: target - expit(score),
    curvature=lambda score: np.maximum(expit(score) * expit(-score), 1e-6),
    steps=NEWTON_STEPS,
)


def resolve(
    forest: Forest, leaves: np.ndarray, target: np.ndarray, weight: np.ndarray, loss: Loss, rng: np.random.RandomState
) -> tuple[np.ndarray, float]:
    """Return better leaf values, of shape (n_leaves,), and the ridge that was chosen.

    Parameters
    ----------
    forest : Forest
        Of one output.
    leaves : ndarray of int, shape (n_rows, n_trees)
        Each row's leaf in each tree, counted over all trees.
    target, weight : ndarray of shape (n_rows,)
    loss : Loss
    rng : RandomState
        Draws the rows held out.
    """
    values = forest.value[:, 0].astype(np.float64)
    held_out = rng.uniform(size=len(target)) < HELD_OUT
    useful = [np.count_nonzero(weight[rows]) for rows in (held_out, ~held_out)]
    if len(target) < FEWEST_ROWS or min(useful) == 0 or len(forest.feature) == 0:
        return values, np.inf
    blocks = _blocks(forest)
    chosen = np.inf
    for index, block in enumerate(blocks * (1 if len(blocks) == 1 else 2)):  # twice over, so that blocks agree
        system = _System(forest, leaves, block, target, weight, loss, values)
        if index == 0:
            chosen = system.choose_ridge(held_out)
        if not np.isfinite(chosen):
            break
        values = system.solve(chosen)
    return values, chosen


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
    ) -> None:
        self.block, self.target, self.weight, self.loss, self.values = block, target, weight, loss, values
        bounds = forest.tree_leaf[block.start : block.stop + 1]
        self.span = slice(bounds[0], bounds[-1])
        self.n_leaves = np.diff(bounds)
        self.first = bounds[:-1] - bounds[0]
        self.codes = np.ascontiguousarray((leaves[:, block] - bounds[:-1]).T, dtype=np.intp)  # leaves within their tree
        score = forest.base[0] + values[leaves].sum(axis=1)
        self.start = score - self._scores(values[self.span])
        self.pull = weight * loss.pull(target, score)
        self.curvature = weight * loss.curvature(score)
        self.unit = forest.n_trees * self.curvature.sum() / weight.sum()
        self.penalty = block_diag(*(_increment_penalty(forest, tree) for tree in range(block.start, block.stop)))

    def choose_ridge(self, held_out: np.ndarray) -> float:
        """Return the largest ridge that is as good on rows held out as the best, within the error."""
        self.gram = self._gram(~held_out)
        gradient = self._gradient(self.pull * ~held_out)
        target, weight = self.target[held_out], self.weight[held_out]
        values = self.values[self.span]
        losses = []
        for ridge in RIDGES:
            change = self._solve(ridge, gradient)
            score = self.start[held_out] + self._scores(values + change, held_out)
            losses.append(self.loss.value(target, score))
        losses.append(self.loss.value(target, self.start[held_out] + self._scores(values, held_out)))
        self.gram += self._gram(held_out)
        best = np.argmin([np.average(loss, weights=weight) for loss in losses])
        for ridge, loss in zip((np.inf, *RIDGES[::-1]), losses[::-1], strict=True):
            excess = loss - losses[best]
            mean = np.average(excess, weights=weight)
            error = np.sqrt(np.sum((weight * (excess - mean)) ** 2)) / weight.sum()
            if mean <= STANDARD_ERRORS * error:
                return ridge
        raise AssertionError("the best ridge is as good as itself")

    def solve(self, ridge: float) -> np.ndarray:
        """Return all leaf values with those of the block re-solved, on all rows."""
        if not hasattr(self, "gram"):
            self.gram = self._gram(np.ones(len(self.target), dtype=bool))
        factor = cho_factor(self.gram + ridge * self.unit * self.penalty)
        before = self.values[self.span]
        values = before.copy()
        for _ in range(self.loss.steps):
            score = self.start + self._scores(values)
            gradient = self._gradient(self.weight * self.loss.pull(self.target, score))
            gradient -= ridge * self.unit * self.penalty @ (values - before)
            values += cho_solve(factor, gradient)
        mean_loss = [np.average(self._loss_of(block), weights=self.weight) for block in (before, values)]
        result = self.values.copy()
        if (
            mean_loss[1] <= mean_loss[0]
        ):  # Newton's steps with one curvature converge from near, but nothing warrants it
            result[self.span] = values
        return result

    def _loss_of(self, values: np.ndarray) -> np.ndarray:
        return self.loss.value(self.target, self.start + self._scores(values))

    def _solve(self, ridge: float, gradient: np.ndarray) -> np.ndarray:
        return cho_solve(cho_factor(self.gram + ridge * self.unit * self.penalty), gradient)

    def _scores(self, values: np.ndarray, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Return what the block adds to rows."""
        total = np.zeros(len(self.target[rows]))
        for codes, first in zip(self.codes, self.first, strict=True):
            total += values[first:].take(codes[rows])
        return total

    def _gradient(self, pull: np.ndarray) -> np.ndarray:
        pulls = [np.bincount(codes, pull, size) for codes, size in zip(self.codes, self.n_leaves, strict=True)]
        return np.concatenate(pulls)

    def _gram(self, rows: np.ndarray) -> np.ndarray:
        """Return the curvature-weighted products of leaf indicators, of shape (n_leaves, n_leaves).

        Each pair of trees is a small table of counts: cheaper than a sparse product, whose result is dense.
        """
        gram = np.empty((self.n_leaves.sum(),) * 2)
        codes, curvature = self.codes[:, rows], self.curvature[rows]
        for a, (size, first) in enumerate(zip(self.n_leaves, self.first, strict=True)):
            wide = codes[a] * self.n_leaves.max()
            for b in range(a, len(codes)):
                other, start = self.n_leaves[b], self.first[b]
                counts = np.bincount(wide + codes[b], curvature, size * self.n_leaves.max())
                counts = counts.reshape(size, -1)[:, :other]
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
    first_split = int(forest.tree_splits[:tree].sum())
    splits = slice(first_split + 1, first_split + n_splits)  # all but the root
    first, size = forest.spans.first_leaf[splits], forest.spans.n_splits[splits] + 1
    leaf = np.arange(n_splits + 1)[:, None]
    under = ((leaf >= first) & (leaf < first + size)).astype(np.float64)
    shared = under @ under.T + np.eye(n_splits + 1)
    return np.linalg.inv(shared) * np.trace(shared) / (n_splits + 1)
