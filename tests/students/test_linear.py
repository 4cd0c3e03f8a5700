"""Compact linear models: convex, exact, and with the products of inputs that are missed."""

import pickle

import numpy as np
import pandas as pd
import pytest
from helpers import dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.linear_model import Lasso, LogisticRegression
from sklearn.model_selection import cross_val_score

import skdistill
from skdistill.exceptions import StudentError
from skdistill.solvers import _linear_inputs, _regression
from skdistill.students._linear import CompactLinearClassifier, CompactLinearRegressor


def softmax(logits):
    proba = np.exp(logits - logits.max(axis=1, keepdims=True))
    return proba / proba.sum(axis=1, keepdims=True)


def answer(student, X):
    return student.predict_proba(X) if hasattr(student, "predict_proba") else student.predict(X)


def test_hard_labels_are_learned():
    """With true labels it is a linear classifier or regressor like any other."""
    assert cross_val_score(CompactLinearClassifier(), *load_breast_cancer(return_X_y=True), cv=3).min() > 0.94
    assert cross_val_score(CompactLinearClassifier(alpha=0.01), *load_digits(return_X_y=True), cv=3).min() > 0.88
    assert cross_val_score(CompactLinearRegressor(), *load_diabetes(return_X_y=True), cv=3).min() > 0.4


def test_linear_teachers_are_recovered():
    """Values and probabilities that are linear in numbers and categories come back, but for rounded edges."""
    rng = np.random.RandomState(0)
    frame = pd.DataFrame({"x": rng.normal(5, 9, 300), "y": rng.uniform(size=300), "c": rng.choice(list("abc"), 300)})
    logits = np.column_stack([frame["x"] / 9, 2 * frame["y"], frame["c"] == "b"]).astype(float)
    student = CompactLinearRegressor(alpha=0).fit(frame, 7 + logits)
    np.testing.assert_allclose(student.predict(frame), 7 + logits, atol=2e-3)
    for targets in (softmax(logits), softmax(logits[:, :2])):
        student = CompactLinearClassifier(alpha=0).fit_soft(frame, targets)
        np.testing.assert_allclose(student.predict_proba(frame), targets, atol=1e-3)


def test_hard_labels_give_logistic_regression():
    """The penalty is scikit-learn's, divided by the number of rows."""
    X, y = dataset("three classes")
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    student = CompactLinearClassifier(alpha=0.01).fit(X, y)
    theirs = LogisticRegression(C=1 / (0.01 * len(X)), tol=1e-8, max_iter=5000).fit(Z, y)
    np.testing.assert_allclose(student.predict_proba(X), theirs.predict_proba(Z), atol=5e-3)


@pytest.mark.parametrize("alpha", [1e-3, 1e-2, 0.1])
def test_the_lasso_is_the_lasso(alpha):
    """Zeros are exact, and the same as scikit-learn's."""
    X, y = load_diabetes(return_X_y=True)
    Z, t = (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean()) / y.std()
    coef = CompactLinearRegressor(penalty="l1", alpha=alpha).fit(X, y).scorer_.weights[0][:, 0]
    expected = Lasso(alpha, tol=1e-12, max_iter=10**5).fit(Z, t).coef_
    np.testing.assert_array_equal(coef == 0, expected == 0)
    np.testing.assert_allclose(coef, expected, atol=1e-4)


@pytest.mark.parametrize("params", [{}, {"n_pairs": 3}, {"penalty": "l1", "alpha": 0.01}], ids=str)
def test_weights_are_repeated_rows(params):
    """A row that weighs three is three rows; one that weighs nothing is none."""
    rng = np.random.RandomState(0)
    X, times = rng.normal(size=(80, 4)), rng.randint(0, 4, size=80)
    X[times == 0] *= 5
    values = X[:, 0] + X[:, 1] * X[:, 2] + rng.normal(size=80)
    for student, y in ((CompactLinearRegressor(**params), values), (CompactLinearClassifier(**params), values > 0)):
        weighted = answer(student.fit(X, y, 0.1 * times), X)
        repeated = answer(student.fit(X.repeat(times, axis=0), y.repeat(times)), X)
        np.testing.assert_allclose(weighted, repeated, atol=1e-4)


