"""A decorator that makes ``fit`` atomic."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def all_or_nothing(fit: Callable[P, R]) -> Callable[P, R]:
    """Decorate ``fit`` so that the state of the estimator is restored if ``fit`` raises or is interrupted.

    A failed fit then sets no fitted attributes, and a failed refit keeps those of the previous fit.
    """

    @wraps(fit)
    def whole_fit(*args: P.args, **kwargs: P.kwargs) -> R:
        estimator: Any = args[0]
        before = dict(vars(estimator))
        try:
            return fit(*args, **kwargs)
        except BaseException:  # including KeyboardInterrupt
            vars(estimator).clear()
            vars(estimator).update(before)
            raise

    return whole_fit
