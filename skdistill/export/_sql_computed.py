"""Computed columns in SQL: one expression for each column."""

import math

from ..compiled._computed import ComputedColumn
from ._computed import pairs_of, steps_of
from ._dialects import Dialect

_SMALLEST = {"max": "min", "greatest": "least"}
"""The function that returns the smallest of its arguments, by that which returns the largest."""


def computed_expression(column: ComputedColumn, sql: Dialect) -> str:
    """Return the expression of a column that is computed from the cells ``r0``, ``r1``, ... of a row."""
    cell = f"r{column.source}"
    found = _operations(column, cell, sql) if column.other is None else _number(column.other, sql)
    whens = [f" WHEN {cell} = {sql.exact(key)} THEN {_number(value, sql)}" for key, value in pairs_of(column)]
    if column.other is not None or not math.isnan(column.missing) or steps_of(column):
        whens.insert(0, f" WHEN {cell} IS NULL THEN {_number(column.missing, sql)}")
    return f"CASE{''.join(whens)} ELSE {found} END" if whens else found


def _operations(column: ComputedColumn, cell: str, sql: Dialect) -> str:
    steps = steps_of(column)
    found = sql.weighable(cell) if steps else cell
    for sign, number in steps:
        operand = sql.exact(number)
        if len(sign) == 1:
            found = f"({found} {sign} {operand})"
        else:
            found = f"{sql.largest if sign == 'max' else _SMALLEST[sql.largest]}({found}, {operand})"
    return found


def _number(value: float, sql: Dialect) -> str:
    return "NULL" if math.isnan(value) else sql.exact(value)
