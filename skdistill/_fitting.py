"""Fitting somebody else's estimator, with weights where it takes them, also when it is a pipeline."""

from typing import Any

import sklearn
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter


def final_step(estimator: Any) -> Any:
    """Return the last step of a pipeline, and anything else as it is."""
    return estimator[-1] if isinstance(estimator, Pipeline) else estimator


def takes_weights(estimator: Any) -> bool:
    """Whether the estimator, or the last step of a pipeline, has ``sample_weight`` in ``fit``."""
    return has_fit_parameter(final_step(estimator), "sample_weight")


def fit_weighted(estimator: Any, X: Any, y: Any, weight: Any) -> Any:
    """Fit with ``sample_weight=weight``, handed to the last step of a pipeline, whether routing is on or off."""
    if not isinstance(estimator, Pipeline):
        return estimator.fit(X, y, sample_weight=weight)
    with sklearn.config_context(enable_metadata_routing=False):
        return estimator.fit(X, y, **{f"{estimator.steps[-1][0]}__sample_weight": weight})
