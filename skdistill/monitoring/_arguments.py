"""What a monitor is given: arrays of numbers and labels, shares and seeds, checked with numpy alone."""

import math
from numbers import Integral, Real
from typing import Any

import numpy as np


def array(who: str, name: str, given: Any) -> np.ndarray:
    """Return an array, if all rows have one length."""
    try:
        return np.asarray(given)
    except ValueError:  # rows of different lengths
        raise ValueError(f"{who}: {name} is no array; expected rows of equal length, one for each row of X.") from None


def numbers(who: str, name: str, given: Any) -> np.ndarray:
    """Return real numbers as floats; objects may hold them, too."""
    values = array(who, name, given)
    try:
        if values.dtype.kind in "fiubO":
            return values.astype(float)
    except (TypeError, ValueError):
        pass
    raise ValueError(f"{who}: {name} of dtype {values.dtype}; expected numbers, as the student returns them.")


def distinct(who: str, labels: np.ndarray) -> list[Any]:
    """Return the distinct labels, if they are of one type."""
    try:
        return np.unique(labels).tolist()
    except TypeError:  # texts beside numbers, or objects
        raise ValueError(f"{who}: teacher_outputs are of several types; expected labels of the student.") from None


def count_rows(who: str, X: Any, n_features: int) -> int:
    """Return the number of rows of a table, or 1 for a single row, whose number of features must be right."""
    is_list = isinstance(X, list | tuple)
    if is_list and (not len(X) or isinstance(X[0], dict) or np.ndim(X[0])):
        return len(X)
    shape: tuple[int, ...] = (len(X),) if is_list else np.shape(X)
    if len(shape) == 2:
        return int(shape[0])
    if shape == (n_features,):
        return 1
    raise ValueError(f"{who}: X of shape {shape}; expected (n_samples, {n_features}), or ({n_features},) for one row.")


def check_finite(who: str, name: str, values: np.ndarray) -> None:
    """Raise an error if a number is NaN or infinite."""
    if not np.isfinite(values).all():
        raise ValueError(f"{who}: {name} that are no finite numbers, such as NaN; expected finite numbers.")


def check_share(name: str, value: Any) -> float:
    """Return a number above 0 and below 1."""
    is_number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if not is_number or not 0 < value < 1:
        raise ValueError(f"Monitor: {name}={value!r}; expected a number above 0 and below 1.")
    return float(value)


def check_positive(name: str, value: Any) -> float:
    """Return a finite number above 0."""
    is_number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if not is_number or not 0 < value < math.inf:
        raise ValueError(f"Monitor: {name}={value!r}; expected a finite number above 0.")
    return float(value)


def check_seed(value: Any) -> int:
    """Return an integer that the choice of rows can be mixed with."""
    if not isinstance(value, Integral) or isinstance(value, bool | np.bool_) or not 0 <= int(value) < 2**64:
        raise ValueError(f"Monitor: random_state={value!r}; expected an integer of at least 0 and below 2**64.")
    return int(value)
