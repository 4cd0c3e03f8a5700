"""Compact boosting as an estimator of its own."""

import pickle
import re

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import pytest
from helpers import dataset
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, make_friedman1
from sklearn.model_selection import cross_val_score
from sklearn.utils.validation import check_memory

from skdistill import DistilledRegressor
from skdistill.exceptions import StudentError
from skdistill.solvers import TreeTable
from skdistill.solvers._boosting import TreeGrower
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor
from skdistill.students._boosting import auto_learning_rate, growing_learning_rate


def smooth(n_rows=3000, seed=0):
    return make_friedman1(n_rows, random_state=seed)


def test_hard_labels_are_learned():
    """With true labels it is a good classifier and regressor like any other."""
    assert cross_val_score(CompactBoostingClassifier(), *load_breast_cancer(return_X_y=True), cv=3).min() > 0.9
    assert cross_val_score(CompactBoostingClassifier(10, 8), *load_digits(n_class=5, return_X_y=True), cv=3).min() > 0.8
    assert cross_val_score(CompactBoostingRegressor(20, 4), *load_diabetes(return_X_y=True), cv=3).min() > 0.2


def test_soft_targets_are_reproduced():
    """Given enough trees it interpolates the probabilities, for two classes and for more."""
    X = np.random.RandomState(0).uniform(-1, 1, size=(500, 2))
    logits = np.column_stack([2 * X[:, 0], np.sin(3 * X[:, 1]), X[:, 0] * X[:, 1]])
    proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    for targets in (proba, np.column_stack([proba[:, 0], 1 - proba[:, 0]])):
        student = CompactBoostingClassifier(100, 16).fit_soft(X, targets)
        np.testing.assert_allclose(student.predict_proba(X), targets, atol=0.05)


def test_fit_is_fit_soft_with_certain_targets():
    """Labels are soft targets that are certain."""
    X, y = dataset("three classes")
    classes, codes = np.unique(y, return_inverse=True)
    by_label = CompactBoostingClassifier(5, random_state=0).fit(X, y)
    by_target = CompactBoostingClassifier(5, random_state=0).fit_soft(X, np.eye(3)[codes], classes=classes)
    np.testing.assert_array_equal(by_label.predict_proba(X), by_target.predict_proba(X))


def test_outputs_do_not_disturb_each_other():
    """All outputs share one binned table; each is what it is alone, whatever the scale of the others."""
    X, y = dataset("regression")
    Y = np.column_stack([y, 1e6 * X[:, 0], y - 5])
    together = CompactBoostingRegressor(10, random_state=0).fit(X, Y).predict(X)
    for output, expected in zip(Y.T, together.T, strict=True):
        alone = CompactBoostingRegressor(10, random_state=0).fit(X, output).predict(X)
        np.testing.assert_allclose(alone, expected, rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_scale_of_the_targets_does_not_matter(scale):
    """Targets are standardised for the fit."""
    X, y = dataset("regression")
    plain = CompactBoostingRegressor(10, random_state=0).fit(X, y).predict(X)
    np.testing.assert_allclose(
        CompactBoostingRegressor(10, random_state=0).fit(X, scale * y).predict(X), scale * plain, rtol=1e-4
    )


def test_weights_decide_between_contradicting_rows():
    """The same row with two targets is taught as their weighted mean; only ratios of weights count."""
    X = np.zeros((200, 1))
    weight = np.where(np.arange(200) % 2, 3.0, 1.0)
    values = np.arange(200) % 2
    for scale in (1.0, 1e-3):
        np.testing.assert_allclose(CompactBoostingRegressor(5).fit(X, values, scale * weight).predict(X[:1]), 0.75)
        proba = CompactBoostingClassifier(5).fit(X, values, scale * weight).predict_proba(X[:1])
        np.testing.assert_allclose(proba, [[0.25, 0.75]], rtol=1e-5)


def raw_table():
    rng = np.random.RandomState(0)
    frame = pd.DataFrame(
        {
            "text": rng.choice(["a", "b", "c", None], size=400),
            "category": pd.Categorical(rng.choice(["x", "y"], size=400)),
            "flag": rng.uniform(size=400) < 0.5,
            "number": np.where(rng.uniform(size=400) < 0.1, np.nan, rng.normal(size=400)),
            "count": rng.randint(0, 5, size=400),
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.randint(0, 300, size=400), unit="D"),
            "empty": np.full(400, np.nan),
        }
    )
    return frame, (frame["text"].eq("a") ^ frame["flag"]).to_numpy()


