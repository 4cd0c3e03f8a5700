"""Queries of a teacher in chunks, with checks of the outputs and a store of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import Any

import joblib
import numpy as np

from .._progress import Progress
from .._tables import take_rows
from ..exceptions import TeacherError, TeacherOutputError
from ._adapter import Teacher
from ._answer_store import AnswerStore, Recalled, open_store
from ._asking import ask
from ._remote import RemoteTeacher, with_cost
from ._steady import cut, members_of
from ._workers import Workers


def query_teacher(
    teacher: Teacher,
    X: Any,
    *,
    origin: str = "rows",
    chunk_size: int = 10_000,
    memory: joblib.Memory | AnswerStore | None = None,
    teacher_id: str | None = None,
    by_batch: bool | None = None,
    verbose: int = 0,
    callback: Callable[[float], str | None] | None = None,
    n_jobs: int | None = None,
    probe: np.ndarray | None = None,
    workers: Workers | None = None,
) -> np.ndarray:
    """Return the teacher's outputs for every row of ``X``.

    Parameters
    ----------
    teacher : Teacher
    X : table of shape (n_samples, n_features)
    origin : str, default="rows"
        Name of the rows in messages.
    chunk_size : int, default=10_000
        Number of rows in one call of the teacher.
    memory : joblib.Memory, AnswerStore or None, default=None
        Stores the outputs of each chunk as soon as they are available, so that an interrupted query resumes where it
        stopped. Outputs are found again by what the teacher knows and by row, in tables of any order and size. An
        ``AnswerStore`` recognises the teacher once for several tables.
    teacher_id : str or None, default=None
        Name by which ``memory`` recognises the teacher instead.
    by_batch : bool or None, default=None
        Whether the outputs for a row depend on the other rows of a call; they are then stored for chunks instead of
        rows. ``None`` reads the attribute ``depends_on_batch`` of the teacher.
    verbose : int, default=0
        If above 0, progress is written to standard error.
    callback : callable or None, default=None
        Called after each chunk with the completed share of the rows.
    n_jobs : int or None, default=None
        Number of chunks that are labelled in parallel; see :class:`Workers`.
    probe : ndarray or None, default=None
        Outputs of the model for some rows, if they are known, by which a change of the model is noticed. ``None``
        queries the teacher for a few of the rows.
    workers : Workers or None, default=None
        Labels the chunks of several tables in the way that was found for the first. ``None`` is ``Workers(n_jobs)``.

    Returns
    -------
    outputs : ndarray of shape (n_samples,) or (n_samples, n_outputs)

    Raises
    ------
    TeacherQueryError
        If the teacher raises; the message names the chunk.
    TeacherOutputError
        If an output is malformed; the message names the chunk.
    """
    if members_of(teacher) is not None:
        of_members = query_members(
            teacher,
            X,
            origin=origin,
            chunk_size=chunk_size,
            memory=memory,
            teacher_id=teacher_id,
            verbose=verbose,
            callback=callback,
            n_jobs=n_jobs,
            workers=workers,
        )
        return np.asarray(teacher.model.combine(X, of_members))
    n_rows, store = X.shape[0], None if teacher.answers_only_given_rows else open_store(memory, teacher_id)
    order, chunk_size = cut(teacher, n_rows, _rows_at_once(teacher, chunk_size))
    labeller = _Labeller(teacher, X if order is None else take_rows(X, order), origin, is_mixed=order is not None)
    recalled = None
    if store is not None:
        batch_size = chunk_size if (teacher.depends_on_batch if by_batch is None else by_batch) else None
        recalled = store.recall(teacher, labeller.X, labeller.probe, batch_size, probe)
        todo = _chunks(n_rows, chunk_size, recalled, by_batch=batch_size is not None)
        labeller.keep = _keeping(store, recalled, by_batch=batch_size is not None)
    else:
        todo = _chunks(n_rows, chunk_size, None, by_batch=False)
    progress = Progress(f"{teacher.name} labels {origin}", n_rows, verbose, callback=with_cost(teacher.model, callback))
    outputs = _Outputs(labeller, n_rows, recalled)
    labelled = (Workers(n_jobs) if workers is None else workers).label(labeller, todo)
    try:
        for rows, answers in outputs.fill(zip(todo, labelled, strict=True), progress):
            if store is not None and recalled is not None and recalled.keys is not None:
                store.keep(recalled.keys[rows], answers)
    finally:
        if store is not None:
            store.pack()
    return outputs.all() if order is None else outputs.all()[np.argsort(order)]


def query_members(
    teacher: Teacher,
    X: Any,
    *,
    memory: joblib.Memory | AnswerStore | None = None,
    teacher_id: str | None = None,
    callback: Callable[[float], str | None] | None = None,
    **options: Any,
) -> list[np.ndarray]:
    """Return the outputs of each of several teachers; ``memory`` stores those of each by itself.

    Parameters
    ----------
    teacher : Teacher
        Of a :class:`TeacherEnsemble`.
    X : table of shape (n_samples, n_features)
    memory, teacher_id, callback, **options
        See :func:`query_teacher`.
    """
    members, store = members_of(teacher), open_store(memory, teacher_id)
    assert members is not None

    def notify(done: int, share: float) -> str | None:
        return None if callback is None else callback((done + share) / len(members))

    return [
        query_teacher(
            member,
            X,
            memory=None if store is None else store.of_member(name),
            callback=partial(notify, done),
            **options,
        )
        for done, (name, member) in enumerate(zip(teacher.model.names, members, strict=True))
    ]


def _rows_at_once(teacher: Teacher, chunk_size: int) -> int:
    """Return the number of rows in one call of the teacher: fewer of a remote one, which are stored sooner."""
    return min(chunk_size, teacher.model.rows_at_once) if isinstance(teacher.model, RemoteTeacher) else chunk_size


def _keeping(store: AnswerStore, recalled: Recalled, by_batch: bool) -> Callable[[np.ndarray, np.ndarray], None] | None:
    """Return the function that stores the outputs of single rows; ``None`` if they cannot be stored."""
    keys = recalled.keys
    return None if keys is None or by_batch else lambda rows, answers: store.keep(keys[rows], answers)


def _chunks(n_rows: int, chunk_size: int, recalled: Recalled | None, by_batch: bool) -> list[Any]:
    """Return the rows of each call of the teacher: slices of the table, or positions of the rows that are missing."""
    slices = [slice(start, min(start + chunk_size, n_rows)) for start in range(0, n_rows, chunk_size)]
    if recalled is None or not recalled.is_known.any():
        return slices
    if by_batch:
        return [rows for rows in slices if not recalled.is_known[rows].all()]
    missing = np.flatnonzero(~recalled.is_known)
    return [missing[start : start + chunk_size] for start in range(0, len(missing), chunk_size)]


class _Outputs:
    """The outputs of a table, filled by the store and by the chunks that the teacher labels."""

    def __init__(self, labeller: "_Labeller", n_rows: int, recalled: Recalled | None) -> None:
        self._labeller, self._n_rows = labeller, n_rows
        self._outputs: np.ndarray | None = None
        self.n_done = 0
        if recalled is not None and recalled.is_known.any():
            self.add(np.flatnonzero(recalled.is_known), recalled.outputs)

    def fill(self, answered: Iterable[tuple[Any, np.ndarray]], progress: Progress) -> Iterator[tuple[Any, np.ndarray]]:
        """Set the outputs of chunks as they arrive, report the progress, and yield the chunks."""
        with progress:
            if self.n_done:  # of the store
                progress.update(self.n_done)
            for rows, answers in answered:
                self.add(rows, answers)
                yield rows, answers
                progress.update(self.n_done)

    def add(self, rows: Any, answers: np.ndarray) -> None:
        """Set the outputs of rows, whose shape must be that of the previous ones."""
        if self._outputs is None:
            self._outputs = np.empty((self._n_rows, *answers.shape[1:]))
        if answers.shape[1:] != self._outputs.shape[1:]:
            raise TeacherOutputError(
                f"{self._labeller.teacher.name} returned shape {answers.shape} for {self._labeller.describe(rows)}; "
                f"expected {(len(answers), *self._outputs.shape[1:])}, as for the previous rows. Return the same "
                "number of columns in every call."
            )
        self._outputs[rows] = answers
        self.n_done = min(self.n_done + len(answers), self._n_rows)

    def all(self) -> np.ndarray:
        """Return the outputs of all rows."""
        assert self._outputs is not None
        return self._outputs


class _Labeller:
    """Labels rows of a table; errors name the rows."""

    def __init__(self, teacher: Teacher, X: Any, origin: str, *, is_mixed: bool) -> None:
        self.teacher, self.X, self._origin, self._is_mixed = teacher, X, origin, is_mixed
        self.keep: Callable[[np.ndarray, np.ndarray], None] | None = None

    def probe(self, rows: np.ndarray) -> np.ndarray:
        """Label a few rows by which the teacher is recognised."""
        return ask(self.teacher, take_rows(self.X, rows), f"{len(rows)} of the {self._origin}")

    def label(self, rows: Any) -> np.ndarray:
        """Label the rows of a chunk."""
        try:
            return ask(self.teacher, *self.task(rows))
        except (TeacherError, KeyboardInterrupt):
            self._store_answered()
            raise

    def task(self, rows: Any) -> tuple[Any, str]:
        """Return the rows of a chunk and what errors call them."""
        n_rows = self.X.shape[0]
        is_all = isinstance(rows, slice) and rows.stop - rows.start == n_rows and not self._are_rows_arriving
        block = self.X if is_all else take_rows(self.X, rows)
        return block, self.describe(rows) if self._is_mixed else f"{self.describe(rows)} of {n_rows}"

    def undisturbed(self, blocks: Sequence[Any]) -> AbstractContextManager[None]:
        """Return a context in which these blocks can be timed: their rows are there, and no others are read."""
        return self.X.undisturbed(blocks[-1].stop) if self._are_rows_arriving else nullcontext()

    @property
    def _are_rows_arriving(self) -> bool:
        """Whether the table is one of rows that are still read."""
        return hasattr(self.X, "undisturbed")

    def _store_answered(self) -> None:
        """Store what a remote teacher has answered of a chunk before it failed or was interrupted."""
        if self.keep is None or not isinstance(self.teacher.model, RemoteTeacher) or self.teacher.n_repeats > 1:
            return
        rows = self.teacher.model.rows_kept(self.X)
        with suppress(TeacherError):  # the answers are no outputs of a teacher
            if len(rows):
                self.keep(rows, self.teacher.outputs(take_rows(self.X, rows)))

    def describe(self, rows: Any) -> str:
        """Return which rows a chunk has."""
        is_slice = isinstance(rows, slice)
        first, last = (rows.start, rows.stop - 1) if is_slice else (rows[0], rows[-1])
        n_rows = last - first + 1 if is_slice else len(rows)
        if self._is_mixed:
            return f"{n_rows} of the {self.X.shape[0]} {self._origin}, in mixed order"
        if last - first == n_rows - 1:
            return f"{self._origin} {first} to {last}"
        return f"{n_rows} of the {self._origin} {first} to {last}"
