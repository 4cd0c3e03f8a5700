"""Students with calibrated probabilities: a temperature divides their scores, or isotonic functions follow them."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin

from ..compiled import CompiledModel, Decision, Isotonic
from ..exceptions import StudentError
from ..targets._temperature import soften_rows
from ._completion import CompletedClassifier, _Fitted
from ._deciding import DecidingClassifier
from ._student import CompactClassifier

LINKS_OF_LOGITS = ("binary", "softmax")
"""Links for which a temperature of the probabilities divides the scores."""


class IsotonicClassifier(ClassifierMixin, _Fitted):
    """A fitted classifier whose probabilities are calibrated by isotonic functions.

    Parameters
    ----------
    estimator : classifier
        Fitted, with ``predict_proba``.
    isotonic : Isotonic
    """

    def __init__(self, estimator: Any, isotonic: Isotonic) -> None:
        self.estimator = estimator
        self.isotonic = isotonic

    @property
    def classes_(self) -> np.ndarray:
        """Labels, of shape (n_classes,)."""
        return self.estimator.classes_

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the calibrated class probabilities, of shape (n_samples, n_classes)."""
        return self.isotonic.of_rows(np.asarray(self.estimator.predict_proba(X), dtype=np.float64))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of each row, of shape (n_samples,)."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    @property
    def __skdistill_compile__(self) -> Callable[[], CompiledModel]:
        convert = self.estimator.__skdistill_compile__  # an estimator without a compiled form raises AttributeError
        return lambda: convert().calibrated(self.isotonic)


def with_temperature(student: Any, temperature: float) -> Any:
    """Return a fitted student whose logits are divided by a temperature; its labels stay the same.

    The parameters of compact students are divided, so that their compiled and exported forms have no further step. The
    thresholds of a decision become those that give the same labels.

    Raises
    ------
    StudentError
        If the student predicts labels only.
    """
    if isinstance(student, DecidingClassifier):
        thresholds = soften_rows(np.array([student.decision.thresholds]), temperature)[0]
        decision = Decision(tuple(thresholds.tolist()), student.decision.positive)
        return DecidingClassifier(with_temperature(student.estimator, temperature), decision)
    if isinstance(student, CompactClassifier) and student._loss.link in LINKS_OF_LOGITS:
        student = copy.copy(student)
        student.scorer_ = student.scorer_.scaled(1 / temperature)
        return student
    if not isinstance(student, CompletedClassifier):
        return CompletedClassifier(student, student.classes_, "predict_proba", 1 / temperature)
    if student.response == "predict":
        raise StudentError(
            f"the student {type(student.estimator).__name__} predicts labels only, whose probabilities are 0 and 1; "
            "expected a student with predict_proba, or a regressor. Pass calibration='isotonic' or calibration=None."
        )
    student = copy.copy(student)
    student.temperature = student.temperature / temperature
    return student
