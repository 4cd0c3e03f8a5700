"""Conversion of cells to numbers: missing cells, category codes and times. This module depends on numpy only."""

from typing import Any

import numpy as np


def is_missing_object(cell: Any) -> bool:
    """Whether a Python object stands for a missing cell: None, NaN, NaT, NA."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, float | np.floating | np.datetime64 | np.timedelta64) and bool(cell != cell)


_MISSING_OBJECT = np.frompyfunc(is_missing_object, 1, 1)
"""Vectorised test for missing Python objects: ``isnan`` does not support pandas' NA."""


_AS_TEXT = np.frompyfunc(str, 1, 1)


def is_missing(values: np.ndarray) -> np.ndarray:
    """Return a mask of the missing cells of a column: NaN, NaT, None, NA."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind in "mM":
        return np.isnat(values)
    if values.dtype.kind == "O":
        return _MISSING_OBJECT(values).astype(bool)
    return np.zeros(len(values), dtype=bool)


def category_codes(values: np.ndarray, categories: np.ndarray) -> np.ndarray:
    """Return the positions of non-missing cells in ``categories`` as floats; NaN for unknown categories."""
    code = {category: float(position) for position, category in enumerate(categories.tolist())}
    return np.frompyfunc(lambda cell: code.get(cell, np.nan), 1, 1)(as_text(values)).astype(np.float64)


def sorted_categories(values: np.ndarray) -> np.ndarray:
    """Return the sorted distinct strings of non-missing cells as an object array."""
    distinct = sorted(set(as_text(values).tolist()))
    return np.array(distinct, dtype=object)


def as_text(values: np.ndarray) -> np.ndarray:
    """Return cells as an object array of strings: the memory of a fixed-width array depends on the longest string."""
    return values.astype(str).astype(object) if values.dtype.kind == "S" else _AS_TEXT(values.astype(object))


def microseconds(values: np.ndarray) -> np.ndarray:
    """Return non-missing dates or durations in microseconds as floats."""
    return values.astype(f"{values.dtype.kind}8[us]").astype(np.int64).astype(np.float64)
