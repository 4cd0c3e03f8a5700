"""Values of a student fitted again to more rows of a dataset than are in memory: labelled and summed chunk by chunk."""

import copy
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from .._encoding import encoded_once
from .._processes import count_jobs
from .._tables import stack_rows, take_rows
from .._validation import check_weights, draw_seed
from ..datasets import Chunk
from ..datasets._chunked_table import named
from ..datasets._drawing import DrawnRows, row_keys
from ..datasets._remaining import RemainingRows
from ..selection import MIN_VALIDATION_ROWS, AutoStudent, Group, Run, Targets
from ..students._completion import CompletedClassifier
from ..students._deciding import DecidingClassifier
from ..students._refitting import Sums, shortened, sums_for
from ..teachers._seen_rows import RowKeys, value_keys
from ..transfer import Oracle, TransferSet
from ._datasets import HELD_OUT_SHARE, DatasetPool

LABELLED_CHUNKS = 4
"""Number of chunks whose rows are labelled in one query, if they are no more than the rows that a fit holds: jobs wait
for each other at the end of each query."""

MIN_ROWS = 1000
"""Minimum number of further rows for a refit."""

MOST_VALIDATION_ROWS = 5000
"""About the maximum number of further rows that are held out: the length of a step is chosen on one half of them, and
the students before and after it are compared on the other."""

LENGTHS = (1.0, 2.0, 1.5, 0.5, 0.25, 0.125, 0.0625, 0.03125)
"""Lengths that are tried, in Newton steps; the whole step is taken unless another one is clearly better, or the student
before is better."""

MIN_ERRORS = 2.0
"""Number of standard errors from which another length is clearly better."""

MIN_ROWS_BEYOND = 200
"""Minimum number of rows on which a length beyond 1 is chosen: fewer hardly tell how large the rare large losses are."""

SUMMED_ROWS = 4096
"""Rows of small chunks that are labelled and summed together: a call costs as much as thousands of rows."""

MOST_KEYS = 1_000_000
"""About the maximum number of further rows whose keys are kept, of 16 bytes each."""


@dataclass(frozen=True)
class RefitReport:
    """What a refit to more rows of a dataset has changed, on rows of it that were used for nothing else.

    They are drawn at random before rows are selected for the fit, so that they represent the dataset. Linear
    classifiers and boosting of classes take a Newton step, whose length is chosen on one half of the rows that are held
    out; the fidelity is that on the other half.

    Parameters
    ----------
    n_summed : int
        Number of rows in the sums: those that the student was taught on and further ones.
    n_labelled : int
        Number of further rows that the teacher has labelled, with those that were held out.
    n_validated : int
        Number of rows of the comparison.
    n_chosen_on : int
        Number of rows that the length of the step was chosen on; 0 if the values are fitted to the minimum.
    length : float
        Length of the step that was taken, in Newton steps.
    fidelity_before, fidelity_after : float
        Fidelity of the student before and after the refit.
    is_kept : bool
        Whether the refitted student is kept, because its fidelity is higher and it is within the budget.
    """

    n_summed: int
    n_labelled: int
    n_validated: int
    n_chosen_on: int
    length: float
    fidelity_before: float
    fidelity_after: float
    is_kept: bool

    def __str__(self) -> str:
        kept = "kept" if self.is_kept else "not kept"
        step = f" by {self.length:.3g} of a Newton step" if self.n_chosen_on else ""
        return (
            f"The student refitted{step} to {self.n_summed:,} rows was {kept}: fidelity {self.fidelity_before:.4f} "
            f"before, {self.fidelity_after:.4f} after on {self.n_validated:,} other rows."
        )


class Refitted(NamedTuple):
    """A student after a refit or without one, with what is known of it."""

    student: Any
    report: RefitReport | None = None
    keys: RowKeys | None = None

    @property
    def n_summed(self) -> int:
        """Number of rows to which the student was fitted again; 0 if it is the one before."""
        return self.report.n_summed if self.report is not None and self.report.is_kept else 0


