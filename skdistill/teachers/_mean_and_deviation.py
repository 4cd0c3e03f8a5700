"""Models that predict a mean and a standard deviation for each row."""

import inspect
from typing import Any

import numpy as np


def has_deviations(model: Any) -> bool:
    """Whether a model has ``predict(X, return_std=True)``, as Gaussian processes do, or ``pred_dist``, as NGBoost."""
    if hasattr(model, "pred_dist"):
        return True
    try:
        return "return_std" in inspect.signature(model.predict).parameters
    except (AttributeError, TypeError, ValueError):
        return False


def mean_and_deviation(model: Any, X: Any) -> np.ndarray:
    """Return the means of the outputs of each row, and then their standard deviations, of shape (n_samples, 2 m)."""
    if hasattr(model, "pred_dist"):
        answer = model.pred_dist(X)
        parts = [answer.mean(), answer.std()]
    else:
        parts = list(model.predict(X, return_std=True))
    return np.hstack([np.asarray(part, dtype=np.float64).reshape(len(part), -1) for part in parts])
