"""Confirmation of a plan of synthetic rows at their final number, for tables with few rows."""

from typing import Any

from .._validation import draw_seed
from ._row_pool import RowPool
from ._row_trials import RowTrial, RowTrials
from ._run import Run

MAX_UNCERTAIN_ROWS = 500
"""With fewer training rows, or with fewer training rows than columns, trials are too small to trust: the loss of a
student need not fall from few synthetic rows to many, and rises where the rows become about as many as the columns."""

CONFIRMATION_SHARE = 0.8
"""Share of the synthetic rows that the confirmation uses; these are drawn from training rows only."""

MIN_ERRORS_CONFIRMATION, MIN_SHARE_CONFIRMATION = 1.0, 0.1
"""Number of standard errors, and share of the loss, by which synthetic rows must be worse than none to be rejected:
they help most students, and a mistake in their favour costs little if the difference is small."""


def is_uncertain(n_rows: int, n_features: int) -> bool:
    """Whether a plan for so many training rows is to be confirmed, by one more student."""
    return n_rows < max(MAX_UNCERTAIN_ROWS, n_features)


def is_confirmed(
    best: RowTrial,
    none: RowTrial,
    trials: RowTrials,
    pool: RowPool,
    students: dict[str, Any],
    n_synthetic: int,
    run: Run,
) -> bool:
    """Whether a plan with most of its rows is not worse than no synthetic rows; true for tables that are large enough.

    Parameters
    ----------
    best, none : RowTrial
        Trials of the plan, with few synthetic rows, and of no synthetic rows.
    trials : RowTrials
    pool : RowPool
        Draws the rows, within its budget.
    students : dict of {str: estimator}
    n_synthetic : int
        Final number of synthetic rows.
    run : Run
    """
    if not is_uncertain(*trials.real.X.shape):
        return True
    pool.fill(best.plan.members, trials.real, CONFIRMATION_SHARE * n_synthetic, draw_seed(run.rng))
    (whole,) = trials.add([best.plan], {best.student: students[best.student]})
    return not whole.losses.is_clearly_above(none.losses, MIN_ERRORS_CONFIRMATION, MIN_SHARE_CONFIRMATION)
