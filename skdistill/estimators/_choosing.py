"""Choosing family and size of a student by fidelity on rows held out, within a budget: successive halving."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from .._validation import draw_seed
from ..exceptions import StudentError, StudentSizeError
from ..students._families import scouted_families
from ..transfer import TransferSet
from ._auto_student import AutoStudent
from ._callbacks import Phase
from ._candidates import Candidate, Candidates
from ._run import Run
from ._student_trials import LADDER, StudentTrials, ranked_within_budget
from ._targets import Targets
from ._terms import Terms
from ._validation_rows import FEWEST_REAL, Validation

RUNGS = (1 / 5, 1)
"""Shares of the rows at hand that all families, and then the best of them, are taught on; the winner gets all rows."""

FEWEST_ROWS, MOST_ROWS = 2000, 60_000
"""Rows of the first rung at least, and of the second at most."""

SAFE = "boosting"
"""The family that is taken where there is nothing to choose with."""


@dataclass(frozen=True)
class TaughtRows:
    """The rows that students are taught on.

    Attributes
    ----------
    whole : TransferSet
        For the student in the end, real rows in full weight.
    meanwhile : TransferSet or None
        For the candidates: without rows that validate, or that were drawn from these. ``None``: nothing can validate.
    real_weights : tuple of float
        Shares of their weight to teach the rows of ``X`` with: the one chosen so far, then others that may be better.
    """

    whole: TransferSet
    meanwhile: TransferSet | None
    real_weights: tuple[float, ...] = (1.0,)


def choose_student(
    options: AutoStudent,
    terms: Terms,
    rows: TaughtRows,
    validation: Validation | None,
    targets: Targets,
    *,
    settle: Callable[[Any, float], Targets] | None = None,
    run: Run,
) -> tuple[Any, Candidates]:
    """Return the chosen student, taught on the whole transfer set, and what was tried.

    Parameters
    ----------
    options : AutoStudent
    terms : Terms
    rows : TaughtRows
    validation : Validation or None
        ``None`` where there are too few rows: then nothing is chosen.
    targets : Targets
        Teaches students.
    settle : callable or None, default=None
        Maps the student chosen, and the weight of the real rows, to the targets that it is taught in the end.
    run : Run
        Where its deadline leaves no time to teach on everything, the best student so far is returned.

    Raises
    ------
    StudentError
        If no student meets the budget, or reaches the fidelity; what was tried is a note to it.
    """
    names, seed = options.families_for(rows.whole.X), draw_seed(run.rng)
    trials = StudentTrials(options, terms, targets, validation, seed, rows.real_weights[0], run.deadline)
    try:
        with run.phases.phase("choose a student") as phase:
            ranked = _choose(trials, names, rows, validation, run, phase)
        with run.phases.phase("teach the student") as phase:
            student = _teach_best(trials, ranked, rows, validation, settle, phase)
    except StudentError as error:
        error.add_note(str(Candidates(trials.all)))
        raise
    return student, Candidates(trials.all)


def _choose(
    trials: StudentTrials, names: list[str], rows: TaughtRows, validation: Validation | None, run: Run, phase: Phase
) -> list[Candidate]:
    """Return candidates, the best first."""
    if rows.meanwhile is None or validation is None:
        return _without_validation(trials, names)
    ladder = Ladder(rows.meanwhile, run.rng.permutation(len(rows.meanwhile)))
    trials.progress = phase.progress("choosing a student", *_plan(trials, names, ladder, len(rows.real_weights)))
    ranked = _rank(trials, names, ladder, rows.real_weights)
    trials.progress = None
    return ranked


def _teach_best(
    trials: StudentTrials,
    ranked: list[Candidate],
    rows: TaughtRows,
    validation: Validation | None,
    settle: Callable[[Any, float], Targets] | None,
    phase: Phase,
) -> Any:
    """Return the best student that is within the budget when it is taught on all rows, or the best so far."""
    for trial in ranked:
        if (kept := trials.kept(trial, len(rows.whole))) is not None:
            phase.say(f"no time is left: the student ({trial.family}) taught on {trial.n_rows:,} rows is kept")
            trials.add([kept])
            return kept.student
        if settle is not None:
            trials.settle(settle(trial.student, trial.real_weight), trial, rows.meanwhile)
        phase.say(f"teaching the student ({trial.family}) on {len(rows.whole):,} rows")
        # rows that the user holds out are taught to nobody, so that they can tell of the student itself
        is_validated = validation is not None and validation.kind == "given"
        taught = trials.again(trial, rows.whole, 2, is_validated=is_validated)
        trials.add([taught])
        if taught.candidate.is_within_budget:
            return taught.student
    raise StudentSizeError(trials.nothing_fits())


@dataclass(frozen=True)
class Ladder:
    """The rungs of successive halving: growing parts of a transfer set, drawn at random."""

    rows: TransferSet
    order: np.ndarray

    @property
    def is_short(self) -> bool:
        """Whether the rows are so few that the first rung is the last."""
        return len(self.rows) <= 2 * FEWEST_ROWS

    def count(self, rung: int) -> int:
        """Return how many rows a rung has."""
        n_rows = len(self.rows)
        return n_rows if self.is_short else min(max(int(RUNGS[rung] * n_rows), FEWEST_ROWS), n_rows, MOST_ROWS)

    def rung(self, rung: int) -> TransferSet:
        """Return the rows of a rung."""
        n_rows = self.count(rung)
        return self.rows if n_rows == len(self.rows) else self.rows.take(np.sort(self.order[:n_rows]))


def _plan(trials: StudentTrials, names: list[str], ladder: Ladder, n_weights: int) -> tuple[int, str, float]:
    """Return how many students may be taught before one is chosen, what they are called, and on how many rows."""
    options, n_families, n_scouts = trials.options, len(names), sum(name in scouted_families() for name in names)
    n_finalists = min(options.n_finalists, n_scouts) + n_families - n_scouts
    n_first, n_second = n_scouts, n_finalists + n_weights - 1
    if trials.terms.has_budget(options):
        n_first, n_second = n_scouts + n_finalists, min(n_finalists, options.n_finalists) + n_weights
    if options.min_fidelity is not None:
        n_first, n_second = n_families, n_families * len(LADDER)
    return n_first + n_second, "students", n_first * ladder.count(0) + n_second * ladder.count(1)


def _rank(trials: StudentTrials, names: list[str], ladder: Ladder, real_weights: tuple[float, ...]) -> list[Candidate]:
    """Return candidates within the budget, the best first."""
    options, first, second = trials.options, ladder.rung(0), ladder.rung(1)
    if options.min_fidelity is not None:
        fitting = ranked_within_budget(trials.largest(names, first, 0, is_modest=True))
        return [trials.smallest_that_reaches(options.min_fidelity, fitting, second)] if fitting else []
    finalists = _finalists(trials.scouted(names, first), names, options.n_finalists)
    if trials.terms.has_budget(options):  # what a size costs is seen on few rows
        is_modest = not isinstance(options.max_bytes, Integral)  # what operations allow is not known beforehand
        sized = ranked_within_budget(trials.largest(finalists, first, 0, is_modest=is_modest))
        grown = ranked_within_budget(trials.grown(sized[: options.n_finalists], second, 1))
        # a larger budget must not make it worse
        grown = ranked_within_budget([*grown, *trials.modest(grown[0], second, 1)]) if grown else sized
    else:
        grown = ranked_within_budget(trials.largest(finalists, second, 1))
    best = grown[:1]
    for real_weight in real_weights[1:] if best else ():
        if trials.is_too_much(real_weight, first):
            continue
        others = trials.with_weight(best, real_weight, second, 1)
        best = trials.merge(best, ranked_within_budget(others))
    return best + grown[1:]


def _finalists(scouted: list[Candidate], names: list[str], n_finalists: int) -> list[str]:
    """Return the families whose scouts were best, and those that have none."""
    others = [name for name in names if name not in scouted_families()]
    return [trial.family for trial in scouted[:n_finalists]] + others


def _without_validation(trials: StudentTrials, names: list[str]) -> list[Candidate]:
    """Return the family that is taken where nothing can validate, in the size that the budget allows."""
    if trials.options.min_fidelity is not None:
        raise StudentError(
            f"AutoStudent: min_fidelity={trials.options.min_fidelity!r} needs at least {FEWEST_REAL} real rows of "
            "weight to validate with. Pass more rows, or min_fidelity=None."
        )
    return [trials.unvalidated(SAFE if SAFE in names else names[0])]
