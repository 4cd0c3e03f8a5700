"""Kernel machines of scikit-learn: support vectors, kernel width and coefficients."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..compiled import Design, Landmarks


@dataclass(frozen=True)
class KernelMachine:
    r"""A weighted sum of kernels at training rows.

    Parameters
    ----------
    rows : ndarray or sparse matrix of shape (n_rows, n_inputs)
        Support vectors or training rows, as inputs of the model.
    gamma : float, ndarray of shape (n_inputs,) or None
        Coefficient of an RBF kernel, :math:`\exp(-\gamma d^2)`, common to all inputs or one per input; ``None`` for any
        other kernel.
    coef : ndarray or sparse matrix of shape (n_rows, n_outputs), or None
        Coefficients of the kernels; ``None`` for Gaussian processes, whose coefficients are not read.
    intercept : ndarray
        Intercepts; empty if there are none.
    n_calibration : int
        Number of parameters of the probability calibration of a support vector machine.
    """

    rows: Any
    gamma: Any
    coef: Any
    intercept: np.ndarray
    n_calibration: int

    @property
    def n_parameters(self) -> int:
        """Number of learned parameters: support vectors, coefficients, intercepts and calibration."""
        return self.rows.size + self.coef.size + self.intercept.size + self.n_calibration

    @property
    def n_operations(self) -> int:
        """Number of operations per row: one per number of the support vectors, per kernel and per coefficient."""
        return self.rows.size + self.coef.size + self.rows.shape[0]

    @property
    def dense_rows(self) -> np.ndarray:
        """The support vectors as an array of floats."""
        return self.rows.toarray() if hasattr(self.rows, "toarray") else np.asarray(self.rows, dtype=np.float64)

    def landmarks(self) -> Landmarks:
        """Return the scorer; only for an RBF kernel with one coefficient per support vector and output."""
        rows, n_inputs = self.dense_rows.astype(np.float64), self.rows.shape[1]
        coef = self.coef.toarray() if hasattr(self.coef, "toarray") else np.asarray(self.coef, dtype=np.float64)
        n_outputs = coef.shape[1]
        center = rows.mean(axis=0)  # centering reduces cancellation in the distances
        return Landmarks(
            plain_design(n_inputs, center),
            positions=rows - center,
            scales=np.full(n_inputs, np.sqrt(self.gamma)),
            coef=coef,
            linear=None,
            base=np.zeros(n_outputs) + (self.intercept if self.intercept.size else 0.0),
            unit=np.ones(n_outputs),
        )


def read_kernel(model: Any) -> KernelMachine | None:
    """Read a fitted support vector machine, kernel ridge regression or Gaussian process; ``None`` for other models."""
    if hasattr(model, "base_estimator_"):  # a Gaussian process classifier, which has one model per class
        model = getattr(model.base_estimator_, "estimators_", [model.base_estimator_])[0]
    kept = (getattr(model, name, None) for name in ("support_vectors_", "X_train_", "X_fit_"))
    rows = next((rows for rows in kept if rows is not None), None)
    if rows is None:
        return None
    coef = getattr(model, "dual_coef_", None)
    if coef is not None:
        coef = coef.T if hasattr(model, "support_vectors_") else coef.reshape(len(coef), -1)
    platt = (getattr(model, name, ()) for name in ("_probA", "_probB"))  # the public names are deprecated
    return KernelMachine(
        rows=rows,
        gamma=_gamma_of(model, rows.shape[1]),
        coef=coef,
        intercept=np.asarray(getattr(model, "intercept_", ())),
        n_calibration=sum(map(np.size, platt)),
    )


def _gamma_of(model: Any, n_inputs: int) -> Any:
    kernel = getattr(model, "kernel_", getattr(model, "kernel", None))
    if kernel == "rbf":
        gamma = getattr(model, "_gamma", getattr(model, "gamma", None))
        return 1 / n_inputs if gamma is None else gamma
    if kernel is None or not hasattr(kernel, "get_params"):
        return None
    lengths = [value for name, value in kernel.get_params().items() if name.split("__")[-1] == "length_scale"]
    return 1 / (2 * np.asarray(lengths[0]) ** 2) if len(lengths) == 1 else None


def plain_design(n_inputs: int, center: np.ndarray | None = None) -> Design:
    """Return the design of a numeric table whose inputs are its cells minus a center."""
    return Design(
        numbers=np.arange(n_inputs),
        center=np.zeros(n_inputs) if center is None else center,
        scale=np.ones(n_inputs),
        low=np.full(n_inputs, -np.inf, dtype=np.float32),
        high=np.full(n_inputs, np.inf, dtype=np.float32),
        n_codes=np.zeros(n_inputs, dtype=np.int64),
        has_missing=np.zeros(n_inputs, dtype=bool),
    )
