"""Constant tables of C: each of the smallest type that holds its numbers exactly."""

import math
from typing import Any

import numpy as np

NUMBERS_PER_LINE = 6


def table(name: str, values: Any, kind: str | None = None, indent: str = "    ") -> str:
    """Return the definition of a constant table; without a type, of the smallest type that holds its numbers."""
    flat = np.asarray(values).ravel()
    if kind is None and flat.dtype.kind == "f":
        flat = narrowest(flat)
    items = [number(value) for value in flat]
    items = items or ["0"]  # C has no empty tables
    lines = [", ".join(items[at : at + NUMBERS_PER_LINE]) for at in range(0, len(items), NUMBERS_PER_LINE)]
    rows = f",\n{indent}    ".join(lines)
    return f"{indent}static const {kind or c_type(flat)} {name}[{len(items)}] = {{\n{indent}    {rows}\n{indent}}};"


def narrowest(flat: np.ndarray) -> np.ndarray:
    """Return numbers as float32 if all of them are the same then."""
    with np.errstate(over="ignore"):
        narrow = flat.astype(np.float32)
    return narrow if np.array_equal(narrow, flat) else flat.astype(np.float64)


def c_type(flat: np.ndarray) -> str:
    """Return the type of a table."""
    if flat.dtype.kind == "f":
        return "float" if flat.dtype == np.float32 else "double"
    if flat.dtype == np.int32:
        return "int32_t"
    largest = int(flat.max(initial=0))
    if flat.min(initial=0) < 0:
        furthest = max(largest, -int(flat.min()) - 1)
        return "signed char" if furthest < 2**7 else "short" if furthest < 2**15 else "int32_t"
    return "unsigned char" if largest < 2**8 else "unsigned short" if largest < 2**16 else "int32_t"


def number(value: Any) -> str:
    """Return the shortest decimal that a compiler reads as this number, with the suffix of floats."""
    if isinstance(value, np.uint64):
        return f"{value:#x}" if value < 2**32 else f"{value:#x}ull"
    if isinstance(value, np.integer | np.bool_):
        return str(int(value))
    if isinstance(value, np.float32) and math.isfinite(value):
        return f"{value + np.float32(0)!s}f"
    if math.isfinite(value):
        return repr(float(value) + 0.0)
    return "INFINITY" if value > 0 else "-INFINITY"
