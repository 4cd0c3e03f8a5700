"""Computed columns in C: one statement or a few for each column."""

import math

from ..compiled._computed import ComputedColumn
from ._computed import pairs_of, steps_of

MAX_COMPARED = 3
"""Maximum number of keys that are compared one after the other; more of them are found by bisection."""


def computed_text(computed: list[ComputedColumn]) -> str:
    """Return the function that computes the columns that the model reads."""
    lines = ["static void compute(const double *raw, double *cell)", "{", "    double x;"]
    body, needs_search = [], False
    for place, column in enumerate(computed):
        has_many = column.other is not None and len(column.keys) > MAX_COMPARED
        needs_search |= has_many
        body += [f"    x = raw[{column.source}];", *(_searched if has_many else _compared)(place, column)]
        body.append(f"    cell[{place}] = x;")
    helper = _VALUE_OF.strip("\n") + "\n\n" if needs_search else ""
    return helper + "\n".join([*lines, *body, "}"])


def _compared(place: int, column: ComputedColumn) -> list[str]:  # noqa: ARG001
    """Return the statements that replace a cell; the operations are rounded one by one."""
    branches = [("x != x", [f"x = {_number(column.missing)};"])]
    branches += [(f"x == {_number(key)}", [f"x = {_number(value)};"]) for key, value in pairs_of(column)]
    if column.other is None:
        rest = [_STEPS[sign].format(_number(number)) for sign, number in steps_of(column)]
        if math.isnan(column.missing):  # the operations keep NaN
            branches = branches[1:]
    else:
        rest = [f"x = {_number(column.other)};"]
    if not branches:
        return [f"    {statement}" for statement in rest]
    lines = []
    for index, (condition, statements) in enumerate(branches):
        lines += [f"    {'} else ' if index else ''}if ({condition}) {{", *(f"        {text}" for text in statements)]
    otherwise = ["    } else {", *(f"        {statement}" for statement in rest)] if rest else []
    return [*lines, *otherwise, "    }"]


def _searched(place: int, column: ComputedColumn) -> list[str]:
    pairs = sorted(pairs_of(column))
    keys, values = (", ".join(map(_number, numbers)) for numbers in zip(*pairs, strict=True))
    arguments = f"x, key{place}, value{place}, {len(pairs)}, {_number(column.other or 0.0)}"
    return [
        f"    static const double key{place}[{len(pairs)}] = {{{keys}}};",
        f"    static const double value{place}[{len(pairs)}] = {{{values}}};",
        f"    x = x != x ? {_number(column.missing)} : value_of({arguments});",
    ]


def _number(value: float) -> str:
    if math.isnan(value):
        return "NAN"
    return repr(float(value)) if math.isfinite(value) else "INFINITY" if value > 0 else "-INFINITY"


_STEPS = {
    "-": "x = x - {0};",
    "/": "x = x / {0};",
    "*": "x = x * {0};",
    "+": "x = x + {0};",
    "max": "x = x < {0} ? {0} : x;",
    "min": "x = x > {0} ? {0} : x;",
}

_VALUE_OF = """
/* Returns the value of a key, found by bisection; another number if it is none. */
static double value_of(double x, const double *keys, const double *values, int n_keys, double other)
{
    int low = 0, high = n_keys;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (keys[middle] == x)
            return values[middle];
        if (keys[middle] > x)
            high = middle;
        else
            low = middle + 1;
    }
    return other;
}
"""
