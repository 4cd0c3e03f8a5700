"""``output_order`` and ``quantiles`` of ``DistilledRegressor``: the order of the outputs that the student keeps."""

from dataclasses import replace
from typing import Any

import numpy as np

from .._described import described
from .._ordering import ORDERS, is_in_order
from .._suggesting import did_you_mean
from ..selection import ValueTargets
from ..targets import TargetLink
from ..teachers import Teacher, as_levels, stated_order, stated_quantiles
from ..transfer import TransferSet

MIN_ORDERED_ROWS = 100
"""Minimum number of rows in order, without an exception, that show an order: it then fails in at most 3 % of all rows
with a confidence of 95 %."""

MIN_ORDERED_OUTPUTS = 3
"""Minimum number of outputs whose values show an order; two quantities of unequal size are often in order by chance."""


def check_output_order(model: Any) -> None:
    """Raise an error if ``output_order`` or ``quantiles`` are invalid, or contradict each other."""
    name, order = type(model).__name__, model.output_order
    known = ["auto", *ORDERS]
    if order is not None and not (isinstance(order, str) and order in known):
        raise ValueError(
            f"{name}: output_order={described(order)}; expected one of {known}, or None.{did_you_mean(order, known)}"
        )
    if model.quantiles is None:
        return
    if as_levels(model.quantiles) is None:
        raise ValueError(
            f"{name}: quantiles={described(model.quantiles)}; expected at least two increasing numbers between 0 and "
            "1, one for each output of the teacher, such as [0.05, 0.5, 0.95]."
        )
    if order not in ("auto", "increasing", None):
        raise ValueError(
            f"{name}: output_order={order!r} with quantiles, which increase; expected output_order='auto' or "
            "'increasing'. Pass quantiles=None, or another order."
        )


def quantiles_for(model: Any, teacher: Teacher, outputs: np.ndarray) -> np.ndarray | None:
    """Return the levels of the outputs, if they are quantiles: those given, or those that the teacher states.

    Raises
    ------
    ValueError
        If there are not as many given quantiles as outputs.
    """
    n_outputs = outputs.reshape(len(outputs), -1).shape[1]
    if model.quantiles is None:
        stated = stated_quantiles(teacher) if n_outputs > 1 else None
        return stated if stated is not None and len(stated) == n_outputs else None
    levels = as_levels(model.quantiles)
    assert levels is not None
    if len(levels) != n_outputs:
        raise ValueError(
            f"{type(model).__name__}: quantiles has {len(levels)} levels, but the teacher {teacher.name} has "
            f"{n_outputs} outputs; expected one level for each output."
        )
    return levels


def with_order(model: Any, teacher: Teacher, link: TargetLink, real: TransferSet) -> TargetLink:
    """Return the link with the order of the outputs, and with the bounds that are known of ordered outputs.

    Raises
    ------
    ValueError
        If the order is not possible for the number of outputs.
    """
    order = _order_of(model, teacher, real)
    link = replace(link, order=order)
    outputs = real.outputs.reshape(len(real.outputs), -1)
    link.check_count(outputs.shape[1], type(model).__name__, f"the answer of the teacher {teacher.name}")
    is_open = link.name == "identity" and link.bounds is None and isinstance(model.bounds, str)
    if order in (None, "mean_std") or not is_open or model._given_soft_weight < 1:
        return link
    return _with_natural_bounds(link, outputs[real.sample_weight > 0])


def _order_of(model: Any, teacher: Teacher, real: TransferSet) -> str | None:
    """Return the order: the given one, the one that the teacher states, or the one of all its outputs."""
    quantiles = quantiles_for(model, teacher, real.outputs)
    if model.output_order != "auto":
        return model.output_order
    if real.outputs.ndim == 1:
        return None
    stated = "increasing" if quantiles is not None else stated_order(teacher)
    if stated is not None:
        return stated
    outputs = real.outputs[real.sample_weight > 0]
    if len(outputs) < MIN_ORDERED_ROWS or outputs.shape[1] < MIN_ORDERED_OUTPUTS:
        return None
    varies = bool(np.any(outputs[:, 1:] != outputs[:, :-1]))
    found = (order for order in ("increasing", "decreasing") if varies and is_in_order(outputs, order).all())
    return next(found, None)


def _with_natural_bounds(link: TargetLink, outputs: np.ndarray) -> TargetLink:
    """Return the bound zero if no output is negative, and one for shares that start or end there.

    Shares fall from one or rise to one, as survival and distribution functions do.
    """
    if len(outputs) < MIN_ORDERED_ROWS or outputs.min() < 0 or outputs.max() == 0:
        return link
    are_shares = outputs.max() <= 1 and (link.order == "decreasing" or outputs.max() == 1)
    return replace(link, low=0.0, high=1.0 if are_shares else np.inf)


def with_possible_order(model: Any, targets: ValueTargets) -> ValueTargets:
    """Return the targets without an order that the directions of the outputs contradict.

    Sorting functions that all rise with a column gives functions that rise, but one that rises and one that falls may
    exchange their places.

    Raises
    ------
    ValueError
        If the order was given.
    """
    directions = targets.view.monotonic_cst
    if targets.link.order in (None, "mean_std") or directions is None or np.ndim(directions) < 2:
        return targets
    if np.all(directions == directions[:1]):
        return targets
    if model.output_order != "auto":
        raise ValueError(
            f"{type(model).__name__}: output_order={model.output_order!r} with directions in monotonic_cst that differ "
            "between the outputs; expected the same directions for all outputs, which are sorted. Pass one direction "
            "for each column, or output_order=None."
        )
    return replace(targets, link=replace(targets.link, order=None))
