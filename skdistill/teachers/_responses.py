"""What a model can be asked: its methods, by task, and what kind of outputs they return."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

from sklearn.base import is_classifier, is_clusterer, is_outlier_detector
from sklearn.utils import get_tags

from ..convert import unwrap
from ._conventions import SCIKIT_LEARN, Task, convention_of
from ._mean_and_deviation import has_deviations

OutputKind = Literal["proba", "logit", "value"]

RESPONSES: dict[Task, dict[str, OutputKind]] = {
    "classification": {"predict_proba": "proba", "decision_function": "logit", "predict": "proba", "labels_": "proba"},
    "regression": {
        "predict": "value",
        "decision_function": "value",
        "transform": "value",
        "score_samples": "value",
        "effect": "value",
        "predict_survival_function": "value",
        "mean_std": "value",
        "predict_proba": "value",
    },
}
"""For each task, the methods of a teacher that can be used, in order of preference, and the kind of their outputs."""


def methods_of(obj: Any, task: Task) -> list[str]:
    """Return the response methods that a model has, the preferred one first."""
    final = innermost(obj)
    of_family = convention_of(final).methods(task)
    if of_family:
        return list(of_family)
    has_method = {"labels_": hasattr(final, "labels_"), "mean_std": has_deviations(final)}
    return [name for name in RESPONSES[task] if has_method.get(name, hasattr(obj, name))]


def is_function(obj: Any) -> bool:
    """Whether ``obj`` is queried by calling it: it is callable and has none of the methods of a model."""
    has_methods = any(hasattr(obj, name) for name in RESPONSES["regression"])
    return callable(obj) and not has_methods and convention_of(obj) is SCIKIT_LEARN


def bound_method(obj: Any) -> tuple[str, Any]:
    """Return the name of a bound method of a model, and the classes of that model, in the order of its columns.

    The name is empty if ``obj`` is not such a method, or if it is the ``predict`` of a model that is not known to
    return labels.
    """
    model = owner_of(obj)
    if model is obj:
        return "", None
    name = getattr(obj.func if isinstance(obj, partial) else obj, "__name__", "")
    classes = getattr(model, "classes_", None)
    returns_labels = classes is not None or is_of_kind(is_classifier, model) or is_of_kind(is_clusterer, model)
    return "" if name == "predict" and not returns_labels else name, classes


def owner_of(obj: Any) -> Any:
    """Return the model whose bound method ``obj`` is, or ``obj`` itself."""
    function = obj.func if isinstance(obj, partial) else obj
    model = getattr(function, "__self__", None)
    return obj if model is None or not hasattr(model, "predict") else model


def predicts_groups(obj: Any) -> bool:
    """Whether ``predict`` returns class labels or cluster numbers rather than values."""
    kinds = (is_classifier, is_clusterer, is_outlier_detector, _is_density_estimator)
    return any(is_of_kind(kind, obj) for kind in kinds)


def is_of_kind(kind: Callable[[Any], bool], obj: Any) -> bool:
    """Apply a type check of scikit-learn; objects without tags have no type."""
    try:
        return not isinstance(obj, type) and kind(obj)
    except (AttributeError, TypeError):
        return False


def _is_density_estimator(obj: Any) -> bool:
    return get_tags(obj).estimator_type == "density_estimator"


def innermost(model: Any) -> Any:
    """Return the model inside pipelines and frozen estimators, but not inside searches."""
    return unwrap(model, through=("pipeline", "frozen")).model
