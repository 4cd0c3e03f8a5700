"""``AutoStudent(scoring=...)`` is tried as soon as it is known what the outputs are, before the teacher is queried."""

from typing import Any

import numpy as np

from ..exceptions import StudentError
from ..selection import AutoStudent, try_scoring
from ..teachers import Teacher

LABELS = np.arange(2), np.arange(3)
"""Two labels and several: what is possible for neither is impossible for any teacher."""


def try_before_teacher(model: Any, scoring: Any, y: Any) -> None:
    """Raise an error if a score cannot be computed for this task, before an unfitted teacher is fitted."""
    if scoring is None:
        return
    if model._task.name == "regression":
        shape: tuple[int, ...] = getattr(y, "shape", ())
        try_scoring(scoring, "values", n_outputs=shape[1] if len(shape) == 2 and shape[1] > 1 else None)
        return
    try:
        try_scoring(scoring, "class labels", LABELS[0])
    except StudentError:
        try_scoring(scoring, "class labels", LABELS[1])


def try_before_queries(model: Any, teacher: Teacher) -> None:
    """Raise an error if a score cannot be computed for the labels of the teacher."""
    scoring, classes = _scoring_of(model), teacher.classes_
    if scoring is not None and classes is not None:
        try_scoring(scoring, f"the {len(classes)} labels of the teacher, such as {classes[:3].tolist()}", classes)


def try_before_synthetic(model: Any, outputs: np.ndarray) -> None:
    """Raise an error if a score cannot be computed for several values, whose number the first answers tell."""
    scoring = _scoring_of(model)
    if scoring is not None and model._task.name == "regression" and outputs.ndim == 2:
        try_scoring(scoring, f"{outputs.shape[1]} values of a row", n_outputs=outputs.shape[1])


def _scoring_of(model: Any) -> Any:
    student = model.student
    return student.scoring if isinstance(student, AutoStudent) else None
