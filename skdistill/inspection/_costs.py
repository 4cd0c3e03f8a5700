"""The costs of the student compared with the teacher, in words."""

import math
from dataclasses import dataclass

from ._findings import Findings


@dataclass(frozen=True)
class Cost:
    """A cost of the student compared with the teacher's.

    Attributes
    ----------
    what : str
        What is compared, in words; empty for the size.
    times : str
        How it compares.
    compiled : str
        How that of the compiled student compares; empty if it is not known, or the same.
    is_worse : bool
        Whether the student costs more than the teacher.
    is_main : bool
        Whether a decision mentions it: the time of one row, and the size.
    """

    what: str
    times: str
    compiled: str
    is_worse: bool
    is_main: bool

    @property
    def short(self) -> str:
        """The cost of the student in words."""
        return f"{self.what} {self.times}".lstrip()

    @property
    def of_compiled(self) -> str:
        """The cost of the compiled student in words."""
        return f"{self.what} {self.compiled}".lstrip() if self.compiled else ""

    @property
    def text(self) -> str:
        """Both in words."""
        return self.short + (f" (compiled: {self.compiled})" if self.compiled else "")


def compare_costs(found: Findings) -> list[Cost]:
    """Return the known times and sizes, higher costs first."""
    speed, size = ("faster", "slower", "as fast"), ("smaller", "larger", "as large")
    one_row, many_rows, n_bytes = (
        _times(found.teacher_row, found.student_row, *speed),
        _times(found.teacher_many, found.student_many, *speed),
        _times(found.teacher_bytes, found.student_bytes, *size),
    )
    compiled = _times(found.teacher_row, found.compiled_row, *speed)
    packed = _times(found.teacher_bytes, found.compiled_bytes, *size)
    costs = []
    if one_row:
        is_worse = found.student_row > found.teacher_row
        costs.append(Cost("one row", one_row, compiled * (compiled != one_row), is_worse, is_main=True))
    if many_rows:
        costs.append(Cost("batches", many_rows, "", found.student_many > found.teacher_many, is_main=False))
    if n_bytes:
        is_worse = found.student_bytes > found.teacher_bytes
        costs.append(Cost("", n_bytes, packed * (packed != n_bytes), is_worse, is_main=True))
    return sorted(costs, key=lambda cost: not cost.is_worse)


def gains_nothing(found: Findings) -> bool:
    """Whether all known costs are higher than the teacher's, also those of the compiled student."""
    costs = compare_costs(found)
    is_saved_by_compiling = found.compiled_row < found.teacher_row or found.compiled_bytes < found.teacher_bytes
    return bool(costs) and all(cost.is_worse for cost in costs) and not is_saved_by_compiling


def all_costs(found: Findings) -> str:
    """Return all known costs, higher costs first."""
    return ", ".join(cost.text for cost in compare_costs(found))


def other_costs(found: Findings, told: str) -> str:
    """Return the known costs that a text has not told, higher costs first, those of the compiled student last."""
    costs = compare_costs(found)
    others = ", ".join(cost.text for cost in costs if cost.short not in told)
    compiled = " and ".join(
        cost.of_compiled for cost in costs if cost.compiled and cost.short in told and cost.text not in told
    )
    return "; ".join(part for part in (others, compiled and f"compiled, {compiled}") if part)


def main_costs(found: Findings) -> str:
    """Return the main costs, lower costs first."""
    costs = compare_costs(found)
    costs = [cost for cost in costs if cost.is_main] or costs
    better = " and ".join(cost.short for cost in costs if not cost.is_worse)
    worse = " and ".join(cost.text for cost in costs if cost.is_worse)
    return f"{better}, but {worse}" if better and worse else better or worse


def _times(before: float, after: float, better: str, worse: str, equal: str) -> str:
    """Return the ratio of ``before`` and ``after`` in words; nothing if one is not known."""
    if not (before > 0 and after > 0):
        return ""
    ratio = before / after
    factor, word = (two_digits(ratio), better) if ratio >= 1 else (two_digits(1 / ratio), worse)
    return equal if factor == 1 else f"{factor:,.{0 if factor >= 10 else 1}f} times {word}".replace(".0 ", " ")


def two_digits(factor: float) -> float:
    """Return two significant digits, because times vary between runs."""
    digits = 1 - math.floor(math.log10(factor))
    return round(factor, max(digits, 0)) if digits >= 0 else float(round(factor, digits))
