"""The rows and the width of a kernel machine, or the rows of nearest neighbours, as inputs of a design."""

from typing import Any, NamedTuple

import numpy as np

from ..compiled import Design, Landmarks
from ..convert import read_kernel
from ..exceptions import StudentError
from ._model_inside import Inside, check_names, check_numbers_of, described_model, linear_inputs, look_inside

READABLE_KERNELS = (
    "a support vector machine, kernel ridge regression or Gaussian process of scikit-learn with an RBF kernel, a "
    "nearest neighbour model, or a CompactKernelClassifier or CompactKernelRegressor"
)
"""The models whose kernels can be inherited, for messages."""

MAX_ROWS = 10_000
"""Maximum number of support vectors or training rows that landmarks are looked for near."""


class ReadKernel(NamedTuple):
    """What a kernel machine consists of.

    Parameters
    ----------
    inside : Inside
        The model and the steps before it.
    rows : ndarray of shape (n_rows, n_inputs)
        Support vectors, training rows, or the landmarks of an earlier student.
    gamma : float, ndarray of shape (n_inputs,) or None
        Coefficient of the squared distance; ``None`` for nearest neighbours.
    own : Landmarks or None
        The scorer of a student of this package, whose landmarks are no rows.
    """

    inside: Inside
    rows: np.ndarray
    gamma: Any
    own: Landmarks | None

    @property
    def kind(self) -> str:
        """Name of the class of the model."""
        return type(self.inside.model).__name__

    def on_design(
        self, design: Design, cells: Any, X: Any, names: Any, rng: np.random.RandomState
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return rows, a random subset of many, and the scales of the kernel, as inputs of a design.

        A kernel of rotated inputs gets the scales that agree with it along each input.

        Raises
        ------
        StudentError
            If the inputs of the model are no linear functions of those of the design, or it cannot read the table.
        """
        if not self.inside.transformers:
            of_model = getattr(self.inside.model, "feature_names_in_", None)
            check_names(names, of_model, design.n_features, self.rows.shape[1], self.kind)
        matrix, constant = linear_inputs(self.inside, design, cells, X, rng)
        some = (
            self.rows if len(self.rows) <= MAX_ROWS else self.rows[rng.choice(len(self.rows), MAX_ROWS, replace=False)]
        )
        rows = (some - constant) @ np.linalg.pinv(matrix, rcond=1e-6)
        if self.gamma is None:
            return rows, None
        scales = np.sqrt((matrix**2) @ np.broadcast_to(np.asarray(self.gamma, dtype=np.float64), len(constant)))
        positive = scales[scales > 0]
        return rows, np.maximum(scales, 1e-3 * (np.median(positive) if len(positive) else 1.0))


def read_kernel_rows(model: Any) -> ReadKernel | None:
    """Return what a kernel machine or a nearest neighbour model consists of; ``None`` for models of another kind.

    Raises
    ------
    StudentError
        If the kernel has no width, or numbers are not finite.
    """
    inside = look_inside(model)
    kind, own = type(inside.model).__name__, getattr(inside.model, "scorer_", None)
    if isinstance(own, Landmarks) and not inside.transformers:
        check_numbers_of(kind, own.positions, own.scales, own.coef)
        return ReadKernel(inside, own.positions.astype(np.float64), own.scales.astype(np.float64) ** 2, own)
    if hasattr(inside.model, "n_neighbors") and hasattr(inside.model, "_fit_X"):
        rows = _dense(inside.model._fit_X)
        check_numbers_of(kind, rows)
        return ReadKernel(inside, rows, None, None)
    machine = read_kernel(inside.model)
    if machine is None:
        return None
    if machine.gamma is None:
        raise StudentError(
            f"nothing can be inherited from {described_model(inside.model)} whose kernel has no width; expected "
            f'{READABLE_KERNELS}. Pass another student, such as student="kernel".'
        )
    if hasattr(inside.model, "support_vectors_") and machine.coef is None:
        raise StudentError(
            f"the {kind} is half fitted: it has support vectors without coefficients. Fit it to the end."
        )
    rows = machine.dense_rows.astype(np.float64)
    check_numbers_of(kind, rows, machine.gamma, () if machine.coef is None else _dense(machine.coef))
    if not len(rows):
        raise StudentError(f"the {kind} has no support vectors, so that it is constant; expected some. Fit it again.")
    return ReadKernel(inside, rows, machine.gamma, None)


def _dense(rows: Any) -> np.ndarray:
    return np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows, dtype=np.float64)
