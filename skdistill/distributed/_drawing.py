"""Datasets of Dask, read where their partitions are: only the rows that are drawn travel."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..datasets import ChunkedTable, Partition
from ..datasets._chunked_table import ALL, named
from ..datasets._drawing import DrawnRows, KeysOf, LargestKeys
from ..datasets._other_sources import DaskSource, LoadedPartition
from ..datasets._schema import Schema
from ..exceptions import DatasetError
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
        names = [partition.name for partition in dataset.source.partitions()]
        schema, n_rows = None, 0
        sent = Sent.of((_without_source(scanned), list(others)), "the options of the dataset")
        for name, (n_new, new) in zip(names, self._each(sent, scanned, others, scan_partition), strict=True):
            if new is not None:
                with named(dataset.name, name):
                    schema = new if schema is None else schema.joined(new)
            scanned.seen[name] = ("", n_new)
            n_rows += n_new
            on_rows(n_rows)
        if n_rows == 0:
            raise DatasetError(f"{dataset.name} has no rows; expected at least 1.")
        scanned.seen[ALL] = ("", n_rows)
        return replace(scanned, schema=schema)

    def draw(
        self,
        dataset: ChunkedTable,
        n_rows: int,
        keys_of: KeysOf,
        others: Sequence[str],
        on_rows: Callable[[int], None],
    ) -> DrawnRows:
        """Return the rows with the largest keys."""
        kept, start, starts = LargestKeys(n_rows), 0, []
        sizes = [dataset.seen[partition.name][1] or 0 for partition in dataset.source.partitions()]
        for size in sizes:
            starts.append(start)
            start += size
        sent = Sent.of((_without_source(dataset), list(others), keys_of), "what rows are drawn by")
        more = ((start, kept.rest()) for start in starts)  # what is known when a partition is submitted
        found = self._each(sent, dataset, others, draw_partition, more)
        for size, start, part in zip(sizes, starts, found, strict=True):
            kept.absorb(part)
            on_rows(start + size)
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


def scan_partition(loaded: Loaded, table: Any, name: str, n_known: int | None) -> tuple[int, Schema | None]:
    """Return the number of rows and the schema of a partition, on a worker."""
    dataset, others = loaded.value
    schema: Schema | None = None
    n_rows = 0
    for chunk in _of_one(dataset, name, n_known).chunks_of(_partition(table, name), others=others):
        with named(dataset.name, name):
            schema = Schema.of(chunk.table) if schema is None else schema.merged(chunk.table)
        n_rows += len(chunk)
    return n_rows, schema


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
