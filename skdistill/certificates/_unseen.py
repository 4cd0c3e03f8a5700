"""Rows of a certificate that teaching or selection has seen are refused, or dropped if asked."""

from typing import Any

import numpy as np

from .._validation import check_fitted, check_table, warn_caller
from ..convert import is_distilled, unwrap
from ..inspection._answers import as_table
from ..teachers import SeenRows


def check_unseen(model: Any, X: Any, X_train: Any, on_seen: str) -> tuple[np.ndarray, list[str]]:
    """Return the positions of the rows that can be certified, and notes about rows that were seen.

    Parameters
    ----------
    model : estimator
    X : table of shape (n_samples, n_features)
    X_train : table or None
        Rows that were used to teach the student, or the teacher.
    on_seen : {"raise", "drop"}
    """
    compared = [*_of_fit(model, X), *([] if X_train is None else [(SeenRows.of(as_table(X_train)), X)])]
    if not compared:
        raise ValueError(
            f"certify: {type(model).__name__} keeps no keys of the rows that it was taught on; expected X_train=, the "
            "rows that the teacher and the student were fitted on or selected with, because a certificate must not "
            "rest on them."
        )
    is_equal, n_seen = np.zeros(X.shape[0], dtype=bool), 0
    for seen, rows in compared:
        equal = seen.find(rows)
        is_equal |= equal
        n_seen = max(n_seen, seen.count_beyond_chance(rows, equal))
    n_equal = int(is_equal.sum())
    if not n_seen:
        by_chance = f"{n_equal:,} rows equal rows of the fit, no more than by chance in a table with equal rows."
        return np.arange(X.shape[0]), [by_chance] if n_equal else []
    if on_seen == "raise":
        raise ValueError(
            f"certify: {n_seen:,} of the {X.shape[0]:,} rows are among those that the student was taught on or "
            "selected with; expected rows that neither has seen. Pass other rows, or on_seen='drop' to leave out the "
            f"{n_equal:,} rows that are equal to one of them."
        )
    return _dropped(is_equal)


def _dropped(is_equal: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return the rows that are left."""
    kept = np.flatnonzero(~is_equal)
    if not kept.size:
        raise ValueError(
            f"certify: all {len(is_equal):,} rows are among those that the student was taught on or selected with; "
            "expected rows that neither has seen. Pass other rows."
        )
    said = f"{int(is_equal.sum()):,} of the {len(is_equal):,} rows were left out, because they equal rows of the fit"
    warn_caller(f"certify: {said}. The certificate is about rows that differ from those of the fit.", UserWarning)
    return kept, [f"{said}: the statements are about rows that differ from those of the fit."]


def _of_fit(model: Any, X: Any) -> list[tuple[SeenRows, Any]]:
    """Return the keys that a distilled estimator keeps, and the rows as it sees them."""
    inside = unwrap(model)
    if is_distilled(inside.model):
        check_fitted(inside.model, "student_")
    seen = getattr(inside.model, "seen_rows_", None)
    if not is_distilled(inside.model) or seen is None:
        return []
    return [(seen, check_table(inside.model, inside.transform(X), reset=False))]
