"""Metrics of the order of predictions: within queries for rankers, and of risks for survival models."""

from typing import Any

import numpy as np
from scipy.stats import kendalltau

from .._validation import events_and_times
from ._checks import as_floats, check_finite

CHUNK_PAIRS = 4_000_000
"""Maximum number of pairs of rows that are compared at a time."""


def rank_agreement(teacher: Any, student: Any, groups: Any = None) -> float:
    """Mean rank correlation of student and teacher within groups (Kendall's tau-b).

    The scores of a ranker only order the rows of a query, so that R² over the rows of all queries is misleading.

    Parameters
    ----------
    teacher, student : array-like of shape (n_samples,)
        Scores.
    groups : array-like of shape (n_samples,), default=None
        Query of each row. ``None`` means that all rows are of one query.

    Returns
    -------
    tau : float
        1 if the order is the same in every group, -1 if it is reversed; NaN if no group has two different scores of
        the teacher. Groups in which the scores of the teacher are equal are left out. A group in which the student has
        equal scores counts as 0.

    Raises
    ------
    ValueError
        If shapes differ or values are NaN or infinite.

    Examples
    --------
    >>> from skdistill.metrics import rank_agreement
    >>> rank_agreement(
    ...     [3.0, 1.0, 2.0, 5.0], [0.3, 0.1, 7.0, 9.0], groups=["a", "a", "b", "b"]
    ... )
    1.0
    """
    scores = []
    for name, values in (("teacher", teacher), ("student", student)):
        values = as_floats("rank_agreement", name, values)
        check_finite("rank_agreement", name, values)
        scores.append(values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values)
    labels = np.zeros(len(scores[0])) if groups is None else np.asarray(groups)
    if scores[0].ndim != 1 or any(len(values) != len(labels) or values.ndim != 1 for values in scores):
        shapes = [values.shape for values in (*scores, labels)]
        raise ValueError(f"rank_agreement: teacher, student and groups of shapes {shapes}; expected one value per row.")
    _, codes = np.unique(labels, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    ends = np.flatnonzero(np.diff(codes[order])) + 1
    parts = zip(*(np.split(values[order], ends) for values in scores), strict=True)
    taus = [_tau(of_teacher, of_student) for of_teacher, of_student in parts if np.ptp(of_teacher) > 0]
    return float(np.mean(taus)) if taus else float("nan")


def _tau(of_teacher: np.ndarray, of_student: np.ndarray) -> float:
    return float(kendalltau(of_teacher, of_student).statistic) if np.ptp(of_student) > 0 else 0.0


def concordance(y_true: Any, risk: Any) -> float:
    """Harrell's concordance index: the share of comparable pairs in which the earlier event has the higher risk.

    Parameters
    ----------
    y_true : structured ndarray of shape (n_samples,)
        A boolean field, whether the event was observed, and a field of times, as for scikit-survival.
    risk : array-like of shape (n_samples,)
        Predicted risk; larger values mean earlier events.

    Returns
    -------
    index : float in [0, 1]
        1 for the true order, 0.5 for constant risks; NaN if no pair is comparable. Equal risks count as half.

    Raises
    ------
    ValueError
        If shapes differ, ``y_true`` has other fields, or values are NaN or infinite.

    References
    ----------
    F. E. Harrell et al.: Evaluating the yield of medical tests. JAMA 247 (1982).

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.metrics import concordance
    >>> y = np.array(
    ...     [(True, 1.0), (False, 3.0), (True, 2.0)],
    ...     dtype=[("event", bool), ("time", float)],
    ... )
    >>> concordance(y, [0.9, 0.1, 0.5])
    1.0
    """
    event, time = events_and_times("concordance", y_true)
    risk = as_floats("concordance", "risk", risk)
    check_finite("concordance", "risk", risk)
    if risk.shape != time.shape:
        raise ValueError(f"concordance: risk of shape {risk.shape}; expected {time.shape}, one value per row.")
    concordant = comparable = 0.0
    events = np.flatnonzero(event)
    step = max(1, CHUNK_PAIRS // max(len(time), 1))
    for rows in np.split(events, range(step, len(events), step)):
        is_later = (time > time[rows, None]) | ((time == time[rows, None]) & ~event)
        comparable += np.count_nonzero(is_later)
        concordant += np.count_nonzero(is_later & (risk[rows, None] > risk))
        concordant += 0.5 * np.count_nonzero(is_later & (risk[rows, None] == risk))
    return float(concordant / comparable) if comparable else float("nan")