def refit(
    model: Any, student: Any, rows: TransferSet, pool: DatasetPool | None, targets: Targets, oracle: Oracle, run: Run
) -> Refitted:
    """Return a student whose values are fitted again to all rows that the budget allows, if it is better.

    Parameters
    ----------
    model : distilled estimator
    student : estimator
        Fitted to the transfer set.
    rows : TransferSet
        With the weights that were selected. Its synthetic rows are not in the sums.
    pool : DatasetPool or None
    targets : Targets
    oracle : Oracle
        Labels the rows; with ``memory``, their outputs are stored block by block.
    run : Run
    """
    if pool is None or not pool.is_refitted:
        return Refitted(student)
    most = min(oracle.n_left, run.deadline.rows_in_time(oracle.n_queries, oracle.label_seconds), 2.0**62)
    seed = draw_seed(run.with_copied_generator().rng)
    further = RemainingRows(pool.dataset.n_rows or 0, pool.drawn, int(most), seed)
    rows = rows.take(np.flatnonzero(~rows.is_synthetic & (rows.sample_weight > 0)))
    sums = sums_for(_inside(student), targets.taught(rows.outputs, rows.truth))
    if sums is None or further.n_drawn < MIN_ROWS:
        return Refitted(student)
    with run.phases.phase("refit the student") as phase:
        phase.log(f"fitting the values of {type(student).__name__} again, to {further.n_drawn:,} more rows")
        summing = Summing(sums, rows, pool, further, targets, oracle)
        oracle.workers.expect(further.n_drawn, int(min(oracle.n_left - further.n_drawn, 2.0**62)))
        progress = phase.progress(f"label and sum rows of {pool.dataset.name}", further.n_drawn, "rows")
        for n_done in summing.run():
            progress.update(n_done)
        if summing.n_labelled == 0:  # all further rows have the weight zero
            return Refitted(student)
        if summing.n_held < MIN_VALIDATION_ROWS:
            return Refitted(student, keys=summing.keys)
        return _better(model, student, sums.student(), summing, targets)


def _inside(student: Any) -> Any:
    """Return the student without what undoes a temperature or decides by thresholds."""
    is_completed = isinstance(student, CompletedClassifier) and student.response == "predict_proba"
    return _inside(student.estimator) if is_completed or isinstance(student, DecidingClassifier) else student


def _with_inside(student: Any, refitted: Any) -> Any:
    """Return another student inside the same wrappers."""
    if _inside(student) is student:
        return refitted
    wrapper = copy.copy(student)
    wrapper.estimator = _with_inside(student.estimator, refitted)
    return wrapper


def _better(model: Any, before: Any, refitted: Any, summing: "Summing", targets: Targets) -> Refitted:
    """Return the student of the smaller loss on rows that were held out, and the report.

    Parameters
    ----------
    model : distilled estimator
    before : estimator
    refitted : estimator
        Without the wrappers of ``before``.
    summing : Summing
    targets : Targets
    """
    compared, chosen_on = summing.held_out()
    length = 1.0 if chosen_on is None else _best_length(before, refitted, chosen_on, targets)
    after = _with_inside(before, shortened(_inside(before), refitted, length))
    old, new = (1 - float(_losses(student, compared, targets).mean()) for student in (before, after))
    is_kept = new > old and _is_within_budget(model, after)
    report = RefitReport(
        summing.n_summed,
        summing.n_labelled,
        len(compared.targets),
        0 if chosen_on is None else len(chosen_on.targets),
        length,
        old,
        new,
        is_kept,
    )
    return Refitted(after if is_kept else before, report, summing.keys)


def _best_length(before: Any, refitted: Any, rows: Group, targets: Targets) -> float:
    """Return the length of the smallest loss if the whole step is clearly worse, or worse than none; 1 otherwise."""
    lengths = [length for length in LENGTHS if length <= 1 or len(rows.targets) >= MIN_ROWS_BEYOND]
    students = [_with_inside(before, shortened(_inside(before), refitted, length)) for length in lengths]
    of_none, *others = (_losses(student, rows, targets) for student in [before, *students])
    losses = np.array(others)
    best = int(losses.mean(axis=1).argmin())
    gain = losses[0] - losses[best]
    is_clear = gain.mean() > MIN_ERRORS * gain.std() / np.sqrt(len(gain))
    return lengths[best] if is_clear or losses[0].mean() > of_none.mean() else 1.0


def _losses(student: Any, rows: Group, targets: Targets) -> np.ndarray:
    return rows.losses(targets.predict(student, rows.X), pools_outputs=targets.pools_outputs)[0]


