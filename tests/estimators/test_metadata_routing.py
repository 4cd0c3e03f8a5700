"""Weights and further rows reach ``fit`` through pipelines and searches, as scikit-learn routes metadata."""

import inspect
import sys

import numpy as np
import pytest
import sklearn
from helpers import dataset
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier, DistilledRegressor

X, Y = dataset("three classes")
TREE = DecisionTreeClassifier(max_leaf_nodes=6, random_state=0)
FITTED = clone(TREE).fit(X, Y)
POOL, JUDGES = X[:40] * 1.01, X[:35] * 0.99


def first_column(rows):
    return np.asarray(rows)[:, 0]


class Weighted(RegressorMixin, BaseEstimator):
    """A student that remembers how it was fitted."""

    def fit(self, rows, y, sample_weight=None):
        self.n_features_in_ = rows.shape[1]
        self.rows_, self.weight_ = rows, sample_weight
        return self

    def predict(self, rows):
        return np.asarray(rows)[:, 0]


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("routing")
class TestRouting:
    """With scikit-learn's metadata routing, weights and further rows arrive."""

    WEIGHT = np.linspace(1, 2, len(X))

    @staticmethod
    def model():
        model = DistilledRegressor(first_column, Weighted(), sampler=None, random_state=0)
        model.set_score_request(sample_weight=False)
        return model.set_fit_request(sample_weight=True, X_unlabeled=True, X_val=True)

    def test_through_a_pipeline(self):
        """As they are: steps before do not see them."""
        pipe = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), self.model())
        pipe.fit(X, X[:, 0], sample_weight=self.WEIGHT, X_unlabeled=POOL, X_val=JUDGES)
        student = pipe[-1].student_
        assert len(student.rows_) == len(X) + len(POOL)
        np.testing.assert_allclose(student.rows_[len(X) :], POOL)
        assert np.allclose(student.weight_[: len(X)], self.WEIGHT)
        assert pipe[-1].transfer_set_.n_unlabeled == len(POOL)

    def test_through_a_pipeline_that_transforms_them(self):
        """``transform_input`` sends them through the steps before."""
        pipe = Pipeline(
            [("scale", StandardScaler()), ("distil", self.model())], transform_input=["X_unlabeled", "X_val"]
        )
        pipe.fit(X, X[:, 0], X_unlabeled=POOL, X_val=JUDGES)
        np.testing.assert_allclose(pipe[-1].student_.rows_[len(X) :], pipe[0].transform(POOL))

    def test_through_a_search_and_cross_validation(self):
        """Rows of another number than ``X`` pass whole, weights are cut with the folds."""
        search = GridSearchCV(self.model(), {"chunk_size": [7, 1000]}, cv=KFold(2))
        search.fit(X, X[:, 0], sample_weight=self.WEIGHT, X_unlabeled=POOL, X_val=JUDGES)
        assert search.best_estimator_.transfer_set_.n_unlabeled == len(POOL)
        params = {"sample_weight": self.WEIGHT, "X_unlabeled": POOL, "X_val": JUDGES}
        done = cross_validate(
            self.model(), X, X[:, 0], cv=KFold(2), params=params, return_estimator=True, return_indices=True
        )
        for model, fitted_on in zip(done["estimator"], done["indices"]["train"], strict=True):
            assert model.transfer_set_.n_unlabeled == len(POOL)
            assert np.allclose(model.student_.weight_[: len(fitted_on)], self.WEIGHT[fitted_on])

    def test_clone_keeps_requests(self):
        """Whether the teacher is fitted, which scikit-learn's clone is kept from, or a recipe."""
        for teacher in (FITTED, TREE, first_column):
            model = DistilledClassifier(teacher).set_fit_request(X_unlabeled=True, sample_weight=False)
            requests = clone(model).get_metadata_routing().fit.requests
            assert requests["X_unlabeled"] is True
            assert requests["sample_weight"] is False

    def test_what_is_not_requested_is_refused(self):
        """scikit-learn says which request is missing."""
        model = DistilledRegressor(first_column, Weighted(), sampler=None)
        with pytest.raises(ValueError, match="X_unlabeled"):
            make_pipeline(StandardScaler(), model).fit(X, X[:, 0], X_unlabeled=POOL)


def test_without_routing_pipelines_pass_arguments_by_the_name_of_the_step():
    """As for any estimator."""
    model = DistilledRegressor(first_column, Weighted(), sampler=None)
    weight = np.linspace(1, 2, len(X))
    pipe = make_pipeline(StandardScaler(), model).fit(
        X, X[:, 0], distilledregressor__sample_weight=weight, distilledregressor__X_unlabeled=POOL
    )
    assert np.allclose(pipe[-1].student_.weight_[: len(X)], weight)
    assert pipe[-1].transfer_set_.n_unlabeled == len(POOL)


def test_signatures_are_those_of_fit():
    """Decorators do not hide what ``fit`` takes, which routing and editors read."""
    for model in (DistilledClassifier, DistilledRegressor):
        assert list(inspect.signature(model.fit).parameters) == [
            "self",
            "X",
            "y",
            "sample_weight",
            "X_unlabeled",
            "X_val",
            "y_val",
            "groups",
        ]
        assert sys.modules[model.__module__].__name__ == model.fit.__module__
