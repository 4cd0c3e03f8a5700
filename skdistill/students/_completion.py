"""Completion of students: any fitted estimator as a classifier with ``classes_`` and ``predict_proba`` at T = 1."""

from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from .._fitting import has_pairwise_margins
from .._tables import take_rows
from .._validation import input_tags_of
from ..compiled._links import inverse_link
from ..exceptions import StudentError
from ..targets import TargetCompressor, TargetLink, fit_margin_scale, one_hot
from ..targets._temperature import soften_rows, softmax_of_rows
from ._student import CompactStudent

MAX_MARGIN_ROWS = 10_000
"""Bounds the rows on which the scale of a student's margins is fitted."""


def complete_classifier(fitted: Any, classes: np.ndarray, temperature: float, X: Any, proba: np.ndarray) -> Any:
    """Return a fitted classifier itself if it is complete, else a :class:`CompletedClassifier` around it.

    Parameters
    ----------
    fitted : classifier
        It may have seen fewer classes, and may predict margins or labels only.
    classes : ndarray of shape (n_classes,)
        All labels, sorted.
    temperature : float > 0
        Temperature of the soft targets.
    X : table of shape (n_samples, n_features)
        Rows of the fit.
    proba : ndarray of shape (n_samples, n_classes)
        Their soft targets, on which the scale of margins is fitted.
    """
    methods = ("predict_proba", "decision_function", "predict")
    response = next(name for name in methods if hasattr(fitted, name))
    knows_all = np.array_equal(getattr(fitted, "classes_", []), classes)
    is_plain = isinstance(fitted, CompactStudent) or np.ndim(fitted.predict(take_rows(X, slice(0, 1)))) == 1
    if response == "predict_proba" and knows_all and temperature == 1 and is_plain:
        return fitted
    if response != "decision_function":
        return CompletedClassifier(fitted, classes, response, temperature)
    if len(fitted.classes_) > 2 and has_pairwise_margins(fitted):
        raise StudentError(
            f"the student {type(fitted).__name__} has a margin for each pair of classes; expected one for each class. "
            'Pass decision_function_shape="ovr".'
        )
    if len(fitted.classes_) == 1:
        return CompletedClassifier(fitted, classes, response, temperature)
    # spread over the table, which may be sorted
    some = np.linspace(0, len(proba) - 1, num=min(len(proba), MAX_MARGIN_ROWS), dtype=int)
    known = proba[some][:, np.searchsorted(classes, fitted.classes_)]
    margins = two_columns(fitted.decision_function(take_rows(X, some)))
    told = known.sum(axis=1) > 0
    scale = fit_margin_scale(margins[told], known[told] / known[told].sum(axis=1, keepdims=True))
    return CompletedClassifier(fitted, classes, response, temperature, scale=scale)


def two_columns(answer: Any) -> np.ndarray:
    """Return binary logits m as the columns -m / 2 and m / 2, and those of more classes as they are."""
    logits = np.asarray(answer, dtype=np.float64)
    return np.column_stack([-logits / 2, logits / 2]) if logits.ndim == 1 else logits


class _Fitted(BaseEstimator):
    """A fitted estimator like ``FrozenEstimator``: ``fit`` does nothing, ``clone`` returns it."""

    estimator: Any

    def fit(self, X: Any, y: Any = None, **params: Any) -> Self:  # noqa: ARG002
        """Do nothing, since the student is fitted."""
        return self

    @property
    def n_features_in_(self) -> int:
        """Number of features."""
        return self.estimator.n_features_in_

    @property
    def feature_names_in_(self) -> np.ndarray:
        """Names of the columns, where the estimator was fitted on a frame."""
        return self.estimator.feature_names_in_

    def __sklearn_clone__(self) -> Self:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags = input_tags_of(self.estimator)
        return tags


class CompletedClassifier(ClassifierMixin, _Fitted):
    """A fitted estimator as a classifier with every class and normalised probabilities at temperature 1.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    classes : ndarray of shape (n_classes,)
        Sorted labels; those that the estimator has not seen get probability 0.
    response : {"predict_proba", "decision_function", "predict", "logit"}
        Method of the estimator that is called; ``"logit"`` is the ``predict`` of a regressor of logits.
    temperature : float > 0, default=1.0
        Temperature of the soft targets that the estimator was fitted to.
    scale : float > 0, default=1.0
        Factor from margins to logits.
    decoder : TargetCompressor or None, default=None
        Decodes the predictions of a regressor to centred logits.
    """

    def __init__(
        self,
        estimator: Any,
        classes: np.ndarray,
        response: str,
        temperature: float = 1.0,
        scale: float = 1.0,
        decoder: TargetCompressor | None = None,
    ) -> None:
        self.estimator = estimator
        self.classes = classes
        self.response = response
        self.temperature = temperature
        self.scale = scale
        self.decoder = decoder

    @property
    def classes_(self) -> np.ndarray:
        """Labels, of shape (n_classes,)."""
        return self.classes

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities at temperature 1, of shape (n_samples, n_classes)."""
        if self.response == "logit":
            answer = self.estimator.predict(X)
            logits = two_columns(answer if self.decoder is None else self.decoder.decode(answer))
            return softmax_of_rows(self.temperature * logits)
        if self.response == "predict":
            return one_hot(np.asarray(self.estimator.predict(X)).reshape(-1), self.classes)
        if len(self.estimator.classes_) == 1:
            known = np.ones((len(self.estimator.predict(X)), 1))
        elif self.response == "decision_function":
            known = softmax_of_rows(self.scale * two_columns(self.estimator.decision_function(X)))
        else:
            known = np.asarray(self.estimator.predict_proba(X), dtype=np.float64)
        proba = np.zeros((len(known), len(self.classes)))
        proba[:, np.searchsorted(self.classes, self.estimator.classes_)] = known
        return soften_rows(proba, 1 / self.temperature)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of each row, of shape (n_samples,)."""
        winner = self.predict_proba(X).argmax(axis=1)
        return self.classes[winner]


class DecodedRegressor(RegressorMixin, _Fitted):
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

    def predict(self, X: Any) -> np.ndarray:
        """Return values of shape (n_samples, n_outputs)."""
        return self.decoder.decode(np.asarray(self.estimator.predict(X)))


class LinkedRegressor(RegressorMixin, _Fitted):
    """A fitted regressor of scores whose predictions are converted to values with the bounds and order of a link.

    Parameters
    ----------
    estimator : estimator
        Fitted to the scores.
    link : TargetLink
        The link from values to scores.
    is_single : bool, default=True
        Whether there is a single output, so that predictions have the shape (n_samples,).
    """

    def __init__(self, estimator: Any, link: TargetLink, is_single: bool = True) -> None:
        self.estimator = estimator
        self.link = link
        self.is_single = is_single

    def predict(self, X: Any) -> np.ndarray:
        """Return values of shape (n_samples,) or (n_samples, n_outputs)."""
        scores = np.asarray(self.estimator.predict(X), dtype=np.float64)
        values = inverse_link(self.link.inverse, self.link.bounds, self.link.order).of_rows(scores)
        return values.reshape(-1) if self.is_single else values.reshape(len(values), -1)
