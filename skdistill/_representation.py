"""How estimators show themselves in notebooks: documentation of parameters, links, short texts for foreign objects."""

import re
import reprlib
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator

DOCUMENTATION = ""
"""Address of the built documentation, without a slash at its end; while there is none, nothing is linked."""

PAGE = "{site}/api/generated/{module}.{name}.html"

QUICK_TO_SHOW = ("builtins", "joblib", "numpy", "skdistill", "sklearn")
"""Packages whose objects have short texts; what others say of theirs may be slow, or megabytes."""


class Documented(BaseEstimator):
    """Base of our estimators: in notebooks their parameters show what they mean, and link to our pages, if any.

    scikit-learn shows the documentation of parameters only where there is a page to link to, and its own pages know
    nothing of ours. So without a page the links are taken out again, and what they would show stays.
    """

    def _get_doc_link(self) -> str:
        """Return the address of the page about this estimator; empty for estimators of other packages."""
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
    """An object whose ``repr`` is a text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def brief(thing: Any) -> str:
    """Return a short text for any object, without asking those of other libraries what they say of themselves."""
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
    """Return an object itself where its text is short, else a stand-in that has a short one."""
    is_quick = type(thing) in (bool, int, float, str, type(None), np.ndarray)
    return thing if is_quick or shows_itself(thing) else Text(brief(thing))


def shows_itself(thing: Any) -> bool:
    """Whether an object is one of scikit-learn's kind, and not another one inside a frozen estimator."""
    return shows_itself(thing.estimator) if isinstance(thing, FrozenEstimator) else isinstance(thing, BaseEstimator)


class _Brief(reprlib.Repr):
    """Shortens containers, and has short texts for what they hold."""

    def repr_instance(self, x: Any, level: int) -> str:  # noqa: ARG002  (the signature of the base)
        return brief(x)


_LINK = re.compile(r'rel="noreferrer" target="_blank" href="LINK#[^"]*"')
"""Inside the name of a parameter; without it the name can still be pointed at, or reached by the keyboard."""

_LINE_BREAK = re.compile(r"(?<!<br>)<br>(?!<br>)")
"""Of a docstring, whose lines are longer than a narrow notebook."""

_STYLE = (
    "<style>.skdistill-documented .param-doc-link:focus .param-doc-description {display: block}"
    ".skdistill-documented .param-doc-description {max-width: 32em; white-space: normal}</style>"
)


def _documented(shown: Any) -> Any:
    """Have a table of parameters or fitted attributes show its documentation, also where there is no page to link to.

    Tables of scikit-learn before 1.8 show none; where later ones are written otherwise, they stay as they are.
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
