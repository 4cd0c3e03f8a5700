"""Landmarks of a kernel: chosen among rows, moved with the scales of inputs, and judged on rows held out."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, minimize

from ..compiled import Design
from ..compiled._design import dense_chunks
from ..compiled._kernel import rbf_kernel
from ._solving import Features, choose_features, ridge_solution, solve

WIDEST_LINEAR = 1000
"""Inputs up to which there is a linear part."""

RIDGES = (1e-7, 1e-6, 1e-5, 1e-4)
"""Beside a mean loss of standardised targets; the last but one is taken where nothing can be held out."""

CHOICE_ROWS = 5000
"""Rows that landmarks are chosen on."""

MOST_CELLS = 20_000_000
"""Inputs in work at a time: of wide tables fewer rows are looked at."""

FEWEST_CANDIDATES = 500
BLOCK_CELLS = 1_000_000

MOVING_RIDGE = 1e-5
FURTHEST_MOVE = 8.0
LARGEST_MOVE = 0.005
"""Of a landmark by rounding, in units of the kernel."""

SMALLEST_PROBA = 0.01
"""Probability whose logit is the furthest that least squares is asked to fit."""


def as_values(link: str, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return values that least squares fits in place of targets, and the weight of each row at that.

    For probabilities: their logits, held back where they are nearly certain, and the curvature of the loss there.
    """
    if link == "identity":
        return targets, np.ones(len(targets))
    proba = np.clip(targets, SMALLEST_PROBA, 1 - SMALLEST_PROBA)
    curvature = (proba * (1 - proba)).mean(axis=1)
    if link == "binary":
        return np.log(proba / (1 - proba)), curvature
    return np.log(proba) - np.log(proba).mean(axis=1, keepdims=True), curvature


def some_of(rows: np.ndarray, n_rows: int, rng: np.random.RandomState) -> np.ndarray:
    """Return some of the rows in their order."""
    return rows if len(rows) <= n_rows else np.sort(rng.choice(rows, n_rows, replace=False))


def narrowed(array: np.ndarray, most: Any) -> np.ndarray:
    """Return an array at the least precision that moves no number by more than ``most``."""
    for dtype in (np.float16, np.float32):
        with np.errstate(over="ignore"):
            narrow = array.astype(dtype)
        if np.all(np.isfinite(narrow)) and np.all(np.abs(narrow.astype(np.float64) - array) <= most):
            return narrow
    return array


@dataclass(frozen=True)
class Kernel:
    """Landmarks and the scales of inputs."""

    positions: np.ndarray
    scales: np.ndarray

    def rounded(self) -> "Kernel":
        """Return the same as it will be stored: coefficients are solved for afterwards."""
        scales = self.scales.astype(np.float32)
        most = LARGEST_MOVE / np.maximum(scales.astype(np.float64), 1e-30)
        return Kernel(narrowed(self.positions, most), scales)

    def of(self, inputs: np.ndarray) -> np.ndarray:
        """Return the kernel of rows of inputs with the landmarks."""
        return rbf_kernel(inputs, self.positions.astype(np.float64), self.scales.astype(np.float64))


