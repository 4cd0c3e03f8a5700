"""Kernel students that start from another kernel machine, and the coefficients of any."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from .._losses import Loss
from ..compiled import Landmarks
from ..compression._kernel_reading import READABLE_KERNELS, read_kernel_rows
from ..exceptions import StudentError
from ..solvers import LandmarkSearch, as_values, means_of_rows, narrowed, solve
from ._network_from import check_own, widened
from ._student import CompactStudent

COEFFICIENT_STEPS = 60
"""Maximum number of L-BFGS steps for soft labels, starting from the regression on logits."""

MAX_PROTOTYPES = 1500
"""Maximum number of means of neighbouring rows that are candidates for landmarks."""


def with_coefficients(
    search: LandmarkSearch, kernel: Any, ridge: float, targets: np.ndarray, weight: np.ndarray, loss: Loss
) -> tuple[Landmarks, float]:
    """Return the scorer of landmarks with coefficients fitted on all rows, and the ridge beside the mean loss."""
    features = search.features(kernel, weight)
    start = None if loss.is_quadratic else search.coefficients(kernel, ridge)
    ridge *= float(weight @ as_values(loss, targets)[1])
    coef, constant = solve(features, targets, loss, ridge=ridge, start=start, steps=COEFFICIENT_STEPS)
    of_inputs = narrowed(coef[: search.n_linear], 1e-5) if search.n_linear else None
    of_kernel = narrowed(coef[search.n_linear :], 1e-4, in_sums=True)  # kernels are at most one
    base, design = constant - features.mean @ coef, search.design
    return Landmarks(design, kernel.positions, kernel.scales, of_kernel, of_inputs, base, np.ones(len(base))), ridge


@dataclass(frozen=True)
class KernelRows:
    """The landmarks or rows of a kernel machine as inputs of a design, and the transfer set on it.

    Parameters
    ----------
    design : Design
    cells, targets, weight : arrays
        The transfer set; the weights sum to one.
    near : ndarray of shape (n_near, n_inputs)
    scales : ndarray of shape (n_inputs,) or None
        Of its kernel; ``None`` for nearest neighbours.
    is_rows : bool
        Whether ``near`` are rows of a table.
    loss : Loss
    """

    design: Any
    cells: Any
    targets: np.ndarray
    weight: np.ndarray
    near: np.ndarray
    scales: np.ndarray | None
    is_rows: bool
    loss: Loss

    @classmethod
    def of(
        cls,
        student: CompactStudent,
        model: Any,
        X: Any,
        targets: np.ndarray,
        weight: np.ndarray,
        rng: np.random.RandomState,
    ) -> Self:
        """Set the encoder of a student; return the kernel of a model on the design of its rows."""
        who = type(student).__name__
        try:
            read = read_kernel_rows(model)
            if read is None:
                raise StudentError(f"init is a {type(model).__name__}; expected {READABLE_KERNELS}, or None.")
            cells, targets, weight, design = student._prepare(X, targets, weight)
            if read.own is None:
                near, scales = read.on_design(design, cells, X, student._names(), rng)
            else:
                check_own(student, read.inside.model)
                student._encoder = read.inside.model._encoder
                cells, design = student._encode(X), widened(read.own.design, design)
                near, scales = read.rows, read.own.scales.astype(np.float64)
        except StudentError as error:
            raise StudentError(f"{who}: {error}") from error
        return cls(design, cells, targets, weight / weight.sum(), near, scales, read.own is None, student._loss)

    def landmarks(
        self, n_landmarks: int, *, has_linear: bool, rng: np.random.RandomState, n_steps: int | None = None
    ) -> tuple[Landmarks, float]:
        """Return the scorer of so many landmarks at most, and its ridge.

        A number of steps moves the landmarks of a kernel machine on few rows; see :meth:`LandmarkSearch.search_from`.
        """
        values, curvature = as_values(self.loss, self.targets)
        search = LandmarkSearch(self.design, self.cells, values, self.weight * curvature, has_linear=has_linear)
        if self.scales is None:
            kernel, ridge = search.search(n_landmarks, None, self._prototypes(rng), refine=True, rng=rng)
        else:
            kernel, ridge = search.search_from(
                self.scales, n_landmarks, self.near, is_rows=self.is_rows, rng=rng, n_steps=n_steps
            )
        return with_coefficients(search, kernel, ridge, self.targets, self.weight, self.loss)

    def _prototypes(self, rng: np.random.RandomState) -> np.ndarray:
        """Return means of neighbouring rows of the model, none of which is a row of its own."""
        n_rows = len(self.near)
        some = self.near if n_rows <= MAX_PROTOTYPES else self.near[rng.choice(n_rows, MAX_PROTOTYPES, replace=False)]
        return means_of_rows(some, self.near, np.ones(self.near.shape[1]))
