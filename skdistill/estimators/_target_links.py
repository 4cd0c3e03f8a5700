"""``link`` and ``bounds`` of ``DistilledRegressor``: the scale that students are fitted on, and bounds of predictions."""

from dataclasses import replace
from typing import Any

import numpy as np

from ..exceptions import TeacherOutputError
from ..targets import TargetLink
from ..teachers import Teacher, known_bounds, stated_link

MAX_LOG_RATIO = 10.0
"""Maximum prediction of a student with a log link, as a multiple of the largest output of the teacher: beyond the rows
that it has seen, an exponential may become arbitrarily large."""


def check_link(model: Any) -> None:
    """Raise an error if ``link`` or ``bounds`` are invalid."""
    name = type(model).__name__
    if isinstance(model.bounds, str) and model.bounds not in ("auto", "seen"):
        raise ValueError(
            f"{name}: bounds={model.bounds!r}; expected 'auto', 'seen', None, or two numbers (low, high)."
        )
    if isinstance(model.link, str) and model.link == "auto":
        TargetLink.of("identity", _given_bounds(model), who=name)
        return
    TargetLink.of(model.link, _given_bounds(model), who=name)


def choose_link(model: Any, teacher: Teacher, outputs: np.ndarray, truth: np.ndarray | None) -> TargetLink:
    """Return the link of a distilled estimator after checking the outputs for the real rows.

    Parameters
    ----------
    model : DistilledRegressor
    teacher : Teacher
    outputs : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Outputs of the teacher for the real rows.
    truth : ndarray of the same shape or None
        True values that are blended in; missing for rows without them.

    Raises
    ------
    TeacherOutputError
        If outputs are outside the bounds.
    ValueError
        If true values are outside the bounds of the log or logit.
    """
    is_auto = isinstance(model.link, str) and model.link == "auto"
    link = _link_stated_by(model, teacher, outputs) if is_auto else None
    if link is None:
        name = "identity" if is_auto else model.link
        link = TargetLink.of(name, _given_bounds(model), who=type(model).__name__)
    _check_outputs(model, teacher, link, outputs)
    if truth is not None and link.name != "identity":
        link.check(truth, type(model).__name__, "y", "Pass link='identity', soft_weight=1, or other bounds.")
    return _with_bounds(model, teacher, link, outputs)


def _given_bounds(model: Any) -> Any:
    """Return the bounds if the user passed numbers."""
    return None if isinstance(model.bounds, str) else model.bounds


def _link_stated_by(model: Any, teacher: Teacher, outputs: np.ndarray) -> TargetLink | None:
    """Return the link that the teacher states, unless its outputs or the given bounds contradict it."""
    link = stated_link(teacher)
    if link is None:
        return None
    if _given_bounds(model) is not None:
        given = TargetLink.of("identity", model.bounds)
        link = replace(link, low=max(link.low, given.low), high=min(link.high, given.high))
    is_possible = link.low < link.high and link.is_inside(outputs).all() and bool(np.any(outputs > link.low))
    return link if is_possible else None


def _check_outputs(model: Any, teacher: Teacher, link: TargetLink, outputs: np.ndarray) -> None:
    advice = "Pass link='identity'" if link.name != "identity" else "Pass bounds='auto'"
    try:
        link.check(outputs, type(model).__name__, f"the teacher {teacher.name}", f"{advice}, or other bounds.")
    except ValueError as error:
        raise TeacherOutputError(str(error)) from None
    if link.name == "log" and not np.any(outputs > link.low):
        raise TeacherOutputError(
            f"{type(model).__name__}: the teacher {teacher.name} only returns {link.low:g}, which has no logarithm; "
            "expected larger outputs with link='log'. Pass link='identity'."
        )


def _with_bounds(model: Any, teacher: Teacher, link: TargetLink, outputs: np.ndarray) -> TargetLink:
    """Return the link with the bounds that ``bounds`` stands for."""
    if model.bounds == "seen":
        low, high = float(outputs.min()), float(outputs.max())
        is_wide = low < high
        if link.name == "log":
            return replace(link, high=high)
        return replace(link, low=low, high=high) if is_wide else link
    if link.name == "log" and np.isinf(link.high) and isinstance(model.bounds, str):
        return replace(link, high=link.low + MAX_LOG_RATIO * float(outputs.max() - link.low))
    if link.name == "identity" and isinstance(model.bounds, str):
        # true values may be outside the range of the teacher
        bounds = known_bounds(teacher) if model._given_soft_weight == 1 else None
        return TargetLink.of("identity", bounds) if bounds is not None and bounds[0] < bounds[1] else link
    return link
