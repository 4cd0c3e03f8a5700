"""Encoding of the columns of a raw table for compiled models, with numpy only."""

import json
import zlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .._coding import category_codes, is_missing, is_missing_object, microseconds


def columns_of(X: Any) -> list[np.ndarray]:
    """Return the columns of a frame of any library, of an array or of a list of rows, each with its own dtype."""
    names = names_of_frame(X)
    if names is None:
        cells = X if isinstance(X, np.ndarray) else np.asarray(X, dtype=object)
        return list(cells.T)
    return [_values_of(X[name]) for name in names]


def names_of_frame(X: Any) -> Any:
    """Return the column names of a frame; ``None`` for other objects."""
    if hasattr(type(X), "column_names"):  # the attribute columns of pyarrow does not hold names
        return X.column_names
    return getattr(X, "columns", None)


def _values_of(series: Any) -> np.ndarray:
    """Return a column as an array; pandas categories as strings, as in ``fit``."""
    if getattr(getattr(series, "dtype", None), "tz", None) is not None:
        return np.asarray(series, dtype="M8[us]")  # pandas dates with a time zone, converted to UTC
    if not hasattr(getattr(series, "cat", None), "codes"):
        return np.asarray(series)
    codes, spelled = np.asarray(series.cat.codes), np.asarray(series.cat.categories).astype(str).astype(object)
    return np.append(spelled, np.array([None]))[codes]  # the code of a missing cell is -1


class Columns:
    """Encodes raw rows in the same way as the table encoder with which the model was fitted.

    Parameters
    ----------
    categories : list of (ndarray of str or None)
        Sorted categories of each column; ``None`` for numbers and times.
    is_time : ndarray of bool, shape (n_features,)
        Mask of the columns of dates or durations.

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
        present, known = ~is_missing(values), self.categories[index]
        cells, encoded = values[present], np.full(len(values), np.nan)
        if known is not None:
            encoded[present] = category_codes(cells, known)
        elif not self.is_time[index]:
            encoded[present] = cells.astype(np.float64)
        else:
            encoded[present] = microseconds(_as_times(cells))
        return encoded

    def encode_single_row(self, cells: Sequence[Any], column: Callable[[int], Any]) -> list[float]:
        """Return the only row of a frame as floats, with the same result as :meth:`encode`.

        Parameters
        ----------
        cells : sequence of object
            The cells of the row.
        column : callable
            Returns the column at a position. It is called for cells whose encoding depends on the dtype of the column.
        """
        ambiguous = [index for index in self._coded if not _is_unambiguous(cells[index], self.is_time[index])]
        if not ambiguous:
            return self._encode_row(cells)
        codes = self._encode_row([None if index in ambiguous else cell for index, cell in enumerate(cells)])
        for index in ambiguous:
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
        known = [None if of_column is None else of_column.tolist() for of_column in self.categories]
        return {"categories": zlib.compress(json.dumps(known).encode(), 9), "is_time": self.is_time}

    def __setstate__(self, state: dict[str, Any]) -> None:
        known = json.loads(zlib.decompress(state["categories"]))
        self.categories = [None if of_column is None else np.array(of_column, dtype=object) for of_column in known]
        self.is_time = state["is_time"]

    def row_encoder(self) -> Callable[[Sequence[Any]], list[float]]:
        """Return a function that encodes one row in plain Python."""
        coders = [
            _number if known is None and not is_time else _time if known is None else _coder(known.tolist())
            for known, is_time in zip(self.categories, self.is_time, strict=True)
        ]
        return lambda cells: [coder(cell) for coder, cell in zip(coders, cells, strict=True)]


def _as_times(cells: np.ndarray) -> np.ndarray:
    """Return dates or durations as numpy datetimes, also from Python and pandas objects."""
    if cells.dtype.kind in "mM" or len(cells) == 0:
        return cells if len(cells) else cells.astype("M8[us]")
    is_duration = isinstance(cells[0], np.timedelta64) or "delta" in type(cells[0]).__name__.lower()
    return cells.astype("m8[us]" if is_duration else "M8[us]")


def _coder(known: list[str]) -> Callable[[Any], float]:
    code = {category: float(index) for index, category in enumerate(known)}
    nan = float("nan")

    def encode(cell: Any) -> float:
        if type(cell) is str:
            return code.get(cell, nan)
        if isinstance(cell, bytes):
            return code.get(cell.decode(), nan)
        if _is_missing(cell):
            return nan
        if isinstance(cell, float) and cell.is_integer() and str(cell) not in code:
            cell = int(cell)  # extracting a row of a frame converts integers to floats
        return code.get(str(cell), nan)

    return encode


def _is_unambiguous(cell: Any, is_time: bool) -> bool:
    """Whether a single cell of a non-numeric column is encoded in the same way as the whole column.

    This can fail for floats, which may be integers in their column, and for dates with a time zone.
    """
    if type(cell) is str:
        return True
    if is_time:
        return getattr(cell, "tzinfo", None) is None
    return isinstance(cell, int | np.integer | np.bool_) or _is_missing(cell)


def _number(cell: Any) -> float:
    if type(cell) is float:
        return cell
    try:
        return float(cell)
    except TypeError:
        if _is_missing(cell):
            return float("nan")
        raise


def _time(cell: Any) -> float:
    if _is_missing(cell):
        return float("nan")
    cells = np.empty(1, dtype=object)
    cells[0] = getattr(cell, "to_numpy", lambda: cell)()
    return float(microseconds(_as_times(cells))[0])


def _is_missing(cell: Any) -> bool:
    return bool(is_missing_object(cell))
