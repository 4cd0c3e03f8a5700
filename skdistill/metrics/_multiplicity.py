"""Several tests at once: Holm's procedure, and testing in a fixed sequence."""

from typing import Any

import numpy as np

from ._checks import as_floats, check_count
from ._confidence import check_share


def holm(p_values: Any, *, confidence: float = 0.95) -> np.ndarray:
    """Return which of several hypotheses are refuted, all statements together with the given confidence.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)
        In [0, 1]; the tests may depend on each other in any way.
    confidence : float in (0, 1), default=0.95
        Probability that no true hypothesis is among those refuted, at least.

    Returns
    -------
    refuted : ndarray of bool, shape (n_tests,)

    Raises
    ------
    ValueError
        If the p-values are not in [0, 1].

    References
    ----------
    S. Holm: A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6 (1979).

    Examples
    --------
    >>> from skdistill.metrics import holm
    >>> holm([0.03, 0.001, 0.02]).tolist()
    [True, True, True]
    >>> holm([0.04, 0.001, 0.03]).tolist()
    [False, True, False]
    """
    p = _p_values("holm", p_values)
    alpha = 1 - check_share("holm", "confidence", confidence)
    order = np.argsort(p, kind="stable")
    passes = p[order] <= alpha / np.arange(len(p), 0, -1)
    refuted = np.zeros(len(p), dtype=bool)
    refuted[order] = np.logical_and.accumulate(passes)
    return refuted


def fixed_sequence(p_values: Any, *, confidence: float = 0.95, n_starts: int = 1) -> np.ndarray:
    """Return which hypotheses are refuted if they are tested in the given order, until one is not refuted.

    No correction is needed for the number of tests, but for that of the starts, because the first true hypothesis after
    each start is the only one at which an error can be made. The order must not depend on the rows of the test. A
    threshold may so be chosen and certified on the same rows: order the thresholds from the safest to the boldest, and
    take the last one that is refuted to be worse than promised.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)
        In [0, 1], in the order of the tests, with valid p-values for each single test.
    confidence : float in (0, 1), default=0.95
        Probability that no true hypothesis is among those refuted, at least.
    n_starts : int >= 1, default=1
        Number of evenly spaced positions at which testing starts, each with an equal part of the error probability.

    Returns
    -------
    refuted : ndarray of bool, shape (n_tests,)

    Raises
    ------
    ValueError
        If the p-values are not in [0, 1], or there are fewer tests than starts.

    References
    ----------
    A. N. Angelopoulos, S. Bates, E. J. Candès, M. I. Jordan and L. Lei: Learn then test: calibrating predictive
    algorithms to achieve risk control. Annals of Applied Statistics 19 (2025).

    Examples
    --------
    >>> from skdistill.metrics import fixed_sequence
    >>> fixed_sequence([0.001, 0.04, 0.2, 0.01]).tolist()
    [True, True, False, False]
    """
    p = _p_values("fixed_sequence", p_values)
    n_starts = check_count("fixed_sequence", "n_starts", n_starts)
    if n_starts > len(p):
        raise ValueError(f"fixed_sequence: n_starts={n_starts} for {len(p)} tests; expected at most one start a test.")
    passes = p <= (1 - check_share("fixed_sequence", "confidence", confidence)) / n_starts
    refuted = np.zeros(len(p), dtype=bool)
    for start in (len(p) * np.arange(n_starts)) // n_starts:
        refuted[start:] |= np.logical_and.accumulate(passes[start:])
    return refuted


def _p_values(who: str, p_values: Any) -> np.ndarray:
    p = as_floats(who, "p_values", p_values)
    if p.ndim != 1 or not p.size or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"{who}: p_values={p.tolist()!r}; expected at least one number in [0, 1], in a flat array.")
    return p
