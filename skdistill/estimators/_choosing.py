"""Choosing family and size of a student by fidelity on rows held out, within a budget: successive halving."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any

import numpy as np

from .._progress import Progress
from .._validation import draw_seed
from ..exceptions import StudentError, StudentSizeError
from ..students._families import family_member, most_parameters
from ..transfer import TransferSet
from ._auto_sampler import FEWEST_JUDGES, FEWEST_REAL, HoldOut, Judge
from ._auto_student import AutoStudent
from ._callbacks import Phases
from ._candidates import Candidate, Candidates

RUNGS = (1 / 10, 1 / 2)
"""Shares of the transfer set that all families, and then the best of them, are taught on; the winner gets all of it."""

FIRST_SIZE = 0.45
"""Share of the most parameters of a family on the first rung: its few rows could not tell apart more."""

PARAMETERS_OF_A_ROW, FEWEST_PARAMETERS = 2, 500
"""For each output at most: what few rows cannot fix is not worth its bytes."""

FEWEST_ROWS = 2000
"""Rows of the first rung at least."""

BYTES_OF_A_PARAMETER, FIXED_BYTES = 1.6, 1000
"""First guess of what a size costs, until a student of the family is there."""

JUDGE_SHARE, MOST_JUDGES = 0.05, 2000
"""Share of the synthetic rows that judge where the teacher was fitted on the real ones, and their number at most."""

MOST_SIZES = 4
"""Times that a student beyond the budget is made smaller."""

LADDER = tuple(2.0**-step for step in (5, 4, 3, 2, 1, 0))
"""Shares of the budget that are tried, from small to large, to reach a fidelity."""

PROXY = "boosting"
"""The family that samplers are chosen with, and that is taken where there is nothing to choose with."""


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


def hold_out_for_students(
    transfer_set: TransferSet,
    hold_out: HoldOut,
    is_fresh: bool,
    soft_targets: Callable[[np.ndarray], np.ndarray],
    rng: np.random.RandomState,
) -> tuple[np.ndarray, Judge]:
    """Return which rows to teach candidates on, and a judge.

    Real rows that the teacher was not fitted on judge best. Its answers for others are spiky, and favour whatever
    follows spikes; synthetic rows are judges without spikes.
    """
    n_rows, n_synthetic = len(transfer_set.sample_weight), transfer_set.n_synthetic
    n_judges = int(min(JUDGE_SHARE * n_synthetic, MOST_JUDGES))
    if is_fresh or n_judges < FEWEST_JUDGES:
        rows, judge = hold_out()
        return np.concatenate([rows, np.arange(transfer_set.n_real, n_rows)]), judge
    held_out = transfer_set.n_real + np.sort(rng.permutation(n_synthetic)[:n_judges])
    judges = transfer_set.take(held_out)
    judge = Judge(judges.X, soft_targets(judges.outputs), np.ones(n_judges), "synthetic rows that were held out")
    return np.setdiff1d(np.arange(n_rows), held_out), judge


Teach = Callable[[Any, TransferSet, int], Any]


def choose_student(
    options: AutoStudent,
    terms: Terms,
    transfer_set: TransferSet,
    taught: TransferSet,
    judge: Judge | None,
    teach: Teach,
    losses_of: Callable[[Any, Judge], np.ndarray],
    *,
    rng: np.random.RandomState,
    phases: Phases,
) -> tuple[Any, Candidates]:
    """Return the chosen student, taught on the whole transfer set, and what was tried.

    Parameters
    ----------
    options : AutoStudent
    terms : Terms
    transfer_set : TransferSet
        For the student in the end.
    taught : TransferSet
        The same without the rows that judge.
    judge : Judge or None
        ``None`` where there are too few rows: then nothing is chosen.
    teach : callable
        ``teach(student, transfer_set, seed)`` returns the student, taught and complete.
    losses_of : callable
        ``losses_of(student, judge)`` returns the losses of the judge's rows; fidelity is one minus their mean.
    rng : RandomState
    phases : Phases
        Told how far the choice is.

    Raises
    ------
    StudentError
        If no student meets the budget, or reaches the fidelity; what was tried is a note to it.
    """
    seed, order = draw_seed(rng), rng.permutation(len(taught.sample_weight))
    n_rows = len(order)

    is_small = n_rows * RUNGS[1] <= FEWEST_ROWS  # then the first rung is the last

    def rung(share: float) -> TransferSet:
        return taught if is_small else taught.take(np.sort(order[: max(int(share * n_rows), FEWEST_ROWS)]))

    names = options.families_for(transfer_set.X)
    trials = _Trials(options, terms, teach, losses_of, judge, seed)
    try:
        with phases.phase("choose a student") as phase:
            if judge is None:
                ranked = _without_judge(trials, names)
            else:
                trials.progress = phase.progress("choosing a student", *_plan(options, len(names), n_rows, is_small))
                ranked = _rank(trials, names, rung, is_small=is_small)
                trials.progress = None
        with phases.phase("teach the student") as phase:
            for trial in ranked:
                phase.say(f"teaching the student ({trial.family}) on {len(transfer_set.sample_weight):,} rows")
                if trials.again(trial, transfer_set, 2, judged=False).is_within_budget:
                    return trials.latest, Candidates(trials.all)
        raise StudentSizeError(trials.nothing_fits())
    except StudentError as error:
        error.add_note(str(Candidates(trials.all)))
        raise


def _plan(options: AutoStudent, n_families: int, n_rows: int, is_small: bool) -> tuple[int, str, float]:
    """Return how many students may be taught before one is chosen, what they are called, and on how many rows."""
    first, second = (n_rows if is_small else max(int(share * n_rows), FEWEST_ROWS) for share in RUNGS)
    n_more = 0 if is_small else min(options.n_finalists, n_families)
    if options.min_fidelity is not None:
        n_more = n_families * len(LADDER)
    return n_families + n_more, "students", n_families * first + n_more * second


def _rank(
    trials: "_Trials", names: list[str], rung: Callable[[float], TransferSet], *, is_small: bool
) -> list[Candidate]:
    """Return candidates within the budget, the best first."""
    most, first = 1.0 if is_small else FIRST_SIZE, rung(RUNGS[0])
    tried = [trials.largest(name, first, 0, most=most) for name in names]
    fitting = sorted((trial for trial in tried if trial.is_within_budget), key=lambda trial: -trial.fidelity)
    options = trials.options
    if options.min_fidelity is not None and fitting:
        return [trials.smallest_that_reaches(options.min_fidelity, fitting, rung(RUNGS[1]))]
    if is_small:
        return fitting
    second = rung(RUNGS[1])
    grown = [trials.grown(trial, second, 1) for trial in fitting[: options.n_finalists]]
    best = sorted((trial for trial in grown if trial.is_within_budget), key=lambda trial: -trial.fidelity)
    return best + fitting


def _without_judge(trials: "_Trials", names: list[str]) -> list[Candidate]:
    """Return the family that is taken where nobody can judge, in the size that the budget allows."""
    if trials.options.min_fidelity is not None:
        raise StudentError(
            f"AutoStudent: min_fidelity={trials.options.min_fidelity!r} needs at least {FEWEST_REAL} real rows of "
            "weight to judge with. Pass more rows, or min_fidelity=None."
        )
    return [trials.unjudged(PROXY if PROXY in names else names[0])]


class _Trials:
    """What was tried, and how well it did."""

    def __init__(
        self,
        options: AutoStudent,
        terms: Terms,
        teach: Teach,
        losses_of: Callable[[Any, Judge], np.ndarray],
        judge: Judge | None,
        seed: int,
    ) -> None:
        self.options, self.terms, self.judge, self.seed = options, terms, judge, seed
        self.judged_on = "nothing: there are too few rows" if judge is None else judge.judged_on
        self._teach, self._losses_of = teach, losses_of
        self.progress: Progress | None = None
        self.all: list[Candidate] = []
        self.latest: Any = None
        """The student that was taught last, fitted."""

    def largest(self, family: str, rows: TransferSet, rung: int, share: float = 1.0, most: float = 1.0) -> Candidate:
        """Teach the largest student of a family within a share of the budget, and of the most that it should have."""
        try:
            student = self.terms.sized(family, self.options, share, most)
        except StudentError:
            nan = float("nan")
            trial = Candidate(family, rung, 0, nan, nan, nan, nan, nan, 0.0, False, self.judged_on)
            return self._add(trial)
        return self._within(family, student, rows, rung, share)

    def grown(self, trial: Candidate, rows: TransferSet, rung: int) -> Candidate:
        """Teach a student that was tried small on more rows, at the largest size that the budget should allow."""
        most = self.terms.most_of(trial.family, self.options)
        n_parameters = min(most, trial.n_parameters / max(self.excess(trial), 1e-9))
        if n_parameters <= trial.n_parameters:
            return self.again(trial, rows, rung)
        return self._within(trial.family, self.terms.with_parameters(trial.family, n_parameters), rows, rung)

    def unjudged(self, family: str) -> Candidate:
        """Return a student of a family that was not taught yet."""
        nan = float("nan")
        student = self.terms.sized(family, self.options)
        return Candidate(family, 0, 0, nan, nan, nan, nan, nan, 0.0, True, self.judged_on, student)

    def again(self, trial: Candidate, rows: TransferSet, rung: int, *, judged: bool = True) -> Candidate:
        """Teach a student that was tried on more rows."""
        return self._within(trial.family, trial.student, rows, rung, judged=judged)

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
        self, family: str, student: Any, rows: TransferSet, rung: int, share: float = 1.0, *, judged: bool = True
    ) -> Candidate:
        """Teach a student, and smaller ones of its family while it is beyond the budget."""
        for _ in range(MOST_SIZES):
            trial = self._try(family, student, rows, rung, share, judged=judged)
            if trial.is_within_budget:
                break
            n_parameters = 0.95 * trial.n_parameters / self.excess(trial, share)
            try:
                student = self.terms.with_parameters(family, n_parameters)
            except StudentError:
                break
        return self._add(trial)

    def _try(self, family: str, student: Any, rows: TransferSet, rung: int, share: float, *, judged: bool) -> Candidate:
        started = perf_counter()
        self.latest = self._teach(student, rows, self.seed)
        seconds = perf_counter() - started
        losses = np.array([np.nan]) if self.judge is None or not judged else self._losses_of(self.latest, self.judge)
        compiled = getattr(self.latest, "estimator", self.latest).__skdistill_compile__()
        trial = Candidate(
            family=family,
            rung=rung,
            n_rows=len(rows.sample_weight),
            n_parameters=compiled.scorer.n_parameters,
            n_bytes=compiled.n_bytes,
            n_ops=compiled.scorer.n_ops,
            fidelity=float(1 - losses.mean()),
            fidelity_error=float(losses.std() / np.sqrt(len(losses))),
            seconds=seconds,
            is_within_budget=True,
            judged_on=self.judged_on,
            student=student,
        )
        return replace(trial, is_within_budget=self.excess(trial, share) <= 1)

    def _add(self, trial: Candidate) -> Candidate:
        self.all.append(trial)
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
