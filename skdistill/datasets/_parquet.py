"""Parquet files, and all that pyarrow.dataset reads."""

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..exceptions import DatasetError

PARTITION_ROWS = 1_000_000
"""Row groups of a file are read, scored and stored together up to about this number of rows."""

READ_AHEAD = 2
"""Batches that pyarrow decodes ahead; its default of 16 batches of 4 files takes much memory."""


@dataclass(frozen=True)
class FragmentPartition:
    """A fragment of a dataset of pyarrow: a file, or some of its row groups."""

    name: str
    n_rows: int | None
    fragment: Any
    schema: Any
    keys: tuple[str, ...]
    """Columns that are read from the names of folders."""

    def tables(self, columns: Sequence[str] | None, chunk_size: int) -> Iterator[Any]:
        """Yield record batches."""
        wanted = list(self.schema.names if columns is None else columns)
        self._check_columns(wanted, are_all=columns is None)
        batches = self.fragment.to_batches(
            schema=self._physical(), columns=wanted, batch_size=chunk_size, batch_readahead=READ_AHEAD
        )
        yield from (batch for batch in batches if batch.num_rows)

    def fingerprint(self) -> str:
        """Return size and time of change of the file."""
        path = getattr(self.fragment, "path", None)
        if path is None:
            return ""
        info = self.fragment.filesystem.get_file_info(path)
        if info.size is None:
            raise DatasetError("the file is no longer there")
        return f"{info.size} bytes, {info.mtime_ns}"

    def _physical(self) -> Any:
        """Return the columns of the dataset with the dtypes that this file has."""
        import pyarrow as pa

        of_file = self.fragment.physical_schema
        fields = [of_file.field(field.name) if field.name in of_file.names else field for field in self.schema]
        return pa.schema(fields)

    def _check_columns(self, wanted: Sequence[str], *, are_all: bool) -> None:
        """Raise an error if the file lacks a column, which pyarrow would fill with nulls, or has one more."""
        of_file = set(self.fragment.physical_schema.names)
        missing = [name for name in wanted if name not in of_file and name not in self.keys]
        new = sorted(of_file - set(self.schema.names)) if are_all else []
        if missing or new:
            parts = ([f"lacks the columns {missing}"] if missing else []) + (
                [f"has more columns: {new}"] if new else []
            )
            raise DatasetError(
                f"it {' and '.join(parts)}, unlike the first file. Write it anew, or pass "
                "as_dataset(..., columns=[...]) to read the columns that all files have."
            )


class ParquetSource:
    """A dataset of pyarrow, by default of Parquet files in the order of their paths.

    Parameters
    ----------
    dataset : pyarrow.dataset.Dataset
    name : str
    """

    is_repeatable, is_read_by_threads = True, True

    def __init__(self, dataset: Any, name: str) -> None:
        self.dataset, self.name = dataset, name

    @property
    def column_names(self) -> list[str]:
        """Names of all columns."""
        return list(self.dataset.schema.names)

    @cached_property
    def n_rows(self) -> int | None:
        """Number of rows, by the footers of the files."""
        known = [partition.n_rows for partition in self.partitions()]
        return None if any(n_rows is None for n_rows in known) else sum(n_rows or 0 for n_rows in known)

    def partitions(self) -> Iterator[FragmentPartition]:
        """Yield the files, large ones as several groups of rows."""
        yield from self._partitions

    @cached_property
    def _partitions(self) -> list[FragmentPartition]:
        try:
            fragments = sorted(self.dataset.get_fragments(), key=lambda fragment: getattr(fragment, "path", ""))
        except (ValueError, NotImplementedError):  # a filtered dataset does not show its files
            return [FragmentPartition("0", None, _Whole(self.dataset), self.dataset.schema, ())]
        return [part for place, fragment in enumerate(fragments) for part in self._parts_of(fragment, place)]

    def _parts_of(self, fragment: Any, place: int) -> Iterator[FragmentPartition]:
        """Yield a fragment, or groups of its row groups of about a million rows each."""
        path = getattr(fragment, "path", None)
        name = f"fragment {place}" if path is None else os.path.basename(path) if self._has_one_folder else path
        keys = tuple(_keys_of(fragment))
        if not hasattr(type(fragment), "row_groups"):
            yield FragmentPartition(name, None, fragment, self.dataset.schema, keys)
            return
        try:
            groups = list(fragment.row_groups)
        except Exception as error:
            raise DatasetError(
                f"{self.name}: the partition {name} cannot be read: {type(error).__name__}: {error}. Remove the file, "
                "or write it anew."
            ) from error
        packs = _packed([(group.id, group.num_rows) for group in groups])
        for ids in packs:
            n_rows = sum(groups[each].num_rows for each in ids)
            is_whole = len(ids) == len(groups)
            part = fragment if is_whole else fragment.subset(row_group_ids=ids)
            of_rows = "" if is_whole else f", row groups {ids[0]} to {ids[-1]}"
            yield FragmentPartition(f"{name}{of_rows}", n_rows, part, self.dataset.schema, keys)

    @cached_property
    def _has_one_folder(self) -> bool:
        files = getattr(self.dataset, "files", [])
        return len({os.path.dirname(path) for path in files}) <= 1


