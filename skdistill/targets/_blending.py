"""Blending soft targets with true labels."""

import numpy as np


def one_hot(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return one-hot encoded labels of shape (n_samples, n_classes).

    Parameters
    ----------
    labels : ndarray of shape (n_samples,)
        Labels, each of which is in ``classes``.
    classes : ndarray of shape (n_classes,)
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
    known = np.isin(labels, classes)
    if not known.all():
        raise ValueError(f"unknown labels {np.unique(labels[~known])[:5].tolist()}; known are {classes.tolist()}")
    return np.eye(len(classes))[np.searchsorted(classes, labels)]


def blend(soft: np.ndarray, hard: np.ndarray, soft_weight: float) -> np.ndarray:
    """Return the weighted mean of soft and hard targets, ``soft_weight * soft + (1 - soft_weight) * hard``.

    Parameters
    ----------
    soft : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Outputs of the teacher at temperature 1.
    hard : ndarray of the same shape
        True values, or true labels encoded by :func:`one_hot`. Entries that are NaN are replaced by the soft targets.
    soft_weight : float in [0, 1]
        Weight of the soft targets: 1 ignores the hard targets, 0 ignores the soft targets.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import blend
    >>> blend(np.array([[0.6, 0.4]]), np.array([[1.0, 0.0]]), soft_weight=0.5)
    array([[0.8, 0.2]])
    """
    if soft_weight == 1:
        return soft
    return np.where(np.isnan(hard), soft, soft_weight * soft + (1 - soft_weight) * hard)
