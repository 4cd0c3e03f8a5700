"""Computed columns in ONNX: what the steps of a pipeline make of the cells."""

from collections.abc import Iterator

import numpy as np

from ..compiled._computed import ComputedColumn
from ._onnx_graph import Graph

MAX_COMPARED = 4
"""Maximum number of keys that are compared one after the other; more of them are compared at once."""

OPERATORS = ("Sub", "Div", "Mul", "Add", "Max", "Min")
"""The operations of computed columns by position."""


def add_computed(graph: Graph, cells: str, computed: list[ComputedColumn]) -> str:
    """Add the columns that the parts read, and return the name of an array of shape (n_rows, n_computed)."""
    blocks, order = [], []
    for places in _alike(computed):
        columns = [computed[place] for place in places]
        given = graph.add("Gather", cells, graph.constant(np.array([column.source for column in columns])), axis=1)
        blocks.append(_block(graph, given, columns))
        order += places
    found = blocks[0] if len(blocks) == 1 else graph.add("Concat", *blocks, axis=1)
    if order == list(range(len(order))):
        return found
    return graph.add("Gather", found, graph.constant(np.argsort(order)), axis=1)


def _alike(computed: list[ComputedColumn]) -> Iterator[list[int]]:
    """Yield the positions of columns that differ in numbers only; columns of many keys one by one."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, column in enumerate(computed):
        n_keys = len(column.keys)
        key = (column.other is None, tuple(column.operation.tolist()), n_keys, place if n_keys > MAX_COMPARED else -1)
        groups.setdefault(key, []).append(place)
    yield from groups.values()


def _block(graph: Graph, given: str, columns: list[ComputedColumn]) -> str:
    """Add columns that differ in numbers only."""
    first = columns[0]
    found = given
    if first.other is None:
        for index, operation in enumerate(first.operation.tolist()):
            operands = np.array([column.operand[index] for column in columns])
            found = graph.add(OPERATORS[operation], found, graph.constant(operands))
    else:
        found = graph.constant(np.array([column.other for column in columns], dtype=np.float64))
    if len(first.keys) > MAX_COMPARED:
        found = _looked_up(graph, given, first, found)
    else:
        for index in range(len(first.keys)):
            keys, values = (
                np.array([getattr(column, name)[index] for column in columns]) for name in ("keys", "values")
            )
            found = graph.add("Where", graph.add("Equal", given, graph.constant(keys)), graph.constant(values), found)
    missing = np.array([column.missing for column in columns])
    if first.other is None and np.isnan(missing).all():  # the operations keep NaN
        return found
    return graph.add("Where", graph.add("IsNaN", given), graph.constant(missing), found)


def _looked_up(graph: Graph, given: str, column: ComputedColumn, other: str) -> str:
    """Add the value of the key that a cell is equal to, by a product with the indicators of the keys."""
    from onnx import TensorProto

    is_known = graph.add("Equal", given, graph.constant(column.keys))
    indicators = graph.add("Cast", is_known, to=TensorProto.DOUBLE)
    is_nan = np.isnan(column.values)
    values = graph.add("MatMul", indicators, graph.constant(np.where(is_nan, 0.0, column.values)[:, None]))
    counts = graph.add("MatMul", indicators, graph.constant(np.ones((len(is_nan), 1))))
    found = graph.add("Where", graph.add("Cast", counts, to=TensorProto.BOOL), values, other)
    if not is_nan.any():
        return found
    of_nan = graph.add("MatMul", indicators, graph.constant(is_nan.astype(np.float64)[:, None]))
    return graph.add("Where", graph.add("Cast", of_nan, to=TensorProto.BOOL), graph.constant(np.array(np.nan)), found)
