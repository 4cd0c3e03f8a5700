"""Confidence intervals for the mean of a bounded variable, by betting against each value of the mean."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import betainc, betaincinv, log_ndtr, ndtri

from .._types import Side
from ._confidence import check_bounded, check_bounds, tails
from ._weights import bounded_weights

MOST_VALUES = 20_000
"""More values are averaged in groups of neighbours, whose means are bounded and have the same mean."""

LARGEST_STAKE = 0.9
"""Largest share of its capital that a bettor can lose on one value."""

PRIOR_VARIANCE = 0.25
"""Variance of one value before any is seen: the largest of a variable in [0, 1]."""

OVERSHOOT = 1.03
"""Factor of the capital that bets aim at, because values are discrete and the variance is estimated."""

N_BLOCKS = 32
"""Number of times at which bets look at the capital."""

SHARE_OF_START = 0.02
"""Share of the error probability for the bound at which the scan of means starts."""

MEANS_AT_ONCE, GAINS_AT_ONCE = 64, 65_536
"""Number of means that are scanned together, and of their gains; more means for few rows."""

STEP = 0.003
"""Distance of neighbouring means of the scan, in standard errors of a variable with values 0 and 1, halved."""

N_BISECTIONS = 60


def betting_interval(
    values: Any,
    *,
    confidence: float = 0.95,
    side: Side = "two-sided",
    bounds: tuple[float, float] = (0.0, 1.0),
    sample_weight: Any = None,
    max_weight: float | None = None,
) -> tuple[float, float]:
    r"""Confidence bounds for the mean of a bounded variable, valid for any number of rows and any distribution.

    A bettor starts with a capital of 1 and bets against the hypothesis that the mean is at most m: the capital is
    multiplied by :math:`1 + \lambda_t (x_t - m)` for each value, where the bet :math:`\lambda_t \in [0, 0.9 / m]`
    depends on earlier values only. If the hypothesis is true, the capital exceeds :math:`1 / \alpha` with a probability
    of at most :math:`\alpha`; the lower bound is the largest mean up to which all are refuted. The bets are those that
    would replicate, if values were normal, the most powerful test for this number of rows,

    .. math:: \lambda_t = \frac{\varphi(u_t)}{\Phi(u_t)\, s_t \sqrt{n - t + 1}}, \qquad
        \Phi(u_t) = \alpha K_{t-1},

    with the capital K and the standard deviation s of the values so far. As long as all values are zeros and ones (and,
    with weights, of the largest weight), bets replicate the exact binomial test instead. If all of them are, intervals
    are hardly wider than those of Clopper and Pearson, up to 20,000 rows.

    Parameters
    ----------
    values : array-like of shape (n_samples,)
        Independent values in ``bounds``, in an order that does not depend on them.
    confidence : float in (0, 1), default=0.95
        Probability with which the bounds hold, at least.
    side : {"two-sided", "lower", "upper"}, default="two-sided"
        Which bound is needed. The other one of a one-sided interval is an end of ``bounds``.
    bounds : tuple of float, default=(0.0, 1.0)
        Range of the variable, stated before values are seen.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight w of each row; the mean is then E[w x] / E[w], as with importance weights.
    max_weight : float > 0 or None, default=None
        Largest weight that any row can have, stated before weights are seen. Needed if weights differ.

    Returns
    -------
    low, high : float

    Raises
    ------
    ValueError
        If a value lies outside ``bounds``, or weights have no stated bound.

    References
    ----------
    I. Waudby-Smith and A. Ramdas: Estimating means of bounded random variables by betting. Journal of the Royal
    Statistical Society B 86 (2024).

    V. Voráček and F. Orabona: STaR-bets: sequential target-recalculating bets for tighter confidence intervals.
    Advances in Neural Information Processing Systems (2025).

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.metrics import betting_interval
    >>> values = np.random.default_rng(0).beta(9, 1, size=1000)
    >>> low, high = betting_interval(values)
    >>> bool(low < 0.9 < high), bool(high - low < 0.02)
    (True, True)
    """
    low, high = check_bounds("betting_interval", bounds)
    x = check_bounded("betting_interval", values, (low, high))
    weight = bounded_weights("betting_interval", sample_weight, max_weight, len(x))
    of_low, of_high = tails("betting_interval", confidence, side)
    from_low = _lower_bound(x, weight, of_low) if of_low else 0.0
    from_high = 1 - _lower_bound(1 - x, weight, of_high) if of_high else 1.0
    return low + (high - low) * from_low, low + (high - low) * from_high


def _lower_bound(x: np.ndarray, weight: np.ndarray, alpha: float) -> float:
    """Return the lower bound for the mean of a variable in [0, 1] that fails with probability ``alpha`` at most."""
    game = _Game(*_averaged(x, weight))
    start = _largest_refuted(game, SHARE_OF_START * alpha)
    alpha, bound = (1 - SHARE_OF_START) * alpha, start
    if game.n_leading == len(game.x):
        return max(start, _binomial_bound(int(game.x.sum()), len(game.x), alpha))
    for means in _means_above(start, len(game.x)):
        # the bound exceeds the true mean only if the start does, or if the point of the fixed grid after it is refuted
        refuted = np.logical_and.accumulate(game.most_capital(means, alpha) >= -np.log(alpha))
        if refuted.any():
            bound = float(means[refuted][-1])
        if not refuted.all():
            break
    return bound


def _averaged(x: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return values and weights of at most ``MOST_VALUES`` groups of neighbouring rows."""
    if len(x) <= MOST_VALUES:
        return x, weight
    starts = (len(x) * np.arange(MOST_VALUES)) // MOST_VALUES
    sizes = np.diff([*starts, len(x)])
    of_group = np.add.reduceat(weight, starts)
    mean = np.add.reduceat(weight * x, starts) / np.where(of_group > 0, of_group, 1.0)
    return np.clip(mean, 0.0, 1.0), of_group / sizes


