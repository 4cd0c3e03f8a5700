"""Choosing family and size of a student by fidelity on rows held out, within a budget: successive halving."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from numbers import Integral
from time import perf_counter
from typing import Any

import numpy as np

from .._progress import Progress
from .._threads import in_threads
from .._validation import draw_seed
from ..exceptions import StudentError, StudentSizeError
from ..students._families import FAMILIES, scouted_families
from ..transfer import TransferSet
from ._auto_student import AutoStudent
from ._callbacks import Phases
from ._candidates import VALIDATED, Candidate, Candidates
from ._deadline import Deadline
from ._targets import Targets
from ._validation_rows import CLEAR, CLEAR_LESS, FEWEST_REAL, LEAST_LESS, Losses, Validation

RUNGS = (1 / 5, 1)
"""Shares of the rows at hand that all families, and then the best of them, are taught on; the winner gets all rows."""

PARAMETERS_OF_A_ROW, FEWEST_PARAMETERS = 2, 500
"""For each output at most: what few rows cannot fix is not worth its bytes."""

FEWEST_ROWS, MOST_ROWS = 2000, 60_000
"""Rows of the first rung at least, and of the second at most."""

SPARED = 0.96
"""Share of the budget that students grow to: on more rows they come out a little larger."""

MOST_SIZES = 4
"""Times that a student beyond the budget is made smaller."""

SCOUT_PARAMETERS = 2000
"""Of a scout for one output; they grow with the root of the number of outputs."""

LADDER = tuple(2.0**-step for step in (5, 4, 3, 2, 1, 0))
"""Shares of the budget that are tried, from small to large, to reach a fidelity."""

SAFE = "boosting"
"""The family that is taken where there is nothing to choose with."""

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

    def sized(self, family: str, options: AutoStudent, share: float = 1.0, *, is_modest: bool = False) -> Any:
        """Return the unfitted student of a family that the budget should allow, before any of it is measured."""
        return self.with_parameters(family, share * self.most_of(family, options, is_modest=is_modest))

    def scout(self, family: str, options: AutoStudent) -> Any:
        """Return the quick student that speaks for a family: a small one, if there is any."""
        most = self.most_of(family, options)
        quick = FAMILIES[family].scout or {}
        with suppress(StudentError):
            small = min(SCOUT_PARAMETERS * self.n_outputs**0.5, most)
            return self.with_parameters(family, small).set_params(**quick)
        return self.with_parameters(family, most).set_params(**quick)

    def has_budget(self, options: AutoStudent) -> bool:
        """Whether the user allows a size, so that all of it may be used."""
        return options.allowed_parameters(self.most_parameters) is not None

    def with_parameters(self, family: str, n_parameters: float) -> Any:
        """Return the unfitted student of a family with so many parameters at most."""
        student = FAMILIES[family].member(classifies=self.classifies, n_jobs=self.n_jobs)
        return student.sized(max(int(n_parameters), 1), n_inputs=self.n_inputs, n_outputs=self.n_outputs)

    def most_of(self, family: str, options: AutoStudent, *, is_modest: bool = False) -> float:
        """Return the most parameters that a family should have."""
        allowed = options.allowed_parameters(self.most_parameters)
        is_modest = is_modest or allowed is None
        of_family = FAMILIES[family].most_parameters(self.n_outputs, is_modest=is_modest)
        of_rows = max(PARAMETERS_OF_A_ROW * self.n_rows, FEWEST_PARAMETERS) * self.n_outputs
        return min(of_family, of_rows, np.inf if allowed is None else allowed)


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
    rng: np.random.RandomState,
    phases: Phases,
    deadline: Deadline,
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
    rng : RandomState
    phases : Phases
        Told how far the choice is.
    deadline : Deadline
        Where there is no time left to teach on everything, the best student so far is returned.

    Raises
    ------
    StudentError
        If no student meets the budget, or reaches the fidelity; what was tried is a note to it.
    """
    names, seed = options.families_for(rows.whole.X), draw_seed(rng)
    trials = _Trials(options, terms, targets, validation, seed, rows.real_weights[0], deadline)
    try:
        with phases.phase("choose a student") as phase:
            if rows.meanwhile is None or validation is None:
                ranked = _without_validation(trials, names)
            else:
                ladder = Ladder(rows.meanwhile, rng.permutation(len(rows.meanwhile)))
                trials.progress = phase.progress(
                    "choosing a student", *_plan(trials, names, ladder, len(rows.real_weights))
                )
                ranked = _rank(trials, names, ladder, rows.real_weights)
                trials.progress = None
        with phases.phase("teach the student") as phase:
            for trial in ranked:
                if (taught := trials.kept(trial, len(rows.whole))) is not None:
                    phase.say(f"no time is left: the student ({trial.family}) taught on {trial.n_rows:,} rows is kept")
                    trials.add([taught])
                    return taught.student, Candidates(trials.all)
                if settle is not None:
                    trials.settle(settle(trial.student, trial.real_weight), trial, rows.meanwhile)
                phase.say(f"teaching the student ({trial.family}) on {len(rows.whole):,} rows")
                # rows that the user holds out are taught to nobody, so that they can tell of the student itself
                is_validated = validation is not None and validation.kind == "given"
                taught = trials.again(trial, rows.whole, 2, is_validated=is_validated)
                trials.add([taught])
                if taught.candidate.is_within_budget:
                    return taught.student, Candidates(trials.all)
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
        return n_rows if self.is_short else min(max(int(RUNGS[rung] * n_rows), FEWEST_ROWS), n_rows, MOST_ROWS)

    def rung(self, rung: int) -> TransferSet:
        """Return the rows of a rung."""
        n_rows = self.count(rung)
        return self.rows if n_rows == len(self.rows) else self.rows.take(np.sort(self.order[:n_rows]))


