"""Models that are known to return the same output for a row in every call, whatever the other rows of the call are."""

import sys
from collections.abc import Iterable
from functools import cache, partial
from types import MethodType
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor
from sklearn.tree._tree import Tree

from ._ensemble import TeacherEnsemble

OWN_LIBRARIES = ("sklearn", "skdistill")
"""Libraries whose models depend on the row alone if all models inside them do."""

OTHER_LIBRARIES = (
    "lightgbm",
    "xgboost",
    "catboost",
    "numpy",
    "scipy",
    "joblib",
    "pandas",
    "polars",
    "_loss",
)
"""Libraries whose objects depend on the row alone, or are data; ``_loss`` is a compiled part of scikit-learn."""

EXCEPTIONS = {
    "IterativeImputer",
    "LatentDirichletAllocation",
    "MiniBatchNMF",
    "NMF",
}
"""Estimators of scikit-learn that may draw random outputs, or whose iterations stop for all rows of a call together."""

MAX_OBJECTS = 100_000
"""Number of objects inside a model beyond which it counts as unknown, so that the search takes no noticeable time."""

RANDOM = (np.random.RandomState, np.random.Generator)
"""Random generators: a model may have one that it used in its fit, but their methods are no models."""

PASSIVE = (str, bytes, int, float, complex, bool, type(None), type, slice, range, np.generic, np.ufunc)
"""Types of objects that cannot contain a model."""

_EXACTLY_PASSIVE = frozenset({*PASSIVE, np.float64, np.int64})
"""Those that are common inside models, which are told by their type alone: this is faster."""

_OF_ALL_TREES = ("tree_", "n_outputs_", "n_features_in_", "feature_names_in_", "max_features_", "class_weight")
_TREES: dict[type, frozenset[str]] = {
    kind: frozenset({*_OF_ALL_TREES, "classes_", "n_classes_", *kind._get_param_names()})
    for kind in (DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor)
}
"""Trees of scikit-learn, of which forests have hundreds, and the attributes beyond which one is examined.

With these alone, the outputs are those of ``tree_``, which depend on the row, whatever the parameters are.
"""


def is_by_row(model: Any) -> bool:
    """Whether a model is known to return outputs that depend on the row alone.

    The models inside pipelines, ensembles and other meta-estimators are examined too. Models of other libraries,
    functions and classes derived from those of scikit-learn are unknown.
    """
    waiting, seen = _active([model]), set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        inside = _inside(one)
        if inside is None or len(seen) > MAX_OBJECTS:
            return False
        waiting += _active(inside)
    return True


def _active(objects: Iterable[Any]) -> list[Any]:
    """Return the objects that may contain a model."""
    return [one for one in objects if type(one) not in _EXACTLY_PASSIVE and not _is_passive(one)]


def _is_passive(one: Any) -> bool:
    kind = type(one)
    if kind in _TREES:
        attributes = vars(one)
        return type(attributes.get("tree_")) is Tree and attributes.keys() <= _TREES[kind]
    return not one.dtype.hasobject if kind is np.ndarray else isinstance(one, PASSIVE)


def _inside(one: Any) -> Iterable[Any] | None:
    """Return the objects inside an object of a known model; ``None`` for an unknown object."""
    if _is_by_its_attributes(type(one)):  # type: ignore[arg-type]
        return getattr(one, "__dict__", {}).values()
    if isinstance(one, np.ndarray):
        return one.ravel().tolist() if one.dtype == object else ()
    if isinstance(one, dict | list | tuple | set | frozenset):
        return one.values() if isinstance(one, dict) else one
    if isinstance(getattr(one, "__self__", None), RANDOM):
        return None
    if isinstance(one, MethodType):
        return [one.__self__]
    if isinstance(one, partial):
        return [one.func, one.args, one.keywords]
    if callable(one) and hasattr(one, "__qualname__"):
        return () if _is_library_function(one) else None
    library = (getattr(one, "__module__", None) or type(one).__module__).split(".")[0]
    if library in OTHER_LIBRARIES:
        return ()
    if library not in OWN_LIBRARIES or type(one).__name__ in EXCEPTIONS:
        return None
    return _inside_model(one)


def _inside_model(one: Any) -> Iterable[Any] | None:
    """Return the objects by which a model of a known library answers; ``None`` if its answers are random."""
    if isinstance(one, DummyClassifier) and one.strategy in ("stratified", "uniform"):
        return None
    if isinstance(one, TeacherEnsemble):
        return list(one.models.values())
    if hasattr(one, "soft_targets"):  # a distilled estimator answers by its student
        return [getattr(one, "student_", None)]
    return getattr(one, "__dict__", {}).values()


@cache
def _is_by_its_attributes(kind: type) -> bool:
    """Whether the outputs of all objects of a class depend on the row alone if their attributes do."""
    is_own = kind.__module__.split(".")[0] in OWN_LIBRARIES and kind.__name__ not in EXCEPTIONS
    is_container = issubclass(kind, np.ndarray | dict | list | tuple | set | frozenset)
    is_special = any(name in vars(base) for base in kind.__mro__ for name in ("__call__", "__self__", "soft_targets"))
    return is_own and not (is_container or is_special or issubclass(kind, DummyClassifier | TeacherEnsemble))


def _is_library_function(one: Any) -> bool:
    """Whether a function can be imported from a known library."""
    name = getattr(one, "__module__", None) or ""
    is_known = name.split(".")[0] in (*OWN_LIBRARIES, *OTHER_LIBRARIES)
    return is_known and getattr(sys.modules.get(name), one.__qualname__, None) is one
