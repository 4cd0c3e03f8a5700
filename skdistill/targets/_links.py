"""Link functions of values: from values within bounds to scores without bounds, which students are fitted to."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from .._described import described
from .._ordering import ORDERS, ordered
from .._suggesting import did_you_mean

INVERSES = {"identity": "identity", "log": "exp", "logit": "logistic"}
"""Names of the links, and of their inverses in compiled models."""

DEFAULT_BOUNDS = {"identity": (-np.inf, np.inf), "log": (0.0, np.inf), "logit": (0.0, 1.0)}

SHARE_FLOOR = 0.001
"""Values within this share of the range of a bound of the logit are moved away from it, as probabilities are."""

LOG_FLOOR = 1e-6
"""Values below this share of their mean have no part in how small the smallest value may be."""


@dataclass(frozen=True)
class TargetLink:
    r"""A link from values :math:`t` to scores :math:`s`, and the bounds of the values.

    ============  ======================================  =====================
    name          score                                   bounds
    ============  ======================================  =====================
    ``identity``  :math:`t`                               none, one or two
    ``log``       :math:`\log(t - low)`                   low, and high or none
    ``logit``     :math:`\log((t - low) / (high - t))`    two
    ============  ======================================  =====================

    Parameters
    ----------
    name : {"identity", "log", "logit"}, default="identity"
        The link function.
    low : float, default=-inf
        Lower bound of the values. :meth:`of` knows the usual bounds of each link.
    high : float, default=inf
        Upper bound of the values.
    order : {"increasing", "decreasing", "mean_std"} or None, default=None
        Order of the values of several outputs in each row. ``"mean_std"`` stands for means followed by as many standard
        deviations, which are not negative.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.targets import TargetLink
    >>> TargetLink.of("log").scores(np.array([1.0, np.e]))
    array([0., 1.])
    >>> TargetLink.of("identity", (0, 1)).clipped(np.array([-0.5, 0.25]))
    array([0.  , 0.25])
    """

    name: str = "identity"
    low: float = -np.inf
    high: float = np.inf
    order: str | None = None

    @classmethod
    def of(cls, name: str, bounds: Any = None, order: str | None = None, *, who: str = "TargetLink") -> "TargetLink":
        """Return a link after checking its name, its bounds and its order.

        Parameters
        ----------
        name : {"identity", "log", "logit"}
        bounds : (low, high) or None, default=None
            ``None``, for both or for one of them, is the usual bound: 0 for the log, 0 and 1 for the logit.
        order : {"increasing", "decreasing", "mean_std"} or None, default=None
            Order of the values of several outputs.
        who : str, default="TargetLink"
            Name of the caller in messages.

        Raises
        ------
        ValueError
            If the name or the order is unknown, or the bounds are no increasing numbers, or infinite where the link
            needs a bound.
        """
        if not isinstance(name, str) or name not in INVERSES:
            raise ValueError(
                f"{who}: link={described(name)}; expected one of {list(INVERSES)}.{did_you_mean(name, INVERSES)}"
            )
        low, high = DEFAULT_BOUNDS[name] if bounds is None else _read_bounds(bounds, DEFAULT_BOUNDS[name], who)
        needed = {"identity": [], "log": [low], "logit": [low, high]}[name]
        if not np.all(np.isfinite(needed)):
            raise ValueError(
                f"{who}: bounds={bounds!r}; expected {'a finite lower bound' if name == 'log' else 'finite bounds'} "
                f"for link={name!r}. Pass numbers, or link='identity'."
            )
        if order is not None and not (isinstance(order, str) and order in ORDERS):
            raise ValueError(
                f"{who}: order={described(order)}; expected one of {list(ORDERS)}, or None."
                f"{did_you_mean(order, ORDERS)}"
            )
        return cls(name, low, high, order)

    @property
    def is_plain(self) -> bool:
        """Whether scores are values, without bounds and without an order."""
        return self.name == "identity" and self.bounds is None and self.order is None

    @property
    def inverse(self) -> str:
        """Name of the inverse link in compiled models."""
        return INVERSES[self.name]

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Both bounds, of which one may be infinite; ``None`` without any."""
        return None if np.isinf(self.low) and np.isinf(self.high) else (self.low, self.high)

    def is_inside(self, values: np.ndarray) -> np.ndarray:
        """Return which values are not outside the bounds; missing values are inside."""
        return ~((values < self.low) | (values > self.high))

    def check(self, values: np.ndarray, who: str, name: str, advice: str = "") -> None:
        """Raise a ``ValueError`` if values are outside the bounds; missing values are not."""
        outside = ~self.is_inside(values)
        if outside.any():
            kind = "" if self.name == "identity" else f" for link={self.name!r}"
            advice = advice or "Pass other bounds, or another link."
            raise ValueError(
                f"{who}: {name} has {int(outside.sum()):,} values outside the bounds, such as "
                f"{float(values[outside][0]):g}; expected values in [{self.low:g}, {self.high:g}]{kind}. {advice}"
            )

    def check_count(self, n_outputs: int, who: str, name: str) -> None:
        """Raise a ``ValueError`` if an order is not possible for a number of outputs."""
        if self.order is not None and (n_outputs < 2 or (self.order == "mean_std" and n_outputs % 2)):
            expected = "an even number of columns" if self.order == "mean_std" else "at least 2 columns"
            raise ValueError(
                f"{who}: {name} has {n_outputs} columns with the order {self.order!r}; expected {expected}. Pass no "
                "order, or another one."
            )

    def in_order(self, values: np.ndarray) -> np.ndarray:
        """Return the values of shape (n_samples, n_outputs), each row in order."""
        return ordered(values, self.order)

    def clipped(self, values: np.ndarray) -> np.ndarray:
        """Return the values, those outside the bounds replaced by the nearest bound."""
        return values if self.bounds is None else np.clip(values, self.low, self.high)

    def scores(self, values: np.ndarray, floor: Any = None) -> np.ndarray:
        """Return the scores of values.

        Parameters
        ----------
        values : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Values outside the bounds are clipped to them first.
        floor : ndarray or None, default=None
            Only for the log: smaller distances from the lower bound are replaced by it. ``None`` is :meth:`floor`.
        """
        values = self.clipped(values)
        if self.name == "identity":
            return values
        if self.name == "log":
            return np.log(np.maximum(values - self.low, self.floor(values) if floor is None else floor))
        share = self._shares(values)
        return np.log(share) - np.log1p(-share)

    def floor(self, values: np.ndarray) -> np.ndarray:
        """Return the smallest distance from the lower bound that has a logarithm, for each output.

        It is the smallest distance above zero among the values, but at least 0.000001 of the mean distance. An output
        without a distance above zero has the floor 1.
        """
        distance = np.maximum(values - self.low, 0.0)
        smallest = np.where(distance > 0, distance, np.inf).min(axis=0)
        floor = np.maximum(smallest, LOG_FLOOR * distance.mean(axis=0))
        return np.where(np.isfinite(floor), floor, 1.0)

    def weights(self, values: np.ndarray) -> np.ndarray:
        r"""Return a weight for each row, of shape (n_samples,), for squared errors of scores.

        The weight is the square root of the derivative :math:`g'(s)` of the inverse link, divided by its mean, and the
        mean over the outputs. Errors of equal size on the link scale matter equally with equal weights, and in
        proportion to :math:`g'(s)^2` to the squared error of the values; the root serves both scales.
        """
        return self.weighing(values)(values)

    def weighing(self, values: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        """Return the function that :meth:`weights` is, with the constants of these values for any others."""
        if self.name == "identity":
            return lambda others: np.ones(len(others))
        values = self.clipped(values)
        floor = self.floor(values) if self.name == "log" else None
        largest = self._slopes(values, floor).max(axis=0)

        def roots(others: np.ndarray) -> np.ndarray:
            return np.sqrt(self._slopes(self.clipped(others), floor) / largest).reshape(len(others), -1)

        mean = roots(values).mean(axis=0)
        return lambda others: (roots(others) / mean).mean(axis=1)

    def _slopes(self, values: np.ndarray, floor: Any) -> np.ndarray:
        """Return the derivative of the inverse link at the scores of values, up to a factor."""
        if self.name == "log":
            return np.maximum(values - self.low, floor)
        return self._shares(values) * (1 - self._shares(values))

    def _shares(self, values: np.ndarray) -> np.ndarray:
        return np.clip((values - self.low) / (self.high - self.low), SHARE_FLOOR, 1 - SHARE_FLOOR)


def _read_bounds(bounds: Any, usual: tuple[float, float], who: str) -> tuple[float, float]:
    """Return two increasing numbers; ``None`` among them is replaced by the usual bound of the link."""
    is_pair = isinstance(bounds, tuple | list | np.ndarray) and len(bounds) == 2
    pair = [default if each is None else each for each, default in zip(bounds, usual, strict=True)] if is_pair else []
    if not pair or not all(isinstance(each, Real) for each in pair) or not float(pair[0]) < float(pair[1]):
        raise ValueError(
            f"{who}: bounds={described(bounds)}; expected two numbers (low, high) with low < high, of which one "
            "may be None."
        )
    return float(pair[0]), float(pair[1])
