"""Linear scorers."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from ._scorer import FlatData


@dataclass(eq=False)
class Linear(FlatData, kind="linear"):
    """Weighted sums of the cells of a row.

    Parameters
    ----------
    value : ndarray of shape (n_features, n_outputs)
        Weights.
    base : ndarray of float64, shape (n_outputs,)
        Intercepts.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import Linear
    >>> Linear(np.array([[2.0], [1.0]]), np.array([0.5])).scores([[1.0, 3.0]])
    array([[5.5]])
    """

    value: np.ndarray
    base: np.ndarray

    @property
    def n_features(self) -> int:
        """Number of columns of a row."""
        return len(self.value)

    def scores(self, X: Any, n_jobs: int = 1) -> np.ndarray:  # noqa: ARG002
        """Return the sums, of shape (n_rows, n_outputs)."""
        return (X if hasattr(X, "toarray") else np.asarray(X, dtype=np.float64)) @ self.value.astype(
            np.float64
        ) + self.base

    def scaled(self, factor: Any, shift: Any = 0.0) -> Self:
        """Return a copy whose scores are multiplied by ``factor``, plus ``shift``."""
        return replace(self, value=factor * self.value, base=factor * self.base + shift)

    def stored_as(self, dtype: Any) -> Self:
        """Return a copy with weights rounded to float16 if that is ``dtype``; float32 would save little memory."""
        return replace(self, value=self.value.astype(dtype)) if dtype == np.float16 else self

    @property
    def n_parameters(self) -> int:
        """Number of learned parameters."""
        return self.value.size + len(self.base)

    @property
    def n_ops(self) -> int:
        """Number of multiplications per row."""
        return self.value.size
