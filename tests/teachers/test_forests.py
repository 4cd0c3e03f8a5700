"""Forests of scikit-learn are asked tree by tree, with the outputs of their own methods."""

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import Ridge

from skdistill import DistilledRegressor, as_teacher, report
from skdistill.convert import FORESTS
from skdistill.teachers import _forests, trees_asked
from skdistill.teachers._forests import mean_of_trees

RNG = np.random.RandomState(0)
X = RNG.normal(size=(120, 4)) * [1, 1e4, 1e-4, 1]
y = X[:, 0] + np.sign(X[:, 3])
METHODS = {RandomForestClassifier: "predict_proba", ExtraTreesClassifier: "predict_proba"}


def fitted(kind, rows=X, **params):
    targets = np.digitize(y, [-1, 1]) if kind in METHODS else y
    return kind(7, random_state=0, **params).fit(rows, targets)


@pytest.mark.parametrize("kind", FORESTS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, bool])
def test_outputs_are_those_of_the_forest(kind, dtype):
    """To the last bit, for rows in any order of memory."""
    forest, method = fitted(kind, max_depth=4), METHODS.get(kind, "predict")
    rows = np.asfortranarray((X[::2] * 3).astype(dtype))
    expected = getattr(forest, method)(rows)
    found = mean_of_trees(forest, method, rows)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("kind", FORESTS, ids=lambda kind: kind.__name__)
def test_what_differs_is_asked_as_it_is(kind):
    """Names, threads, progress, other methods, missing cells, and what users have replaced: the forest is called."""
    method, forest = METHODS.get(kind, "predict"), fitted(kind)
    assert mean_of_trees(forest, method, X) is not None
    frame = pd.DataFrame(X, columns=list("abcd"))
    assert mean_of_trees(forest, method, frame) is None
    assert mean_of_trees(fitted(kind, frame), method, X) is None
    assert mean_of_trees(fitted(kind, n_jobs=2), method, X) is None
    assert mean_of_trees(fitted(kind, verbose=1), method, X) is None
    assert mean_of_trees(forest, "apply", X) is None
    assert mean_of_trees(forest, method, X[:, :3]) is None
    assert mean_of_trees(forest, method, X[:0]) is None
    assert mean_of_trees(forest, method, np.where(X > 1, np.nan, X)) is None
    assert mean_of_trees(forest, method, X * 1e50) is None
    assert mean_of_trees(type("Derived", (kind,), {})(3).fit(X, y > 0), method, X) is None
    with joblib.parallel_config("threading", n_jobs=2):
        assert mean_of_trees(forest, method, X) is None
    setattr(forest, method, lambda rows: np.zeros(len(rows)))
    assert mean_of_trees(forest, method, X) is None


@pytest.mark.parametrize("kind", [ExtraTreesRegressor, RandomForestRegressor])
def test_several_outputs_are_those_of_the_forest(kind):
    """A forest of several values has a row of them for each row."""
    forest = kind(5, random_state=0).fit(X, np.column_stack([y, -y]))
    assert mean_of_trees(forest, "predict", X) is None
    with trees_asked():
        np.testing.assert_array_equal(as_teacher(forest).outputs(X), forest.predict(X))


def test_a_method_that_was_replaced_in_the_class_is_called(monkeypatch):
    """As by a library that makes forests faster."""
    forest = fitted(RandomForestRegressor)
    monkeypatch.setattr(RandomForestRegressor, "predict", lambda self, rows: np.full(len(rows), 3.0))
    with trees_asked():
        np.testing.assert_array_equal(as_teacher(forest).outputs(X), 3.0)


def test_only_a_fit_asks_the_trees(monkeypatch):
    """A report measures how long the forest itself takes: outside of a fit, its own method is called."""
    forest, called = fitted(RandomForestRegressor), []
    monkeypatch.setattr(_forests, "mean_of_trees", lambda *given: called.append(given))
    model = DistilledRegressor(forest, Ridge(), sampler=None).fit(X)
    assert called
    called.clear()
    model.fidelity(X)
    report(model, X)
    assert not called
