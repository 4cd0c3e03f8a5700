"""Conversion of cells to numbers: missing cells, numbers and times. This module depends on numpy only."""

import datetime as dt
from typing import Any

import numpy as np


def is_missing_object(cell: Any) -> bool:
    """Whether a Python object stands for a missing cell: None, NaN, NaT, NA."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(cell, float | np.floating | np.datetime64 | np.timedelta64) and bool(cell != cell)


_MISSING_OBJECT = np.frompyfunc(is_missing_object, 1, 1)
"""Vectorised test for missing Python objects: ``isnan`` does not support pandas' NA."""


def is_missing(values: np.ndarray) -> np.ndarray:
    """Return a mask of the missing cells of a column: NaN, NaT, None, NA."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    if values.dtype.kind in "mM":
        return np.isnat(values)
    if values.dtype.kind == "O":
        return _MISSING_OBJECT(values).astype(bool)
    return np.zeros(len(values), dtype=bool)


# ---------------------------------------------------------------------- numbers


def numbers_in(values: np.ndarray, column: str) -> np.ndarray:
    """Return the non-missing cells of a column of numbers as floats; texts are parsed.

    Raises
    ------
    ValueError
        If a cell is no number. The message begins with ``column``.
    """
    if values.dtype.kind in "biuf":
        return values.astype(np.float64)
    if values.dtype.kind in "mM":
        values = values.astype(f"{values.dtype.kind}8[us]")  # as objects, times in nanoseconds would be integers
    cells = values.astype(object)
    try:
        return cells.astype(np.float64)
    except (TypeError, ValueError):
        return np.array([number_in(cell, column) for cell in cells.tolist()])


def number_in(cell: Any, column: str) -> float:
    """Return a cell of a column of numbers as a float, NaN if it is missing; the same as :func:`numbers_in`."""
    try:
        return float(cell)
    except (TypeError, ValueError):
        if is_missing_object(cell):
            return float("nan")
        raise ValueError(
            f"{column} contains {cell!r}; expected numbers, as in fit. Convert it to numbers, or fit on a column of "
            "this kind."
        ) from None


def is_numeric(values: np.ndarray) -> bool:
    """Whether all cells of a column can be converted to floats."""
    try:
        values.astype(np.float64)
    except (TypeError, ValueError):
        return False
    return True


# ---------------------------------------------------------------------- times


def is_date(cell: Any) -> bool:
    """Whether a cell is a date or a moment of any library, or a period, which stands for its start."""
    return isinstance(cell, dt.date | np.datetime64) or type(cell).__name__ == "Period"


def is_duration(cell: Any) -> bool:
    """Whether a cell is a duration of any library."""
    return isinstance(cell, dt.timedelta | np.timedelta64)


def naive_utc(cell: Any) -> Any:
    """Return a date or duration as an object that numpy converts; moments with a time zone in UTC."""
    if type(cell).__name__ == "Period":
        cell = cell.to_timestamp()
    if getattr(cell, "tzinfo", None) is not None:
        cell = cell.astimezone(dt.UTC).replace(tzinfo=None)
    if isinstance(cell, np.datetime64 | np.timedelta64):
        return cell
    return np.timedelta64(cell, "us") if is_duration(cell) else np.datetime64(cell, "us")


def are_times(values: np.ndarray) -> bool:
    """Whether the non-missing cells of a column are all dates, or all durations."""
    if values.dtype.kind in "mM":
        return True
    if values.dtype.kind != "O" or len(values) == 0:
        return False
    of_each_type = list({type(cell): cell for cell in values.tolist()}.values())
    return all(map(is_date, of_each_type)) or all(map(is_duration, of_each_type))


def microseconds(values: np.ndarray, column: str) -> np.ndarray:
    """Return non-missing dates or durations in microseconds as floats; dates in UTC, texts in ISO 8601 are parsed.

    Raises
    ------
    ValueError
        If a cell is neither a date nor a duration. The message begins with ``column``.
    """
    if values.dtype.kind in "mM":
        return values.astype(f"{values.dtype.kind}8[us]").astype(np.int64).astype(np.float64)
    cells = values.astype(object).tolist()
    found = {cell: microseconds_in(cell, column) for cell in set(cells)}
    return np.fromiter(map(found.__getitem__, cells), dtype=np.float64, count=len(cells))


def microseconds_in(cell: Any, column: str) -> float:
    """Return a date or duration in microseconds, NaN if it is missing; the same as :func:`microseconds`."""
    if is_missing_object(cell):
        return float("nan")
    time = _parsed(cell) if isinstance(cell, str) else cell
    if is_date(time) or is_duration(time):
        return float(naive_utc(time).astype("m8[us]" if is_duration(time) else "M8[us]").astype(np.int64))
    raise ValueError(
        f"{column} contains {cell!r}; expected dates or durations, as in fit. Convert it to dates, or to texts such as "
        "'2020-01-31T12:00:00'."
    )


def _parsed(text: str) -> Any:
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        return text
