"""Completing a student: from whatever was fitted to a classifier with ``classes_`` and ``predict_proba`` at T = 1."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import get_tags

from .._tables import take_rows
from ..targets import TargetCompressor, fit_margin_scale, one_hot, soften, softmax

MARGIN_ROWS = 10_000
"""Rows on which the scale of a student's margins is fitted."""


def complete_classifier(
    fitted: Any,
    classes: np.ndarray,
    response: str = "auto",
    *,
    temperature: float = 1.0,
    decoder: TargetCompressor | None = None,
    margins_of: tuple[Any, np.ndarray] | None = None,
) -> Any:
    """Return ``fitted`` itself if it is complete, else a :class:`CompletedClassifier` around it.

    Parameters
    ----------
    fitted : estimator
    classes : ndarray of shape (n_classes,)
        The labels it must know.
    response : {"auto", "logit"}
        ``"logit"`` for a regressor of logits; ``"auto"`` finds the method a classifier answers with.
    temperature : float > 0
        At which it was taught.
    decoder : TargetCompressor or None
        Decodes a regressor's answer.
    margins_of : tuple of (table, ndarray of shape (n_samples, n_classes)) or None
        Rows and their soft targets, to fit the scale of margins on.
    """
    if response == "auto":
        methods = ("predict_proba", "decision_function", "predict")
        response = next(name for name in methods if hasattr(fitted, name))
    knows_all = np.array_equal(getattr(fitted, "classes_", []), classes)
    if response == "predict_proba" and knows_all and temperature == 1:
        return fitted
    completed = CompletedClassifier(fitted, classes, response, temperature, decoder)
    if response == "decision_function" and margins_of is not None:
        X, proba = margins_of
        completed.scale = fit_margin_scale(completed.logits(take_rows(X, slice(MARGIN_ROWS))), proba[:MARGIN_ROWS])
    return completed


class CompletedClassifier(ClassifierMixin, BaseEstimator):
    """A fitted estimator with all a classifier needs: every class, normalised probabilities, temperature 1.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    classes : ndarray of shape (n_classes,)
        Sorted labels; those the estimator never saw get probability 0.
    response : {"predict_proba", "decision_function", "predict", "logit"}
        How the estimator is asked; ``"logit"`` is a regressor's ``predict``.
    temperature : float > 0, default=1.0
        At which the estimator was taught.
    decoder : TargetCompressor or None, default=None
        Decodes the answer to centred logits.
    scale : float > 0, default=1.0
        Factor from margins to logits.
    """

    def __init__(
        self,
        estimator: Any,
        classes: np.ndarray,
        response: str,
        temperature: float = 1.0,
        decoder: TargetCompressor | None = None,
        scale: float = 1.0,
    ) -> None:
        self.estimator = estimator
        self.classes = classes
        self.response = response
        self.temperature = temperature
        self.decoder = decoder
        self.scale = scale

    @property
    def classes_(self) -> np.ndarray:
        """Labels, of shape (n_classes,)."""
        return self.classes

    @property
    def n_features_in_(self) -> int:
        """Number of features."""
        return self.estimator.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns, where the estimator was fitted on a frame."""
        return self.estimator.feature_names_in_

    def logits(self, X: Any) -> np.ndarray:
        """Return logits or scaled margins at the temperature of teaching, of shape (n_samples, n_classes)."""
        method = "predict" if self.response == "logit" else self.response
        answer = np.asarray(getattr(self.estimator, method)(X), dtype=np.float64)
        if self.decoder is not None:
            answer = self.decoder.decode(answer)
        if answer.ndim == 1:
            answer = np.column_stack([-answer / 2, answer / 2])
        return self.scale * answer

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities at temperature 1, of shape (n_samples, n_classes)."""
        if self.response == "predict":
            return one_hot(np.asarray(self.estimator.predict(X)), self.classes)
        if self.response == "predict_proba":
            known = np.asarray(self.estimator.predict_proba(X), dtype=np.float64)
        else:
            known = softmax(self.logits(X))
        proba = np.zeros((len(known), len(self.classes)))
        proba[:, self._known_columns()] = known
        return soften(proba, 1 / self.temperature)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of each row, of shape (n_samples,)."""
        winner = self.predict_proba(X).argmax(axis=1)
        return self.classes[winner]

    def _known_columns(self) -> np.ndarray:
        if self.response == "logit":
            return np.arange(len(self.classes))
        return np.searchsorted(self.classes, self.estimator.classes_)

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags


def complete_regressor(fitted: Any, decoder: TargetCompressor) -> "DecodedRegressor":
    """Return a fitted regressor of codes as a regressor of values."""
    return DecodedRegressor(fitted, decoder)


class DecodedRegressor(RegressorMixin, BaseEstimator):
    """A fitted regressor of codes whose predictions are decoded.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    decoder : TargetCompressor
        Fitted.
    """

    def __init__(self, estimator: Any, decoder: TargetCompressor) -> None:
        self.estimator = estimator
        self.decoder = decoder

    @property
    def n_features_in_(self) -> int:
        """Number of features."""
        return self.estimator.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns, where the estimator was fitted on a frame."""
        return self.estimator.feature_names_in_

    def predict(self, X: Any) -> np.ndarray:
        """Return values of shape (n_samples, n_outputs)."""
        return self.decoder.decode(np.asarray(self.estimator.predict(X)))

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags
