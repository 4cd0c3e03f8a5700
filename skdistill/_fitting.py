"""Fitting arbitrary estimators with sample weights, if they support them."""

from typing import Any

import sklearn
from sklearn.utils.validation import has_fit_parameter

from .convert import unwrap


def final_step(estimator: Any) -> Any:
    """Return the last step of a pipeline, possibly nested, and any other estimator unchanged."""
    return unwrap(estimator, through=("pipeline",)).model


def has_pairwise_margins(estimator: Any) -> bool:
    """Whether a support vector machine, possibly in a pipeline or a search, has one margin per pair of classes."""
    return getattr(unwrap(estimator).model, "decision_function_shape", None) == "ovo"


def accepts_sample_weight(estimator: Any) -> bool:
    """Whether the last step of a pipeline and all estimators that it wraps accept ``sample_weight``."""
    fits = final_step(estimator)
    return has_fit_parameter(fits, "sample_weight") and all(
        has_fit_parameter(member, "sample_weight") and accepts_sample_weight(member) for member in _members(fits)
    )


def _members(estimator: Any) -> list[Any]:
    """Return the estimators that a wrapper passes its weights to."""
    single, several = getattr(estimator, "estimator", None), getattr(estimator, "estimators", None)
    members = [member[1] for member in several] if isinstance(several, list) else [single]
    return [member for member in members if hasattr(member, "fit")]


def fit_weighted(estimator: Any, X: Any, y: Any, weight: Any) -> Any:
    """Fit with ``sample_weight=weight``, passed to the last step of a pipeline whether routing is enabled or not."""
    prefix = unwrap(estimator, through=("pipeline",)).prefix
    with sklearn.config_context(enable_metadata_routing=False):
        return estimator.fit(X, y, **{f"{prefix}sample_weight": weight})
