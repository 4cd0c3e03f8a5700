"""Compact kernel machines: few landmarks that do what many support vectors did."""

import pickle

import numpy as np
import pandas as pd
import pytest
from helpers import dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM

import skdistill
from skdistill.exceptions import StudentError
from skdistill.students._inheriting import kernel_hints
from skdistill.students._kernel import CompactKernelClassifier, CompactKernelRegressor


def softmax(logits):
    proba = np.exp(logits - logits.max(axis=1, keepdims=True))
    return proba / proba.sum(axis=1, keepdims=True)


def answer(student, X):
    return student.predict_proba(X) if hasattr(student, "predict_proba") else student.predict(X)


def test_hard_labels_are_learned():
    """With true labels it is a good classifier and regressor like any other."""
    assert (
        cross_val_score(CompactKernelClassifier(30, random_state=0), *load_breast_cancer(return_X_y=True), cv=3).min()
        > 0.9
    )
    assert (
        cross_val_score(
            CompactKernelClassifier(20, random_state=0), *load_digits(n_class=3, return_X_y=True), cv=3
        ).min()
        > 0.85
    )
    assert (
        cross_val_score(CompactKernelRegressor(10, random_state=0), *load_diabetes(return_X_y=True), cv=3).min() > 0.2
    )


@pytest.mark.parametrize("refine", [True, False])
def test_kernel_teachers_are_recovered(refine):
    """A few bumps come back: where refined from anywhere, otherwise from their own landmarks and gamma."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(1500, 2))
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    bumps = np.exp(-0.5 * ((X[:, None] - X[:6]) ** 2).sum(axis=2))
    scores = bumps @ (5 * rng.normal(size=(6, 3)))
    params = {"n_landmarks": 12, "random_state": 0, **({} if refine else {"gamma": 0.5, "landmarks": X[:6]})}
    student = CompactKernelRegressor(refine=refine, **params).fit(X, scores)
    assert 1 - np.var(student.predict(X) - scores) / np.var(scores) > 0.999
    for targets in (softmax(scores), softmax(scores[:, :2])):
        student = CompactKernelClassifier(refine=refine, **params).fit_soft(X, targets)
        assert np.mean((student.predict_proba(X) - targets) ** 2) / np.var(targets) < 0.005


def test_inputs_that_do_not_matter_are_found():
    """Moved scales leave out what only adds to distances."""
    X = np.random.RandomState(0).normal(size=(3000, 10))
    y = np.sin(2 * X[:, 0]) * X[:, 1]
    plain = CompactKernelRegressor(40, refine=False, random_state=0).fit(X, y)
    refined = CompactKernelRegressor(40, random_state=0).fit(X, y)
    assert refined.score(X, y) > 0.97 > 0.8 > plain.score(X, y)
    scales = refined.scorer_.scales
    assert scales[:2].min() > 3 * scales[2:].max()


def test_weights_are_repeated_rows():
    """A row that weighs three is three rows, where no rows are drawn; one that weighs nothing is none."""
    rng = np.random.RandomState(0)
    X, times = rng.normal(size=(24, 3)), np.tile([0, 1, 2, 3], 6)
    for student, y in (
        (CompactKernelRegressor(8, random_state=0), np.sin(X[:, 0])),
        (CompactKernelClassifier(8, random_state=0), X[:, 0] > 0),
    ):
        weighted = answer(student.fit(X, y, 0.1 * times), X)
        repeated = answer(student.fit(X.repeat(times, axis=0), y.repeat(times)), X)
        np.testing.assert_allclose(weighted, repeated, atol=1e-4)


def test_weights_decide_between_contradicting_rows():
    """The same row with two targets is taught as their weighted mean."""
    X, values = np.zeros((200, 1)), np.arange(200) % 2
    weight = np.where(values, 3.0, 1.0)
    np.testing.assert_allclose(CompactKernelRegressor(5).fit(X, values, weight).predict(X[:1]), 0.75)
    proba = CompactKernelClassifier(5).fit(X, values, weight).predict_proba(X[:1])
    np.testing.assert_allclose(proba, [[0.25, 0.75]], atol=1e-5)


@pytest.mark.thinned(2)
@pytest.mark.parametrize("table", ["plain", "missing", "categories"])
@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("linear", [True, False])
def test_one_compiled_row_is_the_batch(table, n_outputs, linear):
    """For numbers, missing cells, known and unknown categories; also from a pickle."""
    rng = np.random.RandomState(0)
    frame = pd.DataFrame(rng.normal(size=(200, 3)), columns=list("xyz"))
    frame["y"] = np.where(rng.uniform(size=200) < 0.2, np.nan, frame["y"])
    frame["c"] = rng.choice(["a", "b", "c", None], 200)
    frame = frame[{"plain": ["x", "z"], "missing": ["x", "y", "z"], "categories": ["x", "y", "c"]}[table]]
    unseen = pd.concat([frame.assign(c="never seen") if "c" in frame else 10 * frame, frame])
    logits = np.column_stack([np.sin(frame["x"]), np.isnan(frame.get("y", frame["x"])), frame["x"]])
    params = {"n_landmarks": 10, "linear": linear, "random_state": 0}
    regressor = CompactKernelRegressor(**params).fit(frame, logits[:, 0] if n_outputs == 1 else logits)
    classifier = CompactKernelClassifier(**params).fit_soft(frame, softmax(logits[:, : max(n_outputs, 2)]))
    for student in (regressor, classifier):
        compiled = pickle.loads(pickle.dumps(skdistill.compile(student)))
        expected = answer(student, unseen)
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(compiled(unseen), expected, atol=1e-4)
        np.testing.assert_array_equal(answer(pickle.loads(pickle.dumps(student)), unseen), expected)
        for row, one in zip(unseen.to_numpy(dtype=object).tolist(), compiled(unseen), strict=True):
            np.testing.assert_allclose(compiled(row), one, atol=1e-6)


def test_sparse_rows_are_the_dense_ones():
    """A sparse matrix is fitted as the dense one is."""
    X, y = load_digits(return_X_y=True)
    dense = CompactKernelClassifier(20, random_state=0).fit(X, y).predict_proba(X)
    of_sparse = CompactKernelClassifier(20, random_state=0).fit(sparse.csr_matrix(X), y)
    np.testing.assert_allclose(of_sparse.predict_proba(sparse.csr_matrix(X)), dense, atol=1e-5)


def test_wide_sparse_rows():
    """Thousands of columns have no linear part, but landmarks."""
    X = sparse.random(300, 3000, density=0.01, random_state=0, format="csr")
    student = CompactKernelRegressor(5, random_state=0).fit(X, np.asarray(X.sum(axis=1)).ravel())
    assert student.scorer_.linear is None
    assert np.isfinite(student.predict(X)).all()


@pytest.mark.thinned(2)
@pytest.mark.parametrize("refine", [True, False])
@pytest.mark.parametrize("gamma", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("linear", [True, False])
def test_kernels_that_are_ill_conditioned(gamma, refine, linear):
    """Twins among rows and landmarks, kernels that are all ones or the identity: answers stay finite and sane."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(60, 2)).repeat(3, axis=0)
    params = {"gamma": gamma, "refine": refine, "linear": linear, "landmarks": np.zeros((7, 2)), "random_state": 0}
    student = CompactKernelRegressor(50, **params).fit(X, X[:, 0])
    assert np.abs(student.predict(1.5 * X)).max() < 10
    proba = CompactKernelClassifier(50, **params).fit(X, X[:, 0] > 0).predict_proba(1.5 * X)
    assert np.isfinite(proba).all()