@pytest.mark.parametrize(
    "convert",
    [lambda frame: frame, pl.from_pandas, lambda frame: frame.astype(object).to_numpy()],
    ids=["pandas", "polars", "object array"],
)
def test_raw_tables(convert):
    """Strings, categories, flags, dates, counts, missing cells, an empty column, and unseen categories just work."""
    frame, y = raw_table()
    student = CompactBoostingClassifier(30, 8).fit(convert(frame), y)
    assert student.score(convert(frame), y) > 0.95
    unseen = frame.assign(text="never seen")
    assert np.isfinite(student.predict_proba(convert(unseen))).all()


def test_sparse_rows_are_the_dense_ones():
    """A sparse matrix is fitted as the dense one is."""
    X, y = load_digits(return_X_y=True)
    dense = CompactBoostingClassifier(5).fit(X, y).predict_proba(X)
    of_sparse = CompactBoostingClassifier(5).fit(sparse.csr_matrix(X), y).predict_proba(sparse.csr_matrix(X))
    np.testing.assert_allclose(of_sparse, dense, atol=1e-6)


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_pickle_and_threads_change_nothing(n_jobs):
    """Same seed, same model, for any number of threads; a pickle predicts alike."""
    X, y = dataset("three classes")
    reference = CompactBoostingClassifier(10, random_state=0).fit(X, y).predict_proba(X)
    student = CompactBoostingClassifier(10, random_state=0, n_jobs=n_jobs).fit(X, y)
    np.testing.assert_array_equal(student.predict_proba(X), reference)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(student)).predict_proba(X), reference)


def test_pickle_does_not_grow_with_the_rows():
    """What is kept is trees, not data."""
    rng = np.random.RandomState(0)
    sizes = [len(pickle.dumps(CompactBoostingRegressor(5, 4).fit(X, X[:, 0]))) for X in rng.normal(size=(2, 20_000, 3))]
    few = len(pickle.dumps(CompactBoostingRegressor(5, 4).fit(X := rng.normal(size=(200, 3)), X[:, 0])))
    assert max(sizes) < 2 * few


def test_size_is_what_was_asked_for():
    """``n_trees`` trees a class of at most ``max_leaf_nodes`` leaves."""
    X, y = load_digits(return_X_y=True)
    student = CompactBoostingClassifier(7, 5).fit(X, y)
    assert np.bincount(student.scorer_.tree_output, minlength=10).max() == 7
    assert student.scorer_.tree_splits.max() == 4


def test_constant_targets_are_constant():
    """All targets equal: so are the predictions."""
    X = np.random.RandomState(0).normal(size=(50, 2))
    np.testing.assert_allclose(CompactBoostingRegressor(5).fit(X, np.full(50, 3.5)).predict(X), 3.5)
    proba = CompactBoostingClassifier(5).fit_soft(X, np.tile([0.2, 0.5, 0.3], (50, 1))).predict_proba(X)
    np.testing.assert_allclose(proba, np.tile([0.2, 0.5, 0.3], (50, 1)), atol=1e-3)


def test_learning_rate_shrinks_with_the_number_of_trees():
    """More trees take smaller steps, within bounds."""
    rates = [auto_learning_rate(n_trees) for n_trees in (1, 20, 60, 200, 5000)]
    assert rates == sorted(rates, reverse=True)
    assert 0.05 <= min(rates) <= max(rates) <= 0.3


def test_growing_learning_rates_grow_from_tree_to_tree():
    """More trees start with smaller steps, within bounds; in no sequence is a step smaller than the one before."""
    rates = [np.array(growing_learning_rate(n_trees).of(0, n_trees)) for n_trees in (1, 20, 60, 120, 250, 500, 10_000)]
    first = [of_trees[0] for of_trees in rates]
    assert first == sorted(first, reverse=True)
    assert 0.05 <= min(map(np.min, rates)) <= max(map(np.max, rates)) <= 0.6
    assert all(np.all(np.diff(of_trees) >= -1e-12) for of_trees in rates)
    assert any(np.all(np.diff(of_trees) > 0) for of_trees in rates)


def rates_grown(learning_rate, sizes, *, only_these):
    """Return the learning rates that LightGBM notes in the trees of some sizes, grown one after the other."""
    X, y = smooth(200)
    params = CompactBoostingRegressor(max(sizes), 4, learning_rate=learning_rate).fit(X, y)._lightgbm_params(0, len(X))
    grower = TreeGrower(TreeTable(X, np.ones(len(X))), params, check_memory(None))
    for n_trees in sizes:
        grower.grow(0, y, 0.0, n_trees, only_these=only_these)
    return [float(rate) for text in grower.sequences[0] for rate in re.findall(r"shrinkage=(\S+)", text)]


