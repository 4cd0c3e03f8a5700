"""Notebook representation of estimators: documentation of parameters, links, and short texts for foreign objects."""

import reprlib
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

from ._setting import check_names

DOCUMENTATION = ""
"""URL of the documentation without a trailing slash; if empty, estimators have no links."""

QUICK_TO_SHOW = ("builtins", "joblib", "numpy", "skdistill", "sklearn")
"""Packages whose objects have a short ``repr``; the ``repr`` of objects of other packages may be slow or very long."""


class Documented(BaseEstimator):
    """Base of our estimators: in notebooks they link to their page, and show the documentation of their parameters.

    These are scikit-learn's hooks for it; without a site there is nothing to link to.
    """

    _sets_itself: tuple[str, ...] = ()
    """Parameters whose nested parameters are checked elsewhere."""

    _doc_link_module = "skdistill" if DOCUMENTATION else ""
    _doc_link_template = DOCUMENTATION + "/api/generated/{page}.html"

    def set_params(self, **params: Any) -> Self:
        """Set parameters; the error for a misspelt name suggests the right one.

        Parameters
        ----------
        **params : dict
            Parameters of the estimator.

        Returns
        -------
        self : estimator
        """
        prefixes = tuple(f"{name}__" for name in self._sets_itself)
        check_names(self, {name: value for name, value in params.items() if not name.startswith(prefixes)})
        return super().set_params(**params)

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        package, room, *_ = type(self).__module__.split(".")
        module = package if room in ("estimators", "selection") else f"{package}.{room}"
        return {"page": f"{module}.{type(self).__name__}"}


class Text:
    """An object whose ``repr`` is a given text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def brief(thing: Any) -> str:
    """Return a short text for any object, without calling ``repr`` of objects of other libraries."""
    if isinstance(thing, FrozenEstimator):
        return f"FrozenEstimator(estimator={brief(thing.estimator)})"
    if isinstance(thing, BaseEstimator):
        return repr(thing)
    if type(thing) in (list, tuple, dict, set):
        return _Brief().repr(thing)
    kind = type(thing)
    if hasattr(thing, "__qualname__"):
        return f"<{kind.__name__} {thing.__qualname__}>"
    if kind.__module__.split(".")[0] in QUICK_TO_SHOW:
        return repr(thing)
    return f"<{kind.__module__}.{kind.__qualname__}>"


def quick_to_show(thing: Any) -> Any:
    """Return the object itself if its ``repr`` is short, otherwise a placeholder with a short ``repr``."""
    is_quick = type(thing) in (bool, int, float, str, type(None), np.ndarray)
    return thing if is_quick or shows_itself(thing) else Text(brief(thing))


def shows_itself(thing: Any) -> bool:
    """Whether an object, or the object inside a ``FrozenEstimator``, is a scikit-learn estimator."""
    return shows_itself(thing.estimator) if isinstance(thing, FrozenEstimator) else isinstance(thing, BaseEstimator)


class _Brief(reprlib.Repr):
    """Shortens containers, and uses short texts for their elements."""

    def repr_instance(self, x: Any, level: int) -> str:  # noqa: ARG002  (the signature of the base)
        return brief(x)
