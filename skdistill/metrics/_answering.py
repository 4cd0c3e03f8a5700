"""How far values are from those of a teacher, and how many rows a student may answer if few answers may fail."""

from typing import Any

import numpy as np

MOST_TOLERANCES = 2.0
"""Distances of values beyond so many tolerances are clipped: only whether they are within one matters."""


LEAST_DISTANCE, POWER = 0.5, 4
"""Of the weights; chosen for students among least distances of 0.05 to 0.5, powers of 1 to 8 and up to three rounds, by
the share of rows that cascades answered on rows that no benchmark reports. Scores of certainty use the same ones."""


def distance_in_tolerances(teacher: np.ndarray, student: np.ndarray, tolerance: Any) -> np.ndarray:
    """Return the largest distance of the values of each row in units of the tolerance, clipped, shape (n_samples,).

    Parameters
    ----------
    teacher, student : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    tolerance : float > 0 or ndarray of shape (n_outputs,)
    """
    apart = np.abs(teacher - student) / tolerance
    return np.minimum(apart.reshape(len(apart), -1).max(axis=1), MOST_TOLERANCES)


def answered_share(
    certainty: np.ndarray, fails: np.ndarray, agreement: float, sample_weight: np.ndarray | None = None
) -> float:
    """Return the share of rows that the student answers if few answers may fail.

    It is the mean over the numbers of failures up to twice the promised one, since few rows have few failures.

    Parameters
    ----------
    certainty : ndarray of shape (n_samples,)
        The most certain rows are answered.
    fails : ndarray of bool, shape (n_samples,)
    agreement : float in (0, 1)
    sample_weight : ndarray of shape (n_samples,) or None, default=None
    """
    n_rows, order = len(fails), np.argsort(-certainty, kind="stable")
    weight = np.ones(n_rows) if sample_weight is None else sample_weight[order] / sample_weight.mean()
    failed, answered = np.cumsum(weight * fails[order]), np.append(0.0, np.cumsum(weight))
    allowed = np.arange(int(np.ceil(2 * (1 - agreement) * n_rows)) + 1)
    return float(np.mean(answered[np.searchsorted(failed, allowed, side="right")]) / n_rows)


def reweighted(sample_weight: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return weights that are smaller where the expected distance, in tolerances, is larger; their sum stays."""
    weight = sample_weight * np.maximum(expected, LEAST_DISTANCE) ** -POWER
    return weight * (sample_weight.sum() / weight.sum())
