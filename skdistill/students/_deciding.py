"""Students with the decision of their teacher: labels that are not those of the largest probability."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin

from ..compiled import CompiledModel, Decision
from ._completion import _Fitted


class DecidingClassifier(ClassifierMixin, _Fitted):
    """A fitted classifier whose labels follow from its probabilities by a decision.

    Like scikit-learn's ``FixedThresholdClassifier``, it only changes ``predict``.

    Parameters
    ----------
    estimator : classifier
        Fitted, with ``predict_proba``.
    decision : Decision
    """

    def __init__(self, estimator: Any, decision: Decision) -> None:
        self.estimator = estimator
        self.decision = decision

    @property
    def classes_(self) -> np.ndarray:
        """Labels, of shape (n_classes,)."""
        return self.estimator.classes_

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the class probabilities of the estimator, of shape (n_samples, n_classes)."""
        return self.estimator.predict_proba(X)

    def predict(self, X: Any) -> np.ndarray:
        """Return the label of each row by the decision, of shape (n_samples,)."""
        return self.classes_[self.decision.positions(self.predict_proba(X))]

    @property
    def __skdistill_compile__(self) -> Callable[[], CompiledModel]:
        convert = self.estimator.__skdistill_compile__  # an estimator without a compiled form raises AttributeError
        return lambda: convert().deciding(self.decision)
