"""The teacher rule: a fitted teacher is used as it is and kept by reference; an unfitted one is a recipe."""

from typing import Any

from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted


def is_fitted_teacher(teacher: Any) -> bool:
    """Whether ``teacher`` can be asked as it is; otherwise it is a recipe to clone and fit.

    What cannot be cloned and fitted (a function, a LightGBM ``Booster``, what :func:`as_teacher` returns) and every
    ``FrozenEstimator`` counts as fitted. An unfitted frozen estimator is found out when it is asked.
    """
    is_estimator = hasattr(teacher, "fit") and hasattr(teacher, "get_params")
    if not is_estimator or isinstance(teacher, FrozenEstimator | type):
        return True
    try:
        check_is_fitted(teacher)
    except NotFittedError:
        return False
    except AttributeError:  # no BaseEstimator: scikit-learn's convention for fitted attributes has to do
        return any(name.endswith("_") and not name.startswith("__") for name in vars(teacher))
    return True
