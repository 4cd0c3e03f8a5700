"""Chunks in the kind of table that models take: frames of pandas, polars or pyarrow, or arrays."""

from importlib.util import find_spec
from typing import Any

import narwhals as nw
import numpy as np

from .._tables import is_frame, library_of

KINDS = ("pandas", "polars", "pyarrow", "numpy")
"""Kinds of table that chunks can be converted to."""


def default_kind() -> str:
    """Return the kind of table for sources of Arrow: pandas if it is installed, otherwise polars or pyarrow."""
    return next(kind for kind in ("pandas", "polars", "pyarrow") if kind == "pyarrow" or find_spec(kind))


def converted(table: Any, kind: str | None) -> Any:
    """Return a table as the given kind; ``None`` keeps frames and arrays, and makes frames of record batches."""
    if type(table).__name__ == "RecordBatch":
        import pyarrow as pa

        table, kind = pa.Table.from_batches([table]), kind or default_kind()
    if kind is None or not is_frame(table):
        return table
    frame = nw.from_native(table, eager_only=True)
    if kind == "numpy":
        return as_array(frame)
    if library_of(table) == kind:
        return table
    if kind == "pandas":
        return frame.to_pandas()
    return frame.to_polars() if kind == "polars" else frame.to_arrow()


def as_array(frame: Any) -> np.ndarray:
    """Return a narwhals frame as an array: of the common dtype of numbers, otherwise of objects."""
    columns = [series.to_numpy() for series in frame.iter_columns()]
    are_numbers = all(column.dtype.kind in "biuf" for column in columns)
    dtype = np.result_type(*columns) if columns and are_numbers else object
    cells = np.empty((len(frame), len(columns)), dtype=dtype)
    for position, column in enumerate(columns):
        cells[:, position] = column
    return cells
