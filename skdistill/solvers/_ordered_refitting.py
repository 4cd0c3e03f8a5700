r"""Leaf refitting under monotone constraints: joint Newton steps, then isotonic regressions tree by tree.

The values of all trees together minimise the penalised loss of :mod:`._leaf_refitting` within the cone of values that
are in order in each tree. The unconstrained minimum is projected onto the cone, and the step towards it is shortened
until it lowers the loss. Then the trees take turns: given all others, the leaves of one tree are disjoint, so that the
quadratic model of the loss is diagonal and its constrained minimum is an isotonic regression. Every step lowers the
loss and stays within the cone.
"""

from functools import partial
from typing import Any

import numpy as np

from .._losses import Loss
from ..compiled import Forest
from ._leaf_order import MAX_ORDERED_LEAVES, LeafOrder, in_order, leaf_orders
from ._leaf_refitting import MIN_GAIN_SHARE, _System, refit_leaves

MAX_SWEEPS = 8
"""Bounds how often all trees take turns."""

STEP_LENGTHS = (1.0, 0.5, 0.25)
"""Shares of the step to the projected minimum that are tried, the longest first."""


def refit_leaves_in_order(
    forest: Forest,
    leaves: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    loss: Loss,
    is_validation: np.ndarray,
    directions: np.ndarray,
) -> tuple[np.ndarray, float]:
    """Return refitted leaf values, of shape (n_leaves,), that are in order, and the ridge that was chosen.

    Parameters
    ----------
    forest : Forest
        Of one output.
    leaves : ndarray of int, shape (n_rows, n_trees)
    target, weight : ndarray of shape (n_rows,)
    loss : Loss
    is_validation : ndarray of bool, shape (n_rows,)
        Rows that the ridge is chosen on.
    directions : ndarray of int, shape (n_features,)
        -1, 0 or 1 for each column.
    """
    if forest.tree_splits.max(initial=0) >= MAX_ORDERED_LEAVES:
        return forest.value[:, 0].astype(np.float64), np.inf
    system = partial(OrderedSystem, leaf_orders(forest, directions))
    start = in_order(forest, directions)
    values, _, ridge = refit_leaves(start, leaves, target, weight, loss, is_validation, system=system)
    return values, ridge


class OrderedSystem(_System):
    """The regression for a block of trees whose values stay in order."""

    def __init__(self, orders: list[LeafOrder], forest: Forest, leaves: np.ndarray, block: slice, *others: Any) -> None:
        super().__init__(forest, leaves, block, *others)
        self.orders = orders[block]
        sizes = [np.abs(penalty).sum(axis=1) for penalty in self.penalties]
        self.penalty_bound = self.n_trees * np.concatenate(sizes)  # of the curvature of the penalty, leaf by leaf

    def solve(self, ridge: float) -> tuple[np.ndarray, np.ndarray]:
        """Return all leaf values, those of the block refitted, and no weights of hidden numbers."""
        values, rows = self.values.copy(), np.ones(len(self.target), dtype=bool)
        values[self.span] = self._swept(self._minimise(ridge, rows), ridge * self.unit)
        return values, np.zeros(0)

    def _minimise(self, ridge: float, rows: np.ndarray) -> np.ndarray:
        """Return values in order: the largest step towards the projected minimum that lowers the loss."""
        weight, size = self.weight * rows, ridge * self.unit
        curvature = self._curvature_of(self.curvature * rows, size)
        best = self._in_order(super()._minimise(ridge, rows), curvature)
        least = self._loss_of(self.before, weight, size)
        for length in STEP_LENGTHS:
            values = self.before + length * (best - self.before)
            if self._loss_of(values, weight, size) < least:
                return self._in_order(values, curvature)  # sums round
        return self.before

    def _swept(self, values: np.ndarray, size: float) -> np.ndarray:
        """Return values after the trees have taken turns until the loss hardly falls; ``size`` is that of the ridge."""
        curvature = self._curvature_of(self.curvature, size)
        losses = [self._loss_of(values, self.weight, size)]
        start = self._loss_of(self.before, self.weight, size)
        for _ in range(MAX_SWEEPS):
            new = self._sweep(values, curvature, size)
            losses.append(self._loss_of(new, self.weight, size))
            if not losses[-1] < losses[-2]:
                break
            values = new
            if losses[-2] - losses[-1] < MIN_GAIN_SHARE * (start - losses[-1]):
                break
        return values

    def _sweep(self, values: np.ndarray, curvature: np.ndarray, size: float) -> np.ndarray:
        """Return values after one step of each tree, given those of all others; the curvature of the rows is fixed."""
        values, score = values.copy(), (self.others + self._scores(values))[:, None]
        by_score = self.weight * self.loss.gradient(score, self.target)[:, 0]
        parts = zip(self.codes, self.first, self.n_leaves, self.penalties, self.orders, strict=True)
        for codes, first, n_leaves, penalty, order in parts:
            own = slice(first, first + n_leaves)
            gradient = np.bincount(codes, by_score, n_leaves)
            gradient += size * self.n_trees * (penalty @ (values[own] - self.before[own]))
            new = order.nearest(values[own] - gradient / curvature[own], curvature[own])
            change, values[own] = new - values[own], new
            by_score += self.curvature * change.take(codes)
        return values

    def _loss_of(self, values: np.ndarray, weight: np.ndarray, size: float) -> float:
        change = values - self.before
        score = (self.others + self._scores(values))[:, None]
        penalty = size * (change @ self._penalise(change)) / 2
        return float(weight @ self.loss.value(score, self.target) + penalty)

    def _curvature_of(self, of_rows: np.ndarray, size: float) -> np.ndarray:
        """Return an upper bound of the curvature of the loss by each leaf, above zero."""
        leaves = [np.bincount(codes, of_rows, n) for codes, n in zip(self.codes, self.n_leaves, strict=True)]
        return np.maximum(np.concatenate(leaves) + size * self.penalty_bound, 1e-12 * self.curvature.sum())

    def _in_order(self, values: np.ndarray, weight: np.ndarray) -> np.ndarray:
        spans = [slice(first, first + size) for first, size in zip(self.first, self.n_leaves, strict=True)]
        nearest = [order.nearest(values[own], weight[own]) for order, own in zip(self.orders, spans, strict=True)]
        return np.concatenate(nearest)
