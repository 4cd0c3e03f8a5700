"""Targets of classification and regression: soft targets from the teacher's outputs, and students fitted on them."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import numpy as np

from ..students import CompactKernelClassifier, CompactKernelRegressor, teach_classifier, teach_regressor
from ..students._inner_representation import HintReader
from ..students._lending import lent_hints, lent_teacher
from ..students._student import CompactRegressor, CompactStudent, rows_for
from ..targets import TargetLink, blend, fit_margin_scale, soften, softmax
from ..teachers import Teacher
from ..transfer import TransferSet
from ._bounded_teaching import BoundedLoss, teach_bounded
from ._student_view import WHOLE, StudentView


class Targets(Protocol):
    """The task-specific part of a fit; it holds the teacher, but neither rows nor students.

    Attributes
    ----------
    teacher : Teacher
        The fitted teacher.
    classifies : bool
        Whether compact students are classifiers; they are regressors if the targets are compressed.
    pools_outputs : bool
        Whether fidelity weights outputs by their variance, as for probabilities, or uniformly.
    view : StudentView
        The columns that students see, and the constraints that they keep.
    hints : HintReader
        Reads what the teacher computes inside, for students that use it, and counts the rows.
    """

    @property
    def teacher(self) -> Teacher: ...

    @property
    def view(self) -> StudentView: ...

    @property
    def hints(self) -> HintReader: ...

    @property
    def classifies(self) -> bool: ...

    @property
    def pools_outputs(self) -> bool: ...

    def of(self, outputs: np.ndarray) -> np.ndarray:
        """Return the teacher's outputs as soft targets."""
        ...

    def teach(self, student: Any, transfer_set: TransferSet, seed: int) -> Any:
        """Return a fitted clone of the student, completed to a usable estimator."""
        ...

    def taught(self, outputs: np.ndarray, truth: np.ndarray | None) -> np.ndarray:
        """Return what students are fitted to: the teacher's outputs, blended with true labels."""
        ...

    def predict(self, student: Any, X: Any) -> np.ndarray:
        """Return the outputs of a fitted student for ``X``, comparable to soft targets."""
        ...

    def predict_seen(self, student: Any, rows: Any) -> np.ndarray:
        """Return the outputs of a fitted student for rows that have only the columns that it sees."""
        ...


@dataclass(frozen=True)
class ClassTargets:
    """Class probabilities of the teacher, blended with true labels and softened by the temperature."""

    teacher: Teacher
    classes: np.ndarray
    margin_scale: float
    temperature: float
    soft_weight: float
    compressor: Any
    pools_outputs: bool = True
    view: StudentView = WHOLE
    truth_margin: float | None = None
    hints: HintReader = field(default_factory=HintReader)

    @classmethod
    def fit(cls, teacher: Teacher, real: TransferSet, **params: Any) -> "ClassTargets":
        """Fit the scale of the margins of a teacher without probabilities on labelled rows of positive weight."""
        assert teacher.classes_ is not None
        scale = 1.0
        if teacher.output_kind == "logit":
            labelled = real.take(np.flatnonzero(real.is_real & (real.sample_weight > 0)))
            scale = fit_margin_scale(labelled.outputs, labelled.truth)
        return cls(teacher, teacher.classes_, scale, **params)

    @property
    def classifies(self) -> bool:
        """Whether the student is a classifier."""
        return self.compressor is None

    def of(self, outputs: np.ndarray) -> np.ndarray:
        """Return the teacher's outputs as probabilities."""
        return softmax(self.margin_scale * outputs) if self.teacher.output_kind == "logit" else outputs

    def teach(self, student: Any, transfer_set: TransferSet, seed: int) -> Any:
        """Return the student fitted on probabilities."""
        teach = partial(self._teach, student, transfer_set.X, seed)
        proba, truth = self.of(transfer_set.outputs), transfer_set.truth
        if truth is not None and self.truth_margin is not None and self.soft_weight < 1:
            loss = BoundedLoss(self.soft_weight, self.truth_margin, "log_loss")
            return teach_bounded(teach, self.predict, transfer_set, proba, loss)
        return teach(proba if truth is None else blend(proba, truth, self.soft_weight), transfer_set.sample_weight)

    def taught(self, outputs: np.ndarray, truth: np.ndarray | None) -> np.ndarray:
        """Return the probabilities that students are fitted to, softened by the temperature."""
        proba = self.of(outputs)
        return soften(proba if truth is None else blend(proba, truth, self.soft_weight), self.temperature)

    def _teach(self, student: Any, X: Any, seed: int, proba: np.ndarray, sample_weight: np.ndarray) -> Any:
        """Return the student fitted on probabilities at temperature 1."""
        with lent_teacher(self.teacher.model), lent_hints(partial(self.hints.read, self.teacher.model, X)):
            return teach_classifier(
                self.view.prepared(_inheriting(student, self.teacher, self.view)),
                self.view.rows(X),
                soften(proba, self.temperature),
                classes=self.classes,
                sample_weight=sample_weight,
                rng=np.random.RandomState(seed),
                temperature=self.temperature,
                target_compressor=self.compressor,
            )

    def predict(self, student: Any, X: Any) -> np.ndarray:
        """Return the student's probabilities."""
        return self.predict_seen(student, self.view.rows(X))

    def predict_seen(self, student: Any, rows: Any) -> np.ndarray:
        """Return the student's probabilities for rows that have only the columns that it sees."""
        return np.asarray(student.predict_proba(rows_for(student, rows)), dtype=np.float64)


