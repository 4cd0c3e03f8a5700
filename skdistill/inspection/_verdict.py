"""The verdict: whether the student is worth shipping, in a sentence or two, the worst news first."""

import math
from dataclasses import dataclass
from typing import Any

GRADES = ((0.97, "a close copy"), (0.9, "a good copy"), (0.7, "a rough copy"), (-math.inf, "a poor copy"))
"""Fidelity at least, and what it is called."""

CLEAR = 2.0
"""Standard errors by which one model must be better than another."""


@dataclass(frozen=True)
class Gain:
    """What a student has more of, on the mean, and the standard error of that; NaN where it is not known."""

    mean: float = math.nan
    error: float = math.nan

    @property
    def is_clear(self) -> bool:
        """Whether it is more, beyond chance."""
        return self.mean > CLEAR * self.error

    @property
    def is_clear_loss(self) -> bool:
        """Whether it is less, beyond chance."""
        return self.mean < -CLEAR * self.error


@dataclass(frozen=True)
class Findings:
    """What a verdict is made of; NaN where it is not known.

    Attributes
    ----------
    fidelity, agreement : float
        To the teacher.
    n_rows : int
    n_shared : int
        Of them, those that are training rows.
    teacher_skill_error : float
        Standard error of the teacher's skill.
    teacher_skill, student_skill, alone_skill : float
        Against the truth: of teacher, student, and the same student fitted without the teacher.
    student_accuracy, alone_accuracy : float
    alone_gain : Gain
        How much more skill the latter has.
    alone_labels : Gain
        How much more accuracy.
    teacher_row, student_row, compiled_row : float
        Microseconds for one row.
    teacher_many, student_many : float
        Microseconds a row of many.
    teacher_bytes, student_bytes, compiled_bytes : float
    """

    fidelity: float
    n_rows: int
    n_shared: int = 0
    teacher_skill_error: float = math.nan
    agreement: float = math.nan
    teacher_skill: float = math.nan
    student_skill: float = math.nan
    alone_skill: float = math.nan
    student_accuracy: float = math.nan
    alone_accuracy: float = math.nan
    alone_gain: Gain = Gain()
    alone_labels: Gain = Gain()
    teacher_row: float = math.nan
    student_row: float = math.nan
    compiled_row: float = math.nan
    teacher_many: float = math.nan
    student_many: float = math.nan
    teacher_bytes: float = math.nan
    student_bytes: float = math.nan
    compiled_bytes: float = math.nan


def verdict(found: Findings) -> str:
    """Return the verdict."""
    costs = _what_it_costs(found)
    is_dear = all(cost.is_worse for cost in costs)
    said = _as_sentence("", costs)
    return " ".join(
        [
            *_bad_news(found),
            *([_as_sentence("Nothing is gained by this student: ", costs)] if costs and is_dear else []),
            _what_is_kept(found),
            *_what_the_teacher_brought(found),
            *([said] if costs and not is_dear else []),
        ]
    )


def _bad_news(found: Findings) -> list[str]:
    """Return why the student should not be shipped, or not for this reason."""
    news = []
    if found.n_shared > found.n_rows / 2:
        news.append("These are training rows: on others all of this may look otherwise.")
    if found.student_skill <= 0:
        news.append(f"Do not use this student: it is no better than a constant (skill {found.student_skill:.3f}).")
    elif found.fidelity <= 0 and math.isnan(found.student_skill):
        news.append("Do not use this student: it follows the teacher no better than a constant would.")
    if found.teacher_skill <= 0:
        news.append(f"The teacher itself is no better than a constant (skill {found.teacher_skill:.3f}).")
    elif found.teacher_skill <= CLEAR * found.teacher_skill_error:
        news.append(
            f"The teacher itself is hardly better than a constant (skill {found.teacher_skill:.3f} "
            f"± {found.teacher_skill_error:.3f})."
        )
    gain, labels = found.alone_gain, found.alone_labels
    if gain.is_clear and labels.is_clear_loss:
        news.append(f"The teacher helps labels and harms probabilities: {_alone(found)}.")
    elif gain.is_clear_loss and labels.is_clear:
        news.append(f"The teacher helps probabilities and harms labels: {_alone(found)}.")
    elif gain.is_clear and not labels.is_clear and not math.isnan(labels.mean):
        news.append(f"The teacher harms probabilities, and labels are even within chance: {_alone(found)}.")
    elif gain.is_clear:
        news.append(f"The teacher does harm: {_alone(found)}.")
    return news


def _alone(found: Findings) -> str:
    """Return what the student fitted without the teacher is worth, beside the student."""
    accuracies = f"accuracy {found.alone_accuracy:.3f} (with it {found.student_accuracy:.3f}) and "
    return (
        f"fitted without it, the same student has {'' if math.isnan(found.alone_accuracy) else accuracies}"
        f"skill {found.alone_skill:.3f} (with it {found.student_skill:.3f})"
    )


def _what_the_teacher_brought(found: Findings) -> list[str]:
    """Return whether the student is better for the teacher, where nothing of it is worse."""
    gain = found.alone_gain
    is_told = gain.is_clear or (gain.is_clear_loss and found.alone_labels.is_clear)
    if is_told or math.isnan(gain.mean) or math.isnan(gain.error):
        return []
    if gain.is_clear_loss:
        return [f"The teacher helped: {_alone(found)}."]
    return [f"The teacher's help is within chance on these rows: {_alone(found)}."]


def _what_is_kept(found: Findings) -> str:
    """Return how close the student is to the teacher, and what it has of its skill."""
    parts = [] if math.isnan(found.fidelity) else [f"fidelity {found.fidelity:.3f}"]
    if not math.isnan(found.agreement):
        parts.append(f"{found.agreement:.1%} of its labels")
    is_skilled = found.teacher_skill > max(0.0, CLEAR * found.teacher_skill_error)
    if is_skilled and found.student_skill > 0:
        parts.append(f"{found.student_skill / found.teacher_skill:.1%} of its skill")
    measured = ", ".join(parts)
    if math.isnan(found.fidelity):
        why = (
            "a single row does not tell"
            if found.n_rows == 1
            else f"the teacher answers the same for all of these {found.n_rows:,} rows"
        )
        return f"How close a copy of the teacher it is cannot be said, {why}" + (f": {measured}." if parts else ".")
    grade = next(name for least, name in GRADES if found.fidelity >= least)
    rows = "1 row" if found.n_rows == 1 else f"{found.n_rows:,} rows"
    return f"{grade.capitalize()} of the teacher on {rows}: {measured}."


@dataclass(frozen=True)
class _Cost:
    """A cost of the student beside the teacher's, in words."""

    text: str
    is_worse: bool


def _what_it_costs(found: Findings) -> list[_Cost]:
    """Return what is known of time and size."""
    compiled = _times(found.teacher_row, found.compiled_row, "faster", "slower", "as fast")
    packed = _times(found.teacher_bytes, found.compiled_bytes, "smaller", "larger", "as large")
    one_row = _times(found.teacher_row, found.student_row, "faster", "slower", "as fast")
    many_rows = _times(found.teacher_many, found.student_many, "faster", "slower", "as fast")
    size = _times(found.teacher_bytes, found.student_bytes, "smaller", "larger", "as large")
    costs = [
        _Cost(f"one row {one_row}{_compiled(compiled, one_row)}", found.student_row > found.teacher_row)
        if one_row
        else None,
        _Cost(f"a row of many {many_rows}", found.student_many > found.teacher_many) if many_rows else None,
        _Cost(f"{size}{_compiled(packed, size)}", found.student_bytes > found.teacher_bytes) if size else None,
    ]
    return sorted((cost for cost in costs if cost is not None), key=lambda cost: not cost.is_worse)


def _compiled(text: str, uncompiled: str) -> str:
    return f" (compiled: {text})" if text and text != uncompiled else ""


def _as_sentence(start: str, costs: list[_Cost]) -> str:
    said = start + ", ".join(cost.text for cost in costs) + "."
    return said[0].upper() + said[1:]


def _times(before: float, after: float, better: str, worse: str, equal: str) -> str:
    """Say how many times less ``after`` is than ``before``; nothing where one is not known."""
    if not (before > 0 and after > 0):
        return ""
    ratio = before / after
    factor, word = (_round(ratio), better) if ratio >= 1 else (_round(1 / ratio), worse)
    return equal if factor == 1 else f"{factor:,.{0 if factor >= 10 else 1}f} times {word}".replace(".0 ", " ")


def _round(factor: float) -> float:
    """Return two significant digits: times vary from run to run."""
    digits = 1 - math.floor(math.log10(factor))
    return round(factor, max(digits, 0)) if digits >= 0 else float(round(factor, digits))


def known(values: dict[str, Any], name: str) -> float:
    """Return a measure, NaN where it was not taken."""
    return float(values.get(name, math.nan))
