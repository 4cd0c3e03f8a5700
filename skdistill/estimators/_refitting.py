"""Values of a student fitted again to more rows of a dataset than are in memory: labelled and summed chunk by chunk."""

import copy
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from .._validation import draw_seed
from ..datasets._remaining import RemainingRows
from ..selection import MIN_VALIDATION_ROWS, AutoStudent, Group, Run, Targets
from ..students._completion import CompletedClassifier
from ..students._deciding import DecidingClassifier
from ..students._refitting import shortened, sums_for
from ..teachers._seen_rows import RowKeys
from ..transfer import Oracle, TransferSet
from ._datasets import DatasetPool
from ._summing import Summing

MIN_ROWS = 1000
"""Minimum number of further rows for a refit."""

LENGTHS = (1.0, 2.0, 1.5, 0.5, 0.25, 0.125, 0.0625, 0.03125)
"""Lengths that are tried, in Newton steps; the whole step is taken unless another one is clearly better, or the student
before is better."""

MIN_ERRORS = 2.0
"""Number of standard errors from which another length is clearly better."""

MIN_ROWS_BEYOND = 200
"""Minimum number of rows on which a length beyond 1 is chosen: fewer hardly tell how large rare losses are."""


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


def _better(model: Any, before: Any, refitted: Any, summing: Summing, targets: Targets) -> Refitted:
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
