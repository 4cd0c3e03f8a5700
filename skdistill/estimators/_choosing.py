"""Choosing family and size of a student by fidelity on rows held out, within a budget: successive halving."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from .._progress import Progress
from .._validation import draw_seed
from ..exceptions import StudentError, StudentSizeError
from ..students._families import family_member, most_parameters
from ..transfer import TransferSet
from ._auto_student import AutoStudent
from ._callbacks import Phases
from ._candidates import VALIDATED, Candidate, Candidates
from ._targets import Targets
from ._validation_rows import CLEAR_LESS, FEWEST_REAL, Losses, Validation

RUNGS = (1 / 5, 1)
"""Shares of the rows at hand that all families, and then the best of them, are taught on; the winner gets all rows."""

FIRST_SIZE = 0.45
"""Share of the most parameters of a family on the first rung: its few rows could not tell apart more."""

PARAMETERS_OF_A_ROW, FEWEST_PARAMETERS = 2, 500
"""For each output at most: what few rows cannot fix is not worth its bytes."""

FEWEST_ROWS = 2000
"""Rows of the first rung at least."""

BYTES_OF_A_PARAMETER, FIXED_BYTES = 1.6, 1000
"""First guess of what a size costs, until a student of the family is there."""

MOST_SIZES = 4
"""Times that a student beyond the budget is made smaller."""

LADDER = tuple(2.0**-step for step in (5, 4, 3, 2, 1, 0))
"""Shares of the budget that are tried, from small to large, to reach a fidelity."""

PROXIES = ("boosting", "network")
"""The families that samplers are chosen with; the first is taken where there is nothing to choose with."""


UNKNOWN = (float("nan"),) * 7
"""Size, costs and fidelity of a student that was not taught."""


@dataclass(frozen=True)
class Terms:
    """What a choice is made for: the kind of student, its inputs, outputs and rows, and the most parameters of any."""

    classifies: bool
    n_inputs: int
    n_outputs: int
    n_rows: int
    most_parameters: int | None = None
    n_jobs: int | None = None

    def sized(self, family: str, options: AutoStudent, share: float = 1.0, most: float = 1.0) -> Any:
        """Return the unfitted student of a family that the budget should allow, before any of it is measured."""
        most_on_rung = most * most_parameters(family, self.n_outputs)
        return self.with_parameters(family, min(share * self.most_of(family, options), most_on_rung))

    def with_parameters(self, family: str, n_parameters: float) -> Any:
        """Return the unfitted student of a family with so many parameters at most."""
        student = family_member(family, classifies=self.classifies, n_jobs=self.n_jobs)
        return student.sized(max(int(n_parameters), 1), n_inputs=self.n_inputs, n_outputs=self.n_outputs)

    def most_of(self, family: str, options: AutoStudent) -> float:
        """Return the most parameters that a family should have."""
        most: list[float] = [most_parameters(family, self.n_outputs)]
        most.append(max(PARAMETERS_OF_A_ROW * self.n_rows, FEWEST_PARAMETERS) * self.n_outputs)
        if options.max_bytes is not None:
            most.append(max((options.max_bytes - FIXED_BYTES) / BYTES_OF_A_PARAMETER, options.max_bytes / 8))
        if self.most_parameters is not None:
            most.append(self.most_parameters)
        return float(min(most))


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
    rng: np.random.RandomState,
    phases: Phases,
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
    rng : RandomState
    phases : Phases
        Told how far the choice is.

    Raises
    ------
    StudentError
        If no student meets the budget, or reaches the fidelity; what was tried is a note to it.
    """
    names, seed = options.families_for(rows.whole.X), draw_seed(rng)
    trials = _Trials(options, terms, targets, validation, seed, rows.real_weights[0])
    try:
        with phases.phase("choose a student") as phase:
            if rows.meanwhile is None or validation is None:
                ranked = _without_validation(trials, names)
            else:
                ladder = Ladder(rows.meanwhile, rng.permutation(len(rows.meanwhile)))
                trials.progress = phase.progress("choosing a student", *_plan(options, len(names), ladder))
                ranked = _rank(trials, names, ladder, rows.real_weights)
                trials.progress = None
        with phases.phase("teach the student") as phase:
            for trial in ranked:
                phase.say(f"teaching the student ({trial.family}) on {len(rows.whole):,} rows")
                # rows that the user holds out are taught to nobody, so that they can tell of the student itself
                is_validated = validation is not None and validation.kind == "given"
                if trials.again(trial, rows.whole, 2, is_validated=is_validated).is_within_budget:
                    return trials.latest, Candidates(trials.all)
        raise StudentSizeError(trials.nothing_fits())
    except StudentError as error:
        error.add_note(str(Candidates(trials.all)))
        raise


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
        return n_rows if self.is_short else min(max(int(RUNGS[rung] * n_rows), FEWEST_ROWS), n_rows)

    def rung(self, rung: int) -> TransferSet:
        """Return the rows of a rung."""
        n_rows = self.count(rung)
        return self.rows if n_rows == len(self.rows) else self.rows.take(np.sort(self.order[:n_rows]))


