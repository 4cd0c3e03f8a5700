"""``feature_importances_``: what trees, boosting and linear students use of each column."""

import pickle

import numpy as np
import pytest
from helpers import dataset
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.students import (
    CompactBoostingClassifier,
    CompactBoostingRegressor,
    CompactLinearClassifier,
    CompactLinearRegressor,
    CompactMLPRegressor,
    CompactTreeClassifier,
    CompactTreeRegressor,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))
REGRESSORS = [CompactTreeRegressor(16), CompactBoostingRegressor(5), CompactLinearRegressor(n_pairs=0)]
CLASSIFIERS = [CompactTreeClassifier(16), CompactBoostingClassifier(5), CompactLinearClassifier(n_pairs=0)]


@pytest.mark.parametrize("student", REGRESSORS, ids=lambda each: type(each).__name__)
def test_importances_are_shares_in_the_order_of_use(student):
    """They sum to one, are ordered as the effects are, and are zero where a column has none."""
    found = student.fit(X, 4 * X[:, 0] + 1 * X[:, 1]).feature_importances_
    assert found.sum() == pytest.approx(1)
    assert found.min() >= 0
    assert found[0] > found[1] > found[2:].max()
    assert found[2:].sum() < 0.05


@pytest.mark.parametrize("student", CLASSIFIERS, ids=lambda each: type(each).__name__)
def test_importances_of_classes(student):
    """For two classes and for three, whose scores have the same unit."""
    for y in (X[:, 2] > 0, np.digitize(X[:, 2], [-0.5, 0.5])):
        found = student.fit(X, y).feature_importances_
        assert found.shape == (4,)
        assert found.argmax() == 2
        assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize("student", REGRESSORS, ids=lambda each: type(each).__name__)
def test_importances_do_not_depend_on_units(student):
    """Neither of the values nor of one of several outputs; those of several outputs are averaged."""
    y = np.column_stack([X[:, 0], X[:, 1]])
    found = student.fit(X, y).feature_importances_
    np.testing.assert_allclose(student.fit(X, y * [1, 1024]).feature_importances_, found, rtol=1e-4, atol=1e-6)
    if not isinstance(student, CompactTreeRegressor):  # one tree splits for both outputs
        assert found[:2] == pytest.approx([0.5, 0.5], abs=0.05)


def test_importances_of_a_tree_are_those_of_its_leaves():
    """As those of a tree of scikit-learn that is fitted to the values of the leaves, one row for each leaf."""
    student = CompactTreeRegressor(2).fit(X, np.where(X[:, 3] > 0, 1.0, -1.0))
    np.testing.assert_array_equal(student.feature_importances_, [0, 0, 0, 1])
    grid = np.array([[a, b] for a in (0.0, 1.0) for b in (0.0, 1.0)]).repeat(20, axis=0)
    y = 3 * grid[:, 0] + grid[:, 1]
    expected = DecisionTreeRegressor(random_state=0).fit(grid, y).feature_importances_
    found = CompactTreeRegressor(4, min_samples_leaf=1).fit(grid, y).feature_importances_
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_products_and_categories_count_for_their_columns():
    """Half a product for either; all categories of a column for the column."""
    product = CompactLinearRegressor(n_pairs=1).fit(X, X[:, 0] * X[:, 1]).feature_importances_
    assert product[:2] == pytest.approx([0.5, 0.5], abs=0.1)
    cells = np.column_stack([RNG.integers(0, 3, 300), X[:, 0]])
    student = CompactLinearRegressor(n_pairs=0, categorical_features=[0])
    found = student.fit(cells, 5.0 * (cells[:, 0] == 1)).feature_importances_
    assert found[0] > 0.9


def test_constants_have_no_importance():
    """As in scikit-learn, all are zero."""
    for student in REGRESSORS:
        np.testing.assert_array_equal(student.fit(X, np.ones(300)).feature_importances_, np.zeros(4))


def test_other_students_have_none():
    """Nor have students before their fit; both errors say why."""
    network = CompactMLPRegressor(max_epochs=1).fit(X, X[:, 0])
    assert not hasattr(network, "feature_importances_")
    with pytest.raises(AttributeError, match=r"the weights of networks and kernels .*permutation_imp"):
        _ = network.feature_importances_
    with pytest.raises(NotFittedError):
        _ = CompactTreeRegressor().feature_importances_


def test_distilled_estimators_pass_them_on():
    """Those of their student, zero for columns that it does not see; loaded and inside other estimators, too."""
    rows, y = dataset("binary")
    teacher = RandomForestClassifier(10, random_state=0).fit(rows, y)
    model = DistilledClassifier(teacher, "tree", sampler=None, random_state=0, student_columns=[3, 1]).fit(rows)
    found = model.feature_importances_
    assert found.shape == (rows.shape[1],)
    assert found[[1, 3]].sum() == pytest.approx(1)
    assert sorted(found[found > 0]) == sorted(model.student_.feature_importances_)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).feature_importances_, found)
    assert SelectFromModel(model, prefit=True, threshold=0.5).transform(rows).shape[1] <= 2

    line = LinearRegression().fit(X, X[:, 0])
    others = DecisionTreeRegressor(max_depth=2, random_state=0)
    foreign = DistilledRegressor(line, others, sampler=None, random_state=0).fit(X)
    assert foreign.feature_importances_.argmax() == 0
    without = DistilledRegressor(line, LinearRegression(), sampler=None, random_state=0).fit(X)
    with pytest.raises(AttributeError, match=r"its student LinearRegression has none\. Pass student="):
        _ = without.feature_importances_
