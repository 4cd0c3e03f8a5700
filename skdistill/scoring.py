"""``score_dataset``: predictions for a dataset that is read in chunks, written to Parquet part by part."""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import narwhals as nw
import numpy as np

from ._described import described
from ._progress import Progress
from ._validation import check_choice
from .certificates._digests import student_digest
from .datasets import Chunk, ChunkedTable, Partition
from .datasets._for_models import for_model
from .datasets._frames import NATIVE, as_kind
from .exceptions import DatasetError

Method = Literal["predict", "predict_proba"]
METHODS: tuple[Method, ...] = get_args(Method)

KEY = b"skdistill"
"""Key of the metadata of a part, by which the next run recognises it as complete."""


@dataclass(frozen=True)
class Scores:
    """What :func:`score_dataset` has written.

    Attributes
    ----------
    folder : Path
        Where the parts are; ``as_dataset(scores.folder)`` reads them.
    n_rows : int
        Number of rows of all parts.
    n_parts : int
        Number of parts, one for each partition with rows.
    n_skipped : int
        Number of parts that were complete already.
    """

    folder: Path
    n_rows: int
    n_parts: int
    n_skipped: int


def score_dataset(
    model: Any,
    dataset: Any,
    folder: Any,
    *,
    method: Method | Sequence[Method] = "predict",
    keep: str | Sequence[str] = (),
    model_id: str | None = None,
    overwrite: bool = False,
    verbose: int = 0,
) -> Scores:
    """Predict the rows of a dataset, and write the predictions to Parquet, a part for each partition of the dataset.

    A part appears under its name once it is complete. A run that was stopped is continued by the next one: it skips the
    parts that are complete, if the model, the options and the file of the partition are still the same.

    Parameters
    ----------
    model : object
        A fitted model with the method: a distilled estimator, its student, a compiled model, or any other estimator.
    dataset : dataset
        As accepted by :func:`skdistill.datasets.as_dataset`. Only the columns are read that the model knows or that are
        kept.
    folder : str or path-like
        Where ``part-00000.parquet`` and so on are written; it is made if it does not exist.
    method : {"predict", "predict_proba"} or both as a tuple, default="predict"
        What is written: the columns ``prediction`` (``prediction_0`` and so on for several outputs) and
        ``proba_<class>`` for each class.
    keep : str or sequence of str, default=()
        Columns of the dataset that are written beside the predictions, such as an identifier.
    model_id : str or None, default=None
        Name by which the next run recognises the model. ``None`` compares what the model has learned, or, for models of
        other packages, its pickle.
    overwrite : bool, default=False
        Whether parts of another model, or with other options, are replaced.
    verbose : int, default=0
        If above 0, progress is written to standard error.

    Returns
    -------
    scores : Scores
        Numbers of rows and parts.

    Raises
    ------
    DatasetError
        If a partition cannot be read or predicted, a part cannot be written, or the folder holds predictions of another
        model. The message names the partition; complete parts stay.
    ImportError
        If pyarrow is not installed.

    Examples
    --------
    >>> import numpy as np, pandas as pd, tempfile
    >>> import pyarrow.parquet as pq
    >>> from sklearn.linear_model import LinearRegression
    >>> from skdistill import score_dataset
    >>> rows = pd.DataFrame({"id": range(6), "a": np.arange(6.0)})
    >>> model = LinearRegression().fit(rows[["a"]], 2 * rows["a"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     scores = score_dataset(model, [rows[:4], rows[4:]], folder, keep=["id"])
    ...     pq.read_table(folder).to_pandas().round(6).values.tolist()[-1]
    [5.0, 10.0]
    >>> scores.n_rows, scores.n_parts
    (6, 2)
    """
    methods, kept = _checked_methods(model, method), list(dict.fromkeys([keep] if isinstance(keep, str) else keep))
    rows = for_model(dataset, model, kept)
    folder = _made_folder(folder)
    what = {"model": model_id or _digest(model), "methods": list(methods), "keep": kept}
    writer = _Writer(model, methods, kept, folder, what, overwrite)
    n_rows = n_parts = n_skipped = 0
    with Progress(f"score {rows.name}", rows.n_rows, verbose) as progress:
        for partition in rows.source.partitions():
            n_written, is_skipped = writer.write(n_parts, rows, partition)
            n_rows, n_parts, n_skipped = n_rows + n_written, n_parts + (n_written > 0), n_skipped + is_skipped
            progress.update(n_rows)
    return Scores(folder, n_rows, n_parts, n_skipped)


def _checked_methods(model: Any, method: Any) -> tuple[Method, ...]:
    methods = tuple(method) if isinstance(method, list | tuple) else (method,)
    for each in methods or ("",):
        check_choice("score_dataset", "method", each, METHODS)
        if not hasattr(model, each):
            raise DatasetError(f"score_dataset: {type(model).__name__} has no {each}; expected a model that has.")
    return methods


def _made_folder(folder: Any) -> Path:
    """Return the path of a folder, which is made if it does not exist."""
    if not isinstance(folder, str | os.PathLike):
        raise TypeError(f"score_dataset: folder={described(folder)}; expected the path of a folder to write to.")
    path = Path(os.fspath(folder))
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise DatasetError(f"score_dataset: {path} is a file; expected a folder. Pass another path.") from None
    return path


def _digest(model: Any) -> str:
    try:
        return student_digest(model)
    except Exception as error:
        raise DatasetError(
            f"score_dataset: {type(model).__name__} cannot be pickled ({type(error).__name__}: {error}), so that the "
            "next run could not recognise it. Pass model_id, a name for this model."
        ) from error


