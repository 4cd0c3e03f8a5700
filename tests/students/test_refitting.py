"""Students are fitted again from sums over rows: the same student for the same rows, in chunks of any size."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone

from skdistill.solvers import LeafSums
from skdistill.students import (
    CompactBoostingClassifier,
    CompactBoostingRegressor,
    CompactHybridRegressor,
    CompactKernelRegressor,
    CompactLinearClassifier,
    CompactLinearRegressor,
    CompactMLPRegressor,
    CompactTreeClassifier,
    CompactTreeRegressor,
)
from skdistill.students._refitting import shortened, sums_for

N_ROWS = 900
rng = np.random.RandomState(0)
X = rng.normal(size=(N_ROWS, 4))
WEIGHT = rng.uniform(0.5, 2, N_ROWS)
SCORE = X[:, 0] + np.sin(2 * X[:, 1]) + X[:, 2] * X[:, 3]
SCORES = np.column_stack([SCORE, 1e6 + 1e3 * X[:, 3] ** 2])
LOGITS = np.column_stack([SCORE, X[:, 1], -X[:, 2]])
PROBA = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
BINARY = np.column_stack([1 / (1 + np.exp(SCORE)), 1 / (1 + np.exp(-SCORE))])
DIRECTIONS = [-1, 1, 0, 0]


def summed(student, targets, rows=slice(None), step=N_ROWS, weight=WEIGHT):
    """Return the student refitted to some rows."""
    sums = sums_for(student, targets)
    table, targets, weight = X[rows], targets[rows], weight[rows]
    for start in range(0, len(table), step):
        part = slice(start, start + step)
        sums.add(table[part], targets[part], weight[part])
    return sums.student()


def answers(student, table=X):
    return student.predict_proba(table) if hasattr(student, "predict_proba") else student.predict(table)


def losses_of(student, targets):
    return float(WEIGHT @ ((answers(student) - targets) ** 2).reshape(N_ROWS, -1).sum(axis=1))


SAME = [
    (CompactLinearRegressor(), SCORE, {}),
    (CompactLinearRegressor(n_pairs=3), SCORES, {}),
    (CompactLinearRegressor(penalty="l1", alpha=0.02), SCORES, {}),
    (CompactLinearRegressor(monotonic_cst=DIRECTIONS), SCORE, {}),
    (CompactLinearRegressor(n_pairs=2, penalty="l1", alpha=0.02, monotonic_cst=DIRECTIONS), SCORE, {}),
    (CompactLinearRegressor(), np.exp(SCORE), {"link": "log"}),
    (CompactLinearRegressor(), BINARY, {"link": "logit", "bounds": (-0.1, 1.1)}),
    (CompactLinearRegressor(), SCORES - SCORES[:, ::-1], {"order": "increasing"}),
    (CompactLinearRegressor(), np.column_stack([SCORE, np.full(N_ROWS, 7.0)]), {}),
    (CompactLinearClassifier(), BINARY, {}),
    (CompactLinearClassifier(n_pairs=2, alpha=0.01), PROBA, {}),
    (CompactTreeRegressor(8, n_regrowths=0), SCORES, {}),
    (CompactTreeRegressor(8, n_regrowths=0, monotonic_cst=DIRECTIONS), SCORE, {}),
    (CompactTreeRegressor(8, n_regrowths=0), np.exp(SCORE), {"link": "log"}),
    (CompactTreeClassifier(8, n_regrowths=0), BINARY, {}),
    (CompactTreeClassifier(8, n_regrowths=0), PROBA, {}),
]


@pytest.mark.parametrize(("student", "targets", "options"), SAME)
def test_the_rows_of_the_fit_give_the_student_of_the_fit(student, targets, options):
    """In its basis and with its penalty, link and constraints; in several chunks, up to rounding."""
    fitted = clone(student).fit_soft(X, targets, sample_weight=WEIGHT, **options)
    again = summed(fitted, np.asarray(targets), step=217)
    assert np.allclose(answers(again), answers(fitted), rtol=1e-6, atol=1e-6 * np.std(targets))
    assert again.scorer_.n_parameters == fitted.scorer_.n_parameters
    if hasattr(fitted, "leaf_rows_"):
        assert (again.leaf_rows_ == fitted.leaf_rows_).all()
        assert again.to_text() == fitted.to_text()


BOOSTED = [
    (CompactBoostingRegressor(12, 8, random_state=0), SCORES),
    (CompactBoostingRegressor(12, 8, monotonic_cst=DIRECTIONS, random_state=0), SCORE),
    (CompactBoostingClassifier(12, 8, random_state=0), BINARY),
    (CompactBoostingClassifier(12, 8, random_state=0), PROBA),
]


@pytest.mark.parametrize(("student", "targets"), BOOSTED)
def test_leaves_of_boosting_are_better_on_the_rows_of_the_sums(student, targets):
    """All together, for any chunks; neither the given student nor the order of constrained leaves changes."""
    fitted = clone(student).fit_soft(X[:300], targets[:300], sample_weight=WEIGHT[:300])
    before = answers(fitted)
    again = summed(fitted, targets)
    assert losses_of(again, targets) < losses_of(fitted, targets)
    assert np.allclose(answers(again), answers(summed(fitted, targets, step=113)), rtol=1e-4, atol=1e-3)
    assert (answers(fitted) == before).all()
    assert again.scorer_.value.dtype == fitted.scorer_.value.dtype
    if student.monotonic_cst is not None:
        line = np.column_stack([np.linspace(-3, 3, 50), *np.zeros((3, 50))])
        assert (np.diff(again.predict(line)) <= 1e-12).all()
        assert (np.diff(again.predict(line[:, [1, 0, 2, 3]])) >= -1e-12).all()
    assert np.allclose(answers(pickle.loads(pickle.dumps(again))), answers(again))


def test_leaf_values_are_least_squares_without_a_ridge():
    """The sums of leaves and of pairs of leaves are sufficient for the regression on leaf indicators."""
    fitted = CompactBoostingRegressor(5, 6, random_state=0).fit(X, SCORE)
    forest = fitted.scorer_
    sums, leaves = LeafSums(forest, 0), forest.leaves(X)
    for rows in (slice(0, 400), slice(400, None)):
        sums.add(leaves[rows], WEIGHT[rows], SCORE[rows], fitted._loss, 3.0)
    indicator = np.zeros((N_ROWS, forest.n_leaves))
    indicator[np.arange(N_ROWS)[:, None], leaves] = 1
    root = np.sqrt(WEIGHT)
    best = np.linalg.lstsq(indicator * root[:, None], (SCORE - forest.base[0]) * root, rcond=None)[0]
    values = forest.leaf_values[:, 0] + 3.0 * sums.change(1e-9)
    assert np.allclose(indicator @ values, indicator @ best, atol=1e-5)


@pytest.mark.parametrize("targets", [BINARY, PROBA])
def test_one_step_brings_a_classifier_near_the_fit_to_all_rows(targets):
    """From the coefficients of a sample: most of the difference of the losses is gone."""

    def loss(student):
        return -float(WEIGHT @ (targets * np.log(answers(student))).sum(axis=1)) / WEIGHT.sum()

    best = CompactLinearClassifier().fit_soft(X, targets, sample_weight=WEIGHT)
    sample = CompactLinearClassifier().fit_soft(X[:90], targets[:90], sample_weight=WEIGHT[:90])
    excess, rest = loss(sample) - loss(best), loss(summed(sample, targets)) - loss(best)
    assert excess > 0.001
    assert rest < excess / 5


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("student", [CompactLinearClassifier(), CompactBoostingClassifier(12, 8, random_state=0)])
def test_a_step_from_certain_outputs_that_are_wrong_is_not_too_long(student, n_classes):
    """Where second derivatives are nearly zero: the rows of the sums are better than before."""
    label = (6 * X[:, 0] > X[:, 1]).astype(int) * (n_classes - 1) - (X[:, 0] > 1.5)
    targets = np.eye(n_classes)[np.maximum(label, 0)]
    fitted = clone(student).fit_soft(X[X[:, 0] < 1.5], targets[X[:, 0] < 1.5])
    again = summed(fitted, targets)

    def loss(student):
        return -float(WEIGHT @ (targets * np.log(np.maximum(answers(student), 1e-300))).sum(axis=1))

    assert loss(again) < loss(fitted)


@pytest.mark.parametrize("student", [CompactLinearClassifier(), CompactBoostingClassifier(12, 8, random_state=0)])
def test_a_shorter_step_is_on_the_way(student):
    """Scores are those between the students before and after; the whole step is the student after it."""
    before = clone(student).fit_soft(X[:300], BINARY[:300])
    after = summed(before, BINARY)
    halfway = shortened(before, after, 0.5)
    start, middle, end = (np.log(answers(each)[:, 1] / answers(each)[:, 0]) for each in (before, halfway, after))
    assert np.allclose(middle, (start + end) / 2, atol=2e-3)  # in the precision of the values
    assert shortened(before, after, 1.0) is after


@pytest.mark.parametrize(
    ("student", "targets"),
    [
        (CompactLinearRegressor(), SCORE),
        (CompactLinearClassifier(), PROBA),
        (CompactTreeRegressor(8, n_regrowths=0), SCORE),
    ],
)
def test_a_weight_stands_for_equal_rows(student, targets):
    """A row of weight 2 is summed as two rows of weight 1."""
    fitted, twice = clone(student).fit_soft(X, targets), np.repeat(np.arange(N_ROWS), 2)
    weighted = summed(fitted, targets, slice(0, 400), weight=np.full(N_ROWS, 2.0))
    repeated = summed(fitted, targets, twice[:800], weight=np.ones(N_ROWS))
    assert np.allclose(answers(weighted), answers(repeated), atol=1e-6)


def test_leaves_without_rows_keep_their_values():
    """And the nodes above them are those of all leaves."""
    fitted = CompactTreeRegressor(8, n_regrowths=0).fit(X, SCORE)
    leaf = fitted.apply(X)
    again = summed(fitted, SCORE + 1, leaf != 0)
    assert np.allclose(again.predict(X[leaf == 0]), fitted.predict(X[leaf == 0]))
    assert not np.allclose(again.predict(X[leaf != 0]), fitted.predict(X[leaf != 0]))
    assert again.leaf_rows_.sum() == N_ROWS
    assert np.allclose(again.to_sklearn().predict(X), again.predict(X))


@pytest.mark.parametrize(
    "student",
    [
        CompactMLPRegressor((2,), max_epochs=1),
        CompactKernelRegressor(5),
        CompactHybridRegressor((2,), n_trees=1, max_epochs=1),
        CompactBoostingRegressor(5, resolve_leaves=False),
        CompactBoostingRegressor(201, 2),
    ],
)
def test_other_students_are_not_refitted(student):
    """Networks, kernels and hybrids; leaves that were not to be fitted together, and too many trees."""
    assert sums_for(clone(student).fit(X[:100], SCORE[:100]), SCORE) is None


def test_classifiers_without_a_step_are_not_refitted():
    """A lasso and signs have no Newton step."""
    for options in ({"penalty": "l1"}, {"monotonic_cst": DIRECTIONS}):
        assert sums_for(CompactLinearClassifier(**options).fit_soft(X, BINARY), BINARY) is None


def test_the_given_student_is_not_changed():
    """Of a tree, whose nodes know their rows, too."""
    fitted = CompactTreeRegressor(8, n_regrowths=0).fit(X, SCORE)
    before = copy.deepcopy(fitted)
    summed(fitted, SCORE + 5, slice(0, 100))
    assert fitted.to_text() == before.to_text()
    assert (fitted.predict(X) == before.predict(X)).all()
