"""Exact bounds for a share of rows: Clopper and Pearson's interval, its p-value, and the number of rows it needs."""

from numbers import Real
from typing import Any

import numpy as np
from scipy.special import betainc, betaincinv

from .._types import Side
from ._confidence import check_share, tails

MOST_ROWS = 100_000_000
"""Largest number of rows that is planned with."""


def clopper_pearson(
    n_events: Any, n_rows: Any, *, confidence: float = 0.95, side: Side = "two-sided"
) -> tuple[np.ndarray, np.ndarray]:
    r"""Exact confidence bounds for a share, from the number of independent rows that have a property.

    The bounds are quantiles of Beta distributions: the lower one is the share for which ``n_events`` or more rows would
    have the property with probability :math:`\alpha` (two-sided: :math:`\alpha / 2`), the upper one that for which
    ``n_events`` or fewer would.

    Parameters
    ----------
    n_events : int or array-like of int
        Number of rows with the property, between 0 and ``n_rows``.
    n_rows : int or array-like of int
        Number of independent rows, at least 1.
    confidence : float in (0, 1), default=0.95
        Probability with which the bounds hold, at least.
    side : {"two-sided", "lower", "upper"}, default="two-sided"
        Which bound is needed. The other one of a one-sided interval is 0 or 1.

    Returns
    -------
    low, high : ndarray
        Bounds in [0, 1], of the common shape of ``n_events`` and ``n_rows``.

    Raises
    ------
    ValueError
        If the numbers are no numbers of rows, or ``confidence`` is not between 0 and 1.

    References
    ----------
    C. J. Clopper and E. S. Pearson: The use of confidence or fiducial limits illustrated in the case of the binomial.
    Biometrika 26 (1934).

    Examples
    --------
    >>> from skdistill.metrics import clopper_pearson
    >>> low, high = clopper_pearson(985, 1000)
    >>> float(low.round(4)), float(high.round(4))
    (0.9754, 0.9916)
    """
    events, rows = _counts("clopper_pearson", n_events, n_rows)
    of_low, of_high = tails("clopper_pearson", confidence, side)
    low, high = np.zeros(events.shape), np.ones(events.shape)
    some, others = events > 0, events < rows
    if of_low:
        low[some] = betaincinv(events[some], rows[some] - events[some] + 1, of_low)
    if of_high:
        high[others] = betaincinv(events[others] + 1, rows[others] - events[others], 1 - of_high)
    return low, high


def binomial_p_value(n_events: Any, n_rows: Any, limit: Any) -> np.ndarray:
    """Exact p-value of the hypothesis that a share is at least ``limit``, to be refuted by few events.

    It is the probability of ``n_events`` or fewer among ``n_rows`` independent rows if the share is ``limit``: the
    probability of this evidence if the promise "the share is below ``limit``" is broken.

    Parameters
    ----------
    n_events, n_rows : int or array-like of int
        Number of rows with the property, and of independent rows.
    limit : float or array-like of float, in (0, 1)
        The share that is promised not to be reached, for example 0.01 for disagreements.

    Returns
    -------
    p_value : ndarray
        In [0, 1], of the common shape of the arguments.

    Raises
    ------
    ValueError
        If the numbers are no numbers of rows, or the limit is not between 0 and 1.

    Examples
    --------
    >>> from skdistill.metrics import binomial_p_value
    >>> float(binomial_p_value(0, 299, 0.01).round(4))
    0.0495
    """
    limit = np.asarray(limit, dtype=float)
    events, rows, limit = np.broadcast_arrays(*_counts("binomial_p_value", n_events, n_rows), limit)
    if not ((limit > 0) & (limit < 1)).all():
        raise ValueError(f"binomial_p_value: limit={limit.tolist()!r}; expected shares above 0 and below 1.")
    return binomial_cdf(events, rows, limit)


