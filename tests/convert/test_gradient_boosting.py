"""Gradient boosting of scikit-learn without histograms is read as the library answers."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge
from sklearn.neighbors import KNeighborsRegressor

import skdistill
from skdistill.exceptions import CompileError
from skdistill.students import CompactInheritedRegressor

VALUES, TWO, MANY = load_diabetes(return_X_y=True), load_breast_cancer(return_X_y=True), load_wine(return_X_y=True)
FEW = {"n_estimators": 8, "random_state": 0}
REGRESSORS = [
    *(GradientBoostingRegressor(loss=loss, **FEW) for loss in ("squared_error", "absolute_error", "huber", "quantile")),
    GradientBoostingRegressor(learning_rate=0.7, subsample=0.5, n_iter_no_change=2, **FEW),
    GradientBoostingRegressor(init="zero", **FEW),
    GradientBoostingRegressor(init=DummyRegressor(strategy="quantile", quantile=0.9), **FEW),
    GradientBoostingRegressor(init=Ridge(), **FEW),
    GradientBoostingRegressor(init=RandomForestRegressor(3, random_state=0), **FEW),
]
CLASSIFIERS = [
    (GradientBoostingClassifier(**FEW), TWO),
    (GradientBoostingClassifier(loss="exponential", **FEW), TWO),
    (GradientBoostingClassifier(init="zero", **FEW), TWO),
    (GradientBoostingClassifier(**FEW), MANY),
    (GradientBoostingClassifier(init=DummyClassifier(strategy="uniform"), **FEW), MANY),
]


def rows_like(X):
    """Return the rows, and others of the same means and variances."""
    return np.vstack([X, X.mean(axis=0) + X.std(axis=0) * np.random.default_rng(0).normal(size=X.shape)])


def assert_same(model, X):
    rows = rows_like(X)
    expected = model.predict_proba(rows) if hasattr(model, "classes_") else model.predict(rows)
    compiled, atol = skdistill.compile(model), 1e-6 * max(1, np.abs(expected).max())
    np.testing.assert_allclose(compiled(rows), expected, rtol=0, atol=atol)
    np.testing.assert_allclose(compiled(rows[0]), expected[0], rtol=0, atol=atol)


@pytest.mark.parametrize("model", REGRESSORS, ids=lambda model: f"{model!r:.70}")
def test_values(model):
    """Of every loss, and whatever it starts from."""
    assert_same(model.fit(*VALUES), VALUES[0])


@pytest.mark.parametrize(("model", "data"), CLASSIFIERS, ids=lambda part: f"{part!r:.60}")
def test_classes(model, data):
    """Probabilities of two and of more classes, of both losses."""
    assert_same(model.fit(*data), data[0])


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (GradientBoostingRegressor(init=KNeighborsRegressor(), **FEW), VALUES),
        (GradientBoostingRegressor(init=PoissonRegressor(), **FEW), VALUES),
        (GradientBoostingClassifier(init=LogisticRegression(max_iter=5000), **FEW), TWO),
        (GradientBoostingClassifier(init=DummyClassifier(strategy="stratified"), **FEW), TWO),
    ],
    ids=lambda part: f"{part!r:.70}",
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_what_it_starts_from_must_be_readable(model, data):
    """Neither neighbours, a regressor with a link, probabilities that the library clips, nor random answers."""
    start = type(model.init).__name__
    with pytest.raises(CompileError, match=f"starts from {start}; expected a constant .* Fit it with init=None"):
        skdistill.compile(model.fit(*data))


def test_students_inherit_its_trees():
    """As those of other boosting; one that fits into the budget is kept as it is."""
    model = GradientBoostingRegressor(**FEW).fit(*VALUES)
    student = CompactInheritedRegressor(5000, init=model, random_state=0).fit_soft(VALUES[0], model.predict(VALUES[0]))
    rows = rows_like(VALUES[0])
    np.testing.assert_allclose(student.predict(rows), model.predict(rows), atol=0.01 * VALUES[1].std())
