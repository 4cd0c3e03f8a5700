"""A confidence sequence for the mean of a bounded variable: rows may be added until a promise is met or refuted."""

from numbers import Real
from typing import Any

import numpy as np

from ._confidence import check_bounded, check_bounds, check_share

LARGEST_STAKE = 0.5
"""Largest share of its capital that a bettor on the interval can lose on one value."""

STAKES = 0.9 * 0.6 ** np.arange(8)
"""Shares of their capital that bettors on a promise can lose on one value: one of them is nearly the best."""

N_MEANS = 1_000
"""Number of means that are bet against, denser near the ends of the range."""

ROWS_AT_ONCE = 256


class ConfidenceSequence:
    r"""Confidence bounds for the mean of a bounded variable that hold at all times together.

    Unlike an interval for a fixed number of rows, it may be looked at after each row, and rows may be added until the
    bounds are narrow enough or a promise is met or refuted. Two bettors bet against each mean of a grid, one on larger
    and one on smaller values; a mean is refuted when a capital reaches :math:`2 / \alpha` for the first time. Memory
    does not grow with the number of rows.

    Parameters
    ----------
    confidence : float in (0, 1), default=0.95
        Probability with which all intervals together contain the mean; also that with which a promise that is broken is
        never said to be met, and one that is kept never said to be refuted.
    promise : float or None, default=None
        A mean to decide about, inside ``bounds``: whether the true one is above or below it.
    at_least : bool, default=True
        Whether the promise is that the mean is at least ``promise``, as for agreement, or at most, as for an error.
    bounds : tuple of float, default=(0.0, 1.0)
        Range of the variable, stated before values are seen.

    Attributes
    ----------
    n_rows : int
        Number of values so far.
    mean : float
        Their mean; NaN before the first.
    low, high : float
        Bounds for the true mean.
    decision : {"met", "refuted", "open"}
        Whether the promise is met; the first decision stays. Without a promise, it is always open.

    Raises
    ------
    ValueError
        If an argument is not in its range, or a value lies outside ``bounds``.

    References
    ----------
    I. Waudby-Smith and A. Ramdas: Estimating means of bounded random variables by betting. Journal of the Royal
    Statistical Society B 86 (2024).

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.metrics import ConfidenceSequence
    >>> same_label = np.random.default_rng(0).random(3000) < 0.99
    >>> sequence = ConfidenceSequence(promise=0.97)
    >>> while sequence.decision == "open":
    ...     sequence.update(same_label[sequence.n_rows : sequence.n_rows + 50])
    >>> sequence.decision, sequence.n_rows < 1500, sequence.low < 0.99 < sequence.high
    ('met', True, True)
    """

    def __init__(
        self,
        *,
        confidence: float = 0.95,
        promise: float | None = None,
        at_least: bool = True,
        bounds: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        self.confidence = check_share("ConfidenceSequence", "confidence", confidence)
        self.bounds = check_bounds("ConfidenceSequence", bounds)
        self.promise, self.at_least = self._check_promise(promise), at_least
        self.n_rows, self.decision = 0, "open"
        self._sum = self._squares = 0.0
        means = np.sin(np.pi / 2 * np.arange(1, N_MEANS) / N_MEANS) ** 2
        self._interval = _Bettors(means), _Bettors(1 - means)
        self._capital = np.zeros((2, len(STAKES)))  # logarithms, of bettors on larger and smaller means

    def update(self, values: Any) -> None:
        """Add values of further rows.

        Parameters
        ----------
        values : array-like of shape (n_samples,)
            Independent of earlier ones, in ``bounds``, in an order that does not depend on them.
        """
        if not np.size(values):
            return
        x = check_bounded("ConfidenceSequence", values, self.bounds)
        for start in range(0, len(x), ROWS_AT_ONCE):
            self._add(x[start : start + ROWS_AT_ONCE])

    @property
    def mean(self) -> float:
        """The mean of the values so far."""
        low, high = self.bounds
        return low + (high - low) * self._sum / self.n_rows if self.n_rows else float("nan")

    @property
    def low(self) -> float:
        """The lower bound."""
        return self._value(self._interval[0].largest_refuted(self._threshold(2)))

    @property
    def high(self) -> float:
        """The upper bound."""
        return self._value(1 - self._interval[1].largest_refuted(self._threshold(2)))

    def __repr__(self) -> str:
        said = "" if self.promise is None else f", promise={self.promise:g} is {self.decision}"
        return f"<ConfidenceSequence: {self.low:.4f} to {self.high:.4f} from {self.n_rows} rows{said}>"

    def _add(self, x: np.ndarray) -> None:
        """Let all bettors bet on a few values, each knowing the ones before."""
        n_before = self.n_rows + np.arange(len(x))
        sums, squares = self._sum + np.cumsum(x) - x, self._squares + np.cumsum(x**2) - x**2
        variance = _variance(n_before, sums, squares)
        growth = np.maximum(n_before + 1, 2) * np.log(n_before + 2)
        bets = np.sqrt(2 * self._threshold(2) / (variance * growth))
        for bettors, values in zip(self._interval, (x, 1 - x), strict=True):
            bettors.bet(values, bets[:, None])
        if self.promise is not None:
            self._bet_on_promise(x)
        self.n_rows += len(x)
        self._sum, self._squares = self._sum + float(x.sum()), self._squares + float((x**2).sum())

    def _bet_on_promise(self, x: np.ndarray) -> None:
        """Let bettors with equal shares of the capital bet constant stakes, which no order of the values can ruin."""
        names = ("met", "refuted") if self.at_least else ("refuted", "met")
        for number, (values, name) in enumerate(zip((x, 1 - x), names, strict=True)):
            at = self._scaled(self.promise or 0.0)
            mean = at if number == 0 else 1 - at
            path = self._capital[number] + np.cumsum(np.log1p(STAKES / mean * (values[:, None] - mean)), axis=0)
            self._capital[number] = path[-1]
            together = np.logaddexp.reduce(path, axis=1) - np.log(len(STAKES))
            if self.decision == "open" and together.max() >= self._threshold(1):
                self.decision = name

    def _threshold(self, n_bettors: int) -> float:
        """Return the logarithm of the capital that refutes a mean, with the error probability shared."""
        return float(np.log(n_bettors / (1 - self.confidence)))

    def _check_promise(self, promise: Any) -> float | None:
        if promise is None:
            return None
        low, high = self.bounds
        is_number = isinstance(promise, Real) and not isinstance(promise, bool | np.bool_)
        if not is_number or not low < promise < high:
            raise ValueError(
                f"ConfidenceSequence: promise={promise!r}; expected a number inside the range of the variable, above "
                f"{low:g} and below {high:g}. A promise at its end can never be proved: promise less."
            )
        return float(promise)

    def _scaled(self, value: float) -> float:
        low, high = self.bounds
        return (value - low) / (high - low)

    def _value(self, scaled: float) -> float:
        low, high = self.bounds
        return low + (high - low) * scaled


class _Bettors:
    """Bets against each of several means that the true mean is larger; the capitals are logarithms."""

    def __init__(self, means: np.ndarray) -> None:
        self.means = means
        self.capital = np.zeros(len(means))
        self.most = np.zeros(len(means))

    def bet(self, x: np.ndarray, bets: np.ndarray) -> None:
        """Bet on values, of shape (n_values,), with bets of shape (n_values, 1) that were known before each."""
        bets = np.minimum(bets, LARGEST_STAKE / self.means)
        path = self.capital + np.cumsum(np.log1p(bets * (x[:, None] - self.means)), axis=0)
        self.most, self.capital = np.maximum(self.most, path.max(axis=0)), path[-1]

    def largest_refuted(self, threshold: float) -> float:
        """Return the largest mean that is refuted, or 0."""
        refuted = self.means[self.most >= threshold]
        return float(refuted.max()) if refuted.size else 0.0


def _variance(n_before: np.ndarray, sums: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return the variance of the values before each one, with one prior value of the largest variance."""
    spread = squares - np.where(n_before > 0, sums**2 / np.maximum(n_before, 1), 0.0)
    return (0.25 + np.maximum(spread, 0.0)) / (n_before + 1)
