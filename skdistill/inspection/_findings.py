"""The findings of a report on which the decision and the verdict are based."""

import math
from dataclasses import dataclass
from typing import Any

CLEAR = 1.96
"""Standard errors on either side of a mean that give its 95 % interval."""


@dataclass(frozen=True)
class Estimate:
    """A number and its standard error; NaN if it is not known.

    Attributes
    ----------
    mean, error : float
    """

    mean: float = math.nan
    error: float = math.nan

    @property
    def low(self) -> float:
        """The lower end of the 95 % interval."""
        return self.mean - CLEAR * self.error

    @property
    def high(self) -> float:
        """The upper end of the 95 % interval."""
        return self.mean + CLEAR * self.error

    @property
    def is_known(self) -> bool:
        """Whether the number and its interval are known."""
        return math.isfinite(self.mean) and math.isfinite(self.error)

    @property
    def is_clear(self) -> bool:
        """Whether it is significantly above zero."""
        return self.low > 0

    @property
    def is_clear_loss(self) -> bool:
        """Whether it is significantly below zero."""
        return self.high < 0


UNKNOWN = Estimate()
"""An estimate that was not measured."""


@dataclass(frozen=True)
class Findings:
    """The numbers of a verdict; NaN if they are not known.

    Attributes
    ----------
    fidelity : Estimate
        To the teacher.
    n_rows : int
    n_shared : int
        The number of training rows among them.
    is_unseen : bool
        Whether the training rows are known and none of these rows is among them.
    has_truth : bool
        Whether there are true labels.
    agreement : float
    teacher_skill, student_skill, alone_skill : Estimate
        On true labels, for teacher, student, and the same student fitted without the teacher.
    kept, alone_kept : Estimate
        Skill of the latter two as a share of the teacher's.
    student_gain : Estimate
        How much more skill the student has than the teacher.
    alone_gain : Estimate
        How much more skill the student fitted without the teacher has than the student.
    alone_labels : Estimate
        How much more accuracy.
    student_accuracy, alone_accuracy : float
    teacher_row, student_row, compiled_row : float
        Microseconds for one row.
    teacher_many, student_many : float
        Microseconds per row in batches.
    teacher_bytes, student_bytes, compiled_bytes : float
    """

    fidelity: Estimate
    n_rows: int
    n_shared: int = 0
    is_unseen: bool = False
    has_truth: bool = False
    agreement: float = math.nan
    teacher_skill: Estimate = UNKNOWN
    student_skill: Estimate = UNKNOWN
    alone_skill: Estimate = UNKNOWN
    kept: Estimate = UNKNOWN
    alone_kept: Estimate = UNKNOWN
    student_gain: Estimate = UNKNOWN
    alone_gain: Estimate = UNKNOWN
    alone_labels: Estimate = UNKNOWN
    student_accuracy: float = math.nan
    alone_accuracy: float = math.nan
    teacher_row: float = math.nan
    student_row: float = math.nan
    compiled_row: float = math.nan
    teacher_many: float = math.nan
    student_many: float = math.nan
    teacher_bytes: float = math.nan
    student_bytes: float = math.nan
    compiled_bytes: float = math.nan


def known(values: dict[str, Any], name: str) -> float:
    """Return a measure, NaN where it was not taken."""
    return float(values.get(name, math.nan))
