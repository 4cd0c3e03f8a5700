"""Generations of students of a distilled estimator: which are fitted, and by which rows the best one is chosen."""

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone

from .._validation import check_number, draw_seed
from ..exceptions import StudentError
from ..selection import (
    MIN_VALIDATION_ROWS,
    AutoStudent,
    Group,
    HeldOut,
    Run,
    Step,
    Targets,
    Terms,
    TrainingRows,
    Validation,
    choose_generation,
    same_size,
    with_assistants,
)
from ..students._student import CompactStudent
from ._fit_arguments import FitArguments


def check_generations(model: Any) -> None:
    """Raise an error unless ``n_generations`` and ``assistant_size`` fit together."""
    who = type(model).__name__
    check_number(model, "n_generations", model.n_generations, kind=Integral, low=1)
    if model.assistant_size is None:
        return
    check_number(model, "assistant_size", model.assistant_size, kind=Integral, low=1)
    if model.n_generations < 2 or model.student_size is None:
        raise ValueError(
            f"{who}: assistant_size={model.assistant_size} with n_generations={model.n_generations} and student_size="
            f"{model.student_size}; expected at least two generations, and the size of the last one. Pass e.g. "
            "n_generations=2 and student_size=1000, or assistant_size=None."
        )
    if model.assistant_size <= model.student_size:
        raise ValueError(
            f"{who}: assistant_size={model.assistant_size} is not above student_size={model.student_size}; expected a "
            "larger one, because sizes go down. Pass a larger assistant_size, or assistant_size=None."
        )


@dataclass(frozen=True)
class Generations:
    """The students that follow the first one.

    Attributes
    ----------
    model : distilled estimator
    rows : TrainingRows
    held_out : HeldOut or None
        Without validation rows, there is one generation.
    targets : Targets
        With the ``soft_weight`` that was selected.
    real_weight : float
        Weight of the real rows that was selected.
    """

    model: Any
    rows: TrainingRows
    held_out: HeldOut | None
    targets: Targets
    real_weight: float

    def best(
        self, first: Any, given: FitArguments, truth_val: np.ndarray | None, terms: Terms, run: Run
    ) -> tuple[Any, dict[str, np.ndarray] | None]:
        """Return the best student, fitted on all rows, and the results; ``None`` if none can be compared."""
        is_there = self.held_out is not None and self.rows.for_selection is not None
        if not is_there or run.deadline.left <= 0:
            return first, None
        assert self.rows.for_selection is not None
        student = self._unfitted(first)
        with run.phases.phase("fit generations"):
            return choose_generation(
                self._steps(student, terms),
                first,
                self.rows.for_selection.weigh_real(self.real_weight),
                self.rows.whole.weigh_real(self.real_weight),
                self._validation(given, truth_val),
                self.targets,
                seed=draw_seed(run.rng),
                most_parameters=self._most_parameters(first),
            )

    def _unfitted(self, first: Any) -> Any:
        """Return the student to be fitted again: the one given, or the one that was selected."""
        student = self.model._student_to_teach()
        if not isinstance(student, AutoStudent):
            return self.model._sized(student, self.targets, self.rows.whole)
        selected = getattr(first, "estimator", first)
        return clone(first if isinstance(first, CompactStudent) else selected)

    def _steps(self, student: Any, terms: Terms) -> list[Step]:
        n_generations, size = self.model.n_generations, self.model.assistant_size
        if size is None:
            return same_size(student, n_generations)
        if not isinstance(student, CompactStudent):
            raise StudentError(
                f"{type(self.model).__name__}: assistant_size={size} needs a compact student of this package; got "
                f"{type(student).__name__}. Pass assistant_size=None, or distil twice: the assistant is the teacher of "
                "the second estimator."
            )

        def sized(n_parameters: int) -> Any:
            return student.sized(n_parameters, n_inputs=terms.n_inputs, n_outputs=terms.n_outputs)

        return with_assistants(sized, size, self.model.student_size, n_generations)

    def _validation(self, given: FitArguments, truth_val: np.ndarray | None) -> Validation:
        """Return ``X_val`` with the true labels ``y_val``, or else the held-out rows with the teacher's outputs."""
        assert self.held_out is not None
        truth = truth_val if truth_val is not None else given.y_val
        is_usable = truth is not None and not truth.dtype.names and len(truth) >= MIN_VALIDATION_ROWS
        if truth is None or not is_usable:
            return self.held_out.validation
        group = Group(given.X_val, truth, np.ones(len(truth)))
        return replace(self.held_out.validation, ranking=(group,), reported=(group,), targets=self.targets)

    def _most_parameters(self, first: Any) -> float:
        """Return the limit of the sizes: that of the user, or, within a budget, the size of the first student."""
        if self.model.student_size is not None:
            return float(self.model.student_size)
        is_limited = isinstance(self.model._student_to_teach(), AutoStudent)
        return float(getattr(getattr(first, "scorer_", None), "n_parameters", np.inf)) if is_limited else np.inf
