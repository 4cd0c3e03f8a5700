"""Scorers that add up."""

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
        E.g. a network, and trees that were grown on what it leaves.

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
        """Columns of a row."""
        return self.parts[0].n_features

    @property
    def base(self) -> np.ndarray:
        """What is added to each row's scores, of shape (n_outputs,)."""
        return reduce(np.add, [part.base for part in self.parts])

    @property
    def n_parameters(self) -> int:
        """Numbers that were learned."""
        return sum(part.n_parameters for part in self.parts)

    @property
    def n_ops(self) -> int:
        """Operations for a row."""
        return sum(part.n_ops for part in self.parts)

    def scores(self, X: Any, n_jobs: int = 1) -> np.ndarray:
        """Return the scores, of shape (n_rows, n_outputs), as float64."""
        return reduce(np.add, [part.scores(X, n_jobs) for part in self.parts])

    def scaled(self, factor: Any, shift: Any = 0.0) -> Self:
        """Return the same with scores ``factor`` times as large, plus ``shift``."""
        first, *others = self.parts
        return replace(self, parts=[first.scaled(factor, shift), *(part.scaled(factor) for part in others)])

    def stored_as(self, dtype: Any) -> Self:
        """Return the same with each part at this precision."""
        return replace(self, parts=[part.stored_as(dtype) for part in self.parts])
