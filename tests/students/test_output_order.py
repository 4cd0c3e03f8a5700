"""Outputs of students that stay in order: of every family and of other estimators, in every form that is shipped."""

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

import skdistill
from skdistill._ordering import ORDERS, is_in_order, ordered
from skdistill.compression import Prune, Quantize
from skdistill.exceptions import CompileError
from skdistill.students import (
    CompactBoostingRegressor,
    CompactHybridRegressor,
    CompactKernelRegressor,
    CompactLinearRegressor,
    CompactMLPRegressor,
    CompactTreeRegressor,
    teach_regressor,
)
from skdistill.targets import TargetLink

RNG = np.random.RandomState(0)
X = RNG.normal(size=(200, 3))
FAR = 5 * RNG.normal(size=(300, 3))
CROSSING = X @ RNG.normal(size=(3, 4)) + 0.2 * RNG.normal(size=(200, 4))
"""Targets of four outputs whose order differs from row to row."""
COMPACT = [
    CompactLinearRegressor(),
    CompactTreeRegressor(8),
    CompactBoostingRegressor(5, 4, random_state=0),
    CompactMLPRegressor(8, max_epochs=3, random_state=0),
    CompactKernelRegressor(10, random_state=0),
    CompactHybridRegressor(4, 3, max_epochs=3, random_state=0),
]


class Rounds(RegressorMixin, BaseEstimator):
    """A regressor that no package knows."""

    def fit(self, X, y):
        self.coef_ = np.linalg.lstsq(X, y, rcond=None)[0]
        return self

    def predict(self, X):
        return np.round(np.asarray(X) @ self.coef_, 1)


FOREIGN = [
    LinearRegression(),
    DecisionTreeRegressor(max_depth=4),
    KNeighborsRegressor(),
    make_pipeline(StandardScaler(), LinearRegression()),
    Rounds(),
]


def taught(student, order, values=CROSSING, link="identity", bounds=None, **params):
    link = TargetLink.of(link, bounds, order)
    rng = np.random.RandomState(0)
    return teach_regressor(student, X, values, sample_weight=np.ones(len(X)), rng=rng, link=link, **params)