IDENTITY = TargetLink()


@dataclass(frozen=True)
class ValueTargets:
    """Values of the teacher, blended with true values; students are fitted to them on the scale of a link."""

    teacher: Teacher
    soft_weight: float
    compressor: Any
    classifies: bool = False
    pools_outputs: bool = False
    link: TargetLink = IDENTITY
    keeps_bounds: bool = False
    """Whether estimators of others are wrapped so that they keep the bounds; ours always keep them."""
    view: StudentView = WHOLE
    truth_margin: float | None = None
    hints: HintReader = field(default_factory=HintReader)
    quantiles: tuple[float, ...] | None = None
    """Levels of the outputs, if they are quantiles."""

    def of(self, outputs: np.ndarray) -> np.ndarray:
        """Return the teacher's outputs unchanged."""
        return outputs

    def teach(self, student: Any, transfer_set: TransferSet, seed: int) -> Any:
        """Return the student fitted on values."""
        teach = partial(self._teach, student, transfer_set.X, seed)
        values, truth = transfer_set.outputs, transfer_set.truth
        if truth is not None and self.truth_margin is not None and self.soft_weight < 1:
            loss = BoundedLoss(self.soft_weight, self.truth_margin, "squared_error")
            return teach_bounded(teach, self.predict, transfer_set, values, loss)
        return teach(values if truth is None else blend(values, truth, self.soft_weight), transfer_set.sample_weight)

    def taught(self, outputs: np.ndarray, truth: np.ndarray | None) -> np.ndarray:
        """Return the values that students are fitted to."""
        return self.link.clipped(outputs if truth is None else blend(outputs, truth, self.soft_weight))

    def _teach(self, student: Any, X: Any, seed: int, values: np.ndarray, sample_weight: np.ndarray) -> Any:
        """Return the student fitted on values."""
        with lent_teacher(self.teacher.model), lent_hints(partial(self.hints.read, self.teacher.model, X)):
            return teach_regressor(
                self.view.prepared(_inheriting(student, self.teacher, self.view)),
                self.view.rows(X),
                self.link.clipped(values),
                sample_weight=sample_weight,
                rng=np.random.RandomState(seed),
                target_compressor=self.compressor,
                link=self._link_for(student),
            )

    def _link_for(self, student: Any) -> TargetLink:
        """Return the link of a student; known bounds alone are no reason to wrap the estimators of others."""
        is_ours = isinstance(student, CompactRegressor) and self.compressor is None
        return self.link if self.keeps_bounds or is_ours or self.link.order is not None else IDENTITY

    def predict(self, student: Any, X: Any) -> np.ndarray:
        """Return the student's values."""
        return self.predict_seen(student, self.view.rows(X))

    def predict_seen(self, student: Any, rows: Any) -> np.ndarray:
        """Return the student's values for rows that have only the columns that it sees."""
        return np.asarray(student.predict(rows_for(student, rows)), dtype=np.float64)


def threads_for(student: Any, n_jobs: int | None) -> int | None:
    """Return ``n_jobs`` for compact students and ``None`` for other estimators, which may not be thread-safe."""
    return n_jobs if isinstance(student, CompactStudent) else None


def _inheriting(student: Any, teacher: Teacher, view: StudentView) -> Any:
    """Return a kernel student with the kernel width of the teacher, if it has one, but not with its training rows.

    The width is that of all columns.
    """
    if view.columns is not None or not isinstance(student, CompactKernelClassifier | CompactKernelRegressor):
        return student
    return student.inherit(teacher.model).set_params(landmarks=student.landmarks)