@pytest.mark.parametrize(("sizes", "only_these"), [((45,), True), ((5, 30, 45), False)])
def test_each_tree_is_grown_with_its_learning_rate(sizes, only_these):
    """Growing rates are those of LightGBM, tree by tree, in whatever batches the trees are grown."""
    found = rates_grown("growing", sizes, only_these=only_these)
    np.testing.assert_allclose(found[:45], growing_learning_rate(45).of(0, 45), rtol=1e-4)


def test_a_learning_rate_that_is_given_is_that_of_all_trees():
    """A number is used as it is, and so is the automatic one."""
    assert set(rates_grown(0.25, (45,), only_these=True)) == {0.25}
    assert set(rates_grown("auto", (45,), only_these=True)) == {auto_learning_rate(45)}


def test_growing_learning_rates_suit_targets_without_noise():
    """They follow a smooth function more closely than the automatic rate, LightGBM's default, and much larger ones."""
    (X, y), (X_new, y_new) = smooth(2000), smooth(1000, seed=1)
    fidelity = {
        rate: CompactBoostingRegressor(learning_rate=rate, random_state=0).fit(X, y).score(X_new, y_new)
        for rate in ("growing", "auto", 0.05, 0.6)
    }
    assert max(fidelity, key=fidelity.get) == "growing"


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"n_trees": 0}, "n_trees=0; expected an integer of at least 1"),
        ({"max_leaf_nodes": 1}, "max_leaf_nodes=1; expected an integer of at least 2"),
        ({"learning_rate": 0.0}, "learning_rate=0.0; expected a number above 0"),
        ({"l2_regularization": -1}, "l2_regularization=-1; expected a number of at least 0"),
    ],
)
def test_sizes_that_are_none(params, match):
    """Parameters out of range are refused by name."""
    X, y = dataset("three classes")
    with pytest.raises(ValueError, match=match):
        CompactBoostingClassifier(**params).fit(X, y)


@pytest.mark.parametrize(
    ("targets", "classes", "match"),
    [
        (np.full((150, 2), 0.7), None, "targets are no probabilities"),
        (np.tile([1.5, -0.5], (150, 1)), None, "targets are no probabilities"),
        (np.full((150, 2), 0.5), ["a"], "targets have 2 columns; expected 1"),
    ],
)
def test_targets_that_are_none(targets, classes, match):
    """Targets must be probabilities of the classes."""
    X, _ = dataset("three classes")
    with pytest.raises(StudentError, match=match):
        CompactBoostingClassifier().fit_soft(X, targets, classes=classes)


# ---------------------------------------------------------------------- sizes


def test_path_is_each_size_alone():
    """For an integer seed a path gives the same students as each fitted alone, in the order asked for."""
    X, y = load_digits(n_class=3, return_X_y=True)
    targets = np.eye(3)[y]
    student = CompactBoostingClassifier(max_leaf_nodes=6, learning_rate="growing", random_state=0)
    sizes = [13, 4, (4, 3), 62, 45, 13]
    students = student.path(X, targets, sizes)
    for size, fitted in zip(sizes, students, strict=True):
        n_trees, leaves = (size, 6) if isinstance(size, int) else size
        alone = clone(student).set_params(n_trees=n_trees, max_leaf_nodes=leaves).fit_soft(X, targets)
        np.testing.assert_array_equal(fitted.predict_proba(X), alone.predict_proba(X))
        assert fitted.get_params() == alone.get_params()
    assert not hasattr(student, "scorer_")


def test_path_grows_common_trees_once(monkeypatch):
    """Sizes with the same step share their trees, and every size shares the table."""
    grown_trees = []
    next_batch = TreeGrower._next_batch
    monkeypatch.setattr(TreeGrower, "_next_batch", lambda *args: grown_trees.append(1) or next_batch(*args))
    X, y = load_diabetes(return_X_y=True)
    students = CompactBoostingRegressor().path(X, y, [5, 10, 20, 30, 40])
    assert len(grown_trees) == 2  # batches of twenty
    assert [student.n_trees for student in students] == [5, 10, 20, 30, 40]


@pytest.mark.parametrize("sizes", [5, "5", [], [(1, 2, 3)], [2.5]])
def test_sizes_of_a_path_are_checked(sizes):
    """What is no list of sizes is named, before anything is fitted."""
    with pytest.raises(ValueError, match="expected a list of n_trees, or of"):
        CompactBoostingRegressor().path(*smooth(100), sizes)


