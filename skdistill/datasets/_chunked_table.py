"""A table that is read in chunks, as often as needed, with the same columns and dtypes in each chunk."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

import narwhals as nw
import numpy as np

from .._tables import is_frame, take_rows
from .._types import FrameKind
from ..exceptions import DatasetError
from ._chunk import Chunk
from ._frames import NATIVE, converted, default_kind, is_batch
from ._number_chunk import NumberChunk, is_of_numbers
from ._schema import Schema, SchemaMismatchError, names_in

CHUNK_ROWS = 65_536
"""Rows in memory at once unless told otherwise."""

SAMPLE_ROWS = 200_000
"""Rows that a fit draws from a dataset unless told otherwise."""

ALL = ""
"""Key of the number of rows of all partitions."""


class Partition(Protocol):
    """A part of a dataset: a file or some row groups of it, a partition of Dask, or a chunk of an iterable.

    Attributes
    ----------
    name : str
        What messages call it.
    n_rows : int or None
        Number of rows, if it is known before they are read.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.datasets import as_dataset
    >>> [
    ...     partition.name
    ...     for partition in as_dataset([np.eye(2), np.eye(2)]).source.partitions()
    ... ]
    ['chunk 0', 'chunk 1']
    """

    @property
    def name(self) -> str: ...

    @property
    def n_rows(self) -> int | None: ...

    def tables(self, columns: Sequence[str] | None, chunk_size: int) -> Iterator[Any]:
        """Yield the rows in order, as tables of at most ``chunk_size`` rows with these columns (``None``: all)."""
        ...

    def fingerprint(self) -> str:
        """Return a text that changes when the rows change, as far as that can be told without reading them."""
        ...


class Source(Protocol):
    """Where the rows of a dataset come from.

    Attributes
    ----------
    name : str
        What messages call it.
    is_repeatable : bool
        Whether the rows can be read more than once.
    column_names : list of str or None
        Column names, if they are known before the first row is read.
    n_rows : int or None
        Number of rows, if it is known before they are read.

    Notes
    -----
    A source with a further attribute ``is_read_by_threads`` that is true may be read by a thread while the teacher is
    queried; other sources are always read by the thread that calls ``fit``.

    Examples
    --------
    A source of random rows, which can be passed to :class:`ChunkedTable`:

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from skdistill.datasets import ChunkedTable
    >>> class Random:
    ...     name, is_repeatable, column_names, n_rows = "random rows", True, None, 20
    ...
    ...     def partitions(self):
    ...         for seed in range(2):
    ...             draw = lambda columns, chunk_size: iter(
    ...                 [np.random.RandomState(seed).rand(10, 3)]
    ...             )
    ...             yield SimpleNamespace(
    ...                 name=f"seed {seed}", n_rows=10, tables=draw, fingerprint=str
    ...             )
    >>> [(chunk.partition, len(chunk)) for chunk in ChunkedTable(Random()).chunks()]
    [('seed 0', 10), ('seed 1', 10)]
    """

    @property
    def name(self) -> str: ...

    @property
    def is_repeatable(self) -> bool: ...

    @property
    def column_names(self) -> list[str] | None: ...

    @property
    def n_rows(self) -> int | None: ...

    def partitions(self) -> Iterator[Partition]:
        """Yield the partitions, in the same order each time."""
        ...


@dataclass(frozen=True, repr=False)
class ChunkedTable:
    """A table that is read in chunks; created by :func:`as_dataset`.

    Each reading yields the same rows in the same order. A partition whose columns or dtypes do not fit those before, or
    that changes between two readings, raises an error that names it. Partitions without rows are passed over.

    Parameters
    ----------
    source : Source
        Where the rows come from.
    columns : tuple of str or None, default=None
        Columns that are read; ``None`` reads all.
    kind : {"pandas", "polars", "pyarrow", "numpy"} or None, default=None
        Kind of table of the chunks; ``None`` leaves them as the source yields them.
    chunk_size : int >= 1, default=65_536
        Maximum number of rows of a chunk.
    sample_rows : int >= 1, default=200_000
        Maximum number of rows that ``fit`` draws and holds in memory; more are labelled for a refit if ``max_queries``
        allows it.
    schema : Schema or None, default=None
        Common dtypes and categories of all chunks, once they are known (:meth:`scanned`).
    seen : dict or None, default=None
        Fingerprint and number of rows of each partition at its first reading.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.datasets import as_dataset
    >>> dataset = as_dataset([np.zeros((3, 2)), np.ones((2, 2))], chunk_size=2)
    >>> [(chunk.start, len(chunk), chunk.partition) for chunk in dataset.chunks()]
    [(0, 2, 'chunk 0'), (2, 1, 'chunk 0'), (3, 2, 'chunk 1')]
    """

    source: Source
    columns: tuple[str, ...] | None = None
    kind: FrameKind | None = None
    chunk_size: int = CHUNK_ROWS
    sample_rows: int = SAMPLE_ROWS
    schema: Schema | None = None
    seen: Any = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.seen is None:
            object.__setattr__(self, "seen", {})

    @property
    def name(self) -> str:
        """What messages call the dataset."""
        return self.source.name

    @property
    def column_names(self) -> list[str] | None:
        """Names of the columns that are read, if they are known before a row is read."""
        return self.source.column_names if self.columns is None else list(self.columns)

    @property
    def n_rows(self) -> int | None:
        """Number of rows, if it is known without reading them, or since they were read."""
        known = self.source.n_rows
        return self.seen.get(ALL, ("", None))[1] if known is None else known

    def __repr__(self) -> str:
        rows = "an unknown number of rows" if self.n_rows is None else f"{self.n_rows:,} rows"
        return f"<ChunkedTable: {self.name}, {rows}>"

    def select(self, columns: Sequence[str]) -> Self:
        """Return the dataset with some of its columns, in this order.

        Parameters
        ----------
        columns : sequence of str

        Raises
        ------
        DatasetError
            If a column is not there, or the chunks have no names.
        """
        self._require(columns)
        return replace(self, columns=tuple(columns), schema=None)

    def converted_to(self, kind: FrameKind | None) -> Self:
        """Return the dataset with chunks of another kind of table."""
        return self if kind == self.kind else replace(self, kind=kind, schema=None)

    def require_repeatable(self, why: str) -> None:
        """Raise an error if the rows can be read only once; ``why`` says what needs them again."""
        if not self.source.is_repeatable:
            raise DatasetError(
                f"{self.name} can be read only once, but {why}. Write it to Parquet and pass the path, or pass "
                "as_dataset(function), where the function returns a new reader each time."
            )

    def chunks(self, *, others: Sequence[str] = ()) -> Iterator[Chunk]:
        """Read the rows in order.

        Parameters
        ----------
        others : sequence of str, default=()
            Further columns that each chunk holds beside its table.

        Yields
        ------
        chunk : Chunk
            At most ``chunk_size`` rows, all of one partition.

        Raises
        ------
        DatasetError
            If a partition cannot be read, does not fit those before, or has changed since the first reading; or if
            there is no row at all. The message names the partition.
        """
        for chunk, _ in self._chunks_and_schema(others):
            yield chunk

    def chunks_of(self, partition: Partition, *, others: Sequence[str] = (), start: int = 0) -> Iterator[Chunk]:
        """Read the rows of one partition in order.

        Parameters
        ----------
        partition : Partition
            One of ``source.partitions()``.
        others : sequence of str, default=()
            Further columns that each chunk holds beside its table.
        start : int, default=0
            Position of its first row in the dataset.

        Yields
        ------
        chunk : Chunk
        """
        n_rows = 0
        for table, kind, further in self._read(partition, others):
            with named(self.name, partition.name):
                chunk = _chunk(table, kind, start + n_rows, partition.name, further)
                if self.schema is not None:
                    chunk = chunk.conformed(self.schema)
            yield chunk
            n_rows += len(chunk)
        self._note(partition, n_rows)

    def _chunks_and_schema(self, others: Sequence[str]) -> Iterator[tuple[Chunk, Schema | None]]:
        """Yield the chunks, each with the common schema of those so far."""
        start, schema = 0, self.schema
        for partition in self.source.partitions():
            for chunk in self.chunks_of(partition, others=others, start=start):
                if self.schema is None:
                    schema = self._merged(schema, chunk)
                yield chunk, schema
                start = chunk.start + len(chunk)
        if start == 0:
            raise DatasetError(f"{self.name} has no rows; expected at least 1.")
        self.seen[ALL] = ("", start)

    def _merged(self, schema: Schema | None, chunk: Chunk) -> Schema:
        """Return the schema of the chunks so far and of one more, which must fit them."""
        with named(self.name, chunk.partition):
            return Schema.of(chunk.head) if schema is None else schema.merged(chunk.head)

    def scanned(self, others: Sequence[str] = ()) -> tuple[Self, Iterator[Chunk]]:
        """Return the chunks, and the dataset that knows its schema once they have all been read.

        The returned dataset has a schema as soon as the iterator is exhausted; its further readings yield chunks of the
        common dtypes and categories.
        """
        scanned = replace(self, schema=None)

        def read() -> Iterator[Chunk]:
            schema: Schema | None = None
            for chunk, schema in scanned._chunks_and_schema(others):  # noqa: B007 - the last one is that of all
                yield chunk
            object.__setattr__(scanned, "schema", schema)

        return scanned, read()

    def first_table(self) -> Any:
        """Return the first chunk, of few rows if the source allows it, to look at its columns."""
        return next(replace(self, chunk_size=min(self.chunk_size, 1000)).chunks()).table

    def _read(
        self, partition: Partition, others: Sequence[str]
    ) -> Iterator[tuple[Any, str | None, dict[str, np.ndarray]]]:
        """Yield the tables of a partition, cut, with the kind that they are wanted in and further columns."""
        self._require(others)
        names = None
        if self.columns is not None or others:
            names = [*(self.columns or self._all_columns(others)), *others]
        self._check_unchanged(partition)
        with named(self.name, partition.name):
            for table in partition.tables(names, self.chunk_size):
                checked, kind = _checked(table), self.kind or (default_kind() if is_batch(table) else None)
                for begin in range(0, checked.shape[0], self.chunk_size):
                    end = begin + self.chunk_size
                    part = checked if checked.shape[0] <= self.chunk_size else take_rows(checked, slice(begin, end))
                    features, further = self._split(part, names, others)
                    yield features, kind, further
        self._check_unchanged(partition)

    def _require(self, columns: Sequence[str]) -> None:
        """Raise an error if the dataset is known to lack a column, so that no file of it is said to differ."""
        names = self.source.column_names
        missing = [name for name in columns if names is not None and name not in names]
        if missing:
            raise DatasetError(f"{self.name} has no columns {missing}; expected some of its columns {names}.")

    def _all_columns(self, others: Sequence[str]) -> list[str]:
        names = self.source.column_names
        if names is None:
            names = list(names_in(Schema.of(self.first_table())) or [])
        return [name for name in names if name not in others]

    def _split(self, table: Any, names: Sequence[str] | None, others: Sequence[str]) -> tuple[Any, dict[str, Any]]:
        """Return the table of the features, and further columns as arrays."""
        if names is None:
            return table, {}
        if not is_frame(table):
            raise DatasetError(f"its chunks are arrays, which have no columns {list(names)}; expected frames.")
        frame = nw.from_native(table, eager_only=True)
        missing = [name for name in names if name not in frame.columns]
        if missing:
            raise DatasetError(f"it has no columns {missing}; it has {list(frame.columns)[:20]}.")
        further = {name: _cells(frame[name]) for name in others}
        features = [name for name in names if name not in others]
        is_whole = list(frame.columns) == features
        return table if is_whole else frame.select(features).to_native(), further

    def _check_unchanged(self, partition: Partition) -> None:
        """Note the fingerprint of a partition at its first reading, and compare it with that at all others."""
        with named(self.name, partition.name):
            now = partition.fingerprint()
        known = self.seen.setdefault(partition.name, (now, None))
        if known[0] != now:
            self._raise_changed(partition.name, f"its fingerprint was {known[0]} and is {now}")

    def _note(self, partition: Partition, n_rows: int) -> None:
        """Note the number of rows of a partition, and compare it with that at the first reading."""
        now, known = self.seen[partition.name]
        if known is not None and known != n_rows:
            self._raise_changed(partition.name, f"it had {known:,} rows and has {n_rows:,}")
        self.seen[partition.name] = (now, n_rows)

    def _raise_changed(self, name: str, how: str) -> None:
        raise DatasetError(
            f"{self.name}: the partition {name} has changed since it was first read ({how}). Pass a dataset that is "
            "not written to meanwhile, and run again; with memory=, what was labelled is found again."
        )


def _chunk(table: Any, kind: str | None, start: int, partition: str, others: dict[str, np.ndarray]) -> Chunk:
    """Return a chunk of the wanted kind of table; a table of numbers is converted later, as far as needed."""
    if is_of_numbers(table, kind):
        assert kind is not None
        return NumberChunk(table, kind, start, partition, others)
    return Chunk(converted(table, kind), start, partition, others)


@contextmanager
def named(dataset: str, partition: str) -> Iterator[None]:
    """Name the dataset and the partition in errors that are raised while it is read."""
    try:
        yield
    except GeneratorExit:
        raise
    except SchemaMismatchError as error:
        raise DatasetError(
            f"{dataset}: the partition {partition} does not fit those before: got {error}. Write it anew with the "
            "same columns and dtypes, or pass as_dataset(..., columns=[...]) to read the columns that all have."
        ) from None
    except DatasetError as error:
        is_named = f"partition {partition}" in str(error)
        raise (error if is_named else DatasetError(f"{dataset}: the partition {partition}: {error}")) from None
    except Exception as error:
        raise DatasetError(
            f"{dataset}: the partition {partition} cannot be read: {type(error).__name__}: {error}"
        ) from error


def _cells(series: Any) -> np.ndarray:
    """Return a column as an array; categories as they are spelled."""
    is_category = series.dtype in (nw.Categorical, nw.Enum)
    return np.asarray(np.array(series.to_list()) if is_category else series.to_numpy())


def _checked(table: Any) -> Any:
    """Return a chunk that is a table: record batches become tables of pyarrow, and lists arrays."""
    if hasattr(table, "tocsr"):
        return table.tocsr()
    if is_frame(table) or is_batch(table):
        return converted(table, NATIVE)
    rows = np.asarray(table)
    if rows.ndim != 2:
        raise DatasetError(
            f"it is a {type(table).__name__} of shape {rows.shape}; expected a frame, or an array of shape "
            "(n_rows, n_features)."
        )
    return rows
