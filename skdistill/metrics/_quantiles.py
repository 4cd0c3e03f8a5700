"""Quantiles and intervals against true values: pinball loss and its skill, coverage, and coverage by slice."""

from typing import Any

import numpy as np

from ._binomial import clopper_pearson
from ._checks import as_floats, check_finite, check_row_weights


def pinball_loss(y_true: Any, values: Any, *, quantiles: Any, sample_weight: Any = None) -> float:
    r"""Mean pinball loss of quantiles, averaged over rows and levels.

    The loss of the quantile :math:`q` at the level :math:`\tau` for the true value :math:`y` is
    :math:`\max(\tau (y - q), (\tau - 1)(y - q))`; the true quantile minimises its mean.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True values.
    values : array-like of shape (n_samples, n_quantiles) or (n_samples,)
        Predicted quantiles.
    quantiles : array-like of shape (n_quantiles,) or float
        Their levels in (0, 1).
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    loss : float
        In the unit of ``y_true``; 0 if all quantiles are equal to the true values.

    Raises
    ------
    ValueError
        If shapes differ, values are NaN or infinite, levels are not in (0, 1), or weights are invalid.

    References
    ----------
    R. Koenker and G. Bassett: Regression Quantiles. Econometrica 46 (1978).

    Examples
    --------
    >>> from skdistill.metrics import pinball_loss
    >>> round(pinball_loss([1.0, 2.0], [[1.0, 2.0], [1.0, 2.0]], quantiles=[0.25, 0.75]), 4)
    0.125
    """
    y, q, levels, weight = _checked("pinball_loss", y_true, values, quantiles, sample_weight)
    return float(np.average(pinball_losses(y, q, levels).mean(axis=1), weights=weight))


def pinball_skill(y_true: Any, values: Any, *, quantiles: Any, sample_weight: Any = None) -> float:
    """Skill of quantiles: 1 - their pinball loss / that of the quantiles of ``y_true``, the best constants.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True values.
    values : array-like of shape (n_samples, n_quantiles) or (n_samples,)
        Predicted quantiles.
    quantiles : array-like of shape (n_quantiles,) or float
        Their levels in (0, 1).
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row, also for the quantiles of ``y_true``.

    Returns
    -------
    skill : float
        1 for the true values, 0 for the best constants; it can be negative. NaN if all true values are equal.

    Raises
    ------
    ValueError
        As for :func:`pinball_loss`.

    Examples
    --------
    >>> from skdistill.metrics import pinball_skill
    >>> pinball_skill(
    ...     [0.0, 1.0, 2.0, 3.0],
    ...     [[0, 0.5], [1, 1.5], [2, 2.5], [3, 3.5]],
    ...     quantiles=[0.25, 0.75],
    ... )
    0.8333333333333334
    """
    y, q, levels, weight = _checked("pinball_skill", y_true, values, quantiles, sample_weight)
    constants = weighted_quantiles(y, weight, levels)
    of_constants = np.average(
        pinball_losses(y, np.broadcast_to(constants, q.shape), levels).mean(axis=1), weights=weight
    )
    if of_constants == 0:
        return float("nan")
    return float(1 - np.average(pinball_losses(y, q, levels).mean(axis=1), weights=weight) / of_constants)


def coverage(y_true: Any, intervals: Any, *, sample_weight: Any = None) -> float:
    """Share of the true values that are inside their intervals, ends included.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True values.
    intervals : array-like of shape (n_samples, 2)
        Lower and upper end for each row; they may be infinite.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    share : float
        In [0, 1].

    Raises
    ------
    ValueError
        If shapes differ, values are NaN, a lower end is above the upper one, or weights are invalid.

    Examples
    --------
    >>> from skdistill.metrics import coverage
    >>> coverage([0.0, 1.0, 5.0, 3.0], [[0, 1], [0, 1], [0, 1], [2, 4]])
    0.75
    """
    is_inside, _ = _inside("coverage", y_true, intervals)
    weight = check_row_weights("coverage", sample_weight, len(is_inside))
    return float(np.average(is_inside, weights=weight))


