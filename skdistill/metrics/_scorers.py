"""Scorers for ``scoring=`` of searches and curves; those that compare with the teacher need no labels."""

from collections.abc import Callable
from typing import Any, TypeVar

from sklearn.utils.metadata_routing import MetadataRequest

from .._validation import check_fitted
from ._fidelity import agreement
from ._footprint import asker, latency, pickled_bytes
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

Scorer = TypeVar("Scorer", bound=Callable[..., float])


def takes_weights(scorer: Scorer) -> Scorer:
    """Tell scikit-learn that the weights that a search is fitted with are for the scorer, too.

    With several functions as scorers and weights scikit-learn 1.9 fails without the first of these; the second says the
    same where metadata routing is enabled.
    """
    tagged: Any = scorer
    tagged._accept_sample_weight = lambda: True
    tagged.get_metadata_routing = lambda: _request_of_weights(scorer.__name__)
    return scorer


def _request_of_weights(owner: str) -> MetadataRequest:
    request = MetadataRequest(owner=owner)
    request.score.add_request(param="sample_weight", alias=True)
    return request


@takes_weights
def fidelity_scorer(estimator: Any, X: Any, y: Any = None, sample_weight: Any = None) -> float:  # noqa: ARG001
    """Return the fidelity of a fitted distilled estimator, for ``scoring=`` of searches and curves.

    Parameters
    ----------
    estimator : DistilledClassifier, DistilledRegressor, or a pipeline or fitted search that ends in one
        Fitted.
    X : table of shape (n_samples, n_features)
        Rows the student was not fitted on.
    y : array-like, default=None
        Ignored: the teacher answers.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    score : float
        R² of the student's outputs to the teacher's; see :func:`skdistill.metrics.fidelity`. Exactly
        ``model.fidelity(X)``.

    Raises
    ------
    TypeError
        If there is no distilled estimator inside.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.svm import SVR
    >>> from skdistill import DistilledRegressor, fidelity_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = DistilledRegressor(SVR(C=100).fit(X, y), "boosting", sampler=None, random_state=0)
    >>> search = GridSearchCV(model, {"student_size": [100, 1000]}, scoring=fidelity_scorer, cv=2).fit(X)
    >>> search.best_params_
    {'student_size': 1000}
    """
    model, X = distilled_inside(estimator, X, who="fidelity_scorer")
    return float(model.fidelity(X, sample_weight=sample_weight))


