"""Evaluation of candidate students: cost and fidelity of each."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from numbers import Integral
from time import perf_counter
from typing import Any

import numpy as np

from .._encoding import WithDeclarations
from .._processes import NotPicklableError, Shipped, count_jobs, named_backend
from .._progress import Progress
from .._threads import in_threads
from ..exceptions import StudentError, StudentSizeError
from ..transfer import TransferSet
from ._auto_student import AutoStudent
from ._candidates import VALIDATED, Candidate
from ._cascade_students import ANSWERED, CascadeStudents
from ._cross_validation import Folds, OutOfFold
from ._deadline import Deadline
from ._scoring import name_of, score_of
from ._targets import Targets
from ._terms import Terms
from ._validation_rows import MIN_ERRORS_SAMPLER, LeastGain, Losses, Validation

TARGET_BUDGET_SHARE = 0.96
"""Share of the budget that a student is sized for: fitted on more rows, it becomes slightly larger."""

MIN_SHARE_TOO_MUCH = 0.1
"""Minimum share of the loss by which a larger weight of the real rows must be worse, so that it is tried no further."""

MAX_SHRINK_ATTEMPTS = 4
"""Maximum number of attempts to make a student that exceeds the budget smaller."""

BUDGET_SHARES = tuple(2.0**-step for step in (5, 4, 3, 2, 1, 0))
"""Shares of the budget that ``min_fidelity`` evaluates, in increasing order."""

SIZE_SHARES = (1.0, 1 / 3, 1 / 9)
"""Shares of the largest size at which cross-validated students are fitted: few rows may need few parameters."""

FIRST_SIZE_SHARE, N_SIZED_FAMILIES = 1 / 3, 2
"""The share that compares the families, and the number of families that are fitted at the other shares too."""

FINAL_RUNG = 2
"""The rung of the student that is fitted on all rows."""

NOT_MEASURED = (float("nan"),) * 7
"""Size, costs and fidelity of a student that was not fitted."""


def ranked_within_budget(tried: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates within the budget, the best first."""
    return sorted((trial for trial in tried if trial.is_within_budget), key=lambda trial: -trial.score)


@dataclass(frozen=True)
class FittedCandidate:
    """A candidate, its losses on the validation rows and its fitted student."""

    candidate: Candidate
    losses: Losses | None = None
    student: Any = None
    """The fitted student."""


