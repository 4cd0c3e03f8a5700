"""The empirical Bernstein bound for the mean of a bounded variable, in closed form."""

from typing import Any

import numpy as np

from .._types import Side
from ._confidence import check_bounded, check_bounds, tails


def bernstein_interval(
    values: Any, *, confidence: float = 0.95, side: Side = "two-sided", bounds: tuple[float, float] = (0.0, 1.0)
) -> tuple[float, float]:
    r"""Empirical Bernstein bounds for the mean of a bounded variable.

    The mean deviates from that of n values with variance V by at most

    .. math:: \sqrt{\frac{2 V \log(2 / \alpha)}{n}} + \frac{7 \log(2 / \alpha)}{3 (n - 1)}

    in units of the range, to one side, with probability :math:`1 - \alpha`. It is a closed form that does not depend on
    the order of the values, and two to four times as wide as :func:`betting_interval` for a few hundred rows.

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        At least two independent values in ``bounds``.
    confidence : float in (0, 1), default=0.95
        Probability with which the bounds hold, at least.
    side : {"two-sided", "lower", "upper"}, default="two-sided"
        Which bound is needed. The other one of a one-sided interval is an end of ``bounds``.
    bounds : tuple of float, default=(0.0, 1.0)
        Range of the variable, stated before values are seen.

    Returns
    -------
    low, high : float

    Raises
    ------
    ValueError
        If a value lies outside ``bounds``, or there is only one.

    References
    ----------
    A. Maurer and M. Pontil: Empirical Bernstein bounds and sample variance penalization. COLT (2009).

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.metrics import bernstein_interval
    >>> low, high = bernstein_interval(np.random.default_rng(0).beta(9, 1, size=1000))
    >>> bool(low < 0.9 < high)
    True
    """
    low, high = check_bounds("bernstein_interval", bounds)
    x = check_bounded("bernstein_interval", values, (low, high))
    if len(x) < 2:
        raise ValueError("bernstein_interval: got 1 value; expected at least 2, since their variance is used.")
    of_low, of_high = tails("bernstein_interval", confidence, side)
    mean, variance = x.mean(), x.var(ddof=1)
    ends = [0.0, 1.0]
    for place, (alpha, sign) in enumerate(((of_low, -1), (of_high, 1))):
        if alpha:
            unit = np.log(2 / alpha)
            ends[place] = mean + sign * (np.sqrt(2 * variance * unit / len(x)) + 7 * unit / (3 * (len(x) - 1)))
    first, last = (float(np.clip(end, 0.0, 1.0)) for end in ends)
    return low + (high - low) * first, low + (high - low) * last