@dataclass(frozen=True)
class _Writer:
    """Writes the parts of one model to a folder."""

    model: Any
    methods: tuple[str, ...]
    keep: list[str]
    folder: Path
    what: dict[str, Any]
    overwrite: bool

    def write(self, place: int, rows: ChunkedTable, partition: Partition) -> tuple[int, bool]:
        """Write the part of a partition unless it is complete; return its number of rows, and whether it was."""
        path = self.folder / f"part-{place:05d}.parquet"
        what = {**self.what, "partition": partition.name, "fingerprint": partition.fingerprint()}
        n_known = self._known(path, what)
        if n_known is not None:
            return n_known, True
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            n_rows = self._write_chunks(temporary, rows, partition, what)
            if n_rows:
                os.replace(temporary, path)
        except OSError as error:
            raise DatasetError(
                f"score_dataset: {path.name}, of the partition {partition.name}, cannot be written to {self.folder}: "
                f"{error}. The {place} parts before are complete, and the next run skips them: make room, and run it."
            ) from error
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
        return n_rows, False

    def _known(self, path: Path, what: dict[str, Any]) -> int | None:
        """Return the number of rows of a complete part of this model and partition; ``None`` if there is none."""
        import pyarrow.parquet as pq

        if not path.exists():
            return None
        try:
            footer = pq.ParquetFile(path).metadata
            known = json.loads((footer.metadata or {}).get(KEY, b"{}"))
        except Exception:  # a file that is no Parquet is not a part
            footer, known = None, {}
        if known == what and footer is not None:
            return int(footer.num_rows)
        others = [name for name in self.what if known.get(name) != what[name]]
        if others and not self.overwrite:
            raise DatasetError(
                f"score_dataset: {path} exists, with other {' and '.join(others)} than these. Pass another folder, or "
                "overwrite=True to replace it."
            )
        return None  # the file of the partition has changed

    def _write_chunks(self, path: Path, rows: ChunkedTable, partition: Partition, what: dict[str, Any]) -> int:
        import pyarrow as pa
        import pyarrow.parquet as pq

        writer, n_rows = None, 0
        try:
            for columns in self._scored(rows, partition):
                table = _as_arrow(columns) if writer is None else _as_arrow(columns, writer.schema)
                if writer is None:
                    schema = table.schema.with_metadata({KEY: json.dumps(what)})
                    writer = pq.ParquetWriter(path, schema)
                writer.write_table(table.cast(writer.schema))
                n_rows += table.num_rows
        except pa.ArrowInvalid as error:
            raise DatasetError(
                f"score_dataset: the partition {partition.name} has columns of other types in some chunks: {error}"
            ) from error
        finally:
            if writer is not None:
                writer.close()
        return n_rows

    def _scored(self, rows: ChunkedTable, partition: Partition) -> Iterator[dict[str, Any]]:
        """Yield the kept columns and the predictions of each chunk."""
        known = list(rows.columns or ())
        whole = rows
        if self.keep:
            others = [name for name in self.keep if name not in known]
            whole = replace(rows.select([*known, *others]), kind=NATIVE)
        for chunk in whole.chunks_of(partition):
            table, kept = chunk.table, {}
            if self.keep:
                frame = nw.from_native(table, eager_only=True)
                kept = {name: frame[name].to_arrow() for name in self.keep}
                table = as_kind(frame.select(known).to_native(), rows.kind)
            predicted = self._predicted(rows, Chunk(table, chunk.start, chunk.partition, {}))
            if both := sorted(kept.keys() & predicted.keys()):
                raise DatasetError(
                    f"score_dataset: the columns {both} are kept, and predictions have the same names; expected other "
                    "names. Rename these columns, or leave them out of keep."
                )
            yield kept | predicted

    def _predicted(self, rows: ChunkedTable, chunk: Chunk) -> dict[str, np.ndarray]:
        """Return the predictions for a chunk as columns."""
        columns: dict[str, np.ndarray] = {}
        for method in self.methods:
            try:
                answers = np.asarray(getattr(self.model, method)(chunk.table))
            except Exception as error:
                raise DatasetError(
                    f"score_dataset: {type(self.model).__name__}.{method} fails for rows of the partition "
                    f"{chunk.partition} of {rows.name}: {type(error).__name__}: {error}"
                ) from error
            if len(answers) != len(chunk):
                raise DatasetError(
                    f"score_dataset: {type(self.model).__name__}.{method} returned {len(answers)} answers for "
                    f"{len(chunk)} rows of the partition {chunk.partition}; expected one for each row."
                )
            columns |= _named_answers(method, answers, getattr(self.model, "classes_", None))
        return columns


def _named_answers(method: str, answers: np.ndarray, classes: Any) -> dict[str, np.ndarray]:
    if answers.ndim == 1:
        return {"prediction" if method == "predict" else "proba": answers}
    if method == "predict_proba" and classes is not None and len(classes) == answers.shape[1]:
        names = [f"proba_{label}" for label in classes]
    else:
        names = [f"{'prediction' if method == 'predict' else 'proba'}_{place}" for place in range(answers.shape[1])]
    return dict(zip(names, answers.T, strict=True))


def _as_arrow(columns: dict[str, Any], schema: Any = None) -> Any:
    """Return columns as a table of pyarrow, of the types of the first chunk."""
    import pyarrow as pa

    if schema is None:
        return pa.table(columns)
    if list(columns) != schema.names:
        raise DatasetError(f"the predictions have the columns {list(columns)}; expected {schema.names} in each chunk.")
    return pa.table(columns).cast(schema.remove_metadata(), safe=True)


__all__ = ["Scores", "score_dataset"]
