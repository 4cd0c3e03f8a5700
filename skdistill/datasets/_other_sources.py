"""Sources besides Parquet: readers of Arrow, lazy frames of polars, Dask, and iterables of chunks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from .._tables import is_frame
from ._chunked_table import CHUNK_ROWS, Partition


@dataclass(frozen=True)
class LoadedPartition:
    """A partition that is loaded as a whole, by a function."""

    name: str
    load: Callable[[Sequence[str] | None], Any]
    n_rows: int | None = None

    def tables(self, columns: Sequence[str] | None, chunk_size: int) -> Iterator[Any]:  # noqa: ARG002 - cut later
        """Yield the partition as one table."""
        table = self.load(columns)
        if not hasattr(table, "shape") or table.shape[0]:
            yield table

    def fingerprint(self) -> str:
        """Return nothing: only the number of rows tells whether such a partition has changed."""
        return ""


class IterableSource:
    """Chunks of an iterable, or of the iterators that a function returns.

    Parameters
    ----------
    iterate : callable
        ``iterate()`` returns an iterator over tables.
    name : str
    is_repeatable : bool, default=True
    column_names : list of str or None, default=None
    """

    n_rows = None

    def __init__(
        self,
        iterate: Callable[[], Iterator[Any]],
        name: str,
        *,
        is_repeatable: bool = True,
        column_names: list[str] | None = None,
    ) -> None:
        self._iterate, self.name = iterate, name
        self.is_repeatable, self.column_names = is_repeatable, column_names

    def partitions(self) -> Iterator[Partition]:
        """Yield the chunks, each as a partition."""
        for place, table in enumerate(self._iterate()):
            yield LoadedPartition(f"chunk {place}", _Projected(table))


@dataclass(frozen=True)
class _Projected:
    """A table in memory, of which some columns are taken."""

    table: Any

    def __call__(self, columns: Sequence[str] | None) -> Any:
        table = self.table
        if type(table).__name__ == "RecordBatch":
            return table if columns is None else table.select(list(columns))
        if columns is None or not is_frame(table):
            return table
        frame = nw.from_native(table, eager_only=True)
        missing = [name for name in columns if name not in frame.columns]
        return table if missing else frame.select(list(columns)).to_native()


class LazyFrameSource:
    """A lazy frame of polars, collected in slices of its rows.

    A frame that scans files reads only the rows of a slice; other queries are run for each slice.

    Parameters
    ----------
    frame : polars.LazyFrame
    """

    name, is_repeatable, is_read_by_threads = "the LazyFrame", True, True

    def __init__(self, frame: Any) -> None:
        self._frame = frame
        self.column_names = list(frame.collect_schema().names())
        self.n_rows: int | None = _count_rows(frame)

    def partitions(self) -> Iterator[Partition]:
        """Yield slices of the rows."""
        n_rows = self.n_rows or 0
        for start in range(0, n_rows, CHUNK_ROWS):
            size = min(CHUNK_ROWS, n_rows - start)
            yield LoadedPartition(f"rows {start} to {start + size - 1}", _Slice(self._frame, start, size), size)


@dataclass(frozen=True)
class _Slice:
    """Some rows of a lazy frame."""

    frame: Any
    start: int
    size: int

    def __call__(self, columns: Sequence[str] | None) -> Any:
        frame = self.frame if columns is None else self.frame.select(list(columns))
        return frame.slice(self.start, self.size).collect()


def _count_rows(frame: Any) -> int:
    import polars as pl

    return int(frame.select(pl.len()).collect().item())


class DaskSource:
    """A DataFrame or an Array of Dask, computed one partition at a time.

    Parameters
    ----------
    collection : dask.dataframe.DataFrame or dask.array.Array
    """

    is_repeatable = True

    def __init__(self, collection: Any) -> None:
        self.is_array = not hasattr(collection, "columns")
        if self.is_array and collection.numblocks[1] > 1:
            collection = collection.rechunk({1: collection.shape[1]})
        self.collection = collection
        self.name = "the Dask Array" if self.is_array else "the Dask DataFrame"
        self.column_names = None if self.is_array else [str(name) for name in collection.columns]

    @property
    def n_rows(self) -> int | None:
        """Number of rows, if all blocks of an array know theirs."""
        known = self._sizes()
        return None if known is None else sum(known)

    @property
    def n_partitions(self) -> int:
        """Number of partitions, or of blocks of rows."""
        return int(self.collection.numblocks[0] if self.is_array else self.collection.npartitions)

    def partitions(self) -> Iterator[Partition]:
        """Yield the partitions, each of which is computed when it is read."""
        sizes = self._sizes()
        for place in range(self.n_partitions):
            n_rows = None if sizes is None else sizes[place]
            yield LoadedPartition(f"partition {place}", _Computed(self.collection, place, self.is_array), n_rows)

    def _sizes(self) -> list[int] | None:
        """Return the rows of each block of an array; ``None`` if they are not known before they are computed."""
        sizes = list(self.collection.chunks[0]) if self.is_array else [float("nan")]
        return None if any(size != size for size in sizes) else [int(size) for size in sizes]


@dataclass(frozen=True)
class _Computed:
    """A partition of Dask."""

    collection: Any
    place: int
    is_array: bool

    def __call__(self, columns: Sequence[str] | None) -> Any:
        if self.is_array:
            return self.collection.blocks[self.place].compute()
        collection = self.collection if columns is None else self.collection[list(columns)]
        return collection.partitions[self.place].compute()
