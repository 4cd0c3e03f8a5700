"""Skill against true labels, and how much of the teacher's is left."""

from typing import Any

import numpy as np

from ..targets import one_hot
from ._checks import as_floats, check_finite, check_outputs, check_row_weights, normalised
from ._fidelity import r_squared


def brier_skill(y_true: Any, proba: Any, *, classes: Any, sample_weight: Any = None) -> float:
    r"""Brier skill score: 1 - Brier(proba) / Brier(class shares of ``y_true``).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    proba : array-like of shape (n_samples, n_classes)
        Probabilities, columns in the order of ``classes``.
    classes : array-like of shape (n_classes,)
        Sorted labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row, also for the class shares.

    Returns
    -------
    skill : float
        1 is certainty about every true label, 0 the best constant; it can be negative. NaN where all true labels are
        the same: the best constant is perfect then.

    Raises
    ------
    ValueError
        For labels that are no classes, shapes that differ, values that are no probabilities, weights that do not fit.

    References
    ----------
    G. W. Brier: Verification of forecasts expressed in terms of probability. Monthly Weather Review 78 (1950).

    Examples
    --------
    >>> from skdistill.metrics import brier_skill
    >>> brier_skill(["a", "b"], [[0.9, 0.1], [0.1, 0.9]], classes=["a", "b"])
    0.96
    """
    labels, classes = np.asarray(y_true), np.asarray(classes)
    if labels.ndim != 1 or labels.size == 0:
        raise ValueError(
            f"brier_skill: y_true of shape {labels.shape}; expected (n_samples,) and at least one row. Of several "
            "outputs ask for each."
        )
    try:
        truth = one_hot(labels, classes)
    except ValueError as error:
        raise ValueError(
            f"brier_skill: {error}. Leave out the rows of labels that the model was never shown, or fit it on them."
        ) from None
    proba = as_floats("brier_skill", "proba", proba)
    if proba.shape != truth.shape:
        raise ValueError(
            f"brier_skill: probabilities of shape {proba.shape}; expected {truth.shape}, a column a class."
        )
    check_finite("brier_skill", "proba", proba)
    normalised("brier_skill", "proba", proba)  # only to refuse what is none: the skill is that of what was given
    weight = check_row_weights("brier_skill", sample_weight, len(truth))[:, None]
    weight = weight / weight.max()
    shares = np.sum(weight * truth, axis=0) / weight.sum()
    is_one_class = np.count_nonzero(shares) == 1
    of_constant = np.sum(weight * (truth - shares) ** 2)
    return float("nan") if is_one_class else float(1 - np.sum(weight * (truth - proba) ** 2) / of_constant)


def r2_skill(y_true: Any, values: Any, *, sample_weight: Any = None) -> float:
    """R² to the truth, outputs averaged uniformly: the skill of a regressor.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        True values.
    values : array-like of the same shape
        Predicted values.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    skill : float
        1 is the truth, 0 the best constant; it can be negative. Of a constant truth it is 1 where the values equal it,
        else 0, and of a single row NaN with a warning: as :func:`sklearn.metrics.r2_score` has it.

    Raises
    ------
    ValueError
        For shapes that differ, NaN, infinity, no rows, weights that do not fit.

    Examples
    --------
    >>> from skdistill.metrics import r2_skill
    >>> r2_skill([0.0, 1.0, 2.0], [0.0, 1.0, 2.5])
    0.875
    """
    truth, predicted = (
        array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
        for array in (as_floats("r2_skill", "y_true", y_true), as_floats("r2_skill", "values", values))
    )
    truth, predicted = check_outputs("r2_skill", ("y_true", "values"), truth, predicted)
    if sample_weight is not None:
        sample_weight = check_row_weights("r2_skill", sample_weight, len(truth))
    return r_squared(truth, predicted, sample_weight, "uniform_average")


def retention(teacher_skill: float, student_skill: float) -> float:
    """The student's skill as a share of the teacher's, both against true labels.

    Parameters
    ----------
    teacher_skill, student_skill : float
        Any score that is 0 for the best constant and 1 for the truth, e.g. :func:`brier_skill` or :func:`r2_skill`.

    Returns
    -------
    share : float
        Above 1 where the student is better than the teacher, below 0 where it is worse than a constant; NaN where the
        teacher has no skill to keep, or a skill is NaN.

    Examples
    --------
    >>> from skdistill.metrics import retention
    >>> retention(0.8, 0.76)
    0.95
    """
    return float("nan") if teacher_skill <= 0 else student_skill / teacher_skill
