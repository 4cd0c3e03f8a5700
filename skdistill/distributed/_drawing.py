"""Datasets of Dask, read where their partitions are: only the rows that are drawn travel."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from ..datasets import Chunk, ChunkedTable, Partition
from ..datasets._chunked_table import ALL, named
from ..datasets._drawing import DrawnRows, KeysOf, LargestKeys, Result
from ..datasets._other_sources import DaskSource, LoadedPartition
from ..datasets._schema import Schema
from ..exceptions import DatasetError
from ..teachers import Teacher
from ..teachers._by_row import is_by_row
from ..teachers._elsewhere import is_of_here
from ._cluster import Cluster, Task
from ._sent import Loaded, Sent


@dataclass(frozen=True)
class OnePartition:
    """The source of a dataset of which a worker has one partition."""

    name: str
    column_names: list[str] | None
    n_rows: int | None = None
    is_repeatable: bool = True

    def partitions(self) -> Iterator[Partition]:
        """Yield nothing: the partition is passed beside it."""
        return iter(())


class ClusterDrawer:
    """Reads datasets of Dask on a cluster, as :class:`~skdistill.datasets._drawing.Drawer` says.

    Each partition returns its number of rows and its schema, and in a second reading the rows whose keys are among the
    largest so far. Keys depend on the position of a row alone, so that the same rows are drawn as on one machine.

    Parameters
    ----------
    cluster : Cluster
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def reads(self, dataset: ChunkedTable) -> bool:
        """Whether the dataset is one of Dask."""
        return isinstance(dataset.source, DaskSource)

    def scan(self, dataset: ChunkedTable, others: Sequence[str], on_rows: Callable[[int], None]) -> ChunkedTable:
        """Return the dataset that knows its schema and the number of rows of its partitions."""
        scanned = replace(dataset, schema=None)
        sent = Sent.of((_without_source(scanned), list(others), _exhaust, True), "the options of the dataset")
        noted = _Noted()
        for _ in self._noting(sent, scanned, others, noted):
            on_rows(noted.n_rows)
        return replace(scanned, schema=noted.schema)

    def results(
        self,
        dataset: ChunkedTable,
        of_chunks: Callable[[Iterator[Chunk]], Result],
        others: Sequence[str],
        teacher: Teacher,
    ) -> Iterator[Result] | None:
        """Return what a function returns for the chunks of each partition; ``None`` for fewer partitions than threads.

        Of few partitions, the blocks of queries keep more workers busy. Some teachers are never queried elsewhere.
        """
        source = dataset.source
        assert isinstance(source, DaskSource)
        if is_of_here(teacher) or source.n_partitions < self._cluster.n_threads():
            return None
        contents = _without_source(dataset), list(others), of_chunks, is_by_row(teacher.model)
        sent = Sent.of(contents, f"the models that are compared on {dataset.name}")
        return self._noting(sent, dataset, others, _Noted())

    def _noting(self, sent: Sent, dataset: ChunkedTable, others: Sequence[str], noted: "_Noted") -> Iterator[Any]:
        """Yield the results of all partitions, which must fit each other, and note their sizes and common schema."""
        names = [partition.name for partition in dataset.source.partitions()]
        starts = ((start,) for start in _starts(dataset))
        found = self._each(sent, dataset, others, sum_partition, starts)
        for name, (result, n_rows, schema) in zip(names, found, strict=True):
            with named(dataset.name, name):
                noted.add(n_rows, schema)
            dataset.seen[name] = ("", n_rows)
            yield result
        if noted.n_rows == 0:
            raise DatasetError(f"{dataset.name} has no rows; expected at least 1.")
        dataset.seen[ALL] = ("", noted.n_rows)

    def draw(
        self,
        dataset: ChunkedTable,
        n_rows: int,
        keys_of: KeysOf,
        others: Sequence[str],
        on_rows: Callable[[int], None],
    ) -> DrawnRows:
        """Return the rows with the largest keys."""
        kept, starts = LargestKeys(n_rows), _starts(dataset)
        sent = Sent.of((_without_source(dataset), list(others), keys_of), "what rows are drawn by")
        more = ((start, kept.rest()) for start in starts)  # what is known when a partition is submitted
        found = self._each(sent, dataset, others, draw_partition, more)
        for end, part in zip([*starts[1:], dataset.n_rows or 0], found, strict=True):
            kept.absorb(part)
            on_rows(end)
        return kept.rows(dataset)

    def _each(
        self,
        sent: Sent,
        dataset: ChunkedTable,
        others: Sequence[str],
        function: Callable[..., Any],
        more: Iterator[tuple[Any, ...]] | None = None,
    ) -> Iterator[Any]:
        """Yield what a function returns for each partition, in order."""
        delayed = _delayed_partitions(dataset, others)

        def tasks() -> Iterator[Task]:
            for part, partition in zip(delayed, dataset.source.partitions(), strict=True):
                known = dataset.seen.get(partition.name, ("", None))[1]
                further = () if more is None else next(more)
                name = f"{dataset.name}: the partition {partition.name}"
                yield Task(function, (partition.name, known, *further), name, part)

        try:
            yield from self._cluster.run(sent, tasks())
        finally:
            self._cluster.forget(sent)


