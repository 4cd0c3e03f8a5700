"""``AutoColumns``: how many and which columns the student sees, within a number or a cost."""

from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy import sparse

from .._declared_columns import listed_columns
from .._described import described
from .._representation import Documented
from .._tables import is_frame
from .._validation import check_number


class AutoColumns(Documented):
    r"""Select the columns that the student sees, within a number of columns or a total cost.

    ``student_columns="auto"`` of the distilled estimators is this object with its defaults. The search needs no true
    labels. Starting from all columns, a small boosted student is fitted to the teacher's outputs on three quarters of
    the real rows and synthetic rows drawn from these. On synthetic rows drawn from the others, it is measured how much
    the error rises if the cells of a column are permuted [1]_; the column of the smallest rise for its cost
    :math:`c_j` is left out, and the student is fitted again [2]_. If there are more than twenty columns, a tenth of
    them is left out at a time. The teacher labels up to three synthetic rows per real row, at most 12,000 and a fifth
    of the remaining queries; without a sampler, real rows alone are used.

    Parameters
    ----------
    max_columns : int >= 1 or None, default=None
        Maximum number of columns.
    column_costs : dict of {str or int: float >= 0} or None, default=None
        Cost of each column by name or position, for example the price of obtaining it; other columns cost 1.
    max_cost : float > 0 or None, default=None
        Maximum total cost of the columns.
    tolerance : float in [0, 1], default=0.01
        Maximum loss of fidelity. Of the columns within ``max_columns`` and ``max_cost``, the cheapest ones whose
        fidelity is within ``tolerance`` of the best are kept.

    See Also
    --------
    skdistill.DistilledClassifier : Its attribute ``columns_path_`` holds the results of the search.
    skdistill.inspection.ColumnsDisplay : Shows them.

    References
    ----------
    .. [1] L. Breiman, "Random Forests", Machine Learning 2001.
    .. [2] I. Guyon, J. Weston, S. Barnhill and V. Vapnik, "Gene Selection for Cancer Classification using Support
       Vector Machines", Machine Learning 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import AutoColumns, DistilledRegressor
    >>> X = np.random.default_rng(0).uniform(size=(300, 6))
    >>> teacher = lambda X: X[:, 1] + X[:, 4] ** 2
    >>> columns = AutoColumns(max_columns=2)
    >>> model = DistilledRegressor(
    ...     teacher, "boosting", sampler=None, student_columns=columns, random_state=0
    ... )
    >>> model.fit(X).student_columns_
    [1, 4]
    >>> model.student_.n_features_in_
    2
    """

    def __init__(
        self,
        max_columns: int | None = None,
        column_costs: Mapping[Any, float] | None = None,
        max_cost: float | None = None,
        tolerance: float = 0.01,
    ) -> None:
        self.max_columns = max_columns
        self.column_costs = column_costs
        self.max_cost = max_cost
        self.tolerance = tolerance

    def check(self) -> None:
        """Raise an error if an option is invalid."""
        if self.max_columns is not None:
            check_number(self, "max_columns", self.max_columns, kind=Integral, low=1)
        if self.max_cost is not None:
            check_number(self, "max_cost", self.max_cost, low=0, low_open=True)
        check_number(self, "tolerance", self.tolerance, low=0, high=1)
        costs = self.column_costs
        if costs is None:
            return
        values = list(costs.values()) if isinstance(costs, Mapping) else [None]
        if not all(isinstance(cost, Real) and np.isfinite(float(cost)) and cost >= 0 for cost in values):
            raise ValueError(
                f"AutoColumns: column_costs={described(costs)}; expected a dict from names or positions of columns to "
                "finite costs of at least 0."
            )

    def costs(self, X: Any) -> np.ndarray:
        """Return the cost of each column of a table, of shape (n_features,)."""
        costs = np.ones(X.shape[1])
        for column, cost in (self.column_costs or {}).items():
            (position,) = columns_of("AutoColumns", [column], X, parameter="column_costs")
            costs[position] = cost
        return costs

    def chosen(self, n_columns: np.ndarray, cost: np.ndarray, fidelity: np.ndarray) -> int:
        """Return the step of a path that is chosen.

        Parameters
        ----------
        n_columns, cost, fidelity : ndarray of shape (n_steps,)
            Number of columns, their total cost, and the fidelity, from all columns to the fewest.

        Raises
        ------
        ValueError
            If every single column costs more than ``max_cost``.
        """
        is_within = n_columns <= (np.inf if self.max_columns is None else self.max_columns)
        is_within &= cost <= (np.inf if self.max_cost is None else self.max_cost)
        if not is_within.any():
            raise ValueError(
                f"AutoColumns: max_cost={self.max_cost!r}, but the last column, the one that the student needs most, "
                f"costs {cost[-1]:g}. Pass a larger max_cost."
            )
        best = fidelity[is_within].max()
        steps = np.flatnonzero(is_within & (fidelity >= best - self.tolerance))
        return int(steps[np.lexsort((-steps, cost[steps]))[0]])


def columns_of(owner: str, given: Any, X: Any, *, parameter: str = "student_columns") -> tuple[int, ...]:
    """Return the positions of columns, in ascending order.

    Parameters
    ----------
    owner : str
        Name of the estimator that has the parameter, for messages.
    given : array-like, slice or callable
        Names, positions, a mask, or a function of the table that returns one of these.
    X : table of shape (n_samples, n_features)
    parameter : str, default="student_columns"
        Name of the parameter, for messages.

    Raises
    ------
    ValueError
        If there is no such column, or none at all.
    TypeError
        If ``given`` is something else.
    """
    if callable(given):
        given = _selected(owner, given, X, parameter)
    who = f"{owner}: {parameter}={described(given)}"
    expected = (
        "a list of column names, a list of column positions, a mask with True or False for each column, or a callable "
        "that returns one of these."
    )
    columns = listed_columns(who, None if isinstance(given, Mapping) else given, X, expected)
    if not columns:
        raise ValueError(f"{who} has no column; expected at least one.")
    return columns


def _selected(owner: str, select: Callable[[Any], Any], X: Any, parameter: str) -> Any:
    """Return what a callable selects, which may be made for data frames only."""
    try:
        return select(X)
    except Exception as error:
        kind = "a sparse matrix" if sparse.issparse(X) else "a data frame" if is_frame(X) else "an array"
        error.add_note(f"{owner}: {parameter}={described(select)} was called with {kind}.")
        raise