def coverage_by_slice(y_true: Any, intervals: Any, slices: Any, *, confidence: float = 0.95) -> dict[str, np.ndarray]:
    """Coverage of intervals in each slice of the rows, with exact bounds.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True values.
    intervals : array-like of shape (n_samples, 2)
        Lower and upper end for each row.
    slices : array-like of shape (n_samples,)
        Slice of each row, such as a category or the bin of a number. Its values must be sortable.
    confidence : float in (0, 1), default=0.95
        Confidence of both bounds together, of each slice by itself.

    Returns
    -------
    table : dict of ndarray
        One entry for each slice: ``slice``, ``n_rows``, ``coverage``, the bounds ``low`` and ``high`` after Clopper and
        Pearson, and the mean ``width`` of the intervals. ``pandas.DataFrame(table)`` prints it.

    Raises
    ------
    ValueError
        As for :func:`coverage`, or if ``confidence`` is not in (0, 1).

    References
    ----------
    C. J. Clopper and E. S. Pearson: The use of confidence or fiducial limits illustrated in the case of the binomial.
    Biometrika 26 (1934).

    Examples
    --------
    >>> from skdistill.metrics import coverage_by_slice
    >>> table = coverage_by_slice(
    ...     [0.0, 1.0, 5.0, 3.0], [[0, 1], [0, 1], [0, 1], [2, 4]], ["a", "a", "b", "b"]
    ... )
    >>> {
    ...     name: values.round(3).tolist()
    ...     for name, values in table.items()
    ...     if name not in ("slice", "width")
    ... }
    {'n_rows': [2, 2], 'coverage': [1.0, 0.5], 'low': [0.158, 0.013], 'high': [1.0, 0.987]}
    """
    is_inside, ends = _inside("coverage_by_slice", y_true, intervals)
    if not 0 < confidence < 1:
        raise ValueError(f"coverage_by_slice: confidence={confidence!r}; expected a number above 0 and below 1.")
    given = np.asarray(slices)
    if given.shape != is_inside.shape:
        raise ValueError(
            f"coverage_by_slice: slices has shape {given.shape}; expected {is_inside.shape}, one slice for each row."
        )
    found, place = np.unique(given, return_inverse=True)
    n_rows = np.bincount(place, minlength=len(found))
    n_inside = np.bincount(place, weights=is_inside, minlength=len(found)).astype(np.int64)
    low, high = clopper_pearson(n_inside, n_rows, confidence=confidence)
    with np.errstate(invalid="ignore"):
        width = np.bincount(place, weights=ends[:, 1] - ends[:, 0], minlength=len(found)) / n_rows
    return {
        "slice": found,
        "n_rows": n_rows,
        "coverage": n_inside / n_rows,
        "low": low,
        "high": high,
        "width": width,
    }


def pinball_losses(y: np.ndarray, q: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the loss of each row and level."""
    above = y[:, None] - q
    return np.maximum(levels * above, (levels - 1) * above)


def weighted_quantiles(y: np.ndarray, weight: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the smallest true values up to which the weights reach each level, which minimise the pinball loss."""
    order = np.argsort(y, kind="stable")
    share = np.cumsum(weight[order]) / weight.sum()
    return y[order][np.minimum(np.searchsorted(share, levels), len(y) - 1)]


def _checked(
    who: str, y_true: Any, values: Any, quantiles: Any, sample_weight: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return true values, quantiles of shape (n_samples, n_quantiles), their levels, and weights."""
    y, q = as_floats(who, "y_true", y_true), as_floats(who, "values", values)
    levels = np.atleast_1d(as_floats(who, "quantiles", quantiles))
    if levels.ndim != 1 or not np.all((levels > 0) & (levels < 1)):
        raise ValueError(f"{who}: quantiles={levels.tolist()}; expected levels above 0 and below 1.")
    q = q[:, None] if q.ndim == 1 else q
    if y.ndim != 1 or len(y) == 0 or q.shape != (len(y), len(levels)):
        raise ValueError(
            f"{who}: y_true of shape {y.shape} and values of shape {q.shape} for {len(levels)} levels; expected "
            "(n_samples,) and (n_samples, n_quantiles), and at least one row."
        )
    check_finite(who, "y_true", y)
    check_finite(who, "values", q)
    return y, q, levels, check_row_weights(who, sample_weight, len(y))


def _inside(who: str, y_true: Any, intervals: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return which true values are inside their intervals, and the ends."""
    y, ends = as_floats(who, "y_true", y_true), as_floats(who, "intervals", intervals)
    if y.ndim != 1 or len(y) == 0 or ends.shape != (len(y), 2):
        raise ValueError(
            f"{who}: y_true of shape {y.shape} and intervals of shape {ends.shape}; expected (n_samples,) and "
            "(n_samples, 2), and at least one row."
        )
    check_finite(who, "y_true", y)
    wrong = ~(ends[:, 0] <= ends[:, 1])
    if wrong.any():
        raise ValueError(
            f"{who}: {int(wrong.sum())} intervals have a lower end above the upper one, or NaN, such as "
            f"{ends[wrong][0].tolist()}; expected the lower end first."
        )
    return (ends[:, 0] <= y) & (y <= ends[:, 1]), ends
