"""The sample of a large table that is labelled, and that the student is selected and fitted on."""

from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np

from .._tables import take_rows
from .._validation import check_number, draw_seed
from ..samplers._pool import Strata
from ..samplers._stratified import complete_sample
from ..selection import AutoStudent, Run
from ..teachers import Teacher, is_fitted_teacher
from ..transfer import Oracle, SampledRows
from ._fit_arguments import FitArguments
from ._several_teachers import is_any_fitted

AUTO_REAL_ROWS, REAL_ROWS_PER_PARAMETER = 100_000, 10
"""The sample of ``max_real_rows="auto"``: more rows did not change the fidelity of students of the default size by
0.001, and no student within a budget has fewer rows for each of its parameters."""

MIN_REAL_ROWS = 1000
"""Smallest value of ``max_real_rows``: the strata are learned from half of the sample."""

FIRST_SHARE, MAX_TREE_ROWS = 0.5, 20_000
"""Share of the sample that is drawn at random, and the maximum number of its rows that the strata are learned from."""


def check_max_real_rows(model: Any) -> None:
    """Raise an error unless ``max_real_rows`` is a sufficient number, ``"auto"`` or ``None``."""
    if model.max_real_rows is not None:
        check_number(model, "max_real_rows", model.max_real_rows, kind=Integral, low=MIN_REAL_ROWS, names=("auto",))


def most_real_rows(model: Any) -> float:
    """Return the maximum number of real rows of a distilled estimator; infinite if there is none."""
    if model.max_real_rows is None:
        return np.inf
    if not isinstance(model.max_real_rows, str):
        return int(model.max_real_rows)
    if not isinstance(model.student, str | AutoStudent):
        return np.inf
    options = model.student if isinstance(model.student, AutoStudent) else AutoStudent()
    n_parameters = options.allowed_parameters(model.student_size)
    return max(AUTO_REAL_ROWS, 0 if n_parameters is None else int(REAL_ROWS_PER_PARAMETER * n_parameters))


def sample_rows(model: Any, teacher: Teacher, given: FitArguments, oracle: Oracle, run: Run) -> FitArguments:
    """Replace the rows of a large ``X`` by a stratified sample, half of which is labelled to find the strata.

    A budget below ``max_real_rows`` is no reason for a stratified sample: :func:`~skdistill.transfer.label_real_rows`
    then draws the rows at random.
    """
    most, present = most_real_rows(model), np.flatnonzero(given.weight)
    if len(present) <= most or oracle.n_left < most or not _is_sampled(model, teacher):
        return given
    rng = np.random.default_rng(draw_seed(run.rng))
    first = np.sort(rng.choice(len(present), int(FIRST_SHARE * most), replace=False, shuffle=False))
    labelled = take_rows(given.X, present[first])
    outputs = oracle.label(labelled, "real rows")

    some = slice(0, None, -(-len(first) // MAX_TREE_ROWS))  # the rows of a table may have an order
    strata = Strata(take_rows(labelled, some), outputs[some], np.random.RandomState(draw_seed(run.rng)))
    of_rows = strata.of(given.X)
    sample = complete_sample(of_rows[present], strata.spread, first, int(most), rng)
    rows, is_labelled = present[sample.rows], np.isin(sample.rows, first, assume_unique=True)
    weight = given.weight[rows] * sample.weight
    return replace(given.take(rows), sample_weight=weight, sampled=SampledRows(given.X, rows, is_labelled, outputs))


def without_outputs(given: FitArguments) -> FitArguments:
    """Return the arguments for another teacher, which has not labelled any of the rows."""
    sampled = given.sampled
    return given if sampled is None else replace(given, sampled=sampled.take(np.arange(len(sampled.rows))))


def seen_tables(model: Any, whole: FitArguments, given: FitArguments, calibration_rows: Any) -> list[Any]:
    """Return the tables of the rows that teaching or selection has seen: of a fitted teacher, not those left out."""
    if given.sampled is None or not is_fitted_teacher(model.teacher):
        return whole.tables
    return given.tables + ([] if calibration_rows is None else [calibration_rows.X])


def _is_sampled(model: Any, teacher: Teacher) -> bool:
    """Whether the labels of some rows are enough; the teachers of folds are fitted on all other rows."""
    needs_folds = model.teacher_cv is not None
    needs_folds |= isinstance(model.soft_weight, str) and not is_any_fitted(model.teacher)
    return not (teacher.transductive or needs_folds)