@pytest.mark.thinned(3)
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("student", [*COMPACT, *FOREIGN], ids=lambda each: type(each).__name__)
def test_outputs_are_in_order_in_every_form(student, order):
    """Of the student, its pickle, its compiled form, and one row of that: far from the rows of the fit, exactly."""
    fitted = taught(student, order)
    given = fitted.predict(FAR)
    assert is_in_order(given, order).all()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(FAR), given)
    try:
        compiled = skdistill.compile(fitted)
    except CompileError:
        assert student in FOREIGN[2:]
        return
    for form in (compiled, pickle.loads(pickle.dumps(compiled)), skdistill.compile(fitted, dtype="float16", X=X)):
        many, rows = form(FAR), np.array([form(row) for row in FAR[:30]])
        assert is_in_order(many, order).all()
        assert is_in_order(rows, order).all()
        np.testing.assert_allclose(rows, many[:30], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(compiled(FAR), given, rtol=1e-6, atol=1e-6)


@pytest.mark.thinned(2)
@pytest.mark.parametrize("order", ["increasing", "decreasing"])
@pytest.mark.parametrize("student", COMPACT, ids=lambda each: type(each).__name__)
def test_sorting_brings_no_student_further_from_its_targets(student, order):
    """The squared error of the same student without the order is at least as large, as proved."""
    values = ordered(CROSSING, order)
    plain, in_order = (taught(student, each, values).predict(X) for each in (None, order))
    assert np.sum((in_order - values) ** 2) <= np.sum((plain - values) ** 2) * (1 + 1e-12)


def test_sorted_quantiles_have_no_larger_pinball_loss():
    """For any outcomes, row by row: the proof of the documentation as a test."""
    levels, outcomes = np.array([0.1, 0.3, 0.6, 0.9]), RNG.normal(size=(200, 1))

    def loss(quantiles):
        return (levels * (outcomes - quantiles) + np.maximum(quantiles - outcomes, 0)).sum(axis=1)

    assert np.all(loss(ordered(CROSSING, "increasing")) <= loss(CROSSING) + 1e-12)


@pytest.mark.parametrize("student", [CompactLinearRegressor(), LinearRegression()], ids=["compact", "foreign"])
@pytest.mark.parametrize(("link", "bounds"), [("identity", (0, 1)), ("logit", None), ("log", None)])
def test_order_and_bounds(student, link, bounds):
    """Survival probabilities fall within [0, 1], with any link."""
    curves = np.exp(-np.outer(np.exp(X[:, 0]), [0.1, 0.5, 1, 3]))
    fitted = taught(student, "decreasing", curves, link, bounds)
    for given in (fitted.predict(FAR), skdistill.compile(fitted)(FAR)):
        assert is_in_order(given, "decreasing").all()
        assert given.min() >= 0
        assert given.max() <= 1 or link == "log"


def test_codes_of_outputs_are_decoded_before_they_are_sorted():
    """A target compressor knows nothing of the order."""
    fitted = taught(CompactLinearRegressor(), "increasing", target_compressor=PCA(2))
    assert is_in_order(fitted.predict(FAR), "increasing").all()


def test_crossing_targets_are_sorted_first():
    """So that each output has one meaning: those of sorted targets are learned."""
    crossing = np.column_stack([X[:, 0], -X[:, 0]])
    of_crossing, of_sorted = (
        taught(CompactTreeRegressor(8), "increasing", values).predict(FAR)
        for values in (crossing, np.sort(crossing, axis=1))
    )
    np.testing.assert_array_equal(of_crossing, of_sorted)


@pytest.mark.parametrize("student", [CompactLinearRegressor(), LinearRegression()], ids=["compact", "foreign"])
@pytest.mark.parametrize(("n_outputs", "order"), [(1, "increasing"), (1, "mean_std"), (3, "mean_std")])
def test_orders_that_are_not_possible(student, n_outputs, order):
    """One output has no order, and means and deviations are as many."""
    with pytest.raises(ValueError, match=rf"has {n_outputs} columns with the order '{order}'; expected"):
        taught(student, order, CROSSING[:, :n_outputs])


@pytest.mark.parametrize("order", ["rising", "", 3, ["increasing"]])
def test_unknown_orders(order):
    """The message lists the known ones."""
    with pytest.raises(ValueError, match=r"order=.*; expected one of \['increasing', 'decreasing', 'mean_std'\]"):
        CompactLinearRegressor().fit_soft(X, CROSSING, order=order)


def test_fit_forgets_an_earlier_order():
    """A second fit without an order is a fit without one."""
    student = CompactLinearRegressor().fit_soft(X, CROSSING, order="increasing").fit(X, CROSSING)
    np.testing.assert_array_equal(student.predict(FAR), CompactLinearRegressor().fit(X, CROSSING).predict(FAR))


def test_compressed_students_keep_the_order():
    """Pruning and rounding change scores, never the order of outputs."""
    student = CompactBoostingRegressor(5, 8, random_state=0).fit_soft(X, CROSSING, order="increasing")
    found = skdistill.compress(student, [Prune(), Quantize("int8")], X=X, tolerance=0.2, order="given")
    assert found.records[-1].is_kept
    assert is_in_order(found.model(FAR), "increasing").all()


def test_students_sort_their_targets_themselves():
    """``fit_soft`` does so without the functions that teach."""
    of_crossing, of_sorted = (
        CompactLinearRegressor().fit_soft(X, values, order="increasing").predict(FAR)
        for values in (CROSSING, np.sort(CROSSING, axis=1))
    )
    np.testing.assert_array_equal(of_crossing, of_sorted)
