r"""How much fidelity a smaller scorer loses on rows that nothing was fitted to, and how much that may be on others.

The loss is a ratio of means over rows, :math:`L = \sum_i w_i e_i / \sum_i w_i d_i` with :math:`e_i` the rise of the
squared error of row i and :math:`d_i` its squared distance to the mean. Its standard error is that of the mean of
:math:`w_i (e_i - L d_i)`, relative to :math:`\sum_i w_i d_i`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import stdtrit

from ..compiled import CompiledModel
from ..metrics import fidelity

CONFIDENCE = 0.95
"""Level of the one-sided interval of the loss."""


@dataclass(frozen=True)
class Measured:
    """Fidelity of a scorer on the rows that judge, and the lower end of its interval.

    Parameters
    ----------
    fidelity : float
        Minus infinity if some output is not finite.
    lower : float
        The fidelity minus what the loss may be larger on unseen rows.
    """

    fidelity: float
    lower: float


@dataclass(frozen=True)
class Judge:
    """Measures the fidelity of scorers on rows that nothing is fitted to.

    Parameters
    ----------
    model : CompiledModel
        The model as it was.
    cells : encoded rows
    reference : ndarray
        The outputs to follow.
    weight : ndarray of shape (n_rows,)
    is_cautious : bool, default=True
        Whether the lower end is that of an interval, rather than the fidelity itself.
    """

    model: CompiledModel
    cells: Any
    reference: np.ndarray
    weight: np.ndarray
    is_cautious: bool = True

    def measure(self, scorer: Any) -> Measured:
        """Return the fidelity of a scorer."""
        outputs = self.model.scored_by(scorer).outputs_of(self.cells)
        if not np.isfinite(outputs).all():
            return Measured(-np.inf, -np.inf)
        if np.ptp(self.reference, axis=0).max() == 0:  # R² of a constant is 0 for the smallest error
            size = max(float(np.abs(self.reference).max()), 1e-300)
            of_constant = 1 - float(np.abs(outputs - self.reference).max()) / size
            return Measured(of_constant, of_constant)
        reached = fidelity(self.reference, outputs, sample_weight=self.weight)
        return Measured(reached, reached - self._margin(outputs) if self.is_cautious else reached)

    def _margin(self, outputs: np.ndarray) -> float:
        """Return the half-width of the one-sided interval of the loss, by Student's t."""
        rise = (self._squares(outputs - self.reference) - self._errors_before) / self._scale
        influence = (self._share[:, None] * (rise - (self._share @ rise) * self._distances)).sum(axis=1)
        n_rows = int(np.count_nonzero(self.weight))
        quantile = float(stdtrit(max(n_rows - 1, 1), CONFIDENCE))
        return quantile * float(np.sqrt((influence**2).sum() * n_rows / max(n_rows - 1, 1)))

    @cached_property
    def _share(self) -> np.ndarray:
        """Weight of each row, as a share of all."""
        return self.weight / self.weight.sum()

    @cached_property
    def _errors_before(self) -> np.ndarray:
        return self._squares(self.model.outputs_of(self.cells) - self.reference)

    @cached_property
    def _distances(self) -> np.ndarray:
        """Squared distances of the reference to its mean, divided by their mean."""
        distances = self._squares(self.reference - self._share @ self.reference)
        return distances / self._positive(self._share @ distances)

    @cached_property
    def _scale(self) -> np.ndarray:
        """What mean squared errors are divided by, so that their sum is one minus the fidelity."""
        variance = self._share @ self._squares(self.reference - self._share @ self.reference)
        return self._positive(variance) * len(variance)

    def _positive(self, variance: np.ndarray) -> np.ndarray:
        """Return variances; those of constant outputs, which have no R², infinite."""
        return np.where(variance > 0, variance, np.inf)

    def _squares(self, differences: np.ndarray) -> np.ndarray:
        """Return squares of shape (n_rows, n_outputs), those of probabilities added up as in the fidelity."""
        squares = differences.reshape(len(differences), -1) ** 2
        return squares.sum(axis=1, keepdims=True) if self.model.classes_ is not None else squares
