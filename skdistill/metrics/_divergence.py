"""How far the student's probabilities are from the teacher's."""

from typing import Any

import numpy as np
from scipy.special import rel_entr

from ._checks import check_count, check_probabilities, check_row_weights


def kl_divergence(
    teacher_proba: Any, student_proba: Any, *, sample_weight: Any = None, epsilon: float = 1e-15
) -> float:
    r"""Mean Kullback-Leibler divergence of the student from the teacher, in nats.

    Of a row it is :math:`\sum_k p_k \log(p_k / q_k)`, with the teacher's probabilities :math:`p` and the student's
    :math:`q`: what a student loses by its cross-entropy to the teacher, beyond the teacher's own entropy.

    Parameters
    ----------
    teacher_proba, student_proba : array-like of shape (n_samples, n_classes)
        Class probabilities; columns of the same classes. Rows sum to one but for 1e-3, and are divided by their sum.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.
    epsilon : float in [0, 1), default=1e-15
        Where the student gives less than this to a class, and the teacher more than the student, it counts as if it
        gave this (or what the teacher gives, where that is less). By definition a single class that the student rules
        out and the teacher does not makes the mean infinite, which leaves nothing to compare: trees rule out classes in
        nearly every leaf. With the default such a row costs up to 34.5 nats. 0 keeps to the definition.

    Returns
    -------
    divergence : float
        At least 0; 0 for equal probabilities only (but for what is below ``epsilon``). Infinite only with
        ``epsilon=0``. A class to which the teacher gives nothing adds nothing.

    Raises
    ------
    ValueError
        For shapes that differ, values that are no probabilities, weights that do not fit.

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
    # never raised above the teacher's: what is raised then costs nothing, instead of being paid back
    divergences = rel_entr(teacher, np.maximum(student, np.minimum(teacher, epsilon))).sum(axis=1)
    counted = weight > 0  # infinity times zero is no number
    return float(max(np.average(divergences[counted], weights=weight[counted]), 0.0))


def brier_distance(teacher_proba: Any, student_proba: Any, *, sample_weight: Any = None) -> float:
    r"""Mean squared distance between the student's probabilities and the teacher's.

    Of a row it is :math:`\sum_k (p_k - q_k)^2`: the Brier score with the teacher's probabilities for the truth.

    Parameters
    ----------
    teacher_proba, student_proba : array-like of shape (n_samples, n_classes)
        Class probabilities; columns of the same classes. Rows sum to one but for 1e-3, and are divided by their sum.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    distance : float
        In [0, 2], symmetric; 0 for equal probabilities, 2 where both are certain of different classes.

    Raises
    ------
    ValueError
        For shapes that differ, values that are no probabilities, weights that do not fit.

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

    Of a row it is :math:`\frac{1}{2} \sum_k |p_k - q_k|`: the probability that has to be moved from some classes to
    others, and the largest difference that any set of classes shows.

    Parameters
    ----------
    teacher_proba, student_proba : array-like of shape (n_samples, n_classes)
        Class probabilities; columns of the same classes. Rows sum to one but for 1e-3, and are divided by their sum.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    distance : float
        In [0, 1], symmetric; 0 for equal probabilities, 1 where both never give the same class.

    Raises
    ------
    ValueError
        For shapes that differ, values that are no probabilities, weights that do not fit.

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
    """Share of rows, in [0, 1], whose most probable class by the teacher is among the student's ``k`` most probable.

    This is :func:`sklearn.metrics.top_k_accuracy_score` with the teacher's label for the true one.

    Parameters
    ----------
    teacher_proba, student_proba : array-like of shape (n_samples, n_classes)
        Class probabilities; columns of the same classes.
    k : int >= 1, default=2
        How many of the student's classes count. 1 is :func:`agreement` of the labels; from the number of classes on
        everything is among them, and the result is 1. So of two classes ``k=2`` says nothing.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    share : float
        It never falls with ``k``. Of classes that are equally probable the first column comes first, for teacher
        and student alike, as ``predict`` has it.

    Raises
    ------
    ValueError
        For shapes that differ, values that are no probabilities, weights that do not fit, a ``k`` below 1.

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
