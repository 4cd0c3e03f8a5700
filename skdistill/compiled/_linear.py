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
    """

    value: np.ndarray
    base: np.ndarray

    @property
    def n_features(self) -> int:
        """Columns of a row."""
        return len(self.value)

    def scores(self, X: Any, n_jobs: int = 1) -> np.ndarray:  # noqa: ARG002
        """Return the sums, of shape (n_rows, n_outputs)."""
        return (X if hasattr(X, "toarray") else np.asarray(X, dtype=np.float64)) @ self.leaf_values + self.base

    def with_values(self, value: np.ndarray, base: np.ndarray | None = None) -> Self:
        """Return the same with other weights."""
        return replace(self, value=value, base=self.base if base is None else base)

    @property
    def leaf_values(self) -> np.ndarray:
        """The weights as float64, of shape (n_features, n_outputs)."""
        return self.value.astype(np.float64)

    def stored_as(self, dtype: np.dtype) -> Self:
        """Return the same with weights of another precision; float32 would save little and cost digits."""
        return self.with_values(self.value.astype(dtype)) if dtype == np.float16 else self

    def row_source(self, ending: str) -> str | None:
        """Return the text of ``row(cells)``, which ends so; ``None`` for more weights than that is worth."""
        if self.value.size > MAX_TERMS:
            return None
        names = [f"x{index}" for index in range(self.n_features)]
        sums = [
            " + ".join([repr(start), *(f"{weight!r} * {name}" for weight, name in zip(column, names, strict=True))])
            for start, column in zip(self.base.tolist(), self.leaf_values.T.tolist(), strict=True)
        ]
        lines = [f"    s{output} = {terms}" for output, terms in enumerate(sums)]
        return "\n".join(["def row(cells):", f"    {', '.join(names)}, = cells", *lines, ending, ""])
