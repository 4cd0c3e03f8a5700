"""Restriction of the numbers of synthetic rows to values seen in the real rows, because numbers may be codes."""

from enum import IntEnum
from typing import Any

import numpy as np
from scipy import sparse

from .._encoding import fit_table_encoder
from ._cells import LARGEST_EXACT_INTEGER, is_integral, nearest_values, put_numbers, values_if_few


class Restriction(IntEnum):
    """The columns of numbers in which only values seen are drawn."""

    FEW = 0
    """Columns of few whole numbers, of which some in between are never seen."""

    WHOLE = 1
    """All columns of whole numbers."""

    ALL = 2
    """All columns of numbers."""


class SeenValues:
    """The numbers seen in each column of a table.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
        Real rows.
    """

    def __init__(self, X: Any) -> None:
        self._X = X
        self._values: dict[Restriction, dict[int, np.ndarray]] = {}

    def restrict(self, rows: Any, restriction: Restriction) -> Any:
        """Return rows like the table in which numbers are replaced by the nearest numbers seen in their column.

        Parameters
        ----------
        rows : table of shape (n_rows, n_features)
            With the schema of the table.
        restriction : Restriction
            The columns that are restricted.

        Returns
        -------
        rows : table of shape (n_rows, n_features)
            Missing cells, and all cells that are not numbers, are unchanged; so are sparse matrices, in which samplers
            only swap cells.
        """
        values = self._values_of(restriction)
        if not values:
            return rows
        cells = fit_table_encoder(self._X).transform(rows)
        moved: dict[int, np.ndarray] = {}
        for index, seen in values.items():
            column = np.asarray(cells[:, index], dtype=np.float64)
            nearest = nearest_values(seen, column)
            is_new = np.isfinite(column) & (nearest != column)
            if is_new.any():
                moved[index] = np.where(is_new, nearest, np.nan)
        if not moved:
            return rows
        numbers = np.full(rows.shape, np.nan)
        for index, column in moved.items():
            numbers[:, index] = column
        return put_numbers(rows.copy() if isinstance(rows, np.ndarray) else rows, numbers)

    def _values_of(self, restriction: Restriction) -> dict[int, np.ndarray]:
        """Return the ascending values of each column that is restricted."""
        if restriction not in self._values:
            self._values[restriction] = self._find(restriction)
        return self._values[restriction]

    def _find(self, restriction: Restriction) -> dict[int, np.ndarray]:
        if sparse.issparse(self._X):
            return {}
        encoder = fit_table_encoder(self._X)
        cells, found = encoder.transform(self._X), {}
        for index in np.flatnonzero(~encoder.is_swap_only_).tolist():
            column = np.asarray(cells[:, index], dtype=np.float64)
            values = _seen(column[np.isfinite(column)], restriction)
            if values is not None:
                found[index] = values
        return found


def _seen(present: np.ndarray, restriction: Restriction) -> np.ndarray | None:
    """Return the values to restrict a column to, if it is restricted."""
    is_exact = len(present) > 0 and np.abs(present).max() <= LARGEST_EXACT_INTEGER  # others are never moved
    if not is_exact or (restriction < Restriction.ALL and not is_integral(present)):
        return None
    return values_if_few(present) if restriction == Restriction.FEW else np.unique(present)
