"""The inputs of an ONNX graph, and the cells of a row as one array of doubles."""

from dataclasses import dataclass
from itertools import chain, count
from typing import Any

import numpy as np

from ..exceptions import ExportError
from ._onnx_graph import ML, Graph, tensor
from ._program import Column, Program, Trees

TABLE = "X"
"""Name of the input if all columns are numbers."""

MISSING_TIME = -(2**63)
"""The integer that stands for a missing date or duration, as in numpy."""


@dataclass(frozen=True)
class Input:
    """An input of the graph: a column of a raw table, or all columns if all of them are numbers.

    Parameters
    ----------
    name : str
    kind : {"table", "number", "time", "category"}
    width : int, default=1
        Number of columns.
    missing : str or None, default=None
        The text of a missing category; ``None`` for numbers and times.
    """

    name: str
    kind: str
    width: int = 1
    missing: str | None = None


def inputs_of(program: Program, outputs: list[str]) -> list[Input]:
    """Return the inputs, whose names are those of the columns unless they are empty, invalid or taken."""
    columns = program.columns
    if all(column.kind == "number" for column in columns):
        return [Input(TABLE, "table", len(columns))]
    names = input_names([column.name for column in columns], outputs)
    return [
        Input(name, column.kind, missing=_missing_text(column) if column.kind == "category" else None)
        for name, column in zip(names, columns, strict=True)
    ]


def input_names(names: list[str], outputs: list[str]) -> list[str]:
    """Return a distinct name for each column: its own, or one with a number if ONNX has another use for it or none."""
    own = {name for name in names if name and "\0" not in name and is_text(name)} - set(outputs)
    used, found = own | set(outputs), []
    for place, name in enumerate(names):
        if name in own:
            own.discard(name)  # a second column of this name gets another one
            found.append(name)
            continue
        first = name if name in outputs else f"x{place}"
        numbered = (f"{first}_{number}" for number in count(1))
        found.append(next(candidate for candidate in chain([first], numbered) if candidate not in used))
        used.add(found[-1])
    return found


def is_text(text: str) -> bool:
    """Whether a text can be stored in UTF-8, which holds no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _missing_text(column: Column) -> str:
    """Return a text that is no category: the empty one if possible, and if it is as good as an unseen one."""
    numbered = (f"missing {number}" for number in count(1))
    first = ["", "missing"] if column.missing < 0 else ["missing"]
    return next(text for text in chain(first, numbered) if text not in column.texts)


def value_infos(inputs: list[Input]) -> list[Any]:
    """Return the declarations of the inputs; the number of rows is free."""
    from onnx import TensorProto, helper

    types = {"time": TensorProto.INT64, "category": TensorProto.STRING}
    return [
        helper.make_tensor_value_info(each.name, types.get(each.kind, TensorProto.DOUBLE), ["n_rows", each.width])
        for each in inputs
    ]


def feed(inputs: list[Input], rows: list[list[Any]]) -> dict[str, np.ndarray]:
    """Return rows of floats, texts and ``None`` as the arrays of the inputs."""
    if inputs[0].kind == "table":
        return {inputs[0].name: np.array(rows, dtype=np.float64)}
    arrays: dict[str, np.ndarray] = {}
    for place, each in enumerate(inputs):
        cells = [row[place] for row in rows]
        if each.kind == "category":
            texts = [each.missing if cell is None else cell.encode(errors="replace").decode() for cell in cells]
            arrays[each.name] = np.array(texts, dtype=object)[:, None]
        elif each.kind == "time":
            times = [MISSING_TIME if cell != cell else int(cell) for cell in cells]
            arrays[each.name] = np.array(times, dtype=np.int64)[:, None]
        else:
            arrays[each.name] = np.array(cells, dtype=np.float64)[:, None]
    return arrays


def add_cells(graph: Graph, program: Program, inputs: list[Input]) -> str:
    """Add the encoding of the inputs, and return the name of an array of shape (n_rows, n_columns).

    It holds numbers, microseconds and codes of categories, in the order of the columns; missing cells are NaN, and the
    code of missing and unseen categories is -1, unless the column has a code for missing ones.
    """
    if inputs[0].kind == "table":
        cells = inputs[0].name
    else:
        blocks = [
            _CODERS[each.kind](graph, each.name, column) for each, column in zip(inputs, program.columns, strict=True)
        ]
        cells = blocks[0] if len(blocks) == 1 else graph.add("Concat", *blocks, axis=1)
    return cells if program.computed else _with_whole_codes(graph, program, cells)


def _number(graph: Graph, name: str, column: Column) -> str:  # noqa: ARG001 - one signature for all kinds
    return name


def _time(graph: Graph, name: str, column: Column) -> str:  # noqa: ARG001
    from onnx import TensorProto

    is_missing = graph.add("Equal", name, graph.constant(np.array(MISSING_TIME)))
    return graph.add(
        "Where", is_missing, graph.constant(np.array(np.nan)), graph.add("Cast", name, to=TensorProto.DOUBLE)
    )


def _category(graph: Graph, name: str, column: Column) -> str:
    texts = list(column.texts)
    if not all(map(is_text, texts)):
        raise ExportError(
            f"to_onnx: column {column.name!r} has a category with a lone surrogate, which no text in ONNX holds. Fit "
            "on texts without it."
        )
    codes = np.array(list(column.texts.values()), dtype=np.float64)
    if column.missing >= 0:
        texts, codes = [*texts, _missing_text(column)], np.append(codes, column.missing)
    return graph.add(
        "LabelEncoder",
        name,
        domain=ML,
        keys_tensor=tensor(texts),
        values_tensor=tensor(codes),
        default_tensor=tensor(np.array([-1.0])),
    )


_CODERS = {"number": _number, "time": _time, "category": _category}


def _with_whole_codes(graph: Graph, program: Program, cells: str) -> str:
    """Cut off the fractions of numbers that are codes of categories, as the model does."""
    columns = program.columns
    is_coded = np.zeros(len(columns), dtype=bool)
    for part in program.parts:
        if isinstance(part, Trees):
            is_coded[part.column[part.is_category]] = True
        elif part.inputs is not None:
            is_coded[part.inputs.coded] = True
    is_coded &= np.array([column.kind == "number" for column in columns])
    if not is_coded.any():
        return cells
    whole = graph.add("Mul", graph.add("Sign", cells), graph.add("Floor", graph.add("Abs", cells)))
    return whole if is_coded.all() else graph.add("Where", graph.constant(is_coded), whole, cells)
