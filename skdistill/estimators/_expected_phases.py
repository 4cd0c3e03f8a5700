"""The phases that a fit is expected to consist of, from which its progress and the remaining time are estimated."""

from typing import Any

from ..selection import MAX_QUERY_RATIO, AutoSampler, AutoStudent, Forecast, Phases
from ..teachers import is_fitted_teacher
from ..transfer import count_synthetic
from ._fit_arguments import FitArguments
from ._row_sample import most_real_rows
from ._soft_weight import is_soft_weight_chosen

UNITS = {"hold out rows": 3, "choose a sampler": 8, "draw rows": 1, "choose a student": 20, "fit the student": 8}
"""Durations of phases relative to each other, without the time of the teacher: the medians of many fits."""

SOFT_WEIGHT_UNITS, GENERATION_UNITS = 24, 6
"""The durations of a choice of ``soft_weight``, which is a part of the last phase, and of each further generation."""

DEFAULT_PARAMETERS = 5000
"""Rough number of parameters of a student of default size."""


def expected_phases(model: Any, given: FitArguments) -> Phases:
    """Return the reporter of the phases that the fit of a distilled estimator consists of."""
    sampler, student = model._sampler_or_options(), model._resolve_student()
    is_sampler_chosen = isinstance(sampler, AutoSampler)
    known = {
        "hold out rows": model._is_anything_chosen(1),
        "choose a sampler": is_sampler_chosen,
        "draw rows": model.sampler is not None and not is_sampler_chosen,
        "choose a student": isinstance(student, AutoStudent),
        "fit the student": True,
    }
    is_fitted = is_fitted_teacher(model.teacher)
    others = [not is_fitted, model.teacher_cv is not None, given.X_unlabeled is not None]
    others += [isinstance(model.teacher_weights, str), model.n_generations > 1]
    others += [model.student_columns is not None, isinstance(model.monotonic_cst, str)]
    others += [is_soft_weight_chosen(model, given.y), getattr(model, "decision", "argmax") == "teacher"]
    others += [given.X.shape[0] > most_real_rows(model), given.pool is not None]
    others += [given.pool is not None and given.pool.is_refitted]
    names = [name for name, is_there in known.items() if is_there]
    forecast = Forecast(
        _units(model, given, student, names),
        n_rows=_count_given(model, given),
        n_synthetic=0 if sampler is None else _most_synthetic(model, given, sampler, student),
        n_folds=_count_folds(model.teacher_cv),
        is_fitted=is_fitted,
        time_limit=model.time_limit,
    )
    return Phases(model, 1 + sum(others) + len(names), given.X, given.y, forecast)


def _units(model: Any, given: FitArguments, student: Any, names: list[str]) -> dict[str, float]:
    """Return the relative durations of the phases of a fit, in their order."""
    units = {name: float(UNITS[name]) for name in names}
    if isinstance(student, AutoStudent):
        for name in ("choose a student", "fit the student"):
            units[name] *= _times_longer(model, given, student)
    if is_soft_weight_chosen(model, given.y):
        units["fit the student"] += SOFT_WEIGHT_UNITS
    if model.n_generations > 1:
        units["fit generations"] = GENERATION_UNITS * (model.n_generations - 1)
    return units


def _times_longer(model: Any, given: FitArguments, student: AutoStudent) -> float:
    """Return how much longer students take than those of default size, as larger ones are fitted on more rows."""
    n_parameters = student.allowed_parameters(model.student_size)
    if n_parameters is None:
        return 1.0
    n_rows, n_features = given.X.shape
    n_synthetic = student.count_synthetic(n_rows, n_features, model.student_size)
    n_default = AutoStudent().count_synthetic(n_rows, n_features, None)
    return float(max(1.0, n_parameters / DEFAULT_PARAMETERS * n_synthetic / max(n_default, 1)) ** 0.75)


def _count_given(model: Any, given: FitArguments) -> int:
    """Return the number of given rows that the teacher labels."""
    tables = [table for table in (given.X, given.X_unlabeled, given.X_val) if table is not None]
    return int(sum(min(table.shape[0], most_real_rows(model)) for table in tables))


def _most_synthetic(model: Any, given: FitArguments, sampler: Any, student: Any) -> float:
    """Return how many synthetic rows the teacher labels at most."""
    n_rows, n_features = given.X.shape
    if isinstance(student, AutoStudent) and isinstance(model.n_synthetic, str):
        n_synthetic = student.count_synthetic(n_rows, n_features, model.student_size)
    else:
        n_synthetic = count_synthetic(model.n_synthetic, n_rows, n_features)
    most = MAX_QUERY_RATIO * n_synthetic if isinstance(sampler, AutoSampler) else n_synthetic
    return most if model.max_queries is None else min(most, model.max_queries)


def _count_folds(cv: Any) -> int:
    """Return the number of teachers that are fitted to label out of fold, as far as it is known without the rows."""
    if cv is None or isinstance(cv, str):
        return 0
    return int(cv) if isinstance(cv, int) else int(getattr(cv, "n_splits", 0))
