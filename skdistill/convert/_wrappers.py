"""Meta-estimators: the model inside those that answer as it does, and the members of those that combine several."""

from typing import Any, Literal, NamedTuple

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline

Wrapper = Literal["pipeline", "frozen", "search"]

WRAPPERS: tuple[Wrapper, ...] = ("pipeline", "frozen", "search")
"""Meta-estimators that answer exactly as the model inside, on rows that earlier steps of pipelines have transformed."""


class Unwrapped(NamedTuple):
    """The model inside some wrappers.

    Parameters
    ----------
    model : object
        The innermost model.
    pipelines : tuple of Pipeline
        The pipelines around it, the outermost first.
    """

    model: Any
    pipelines: tuple[Any, ...]

    @property
    def transformers(self) -> tuple[Any, ...]:
        """The earlier steps of each pipeline that has any, as pipelines, the outermost first."""
        return tuple(pipeline[:-1] for pipeline in self.pipelines if len(pipeline) > 1)

    @property
    def prefix(self) -> str:
        """The prefix of the model's parameters in ``set_params`` of the outermost of several pipelines."""
        return "".join(f"{pipeline.steps[-1][0]}__" for pipeline in self.pipelines)

    def transform(self, X: Any) -> Any:
        """Return rows as the model takes them, given rows as the outermost wrapper takes them."""
        for transformer in self.transformers:
            X = transformer.transform(X)
        return X

    def inverse_transform(self, X: Any) -> Any:
        """Undo :meth:`transform`, where every earlier step can."""
        for transformer in reversed(self.transformers):
            X = transformer.inverse_transform(X)
        return X


def unwrap(model: Any, through: tuple[Wrapper, ...] = WRAPPERS) -> Unwrapped:
    """Return the model inside pipelines, frozen estimators and fitted searches, however nested.

    Parameters
    ----------
    model : object
        Anything; what is no wrapper is returned as it is.
    through : tuple of {"pipeline", "frozen", "search"}, default=("pipeline", "frozen", "search")
        Wrappers to look into: ``"pipeline"`` goes to the last step, ``"search"`` to ``best_estimator_`` of a fitted
        search.
    """
    pipelines: list[Pipeline] = []
    while True:
        if "pipeline" in through and isinstance(model, Pipeline):
            pipelines.append(model)
            model = model[-1]
        elif "frozen" in through and isinstance(model, FrozenEstimator):
            model = model.estimator
        elif "search" in through and is_fitted_search(model):
            model = model.best_estimator_
        else:
            return Unwrapped(model, tuple(pipelines))


def is_fitted_search(model: Any) -> bool:
    """Whether a model is a search that was refitted with its best parameters; distilled estimators are none."""
    return not isinstance(model, FrozenEstimator) and hasattr(model, "best_estimator_") and not is_distilled(model)


def is_distilled(model: Any) -> bool:
    """Whether a model is a distilled estimator of this package, fitted or not."""
    return hasattr(model, "soft_targets")


def members_of(model: Any) -> list[Any] | None:
    """Return the fitted members of a model that combines several or wraps one; ``None`` of any other model.

    Steps of pipelines, transformers of columns, members of ensembles, models and calibrators of
    ``CalibratedClassifierCV``, and the model inside ``TransformedTargetRegressor``, multi-output, threshold and other
    meta-estimators. Some may be ``None`` or texts such as ``"passthrough"``.
    """
    if isinstance(model, Pipeline):
        return [step for _, step in model.steps]
    if isinstance(model, FeatureUnion):
        return [step for _, step in model.transformer_list]
    if hasattr(model, "transformers_"):  # by columns
        return [step for _, step, _ in model.transformers_]
    if hasattr(model, "calibrated_classifiers_"):
        pairs = model.calibrated_classifiers_
        return [part for pair in pairs for part in (pair.estimator, *pair.calibrators)]
    if hasattr(model, "estimators_"):
        final = [model.final_estimator_] if hasattr(model, "final_estimator_") else []
        return [*np.ravel(np.array(model.estimators_, dtype=object)), *final]
    for name in ("regressor_", "estimator_", "transformer_"):
        if hasattr(model, name):
            return [getattr(model, name)]
    return None