def _plan(trials: "_Trials", names: list[str], ladder: Ladder, n_weights: int) -> tuple[int, str, float]:
    """Return how many students may be taught before one is chosen, what they are called, and on how many rows."""
    options, n_families, n_scouts = trials.options, len(names), sum(name in scouted_families() for name in names)
    n_finalists = min(options.n_finalists, n_scouts) + n_families - n_scouts
    n_first, n_second = n_scouts, n_finalists + n_weights - 1
    if trials.terms.has_budget(options):
        n_first, n_second = n_scouts + n_finalists, min(n_finalists, options.n_finalists) + n_weights
    if options.min_fidelity is not None:
        n_first, n_second = n_families, n_families * len(LADDER)
    return n_first + n_second, "students", n_first * ladder.count(0) + n_second * ladder.count(1)


def _rank(trials: "_Trials", names: list[str], ladder: Ladder, real_weights: tuple[float, ...]) -> list[Candidate]:
    """Return candidates within the budget, the best first."""
    options, first, second = trials.options, ladder.rung(0), ladder.rung(1)
    if options.min_fidelity is not None:
        fitting = _ranked(trials.largest(names, first, 0, is_modest=True))
        return [trials.smallest_that_reaches(options.min_fidelity, fitting, second)] if fitting else []
    finalists = _finalists(trials.scouted(names, first), names, options.n_finalists)
    if trials.terms.has_budget(options):  # what a size costs is seen on few rows
        is_modest = not isinstance(options.max_bytes, Integral)  # what operations allow is not known beforehand
        sized = _ranked(trials.largest(finalists, first, 0, is_modest=is_modest))
        grown = _ranked(trials.grown(sized[: options.n_finalists], second, 1))
        # a larger budget must not make it worse
        grown = _ranked([*grown, *trials.modest(grown[0], second, 1)]) if grown else sized
    else:
        grown = _ranked(trials.largest(finalists, second, 1))
    best = grown[:1]
    for real_weight in real_weights[1:] if best else ():
        if trials.is_too_much(real_weight, first):
            continue
        others = trials.with_weight(best, real_weight, second, 1)
        best = trials.merge(best, _ranked(others))
    return best + grown[1:]


def _finalists(scouted: list[Candidate], names: list[str], n_finalists: int) -> list[str]:
    """Return the families whose scouts were best, and those that have none."""
    others = [name for name in names if name not in scouted_families()]
    return [trial.family for trial in scouted[:n_finalists]] + others


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
    return [trials.unvalidated(SAFE if SAFE in names else names[0])]


