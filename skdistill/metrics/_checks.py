"""Input checks of the metrics; error messages name the metric."""

from typing import Any

import numpy as np

SUM_TOLERANCE = 1e-3
"""Tolerance for the sum of the probabilities of a row, since outputs may be stored in low precision or rounded."""

NEGATIVE_TOLERANCE = 1e-9
"""Tolerance for negative probabilities due to rounding."""


def check_outputs(who: str, names: tuple[str, str], first: Any, second: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return two arrays of outputs as finite floats of equal shape, (n_samples,) or (n_samples, n_outputs)."""
    outputs = as_floats(who, names[0], first), as_floats(who, names[1], second)
    shapes = [array.shape for array in outputs]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"{who}: outputs of shapes {shapes[0]} and {shapes[1]}; expected equal shapes. Pass the outputs of both "
            "models for the same rows, as probabilities or as values for both."
        )
    if len(shapes[0]) not in (1, 2) or 0 in shapes[0]:
        raise ValueError(
            f"{who}: outputs of shape {shapes[0]}; expected (n_samples,) or (n_samples, n_outputs), and at least one "
            "row and column."
        )
    for name, array in zip(names, outputs, strict=True):
        check_finite(who, name, array)
    return outputs


def check_probabilities(who: str, teacher_proba: Any, student_proba: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the normalised probabilities of both models, of shape (n_samples, n_classes)."""
    names = ("teacher_proba", "student_proba")
    for name, given in zip(names, (teacher_proba, student_proba), strict=True):
        shape = as_floats(who, name, given).shape
        if len(shape) == 1:
            raise ValueError(
                f"{who}: {name} has shape {shape}; expected (n_samples, n_classes), one column per class. "
                "Convert probabilities p of the second of two classes with np.column_stack([1 - p, p])."
            )
    teacher, student = check_outputs(who, names, teacher_proba, student_proba)
    return tuple(  # type: ignore[return-value]  # a generator of two
        normalised(who, name, proba) for name, proba in zip(names, (teacher, student), strict=True)
    )


def normalised(who: str, name: str, proba: np.ndarray) -> np.ndarray:
    """Return probabilities whose rows are normalised to sum to one."""
    if proba.min() < -NEGATIVE_TOLERANCE:
        row = int(proba.min(axis=1).argmin())
        raise ValueError(
            f"{who}: {name} has the negative value {proba.min():.4g} in row {row}; expected probabilities. "
            "Convert logits with skdistill.targets.softmax."
        )
    sums = proba.sum(axis=1)
    row = int(np.abs(sums - 1).argmax())
    if abs(sums[row] - 1) > SUM_TOLERANCE:
        raise ValueError(
            f"{who}: row {row} of {name} sums to {sums[row]:.4g}; expected 1, with one column per class. Pass the "
            "output of predict_proba, or divide each row by its sum."
        )
    return np.maximum(proba, 0.0) / np.maximum(proba, 0.0).sum(axis=1, keepdims=True)


def check_row_weights(who: str, sample_weight: Any, n_rows: int) -> np.ndarray:
    """Return the sample weights as floats of shape ``(n_rows,)`` with a positive sum; ``None`` gives ones."""
    if sample_weight is None:
        return np.ones(n_rows)
    weight = as_floats(who, "sample_weight", sample_weight)
    if weight.shape != (n_rows,):
        raise ValueError(f"{who}: sample_weight has shape {weight.shape}; expected {(n_rows,)}, one weight per row.")
    check_finite(who, "sample_weight", weight)
    if weight.min() < 0:
        raise ValueError(f"{who}: sample_weight has {np.sum(weight < 0)} negative weights; expected none.")
    if weight.max() == 0:
        raise ValueError(f"{who}: all values of sample_weight are zero; expected at least one above zero, or None.")
    return weight


def check_count(who: str, name: str, value: Any) -> int:
    """Return an integer of at least one."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{who}: {name}={value!r}; expected an integer of at least 1.")
    return int(value)


def as_floats(who: str, name: str, given: Any) -> np.ndarray:
    """Return an array of floats."""
    if getattr(getattr(given, "dtype", None), "kind", "") == "c" or hasattr(given, "toarray"):
        what = "complex" if not hasattr(given, "toarray") else "a sparse matrix"
        raise ValueError(f"{who}: {name} is {what}; expected an array of real numbers.")
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{who}: {name} cannot be converted to an array of numbers ({error}); expected numeric outputs. "
            "For labels, use agreement."
        ) from None


def check_finite(who: str, name: str, array: np.ndarray) -> None:
    """Raise an error for NaN or infinity."""
    if array.ndim == 0:
        raise ValueError(f"{who}: {name} is a single number, {array}; expected one output for each row.")
    is_finite = np.isfinite(array).all(axis=tuple(range(1, array.ndim)))
    if not is_finite.all():
        raise ValueError(
            f"{who}: {name} has NaN or infinity in {np.sum(~is_finite)} of {len(array)} rows, first in row "
            f"{int(is_finite.argmin())}; expected finite numbers. Remove these rows, or find out why "
            "the model returns such values."
        )