def _binomial_bound(n_ones: int, n_rows: int, alpha: float) -> float:
    """Return the largest mean of the grid that the exact test of zeros and ones refutes, where a scan would end."""
    step = STEP / np.sqrt(n_rows)
    refuted = float(betaincinv(n_ones, n_rows - n_ones + 1, alpha)) if n_ones else 0.0
    return float(np.sin(step * np.floor(np.arcsin(np.sqrt(refuted)) / step)) ** 2)


def _largest_refuted(game: "_Game", alpha: float) -> float:
    """Return the largest mean, or 0, that is refuted by bets whose capital falls with the mean."""
    low, high = 0.0, 1.0
    for _ in range(N_BISECTIONS):
        middle = (low + high) / 2
        if game.capital_of_plain_bets(middle, alpha) >= -np.log(alpha):
            low = middle
        else:
            high = middle
    return low


def _means_above(start: float, n_rows: int) -> Iterator[np.ndarray]:
    """Yield the points above ``start`` of a grid that only depends on the number of rows, denser near 0 and 1."""
    step, at_once = STEP / np.sqrt(n_rows), min(max(GAINS_AT_ONCE // n_rows, MEANS_AT_ONCE), 8 * MEANS_AT_ONCE)
    first, last = int(np.arcsin(np.sqrt(start)) / step) + 1, int(np.pi / 2 / step)
    for number in range(first, last + 1, at_once):
        yield np.sin(step * np.arange(number, min(number + at_once, last + 1))) ** 2


class _Game:
    """Bets against means of a variable in [0, 1] with weights in [0, 1]; capitals are logarithms."""

    def __init__(self, x: np.ndarray, weight: np.ndarray) -> None:
        self.x, self.weight = x, weight
        self.n_leading = _n_leading(x, weight)
        self.deviation = _deviation_before(x, weight)

    def capital_of_plain_bets(self, mean: float, alpha: float) -> float:
        """Return the final capital of bets that depend on the mean by their largest size only, so it falls with it."""
        bets = np.sqrt(2 * np.log(1 / alpha) / len(self.x)) / self.deviation
        bets = np.minimum(bets, LARGEST_STAKE / max(mean, 1e-300))
        return float(np.log1p(bets * self.weight * (self.x - mean)).sum())

    def most_capital(self, means: np.ndarray, alpha: float) -> np.ndarray:
        """Return the largest capital at any time, for each mean, of bets that replicate the most powerful test."""
        capital, n_rows, first = self._capital_of_leading(means, alpha), len(self.x), self.n_leading
        most, largest = capital.copy(), (LARGEST_STAKE / means)[:, None]
        shares = 1 - (1 - np.arange(N_BLOCKS + 1) / N_BLOCKS) ** 2
        ends = np.unique(first + np.ceil((n_rows - first) * shares).astype(int))
        for start, end in pairwise(ends.tolist()):
            part = slice(start, end)
            gain = self.weight[part] * (self.x[part] - means[:, None])
            before = np.cumsum(gain, axis=1) - gain
            aim = np.minimum(capital, -np.log(alpha)) + np.log(alpha / OVERSHOOT)
            root_left = np.sqrt(n_rows - np.arange(start, end))
            score = ndtri(np.exp(aim))[:, None] * np.sqrt(n_rows - start) + before / self.deviation[part]
            score = np.clip(score / root_left, -30.0, 30.0)
            bets = np.exp(-(score**2) / 2 - log_ndtr(score)) / np.sqrt(2 * np.pi) / (self.deviation[part] * root_left)
            path = capital[:, None] + np.cumsum(np.log1p(np.minimum(bets, largest) * gain), axis=1)
            most, capital = np.maximum(most, path.max(axis=1)), path[:, -1]
        return most

    def _capital_of_leading(self, means: np.ndarray, alpha: float) -> np.ndarray:
        r"""Return the capital after the leading zeros and ones.

        It is the probability, if the mean is that one, that there are at least as many ones in all as the exact test
        needs, given those so far, divided by that before the first value. This is a capital of bets on each value, and
        :math:`1 / \alpha` or more after the last one if there are enough ones, else 0.
        """
        if not self.n_leading:
            return np.zeros(len(means))
        n_rows, n_left = len(self.x), len(self.x) - self.n_leading
        needed = _ones_needed(n_rows, means, alpha)
        left = needed - int(self.x[: self.n_leading].sum())
        with np.errstate(divide="ignore", invalid="ignore"):
            capital = np.log(_tail(left, n_left, means)) - np.log(_tail(needed, n_rows, means))
        return np.where(needed > n_rows, 0.0, capital)  # no number of ones refutes the mean: no bets


def _n_leading(x: np.ndarray, weight: np.ndarray) -> int:
    """Return how many of the first values are zeros and ones of the largest weight; none if there are too many values.

    Whether there are too many is known before values are, as all that bets depend on.
    """
    if len(x) >= MOST_VALUES:
        return 0
    is_other = ((x != 0) & (x != 1)) | (weight != 1)
    return int(is_other.argmax()) if is_other.any() else len(x)


def _ones_needed(n_rows: int, means: np.ndarray, alpha: float) -> np.ndarray:
    """Return the smallest number of ones that has a probability of at most ``alpha`` for each mean, by bisection."""
    too_few, enough = np.zeros(len(means), dtype=int), np.full(len(means), n_rows + 1)
    while (enough - too_few > 1).any():
        middle = (too_few + enough) // 2
        is_enough = _tail(middle, n_rows, means) <= alpha
        too_few, enough = np.where(is_enough, too_few, middle), np.where(is_enough, middle, enough)
    return enough


def _tail(n_ones: np.ndarray, n_rows: int, means: np.ndarray) -> np.ndarray:
    """Return the probability of at least so many ones."""
    inside = np.clip(n_ones, 1, n_rows)
    return np.where(n_ones < 1, 1.0, np.where(n_ones > n_rows, 0.0, betainc(inside, n_rows - inside + 1, means)))


def _deviation_before(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the standard deviation of the gains that is estimated before each value, around the mean so far."""
    sums = [np.cumsum(part) - part for part in (weight, weight * x, weight**2, weight**2 * x, (weight * x) ** 2)]
    of_weight, of_value, squares, mixed, of_square = sums
    mean = np.where(of_weight > 0, of_value / np.where(of_weight > 0, of_weight, 1.0), 0.5)
    total = np.maximum(of_square - 2 * mean * mixed + mean**2 * squares, 0.0)
    return np.sqrt((PRIOR_VARIANCE + total) / (1 + np.arange(len(x))))