def _is_within_budget(model: Any, student: Any) -> bool:
    """Whether a student is within ``max_bytes``: other values may be packed into a few more bytes."""
    options = model._resolve_student()
    if not isinstance(options, AutoStudent) or not isinstance(options.max_bytes, Integral):
        return True
    compiled = _inside(student).__skdistill_compile__()
    return bool(compiled.n_bytes <= options.max_bytes)


@dataclass
class Summing:
    """Rows of the fit and further rows of the dataset on their way into the sums.

    Attributes
    ----------
    sums : Sums
    rows : TransferSet
        Rows of the fit.
    pool : DatasetPool
    further : RemainingRows
    targets : Targets
    oracle : Oracle
    n_summed, n_labelled, n_held : int
        Numbers of rows so far: in the sums, labelled, and held out.
    """

    sums: Sums
    rows: TransferSet
    pool: DatasetPool
    further: RemainingRows
    targets: Targets
    oracle: Oracle
    n_summed: int = 0
    n_labelled: int = 0
    n_held: int = 0
    _held: list[tuple[Any, np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    _keys: list[np.ndarray] = field(default_factory=list)

    def run(self) -> Iterator[int]:
        """Add all rows; yield the number of further rows after each chunk."""
        step = self.pool.dataset.chunk_size
        for start in range(0, len(self.rows), step):
            part = self.rows.take(np.arange(start, min(start + step, len(self.rows))))
            with encoded_once():  # nothing of a chunk is kept
                self._add(part.X, part.outputs, part.truth, part.sample_weight)
        adding: Future[None] | None = None
        with ThreadPoolExecutor(1) as pool:
            for parts in self._queries():
                outputs = self._labelled(parts)
                if adding is not None:
                    adding.result()
                if self._has_jobs():  # which label the next rows meanwhile
                    adding = pool.submit(copy_context().run, self._add_parts, parts, outputs)
                else:
                    self._add_parts(parts, outputs)
                yield self.n_labelled
            if adding is not None:
                adding.result()

    def held_out(self) -> tuple[Group, Group | None]:
        """Return the held-out rows on which students are compared, and a random half that a length is chosen on."""
        tables, outputs, weights, keys = zip(*self._held, strict=True)
        X, targets = stack_rows(list(tables)), self.targets.of(np.concatenate(outputs))
        weight = np.concatenate(weights)
        order = np.concatenate(keys).argsort()
        n_chosen_on = len(order) // 2 if self.sums.is_step else 0
        chosen_on, compared = (
            Group(take_rows(X, rows), targets[rows], weight[rows])
            for rows in (np.sort(order[:n_chosen_on]), np.sort(order[n_chosen_on:]))
        )
        return compared, chosen_on if n_chosen_on else None

    @property
    def keys(self) -> RowKeys:
        """Keys of the further rows, or of a part of them, by which they are recognised."""
        return RowKeys(np.concatenate(self._keys))

    def _has_jobs(self) -> bool:
        return count_jobs(self.oracle.workers.n_jobs) > 1

    def _queries(self) -> Iterator[list[tuple[DrawnRows, np.ndarray]]]:
        """Yield parts of :meth:`_drawn` that are labelled together."""
        dataset, parts, n_rows = self.pool.dataset, [], 0
        for part in self._drawn():
            parts.append(part)
            n_rows += len(part[0])
            if len(parts) == LABELLED_CHUNKS or n_rows + self._most_drawn() > dataset.sample_rows:
                yield parts
                parts, n_rows = [], 0
        if parts:
            yield parts

    def _most_drawn(self) -> int:
        """Return a number that the rows of each part of :meth:`_drawn` stay below: that of the fit, or two chunks."""
        chunk_size, most = self.pool.dataset.chunk_size, self.pool.dataset.sample_rows
        return chunk_size + max(chunk_size, min(SUMMED_ROWS, most - chunk_size))

    def _drawn(self) -> Iterator[tuple[DrawnRows, np.ndarray]]:
        """Yield further rows, about a chunk of them at a time, and random numbers that tell which are held out."""
        pool, parts, n_rows = self.pool, [], 0
        dataset, others = pool.dataset, [name for name in (pool.y, pool.weight) if name is not None]
        most = self._most_drawn() - dataset.chunk_size
        for chunk in dataset.chunks(others=others):
            part = self._drawn_from(chunk)
            if len(part.keys):
                parts.append(part)
                n_rows += len(part.keys)
            if n_rows >= most:
                yield self._joined(parts)
                parts, n_rows = [], 0
        if n_rows:
            yield self._joined(parts)

    def _drawn_from(self, chunk: Chunk) -> "_Part":
        """Return the rows of a chunk that are drawn, without those of weight zero."""
        rows = self.further.of(chunk.start, len(chunk))
        others = chunk.others_of(rows)
        if self.pool.weight is not None and len(rows):
            weight = np.asarray(others[self.pool.weight], dtype=float)
            with named(self.pool.dataset.name, chunk.partition):
                if weight.any():
                    check_weights(weight, len(rows), "sample_weight")
            rows, others = rows[weight > 0], {name: values[weight > 0] for name, values in others.items()}
        table = chunk.table if len(rows) == len(chunk) else take_rows(chunk.table, rows)
        keys = row_keys(self.pool.held_out.seed, chunk.start, len(chunk))[rows]
        return _Part(chunk.partition, DrawnRows(table, chunk.start + rows, others), keys)

    def _joined(self, parts: list["_Part"]) -> tuple[DrawnRows, np.ndarray]:
        """Return the rows of some chunks together, checked, and their random numbers."""
        tables, drawn = [each.drawn.table for each in parts], [each.drawn for each in parts]
        joined = DrawnRows(
            self._checked(stack_rows(tables), parts),
            np.concatenate([each.positions for each in drawn]),
            {name: np.concatenate([each.others[name] for each in drawn]) for name in drawn[0].others},
        )
        return joined, np.concatenate([each.keys for each in parts])

    def _checked(self, table: Any, parts: list["_Part"]) -> Any:
        """Return the table of some parts after the checks; an error names the partition of the first that is wrong."""
        try:
            return self.pool.check(self.rows.X, table)
        except Exception:
            for part in parts:
                with named(self.pool.dataset.name, part.partition):
                    self.pool.check(self.rows.X, part.drawn.table)
            raise

    def _labelled(self, parts: list[tuple[DrawnRows, np.ndarray]]) -> np.ndarray:
        """Return the outputs of the teacher for the rows of several parts."""
        every = -(-self.further.n_drawn // MOST_KEYS)
        with encoded_once():
            outputs = self.oracle.label(stack_rows([drawn.table for drawn, _ in parts]), "rows of the dataset")
            for drawn, _ in parts:
                self._keys.append(value_keys(drawn.table)[drawn.positions % every == 0])
        self.n_labelled += len(outputs)
        return outputs

    def _add_parts(self, parts: list[tuple[DrawnRows, np.ndarray]], outputs: np.ndarray) -> None:
        ends = np.cumsum([len(drawn) for drawn, _ in parts])
        for (drawn, keys), own in zip(parts, np.split(outputs, ends[:-1]), strict=True):
            with encoded_once():
                self._add_labelled(drawn, keys, own)

    def _add_labelled(self, drawn: DrawnRows, keys: np.ndarray, outputs: np.ndarray) -> None:
        """Hold some rows out, and add the others; each stands for the rows that are not drawn, too."""
        pool, share = self.pool, self.further.n_left / self.further.n_drawn
        weight = self.rows.sample_weight.mean() if pool.weight is None else drawn.others[pool.weight].astype(float)
        weights, truth = np.broadcast_to(weight, len(drawn)), None
        if pool.y is not None and pool.truth_of is not None:
            truth = pool.truth_of(drawn.table, drawn.others[pool.y])
        of_held_out = min(1.0, MOST_VALIDATION_ROWS / (HELD_OUT_SHARE * self.further.n_drawn))
        is_held = keys < of_held_out * self.pool.held_out.share
        held, summed = np.flatnonzero(is_held), np.flatnonzero(~is_held)
        self.n_held += len(held)
        if len(held):
            self._held.append((take_rows(drawn.table, held), outputs[held], weights[held], keys[held]))
        truth = None if truth is None else truth[summed]
        self._add(take_rows(drawn.table, summed), outputs[summed], truth, share * weights[summed])

    def _add(self, X: Any, outputs: np.ndarray, truth: np.ndarray | None, weight: np.ndarray) -> None:
        self.n_summed += len(weight)
        self.sums.add(self.targets.view.rows(X), self.targets.taught(outputs, truth), weight)


class _Part(NamedTuple):
    """Rows of a chunk that are drawn, with random numbers that tell which are held out."""

    partition: str
    drawn: DrawnRows
    keys: np.ndarray
