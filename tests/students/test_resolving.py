"""Re-solved leaves, pruned trees, sizes that share trees."""

import lightgbm
import numpy as np
import pytest
from helpers import dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, make_friedman1

from skdistill import DistilledRegressor
from skdistill.compiled import Forest
from skdistill.metrics import fidelity
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor
from skdistill.students import _resolving as resolving
from skdistill.students._growing import Grower
from skdistill.students._pruning import leaf_weights, prune
from skdistill.students._resolving import CROSS_ENTROPY, SQUARED_ERROR, resolve


def smooth(n_rows=3000, seed=0):
    return make_friedman1(n_rows, random_state=seed)


def held_out(y):
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
def test_resolved_leaves_are_better_on_unseen_rows(size):
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
    """On noisy targets and few rows re-solving costs next to nothing: the ridge is large, or nothing is changed."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(400, 10))
    y = X[:, 0] + 3 * rng.normal(size=400)
    test = rng.normal(size=(2000, 10))
    plain, resolved = (
        np.mean(
            (CompactBoostingRegressor(60, 24, resolve_leaves=r, random_state=0).fit(X, y).predict(test) - test[:, 0])
            ** 2
        )
        for r in (False, True)
    )
    assert resolved < 1.05 * plain


# ---------------------------------------------------------------------- the mathematics


@pytest.mark.parametrize("loss", [SQUARED_ERROR, CROSS_ENTROPY], ids=["squared error", "cross-entropy"])
def test_gradients_are_those_of_the_loss(loss):
    """Pull is minus the first difference of the loss, curvature the second."""
    score = np.linspace(-4, 4, 41)
    target, h = np.full(41, 0.3), 1e-4
    below, at, above = (loss.value(target, score + step) for step in (-h, 0, h))
    np.testing.assert_allclose(loss.pull(target, score), (below - above) / (2 * h), atol=1e-6)
    np.testing.assert_allclose(loss.curvature(score), (below - 2 * at + above) / h**2, atol=1e-4)
    constant = loss.best_constant(target, np.ones(41))
    assert loss.value(target, np.full(41, constant)).mean() <= loss.value(target, np.full(41, constant + 0.1)).mean()


def dense_problem(forest, leaves, y, ridge):
    """Return the exact solution of the penalised regression, and its objective as a function of the values."""
    Z = np.zeros((len(y), forest.n_leaves))
    np.put_along_axis(Z, leaves, 1, axis=1)
    P = np.zeros((forest.n_leaves,) * 2)
    for tree, (start, stop) in enumerate(zip(forest.tree_leaf[:-1], forest.tree_leaf[1:], strict=True)):
        P[start:stop, start:stop] = resolving._increment_penalty(forest, tree)
    before, penalty = forest.value[:, 0], ridge * forest.n_trees * P
    residual = y - forest.base[0] - Z @ before
    return before + np.linalg.solve(Z.T @ Z + penalty, Z.T @ residual)


@pytest.mark.parametrize("ridge", [1.0, 15.0, 500.0])
def test_squared_error_is_solved_exactly(monkeypatch, ridge):
    """With one ridge to choose from, the values are those of the dense normal equations."""
    forest, leaves, y, _ = grown()
    monkeypatch.setattr(resolving, "RIDGES", (ridge,))
    monkeypatch.setattr(resolving, "STANDARD_ERRORS", -np.inf)
    values, _, chosen = resolve(forest, leaves, y, np.ones(len(y)), SQUARED_ERROR, held_out(y))
    assert chosen == ridge
    np.testing.assert_allclose(values, dense_problem(forest, leaves, y, ridge), atol=2e-3 * np.abs(values).max())


def test_some_rows_are_enough_for_the_curvature(monkeypatch):
    """A curvature estimated on a fifth of the rows leads to the same values."""
    forest, leaves, y, _ = grown()
    exact, _, _ = resolve(forest, leaves, y, np.ones(len(y)), SQUARED_ERROR, held_out(y))
    monkeypatch.setattr(resolving, "CURVATURE_ROWS", 200)
    monkeypatch.setattr(resolving, "CONVERGED", 1e-6)
    monkeypatch.setattr(resolving, "STEPS", 20)
    estimated, _, _ = resolve(forest, leaves, y, np.ones(len(y)), SQUARED_ERROR, held_out(y))
    scale = np.abs(exact - forest.value[:, 0]).max()
    np.testing.assert_allclose(estimated, exact, atol=0.05 * scale)


def test_blocks_of_trees_come_close(monkeypatch):
    """Many leaves are solved in blocks, twice over: nearly as good as at once, better than not at all."""
    forest, leaves, y, _ = grown(30, 8)
    weight = np.ones(len(y))

    def error(values):
        return np.mean((y - forest.base[0] - values[leaves].sum(axis=1)) ** 2)

    monkeypatch.setattr(resolving, "STANDARD_ERRORS", -np.inf)
    monkeypatch.setattr(resolving, "RIDGES", (15.0,))
    at_once, _, _ = resolve(forest, leaves, y, weight, SQUARED_ERROR, held_out(y))
    monkeypatch.setattr(resolving, "LEAVES_AT_ONCE", 50)
    assert len(resolving._blocks(forest)) > 3
    in_blocks, _, _ = resolve(forest, leaves, y, weight, SQUARED_ERROR, held_out(y))
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
    shared = np.linalg.inv(resolving._increment_penalty(chain, 0))
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


# ---------------------------------------------------------------------- pruning


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 99), share=st.sampled_from([0.0, 0.3, 1.0]))
def test_pruning_changes_nothing_that_matters(seed, share):
    """Splits between equal leaves go, trees without a split go, answers stay."""
    forest, leaves, _, X = grown(6, 8)
    rng = np.random.RandomState(seed)
    values = forest.value.copy()
    for start, stop in zip(forest.tree_leaf[:-1], forest.tree_leaf[1:], strict=True):
        if rng.uniform() < share:
            values[start:stop] = values[start]
    changed = forest.with_values(values)
    pruned = prune(changed, leaf_weights(changed, leaves, np.ones(len(X))))
    expected, given_now = changed.scores(X)[:, 0], pruned.scores(X)[:, 0]
    assert np.mean((expected - given_now) ** 2) <= 1e-4 * max(np.var(expected), 1e-12) + 1e-12
    assert pruned.n_leaves <= changed.n_leaves
    if share == 1:
        assert pruned.n_trees == 0


def test_classes_that_are_sure_need_few_trees():
    """Three certain classes on a table that tells them by one split: nearly nothing is left."""
    X = np.repeat([[0.0], [1.0], [2.0]], 100, axis=0)
    student = CompactBoostingClassifier(20, 8).fit(X, np.repeat([0, 1, 2], 100))
    assert student.score(X, np.repeat([0, 1, 2], 100)) == 1
    assert student.scorer_.tree_splits.max() <= 2


# ---------------------------------------------------------------------- sizes


def test_path_is_each_size_alone():
    """For an integer seed a path gives the same students as each fitted alone, in the order asked for."""
    X, y = load_digits(n_class=3, return_X_y=True)
    targets = np.eye(3)[y]
    student = CompactBoostingClassifier(max_leaf_nodes=6, random_state=0)
    sizes = [13, 4, (4, 3), 45, 13]
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
    next_batch = Grower._next_batch
    monkeypatch.setattr(Grower, "_next_batch", lambda *args: grown_trees.append(1) or next_batch(*args))
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
    student = CompactBoostingRegressor(30, 8, random_state=0)
    expected = [clone(student).set_params(n_trees=n).fit(X, y).predict(X) for n in (20, 30)]
    kept = clone(student).set_params(memory=str(tmp_path))
    batches, train = [], lightgbm.train
    monkeypatch.setattr(lightgbm, "train", lambda *args, **kw: batches.append(1) or train(*args, **kw))
    for n_trees, answer, so_far in zip((20, 30, 20), (*expected, expected[0]), (1, 2, 2), strict=True):
        np.testing.assert_array_equal(kept.set_params(n_trees=n_trees).fit(X, y).predict(X), answer)
        assert len(batches) == so_far
    kept.fit(X + 1, y)
    assert len(batches) == 3


def test_distilled_estimators_hand_their_memory_down(tmp_path):
    """A student of ours without a memory gets that of the distilled estimator; the caller's own is not touched."""
    X, y = dataset("regression")
    student = CompactBoostingRegressor(5)
    teacher = CompactBoostingRegressor().fit(X, y)
    model = DistilledRegressor(teacher, student, memory=str(tmp_path), sampler=None, random_state=0).fit(X)
    assert model.student_.memory == str(tmp_path)
    assert student.memory is None