def test_products_that_are_missed_are_found():
    """A product, a square, and a product of a number with a category."""
    rng = np.random.RandomState(0)
    frame = pd.DataFrame(rng.normal(size=(2000, 4)), columns=list("wxyz")).assign(c=rng.choice(["a", "b"], 2000))
    y = frame["w"] + frame["x"] * frame["y"] + frame["z"] ** 2 + 2 * frame["w"] * (frame["c"] == "b")
    assert CompactLinearRegressor().fit(frame, y).score(frame, y) < 0.8
    student = CompactLinearRegressor(n_pairs=3).fit(frame, y)
    assert student.score(frame, y) > 0.999
    assert student.scorer_.pairs.shape == (3, 2)
    targets = softmax(np.column_stack([y, -y]) / 4)
    classifier = CompactLinearClassifier(n_pairs=3, alpha=0).fit_soft(frame, targets)
    np.testing.assert_allclose(classifier.predict_proba(frame), targets, atol=1e-3)


def raw_rows(seed=0, n_rows=200):
    rng = np.random.RandomState(seed)
    frame = pd.DataFrame(rng.normal(size=(n_rows, 3)), columns=list("xyz"))
    return frame.assign(
        y=np.where(rng.uniform(size=n_rows) < 0.2, np.nan, frame["y"]), c=rng.choice(["a", "b", "c", None], n_rows)
    )


@pytest.mark.thinned(2)
@pytest.mark.parametrize("n_pairs", [0, 8])
@pytest.mark.parametrize("table", ["plain", "missing", "categories"])
@pytest.mark.parametrize("n_outputs", [1, 3])
def test_one_compiled_row_is_the_batch(table, n_pairs, n_outputs):
    """For numbers, missing cells, known and unknown categories; also from a pickle."""
    frame = raw_rows()
    unseen = pd.concat([frame.assign(c="never seen"), frame * 10 if table == "plain" else frame])
    kinds = {"plain": ["x", "z"], "missing": ["x", "y", "z"], "categories": ["x", "y", "c"]}
    frame, unseen = frame[kinds[table]], unseen[kinds[table]]
    logits = np.column_stack([frame["x"] ** 2, np.isnan(frame.get("y", frame["x"])) * frame["x"], frame["x"]])
    values = logits[:, 0] if n_outputs == 1 else logits
    regressor = CompactLinearRegressor(n_pairs).fit(frame, values)
    classifier = CompactLinearClassifier(n_pairs).fit_soft(frame, softmax(logits[:, : max(n_outputs, 2)]))
    for student in (regressor, classifier):
        compiled = pickle.loads(pickle.dumps(skdistill.compile(student)))
        expected = answer(student, unseen)
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(compiled(unseen), expected, atol=1e-10)
        for row, one in zip(unseen.to_numpy(dtype=object).tolist(), expected, strict=True):
            np.testing.assert_allclose(compiled(row), one, atol=1e-8)


@pytest.mark.parametrize("widest", [3000, 0], ids=["narrow", "wide"])
@pytest.mark.parametrize("params", [{}, {"n_pairs": 4}, {"penalty": "l1", "alpha": 0.01}], ids=str)
def test_sparse_rows_are_the_dense_ones(params, widest, monkeypatch):
    """Also where sparse rows are never made dense, and with missing cells among them."""
    monkeypatch.setattr(_linear_inputs, "MAX_GRAM_FEATURES", widest)
    monkeypatch.setattr(_regression, "MAX_GRAM_FEATURES", widest)
    monkeypatch.setattr(_linear_inputs, "SPARSE_BLOCK_ROWS", 70)
    X = sparse.random(200, 12, density=0.3, random_state=0, format="csr")
    X.data[::10] = np.nan
    values = np.nan_to_num(X.toarray()) @ np.arange(12.0) + np.nan_to_num(X.toarray())[:, 10] ** 2
    dense = CompactLinearRegressor(**params).fit(X.toarray(), values)
    of_sparse = CompactLinearRegressor(**params).fit(X, values)
    np.testing.assert_allclose(of_sparse.predict(X), dense.predict(X.toarray()), atol=1e-3)


