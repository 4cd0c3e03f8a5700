"""Refitted leaves: the penalised regression on leaf indicators, and what it is worth."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.datasets import make_friedman1

from skdistill._losses import SquaredError
from skdistill.compiled import Forest
from skdistill.metrics import fidelity
from skdistill.solvers import _leaf_refitting as refitting
from skdistill.solvers._leaf_refitting import refit_leaves
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor


def smooth(n_rows=3000, seed=0):
    return make_friedman1(n_rows, random_state=seed)


def validation_rows(y):
    return np.arange(len(y)) % 5 == 0


def grown(n_trees=10, n_leaves=8):
    """A forest for a smooth function, its rows, their leaves and targets."""
    X, y = smooth(1000)
    y = (y - y.mean()) / y.std()
    student = CompactBoostingRegressor(n_trees, n_leaves, resolve_leaves=False).fit(X, y)
    forest = student.scorer_.with_values(student.scorer_.leaf_values)
    return forest, forest.leaves(X), y, X


# ---------------------------------------------------------------------- what it is worth


@pytest.mark.parametrize("size", [(10, 8), (30, 16)])
def test_refitted_leaves_are_better_on_unseen_rows(size):
    """The same trees follow a smooth function better, for values and for probabilities."""
    X, y = smooth()
    test, truth = smooth(seed=1)
    scores = [
        fidelity(truth, CompactBoostingRegressor(*size, resolve_leaves=resolve, random_state=0).fit(X, y).predict(test))
        for resolve in (False, True)
    ]
    assert scores[1] > scores[0]
    proba, expected = (np.column_stack([1 - expit(values - 14), expit(values - 14)]) for values in (y, truth))
    students = [CompactBoostingClassifier(*size, resolve_leaves=resolve, random_state=0) for resolve in (False, True)]
    answers = [student.fit_soft(X, proba).predict_proba(test) for student in students]
    scores = [fidelity(expected, answer, multioutput="variance_weighted") for answer in answers]
    assert scores[1] > scores[0]


def test_noise_is_not_followed():
    """On noisy targets and few rows refitting costs next to nothing: the ridge is large, or nothing is changed."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(400, 10))
    y = X[:, 0] + 3 * rng.normal(size=400)
    test = rng.normal(size=(2000, 10))
    plain, refitted = (
        np.mean(
            (CompactBoostingRegressor(60, 24, resolve_leaves=r, random_state=0).fit(X, y).predict(test) - test[:, 0])
            ** 2
        )
        for r in (False, True)
    )
    assert refitted < 1.05 * plain


# ---------------------------------------------------------------------- the mathematics


def dense_problem(forest, leaves, y, ridge):
    """Return the exact solution of the penalised regression, and its objective as a function of the values."""
    Z = np.zeros((len(y), forest.n_leaves))
    np.put_along_axis(Z, leaves, 1, axis=1)
    P = np.zeros((forest.n_leaves,) * 2)
    for tree, (start, stop) in enumerate(zip(forest.tree_leaf[:-1], forest.tree_leaf[1:], strict=True)):
        P[start:stop, start:stop] = refitting._increment_penalty(forest, tree)
    before, penalty = forest.value[:, 0], ridge * forest.n_trees * P
    residual = y - forest.base[0] - Z @ before
    return before + np.linalg.solve(Z.T @ Z + penalty, Z.T @ residual)


@pytest.mark.parametrize("ridge", [1.0, 15.0, 500.0])
def test_squared_error_is_solved_exactly(monkeypatch, ridge):
    """With one ridge to choose from, the values are those of the dense normal equations."""
    forest, leaves, y, _ = grown()
    monkeypatch.setattr(refitting, "RIDGES", (ridge,))
    monkeypatch.setattr(refitting, "STANDARD_ERRORS", -np.inf)
    values, _, chosen = refit_leaves(forest, leaves, y, np.ones(len(y)), SquaredError(), validation_rows(y))
    assert chosen == ridge
    np.testing.assert_allclose(values, dense_problem(forest, leaves, y, ridge), atol=2e-3 * np.abs(values).max())


def test_some_rows_are_enough_for_the_curvature(monkeypatch):
    """A curvature estimated on a fifth of the rows leads to the same values."""
    forest, leaves, y, _ = grown()
    exact, _, _ = refit_leaves(forest, leaves, y, np.ones(len(y)), SquaredError(), validation_rows(y))
    monkeypatch.setattr(refitting, "MAX_CURVATURE_ROWS", 200)
    monkeypatch.setattr(refitting, "MIN_GAIN_SHARE", 1e-6)
    monkeypatch.setattr(refitting, "MAX_NEWTON_STEPS", 20)
    estimated, _, _ = refit_leaves(forest, leaves, y, np.ones(len(y)), SquaredError(), validation_rows(y))
    scale = np.abs(exact - forest.value[:, 0]).max()
    np.testing.assert_allclose(estimated, exact, atol=0.05 * scale)


