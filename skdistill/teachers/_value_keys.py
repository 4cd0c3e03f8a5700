"""Keys of rows by the values of their cells, whatever the type of the table, and the rows that have given keys.

The keys of the store (:mod:`._row_keys`) also depend on the type of the table and on its dtypes. Answers that were made
elsewhere come back in other tables: integers as floats, categories as texts, a frame of one library as one of another.
"""

from numbers import Real
from typing import Any

import narwhals as nw
import numpy as np
from scipy import sparse

from .._tables import is_frame, take_rows
from ._row_keys import row_keys

ROWS_AT_ONCE = 100_000
"""Number of rows whose cells are converted at once."""

LARGEST_EXACT = 2**53
"""Larger integers are not all representable as floats; their keys are those of integers."""

_MISSING_TYPES = ("NoneType", "NAType", "NaTType")


def _is_number(cell: Any) -> bool:
    return isinstance(cell, Real | np.bool_) or type(cell).__name__ in _MISSING_TYPES


_IS_NUMBER = np.frompyfunc(_is_number, 1, 1)
_AS_FLOAT = np.frompyfunc(lambda cell: np.nan if type(cell).__name__ in _MISSING_TYPES else float(cell), 1, 1)
_AS_TEXT = np.frompyfunc(lambda cell: str(cell) if isinstance(cell, str) else cell, 1, 1)


def value_keys(X: Any) -> np.ndarray:
    """Return a key of 128 bits for each row of a table, which depends on the values and the order of its cells alone.

    A number is the same in every dtype that holds it exactly, so that 3, 3.0 and ``True`` for 1 are alike; a missing
    cell is the same as NaN; categories are their values. Rows of sparse matrices only equal rows of sparse matrices.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)

    Returns
    -------
    keys : ndarray of uint64, shape (n_samples, 2)
    """
    starts = range(0, X.shape[0], ROWS_AT_ONCE)
    parts = [_keys_of_part(take_rows(X, slice(start, start + ROWS_AT_ONCE))) for start in starts]
    return np.concatenate(parts) if parts else np.empty((0, 2), dtype=np.uint64)


def _keys_of_part(X: Any) -> np.ndarray:
    if sparse.issparse(X):
        return row_keys(sparse.csr_matrix(X, dtype=np.float64))
    if is_frame(X):
        frame = nw.from_native(X, eager_only=True)
        columns = [np.asarray(frame[:, place].to_numpy()) for place in range(frame.shape[1])]
    else:
        columns = list(np.asarray(X).T)
    return row_keys(np.hstack([_keys_of_column(cells) for cells in columns]))


def _keys_of_column(cells: np.ndarray) -> np.ndarray:
    """Return the keys of the cells of a column."""
    kind = cells.dtype.kind
    if kind in "iu":
        return _keys_of_integers(cells)
    if kind in "fb":
        return row_keys(cells.astype(np.float64)[:, None] + 0.0)  # -0.0 is 0.0
    if kind == "M":
        return row_keys(cells.astype("M8[us]")[:, None])
    if kind in "mc":
        return row_keys(cells[:, None])
    return _keys_of_objects(cells.astype(object))


def _keys_of_integers(cells: np.ndarray) -> np.ndarray:
    is_exact = (cells <= LARGEST_EXACT) & (cells >= (-LARGEST_EXACT if cells.dtype.kind == "i" else 0))
    keys = row_keys(cells.astype(np.float64)[:, None])
    if not is_exact.all():
        keys[~is_exact] = row_keys(cells[~is_exact].astype(np.int64)[:, None])
    return keys


def _keys_of_objects(cells: np.ndarray) -> np.ndarray:
    """Return the keys of texts, numbers and missing cells, which may be in one column."""
    are_numbers = _IS_NUMBER(cells).astype(bool)
    keys = np.empty((len(cells), 2), dtype=np.uint64)
    if are_numbers.any():
        keys[are_numbers] = _keys_of_column(_AS_FLOAT(cells[are_numbers]).astype(np.float64))
    if not are_numbers.all():
        keys[~are_numbers] = row_keys(_AS_TEXT(cells[~are_numbers])[:, None])
    return keys


class KeyIndex:
    """Finds keys among known ones.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n_known, 2)
        Different keys.
    """

    def __init__(self, keys: np.ndarray) -> None:
        self._order = np.lexsort((keys[:, 1], keys[:, 0]))
        self._keys = keys[self._order]
        starts = np.flatnonzero(np.diff(self._keys[:, 0], prepend=~self._keys[:1, 0]))
        self._longest = int(np.diff(starts, append=len(keys)).max(initial=0))
        """Maximum number of keys with the same first half, which is 1 but for a chance of one in a million."""

    def find(self, wanted: np.ndarray) -> np.ndarray:
        """Return the position of each wanted key among the known ones; -1 for those that are unknown."""
        found = np.full(len(wanted), -1)
        first = np.searchsorted(self._keys[:, 0], wanted[:, 0])
        for step in range(self._longest):
            places = np.minimum(first + step, len(self._keys) - 1)
            is_it = (self._keys[places] == wanted).all(axis=1)
            found[is_it] = self._order[places[is_it]]
        return found


def occurrences(keys: np.ndarray) -> np.ndarray:
    """Return how many equal keys are before each key."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))  # stable
    is_new = np.ones(len(keys), dtype=bool)
    is_new[1:] = (keys[order][1:] != keys[order][:-1]).any(axis=1)
    starts = np.flatnonzero(is_new)
    counts = np.empty(len(keys), dtype=np.int64)
    counts[order] = np.arange(len(keys)) - np.repeat(starts, np.diff(starts, append=len(keys)))
    return counts


def groups_of(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return an order of the rows in which equal keys are next to each other, and where each group starts in it."""
    order = np.lexsort((keys[:, 1], keys[:, 0]))
    is_new = np.ones(len(keys), dtype=bool)
    is_new[1:] = (keys[order][1:] != keys[order][:-1]).any(axis=1)
    return order, np.flatnonzero(is_new)
