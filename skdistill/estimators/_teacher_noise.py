"""The noise of a teacher: whether it returns the same outputs for the same rows, and what this costs in fidelity."""

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.utils.validation import check_memory

from .._tables import take_rows
from .._validation import warn_caller
from ..exceptions import TeacherOutputError, TeacherWarning
from ..selection import Targets
from ..teachers import (
    N_CHECKED_ROWS,
    QUERIES_PER_CHECKED_ROW,
    Repeatability,
    SteadyTeacher,
    Teacher,
    check_repeatability,
    compare_with_blocks,
    is_alike,
    query_teacher,
    remote_teachers,
    scale_of,
)
from ..transfer import Oracle, TransferSet
from ._fit_arguments import FitArguments

MAX_CHECK_SHARE = 0.05
"""Maximum share of the query budget that the check of a teacher uses."""

N_MEASURED_ROWS = 100
"""Number of queries that measure the noise of a teacher, rounded up to complete batches."""

MAX_MEASURED_SHARE = 0.05
"""Maximum share of the remaining query budget that this measurement uses."""

PADDING_SEED, MEASUREMENT_SEED = 1, 2
"""Seeds of the rows that complete batches and of those that measure noise. They are fixed, so that the check does not
change the random draws of the fit, and differ from the seed that mixes rows: the same one would query the same batches
again."""


def check_teacher(model: Any, teacher: SteadyTeacher, given: FitArguments) -> int:
    """Check whether a teacher returns the same outputs again, and fix its batches if not; return the queries used."""
    rows = _checked_rows(model, given)
    teacher.pads = model.max_queries is None
    if not len(rows):
        return 0
    check, key = _cached(model, teacher, check_repeatability)
    finding = check(teacher, take_rows(given.X, rows), key)
    if finding.shapes:
        raise TeacherOutputError(
            f"{type(model).__name__}: {teacher.name} returned outputs of shape {finding.shapes[0]} in one call and of "
            f"shape {finding.shapes[1]} in another; expected the same number of outputs in every call."
        )
    _settle(model, teacher, finding, given)
    return finding.n_queries


def end_query_budget(teacher: Teacher) -> None:
    """Let a teacher complete its batches: queries after ``fit`` do not count towards ``max_queries``.

    A remote teacher need not keep the answers of the fit any more.
    """
    for remote in remote_teachers(teacher):
        remote.end_fit()
    if isinstance(teacher, SteadyTeacher):
        teacher.pads = True


def measure_teacher_noise(model: Any, targets: Targets, given: FitArguments, real: TransferSet, oracle: Oracle) -> None:
    """Set the noise of the teacher, as a share of the variance of the soft targets, and warn if there is any."""
    teacher = targets.teacher
    if not isinstance(teacher, SteadyTeacher):
        return
    started = perf_counter()
    oracle.teacher_noise = float("nan")
    if teacher.finding is None or not teacher.finding.is_known:
        return
    if teacher.finding.is_steady:
        _compare_with_real_rows(model, teacher, given, real, oracle)
    finding, measured = teacher.finding, None
    if not finding.is_steady:
        measured = _query_again(model, teacher, real, oracle)
    oracle.extra_seconds += perf_counter() - started
    of_check = finding.first[finding.part], finding.again
    first, again = of_check if measured is None else measured
    largest = max(np.abs(first - again).max(), np.abs(of_check[0] - of_check[1]).max())
    if is_alike(*of_check, scale_of(teacher, real.outputs)) and is_alike(first, again, scale_of(teacher, real.outputs)):
        oracle.teacher_noise = 0.0 if finding.is_complete or model.chunk_size == 1 else float("nan")
        return
    noise = _noise(targets.of(first), targets.of(again), targets.of(real.outputs), pools_outputs=targets.pools_outputs)
    oracle.teacher_noise = min(noise / (teacher.n_repeats if measured is None else 1), 1.0)
    if finding.depends_on_batch or teacher.n_repeats == 1:
        _warn(model, teacher, largest, real.outputs.std(axis=0).max(), oracle.teacher_noise)


def _checked_rows(model: Any, given: FitArguments) -> np.ndarray:
    """Return the positions of the rows of the check; with a small query budget, they are few or none."""
    present = np.flatnonzero(given.weight)
    n_rows = min(N_CHECKED_ROWS, len(present), model.chunk_size)
    if model.max_queries is not None:
        n_rows = min(n_rows, int(MAX_CHECK_SHARE * model.max_queries / QUERIES_PER_CHECKED_ROW))
        n_rows = n_rows if n_rows > 1 or model.chunk_size == 1 else 0
        n_spare = model.max_queries - given.X.shape[0] * model.n_repeats
        if 0 <= n_spare < QUERIES_PER_CHECKED_ROW * n_rows:
            n_rows = 0  # the budget is just sufficient for the rows of X
    return present[np.linspace(0, len(present) - 1, n_rows, dtype=int)]


def _settle(model: Any, teacher: SteadyTeacher, finding: Repeatability, given: FitArguments) -> None:
    padding = None
    if finding.depends_on_batch:
        most = np.inf if model.max_queries is None else model.max_queries // model.n_repeats
        present = np.random.RandomState(PADDING_SEED).permutation(np.flatnonzero(given.weight))
        padding = take_rows(given.X, present[: int(min(model.chunk_size, most, len(present)))])
    teacher.settle(finding, padding)


