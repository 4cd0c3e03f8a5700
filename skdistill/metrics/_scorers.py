"""Scorers for the ``scoring`` parameter; those that compare with the teacher need no labels."""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from sklearn.utils.metadata_routing import MetadataRequest

from .._validation import check_fitted, warn_caller
from ..convert import rows_of_student
from ..exceptions import TeacherWarning
from ._fidelity import agreement
from ._footprint import latency, pickled_bytes, prediction_function
from ._skill import brier_skill, r2_skill, retention
from ._unwrapping import compiled_form, completed, distilled_inside, first_rows

__all__ = [
    "agreement_scorer",
    "distilled_inside",
    "fidelity_scorer",
    "neg_bytes_scorer",
    "neg_latency_scorer",
    "retention_scorer",
]

MEMORISED = 0.05
"""Minimum ``teacher_memorization_`` for a warning that the teacher has memorised the rows of a score."""

Scorer = TypeVar("Scorer", bound=Callable[..., float])


def requests_sample_weight(scorer: Scorer) -> Scorer:
    """Tell scikit-learn to pass the sample weights of a search to the scorer.

    The first attribute is needed by scikit-learn 1.9 if several functions are used as scorers with weights; the second
    one is used if metadata routing is enabled.
    """
    tagged: Any = scorer
    tagged._accept_sample_weight = lambda: True
    tagged.get_metadata_routing = lambda: _request_of_weights(scorer.__name__)
    return scorer


def _request_of_weights(owner: str) -> MetadataRequest:
    request = MetadataRequest(owner=owner)
    request.score.add_request(param="sample_weight", alias=True)
    return request


@requests_sample_weight
def fidelity_scorer(estimator: Any, X: Any, y: Any = None, sample_weight: Any = None) -> float:  # noqa: ARG001
    """Return the fidelity of a fitted distilled estimator, for the ``scoring`` parameter.

    Parameters
    ----------
    estimator : DistilledClassifier, DistilledRegressor, or a pipeline or fitted search that ends in one
        A fitted estimator.
    X : table of shape (n_samples, n_features)
        Rows that the student was not fitted on.
    y : array-like, default=None
        Ignored; the teacher's outputs are used.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    score : float
        R² of the student's outputs with respect to the teacher's; see :func:`skdistill.metrics.fidelity`. It is equal
        to ``model.fidelity(X)``.

    Warns
    -----
    TeacherWarning
        If ``fit`` found that the teacher has memorised the rows of the fit, and the score is so far below the fidelity
        that it estimated for unseen rows that the teacher seems to have memorised ``X``, too: as in a search on rows
        that a fitted forest was fitted on.

    Raises
    ------
    TypeError
        If ``estimator`` contains no distilled estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.svm import SVR
    >>> from skdistill import DistilledRegressor, fidelity_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = DistilledRegressor(
    ...     SVR(C=100).fit(X, y), "boosting", sampler=None, random_state=0
    ... )
    >>> search = GridSearchCV(
    ...     model, {"student_size": [100, 1000]}, scoring=fidelity_scorer, cv=2
    ... ).fit(X)
    >>> search.best_params_
    {'student_size': 1000}
    """
    model, X = distilled_inside(estimator, X, who="fidelity_scorer")
    score = float(model.fidelity(X, sample_weight=sample_weight))
    memorised, estimate = float(getattr(model, "teacher_memorization_", np.nan)), _estimate_of_fit(model)
    if memorised > MEMORISED and score < estimate - memorised / 2:  # nearer to what is expected on memorised rows
        warn_caller(
            "fidelity_scorer: the fidelity is far below the estimate of fit for unseen rows, as it is on rows that the "
            "teacher was fitted on and has memorised. Fit the search on rows that the teacher has not seen, which need "
            "no labels, or pass an unfitted teacher.",
            TeacherWarning,
        )
    return score


def _estimate_of_fit(model: Any) -> float:
    """Return the fidelity on unseen rows that the selection of the student, or else of the sampler, has estimated."""
    chosen = getattr(getattr(model, "candidates_", None), "chosen", None)
    if chosen is not None:
        return float(chosen.fidelity)
    results = getattr(model, "sampler_results_", None)
    return float(np.nan if results is None else np.max(results["fidelity"][results["is_chosen"]], initial=-np.inf))


@requests_sample_weight
def agreement_scorer(estimator: Any, X: Any, y: Any = None, sample_weight: Any = None) -> float:  # noqa: ARG001
    """Return the share of rows with equal labels of student and teacher, for the ``scoring`` parameter.

    The labels are those that both predict, which are not always those of their largest probabilities.

    Parameters
    ----------
    estimator : DistilledClassifier, or a pipeline or fitted search that ends in one
        A fitted estimator.
    X : table of shape (n_samples, n_features)
        Rows that the student was not fitted on.
    y : array-like, default=None
        Ignored; the teacher's outputs are used.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    score : float
        In [0, 1]; see :func:`skdistill.metrics.agreement` and ``model.teacher_labels(X)``.

    Raises
    ------
    TypeError
        If ``estimator`` contains no distilled classifier.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.metrics import agreement_scorer
    >>> X, y = load_iris(return_X_y=True)
    >>> teacher = MLPClassifier(random_state=0, max_iter=2000).fit(X, y)
    >>> model = DistilledClassifier(teacher, "tree", student_size=50, sampler=None).fit(X)
    >>> agreement_scorer(model, X) > 0.9
    True
    """
    model, X = distilled_inside(estimator, X, who="agreement_scorer")
    check_fitted(model, "student_")
    if not hasattr(model, "classes_"):
        raise TypeError(
            f"agreement_scorer: got a {type(model).__name__}, which predicts values; expected a fitted "
            "DistilledClassifier. Pass scoring=fidelity_scorer."
        )
    return agreement(model.teacher_labels(X), model.predict(X), sample_weight=sample_weight)