@dataclass(frozen=True)
class _Whole:
    """A dataset of pyarrow whose files are not known, as one fragment."""

    dataset: Any

    @property
    def physical_schema(self) -> Any:
        return self.dataset.schema

    def to_batches(self, schema: Any, **options: Any) -> Iterator[Any]:  # noqa: ARG002 - a dataset has its own schema
        yield from self.dataset.to_batches(**options, fragment_readahead=1)


def parquet_source(path: Any) -> ParquetSource:
    """Return the Parquet files of a path, a folder, a pattern with ``*``, or a list of paths."""
    ds = arrow_dataset()
    given = [os.fspath(each) for each in path] if isinstance(path, list | tuple) else os.fspath(path)
    name = given if isinstance(given, str) else f"{len(given)} files"
    if isinstance(given, str) and glob.has_magic(given) and not os.path.exists(given):
        given = sorted(glob.glob(given, recursive=True))
        if not given:
            raise DatasetError(f"no file matches {name!r}; expected Parquet files.")
    try:
        dataset = ds.dataset(given, format="parquet", partitioning="hive")
    except FileNotFoundError:
        raise DatasetError(
            f"{name!r} does not exist; expected a Parquet file, a folder of Parquet files, or a pattern such as "
            "'folder/*.parquet'."
        ) from None
    except Exception as error:
        raise DatasetError(
            f"{name!r} is not a dataset of Parquet ({type(error).__name__}: {error}). Other formats are read with "
            "pyarrow.dataset.dataset(path, format=...), which can be passed instead of the path."
        ) from error
    if not dataset.schema.names:
        raise DatasetError(f"{name!r} has no Parquet files; expected at least one.")
    return ParquetSource(dataset, name)


def arrow_dataset() -> Any:
    """Return the module ``pyarrow.dataset``."""
    try:
        import pyarrow.dataset as ds
    except ImportError as error:
        raise ImportError(
            'Parquet is read and written with pyarrow, which is not installed: pip install "skdistill[datasets]".'
        ) from error
    return ds


def _keys_of(fragment: Any) -> list[str]:
    """Return the names of the columns that the folders of a file state."""
    ds = arrow_dataset()
    keys = getattr(ds, "get_partition_keys", None) or ds._get_partition_keys
    return list(keys(fragment.partition_expression))


def _packed(groups: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Return row groups in packs of about a million rows; a file without rows is one pack."""
    packs: list[list[int]] = [[]]
    n_rows = 0
    for identifier, size in groups:
        if packs[-1] and n_rows + size > PARTITION_ROWS:
            packs.append([])
            n_rows = 0
        packs[-1].append(identifier)
        n_rows += size
    return packs