class Rows:
    """Rows as inputs and the values that they should have.

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
        self.n_linear = design.width if has_linear and design.width <= WIDEST_LINEAR else 0

    def inputs(self, rows: np.ndarray) -> np.ndarray:
        """Return the inputs of some rows."""
        some = self.cells[rows]
        return self.design.inputs(some.toarray() if hasattr(some, "toarray") else some)

    def with_linear(self, inputs: np.ndarray, kernel: Kernel) -> np.ndarray:
        """Return the features of rows of inputs: the inputs, if there is a linear part, and the kernel."""
        return np.hstack([inputs[:, : self.n_linear], kernel.of(inputs)])

    def features(self, kernel: Kernel, weight: np.ndarray) -> Features:
        """Return the features of all rows."""

        def blocks() -> Iterator[np.ndarray]:
            for _, cells in dense_chunks(self.cells, max(BLOCK_CELLS // (len(kernel.positions) + 1), 1)):
                yield self.with_linear(self.design.inputs(cells), kernel)

        return Features(blocks, weight, (self.n_linear + len(kernel.positions)) * len(weight))

    def coefficients(self, kernel: Kernel, ridge: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the coefficients of the regression on the values, and its constant."""
        coef, constant = solve(self.features(kernel, self.weight), self.values, "identity", ridge=ridge)
        return coef * self.unit, constant * self.unit + self.center

    def trial(self, kernel: Kernel, held_out: np.ndarray) -> tuple[float, Kernel, float]:
        """Return the loss on rows held out, the kernel, and the ridge that is best there."""
        weight = np.where(held_out, 0.0, self.weight)
        features = self.features(kernel, weight / weight.sum())
        gram, moments = features.gram(np.ones(len(weight))), features.moments(self.values)
        mean = features.weight @ self.values
        losses = []
        for ridge in RIDGES:
            excess = features.times(ridge_solution(gram, moments, ridge)) + mean - self.values
            losses.append(float(np.sum(self.weight[held_out] @ excess[held_out] ** 2)))
        best = int(np.argmin(losses))
        return losses[best], kernel, RIDGES[best]

    def choose(
        self, kernel: Kernel, n_landmarks: int, learned: np.ndarray, given: np.ndarray, rng: np.random.RandomState
    ) -> Kernel:
        """Return landmarks among given ones and rows by orthogonal least squares, beside the linear part."""
        width = max(self.design.width, 1)
        some = some_of(learned, min(CHOICE_ROWS, MOST_CELLS // width), rng)
        n_candidates = min(max(3 * n_landmarks, FEWEST_CANDIDATES), MOST_CELLS // width)
        candidates = self.inputs(some_of(learned, n_candidates, rng))
        if len(given) > n_candidates:
            given = given[some_of(np.arange(len(given)), n_candidates, rng)]
        candidates = np.unique(np.vstack([given, candidates]), axis=0)
        wide = Kernel(candidates, kernel.scales)
        weight = self.weight[some] / self.weight[some].sum()
        block = self.with_linear(self.inputs(some), wide)
        features = Features(lambda: iter([block]), weight, block.size)
        gram, moments, linear = features.gram(np.ones(len(some))), features.moments(self.values[some]), self.n_linear
        if linear:
            across = ridge_solution(gram[:linear, :linear], gram[:linear], RIDGES[0])
            moments = moments[linear:] - across[:, linear:].T @ moments[:linear]
            gram = gram[linear:, linear:] - gram[linear:, :linear] @ across[:, linear:]
        gram.flat[:: len(gram) + 1] += RIDGES[1]
        return Kernel(candidates[choose_features(gram, moments, n_landmarks)], kernel.scales)

    def move(self, kernel: Kernel, some: np.ndarray, steps: int) -> Kernel:
        """Return the kernel with positions and scales moved downhill."""
        some = some[: MOST_CELLS // max(self.design.width, 1)]
        weight = self.weight[some] / self.weight[some].sum()
        descent = Moving(self.inputs(some), self.values[some], weight, self.n_linear, kernel.positions.shape)
        start = np.concatenate([kernel.positions.ravel(), np.log(kernel.scales)])
        reach = np.concatenate([np.full(kernel.positions.size, FURTHEST_MOVE), np.full(len(kernel.scales), 5.0)])
        answer = minimize(
            descent,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(start - reach, start + reach),
            options={"maxiter": steps, "maxcor": 20},
        )
        positions, scales = descent.unpacked(answer.x)
        return Kernel(positions, scales)


class Moving:
    """Squared error as a function of positions and logarithms of scales, with the best coefficients for these."""

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
        """Return the value and its gradient; coefficients count as constants there, since they are the best."""
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
        pull = (excess * self.weight[:, None]) @ coef[self.n_linear :].T
        pull *= kernel
        of_rows, of_landmarks = pull.sum(axis=1), pull.sum(axis=0)
        towards = pull.T @ self.inputs
        by_position = 2 * scales**2 * (towards - of_landmarks[:, None] * positions)
        away = of_rows @ self.squares - 2 * np.sum(towards * positions, axis=0) + of_landmarks @ positions**2
        return value, np.concatenate([by_position.ravel(), -2 * scales**2 * away])
