"""Which synthetic rows serve a student best, and with what weight the real ones are taught beside them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np
from scipy.stats import rankdata

from .._progress import Progress
from .._threads import in_threads
from .._validation import draw_seed
from ..samplers import Mixture
from ..transfer import Draw, Oracle, TransferSet
from ._auto_sampler import AutoSampler
from ._callbacks import Phase
from ._run import Run
from ._targets import threads_for
from ._validation_rows import CLEAR, CLEAR_LESS, FEWEST_DRAWN, LEAST_LESS, HeldOut, Losses, Validation

NONE = "none"
"""What the results call no synthetic rows."""

SEARCH_SHARE = 0.18
"""Share of the synthetic rows that samplers are tried with, shared out among them."""

MOST_QUERIES = 1.4
"""Synthetic rows that the teacher is asked about, in multiples of those that are taught in the end."""

MOST_REAL = 20_000
"""Real rows that samplers are tried beside, and draw from meanwhile, at most."""

MISLEADING = 2.0
"""Times the loss of real rows alone from which on synthetic rows are thought to mislead."""

Drawn = tuple[Any, np.ndarray]
"""Synthetic rows with the teacher's outputs."""


@dataclass(frozen=True)
class Plan:
    """How a transfer set is made of real and synthetic rows.

    Attributes
    ----------
    name : str
        What the results call it.
    members : tuple of int
        Places of the samplers whose rows it has; empty for no synthetic rows.
    weight : float
        Of all synthetic rows together, in weights of all real ones.
    real_weight : float
        Share of their weight that the rows of ``X`` are taught with.
    """

    name: str
    members: tuple[int, ...] = ()
    weight: float = 0.0
    real_weight: float = 1.0


