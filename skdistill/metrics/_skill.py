"""Skill on true labels, and the share of the teacher's skill that a student keeps."""

from typing import Any

import numpy as np

from ..targets import one_hot
from ._checks import as_floats, check_finite, check_outputs, check_row_weights, normalised
from ._fidelity import r_squared


def brier_skill(y_true: Any, proba: Any, *, classes: Any, sample_weight: Any = None) -> float:
    r"""Brier skill score: 1 - Brier(proba) / Brier(class frequencies of ``y_true``).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.
    proba : array-like of shape (n_samples, n_classes)
        Probabilities, with columns in the order of ``classes``.
    classes : array-like of shape (n_classes,)
        Sorted labels.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row, also for the class frequencies.

    Returns
    -------
    skill : float
        1 if every true label has probability 1, 0 for the best constant; it can be negative. NaN if all true labels are
        equal, because the best constant is then perfect.

    Raises
    ------
    ValueError
        If labels are not in ``classes``, shapes differ, values are not probabilities, or weights are invalid.

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
            f"brier_skill: y_true of shape {labels.shape}; expected (n_samples,) and at least one row. For several "
            "outputs, compute the skill of each."
        )
    try:
        truth = one_hot(labels, classes)
    except ValueError as error:
        raise ValueError(
            f"brier_skill: {error}. Leave out rows with labels that the model was not fitted on, or fit it on them."
        ) from None
    proba = as_floats("brier_skill", "proba", proba)
    if proba.shape != truth.shape:
        raise ValueError(
            f"brier_skill: probabilities of shape {proba.shape}; expected {truth.shape}, one column per class."
        )
    check_finite("brier_skill", "proba", proba)
    normalised("brier_skill", "proba", proba)  # only checks: the skill is that of the values as they were passed
    weight = check_row_weights("brier_skill", sample_weight, len(truth))[:, None]
    weight = weight / weight.max()
    shares = np.sum(weight * truth, axis=0) / weight.sum()
    is_one_class = np.count_nonzero(shares) == 1
    of_constant = np.sum(weight * (truth - shares) ** 2)
    return float("nan") if is_one_class else float(1 - np.sum(weight * (truth - proba) ** 2) / of_constant)


def r2_skill(y_true: Any, values: Any, *, sample_weight: Any = None) -> float:
    """Skill of a regressor: R² with respect to the true values, averaged uniformly over outputs.

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
        1 for the true values, 0 for the best constant; it can be negative. If the true values are constant, it is 1 if
        the predictions are equal to them and 0 otherwise. For a single row it is NaN with a warning, as in
        :func:`sklearn.metrics.r2_score`.

    Raises
    ------
    ValueError
        If shapes differ, values are NaN or infinite, there are no rows, or weights are invalid.

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
    """Compute the student's skill as a share of the teacher's, both on true labels.

    Parameters
    ----------
    teacher_skill, student_skill : float
        Scores that are 0 for the best constant and 1 for the truth, e.g. :func:`brier_skill` or :func:`r2_skill`.

    Returns
    -------
    share : float
        Above 1 if the student is better than the teacher, below 0 if it is worse than a constant; NaN if the teacher
        has no skill, or if one of the skills is NaN.

    Examples
    --------
    >>> from skdistill.metrics import retention
    >>> retention(0.8, 0.76)
    0.95
    """
    return float("nan") if teacher_skill <= 0 else student_skill / teacher_skill
