"""Checks of the parameters of distilled estimators before any query or fit."""

from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np

from .. import samplers
from .._described import described
from .._suggesting import closest, did_you_mean
from .._validation import check_n_jobs, check_number, check_random_state, warn_caller
from ..exceptions import StudentError
from ..samplers import as_sampler
from ..selection import AutoSampler, AutoStudent
from ..students._families import FAMILIES, current_name, warn_of_former_names
from ..students._student import CompactStudent
from ._generations import check_generations
from ._row_sample import check_max_real_rows
from ._scoring_of_task import try_before_teacher
from ._several_teachers import check_teachers
from ._student_view import check_view


def check_parameters(model: Any, y: Any) -> None:
    """Raise an error if a parameter is invalid, or if parameters are inconsistent."""
    _warn_of_former_names(model)
    _check_numbers(model)
    if not _is_seed(model.random_state):  # a generator, which the fit makes once, takes a while to be seeded
        check_random_state(model.random_state, model)
    check_n_jobs(model, model.n_jobs)
    _check_texts(model)
    _check_objects(model)
    check_view(model)
    check_teachers(model)
    check_generations(model)
    check_max_real_rows(model)
    _check_student(model, y)
    _check_sampler(model)
    model._task.check_parameters(model)
    if model._given_soft_weight < 1 and y is None:
        raise ValueError(
            f"{type(model).__name__}: soft_weight={model.soft_weight} blends in true labels, but y is None. "
            "Pass y, or soft_weight=1."
        )
    if model.truth_margin is not None and not isinstance(model.soft_weight, str) and model.soft_weight == 1:
        raise ValueError(
            f"{type(model).__name__}: truth_margin={model.truth_margin} with soft_weight=1, which ignores the true "
            "labels; expected a smaller weight of the teacher. Pass soft_weight=0.5 or 'auto', or truth_margin=None."
        )


def _is_seed(random_state: Any) -> bool:
    return type(random_state) is int and 0 <= random_state < 2**32


def _warn_of_former_names(model: Any) -> None:
    warn_of_former_names(type(model).__name__, [model.student])
    if model.compressor is None or isinstance(model.compressor, str):
        return
    if model.target_compressor is not None:
        raise ValueError(
            f"{type(model).__name__}: got target_compressor={described(model.target_compressor)} and compressor="
            f"{described(model.compressor)}; expected only target_compressor. Omit compressor, its former name."
        )
    warn_caller(
        f"{type(model).__name__}: compressor= is now called target_compressor=. The former name will be an error in a "
        "later release.",
        FutureWarning,
    )


def _check_numbers(model: Any) -> None:
    check_number(model, "chunk_size", model.chunk_size, kind=Integral, low=1)
    check_number(model, "n_repeats", model.n_repeats, kind=Integral, low=1)
    if not isinstance(model.soft_weight, str):
        check_number(model, "soft_weight", model.soft_weight, low=0, high=1)
    if model.truth_margin is not None:
        check_number(model, "truth_margin", model.truth_margin, low=0)
    if not isinstance(model.n_synthetic, str):
        check_number(model, "n_synthetic", model.n_synthetic, kind=Real, low=0)
        if isinstance(model.n_synthetic, Integral):  # which may be too large to count with
            check_number(model, "n_synthetic", model.n_synthetic, kind=Integral, low=0)
    if model.max_queries is not None:
        check_number(model, "max_queries", model.max_queries, kind=Integral, low=2)
        if model.max_queries < 2 * model.n_repeats:
            raise ValueError(
                f"{type(model).__name__}: max_queries={model.max_queries} is less than two rows times n_repeats="
                f"{model.n_repeats}; expected at least {2 * model.n_repeats}. Pass a larger max_queries or fewer "
                "repeats."
            )
    if model.time_limit is not None:
        check_number(model, "time_limit", model.time_limit, low=0, low_open=True)
    if model.student_size is not None:
        check_number(model, "student_size", model.student_size, kind=Integral, low=1)


