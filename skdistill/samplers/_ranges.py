"""Numbers of a table as shares of the ranges of their columns."""

from dataclasses import replace

import numpy as np

from ..convert import Splits
from ._cells import Numbers
from ._read_marginals import LARGEST_SHARE

ROUNDING = 1e-6
"""Share of a range by which a number may be outside, because it was computed back from a scaled one."""


class Ranges:
    """Converts numbers to shares in [0, 1] of the range of their column.

    Each integer of a column of whole numbers has an equal part of the range, and so has each value of a column that is
    described by its values.

    Parameters
    ----------
    numbers : Numbers
        The ranges.
    n_values : dict of {int: int}
        Number of values of each column that is described by its values.
    """

    def __init__(self, numbers: Numbers, n_values: dict[int, int]) -> None:
        self._numbers, self._n_values = numbers, n_values

    def of_splits(self, splits: Splits) -> Splits:
        """Return splits whose thresholds are shares; an integer that goes left goes left as a whole."""
        column, numbers = splits.column, self._numbers
        low, high = numbers.low[column], numbers.high[column]
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            of_whole = (np.floor(splits.threshold) - low + 1) / (high - low + 1)
            of_range = (splits.threshold / 2 - low / 2) / (high / 2 - low / 2)  # halved first: no overflow
        share = np.where(numbers.is_integral[column], of_whole, of_range)
        return replace(splits, threshold=np.where(numbers.is_movable[column], share, np.nan))

    def of_cells(self, cells: np.ndarray) -> np.ndarray:
        """Return numbers, or positions in lists of values, as shares in [0, 1): the middle of the part of each.

        Numbers outside the range, beyond rounding, are NaN.
        """
        numbers, shares = self._numbers, np.full(cells.shape, np.nan)
        for column in range(cells.shape[1]):
            given, low, high = cells[:, column], numbers.low[column], numbers.high[column]
            if column in self._n_values:
                shares[:, column] = (given + 0.5) / self._n_values[column]
            elif numbers.is_movable[column] and numbers.is_integral[column]:
                shares[:, column] = (np.rint(given) - low + 0.5) / (high - low + 1)
            elif numbers.is_movable[column] and high > low:
                shares[:, column] = (given / 2 - low / 2) / (high / 2 - low / 2)
        shares[(shares < -ROUNDING) | (shares > 1 + ROUNDING)] = np.nan
        return np.clip(shares, 0, LARGEST_SHARE)

    def of_scales(self, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return centres and spreads, of shape (n_features, 2), as shares; NaN in columns without a range."""
        numbers = self._numbers
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            width = numbers.high - numbers.low + numbers.is_integral
            centre = (scales[:, 0] - numbers.low + 0.5 * numbers.is_integral) / width
            spread = scales[:, 1] / width
        is_known = numbers.is_movable & np.isfinite(centre) & np.isfinite(spread)
        return np.where(is_known, centre, np.nan), np.where(is_known, spread, np.nan)
