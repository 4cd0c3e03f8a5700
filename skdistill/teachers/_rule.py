"""The teacher rule: a fitted teacher is used as it is and kept by reference; an unfitted one is a recipe."""

from typing import Any

from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted


def is_fitted_teacher(teacher: Any) -> bool:
    """Whether ``teacher`` can be asked as it is; otherwise it is a recipe to clone and fit.

    Everything without ``fit`` (a function, a LightGBM ``Booster``, what :func:`as_teacher` returns) and every
    ``FrozenEstimator`` counts as fitted. An unfitted frozen estimator is found out when it is asked.
    """
    if not hasattr(teacher, "fit") or isinstance(teacher, FrozenEstimator | type):
        return True
    try:
        check_is_fitted(teacher)
    except NotFittedError:
        return False
    return True


class kept_by_reference(BaseEstimator):  # noqa: N801  (used like a function)
    """What ``clone`` hands on as it is: a box around a fitted teacher while its owner is cloned."""

    def __init__(self, content: Any) -> None:
        self.content = content

    def __sklearn_clone__(self) -> "kept_by_reference":
        return self
