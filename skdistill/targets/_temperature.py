"""Temperature: between probabilities and logits."""

import numpy as np


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return the probabilities of logits, row by row; both of shape (n_samples, n_classes).

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)

    Returns
    -------
    proba : ndarray of shape (n_samples, n_classes)

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import softmax
    >>> softmax(np.log([[1.0, 3.0]]))
    array([[0.25, 0.75]])
    """
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def centred_logits(proba: np.ndarray, *, floor: float = 0.001) -> np.ndarray:
    r"""Return the logits of probabilities, centred so that each row sums to zero.

    .. math:: z_k = \log p_k - \frac{1}{K} \sum_j \log p_j

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Each row sums to one.
    floor : float in (0, 1), default=0.001
        Probabilities below it are raised to it first: a forest's zero is a small probability, not an impossibility.

    Returns
    -------
    logits : ndarray of shape (n_samples, n_classes)
        ``softmax(logits)`` gives ``proba`` back, up to the floor.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import centred_logits
    >>> centred_logits(np.array([[0.8, 0.2]])).round(3)
    array([[ 0.693, -0.693]])
    """
    logits = np.log(np.maximum(proba, floor))
    return logits - logits.mean(axis=1, keepdims=True)


def soften(proba: np.ndarray, temperature: float) -> np.ndarray:
    r"""Divide the logits by a temperature and return probabilities again [1]_.

    .. math:: p_k(T) = \frac{p_k^{1/T}}{\sum_j p_j^{1/T}}

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities at temperature 1.
    temperature : float > 0
        Above 1 spreads the probability over the classes, below 1 sharpens it. Dimensionless.

    Returns
    -------
    softened : ndarray of shape (n_samples, n_classes)
        Each row sums to one, the order of the classes is kept, and an exact zero stays zero.
        ``soften(soften(p, T), 1 / T)`` is ``p``.

    Notes
    -----
    *Where is the T squared?* The gradient of the cross-entropy between two distributions softened by T shrinks as
    1/T² (once because the logits are divided by T, once because the two distributions move closer). Hinton et al.
    therefore multiply the soft loss by T² before they add it to a hard loss, which does not shrink. Here no two
    losses are added: true labels are blended into the target *before* it is softened, so that the loss is one
    cross-entropy and T² would be a constant factor that changes no minimiser. What remains of it is that a student's
    own penalties weigh relatively more at a high temperature.

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
    if temperature == 1:
        return proba
    powered = (proba / proba.max(axis=1, keepdims=True)) ** (1 / temperature)
    return powered / powered.sum(axis=1, keepdims=True)
