"""The labels of a teacher: those of its ``predict``, which are not always those of its largest probabilities.

A classifier with a decision threshold, Platt's probabilities of an ``SVC``, and ``NearestCentroid`` are examples.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from ..compiled import Decision
from ..convert import unwrap
from ..exceptions import TeacherError, TeacherUnavailableError
from ._adapter import Teacher
from ._ensemble import TeacherEnsemble
from ._querying import query_teacher

MOST_PROBABLE = (
    BaggingClassifier,
    BernoulliNB,
    CalibratedClassifierCV,
    CategoricalNB,
    ComplementNB,
    DecisionTreeClassifier,
    ExtraTreeClassifier,
    ExtraTreesClassifier,
    GaussianNB,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    KNeighborsClassifier,
    LinearDiscriminantAnalysis,
    LogisticRegression,
    LogisticRegressionCV,
    MLPClassifier,
    MultinomialNB,
    QuadraticDiscriminantAnalysis,
    RandomForestClassifier,
)
"""Models whose ``predict`` is the most probable class; derived classes are excluded, since they may differ."""


def label_teacher(teacher: Teacher) -> Teacher | None:
    """Return a teacher whose outputs are the labels of ``predict``, one-hot encoded.

    ``None`` if the labels are known to be those of the largest outputs of ``teacher``, or if there are no others: the
    teacher is a function, has no ``predict``, or is queried for its labels already.
    """
    model = teacher.model
    is_queried = teacher.task != "classification" or teacher.response_method in ("predict", "labels_")
    if is_queried or not teacher.predicts_labels or _predicts_most_probable(model):
        return None
    return Teacher(model, "classification", "predict", teacher.classes_)


def _predicts_most_probable(model: Any) -> bool:
    final = unwrap(model).model
    if isinstance(final, VotingClassifier):
        return type(final) is VotingClassifier and final.voting == "soft"
    if isinstance(final, TeacherEnsemble):
        return True
    return type(final) in MOST_PROBABLE or type(final).__module__.split(".")[0] in ("lightgbm", "xgboost")


def read_labels(outputs: np.ndarray) -> np.ndarray | None:
    """Return the positions of labels among the classes; ``None`` if ``predict`` returned no labels, but e.g. numbers.

    Parameters
    ----------
    outputs : ndarray of shape (n_samples, n_classes)
        Outputs of a teacher as :func:`label_teacher` returns.
    """
    return outputs.argmax(axis=1) if bool(((outputs == 0) | (outputs == 1)).all()) else None


def positions_said(
    teacher: Teacher, X: Any, outputs: np.ndarray | Callable[[], np.ndarray], *, chunk_size: int = 10_000
) -> np.ndarray:
    """Return the positions of the labels that a teacher predicts.

    ``predict`` is only called if its labels may differ from those of the largest outputs. If it fails or returns no
    labels, the largest outputs decide.

    Parameters
    ----------
    teacher : Teacher
        A classifier.
    X : table of shape (n_samples, n_features)
    outputs : ndarray of shape (n_samples, n_classes), or callable
        Its outputs for these rows, or a function that returns them if they are needed.
    chunk_size : int, default=10_000
        Number of rows in one call.

    Returns
    -------
    positions : ndarray of int, shape (n_samples,)
    """
    labels = label_teacher(teacher)
    said = None if labels is None else said_labels(lambda: query_teacher(labels, X, chunk_size=chunk_size))
    if said is not None:
        return said
    return (outputs() if callable(outputs) else outputs).argmax(axis=1)


def said_labels(query: Callable[[], np.ndarray]) -> np.ndarray | None:
    """Return the labels of a query of ``predict``; ``None`` if it fails or returns no labels."""
    try:
        return read_labels(query())
    except TeacherUnavailableError:
        raise
    except TeacherError:
        return None


def stated_decisions(teacher: Teacher) -> tuple[list[Decision], bool]:
    """Return the decisions that a classifier may state, and whether one of them is surely its own.

    Read are the threshold of a threshold classifier of scikit-learn or scikit-lego, that of CatBoost, and the decision
    of a model of this package. A threshold may be that of either class, and an attribute with this name may mean
    something else: compare what follows from it with labels.
    """
    final, classes = unwrap(teacher.model).model, np.array([] if teacher.classes_ is None else teacher.classes_)
    ours = [getattr(final, name, None) for name in ("decision", "decision_")]
    found = [each for each in ours if isinstance(each, Decision) and len(each.thresholds) == len(classes)]
    if found or len(classes) != 2:
        return found, bool(found)
    read = getattr(final, "get_probability_threshold", None)
    values = [getattr(final, name, None) for name in ("best_threshold_", "threshold")]
    values += [read()] if callable(read) else []
    positives = np.flatnonzero(classes == getattr(final, "pos_label", None)).tolist() or [1, 0]
    for value in values:
        if isinstance(value, int | float | np.number) and 0 <= value <= 1 and value != 0.5:
            thresholds = (1 - float(value), float(value))
            found += [Decision(thresholds if place == 1 else thresholds[::-1], place) for place in positives]
    is_sklearn = isinstance(final, FixedThresholdClassifier | TunedThresholdClassifierCV)
    is_of_probability = teacher.output_kind == "proba" and getattr(final, "response_method", "") != "decision_function"
    return found, is_of_probability and (is_sklearn or callable(read))