def rows_needed(promise: float, *, expected: float = 1.0, confidence: float = 0.95, power: float = 0.8) -> int:
    """Return how many rows a promise about a share needs, such as "agrees on at least 97 % of rows".

    It is the smallest number of rows for which the lower bound of :func:`clopper_pearson` is at least the promise with
    probability ``power`` if the true share is ``expected``. With ``expected=1.0`` it is the number below which no data
    can prove the promise.

    Parameters
    ----------
    promise : float in (0, 1)
        The share that is to be promised.
    expected : float in (promise, 1], default=1.0
        The true share, as it is expected from rows that were used before.
    confidence : float in (0, 1), default=0.95
        Confidence of the promise (one-sided).
    power : float in (0, 1), default=0.8
        Probability that the promise can be made, if the true share is ``expected``.

    Returns
    -------
    n_rows : int

    Raises
    ------
    ValueError
        If a promise cannot be kept by a model with the expected share, or would need more than 100 million rows.

    Examples
    --------
    >>> from skdistill.metrics import rows_needed
    >>> rows_needed(0.99)
    299
    >>> rows_needed(0.97, expected=0.98)
    1542
    """
    alpha = 1 - check_share("rows_needed", "confidence", confidence)
    power = check_share("rows_needed", "power", power)
    check_possible("rows_needed", "promise", promise)
    if not promise < expected <= 1:
        raise ValueError(
            f"rows_needed: expected={expected!r} and promise={promise!r}; expected a share above the promise and at "
            "most 1. No number of rows proves a promise that is not kept: promise less, or teach a better student."
        )
    n_rows = int(np.ceil(np.log(alpha) / np.log(promise) * (1 - 1e-12)))
    if expected == 1:
        return n_rows
    while _power(np.array([n_rows]), promise, expected, alpha)[0] < power:
        n_rows *= 2
        if n_rows > MOST_ROWS:
            raise ValueError(
                f"rows_needed: more than {MOST_ROWS:,} rows would be needed for promise={promise!r} with expected="
                f"{expected!r}; expected a larger difference. Promise less."
            )
    return _first_with_power(n_rows, promise, expected, alpha, power)


def check_possible(who: str, name: str, promise: Any) -> None:
    """Raise an error unless a promised share is one that data can prove."""
    if isinstance(promise, Real) and promise == 1:
        raise ValueError(
            f"{who}: {name}=1.0 cannot be proved by any number of rows, because an event that was never seen may have "
            "a small probability; expected a number above 0 and below 1. Promise e.g. 0.99."
        )
    check_share(who, name, promise)


def binomial_cdf(n_events: np.ndarray, n_rows: np.ndarray, share: Any) -> np.ndarray:
    """Return the probability of at most so many events, for arrays of equal shape."""
    n_others = np.asarray(n_rows - n_events, dtype=float)
    return np.where(n_others > 0, betainc(np.maximum(n_others, 1.0), n_events + 1.0, 1.0 - share), 1.0)


def _counts(who: str, n_events: Any, n_rows: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return numbers of events and rows as floats of equal shape."""
    events, rows = np.broadcast_arrays(np.asarray(n_events), np.asarray(n_rows))
    if events.dtype.kind not in "iu" or rows.dtype.kind not in "iu":
        raise ValueError(
            f"{who}: n_events and n_rows are of dtypes {events.dtype} and {rows.dtype}; expected integers. Weighted "
            "rows are not counted: pass them to betting_interval."
        )
    if (rows < 1).any() or (events < 0).any() or (events > rows).any():
        raise ValueError(
            f"{who}: n_events={events.tolist()!r} of n_rows={rows.tolist()!r}; expected at least one row, and between "
            "0 and all of them."
        )
    return events.astype(float), rows.astype(float)


def _power(n_rows: np.ndarray, promise: float, expected: float, alpha: float) -> np.ndarray:
    """Return the probability that the lower bound reaches the promise, for each number of rows."""
    allowed = most_failures(n_rows, 1 - promise, alpha)
    return np.where(allowed < 0, 0.0, binomial_cdf(np.maximum(allowed, 0), n_rows, 1 - expected))


def most_failures(n_rows: np.ndarray, limit: float, alpha: float) -> np.ndarray:
    """Return the largest number of failures that refutes a share of failures of at least ``limit``; -1 for none."""
    low, high = np.full(n_rows.shape, -1), np.maximum(np.ceil(n_rows * limit), 0).astype(int)
    while (high - low > 1).any():  # the probability grows with the number of failures; high is never refuting
        middle = (low + high) // 2
        refutes = (middle >= 0) & (binomial_cdf(np.maximum(middle, 0), n_rows, limit) <= alpha)
        low, high = np.where(refutes, middle, low), np.where(refutes, high, middle)
    return low


def _first_with_power(most: int, promise: float, expected: float, alpha: float, power: float) -> int:
    """Return the smallest number of rows with enough power; the power grows with it in steps, not evenly."""
    for start in range(max(1, most // 2), most + 1, 100_000):
        n_rows = np.arange(start, min(start + 100_000, most + 1))
        enough = _power(n_rows, promise, expected, alpha) >= power
        if enough.any():
            return int(n_rows[enough.argmax()])
    return most
