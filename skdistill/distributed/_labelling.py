"""Outputs of a teacher for all rows of a Dask DataFrame."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import get_ident
from typing import Any

import numpy as np

from .._described import with_article
from .._validation import check_number
from ..datasets import ChunkedTable
from ..datasets._for_models import for_model
from ..datasets._other_sources import LoadedPartition
from ..datasets._schema import Schema
from ..exceptions import ClusterError, DatasetError, TeacherOutputError
from ..teachers import AnswerStore, Teacher, as_teacher, query_teacher
from ..teachers._by_row import is_by_row
from ._drawing import OnePartition
from ._installed import require_dask
from ._sent import Content, Loaded, Sent, load


def label(
    teacher: Any,
    X: Any,
    *,
    response_method: str = "auto",
    names: Sequence[str] | None = None,
    chunk_size: int = 10_000,
    memory: Any = None,
    teacher_id: str | None = None,
) -> Any:
    """Return the outputs of a teacher for the rows of a Dask DataFrame, as another one.

    Nothing is labelled before the result is computed or written, by any scheduler of Dask. The teacher is sent to each
    worker and loaded there once; Dask warns of a large graph if it has more than 10 MB. A partition whose worker ends
    is labelled again by another one.

    Parameters
    ----------
    teacher : object
        Any fitted model or function that :func:`skdistill.as_teacher` accepts, also a distilled estimator or its
        student. A function is taken for a regressor: pass ``as_teacher(function, classes=[...])`` for a classifier.
    X : dask.dataframe.DataFrame
        Only the columns are computed that the teacher knows by name, if it knows any. A teacher that was fitted on
        arrays is given arrays.
    response_method : str, default="auto"
        See :func:`skdistill.as_teacher`.
    names : sequence of str or None, default=None
        Names of the columns of the result. ``None``: ``proba_<class>`` or ``logit_<class>`` for each class, and
        ``output``, or ``output_0`` and so on, for values. Of a teacher of values, one row is labelled here to count
        its outputs.
    chunk_size : int >= 1, default=10_000
        Maximum number of rows in one call of the teacher.
    memory : str, path-like, joblib.Memory or None, default=None
        Folder that all workers share, in which the outputs of each chunk are stored as soon as they are available. A
        partition that is labelled again, by another worker or in another run, finds them there.
    teacher_id : str or None, default=None
        Name by which ``memory`` recognises the teacher; ``None`` recognises it by what it knows.

    Returns
    -------
    outputs : dask.dataframe.DataFrame
        One row for each row of ``X``, with its index and its partitions: ``X.join(outputs)``, or
        ``outputs.to_parquet(folder)``.

    Raises
    ------
    DatasetError
        If ``X`` is no Dask DataFrame. When it is computed: if a partition has other columns, dtypes or categories than
        ``X``; the message names it.
    TeacherQueryError
        When it is computed, if the teacher raises; the message names the partition and the rows.
    ClusterError
        If the teacher cannot be pickled or, when it is computed, loaded by a worker.
    ImportError
        If Dask is not installed.

    Examples
    --------
    >>> import pytest
    >>> dd = pytest.importorskip("dask.dataframe")
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdistill.distributed import label
    >>> rows = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0]})
    >>> teacher = LogisticRegression().fit(rows, [0, 0, 1, 1])
    >>> outputs = label(teacher, dd.from_pandas(rows, npartitions=2))
    >>> outputs.compute(scheduler="sync").round(1)["proba_1"].tolist()
    [0.2, 0.4, 0.6, 0.8]
    """
    require_dask("label")
    check_number("label", "chunk_size", chunk_size, low=1)
    known = teacher if isinstance(teacher, Teacher) else as_teacher(teacher, response_method)
    dataset = _dataset_of(X, known, chunk_size)
    columns = list(names) if names is not None else _names_of(known, dataset)
    sent = Sent.of(known, f"the teacher {known.name}")
    location = getattr(memory, "location", memory)
    labels = LabelPartition(
        replace(dataset, source=OnePartition(dataset.name, dataset.source.column_names)),
        sent.digest,
        sent.what,
        columns,
        None if location is None else os.fspath(location),
        teacher_id,
    )
    rows = dataset.source.collection if dataset.columns is None else X[list(dataset.columns)]  # type: ignore[attr-defined]
    return rows.map_partitions(labels, _content(sent), meta=_meta(columns, X), enforce_metadata=True)


def _dataset_of(X: Any, teacher: Teacher, chunk_size: int) -> ChunkedTable:
    """Return the dataset with the columns that the teacher knows, and with the schema that Dask states for it."""
    if not hasattr(X, "map_partitions") or not hasattr(X, "_meta_nonempty") or not hasattr(X, "columns"):
        raise DatasetError(f"label got {with_article(X)} as X; expected a Dask DataFrame.")
    dataset = replace(for_model(X, teacher.model), chunk_size=int(chunk_size))
    stated = LoadedPartition("stated by Dask", lambda columns: X._meta_nonempty)  # noqa: ARG005 - cut by the dataset
    [chunk] = replace(dataset, seen={}).chunks_of(stated)
    schema, unknown = Schema.of(chunk.table), _of_unknown_categories(X)
    columns = tuple(replace(each, categories=None) if each.name in unknown else each for each in schema.columns)
    return replace(dataset, schema=replace(schema, columns=columns), seen={})


def _of_unknown_categories(X: Any) -> set[str]:
    """Return the categorical columns whose categories Dask does not know before it computes them."""
    categorical = (name for name in X.columns if str(X._meta[name].dtype) == "category")
    return {str(name) for name in categorical if not X[name].cat.known}


def _names_of(teacher: Teacher, dataset: ChunkedTable) -> list[str]:
    if teacher.classes_ is not None:
        return [f"{teacher.output_kind}_{label}" for label in teacher.classes_.tolist()]
    row = next(iter(replace(dataset, source=dataset.source, seen={}).chunks())).table
    outputs = query_teacher(teacher, row[:1], origin="row to count the outputs")
    return ["output"] if outputs.ndim == 1 else [f"output_{place}" for place in range(outputs.shape[1])]


def _meta(columns: list[str], X: Any) -> Any:
    """Return the empty frame that tells Dask the columns of the result."""
    import pandas as pd

    return pd.DataFrame(np.empty((0, len(columns))), columns=columns, index=X._meta.index)


def _content(sent: Sent) -> Any:
    """Return the pickled teacher as the result of a task, which each worker gets once."""
    import dask

    return dask.delayed(Content(sent.content), pure=False)(dask_key_name=f"skdistill-teacher-{sent.digest}")


@dataclass(frozen=True)
class LabelPartition:
    """Labels a partition on a worker.

    Attributes
    ----------
    dataset : ChunkedTable
        Without its rows.
    digest, what : str
        Of the teacher that was sent.
    columns : list of str
        Of the result.
    memory : str or None
    teacher_id : str or None
    """

    dataset: ChunkedTable
    digest: str
    what: str
    columns: list[str]
    memory: str | None
    teacher_id: str | None

    def __call__(self, frame: Any, content: bytes, partition_info: Any = None) -> Any:
        """Return the outputs for the rows of a partition."""
        import pandas as pd

        name = f"partition {partition_info['number']}" if partition_info else "partition 0"
        outputs = np.empty((len(frame), len(self.columns)))
        part = LoadedPartition(name, lambda columns: frame)  # noqa: ARG005 - cut by the dataset
        for chunk in replace(self.dataset, seen={}).chunks_of(part):
            outputs[chunk.start : chunk.start + len(chunk)] = self._label(self._load(content, name), chunk.table, name)
        return pd.DataFrame(outputs, columns=self.columns, index=frame.index)

    def _load(self, content: bytes, name: str) -> Loaded:
        try:
            return load(content, self.digest, self.what)
        except ClusterError as error:
            raise ClusterError(f"{name} of {self.dataset.name}: {error}") from error.__cause__

    def _label(self, loaded: Loaded, rows: Any, name: str) -> np.ndarray:
        """Return the outputs for some rows; one thread calls a model that may not be called by more."""
        teacher, origin = loaded.value, f"rows of {name} of {self.dataset.name}"
        store = self._store(loaded)
        if loaded.state.setdefault("is_by_row", is_by_row(teacher.model)):
            outputs = query_teacher(teacher, rows, origin=origin, chunk_size=rows.shape[0], memory=store)
        else:
            with loaded.lock:
                outputs = query_teacher(teacher, rows, origin=origin, chunk_size=rows.shape[0], memory=store)
        outputs = outputs.reshape(len(outputs), -1)
        if outputs.shape[1] != len(self.columns):
            raise TeacherOutputError(
                f"{teacher.name} returned {outputs.shape[1]} outputs for {origin}; expected {len(self.columns)}, "
                f"one for each of the names {self.columns[:20]}."
            )
        return outputs

    def _store(self, loaded: Loaded) -> AnswerStore | None:
        """Return the store of this thread, which recognises the teacher once."""
        if self.memory is None:
            return None
        key = "store", self.memory, self.teacher_id, get_ident()
        if key not in loaded.state:
            loaded.state[key] = AnswerStore(Path(self.memory), self.teacher_id)
        return loaded.state[key]


__all__ = ["label"]