@dataclass(frozen=True)
class Taught:
    """A candidate that was taught."""

    candidate: Candidate
    losses: Losses | None = None
    student: Any = None
    """Fitted."""


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
        deadline: Deadline,
    ) -> None:
        self.options, self.terms, self.seed, self.real_weight = options, terms, seed, real_weight
        self._deadline = deadline
        self._targets, self._validation = targets, validation
        self.judged_on = "nothing: there are too few rows" if validation is None else validation.origin
        self.progress: Progress | None = None
        self.all: list[Candidate] = []
        self._losses: list[Losses | None] = []
        """Of each of these, where it was validated."""
        self._best: Taught | None = None
        """The best so far, where there may be no time for more."""

    def add(self, taught: Iterable[Taught]) -> list[Candidate]:
        """Remember what was taught, as it comes, and return its candidates."""
        added = []
        for each in taught:
            added.append(each.candidate)
            self.all.append(each.candidate)
            self._losses.append(each.losses)
            self._remember(each)
            if self.progress is not None:
                self.progress.update(len(self.all), sum(trial.n_rows for trial in self.all))
        return added

    def _remember(self, taught: Taught) -> None:
        """Remember the best student so far, if there is a limit of time."""
        trial = taught.candidate
        if np.isinf(self._deadline.left) or not trial.is_within_budget or np.isnan(trial.score):
            return
        if self._best is None or (trial.rung, trial.score) > (self._best.candidate.rung, self._best.candidate.score):
            self._best = taught

    def kept(self, trial: Candidate, n_rows: int) -> Taught | None:
        """Return the best student so far, as the one that is chosen, if there is no time to teach on so many rows."""
        if self._best is None or self._deadline.left > trial.seconds * n_rows / max(trial.n_rows, 1):
            return None
        return replace(self._best, candidate=replace(self._best.candidate, rung=2))

    def _try_all(self, teach: Callable[[Any], Taught], tried: Iterable[Any]) -> list[Candidate]:
        """Teach all that should end in time, but one in any case."""
        tried, longest = list(tried), max((trial.seconds for trial in self.all), default=0.0)
        n_in_time = (
            max(int(self._deadline.left / longest), 1) if longest and self._deadline.left < np.inf else len(tried)
        )
        return self.add(in_threads(teach, tried[:n_in_time], self.terms.n_jobs))

    def scouted(self, names: list[str], rows: TransferSet) -> list[Candidate]:
        """Teach the scouts of families, and return those within the budget, the best first."""

        def teach(family: str) -> Taught:
            try:
                student = self.terms.scout(family, self.options)
            except StudentError:
                return self._too_small(family, 0)
            return self._within(family, student, rows, 0)

        return _ranked(self._try_all(teach, [name for name in names if name in scouted_families()]))

    def largest(
        self, names: list[str], rows: TransferSet, rung: int, share: float = 1.0, *, is_modest: bool = False
    ) -> list[Candidate]:
        """Teach the largest students of families within a share of the budget, or modest ones within it."""

        def teach(family: str) -> Taught:
            try:
                student = self.terms.sized(family, self.options, share, is_modest=is_modest)
            except StudentError:
                return self._too_small(family, rung)
            return self._within(family, student, rows, rung, share)

        return self._try_all(teach, names)

    def grown(self, tried: list[Candidate], rows: TransferSet, rung: int) -> list[Candidate]:
        """Teach students that were tried on few rows on more, at the largest size that the budget allows."""

        def next_of(trial: Candidate) -> Any:
            most = self.terms.most_of(trial.family, self.options)
            n_parameters = min(most, SPARED * trial.n_parameters / max(self.excess(trial), 1e-9))
            is_larger = n_parameters > trial.n_parameters
            return self.terms.with_parameters(trial.family, n_parameters) if is_larger else trial.student

        def is_there(trial: Candidate) -> bool:
            """Where there are no more rows, a student that does not grow is there already."""
            return trial.n_rows == len(rows) and repr(next_of(trial)) == repr(trial.student)

        def teach(trial: Candidate) -> Taught:
            return self._within(trial.family, next_of(trial), rows, rung)

        others = [trial for trial in tried if not is_there(trial)]
        return [trial for trial in tried if is_there(trial)] + (self._try_all(teach, others) if others else [])

    def modest(self, trial: Candidate, rows: TransferSet, rung: int) -> list[Candidate]:
        """Teach a student of the family, of the size that it has where no budget is given, if that is smaller."""
        student = self.terms.sized(trial.family, self.options, is_modest=True)
        if repr(student) == repr(trial.student):
            return []
        return self.add([self._within(trial.family, student, rows, rung)])

    def with_weight(self, tried: list[Candidate], real_weight: float, rows: TransferSet, rung: int) -> list[Candidate]:
        """Teach the same students with another weight of the real rows."""
        weighed = [replace(trial, real_weight=real_weight) for trial in tried]
        return self._try_all(lambda trial: self.again(trial, rows, rung), weighed)

    def is_too_much(self, real_weight: float, rows: TransferSet) -> bool:
        """Whether real rows of more weight are clearly worse, as the best scout tells.

        On more rows they are worse still: synthetic rows are then more, and do better without them.
        """
        scouts = _ranked(trial for trial in self.all if trial.rung == 0 and trial.family in scouted_families())
        if not scouts or real_weight < self.real_weight:
            return False
        (heavier,) = self.with_weight(scouts[:1], real_weight, rows, 0)
        return self._losses_of(heavier).is_clearly_above(self._losses_of(scouts[0]), CLEAR, LEAST_LESS)

    def unvalidated(self, family: str) -> Candidate:
        """Return a student of a family that was not taught yet."""
        student = self.terms.sized(family, self.options)
        return Candidate(family, 0, 0, *UNKNOWN, 0.0, True, self.judged_on, self.real_weight, student)

    def again(self, trial: Candidate, rows: TransferSet, rung: int, *, is_validated: bool = True) -> Taught:
        """Teach a student that was tried on more rows, or with another weight of the real ones."""
        weight = trial.real_weight
        return self._within(trial.family, trial.student, rows, rung, real_weight=weight, is_validated=is_validated)

    def merge(self, ranked: list[Candidate], others: list[Candidate]) -> list[Candidate]:
        """Return candidates with two weights of the real rows; those with less come first only if clearly better."""
        if not others:
            return ranked
        more, less = sorted((ranked, others), key=lambda each: -each[0].real_weight)
        is_clear = self._losses_of(more[0]).is_clearly_above(self._losses_of(less[0]), CLEAR_LESS, LEAST_LESS)
        return less + more if is_clear else more + less

    def _losses_of(self, tried: Candidate) -> Losses:
        losses = self._losses[next(place for place, trial in enumerate(self.all) if trial is tried)]
        assert losses is not None
        return losses

    def smallest_that_reaches(self, fidelity: float, tried: list[Candidate], rows: TransferSet) -> Candidate:
        """Teach students of the families tried, growing in size, until one reaches a fidelity."""
        fitting = list(tried)
        for share in LADDER:
            latest = self.largest([trial.family for trial in tried], rows, 1, share)
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

    def settle(self, targets: Targets, trial: Candidate, meanwhile: TransferSet | None) -> None:
        """Go on with other targets, if they are others; what is said of the student is then said of one taught so."""
        if targets is not self._targets:
            self._targets = targets
            if self._validation is not None and meanwhile is not None:
                self.add([self.again(trial, meanwhile, 1)])

    def _too_small(self, family: str, rung: int) -> Taught:
        return Taught(Candidate(family, rung, 0, *UNKNOWN, 0.0, False, self.judged_on, self.real_weight))

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
    ) -> Taught:
        """Teach a student, and smaller ones of its family while it is beyond the budget."""
        real_weight = self.real_weight if real_weight is None else real_weight
        for _ in range(MOST_SIZES):
            taught = self._try(family, student, rows, rung, real_weight, is_validated=is_validated)
            trial, excess = taught.candidate, self.excess(taught.candidate, share)
            if excess <= 1:
                break
            taught = replace(taught, candidate=replace(trial, is_within_budget=False))
            try:
                student = self.terms.with_parameters(family, 0.95 * trial.n_parameters / excess)
            except StudentError:
                break
        return taught

    def _try(
        self, family: str, student: Any, rows: TransferSet, rung: int, real_weight: float, *, is_validated: bool
    ) -> Taught:
        started = perf_counter()
        fitted, losses = self._targets.teach(student, rows.weigh_real(real_weight), self.seed), None
        seconds = perf_counter() - started
        compiled = getattr(fitted, "estimator", fitted).__skdistill_compile__()
        validated = dict.fromkeys(VALIDATED, np.nan)
        if self._validation is not None and is_validated:
            losses, estimate = self._validation.losses(fitted), self._validation.estimate(fitted)
            numbers = (losses.fidelity, estimate.fidelity, estimate.low, estimate.high)
            validated = dict(zip(VALIDATED, numbers, strict=True))
        candidate = Candidate(
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
        return Taught(candidate, losses, fitted)

    def excess(self, trial: Candidate, share: float = 1.0) -> float:
        """Return how many times a share of the budget a student needs."""
        needs = [
            (trial.n_bytes, self.options.max_bytes if isinstance(self.options.max_bytes, Integral) else None),
            (trial.n_ops, self.options.max_ops),
            (trial.n_parameters, self.terms.most_parameters),
        ]
        return max((need / (share * most) for need, most in needs if most is not None), default=0.0)

    def nothing_fits(self) -> str:
        """Return what to say where no student meets the budget, and what came nearest."""
        budgets = {"max_bytes": self.options.max_bytes, "max_ops": self.options.max_ops}
        budgets["student_size"] = self.terms.most_parameters
        budget = ", ".join(f"{name}={most!r}" for name, most in budgets.items() if most is not None)
        there = [trial for trial in self.all if np.isfinite(trial.n_bytes)]
        if not there:
            return f"AutoStudent: {budget} leaves too few parameters for any student of this table; raise it."
        nearest = min(there, key=self.excess)
        return (
            f"AutoStudent: no student meets {budget}; nearest came {nearest.describe()}. Raise the budget, or leave "
            "out columns. A note to this error tells what was tried."
        )
