"""Bins of columns: ranges of cells, chosen on some reference rows, whose shares are watched."""

from collections.abc import Sequence
from typing import Any

import numpy as np

N_BINS = 8
"""Number of bins of a column of numbers, and largest number of categories that are watched one by one."""

CELLS_AT_ONCE = 2**18
FEW_ROWS = 32
"""So few rows are compared with all ranges at once, instead of column by column."""


class Bins:
    """Ranges of the cells of each column: missing, below and above all reference cells, and shares in between.

    In between, a column of numbers has the ranges up to each of at most seven thresholds: those of the student's trees
    that are nearest to the eighths of the reference cells, or else the eighths themselves. A column of categories has
    its eight most frequent ones.

    Parameters
    ----------
    X : ndarray or sparse matrix of shape (n_samples, n_columns)
        Encoded reference rows.
    thresholds : list of (ndarray or None), one for each column
        Thresholds of the student.
    is_category : sequence of bool, one for each column

    Attributes
    ----------
    column : ndarray of int, shape (n_ranges,)
        Column of each range, in ascending order.
    low, high : ndarray of float, shape (n_ranges,)
        Cells from low to high are hits; NaN stands for missing cells.
    is_outside : ndarray of bool, shape (n_ranges,)
        Ranges that no reference cell was in, and that make a row one outside the reference.
    """

    def __init__(self, X: Any, thresholds: Sequence[np.ndarray | None], is_category: Sequence[bool]) -> None:
        self.n_columns, found = X.shape[1], []
        for column in range(self.n_columns):
            cells = _dense(X[:, [column]])[:, 0]
            ranges = _categories(cells) if is_category[column] else _numbers(cells, thresholds[column])
            found += [(column, *each) for each in ranges]
        columns, low, high, is_outside = zip(*found, strict=True)
        self.column, self.is_outside = np.array(columns), np.array(is_outside)
        self.low, self.high = np.array(low), np.array(high)
        self.is_missing = np.isnan(self.low)
        self.ends = np.searchsorted(self.column, np.arange(self.n_columns + 1))

    @property
    def weights(self) -> np.ndarray:
        """Share of each range in the evidence about its column."""
        return 1 / np.diff(self.ends)[self.column]

    def count(self, X: Any) -> tuple[np.ndarray, int]:
        """Return the number of rows in each range, and the number of rows outside the reference.

        Parameters
        ----------
        X : ndarray or sparse matrix of shape (n_samples, n_columns)
        """
        n_hits, n_outside = np.zeros(len(self.column), dtype=np.int64), 0
        at_once = max(FEW_ROWS, CELLS_AT_ONCE // self.n_columns)
        count = self._count_few if X.shape[0] <= FEW_ROWS else self._count
        for start in range(0, X.shape[0], at_once):
            n_outside += count(_dense(X[start : start + at_once]), n_hits)
        return n_hits, n_outside

    def describe(self, place: int, name: str, categories: Any) -> str:
        """Return a range in words."""
        low, high = self.low[place], self.high[place]
        if self.is_missing[place]:
            return f"{name} is missing" if categories is None else f"{name} is missing or a new category"
        if categories is not None:
            return f"{name} is {str(categories[int(low)])!r}"
        return f"{name} is at most {high:.4g}" if np.isinf(low) else f"{name} is at least {low:.4g}"

    def _count(self, X: np.ndarray, n_hits: np.ndarray) -> int:
        is_outside = np.zeros(len(X), dtype=bool)
        for column in range(self.n_columns):
            cells = np.ascontiguousarray(X[:, column])
            for place in range(self.ends[column], self.ends[column + 1]):
                hits = self._hits(cells, place)
                n_hits[place] += np.count_nonzero(hits)
                if self.is_outside[place]:
                    is_outside |= hits
        return int(np.count_nonzero(is_outside))

    def _hits(self, cells: np.ndarray, place: int) -> np.ndarray:
        if self.is_missing[place]:
            return cells != cells
        low, high = self.low[place], self.high[place]
        if low == high:
            return cells == low
        return cells <= high if np.isinf(low) else cells >= low

    def _count_few(self, X: np.ndarray, n_hits: np.ndarray) -> int:
        cells = X[:, self.column]
        hits = (cells >= self.low) & (cells <= self.high)
        hits[:, self.is_missing] = np.isnan(cells[:, self.is_missing])
        n_hits += hits.sum(axis=0)
        return int(hits[:, self.is_outside].any(axis=1).sum())


def _numbers(cells: np.ndarray, thresholds: np.ndarray | None) -> list[tuple[float, float, bool]]:
    """Return ends of the ranges of a column of numbers, and whether they are outside the reference."""
    is_missing = np.isnan(cells)
    known = np.sort(cells[~is_missing])
    ranges = [(np.nan, np.nan, not is_missing.any())]
    if not len(known):
        return ranges
    ranges.append((-np.inf, np.nextafter(known[0], -np.inf), True))
    ranges.append((np.nextafter(known[-1], np.inf), np.inf, True))
    eighths = np.arange(1, N_BINS) * len(known) / N_BINS
    if thresholds is None or not len(thresholds):
        inner = known[eighths.astype(int)]
    else:
        ranks = np.searchsorted(known, thresholds, side="right")
        inner = thresholds[np.abs(ranks[:, None] - eighths).argmin(axis=0)]
    inner = np.unique(inner)
    inner = inner[(inner >= known[0]) & (inner < known[-1])]
    return ranges + [(-np.inf, float(end), False) for end in inner]


def _categories(cells: np.ndarray) -> list[tuple[float, float, bool]]:
    is_missing = np.isnan(cells)
    codes, n_cells = np.unique(cells[~is_missing], return_counts=True)
    most = np.sort(codes[np.argsort(-n_cells, kind="stable")[:N_BINS]])
    return [(np.nan, np.nan, not is_missing.any())] + [(float(code), float(code), False) for code in most]


def _dense(X: Any) -> np.ndarray:
    return X.toarray() if hasattr(X, "toarray") else X
