"""Encoding of the columns of a raw table for compiled models, with numpy only."""

import json
import zlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .._coding import is_missing, is_missing_object, microseconds, microseconds_in, number_in, numbers_in
from .._spelling import Lookup
from ._packing import deflated


def columns_of(X: Any) -> list[np.ndarray]:
    """Return the columns of a frame of any library, of an array or of a list of rows, each with its own dtype."""
    names = None if hasattr(type(X), "collect") else names_of_frame(X)
    if names is None:
        cells = X if isinstance(X, np.ndarray) else rows_as_array(X, object)
        return list(cells.T) if cells.ndim == 2 else [cells]
    if len(set(names)) < len(names):
        raise ValueError("CompiledModel: got a frame with several columns of one name; expected distinct names.")
    return [_values_of(X[name]) for name in names]


def rows_as_array(X: Any, dtype: Any = None) -> np.ndarray:
    """Return rows that are no array as an array, or raise an error that says what else is expected."""
    if not (hasattr(X, "__array__") or isinstance(X, Sequence)) or isinstance(X, str | bytes):
        is_lazy = hasattr(type(X), "collect")
        raise ValueError(
            f"CompiledModel: got {'a lazy frame' if is_lazy else type(X).__name__}; expected an array, a list or "
            f"a data frame.{' Pass X.collect().' if is_lazy else ''}"
        )
    try:
        rows = np.asarray(X, dtype=dtype)
    except ValueError:
        rows = np.empty(0)
    if rows.ndim < 2 and isinstance(next(iter(X), None), list | tuple):
        raise ValueError("CompiledModel: got rows of different lengths; expected the columns of fit in each row.")
    return rows if rows.ndim == 2 or dtype is None else _with_cells_kept(X, rows)


def names_of_frame(X: Any) -> Any:
    """Return the column names of a frame; ``None`` for other objects."""
    if hasattr(type(X), "column_names"):  # the attribute columns of pyarrow does not hold names
        return X.column_names
    return getattr(X, "columns", None)


def _with_cells_kept(X: Any, rows: np.ndarray) -> np.ndarray:
    """Return rows whose cells are tuples or lists, of which numpy makes further axes, as an array of such cells."""
    if rows.ndim < 2:
        return rows
    kept = np.empty(rows.shape[:2], dtype=object)
    for column in range(rows.shape[1]):
        cells = [row[column] for row in X]
        kept[:, column] = np.fromiter(cells, dtype=object, count=len(cells))
    return kept


def _values_of(series: Any) -> np.ndarray:
    """Return a column as an array; pandas categories as objects, as in ``fit``."""
    if type(series).__module__.startswith("polars") and str(series.dtype) in ("Int128", "UInt128"):
        return np.asarray(series.to_list(), dtype=object)  # numpy has no such integers
    if getattr(getattr(series, "dtype", None), "tz", None) is not None:
        return np.asarray(series, dtype="M8[us]")  # pandas dates with a time zone, converted to UTC
    if not hasattr(getattr(series, "cat", None), "codes"):
        return np.asarray(series)
    categories = np.asarray(series.cat.categories.astype(object))
    return np.append(categories, np.array([None]))[np.asarray(series.cat.codes)]  # the code of a missing cell is -1


