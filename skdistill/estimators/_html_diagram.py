"""Representations of distilled estimators: an HTML diagram of teacher, sampler and student, and ``repr``."""

import copy
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if

from .._representation import Documented, Text, brief, quick_to_show, shows_itself
from ..samplers import Mixture
from ..selection import AutoSampler
from ..teachers import is_fitted_teacher, is_list, teachers_in
from ..transfer import TransferSummary

_VisualBlock: Any = None
"""The block class of scikit-learn's diagrams, which is private; without it, the default diagram is used."""
for _home in ("_repr_html.estimator", "_estimator_html_repr"):  # the second before scikit-learn 1.7
    with suppress(ImportError, AttributeError):
        _VisualBlock = _VisualBlock or import_module(f"sklearn.utils.{_home}")._VisualBlock

CHOSEN = "selected in fit"
"""Label of a part of the diagram that ``fit`` has selected."""


class HTMLDiagramMixin(Documented):
    """Mixin for an estimator whose teacher may be any object: its representations are short and computed quickly."""

    teacher: Any
    sampler: Any
    student: Any
    n_jobs: int | None
    student_: Any
    transfer_set_: TransferSummary

    def _resolve_student(self) -> Any:
        raise NotImplementedError

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        shown = copy.copy(self)
        shown.__dict__.update({name: quick_to_show(value) for name, value in self.get_params(deep=False).items()})
        # scikit-learn only wraps the lines of classes that inherit its __repr__
        shown.__class__ = type(type(self).__name__, (type(self),), {"__repr__": BaseEstimator.__repr__})
        return repr(shown) if N_CHAR_MAX == 700 else BaseEstimator.__repr__(shown, N_CHAR_MAX)

    @available_if(lambda self: _VisualBlock is not None)  # type: ignore[untyped-decorator]  # noqa: ARG005
    def _sk_visual_block_(self) -> Any:
        """Return a serial block of teacher, sampler and student; after ``fit``, the fitted and the selected ones."""
        state = "fitted, used as it is" if is_fitted_teacher(self.teacher) else "recipe, fitted in fit"
        parts = {f"teacher: {state}": getattr(self, "teacher_", self.teacher)}
        if is_list(self.teacher):
            parts = {f"teachers: {state}": self.teacher}
        if self.sampler is not None:
            parts |= self._sampler_part()
        is_chosen = hasattr(self, "candidates_")
        name = f"student: {CHOSEN}" if is_chosen else "student"
        parts[name] = self.student_ if hasattr(self, "student_") else self._resolve_student()
        # scikit-learn shows a label only on members of parallel blocks
        blocks = [
            _VisualBlock("parallel", list(map(_block_of, of)), names=[name, *[""] * (len(of) - 1)], dash_wrapped=False)
            for name, part in parts.items()
            for of in [teachers_in(part)]
        ]
        return _VisualBlock("serial", blocks, dash_wrapped=False)

    def _sampler_part(self) -> dict[str, Any]:
        """Return the sampler by its label: after ``fit``, the one that was selected instead of the options."""
        options = AutoSampler() if isinstance(self.sampler, str) else self.sampler
        if not isinstance(options, AutoSampler) or not hasattr(self, "transfer_set_"):
            return {"sampler": options}
        name = f"sampler: {CHOSEN}" if hasattr(self, "sampler_results_") else "sampler"
        return {name: _selected(options, self.transfer_set_.sampler, self.n_jobs)}


def _selected(options: AutoSampler, text: str, n_jobs: int | None) -> Any:
    """Return the sampler that was selected, by its text; or the text, if it is none of the candidates."""
    if not text:
        return Text("no synthetic rows")
    for X in (np.zeros((1, 1)), sparse.csr_array((1, 1))):  # candidates differ for sparse rows
        candidates = options.candidates(X, n_jobs)
        for sampler in (*candidates, Mixture(candidates)):
            if repr(sampler) == text:
                return sampler
    return Text(text)


def _block_of(part: Any) -> Any:
    """Return a block for scikit-learn's diagram: the estimator itself, or a short text for any other object."""
    if shows_itself(part):
        return part
    if isinstance(part, Text):
        return _VisualBlock("single", None, names=repr(part))
    name = getattr(part, "__qualname__", type(part).__name__)
    return _VisualBlock("single", None, names=name, name_details=brief(part))
