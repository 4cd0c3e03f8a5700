"""The distinction between fitted teachers, which are used as they are, and unfitted ones, which are recipes."""

from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from .._representation import brief
from .._tables import own_rows, take_rows
from ..exceptions import TeacherError
from ._lists import is_list, teachers_in

FOLLOW_THE_CONVENTION = ("sklearn", "skdistill", "lightgbm", "xgboost", "imblearn")
"""Packages whose estimators have attributes that end in an underscore if, and only if, they are fitted."""

STATES_IT = ("__sklearn_is_fitted__", "is_fitted", "_is_fitted")
"""Methods and attributes of a model that state whether it is fitted."""


def is_fitted_teacher(teacher: Any) -> bool:
    """Whether ``teacher`` is used as it is; otherwise it is a recipe, of which a clone is fitted.

    Objects that cannot be cloned and fitted (functions, LightGBM ``Booster``, results of :func:`as_teacher`) and every
    ``FrozenEstimator`` count as fitted. A ``FrozenEstimator`` of an unfitted estimator raises an error when queried.

    An estimator states it itself, or else the attributes decide: fitted ones end in an underscore. Some packages do not
    follow this convention, and the attributes of their models are compared with those of a new object with the same
    parameters. If both disagree, the comparison decides here, and ``fit`` tries to predict
    (:func:`check_is_recognised`). A list of teachers is fitted if all of them are.
    """
    if is_list(teacher):
        return all(map(is_fitted_teacher, teachers_in(teacher)))
    is_estimator = hasattr(teacher, "fit") and hasattr(teacher, "get_params")
    if not is_estimator or isinstance(teacher, FrozenEstimator | type):
        return True
    stated = _stated(teacher)
    if stated is not None:
        return stated
    has_changed = _has_changed_state(teacher)
    return _has_fitted_attributes(teacher) if has_changed is None else has_changed


def check_is_recognised(teacher: Any, X: Any) -> None:
    """Raise an error if it remains unclear whether a teacher is fitted, after it was asked for two rows.

    Raises
    ------
    TeacherError
        If the attributes of the teacher and its answer contradict each other.
    """
    if is_list(teacher):
        for each in teachers_in(teacher):
            check_is_recognised(each, X)
        return
    is_fitted = is_fitted_teacher(teacher)
    if not hasattr(teacher, "get_params") or isinstance(teacher, FrozenEstimator | type):
        return
    if _stated(teacher) is not None or _has_fitted_attributes(teacher) == is_fitted == _has_changed_state(teacher):
        return
    error = _failure_of(teacher, take_rows(X, np.arange(min(2, X.shape[0]))))
    if is_fitted != (error is None):
        name = type(teacher).__name__
        found = "it answers, but looks unfitted" if error is None else f"it looks fitted, but raises {error}"
        raise TeacherError(
            f"cannot tell whether the teacher {brief(teacher)} is fitted: {found}. Pass FrozenEstimator(model) or a "
            f"function, such as model.predict, if it is fitted; pass a new {name}(...) if it is to be fitted."
        )


def _stated(teacher: Any) -> bool | None:
    """Return whether an estimator says that it is fitted; ``None`` if it does not say so."""
    if type(teacher).__module__.split(".")[0] in FOLLOW_THE_CONVENTION:
        return _has_fitted_attributes(teacher)
    for name in STATES_IT:
        stated = getattr(teacher, name, None)
        stated = stated() if callable(stated) else stated
        if isinstance(stated, bool | np.bool_):
            return bool(stated)
    return None


def _has_fitted_attributes(teacher: Any) -> bool:
    """Whether an estimator has attributes of a fitted one, by the convention of scikit-learn."""
    try:
        check_is_fitted(teacher)
    except NotFittedError:
        return False
    except (AttributeError, TypeError):  # not a BaseEstimator
        return any(name.endswith("_") and not name.startswith("__") for name in vars(teacher))
    return True


def _has_changed_state(teacher: Any) -> bool | None:
    """Whether an estimator has other attributes than a new one with its parameters; ``None`` if there cannot be one."""
    try:
        params = teacher.get_params(deep=False)
        new = vars(type(teacher)(**params))
        old = vars(teacher)
    except Exception:
        return None
    names = (old.keys() | new.keys()) - params.keys() - {"_metadata_request", "_sklearn_output_config"}
    return any((name in old) != (name in new) or _differ(old[name], new[name]) for name in names)


def _differ(old: Any, new: Any) -> bool:
    """Whether two attributes differ in type, value or length, as far as this can be compared quickly."""
    if type(old) is not type(new):
        return True
    if isinstance(old, bool | int | float | str):
        return bool(old != new and old == old)
    if isinstance(old, np.ndarray):
        return old.shape != new.shape
    return isinstance(old, list | tuple) and len(old) != len(new)


def _failure_of(teacher: Any, rows: Any) -> str | None:
    """Ask for a few rows; return the error as text, and ``None`` if the answer has one output per row."""
    method = next((name for name in ("predict", "predict_proba", "transform") if hasattr(teacher, name)), None)
    if method is None:
        return "no method to predict"
    try:
        answer = getattr(teacher, method)(own_rows(rows))
    except Exception as error:
        return f"{type(error).__name__} in {method}"
    return None if np.shape(answer)[:1] == (rows.shape[0],) else f"no answer for each row in {method}"
