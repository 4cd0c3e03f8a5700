"""The distinction between fitted teachers, which are used as they are, and unfitted ones, which are recipes."""

from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted


def is_fitted_teacher(teacher: Any) -> bool:
    """Whether ``teacher`` is used as it is; otherwise it is a recipe, of which a clone is fitted.

    Objects that cannot be cloned and fitted (functions, LightGBM ``Booster``, results of :func:`as_teacher`) and every
    ``FrozenEstimator`` count as fitted. A ``FrozenEstimator`` of an unfitted estimator raises an error when queried.
    """
    is_estimator = hasattr(teacher, "fit") and hasattr(teacher, "get_params")
    if not is_estimator or isinstance(teacher, FrozenEstimator | type):
        return True
    try:
        check_is_fitted(teacher)
    except NotFittedError:
        return False
    except AttributeError:  # not a BaseEstimator: the naming convention of fitted attributes decides
        return any(name.endswith("_") and not name.startswith("__") for name in vars(teacher))
    return True
