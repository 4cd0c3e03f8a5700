r"""Landmarks of an RBF kernel: selected among means of rows, moved with the scales of inputs, compared by validation.

Landmarks are selected by orthogonal least squares. Positions and the scale of each input are then moved together by
L-BFGS on some of the rows, with the coefficients eliminated: they are those of the ridge regression for the positions
at hand, so that the gradient is that of the loss with fixed coefficients (variable projection). Scales are first
learned with few landmarks, so that the others are selected in a metric that fits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, minimize

from .._losses import Loss, SquaredError
from ..compiled import Design
from ..compiled._design import dense_chunks
from ..compiled._kernel import rbf_exponent, rbf_kernel
from ._regression import Features, choose_features, ridge_solution, solve

MAX_LINEAR_INPUTS = 1000
"""Bounds the inputs with which there is a linear part."""

RIDGES = (1e-7, 1e-6, 1e-5, 1e-4)
"""Ridges to choose from, beside a mean loss of standardised targets; without validation rows it is the last but one."""

GAMMAS = (0.1, 0.3, 1.0, 3.0, 10.0)
"""Values of gamma to choose from where landmarks are not moved, divided by the number of active inputs of a row."""

VALIDATION_SHARE = 0.2
"""Share of the rows that are held out for validation."""

MIN_ROWS_TO_VALIDATE = 50
"""Minimum number of rows for holding some of them out; with fewer rows, landmarks are not moved."""

N_INITIAL, INITIAL_ROWS, INITIAL_STEPS = 30, 3000, 10
"""Number of landmarks, rows and L-BFGS steps with which the scales of inputs are learned first."""

MOVING_STEPS = 20
"""Number of L-BFGS steps by which all landmarks are moved."""

INHERITED_STEPS = 60
"""Number of L-BFGS steps by which landmarks near those of another kernel machine are moved."""

MOVED_CELLS, MIN_MOVED_ROWS, MAX_MOVED_ROWS = 4_000_000, 5000, 20_000
"""Number of rows times landmarks by which landmarks are moved, and bounds of these rows."""

MAX_SELECTION_ROWS = 5000
"""Bounds the rows on which landmarks are selected."""

MAX_CELLS = 20_000_000
"""Bounds the inputs that are processed at a time; for wide tables it bounds the rows."""

MIN_CANDIDATES = 500
"""Minimum number of rows near which there is a candidate for landmarks."""

MIN_ROWS_OF_LANDMARK = 5
"""Minimum number of rows whose mean a candidate is, so that no landmark is a row of somebody's data."""

BLOCK_CELLS = 1_000_000
"""Number of kernel values that are computed at a time."""

MOVING_RIDGE = 1e-5
MAX_MOVE, MAX_LOG_SCALE_CHANGE = 8.0, 5.0
"""Bound how far L-BFGS moves positions and the logarithms of scales."""

MAX_ROUNDING = 0.005
"""Bounds how far rounding moves a landmark, in units of the kernel width."""

PROBABILITY_MARGIN = 0.01
"""Bounds the distance to 0 and 1 of probabilities whose logits least squares fits."""


