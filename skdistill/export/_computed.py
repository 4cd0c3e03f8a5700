"""Computed columns of a program: what the steps of a pipeline make of the cells, for all languages."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..compiled._computed import ComputedColumn

SIGNS = ("-", "/", "*", "+", "max", "min")
"""The operations of computed columns by position."""


def pairs_of(column: ComputedColumn) -> list[tuple[float, float]]:
    """Return the keys of a column with their values."""
    return list(zip(column.keys.tolist(), column.values.tolist(), strict=True))


def steps_of(column: ComputedColumn) -> list[tuple[str, float]]:
    """Return the operations of a column, each as a sign and a number."""
    return [
        (SIGNS[operation], operand)
        for operation, operand in zip(column.operation.tolist(), column.operand.tolist(), strict=True)
    ]


def near_of(column: ComputedColumn, near: np.ndarray) -> np.ndarray:
    """Return cells of the source at which the computed cell passes given numbers, and the keys."""
    cells = near[np.isfinite(near)] if column.other is None else np.zeros(0)
    for sign, operand in reversed(steps_of(column)):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            cells = _INVERSE[sign](cells, operand) if sign in _INVERSE else cells
    beside = [np.nextafter(cells, direction) for direction in (np.inf, -np.inf)]  # the inverse may be a double away
    found = np.concatenate([cells, *beside, column.keys])
    return found[np.isfinite(found)]


_INVERSE: dict[str, Callable[[Any, Any], Any]] = {
    "-": np.add,
    "/": np.multiply,
    "*": np.divide,
    "+": np.subtract,
}
