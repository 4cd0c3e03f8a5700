"""Which synthetic rows serve a student best, and with what weight the real ones are taught beside them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._validation import draw_seed
from ..samplers import Mixture
from ..transfer import TransferSet
from ._auto_sampler import AutoSampler
from ._callbacks import Phase
from ._row_pool import Plan, RowPool
from ._row_trials import RowTrial, RowTrials
from ._run import Run
from ._validation_rows import (
    MIN_ERRORS_REAL_WEIGHT,
    MIN_ERRORS_SAMPLER,
    MIN_GAIN_REAL_WEIGHT,
    MIN_SYNTHETIC_ROWS,
    HeldOut,
    Losses,
)

NONE = "none"
"""What the results call no synthetic rows."""

SEARCH_SHARE = 0.18
"""Share of the synthetic rows that samplers are tried with, shared out among them."""

MAX_QUERY_RATIO = 1.4
"""Synthetic rows that the teacher is asked about, in multiples of those that are taught in the end."""

MAX_REAL_ROWS = 20_000
"""Real rows that samplers are tried beside, and draw from during the selection, at most."""

MAX_LOSS_RATIO = 2.0
"""Times the loss of real rows alone from which on synthetic rows are thought to mislead."""


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
        from the real rows that are taught during the selection.
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
        return RowChoice(_all_together(pool, options.weights[0]))
    seeds = [draw_seed(run.rng) for _ in range(2)]
    n_each = min(max(int(n_synthetic * SEARCH_SHARE) // len(pool.samplers), MIN_SYNTHETIC_ROWS), n_synthetic)
    del pool.samplers[1 + n_synthetic // (4 * n_each) :]  # what the others drew is a quarter at most
    real_weights = _real_weights(options, held_out)
    defaults, alternatives = _plans(pool, options.weights[0], real_weights)
    if is_student_chosen:
        defaults = [_first_default(defaults, held_out)]
    n_fits = len(students) * (1 + len(defaults)) + len(alternatives) + len(options.weights) - 1
    progress = phase.progress("choosing a sampler", n_fits, "students")
    taught = real.take(_some_of(held_out.taught, run))
    ratio = n_synthetic / len(real)
    trials = RowTrials(taught, pool, held_out.validation, ratio, seeds[0], progress, run.n_jobs)

    (none,) = trials.add([Plan(NONE)], students)
    if n_fits * trials.seconds > run.deadline.left / 4:
        return RowChoice(defaults[0], real_weights, trials.results())
    if none.losses.mean < options.tolerance and not held_out.memorization.is_clear:  # nothing more can be gained
        return RowChoice(none.plan, real_weights, trials.results())
    pool.draw_of_each(trials.real, n_each, seeds[1], run.n_jobs)
    chosen = _best_plan(trials, defaults, alternatives, students, options.weights[1:], n_each)
    if _misleads(chosen.losses, none.losses):
        chosen = none
    return RowChoice(chosen.plan, real_weights, trials.results())


def _all_together(pool: RowPool, weight: float) -> Plan:
    """Return the plan of rows of all samplers."""
    members = tuple(range(len(pool.samplers)))
    return Plan(repr(Mixture(pool.samplers) if len(members) > 1 else pool.samplers[0]), members, weight)


def _some_of(taught: np.ndarray, run: Run) -> np.ndarray:
    """Return as many of the rows as samplers are tried beside, in order."""
    return taught if len(taught) <= MAX_REAL_ROWS else np.sort(run.rng.permutation(taught)[:MAX_REAL_ROWS])


def _best_plan(
    trials: RowTrials,
    defaults: list[Plan],
    alternatives: list[Plan],
    students: dict[str, Any],
    other_weights: Sequence[float],
    n_each: int,
) -> RowTrial:
    """Try defaults, then alternatives, then other weights of the best so far, each of which must be clearly better."""
    default = _best(trials.add(defaults, students, n_each), MIN_ERRORS_REAL_WEIGHT, MIN_GAIN_REAL_WEIGHT)
    alternatives = [replace(plan, real_weight=default.plan.real_weight) for plan in alternatives]
    best_student = {default.student: students[default.student]}
    chosen = _best([default, *trials.add(alternatives, best_student, n_each)])
    weights = other_weights if chosen.plan.real_weight else ()  # beside no real rows they all are the same
    others = [replace(chosen.plan, weight=weight) for weight in weights]
    return _best([chosen, *trials.add(others, best_student, n_each)])


def only_plan(options: AutoSampler, pool: RowPool, held_out: HeldOut | None) -> RowChoice:
    """Return the plan of the only sampler there is, with the weights of the real rows that a student is chosen with."""
    real_weights = (1.0,) if held_out is None else _real_weights(options, held_out)
    defaults, _ = _plans(pool, options.weights[0], real_weights)
    return RowChoice(defaults[0] if held_out is None else _first_default(defaults, held_out), real_weights)


def _first_default(defaults: list[Plan], held_out: HeldOut) -> Plan:
    """Return the default with the weight of the real rows that others must prove themselves against."""
    return defaults[-1 if held_out.starts_without_memorised else 0]


def _misleads(losses: Losses, of_none: Losses) -> bool:
    """Whether synthetic rows are worse than none: by far, since trials have few of them."""
    return losses.mean > MAX_LOSS_RATIO * of_none.mean and losses.is_clearly_above(of_none, MIN_ERRORS_SAMPLER)


def _real_weights(options: AutoSampler, held_out: HeldOut) -> tuple[float, ...]:
    """Return the weights of real rows to choose among: those that the teacher has not memorised are as good as any."""
    return tuple(options.real_weights) if held_out.memorization.is_clear else (1.0,)


def _plans(pool: RowPool, weight: float, real_weights: Sequence[float]) -> tuple[list[Plan], list[Plan]]:
    """Return the default, once for each weight of real rows, and the plans that must be better than it."""
    plans = [Plan(repr(sampler), (place,), weight) for place, sampler in enumerate(pool.samplers)]
    return [replace(plans[0], real_weight=share) for share in real_weights], plans[1:]


def _best(trials: Sequence[RowTrial], n_errors: float = MIN_ERRORS_SAMPLER, share: float = 0.0) -> RowTrial:
    """Return the best of those that are clearly better than the first, or else the first."""
    default = trials[0]
    better = [trial for trial in trials if default.losses.is_clearly_above(trial.losses, n_errors, share)]
    return max(better, key=lambda trial: trial.losses.fidelity, default=default)
