"""Replace cells of any table by cells of other rows or by numbers, keeping its schema."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import narwhals as nw
import numpy as np

from .._encoding import fit_table_encoder
from .._tables import is_frame, without_attrs

LARGEST_EXACT_INTEGER = 2**53
"""Larger numbers are swapped but not shifted, because floats cannot represent all integers above."""

MIN_ROWS_PER_VALUE = 20
"""A column of whole numbers has few values if each of them has at least this many rows on average."""


class Numbers:
    """The values, range and grid of the columns of a table.

    Attributes
    ----------
    values : ndarray of float, shape (n_samples, n_features)
        Cells as numbers, categories as codes; NaN where a cell is missing or infinite. It may be the table itself.
    is_complete : bool
        Whether no cell is missing or infinite.
    low, high : ndarray of shape (n_features,)
        Observed range.
    is_movable : ndarray of bool, shape (n_features,)
        Whether a column has integers or floats; all other columns can only be swapped.
    is_integral : ndarray of bool, shape (n_features,)
        Whether a column only has whole numbers, whatever its dtype.
    few_values : dict of {int: ndarray}
        The values of each movable column of whole numbers that has few of them. No others are drawn, because they may
        be codes, such as the numbers of the branches of a bank.
    """

    def __init__(self, X: Any) -> None:
        encoder = fit_table_encoder(X)
        encoded = encoder.transform(X)
        is_finite = np.isfinite(encoded)
        self.is_complete = bool(is_finite.all())
        self.values = encoded if self.is_complete else np.where(is_finite, encoded, np.nan)
        self.low, self.high = (reduce(self.values, axis=0) for reduce in (np.fmin.reduce, np.fmax.reduce))
        is_exact = np.fmax(np.abs(self.low), np.abs(self.high)) <= LARGEST_EXACT_INTEGER
        self.is_movable = is_exact & ~encoder.is_swap_only_
        self.is_integral = np.array([is_integral(column) for column in self.values.T])
        of_whole = np.flatnonzero(self.is_movable & self.is_integral).tolist()
        few = {index: values_if_few(self.values[:, index]) for index in of_whole}
        self.few_values = {index: values for index, values in few.items() if values is not None}

    def deviation(self) -> np.ndarray:
        """Return the standard deviation of the present values of each column, or 0 if there are none."""
        with np.errstate(over="ignore", invalid="ignore"):
            centred = self.values - (self.low + self.high) / 2  # avoids cancellation in squares of large numbers
            count = np.maximum(np.count_nonzero(~np.isnan(centred), axis=0), 1)
            mean = np.nansum(centred, axis=0) / count
            deviation = np.sqrt(np.nansum((centred - mean) ** 2, axis=0) / count)
        return np.where(np.isfinite(deviation), deviation, 0.0)

    def fit_in(self, drawn: np.ndarray) -> np.ndarray:
        """Round and clip ``drawn``, of shape (n_rows, n_features), in place, to grid, range and few values."""
        np.rint(drawn, out=drawn, where=self.is_integral)
        for index, values in self.few_values.items():
            drawn[:, index] = nearest_values(values, drawn[:, index])
        return np.clip(drawn, self.low, self.high, out=drawn)

    def fit_columns(self, drawn: np.ndarray) -> np.ndarray:
        """Round and clip ``drawn``, of shape (n_features, n_rows), in place as :meth:`fit_in` does."""
        for index, column in enumerate(drawn):
            if self.is_integral[index]:
                np.rint(column, out=column)
            if index in self.few_values:
                column[:] = nearest_values(self.few_values[index], column)
            np.maximum(column, self.low[index], out=column)
            np.minimum(column, self.high[index], out=column)
        return drawn


def is_integral(column: np.ndarray) -> bool:
    """Whether all present values are whole numbers."""
    finite = column[np.isfinite(column)]
    return bool(np.all(finite == np.round(finite)))


def values_if_few(column: np.ndarray) -> np.ndarray | None:
    """Return the ascending values of a column of whole numbers, if it has few and leaves out others in between.

    If there are few values, and all whole numbers in between are among them, rounding alone keeps to values seen.
    """
    present = column[np.isfinite(column)]
    most = len(present) // MIN_ROWS_PER_VALUE
    if len(np.unique(present[: 2 * most + 1])) > most:  # saves sorting the whole column of most tables
        return None
    values = np.unique(present)
    has_gaps = len(values) > 1 and values[-1] - values[0] >= len(values)
    return values if has_gaps and len(values) <= most else None


def nearest_values(values: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the nearest of the ascending values for each number; NaN remains NaN."""
    nearest = values[np.searchsorted(values[:-1] / 2 + values[1:] / 2, numbers)]  # halved first: no overflow
    return np.where(np.isnan(numbers), np.nan, nearest)


