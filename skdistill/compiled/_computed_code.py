"""Code generator for computed columns: an expression of one cell each."""

from typing import Any

from ._code import float_literal, int_literal
from ._computed import Computed, ComputedColumn

MAX_COMPUTED = 2000
"""Maximum number of computed columns in generated code; more of them are computed faster by numpy."""

MAX_CHAINED = 2
"""Maximum number of keys that are compared one after the other; more of them are looked up."""

_PATTERNS = ("({0} - {1})", "({0} / {1})", "({0} * {1})", "({0} + {1})", "max({0}, {1})", "min({0}, {1})")
"""The operations by position. ``max`` and ``min`` return a first argument that is NaN."""


def computed_code(computed: Computed, prefix: str) -> tuple[list[str], dict[str, Any]] | None:
    """Return the lines that replace ``cells`` by the computed columns, and the dicts that they look keys up in.

    The result is ``None`` if there are too many columns.
    """
    if len(computed.source) > MAX_COMPUTED:
        return None
    names: dict[str, Any] = {}
    expressions = []
    for place, column in enumerate(computed.each()):
        expressions.append(_expression(column, f"{prefix}known{place}", names))
    used = sorted(set(computed.source.tolist()))
    reads = [f"    r{int_literal(index)} = cells[{int_literal(index)}]" for index in used]
    if len(used) * 2 > computed.n_features:  # unpacking all cells is faster than indexing half of them
        reads = [f"    {', '.join(f'r{index}' for index in range(computed.n_features))}, = cells"]
    return [*reads, f"    cells = ({''.join(f'{expression}, ' for expression in expressions)})"], names


def _expression(column: ComputedColumn, table: str, names: dict[str, Any]) -> str:
    """Return the expression of a computed column, and add the dict of its keys to ``names`` if it needs one."""
    cell = f"r{int_literal(column.source)}"
    if column.other is not None:
        found = _literal(column.other)
    else:
        found = cell
        for operation, operand in zip(column.operation.tolist(), column.operand.tolist(), strict=True):
            found = _PATTERNS[operation].format(found, float_literal(operand))
    pairs = list(zip(column.keys.tolist(), column.values.tolist(), strict=True))
    if len(pairs) <= MAX_CHAINED:
        for key, value in reversed(pairs):
            found = f"({_literal(value)} if {cell} == {float_literal(key)} else {found})"
    elif column.other is not None:
        names[table] = dict(pairs)
        found = f"{table}.get({cell}, {found})"
    else:
        names[table] = dict(pairs)
        found = f"({table}[{cell}] if {cell} in {table} else {found})"
    keeps_nan = column.other is None and column.missing != column.missing
    is_other = column.other is not None and _literal(column.other) == _literal(column.missing)
    return found if keeps_nan or is_other else f"({_literal(column.missing)} if {cell} != {cell} else {found})"


def _literal(number: float) -> str:
    return f"({float_literal(number)})" if number < 0 else float_literal(number)