def as_values(loss: Loss, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of clipped targets, which least squares fits, and the curvature of the loss there."""
    outputs = loss.clipped(targets, PROBABILITY_MARGIN)
    return loss.centred(loss.scores(outputs)), loss.curvature(outputs)


def some_of(rows: np.ndarray, n_rows: int, rng: np.random.RandomState) -> np.ndarray:
    """Return a random subset of the rows in ascending order."""
    return rows if len(rows) <= n_rows else np.sort(rng.choice(rows, n_rows, replace=False))


def narrowed(array: np.ndarray, most: Any, *, in_sums: bool = False) -> np.ndarray:
    """Return an array at the lowest precision that changes no number by more than ``most``, or no sum of a column."""
    for dtype in (np.float16, np.float32):
        with np.errstate(over="ignore"):
            narrow = array.astype(dtype)
        change = np.abs(narrow.astype(np.float64) - array)
        if np.all(np.isfinite(narrow)) and np.all((change.sum(axis=0) if in_sums else change) <= most):
            return narrow
    return array


@dataclass(frozen=True)
class Kernel:
    """An RBF kernel with landmarks and a scale for each input."""

    positions: np.ndarray
    scales: np.ndarray

    def rounded(self) -> "Kernel":
        """Return the kernel at the precision in which it is stored."""
        scales = self.scales.astype(np.float32)
        most = MAX_ROUNDING / np.maximum(scales.astype(np.float64), 1e-30)
        return Kernel(narrowed(self.positions, most), scales)

    def of(self, inputs: np.ndarray) -> np.ndarray:
        """Return the kernel values of rows of inputs and the landmarks."""
        return rbf_kernel(inputs, self.positions.astype(np.float64), self.scales.astype(np.float64))


class LandmarkSearch:
    """Search for the landmarks with which kernel regression fits values best.

    Parameters
    ----------
    design : Design
    cells : ndarray or sparse matrix of shape (n_rows, n_features)
    values : ndarray of shape (n_rows, n_outputs)
    weight : ndarray of shape (n_rows,)
    has_linear : bool
        Whether there is a linear part, if inputs are not too many.
    """

    def __init__(self, design: Design, cells: Any, values: np.ndarray, weight: np.ndarray, *, has_linear: bool) -> None:
        self.design, self.cells = design, cells
        self.weight = weight / weight.sum()
        self.center = self.weight @ values
        deviation = np.sqrt(self.weight @ (values - self.center) ** 2).max()
        self.unit = deviation if deviation > 0 else 1.0
        self.values = (values - self.center) / self.unit
        self.n_linear = design.width if has_linear and design.width <= MAX_LINEAR_INPUTS else 0

    def search(
        self, n_landmarks: int, gamma: float | None, given: np.ndarray, *, refine: bool, rng: np.random.RandomState
    ) -> tuple[Kernel, float]:
        """Return the kernel and the ridge that have the smallest validation loss.

        Parameters
        ----------
        n_landmarks : int
        gamma : float or None
            Square of the first scale of all inputs; ``None`` chooses it.
        given : ndarray of shape (n_given, n_inputs)
            Candidates for landmarks beside the rows.
        refine : bool
            Whether a kernel with moved landmarks and scales is a candidate.
        rng : RandomState
        """
        is_validation = self._validation_rows(rng)
        can_validate, training = bool(is_validation.any()), np.flatnonzero(~is_validation)
        gammas = self._gammas(gamma, refine=refine, can_validate=can_validate)
        kernels = []
        for each in gammas:
            start = Kernel(np.zeros((0, self.design.width)), np.full(self.design.width, np.sqrt(each)))
            kernels.append(self.select(start, n_landmarks, training, given, rng))
        if refine and can_validate and len(training) > n_landmarks:
            kernels.append(self._refined(start, n_landmarks, training, given, rng))
        kernels = [kernel.rounded() for kernel in kernels]
        if not can_validate:
            return kernels[0], RIDGES[-2]
        return min((self.validate(kernel, is_validation) for kernel in kernels), key=lambda trial: trial[0])[1:]

    def search_from(
        self,
        scales: np.ndarray,
        n_landmarks: int,
        near: np.ndarray,
        *,
        is_rows: bool,
        rng: np.random.RandomState,
        n_steps: int | None = None,
    ) -> tuple[Kernel, float]:
        """Return the kernel and the ridge that start from those of a kernel machine.

        Parameters
        ----------
        scales : ndarray of shape (n_inputs,)
            The scales of its kernel.
        n_landmarks : int
        near : ndarray of shape (n_near, n_inputs)
            Its landmarks.
        is_rows : bool
            Whether these are rows of a table: the means of rows close to them are then candidates instead.
        rng : RandomState
        n_steps : int or None, default=None
            Number of steps by which landmarks are moved, on the minimum number of rows; ``None`` for
            ``INHERITED_STEPS`` on more rows.
        """
        is_validation = self._validation_rows(rng)
        training = np.flatnonzero(~is_validation)
        if is_rows:
            near = near[some_of(np.arange(len(near)), max(3 * n_landmarks, MIN_CANDIDATES), rng)]
            near = means_of_rows(near, self.inputs(some_of(training, MAX_SELECTION_ROWS, rng)), scales)
        start = Kernel(np.zeros((0, self.design.width)), scales)
        kernels = [self.select(start, n_landmarks, training, near, rng)]
        if not is_validation.any():
            return kernels[0].rounded(), RIDGES[-2]
        if len(training) > n_landmarks:
            rows = self._rows_to_move(n_landmarks, training, rng)
            steps = INHERITED_STEPS if n_steps is None else n_steps
            if n_steps is not None:
                rows = some_of(rows, MIN_MOVED_ROWS, rng)
            kernels.append(self.move(kernels[0], rows, steps))
        trials = (self.validate(kernel.rounded(), is_validation) for kernel in kernels)
        return min(trials, key=lambda trial: trial[0])[1:]

    def _rows_to_move(self, n_landmarks: int, training: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
        """Return the rows by which landmarks are moved."""
        return some_of(training, int(np.clip(MOVED_CELLS // n_landmarks, MIN_MOVED_ROWS, MAX_MOVED_ROWS)), rng)

    def _validation_rows(self, rng: np.random.RandomState) -> np.ndarray:
        """Return which rows are held out; none of few rows."""
        n_rows = len(self.weight)
        is_validation = rng.uniform(size=n_rows) < VALIDATION_SHARE
        return is_validation if n_rows >= MIN_ROWS_TO_VALIDATE else np.zeros(n_rows, dtype=bool)

    def _gammas(self, gamma: float | None, *, refine: bool, can_validate: bool) -> list[float]:
        """Return the values of gamma to select landmarks with: several only if validation can compare them."""
        if gamma is not None:
            return [gamma]
        spread = max(self.design.n_active, 1)
        if refine and can_validate:
            return [1.0 / spread]
        gammas = [each / spread for each in GAMMAS]
        return gammas if can_validate else [gammas[len(gammas) // 2]]

    def _refined(
        self, start: Kernel, n_landmarks: int, training: np.ndarray, given: np.ndarray, rng: np.random.RandomState
    ) -> Kernel:
        """Return landmarks selected in a metric that few landmarks learn first, and then moved."""
        few = self.select(start, min(N_INITIAL, n_landmarks), training, given, rng)
        few = self.move(few, some_of(training, INITIAL_ROWS, rng), INITIAL_STEPS)
        selected = self.select(few, n_landmarks, training, given, rng)
        return self.move(selected, self._rows_to_move(n_landmarks, training, rng), MOVING_STEPS)

    def inputs(self, rows: np.ndarray) -> np.ndarray:
        """Return the inputs of some rows."""
        some = self.cells[rows]
        return self.design.inputs(some.toarray() if hasattr(some, "toarray") else some)

    def with_linear(self, inputs: np.ndarray, kernel: Kernel) -> np.ndarray:
        """Return the features of rows of inputs: the inputs, if there is a linear part, and the kernel values."""
        return np.hstack([inputs[:, : self.n_linear], kernel.of(inputs)])

    def features(self, kernel: Kernel, weight: np.ndarray) -> Features:
        """Return the features of all rows."""

        def blocks() -> Iterator[np.ndarray]:
            for _, cells in dense_chunks(self.cells, max(BLOCK_CELLS // (len(kernel.positions) + 1), 1)):
                yield self.with_linear(self.design.inputs(cells), kernel)

        return Features(blocks, weight, (self.n_linear + len(kernel.positions)) * len(weight))

    def coefficients(self, kernel: Kernel, ridge: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the coefficients of the regression on the values, and its intercept."""
        coef, constant = solve(self.features(kernel, self.weight), self.values, SquaredError(), ridge=ridge)
        return coef * self.unit, constant * self.unit + self.center

    def validate(self, kernel: Kernel, is_validation: np.ndarray) -> tuple[float, Kernel, float]:
        """Return the smallest validation loss, the kernel, and the ridge that has it."""
        weight = np.where(is_validation, 0.0, self.weight)
        features = self.features(kernel, weight / weight.sum())
        gram, moments = features.gram(np.ones(len(weight))), features.moments(self.values)
        mean = features.weight @ self.values
        losses = []
        for ridge in RIDGES:
            excess = features.times(ridge_solution(gram, moments, ridge)) + mean - self.values
            losses.append(float(np.sum(self.weight[is_validation] @ excess[is_validation] ** 2)))
        best = int(np.argmin(losses))
        return losses[best], kernel, RIDGES[best]

    def select(
        self, kernel: Kernel, n_landmarks: int, training: np.ndarray, given: np.ndarray, rng: np.random.RandomState
    ) -> Kernel:
        """Return landmarks among given inputs and means of rows, selected by orthogonal least squares.

        The linear part is fitted beside them.
        """
        width = max(self.design.width, 1)
        some = some_of(training, min(MAX_SELECTION_ROWS, MAX_CELLS // width), rng)
        n_candidates = min(max(3 * n_landmarks, MIN_CANDIDATES), MAX_CELLS // width)
        selection = self.inputs(some)
        candidates = means_of_rows(self.inputs(some_of(training, n_candidates, rng)), selection, kernel.scales)
        if len(given) > n_candidates:
            given = given[some_of(np.arange(len(given)), n_candidates, rng)]
        candidates = np.unique(np.vstack([given, candidates]), axis=0)
        wide = Kernel(candidates, kernel.scales)
        weight = self.weight[some] / self.weight[some].sum()
        block = self.with_linear(selection, wide)
        features = Features(lambda: iter([block]), weight, block.size)
        gram, moments, linear = features.gram(np.ones(len(some))), features.moments(self.values[some]), self.n_linear
        if linear:
            across = ridge_solution(gram[:linear, :linear], gram[:linear], RIDGES[0])
            moments = moments[linear:] - across[:, linear:].T @ moments[:linear]
            gram = gram[linear:, linear:] - gram[linear:, :linear] @ across[:, linear:]
        gram.flat[:: len(gram) + 1] += RIDGES[1]
        return Kernel(candidates[choose_features(gram, moments, n_landmarks)], kernel.scales)

    def move(self, kernel: Kernel, some: np.ndarray, steps: int) -> Kernel:
        """Return the kernel with positions and scales moved by L-BFGS."""
        some = some[: MAX_CELLS // max(self.design.width, 1)]
        weight = self.weight[some] / self.weight[some].sum()
        objective = VariableProjection(
            self.inputs(some), self.values[some], weight, self.n_linear, kernel.positions.shape
        )
        start = np.concatenate([kernel.positions.ravel(), np.log(kernel.scales)])
        reach = np.concatenate(
            [np.full(kernel.positions.size, MAX_MOVE), np.full(len(kernel.scales), MAX_LOG_SCALE_CHANGE)]
        )
        answer = minimize(
            objective,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(start - reach, start + reach),
            options={"maxiter": steps, "maxcor": 20},
        )
        positions, scales = objective.unpacked(answer.x)
        return Kernel(positions, scales)


def means_of_rows(near: np.ndarray, rows: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return the mean of the rows closest to each of some points, which contains no row of its own.

    Parameters
    ----------
    near : ndarray of shape (n_points, n_inputs)
    rows : ndarray of shape (n_rows, n_inputs)
        Each mean is that of the ``MIN_ROWS_OF_LANDMARK`` closest distinct rows, of all if there are fewer. A row that
        occurs at least as often is kept as it is.
    scales : ndarray of shape (n_inputs,)
        Factors of the inputs in distances.

    Returns
    -------
    means : ndarray of shape (n_points, n_inputs)
    """
    distinct, n_times = np.unique(rows, axis=0, return_counts=True)
    k, means = min(MIN_ROWS_OF_LANDMARK, len(distinct)), np.empty_like(near)
    step = max(BLOCK_CELLS // len(distinct), 1)
    for start in range(0, len(near), step):
        points = near[start : start + step]
        similarity = rbf_exponent(points, distinct, scales)
        closest = np.argpartition(similarity, -k, axis=1)[:, -k:]
        of_points = np.zeros_like(points)
        for place in np.sort(closest, axis=1).T:  # in the same order, so that equal sets have equal means
            of_points += distinct[place] / k
        first = similarity.argmax(axis=1)
        is_common = (n_times[first] >= MIN_ROWS_OF_LANDMARK) & (distinct[first] == points).all(axis=1)
        means[start : start + step] = np.where(is_common[:, None], points, of_points)
    return means


class VariableProjection:
    """Squared error as a function of positions and logarithms of scales, with optimal coefficients."""

    def __init__(
        self, inputs: np.ndarray, values: np.ndarray, weight: np.ndarray, n_linear: int, shape: tuple[int, int]
    ) -> None:
        self.inputs, self.values, self.weight, self.n_linear, self.shape = inputs, values, weight, n_linear, shape
        self.squares = inputs**2

    def unpacked(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return positions and scales."""
        n_inputs = self.shape[1]
        return point[:-n_inputs].reshape(self.shape), np.exp(point[-n_inputs:])

    def __call__(self, point: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the value and its gradient, for which the optimal coefficients count as constants."""
        positions, scales = self.unpacked(point)
        kernel = rbf_kernel(self.inputs, positions, scales)
        features = np.hstack([self.inputs[:, : self.n_linear], kernel])
        root = np.sqrt(self.weight)[:, None]
        mean = self.weight @ features
        features -= mean
        target = self.values - self.weight @ self.values
        rooted = features * root
        coef = ridge_solution(rooted.T @ rooted, rooted.T @ (target * root), MOVING_RIDGE)
        excess = features @ coef - target
        value = (float(self.weight @ (excess**2).sum(axis=1)) + MOVING_RIDGE * float(np.sum(coef**2))) / 2
        by_kernel = (excess * self.weight[:, None]) @ coef[self.n_linear :].T
        by_kernel *= kernel
        of_rows, of_landmarks = by_kernel.sum(axis=1), by_kernel.sum(axis=0)
        towards = by_kernel.T @ self.inputs
        by_position = 2 * scales**2 * (towards - of_landmarks[:, None] * positions)
        away = of_rows @ self.squares - 2 * np.sum(towards * positions, axis=0) + of_landmarks @ positions**2
        return value, np.concatenate([by_position.ravel(), -2 * scales**2 * away])
