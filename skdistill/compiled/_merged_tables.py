"""QuickScorer tables that rows look up together: one line for the cells of several features.

The cells of a feature with few thresholds are compared with all of them, and the number of true comparisons is the
line: processors compare many cells at once. Such tables are merged while they stay small. A merged table has one line
for each combination of lines, so that a row looks up a few lines instead of one for each feature.

Each call of numpy is for many cells, because threads wait for each other between calls.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import reduce
from itertools import pairwise

import numpy as np

from ._quickscorer import Comparisons, FeatureTable

MAX_MERGED_BYTES, MAX_MERGED_LINES = 2**21, 2**16
"""Maximum size of all merged tables, and maximum number of lines of each."""

COMPARED_CELLS = 2**20
"""Number of comparisons at a time: few enough to stay in the cache, many enough for threads to run at once."""


class MergedTables:
    """The tables of all features that splits test.

    Parameters
    ----------
    tables : sequence of FeatureTable
    features : ndarray of int, shape (n_features,)
        The columns whose cells are passed, in ascending order.
    dtype : dtype
        The dtype of cells.
    """

    def __init__(self, tables: Sequence[FeatureTable], features: np.ndarray, dtype: np.dtype) -> None:
        tables = [replace(each, feature=int(np.searchsorted(features, each.feature))) for each in tables]
        by_size = sorted(tables, key=lambda each: len(each.table))
        compared = [each for each in by_size if isinstance(each.line_of, Comparisons)]
        self._coded = [each for each in by_size if each.is_small and not isinstance(each.line_of, Comparisons)]
        self._large = [each for each in by_size if not each.is_small]
        self._compared = np.array([each.feature for each in compared], dtype=np.intp)
        self._n_cuts = [len(each.line_of.cuts) for each in compared]
        self._similar = np.searchsorted(self._n_cuts, np.array(self._n_cuts) / 2).tolist()
        """The first feature with at least half as many cuts as each of them."""
        self._cuts = np.full((len(compared), max(self._n_cuts, default=0), 1), np.nan, dtype)  # nothing is <= NaN
        for cuts, each in zip(self._cuts, compared, strict=True):
            cuts[: len(each.line_of.cuts), 0] = each.line_of.cuts
        self._n_trees, self._dtype = tables[0].table.shape[1], tables[0].table.dtype
        self._merge([*compared, *self._coded])

    def _merge(self, tables: Sequence[FeatureTable]) -> None:
        """Merge consecutive tables; ``_parts`` lists the positions and sizes of their first tables, second tables..."""
        n_lines = [len(each.table) for each in tables]
        merged = sorted(_runs(tables), key=len, reverse=True)
        self._merged = [reduce(_product, [tables[place].table for place in run]) for run in merged]
        self._parts = []
        for position in range(len(merged[0]) if merged else 0):
            places = [run[position] for run in merged if len(run) > position]
            sizes = np.array([n_lines[place] for place in places], dtype=np.uint16)
            self._parts.append((np.array(places, dtype=np.intp), sizes[:, None]))

    def remaining(self, cells: np.ndarray) -> np.ndarray:
        """Return the leaves that no split excludes, of shape (n_rows, n_trees), for cells (n_features, n_rows)."""
        remaining, lines = (np.empty((cells.shape[1], self._n_trees), self._dtype) for _ in range(2))
        for position, (table, numbers) in enumerate(self._lookups(cells)):
            # "clip" does not copy the lines once more, as "raise" does; no number is outside
            table.take(numbers, axis=0, out=lines if position else remaining, mode="clip")
            if position:
                np.bitwise_and(remaining, lines, out=remaining)
        return remaining

    def _lookups(self, cells: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield each table, and the number of the line of each row in it."""
        yield from zip(self._merged, self._numbers(cells), strict=True)
        for each in self._large:
            yield each.table, each.line_of(cells[each.feature])

    def _numbers(self, cells: np.ndarray) -> np.ndarray:
        """Return the numbers of the lines in each merged table, of shape (n_merged, n_rows)."""
        lines = self._small_lines(cells)
        numbers = np.empty((0, 0), dtype=np.uint16)
        for position, (places, sizes) in enumerate(self._parts):
            if position == 0:
                numbers = lines[places].astype(np.uint16)
            else:
                some = numbers[: len(places)]
                some *= sizes
                some += lines[places]
        return numbers

    def _small_lines(self, cells: np.ndarray) -> np.ndarray:
        """Return the line of each cell in its small table, of shape (n_small, n_rows)."""
        n_compared, n_rows = len(self._compared), cells.shape[1]
        lines = np.empty((n_compared + len(self._coded), n_rows), dtype=np.uint8)
        most = max(COMPARED_CELLS // max(n_rows, 1), *self._n_cuts[-1:], 1)
        is_below = np.empty(most * n_rows, dtype=bool)
        stop = n_compared
        while stop:  # backwards: the last one of some features has the most cuts
            n_cuts = self._n_cuts[stop - 1]
            start = max(self._similar[stop - 1], stop - most // n_cuts)
            some = is_below[: (stop - start) * n_cuts * n_rows].reshape(-1, n_cuts, n_rows)
            np.less_equal(cells[self._compared[start:stop], None], self._cuts[start:stop, :n_cuts], out=some)
            np.add.reduce(some.view(np.uint8), axis=1, dtype=np.uint8, out=lines[start:stop])
            stop = start
        for place, each in enumerate(self._coded, n_compared):
            lines[place] = each.line_of(cells[each.feature])
        return lines


def _runs(tables: Sequence[FeatureTable]) -> list[range]:
    """Return the positions of the tables that are merged: consecutive ones whose product is small."""
    starts: list[int] = []
    n_lines, most = 1, MAX_MERGED_BYTES // max(len(tables), 1)
    for place, each in enumerate(tables):
        n_lines *= len(each.table)
        if not starts or n_lines > min(MAX_MERGED_LINES, most // each.table[0].nbytes):
            starts.append(place)
            n_lines = len(each.table)
    return [range(start, stop) for start, stop in pairwise([*starts, len(tables)])]


def _product(table: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return a table with a line for each pair of lines."""
    return (table[:, None] & other).reshape(-1, table.shape[1])
