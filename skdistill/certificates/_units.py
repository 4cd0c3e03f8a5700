"""What is independent in a table: its rows, which may have weights of a stated bound, or its groups of rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..metrics import betting_interval, clopper_pearson

MIN_GROUPS = 2
"""Minimum number of groups: one group says nothing about others."""


@dataclass(frozen=True)
class Bounds:
    """Bounds for a mean.

    Attributes
    ----------
    estimate : float
        The mean of these rows.
    lower, upper : float
        One-sided bounds.
    low, high : float
        The two-sided interval.
    n : int
        Number of independent units.
    method : str
    """

    estimate: float
    lower: float
    upper: float
    low: float
    high: float
    n: int
    method: str


@dataclass(frozen=True)
class Units:
    """The independent units of a table.

    Attributes
    ----------
    groups : ndarray of int, shape (n_samples,), or None
        Codes of exchangeable groups; ``None`` if each row is a unit.
    weight : ndarray of shape (n_samples,) or None
        Weights of rows; ``None`` if they are equal.
    max_weight : float or None
        The stated bound of the weights.
    """

    n_rows: int
    groups: np.ndarray | None = None
    weight: np.ndarray | None = None
    max_weight: float | None = None

    @property
    def are_rows(self) -> bool:
        """Whether units are rows of equal weight."""
        return self.groups is None and self.weight is None

    def count(self, rows: np.ndarray) -> int:
        """Return the number of units among some rows."""
        return len(rows) if self.groups is None else len(np.unique(self.groups[rows]))

    def mean_bounds(
        self, values: np.ndarray, rows: np.ndarray, confidence: float, bounds: tuple[float, float] = (0.0, 1.0)
    ) -> Bounds:
        """Return bounds for the mean of a variable over units like these: exact for shares, or by betting.

        Parameters
        ----------
        values : ndarray of shape (n_samples,)
            A value in ``bounds`` for each row of the table.
        rows : ndarray of int
            The rows that count.
        confidence : float in (0, 1)
        bounds : tuple of float, default=(0.0, 1.0)
        """
        x, weight = self._of_units(values, rows)
        if self.are_rows and bounds == (0.0, 1.0) and np.isin(x, (0.0, 1.0)).all():
            return _of_share(int(x.sum()), len(x), confidence)
        options: dict[str, Any] = {"bounds": bounds, "sample_weight": weight, "max_weight": self.max_weight}
        lower = betting_interval(x, confidence=confidence, side="lower", **options)[0]
        upper = betting_interval(x, confidence=confidence, side="upper", **options)[1]
        low, high = betting_interval(x, confidence=confidence, **options)
        return Bounds(float(np.average(x, weights=weight)), lower, upper, low, high, len(x), "betting")

    def _of_units(self, values: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the mean of each unit in an order that depends on their number only, and their weights."""
        x, weight = values[rows].astype(float), None if self.weight is None else self.weight[rows]
        if self.groups is not None:
            codes = np.unique(self.groups[rows], return_inverse=True)[1].reshape(-1)
            x = np.bincount(codes, x) / np.bincount(codes)
        order = np.random.RandomState(0).permutation(len(x))  # tables are often sorted
        return x[order], None if weight is None else weight[order]


def check_units(
    who: str, n_rows: int, groups: Any, weight: np.ndarray, max_weight: float | None, rows: np.ndarray
) -> Units:
    """Return the units of the rows that are used; ``groups`` are those of all rows that were passed."""
    used = None if (weight == weight[0]).all() else weight
    if groups is None:
        if used is not None and max_weight is None:
            raise ValueError(
                f"{who}: sample_weight has weights from {weight.min():g} to {weight.max():g}, but max_weight=None; "
                "expected the largest weight that any row can have: no bound holds for weights without one. Pass "
                "max_weight=, or no weights for rows that are drawn as those of the promise will be."
            )
        return Units(len(rows), None, used, None if used is None else max_weight)
    if used is not None:
        raise ValueError(f"{who}: got groups and sample_weight; expected one of them. Pass groups of equal weight.")
    groups = np.asarray(groups)
    if groups.shape != (n_rows,):
        raise ValueError(f"{who}: groups of shape {groups.shape}; expected {(n_rows,)}, one group for each row.")
    codes = np.unique(groups[rows], return_inverse=True)[1].reshape(-1)
    n_groups = int(codes.max()) + 1
    if n_groups < MIN_GROUPS:
        raise ValueError(
            f"{who}: groups has 1 group; expected at least {MIN_GROUPS}, since groups are what is independent. Pass "
            "rows of more groups, or groups=None if rows are independent."
        )
    return Units(len(rows), None if n_groups == len(rows) else codes)


def _of_share(n_events: int, n_rows: int, confidence: float) -> Bounds:
    lower = float(clopper_pearson(n_events, n_rows, confidence=confidence, side="lower")[0])
    upper = float(clopper_pearson(n_events, n_rows, confidence=confidence, side="upper")[1])
    low, high = (float(end) for end in clopper_pearson(n_events, n_rows, confidence=confidence))
    return Bounds(n_events / n_rows, lower, upper, low, high, n_rows, "Clopper-Pearson")
