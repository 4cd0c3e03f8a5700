"""Chunks of numbers from Arrow, of which only the cells are converted that are needed: few rows, or few columns."""

from functools import cached_property
from typing import Any

import numpy as np

from .._tables import library_of
from ._chunk import Chunk
from ._frames import as_kind, stacked_columns
from ._schema import Schema

HEAD_ROWS = 32
"""Number of rows that tell the dtypes of all rows of a chunk."""


class NumberChunk(Chunk):
    """A chunk of a table of pyarrow, whose columns are all numbers, and of which only floats are missing.

    Any of its rows therefore have the dtypes of all.

    Parameters
    ----------
    source : pyarrow.Table
    kind : {"numpy", "pandas"}
        Kind of table that rows are converted to.
    start : int
    partition : str
    others : dict of ndarray
    schema : Schema or None, default=None
        Dtypes of converted rows.
    """

    def __init__(
        self,
        source: Any,
        kind: str,
        start: int,
        partition: str,
        others: dict[str, np.ndarray],
        schema: Schema | None = None,
    ) -> None:
        vars(self).update(source=source, kind=kind, start=start, partition=partition, others=others, schema=schema)

    source: Any
    kind: str
    schema: Schema | None

    def __len__(self) -> int:
        return int(self.source.num_rows)

    @cached_property
    def table(self) -> Any:
        """All rows."""
        return self._with_dtypes(self._convert(None))

    @cached_property
    def head(self) -> Any:
        """The first rows, whose dtypes are those of all."""
        return self._convert(slice(0, HEAD_ROWS))

    def take(self, rows: np.ndarray) -> Chunk:
        """Return some of the rows, which are the only ones that are converted."""
        return Chunk(self._with_dtypes(self._convert(rows)), self.start, self.partition, self.others_of(rows))

    def conformed(self, schema: Schema) -> "NumberChunk":
        """Return the chunk with the dtypes of all chunks."""
        schema.conformed(self.head)
        return NumberChunk(self.source, self.kind, self.start, self.partition, self.others, schema)

    def numbers(self, place: int) -> np.ndarray:
        """Return a column as an array, which may share the memory of the chunk."""
        column = self.source.column(place)
        return np.asarray((column.chunk(0) if column.num_chunks == 1 else column).to_numpy(zero_copy_only=False))

    def _convert(self, rows: Any) -> Any:
        if self.kind == "numpy":
            columns = [self.numbers(place) for place in range(self.source.num_columns)]
            return stacked_columns(columns if rows is None else [column[rows] for column in columns])
        if rows is None:
            return as_kind(self.source, self.kind)
        is_slice = isinstance(rows, slice)
        return as_kind(self.source.slice(0, rows.stop) if is_slice else self.source.take(rows), self.kind)

    def _with_dtypes(self, table: Any) -> Any:
        return table if self.schema is None else self.schema.conformed(table)


def is_of_numbers(table: Any, kind: str | None) -> bool:
    """Whether a native table can be converted in parts: a table of pyarrow of numbers, of which only floats miss."""
    if kind not in ("numpy", "pandas") or library_of(table) != "pyarrow" or not table.num_columns:
        return False
    import pyarrow as pa

    floats = pa.float32(), pa.float64()
    are_plain = all(
        column.type in floats or (pa.types.is_integer(column.type) and not column.null_count)
        for column in table.columns
    )
    return are_plain and (kind == "numpy" or (not _has_index(table) and _has_cells_in_head(table)))


def _has_index(table: Any) -> bool:
    """Whether pandas wrote an index, which it makes of a column when it reads the table."""
    return any(isinstance(name, str) for name in (table.schema.pandas_metadata or {}).get("index_columns", ()))


def _has_cells_in_head(table: Any) -> bool:
    """Whether each column has a cell among the first rows: columns without a cell fit any dtype."""
    head = table.slice(0, HEAD_ROWS)
    return not any(np.isnan(column.to_numpy().astype(float)).all() for column in head.columns)
