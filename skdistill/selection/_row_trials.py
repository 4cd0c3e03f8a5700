"""Evaluation of plans of synthetic rows with students."""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from scipy.stats import rankdata

from .._progress import Progress
from .._threads import in_threads
from ..transfer import TransferSet
from ._row_pool import Plan, RowPool
from ._sampler_results import SamplerResults
from ._targets import threads_for
from ._validation_rows import Losses, Validation


@dataclass(frozen=True)
class RowTrial:
    """The result of one plan with one student."""

    plan: Plan
    student: str
    losses: Losses
    n_synthetic: int
    n_queries: int
    seconds: float


class RowTrials:
    """Fits students on the rows of plans and stores the results.

    Parameters
    ----------
    real : TransferSet
        Real training rows of the selection.
    pool : RowPool
    validation : Validation
    ratio : float
        Final number of synthetic rows per real row.
    seed : int
        Seed of every student.
    progress : Progress
    n_jobs : int or None
        Number of students fitted in parallel.
    """

    def __init__(
        self,
        real: TransferSet,
        pool: RowPool,
        validation: Validation,
        ratio: float,
        seed: int,
        progress: Progress,
        n_jobs: int | None,
    ) -> None:
        self.real, self._pool, self._validation, self._ratio = real, pool, validation, ratio
        self._seed, self._progress, self._n_jobs = seed, progress, n_jobs
        self._started = perf_counter()
        self.all: list[RowTrial] = []

    def add(self, plans: Sequence[Plan], students: dict[str, Any], most: int | None = None) -> list[RowTrial]:
        """Evaluate plans with at most ``most`` synthetic rows; return the trial of the best student for each plan."""
        tried = [(plan, self._rows(plan, most), name) for plan in plans for name in students]

        def teach(trial: tuple[Plan, TransferSet, str]) -> Losses:
            plan, rows, name = trial
            return self.losses(students[name], rows.weigh_real(plan.real_weight))

        trials: list[RowTrial] = []
        n_jobs = threads_for(next(iter(students.values())), self._n_jobs)  # the students are all compact, or one
        for (plan, rows, name), losses in zip(tried, in_threads(teach, tried, n_jobs), strict=True):
            trials.append(RowTrial(plan, name, losses, rows.n_synthetic, self._pool.n_queries, self.seconds))
            self.all.append(trials[-1])
            self._progress.update(len(self.all))
        n_students = len(students)
        of_plans = [trials[start : start + n_students] for start in range(0, len(trials), n_students)]
        return [max(of_plan, key=lambda trial: trial.losses.fidelity) for of_plan in of_plans]

    def _rows(self, plan: Plan, most: int | None) -> TransferSet:
        rows = self._pool.extend(self.real, plan, most)
        return _weighed_as_in_the_end(rows, min(plan.weight, self._ratio)) if plan.members else rows

    def losses(self, student: Any, rows: TransferSet) -> Losses:
        """Return the losses of a student fitted on these rows."""
        return self._validation.losses(self._validation.targets.teach(student, rows, self._seed))

    @property
    def seconds(self) -> float:
        """Seconds since the first trial began."""
        return perf_counter() - self._started

    def results(self, chosen: Plan) -> SamplerResults:
        """Return the trials as columns; of those of the plan that was selected, the best one is marked."""
        without = {trial.student: trial.losses for trial in self.all if not trial.plan.members}
        gains = [without[trial.student] - trial.losses for trial in self.all]
        fidelity = np.array([trial.losses.fidelity for trial in self.all])
        of_chosen = [place for place, trial in enumerate(self.all) if trial.plan == chosen]
        columns = {
            "sampler": np.array([trial.plan.name for trial in self.all], dtype=object),
            "n_synthetic": np.array([trial.n_synthetic for trial in self.all]),
            "weight": np.array([trial.plan.weight for trial in self.all]),
            "real_weight": np.array([trial.plan.real_weight for trial in self.all]),
            "student": np.array([trial.student for trial in self.all], dtype=object),
            "fidelity": fidelity,
            "gain": np.array([gain.mean for gain in gains]),
            "gain_error": np.array([gain.error for gain in gains]),
            "rank_fidelity": rankdata(-fidelity, method="min").astype(int),
            "n_queries": np.array([trial.n_queries for trial in self.all]),
            "seconds": np.array([trial.seconds for trial in self.all]),
            "validated_on": np.array([self._validation.origin] * len(self.all), dtype=object),
            "is_chosen": np.zeros(len(self.all), dtype=bool),
        }
        if of_chosen:  # it may have been selected without a trial
            columns["is_chosen"][max(of_chosen, key=lambda place: fidelity[place])] = True
        return SamplerResults(columns)


def _weighed_as_in_the_end(rows: TransferSet, total_weight: float) -> TransferSet:
    """Return the rows with the weights of real rows reduced to their relative weight in the final transfer set.

    There, the total weight of the synthetic rows is ``total_weight`` times the total weight of the real rows.
    """
    of_synthetic = rows.sample_weight[rows.is_synthetic].sum()
    of_real = rows.sample_weight[~rows.is_synthetic].sum()
    return rows.weigh_real(min(of_synthetic / (total_weight * of_real), 1.0))
