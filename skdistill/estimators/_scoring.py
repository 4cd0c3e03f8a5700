"""A scorer for searches and curves that needs no labels."""

from typing import Any

from sklearn.pipeline import Pipeline


def fidelity_scorer(estimator: Any, X: Any, y: Any = None) -> float:  # noqa: ARG001
    """Return the fidelity of a fitted distilled estimator, for ``scoring=`` of searches and curves.

    Parameters
    ----------
    estimator : DistilledClassifier, DistilledRegressor, or a pipeline that ends in one
        Fitted.
    X : table of shape (n_samples, n_features)
        Rows the student was not fitted on.
    y : array-like, default=None
        Ignored: the teacher answers.

    Returns
    -------
    score : float
        R² of the student's outputs to the teacher's; see :func:`skdistill.metrics.fidelity`.

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
    while isinstance(estimator, Pipeline):
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        estimator = estimator[-1]
    if not hasattr(estimator, "fidelity"):
        raise TypeError(
            f"fidelity_scorer: got a {type(estimator).__name__}; expected a DistilledClassifier or DistilledRegressor, "
            "or a pipeline that ends in one."
        )
    return float(estimator.fidelity(X))
