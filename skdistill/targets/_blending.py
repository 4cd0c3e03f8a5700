"""Blending soft targets with true labels."""

from typing import Any

import numpy as np

from .._described import described
from ._checks import check_floats, check_share


def one_hot(labels: Any, classes: Any) -> np.ndarray:
    """Return one-hot encoded labels of shape (n_samples, n_classes).

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        Labels, each of which is in ``classes``.
    classes : array-like of shape (n_classes,)
        Sorted, unique labels.

    Raises
    ------
    ValueError
        If a label is not in ``classes``.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import one_hot
    >>> one_hot(np.array(["b", "a"]), np.array(["a", "b"]))
    array([[0., 1.],
           [1., 0.]])
    """
    labels, classes = (_one_axis(name, given) for name, given in (("labels", labels), ("classes", classes)))
    known = np.isin(labels, classes)
    if not known.all():
        unknown = labels[~known] if labels.dtype == object else np.unique(labels[~known])
        unknown = list(dict.fromkeys(unknown.tolist()))[:5]
        raise ValueError(f"unknown labels {unknown}; known are {classes.tolist()}")
    return np.eye(len(classes))[np.searchsorted(classes, labels)]


def _one_axis(name: str, given: Any) -> np.ndarray:
    array = np.asarray(given)
    if array.ndim != 1:
        raise ValueError(f"one_hot: {name} is {described(given)}; expected one label after another, in one axis.")
    return array


def blend(soft: Any, hard: Any, soft_weight: float) -> np.ndarray:
    """Return the weighted mean of soft and hard targets, ``soft_weight * soft + (1 - soft_weight) * hard``.

    Parameters
    ----------
    soft : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Outputs of the teacher at temperature 1.
    hard : array-like of the same shape
        True values, or true labels encoded by :func:`one_hot`. Entries that are NaN are replaced by the soft targets.
    soft_weight : float in [0, 1]
        Weight of the soft targets: 1 ignores the hard targets, 0 ignores the soft targets.

    Raises
    ------
    ValueError
        If the shapes differ, if a number is infinite, or if ``soft_weight`` is not in [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import blend
    >>> blend(np.array([[0.6, 0.4]]), np.array([[1.0, 0.0]]), soft_weight=0.5)
    array([[0.8, 0.2]])
    """
    soft_weight = check_share("blend", "soft_weight", soft_weight)
    soft, hard = check_floats("blend", "soft", soft), check_floats("blend", "hard", hard, allow_nan=True)
    if soft.shape != hard.shape:
        raise ValueError(f"blend: soft and hard have shapes {soft.shape} and {hard.shape}; expected equal shapes.")
    if soft_weight == 1:
        return soft
    return np.where(np.isnan(hard), soft, soft_weight * soft + (1 - soft_weight) * hard)
