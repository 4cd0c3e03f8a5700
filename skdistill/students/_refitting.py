"""Students whose values are fitted again to more rows than fit in memory: coefficients and values of leaves, from sums.

What a student tests and multiplies stays as it is, and so does its size: the design and the products of a linear
student, the splits of trees. Networks, kernels and hybrids are not refitted, since sums do not suffice.
"""

import copy
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from .._losses import Loss, SoftmaxCrossEntropy
from .._threads import one_blas_thread
from ..compiled import Forest, Network
from ..solvers import (
    MAX_GRAM_FEATURES,
    MAX_ORDERED_LEAVES,
    MAX_SUMMED_LEAVES,
    MAX_SUMMED_TREES,
    LeafOrder,
    LeafSums,
    LinearInputs,
    LinearSums,
    add_up,
    count_leaves,
    count_trees,
)
from ._boosting import _CompactBoosting
from ._linear import _CompactLinear
from ._reading import sums_of_rows
from ._student import CompactStudent
from ._tree import _CompactTree

BLOCK_ENTRIES = 4_000_000
"""Maximum number of leaves that are found at a time: rows times trees."""

MAX_SUMS_BYTES = 2**28
"""Maximum size of the sums of a student in bytes."""

LARGEST_RIDGE = 500.0
"""Ridge of leaves for which the fit has kept the values of boosting; otherwise, it is that of the fit."""


class Sums(Protocol):
    """Sums over rows from which a student is fitted again.

    Attributes
    ----------
    is_step : bool
        Whether the refitted student is the end of a Newton step, which may be too long, and not the minimum.
    """

    @property
    def is_step(self) -> bool: ...

    def add(self, X: Any, targets: np.ndarray, weight: np.ndarray) -> None:
        """Add rows with the targets that ``fit_soft`` takes; all weights are positive."""
        ...

    def student(self) -> Any:
        """Return the refitted student; the one that was given is not changed."""
        ...


def sums_for(student: Any, targets: np.ndarray) -> Sums | None:
    """Return empty sums for a fitted student; ``None`` if it cannot be refitted from sums.

    Parameters
    ----------
    student : estimator
    targets : ndarray of shape (n_rows,) or (n_rows, n_outputs)
        Targets of the rows of the fit, which a link reads its constants from.
    """
    for family, can_refit, sums in _KINDS:
        if isinstance(student, family) and can_refit(student):
            return sums(student, targets)
    return None


def shortened(before: Any, after: Any, length: float) -> Any:
    """Return the student that a share of a Newton step leads to: one for the end of it, ``after``.

    Parameters
    ----------
    before, after : estimator
        A linear student or boosting before and after the step.
    length : float > 0
        Beyond 1, the student lies beyond the end of the step.
    """
    if length == 1:
        return after
    start, end = before.scorer_, after.scorer_
    student = copy.copy(after)
    if isinstance(start, Forest):
        values = start.leaf_values + length * (end.leaf_values - start.leaf_values)
        student.scorer_ = start.with_values(values).stored_as(start.value.dtype)
        return student
    first, last = (each.weights[-1].astype(np.float64) for each in (start, end))
    weights = (first + length * (last - first)).astype(start.weights[-1].dtype)
    student.scorer_ = replace(start, weights=[weights], base=start.base + length * (end.base - start.base))
    return student


