"""Binned tables: a byte for each cell, and the thresholds between bins."""

from typing import Any, Self

import numpy as np
from scipy import sparse

from ..compiled._nodes import round_down

DENSE_COLUMNS = 16
"""Number of columns of a sparse matrix that are made dense at a time."""

MISSING = 255
"""Code of missing cells; values have smaller codes."""


class BinnedTable:
    """Cells as codes: the number of the bin of a value or category, and 255 for missing cells.

    Parameters
    ----------
    cells : ndarray or sparse array of float32 or float64, shape (n_rows, n_features)
        Numbers, and codes of categories.
    weight : ndarray of shape (n_rows,)
        All above zero.
    n_codes : ndarray of int, shape (n_features,)
        Categories of each column, 0 for numbers.
    max_bins : int
        Maximum number of bins of a column. Of more categories, those of least weight are encoded as missing.

    Attributes
    ----------
    dtype : numpy dtype
        Precision of the cells.
    codes : ndarray of uint8, shape (n_rows, n_features)
        Code of each cell.
    n_bins : ndarray of int, shape (n_features,)
        Bins of values.
    has_missing : ndarray of bool, shape (n_features,)
        Which columns have missing cells.
    """

    def __init__(self, cells: Any, weight: np.ndarray, n_codes: np.ndarray, max_bins: int) -> None:
        n_rows, n_features = cells.shape
        self.dtype = cells.dtype
        self.is_category = n_codes > 0
        self.codes = np.empty((n_rows, n_features), dtype=np.uint8)
        self.bounds: list[np.ndarray] = []
        """For numbers the upper bound of each bin but the last, for categories the code of each bin."""
        step = DENSE_COLUMNS if sparse.issparse(cells) else n_features
        by_column = cells.tocsc() if sparse.issparse(cells) else cells
        for start in range(0, n_features, step):
            block = by_column[:, start : start + step]
            for feature, column in enumerate((block.toarray() if sparse.issparse(block) else block).T, start):
                bin_column = _bin_categories if n_codes[feature] else _bin_numbers
                bounds, self.codes[:, feature] = bin_column(column, weight, max_bins)
                self.bounds.append(bounds)
        lengths = np.array([len(bounds) for bounds in self.bounds], dtype=np.int64)
        self.n_bins = np.where(self.is_category, lengths, lengths + 1)
        self.has_missing = self.codes.max(axis=0, initial=0) == MISSING
        self._alike: dict[tuple[bytes | None, tuple[int, ...]], list[np.ndarray]] = {}

    def take(self, rows: np.ndarray) -> Self:
        """Return some of the rows, in the same bins."""
        taken = object.__new__(type(self))
        taken.__dict__.update(self.__dict__, codes=self.codes[rows])
        return taken

    def alike(self, features: np.ndarray | None, sizes: tuple[int, ...]) -> list[np.ndarray]:
        """Return the columns that can be split, those of one kind and of about as many bins together.

        Parameters
        ----------
        features : ndarray of int or None
            Columns to choose from; ``None`` means all columns.
        sizes : tuple of int
            Upper bounds of the numbers of bins that are about as many.

        Returns
        -------
        columns : list of ndarray of int
            Kept, also for some of the rows: a tree asks at each of its nodes.
        """
        key = None if features is None else features.tobytes(), sizes
        if key not in self._alike:
            columns = np.arange(self.codes.shape[1]) if features is None else features
            columns = columns[self.n_bins[columns] + self.has_missing[columns] > 1]
            size = np.searchsorted(sizes, self.n_bins[columns])
            kind = 4 * size + 2 * self.is_category[columns] + self.has_missing[columns]
            self._alike[key] = [columns[kind == each] for each in np.unique(kind)]
        return self._alike[key]


def _bin_numbers(column: np.ndarray, weight: np.ndarray, max_bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds halfway between neighbouring values, at about equal quantiles of the weight, and codes."""
    order = np.argsort(column, kind="stable")
    ascending = column[order]
    n_present = len(column) - int(np.isnan(column).sum())
    first = np.flatnonzero(np.append(True, ascending[1:n_present] != ascending[: max(n_present - 1, 0)]))[:n_present]
    values = ascending[first]
    if len(values) > max_bins:
        each = np.add.reduceat(weight[order[:n_present]], first)
        centre = np.cumsum(each) - each / 2
        quantile = np.floor(centre / each.sum() * max_bins)
        last = np.flatnonzero(np.diff(quantile) > 0)
    else:
        last = np.arange(len(values) - 1)
    bounds = _between(values[last], values[last + 1])
    codes = np.searchsorted(bounds, column)
    return bounds, np.where(np.isnan(column), MISSING, codes)


def _between(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Return the middle of two numbers, below the upper one, in their precision."""
    if lower.dtype == np.float32:
        return round_down((lower.astype(np.float64) + upper) / 2).astype(np.float32)
    return np.minimum((lower + upper) / 2, np.nextafter(upper, -np.inf))


def _bin_categories(column: np.ndarray, weight: np.ndarray, max_bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the codes of the heaviest categories, ascending, and the bin of each cell."""
    present = ~np.isnan(column)
    mass = np.bincount(column[present].astype(np.intp), weight[present])
    heaviest = np.argsort(-mass, kind="stable")[:max_bins]
    kept = np.sort(heaviest[mass[heaviest] > 0])
    bin_of = np.full(len(mass) + 1, MISSING)
    bin_of[kept] = np.arange(len(kept))
    return kept, bin_of[np.where(present, column, len(mass)).astype(np.intp)]