# ---------------------------------------------------------------------- monotone


@pytest.mark.parametrize("kind", [CompactBoostingRegressor, CompactBoostingClassifier])
def test_monotone_constraints_hold_everywhere(kind):
    """Along a constrained column no prediction falls (or rises), wherever the others are."""
    X, y = smooth(800)
    y = y if kind is CompactBoostingRegressor else y > np.median(y)
    student = kind(20, 8, monotonic_cst=[0, 0, 0, 1, -1, 0, 0, 0, 0, 0]).fit(X, y)
    rng = np.random.RandomState(0)
    for column, sign in ((3, 1), (4, -1)):
        rows = np.repeat(rng.uniform(size=(50, 10)), 40, axis=0)
        rows[:, column] = np.tile(np.linspace(-0.1, 1.1, 40), 50)
        answer = student.predict(rows) if kind is CompactBoostingRegressor else student.predict_proba(rows)[:, 1]
        assert (sign * np.diff(answer.reshape(50, 40), axis=1)).min() >= -1e-6
    assert np.isinf(student.ridge_).all()


def test_monotone_constraints_by_name():
    """A dict names the columns of a frame."""
    import pandas as pd

    X, y = smooth(300)
    frame = pd.DataFrame(X, columns=list("abcdefghij"))
    by_name = CompactBoostingRegressor(5, monotonic_cst={"d": 1}, random_state=0).fit(frame, y)
    by_place = CompactBoostingRegressor(5, monotonic_cst=[0, 0, 0, 1] + [0] * 6, random_state=0).fit(X, y)
    np.testing.assert_array_equal(by_name.predict(frame), by_place.predict(X))
    with pytest.raises(ValueError, match=r"monotonic_cst names \['z'\]; expected some of \['a'"):
        CompactBoostingRegressor(monotonic_cst={"z": 1}).fit(frame, y)
    with pytest.raises(ValueError, match="monotonic_cst constrains column 0, which holds categories"):
        CompactBoostingRegressor(monotonic_cst={"a": 1}).fit(frame.assign(a="x"), y)
    with pytest.raises(ValueError, match="expected -1, 0 or 1 for each of the 10 columns"):
        CompactBoostingRegressor(monotonic_cst=[2] * 10).fit(X, y)
    with pytest.raises(ValueError, match="monotonic_cst needs two classes; got 3"):
        CompactBoostingClassifier(monotonic_cst=[1] * 10).fit(X, np.arange(300) % 3)


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


@pytest.mark.parametrize(("curvature_rows", "tolerance"), [(15_000, 0.05), (20, 0.4)])
def test_hidden_numbers_are_solved_for_beside_the_leaves(monkeypatch, curvature_rows, tolerance):
    """What trees of few leaves cannot say, but a linear term can, is found, though few rows tell of the curvature."""
    monkeypatch.setattr("skdistill.students._resolving.CURVATURE_ROWS", curvature_rows)
    rng = np.random.RandomState(0)
    X = rng.uniform(-1, 1, size=(3000, 2))
    hidden = rng.normal(size=(3000, 2)).astype(np.float32)
    student = CompactBoostingRegressor(5, 4, resolve_leaves=False, random_state=0)
    y = np.sign(X[:, 0]) + 0.7 * hidden[:, 0]
    student.fit(X, np.sign(X[:, 0]))
    forest = student.scorer_.with_values(student.scorer_.leaf_values)
    leaves = forest.leaves(X)
    _, weights, chosen = resolve(forest, leaves, y, np.ones(3000), SQUARED_ERROR, held_out(y), hidden=hidden)
    np.testing.assert_allclose(weights, [0.7, 0], atol=tolerance)
    assert np.isfinite(chosen)
