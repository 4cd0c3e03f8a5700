"""What differs between the two estimators: how labels are checked, and how the teacher's outputs become targets."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from .._validation import check_number
from ..targets import one_hot
from ..teachers import Task, Teacher
from ..transfer import TransferSet
from ._targets import ClassTargets, Targets, ValueTargets


class FitTask(Protocol):
    """The task of a distilled estimator, which each method is given as ``model``.

    Attributes
    ----------
    name : {"classification", "regression"}
    multioutput : str
        How fidelity pools several outputs.
    """

    @property
    def name(self) -> Task: ...

    @property
    def multioutput(self) -> str: ...

    def check_parameters(self, model: Any) -> None:
        """Check the parameters that only this task has."""
        ...

    def check_y(self, model: Any, X: Any, y: Any) -> np.ndarray | None:
        """Return true labels or values, checked."""
        ...

    def truth(self, model: Any, teacher: Teacher, y: np.ndarray | None, name: str = "y") -> np.ndarray | None:
        """Return the truth as targets, where it is used."""
        ...

    def targets(self, model: Any, teacher: Teacher, real: TransferSet) -> Targets:
        """Return how the teacher's outputs become targets."""
        ...


@dataclass(frozen=True)
class ClassTask:
    """Labels, and probabilities of them."""

    name: Task = "classification"
    multioutput: str = "variance_weighted"

    def check_parameters(self, model: Any) -> None:
        """Check the temperature."""
        advice = "1 leaves the teacher as it is."
        check_number(model, "temperature", model.temperature, low=0, low_open=True, advice=advice)

    def check_y(self, model: Any, X: Any, y: Any) -> np.ndarray | None:  # noqa: ARG002
        """Return the labels as an array of shape (n_samples,)."""
        if y is None:
            return None
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        check_classification_targets(y)
        return y

    def truth(self, model: Any, teacher: Teacher, y: np.ndarray | None, name: str = "y") -> np.ndarray | None:
        """Return the true labels one-hot; there must be a choice to make, and the teacher must know them."""
        classes = teacher.classes_
        assert classes is not None
        if len(classes) < 2:
            raise ValueError(
                f"{type(model).__name__}: the teacher {teacher.name} knows 1 class, {classes.tolist()}; "
                "expected at least 2."
            )
        if y is None:
            return None
        try:
            return one_hot(y, classes)
        except ValueError as error:
            raise ValueError(
                f"{type(model).__name__}: {name} has labels that the teacher does not know: {error}. Pass the labels "
                f"it was fitted with, or no {name}."
            ) from None

    def targets(self, model: Any, teacher: Teacher, real: TransferSet) -> Targets:
        """Return how outputs become probabilities."""
        return ClassTargets.fit(
            teacher,
            real,
            temperature=model.temperature,
            soft_weight=model._given_soft_weight,
            compressor=model._target_compressor,
        )


@dataclass(frozen=True)
class ValueTask:
    """Values of one or several outputs."""

    name: Task = "regression"
    multioutput: str = "uniform_average"

    def check_parameters(self, model: Any) -> None:
        """There is nothing to check."""

    def check_y(self, model: Any, X: Any, y: Any) -> np.ndarray | None:
        """Return the values as an array of shape (n_samples,) or (n_samples, n_outputs)."""
        if y is None:
            return None
        y = check_array(y, ensure_2d=False, dtype="numeric", input_name="y", estimator=model)
        check_consistent_length(X, y)
        return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y

    def truth(self, model: Any, teacher: Teacher, y: np.ndarray | None, name: str = "y") -> np.ndarray | None:  # noqa: ARG002
        """Return the true values, if they are blended in."""
        return y if model.soft_weight != 1 else None

    def targets(self, model: Any, teacher: Teacher, real: TransferSet) -> Targets:
        """Return how outputs become values."""
        if real.truth is not None and real.truth.shape[1:] != real.outputs.shape[1:]:
            raise ValueError(
                f"{type(model).__name__}: y has shape {real.truth.shape}, but the teacher answers with shape "
                f"{real.outputs.shape}. Pass y of that shape, or soft_weight=1."
            )
        return ValueTargets(teacher, model._given_soft_weight, model._target_compressor)
