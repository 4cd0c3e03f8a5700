"""Students that are fitted on the scale of a link: ours, those of others, pipelines, and codes of several outputs."""

import pickle

import numpy as np
import pytest
from sklearn import linear_model, tree
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import skdistill
from skdistill.exceptions import CompileError
from skdistill.students import (
    CompactBoostingRegressor,
    CompactHybridRegressor,
    CompactKernelRegressor,
    CompactLinearRegressor,
    CompactMLPRegressor,
    CompactTreeRegressor,
    teach_classifier,
    teach_regressor,
)
from skdistill.students._teaching import LinkedRegressor, _is_surely_flat
from skdistill.targets import TargetLink

RNG = np.random.RandomState(0)
X = RNG.normal(size=(300, 3))
FAR = 5 * RNG.normal(size=(200, 3))
POSITIVE = np.exp(2 * X[:, 0] - X[:, 1])
SHARES = 1 / (1 + np.exp(-3 * X[:, 0]))
COMPACT = [
    CompactLinearRegressor(),
    CompactTreeRegressor(8),
    CompactBoostingRegressor(5, 8, random_state=0),
    CompactMLPRegressor(8, max_epochs=3, random_state=0),
    CompactKernelRegressor(10, random_state=0),
    CompactHybridRegressor(4, 3, max_epochs=3, random_state=0),
]
FOREIGN = [
    LinearRegression(),
    DecisionTreeRegressor(max_depth=4),
    KNeighborsRegressor(),
    make_pipeline(StandardScaler(), Ridge()),
    make_pipeline(StandardScaler(), CompactLinearRegressor()),
]
CASES = [
    (TargetLink.of("log"), POSITIVE),
    (TargetLink.of("logit"), SHARES),
    (TargetLink.of("identity", (0, 1)), SHARES),
]


def taught(student, values, link, **params):
    weight = np.ones(len(values))
    return teach_regressor(student, X, values, sample_weight=weight, rng=np.random.RandomState(0), link=link, **params)


@pytest.mark.thinned(3)
@pytest.mark.parametrize(("link", "values"), CASES, ids=["log", "logit", "clipped"])
@pytest.mark.parametrize("student", [*COMPACT, *FOREIGN], ids=lambda each: type(each).__name__)
def test_predictions_stay_within_the_bounds_in_every_form(student, link, values):
    """Far from the rows too: of the student, of its pickle, of its compiled form in batches and for one row."""
    fitted = taught(student, values, link)
    given = fitted.predict(FAR)
    assert link.is_inside(given).all()
    assert link.name != "log" or np.all(given > 0)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(FAR), given)
    try:
        compiled = skdistill.compile(fitted)
    except CompileError:
        assert isinstance(student, KNeighborsRegressor) or hasattr(student, "steps")
        return
    unit = 1e-6 * np.abs(given)
    again = pickle.loads(pickle.dumps(compiled))
    for form in (compiled, again):
        assert np.all(np.abs(form(FAR) - given) <= unit + 1e-12)
        each = np.array([form(row) for row in FAR[:20]])
        assert np.all(np.abs(each - given[:20]) <= unit[:20] + 1e-12)
        assert np.all(np.abs([form(row.tolist()) for row in FAR[:20]] - given[:20]) <= unit[:20] + 1e-12)
        assert link.is_inside(form(FAR)).all()


@pytest.mark.parametrize("student", [COMPACT[0], COMPACT[1], COMPACT[2], Ridge()], ids=lambda each: type(each).__name__)
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_several_outputs_have_one_link(student, n_outputs):
    """Each is positive, and the shape is that of the values."""
    values = np.column_stack([POSITIVE, 1e5 * POSITIVE[::-1]])[:, :n_outputs]
    fitted = taught(student, values, TargetLink.of("log"))
    given = fitted.predict(FAR)
    assert given.shape == ((200, 2) if n_outputs == 2 else (200,))
    assert np.all(given > 0)
    np.testing.assert_allclose(skdistill.compile(fitted)(FAR), given, rtol=1e-6)
    np.testing.assert_allclose(skdistill.compile(fitted)(FAR[0]), given[0], rtol=1e-6)


def test_codes_are_those_of_the_scores():
    """A compressor sees scores, so that what is decoded is converted to positive values."""
    values = np.exp(np.outer(X[:, 0], [1.0, 2.0, -1.0]) + 1)
    fitted = taught(CompactLinearRegressor(), values, TargetLink.of("log"), target_compressor=PCA(1))
    np.testing.assert_allclose(fitted.predict(X), values, rtol=0.02)
    assert np.all(fitted.predict(FAR) > 0)


def test_an_exponential_of_a_sum_is_learned_exactly():
    """What a log link is for: no linear student learns it without."""
    with_link = CompactLinearRegressor().fit_soft(X, POSITIVE, link="log").predict(X)
    np.testing.assert_allclose(with_link, POSITIVE, rtol=0.02)
    assert np.any(CompactLinearRegressor().fit(X, POSITIVE).predict(X) <= 0)


