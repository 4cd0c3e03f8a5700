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


BLOCK_ROWS = 2048
"""Rows that are copied together, so that they stay in the cache of a processor."""

NATIVE: Any = "native"
"""Frames as the source has them, and record batches as tables of pyarrow."""


def is_batch(table: Any) -> bool:
    """Whether a table is a record batch of pyarrow, which models do not take."""
    return type(table).__name__ == "RecordBatch"


def converted(table: Any, kind: str | None) -> Any:
    """Return a frame as the given kind of table, and arrays as they are; ``None`` keeps frames, too."""
    if is_batch(table):
        import pyarrow as pa

        table = pa.Table.from_batches([table])
    return table if kind in (None, NATIVE) or not is_frame(table) else as_kind(table, kind)


def as_kind(frame: Any, kind: str | None) -> Any:
    """Return a frame as the given kind of table; for ``None``, a table of pyarrow becomes the default kind of frame."""
    library = library_of(frame)
    kind = kind or (default_kind() if library == "pyarrow" else library)
    if kind == library:
        return frame
    native = nw.from_native(frame, eager_only=True)
    if kind == "numpy":
        return as_array(native)
    if kind == "pandas":
        return native.to_pandas()
    return native.to_polars() if kind == "polars" else native.to_arrow()


def as_array(frame: Any) -> np.ndarray:
    """Return a narwhals frame as an array: of the common dtype of numbers, otherwise of objects."""
    return stacked_columns([series.to_numpy() for series in frame.iter_columns()])


def stacked_columns(columns: list[np.ndarray]) -> np.ndarray:
    """Return columns as an array: of the common dtype of numbers, otherwise of objects."""
    are_numbers = all(column.dtype.kind in "biuf" for column in columns)
    dtype = np.result_type(*columns) if columns and are_numbers else object
    cells = np.empty((len(columns[0]) if columns else 0, len(columns)), dtype=dtype)
    for start in range(0, len(cells), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        for position, column in enumerate(columns):
            cells[rows, position] = column[rows]
    return cells