class _StudentSums:
    """What the sums of all students share: cells and targets as the student sees them."""

    def __init__(self, given: Any, targets: np.ndarray) -> None:
        self.given = given
        self.loss: Loss = given._loss
        self._weights_of, self._floor = None, None
        if not hasattr(given, "classes_") and given._link.name != "identity":
            values = given._link.clipped(given._link.in_order(targets.reshape(len(targets), -1)))
            self._weights_of = given._link.weighing(values)
            self._floor = given._link.floor(values) if given._link.name == "log" else None

    @property
    def is_step(self) -> bool:
        """Whether one Newton step is taken, of a loss that is not quadratic."""
        return not self.loss.is_quadratic

    @one_blas_thread()  # sums of several threads differ in their last digits
    def add(self, X: Any, targets: np.ndarray, weight: np.ndarray) -> None:
        """Add rows."""
        if X.shape[0]:
            targets, weight = self._as_scores(np.asarray(targets, dtype=np.float64), weight)
            self._add(self.given._encode_new(X), targets, weight)

    def _add(self, cells: Any, targets: np.ndarray, weight: np.ndarray) -> None:
        raise NotImplementedError

    def _as_scores(self, targets: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what the loss compares the scores with, of shape (n_rows, n_scores), and weights."""
        if hasattr(self.given, "classes_"):
            if isinstance(self.loss, SoftmaxCrossEntropy):
                targets = targets / targets.sum(axis=1, keepdims=True)
            return (targets[:, 1:] if targets.shape[1] == 2 else targets), weight
        link, values = self.given._link, targets.reshape(len(targets), -1)
        values = link.in_order(values)
        if self._weights_of is not None:
            weight = weight * self._weights_of(values)
        return link.scores(values, self._floor) if link.name != "identity" else values, weight

    def _with_scorer(self, scorer: Any) -> Any:
        student = copy.copy(self.given)
        student.scorer_ = scorer
        return student


def _units(scorer: Network | Forest, loss: Loss) -> np.ndarray:
    """Return what values are divided by for the fit: the unit of the scorer; 1 for constants and probabilities."""
    unit = np.broadcast_to(scorer.unit, scorer.base.shape)
    return np.where(unit > 0, unit, 1.0) if loss.is_quadratic else np.ones(len(scorer.base))


# ---------------------------------------------------------------------- linear students


class LinearStudentSums(_StudentSums):
    """Sums for a linear student, with its inputs, products and penalty."""

    def __init__(self, given: Any, targets: np.ndarray) -> None:
        super().__init__(given, targets)
        network: Network = given.scorer_
        self._network, self._unit = network, _units(network, self.loss)
        self._coef = network.weights[-1].astype(np.float64)
        self._constant = network.base / self._unit
        self._sums = LinearSums(self._coef.shape[0], self._coef.shape[1], self.loss)

    def _add(self, cells: Any, targets: np.ndarray, weight: np.ndarray) -> None:
        start = 0
        for block in LinearInputs(self._network.design, cells, weight).blocks(self._network.pairs):
            rows = slice(start, start + block.shape[0])
            scores = self._constant + np.asarray(block @ self._coef)
            self._sums.add(block, weight[rows], scores, targets[rows] / self._unit)
            start = rows.stop

    def student(self) -> Any:
        """Return the student with other coefficients."""
        given, network = self.given, self._network
        directions = given._directions(len(network.base))
        n_pairs = 0 if network.pairs is None else len(network.pairs)
        coef, constant = self._sums.solved(
            self._coef,
            self._constant,
            ridge=given.alpha if given.penalty == "l2" else 0.0,
            lasso=given.alpha if given.penalty == "l1" else 0.0,
            signs=given._signs(network.design, directions, n_pairs),
        )
        base = np.where(network.unit == 0, network.base, constant * self._unit)
        return self._with_scorer(replace(network, weights=[coef.astype(network.weights[-1].dtype)], base=base))


def _can_refit_linear(student: Any) -> bool:
    """Whether the Gram matrix is small, and the loss has a minimum or a step within the penalty and the signs."""
    n_features, n_scores = student.scorer_.weights[-1].shape
    if student._loss.is_quadratic:
        return bool(n_features <= MAX_GRAM_FEATURES)
    is_smooth = student.penalty == "l2" and student._directions(n_scores) is None
    return bool(is_smooth and (n_features + 1) * n_scores <= MAX_GRAM_FEATURES)


# ---------------------------------------------------------------------- one tree


class TreeStudentSums(_StudentSums):
    """Sums for a single tree: rows, weight, targets and squares of each leaf."""

    is_step = False  # the means of the targets are the minimum of each loss

    def __init__(self, given: Any, targets: np.ndarray) -> None:
        super().__init__(given, targets)
        self._forest: Forest = given.scorer_
        self._unit = _units(self._forest, self.loss)
        self._base = self._forest.base if self.loss.is_quadratic else np.zeros(len(self._forest.base))
        self._sums = np.zeros((self._forest.n_leaves, 2 + 2 * len(self._base)))

    def _add(self, cells: Any, targets: np.ndarray, weight: np.ndarray) -> None:
        leaf = self._forest.leaves(cells)[:, 0]
        self._sums += add_up(leaf, self._forest.n_leaves, sums_of_rows((targets - self._base) / self._unit, weight))

    def student(self) -> Any:
        """Return the student with other means in the leaves; leaves without rows keep theirs."""
        student, forest = copy.copy(self.given), self._forest
        sums = np.where(self._sums[:, 1:2] > 0, self._sums, self.given._nodes.sums_of_leaves(forest.n_leaves))
        directions = student._directions(len(forest.base))
        student.scorer_ = replace(forest, value=student._value_leaves(forest, sums, directions))
        return student


def _can_refit_tree(student: Any) -> bool:  # noqa: ARG001
    return True


# ---------------------------------------------------------------------- boosted trees


class BoostingStudentSums(_StudentSums):
    """Sums for boosted trees: all leaf values of an output together."""

    def __init__(self, given: Any, targets: np.ndarray) -> None:
        super().__init__(given, targets)
        self._forest: Forest = given.scorer_
        self._unit = _units(self._forest, self.loss)
        self._sums = [LeafSums(self._forest, output) for output in range(len(self._unit))]

    def _add(self, cells: Any, targets: np.ndarray, weight: np.ndarray) -> None:
        step = max(BLOCK_ENTRIES // max(self._forest.n_trees, 1), 1)
        for start in range(0, cells.shape[0], step):
            rows = slice(start, start + step)
            leaves = self._forest.leaves(cells[rows])
            for sums, target, unit in zip(self._sums, targets[rows].T, self._unit, strict=True):
                sums.add(leaves, weight[rows], target, self.loss, unit)

    def student(self) -> Any:
        """Return the student with other leaf values, in the precision that they had."""
        values = self._forest.leaf_values[:, 0].copy()
        directions = self.given._directions(len(self._unit))
        is_constant = np.broadcast_to(self._forest.unit, self._unit.shape) == 0
        for sums, ridge in zip(self._sums, self.given.ridge_, strict=True):
            if is_constant[sums.output]:
                continue
            change = sums.change(ridge if 0 < ridge <= LARGEST_RIDGE else LARGEST_RIDGE)
            values[sums.span] += self._unit[sums.output] * change
            if directions is not None:
                self._put_in_order(values, sums, directions[sums.output])
        return self._with_scorer(self._forest.with_values(values[:, None]).stored_as(self._forest.value.dtype))

    def _put_in_order(self, values: np.ndarray, sums: LeafSums, directions: np.ndarray) -> None:
        """Replace the values of each tree by the nearest ones that are monotone."""
        bounds = self._forest.tree_leaf
        for tree in sums.trees.tolist():
            own = slice(bounds[tree], bounds[tree + 1])
            within = slice(own.start - sums.span.start, own.stop - sums.span.start)
            order = LeafOrder.of(self._forest, tree, directions)
            values[own] = order.nearest(values[own], sums.leaf_curvature[within])


def _can_refit_boosting(student: Any) -> bool:
    """Whether leaf values are fitted together at all, and few enough for their sums."""
    forest: Forest = student.scorer_
    n_leaves, n_trees = count_leaves(forest), count_trees(forest)
    is_small = n_leaves.max() <= MAX_SUMMED_LEAVES and n_trees.max() <= MAX_SUMMED_TREES
    is_small = is_small and 8 * np.sum(n_leaves**2) <= MAX_SUMS_BYTES
    is_ordered = student.monotonic_cst is None or forest.tree_splits.max(initial=0) < MAX_ORDERED_LEAVES
    return bool(student.resolve_leaves and is_small and is_ordered and n_leaves.any())


_KINDS: list[tuple[type[CompactStudent], Any, Any]] = [
    (_CompactLinear, _can_refit_linear, LinearStudentSums),
    (_CompactTree, _can_refit_tree, TreeStudentSums),
    (_CompactBoosting, _can_refit_boosting, BoostingStudentSums),
]
