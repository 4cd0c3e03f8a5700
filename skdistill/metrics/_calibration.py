"""Calibration of the student's confidence against the teacher's."""

from typing import Any

import numpy as np

from ._checks import check_count, check_probabilities, check_row_weights


def calibration_curve(
    teacher_proba: Any, student_proba: Any, *, n_bins: int = 10, sample_weight: Any = None
) -> dict[str, np.ndarray]:
    """Compare the student's confidence with the teacher's, bin by bin.

    Rows are binned by the student's probability of its predicted class, in bins of equal width. For each bin, the mean
    of these probabilities is compared with the mean of the teacher's probabilities of the same classes. True labels are
    not used: a student that is calibrated against its teacher is as well or as badly calibrated as the teacher.

    Parameters
    ----------
    teacher_proba, student_proba : array-like of shape (n_samples, n_classes)
        Class probabilities with the same classes as columns.
    n_bins : int >= 1, default=10
        Number of bins of [0, 1]. With K classes, bins below 1 / K are always empty.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    curve : dict of ndarray of shape (n_bins_with_rows,)
        ``"student"`` and ``"teacher"`` contain the mean probabilities, ``"n_rows"`` the number of rows with a weight
        above zero, and ``"weight"`` their share of the total weight. Empty bins are left out; the others are sorted.

    Raises
    ------
    ValueError
        If shapes differ, values are not probabilities, weights are invalid, or ``n_bins`` is below 1.

    Examples
    --------
    >>> from skdistill.metrics import calibration_curve
    >>> teacher = [[0.7, 0.3], [0.6, 0.4], [0.2, 0.8]]
    >>> student = [[0.95, 0.05], [0.55, 0.45], [0.05, 0.95]]
    >>> {
    ...     name: values.round(2).tolist()
    ...     for name, values in calibration_curve(teacher, student).items()
    ... }
    {'student': [0.55, 0.95], 'teacher': [0.6, 0.75], 'n_rows': [1, 2], 'weight': [0.33, 0.67]}
    """
    return _curve("calibration_curve", teacher_proba, student_proba, n_bins, sample_weight)


def calibration_error(teacher_proba: Any, student_proba: Any, *, n_bins: int = 10, sample_weight: Any = None) -> float:
    """Mean absolute difference between the student's and the teacher's confidence over bins.

    This is the expected calibration error with the teacher instead of the truth. See :func:`calibration_curve` for the
    bins of the student's confidence, which are weighted by their rows.

    Parameters
    ----------
    teacher_proba, student_proba : array-like of shape (n_samples, n_classes)
        Class probabilities with the same classes as columns.
    n_bins : int >= 1, default=10
        Number of bins of [0, 1]. Errors in opposite directions cancel within a bin. Splitting each bin into parts never
        decreases the error.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    error : float
        In [0, 1]; 0 for equal probabilities. Different probabilities can also give 0, because the error measures
        confidence, not fidelity.

    Raises
    ------
    ValueError
        If shapes differ, values are not probabilities, weights are invalid, or ``n_bins`` is below 1.

    References
    ----------
    C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger: On calibration of modern neural networks. ICML (2017), for the error
    against true labels.

    Examples
    --------
    >>> from skdistill.metrics import calibration_error
    >>> teacher = [[0.7, 0.3], [0.6, 0.4], [0.2, 0.8]]
    >>> student = [[0.95, 0.05], [0.55, 0.45], [0.05, 0.95]]
    >>> round(calibration_error(teacher, student), 3)
    0.15
    """
    curve = _curve("calibration_error", teacher_proba, student_proba, n_bins, sample_weight)
    return float(np.sum(curve["weight"] * np.abs(curve["student"] - curve["teacher"])))


def _curve(who: str, teacher_proba: Any, student_proba: Any, n_bins: int, sample_weight: Any) -> dict[str, np.ndarray]:
    check_count(who, "n_bins", n_bins)
    teacher, student = check_probabilities(who, teacher_proba, student_proba)
    weight = check_row_weights(who, sample_weight, len(teacher))
    teacher, student, weight = (array[weight > 0] for array in (teacher, student, weight))
    weight = weight / weight.sum()
    predicted = student.argmax(axis=1)[:, None]
    confidence, of_teacher = (np.take_along_axis(proba, predicted, axis=1)[:, 0] for proba in (student, teacher))
    bins = np.minimum((confidence * n_bins).astype(np.intp), n_bins - 1)
    occupied, bins, n_rows = np.unique(bins, return_inverse=True, return_counts=True)

    def sums(values: np.ndarray) -> np.ndarray:
        return np.bincount(bins, weights=values, minlength=len(occupied))

    of_bin = sums(weight)
    return {
        "student": sums(weight * confidence) / of_bin,
        "teacher": sums(weight * of_teacher) / of_bin,
        "n_rows": n_rows,
        "weight": of_bin,
    }
