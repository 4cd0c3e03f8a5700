"""Data and models that several tests share."""

from functools import cache

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_linnerud
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.validation import check_is_fitted

SPECIES = np.array(["setosa", "versicolor", "virginica"])


@cache
def _dataset(name):
    if name == "binary":
        X, y = load_breast_cancer(return_X_y=True)
        return StandardScaler().fit_transform(X[:200, :6]), y[:200]
    if name == "three classes":
        X, y = load_iris(return_X_y=True)
        return X, SPECIES[y]
    if name == "regression":
        X, y = load_diabetes(return_X_y=True)
        return X[:150] * 20, y[:150] / 50
    if name == "multi-output":
        X, y = load_diabetes(return_X_y=True)
        return X[:150] * 20, np.column_stack([y[:150] / 50, X[:150, 2] * 10])
    X, y = load_linnerud(return_X_y=True)
    return X, y


def dataset(name):
    """Return a fresh copy of X and y of a small real dataset."""
    X, y = _dataset(name)
    return X.copy(), y.copy()


class CountingClassifier(ClassifierMixin, BaseEstimator):
    """A tree that counts, over all its clones and copies, how often it is fitted and asked."""

    fits = 0
    rows_asked = 0

    def __init__(self, max_depth=4, random_state=None):
        self.max_depth = max_depth
        self.random_state = random_state

    def fit(self, X, y):
        type(self).fits += 1
        self.tree_ = DecisionTreeClassifier(max_depth=self.max_depth, random_state=self.random_state).fit(X, y)
        self.classes_ = self.tree_.classes_
        return self

    def predict_proba(self, X):
        check_is_fitted(self)
        type(self).rows_asked += X.shape[0]
        return self.tree_.predict_proba(X)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class CountingTeacher:
    """A function that counts the rows that it labels, and may stop."""

    def __init__(self, function, stops_after=np.inf):
        self.function, self.n_asked, self.stops_after = function, 0, stops_after

    def __call__(self, X):
        if self.n_asked + len(X) > self.stops_after:
            raise TimeoutError("killed")
        self.n_asked += len(X)
        return self.function(X)
