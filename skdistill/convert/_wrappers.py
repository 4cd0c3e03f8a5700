"""Unwrapping of meta-estimators: the model inside transparent wrappers, and the members of ensembles."""

from typing import Any, Literal, NamedTuple

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import FeatureUnion, Pipeline

from .._tables import is_frame

Wrapper = Literal["pipeline", "frozen", "search"]

WRAPPERS: tuple[Wrapper, ...] = ("pipeline", "frozen", "search")
"""Transparent wrappers: their outputs are those of the model inside, for rows transformed by earlier pipeline steps."""


class Unwrapped(NamedTuple):
    """The model inside wrappers, and the pipelines around it.

    Parameters
    ----------
    model : object
        The innermost model.
    pipelines : tuple of Pipeline
        The pipelines around the model, the outermost first.
    """

    model: Any
    pipelines: tuple[Any, ...]

    @property
    def transformers(self) -> tuple[Any, ...]:
        """The steps before the last one of each pipeline, as pipelines, the outermost first."""
        return tuple(pipeline[:-1] for pipeline in self.pipelines if len(pipeline) > 1)

    @property
    def prefix(self) -> str:
        """The prefix of the parameters of the model in ``set_params`` of the outermost pipeline."""
        return "".join(f"{pipeline.steps[-1][0]}__" for pipeline in self.pipelines)

    def transform(self, X: Any) -> Any:
        """Transform input rows of the outermost wrapper to input rows of the model."""
        for transformer in self.transformers:
            X = transformer.transform(X)
        return X

    def inverse_transform(self, X: Any) -> Any:
        """Invert :meth:`transform`, if every step has ``inverse_transform``."""
        for transformer in reversed(self.transformers):
            X = transformer.inverse_transform(X)
        return X


def unwrap(model: Any, through: tuple[Wrapper, ...] = WRAPPERS) -> Unwrapped:
    """Return the model inside pipelines, frozen estimators and fitted searches, which may be nested.

    Parameters
    ----------
    model : object
        Any object; objects other than wrappers are returned unchanged.
    through : tuple of {"pipeline", "frozen", "search"}, default=("pipeline", "frozen", "search")
        Wrappers to unwrap: ``"pipeline"`` returns the last step, ``"search"`` the ``best_estimator_`` of a fitted
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
    """Whether a model is a search with a refitted ``best_estimator_``; distilled estimators are not searches."""
    return not isinstance(model, FrozenEstimator) and hasattr(model, "best_estimator_") and not is_distilled(model)


def is_distilled(model: Any) -> bool:
    """Whether a model is a fitted or unfitted distilled estimator of this package."""
    return hasattr(model, "soft_targets")


def columns_of_student(model: Any) -> tuple[int, ...] | None:
    """Return the positions of the columns that the student of a fitted distilled estimator sees; ``None`` for all."""
    is_fitted = is_distilled(model) and hasattr(model, "student_")
    return model._targets.view.columns if is_fitted else None


def rows_of_student(model: Any, X: Any) -> Any:
    """Return the rows of a table for the student of a distilled estimator, which may see fewer columns.

    Arrays with only these columns are returned unchanged, and so are rows for any other model, and for pipelines, whose
    earlier steps need all columns.
    """
    inside = unwrap(model)
    seen = None if inside.transformers else columns_of_student(inside.model)
    is_narrow = seen is not None and not is_frame(X) and (len(getattr(X, "shape", ())) != 2 or X.shape[1] == len(seen))
    return X if seen is None or is_narrow else inside.model._student_rows(X)


def members_of(model: Any) -> list[Any] | None:
    """Return the fitted members of an ensemble or meta-estimator; ``None`` for other models.

    The members are steps of pipelines, transformers of columns, members of ensembles, models and calibrators of
    ``CalibratedClassifierCV``, and the model inside ``TransformedTargetRegressor``, multi-output, threshold and other
    meta-estimators. A member may be ``None`` or a string such as ``"passthrough"``.
    """
    if isinstance(model, Pipeline):
        return [step for _, step in model.steps]
    if isinstance(model, FeatureUnion):
        return [step for _, step in model.transformer_list]
    if hasattr(model, "transformers_"):  # a ColumnTransformer
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