@pytest.mark.parametrize("refine", [True, False])
@pytest.mark.parametrize("n_rows", [2, 3, 40, 120])
def test_degenerate_tables(n_rows, refine):
    """Few rows, more landmarks than rows, constant columns, twins, constant targets, numbers that are huge."""
    x = np.random.RandomState(0).normal(size=n_rows)
    X = np.column_stack([x, x, np.zeros(n_rows), np.full(n_rows, 1e15), x * 1e-12, 1e300 * x])
    student = CompactKernelRegressor(refine=refine, random_state=0)
    np.testing.assert_allclose(student.fit(X, 2 * x).predict(X), 2 * x, atol=0.2)
    np.testing.assert_allclose(student.fit(X, np.full(n_rows, 3.5)).predict(X), 3.5)
    classifier = CompactKernelClassifier(refine=refine, random_state=0)
    assert np.isfinite(classifier.fit(X, x > np.mean(x)).predict_proba(-10 * X)).all()
    same = CompactKernelRegressor(5, refine=refine).fit(np.zeros((n_rows, 3)), x).predict(np.ones((1, 3)))
    np.testing.assert_allclose(same, x.mean(), atol=1e-6)


def test_same_seed_same_model():
    """What is drawn comes from the seed, and the model is the same again."""
    X, y = dataset("three classes")
    first, second = (CompactKernelClassifier(10, random_state=3).fit(X, y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_size_is_what_was_asked_for():
    """At most ``n_landmarks`` landmarks, and the pickle does not grow with the rows."""
    rng = np.random.RandomState(0)
    few, many = (
        CompactKernelRegressor(9, random_state=0).fit(X, np.sin(X[:, 0]))
        for X in (rng.normal(size=(300, 4)), rng.normal(size=(6000, 4)))
    )
    assert len(few.scorer_.positions) == len(many.scorer_.positions) == 9
    assert len(pickle.dumps(many)) < 1.2 * len(pickle.dumps(few))


@pytest.mark.parametrize("student", [CompactKernelClassifier(), CompactKernelRegressor(linear=False)])
@settings(max_examples=30, deadline=None)
@given(n_parameters=st.integers(1, 5000), n_inputs=st.integers(1, 40), n_outputs=st.integers(1, 10))
def test_a_size_is_never_exceeded(student, n_parameters, n_inputs, n_outputs):
    """What is sized has at most so many parameters, or is refused."""
    linear = n_inputs * n_outputs * student.linear
    try:
        n_landmarks = student.sized(n_parameters, n_inputs=n_inputs, n_outputs=n_outputs).n_landmarks
    except StudentError:
        assert n_parameters < 2 * (n_inputs + n_outputs) + linear
    else:
        assert n_landmarks * (n_inputs + n_outputs) + n_inputs + n_outputs + linear <= n_parameters


# ---------------------------------------------------------------------- inheriting


def kernel_teachers():
    return [
        SVR(),
        NuSVR(gamma=0.7),
        SVC(),
        NuSVC(nu=0.1, gamma=0.2),
        OneClassSVM(),
        KernelRidge(kernel="rbf", gamma=0.4),
        KernelRidge(kernel="rbf"),
        GaussianProcessRegressor(RBF(1.5) + WhiteKernel(), optimizer=None),
        GaussianProcessClassifier(RBF(1.5), optimizer=None),
    ]


@pytest.mark.parametrize("teacher", kernel_teachers(), ids=lambda teacher: f"{teacher!r:.30}")
def test_teachers_say_what_they_know(teacher):
    """Landmarks in raw columns, gamma in standardised ones; through scalers, pipelines and freezing."""
    X, y = dataset("three classes")
    X, y = X * 10.0 ** np.arange(X.shape[1]), np.unique(y, return_inverse=True)[1]
    fitted = teacher.fit(StandardScaler().fit_transform(X), y)
    pipeline = make_pipeline(StandardScaler(), FrozenEstimator(fitted)).fit(X)
    hints = kernel_hints(FrozenEstimator(pipeline))
    assert 0.01 < hints["gamma"] < 10
    rows = {tuple(row) for row in X.round(6)}
    assert all(tuple(row) in rows for row in hints["landmarks"].round(6))
    student = CompactKernelClassifier(5, random_state=0).inherit(pipeline)
    assert student.gamma == hints["gamma"]
    assert student.fit(X, y).score(X, y) > 0.7
    asked = CompactKernelRegressor(gamma=0.3, landmarks=X[:4])
    assert asked.inherit(pipeline).gamma == 0.3
    np.testing.assert_array_equal(asked.inherit(pipeline).landmarks, X[:4])


@pytest.mark.parametrize("teacher", [Ridge(), SVC(), None, "a teacher", SVC(kernel="linear")], ids=str)
def test_teachers_that_know_nothing(teacher):
    """Other models, unfitted ones and no models give no hints, or at least no gamma."""
    X, y = dataset("three classes")
    teacher = teacher.fit(X, y) if teacher is not None and "linear" in str(teacher) else teacher
    assert "gamma" not in kernel_hints(teacher)
    assert CompactKernelClassifier().inherit(teacher).gamma == "auto"


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"n_landmarks": 0}, "n_landmarks=0; expected an integer of at least 1"),
        ({"gamma": 0.0}, "gamma=0.0; expected a number above 0"),
        ({"gamma": 1e9}, r"gamma=1000000000.0; expected a number above 0 and at most 1e\+08"),
        ({"landmarks": [[1.0]]}, r"landmarks have shape \(1, 1\); expected rows of the 4 columns of X"),
    ],
)
def test_parameters_that_are_none(params, match):
    """Parameters out of range are refused by name."""
    X, y = dataset("three classes")
    with pytest.raises(ValueError, match=match):
        CompactKernelClassifier(**params).fit(X, y)
