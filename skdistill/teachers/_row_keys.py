"""Keys of rows: 128 bits that depend on the cells of a row and on the columns, not on the table that it is part of."""

import hashlib
import pickle
from collections.abc import Iterator
from functools import partial
from typing import Any

import narwhals as nw
import numpy as np
from scipy import sparse

from .._tables import is_frame

CELLS_AT_ONCE = 16_384
"""Number of cells that are mixed at once: they and their buffers stay in the cache of a processor core."""

_MIX = tuple(np.uint64(number) for number in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0xD6E8FEB86659FD93))
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_NAN = np.uint64(0x7FF8000000000000)
_MISSING = np.uint64(0xA5A3564E3C1F7D29)
"""Stands for a missing cell of a column that has no NaN, such as one of nullable integers."""

_TYPE_OF = np.frompyfunc(type, 1, 1)
_PICKLE = np.frompyfunc(partial(pickle.dumps, protocol=4), 1, 1)


def row_keys(X: Any) -> np.ndarray:
    """Return a key of 128 bits for each row of a table.

    Equal rows of tables with equal columns (names, dtypes, table type) have equal keys, wherever they are in the table.
    Each cell is mixed with the position of its column to two random numbers of 64 bits, whose sums over the row are the
    key. Text and objects are hashed once per distinct value.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
        Cells that are no numbers must be texts or objects that can be pickled.

    Returns
    -------
    keys : ndarray of uint64, shape (n_samples, 2)
    """
    keys = np.zeros((X.shape[0], 2), dtype=np.uint64)
    if sparse.issparse(X):
        _add_sparse(keys, X)
    elif is_frame(X):
        for position, cells in enumerate(_columns_of_frame(X)):
            for part, bits in enumerate(cells):
                _add_column(keys, bits, _seed(position, part))
    else:
        _add_array(keys, np.asarray(X))
    _finish(keys, _schema(X))
    return keys


def keys_in_batch(keys: np.ndarray) -> np.ndarray:
    """Return keys that also depend on the other rows and the order of a batch.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n_rows, 2)
        Keys of the rows of the batch.
    """
    batch = hashlib.blake2b(np.ascontiguousarray(keys).tobytes(), digest_size=16).digest()
    places = keys.copy()
    _add_column(places, np.arange(len(keys), dtype=np.uint64), _seed(0, 0))
    _finish(places, batch)
    return places


# ---------------------------------------------------------------------- mixing


def _add_column(keys: np.ndarray, bits: np.ndarray, seed: np.uint64) -> None:
    """Add the mixed cells of a column to both sums."""
    for start in range(0, len(bits), CELLS_AT_ONCE):
        part = slice(start, start + CELLS_AT_ONCE)
        first, second = _mixed(bits[part], seed)
        keys[part, 0] += first
        keys[part, 1] += second


def _mixed(bits: np.ndarray, seed: Any) -> tuple[np.ndarray, np.ndarray]:
    """Map 64 bits to two numbers of 64 bits; each is a bijection in which every bit depends on all others."""
    cells = bits ^ seed
    shifted = np.empty_like(cells)
    for shift, factor in ((30, _MIX[0]), (27, _MIX[1])):
        np.right_shift(cells, np.uint64(shift), out=shifted)
        np.bitwise_xor(cells, shifted, out=cells)
        np.multiply(cells, factor, out=cells)
    np.right_shift(cells, np.uint64(31), out=shifted)
    np.bitwise_xor(cells, shifted, out=cells)
    second = cells * _MIX[2]
    np.right_shift(second, np.uint64(32), out=shifted)
    np.bitwise_xor(second, shifted, out=second)
    np.multiply(second, _MIX[0], out=second)
    np.right_shift(second, np.uint64(29), out=shifted)
    np.bitwise_xor(second, shifted, out=second)
    return cells, second


def _seed(position: Any, part: int) -> Any:
    """Return the random number of a column, or of each of several columns."""
    numbers = (np.atleast_1d(np.asarray(position, dtype=np.uint64)) * np.uint64(4) + np.uint64(part + 1)) * _GOLDEN
    seeds = _mixed(numbers, np.uint64(0))[0]
    return seeds if np.ndim(position) else seeds[0]


def _finish(keys: np.ndarray, salt: bytes) -> None:
    """Mix the sums with a salt, so that sums for other columns or batches are other keys."""
    for lane, seed in enumerate(np.frombuffer(salt, dtype=np.uint64)):
        keys[:, lane] = _mixed(np.ascontiguousarray(keys[:, lane]), seed)[lane]


