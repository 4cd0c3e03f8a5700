"""``link`` and ``bounds`` of ``DistilledRegressor``: the scale of the fit of students, and bounds of predictions."""

from dataclasses import replace
from typing import Any

import numpy as np

from .._suggesting import did_you_mean
from .._validation import check_choice
from ..exceptions import TeacherOutputError
from ..selection import MIN_ERRORS_REAL_WEIGHT, MIN_VALIDATION_ROWS, AutoStudent, Group, Losses, ValueTargets
from ..targets import TargetLink
from ..teachers import Teacher, known_bounds, stated_link
from ..transfer import TransferSet
from ._output_order import check_output_order, quantiles_for, with_order

MAX_COMPARED_ROWS = 4000
"""Maximum number of real rows on which the link of the teacher is compared with the identity."""

MIN_GAIN_LINK = 0.2
"""Minimum share of the loss by which the identity must be better than the link that the teacher states."""


def check_link(model: Any) -> None:
    """Raise an error if ``link``, ``bounds``, ``output_order`` or ``quantiles`` are invalid."""
    name = type(model).__name__
    if isinstance(model.bounds, str) and model.bounds not in ("auto", "seen"):
        raise ValueError(
            f"{name}: bounds={model.bounds!r}; expected 'auto', 'seen', None, or two numbers (low, high)."
            f"{did_you_mean(model.bounds, ['auto', 'seen'])}"
        )
    check_choice(model, "link", model.link, ("auto", "identity", "log", "logit"))
    TargetLink.of("identity" if _is_auto(model.link) else model.link, _given_bounds(model), who=name)
    check_output_order(model)


def choose_targets(model: Any, teacher: Teacher, real: TransferSet) -> ValueTargets:
    """Return the targets of a distilled regressor, with the link that its student is fitted on, and its order.

    Parameters
    ----------
    model : DistilledRegressor
    teacher : Teacher
    real : TransferSet
        Labelled real rows.

    Raises
    ------
    TeacherOutputError
        If outputs are outside the bounds.
    ValueError
        If true values that are blended in are outside the bounds of the log or logit.
    """
    stated = _stated_link(model, teacher, real.outputs) if _is_auto(model.link) else None
    name = "identity" if _is_auto(model.link) else model.link
    link = stated or TargetLink.of(name, _given_bounds(model), who=type(model).__name__)
    _check_values(model, teacher, link, real)
    link = with_order(model, teacher, _with_bounds(model, teacher, link, real.outputs), real)
    keeps_bounds = link.name != "identity" or not _is_auto(model.bounds)
    quantiles = quantiles_for(model, teacher, real.outputs)
    targets = ValueTargets(
        teacher,
        model._given_soft_weight,
        model._target_compressor,
        link=link,
        keeps_bounds=keeps_bounds,
        truth_margin=model.truth_margin,
        quantiles=None if quantiles is None else tuple(quantiles.tolist()),
    )
    return targets if stated is None else _on_better_scale(model, targets, real)


def _is_auto(parameter: Any) -> bool:
    return isinstance(parameter, str) and parameter == "auto"


def _given_bounds(model: Any) -> Any:
    """Return the bounds if the user passed numbers."""
    return None if isinstance(model.bounds, str) else model.bounds


def _stated_link(model: Any, teacher: Teacher, outputs: np.ndarray) -> TargetLink | None:
    """Return the link that the teacher states, unless its outputs or the given bounds contradict it."""
    link = stated_link(teacher)
    if link is None:
        return None
    if _given_bounds(model) is not None:
        given = TargetLink.of("identity", model.bounds)
        link = replace(link, low=max(link.low, given.low), high=min(link.high, given.high))
    is_possible = link.low < link.high and link.is_inside(outputs).all() and bool(np.any(outputs > link.low))
    return link if is_possible else None


def _check_values(model: Any, teacher: Teacher, link: TargetLink, real: TransferSet) -> None:
    """Check that the outputs and the true values for the real rows are possible with the link."""
    name, has_link = type(model).__name__, link.name != "identity"
    advice = "Pass link='identity', or other bounds." if has_link else "Pass bounds='auto', or other bounds."
    try:
        link.check(real.outputs, name, f"the teacher {teacher.name}", advice)
    except ValueError as error:
        raise TeacherOutputError(str(error)) from None
    if link.name == "log" and not np.any(real.outputs > link.low):
        raise TeacherOutputError(
            f"{name}: the teacher {teacher.name} only returns {link.low:g}, which has no logarithm; expected larger "
            "outputs with link='log'. Pass link='identity'."
        )
    if real.truth is not None and has_link:
        link.check(real.truth, name, "y", "Pass link='identity', soft_weight=1, or other bounds.")


def _with_bounds(model: Any, teacher: Teacher, link: TargetLink, outputs: np.ndarray) -> TargetLink:
    """Return the link with the bounds that ``bounds`` stands for."""
    if not isinstance(model.bounds, str):
        return link
    low, high = float(outputs.min()), float(outputs.max())
    if link.name == "log":  # beyond the values seen, an exponential may become arbitrarily large
        return replace(link, high=high)
    if model.bounds == "seen":
        return replace(link, low=low, high=high) if low < high else link
    if link.name == "identity" and model._given_soft_weight == 1:  # true values may exceed the range of the teacher
        bounds = known_bounds(teacher)
        return TargetLink.of("identity", bounds) if bounds is not None and bounds[0] < bounds[1] else link
    return link


def _on_better_scale(model: Any, targets: ValueTargets, real: TransferSet) -> ValueTargets:
    """Return targets with the identity link if the student is clearly worse with the link on held-out rows.

    A linear student, for instance, may follow the values of a Poisson teacher, but not their logarithms. Its
    predictions are then clipped to the values that have a score. A student that is still to be selected keeps the link.
    """
    student, rows = model._student_to_teach(), np.flatnonzero(real.sample_weight)
    if isinstance(student, AutoStudent) or len(rows) < 4 * MIN_VALIDATION_ROWS:
        return targets
    rows = np.random.RandomState(0).permutation(rows)[:MAX_COMPARED_ROWS]
    held, training = real.take(np.sort(rows[::4])), real.take(np.sort(np.delete(rows, np.s_[::4])))
    student, link = model._sized(student, targets, training), targets.link
    low = link.low + float(np.min(link.floor(real.outputs))) if link.name == "log" else link.low
    other = replace(targets, link=TargetLink("identity", low, link.high, link.order), keeps_bounds=True)
    group, losses = Group(held.X, held.outputs, held.sample_weight), []
    for each in (targets, other):
        given = each.predict(each.teach(student, training, 0), held.X)
        losses.append(Losses((group.losses(given, pools_outputs=False)[0],)))
    is_worse = losses[0].is_clearly_above(losses[1], MIN_ERRORS_REAL_WEIGHT, MIN_GAIN_LINK)
    return other if is_worse else targets
