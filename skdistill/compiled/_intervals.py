"""Prediction intervals of a fitted model: numpy only, as the compiled model inside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

KINDS = ("value", "quantiles", "mean_std")
"""What the outputs of a model are: one value, quantiles in columns, or a mean and a standard deviation."""

OF_GROUPS = ("margins", "n_rows")
"""Attributes that are dicts by group."""


@dataclass(frozen=True, eq=False, repr=False)
class ConformalIntervals:
    r"""A fitted model with prediction intervals that contain a stated share of the true values.

    Created by :func:`skdistill.conformalize`. With the margin :math:`m`, the interval of a row is

    =============  ==========================================
    ``kind``       interval
    =============  ==========================================
    ``value``      :math:`[f - m, f + m]`
    ``quantiles``  :math:`[q_{low} - m, q_{high} + m]`
    ``mean_std``   :math:`[\mu - m \sigma, \mu + m \sigma]`
    =============  ==========================================

    The margin may be negative if the quantiles are too far apart. An interval that would then be empty is its center.

    Parameters
    ----------
    model : CompiledModel or callable
        Returns the outputs of rows.
    kind : {"value", "quantiles", "mean_std"}
        What the outputs are.
    columns : tuple of int
        Positions of the lower and the upper quantile among the outputs; not used for other kinds.
    margins : dict of {group: float}
        The margin of each group; the only key is ``None`` if there are no groups.
    coverage : float in (0, 1)
        Share of the true values that the intervals contain, at least.
    n_rows : dict of {group: int}
        Number of rows that each margin was computed from.

    Examples
    --------
    >>> import numpy as np
    >>> import skdistill
    >>> from sklearn.linear_model import LinearRegression
    >>> X, y = (
    ...     np.arange(40.0)[:, None],
    ...     np.arange(40.0) + np.tile([0.5, -0.5, 1.0, -1.0], 10),
    ... )
    >>> model = LinearRegression().fit(X, np.arange(40.0))
    >>> intervals = skdistill.conformalize(model, X, y, coverage=0.75)
    >>> intervals.predict_interval(X[:2]).round(3) + 0.0
    array([[-1.,  1.],
           [ 0.,  2.]])
    """

    model: Any
    kind: str
    columns: tuple[int, int]
    margins: Mapping[Any, float]
    coverage: float
    n_rows: Mapping[Any, int]

    def __getstate__(self) -> dict[str, Any]:
        pairs = {name: list(getattr(self, name).items()) for name in OF_GROUPS}
        return self.__dict__ | pairs  # skops cannot load a dict with the key None

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state | {name: dict(state[name]) for name in OF_GROUPS})

    def predict(self, X: Any) -> Any:
        """Return the outputs of the model, as it returns them itself."""
        return self.model(X)

    def predict_interval(self, X: Any, *, groups: Any = None) -> np.ndarray:
        """Return the prediction interval of each row.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows as the model takes them.
        groups : array-like of shape (n_samples,) or None, default=None
            Group of each row; required if, and only if, the margins were computed by group.

        Returns
        -------
        intervals : ndarray of shape (n_samples, 2)
            Lower and upper ends.

        Raises
        ------
        ValueError
            If ``groups`` are missing, not expected, or unknown.
        """
        outputs = np.asarray(self.model(X), dtype=np.float64)
        if outputs.ndim < (1 if self.kind == "value" else 2):
            raise ValueError(
                "ConformalIntervals: X is a single row; expected a table of shape (n_samples, n_features). Pass "
                "X[None], or a list of one row."
            )
        center_of, scale = _centers(outputs, self.kind, self.columns)
        return _around(center_of, scale, self._margin_of_rows(groups, len(outputs)))

    def _margin_of_rows(self, groups: Any, n_rows: int) -> np.ndarray:
        if (groups is None) != (None in self.margins):
            expected = "groups, one for each row" if groups is None else "no groups"
            raise ValueError(
                f"ConformalIntervals: got {'no groups' if groups is None else 'groups'}; expected {expected}, as in "
                "conformalize."
            )
        if groups is None:
            return np.full(n_rows, self.margins[None])
        found, place = np.unique(np.asarray(groups), return_inverse=True)
        unknown = [group for group in found.tolist() if group not in self.margins]
        if unknown or len(place) != n_rows:
            raise ValueError(
                f"ConformalIntervals: got {len(place)} groups for {n_rows} rows, and unknown groups {unknown}; "
                f"expected one group for each row, among {list(self.margins)}. Conformalize with rows of all groups."
            )
        return np.array([self.margins[group] for group in found.tolist()])[place]

    def __repr__(self) -> str:
        n_rows = sum(self.n_rows.values())
        of_groups = "" if None in self.margins else f", n_groups={len(self.margins)}"
        return f"<ConformalIntervals: coverage={self.coverage:g}, from {n_rows:,} rows{of_groups}>"


def _centers(outputs: np.ndarray, kind: str, columns: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the intervals without a margin, of shape (n_rows, 2), and the unit of each margin."""
    if kind == "value":
        values = outputs.reshape(len(outputs))
        return np.column_stack([values, values]), np.ones(len(outputs))
    if kind == "mean_std":
        return outputs[:, [0, 0]], outputs[:, 1]
    return outputs[:, list(columns)], np.ones(len(outputs))


def _around(ends: np.ndarray, unit: np.ndarray, margin: np.ndarray) -> np.ndarray:
    """Return the intervals widened by the margin; those that would be empty are their centers."""
    with np.errstate(invalid="ignore"):
        away = np.where(unit == 0, 0.0, margin * unit)
    low, high = ends[:, 0] - away, ends[:, 1] + away
    center = (ends[:, 0] + ends[:, 1]) / 2
    return np.column_stack([np.minimum(low, center), np.maximum(high, center)])


def conformity_scores(outputs: np.ndarray, y: np.ndarray, kind: str, columns: tuple[int, int]) -> np.ndarray:
    """Return for each row the smallest margin with which its interval contains the true value.

    It is infinite if no margin suffices: where the standard deviation is zero and the mean is not the true value.
    """
    ends, unit = _centers(outputs, kind, columns)
    beyond = np.maximum(ends[:, 0] - y, y - ends[:, 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = beyond / unit
    return np.where(unit == 0, np.where(beyond <= 0, -np.inf, np.inf), scores)