# ---------------------------------------------------------------------- tables


def _schema(X: Any) -> bytes:
    """Return a hash of the type of a table, its columns and their dtypes."""
    kind = [type(X).__module__.split(".")[0], type(X).__name__, X.shape[1:]]
    if not is_frame(X):
        dtype = X.dtype.kind if X.dtype.kind in "OUS" else X.dtype.str  # a longer text changes the width of all cells
        return _digest(repr([*kind, dtype]).encode())
    if nw.dependencies.is_pandas_dataframe(X):
        dtypes = [_name_of(dtype) for dtype in X.dtypes]
        return _digest(repr([*kind, X.columns.tolist(), dtypes]).encode("utf-8", "surrogatepass"))
    frame = nw.from_native(X, eager_only=True)
    return _digest(repr([*kind, [(name, str(dtype)) for name, dtype in frame.schema.items()]]).encode())


def _name_of(dtype: Any) -> str:
    """Return the name of a pandas dtype; categories are part of the cells, so that new ones change no other row."""
    if hasattr(dtype, "categories"):
        return f"category, ordered: {dtype.ordered}"
    return str(dtype)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _add_array(keys: np.ndarray, X: np.ndarray) -> None:
    """Add the cells of an array, as many rows at a time as keep its columns in the cache."""
    table = X.reshape(len(X), -1)
    rows_at_once = max(64, CELLS_AT_ONCE // max(table.shape[1], 1)) if table.dtype.kind in "fiub" else len(table) or 1
    for start in range(0, len(table), rows_at_once):
        part = slice(start, start + rows_at_once)
        if table.dtype.kind in "fiub":
            bits = _bits(np.ascontiguousarray(table[part].T))[0]  # columns first: sums run along rows of this array
            first, second = _mixed(bits, _seed(np.arange(table.shape[1]), 0)[:, None])
            keys[part, 0] += first.sum(axis=0, dtype=np.uint64)
            keys[part, 1] += second.sum(axis=0, dtype=np.uint64)
            continue
        for position in range(table.shape[1]):
            for number, bits in enumerate(_bits(table[part, position])):
                _add_column(keys[part], bits, _seed(position, number))


def _add_sparse(keys: np.ndarray, X: Any) -> None:
    """Add the cells of a sparse matrix that are not zero."""
    rows = X.tocsr(copy=True)
    rows.sum_duplicates()
    rows.eliminate_zeros()
    seeds = _seed(np.arange(rows.shape[1]), 0)
    for start in range(0, rows.shape[0], CELLS_AT_ONCE):
        ends = rows.indptr[start : start + CELLS_AT_ONCE + 1]
        cells = slice(ends[0], ends[-1])
        for bits in _bits(rows.data[cells]):
            for lane, mixed in enumerate(_mixed(bits, seeds[rows.indices[cells]])):
                sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(mixed, dtype=np.uint64)])
                keys[start : start + len(ends) - 1, lane] += np.diff(sums[ends - ends[0]])


def _columns_of_frame(X: Any) -> Iterator[list[np.ndarray]]:
    """Yield the bits of each column, and of an index that holds texts or dates."""
    if nw.dependencies.is_pandas_dataframe(X):
        for position in range(X.shape[1]):
            yield _bits_of_pandas(X.iloc[:, position])
        if X.index.dtype.kind not in "iu":  # integers are positions, which change with the order of the rows
            yield _bits(X.index.to_numpy(dtype=object))
        return
    frame = nw.from_native(X, eager_only=True)
    for name in frame.columns:
        yield _bits_of_series(frame[name])


def _bits_of_pandas(column: Any) -> list[np.ndarray]:
    dtype = column.dtype
    if hasattr(dtype, "categories"):
        codes = column.cat.codes.to_numpy().astype(np.int64)
        texts = np.array([*dtype.categories, None], dtype=object)
        return [codes.view(np.uint64), *(bits[codes] for bits in _bits(texts))]
    if isinstance(dtype, np.dtype):
        return _bits(column.to_numpy())
    if hasattr(dtype, "fill_value"):  # sparse columns
        return _bits(np.asarray(column))
    if dtype.kind in "iufb":
        is_missing, filled = column.isna().to_numpy(dtype=bool), column.fillna(False if dtype.kind == "b" else 0)
        return _with_missing(_bits(filled.to_numpy(dtype=dtype.numpy_dtype)), is_missing)
    if hasattr(dtype, "tz"):
        return _bits(column.to_numpy(dtype=f"M8[{dtype.unit}]"))
    return _bits(column.to_numpy(dtype=object))


