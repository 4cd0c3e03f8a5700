"""Columns of a raw table as the numbers that a compiled model compares, with nothing but numpy."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .._coding import category_codes, is_missing, microseconds


def as_objects(X: Any) -> np.ndarray:
    """Return a frame of any library, a list of rows, or one row, as an array of Python objects."""
    names = getattr(X, "column_names", getattr(X, "columns", None))
    if names is None:
        return np.asarray(X, dtype=object)
    cells = np.empty((len(X), len(names)), dtype=object)
    for index, name in enumerate(names):
        cells[:, index] = np.asarray(X[name])
    return cells


class Columns:
    """Codes the cells of raw rows as the table's encoder did when the model was fitted.

    Parameters
    ----------
    categories : list of (ndarray of str or None)
        Sorted categories of each column; ``None`` for numbers and times.
    is_time : ndarray of bool, shape (n_features,)
        Which columns hold dates or durations.
    """

    def __init__(self, categories: Sequence[np.ndarray | None], is_time: np.ndarray) -> None:
        self.categories = [None if known is None else np.asarray(known) for known in categories]
        self.is_time = is_time

    def encode(self, X: Any) -> np.ndarray:
        """Return raw rows as floats; missing cells and unseen categories are NaN."""
        cells = as_objects(X)
        encoded = np.full(cells.shape, np.nan)
        for index, known in enumerate(self.categories):
            column = cells[:, index]
            present = ~is_missing(column)
            if known is not None:
                encoded[present, index] = category_codes(column[present], known)
            elif self.is_time[index]:
                encoded[present, index] = [_time(cell) for cell in column[present]]
            else:
                encoded[present, index] = column[present].astype(np.float64)
        return encoded

    def row_encoder(self) -> Callable[[Sequence[Any]], list[float]]:
        """Return a function that encodes one row, without numpy's overhead."""
        coders = [
            _number if known is None and not is_time else _time if known is None else _coder(known.tolist())
            for known, is_time in zip(self.categories, self.is_time, strict=True)
        ]
        return lambda cells: [coder(cell) for coder, cell in zip(coders, cells, strict=True)]


def _coder(known: list[str]) -> Callable[[Any], float]:
    code = {category: float(index) for index, category in enumerate(known)}
    nan = float("nan")

    def encode(cell: Any) -> float:
        if type(cell) is str:
            return code.get(cell, nan)
        return nan if _is_missing(cell) else code.get(str(cell), nan)

    return encode


def _number(cell: Any) -> float:
    return cell if type(cell) is float else float("nan") if _is_missing(cell) else float(cell)


def _time(cell: Any) -> float:
    if _is_missing(cell):
        return float("nan")
    return float(microseconds(np.asarray([getattr(cell, "to_numpy", lambda: cell)()]).astype(_time_dtype(cell)))[0])


def _time_dtype(cell: Any) -> str:
    is_duration = isinstance(cell, np.timedelta64) or "delta" in type(cell).__name__.lower()
    return "m8[us]" if is_duration else "M8[us]"


def _is_missing(cell: Any) -> bool:
    return bool(is_missing(np.array([cell], dtype=object))[0])
