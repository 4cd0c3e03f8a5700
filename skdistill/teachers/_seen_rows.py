"""The rows that a fit has seen, kept as salted keys: which rows of another table are among them."""

import hashlib
import math
import numbers
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Self

import narwhals as nw
import numpy as np
from scipy import sparse

from .._tables import is_frame
from ._row_keys import CELLS_AT_ONCE, _add_column, _bits_of_type, _distinct, _mixed, _seed

MANY_DEVIATIONS = 3.0
"""Number of standard deviations from which more rows than by chance are equal to rows that were seen."""

_MISSING = np.uint64(0x7FC00000A5A3564E)
_TYPE_OF = np.frompyfunc(type, 1, 1)


class RowKeys(NamedTuple):
    """Keys of the rows of a table that is not in memory, as :func:`value_keys` returns them, in place of the table."""

    keys: np.ndarray


class SeenRows:
    """Salted keys of rows: 128 bits for each distinct row, from which the rows cannot be read.

    Rows are compared by the values of their cells in single precision, whatever the type of the table and the names of
    its columns are. A row that can be guessed can be recognised: keys hide rows as well as they are hard to guess.

    Attributes
    ----------
    keys : ndarray of uint64, shape (n_distinct, 2)
        Sorted keys; 16 bytes a row.
    n_rows : int
        Number of rows, equal ones included.
    repeated : float
        Share in [0, 1] of the rows that occur more than once in their table: about the probability that another row
        equals one of them by chance.
    output_variance : ndarray of shape (n_outputs,) or None
        Variance of the teacher's outputs on the rows that it was queried for; infinite if no double can hold it.
    earlier : SeenRows or None
        Rows of an earlier fit, whose student was refreshed; they count as seen too.
    """

    earlier: "SeenRows | None" = None

    def __init__(
        self, tables: Sequence[Any], outputs: np.ndarray | None = None, earlier: "SeenRows | None" = None
    ) -> None:
        keys = [X.keys if isinstance(X, RowKeys) else value_keys(X) for X in tables]
        self.n_rows = sum(map(len, keys))
        repeats = sum(float(_is_repeated(part).sum()) for part in keys)
        self.repeated = repeats / max(self.n_rows, 1)
        together = np.concatenate(keys)
        # the salt depends on all rows, so that keys of other tables are others and a fit with a seed can be repeated
        self._salt = np.frombuffer(hashlib.blake2b(together.tobytes(), digest_size=16).digest(), dtype=np.uint64)
        self.keys = _sorted(self._salted(together))
        self.output_variance = None if outputs is None else _variance(outputs)
        if earlier is not None:
            self.earlier, n_new = earlier, self.n_rows
            self.n_rows += earlier.n_rows
            self.repeated = (n_new * self.repeated + earlier.n_rows * earlier.repeated) / max(self.n_rows, 1)

    def find(self, X: Any) -> np.ndarray:
        """Return a mask of the rows of a table that are equal to a row that was seen, of shape (n_samples,)."""
        keys = self._salted(value_keys(X))
        places = np.minimum(np.searchsorted(self.keys[:, 0], keys[:, 0]), len(self.keys) - 1)
        is_seen = (self.keys[places] == keys).all(axis=1)
        return is_seen if self.earlier is None else is_seen | self.earlier.find(X)

    def count_beyond_chance(self, X: Any, is_equal: np.ndarray | None = None) -> int:
        r"""Return how many rows of a table were seen: those that are equal, less those that are equal by chance.

        In a table with few different rows, new rows are equal to others by chance. The probability is about the share
        of the seen rows that occur more than once, and, if the share q of the N rows of ``X`` occurs more than once, at
        most :math:`1 - (1 - q)^{n / N}` for n seen rows. The smaller of both counts, so that neither rows that were
        copied before the fit nor few rows of ``X`` hide that rows were seen. The number is 0 unless more rows are equal
        than three standard deviations above what is expected.
        """
        is_equal = self.find(X) if is_equal is None else is_equal
        n_rows, n_equal = len(is_equal), int(is_equal.sum())
        if not n_equal:
            return 0
        n_repeated = int(_is_repeated(value_keys(X)).sum())
        most_repeated = min(n_repeated + MANY_DEVIATIONS * (1 + math.sqrt(n_repeated)), n_rows)
        of_these = 1 - (1 - most_repeated / n_rows) ** max(self.n_rows / n_rows, 1.0)
        chance = min(self.repeated, of_these)
        expected = chance * n_rows
        if chance == 1 or n_equal <= expected + MANY_DEVIATIONS * math.sqrt(expected * (1 - chance)):
            return 0
        return round((n_equal - expected) / (1 - chance))

    def __sizeof__(self) -> int:
        return self.keys.nbytes + (0 if self.earlier is None else self.earlier.__sizeof__())

    def __repr__(self) -> str:
        return f"<SeenRows: {self.n_rows:,} rows, {self.__sizeof__():,} bytes>"

    def _salted(self, keys: np.ndarray) -> np.ndarray:
        """Return the keys mixed with the salt; what is added cannot be undone without the other half."""
        first, second = np.ascontiguousarray(keys[:, 0]), np.ascontiguousarray(keys[:, 1])
        return np.column_stack(
            [_mixed(first, self._salt[0])[0] + second, _mixed(second, self._salt[1])[1] + _mixed(first, second)[0]]
        )

    @classmethod
    def of(cls, X: Any, outputs: np.ndarray | None = None) -> Self:
        """Return the keys of one table."""
        return cls([X], outputs)


