"""Trees of a forest are selected jointly, within any budget, and imitate it."""

import re

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

import skdistill
from skdistill.compiled import Linear
from skdistill.compression import Budget, _tree_selection, select_trees
from skdistill.compression._kept_splits import cut_back, take_trees
from skdistill.compression._tree_gains import CandidateTrees
from skdistill.compression._tree_selection import _Shape
from skdistill.exceptions import StudentSizeError
from skdistill.metrics import fidelity

RNG = np.random.default_rng(0)
X, UNSEEN = RNG.uniform(-1, 1, size=(1500, 3)), RNG.uniform(-1, 1, size=(500, 3))


def waves(rows):
    return np.sin(4 * rows[:, 0]) * rows[:, 1] + rows[:, 2]


TEACHER = RandomForestRegressor(40, min_samples_leaf=3, random_state=0).fit(X, waves(X))
FOREST = skdistill.compile(TEACHER).scorer
TARGETS = TEACHER.predict(X)


def kept(forest, rows=UNSEEN):
    return fidelity(TEACHER.predict(rows), forest.scores(rows)[:, 0])


@pytest.mark.parametrize(
    "budget", [Budget(40), Budget(max_bytes=1500), Budget(max_ops=60), Budget(600, 4000, 100), Budget(6)], ids=str
)
def test_budgets_are_kept(budget):
    """Those of parameters, bytes and operations, alone and together."""
    forest = select_trees(FOREST, X, TARGETS, budget, random_state=0)
    assert forest.n_trees
    assert budget.excess(forest) <= 1


@pytest.mark.parametrize("limit", ["max_parameters", "max_bytes", "max_ops"])
def test_smallest_result_is_a_tree_of_two_leaves(limit):
    """An error states the size of the smallest result, and a budget of exactly this size has a result."""
    with pytest.raises(StudentSizeError, match=r"the smallest result has 5 parameters, \d+ bytes and 2 op") as error:
        select_trees(FOREST, X, TARGETS, Budget(**{limit: 1}), random_state=0)
    sizes = re.search(r"has (\d+) parameters, (\d+) bytes and (\d+)", str(error.value)).groups()
    smallest = dict(zip(("max_parameters", "max_bytes", "max_ops"), map(int, sizes), strict=True))
    assert select_trees(FOREST, X, TARGETS, Budget(**{limit: smallest[limit]}), random_state=0).n_trees == 1


def test_more_parameters_keep_more():
    """A few trees explain most of the forest, and more of them more."""
    few, many = (kept(select_trees(FOREST, X, TARGETS, Budget(size), random_state=0)) for size in (200, 3000))
    assert 0.8 < few < many - 0.03
    assert many > 0.97


@pytest.mark.parametrize("max_leaf_nodes", [10, 64])
def test_trees_are_selected_until_the_budget_is_full(max_leaf_nodes):
    """Also where large leaves leave only a few splits of each tree."""
    given = {"max_leaf_nodes": max_leaf_nodes, "min_samples_leaf": 150, "random_state": 0}
    for budget in (Budget(1500), Budget(max_ops=100)):
        assert budget.excess(select_trees(FOREST, X, TARGETS, budget, **given)) > 0.85


def test_many_small_trees_do_not_bound_the_others(monkeypatch):
    """Boosting goes on with trees of two leaves, in the end most of its trees, once it has fitted its rows."""
    labels = np.digitize(waves(X), [-0.5, 0.5])
    boosting = LGBMClassifier(n_estimators=10, num_leaves=15, n_jobs=1, verbosity=-1).fit(X, labels)
    forest = take_trees(skdistill.compile(boosting).scorer, np.repeat(np.arange(30), 7))
    is_whole = np.repeat(np.arange(210) % 7 == 0, forest.tree_splits)
    is_root = np.isin(np.arange(len(forest.feature)), forest.tree_split)
    forest, _ = cut_back(forest, is_whole | is_root, np.ones(forest.n_leaves))
    monkeypatch.setattr(_tree_selection, "MAX_CANDIDATES", 12)
    monkeypatch.setattr(_tree_selection, "MIN_CANDIDATES", 4)
    given = {"link": "one-vs-rest", "max_leaf_nodes": 12, "random_state": 0}
    small = select_trees(forest, X, boosting.predict_proba(X), Budget(1500), **given)
    assert small.tree_splits.min() > 1


def test_a_class_has_as_many_trees_as_it_needs():
    """Of two classes that are hard to tell more than of one that a single split tells."""
    labels = np.where(X[:, 2] > 0.3, 0, np.where(np.sin(6 * X[:, 0]) * X[:, 1] > 0, 1, 2))
    boosting = LGBMClassifier(n_estimators=30, num_leaves=15, n_jobs=1, verbosity=-1).fit(X, labels)
    forest = skdistill.compile(boosting).scorer
    small = select_trees(forest, X, boosting.predict_proba(X), Budget(1200), link="one-vs-rest", random_state=0)
    easy, *hard = np.bincount(small.tree_output, minlength=3)
    assert easy < min(hard)


def test_splits_are_those_of_the_teacher():
    """No feature and no threshold is new."""
    forest = select_trees(FOREST, X, TARGETS, Budget(500), random_state=0)
    own = set(zip(FOREST.feature.tolist(), FOREST.threshold.tolist(), strict=True))
    assert own.issuperset(zip(forest.feature.tolist(), forest.threshold.tolist(), strict=True))


def test_refitted_leaves_are_better():
    """On the rows that they are fitted to."""
    losses = [
        np.mean(
            (TARGETS - select_trees(FOREST, X, TARGETS, Budget(300), refit=refit, random_state=0).scores(X)[:, 0]) ** 2
        )
        for refit in (False, True)
    ]
    assert losses[1] < losses[0]


