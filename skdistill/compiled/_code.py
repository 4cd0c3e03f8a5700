"""Python code for one row: generated from flat arrays, compiled in memory, never read from anywhere.

A numpy call costs about a microsecond whatever it does, a comparison of Python floats a hundredth of that. So for one
row a forest becomes nested conditional expressions, and a network a few calls of numpy.
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
        Arrays that the lines mention, by name.
    takes_array : bool, default=False
        Whether ``cells`` may be an array, rather than a list of floats.
    """

    lines: list[str]
    names: dict[str, Any] = field(default_factory=dict)
    takes_array: bool = False


def row_source(lines: list[str], ending: str) -> str:
    """Return the text of ``row(cells)``, which takes a row's cells as floats, from its lines and the last of them."""
    return "\n".join(["def row(cells):", *lines, ending, ""])


def scores_as_tuple(n_outputs: int) -> str:
    """Return the expression of all scores as a tuple."""
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
"""What all code may mention."""


def compile_row(source: str, **names: Any) -> Callable[[Sequence[float]], Any]:
    """Return the function that a source of our own defines."""
    names |= FUNCTIONS
    exec(compile(source, "<skdistill row>", "exec"), names)
    return names["row"]