def _bits_of_series(column: Any) -> list[np.ndarray]:
    """Return the bits of a column of a frame of any library; missing numbers are no NaN there."""
    is_missing = column.is_null().to_numpy().astype(bool)
    if not is_missing.any():
        return _bits(np.asarray(column.to_numpy()))
    if column.dtype.is_numeric() or column.dtype == nw.Boolean:
        filled = column.fill_null(0 if column.dtype.is_numeric() else False)
        return _with_missing(_bits(np.asarray(filled.to_numpy())), is_missing)
    values = np.asarray(column.to_numpy())
    return _bits(values) if values.dtype.kind in "mM" else _with_missing(_bits(values.astype(object)), is_missing)


def _with_missing(parts: list[np.ndarray], is_missing: np.ndarray) -> list[np.ndarray]:
    return [np.where(is_missing, _MISSING, part) for part in parts]


# ---------------------------------------------------------------------- cells


def _bits(cells: np.ndarray) -> list[np.ndarray]:
    """Return the cells of a column as one or several arrays of 64 bits."""
    kind = cells.dtype.kind
    if kind == "f" and cells.dtype.itemsize <= 8:
        bits = cells.view(f"u{cells.dtype.itemsize}").astype(np.uint64)
        is_nan = np.isnan(cells)
        return [np.where(is_nan, _NAN, bits) if is_nan.any() else bits]
    if kind in "iu":
        return [cells.astype(np.int64 if kind == "i" else np.uint64).view(np.uint64)]
    if kind == "b":
        return [cells.astype(np.uint64)]
    if kind in "mM":
        return [cells.view(np.int64).view(np.uint64)]
    if kind == "c":
        return [*_bits(np.ascontiguousarray(cells.real)), *_bits(np.ascontiguousarray(cells.imag))]
    if kind == "f":  # longer than 64 bits, with padding: a number and what it leaves over
        rounded = cells.astype(np.float64)
        return [*_bits(rounded), *_bits((cells - rounded).astype(np.float64))]
    if kind == "O":
        return _bits_of_objects(cells)
    texts, codes = np.unique(cells, return_inverse=True)
    encoded = [text if kind == "S" else text.encode("utf-8", "surrogatepass") for text in texts.tolist()]
    return _bits_of_distinct(encoded, codes.reshape(-1), b"text" if kind == "U" else b"bytes")


def _bits_of_objects(cells: np.ndarray) -> list[np.ndarray]:
    """Return the bits of objects: by value and type, with equal texts hashed once."""
    types, codes = _distinct(_TYPE_OF(cells))
    found = [np.zeros(len(cells), dtype=np.uint64) for _ in range(2)]
    for code, kind in enumerate(types):
        is_kind = slice(None) if len(types) == 1 else codes == code
        for lane, bits in enumerate(_bits_of_type(cells[is_kind], kind)):
            found[lane][is_kind] = bits
    return found


def _bits_of_type(cells: np.ndarray, kind: type) -> list[np.ndarray]:
    """Return the bits of objects of one type."""
    if kind is float or kind is bool:
        bits = _bits(cells.astype(kind))[0]
        return list(_mixed(bits, np.uint64(1 if kind is float else 2)))
    if kind is type(None):
        return [np.full(len(cells), _MISSING), np.full(len(cells), _GOLDEN)]
    if kind is str:
        texts, codes = _distinct(cells)
        return _bits_of_distinct([text.encode("utf-8", "surrogatepass") for text in texts], codes, b"text")
    pickles, codes = _distinct(_PICKLE(cells))
    return _bits_of_distinct(pickles, codes, b"object")


def _bits_of_distinct(distinct: list[bytes], codes: np.ndarray, tag: bytes) -> list[np.ndarray]:
    """Hash each distinct value, and return the hashes of the cells with the given codes."""
    hashed = [hashlib.blake2b(value, digest_size=16, key=tag).digest() for value in distinct]
    lanes = np.frombuffer(b"".join(hashed), dtype=np.uint64).reshape(-1, 2)
    return [lanes[codes, 0], lanes[codes, 1]]


class _Codes(dict[Any, int]):
    """A dictionary that numbers its keys in the order of their first look-up."""

    def __missing__(self, key: Any) -> int:
        self[key] = len(self)
        return self[key]


def _distinct(cells: np.ndarray) -> tuple[list[Any], np.ndarray]:
    """Return the distinct values of an array of hashable objects, and the position of each cell among them."""
    table = _Codes()
    codes = np.frompyfunc(table.__getitem__, 1, 1)(cells).astype(np.int64)
    return list(table), codes
