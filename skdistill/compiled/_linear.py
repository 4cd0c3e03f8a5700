"""Linear scores."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

MAX_TERMS = 500
"""Products that Python adds up faster than numpy starts."""


@dataclass(eq=False)
class Linear:
    """Weighted sums of a row's cells.

    Parameters
    ----------
    value : ndarray of shape (n_features, n_outputs)
        Weights.
    base : ndarray of float64, shape (n_outputs,)
        What is added.

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
        """Columns of a row."""
        return len(self.value)

    def scores(self, X: Any, n_jobs: int = 1) -> np.ndarray:  # noqa: ARG002
        """Return the sums, of shape (n_rows, n_outputs)."""
        return (X if hasattr(X, "toarray") else np.asarray(X, dtype=np.float64)) @ self.value.astype(
            np.float64
        ) + self.base

    def scaled(self, factor: float) -> Self:
        """Return the same with scores ``factor`` times as large."""
        return replace(self, value=factor * self.value, base=factor * self.base)

    def stored_as(self, dtype: np.dtype) -> Self:
        """Return the same with weights of another precision; float32 would save little and cost digits."""
        return replace(self, value=self.value.astype(dtype)) if dtype == np.float16 else self

    @property
    def n_parameters(self) -> int:
        """Numbers that were learned."""
        return self.value.size + len(self.base)

    @property
    def n_ops(self) -> int:
        """Multiplications for a row."""
        return self.value.size

    def row_names(self) -> dict[str, Any]:
        """Return what the code of a row mentions: nothing."""
        return {}

    def row_lines(self) -> list[str] | None:
        """Return code that sets the scores of one row; ``None`` for more weights than that is worth."""
        if self.value.size > MAX_TERMS:
            return None
        names = [f"x{index}" for index in range(self.n_features)]
        sums = [
            " + ".join([repr(start), *(f"{weight!r} * {name}" for weight, name in zip(column, names, strict=True))])
            for start, column in zip(self.base.tolist(), self.value.astype(np.float64).T.tolist(), strict=True)
        ]
        lines = [f"    s{output} = {terms}" for output, terms in enumerate(sums)]
        return [f"    {', '.join(names)}, = cells", *lines]
