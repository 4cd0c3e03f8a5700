"""Isotonic calibration: probabilities mapped by non-decreasing functions of few knots."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Isotonic:
    """Non-decreasing functions of the probability of each class, linear between knots and constant outside of them.

    With more than two classes, the results are divided by their sum. With two classes, there is one function, of the
    probability of the second class.

    Parameters
    ----------
    knots : tuple of tuple of float
        Probabilities, increasing; one tuple for each class, or a single one for two classes.
    values : tuple of tuple of float
        The value of the function at each knot: positive, at most 1, and not decreasing.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import Isotonic
    >>> isotonic = Isotonic(knots=((0.0, 0.5, 1.0),), values=((0.1, 0.3, 0.9),))
    >>> isotonic.of_rows(np.array([[1.0, 0.0], [0.5, 0.5], [0.25, 0.75]])).round(3)
    array([[0.9, 0.1],
           [0.7, 0.3],
           [0.4, 0.6]])
    """

    knots: tuple[tuple[float, ...], ...]
    values: tuple[tuple[float, ...], ...]

    @cached_property
    def slopes(self) -> tuple[tuple[float, ...], ...]:
        """The slope of each function between its knots."""
        return tuple(
            tuple((np.diff(values) / np.diff(knots)).tolist())
            for knots, values in zip(self.knots, self.values, strict=True)
        )

    def of_rows(self, proba: np.ndarray) -> np.ndarray:
        """Return the calibrated probabilities of rows, of shape (n_rows, n_classes)."""
        if len(self.knots) == 1:
            positive = np.interp(proba[:, 1], self.knots[0], self.values[0])
            return np.column_stack([1 - positive, positive])
        columns = zip(proba.T, self.knots, self.values, strict=True)
        mapped = np.column_stack([np.interp(column, knots, values) for column, knots, values in columns])
        return mapped / mapped.sum(axis=1, keepdims=True)

    def of_one(self, proba: Sequence[float]) -> tuple[float, ...]:
        """Return the calibrated probabilities of one row."""
        if len(self.knots) == 1:
            positive = self._mapped(0, proba[1])
            return 1 - positive, positive
        mapped = [self._mapped(place, share) for place, share in enumerate(proba)]
        total = sum(mapped)
        return tuple(share / total for share in mapped)

    def _mapped(self, place: int, share: float) -> float:
        knots, values = self.knots[place], self.values[place]
        after = bisect_right(knots, share)
        if not after or after == len(knots):
            return values[-1 if after else 0] if share == share else share
        return values[after - 1] + self.slopes[place][after - 1] * (share - knots[after - 1])
