"""Scaling of decision function margins to logits."""

from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from ._checks import check_matrix
from ._temperature import softmax_of_rows

SIZE_WITHOUT_LABELS = 2.0
"""Mean difference between the two largest logits without labels: a typical top class has probability 0.88."""

LARGEST_GAP = 20.0
"""Maximum mean difference between the two largest logits."""


def fit_margin_scale(margins: Any, proba: Any = None) -> float:
    r"""Return the factor a > 0 that scales margins to logits.

    Margins (the output of ``decision_function``) rank the classes, but are not calibrated. If ``proba`` is given, a
    minimises the cross-entropy of ``softmax(a * margins)``. This is Platt scaling [1]_ without the shift, so that the
    predicted class does not change. Otherwise, a is chosen so that the mean difference between the two largest logits
    of a row is 2; this is a convention, not an estimate.

    Parameters
    ----------
    margins : array-like of shape (n_samples, n_classes)
        Raw margins; binary margins m are represented by two columns, -m / 2 and m / 2.
    proba : array-like of shape (n_samples, n_classes) or None, default=None
        True labels encoded by :func:`one_hot`, or soft targets. They are smoothed by the weight of one uniform row, so
        that the optimum is finite on separable data.

    Returns
    -------
    scale : float

    Raises
    ------
    ValueError
        If a number is NaN or infinite, if there is a single column, or if the shapes differ.

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
    margins = check_matrix("fit_margin_scale", "margins", margins)
    if margins.shape[1] < 2:
        raise ValueError(
            f"fit_margin_scale: margins has shape {margins.shape}; expected a column for each class. Pass binary "
            "margins m as np.column_stack([-m / 2, m / 2])."
        )
    if proba is not None:
        proba = check_matrix("fit_margin_scale", "proba", proba)
        if proba.shape != margins.shape:
            raise ValueError(
                f"fit_margin_scale: proba has shape {proba.shape}; expected that of margins, {margins.shape}."
            )
    ordered = np.sort(margins, axis=1)
    gap = float(np.mean(ordered[:, -1] - ordered[:, -2]))
    if gap < np.finfo(float).tiny * LARGEST_GAP:
        return 1.0
    if proba is None:
        return SIZE_WITHOUT_LABELS / gap
    n_rows, n_classes = margins.shape
    smooth = (n_rows * proba + 1 / n_classes) / (n_rows + 1)

    def cross_entropy(log_scale: float) -> float:
        fitted = softmax_of_rows(np.exp(log_scale) * margins)
        return float(-np.mean(np.sum(smooth * np.log(np.maximum(fitted, 1e-300)), axis=1)))

    bounds = np.log([1e-3 / gap, LARGEST_GAP / gap])
    return float(np.exp(minimize_scalar(cross_entropy, bounds=bounds, method="bounded").x))
