"""Fidelity and agreement of a student with its teacher."""

from numbers import Number
from typing import Any, get_args

import numpy as np
from sklearn.metrics import r2_score

from .._coding import is_missing
from .._types import Average
from .._validation import check_choice
from ._checks import SUM_TOLERANCE, check_outputs, check_row_weights

_TYPE = np.frompyfunc(type, 1, 1)

AVERAGES = get_args(Average)


LARGEST_SQUARED = 1e100
"""Larger outputs are divided by their size before they are squared."""


def fidelity(
    teacher_outputs: Any, student_outputs: Any, *, sample_weight: Any = None, multioutput: Average = "auto"
) -> float:
    r"""R² of the student's outputs with respect to the teacher's outputs.

    Parameters
    ----------
    teacher_outputs, student_outputs : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Class probabilities, or values.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.
    multioutput : {"auto", "uniform_average", "variance_weighted"}, default="auto"
        How outputs are averaged. Probabilities share one scale and are weighted by their variance, so that a class
        that the teacher rarely predicts does not dominate. Values may have different scales and are weighted equally.
        ``"auto"`` treats outputs whose rows sum to one as probabilities.

    Returns
    -------
    score : float
        1 for a perfect copy, 0 for the best constant; it can be negative. If the teacher's output is constant, the
        score of this output is 1 if the student's output is equal to it and 0 otherwise, as in
        :func:`sklearn.metrics.r2_score`; weighted by variance, it does not count. For a single row, the score is NaN,
        with a warning from that function.

    Raises
    ------
    ValueError
        If shapes differ, values are NaN or infinite, there are no rows, or weights are invalid.

    Examples
    --------
    >>> from skdistill.metrics import fidelity
    >>> fidelity([0.0, 1.0, 2.0], [0.0, 1.0, 2.5])
    0.875
    """
    check_choice("fidelity", "multioutput", multioutput, AVERAGES)
    teacher, student = check_outputs(
        "fidelity", ("teacher_outputs", "student_outputs"), teacher_outputs, student_outputs
    )
    if sample_weight is not None:
        sample_weight = check_row_weights("fidelity", sample_weight, len(teacher))
    if multioutput == "auto":
        is_many = teacher.ndim == 2 and teacher.shape[1] > 1
        sums_to_one = is_many and np.allclose(teacher.sum(axis=1), 1, atol=SUM_TOLERANCE)
        multioutput = "variance_weighted" if sums_to_one else "uniform_average"
    return r_squared(teacher, student, sample_weight, multioutput)


def r_squared(truth: np.ndarray, values: np.ndarray, weight: np.ndarray | None, multioutput: str) -> float:
    """Return R², without rounding errors in the variance of constant outputs."""
    first = truth[0] if weight is None else truth[np.argmax(weight > 0)]
    counted = truth if weight is None else truth[weight > 0]
    constant = np.where((counted == first).all(axis=0), first, 0.0)
    truth, values = truth - constant, values - constant
    with np.errstate(over="ignore"):
        size = np.abs(truth).max(axis=0)
    if np.any(size > LARGEST_SQUARED):  # their squares overflow
        scale = np.max(size) if multioutput == "variance_weighted" else np.maximum(size, 1.0)
        truth, values = truth / scale, values / scale
    return float(r2_score(truth, values, sample_weight=weight, multioutput=multioutput))


def agreement(teacher_labels: Any, student_labels: Any, *, sample_weight: Any = None) -> float:
    """Share of rows, in [0, 1], for which student and teacher predict the same label.

    Parameters
    ----------
    teacher_labels, student_labels : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Predicted labels. Several outputs are weighted equally.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    share : float

    Raises
    ------
    ValueError
        If shapes differ, labels are of different kinds (text and numbers are never equal), labels are missing, there
        are no rows, or weights are invalid.

    Examples
    --------
    >>> from skdistill.metrics import agreement
    >>> agreement(["a", "b", "b", "a"], ["a", "b", "a", "a"])
    0.75
    """
    teacher, student = np.asarray(teacher_labels), np.asarray(student_labels)
    if teacher.shape != student.shape:
        raise ValueError(
            f"agreement: labels of shapes {teacher.shape} and {student.shape}; expected equal shapes. Pass the labels "
            "of both models for the same rows."
        )
    if teacher.ndim not in (1, 2) or teacher.size == 0:
        raise ValueError(f"agreement: labels of shape {teacher.shape}; expected (n_samples,) and at least one row.")
    kinds = _kind_of_labels("teacher_labels", teacher), _kind_of_labels("student_labels", student)
    if None not in kinds and kinds[0] != kinds[1]:
        raise ValueError(
            f"agreement: teacher_labels are {kinds[0]} such as {_first(teacher)!r}, student_labels {kinds[1]} such as "
            f"{_first(student)!r}; expected labels of the same kind. Use labels from the same classes_."
        )
    weight = check_row_weights("agreement", sample_weight, len(teacher))
    is_same = np.asarray(teacher == student, dtype=np.float64).reshape(len(teacher), -1)
    return float(np.average(is_same.mean(axis=1), weights=weight))


def _kind_of_labels(name: str, labels: np.ndarray) -> str | None:
    """Return ``"text"``, ``"numbers"``, or ``None`` for other labels; missing labels raise an error."""
    n_missing = np.count_nonzero(is_missing(labels.ravel()))
    if n_missing:
        raise ValueError(
            f"agreement: {name} has {n_missing} missing labels; expected one label per row. Remove these rows."
        )
    if labels.dtype.kind == "O":
        kinds = set(_TYPE(labels).ravel().tolist())
        if all(issubclass(kind, str) for kind in kinds):
            return "text"
        return "numbers" if all(issubclass(kind, Number | np.bool_) for kind in kinds) else None
    return {**dict.fromkeys("UT", "text"), **dict.fromkeys("biufc", "numbers")}.get(labels.dtype.kind)


def _first(labels: np.ndarray) -> Any:
    return labels.ravel()[:1].tolist()[0]
