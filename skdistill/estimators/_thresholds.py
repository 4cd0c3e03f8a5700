"""Thresholds of probabilities that reproduce the labels of a teacher."""

import numpy as np

from ..compiled import Decision

N_ROUNDS = 20
"""Maximum number of rounds over the thresholds of more than two classes."""

MIN_PROBABILITY = 1e-3
"""Smaller probabilities of more than two classes count as it: students do not imitate their logarithms."""


def errors_of(proba: np.ndarray, labels: np.ndarray, decision: Decision | None) -> int:
    """Return the number of rows whose label the decision does not reproduce; ``None`` is the largest probability."""
    if decision is None:  # a tie may be broken in any way
        return int(np.count_nonzero(proba[np.arange(len(labels)), labels] < proba.max(axis=1) - 1e-7))
    return int(np.count_nonzero(decision.positions(proba) != labels))


def fit_thresholds(proba: np.ndarray, labels: np.ndarray) -> Decision:
    """Return the decision that reproduces most labels.

    For two classes, this is the best threshold of the second class. For more classes, the threshold of one class after
    the other is set to its best value, given the others, until no label more is reproduced.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
    labels : ndarray of int, shape (n_samples,)
        Positions of the labels among the classes.
    """
    if proba.shape[1] == 2:
        threshold, _ = best_cut(proba[:, 1], labels == 1, labels == 0, low=0.0, high=1.0)
        return Decision((1 - threshold, threshold))
    scores = np.log(np.maximum(proba, MIN_PROBABILITY))
    fewest = int(np.count_nonzero(scores.argmax(axis=1) != labels))
    for _ in range(N_ROUNDS):
        before = fewest
        for k in range(proba.shape[1]):
            fewest = _shift_class(scores, labels, k, fewest)
        if fewest == before:
            break
    shift = scores[0] - np.log(np.maximum(proba[0], MIN_PROBABILITY))
    thresholds = np.exp(shift.min() - shift)
    return Decision(tuple((thresholds / thresholds.sum()).tolist()))


def _shift_class(scores: np.ndarray, labels: np.ndarray, k: int, fewest: int) -> int:
    """Add to the scores of a class what reproduces most labels, if this is an improvement; return the errors left."""
    others = scores.copy()
    others[:, k] = -np.inf
    rival = others.argmax(axis=1)
    lead = scores[:, k] - others[np.arange(len(labels)), rival]
    cut, errors = best_cut(lead, labels == k, (labels != k) & (labels == rival))
    n_lost = int(np.count_nonzero((labels != k) & (labels != rival)))
    if errors + n_lost >= fewest:
        return fewest
    scores[:, k] -= cut
    return errors + n_lost


def best_cut(
    values: np.ndarray, is_above: np.ndarray, is_below: np.ndarray, low: float = -np.inf, high: float = np.inf
) -> tuple[float, int]:
    """Return the cut that separates two groups of rows with the fewest errors, and these errors.

    The cut is in the middle between two values; among equally good cuts, the one in the widest interval is returned.

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
    is_above, is_below : ndarray of bool, shape (n_samples,)
        The rows whose values should be at or above the cut, and those whose values should be below. Others are ignored.
    low, high : float, default=-inf and inf
        Bounds of possible values. Without bounds, the cut is at most 1 outside the values.
    """
    distinct, place = np.unique(values, return_inverse=True)
    above = np.bincount(place, weights=is_above, minlength=len(distinct))
    below = np.bincount(place, weights=is_below, minlength=len(distinct))
    errors = np.concatenate([[0], np.cumsum(above)]) + below.sum() - np.concatenate([[0], np.cumsum(below)])
    edges = np.concatenate([[max(low, distinct[0] - 2)], distinct, [min(high, distinct[-1] + 2)]])
    gaps = np.diff(edges)
    best = np.flatnonzero(errors == errors.min())
    chosen = best[gaps[best].argmax()]
    return float(edges[chosen] + gaps[chosen] / 2), int(errors[chosen])
