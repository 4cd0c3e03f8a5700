"""Margins as logits: how steep a decision function is."""

import numpy as np
from scipy.optimize import minimize_scalar

from ._temperature import softmax

SIZE_WITHOUT_LABELS = 2.0
"""Mean logit gap given to margins when there is no truth to fit it on: a typical row gets a top class of 0.88."""

LARGEST_GAP = 20.0


def fit_margin_scale(margins: np.ndarray, proba: np.ndarray | None = None) -> float:
    r"""Return the factor a > 0 that turns margins into logits.

    A margin (the output of ``decision_function``) orders the classes but says nothing of how sure it is. With
    probabilities to fit, a minimises the cross-entropy of ``softmax(a * margins)``: Platt's scaling [1]_ without the
    shift, so that the top class stays the one the model predicts. Without, a makes the mean gap between the two
    largest margins of a row a logit of 2: a convention, no estimate.

    Parameters
    ----------
    margins : ndarray of shape (n_samples, n_classes)
        Raw margins; binary margins m as the two columns -m / 2 and m / 2.
    proba : ndarray of shape (n_samples, n_classes) or None, default=None
        True labels as :func:`one_hot`, or soft targets. Smoothed by one row's worth against separable data.

    Returns
    -------
    scale : float

    References
    ----------
    .. [1] J. Platt, "Probabilistic outputs for support vector machines", 1999.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import fit_margin_scale
    >>> fit_margin_scale(np.array([[-1.0, 1.0], [2.0, -2.0]]))
    0.6666666666666666
    """
    ordered = np.sort(margins, axis=1)
    gap = float(np.mean(ordered[:, -1] - ordered[:, -2]))
    if gap < np.finfo(float).tiny * LARGEST_GAP:
        return 1.0
    if proba is None:
        return SIZE_WITHOUT_LABELS / gap
    n_rows, n_classes = margins.shape
    smooth = (n_rows * proba + 1 / n_classes) / (n_rows + 1)

    def cross_entropy(log_scale: float) -> float:
        fitted = softmax(np.exp(log_scale) * margins)
        return float(-np.mean(np.sum(smooth * np.log(np.maximum(fitted, 1e-300)), axis=1)))

    bounds = np.log([1e-3 / gap, LARGEST_GAP / gap])
    return float(np.exp(minimize_scalar(cross_entropy, bounds=bounds, method="bounded").x))