def _plan(options: AutoStudent, n_families: int, ladder: Ladder) -> tuple[int, str, float]:
    """Return how many students may be taught before one is chosen, what they are called, and on how many rows."""
    n_more = 1 if ladder.is_short else 2 * min(options.n_finalists, n_families) + 1
    if options.min_fidelity is not None:
        n_more = n_families * len(LADDER)
    return n_families + n_more, "students", n_families * ladder.count(0) + n_more * ladder.count(1)


def _rank(trials: "_Trials", names: list[str], ladder: Ladder, real_weights: tuple[float, ...]) -> list[Candidate]:
    """Return candidates within the budget, the best first."""
    most, first = 1.0 if ladder.is_short else FIRST_SIZE, ladder.rung(0)
    fitting = _ranked(trials.largest(name, first, 0, most=most) for name in names)
    options = trials.options
    if options.min_fidelity is not None and fitting:
        return [trials.smallest_that_reaches(options.min_fidelity, fitting, ladder.rung(1))]
    if ladder.is_short or not fitting:  # a larger budget must not make it worse: the best is tried smaller, too
        return _ranked([*fitting, *(trials.smaller(trial, first) for trial in fitting[:1])])
    second = ladder.rung(1)
    grown = [trials.grown(trial, second, 1) for trial in fitting[: options.n_finalists]]
    if grown[0].n_parameters > fitting[0].n_parameters:  # a larger budget must not make it worse
        grown.append(trials.again(fitting[0], second, 1))
    best = _ranked(grown)
    if not best:
        return fitting
    for real_weight in real_weights[1:]:
        weighed = [replace(trial, real_weight=real_weight) for trial in best[: options.n_finalists]]
        best = trials.merge(best, _ranked(trials.again(trial, second, 1) for trial in weighed))
    return best + fitting


