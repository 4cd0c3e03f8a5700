"""A bound for a quantile of the deviation that needs no assumption about its distribution."""

from typing import Any

import numpy as np

from ._binomial import check_possible, most_failures, rows_needed
from ._checks import as_floats, check_finite
from ._confidence import check_share


def quantile_bound(deviations: Any, *, share: float = 0.99, confidence: float = 0.95) -> float:
    """Return a deviation that at least a given share of all rows does not exceed.

    It is one of the observed deviations: of n independent rows, the number of those above the quantile is binomial, so
    the largest number k of rows that may be above the bound is known, and the bound is the deviation below which all
    but k rows are. Nothing is assumed about the distribution; ties make the statement only safer.

    Parameters
    ----------
    deviations : array-like of shape (n_samples,)
        Deviations of independent rows, for example absolute differences between teacher and student.
    share : float in (0, 1), default=0.99
        Share of all rows that the bound is for.
    confidence : float in (0, 1), default=0.95
        Probability with which the bound holds, at least (one-sided).

    Returns
    -------
    bound : float
        In units of the deviations.

    Raises
    ------
    ValueError
        If there are too few rows for this share, which the message names; if a deviation is NaN or infinite.

    References
    ----------
    S. S. Wilks: Determination of sample sizes for setting tolerance limits. Annals of Mathematical Statistics 12
    (1941).

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.metrics import quantile_bound
    >>> quantile_bound(np.arange(1, 1001) / 1000, share=0.9)
    0.916
    """
    values = as_floats("quantile_bound", "deviations", deviations)
    if values.ndim != 1:
        raise ValueError(f"quantile_bound: deviations of shape {values.shape}; expected (n_samples,).")
    check_finite("quantile_bound", "deviations", values)
    check_possible("quantile_bound", "share", share)
    alpha = 1 - check_share("quantile_bound", "confidence", confidence)
    n_above = int(most_failures(np.array([len(values)]), 1 - share, alpha)[0])
    if n_above < 0:
        needed = rows_needed(share, confidence=confidence)
        raise ValueError(
            f"quantile_bound: {len(values)} rows cannot bound the deviation of {share:g} of all rows with confidence "
            f"{confidence:g}; expected at least {needed}. Pass more rows, or a smaller share."
        )
    return float(np.partition(values, len(values) - 1 - n_above)[len(values) - 1 - n_above])
