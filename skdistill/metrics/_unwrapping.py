"""From what a user holds to the distilled estimator inside, and to the student that is shipped. Nothing is imported."""

import copy
from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from .._tables import is_frame, take_rows
from ..exceptions import CompileError


def unwrap(estimator: Any, X: Any, *, who: str = "unwrap") -> tuple[Any, Any]:
    """Return the distilled estimator inside pipelines, fitted searches and frozen estimators, and ``X`` as it sees it.

    Parameters
    ----------
    estimator : DistilledClassifier, DistilledRegressor, or what ends in one
        Fitted.
    X : table of shape (n_samples, n_features)
        As the outermost takes it; the earlier steps of pipelines transform it. ``None`` stays ``None``.
    who : str, default="unwrap"
        Whom the error names.

    Returns
    -------
    distilled : DistilledClassifier or DistilledRegressor
        Known by its ``soft_targets`` and ``student_``.
    X : table

    Raises
    ------
    TypeError
        If there is none.
    """
    inside = estimator
    while True:
        if isinstance(inside, Pipeline):
            X = inside[:-1].transform(X) if len(inside) > 1 and X is not None else X
            inside = inside[-1]
        elif isinstance(inside, FrozenEstimator):
            inside = inside.estimator
        elif _is_fitted_search(inside):
            inside = inside.best_estimator_
        else:
            break
    if not hasattr(inside, "soft_targets"):
        is_search = hasattr(inside, "cv") and hasattr(inside, "refit")
        raise TypeError(
            f"{who}: got a {type(inside).__name__}; expected a DistilledClassifier or DistilledRegressor, or a "
            "pipeline or fitted search that ends in one."
            + (" Fit the search, with refit=True or the name of a score." if is_search else "")
        )
    return inside, X


def shipped(model: Any) -> Any:
    """Return what leaves the house: of a distilled estimator its student alone, without teacher and data.

    Of a fitted search it is the best estimator, of a pipeline the same pipeline with what is shipped of its last step.
    """
    if isinstance(model, FrozenEstimator):
        return shipped(model.estimator)
    if _is_fitted_search(model):
        return shipped(model.best_estimator_)
    if isinstance(model, Pipeline):
        last = shipped(model[-1])
        if last is model[-1]:
            return model
        twin = copy.copy(model)
        twin.steps = [*model.steps[:-1], (model.steps[-1][0], last)]
        return twin
    return model.student_ if hasattr(model, "soft_targets") and hasattr(model, "student_") else model


def is_compiled(model: Any) -> bool:
    """Whether a model is of those that ``skdistill.compile`` returns."""
    return callable(model) and hasattr(model, "scorer") and hasattr(model, "n_bytes")


def compiled_form(model: Any) -> Any | None:
    """Return the compiled form of a student of ours, or of a compiled model itself; ``None`` of others."""
    if is_compiled(model):
        return model
    if isinstance(model, type) or not hasattr(model, "__skdistill_compile__"):
        return None
    try:
        return model.__skdistill_compile__()
    except CompileError:
        return None


def completed(model: Any) -> Any | None:
    """Return the estimator that a born-fitted wrapper completes, such as a student whose answers are decoded."""
    is_born_fitted = hasattr(model, "__sklearn_is_fitted__") and "estimator" in getattr(model, "__dict__", {})
    if not is_born_fitted or any(name.endswith("_") for name in vars(model)):
        return None
    return model.estimator


def as_rows(X: Any) -> Any:
    """Return a table that has a shape and can be sliced; lists become arrays."""
    return X if hasattr(X, "shape") else np.asarray(X)


def first_rows(X: Any, n_rows: int) -> Any:
    """Return the first rows of any table."""
    X = as_rows(X)
    return take_rows(X, slice(0, n_rows)) if is_frame(X) or not hasattr(X, "tocsr") else X.tocsr()[:n_rows]


def _is_fitted_search(model: Any) -> bool:
    return hasattr(model, "best_estimator_") and not hasattr(model, "soft_targets")