@takes_weights
def agreement_scorer(estimator: Any, X: Any, y: Any = None, sample_weight: Any = None) -> float:  # noqa: ARG001
    """Return the share of rows to which student and teacher give the same label, for ``scoring=``.

    Parameters
    ----------
    estimator : DistilledClassifier, or a pipeline or fitted search that ends in one
        Fitted.
    X : table of shape (n_samples, n_features)
        Rows the student was not fitted on.
    y : array-like, default=None
        Ignored: the teacher answers.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    score : float
        In [0, 1]; see :func:`skdistill.metrics.agreement`.

    Raises
    ------
    TypeError
        If there is no distilled classifier inside.

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
            f"agreement_scorer: got a {type(model).__name__}, whose answers are values; expected a fitted "
            "DistilledClassifier. Pass scoring=fidelity_scorer."
        )
    labels = model.classes_[model.soft_targets(X).argmax(axis=1)]
    return agreement(labels, model.predict(X), sample_weight=sample_weight)


@takes_weights
def retention_scorer(estimator: Any, X: Any, y: Any = None, sample_weight: Any = None) -> float:
    """Return the student's skill as a share of the teacher's, both against true labels, for ``scoring=``.

    Parameters
    ----------
    estimator : DistilledClassifier, DistilledRegressor, or a pipeline or fitted search that ends in one
        Fitted.
    X : table of shape (n_samples, n_features)
        Rows that neither was fitted on: a fitted teacher that has seen them looks better than it is.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        True labels or values; needed.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.

    Returns
    -------
    score : float
        Above 1 where the student is the better one; NaN where the teacher is no better than a constant. The skill of
        classifiers is :func:`skdistill.metrics.brier_skill`, that of regressors :func:`skdistill.metrics.r2_skill`.

    Raises
    ------
    TypeError
        If there is no distilled estimator inside.
    ValueError
        Without ``y``, or with labels that the teacher does not know.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.svm import SVR
    >>> from skdistill import DistilledRegressor
    >>> from skdistill.metrics import retention_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> teacher = SVR(C=100).fit(X[:300], y[:300])
    >>> model = DistilledRegressor(teacher, "linear", sampler=None, random_state=0).fit(X[:300])
    >>> retention_scorer(model, X[300:], y[300:]) > 0.8
    True
    """
    if y is None:
        raise ValueError(
            "retention_scorer: y is None; expected true labels, against which the skills of teacher and student are "
            "measured. Pass y to the fit of the search, or score by fidelity_scorer, which needs none."
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


@takes_weights
def neg_bytes_scorer(estimator: Any, X: Any, y: Any = None, sample_weight: Any = None) -> float:  # noqa: ARG001
    """Return the size of the student alone in bytes, negated: more is better, for ``scoring=``.

    Parameters
    ----------
    estimator : DistilledClassifier, DistilledRegressor, or a pipeline or fitted search that ends in one
        Fitted. Teacher and earlier steps do not count.
    X : table of shape (n_samples, n_features)
        Not looked at.
    y : array-like, default=None
        Ignored.
    sample_weight : array-like of shape (n_samples,), default=None
        Ignored: bytes have no rows.

    Returns
    -------
    score : float
        At most 0. Students of this package are measured in compiled form, as in ``candidates_`` (what completes one,
        such as a temperature, is added as it is pickled), all others by their pickle.

    Raises
    ------
    TypeError
        If there is no distilled estimator inside.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.svm import SVR
    >>> from skdistill import DistilledRegressor
    >>> from skdistill.metrics import neg_bytes_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = DistilledRegressor(SVR(C=100).fit(X, y), "linear", sampler=None, random_state=0).fit(X)
    >>> -10_000 < neg_bytes_scorer(model, X) < 0
    True
    """
    model, _ = distilled_inside(estimator, None, who="neg_bytes_scorer")
    check_fitted(model, "student_")
    return -float(_bytes_of(model.student_))


@takes_weights
def neg_latency_scorer(estimator: Any, X: Any, y: Any = None, sample_weight: Any = None) -> float:  # noqa: ARG001
    """Return the microseconds of the student alone for one row, negated: more is better, for ``scoring=``.

    Parameters
    ----------
    estimator : DistilledClassifier, DistilledRegressor, or a pipeline or fitted search that ends in one
        Fitted. Teacher and earlier steps do not count.
    X : table of shape (n_samples, n_features)
        Its first row is asked.
    y : array-like, default=None
        Ignored.
    sample_weight : array-like of shape (n_samples,), default=None
        Ignored: the first row is as good as any.

    Returns
    -------
    score : float
        At most 0: of ``predict_proba`` or ``predict`` of ``student_``, median after a call to warm up. It is a
        measurement: searches with ``n_jobs`` above 1 and busy machines disturb it, and two runs differ.

    Raises
    ------
    TypeError
        If there is no distilled estimator inside.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.svm import SVR
    >>> from skdistill import DistilledRegressor
    >>> from skdistill.metrics import neg_latency_scorer
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = DistilledRegressor(SVR(C=100).fit(X, y), "linear", sampler=None, random_state=0).fit(X)
    >>> neg_latency_scorer(model, X) < 0
    True
    """
    model, row = distilled_inside(estimator, first_rows(X, 1), who="neg_latency_scorer")
    check_fitted(model, "student_")
    return -latency(asker(model.student_, "neg_latency_scorer"), row)


def _bytes_of(student: Any) -> int:
    """Return the size of the compiled form, else of the pickle; what completes a student's answers counts with it."""
    compiled, inner = compiled_form(student), completed(student)
    if compiled is not None:
        return compiled.n_bytes
    if inner is not None:
        return _bytes_of(inner) + max(pickled_bytes(student) - pickled_bytes(inner), 0)
    return pickled_bytes(student)
