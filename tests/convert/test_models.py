"""Models of other libraries, once they are read, answer as the library does, or are refused with what is expected."""

import warnings

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMRegressor
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, NuSVR, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.compiled import Linear, Network
from skdistill.convert import read_model
from skdistill.exceptions import CompileError

TWO, MANY, VALUES = load_breast_cancer(return_X_y=True), load_digits(return_X_y=True), load_diabetes(return_X_y=True)
TWO = StandardScaler().fit_transform(TWO[0]), TWO[1]
VALUES = 20 * VALUES[0], VALUES[1]
OUTPUTS = VALUES[0], np.column_stack([VALUES[1], 1e4 * VALUES[0][:, 0]])
FEW = {"max_iter": 30, "random_state": 0}
CLASSIFIERS = [
    MLPClassifier((20, 10), **FEW),
    MLPClassifier((8,), activation="identity", **FEW),
    MLPClassifier((), **FEW),
    HistGradientBoostingClassifier(max_iter=10, random_state=0),
]
REGRESSORS = [
    MLPRegressor(hidden_layer_sizes=(20, 10), **FEW),
    MLPRegressor(hidden_layer_sizes=(20, 10), activation="identity", **FEW),
    SVR(C=1000.0),
    SVR(gamma=0.7, epsilon=5.0),
    SVR(gamma="auto", kernel="rbf"),
    SVR(kernel="linear"),
    NuSVR(C=10.0),
    LinearSVR(max_iter=100, random_state=0),
    KernelRidge(kernel="rbf"),
    KernelRidge(kernel="rbf", gamma=0.3),
    HistGradientBoostingRegressor(max_iter=10, random_state=0),
    HistGradientBoostingRegressor(loss="poisson", max_iter=10, random_state=0),
    HistGradientBoostingRegressor(loss="absolute_error", max_iter=10, random_state=0),
]


def fitted(model, data):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(*data)


def answer(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


def assert_same(compiled, model, X):
    """Compare many rows, one row in several forms, and the pickle, with the model's own answers."""
    expected = answer(model, X)
    atol = 1e-6 * max(1, np.abs(expected).max())
    np.testing.assert_allclose(compiled(X), expected, rtol=0, atol=atol)
    for row, one in zip(X[:30], expected, strict=False):
        for form in (row, row.tolist()):
            np.testing.assert_allclose(compiled(form), one, rtol=0, atol=atol)
        assert np.shape(compiled(row)) == np.shape(one)
    np.testing.assert_allclose(compiled(X[:1]), expected[:1], rtol=0, atol=atol)


@pytest.mark.thinned(2)
@pytest.mark.parametrize("data", [TWO, MANY], ids=["two classes", "ten classes"])
@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda model: f"{model!r:.45}")
def test_classifiers_answer_as_the_library(model, data):
    """Probabilities to 1e-6, and labels, of many rows and of one."""
    model = fitted(model, data)
    compiled = skdistill.compile(model)
    assert_same(compiled, model, data[0])
    np.testing.assert_array_equal(compiled.predict(data[0]), model.predict(data[0]))


@pytest.mark.parametrize("model", REGRESSORS, ids=lambda model: f"{model!r:.45}")
def test_regressors_answer_as_the_library(model):
    """Values to 1e-6 of their scale, of many rows and of one."""
    model = fitted(model, VALUES)
    assert_same(skdistill.compile(model), model, VALUES[0])


@pytest.mark.parametrize(
    "model", [MLPRegressor(hidden_layer_sizes=(12,), **FEW), KernelRidge(kernel="rbf", gamma=0.01)], ids=repr
)
def test_regressors_of_several_outputs(model):
    """Each output in its column."""
    model = fitted(model, OUTPUTS)
    assert_same(skdistill.compile(model), model, OUTPUTS[0])


def test_one_output_as_a_column():
    """Answers have the shape of the library's."""
    model = KernelRidge(kernel="rbf").fit(VALUES[0], VALUES[1][:, None])
    assert skdistill.compile(model)(VALUES[0]).shape == model.predict(VALUES[0]).shape == (len(VALUES[0]), 1)
    assert_same(skdistill.compile(model), model, VALUES[0])


def test_perceptrons_that_predict_counts():
    """The exponential of the last layer, where scikit-learn has it."""
    try:
        model = MLPRegressor(hidden_layer_sizes=(10,), loss="poisson", **FEW)
    except TypeError:
        pytest.skip("since scikit-learn 1.7")
    model = fitted(model, (VALUES[0], VALUES[1] / 100))
    assert_same(skdistill.compile(model), model, VALUES[0])


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_kernels_keep_their_digits_far_from_zero(offset):
    """Large weights that cancel, on columns that lie far from zero."""
    X = VALUES[0] + offset
    model = SVR(C=1e5, gamma=0.5).fit(X, VALUES[1])
    assert_same(skdistill.compile(model), model, X)