def value_keys(X: Any) -> np.ndarray:
    """Return a key of 128 bits for each row, by the values of its cells and their positions.

    Unlike :func:`row_keys`, equal rows have equal keys in tables of any type: arrays, sparse matrices and frames, with
    numbers of any precision (rounded to single precision), missing cells of any kind, categories or texts.
    """
    keys = np.zeros((X.shape[0], 2), dtype=np.uint64)
    if sparse.issparse(X):
        _add_sparse_cells(keys, X)
        return keys
    if not is_frame(X) and np.asarray(X).dtype.kind in "fiub":
        _add_numbers(keys, np.asarray(X))
        return keys
    for position, cells in _columns(X):
        for part, bits in enumerate(_bits_by_value(cells)):
            if bits.any():
                _add_nonzero(keys, bits, _seed(position, part))
    return keys


def _columns(X: Any) -> Iterator[tuple[int, np.ndarray]]:
    """Yield positions and cells of the columns of a dense table."""
    if is_frame(X):
        frame = nw.from_native(X, eager_only=True)
        for position in range(X.shape[1]):
            yield position, _cells(frame[:, position])
    else:
        table = np.asarray(X).reshape(len(X), -1)
        for position in range(table.shape[1]):
            yield position, table[:, position]


def _cells(column: Any) -> np.ndarray:
    """Return the cells of a column of a frame as an array; times with a zone are those of UTC.

    Integers of 128 bits, of which numpy has none, are rounded like all other numbers. Cells that hold several numbers
    are lists.
    """
    if column.dtype in (nw.Int128, nw.UInt128):
        column = column.cast(nw.Float64)
    if isinstance(column.dtype, nw.Datetime) and column.dtype.time_zone is not None:
        column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    cells = np.asarray(column.to_numpy())
    return cells if cells.ndim == 1 else np.fromiter(column.to_list(), dtype=object, count=len(cells))


def _bits_by_value(cells: np.ndarray) -> list[np.ndarray]:
    """Return the cells of a column as 64 bits, or as two times 64 bits for texts and objects; zero and 0.0 are 0."""
    kind = cells.dtype.kind
    if kind in "fiub":
        return [_bits_of_numbers(cells)]
    if kind in "mM":
        ticks = cells.astype(f"{kind}8[us]")
        return [np.where(np.isnat(ticks), _MISSING, ticks.view(np.int64).view(np.uint64))]
    found = [np.zeros(len(cells), dtype=np.uint64) for _ in range(2)]
    cells = cells.astype(object)
    types, codes = _distinct(_TYPE_OF(cells))
    for code, each in enumerate(types):
        is_kind = codes == code
        for lane, bits in enumerate(_bits_of_objects(cells[is_kind], each)):
            found[lane][is_kind] = bits
    return found