def test_weights_count_and_zeros_do_not():
    """Rows of weight zero change nothing but the draw of validation rows; a scale changes nothing at all."""
    weight = RNG.uniform(size=len(X))
    first, second = (
        select_trees(FOREST, X, TARGETS, Budget(300), sample_weight=scale * weight, random_state=0).scores(UNSEEN)
        for scale in (1, 8)
    )
    np.testing.assert_allclose(first, second, rtol=1e-3, atol=1e-3)
    spoiled = np.where(np.arange(len(X)) % 2, TARGETS, 1e3)
    half = select_trees(FOREST, X, spoiled, Budget(300), sample_weight=np.arange(len(X)) % 2, random_state=0)
    assert kept(half) > 0.8


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_same_seed_same_trees(n_jobs):
    """For any number of threads, and for sparse rows."""
    given = {"random_state": 3, "n_jobs": n_jobs}
    first = select_trees(FOREST, X, TARGETS, Budget(300), random_state=3)
    again = select_trees(FOREST, sparse.csr_matrix(X), TARGETS, Budget(300), **given)
    np.testing.assert_array_equal(first.threshold, again.threshold)
    np.testing.assert_array_equal(first.value, again.value)


def test_classes_share_the_trees_of_a_forest_and_have_their_own_in_boosting():
    """A leaf of a forest has a value for each class; boosting has trees for each class."""
    labels = np.digitize(waves(X), [-0.5, 0.5])
    teachers = RandomForestClassifier(30, random_state=0), LGBMClassifier(n_estimators=15, n_jobs=1, verbosity=-1)
    for teacher, width in zip(teachers, (3, 1), strict=True):
        proba = teacher.fit(X, labels).predict_proba(X)
        forest = skdistill.compile(teacher).scorer
        small = select_trees(forest, X, proba, Budget(1500), link="one-vs-rest", random_state=0)
        assert small.value.shape[1] == width
        assert (small.scores(UNSEEN).argmax(axis=1) == teacher.predict(UNSEEN)).mean() > 0.85


def test_trees_that_are_cut_back_are_added_in_shorter_steps():
    """A rate that falls with the number of trees, and is larger for trees that are small enough to stay whole."""
    boosting = LGBMRegressor(n_estimators=30, num_leaves=4, n_jobs=1, verbosity=-1).fit(X, TARGETS)
    forests = FOREST, skdistill.compile(boosting).scorer
    shapes = [_Shape.of(Budget(20_000), forest, 1, "auto") for forest in forests]
    assert [shape.are_whole for shape in shapes] == [False, True]
    for most in (10, 60, 100, 1000):
        cut, whole = (shape._replace(n_trees=most).auto_rate for shape in shapes)
        assert cut <= whole
        assert (cut < whole) == (25 < most <= 160)


def test_the_best_part_has_the_gain_of_its_leaves():
    """The gain of a part is what its leaves gain over the root alone, with a value of each that is a Newton step."""
    trees = CandidateTrees(FOREST, X, 5, 1)
    gradient, curvature = RNG.normal(size=(len(X), 2)), RNG.uniform(0.1, 1, size=(len(X), 2))
    part, change = trees.best_part(gradient, curvature, 9, 1.0)
    assert len(part.splits) <= 8
    assert len(part.value) == len(part.splits) + 1
    values, leaf = np.unique(change, axis=0, return_inverse=True)
    for each in range(len(values)):
        rows = leaf.ravel() == each
        assert rows.sum() >= 5
        step = gradient[rows].sum(axis=0) / (curvature[rows].sum(axis=0) + 1)
        np.testing.assert_allclose(values[each], step, rtol=1e-4, atol=1e-5)


def test_a_budget_below_the_smallest_says_so():
    """With what the smallest needs."""
    with pytest.raises(StudentSizeError, match=r"select_trees: max_parameters=3 is too small: .* 5 parameters"):
        select_trees(FOREST, X, TARGETS, Budget(3), random_state=0)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"targets": TARGETS[:9]}, "select_trees: X has 1500 rows and targets 9"),
        ({"targets": np.full(len(X), np.nan)}, "targets contain NaN"),
        ({"link": "probit"}, "select_trees: link='probit'; expected one of"),
        ({"link": "softmax"}, "select_trees: link='softmax'; expected one of"),
        ({"max_leaf_nodes": 1}, "select_trees: max_leaf_nodes=1; expected an integer of at least 2"),
        ({"learning_rate": 0}, "learning_rate=0"),
        ({"min_samples_leaf": 0}, "min_samples_leaf=0"),
        ({"l2_regularization": -1}, "l2_regularization=-1"),
        ({"max_thresholds": 0}, "max_thresholds=0"),
        ({"sample_weight": np.zeros(len(X))}, "every weight is zero"),
        ({"random_state": "a"}, "select_trees: random_state='a'"),
    ],
)
def test_arguments_are_checked(change, match):
    """And named in the error."""
    given = {"targets": TARGETS, **change}
    with pytest.raises(ValueError, match=match):
        select_trees(FOREST, X, given.pop("targets"), Budget(100), **given)


def test_a_budget_has_a_limit():
    """At least one, a positive integer; the largest excess counts."""
    with pytest.raises(ValueError, match="no limit is set"):
        Budget()
    with pytest.raises(ValueError, match="max_bytes=0"):
        Budget(max_bytes=0)
    with pytest.raises(TypeError, match=r"max_ops=1\.5"):
        Budget(max_ops=1.5)
    linear = Linear(np.ones((4, 1)), np.zeros(1))
    assert Budget(10, max_ops=2).excess(linear) == 2
