"""Selection of the sampler of the synthetic rows, and of the weights of synthetic and real rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._progress import Progress
from .._validation import draw_seed
from ..samplers import Mixture
from ..transfer import TransferSet
from ._auto_sampler import AutoSampler
from ._callbacks import Phase
from ._row_confirmation import is_confirmed, is_uncertain
from ._row_pool import Plan, RowPool
from ._row_trials import RowTrial, RowTrials
from ._run import Run
from ._validation_rows import (
    MIN_ERRORS_SAMPLER,
    MIN_SYNTHETIC_ROWS,
    HeldOut,
    LeastGain,
    Losses,
)

NONE = "none"
"""Name in the results of the plan without synthetic rows."""

SEARCH_SHARE = 0.18
"""Share of the synthetic rows that all samplers together draw during the selection."""

MAX_QUERY_RATIO = 1.4
"""Maximum number of synthetic rows that the teacher labels, as a multiple of the final number of synthetic rows."""

MAX_REAL_ROWS = 20_000
"""Maximum number of real rows that are used during the selection."""

MIN_LABELLED_SHARE = 0.25
"""Minimum share of the rows of a sampler that the teacher labels; a sampler of which it refuses more is passed over."""

MAX_LOSS_RATIO = 2.0
"""Synthetic rows are rejected if the loss with them exceeds the loss with real rows alone by more than this factor."""

LOSS_OF_CONSTANT, RUINOUS_RATIO = 1.0, 10.0
"""Minimum loss, and minimum ratio of losses, of a plan that is replaced whatever the standard error."""


@dataclass(frozen=True)
class RowChoice:
    """The selected plan and the results of the selection.

    Attributes
    ----------
    plan : Plan
    real_weights : tuple of float, default=(1.0,)
        The candidate weights of the real rows, which the student selection evaluates again.
    results : dict of ndarray
        Results in the order of evaluation; empty if no plan was evaluated.
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
    """Select the sampler that is best for a student, and the weights of synthetic and real rows.

    Parameters
    ----------
    options : AutoSampler
    pool : RowPool
        Empty pool of all candidate samplers. This function adds the rows that are drawn for the trials from the
        training rows of the selection.
    real : TransferSet
        All real rows.
    held_out : HeldOut or None
        ``None`` if there are too few rows for a validation set; the plan is then a mixture of all samplers.
    students : dict of {str: estimator}
        Students that plans are evaluated with; the best of them determines the loss of a plan.
    n_synthetic : int
        Final number of synthetic rows: at least one, and within the budget.
    is_student_chosen : bool
        Whether a student will be selected; the weight of the real rows is then selected together with it.
    run : Run
        If trials of all samplers would take too much of the time that its deadline leaves, the first sampler is
        selected without trials.
    phase : Phase
        Reports the progress of the selection.

    Returns
    -------
    choice : RowChoice
    """
    if held_out is None:
        return RowChoice(_all_together(pool, options.weights[0]))
    seeds = [draw_seed(run.rng) for _ in range(2)]
    n_each = min(max(int(n_synthetic * SEARCH_SHARE) // len(pool.samplers), MIN_SYNTHETIC_ROWS), n_synthetic)
    del pool.samplers[1 + n_synthetic // (4 * n_each) :]  # rows of rejected samplers are at most a quarter
    real_weights = _real_weights(options, held_out)
    defaults, alternatives = _plans(pool, options.weights[0], real_weights)
    if is_student_chosen:
        defaults = [_first_default(defaults, held_out)]
    n_fits = len(students) * (1 + len(defaults)) + len(alternatives) + len(options.weights) - 1
    trials = _row_trials(real, held_out, pool, n_synthetic, _progress(phase, n_fits, real, held_out), seeds[0], run)

    (none,) = trials.add([Plan(NONE)], students)
    if n_fits * trials.seconds > run.deadline.left / 4:
        return RowChoice(defaults[0], real_weights, trials.results(defaults[0]))
    if none.losses.mean < options.tolerance and held_out.is_trusted:  # no further gain is possible
        return RowChoice(none.plan, real_weights, trials.results(none.plan))
    pool.draw_of_each(trials.real, n_each, seeds[1], run.n_jobs)
    defaults, alternatives = _without_refused(pool, defaults, alternatives, MIN_LABELLED_SHARE * n_each)
    if not defaults:
        return RowChoice(none.plan, real_weights, trials.results(none.plan))
    weights = options.weights[1:]
    chosen = _best_plan(trials, defaults, alternatives, students, weights, n_each, held_out.least_gain)
    if _misleads(chosen.losses, none.losses) or not is_confirmed(
        chosen, none, trials, pool, students, n_synthetic, run
    ):
        chosen = none
    return RowChoice(chosen.plan, real_weights, trials.results(chosen.plan))


def _all_together(pool: RowPool, weight: float) -> Plan:
    """Return the plan that mixes the rows of all samplers."""
    members = tuple(range(len(pool.samplers)))
    return Plan(repr(Mixture(pool.samplers) if len(members) > 1 else pool.samplers[0]), members, weight)


def _progress(phase: Phase, n_fits: int, real: TransferSet, held_out: HeldOut) -> Progress:
    """Return the progress of the trials, and of the student that may confirm the selected plan."""
    n_confirming = int(is_uncertain(len(held_out.training), real.X.shape[1]))
    return phase.progress("choosing a sampler", n_fits + n_confirming, "students")


def _row_trials(
    real: TransferSet, held_out: HeldOut, pool: RowPool, n_synthetic: int, progress: Progress, seed: int, run: Run
) -> RowTrials:
    training, ratio = real.take(_some_of(held_out.training, run)), n_synthetic / (len(real) * real.ratio)
    return RowTrials(training, pool, held_out.validation, ratio, seed, progress, run.n_jobs)


def _some_of(training: np.ndarray, run: Run) -> np.ndarray:
    """Return at most ``MAX_REAL_ROWS`` of the rows, drawn at random, in order."""
    return training if len(training) <= MAX_REAL_ROWS else np.sort(run.rng.permutation(training)[:MAX_REAL_ROWS])


def _best_plan(
    trials: RowTrials,
    defaults: list[Plan],
    alternatives: list[Plan],
    students: dict[str, Any],
    other_weights: Sequence[float],
    n_each: int,
    least_gain: LeastGain,
) -> RowTrial:
    """Evaluate defaults, alternatives, then other weights of the best plan; each must be better by enough."""
    default = _best(trials.add(defaults, students, n_each), *least_gain)
    alternatives = [replace(plan, real_weight=default.plan.real_weight) for plan in alternatives]
    best_student = {default.student: students[default.student]}
    chosen = _best([default, *trials.add(alternatives, best_student, n_each)])
    weights = other_weights if chosen.plan.real_weight else ()  # without real rows, all weights are equivalent
    others = [replace(chosen.plan, weight=weight) for weight in weights]
    return _best([chosen, *trials.add(others, best_student, n_each)])


def only_plan(options: AutoSampler, pool: RowPool, held_out: HeldOut | None) -> RowChoice:
    """Return the plan of the only sampler, and the real weights that the student selection evaluates."""
    real_weights = (1.0,) if held_out is None else _real_weights(options, held_out)
    defaults, _ = _plans(pool, options.weights[0], real_weights)
    return RowChoice(defaults[0] if held_out is None else _first_default(defaults, held_out), real_weights)


def _first_default(defaults: list[Plan], held_out: HeldOut) -> Plan:
    """Return the default plan with the real weight that other weights are compared with."""
    return defaults[-1 if held_out.starts_without_memorised else 0]


def _misleads(losses: Losses, of_none: Losses) -> bool:
    """Whether synthetic rows increase the loss: by a large factor, since trials have few synthetic rows."""
    is_above = losses.mean > MAX_LOSS_RATIO * of_none.mean and losses.is_clearly_above(of_none, MIN_ERRORS_SAMPLER)
    return is_above or _is_ruinous(losses, of_none)


def _is_ruinous(losses: Losses, of_other: Losses) -> bool:
    """Whether a student is worse than a constant and far worse than another student.

    If few validation rows have huge losses, the standard error is as large as the difference and cannot tell.
    """
    return losses.mean > LOSS_OF_CONSTANT and losses.mean > RUINOUS_RATIO * of_other.mean


def _real_weights(options: AutoSampler, held_out: HeldOut) -> tuple[float, ...]:
    """Return the candidate weights of the real rows: only 1 unless the teacher has memorised these rows."""
    return tuple(options.real_weights) if held_out.memorization.is_clear else (1.0,)


def _plans(pool: RowPool, weight: float, real_weights: Sequence[float]) -> tuple[list[Plan], list[Plan]]:
    """Return the default plan, once for each weight of the real rows, and the alternative plans."""
    plans = [Plan(repr(sampler), (place,), weight) for place, sampler in enumerate(pool.samplers)]
    return [replace(plans[0], real_weight=share) for share in real_weights], plans[1:]


def _without_refused(
    pool: RowPool, defaults: list[Plan], alternatives: list[Plan], least: float
) -> tuple[list[Plan], list[Plan]]:
    """Return the plans of samplers of which the teacher has labelled enough rows; the first of them is the default."""
    of_samplers = [plan for plan in (defaults[0], *alternatives) if pool.count(plan.members) >= least]
    if not of_samplers:
        return [], []
    return [replace(of_samplers[0], real_weight=plan.real_weight) for plan in defaults], of_samplers[1:]


def _best(trials: Sequence[RowTrial], n_errors: float = MIN_ERRORS_SAMPLER, share: float = 0.0) -> RowTrial:
    """Return the best of the trials that are significantly better than the first, or the first."""
    default = trials[0]
    better = [
        trial
        for trial in trials
        if default.losses.is_clearly_above(trial.losses, n_errors, share) or _is_ruinous(default.losses, trial.losses)
    ]
    return max(better, key=lambda trial: trial.losses.fidelity, default=default)