def _bits_of_numbers(cells: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        rounded = cells.astype(np.float32) + np.float32(0.0)  # no negative zero
    bits = rounded.view(np.uint32).astype(np.uint64)
    return np.where(np.isnan(rounded), _MISSING, bits)


def _bits_of_objects(cells: np.ndarray, kind: type) -> list[np.ndarray]:
    """Return the bits of objects of one type: numbers as in a column of numbers, missing ones as missing numbers."""
    if issubclass(kind, numbers.Real | np.bool_ | Decimal):
        return [_bits_of_numbers(cells.astype(np.float64))]
    if kind is type(None) or kind.__name__ in ("NAType", "NaTType"):
        return [np.full(len(cells), _MISSING)]
    if issubclass(kind, np.str_):
        return _bits_of_type(cells.astype(str).astype(object), str)
    return _bits_of_type(cells, kind)


def _add_numbers(keys: np.ndarray, X: np.ndarray) -> None:
    """Add the mixed cells of an array of numbers that are not zero, as many rows at a time as stay in the cache."""
    table = X.reshape(len(X), -1)
    seeds = _seed(np.arange(table.shape[1]), 0)[:, None]
    rows_at_once = max(64, CELLS_AT_ONCE // max(table.shape[1], 1))
    for start in range(0, len(table), rows_at_once):
        part = slice(start, start + rows_at_once)
        bits = _bits_of_numbers(np.ascontiguousarray(table[part].T))  # columns first: sums run along rows of this array
        is_zero = bits == 0
        has_zeros = is_zero.any()
        for lane, mixed in enumerate(_mixed(bits, seeds)):
            if has_zeros:
                mixed[is_zero] = 0
            keys[part, lane] += mixed.sum(axis=0, dtype=np.uint64)


def _add_nonzero(keys: np.ndarray, bits: np.ndarray, seed: np.uint64) -> None:
    """Add the mixed cells of a column that are not zero, so that sparse and dense tables have equal keys."""
    if bits.all():
        _add_column(keys, bits, seed)
        return
    rows = np.flatnonzero(bits)
    some = np.zeros((len(rows), 2), dtype=np.uint64)
    _add_column(some, bits[rows], seed)
    keys[rows] += some


def _add_sparse_cells(keys: np.ndarray, X: Any) -> None:
    """Add the mixed cells of a sparse matrix that are not zero, as many rows at a time as have few cells."""
    rows = X.tocsr(copy=True)
    rows.sum_duplicates()
    seeds = _seed(np.arange(rows.shape[1]), 0)
    for start in range(0, rows.shape[0], CELLS_AT_ONCE):
        ends = rows.indptr[start : start + CELLS_AT_ONCE + 1]
        cells = slice(ends[0], ends[-1])
        bits = _bits_of_numbers(rows.data[cells])
        for lane, mixed in enumerate(_mixed(bits, seeds[rows.indices[cells]])):
            mixed[bits == 0] = 0
            sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed, dtype=np.uint64)])
            keys[start : start + len(ends) - 1, lane] += np.diff(sums[ends - ends[0]])


def _sorted(keys: np.ndarray) -> np.ndarray:
    """Return the distinct keys in the order of their first half."""
    ordered, repeats = _in_order(keys)
    return ordered[np.append(True, ~repeats)] if repeats.any() else ordered


def _in_order(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the keys in order, and which of them, but for the first one, equal the key before.

    Different keys hardly ever share their first half, so that one sort of it suffices.
    """
    ordered = keys[np.argsort(keys[:, 0])]
    halves = ordered[1:] == ordered[:-1]
    if np.any(halves[:, 0] & ~halves[:, 1]):
        ordered = keys[np.lexsort((keys[:, 1], keys[:, 0]))]
        halves = ordered[1:] == ordered[:-1]
    return ordered, halves[:, 0] & halves[:, 1]


def _variance(outputs: np.ndarray) -> np.ndarray:
    """Return the variance of each output."""
    columns = np.asarray(outputs, dtype=float).reshape(len(outputs), -1)
    with np.errstate(over="ignore"):
        return np.var(columns, axis=0)


def _is_repeated(keys: np.ndarray) -> np.ndarray:
    """Return a mask of the keys, in sorted order, that occur more than once."""
    same = _in_order(keys)[1]
    return np.append(False, same) | np.append(same, False)
