"""Computed columns of a program: what the steps of a pipeline make of the cells, for all languages."""

import numpy as np

from ..compiled._computed import OPERATIONS, ComputedColumn

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
    """Return the cells of the source beside which the computed cell passes given numbers, and the keys."""
    if column.other is not None:
        return column.keys
    cells = _last_below(column, near[np.isfinite(near)]) if len(column.operation) else near
    return np.concatenate([cells, column.keys])


def _last_below(column: ComputedColumn, near: np.ndarray) -> np.ndarray:
    """Return the last cells before the computed cell passes given numbers, found by bisection among all doubles.

    The operations are monotone. Numbers that no cell passes are left out.
    """
    low, high = np.full(len(near), -_LARGEST), np.full(len(near), _LARGEST)
    rises = _computed_of(column, high) > _computed_of(column, low)
    is_passed = ((_computed_of(column, low) <= near) == rises) & ((_computed_of(column, high) <= near) != rises)
    below, above = _ordered(low), _ordered(high)
    while np.any(above - 1 > below):
        middle = (below & above) + ((below ^ above) >> 1)  # their mean, without overflow
        is_below = (_computed_of(column, _ordered(middle).view(np.float64)) <= near) == rises
        below, above = np.where(is_below, middle, below), np.where(is_below, above, middle)
    return _ordered(below).view(np.float64)[is_passed]


def _computed_of(column: ComputedColumn, cells: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore", under="ignore"):
        for operation, operand in zip(column.operation.tolist(), column.operand.tolist(), strict=True):
            cells = _FUNCTIONS[operation](cells, operand)
    return cells


def _ordered(numbers: np.ndarray) -> np.ndarray:
    """Return the bits of doubles as integers in the order of the doubles, or the bits from these integers."""
    bits = numbers.view(np.int64)
    return np.where(bits < 0, np.iinfo(np.int64).min - bits, bits)


_FUNCTIONS = list(OPERATIONS.values())
_LARGEST = float(np.finfo(np.float64).max)
