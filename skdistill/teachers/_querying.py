"""Queries of a teacher in chunks, with checks of the outputs and a cache."""

from collections.abc import Callable
from typing import Any

import joblib
import numpy as np

from .._progress import Progress
from .._tables import take_rows
from .._threads import in_threads
from ..exceptions import TeacherError, TeacherOutputError, TeacherQueryError
from ._adapter import Teacher
from ._fingerprint import fingerprint
from ._out_of_bag import FORESTS
from ._steady import cut


def query_teacher(
    teacher: Teacher,
    X: Any,
    *,
    origin: str = "rows",
    chunk_size: int = 10_000,
    memory: joblib.Memory | None = None,
    verbose: int = 0,
    callback: Callable[[float], str | None] | None = None,
    n_jobs: int | None = None,
    probe: np.ndarray | None = None,
) -> np.ndarray:
    """Return the teacher's outputs for every row of ``X``.

    Parameters
    ----------
    teacher : Teacher
    X : table of shape (n_samples, n_features)
    origin : str, default="rows"
        Name of the rows in messages.
    chunk_size : int, default=10_000
        Number of rows in one call of the teacher and in one entry of the cache.
    memory : joblib.Memory or None, default=None
        Caches the outputs of each block, identified by the fingerprint of the teacher and the rows, as soon as they are
        available. An interrupted query therefore resumes where it stopped.
    verbose : int, default=0
        If above 0, progress is written to standard error.
    callback : callable or None, default=None
        Called after each block with the completed share of the rows.
    n_jobs : int or None, default=None
        Number of blocks that are labelled in parallel. Only used for teachers that are thread-safe and whose outputs do
        not depend on the other rows of a block: scikit-learn forests that do not use threads themselves.
    probe : ndarray or None, default=None
        Outputs of the model for some rows, if they are known, which identify it in the cache. ``None`` queries it for
        a few of the rows.

    Returns
    -------
    outputs : ndarray of shape (n_samples,) or (n_samples, n_outputs)

    Raises
    ------
    TeacherQueryError
        If the teacher raises; the message names the block.
    TeacherOutputError
        If an output is malformed; the message names the block.
    """
    n_rows = X.shape[0]
    label_block, key = _label_block, None
    if memory is not None and getattr(memory, "location", None) is not None:
        label_block = memory.cache(_label_block, ignore=["teacher", "where"])
        known = _probe(teacher, X, origin) if probe is None and teacher.is_exact else probe
        key = key_of(teacher, known if teacher.is_exact else None)
    order, chunk_size = cut(teacher, n_rows, chunk_size)
    progress = Progress(f"{teacher.name} labels {origin}", n_rows, verbose, callback=callback)
    outputs: np.ndarray | None = None
    starts = range(0, n_rows, chunk_size)

    def label_from(start: int) -> np.ndarray:
        stop = min(start + chunk_size, n_rows)
        where = f"{origin} {start} to {stop - 1} of {n_rows}"
        if order is not None:
            where = f"{stop - start} of the {n_rows} {origin}, in mixed order"
        block = (
            X if stop - start == n_rows else take_rows(X, slice(start, stop) if order is None else order[start:stop])
        )
        return label_block(teacher, block, key, where=where)

    blocks = in_threads(label_from, starts, n_jobs) if is_thread_safe(teacher) else map(label_from, starts)
    for start, labelled in zip(starts, blocks, strict=True):
        stop = start + len(labelled)
        if outputs is None:
            outputs = np.empty((n_rows, *labelled.shape[1:]))
        if labelled.shape[1:] != outputs.shape[1:]:
            raise TeacherOutputError(
                f"{teacher.name} returned shape {labelled.shape} for {origin} {start} to {stop - 1}; expected "
                f"{(stop - start, *outputs.shape[1:])}, as for the previous rows. Return the same number of columns in "
                "every call."
            )
        outputs[slice(start, stop) if order is None else order[start:stop]] = labelled
        progress.update(stop)
    assert outputs is not None
    return outputs


def is_thread_safe(teacher: Teacher) -> bool:
    """Whether several threads may query a teacher, and its outputs do not depend on the other rows of a block."""
    model = teacher.model
    return type(model) in FORESTS and model.n_jobs in (None, 1)


PROBE_ROWS = 16
"""Number of rows whose outputs are part of the fingerprint of the teacher."""


def key_of(teacher: Teacher, probe: np.ndarray | None = None) -> str:
    """Return the key of cached outputs, given outputs for a few rows.

    Outputs that differ between calls do not identify a teacher, and means over different numbers of calls differ.
    """
    key = fingerprint(teacher, np.empty(0) if probe is None else probe)
    return key if teacher.n_repeats == 1 else f"{key} {teacher.n_repeats}"


def _probe(teacher: Teacher, X: Any, origin: str) -> np.ndarray:
    """Label a few rows spread over the table, or all rows if the teacher is transductive."""
    spread = np.linspace(0, X.shape[0] - 1, num=min(X.shape[0], PROBE_ROWS), dtype=int)
    probe = X if teacher.transductive else take_rows(X, spread)
    return _label_block(teacher, probe, None, where=f"{len(spread)} of the {origin}")


def _label_block(teacher: Teacher, block: Any, key: str | None, where: str) -> np.ndarray:  # noqa: ARG001
    try:
        return teacher.outputs(block)
    except TeacherOutputError as error:
        raise TeacherOutputError(f"{error} (in {where})") from None
    except TeacherError:
        raise
    except Exception as error:
        raise TeacherQueryError(
            f"{teacher.name} raised {type(error).__name__} for {where}: {error}. Check that the rows have the format "
            "that the teacher was fitted on. With memory=..., the outputs of completed blocks are cached."
        ) from error
