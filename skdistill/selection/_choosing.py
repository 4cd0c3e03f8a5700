"""Selection of the family and size of a student by successive halving: fidelity on validation rows within a budget."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np

from .._validation import draw_seed
from ..exceptions import StudentError, StudentSizeError
from ..students._inheritable import Kind, inherited_kind
from ..transfer import TransferSet
from ._auto_student import AutoStudent
from ._callbacks import Phase
from ._candidates import Candidate, Candidates
from ._cascade_students import ANSWERED, CascadeStudents
from ._cross_validation import Folds, divide
from ._run import Run
from ._student_trials import (
    BUDGET_SHARES,
    FINAL_RUNG,
    N_SIZED_FAMILIES,
    SIZE_SHARES,
    StudentTrials,
    ranked_within_budget,
)
from ._targets import Targets
from ._terms import Terms
from ._validation_rows import LEAST_GAIN, MIN_VALIDATION_ROWS, LeastGain, Validation

RUNG_SHARES = (1 / 5, 1)
"""Shares of the selection set that the first and the second rung fit students on."""

MIN_FIRST_RUNG_ROWS, MAX_SECOND_RUNG_ROWS = 2000, 60_000
"""The first number is the minimum size of the first rung, the second the maximum size of the second rung."""

DEFAULT_FAMILY = "boosting"
"""The family that is used if there is no validation set."""


@dataclass(frozen=True)
class TrainingRows:
    """The rows that students are fitted on.

    Attributes
    ----------
    whole : TransferSet
        The transfer set of the final student, with the real rows at full weight.
    for_selection : TransferSet or None
        The transfer set of the candidates, without validation rows and rows drawn from them; ``None`` if there is no
        validation set.
    real_weights : tuple of float
        Factors of the weights of the rows of ``X``: the one selected so far, then the alternatives to evaluate.
    least_gain : LeastGain
        By how much a smaller weight must be better.
    """

    whole: TransferSet
    for_selection: TransferSet | None
    real_weights: tuple[float, ...] = (1.0,)
    least_gain: LeastGain = LEAST_GAIN


def choose_student(
    options: AutoStudent,
    terms: Terms,
    rows: TrainingRows,
    validation: Validation | None,
    targets: Targets,
    *,
    choose_targets: Callable[[Any, float], Targets] | None = None,
    run: Run,
) -> tuple[Any, Candidates]:
    """Return the selected student, fitted on the whole transfer set, and the candidates evaluated.

    Parameters
    ----------
    options : AutoStudent
    terms : Terms
    rows : TrainingRows
    validation : Validation or None
        ``None`` if there are too few rows; the default family is then used.
    targets : Targets
        Fits students.
    choose_targets : callable or None, default=None
        Maps the selected student and its real weight to the targets that the final student is fitted on.
    run : Run
        If its deadline leaves no time to fit on all rows, the best student so far is returned.

    Raises
    ------
    StudentError
        If no student meets the budget or reaches ``min_fidelity``; the error has the candidates as a note.
    """
    seed, folds = draw_seed(run.rng), _divide(rows, validation, run)
    terms = replace(terms, inherits=_inherited(options, terms, rows.whole, targets))
    names = options.families_for(rows.whole.X, is_few=folds is not None, inherits=terms.inherits)
    if folds is not None:
        terms, rows = replace(terms, is_cross_validated=True), replace(rows, for_selection=folds.rows)
    trials = StudentTrials(options, terms, targets, validation, seed, rows.real_weights[0], run.deadline, folds)
    if options.tolerance is not None:
        trials.cascade_students = CascadeStudents.of(options.tolerance, rows.whole, targets, seed)
    try:
        with run.phases.phase("choose a student") as phase:
            ranked = _choose(trials, names, rows, validation, run, phase)
        with run.phases.phase("fit the student") as phase:
            student = _teach_best(trials, ranked, rows, validation, choose_targets, phase)
    except StudentError as error:
        error.add_note(str(Candidates(trials.all)))
        raise
    return student, Candidates(trials.all)


def _inherited(options: AutoStudent, terms: Terms, rows: TransferSet, targets: Targets) -> Kind | None:
    """Return what students can inherit from the teacher, if any is to."""
    seen = targets.view.rows(rows.X)
    return inherited_kind(targets.teacher.model, seen, terms.n_outputs) if options.may_inherit(seen) else None


def _divide(rows: TrainingRows, validation: Validation | None, run: Run) -> Folds | None:
    """Return the folds of the real rows if candidates are cross-validated."""
    if validation is None or rows.for_selection is None or rows.real_weights != (1.0,):
        return None
    return divide(rows.whole, validation, run.rng)


def _choose(
    trials: StudentTrials, names: list[str], rows: TrainingRows, validation: Validation | None, run: Run, phase: Phase
) -> list[Candidate]:
    """Return the candidates, the best first."""
    if rows.for_selection is None or validation is None:
        ranked = _without_validation(trials, names)
        return ranked if trials.cascade_students is None else [replace(each, is_for_cascade=True) for each in ranked]
    rungs = Rungs(rows.for_selection, run.rng.permutation(len(rows.for_selection)))
    trials.progress = phase.progress("choosing a student", *_plan(trials, names, rungs, len(rows.real_weights)))
    ranked = _rank(trials, names, rungs, rows)
    if trials.cascade_students is not None:
        ranked = _for_cascade(trials, ranked, rungs.rung(1))
    trials.progress = None
    return ranked


def _teach_best(
    trials: StudentTrials,
    ranked: list[Candidate],
    rows: TrainingRows,
    validation: Validation | None,
    choose_targets: Callable[[Any, float], Targets] | None,
    phase: Phase,
) -> Any:
    """Fit the candidates on all rows, the best first, and return the first student within the budget."""
    for trial in ranked:
        if (kept := trials.kept(trial, len(rows.whole))) is not None:
            phase.log(f"time limit reached: keeping the student ({trial.family}) fitted on {trial.n_rows:,} rows")
            trials.add([kept])
            return kept.student
        if choose_targets is not None:
            trials.change_targets(choose_targets(trial.student, trial.real_weight), trial, rows.for_selection)
        phase.log(f"fitting the student ({trial.family}) on {len(rows.whole):,} rows")
        # no student is fitted on X_val, so the final student can be validated on it
        is_validated = validation is not None and validation.kind == "given"
        fitted = trials.refit(trial, rows.whole, FINAL_RUNG, is_validated=is_validated)
        trials.add([fitted])
        if fitted.candidate.is_within_budget:
            return fitted.student
    raise StudentSizeError(trials.nothing_fits())


@dataclass(frozen=True)
class Rungs:
    """The rungs of successive halving: random subsets of increasing size of a transfer set."""

    rows: TransferSet
    order: np.ndarray

    @property
    def is_short(self) -> bool:
        """Whether there are so few rows that every rung uses all of them."""
        return len(self.rows) <= 2 * MIN_FIRST_RUNG_ROWS

    def count(self, rung: int) -> int:
        """Return the number of rows of a rung."""
        n_rows = len(self.rows)
        return (
            n_rows
            if self.is_short
            else min(max(int(RUNG_SHARES[rung] * n_rows), MIN_FIRST_RUNG_ROWS), n_rows, MAX_SECOND_RUNG_ROWS)
        )

    def rung(self, rung: int) -> TransferSet:
        """Return the rows of a rung."""
        n_rows = self.count(rung)
        return self.rows if n_rows == len(self.rows) else self.rows.take(np.sort(self.order[:n_rows]))


def _plan(trials: StudentTrials, names: list[str], rungs: Rungs, n_weights: int) -> tuple[int, str, float]:
    """Return the maximum number of students that are fitted, their unit, and the total number of rows of all fits."""
    options, n_families, n_scouts = trials.options, len(names), sum(map(trials.terms.has_scout, names))
    if trials.is_cross_validated:
        n_sizes = n_families + (len(SIZE_SHARES) - 1) * N_SIZED_FAMILIES
        return n_sizes, "students", n_sizes * rungs.count(1)
    n_finalists = min(options.n_finalists, n_scouts) + n_families - n_scouts
    n_first, n_second = n_scouts + n_weights - 1, n_finalists + n_weights - 1
    if trials.terms.has_budget(options):
        n_first, n_second = n_first + n_finalists, min(n_finalists, options.n_finalists) + n_weights
    if options.min_fidelity is not None:
        n_first, n_second = n_families, n_families * len(BUDGET_SHARES)
    n_second += 0 if trials.cascade_students is None else options.n_finalists
    return n_first + n_second, "students", n_first * rungs.count(0) + n_second * rungs.count(1)


def _rank(trials: StudentTrials, names: list[str], rungs: Rungs, rows: TrainingRows) -> list[Candidate]:
    """Return the candidates within the budget, the best first."""
    options, first, second = trials.options, rungs.rung(0), rungs.rung(1)
    if options.min_fidelity is not None:
        fitting = ranked_within_budget(trials.largest(names, first, 0, is_modest=True))
        return [trials.smallest_that_reaches(options.min_fidelity, fitting, second)] if fitting else []
    if trials.is_cross_validated:  # small students do not speak for their family where all students are small
        return ranked_within_budget(trials.in_sizes(names, second, 1))
    scouted = trials.scouted(names, first)[: options.n_finalists]
    finalists = [trial.family for trial in scouted] + [name for name in names if not trials.terms.has_scout(name)]
    if trials.terms.has_budget(options):  # the costs of a size are measured on few rows
        is_modest = not isinstance(options.max_bytes, Integral)  # the size that max_ops allows is unknown at first
        sized = ranked_within_budget(trials.largest(finalists, first, 0, is_modest=is_modest))
        grown = ranked_within_budget(trials.grown(sized[: options.n_finalists], second, 1))
        # a larger budget must not give a worse student
        grown = ranked_within_budget([*grown, *trials.modest(grown[0], second, 1)]) if grown else sized
    else:
        grown = ranked_within_budget(trials.largest(finalists, second, 1))
    best = grown[:1]
    for real_weight in rows.real_weights[1:] if best else ():
        if trials.is_too_much(real_weight, first):
            continue
        others = trials.with_weight(best, real_weight, second, 1)
        best = trials.merge(best, ranked_within_budget(others), rows.least_gain)
    return best + grown[1:]


def _for_cascade(trials: StudentTrials, ranked: list[Candidate], rows: TransferSet) -> list[Candidate]:
    """Fit the best candidates of each family for a cascade too; return all, the one that answers most rows first.

    Too few rows for a validation set are too few for this share: there, the order stays, and all are fitted so.
    """
    if trials.is_cross_validated:
        return [replace(trial, is_for_cascade=True) for trial in ranked]
    best_of_family = {trial.family: trial for trial in reversed(ranked)}
    finalists = [trial for trial in ranked if best_of_family[trial.family] is trial]
    taught = trials.for_cascade(finalists[: trials.options.n_finalists], rows, 1)
    comparable = [trial for trial in taught + ranked if trial.scored_by == ANSWERED]
    return ranked_within_budget(comparable) + [trial for trial in ranked if trial.scored_by != ANSWERED]


def _without_validation(trials: StudentTrials, names: list[str]) -> list[Candidate]:
    """Return the default family at the size that the budget allows, if there is no validation set."""
    if trials.options.min_fidelity is not None:
        raise StudentError(
            f"AutoStudent: min_fidelity={trials.options.min_fidelity!r} needs at least {MIN_VALIDATION_ROWS} real rows "
            "with a positive weight for validation. Pass more rows, or min_fidelity=None."
        )
    return [trials.unvalidated(DEFAULT_FAMILY if DEFAULT_FAMILY in names else names[0])]
