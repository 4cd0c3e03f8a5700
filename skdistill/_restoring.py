"""Fits that leave an estimator either fitted or as it was."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def all_or_nothing(fit: Callable[P, R]) -> Callable[P, R]:
    """Decorate ``fit`` so that, where it fails or is interrupted, the estimator is as it was before.

    A first fit then leaves no fitted attribute behind, and a later one no mixture of two models.
    """

    @wraps(fit)
    def whole_fit(*args: P.args, **kwargs: P.kwargs) -> R:
        estimator: Any = args[0]
        before = dict(vars(estimator))
        try:
            return fit(*args, **kwargs)
        except BaseException:  # an interrupt, too
            vars(estimator).clear()
            vars(estimator).update(before)
            raise

    return whole_fit
