"""How distilled estimators show themselves: teacher, sampler and student as blocks of a diagram, and in a line."""

import copy
from contextlib import suppress
from importlib import import_module
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils.metaestimators import available_if

from .._representation import Documented, brief, quick_to_show, shows_itself
from ..teachers import is_fitted_teacher
from ._auto_sampler import AutoSampler

_VisualBlock: Any = None
"""scikit-learn's own, which has no public name; where it has moved, estimators show themselves as any other does."""
for _home in ("_repr_html.estimator", "_estimator_html_repr"):  # the second before scikit-learn 1.7
    with suppress(ImportError, AttributeError):
        _VisualBlock = _VisualBlock or import_module(f"sklearn.utils.{_home}")._VisualBlock


class Shown(Documented):
    """An estimator with a teacher, which may be any object: what is shown of it is short and never slow."""

    teacher: Any
    sampler: Any
    student: Any

    def _resolve_student(self) -> Any:
        raise NotImplementedError

    def __repr__(self, N_CHAR_MAX: int = 700) -> str:
        shown = copy.copy(self)
        shown.__dict__.update({name: quick_to_show(value) for name, value in self.get_params(deep=False).items()})
        # scikit-learn breaks the lines of those classes only whose __repr__ is its own
        shown.__class__ = type(type(self).__name__, (type(self),), {"__repr__": BaseEstimator.__repr__})
        return repr(shown) if N_CHAR_MAX == 700 else BaseEstimator.__repr__(shown, N_CHAR_MAX)

    @available_if(lambda self: _VisualBlock is not None)  # type: ignore[untyped-decorator]  # noqa: ARG005
    def _sk_visual_block_(self) -> Any:
        """Return teacher, sampler and student, one below the other; the fitted ones once there are such."""
        state = "fitted, only asked" if is_fitted_teacher(self.teacher) else "recipe, fitted in fit"
        parts = {f"teacher: {state}": getattr(self, "teacher_", self.teacher)}
        if self.sampler is not None:
            parts["sampler"] = AutoSampler() if isinstance(self.sampler, str) else self.sampler
        parts["student"] = getattr(self, "student_", None) or self._resolve_student()
        # a list of one, beside nothing, is what scikit-learn writes a label on
        blocks = [
            _VisualBlock("parallel", [_block_of(part)], names=[name], dash_wrapped=False)
            for name, part in parts.items()
        ]
        return _VisualBlock("serial", blocks, dash_wrapped=False)


def _block_of(part: Any) -> Any:
    """Return what scikit-learn shows as a block: estimators as they are, anything else by a short text."""
    if shows_itself(part):
        return part
    name = getattr(part, "__qualname__", type(part).__name__)
    return _VisualBlock("single", None, names=name, name_details=brief(part))