def test_words_by_the_thousand():
    """Ten thousand sparse columns are no trouble."""
    X = sparse.random(600, 10_000, density=0.01, random_state=0, format="csr")
    y = np.asarray(X[:, :50].sum(axis=1)).ravel() > 0.25
    student = CompactLinearClassifier(alpha=1e-3).fit(X, y)
    assert student.score(X, y) > 0.95


@pytest.mark.parametrize("params", [{}, {"n_pairs": 5}, {"penalty": "l1"}, {"alpha": 0.0}], ids=str)
def test_degenerate_tables(params):
    """Constant columns, twins, constant targets, two rows, one row of numbers that are huge."""
    rng = np.random.RandomState(0)
    x = rng.normal(size=40)
    X = np.column_stack([x, x, np.zeros(40), np.full(40, 1e15), x * 1e-12, 1e300 * x])
    values = CompactLinearRegressor(**params).fit(X, 2 * x).predict(X)
    np.testing.assert_allclose(values, 2 * x, atol=0.05)
    np.testing.assert_allclose(CompactLinearRegressor(**params).fit(X, np.full(40, 3.5)).predict(X), 3.5)
    assert np.isfinite(CompactLinearClassifier(**params).fit(X, x > 0).predict_proba(-10 * X)).all()
    assert np.isfinite(CompactLinearClassifier(**params).fit(X[:2], [0, 1]).predict_proba(X)).all()
    certain = np.tile([1.0, 0.0, 0.0], (40, 1))
    assert CompactLinearClassifier(**params).fit_soft(X, certain).predict_proba(X)[:, 0].min() > 0.99
    proba = CompactLinearClassifier(**params).fit_soft(X, np.tile([0.2, 0.5, 0.3], (40, 1))).predict_proba(X)
    np.testing.assert_allclose(proba, np.tile([0.2, 0.5, 0.3], (40, 1)), atol=1e-3)


@pytest.mark.parametrize("student", [CompactLinearClassifier(), CompactLinearRegressor()])
@settings(max_examples=30, deadline=None)
@given(n_parameters=st.integers(1, 3000), n_inputs=st.integers(1, 40), n_outputs=st.integers(1, 10))
def test_a_size_is_never_exceeded(student, n_parameters, n_inputs, n_outputs):
    """What is sized has at most so many parameters, or is refused."""
    try:
        n_pairs = student.sized(n_parameters, n_inputs=n_inputs, n_outputs=n_outputs).n_pairs
    except StudentError:
        assert n_parameters < (n_inputs + 1) * n_outputs
    else:
        assert (n_inputs + n_pairs + 1) * n_outputs + 2 * n_pairs <= n_parameters


def test_the_size_is_what_the_scorer_counts():
    """Two numbers say which inputs a product is of, and one for each output what it is worth."""
    X = np.random.RandomState(0).normal(size=(100, 4))
    student = CompactLinearRegressor(n_pairs=3).fit(X, X[:, :2] * X[:, 1:3] + X[:, :2] ** 2)
    assert student.scorer_.n_parameters == (4 + 3 + 1) * 2 + 2 * 3


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"n_pairs": -1}, "n_pairs=-1; expected an integer of at least 0"),
        ({"alpha": -1.0}, "alpha=-1.0; expected a number of at least 0"),
        ({"penalty": "elasticnet"}, "penalty='elasticnet'; expected 'l1' or 'l2'"),
    ],
)
def test_parameters_that_are_none(params, match):
    """Parameters out of range are refused by name."""
    with pytest.raises(ValueError, match=match):
        CompactLinearClassifier(**params).fit(*dataset("three classes"))
