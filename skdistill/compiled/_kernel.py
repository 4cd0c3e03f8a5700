"""Kernel scorers: sums of bumps around landmarks, and a linear part beside them."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from ._design import Design, dense_chunks
from ._network import BLOCK_ROWS
from ._scorer import FlatData


@dataclass(eq=False)
class Landmarks(FlatData, kind="landmarks"):
    r"""Bumps around landmarks, :math:`s(z) = \sum_j a_j \exp(-\sum_i (\nu_i (z_i - c_{ji}))^2) + z W`.

    Parameters
    ----------
    design : Design
        From a row's cells to the inputs :math:`z`.
    positions : ndarray of shape (n_landmarks, n_inputs)
        The landmarks :math:`c_j`, of any precision; sums are float64.
    scales : ndarray of shape (n_inputs,)
        :math:`\nu_i \ge 0`, by which an input counts; all of them :math:`\sqrt\gamma` in the usual kernel.
    coef : ndarray of shape (n_landmarks, n_outputs)
        :math:`a_j`.
    linear : ndarray of shape (n_inputs, n_outputs) or None
        :math:`W`; ``None`` for bumps alone.
    base, unit : ndarray of float64, shape (n_outputs,)
        Sums are multiplied by ``unit``, then ``base`` is added.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import Design, Landmarks
    >>> design = Design.of(np.array([[-1.0], [1.0]]), np.ones(2), n_codes=np.array([0]))
    >>> bump = Landmarks(
    ...     design,
    ...     positions=np.array([[0.5]]),
    ...     scales=np.ones(1),
    ...     coef=np.array([[2.0]]),
    ...     linear=None,
    ...     base=np.zeros(1),
    ...     unit=np.ones(1),
    ... )
    >>> bump.scores(np.array([[0.5], [-0.5]])).round(3)
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
        """Columns of a row."""
        return self.design.n_features

    @property
    def n_parameters(self) -> int:
        """Numbers that were learned: landmarks, scales, coefficients and the base."""
        of_bumps = self.positions.size + self.scales.size + self.coef.size + self.base.size
        return of_bumps + (0 if self.linear is None else self.linear.size)

    @property
    def n_ops(self) -> int:
        """Multiplications and exponentials for a row."""
        of_bumps = len(self.scales) + self.positions.size + len(self.coef) + self.coef.size
        return of_bumps + (0 if self.linear is None else self.design.n_active * len(self.base))

    def scores(self, X: Any, n_jobs: int = 1) -> np.ndarray:  # noqa: ARG002
        """Return the scores, of shape (n_rows, n_outputs), as float64."""
        scores = np.empty((X.shape[0], len(self.base)))
        coef, linear = self.coef.astype(np.float64), None if self.linear is None else self.linear.astype(np.float64)
        for rows, cells in dense_chunks(X if hasattr(X, "toarray") else np.asarray(X), BLOCK_ROWS):
            inputs = self.design.inputs(cells)
            sums = rbf_kernel(inputs, self._doubles, self.scales) @ coef
            scores[rows] = self.base + (sums if linear is None else sums + inputs @ linear) * self.unit
        return scores

    @cached_property
    def _doubles(self) -> np.ndarray:
        return self.positions.astype(np.float64)

    def scaled(self, factor: Any, shift: Any = 0.0) -> Self:
        """Return the same with scores ``factor`` times as large, plus ``shift``."""
        return replace(self, base=self.base * factor + shift, unit=self.unit * factor)

    def stored_as(self, dtype: Any) -> Self:
        """Return the same with landmarks and coefficients of this precision, where they have more."""

        def narrowed(array: np.ndarray) -> np.ndarray:
            return array if array.dtype.itemsize <= np.dtype(dtype).itemsize else array.astype(dtype)

        linear = None if self.linear is None else narrowed(self.linear)
        return replace(self, positions=narrowed(self.positions), coef=narrowed(self.coef), linear=linear)


def rbf_kernel(inputs: np.ndarray, positions: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return the kernel of rows of inputs with landmarks, of shape (n_rows, n_landmarks)."""
    inputs, positions = inputs * scales, positions * scales
    kernel = inputs @ (2 * positions.T)
    kernel -= (inputs**2).sum(axis=1, keepdims=True)
    kernel -= (positions**2).sum(axis=1)
    np.minimum(kernel, 0, out=kernel)
    return np.exp(kernel, out=kernel)