class RowPool:
    """Synthetic rows drawn so far, by sampler.

    Parameters
    ----------
    samplers : sequence of samplers
    oracle : Oracle
        Draws and labels.
    phase : Phase
        Is told what is drawn.
    """

    def __init__(self, samplers: Sequence[Any], oracle: Oracle, phase: Phase) -> None:
        self.samplers, self._oracle, self._phase = list(samplers), oracle, phase
        self._drawn: list[list[Drawn]] = [[] for _ in self.samplers]

    def draw(self, members: Sequence[int], parents: TransferSet, n_rows: int, seed: int) -> None:
        """Draw so many rows in all; of several samplers as a mixture, kept with the first of them."""
        if n_rows < 1:
            return
        one = self.samplers[members[0]]
        sampler = one if len(members) == 1 else Mixture([self.samplers[member] for member in members])
        self._phase.say(f"drawing {n_rows:,} rows with {sampler!r}")
        self._drawn[members[0]].append(self._oracle.draw(sampler, parents, n_rows, seed))

    def draw_of_each(self, parents: TransferSet, n_each: int, seed: int, n_jobs: int | None) -> None:
        """Draw so many rows of each sampler."""
        self._phase.say(f"drawing {n_each:,} rows with each of {self.samplers!r}")
        draws = [Draw(sampler, parents, n_each, seed) for sampler in self.samplers]
        for member, drawn in enumerate(self._oracle.draw_all(draws, n_jobs)):
            self._drawn[member].append(drawn)

    @property
    def n_queries(self) -> int:
        """Rows that the teacher was asked about so far, synthetic or not."""
        return self._oracle.n_queries

    def rows(self, members: Sequence[int]) -> list[Drawn]:
        """Return all rows of some samplers."""
        return [drawn for member in members for drawn in self._drawn[member]]

    def count(self, members: Sequence[int]) -> int:
        """Return how many these are."""
        return sum(len(outputs) for _, outputs in self.rows(members))

    def extend(self, real: TransferSet, plan: Plan, most: int | None = None) -> TransferSet:
        """Return real rows in full weight with the synthetic ones of a plan: so many at most, of each sampler alike."""
        rows = self.rows(plan.members)
        if most is not None and rows:
            each = -(-most // len(rows))
            rows = [(X[:each], outputs[:each]) for X, outputs in rows]
        return real.extend(rows, plan.weight, plan.name) if rows else real


@dataclass(frozen=True)
class RowChoice:
    """The plan that was chosen, and what was tried.

    Attributes
    ----------
    plan : Plan
    real_weights : tuple of float, default=(1.0,)
        That were tried, for whoever wants to try them again with another student.
    results : dict of ndarray
        What was tried, in order; empty if nothing was.
    """

    plan: Plan
    real_weights: tuple[float, ...] = (1.0,)
    results: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """A plan that was tried with a student."""

    plan: Plan
    student: str
    losses: Losses
    n_synthetic: int
    n_queries: int
    seconds: float


class Trials:
    """Teach students by plans, and remember how well they did.

    Parameters
    ----------
    real : TransferSet
        Real rows that are taught meanwhile.
    pool : RowPool
    validation : Validation
    ratio : float
        Synthetic rows a real one in the end.
    seed : int
        Of every student.
    progress : Progress
    n_jobs : int or None
        Students that are taught at a time.
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
        self.all: list[Trial] = []

    def add(self, plans: Sequence[Plan], students: dict[str, Any], most: int | None = None) -> list[Trial]:
        """Teach students by plans, with so many synthetic rows at most, and return the trial of the best for each."""
        tried = [(plan, self._rows(plan, most), name) for plan in plans for name in students]

        def teach(trial: tuple[Plan, TransferSet, str]) -> Losses:
            plan, rows, name = trial
            return self.losses(students[name], rows.weigh_real(plan.real_weight))

        trials, n_jobs = [], threads_for(next(iter(students.values())), self._n_jobs)  # all are ours, or it is one
        for (plan, rows, name), losses in zip(tried, in_threads(teach, tried, n_jobs), strict=True):
            trials.append(Trial(plan, name, losses, rows.n_synthetic, self._pool.n_queries, self.seconds))
            self.all.append(trials[-1])
            self._progress.update(len(self.all))
        n_students = len(students)
        of_plans = [trials[start : start + n_students] for start in range(0, len(trials), n_students)]
        return [max(of_plan, key=lambda trial: trial.losses.fidelity) for of_plan in of_plans]

    def _rows(self, plan: Plan, most: int | None) -> TransferSet:
        rows = self._pool.extend(self.real, plan, most)
        return _weighed_as_in_the_end(rows, min(plan.weight, self._ratio)) if plan.members else rows

    def losses(self, student: Any, rows: TransferSet) -> Losses:
        """Return the losses of a student taught on these rows."""
        return self._validation.losses(self._validation.targets.teach(student, rows, self._seed))

    @property
    def seconds(self) -> float:
        """Since the first of them began."""
        return perf_counter() - self._started

    def results(self) -> dict[str, np.ndarray]:
        """Return the trials as columns, as ``cv_results_`` are."""
        without = {trial.student: trial.losses for trial in self.all if not trial.plan.members}
        gains = [without[trial.student] - trial.losses for trial in self.all]
        fidelity = np.array([trial.losses.fidelity for trial in self.all])
        return {
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
            "judged_on": np.array([self._validation.origin] * len(self.all), dtype=object),
        }


def choose_rows(
    options: AutoSampler,
    pool: RowPool,
    real: TransferSet,
    held_out: HeldOut | None,
    students: dict[str, Any],
    *,
    n_synthetic: int,
    is_student_chosen: bool,
    run: Run,
    phase: Phase,
) -> RowChoice:
    """Choose the synthetic rows that serve a student best, and the weight of the real rows beside them.

    Parameters
    ----------
    options : AutoSampler
    pool : RowPool
        Of all samplers there are to choose among, empty. Afterwards it has the rows that were drawn for the trials,
        from the real rows that are taught meanwhile.
    real : TransferSet
        All real rows.
    held_out : HeldOut or None
        ``None`` where there are too few rows: all samplers then draw together.
    students : dict of {str: estimator}
        Those that plans are tried with; a plan is as good as the best of them makes it.
    n_synthetic : int
        Synthetic rows in the end: at least one, and within the budget.
    is_student_chosen : bool
        Whether a student will be chosen: the weight of the real rows is then chosen for that, on more rows.
    run : Run
        Where trials of all samplers would take too much of the time that its deadline leaves, the first sampler is
        taken.
    phase : Phase
        Told how far the choice is.

    Returns
    -------
    choice : RowChoice
    """
    if held_out is None:
        members = tuple(range(len(pool.samplers)))
        name = repr(Mixture(pool.samplers) if len(members) > 1 else pool.samplers[0])
        return RowChoice(Plan(name, members, options.weights[0]))
    seeds = [draw_seed(run.rng) for _ in range(2)]
    n_each = min(max(int(n_synthetic * SEARCH_SHARE) // len(pool.samplers), FEWEST_DRAWN), n_synthetic)
    del pool.samplers[1 + n_synthetic // (4 * n_each) :]  # what the others drew is a quarter at most
    real_weights = _real_weights(options, held_out)
    rules, rivals = _plans(pool, options.weights[0], real_weights)
    if is_student_chosen:
        rules = [_first_rule(rules, held_out)]
    n_fits = len(students) * (1 + len(rules)) + len(rivals) + len(options.weights) - 1
    progress = phase.progress("choosing a sampler", n_fits, "students")
    ratio = n_synthetic / len(real)
    taught = held_out.taught
    if len(taught) > MOST_REAL:
        taught = np.sort(run.rng.permutation(taught)[:MOST_REAL])
    trials = Trials(real.take(taught), pool, held_out.validation, ratio, seeds[0], progress, run.n_jobs)

    (none,) = trials.add([Plan(NONE)], students)
    if n_fits * trials.seconds > run.deadline.left / 4:
        return RowChoice(rules[0], real_weights, trials.results())
    if none.losses.mean < options.tolerance and not held_out.memorization.is_clear:  # nothing more can be gained
        return RowChoice(none.plan, real_weights, trials.results())
    pool.draw_of_each(trials.real, n_each, seeds[1], run.n_jobs)
    rule = _best(trials.add(rules, students, n_each), CLEAR_LESS, LEAST_LESS)
    rivals = [replace(plan, real_weight=rule.plan.real_weight) for plan in rivals]
    best_student = {rule.student: students[rule.student]}
    chosen = _best([rule, *trials.add(rivals, best_student, n_each)])
    weights = options.weights[1:] if chosen.plan.real_weight else ()  # beside no real rows they all are the same
    others = [replace(chosen.plan, weight=weight) for weight in weights]
    chosen = _best([chosen, *trials.add(others, best_student, n_each)])
    if _misleads(chosen.losses, none.losses):
        chosen = none
    return RowChoice(chosen.plan, real_weights, trials.results())


def only_plan(options: AutoSampler, pool: RowPool, held_out: HeldOut | None) -> RowChoice:
    """Return the plan of the only sampler there is, with the weights of the real rows that a student is chosen with."""
    real_weights = (1.0,) if held_out is None else _real_weights(options, held_out)
    rules, _ = _plans(pool, options.weights[0], real_weights)
    return RowChoice(rules[0] if held_out is None else _first_rule(rules, held_out), real_weights)


def _first_rule(rules: list[Plan], held_out: HeldOut) -> Plan:
    """Return the rule with the weight of the real rows that others must prove themselves against."""
    return rules[-1 if held_out.starts_without_memorised else 0]


def _misleads(losses: Losses, of_none: Losses) -> bool:
    """Whether synthetic rows are worse than none: by far, since trials have few of them."""
    return losses.mean > MISLEADING * of_none.mean and losses.is_clearly_above(of_none, CLEAR)


def _real_weights(options: AutoSampler, held_out: HeldOut) -> tuple[float, ...]:
    """Return the weights of real rows to choose among: those that the teacher has not memorised are as good as any."""
    return tuple(options.real_weights) if held_out.memorization.is_clear else (1.0,)


def _plans(pool: RowPool, weight: float, real_weights: Sequence[float]) -> tuple[list[Plan], list[Plan]]:
    """Return the rule, once for each weight of real rows, and the plans that must be better than it."""
    plans = [Plan(repr(sampler), (place,), weight) for place, sampler in enumerate(pool.samplers)]
    return [replace(plans[0], real_weight=share) for share in real_weights], plans[1:]


def _weighed_as_in_the_end(rows: TransferSet, total_weight: float) -> TransferSet:
    """Return the rows with so little weight of the real ones as they will have beside many more synthetic ones.

    These will weigh ``total_weight`` times as much as all real ones.
    """
    of_synthetic = rows.sample_weight[rows.is_synthetic].sum()
    of_real = rows.sample_weight[~rows.is_synthetic].sum()
    return rows.weigh_real(min(of_synthetic / (total_weight * of_real), 1.0))


def _best(trials: Sequence[Trial], n_errors: float = CLEAR, share: float = 0.0) -> Trial:
    """Return the best of those that are clearly better than the first, or else the first."""
    rule = trials[0]
    better = [trial for trial in trials if rule.losses.is_clearly_above(trial.losses, n_errors, share)]
    return max(better, key=lambda trial: trial.losses.fidelity, default=rule)