def _check_texts(model: Any) -> None:
    """Check the parameters that accept a string: each accepts one value, ``student`` the name of a family."""
    name = type(model).__name__
    if isinstance(model.student, str) and current_name(model.student) not in ("auto", *FAMILIES):
        raise ValueError(
            f"{name}: student={model.student!r}; expected an estimator, an AutoStudent, 'auto', or "
            f"the name of a family: {', '.join(map(repr, FAMILIES))}.{did_you_mean(model.student, ['auto', *FAMILIES])}"
        )
    for parameter in ("sampler", "n_synthetic", "teacher_cv", "soft_weight"):
        value, allowed = getattr(model, parameter), "oob" if parameter == "teacher_cv" else "auto"
        if isinstance(value, str) and value != allowed:
            advice = did_you_mean(value, [allowed])
            if parameter == "sampler" and not advice:
                advice = _sampler_advice(value)
            raise ValueError(f"{name}: {parameter}={value!r}; expected {allowed!r} if it is a string.{advice}")
    if not isinstance(model.response_method, str):
        raise ValueError(
            f"{name}: response_method={described(model.response_method)}; expected 'auto' or a method's name."
        )


def _sampler_advice(name: str) -> str:
    """Return what to pass in place of the name of a sampler."""
    known = [each for each in samplers.__all__ if isinstance(getattr(samplers, each), type)]
    return f" Pass a sampler, such as skdistill.samplers.{closest(name, known) or 'LeafSwap'}()."


def _check_objects(model: Any) -> None:
    """Check the parameters that accept objects with certain methods."""
    name = type(model).__name__
    verbose = model.verbose
    if not isinstance(verbose, Integral | np.bool_) or verbose < 0:
        raise ValueError(f"{name}: verbose={described(verbose)}; expected an integer of at least 0.")
    memory = model.memory
    if not (memory is None or isinstance(memory, str | Path) or hasattr(memory, "cache")):
        raise ValueError(
            f"{name}: memory={described(memory)}; expected None, the path of a folder, or a joblib.Memory."
        )
    cv = model.teacher_cv
    if cv is None or isinstance(cv, str) or hasattr(cv, "split"):
        return
    if isinstance(cv, Integral) and not isinstance(cv, bool):
        check_number(model, "teacher_cv", cv, kind=Integral, low=2)
    elif isinstance(cv, bool | Real) or not np.iterable(cv):
        raise ValueError(
            f"{name}: teacher_cv={described(cv)}; expected None, 'oob', a number of folds of at least 2, a splitter, "
            "or a list of pairs (train, test)."
        )


def _check_student(model: Any, y: Any) -> None:
    student = model._resolve_student()
    if isinstance(student, AutoStudent):
        student.check()
        if student.tolerance is not None and model._task.name == "classification":
            raise StudentError(
                f"{type(model).__name__}: AutoStudent(tolerance={described(student.tolerance)}) is for values; labels "
                "are equal to those of the teacher or not. Pass tolerance=None."
            )
        try_before_teacher(model, student.scoring, y)
    elif model.student_size is not None and not isinstance(student, CompactStudent):
        raise StudentError(
            f"{type(model).__name__}: student_size={model.student_size} needs a compact student of this package, or "
            f'student="auto"; got {type(student).__name__}. Pass student_size=None, and set the size by parameters of '
            "the student (student__...)."
        )


def _check_sampler(model: Any) -> None:
    if isinstance(model.sampler, AutoSampler):
        model.sampler.check()
    elif model.sampler is not None and not isinstance(model.sampler, str):
        as_sampler(model.sampler)
    draws_rows = model.sampler is not None and model.n_synthetic != 0
    keeps = model.memory is not None and getattr(model.memory, "location", model.memory) is not None
    if keeps and draws_rows and not isinstance(model.random_state, Integral):
        raise ValueError(
            f"{type(model).__name__}: memory= needs an integer random_state, so that the same rows are drawn in every "
            f"fit and found in the cache; got random_state={model.random_state!r}. Pass e.g. random_state=0."
        )
