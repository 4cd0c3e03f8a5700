"""The area under the ROC curve of each pair of classes, with weights, which scikit-learn computes without them only."""

from itertools import combinations

import numpy as np
from sklearn.metrics import roc_auc_score


def auc_of_pairs(y: np.ndarray, proba: np.ndarray, weight: np.ndarray, *, by_prevalence: bool = False) -> float:
    r"""Return the mean area under the ROC curve over all pairs of classes, "one versus one".

    For classes :math:`a` and :math:`b`, it is the mean of two areas on the rows of both: that of the probability of
    :math:`a`, and that of the probability of :math:`b`. With weights of 1, it is the score of scikit-learn; integers
    count as that many equal rows.

    Parameters
    ----------
    y : ndarray of int, shape (n_samples,)
        Columns of the true classes.
    proba : ndarray of shape (n_samples, n_classes)
    weight : ndarray of shape (n_samples,)
    by_prevalence : bool, default=False
        Whether pairs are weighted by the share of their rows (``"roc_auc_ovo_weighted"``).

    Returns
    -------
    area : float
        Without pairs of which a class has no rows; NaN if no pair is left.
    """
    total = np.bincount(y, weights=weight, minlength=proba.shape[1])
    areas, shares = [], []
    for pair in combinations(np.flatnonzero(total).tolist(), 2):
        rows = np.flatnonzero(np.isin(y, pair))
        of_both = [roc_auc_score(y[rows] == each, proba[rows, each], sample_weight=weight[rows]) for each in pair]
        areas.append(np.mean(of_both))
        shares.append(total[list(pair)].sum() if by_prevalence else 1.0)
    return float(np.average(areas, weights=shares)) if areas else float("nan")