def _compare_with_real_rows(
    model: Any, teacher: SteadyTeacher, given: FitArguments, real: TransferSet, oracle: Oracle
) -> None:
    """Compare the outputs of the check with those of the same rows among the labelled real rows."""
    rows = _checked_rows(model, given)
    are_others = model.teacher_cv is not None or real.n_real != given.X.shape[0]
    if are_others or teacher.n_repeats > 1 or oracle.n_left < len(rows):
        return
    assert teacher.finding is not None
    before, table = teacher.finding, take_rows(given.X, rows)
    checked = before if given.sampled is None else _checked_again(teacher, before, table)
    finding = compare_with_blocks(teacher, checked, table, real.outputs[rows])
    oracle.n_queries += finding.n_queries - before.n_queries
    if finding.is_steady:
        finding = replace(before, is_compared=True)
    _settle(model, teacher, finding, given)


def _checked_again(teacher: SteadyTeacher, finding: Repeatability, table: Any) -> Repeatability:
    """Return the check with a few rows of a sample, which need not have the rows of the check."""
    first = Teacher.outputs(teacher, table)
    return replace(finding, first=first, n_queries=finding.n_queries + table.shape[0])


def _query_again(
    model: Any, teacher: SteadyTeacher, real: TransferSet, oracle: Oracle
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the outputs of two calls for the same rows among other rows; ``None`` if the budget is too small."""
    present, rng = np.flatnonzero(real.sample_weight), np.random.RandomState(MEASUREMENT_SEED)
    has_outputs = model.teacher_cv is None  # otherwise they are those of other teachers
    n_rows = max(N_MEASURED_ROWS // teacher.n_repeats, N_CHECKED_ROWS)
    n_rows = min(n_rows, len(present)) if teacher.batch_size is None else n_rows + -n_rows % teacher.batch_size
    if oracle.max_queries is not None:
        n_rows = min(n_rows, int(MAX_MEASURED_SHARE * oracle.n_left / (1 if has_outputs else 2)))
    if n_rows < N_CHECKED_ROWS or (teacher.depends_on_batch and not has_outputs):
        return None  # two queries of the same table would have the same batches
    # drawn with replacement, the rows are another batch of the same distribution, even if all rows are in one batch
    rows = rng.choice(present, n_rows, replace=teacher.depends_on_batch)

    ask, key = _cached(model, teacher, _ask_again)
    oracle.n_queries += n_rows if has_outputs else 2 * n_rows
    table = take_rows(real.X, rows)
    first = real.outputs[rows] if has_outputs else ask(teacher, table, model.chunk_size, key, turn=1)
    return first, ask(teacher, table, model.chunk_size, key, turn=2)


def _ask_again(teacher: Teacher, table: Any, chunk_size: int, key: str | None, turn: int) -> np.ndarray:  # noqa: ARG001
    """Query rows that may have been labelled before; their cached outputs are not used."""
    return query_teacher(teacher, table, chunk_size=chunk_size)


def _cached(model: Any, teacher: SteadyTeacher, function: Callable[..., Any]) -> tuple[Callable[..., Any], str | None]:
    """Return the function with its results cached in ``memory``, and the key of the teacher; no key without memory."""
    memory = check_memory(model.memory)
    return (function if teacher.key is None else memory.cache(function, ignore=["teacher"])), teacher.key


def _noise(first: np.ndarray, again: np.ndarray, targets: np.ndarray, *, pools_outputs: bool) -> float:
    """Return half the mean squared difference of two outputs for a row, as a share of the variance of the targets."""
    noise = ((first - again) ** 2).reshape(len(first), -1).mean(axis=0) / 2
    variance = targets.reshape(len(targets), -1).var(axis=0)
    if pools_outputs:
        noise, variance = noise.sum(keepdims=True), variance.sum(keepdims=True)
    varies = variance > 0
    return float(np.mean(noise[varies] / variance[varies])) if varies.any() else 1.0


def _warn(model: Any, teacher: SteadyTeacher, largest: float, spread: float, noise: float) -> None:
    if teacher.depends_on_batch:
        what = f"the outputs of {teacher.name} for a row depend on the other rows of the call"
        advice = (
            f"The teacher is queried in batches of {teacher.batch_size:,} rows in mixed order. Pass the chunk_size "
            "that the teacher is used with (chunk_size=1 if it predicts single rows), or turn off reduced precision "
            "and statistics of the batch."
        )
    else:
        what, advice = f"{teacher.name} returned other outputs for the same rows in another call", ""
    if teacher.is_random and teacher.n_repeats == 1:
        advice = f"{advice} " if advice else ""
        advice += (
            "Pass n_repeats=10 to average the outputs of ten calls, or turn off what is random in the teacher, such as "
            "dropout."
        )
    limit = "In batches of one size, they are the same."
    if noise > 0:
        limit = (
            f"This noise is {noise:.2%} of the variance of the soft targets, so no fidelity above {1 - noise:.4f} can "
            "be expected."
        )
    warn_caller(
        f"{type(model).__name__}: {what}: they differ by up to {largest:.2g}; the standard deviation of the outputs is "
        f"{spread:.2g}. {limit} {advice}",
        TeacherWarning,
    )
