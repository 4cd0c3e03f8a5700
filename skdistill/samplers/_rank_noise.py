"""Noise along the ranks of a column."""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from ._cells import Numbers

GROUP_CELLS = 2**16
"""Number of cells that are moved at a time: few enough to stay in the cache, many enough for threads to run at once."""

TRANSPOSED_ROWS = 256
"""Number of rows whose cells are copied to columns at a time."""

RESOLUTION = 2**16
"""Number of equally probable values of a step."""


class Swap(NamedTuple):
    """From which rows of a block its cells are taken.

    Attributes
    ----------
    partners : ndarray of int, shape (n_rows,)
        Position of the partner of each row in the block.
    is_swapped : ndarray of bool, shape (n_features, n_rows)
        Whether a cell is taken from the partner instead of its own row.
    """

    partners: np.ndarray
    is_swapped: np.ndarray


def move_along_ranks(
    numbers: Numbers, own: np.ndarray, scale: float, rng: np.random.Generator, swap: Swap | None = None
) -> np.ndarray:
    r"""Move the numbers of a block of rows by a step along the ranks of their column within the block.

    A number with rank r among the n present ones moves to rank :math:`r + \sigma n z`, where z is standard normal (one
    of 65,536 equally probable values), reflected at both ends. The new value is interpolated between the two observed
    values at that rank. Steps are therefore small where values are dense and large where they are sparse, heavy tails
    and repeated values are kept, and no value leaves the observed range.

    Parameters
    ----------
    numbers : Numbers
    own : ndarray of int, shape (n_rows,)
        Rows of the block in random order, which breaks ties between equal numbers.
    scale : float
        The :math:`\sigma` above.
    rng : Generator
    swap : Swap or None, default=None
        Which cells are taken from other rows of the block first.

    Returns
    -------
    moved : ndarray of shape (n_features, n_rows)
        One row for each column of the table; NaN where a cell is missing or not a number.
    """
    moved = _columns_of(numbers.values, own)
    is_full = np.full(len(moved), True) if numbers.is_complete else ~np.isnan(moved).any(axis=1)
    last = len(own) - 1 if numbers.is_complete else len(own) - 1 - np.isnan(moved).sum(axis=1)
    last = np.broadcast_to(last, len(moved))
    is_moving = numbers.is_movable & (last >= 0)
    moved[~is_moving] = np.nan
    for columns in _groups(is_moving, is_full, len(own)):
        block = _Block(moved[columns], numbers.low[columns], last[columns])
        position = block.rank
        if swap is not None:
            of_partners = position.take(swap.partners, axis=1)
            position = _chosen(position, of_partners, swap.is_swapped[columns])
        moved[columns] = block.values_at(position, scale, rng)
    return numbers.fit_columns(moved)


