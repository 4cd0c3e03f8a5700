"""Distances between the student's and the teacher's probabilities."""

from typing import Any

import numpy as np
from scipy.special import rel_entr

from ._checks import check_count, check_probabilities, check_row_weights


def kl_divergence(
    teacher_proba: Any, student_proba: Any, *, sample_weight: Any = None, epsilon: float = 1e-15
) -> float:
    r"""Mean Kullback-Leibler divergence of the student from the teacher, in nats.

    For one row it is :math:`\sum_k p_k \log(p_k / q_k)`, with the teacher's probabilities :math:`p` and the student's
    :math:`q`. This is the cross-entropy of the student with respect to the teacher minus the teacher's entropy.

    Parameters
    ----------
    teacher_proba, student_proba : array-like of shape (n_samples, n_classes)
        Class probabilities with the same classes as columns. Rows must sum to one within 1e-3 and are normalised.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.
    epsilon : float in [0, 1), default=1e-15
        If the student's probability of a class is below ``epsilon`` and below the teacher's, it is replaced by
        ``epsilon`` (or by the teacher's probability if that is smaller). By definition, a single class with probability
        0 for the student but not for the teacher makes the mean infinite, and trees have such classes in almost every
        leaf. With the default, such a row contributes at most 34.5 nats. 0 uses the definition.

    Returns
    -------
    divergence : float
        At least 0, and 0 only for equal probabilities (apart from differences below ``epsilon``). Infinite only with
        ``epsilon=0``. Classes with probability 0 for the teacher contribute nothing.

    Raises
    ------
    ValueError
        If shapes differ, values are not probabilities, or weights are invalid.

    References
    ----------
    S. Kullback, R. A. Leibler: On information and sufficiency. Annals of Mathematical Statistics 22 (1951).

    Examples
    --------
    >>> from skdistill.metrics import kl_divergence
    >>> round(kl_divergence([[0.9, 0.1], [0.5, 0.5]], [[0.8, 0.2], [0.5, 0.5]]), 4)
    0.0183
    >>> kl_divergence([[0.5, 0.5]], [[1.0, 0.0]], epsilon=0)
    inf
    """
    if isinstance(epsilon, bool) or not isinstance(epsilon, int | float) or not 0 <= epsilon < 1:
        raise ValueError(f"kl_divergence: epsilon={epsilon!r}; expected a number in [0, 1).")
    teacher, student = check_probabilities("kl_divergence", teacher_proba, student_proba)
    weight = check_row_weights("kl_divergence", sample_weight, len(teacher))
    # not above the teacher's probability, so that a replaced value never reduces the divergence
    divergences = rel_entr(teacher, np.maximum(student, np.minimum(teacher, epsilon))).sum(axis=1)
    counted = weight > 0  # infinity times zero is NaN
    return float(max(np.average(divergences[counted], weights=weight[counted]), 0.0))


def brier_distance(teacher_proba: Any, student_proba: Any, *, sample_weight: Any = None) -> float:
    r"""Mean squared distance between the student's probabilities and the teacher's.

    For one row it is :math:`\sum_k (p_k - q_k)^2`, the Brier score with the teacher's probabilities as the truth.

    Parameters
    ----------
    teacher_proba, student_proba : array-like of shape (n_samples, n_classes)
        Class probabilities with the same classes as columns. Rows must sum to one within 1e-3 and are normalised.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    distance : float
        In [0, 2], symmetric; 0 for equal probabilities, 2 if both models are certain of different classes.

    Raises
    ------
    ValueError
        If shapes differ, values are not probabilities, or weights are invalid.

    References
    ----------
    G. W. Brier: Verification of forecasts expressed in terms of probability. Monthly Weather Review 78 (1950).

    Examples
    --------
    >>> from skdistill.metrics import brier_distance
    >>> round(brier_distance([[0.9, 0.1], [0.5, 0.5]], [[0.8, 0.2], [0.5, 0.5]]), 4)
    0.01
    """
    teacher, student = check_probabilities("brier_distance", teacher_proba, student_proba)
    weight = check_row_weights("brier_distance", sample_weight, len(teacher))
    return float(np.average(np.sum((teacher - student) ** 2, axis=1), weights=weight))


def total_variation(teacher_proba: Any, student_proba: Any, *, sample_weight: Any = None) -> float:
    r"""Mean total variation distance between the student's probabilities and the teacher's.

    For one row it is :math:`\frac{1}{2} \sum_k |p_k - q_k|`: the probability that has to be moved between classes, and
    the largest difference in probability over all sets of classes.

    Parameters
    ----------
    teacher_proba, student_proba : array-like of shape (n_samples, n_classes)
        Class probabilities with the same classes as columns. Rows must sum to one within 1e-3 and are normalised.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    distance : float
        In [0, 1], symmetric; 0 for equal probabilities, 1 if no class has a positive probability in both models.

    Raises
    ------
    ValueError
        If shapes differ, values are not probabilities, or weights are invalid.

    Examples
    --------
    >>> from skdistill.metrics import total_variation
    >>> round(total_variation([[0.9, 0.1], [0.5, 0.5]], [[0.8, 0.2], [0.5, 0.5]]), 4)
    0.05
    """
    teacher, student = check_probabilities("total_variation", teacher_proba, student_proba)
    weight = check_row_weights("total_variation", sample_weight, len(teacher))
    return float(np.average(np.abs(teacher - student).sum(axis=1) / 2, weights=weight))


def top_k_agreement(teacher_proba: Any, student_proba: Any, *, k: int = 2, sample_weight: Any = None) -> float:
    """Share of rows for which the teacher's label is among the student's ``k`` most probable classes.

    This is :func:`sklearn.metrics.top_k_accuracy_score` with the teacher's label as the true label.

    Parameters
    ----------
    teacher_proba, student_proba : array-like of shape (n_samples, n_classes)
        Class probabilities with the same classes as columns.
    k : int >= 1, default=2
        Number of the student's most probable classes. ``k=1`` is the :func:`agreement` of the labels. If ``k`` is at
        least the number of classes, the result is 1, so ``k=2`` is not informative for binary classification.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    share : float
        In [0, 1], and non-decreasing in ``k``. Ties are broken in favour of the first column, for the teacher and the
        student, as in ``predict``.

    Raises
    ------
    ValueError
        If shapes differ, values are not probabilities, weights are invalid, or ``k`` is below 1.

    Examples
    --------
    >>> from skdistill.metrics import top_k_agreement
    >>> teacher = [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]
    >>> student = [[0.3, 0.6, 0.1], [0.5, 0.4, 0.1]]
    >>> [top_k_agreement(teacher, student, k=k) for k in (1, 2, 3)]
    [0.0, 0.5, 1.0]
    """
    check_count("top_k_agreement", "k", k)
    teacher, student = check_probabilities("top_k_agreement", teacher_proba, student_proba)
    weight = check_row_weights("top_k_agreement", sample_weight, len(teacher))
    winner = teacher.argmax(axis=1)[:, None]
    of_winner = np.take_along_axis(student, winner, axis=1)
    is_before = np.arange(student.shape[1]) < winner
    rank = np.sum((student > of_winner) | ((student == of_winner) & is_before), axis=1)
    return float(np.average(rank < k, weights=weight))
