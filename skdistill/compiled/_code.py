"""Python code that scores one row: generated from flat arrays, compiled in memory, never loaded from a file.

A numpy call takes about a microsecond regardless of its size, a comparison of Python floats a hundredth of that.
Therefore, for one row, a forest is compiled to nested conditional expressions, and a network to a few numpy calls.

The code consists of names of this package and of numbers: what a model holds is only written by :func:`float_literal`
and :func:`int_literal`. Texts, such as column names, categories and labels, are never part of it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np

from ..exceptions import CompileError


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
    read : frozenset of int, default=frozenset()
        Columns whose cells the statements leave in ``x0``, ``x1``, ..., as they were given.
    """

    lines: list[str]
    names: dict[str, Any] = field(default_factory=dict)
    takes_array: bool = False
    read: frozenset[int] = frozenset()


def row_source(lines: list[str], ending: str) -> str:
    """Return the source of a function ``row(cells)`` from its lines and its return statement."""
    return "\n".join(["def row(cells):", *lines, ending, ""])


def scores_as_tuple(n_outputs: int) -> str:
    """Return the expression for a tuple of all scores."""
    return f"({''.join(f's{int_literal(score)}, ' for score in range(n_outputs))})"


def float_literal(number: Any) -> str:
    """Return the source code of a number, which evaluates to the same float."""
    return repr(number if type(number) is float else float(_checked(number)))


def int_literal(number: Any) -> str:
    """Return the source code of a nonnegative integer: a position, or a count."""
    integer = number if type(number) is int else int(_checked(number))
    if integer != number or integer < 0:
        raise CompileError(f"got {number!r} in a model; expected a position or a count. {UNTRUSTED}")
    return repr(integer)


UNTRUSTED = "The model has been changed since it was compiled: compile it again, and load it from a trusted source."


def _checked(number: Any) -> Any:
    if not isinstance(number, Real | np.bool_):
        raise CompileError(f"got {number!r} in a model; expected a number. {UNTRUSTED}")
    return number


def check_arrays(scorer: Any) -> None:
    """Raise an error unless all fields of a scorer, and of its design, are numbers and arrays of numbers.

    Raises
    ------
    CompileError
        The message names the field.
    """
    for name in getattr(scorer, "__dataclass_fields__", ()):
        value = getattr(scorer, name)
        for part in value if isinstance(value, list) else [value]:
            if hasattr(part, "__dataclass_fields__"):
                check_arrays(part)
                continue
            kind = part.dtype.kind if isinstance(part, np.ndarray) else "f" if isinstance(part, Real) else "O"
            if part is not None and kind not in "biuf":
                got = f"dtype {part.dtype}" if isinstance(part, np.ndarray) else type(part).__name__
                raise CompileError(f"{type(scorer).__name__}: {name} has {got}; expected numbers. {UNTRUSTED}")


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
