"""How closely a student follows its teacher, and how much of the teacher's skill is left."""

from typing import Any

import numpy as np
from sklearn.metrics import r2_score

from ..targets import one_hot


def fidelity(
    teacher_outputs: Any, student_outputs: Any, *, sample_weight: Any = None, multioutput: str = "auto"
) -> float:
    r"""R² of the student's outputs to the teacher's.

    Parameters
    ----------
    teacher_outputs, student_outputs : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Class probabilities, or values.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.
    multioutput : {"auto", "uniform_average", "variance_weighted"}, default="auto"
        How outputs are averaged. Probabilities share one scale and are weighted by their variance, so that a class
        the teacher hardly ever gives cannot dominate; values do not, and count alike. ``"auto"`` takes rows that sum
        to one for probabilities.

    Returns
    -------
    score : float
        1 is a perfect copy, 0 the best constant; it can be negative.

    Examples
    --------
    >>> from skdistill.metrics import fidelity
    >>> fidelity([0.0, 1.0, 2.0], [0.0, 1.0, 2.5])
    0.875
    """
    teacher, student = np.asarray(teacher_outputs, dtype=float), np.asarray(student_outputs, dtype=float)
    if teacher.shape != student.shape:
        raise ValueError(f"fidelity: outputs of shapes {teacher.shape} and {student.shape}; expected equal shapes.")
    if multioutput == "auto":
        sums_to_one = teacher.ndim == 2 and teacher.shape[1] > 1 and np.allclose(teacher.sum(axis=1), 1, atol=1e-3)
        multioutput = "variance_weighted" if sums_to_one else "uniform_average"
    return float(r2_score(teacher, student, sample_weight=sample_weight, multioutput=multioutput))


def agreement(teacher_labels: Any, student_labels: Any, *, sample_weight: Any = None) -> float:
    """Share of rows, in [0, 1], to which student and teacher give the same label.

    Parameters
    ----------
    teacher_labels, student_labels : array-like of shape (n_samples,)
        Predicted labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Examples
    --------
    >>> from skdistill.metrics import agreement
    >>> agreement(["a", "b", "b", "a"], ["a", "b", "a", "a"])
    0.75
    """
    teacher, student = np.asarray(teacher_labels), np.asarray(student_labels)
    if teacher.shape != student.shape:
        raise ValueError(f"agreement: labels of shapes {teacher.shape} and {student.shape}; expected equal shapes.")
    return float(np.average(teacher == student, weights=sample_weight))


def brier_skill(y_true: Any, proba: Any, *, classes: Any) -> float:
    r"""Brier skill score: 1 - Brier(proba) / Brier(class shares of ``y_true``).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    proba : array-like of shape (n_samples, n_classes)
        Probabilities, columns in the order of ``classes``.
    classes : array-like of shape (n_classes,)
        Sorted labels.

    Returns
    -------
    skill : float
        1 is certainty about every true label, 0 the best constant; NaN where all true labels are the same.

    Examples
    --------
    >>> from skdistill.metrics import brier_skill
    >>> brier_skill(["a", "b"], [[0.9, 0.1], [0.1, 0.9]], classes=["a", "b"])
    0.96
    """
    truth = one_hot(np.asarray(y_true), np.asarray(classes))
    proba = np.asarray(proba)
    if proba.shape != truth.shape:
        raise ValueError(
            f"brier_skill: probabilities of shape {proba.shape}; expected {truth.shape}, a column a class."
        )
    of_constant = np.sum((truth - truth.mean(axis=0)) ** 2)
    return float("nan") if of_constant == 0 else float(1 - np.sum((truth - proba) ** 2) / of_constant)


def r2_skill(y_true: Any, values: Any) -> float:
    """R² to the truth, outputs averaged uniformly: the skill of a regressor.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        True values.
    values : array-like of the same shape
        Predicted values.

    Returns
    -------
    skill : float
        1 is the truth, 0 the best constant; it can be negative.

    Examples
    --------
    >>> from skdistill.metrics import r2_skill
    >>> r2_skill([0.0, 1.0, 2.0], [0.0, 1.0, 2.5])
    0.875
    """
    return float(r2_score(y_true, values))


def retention(teacher_skill: float, student_skill: float) -> float:
    """The student's skill as a share of the teacher's, both against true labels.

    Parameters
    ----------
    teacher_skill, student_skill : float
        Any score that is 0 for the best constant and 1 for the truth, e.g. :func:`brier_skill` or :func:`r2_skill`.

    Returns
    -------
    share : float
        Above 1 where the student is better than the teacher; NaN where the teacher has no skill to keep.

    Examples
    --------
    >>> from skdistill.metrics import retention
    >>> retention(0.8, 0.76)
    0.95
    """
    return float("nan") if teacher_skill <= 0 else student_skill / teacher_skill