@pytest.mark.parametrize("student", COMPACT, ids=lambda each: type(each).__name__)
def test_fit_forgets_an_earlier_link(student):
    """A second fit without link is a fit without link, bit for bit that of a new student."""
    once = type(student)(**student.get_params()).fit(X, POSITIVE)
    again = type(student)(**student.get_params()).fit_soft(X, POSITIVE, link="log").fit(X, POSITIVE)
    np.testing.assert_array_equal(again.predict(FAR), once.predict(FAR))


@pytest.mark.parametrize("link", ["log", "logit"])
def test_targets_outside_the_bounds_are_refused(link):
    """The message has the value, the bounds and what to do."""
    with pytest.raises(ValueError, match=r"targets has 1 values outside the bounds, such as -2; expected .*link='log"):
        CompactLinearRegressor().fit_soft(X, np.append(SHARES[1:], -2), link=link)


def test_weights_of_rows_and_of_the_link_are_multiplied():
    """A row of weight two is two rows, also with a link."""
    weight = RNG.randint(1, 4, size=len(X)).astype(float)
    student = CompactLinearRegressor(alpha=0)
    weighted = student.fit_soft(X, POSITIVE + 1, link="log", sample_weight=weight).predict(FAR)
    rows = np.repeat(np.arange(len(X)), weight.astype(int))
    repeated = CompactLinearRegressor(alpha=0).fit_soft(X[rows], (POSITIVE + 1)[rows], link="log").predict(FAR)
    np.testing.assert_allclose(weighted, repeated, rtol=0.01)


@pytest.mark.parametrize("student", [CompactLinearRegressor(), LinearRegression()], ids=["compact", "foreign"])
def test_large_values_count_more_than_small_ones(student):
    """By the square root of the derivative, as documented: the best constant shows it."""
    weight = np.sqrt(POSITIVE)
    expected = np.exp(np.average(np.log(POSITIVE), weights=weight))
    fitted = teach_regressor(
        student, 0 * X, POSITIVE, sample_weight=np.ones(300), rng=np.random.RandomState(0), link=TargetLink.of("log")
    )
    np.testing.assert_allclose(fitted.predict(0 * X[:2]), expected, rtol=1e-6)


def test_a_tree_is_read_in_values():
    """Its text and its form in scikit-learn have the values that it predicts, not scores."""
    tree = CompactTreeRegressor(6).fit_soft(X, POSITIVE, link="log")
    values = {f"{value:.6g}" for value in tree.predict(X)}
    assert {line.split("--- ")[1].split(" (")[0] for line in tree.to_text().splitlines() if "rows)" in line} == values
    np.testing.assert_allclose(tree.to_sklearn().predict(X), tree.predict(X), rtol=1e-6)


class Columns(ClassifierMixin, BaseEstimator):
    """A classifier whose labels are a column, as of some libraries."""

    def fit(self, X, y):
        self.tree_ = DecisionTreeClassifier(max_depth=2).fit(X, y)
        self.classes_ = self.tree_.classes_
        return self

    def predict(self, X):
        return self.tree_.predict(X).reshape(-1, 1)


class ColumnsAndProbabilities(Columns):
    def predict_proba(self, X):
        return self.tree_.predict_proba(X)


class ColumnOfValues(RegressorMixin, BaseEstimator):
    def fit(self, X, y):
        self.tree_ = DecisionTreeRegressor(max_depth=2).fit(X, y)
        return self

    def predict(self, X):
        return self.tree_.predict(X).reshape(-1, 1)


@pytest.mark.parametrize("student", [Columns(), ColumnsAndProbabilities()], ids=lambda each: type(each).__name__)
def test_labels_have_one_axis(student):
    """Also where the student of another library returns them as a column."""
    proba = np.column_stack([1 - SHARES, SHARES])
    fitted = teach_classifier(
        student, X, proba, classes=np.array(["a", "b"]), sample_weight=np.ones(300), rng=np.random.RandomState(0)
    )
    assert fitted.predict(X).shape == (300,)
    assert fitted.predict_proba(X).shape == (300, 2)
    assert np.mean(fitted.predict(X) == np.where(SHARES > 0.5, "b", "a")) > 0.8


@pytest.mark.parametrize("link", [None, TargetLink.of("logit")], ids=["values", "link"])
def test_values_of_one_output_have_one_axis(link):
    """Also where the student of another library returns them as a column."""
    fitted = taught(ColumnOfValues(), SHARES, link)
    assert isinstance(fitted, LinkedRegressor)
    assert fitted.predict(X).shape == (300,)


def regressors_of(package):
    public = [getattr(package, name) for name in package.__all__]
    return [each for each in public if isinstance(each, type) and issubclass(each, RegressorMixin)]


@pytest.mark.filterwarnings("ignore:Class PassiveAggressive:FutureWarning")
@pytest.mark.parametrize("kind", [*regressors_of(tree), *regressors_of(linear_model)])
def test_students_that_are_not_asked_for_a_row_return_one_axis(kind):
    """Trees and linear models of scikit-learn, whose predictions have the shape of their targets."""
    if "MultiTask" in kind.__name__:  # of several outputs only
        return
    fitted = kind().fit(X[:40], SHARES[:40])
    if _is_surely_flat(fitted, X):
        assert fitted.predict(X).shape == (300,)
    assert not _is_surely_flat(fitted, X.astype(object))
    assert not _is_surely_flat(make_pipeline(fitted), X)