def _columns_of(values: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return rows of a table as float64 with the cells of each column side by side.

    So many rows are copied at a time that those of all columns stay in the cache.
    """
    columns = np.empty((values.shape[1], len(own)))
    for start in range(0, len(own), TRANSPOSED_ROWS):
        part = slice(start, start + TRANSPOSED_ROWS)
        columns[:, part] = values.take(own[part], axis=0).T
    return columns


def _groups(is_moving: np.ndarray, is_full: np.ndarray, n_rows: int) -> Iterator[slice]:
    """Yield consecutive columns that move; those with missing cells by themselves."""
    most, start = max(1, GROUP_CELLS // n_rows), 0
    while start < len(is_moving):
        stop = start + 1
        while is_full[start] and stop < min(start + most, len(is_moving)) and is_moving[stop] and is_full[stop]:
            stop += 1
        if is_moving[start]:
            yield slice(start, stop)
        start = stop


class _Block:
    """Some columns of a block of rows: their values in order, and the rank of each cell.

    Parameters
    ----------
    cells : ndarray of shape (n_columns, n_rows)
    low : ndarray of shape (n_columns,)
        A lower bound of each column.
    last : ndarray of int, shape (n_columns,)
        The last rank of each column; missing cells have larger ones.

    Attributes
    ----------
    rank : ndarray of float32, shape (n_columns, n_rows)
        Ranks below 2**24 are exact.
    """

    def __init__(self, cells: np.ndarray, low: np.ndarray, last: np.ndarray) -> None:
        n_columns, n_rows = cells.shape
        self._starts = np.arange(n_columns)[:, None] * n_rows
        self._last, self._is_full = last[:, None].astype(np.float32), bool((last == n_rows - 1).all())
        order = self.flat(_order(cells, low))
        self._ordered, self._gap = self._in_order(cells, order, last)
        for unsorted in np.flatnonzero(self._gap.min(axis=1) < 0):  # neighbours that the keys do not tell apart
            order[unsorted] = np.argsort(cells[unsorted], kind="stable") + unsorted * n_rows
            self._ordered, self._gap = self._in_order(cells, order, last)
        rank = np.empty(cells.size, dtype=np.float32)
        rank[order.ravel()] = np.tile(np.arange(n_rows, dtype=np.float32), n_columns)
        self.rank = rank.reshape(cells.shape)

    def flat(self, positions: np.ndarray) -> np.ndarray:
        """Return positions in rows as positions in the flat array."""
        return positions + self._starts

    def _in_order(self, cells: np.ndarray, order: np.ndarray, last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the values of each column in order, and the gap from each to the next; the last one is repeated."""
        ordered = cells.take(order)
        for column in () if self._is_full else np.flatnonzero(last < cells.shape[1] - 1):
            ordered[column, last[column] + 1 :] = ordered[column, last[column]]
        gap = np.zeros(cells.shape)
        np.subtract(ordered[:, 1:], ordered[:, :-1], out=gap[:, :-1])
        return ordered, gap

    def values_at(self, position: np.ndarray, scale: float, rng: np.random.Generator) -> np.ndarray:
        """Return the values that lie a random step from ranks; NaN where a rank is that of a missing cell."""
        is_missing = None if self._is_full else position > self._last
        step = _steps().take(rng.integers(RESOLUTION, size=position.shape, dtype=np.uint16))
        step *= self._last * np.float32(scale)
        step += position
        np.abs(step, out=step)
        np.minimum(step, 2 * self._last - step, out=step)
        np.maximum(step, 0, out=step)
        below = step.astype(np.intp)
        step -= below.astype(np.float32)
        below += self._starts
        values = self._gap.take(below)
        values *= step.astype(np.float64)  # which is faster than mixed dtypes
        values += self._ordered.take(below)
        if is_missing is not None:
            values[is_missing] = np.nan
        return values


def _chosen(own: np.ndarray, others: np.ndarray, is_other: np.ndarray) -> np.ndarray:
    """Return ``np.where(is_other, others, own)`` of float32, which takes four times as long for cells at random."""
    mask = np.negative(is_other.view(np.int8), dtype=np.int32)
    own_bits = own.view(np.int32)
    bits = others.view(np.int32) ^ own_bits
    bits &= mask
    bits ^= own_bits
    return bits.view(np.float32)


def _order(cells: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Return the rows of each column in the order of its values; neighbours that differ very little may be exchanged.

    Distances from the lower bound are compared as integers, of which the last bits are the row: sorting these is faster
    than sorting positions.
    """
    n_bits = max(cells.shape[1] - 1, 1).bit_length()
    rows = (1 << n_bits) - 1
    keys = np.abs(cells - low[:, None]).view(np.int64)
    keys &= ~rows
    keys |= np.arange(cells.shape[1])
    keys.sort(axis=1)
    keys &= rows
    return keys


@cache
def _steps() -> np.ndarray:
    """Return the steps in the order of their size."""
    steps: np.ndarray = ndtri((np.arange(RESOLUTION) + 0.5) / RESOLUTION).astype(np.float32)
    return steps
