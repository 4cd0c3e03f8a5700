"""Notebook representation of estimators: documentation of parameters, links, and short texts for foreign objects."""

import re
import reprlib
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

DOCUMENTATION = ""
"""URL of the documentation without a trailing slash; if empty, estimators have no links."""

PAGE = "{site}/api/generated/{module}.{name}.html"

QUICK_TO_SHOW = ("builtins", "joblib", "numpy", "skdistill", "sklearn")
"""Packages whose objects have a short ``repr``; the ``repr`` of objects of other packages may be slow or very long."""


class Documented(BaseEstimator):
    """Base class of estimators whose notebook representation shows the documentation of their parameters.

    scikit-learn only shows the documentation of parameters of estimators that have a documentation page to link to.
    Without such a page, this class generates the documentation with a placeholder link and removes the link afterwards.
    """

    def _get_doc_link(self) -> str:
        """Return the URL of the page of this estimator; empty for estimators of other packages."""
        if not DOCUMENTATION or not type(self).__module__.startswith("skdistill."):
            return ""
        package, room, *_ = type(self).__module__.split(".")
        module = package if room == "estimators" else f"{package}.{room}"
        return PAGE.format(site=DOCUMENTATION, module=module, name=type(self).__name__)

    def _get_params_html(self, *args: Any, **kwargs: Any) -> Any:
        return _documented(super()._get_params_html(*args, **kwargs))

    def _get_fitted_attr_html(self, *args: Any, **kwargs: Any) -> Any:
        return _documented(super()._get_fitted_attr_html(*args, **kwargs))


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


_LINK = re.compile(r'rel="noreferrer" target="_blank" href="LINK#[^"]*"')
"""The placeholder link of a parameter name, which is replaced by ``tabindex`` so that the name stays focusable."""

_LINE_BREAK = re.compile(r"(?<!<br>)<br>(?!<br>)")
"""A single line break of a docstring, which is replaced by a space: its lines are longer than a narrow notebook."""

_STYLE = (
    "<style>.skdistill-documented .param-doc-link:focus .param-doc-description {display: block}"
    ".skdistill-documented .param-doc-description {max-width: 32em; white-space: normal}</style>"
)


def _documented(shown: Any) -> Any:
    """Make a table of parameters or fitted attributes show its documentation even without a page to link to.

    Tables of scikit-learn before 1.8, and tables with an unknown implementation, are returned unchanged.
    """
    write = getattr(shown, "_repr_html_inner", None)
    if getattr(shown, "doc_link", None) is None or write is None:
        return shown
    has_page = bool(shown.doc_link)

    def documented() -> str:
        html = write() if has_page else _LINK.sub('tabindex="0"', write())
        return f'<div class="skdistill-documented">{_STYLE}{_LINE_BREAK.sub(" ", html)}</div>'

    shown.doc_link = shown.doc_link or "LINK"
    shown._repr_html_inner = documented
    return shown
