"""``scoring=`` of a selection of students: a scorer of scikit-learn, with the teacher's outputs as the truth."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import get_scorer, get_scorer_names

from .._described import described, text_of
from .._suggesting import did_you_mean
from .._tables import take_rows
from ..exceptions import StudentError
from ._auc_of_pairs import auc_of_pairs
from ._validation_rows import Group, Validation

LEAST_PROBABILITY = 1e-6
"""Smallest probability of a class for which a row counts as one of that class."""

PAIRS = {"roc_auc_ovo": False, "roc_auc_ovo_weighted": True}
"""Scores of pairs of classes, and whether they are weighted by prevalence; scikit-learn takes no weights of rows."""


def check_scoring(scoring: Any) -> None:
    """Raise an error unless ``scoring`` is ``None``, the name of a scorer, or callable."""
    if scoring is None or callable(scoring):
        return
    names = get_scorer_names()
    if not isinstance(scoring, str) or scoring not in names:
        raise StudentError(
            f"AutoStudent: scoring={described(scoring)}; expected None, the name of a scorer of scikit-learn such as "
            f"'roc_auc', or a callable scorer(estimator, X, y).{did_you_mean(scoring, names)}"
        )


def name_of(scoring: Any) -> str:
    """Return the name of a score for tables."""
    if scoring is None:
        return "fidelity"
    return scoring if isinstance(scoring, str) else str(getattr(scoring, "__name__", None) or described(scoring))


def score_of(scoring: Any, validation: Validation, student: Any) -> float:
    """Return the score of a student on the validation rows that rank students: the weighted mean of their groups.

    The teacher's outputs are the truth. A row of a classifier counts once for each class, weighted by the teacher's
    probability of the class, so that the score is the expected one for labels drawn from these probabilities. A scorer
    that takes no ``sample_weight`` is given the most probable labels.

    Raises
    ------
    StudentError
        If the scorer fails, or returns no number.
    """
    total = sum(group.importance for group in validation.ranking)
    scores = [_score(scoring, validation, student, group) * group.importance / total for group in validation.ranking]
    return float(sum(scores))


def _score(scoring: Any, validation: Validation, student: Any, group: Group) -> float:
    X = _numbers_of(group.targets) if name_known(scoring) else group.X  # those of scikit-learn read no cells
    outputs = validation.targets.predict(student, group.X)
    classes = getattr(validation.targets, "classes", None)
    try:
        value = value_of(scoring, X, outputs, group.targets, group.sample_weight, classes)
        number = np.asarray(value)
    except Exception as error:  # a scorer may raise anything
        raise StudentError(
            f"AutoStudent: scoring={described(scoring)} failed on the validation rows: {text_of(error)} Expected a "
            f"scorer of {'class labels' if classes is not None else 'values'}, whose truth is the teacher's outputs."
        ) from error
    if number.ndim or number.dtype.kind not in "biuf" or not np.isfinite(number):
        raise StudentError(
            f"AutoStudent: scoring={described(scoring)} returned {described(value)} on the validation rows; expected a "
            "finite number. Is there only one class among the teacher's labels?"
        )
    return float(number)


def _numbers_of(targets: np.ndarray) -> np.ndarray:
    return np.arange(len(targets)).reshape(-1, 1)


def name_known(scoring: Any) -> str | None:
    """Return the name of a scorer of scikit-learn, also if what ``get_scorer`` returns was passed."""
    if scoring is None or isinstance(scoring, str):
        return scoring
    if not type(scoring).__module__.startswith("sklearn.metrics."):
        return None
    text = repr(scoring)
    return next((name for name in get_scorer_names() if repr(get_scorer(name)) == text), None)


def value_of(scoring: Any, X: Any, outputs: np.ndarray, targets: np.ndarray, weight: np.ndarray, classes: Any) -> Any:
    """Return the score of outputs for rows whose true outputs are ``targets``.

    Parameters
    ----------
    scoring : str or callable
    X : table of shape (n_samples, n_features)
        What a callable gets; names need the number of rows only.
    outputs, targets : ndarray of shape (n_samples, n_classes), (n_samples,) or (n_samples, n_outputs)
    weight : ndarray of shape (n_samples,)
    classes : ndarray of shape (n_classes,) or None
        Labels of a classifier.
    """
    name = name_known(scoring)
    scorer = scoring if name is None else get_scorer(name)
    if classes is None:
        judged: Any = PredictedValues(outputs)
        return _weighted(scorer, judged, X, targets, weight)
    rows, columns = np.nonzero(targets > LEAST_PROBABILITY)
    weight = weight[rows] * targets[rows, columns]
    if name in PAIRS and len(classes) > 2:
        return auc_of_pairs(columns, outputs[rows], weight, by_prevalence=PAIRS[name])
    try:
        judged = PredictedClasses(outputs[rows], classes)
        return scorer(judged, take_rows(X, rows), classes[columns], sample_weight=weight)
    except (TypeError, ValueError) as error:
        if isinstance(error, ValueError) and "sample_weight" not in str(error):
            raise
        return scorer(PredictedClasses(outputs, classes), X, classes[targets.argmax(axis=1)])  # it takes no weights


def _weighted(scorer: Callable[..., Any], judged: Any, X: Any, y: np.ndarray, weight: np.ndarray) -> Any:
    try:
        return scorer(judged, X, y, sample_weight=weight)
    except TypeError:
        return scorer(judged, X, y)


class PredictedValues(RegressorMixin, BaseEstimator):
    """A regressor whose predictions for the rows that a scorer is passed are known.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    """

    def __init__(self, outputs: np.ndarray) -> None:
        self.outputs = outputs

    def predict(self, X: Any) -> np.ndarray:
        """Return the predictions for the rows."""
        return _of_rows(self.outputs, X)

    def __sklearn_is_fitted__(self) -> bool:
        return True


class PredictedClasses(ClassifierMixin, BaseEstimator):
    """A classifier whose probabilities for the rows that a scorer is passed are known.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples, n_classes)
    classes : ndarray of shape (n_classes,)
    """

    def __init__(self, outputs: np.ndarray, classes: np.ndarray) -> None:
        self.outputs = outputs
        self.classes = classes

    @property
    def classes_(self) -> np.ndarray:
        """The labels."""
        return self.classes

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities of the rows."""
        return _of_rows(self.outputs, X)

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable labels."""
        return np.asarray(self.classes[self.predict_proba(X).argmax(axis=1)])

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _of_rows(outputs: np.ndarray, X: Any) -> np.ndarray:
    if X.shape[0] != len(outputs):
        raise ValueError(f"got {X.shape[0]} rows to predict; expected the {len(outputs)} rows that the scorer got.")
    return outputs