class Columns:
    """Encodes raw rows in the same way as the table encoder with which the model was fitted.

    Numbers are unchanged, texts in columns of numbers are parsed, dates (in UTC; texts in ISO 8601 are parsed) and
    durations become microseconds, and categories become their positions in ``categories``. A category is stored as one
    text: whole numbers as integers ("1"), booleans as "True" and "False", dates in UTC as "2020-01-31" or
    "2020-01-31T12:00:00". A cell matches the category of its own text; otherwise the only category of the same value:
    a number matches any text that spells it, True and False match 1 and 0, and the texts "1" and "1.0" match each
    other.

    Parameters
    ----------
    categories : list of (ndarray of str or None)
        Sorted categories of each column; ``None`` for numbers and times.
    is_time : ndarray of bool, shape (n_features,)
        Mask of the columns of dates or durations.

    Raises
    ------
    ValueError
        By ``encode``: if there are more or fewer columns, or if a cell of a column of numbers or dates is something
        else.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import Columns
    >>> columns = Columns([np.array(["a", "b"]), None], np.array([False, False]))
    >>> columns.encode([["b", 1.5], ["never seen", None]])
    array([[1. , 1.5],
           [nan, nan]])
    """

    def __init__(self, categories: Sequence[np.ndarray | None], is_time: np.ndarray) -> None:
        self.categories = [None if known is None else np.asarray(known) for known in categories]
        self.is_time = is_time

    @property
    def are_numbers(self) -> bool:
        """Whether all columns are numeric, so that no encoding is needed."""
        return all(known is None for known in self.categories) and not self.is_time.any()

    def encode(self, X: Any) -> np.ndarray:
        """Return raw rows as floats; missing cells and unseen categories are NaN."""
        columns = columns_of(X.toarray() if hasattr(X, "toarray") else X)
        if len(columns) != len(self.categories):
            raise ValueError(
                f"CompiledModel: got rows of {len(columns)} columns; expected {len(self.categories)}. Pass the columns "
                "of fit, all of them and no others."
            )
        return np.column_stack([self._encode_column(values, index) for index, values in enumerate(columns)])

    def _encode_column(self, values: np.ndarray, index: int) -> np.ndarray:
        present, lookup = ~is_missing(values), self._lookups[index]
        cells, encoded = values[present], np.full(len(values), np.nan)
        if lookup is not None:
            encoded[present] = lookup.codes(cells)
        else:
            encoded[present] = (microseconds if self.is_time[index] else numbers_in)(cells, _who(index))
        return encoded

    @cached_property
    def _lookups(self) -> list[Lookup | None]:
        return [None if known is None else Lookup(known.tolist()) for known in self.categories]

    def encode_single_row(self, cells: Sequence[Any], column: Callable[[int], Any]) -> list[float]:
        """Return the only row of a frame as floats, with the same result as :meth:`encode`.

        Parameters
        ----------
        cells : sequence of object
            The cells of the row. If all columns are numeric, pandas has converted integers to floats.
        column : callable
            Returns the column at a position. It is called for numbers that are not exact as floats.
        """
        codes = self._encode_row(cells)
        for index in self._coded:
            cell = cells[index]
            if type(cell) is float and abs(cell) >= LARGEST_EXACT_INTEGER:
                codes[index] = float(self._encode_column(_values_of(column(index)), index)[0])
        return codes

    @cached_property
    def _coded(self) -> list[int]:
        """Positions of the columns that are not numeric."""
        return [index for index, known in enumerate(self.categories) if known is not None or self.is_time[index]]

    @cached_property
    def _encode_row(self) -> Callable[[Sequence[Any]], list[float]]:
        return self.row_encoder()

    def __getstate__(self) -> dict[str, Any]:
        return {"categories": zlib.compress(json.dumps(self._listed()).encode(), 9), "times": self._times}

    def __setstate__(self, state: dict[str, Any]) -> None:
        known = json.loads(zlib.decompress(state["categories"]))
        self.categories = [None if of_column is None else np.array(of_column, dtype=object) for of_column in known]
        if "is_time" in state:  # of earlier releases
            self.is_time = state["is_time"]
        else:
            self.is_time = np.isin(np.arange(len(known)), state["times"])

    @property
    def _times(self) -> list[int]:
        return np.flatnonzero(self.is_time).tolist()

    def _listed(self) -> list[Any]:
        return [None if of_column is None else of_column.tolist() for of_column in self.categories]

    def row_encoder(self) -> Callable[[Sequence[Any]], list[float]]:
        """Return a function that encodes one row in plain Python."""
        coders = [self._coder(index) for index in range(len(self.categories))]
        return lambda cells: [coder(cell) for coder, cell in zip(coders, cells, strict=True)]

    def _coder(self, index: int) -> Callable[[Any], float]:
        """Return a function that encodes a cell of a column."""
        lookup = self._lookups[index]
        if lookup is not None:
            return _coder(lookup)
        return _time_coder(index) if self.is_time[index] else _number_coder(index)


def pack_table(names: list[str] | None, columns: Columns | None) -> bytes | None:
    """Return the names and the encoder of columns, compressed together; ``None`` if there are neither."""
    if names is None and columns is None:
        return None
    content: list[Any] = [names]
    if columns is not None:
        content += [len(columns.categories) if columns.are_numbers else columns._listed(), *columns._times]
    text = json.dumps(content, separators=(",", ":"))
    return deflated(text.encode())


def unpack_table(packed: bytes) -> tuple[list[str] | None, Columns | None]:
    """Undo :func:`pack_table`."""
    names, *of_columns = json.loads(zlib.decompress(packed, -zlib.MAX_WBITS))
    if not of_columns:
        return names, None
    known, *times = of_columns
    known = [None] * known if isinstance(known, int) else known
    categories = [None if of_column is None else np.array(of_column, dtype=object) for of_column in known]
    return names, Columns(categories, np.isin(np.arange(len(known)), times))


LARGEST_EXACT_INTEGER = 2.0**53
"""Floats represent all integers up to this one."""


def _who(index: int) -> str:
    return f"CompiledModel: column {index}"


def _coder(lookup: Lookup) -> Callable[[Any], float]:
    code, nan = lookup.texts, float("nan")

    def encode(cell: Any) -> float:
        if type(cell) is str:
            return code.get(cell, nan)
        return nan if is_missing_object(cell) else lookup.code(cell)

    return encode


def _number_coder(index: int) -> Callable[[Any], float]:
    who = _who(index)

    def encode(cell: Any) -> float:
        if type(cell) is float:
            return cell
        try:
            return float(cell)
        except (TypeError, ValueError):
            return number_in(cell, who)

    return encode


def _time_coder(index: int) -> Callable[[Any], float]:
    who = _who(index)
    return lambda cell: microseconds_in(cell, who)
