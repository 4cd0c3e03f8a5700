"""Models that are known to depend on the row alone: scikit-learn's and those of boosting libraries."""

from functools import partial

import numpy as np
import pytest
from helpers import CountingClassifier, dataset
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import NMF
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier
from skdistill import compile as compile_model
from skdistill.teachers._by_row import is_by_row

X, Y = dataset("three classes")
FOREST = RandomForestClassifier(3, random_state=0)
LINEAR = LogisticRegression(max_iter=500)

KNOWN = [
    FOREST,
    LINEAR,
    SVC(),
    GradientBoostingClassifier(n_estimators=2),
    make_pipeline(ColumnTransformer([("a", StandardScaler(), [0, 1])], remainder="passthrough"), LINEAR),
    make_pipeline(FunctionTransformer(np.log1p), LINEAR),
    GridSearchCV(DecisionTreeClassifier(), {"max_depth": [2]}, cv=2),
    CalibratedClassifierCV(DecisionTreeClassifier(max_depth=2), cv=2),
    StackingClassifier([("forest", FOREST), ("tree", DecisionTreeClassifier())], LINEAR, cv=2),
]


def subclass(**params):
    return type("Noisy", (RandomForestClassifier,), {"__module__": "mine"})(**params)


UNKNOWN = [
    CountingClassifier(),
    subclass(n_estimators=2),
    VotingClassifier([("known", LINEAR), ("unknown", CountingClassifier())], voting="soft"),
    make_pipeline(FunctionTransformer(lambda rows: rows - rows.mean(axis=0)), LINEAR),
    make_pipeline(NMF(2, max_iter=500), LINEAR),
    SVC(kernel=lambda a, b: a @ b.T),
    DummyClassifier(strategy="stratified"),
]


@pytest.mark.parametrize("model", KNOWN, ids=lambda model: type(model).__name__)
def test_known_models(model):
    """Also inside meta-estimators, as bound methods, and compiled."""
    fitted = model.fit(X, Y)
    assert is_by_row(fitted)
    assert is_by_row(FrozenEstimator(fitted))
    assert is_by_row(partial(fitted.predict))


@pytest.mark.parametrize("model", UNKNOWN, ids=lambda model: type(model).__name__)
def test_unknown_models(model):
    """One unknown part makes the whole unknown, and so does a function or a random output."""
    fitted = model.fit(X, Y)
    assert not is_by_row(fitted)
    assert not is_by_row(fitted.predict)
    assert not is_by_row(lambda rows: fitted.predict(rows))


def test_models_in_arrays_are_examined():
    """Boosting of scikit-learn keeps its trees in an array of objects."""
    boosting = GradientBoostingClassifier(n_estimators=2).fit(X, Y)
    boosting.estimators_[1, 0] = subclass(n_estimators=2).fit(X, Y)
    assert not is_by_row(boosting)


@pytest.mark.parametrize("name", ["predict", "own"])
def test_trees_with_attributes_of_others_are_examined(name):
    """A tree is known by its nodes, unless it was given a function, or other nodes."""
    forest = RandomForestClassifier(3, random_state=0).fit(X, Y)
    setattr(forest.estimators_[1], name, lambda rows: rows.mean(axis=1))
    assert not is_by_row(forest)
    delattr(forest.estimators_[1], name)
    assert is_by_row(forest)
    forest.estimators_[1].tree_ = CountingClassifier()
    assert not is_by_row(forest)


def test_names_do_not_make_a_function_known():
    """Functions of code without a module, and random functions of libraries, are unknown."""
    space = {}
    exec("function = lambda rows: rows.mean(axis=1)\nclass Model:\n    predict = function", space)
    generator = np.random.default_rng(0)
    for unknown in (space["function"], space["Model"](), generator.normal, np.random.normal, partial(generator.random)):
        assert not is_by_row(unknown)


def test_models_of_this_package():
    """A distilled estimator predicts with its student, whatever its teacher; a compiled model is data."""
    forest = FOREST.fit(X, Y)
    distilled = DistilledClassifier(subclass(n_estimators=2).fit(X, Y), "tree", sampler=None).fit(X)
    assert is_by_row(distilled)
    assert is_by_row(compile_model(forest))
