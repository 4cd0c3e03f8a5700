"""Which objects are datasets, and how each is read."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np

from .._described import described, with_article
from .._tables import is_frame
from .._types import FrameKind
from .._validation import check_choice, check_number
from ..exceptions import DatasetError
from ._chunked_table import CHUNK_ROWS, SAMPLE_ROWS, ChunkedTable, Source
from ._frames import KINDS
from ._other_sources import DaskSource, IterableSource, LazyFrameSource
from ._parquet import ParquetSource, parquet_source

EXPECTED = (
    "a path of Parquet files, a pyarrow.dataset.Dataset, a RecordBatchReader, a polars LazyFrame, a Dask DataFrame or "
    "Array, an iterable of tables, or a function that returns an iterator over tables"
)


def is_dataset(X: Any) -> bool:
    """Whether an object is a dataset that is read in chunks, and not a table in memory; nothing is read.

    Lists of frames are datasets; other iterables and functions are only taken for datasets by :func:`as_dataset`.

    Parameters
    ----------
    X : object

    Returns
    -------
    is_dataset : bool

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.datasets import is_dataset
    >>> is_dataset("rows.parquet"), is_dataset(np.zeros((3, 2)))
    (True, False)
    """
    if type(X) is np.ndarray:
        return False
    if isinstance(X, ChunkedTable | str | os.PathLike):
        return True
    library = type(X).__module__.partition(".")[0]
    if library == "pyarrow":
        return _is_arrow_dataset(X) or hasattr(X, "read_next_batch")
    if library == "polars":
        return type(X).__name__ == "LazyFrame"
    if library in DASK:
        return _is_dask(X)
    if isinstance(X, list | tuple):
        return bool(X) and all(is_frame(each) for each in X)
    return False


DASK = ("dask", "dask_expr")


def refuse_dataset(who: str, X: Any, instead: str) -> None:
    """Raise an error, which says what to do ``instead``, if a dataset is passed where all rows must be in memory."""
    if is_dataset(X):
        raise DatasetError(f"{who}: got a dataset that is read in chunks; expected a table in memory. {instead}")


def as_dataset(
    source: Any,
    *,
    columns: Sequence[str] | None = None,
    kind: FrameKind | None = None,
    chunk_size: int = CHUNK_ROWS,
    sample_rows: int = SAMPLE_ROWS,
) -> ChunkedTable:
    """Return a table that is read in chunks.

    ``fit``, ``predict``, ``fidelity``, :func:`skdistill.report` and :func:`skdistill.score_dataset` accept it, and call
    this function for sources that they recognise (:func:`is_dataset`).

    Parameters
    ----------
    source : object
        - A path: a Parquet file, a folder of them (also one in folders named ``column=value``), a pattern such as
          ``"folder/*.parquet"``, or a list of paths.
        - A ``pyarrow.dataset.Dataset`` of any format.
        - A ``pyarrow.RecordBatchReader``, which is read only once: enough for ``predict``, not for ``fit``.
        - A polars ``LazyFrame``, collected in slices of rows.
        - A Dask DataFrame or Array, computed one partition at a time.
        - A :class:`ChunkedTable`, which is returned unchanged.
        - An iterable of tables (frames, arrays or sparse matrices) that can be iterated several times, such as a list,
          or a function without arguments that returns a new iterator each time.
    columns : sequence of str or None, default=None
        Columns to read, in this order. ``None`` reads all columns or, where a model knows its columns, these.
    kind : {"pandas", "polars", "pyarrow", "numpy"} or None, default=None
        Kind of table that models are given. ``None``: pandas for Parquet and Arrow if it is installed (otherwise polars
        or pyarrow), and what other sources yield. ``fit`` uses arrays instead for a fitted teacher that was fitted on
        arrays, and ``predict`` for such a student.
    chunk_size : int >= 1, default=65_536
        Maximum number of rows in memory at once, besides those that ``fit`` draws.
    sample_rows : int >= 2, default=200_000
        Maximum number of rows that ``fit`` draws, holds in memory and teaches the student; further rows are labelled
        for a refit if ``max_queries`` allows it.

    Returns
    -------
    dataset : ChunkedTable

    Raises
    ------
    DatasetError
        If the source cannot be read, or is none.
    ImportError
        If pyarrow is needed and not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.datasets import as_dataset
    >>> def batches():
    ...     return (np.full((2, 3), place) for place in range(4))
    >>> dataset = as_dataset(batches)
    >>> sum(len(chunk) for chunk in dataset.chunks()), dataset.n_rows
    (8, 8)
    """
    check_number("as_dataset", "chunk_size", chunk_size, kind=Integral, low=1)
    check_number("as_dataset", "sample_rows", sample_rows, kind=Integral, low=2)
    if kind is not None:
        check_choice("as_dataset", "kind", kind, KINDS)
    if isinstance(source, ChunkedTable):
        if (columns, kind, chunk_size, sample_rows) != (None, None, CHUNK_ROWS, SAMPLE_ROWS):
            raise DatasetError("as_dataset got a ChunkedTable with other options; pass the options with its source.")
        return source
    found = _source_of(source)
    dataset = ChunkedTable(found, None, kind, int(chunk_size), int(sample_rows))
    return dataset if columns is None else dataset.select([columns] if isinstance(columns, str) else list(columns))


def _source_of(source: Any) -> Source:
    if isinstance(source, str | os.PathLike) or _are_paths(source):
        return parquet_source(source)
    if _is_arrow_dataset(source):
        return ParquetSource(source, "the dataset of pyarrow")
    if hasattr(source, "read_next_batch"):
        names = list(source.schema.names)
        return IterableSource(lambda: iter(source), "the RecordBatchReader", is_repeatable=False, column_names=names)
    library = type(source).__module__.partition(".")[0]
    if library == "polars" and type(source).__name__ == "LazyFrame":
        return LazyFrameSource(source)
    if library in DASK and _is_dask(source):
        return DaskSource(source)
    return _iterable(source)


def _iterable(source: Any) -> IterableSource:
    """Return the source of an iterable of tables, of an iterator, or of a function that returns one."""
    if callable(source) and not isinstance(source, type):
        name = f"the tables of {getattr(source, '__name__', type(source).__name__)}()"
        function: Callable[[], Any] = source
        return IterableSource(lambda: iter(function()), name)
    if isinstance(source, Iterator):
        return IterableSource(lambda: source, f"the {type(source).__name__}", is_repeatable=False)
    if is_frame(source) or hasattr(source, "shape"):
        raise DatasetError(f"as_dataset got {with_article(source)}, a table in memory; expected {EXPECTED}.")
    is_other = isinstance(source, Mapping | set | frozenset | bytes)
    if is_other or not hasattr(source, "__iter__"):
        raise DatasetError(f"as_dataset got {with_article(source)}, {described(source)}; expected {EXPECTED}.")
    return IterableSource(lambda: iter(source), f"the {type(source).__name__} of tables")


def _are_paths(source: Any) -> bool:
    return isinstance(source, list | tuple) and bool(source) and all(isinstance(p, str | os.PathLike) for p in source)


def _is_arrow_dataset(X: Any) -> bool:
    is_arrow = type(X).__module__.partition(".")[0] == "pyarrow"
    return is_arrow and hasattr(X, "get_fragments") and hasattr(X, "to_batches")


def _is_dask(X: Any) -> bool:
    return hasattr(X, "compute") and (hasattr(X, "npartitions") and len(getattr(X, "shape", ())) == 2)