def _delayed_partitions(dataset: ChunkedTable, others: Sequence[str]) -> list[Any]:
    """Return the partitions of a dataset of Dask, of which only the columns are computed that are read."""
    source = dataset.source
    assert isinstance(source, DaskSource)
    if source.is_array:
        return list(source.collection.to_delayed().ravel())
    names = [*(dataset.columns or ()), *(name for name in others if name not in (dataset.columns or ()))]
    return list((source.collection[names] if dataset.columns else source.collection).to_delayed())


def _without_source(dataset: ChunkedTable) -> ChunkedTable:
    return replace(dataset, source=OnePartition(dataset.name, dataset.source.column_names), seen={})


@dataclass
class _Noted:
    """Number of rows and common schema of what was read so far."""

    n_rows: int = 0
    schema: Schema | None = None

    def add(self, n_rows: int, schema: Schema | None) -> None:
        """Add rows whose schema must fit that of those before; ``None`` if there are none."""
        self.n_rows += n_rows
        if schema is not None:
            self.schema = schema if self.schema is None else self.schema.joined(schema)


def _starts(dataset: ChunkedTable) -> list[int]:
    """Return the position of the first row of each partition, as far as the sizes are known."""
    sizes = [dataset.seen.get(partition.name, ("", 0))[1] or 0 for partition in dataset.source.partitions()]
    return [0, *accumulate(sizes[:-1])]


def sum_partition(
    loaded: Loaded, table: Any, name: str, n_known: int | None, start: int
) -> tuple[Any, int, Schema | None]:
    """Return what a function returns for the chunks of a partition, its number of rows and schema, on a worker."""
    dataset, others, of_chunks, at_once = loaded.value
    noted = _Noted()

    def read() -> Iterator[Chunk]:
        for chunk in _of_one(dataset, name, n_known).chunks_of(_partition(table, name), others=others, start=start):
            with named(dataset.name, name):
                noted.schema = Schema.of(chunk.table) if noted.schema is None else noted.schema.merged(chunk.table)
            noted.n_rows += len(chunk)
            yield chunk

    with nullcontext() if at_once else loaded.lock:
        result = of_chunks(read())
    return result, noted.n_rows, noted.schema


def _exhaust(chunks: Iterator[Chunk]) -> None:
    """Read all chunks."""
    for _ in chunks:
        pass


def draw_partition(
    loaded: Loaded, table: Any, name: str, n_known: int | None, start: int, kept: LargestKeys
) -> LargestKeys:
    """Return the rows of a partition with the largest keys, on a worker."""
    dataset, others, keys_of = loaded.value
    for chunk in _of_one(dataset, name, n_known).chunks_of(_partition(table, name), others=others, start=start):
        kept.offer(keys_of(chunk), chunk)
    kept.drop()
    return kept


def _of_one(dataset: ChunkedTable, name: str, n_known: int | None) -> ChunkedTable:
    """Return a dataset that knows the number of rows of the partition, and raises an error if it has changed."""
    return replace(dataset, seen={} if n_known is None else {name: ("", n_known)})


def _partition(table: Any, name: str) -> LoadedPartition:
    return LoadedPartition(name, lambda columns: table)  # noqa: ARG005 - cut by the dataset