def test_blocks_of_trees_come_close(monkeypatch):
    """Many leaves are solved in blocks, twice over: nearly as good as at once, better than not at all."""
    forest, leaves, y, _ = grown(30, 8)
    weight = np.ones(len(y))

    def error(values):
        return np.mean((y - forest.base[0] - values[leaves].sum(axis=1)) ** 2)

    monkeypatch.setattr(refitting, "STANDARD_ERRORS", -np.inf)
    monkeypatch.setattr(refitting, "RIDGES", (15.0,))
    at_once, _, _ = refit_leaves(forest, leaves, y, weight, SquaredError(), validation_rows(y))
    monkeypatch.setattr(refitting, "MAX_BLOCK_LEAVES", 50)
    assert len(refitting._blocks(forest)) > 3
    in_blocks, _, _ = refit_leaves(forest, leaves, y, weight, SquaredError(), validation_rows(y))
    before, together, apart = (error(values) for values in (forest.value[:, 0], at_once, in_blocks))
    assert together < before
    assert before - apart > 0.7 * (before - together)


def test_penalty_counts_shared_nodes():
    """Its inverse counts, for each pair of leaves, the nodes below the root that both lie under."""
    chain = Forest(
        n_features=1,
        feature=np.zeros(3, dtype=int),
        threshold=np.arange(3.0),
        missing_left=np.zeros(3, dtype=bool),
        n_left=np.array([2, 1, 0]),
        tree_splits=np.array([3]),
        tree_output=np.array([0]),
        value=np.zeros((4, 1)),
        base=np.zeros(1),
    )
    shared = np.linalg.inv(refitting._increment_penalty(chain, 0))
    counts = np.array([[3, 2, 1, 0], [2, 3, 1, 0], [1, 1, 2, 0], [0, 0, 0, 1]])
    np.testing.assert_allclose(shared / shared[-1, -1], counts, atol=1e-9)
    assert np.trace(shared) / 4 == pytest.approx(1)


def test_too_little_to_choose_by_changes_nothing():
    """Few rows, or weights that leave none to hold out: boosting's values stay."""
    X, y = smooth(40)
    assert np.isinf(CompactBoostingRegressor(5, 4).fit(X, y).ridge_).all()
    X, y = smooth(200)
    weight = np.zeros(200)
    weight[:30] = 1
    student = CompactBoostingRegressor(5, 4, min_samples_leaf=1).fit(X, y, sample_weight=weight)
    assert np.isfinite(student.predict(X)).all()


def test_order_of_rows_and_weights_does_not_matter():
    """Rows of weight zero in between, or rows that repeat with a period, do not spoil the curvature."""
    X, y = smooth(20_000)
    weight = np.tile([0.0, 1.0], 10_000)
    test, truth = smooth(2000, seed=1)
    mixed = CompactBoostingRegressor(20, 16, random_state=0).fit(X, y, sample_weight=weight)
    alone = CompactBoostingRegressor(20, 16, random_state=0).fit(X[1::2], y[1::2])
    assert np.isfinite(mixed.ridge_).all()
    scores = [fidelity(truth, student.predict(test)) for student in (mixed, alone)]
    assert scores[0] == pytest.approx(scores[1], abs=0.003)


@pytest.mark.parametrize(("curvature_rows", "tolerance"), [(15_000, 0.05), (20, 0.4)])
def test_hidden_numbers_are_solved_for_beside_the_leaves(monkeypatch, curvature_rows, tolerance):
    """What trees of few leaves cannot say, but a linear term can, is found, though few rows tell of the curvature."""
    monkeypatch.setattr("skdistill.solvers._leaf_refitting.MAX_CURVATURE_ROWS", curvature_rows)
    rng = np.random.RandomState(0)
    X = rng.uniform(-1, 1, size=(3000, 2))
    hidden = rng.normal(size=(3000, 2)).astype(np.float32)
    student = CompactBoostingRegressor(5, 4, resolve_leaves=False, random_state=0)
    y = np.sign(X[:, 0]) + 0.7 * hidden[:, 0]
    student.fit(X, np.sign(X[:, 0]))
    forest = student.scorer_.with_values(student.scorer_.leaf_values)
    leaves = forest.leaves(X)
    _, weights, chosen = refit_leaves(
        forest, leaves, y, np.ones(3000), SquaredError(), validation_rows(y), hidden=hidden
    )
    np.testing.assert_allclose(weights, [0.7, 0], atol=tolerance)
    assert np.isfinite(chosen)