def test_missing_cells_of_histogram_gradient_boosting():
    """Missing cells go where the library sends them, also in columns that had none in the fit."""
    rng = np.random.RandomState(0)
    X, y = VALUES[0].copy(), VALUES[1]
    X[rng.uniform(size=X.shape) < 0.1] = np.nan
    X[:, 0] = VALUES[0][:, 0]
    model = HistGradientBoostingRegressor(max_iter=20, random_state=0).fit(X, y)
    X[::5, 0] = np.nan
    assert_same(skdistill.compile(model), model, X)


def test_sparse_support_vectors():
    """A machine that was fitted on sparse rows takes sparse and dense ones."""
    X, y = MANY[0][:100], MANY[1][:100].astype(float)
    for kernel in ("rbf", "linear"):
        model = SVR(kernel=kernel).fit(sparse.csr_matrix(X), y)
        compiled, expected = skdistill.compile(model), model.predict(sparse.csr_matrix(X))
        np.testing.assert_allclose(compiled(X), expected, atol=1e-5)
        np.testing.assert_allclose(compiled(sparse.csr_matrix(X)), expected, atol=1e-5)


@pytest.mark.parametrize(
    "model", [SVR(), MLPRegressor(hidden_layer_sizes=(5,), **FEW), HistGradientBoostingRegressor(max_iter=3)]
)
def test_names_of_columns(model):
    """Rows by name, in any order."""
    frame = pd.DataFrame(VALUES[0], columns=[f"column {place}" for place in range(10)])
    model = fitted(model, (frame, VALUES[1]))
    compiled = skdistill.compile(model)
    assert compiled.feature_names_in_ == list(frame.columns)
    np.testing.assert_allclose(compiled(frame.iloc[0].to_dict()), model.predict(frame[:1])[0], rtol=1e-6)
    np.testing.assert_allclose(compiled(frame[frame.columns[::-1]]), model.predict(frame), rtol=1e-6)


def test_perceptrons_without_rectified_layers_are_linear():
    """Layers without an activation are multiplied out."""
    assert isinstance(
        read_model(fitted(MLPRegressor(hidden_layer_sizes=(5, 5), activation="identity", **FEW), VALUES)).scorer, Linear
    )
    assert isinstance(read_model(fitted(MLPRegressor(hidden_layer_sizes=(5, 5), **FEW), VALUES)).scorer, Network)


def test_half_precision_of_perceptrons_and_machines():
    """``dtype="float16"`` narrows them, says what it costs and refuses too much; the other dtypes keep all digits."""
    for model in (fitted(MLPRegressor(hidden_layer_sizes=(50, 50), **FEW), VALUES), SVR().fit(*VALUES)):
        exact = skdistill.compile(model)
        small = skdistill.compile(model, dtype="float16", X=VALUES[0])
        assert small.n_bytes < exact.n_bytes / 2
        assert 0 < small.quantization_loss_ < 1e-3
        assert exact.n_bytes == skdistill.compile(model, dtype="float64").n_bytes
        with pytest.raises(CompileError, match=r"loses .* of fidelity"):
            skdistill.compile(model, dtype="float16", X=VALUES[0], tolerance=0)


CALIBRATED = [
    (SVC(), TWO),
    (SVC(kernel="linear"), TWO),
    (NuSVC(nu=0.1, gamma=0.05), TWO),
    (LinearSVC(C=0.1, random_state=0), TWO),
    (LinearSVC(C=0.001, max_iter=5000, random_state=0), MANY),
    (RidgeClassifier(), MANY),
    (SGDClassifier(random_state=0), TWO),
    (LogisticRegression(), TWO),
]


@pytest.mark.parametrize(("model", "data"), CALIBRATED, ids=lambda value: f"{value!r:.30}")
def test_calibrated_margins(model, data):
    """A sigmoid for each class, of a model that was calibrated out of fold or fitted before."""
    X, y = data
    for calibrated in (
        CalibratedClassifierCV(model, ensemble=False, cv=2).fit(X, y),
        CalibratedClassifierCV(FrozenEstimator(model.fit(X, y)), cv=2, ensemble=False).fit(X, y),
    ):
        assert_same(skdistill.compile(calibrated), calibrated, X)


@pytest.mark.thinned(2)
@pytest.mark.parametrize("temperature", [1.0, 2.0])
@pytest.mark.parametrize(("model", "data"), [*CALIBRATED[:4], CALIBRATED[5]], ids=lambda value: f"{value!r:.30}")
def test_students_with_margins(model, data, temperature):
    """Margins of a student are completed to probabilities in its compiled form, too."""
    X, y = data
    teacher = LogisticRegression(C=0.01, tol=0.1, max_iter=3000).fit(X, y)
    student = DistilledClassifier(teacher, model, sampler=None, temperature=temperature, random_state=0).fit(X)
    assert student.student_.response == "decision_function"
    assert_same(skdistill.compile(student), student, X)


def test_a_model_is_not_changed_by_its_compiled_form():
    """What is measured on rows is no attribute of a compiled model that was given."""
    given = skdistill.compile(SVR().fit(*VALUES))
    again = skdistill.compile(given, X=VALUES[0])
    again.quantization_loss_ = 1.0
    assert given.quantization_loss_ == 0


