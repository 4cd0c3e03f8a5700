"""Extension of the real rows by synthetic rows, drawn by a given sampler or by the selected one."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import draw_seed
from ..transfer import SYNTHETIC_WEIGHT, Oracle, TransferSet
from ._auto_sampler import AutoSampler
from ._callbacks import Phase
from ._choosing import TrainingRows
from ._row_choice import MAX_QUERY_RATIO, choose_rows, only_plan
from ._row_pool import Plan, RowPool
from ._run import Run
from ._validation_rows import LEAST_GAIN, HeldOut

SELECTION_SHARE = 0.5
"""Share of the synthetic rows that candidates are fitted on; these are not drawn from validation rows."""


@dataclass(frozen=True)
class Extension:
    """Real and synthetic rows, and the results of the sampler selection.

    Attributes
    ----------
    rows : TrainingRows
    results : dict of ndarray
        Results of the sampler selection; empty if no sampler was selected.
    plan : Plan or None, default=None
        How the synthetic rows were drawn; ``None`` if there are none.
    samplers : tuple of samplers, default=()
        The samplers that ``plan.members`` refers to.
    """

    rows: TrainingRows
    results: dict[str, np.ndarray]
    plan: Plan | None = None
    samplers: tuple[Any, ...] = ()

    def repeat(self, real: TransferSet, oracle: Oracle, seed: int, phase: Phase) -> TransferSet:
        """Extend other real rows by the same samplers and at the same ratio, within the budget."""
        if self.plan is None:
            return real
        whole, pool = self.rows.whole, RowPool(self.samplers, oracle, phase)
        n_rows = whole.n_synthetic * len(real) / (len(whole) - whole.n_synthetic)
        pool.draw(self.plan.members, real, int(min(n_rows, oracle.n_left)), seed)
        return pool.extend(real, self.plan)


def extend(
    sampler: Any,
    real: TransferSet,
    held_out: HeldOut | None,
    students: dict[str, Any],
    oracle: Oracle,
    *,
    n_synthetic: int,
    n_before: int,
    is_student_chosen: bool,
    run: Run,
) -> Extension:
    """Add synthetic rows to the real ones, drawn by the given sampler or by the one that is best for the student.

    Parameters
    ----------
    sampler : sampler, AutoSampler or None
    real : TransferSet
    held_out : HeldOut or None
        ``None`` if nothing is selected, or if there are too few rows for a validation set.
    students : dict of {str: estimator}
        Students that samplers are evaluated with.
    oracle : Oracle
    n_synthetic : int
        Final number of synthetic rows.
    n_before : int
        Number of queries before the first synthetic row is labelled.
    is_student_chosen : bool
        Whether a student will be selected, which needs synthetic rows that were not drawn from validation rows.
    run : Run
    """
    training = None if held_out is None else real.take(held_out.training)
    is_auto = isinstance(sampler, AutoSampler)
    if sampler is None or n_synthetic < 1 or (is_auto and _is_sufficient(real, held_out)):
        return Extension(TrainingRows(real, training), {})
    seeds = [draw_seed(run.rng) for _ in range(2)]
    with run.phases.phase("choose a sampler" if is_auto else "draw rows") as phase:
        options = sampler if is_auto else AutoSampler([sampler], weights=[SYNTHETIC_WEIGHT])
        most = n_before + (options.max_queries or MAX_QUERY_RATIO * n_synthetic) if is_auto else np.inf
        pool = RowPool(options.candidates(real.X, run.n_jobs), oracle, phase, most, is_given=not is_auto)
        if is_auto:
            choice = choose_rows(
                options,
                pool,
                real,
                held_out,
                students,
                n_synthetic=n_synthetic,
                is_student_chosen=is_student_chosen,
                run=run,
                phase=phase,
            )
        else:
            choice = only_plan(options, pool, held_out)
        plan = choice.plan
        if not plan.members:
            return Extension(TrainingRows(real, training), choice.results)

        if training is not None and is_student_chosen:
            pool.fill(plan.members, training, SELECTION_SHARE * n_synthetic, seeds[0])
            training = pool.extend(training, plan)
        pool.fill(plan.members, real, n_synthetic, seeds[1])
        if pool.count(plan.members) == 0:  # the teacher refuses all synthetic rows
            return Extension(TrainingRows(real, training), choice.results)
    others = [share for share in choice.real_weights if share != plan.real_weight]
    least_gain = LEAST_GAIN if held_out is None else held_out.least_gain
    rows = TrainingRows(pool.extend(real, plan), training, (plan.real_weight, *others), least_gain)
    return Extension(rows, choice.results, plan, tuple(pool.samplers))


def _is_sufficient(real: TransferSet, held_out: HeldOut | None) -> bool:
    """Whether the real rows are a sample of so many that synthetic rows, weighed as rows of the table, hardly count.

    They do if the teacher has memorised its rows, since they then replace these.
    """
    return real.ratio > 1 and held_out is not None and held_out.is_trusted
