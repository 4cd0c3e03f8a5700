"""Classification and regression tasks: how labels are checked, and how the teacher's outputs become targets."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, column_or_1d

from .._types import Average
from .._validation import check_choice, check_number, check_numbers, events_and_times
from ..selection import ClassTargets, Targets
from ..targets import one_hot
from ..teachers import SEVERAL_LABELS, Task, Teacher, unlabelled_rows
from ..transfer import TransferSet
from ._calibration import check_calibration
from ._decision import DECISIONS
from ._output_order import with_possible_order
from ._target_links import check_link, choose_targets


class FitTask(Protocol):
    """The task of a distilled estimator; each method receives the estimator as ``model``.

    Attributes
    ----------
    name : {"classification", "regression"}
    multioutput : str
        Averaging of :func:`~skdistill.metrics.fidelity` over several outputs.
    """

    @property
    def name(self) -> Task: ...

    @property
    def multioutput(self) -> Average: ...

    def check_parameters(self, model: Any) -> None:
        """Check the parameters that are specific to this task."""
        ...

    def check_y(self, model: Any, X: Any, y: Any) -> np.ndarray | None:
        """Check and return true labels or values."""
        ...

    def truth(self, model: Any, teacher: Teacher, y: np.ndarray | None, name: str = "y") -> np.ndarray | None:
        """Return true labels or values as targets; ``None`` if they are not used."""
        ...

    def targets(self, model: Any, teacher: Teacher, real: TransferSet) -> Targets:
        """Return the conversion of the teacher's outputs to targets."""
        ...

    def seen(self, model: Any, targets: Any) -> Targets:
        """Return the targets after it is known what students see and which constraints they keep."""
        ...


@dataclass(frozen=True)
class ClassTask:
    """Classification: labels and class probabilities."""

    name: Task = "classification"
    multioutput: Average = "variance_weighted"

    def check_parameters(self, model: Any) -> None:
        """Check the temperature, the decision and the calibration."""
        advice = "A temperature of 1 leaves the teacher's probabilities unchanged."
        check_number(model, "temperature", model.temperature, low=0, low_open=True, advice=advice)
        check_choice(model, "decision", model.decision, DECISIONS)
        check_calibration(model)

    def check_y(self, model: Any, X: Any, y: Any) -> np.ndarray | None:
        """Return the labels as an array of shape (n_samples,)."""
        if y is None:
            return None
        shape: tuple[int, ...] = getattr(y, "shape", ())
        if len(shape) == 2 and shape[1] > 1:
            who = type(model).__name__
            raise ValueError(f"{who}: y has shape {shape}; expected (n_samples,), one label per row. {SEVERAL_LABELS}")
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        check_classification_targets(y)
        return y

    def truth(self, model: Any, teacher: Teacher, y: np.ndarray | None, name: str = "y") -> np.ndarray | None:
        """Return the true labels one-hot encoded; the teacher must have at least two classes and know all labels."""
        classes = teacher.classes_
        assert classes is not None
        if len(classes) < 2:
            raise ValueError(
                f"{type(model).__name__}: the teacher {teacher.name} has 1 class, {classes.tolist()}; expected at "
                "least 2 classes. Fit the teacher on labels of several classes."
            )
        if y is None:
            return None
        unlabelled = unlabelled_rows(teacher.model, y)
        try:
            truth = one_hot(np.where(unlabelled, classes[0], y) if unlabelled.any() else y, classes)
        except ValueError as error:
            raise ValueError(
                f"{type(model).__name__}: {name} has labels that the teacher does not know: {error}. Pass labels that "
                f"the teacher was fitted with, or {name}=None."
            ) from None
        truth[unlabelled] = np.nan
        return truth

    def targets(self, model: Any, teacher: Teacher, real: TransferSet) -> Targets:
        """Return the conversion of outputs to probabilities."""
        return ClassTargets.fit(
            teacher,
            real,
            temperature=model.temperature,
            soft_weight=model._given_soft_weight,
            truth_margin=model.truth_margin,
            compressor=model._target_compressor,
        )

    def seen(self, model: Any, targets: Any) -> Targets:  # noqa: ARG002
        """Return the targets as they are."""
        return targets


@dataclass(frozen=True)
class ValueTask:
    """Regression: values of one or several outputs."""

    name: Task = "regression"
    multioutput: Average = "uniform_average"

    def check_parameters(self, model: Any) -> None:
        """Check the link, the bounds and the order."""
        check_link(model)

    def check_y(self, model: Any, X: Any, y: Any) -> np.ndarray | None:
        """Return the values as an array of shape (n_samples,) or (n_samples, n_outputs)."""
        if y is None:
            return None
        if getattr(y, "dtype", None) is not None and getattr(y.dtype, "names", None):
            events_and_times(type(model).__name__, y)  # only checks
            check_consistent_length(X, y)
            return np.asarray(y)
        floats = check_numbers(model, "y", y)
        if floats.ndim not in (1, 2) or 0 in floats.shape:
            raise ValueError(
                f"{type(model).__name__}: y has shape {floats.shape}; expected (n_samples,) or (n_samples, n_outputs)."
            )
        y = check_array(y, ensure_2d=False, dtype="numeric", input_name="y", estimator=model)
        check_consistent_length(X, y)
        return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y

    def truth(self, model: Any, teacher: Teacher, y: np.ndarray | None, name: str = "y") -> np.ndarray | None:  # noqa: ARG002
        """Return the true values if they are blended in, otherwise ``None``."""
        if y is not None and y.dtype.names and model.soft_weight != 1:
            raise ValueError(
                f"{type(model).__name__}: soft_weight={model.soft_weight!r} with survival labels; expected 1, because "
                "censored times are not targets. Pass soft_weight=1."
            )
        return y if model.soft_weight != 1 else None

    def targets(self, model: Any, teacher: Teacher, real: TransferSet) -> Targets:
        """Return the conversion of outputs to values, with the link that students are fitted on."""
        if real.truth is not None and real.truth.shape[1:] != real.outputs.shape[1:]:
            raise ValueError(
                f"{type(model).__name__}: y has shape {real.truth.shape}, but the outputs of the teacher have shape "
                f"{real.outputs.shape}. Pass y of the same shape, or soft_weight=1."
            )
        return choose_targets(model, teacher, real)

    def seen(self, model: Any, targets: Any) -> Targets:
        """Return the targets without an order that constraints contradict."""
        return with_possible_order(model, targets)
