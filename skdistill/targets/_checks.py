"""Checks of the arguments of the functions of targets."""

from typing import Any

import numpy as np

from .._described import described, with_article


def check_matrix(who: str, name: str, given: Any) -> np.ndarray:
    """Return finite numbers of shape (n_samples, n_columns) as an array of floats; float arrays are not copied.

    Raises
    ------
    ValueError
        If ``given`` has another shape, or holds something other than finite numbers.
    """
    array = check_floats(who, name, given)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"{who}: {name} has shape {array.shape}; expected (n_samples, n_classes), one column for each class."
        )
    return array


def check_floats(who: str, name: str, given: Any, *, allow_nan: bool = False) -> np.ndarray:
    """Return an array of floats, all finite, or finite or NaN."""
    array = given
    if not (type(given) is np.ndarray and given.dtype.kind == "f"):
        array = np.asarray(given.toarray() if hasattr(given, "toarray") else _as_array(who, name, given))
        if array.ndim == 0 and array.dtype == object:
            raise ValueError(f"{who}: {name} is {described(given)}; expected an array of numbers.")
        if array.dtype.kind not in "biufO":
            raise ValueError(f"{who}: {name} has dtype {array.dtype}; expected real numbers.")
        array = _converted(who, name, array)
    is_good = np.isfinite(array) | np.isnan(array) if allow_nan else np.isfinite(array)
    if not is_good.all():
        what = "infinity" if allow_nan else "NaN or infinity"
        raise ValueError(f"{who}: {name} contains {what}; expected finite numbers.")
    return array


def is_real(value: Any) -> bool:
    """Whether a value is an integer or a float, of Python or of numpy."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def check_positive(who: str, name: str, value: Any) -> float:
    """Return a finite number above zero."""
    if not is_real(value) or not 0 < value < np.inf:
        raise ValueError(f"{who}: {name}={described(value)}; expected a number above 0.")
    return float(value)


def check_share(who: str, name: str, value: Any) -> float:
    """Return a number in [0, 1]."""
    if not is_real(value) or not 0 <= value <= 1:
        raise ValueError(f"{who}: {name}={described(value)}; expected a number from 0 to 1.")
    return float(value)


def _as_array(who: str, name: str, given: Any) -> np.ndarray:
    try:
        return np.asarray(given)
    except (TypeError, ValueError):
        raise ValueError(f"{who}: {name} has rows of different lengths; expected an array of numbers.") from None


def _converted(who: str, name: str, array: np.ndarray) -> np.ndarray:
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError):
        kind = described(array[()]) if array.ndim == 0 else with_article(array)
        raise ValueError(f"{who}: {name} is {kind}, which cannot be converted to numbers; expected numbers.") from None
