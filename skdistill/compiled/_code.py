"""Python code that scores one row: generated from flat arrays, compiled in memory, never loaded from a file.

A numpy call takes about a microsecond regardless of its size, a comparison of Python floats a hundredth of that.
Therefore, for one row, a forest is compiled to nested conditional expressions, and a network to a few numpy calls.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Code:
    """Code that sets the scores ``s0``, ``s1``, ... of one row from its ``cells``.

    Attributes
    ----------
    lines : list of str
        Indented statements.
    names : dict
        Arrays that the statements use, by name.
    takes_array : bool, default=False
        Whether ``cells`` may be an array in addition to a list of floats.
    """

    lines: list[str]
    names: dict[str, Any] = field(default_factory=dict)
    takes_array: bool = False


def row_source(lines: list[str], ending: str) -> str:
    """Return the source of a function ``row(cells)`` from its lines and its return statement."""
    return "\n".join(["def row(cells):", *lines, ending, ""])


def scores_as_tuple(n_outputs: int) -> str:
    """Return the expression for a tuple of all scores."""
    return f"({''.join(f's{score}, ' for score in range(n_outputs))})"


FUNCTIONS = {
    "inf": math.inf,
    "nan": math.nan,
    "exp": math.exp,
    "array": np.array,
    "array_exp": np.exp,
    "minimum": np.minimum,
    "maximum": np.maximum,
    "zeros": np.zeros,
    "isnan": np.isnan,
    "copyto": np.copyto,
}
"""Functions and constants that generated code may use."""


def compile_row(source: str, **names: Any) -> Callable[[Sequence[float]], Any]:
    """Return the function ``row`` that generated source code defines."""
    names |= FUNCTIONS
    exec(compile(source, "<skdistill row>", "exec"), names)
    return names["row"]