def test_searches_and_frozen_ones():
    """A fitted search is its best estimator; pipelines of one step and frozen estimators are what is inside."""
    search = GridSearchCV(SVR(), {"C": [1.0, 10.0]}, cv=2).fit(*VALUES)
    for model in (search, FrozenEstimator(search), make_pipeline(search)):
        np.testing.assert_array_equal(skdistill.compile(model)(VALUES[0]), skdistill.compile(search)(VALUES[0]))
    assert_same(skdistill.compile(search), search, VALUES[0])
    with pytest.raises(CompileError, match="got a GridSearchCV"):
        skdistill.compile(GridSearchCV(SVR(), {"C": [1.0]}, cv=2, refit=False).fit(*VALUES))
    search = GridSearchCV(make_pipeline(StandardScaler(), SVR()), {}, cv=2).fit(*VALUES)
    assert_same(skdistill.compile(search), search, VALUES[0])


def test_students_of_scikit_learn():
    """A perceptron or a machine that was taught is compiled with what completes its answers."""
    teacher = LogisticRegression().fit(*TWO)
    for student in (MLPRegressor(hidden_layer_sizes=(10,), **FEW), SVR()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = DistilledClassifier(teacher, student, sampler=None, temperature=2.0, random_state=0).fit(TWO[0])
        assert_same(skdistill.compile(model), model, TWO[0])
    model = DistilledRegressor(Ridge().fit(*VALUES), SVR(C=100), sampler=None, random_state=0).fit(VALUES[0])
    assert_same(skdistill.compile(model), model, VALUES[0])


# ---------------------------------------------------------------------- what is refused


def distance(X, Y):
    return X @ Y.T


@pytest.mark.parametrize(
    ("model", "match"),
    [
        (SVC(), "got a SVC; expected a student"),
        (NuSVC(nu=0.1), "got a NuSVC; expected a student"),
        (LinearSVC(), "got a LinearSVC; expected a student"),
        (OneClassSVM(), "got a OneClassSVM; expected a student"),
        (SVR(kernel="poly"), "SVR has the kernel 'poly'; expected 'rbf'"),
        (SVR(kernel=distance), "SVR has the kernel <function distance"),
        (KernelRidge(), "KernelRidge has the kernel 'linear'; expected 'rbf'"),
        (
            MLPRegressor(hidden_layer_sizes=(5,), activation="tanh", **FEW),
            "MLPRegressor has the activation 'tanh'; expected 'relu'",
        ),
        (MLPClassifier((5,), activation="logistic", **FEW), "MLPClassifier has the activation 'logistic'"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_what_no_scorer_expresses_is_named(model, match):
    """The error says what the model has, and what is expected."""
    with pytest.raises(CompileError, match=match):
        skdistill.compile(fitted(model, (TWO[0][:, :5], TWO[1])))


def test_more_that_is_refused():
    """Several labels a row, several outputs of classes, categories inside histogram gradient boosting."""
    X, labels = TWO[0], np.column_stack([TWO[1], TWO[0][:, 0] > 0]).astype(int)
    with pytest.raises(CompileError, match="MLPClassifier is a multilabel classifier with 2 labels per row"):
        skdistill.compile(fitted(MLPClassifier((5,), **FEW), (X, labels)))
    with pytest.raises(CompileError, match="DecisionTreeClassifier has 2 outputs; expected a single one"):
        skdistill.compile(DecisionTreeClassifier().fit(X, labels))
    codes = np.column_stack([np.arange(len(X)) % 4, X[:, 0]])
    with pytest.raises(CompileError, match="fitted on categories; encode them as numbers"):
        skdistill.compile(HistGradientBoostingClassifier(categorical_features=[0], max_iter=2).fit(codes, TWO[1]))


@pytest.mark.parametrize(
    ("model", "data", "match"),
    [
        (CalibratedClassifierCV(LinearSVC(), cv=2, ensemble=True), TWO, "has 2 LinearSVC with method='sigmoid'"),
        (
            CalibratedClassifierCV(LinearSVC(), method="isotonic", cv=2, ensemble=False),
            TWO,
            "method='isotonic'; expected",
        ),
        (CalibratedClassifierCV(SVC(), cv=2, ensemble=False), (MANY[0][:300], MANY[1][:300]), "has 1 SVC with"),
        (CalibratedClassifierCV(SVC(kernel="poly"), cv=2, ensemble=False), TWO, "has 1 SVC with"),
        (CalibratedClassifierCV(GaussianNB(), cv=2, ensemble=False), TWO, "has 1 GaussianNB with"),
    ],
    ids=lambda value: f"{value!r:.60}",
)
def test_calibrated_models_that_are_refused(model, data, match):
    """Means of several, other calibrators, and margins that no scorer has."""
    with pytest.raises(CompileError, match=match):
        skdistill.compile(model.fit(*data))


def test_unknown_models_are_not_read():
    """The reader knows kinds, and leaves what it does not know to the caller."""
    assert read_model(SVC().fit(*TWO)) is None
    assert read_model("a model") is None
    assert read_model(LGBMRegressor) is None
