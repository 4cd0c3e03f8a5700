"""The arguments of ``fit``, checked."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._tables import describe_mismatch, is_frame, take_rows
from .._validation import check_finite, check_table, check_weights
from ..transfer import SampledRows


@dataclass(frozen=True)
class FitArguments:
    """The checked arguments of ``fit``.

    Attributes
    ----------
    X : table of shape (n_samples, n_features)
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or None
    sample_weight : ndarray of shape (n_samples,) or None
    X_unlabeled, X_val : table or None
    y_val : ndarray or None
    groups : ndarray of shape (n_samples,) or None
    pool : DatasetPool or None
        The dataset that further rows are selected from.
    sampled : SampledRows or None
        Which rows of the table that was passed ``X`` is, if its rows were sampled.
    """

    X: Any
    y: Any
    sample_weight: np.ndarray | None
    X_unlabeled: Any = None
    X_val: Any = None
    y_val: Any = None
    groups: np.ndarray | None = None
    pool: Any = None
    sampled: SampledRows | None = None

    @property
    def weight(self) -> np.ndarray:
        """Weight of each row of ``X``."""
        return np.ones(self.X.shape[0]) if self.sample_weight is None else self.sample_weight

    @property
    def tables(self) -> list[Any]:
        """All tables of real rows."""
        chosen = [] if self.pool is None else self.pool.chosen
        return [table for table in (self.X, self.X_unlabeled, self.X_val, *chosen) if table is not None]

    def take(self, rows: np.ndarray) -> "FitArguments":
        """Return the given rows of ``X`` with their labels, weights and groups."""
        weight, y, groups = (None if of is None else of[rows] for of in (self.sample_weight, self.y, self.groups))
        return replace(self, X=take_rows(self.X, rows), y=y, sample_weight=weight, groups=groups)


def check_fit_arguments(
    model: Any, X: Any, y: Any, sample_weight: Any, X_unlabeled: Any, X_val: Any, y_val: Any, groups: Any, check_y: Any
) -> FitArguments:
    """Check the arguments of ``fit`` of a distilled estimator; ``check_y(model, X, y)`` checks the labels."""
    name = type(model).__name__
    X = check_table(model, X, reset=True)
    if X.shape[0] < 2:
        raise ValueError(f"{name} got n_samples = {X.shape[0]}; expected at least 2. Pass more rows.")
    if sample_weight is not None:
        sample_weight = check_weights(sample_weight, X.shape[0], name)
    needed = X.shape[0] * model.n_repeats
    if model.max_queries is not None and model.teacher_cv is not None and model.max_queries < needed:
        repeats = "" if model.n_repeats == 1 else f" n_repeats={model.n_repeats} times"
        raise ValueError(
            f"{name}: max_queries={model.max_queries} is less than the {X.shape[0]} rows of X, which "
            f"teacher_cv={model.teacher_cv!r} labels completely{repeats}. Pass max_queries of at least {needed}, or "
            "teacher_cv=None."
        )
    X_unlabeled, X_val = (
        check_more_rows(model, what, rows, X) for what, rows in (("X_unlabeled", X_unlabeled), ("X_val", X_val))
    )
    y = check_y(model, X, y)
    if y_val is not None and X_val is None:
        raise ValueError(f"{name}: y_val is given, but X_val is None. Pass the rows of y_val as X_val.")
    y_val = check_y(model, X_val, y_val)
    if y_val is not None and y is not None and y_val.shape[1:] != y.shape[1:]:
        raise ValueError(
            f"{name}: y_val has shape {y_val.shape}, but y has shape {y.shape}; expected the same number of outputs."
        )
    return FitArguments(X, y, sample_weight, X_unlabeled, X_val, y_val, _check_groups(name, groups, X))


def _check_groups(name: str, groups: Any, X: Any) -> np.ndarray | None:
    """Return groups as an array with one group per row."""
    if groups is None:
        return None
    groups = np.asarray(groups)
    if groups.shape != (X.shape[0],):
        raise ValueError(
            f"{name}: groups of shape {groups.shape}; expected {(X.shape[0],)}, one group for each row of X."
        )
    return groups


def check_more_rows(model: Any, what: str, rows: Any, X: Any) -> Any:
    """Return further real rows after checking that they have the columns and dtypes of ``X``."""
    if rows is None:
        return None
    rows = check_table(model, rows, reset=False)
    if is_frame(rows):
        check_finite(model, rows)
    mismatch = describe_mismatch(X, rows)
    if mismatch is not None:
        raise ValueError(
            f"{type(model).__name__}: {what} does not match X: got {mismatch}. Pass rows of the same table."
        )
    return rows
