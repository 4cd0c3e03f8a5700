"""Sums of scorers."""

from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Self

import numpy as np

from ._scorer import FlatData, Scorer


@dataclass(eq=False)
class Sum(FlatData, kind="sum"):
    """The sum of the scores of several scorers of the same rows and outputs.

    Parameters
    ----------
    parts : list of scorers
        For example a network, and trees fitted on its residuals.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import Linear, Sum
    >>> once = Linear(np.array([[1.0]]), np.array([0.0]))
    >>> Sum([once, once]).scores([[3.0]])
    array([[6.]])
    """

    parts: list[Scorer]

    @property
    def n_features(self) -> int:
        """Number of columns of a row."""
        return self.parts[0].n_features

    @property
    def base(self) -> np.ndarray:
        """Constant that is added to each output, of shape (n_outputs,)."""
        return reduce(np.add, [part.base for part in self.parts])

    @property
    def n_parameters(self) -> int:
        """Number of learned parameters."""
        return sum(part.n_parameters for part in self.parts)

    @property
    def n_ops(self) -> int:
        """Number of operations per row."""
        return sum(part.n_ops for part in self.parts)

    def scores(self, X: Any, n_jobs: int = 1) -> np.ndarray:
        """Return the scores, of shape (n_rows, n_outputs), as float64."""
        return reduce(np.add, [part.scores(X, n_jobs) for part in self.parts])

    def scaled(self, factor: Any, shift: Any = 0.0) -> Self:
        """Return a copy whose scores are multiplied by ``factor``, plus ``shift``."""
        first, *others = self.parts
        return replace(self, parts=[first.scaled(factor, shift), *(part.scaled(factor) for part in others)])

    def stored_as(self, dtype: Any) -> Self:
        """Return a copy with the parameters of each part rounded to at most this precision."""
        return replace(self, parts=[part.stored_as(dtype) for part in self.parts])