def _ranked(tried: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates within the budget, the best first."""
    return sorted((trial for trial in tried if trial.is_within_budget), key=lambda trial: -trial.score)


def _without_validation(trials: "_Trials", names: list[str]) -> list[Candidate]:
    """Return the family that is taken where nothing can validate, in the size that the budget allows."""
    if trials.options.min_fidelity is not None:
        raise StudentError(
            f"AutoStudent: min_fidelity={trials.options.min_fidelity!r} needs at least {FEWEST_REAL} real rows of "
            "weight to validate with. Pass more rows, or min_fidelity=None."
        )
    return [trials.unvalidated(PROXIES[0] if PROXIES[0] in names else names[0])]


class _Trials:
    """What was tried, and how well it did."""

    def __init__(
        self,
        options: AutoStudent,
        terms: Terms,
        targets: Targets,
        validation: Validation | None,
        seed: int,
        real_weight: float,
    ) -> None:
        self.options, self.terms, self.seed, self.real_weight = options, terms, seed, real_weight
        self._targets, self._validation = targets, validation
        self.judged_on = "nothing: there are too few rows" if validation is None else validation.origin
        self.progress: Progress | None = None
        self._latest_losses: Losses | None = None
        self.all: list[Candidate] = []
        self._losses: list[Losses | None] = []
        """Of each of these, where it was validated."""
        self.latest: Any = None
        """The student that was taught last, fitted."""

    def largest(self, family: str, rows: TransferSet, rung: int, share: float = 1.0, most: float = 1.0) -> Candidate:
        """Teach the largest student of a family within a share of the budget, and of the most that it should have."""
        try:
            student = self.terms.sized(family, self.options, share, most)
        except StudentError:
            return self._add(Candidate(family, rung, 0, *UNKNOWN, 0.0, False, self.judged_on, self.real_weight))
        return self._within(family, student, rows, rung, share)

    def smaller(self, trial: Candidate, rows: TransferSet) -> Candidate:
        """Teach a student of modest size of a family that was tried at its largest, if it is not the same."""
        student = self.terms.sized(trial.family, self.options, most=FIRST_SIZE)
        return trial if repr(student) == repr(trial.student) else self._within(trial.family, student, rows, 1)

    def grown(self, trial: Candidate, rows: TransferSet, rung: int) -> Candidate:
        """Teach a student that was tried small on more rows, at the largest size that the budget should allow."""
        most = self.terms.most_of(trial.family, self.options)
        n_parameters = min(most, trial.n_parameters / max(self.excess(trial), 1e-9))
        if n_parameters <= trial.n_parameters:
            return self.again(trial, rows, rung)
        return self._within(trial.family, self.terms.with_parameters(trial.family, n_parameters), rows, rung)

    def unvalidated(self, family: str) -> Candidate:
        """Return a student of a family that was not taught yet."""
        student = self.terms.sized(family, self.options)
        return Candidate(family, 0, 0, *UNKNOWN, 0.0, True, self.judged_on, self.real_weight, student)

    def again(self, trial: Candidate, rows: TransferSet, rung: int, *, is_validated: bool = True) -> Candidate:
        """Teach a student that was tried on more rows, or with another weight of the real ones."""
        weight = trial.real_weight
        return self._within(trial.family, trial.student, rows, rung, real_weight=weight, is_validated=is_validated)

    def merge(self, ranked: list[Candidate], others: list[Candidate]) -> list[Candidate]:
        """Return candidates with two weights of the real rows; those with less come first only if clearly better."""
        if not others:
            return ranked
        more, less = sorted((ranked, others), key=lambda each: -each[0].real_weight)
        is_clear = self._losses_of(more[0]).is_clearly_above(self._losses_of(less[0]), CLEAR_LESS)
        return less + more if is_clear else more + less

    def _losses_of(self, tried: Candidate) -> Losses:
        losses = self._losses[next(place for place, trial in enumerate(self.all) if trial is tried)]
        assert losses is not None
        return losses

    def smallest_that_reaches(self, fidelity: float, tried: list[Candidate], rows: TransferSet) -> Candidate:
        """Teach students of the families tried, growing in size, until one reaches a fidelity."""
        fitting = list(tried)
        for share in LADDER:
            latest = [self.largest(trial.family, rows, 1, share) for trial in tried]
            fitting += [trial for trial in latest if trial.is_within_budget]
            largest = max((trial.n_bytes for trial in latest if trial.is_within_budget), default=0.0)
            reached = [trial for trial in fitting if trial.fidelity >= fidelity and trial.n_bytes <= largest]
            if reached:
                return min(reached, key=lambda trial: trial.n_bytes)
        best = max(fitting, key=lambda trial: trial.fidelity)
        raise StudentError(
            f"AutoStudent: no student within the budget reaches min_fidelity={fidelity!r}; nearest came "
            f"{best.describe()}. Allow more bytes, operations or parameters, draw more synthetic rows, or ask for "
            "less. A note to this error tells what was tried."
        )

    def _within(
        self,
        family: str,
        student: Any,
        rows: TransferSet,
        rung: int,
        share: float = 1.0,
        *,
        real_weight: float | None = None,
        is_validated: bool = True,
    ) -> Candidate:
        """Teach a student, and smaller ones of its family while it is beyond the budget."""
        real_weight = self.real_weight if real_weight is None else real_weight
        for _ in range(MOST_SIZES):
            trial = self._try(family, student, rows, rung, real_weight, is_validated=is_validated)
            trial = replace(trial, is_within_budget=self.excess(trial, share) <= 1)
            if trial.is_within_budget:
                break
            n_parameters = 0.95 * trial.n_parameters / self.excess(trial, share)
            try:
                student = self.terms.with_parameters(family, n_parameters)
            except StudentError:
                break
        return self._add(trial)

    def _try(
        self, family: str, student: Any, rows: TransferSet, rung: int, real_weight: float, *, is_validated: bool
    ) -> Candidate:
        started = perf_counter()
        self.latest, self._latest_losses = self._targets.teach(student, rows.weigh_real(real_weight), self.seed), None
        seconds = perf_counter() - started
        compiled = getattr(self.latest, "estimator", self.latest).__skdistill_compile__()
        validated = dict.fromkeys(VALIDATED, np.nan)
        if self._validation is not None and is_validated:
            self._latest_losses = self._validation.losses(self.latest)
            score, estimate = self._latest_losses.fidelity, self._validation.estimate(self.latest)
            validated = dict(zip(VALIDATED, (score, estimate.fidelity, estimate.low, estimate.high), strict=True))
        return Candidate(
            family=family,
            rung=rung,
            n_rows=len(rows),
            n_parameters=compiled.scorer.n_parameters,
            n_bytes=compiled.n_bytes,
            n_ops=compiled.scorer.n_ops,
            **validated,
            seconds=seconds,
            is_within_budget=True,
            judged_on=self.judged_on,
            real_weight=real_weight,
            student=student,
        )

    def _add(self, trial: Candidate) -> Candidate:
        self.all.append(trial)
        self._losses.append(self._latest_losses)
        if self.progress is not None:
            self.progress.update(len(self.all), sum(trial.n_rows for trial in self.all))
        return trial

    def excess(self, trial: Candidate, share: float = 1.0) -> float:
        """Return how many times a share of the budget a student needs."""
        needs = [
            (trial.n_bytes, self.options.max_bytes),
            (trial.n_ops, self.options.max_ops),
            (trial.n_parameters, self.terms.most_parameters),
        ]
        return max((need / (share * most) for need, most in needs if most is not None), default=0.0)

    def nothing_fits(self) -> str:
        """Return what to say where no student meets the budget, and what came nearest."""
        budgets = {"max_bytes": self.options.max_bytes, "max_ops": self.options.max_ops}
        budgets["student_size"] = self.terms.most_parameters
        budget = ", ".join(f"{name}={most}" for name, most in budgets.items() if most is not None)
        there = [trial for trial in self.all if np.isfinite(trial.n_bytes)]
        if not there:
            return f"AutoStudent: {budget} leaves too few parameters for any student of this table; raise it."
        nearest = min(there, key=self.excess)
        return (
            f"AutoStudent: no student meets {budget}; nearest came {nearest.describe()}. Raise the budget, or leave "
            "out columns. A note to this error tells what was tried."
        )
