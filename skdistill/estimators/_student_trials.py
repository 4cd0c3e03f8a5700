"""Students that are taught to choose one of them: what each cost, and how well it did."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from numbers import Integral
from time import perf_counter
from typing import Any

import numpy as np

from .._progress import Progress
from .._threads import in_threads
from ..exceptions import StudentError
from ..students._families import scouted_families
from ..transfer import TransferSet
from ._auto_student import AutoStudent
from ._candidates import VALIDATED, Candidate
from ._deadline import Deadline
from ._targets import Targets
from ._terms import Terms
from ._validation_rows import MIN_ERRORS_REAL_WEIGHT, MIN_ERRORS_SAMPLER, MIN_GAIN_REAL_WEIGHT, Losses, Validation

TARGET_BUDGET_SHARE = 0.96
"""Share of the budget that students grow to: on more rows they come out a little larger."""

MAX_SHRINK_ATTEMPTS = 4
"""Times that a student beyond the budget is made smaller."""

BUDGET_SHARES = tuple(2.0**-step for step in (5, 4, 3, 2, 1, 0))
"""Shares of the budget that are tried, from small to large, to reach a fidelity."""

NOT_MEASURED = (float("nan"),) * 7
"""Size, costs and fidelity of a student that was not taught."""


def ranked_within_budget(tried: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates within the budget, the best first."""
    return sorted((trial for trial in tried if trial.is_within_budget), key=lambda trial: -trial.score)


@dataclass(frozen=True)
class Taught:
    """A candidate that was taught."""

    candidate: Candidate
    losses: Losses | None = None
    student: Any = None
    """Fitted."""


class StudentTrials:
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
        self.validated_on = "nothing: there are too few rows" if validation is None else validation.origin
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

        return ranked_within_budget(self._try_all(teach, [name for name in names if name in scouted_families()]))

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
            n_parameters = min(most, TARGET_BUDGET_SHARE * trial.n_parameters / max(self.excess(trial), 1e-9))
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
        scouts = ranked_within_budget(
            trial for trial in self.all if trial.rung == 0 and trial.family in scouted_families()
        )
        if not scouts or real_weight < self.real_weight:
            return False
        (heavier,) = self.with_weight(scouts[:1], real_weight, rows, 0)
        return self._losses_of(heavier).is_clearly_above(
            self._losses_of(scouts[0]), MIN_ERRORS_SAMPLER, MIN_GAIN_REAL_WEIGHT
        )

    def unvalidated(self, family: str) -> Candidate:
        """Return a student of a family that was not taught yet."""
        student = self.terms.sized(family, self.options)
        return Candidate(family, 0, 0, *NOT_MEASURED, 0.0, True, self.validated_on, self.real_weight, student)

    def again(self, trial: Candidate, rows: TransferSet, rung: int, *, is_validated: bool = True) -> Taught:
        """Teach a student that was tried on more rows, or with another weight of the real ones."""
        weight = trial.real_weight
        return self._within(trial.family, trial.student, rows, rung, real_weight=weight, is_validated=is_validated)

    def merge(self, ranked: list[Candidate], others: list[Candidate]) -> list[Candidate]:
        """Return candidates with two weights of the real rows; those with less come first only if clearly better."""
        if not others:
            return ranked
        more, less = sorted((ranked, others), key=lambda each: -each[0].real_weight)
        is_clear = self._losses_of(more[0]).is_clearly_above(
            self._losses_of(less[0]), MIN_ERRORS_REAL_WEIGHT, MIN_GAIN_REAL_WEIGHT
        )
        return less + more if is_clear else more + less

    def _losses_of(self, tried: Candidate) -> Losses:
        losses = self._losses[next(place for place, trial in enumerate(self.all) if trial is tried)]
        assert losses is not None
        return losses

    def smallest_that_reaches(self, fidelity: float, tried: list[Candidate], rows: TransferSet) -> Candidate:
        """Teach students of the families tried, growing in size, until one reaches a fidelity."""
        fitting = list(tried)
        for share in BUDGET_SHARES:
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

    def change_targets(self, targets: Targets, trial: Candidate, for_selection: TransferSet | None) -> None:
        """Go on with other targets, if they are others; what is said of the student is then said of one taught so."""
        if targets is not self._targets:
            self._targets = targets
            if self._validation is not None and for_selection is not None:
                self.add([self.again(trial, for_selection, 1)])

    def _too_small(self, family: str, rung: int) -> Taught:
        return Taught(Candidate(family, rung, 0, *NOT_MEASURED, 0.0, False, self.validated_on, self.real_weight))

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
        for _ in range(MAX_SHRINK_ATTEMPTS):
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
            validated_on=self.validated_on,
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
