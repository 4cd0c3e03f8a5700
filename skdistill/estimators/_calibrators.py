"""The temperature and the isotonic functions that calibrate probabilities, fitted to targets, and their log loss."""

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.isotonic import IsotonicRegression

from ..compiled import Isotonic
from ..targets._temperature import soften_rows

LARGEST_TEMPERATURE = 20.0
"""The temperature is between this number and its inverse."""

LEAST_PROBABILITY = float(np.finfo(np.float64).eps)
"""Smaller probabilities count as this one in a logarithm, as in scikit-learn."""

MOST_KNOTS = 32
"""Maximum number of knots of an isotonic function."""

LEAST_DISTANCE = 1e-3
"""Minimum distance of knots: steps become ramps that do not enlarge differences due to rounding beyond this."""


def log_losses(targets: np.ndarray, proba: np.ndarray) -> np.ndarray:
    """Return the cross-entropy of each row, in nats, of shape (n_rows,)."""
    return -np.sum(targets * np.log(np.maximum(proba, LEAST_PROBABILITY)), axis=1)


def fit_temperature(proba: np.ndarray, targets: np.ndarray, weight: np.ndarray) -> float:
    """Return the temperature that divides the logarithms of probabilities with the smallest log loss on targets.

    The targets are smoothed by the weight of one uniform row, so that the optimum is finite where all labels are right.

    Parameters
    ----------
    proba, targets : ndarray of shape (n_rows, n_classes)
    weight : ndarray of shape (n_rows,)
    """
    n_rows, n_classes = proba.shape
    smooth = (n_rows * targets + 1 / n_classes) / (n_rows + 1)
    proba = np.maximum(proba, LEAST_PROBABILITY)

    def loss(log_temperature: float) -> float:
        return float(np.average(log_losses(smooth, soften_rows(proba, np.exp(log_temperature))), weights=weight))

    most = np.log(LARGEST_TEMPERATURE)
    return float(np.exp(minimize_scalar(loss, bounds=(-most, most), method="bounded", options={"xatol": 1e-6}).x))


def fit_isotonic(proba: np.ndarray, targets: np.ndarray, weight: np.ndarray) -> Isotonic:
    """Return isotonic functions of the probabilities, fitted to targets by pool-adjacent-violators, one per class.

    The targets are moved away from 0 and 1 as by Platt [1]_, so that no calibrated probability is 0.

    Parameters
    ----------
    proba, targets : ndarray of shape (n_rows, n_classes)
    weight : ndarray of shape (n_rows,)

    References
    ----------
    .. [1] J. Platt, "Probabilistic outputs for support vector machines", 1999.
    """
    columns = [1] if proba.shape[1] == 2 else range(proba.shape[1])
    functions = [_function(proba[:, place], targets[:, place], weight) for place in columns]
    return Isotonic(tuple(knots for knots, _ in functions), tuple(values for _, values in functions))


def _function(share: np.ndarray, target: np.ndarray, weight: np.ndarray) -> tuple[tuple[float, ...], ...]:
    n_positive = len(target) * np.average(target, weights=weight)
    low, high = 1 / (len(target) - n_positive + 2), (n_positive + 1) / (n_positive + 2)
    fitted = IsotonicRegression().fit(share, low + (high - low) * target, sample_weight=weight)
    knots, values = np.asarray(fitted.X_thresholds_), np.asarray(fitted.y_thresholds_)
    kept = _kept(knots)
    return tuple(knots[kept].tolist()), tuple(np.maximum.accumulate(values[kept]).tolist())


def _kept(knots: np.ndarray) -> np.ndarray:
    """Return the positions of knots that are far enough from each other, at most ``MOST_KNOTS`` of them.

    Of more knots, some are left out where there are the fewest rows.
    """
    kept = [0]
    for place, knot in enumerate(knots):
        if knot - knots[kept[-1]] >= LEAST_DISTANCE:
            kept.append(place)
    if len(kept) <= MOST_KNOTS:
        return np.array(kept)
    return np.array(kept)[np.unique(np.searchsorted(kept, np.linspace(0, kept[-1], MOST_KNOTS)))]
