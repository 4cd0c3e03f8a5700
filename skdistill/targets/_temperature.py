"""Softmax, centred logits, and softening of probabilities by a temperature."""

from typing import Any

import numpy as np

from ._checks import check_matrix, check_positive


def softmax(logits: Any) -> np.ndarray:
    """Return the softmax of each row of logits.

    Parameters
    ----------
    logits : array-like of shape (n_samples, n_classes)

    Returns
    -------
    proba : ndarray of shape (n_samples, n_classes)

    Raises
    ------
    ValueError
        If a logit is NaN or infinite, or if the shape is another.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import softmax
    >>> softmax(np.log([[1.0, 3.0]]))
    array([[0.25, 0.75]])
    """
    return softmax_of_rows(check_matrix("softmax", "logits", logits))


def softmax_of_rows(logits: np.ndarray) -> np.ndarray:
    """Return the softmax of each row of an array, which is not checked."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def centred_logits(proba: Any, *, floor: float = 0.001) -> np.ndarray:
    r"""Return the logits of probabilities, centred so that each row has sum zero.

    .. math:: z_k = \log p_k - \frac{1}{K} \sum_j \log p_j

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Each row sums to one.
    floor : float in (0, 1), default=0.001
        Probabilities below the floor are replaced by it: a forest can return zero for classes that are possible.

    Returns
    -------
    logits : ndarray of shape (n_samples, n_classes)
        ``softmax(logits)`` equals ``proba`` up to the floor.

    Raises
    ------
    ValueError
        If a probability is NaN or infinite, if the shape is another, or if the floor is not above zero.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import centred_logits
    >>> centred_logits(np.array([[0.8, 0.2]])).round(3)
    array([[ 0.693, -0.693]])
    """
    floor = check_positive("centred_logits", "floor", floor)
    logits = np.log(np.maximum(check_matrix("centred_logits", "proba", proba), floor))
    return logits - logits.mean(axis=1, keepdims=True)


def soften(proba: Any, temperature: float) -> np.ndarray:
    r"""Return the probabilities of the logits divided by a temperature [1]_.

    .. math:: p_k(T) = \frac{p_k^{1/T}}{\sum_j p_j^{1/T}}

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probabilities at temperature 1.
    temperature : float > 0
        Temperatures above 1 make the distribution more uniform, temperatures below 1 concentrate it. Dimensionless.

    Returns
    -------
    softened : ndarray of shape (n_samples, n_classes)
        Softened probabilities. Each row sums to one, the ranking of the classes is preserved, and zeros remain zero.
        ``soften(soften(p, T), 1 / T)`` equals ``p``.

    Raises
    ------
    ValueError
        If the temperature is not a finite number above zero, or ``proba`` are no probabilities.

    Notes
    -----
    The gradient of the cross-entropy between two distributions softened by T is proportional to 1/T²: the logits are
    divided by T, and the difference between the distributions shrinks with 1/T. Hinton et al. therefore multiply the
    soft loss by T² before they add it to a hard loss, which has no such factor. This package does not add two losses:
    true labels are blended into the targets *before* they are softened. T² would then be a constant factor that does
    not change the minimiser, except that the regularisation of a student has a larger relative weight at a high
    temperature.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network", 2015, arXiv:1503.02531.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import soften
    >>> soften(np.array([[0.8, 0.2]]), temperature=2.0).round(3)
    array([[0.667, 0.333]])
    """
    temperature = check_positive("soften", "temperature", temperature)
    proba = check_matrix("soften", "proba", proba)
    if proba.min() < 0 or not proba.max(axis=1).min() > 0:
        raise ValueError(
            "soften: proba has negative numbers or rows of zeros; expected probabilities. Convert logits with softmax."
        )
    return soften_rows(proba, temperature)


def soften_rows(proba: np.ndarray, temperature: float) -> np.ndarray:
    """Return the softened probabilities of arguments that are not checked."""
    if temperature == 1:
        return proba
    powered = (proba / proba.max(axis=1, keepdims=True)) ** (1 / temperature)
    return powered / powered.sum(axis=1, keepdims=True)