def choose_cells(shape: tuple[int, int], probability: float, rng: np.random.Generator) -> np.ndarray:
    """Select each cell with a probability, accurate to 1 in 65,536: a boolean array of ``shape``."""
    threshold = round(probability * 65_536)
    if threshold == 65_536:
        return np.ones(shape, dtype=bool)
    return rng.integers(65_536, size=shape, dtype=np.uint16) < (max(threshold, 1) if probability else 0)


def swap_cells(X: Any, own: np.ndarray, other: np.ndarray, is_swapped: np.ndarray) -> Any:
    """Return the rows ``own`` of an array or a frame with the cells of the rows ``other`` where ``is_swapped``."""
    if is_frame(X):
        return gather_cells(X, np.where(is_swapped, other[:, None], own[:, None]))
    rows = X[own]
    np.copyto(rows, X[other], where=is_swapped)
    return rows


def draw_source(own: np.ndarray, is_drawn: np.ndarray, n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Return the source row of each cell: its own, or a random one of ``n_rows`` where ``is_drawn``."""
    source = np.repeat(own[:, None], is_drawn.shape[1], axis=1)
    for index, drawn in enumerate(_drawn_in_each_column(is_drawn)):
        source[drawn, index] = rng.integers(n_rows, size=len(drawn))
    return source


def resample_cells(X: Any, own: np.ndarray, is_drawn: np.ndarray, rng: np.random.Generator) -> Any:
    """Return the rows ``own`` of ``X`` with cells of any row of the same column where ``is_drawn``."""
    if is_frame(X):
        return gather_cells(X, draw_source(own, is_drawn, X.shape[0], rng))
    rows = X[own]  # as above, without an array of source rows
    for index, drawn in enumerate(_drawn_in_each_column(is_drawn)):
        rows[drawn, index] = X[rng.integers(X.shape[0], size=len(drawn)), index]
    return rows


def _drawn_in_each_column(is_drawn: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the drawn rows column by column: all types of tables draw in this order and give the same rows."""
    for index in range(is_drawn.shape[1]):
        yield np.flatnonzero(is_drawn[:, index])


def gather_cells(X: Any, source: np.ndarray) -> Any:
    """Build a table like ``X`` whose cell (i, j) is ``X[source[i, j], j]``."""
    if not is_frame(X):
        rows = np.empty(source.shape, dtype=X.dtype)
        for index in range(X.shape[1]):
            rows[:, index] = X[source[:, index], index]
        return rows
    frame = nw.maybe_reset_index(nw.from_native(without_attrs(X), eager_only=True))
    columns = [nw.maybe_reset_index(frame[:, index][source[:, index]]) for index in range(frame.shape[1])]
    return columns[0].to_frame().with_columns(*columns[1:]).to_native()


def put_numbers(rows: Any, numbers: np.ndarray) -> Any:
    """Replace cells by ``numbers``, an array of the same shape, where it is finite; dtypes are kept."""
    is_new = np.isfinite(numbers)
    if not is_frame(rows):
        if rows.dtype == object:
            rows[is_new] = _LIKE(rows[is_new], numbers[is_new])
        else:
            np.copyto(rows, numbers, where=is_new, casting="unsafe")
        return rows
    frame = nw.from_native(rows, eager_only=True)
    columns = [_put(frame[:, index], numbers[:, index]) for index in np.flatnonzero(is_new.any(axis=0)).tolist()]
    return frame.with_columns(*columns).to_native() if columns else rows


_LIKE = np.frompyfunc(lambda old, new: int(new) if isinstance(old, Integral) else new, 2, 1)
"""Convert a number to the type of the cell that it replaces, for cells of Python objects."""


def _put(cells: nw.Series[Any], numbers: np.ndarray) -> nw.Series[Any]:
    """Replace cells of a numeric series where ``numbers`` is finite; the dtype is kept."""
    new = np.flatnonzero(np.isfinite(numbers))
    drawn = nw.new_series(cells.name, numbers[new], nw.Float64, backend=cells.implementation).cast(cells.dtype)
    return cells.scatter(new.tolist(), drawn)


def swap_terms(X: Any, own: np.ndarray, other: np.ndarray, probability: float, rng: np.random.Generator) -> Any:
    """Return the rows ``own`` of a sparse matrix, with stored cells of ``other`` with the given probability."""
    mine, others = X[own], X[other]
    kept = ((mine != 0) + (others != 0)).tocsr()
    taken = kept.copy()
    taken.data = rng.random(taken.nnz) < probability
    kept.data = ~taken.data
    swapped = type(mine)(mine.multiply(kept) + others.multiply(taken))
    swapped.eliminate_zeros()
    return swapped.astype(mine.dtype)