class StudentTrials:
    """Fits candidate students within a budget and stores the results."""

    def __init__(
        self,
        options: AutoStudent,
        terms: Terms,
        targets: Targets,
        validation: Validation | None,
        seed: int,
        real_weight: float,
        deadline: Deadline,
        folds: Folds | None = None,
    ) -> None:
        self.options, self.terms, self.seed, self.real_weight = options, terms, seed, real_weight
        self._deadline = deadline
        self._targets, self._folds = targets, folds
        self._validation = validation if folds is None else folds.validation
        self.validated_on = "nothing: too few rows" if self._validation is None else self._validation.origin
        self.progress: Progress | None = None
        self.cascade_students: CascadeStudents | None = None
        """Fits candidates for a cascade; ``None`` without a tolerance."""
        self.all: list[Candidate] = []
        self._losses: list[Losses | None] = []
        """The losses of each candidate; ``None`` if it was not validated."""
        self._best: FittedCandidate | None = None
        """The best student so far; only stored if there is a time limit."""

    @property
    def is_cross_validated(self) -> bool:
        """Whether candidates are fitted once for each fold of the real rows."""
        return self._folds is not None

    def add(self, fitted: Iterable[FittedCandidate]) -> list[Candidate]:
        """Store the fitted candidates as they are completed, and return them."""
        added = []
        for each in fitted:
            added.append(each.candidate)
            self.all.append(each.candidate)
            self._losses.append(each.losses)
            self._remember(each)
            if self.progress is not None:
                self.progress.update(len(self.all), sum(trial.n_rows for trial in self.all))
        return added

    def _remember(self, fitted: FittedCandidate) -> None:
        """Store the best student so far if there is a time limit."""
        trial = fitted.candidate
        if np.isinf(self._deadline.left) or not trial.is_within_budget or np.isnan(trial.score):
            return
        if self._best is None or (trial.rung, trial.score) > (self._best.candidate.rung, self._best.candidate.score):
            self._best = fitted

    def kept(self, trial: Candidate, n_rows: int) -> FittedCandidate | None:
        """Return the best student so far if there is no time to fit ``trial`` on ``n_rows`` rows, else ``None``."""
        if self._best is None or self._deadline.left > trial.seconds * n_rows / max(trial.n_rows, 1):
            return None
        return replace(self._best, candidate=replace(self._best.candidate, rung=FINAL_RUNG))

    def _try_all(self, teach: Callable[[Any], FittedCandidate], tried: Iterable[Any]) -> list[Candidate]:
        """Fit as many candidates as the deadline is expected to allow, at least one."""
        tried, longest = list(tried), max((trial.seconds for trial in self.all), default=0.0)
        n_in_time = (
            max(int(self._deadline.left / longest), 1) if longest and self._deadline.left < np.inf else len(tried)
        )
        return self.add(self._fit_all(teach, tried[:n_in_time]))

    def _fit_all(self, teach: Callable[[Any], FittedCandidate], tried: list[Any]) -> Iterator[FittedCandidate]:
        """Fit candidates in threads, or in the processes or the cluster that a context of joblib names."""
        if named_backend() not in (None, "threading", "sequential") and count_jobs(self.terms.n_jobs) > 1:
            with suppress(NotPicklableError):
                return Shipped(WithDeclarations.here(teach)).map(tried, self.terms.n_jobs)
        return in_threads(teach, tried, self.terms.n_jobs)

    def __getstate__(self) -> dict[str, Any]:
        """Return what fits of candidates need in other processes."""
        return vars(self) | {"progress": None, "all": [], "_losses": [], "_best": None}

    def scouted(self, names: list[str], rows: TransferSet) -> list[Candidate]:
        """Fit a small student of each family, and return the candidates within the budget, the best first."""

        def teach(family: str) -> FittedCandidate:
            try:
                student = self.terms.scout(family, self.options)
            except StudentError:
                return self._too_small(family, 0)
            return self._within(family, student, rows, 0)

        return ranked_within_budget(self._try_all(teach, filter(self.terms.has_scout, names)))

    def largest(
        self, names: list[str], rows: TransferSet, rung: int, share: float = 1.0, *, is_modest: bool = False
    ) -> list[Candidate]:
        """Fit the largest student of each family within a share of the budget, or the one of default size."""

        def teach(family: str) -> FittedCandidate:
            try:
                student = self.terms.sized(family, self.options, share, is_modest=is_modest)
            except StudentError:
                return self._too_small(family, rung)
            return self._within(family, student, rows, rung, share)

        return self._try_all(teach, names)

    def grown(self, tried: list[Candidate], rows: TransferSet, rung: int) -> list[Candidate]:
        """Fit candidates of an earlier rung on more rows, at the largest size that the budget allows."""

        def next_of(trial: Candidate) -> Any:
            most = self.terms.most_of(trial.family, self.options, is_measured=True)
            n_parameters = min(most, TARGET_BUDGET_SHARE * trial.n_parameters / max(self.excess(trial), 1e-9))
            is_larger = n_parameters > trial.n_parameters
            return self.terms.with_parameters(trial.family, n_parameters) if is_larger else trial.student

        def is_there(trial: Candidate) -> bool:
            """Whether the candidate of the earlier rung has the same rows, the same size, and the same score."""
            return (
                self.cascade_students is None
                and trial.n_rows == len(rows)
                and repr(next_of(trial)) == repr(trial.student)
            )

        def teach(trial: Candidate) -> FittedCandidate:
            return self._within(trial.family, next_of(trial), rows, rung)

        others = [trial for trial in tried if not is_there(trial)]
        return [trial for trial in tried if is_there(trial)] + (self._try_all(teach, others) if others else [])

    def modest(self, trial: Candidate, rows: TransferSet, rung: int) -> list[Candidate]:
        """Fit a student of the family at the size that it has without a budget, if that size differs."""
        student = self.terms.sized(trial.family, self.options, is_modest=True)
        if repr(student) == repr(trial.student):
            return []
        return self.add([self._within(trial.family, student, rows, rung)])

    def in_sizes(self, names: list[str], rows: TransferSet, rung: int) -> list[Candidate]:
        """Fit a student of each family, and students of other sizes of the best families.

        Families whose size the number of rows bounds have one size.
        """
        is_bound = {name: self.terms.is_bound_by_rows(name) for name in names}
        first = {(name, 1.0 if is_bound[name] else FIRST_SIZE_SHARE) for name in names}
        tried = self._at_shares(sorted(first), rows, rung)
        best = list(dict.fromkeys(trial.family for trial in ranked_within_budget(tried)))[:N_SIZED_FAMILIES]
        more = [(name, share) for name in best or names for share in SIZE_SHARES if (name, share) not in first]
        tried += self._at_shares([each for each in more if not is_bound[each[0]]], rows, rung)
        return tried or self.add([self._too_small(name, rung) for name in names])

    def _at_shares(self, families: list[tuple[str, float]], rows: TransferSet, rung: int) -> list[Candidate]:
        """Fit students of families at shares of their largest size, as far as such students exist."""
        sized: dict[str, tuple[str, Any]] = {}
        for name, share in families:
            for is_modest in {True, not self.terms.has_budget(self.options)}:
                with suppress(StudentError):
                    student = self.terms.sized(name, self.options, share, is_modest=is_modest)
                    sized.setdefault(repr((name, student)), (name, student))
        known = {repr((trial.family, trial.student)) for trial in self.all if trial.rung == rung}
        new = [each for key, each in sized.items() if key not in known]
        return self._try_all(lambda trial: self._within(trial[0], trial[1], rows, rung), new) if new else []

    def with_weight(self, tried: list[Candidate], real_weight: float, rows: TransferSet, rung: int) -> list[Candidate]:
        """Fit the same students with another weight of the real rows."""
        weighed = [replace(trial, real_weight=real_weight) for trial in tried]
        return self._try_all(lambda trial: self.refit(trial, rows, rung), weighed)

    def for_cascade(self, tried: list[Candidate], rows: TransferSet, rung: int) -> list[Candidate]:
        """Fit the same students for a cascade, and return them, the one that answers most rows first."""
        chosen = [replace(trial, is_for_cascade=True) for trial in tried]
        return ranked_within_budget(self._try_all(lambda trial: self.refit(trial, rows, rung), chosen))

    def is_too_much(self, real_weight: float, rows: TransferSet) -> bool:
        """Whether a larger weight of the real rows is significantly worse for the best student of the first rung.

        The difference grows with the number of synthetic rows, so the larger weight need not be evaluated again.
        """
        scouts = ranked_within_budget(
            trial for trial in self.all if trial.rung == 0 and self.terms.has_scout(trial.family)
        )
        if not scouts or real_weight < self.real_weight:
            return False
        (heavier,) = self.with_weight(scouts[:1], real_weight, rows, 0)
        return self._losses_of(heavier).is_clearly_above(
            self._losses_of(scouts[0]), MIN_ERRORS_SAMPLER, MIN_SHARE_TOO_MUCH
        )

    def unvalidated(self, family: str) -> Candidate:
        """Return an unfitted candidate of a family at the size that the budget allows."""
        student = self.terms.sized(family, self.options)
        return Candidate(family, 0, 0, *NOT_MEASURED, 0.0, True, self.validated_on, self.real_weight, student)

    def refit(self, trial: Candidate, rows: TransferSet, rung: int, *, is_validated: bool = True) -> FittedCandidate:
        """Fit the student of a candidate again, on other rows or with another weight of the real rows."""
        return self._within(trial.family, trial.student, rows, rung, like=trial, is_validated=is_validated)

    def merge(self, ranked: list[Candidate], others: list[Candidate], least_gain: LeastGain) -> list[Candidate]:
        """Merge candidates of two real weights; the smaller weight ranks first if it is better by the least gain."""
        if not others:
            return ranked
        more, less = sorted((ranked, others), key=lambda each: -each[0].real_weight)
        is_better = self._losses_of(more[0]).is_clearly_above(self._losses_of(less[0]), *least_gain)
        return less + more if is_better else more + less

    def _losses_of(self, tried: Candidate) -> Losses:
        losses = self._losses[next(place for place, trial in enumerate(self.all) if trial is tried)]
        assert losses is not None
        return losses

    def smallest_that_reaches(self, fidelity: float, tried: list[Candidate], rows: TransferSet) -> Candidate:
        """Fit students of the given families at increasing sizes until one reaches ``fidelity``, and return it."""
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
            f"AutoStudent: no student within the budget reaches min_fidelity={fidelity!r}; the closest is "
            f"{best.describe()}. Raise max_bytes, max_ops, student_size or n_synthetic, or lower min_fidelity. The "
            "note of this error lists the candidates."
        )

    def change_targets(self, targets: Targets, trial: Candidate, for_selection: TransferSet | None) -> None:
        """Use other targets from now on; if they differ, fit and validate the candidate again with them."""
        if targets is not self._targets:
            self._targets = targets
            if self._validation is not None and for_selection is not None:
                self.add([self.refit(trial, for_selection, 1)])

    def _too_small(self, family: str, rung: int) -> FittedCandidate:
        return FittedCandidate(
            Candidate(family, rung, 0, *NOT_MEASURED, 0.0, False, self.validated_on, self.real_weight)
        )

    def _within(
        self,
        family: str,
        student: Any,
        rows: TransferSet,
        rung: int,
        share: float = 1.0,
        *,
        like: Candidate | None = None,
        is_validated: bool = True,
    ) -> FittedCandidate:
        """Fit a student, and smaller ones of its family while it exceeds the budget.

        It is fitted with the weight of the real rows of ``like``, and for a cascade if ``like`` is.
        """
        how = (self.real_weight, False) if like is None else (like.real_weight, like.is_for_cascade)
        for _ in range(MAX_SHRINK_ATTEMPTS):
            try:
                fitted = self._try(family, student, rows, rung, *how, is_validated=is_validated)
            except StudentSizeError:  # not even its smallest student is within the budget
                return self._too_small(family, rung)
            trial, excess = fitted.candidate, self.excess(fitted.candidate, share)
            if excess <= 1:
                break
            fitted = replace(fitted, candidate=replace(trial, is_within_budget=False))
            try:
                student = self.terms.with_parameters(family, 0.95 * trial.n_parameters / excess)
            except StudentError:
                break
        return fitted

    def _try(
        self,
        family: str,
        student: Any,
        rows: TransferSet,
        rung: int,
        real_weight: float,
        is_for_cascade: bool,
        *,
        is_validated: bool,
    ) -> FittedCandidate:
        folds = self._folds if is_validated else None
        student = self.terms.final(family, student) if rung == FINAL_RUNG else student
        teach, started = partial(self._targets.teach, student, seed=self.seed), perf_counter()
        if is_for_cascade and self.cascade_students is not None:
            teach = partial(self.cascade_students.teach, teach)
        judged = teach(rows.weigh_real(real_weight)) if folds is None else folds.fit(teach)
        seconds = perf_counter() - started
        fitted = judged.students[0] if isinstance(judged, OutOfFold) else judged
        compiled = getattr(fitted, "estimator", fitted).__skdistill_compile__()
        is_compared = self.cascade_students is not None and rung > 0 and not self.is_cross_validated
        taught_on = rows.weigh_real(real_weight) if is_compared else None
        losses, validated = self._validated(judged, taught_on, is_validated=is_validated)
        candidate = Candidate(
            family=family,
            rung=rung,
            n_rows=len(rows) if folds is None else folds.n_training,
            n_parameters=compiled.scorer.n_parameters,
            n_bytes=compiled.n_bytes,
            n_ops=compiled.scorer.n_ops,
            **validated,
            seconds=seconds,
            is_within_budget=True,
            validated_on=self.validated_on,
            real_weight=real_weight,
            student=student,
            scored_by=name_of(self.options.scoring) if taught_on is None else ANSWERED,
            is_for_cascade=is_for_cascade,
        )
        return FittedCandidate(candidate, losses, fitted)

    def _validated(
        self, judged: Any, taught_on: TransferSet | None, *, is_validated: bool
    ) -> tuple[Losses | None, dict[str, float]]:
        """Return the losses of a student, its score and its estimated fidelity, if there are validation rows.

        If it is said what the student was fitted on, its score is the share of rows that it answers in a cascade.
        """
        validation = self._validation if is_validated else None
        if validation is None:
            return None, dict.fromkeys(VALIDATED, np.nan)
        losses, estimate, scoring = validation.losses(judged), validation.estimate(judged), self.options.scoring
        if taught_on is not None and self.cascade_students is not None:
            score = self.cascade_students.answered(judged, taught_on, validation)
        else:
            score = losses.fidelity if scoring is None else score_of(scoring, validation, judged)
        numbers = (score, estimate.fidelity, estimate.low, estimate.high)
        return losses, dict(zip(VALIDATED, numbers, strict=True))

    def excess(self, trial: Candidate, share: float = 1.0) -> float:
        """Return the cost of a student divided by a share of the budget: above 1, it exceeds that share."""
        needs = [
            (trial.n_bytes, self.options.max_bytes if isinstance(self.options.max_bytes, Integral) else None),
            (trial.n_ops, self.options.max_ops),
            (trial.n_parameters, self.terms.most_parameters),
        ]
        return max((need / (share * most) for need, most in needs if most is not None), default=0.0)

    def nothing_fits(self) -> str:
        """Return the error message if no student meets the budget; it names the closest candidate."""
        budgets = {"max_bytes": self.options.max_bytes, "max_ops": self.options.max_ops}
        budgets["student_size"] = self.terms.most_parameters
        budget = ", ".join(f"{name}={most!r}" for name, most in budgets.items() if most is not None)
        there = [trial for trial in self.all if np.isfinite(trial.n_bytes)]
        if not there:
            return f"AutoStudent: {budget} allows too few parameters for any student of this table. Raise the budget."
        nearest = min(there, key=self.excess)
        return (
            f"AutoStudent: no student meets {budget}; the closest is {nearest.describe()}. Raise the budget, or drop "
            "columns. The note of this error lists the candidates."
        )