@requests_sample_weight
def retention_scorer(estimator: Any, X: Any, y: Any = None, sample_weight: Any = None) -> float:
    """Return the student's skill as a share of the teacher's, for the ``scoring`` parameter.

    Parameters
    ----------
    estimator : DistilledClassifier, DistilledRegressor, or a pipeline or fitted search that ends in one
        A fitted estimator.
    X : table of shape (n_samples, n_features)
        Rows that neither model was fitted on; otherwise the teacher appears better than it is.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        True labels or values (required).
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    score : float
        Above 1 if the student is better than the teacher; NaN if the teacher is no better than a constant. The skill is
        :func:`skdistill.metrics.brier_skill` for classifiers and :func:`skdistill.metrics.r2_skill` for regressors.

    Raises
    ------
    TypeError
        If ``estimator`` contains no distilled estimator.
    ValueError
        If ``y`` is ``None`` or contains labels that the teacher does not know.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.svm import SVR
    >>> from skdistill import DistilledRegressor
    >>> from skdistill.metrics import retention_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> teacher = SVR(C=100).fit(X[:300], y[:300])
    >>> model = DistilledRegressor(teacher, "linear", sampler=None, random_state=0).fit(
    ...     X[:300]
    ... )
    >>> retention_scorer(model, X[300:], y[300:]) > 0.8
    True
    """
    if y is None:
        raise ValueError(
            "retention_scorer: y is None; expected true labels to measure the skill of teacher and student. "
            "Pass y to fit of the search, or use fidelity_scorer, which needs no labels."
        )
    model, X = distilled_inside(estimator, X, who="retention_scorer")
    check_fitted(model, "student_")
    if hasattr(model, "classes_"):
        answers = model.soft_targets(X), model.predict_proba(X)
        skills = [brier_skill(y, proba, classes=model.classes_, sample_weight=sample_weight) for proba in answers]
    else:
        skills = [
            r2_skill(y, values, sample_weight=sample_weight) for values in (model.soft_targets(X), model.predict(X))
        ]
    return float(retention(*skills))


@requests_sample_weight
def neg_bytes_scorer(estimator: Any, X: Any, y: Any = None, sample_weight: Any = None) -> float:  # noqa: ARG001
    """Return the negative size of the student alone in bytes, for the ``scoring`` parameter.

    Parameters
    ----------
    estimator : DistilledClassifier, DistilledRegressor, or a pipeline or fitted search that ends in one
        A fitted estimator. The teacher and earlier steps are not counted.
    X : table of shape (n_samples, n_features)
        Ignored.
    y : array-like, default=None
        Ignored.
    sample_weight : array-like of shape (n_samples,), default=None
        Ignored.

    Returns
    -------
    score : float
        At most 0. Students of this package are measured in compiled form, as in ``candidates_`` (wrappers, for example
        for a temperature, are added with the size of their pickle). All others are measured by their pickle.

    Raises
    ------
    TypeError
        If ``estimator`` contains no distilled estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.svm import SVR
    >>> from skdistill import DistilledRegressor
    >>> from skdistill.metrics import neg_bytes_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = DistilledRegressor(
    ...     SVR(C=100).fit(X, y), "linear", sampler=None, random_state=0
    ... ).fit(X)
    >>> -10_000 < neg_bytes_scorer(model, X) < 0
    True
    """
    model, _ = distilled_inside(estimator, None, who="neg_bytes_scorer")
    check_fitted(model, "student_")
    return -float(_bytes_of(model.student_))


@requests_sample_weight
def neg_latency_scorer(estimator: Any, X: Any, y: Any = None, sample_weight: Any = None) -> float:  # noqa: ARG001
    """Return the negative time of the student alone for one row, for the ``scoring`` parameter.

    Parameters
    ----------
    estimator : DistilledClassifier, DistilledRegressor, or a pipeline or fitted search that ends in one
        A fitted estimator. The teacher and earlier steps are not counted.
    X : table of shape (n_samples, n_features)
        The first row is used.
    y : array-like, default=None
        Ignored.
    sample_weight : array-like of shape (n_samples,), default=None
        Ignored.

    Returns
    -------
    score : float
        Negative microseconds of ``predict_proba`` or ``predict`` of ``student_``: the median after one warm-up call.
        This is a time measurement: it varies between runs, and is disturbed by ``n_jobs`` above 1 and by other load.

    Raises
    ------
    TypeError
        If ``estimator`` contains no distilled estimator.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.svm import SVR
    >>> from skdistill import DistilledRegressor
    >>> from skdistill.metrics import neg_latency_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = DistilledRegressor(
    ...     SVR(C=100).fit(X, y), "linear", sampler=None, random_state=0
    ... ).fit(X)
    >>> neg_latency_scorer(model, X) < 0
    True
    """
    model, row = distilled_inside(estimator, first_rows(X, 1), who="neg_latency_scorer")
    check_fitted(model, "student_")
    row = rows_of_student(model, row)
    return -latency(prediction_function(model.student_, "neg_latency_scorer"), row)


def _bytes_of(student: Any) -> int:
    """Return the size of the compiled form, or else of the pickle, including wrappers of the student."""
    compiled, inner = compiled_form(student), completed(student)
    if compiled is not None:
        return compiled.n_bytes
    if inner is not None:
        return _bytes_of(inner) + max(pickled_bytes(student) - pickled_bytes(inner), 0)
    return pickled_bytes(student)
