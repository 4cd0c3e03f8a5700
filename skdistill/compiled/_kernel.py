"""Kernel scorers: weighted sums of RBF kernels at landmarks, plus a linear part."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from ._design import Design, for_each_dense_chunk
from ._network import LAYER_BLOCK_ROWS
from ._scorer import FlatData


@dataclass(eq=False)
class Landmarks(FlatData, kind="landmarks"):
    r"""RBF kernels at landmarks, :math:`s(z) = \sum_j a_j \exp(-\sum_i (\nu_i (z_i - c_{ji}))^2) + z W`.

    Parameters
    ----------
    design : Design
        Maps cells to the inputs :math:`z`.
    positions : ndarray of shape (n_landmarks, n_inputs)
        The landmarks :math:`c_j`, of any precision; sums are computed in float64.
    scales : ndarray of shape (n_inputs,)
        The inverse length scales :math:`\nu_i \ge 0` of the inputs; all are :math:`\sqrt\gamma` in an isotropic kernel.
    coef : ndarray of shape (n_landmarks, n_outputs)
        The coefficients :math:`a_j`.
    linear : ndarray of shape (n_inputs, n_outputs) or None
        The weights :math:`W` of the linear part; ``None`` if there is none.
    base, unit : ndarray of float64, shape (n_outputs,)
        The sums are multiplied by ``unit``, then ``base`` is added.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import Design, Landmarks
    >>> design = Design.of(np.array([[-1.0], [1.0]]), np.ones(2), n_codes=np.array([0]))
    >>> kernel = Landmarks(
    ...     design,
    ...     positions=np.array([[0.5]]),
    ...     scales=np.ones(1),
    ...     coef=np.array([[2.0]]),
    ...     linear=None,
    ...     base=np.zeros(1),
    ...     unit=np.ones(1),
    ... )
    >>> kernel.scores(np.array([[0.5], [-0.5]])).round(3)
    array([[2.   ],
           [0.736]])
    """

    design: Design
    positions: np.ndarray
    scales: np.ndarray
    coef: np.ndarray
    linear: np.ndarray | None
    base: np.ndarray
    unit: np.ndarray

    @property
    def n_features(self) -> int:
        """Number of columns of a row."""
        return self.design.n_features

    @property
    def n_parameters(self) -> int:
        """Number of learned parameters: landmarks, scales, coefficients, linear weights and the base."""
        of_kernels = self.positions.size + self.scales.size + self.coef.size + self.base.size
        return of_kernels + (0 if self.linear is None else self.linear.size)

    @property
    def n_ops(self) -> int:
        """Number of multiplications and exponentials per row."""
        of_kernels = len(self.scales) + self.positions.size + len(self.coef) + self.coef.size
        return of_kernels + (0 if self.linear is None else self.design.n_active * len(self.base))

    def scores(self, X: Any, n_jobs: int = 1) -> np.ndarray:
        """Return the scores, of shape (n_rows, n_outputs), as float64."""
        scores = np.empty((X.shape[0], len(self.base)))
        coef, linear = self.coef.astype(np.float64), None if self.linear is None else self.linear.astype(np.float64)
        positions = self._doubles

        def score(rows: slice, cells: np.ndarray) -> None:
            inputs = self.design.inputs(cells)
            sums = rbf_kernel(inputs, positions, self.scales) @ coef
            scores[rows] = self.base + (sums if linear is None else sums + inputs @ linear) * self.unit

        for_each_dense_chunk(score, X if hasattr(X, "toarray") else np.asarray(X), LAYER_BLOCK_ROWS, n_jobs)
        return scores

    @cached_property
    def _doubles(self) -> np.ndarray:
        return self.positions.astype(np.float64)

    def scaled(self, factor: Any, shift: Any = 0.0) -> Self:
        """Return a copy whose scores are multiplied by ``factor``, plus ``shift``."""
        return replace(self, base=self.base * factor + shift, unit=self.unit * factor)

    def stored_as(self, dtype: Any) -> Self:
        """Return a copy with landmarks and coefficients rounded to at most this precision."""

        def narrowed(array: np.ndarray) -> np.ndarray:
            return array if array.dtype.itemsize <= np.dtype(dtype).itemsize else array.astype(dtype)

        linear = None if self.linear is None else narrowed(self.linear)
        return replace(self, positions=narrowed(self.positions), coef=narrowed(self.coef), linear=linear)


def rbf_kernel(inputs: np.ndarray, positions: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return the RBF kernel of rows of inputs with landmarks, of shape (n_rows, n_landmarks)."""
    kernel = rbf_exponent(inputs, positions, scales)
    return np.exp(kernel, out=kernel)


def rbf_exponent(inputs: np.ndarray, positions: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return the negative squared distances of rows of inputs to landmarks, of shape (n_rows, n_landmarks)."""
    inputs, positions = inputs * scales, positions * scales
    kernel = inputs @ (2 * positions.T)
    kernel -= (inputs**2).sum(axis=1, keepdims=True)
    kernel -= (positions**2).sum(axis=1)
    return np.minimum(kernel, 0, out=kernel)
