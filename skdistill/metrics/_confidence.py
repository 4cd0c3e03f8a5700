"""The confidence of a bound, and how it is divided between the two ends of an interval."""

from numbers import Real
from typing import Any

import numpy as np

from .._described import described
from .._validation import check_choice
from ._checks import as_floats, check_finite

SIDES = ("two-sided", "lower", "upper")


def check_share(who: str, name: str, value: Any) -> float:
    """Return a number strictly between 0 and 1."""
    is_number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if not is_number or not 0 < value < 1:
        raise ValueError(f"{who}: {name}={described(value)}; expected a number above 0 and below 1.")
    return float(value)


def tails(who: str, confidence: Any, side: Any) -> tuple[float, float]:
    """Return the probabilities with which the lower and the upper end may fail; 0 for an end that is not asked for."""
    alpha = 1 - check_share(who, "confidence", confidence)
    check_choice(who, "side", side, SIDES)
    if side == "two-sided":
        return alpha / 2, alpha / 2
    return (alpha, 0.0) if side == "lower" else (0.0, alpha)


def check_bounds(who: str, bounds: Any) -> tuple[float, float]:
    """Return the stated range of a bounded variable."""
    low, high = (float(end) for end in bounds)
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise ValueError(
            f"{who}: bounds={tuple(bounds)!r}; expected a finite range (low, high) with low < high. The mean of a "
            "variable without bounds has no distribution-free bound: clip it to a range that you state."
        )
    return low, high


def check_bounded(who: str, values: Any, bounds: tuple[float, float]) -> np.ndarray:
    """Return values scaled to [0, 1] from their stated range, of shape (n_samples,)."""
    array = as_floats(who, "values", values)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{who}: values of shape {array.shape}; expected (n_samples,) and at least one value.")
    check_finite(who, "values", array)
    low, high = bounds
    if array.min() < low or array.max() > high:
        raise ValueError(
            f"{who}: values between {array.min():.6g} and {array.max():.6g}; expected the stated range [{low:g}, "
            f"{high:g}]. State a wider range by bounds=, or clip the values to it."
        )
    return np.clip((array - low) / (high - low), 0.0, 1.0)
