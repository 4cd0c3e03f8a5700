"""The distilled estimator inside pipelines and searches, and the model that is deployed."""

import copy
from typing import Any

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from .._tables import is_frame, take_columns, take_rows
from ..convert import columns_of_student, is_distilled, unwrap
from ..exceptions import CompileError


def distilled_inside(estimator: Any, X: Any, *, who: str = "distilled_inside") -> tuple[Any, Any]:
    """Return the distilled estimator inside pipelines, fitted searches and frozen estimators, and its input for ``X``.

    Parameters
    ----------
    estimator : DistilledClassifier, DistilledRegressor, or what ends in one
        Fitted.
    X : table of shape (n_samples, n_features)
        Input of the outermost estimator, which the earlier steps of pipelines transform. ``None`` stays ``None``.
    who : str, default="distilled_inside"
        Name of the caller, for the error.

    Returns
    -------
    distilled : DistilledClassifier or DistilledRegressor
    X : table

    Raises
    ------
    TypeError
        If there is no distilled estimator inside.
    """
    inside = unwrap(estimator)
    if not is_distilled(inside.model):
        is_search = hasattr(inside.model, "cv") and hasattr(inside.model, "refit")
        raise TypeError(
            f"{who}: got a {type(inside.model).__name__}; expected a DistilledClassifier or DistilledRegressor, or a "
            "pipeline or fitted search that ends in one."
            + (" Fit the search, with refit=True or the name of a score." if is_search else "")
        )
    return inside.model, None if X is None else inside.transform(X)


def shipped(model: Any) -> Any:
    """Return what is deployed: of a distilled estimator its student alone, without teacher and data.

    Of a fitted search it is the best estimator, and of a pipeline the same pipeline whose last step is replaced.
    """
    inside = unwrap(model)
    is_fitted = is_distilled(inside.model) and hasattr(inside.model, "student_")
    found = inside.model.student_ if is_fitted else inside.model
    columns = columns_of_student(inside.model)
    if inside.transformers and columns is not None:  # the earlier steps make all columns
        found = make_pipeline(FunctionTransformer(take_columns, kw_args={"columns": columns}), found)
    for pipeline in reversed(inside.pipelines):
        found = pipeline if pipeline[-1] is found else _with_last_step(pipeline, found)
    return found


def _with_last_step(pipeline: Any, last: Any) -> Any:
    """Return a pipeline of the same fitted steps but for the last one."""
    twin = copy.copy(pipeline)
    twin.steps = [*pipeline.steps[:-1], (pipeline.steps[-1][0], last)]
    return twin


def is_compiled(model: Any) -> bool:
    """Whether a model is a compiled one, as ``skdistill.compile`` returns."""
    return callable(model) and hasattr(model, "scorer") and hasattr(model, "n_bytes")


def compiled_form(model: Any) -> Any | None:
    """Return the compiled form of a student of this package, and a compiled model itself; ``None`` for other models."""
    if is_compiled(model):
        return model
    if isinstance(model, type) or not hasattr(model, "__skdistill_compile__"):
        return None
    try:
        return model.__skdistill_compile__()
    except CompileError:
        return None


def completed(model: Any) -> Any | None:
    """Return the estimator inside a wrapper that completes a student's outputs, for example one that decodes them."""
    is_born_fitted = hasattr(model, "__sklearn_is_fitted__") and "estimator" in getattr(model, "__dict__", {})
    if not is_born_fitted or any(name.endswith("_") for name in vars(model)):
        return None
    return model.estimator


def as_rows(X: Any) -> Any:
    """Return a table that has a shape and can be sliced: a list as an array, any other table as it is."""
    return X if hasattr(X, "shape") else np.asarray(X)


def first_rows(X: Any, n_rows: int) -> Any:
    """Return the first rows of any table."""
    X = as_rows(X)
    return take_rows(X, slice(0, n_rows)) if is_frame(X) or not hasattr(X, "tocsr") else X.tocsr()[:n_rows]
