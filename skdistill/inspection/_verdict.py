"""The verdict: whether the student is worth shipping, in a sentence or two, the worst news first."""

import math
from dataclasses import dataclass
from typing import Any

GRADES = ((0.97, "a close copy"), (0.9, "a good copy"), (0.7, "a rough copy"), (-math.inf, "a poor copy"))
"""Fidelity at least, and what it is called."""

CLEAR = 2.0
"""Standard errors by which one model must be better than another."""


@dataclass(frozen=True)
class Findings:
    """What a verdict is made of; NaN where it is not known.

    Attributes
    ----------
    fidelity, agreement : float
        To the teacher.
    n_rows : int
    teacher_skill, student_skill, alone_skill : float
        Against the truth: of teacher, student, and the same student fitted without the teacher.
    student_accuracy, alone_accuracy : float
    alone_gain, alone_gain_error : float
        How much more skill the latter has, and its standard error.
    teacher_row, student_row, compiled_row : float
        Microseconds for one row.
    teacher_many, student_many : float
        Microseconds a row of many.
    teacher_bytes, student_bytes : float
    """

    fidelity: float
    n_rows: int
    agreement: float = math.nan
    teacher_skill: float = math.nan
    student_skill: float = math.nan
    alone_skill: float = math.nan
    student_accuracy: float = math.nan
    alone_accuracy: float = math.nan
    alone_gain: float = math.nan
    alone_gain_error: float = math.nan
    teacher_row: float = math.nan
    student_row: float = math.nan
    compiled_row: float = math.nan
    teacher_many: float = math.nan
    student_many: float = math.nan
    teacher_bytes: float = math.nan
    student_bytes: float = math.nan


def verdict(found: Findings) -> str:
    """Return the verdict."""
    return " ".join(
        [*_bad_news(found), _what_is_kept(found), *_what_the_teacher_brought(found), *_what_it_costs(found)]
    )


def _bad_news(found: Findings) -> list[str]:
    """Return why the student should not be shipped, or not for this reason."""
    news = []
    if found.student_skill <= 0:
        news.append(f"Do not use this student: it is worse than a constant (skill {found.student_skill:.3f}).")
    elif found.fidelity <= 0:
        news.append("Do not use this student: it follows the teacher less than a constant would.")
    if found.teacher_skill <= 0:
        news.append(f"The teacher itself is worse than a constant (skill {found.teacher_skill:.3f}).")
    if found.alone_gain > CLEAR * found.alone_gain_error and found.alone_accuracy < found.student_accuracy:
        news.append(
            "The teacher helps labels and harms probabilities: fitted without it, the same student has accuracy "
            f"{found.alone_accuracy:.3f} against {found.student_accuracy:.3f}, "
            f"and skill {found.alone_skill:.3f} against {found.student_skill:.3f}."
        )
    elif found.alone_gain > CLEAR * found.alone_gain_error:
        news.append(
            f"The teacher does harm: fitted without it, the same student is better (skill {found.alone_skill:.3f} "
            f"against {found.student_skill:.3f})."
        )
    return news


def _what_the_teacher_brought(found: Findings) -> list[str]:
    """Return whether the student is better for the teacher, where it is not worse."""
    margin = CLEAR * found.alone_gain_error
    if not found.alone_gain <= margin:  # worse, or not known
        return []
    skills = f"fitted without it, the same student has skill {found.alone_skill:.3f} against {found.student_skill:.3f}."
    if found.alone_gain < -margin:
        return [f"The teacher helped: {skills}"]
    return [f"The teacher's help is within chance on these rows: {skills}"]


def _what_is_kept(found: Findings) -> str:
    grade = next(name for least, name in GRADES if found.fidelity >= least or math.isnan(found.fidelity))
    parts = [f"fidelity {found.fidelity:.3f}"]
    if not math.isnan(found.agreement):
        parts.append(f"{found.agreement:.1%} of its labels")
    if found.teacher_skill > 0:
        parts.append(f"{found.student_skill / found.teacher_skill:.1%} of its skill")
    if math.isnan(found.fidelity):
        return f"Nobody can say how close it is: the teacher answers all of these {found.n_rows:,} rows alike."
    return f"{grade.capitalize()} of the teacher on {found.n_rows:,} rows: {', '.join(parts)}."


def _what_it_costs(found: Findings) -> list[str]:
    compiled = _times("{} {}", found.teacher_row, found.compiled_row, "faster", "slower")
    parts = [
        _times("one row {} {}", found.teacher_row, found.student_row, "faster", "slower")
        + (f" (compiled: {compiled})" if compiled else ""),
        _times("a row of many {} {}", found.teacher_many, found.student_many, "faster", "slower"),
        _times("{} {}", found.teacher_bytes, found.student_bytes, "smaller", "larger"),
    ]
    said = ", ".join(part for part in parts if part)
    return [said[0].upper() + said[1:] + "."] if said else []


def _times(text: str, before: float, after: float, better: str, worse: str) -> str:
    """Say how many times less ``after`` is than ``before``; nothing where one is not known."""
    if not (before > 0 and after > 0):
        return ""
    ratio = before / after
    factor, word = (ratio, better) if ratio >= 1 else (1 / ratio, worse)
    return text.format(f"{_round(factor):,g} times", word)


def _round(factor: float) -> float:
    """Return two significant digits: times vary from run to run."""
    digits = 1 - math.floor(math.log10(factor))
    return round(factor, max(digits, 0)) if digits >= 0 else float(round(factor, digits))


def known(values: dict[str, Any], name: str) -> float:
    """Return a measure, NaN where it was not taken."""
    return float(values.get(name, math.nan))
