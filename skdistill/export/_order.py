"""The last step of models whose outputs have an order, in every language: see :mod:`skdistill._ordering`."""

from typing import Any

import numpy as np

from ._program import Program


def python_order(program: Program) -> str:
    """Return the function ``_in_order`` in Python."""
    half = program.n_outputs // 2
    expression = {
        "increasing": "sorted(values)",
        "decreasing": "sorted(values, reverse=True)",
        "mean_std": f"list(values[:{half}]) + [0.0 if value < 0 else value for value in values[{half}:]]",
    }[program.order or ""]
    return f'def _in_order(values):\n    """Return the values of a row in order."""\n    return {expression}'


def javascript_order(program: Program) -> str:
    """Return the function ``inOrder`` in JavaScript."""
    half = program.n_outputs // 2
    expression = {
        "increasing": "values.slice().sort((a, b) => a - b)",
        "decreasing": "values.slice().sort((a, b) => b - a)",
        "mean_std": f"values.map((value, place) => (place >= {half} && value < 0 ? 0 : value))",
    }[program.order or ""]
    return f"// The values of a row in order.\nfunction inOrder(values) {{\n  return {expression};\n}}"


def c_order(program: Program, array: str, kind: str = "double") -> list[str]:
    """Return the statements in C that put an array of outputs in order; none for outputs without an order."""
    n_outputs = program.n_outputs
    if program.order is None:
        return []
    if program.order == "mean_std":
        return [
            f"    for (int i = {n_outputs // 2}; i < {n_outputs}; i++)",
            f"        {array}[i] = {array}[i] < 0 ? 0 : {array}[i];",
        ]
    beyond = ">" if program.order == "increasing" else "<"
    return [
        f"    for (int i = 1; i < {n_outputs}; i++) {{",
        f"        {kind} moved = {array}[i];",
        "        int place = i;",
        f"        for (; place > 0 && {array}[place - 1] {beyond} moved; place--)",
        f"            {array}[place] = {array}[place - 1];",
        f"        {array}[place] = moved;",
        "    }",
    ]


def sql_order(program: Program, steps: Any, sql: Any, values: list[str]) -> list[str]:
    """Add the steps in SQL that put columns of outputs in order, and return their names.

    Neighbours are exchanged in turn, the first with the second, and the second with the third, in as many steps as
    there are outputs.
    """
    names = [f"o{place}" for place in range(len(values))]
    steps.compute(dict(zip(names, values, strict=True)), kept=values)
    if program.order == "mean_std":
        zero, half = sql.number(0.0), len(names) // 2
        deviations = {name: f"CASE WHEN {name} < {zero} THEN {zero} ELSE {name} END" for name in names[half:]}
        steps.compute(deviations, kept=names)
        return names
    beyond = ">" if program.order == "increasing" else "<"
    for step in range(len(names)):
        exchanged = {}
        for first, second in zip(names[step % 2 :: 2], names[step % 2 + 1 :: 2], strict=False):
            is_beyond = f"CASE WHEN {first} {beyond} {second} THEN"
            exchanged[first] = f"{is_beyond} {second} ELSE {first} END"
            exchanged[second] = f"{is_beyond} {first} ELSE {second} END"
        if exchanged:
            steps.compute(exchanged, kept=names)
    return names


def add_order(graph: Any, program: Program, values: str) -> str:
    """Add the nodes of ONNX that put outputs in order, if there are any."""
    n_outputs = program.n_outputs
    if program.order is None:
        return values
    if program.order == "mean_std":
        least = np.repeat([-np.inf, 0.0], n_outputs // 2)
        return graph.add("Max", values, graph.constant(least))
    largest = int(program.order == "decreasing")
    count = graph.constant(np.array([n_outputs]))
    return graph.add("TopK", values, count, n_unused=1, axis=1, largest=largest, sorted=1)