def test_memory_finds_the_trees_again(tmp_path, monkeypatch):
    """With a memory a second size grows only what is missing, and the students are those without."""
    X, y = load_diabetes(return_X_y=True)
    student = CompactBoostingRegressor(70, 8, learning_rate="growing", random_state=0)
    expected = [clone(student).set_params(n_trees=n).fit(X, y).predict(X) for n in (50, 70)]
    kept = clone(student).set_params(memory=str(tmp_path))
    batches, train = [], lightgbm.train
    monkeypatch.setattr(lightgbm, "train", lambda *args, **kw: batches.append(1) or train(*args, **kw))
    for n_trees, answer, so_far in zip((50, 70, 50), (*expected, expected[0]), (3, 4, 4), strict=True):
        np.testing.assert_array_equal(kept.set_params(n_trees=n_trees).fit(X, y).predict(X), answer)
        assert len(batches) == so_far
    kept.fit(X + 1, y)
    assert len(batches) == 7


def test_distilled_estimators_hand_their_memory_down(tmp_path):
    """A student of ours without a memory gets that of the distilled estimator; the caller's own is not touched."""
    X, y = dataset("regression")
    student = CompactBoostingRegressor(5)
    teacher = CompactBoostingRegressor().fit(X, y)
    model = DistilledRegressor(teacher, student, memory=str(tmp_path), sampler=None, random_state=0).fit(X)
    assert model.student_.memory == str(tmp_path)
    assert student.memory is None


# ---------------------------------------------------------------------- monotone


def test_monotone_constraints_by_name():
    """A dict names the columns of a frame."""
    X, y = smooth(300)
    frame = pd.DataFrame(X, columns=list("abcdefghij"))
    by_name = CompactBoostingRegressor(5, monotonic_cst={"d": 1}, random_state=0).fit(frame, y)
    by_place = CompactBoostingRegressor(5, monotonic_cst=[0, 0, 0, 1] + [0] * 6, random_state=0).fit(X, y)
    np.testing.assert_array_equal(by_name.predict(frame), by_place.predict(X))
    with pytest.raises(ValueError, match=r"monotonic_cst names \['z'\]; expected some of \['a'"):
        CompactBoostingRegressor(monotonic_cst={"z": 1}).fit(frame, y)
    with pytest.raises(ValueError, match="monotonic_cst constrains column 'a', which holds categories"):
        CompactBoostingRegressor(monotonic_cst={"a": 1}).fit(frame.assign(a="x"), y)
    with pytest.raises(ValueError, match="expected -1, 0 or 1 for each of the 10 columns"):
        CompactBoostingRegressor(monotonic_cst=[2] * 10).fit(X, y)


# ---------------------------------------------------------------------- rows as they are at fit and at predict


def test_missing_cells_where_there_were_none():
    """They take the side of most rows, as in scikit-learn's histogram boosting."""
    X = np.linspace(0, 1, 100)[:, None]
    for threshold in (0.2, 0.8):
        student = CompactBoostingRegressor(1, 2, learning_rate=1.0, l2_regularization=0.0).fit(X, X[:, 0] > threshold)
        assert student.predict([[np.nan]])[0] == pytest.approx(float(threshold < 0.5), abs=0.05)


def test_rows_are_rounded_alike():
    """float64 rows that round to the same float32 get the same answer, however large or small they are."""
    X = np.random.RandomState(0).normal(size=(300, 2)) * [1e30, 1e-30]
    X[0] = [1e200, -1e200]
    student = CompactBoostingRegressor(10, 8).fit(X, X[:, 0] > 0)
    expected = student.predict(np.clip(X, -3e38, 3e38).astype(np.float32))
    np.testing.assert_array_equal(student.predict(X), expected)


@pytest.mark.parametrize("n_jobs", [1, 2, -1])
def test_threads_change_nothing(n_jobs):
    """Fit and predict are the same for any number of threads."""
    X, y = smooth(5000)
    expected = CompactBoostingRegressor(10, 8, random_state=0).fit(X, y).predict(X)
    fitted = CompactBoostingRegressor(10, 8, random_state=0, n_jobs=n_jobs).fit(X, y)
    np.testing.assert_array_equal(fitted.predict(X), expected)
    np.testing.assert_array_equal(fitted.predict(np.vstack([X] * 5)), np.tile(expected, 5))
