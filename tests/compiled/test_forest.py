"""Flat trees: every way to the leaves is the same way, and it is the library's."""

import pickle

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse

from skdistill.compiled import Forest
from skdistill.compiled import _forest as forest_module
from skdistill.compiled import _merged_tables as merged_tables
from skdistill.compiled import _quickscorer as quickscorer
from skdistill.compiled._nodes import forest_from_nodes, round_down, stack_outputs
from skdistill.compiled._tree_code import _bounds_for_doubles
from skdistill.convert import forest_from_lightgbm

FLOATS = st.floats(width=32, allow_nan=False)


def table(n_rows=600, n_features=6, seed=0, missing=0.05):
    """Rows with a column of categories (the last), missing cells, and few distinct values in one column."""
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_rows, n_features)).astype(np.float32)
    X[:, 1] = X[:, 1].round()
    X[rng.uniform(size=X.shape) < missing] = np.nan
    X[:, -1] = rng.randint(0, 40, size=n_rows)
    y = np.where(np.isnan(X[:, 0]), 1, np.sin(3 * X[:, 0])) + np.nan_to_num(X[:, 1]) + np.isin(X[:, -1], [1, 5, 38])
    return X, y


def booster(X, y, n_trees=15, n_leaves=12, categories=True, **params):
    params = {"num_leaves": n_leaves, "min_data_in_leaf": 3, "verbosity": -1, "num_threads": 1, **params}
    columns = [X.shape[1] - 1] if categories else []
    return lightgbm.train(params, lightgbm.Dataset(X, y, categorical_feature=columns), n_trees)


def forest(n_leaves=12, dtype=np.float32, **others):
    X, y = table()
    grown = booster(X, y, n_leaves=n_leaves, **others)
    return grown, forest_from_lightgbm([grown.model_to_string()], dtype=dtype)


# ---------------------------------------------------------------------- the same leaves


@pytest.mark.thinned(2)
@pytest.mark.parametrize("n_leaves", [2, 3, 16, 17, 32, 33, 64, 65, 150])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_are_the_boosters(n_leaves, dtype):
    """Missing cells, categories seen and unseen, for every width of mask and for trees that are walked."""
    grown, flat = forest(n_leaves, dtype)
    X = table(seed=1)[0]
    X[:5, -1] = [77, -1, np.nan, 39.5, 1e9]
    np.testing.assert_allclose(flat.scores(X)[:, 0], grown.predict(X, raw_score=True), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n_leaves", [2, 16, 17, 33, 64])
def test_quickscorer_is_walking_is_one_row_at_a_time(n_leaves):
    """Masks, pointers and generated code agree on each row's leaf and score."""
    flat = forest(n_leaves)[1]
    X = table(seed=2)[0][:150]
    np.testing.assert_array_equal(flat.leaves(X), flat._walk(X))
    assert flat._tables is not None
    one_by_one = [flat.row(row) for row in X.astype(np.float64).tolist()]
    np.testing.assert_allclose(np.array(one_by_one), flat.scores(X), rtol=1e-12)


def test_trees_too_many_for_tables_are_walked(monkeypatch):
    """Beyond the bytes that tables may take, the answer is the same."""
    X = table(seed=2)[0]
    expected = forest()[1].scores(X)
    monkeypatch.setattr(forest_module, "MAX_TABLE_BYTES", 1000)
    flat = forest()[1]
    np.testing.assert_allclose(flat.scores(X), expected, rtol=1e-12)
    assert flat._tables is None


@settings(max_examples=60, deadline=None)
@given(cells=arrays(np.float64, (20, 1), elements=st.floats(allow_infinity=True)), seed=st.integers(0, 99))
def test_doubles_take_the_side_of_the_float32_they_round_to(cells, seed):
    """Generated code compares doubles, blocks compare float32: the same side, infinities and NaN included."""
    rng = np.random.RandomState(seed)
    with np.errstate(over="ignore"):
        near = cells.astype(np.float32).ravel()
    threshold = np.sort(np.append(near[np.isfinite(near)], rng.normal(size=3).astype(np.float32)))
    n_splits = len(threshold)
    flat = Forest(
        n_features=1,
        feature=np.zeros(n_splits, dtype=int),
        threshold=threshold,
        missing_left=rng.uniform(size=n_splits) < 0.5,
        n_left=np.zeros(n_splits, dtype=int),  # a chain to the right
        tree_splits=np.array([n_splits]),
        tree_output=np.array([0]),
        value=np.arange(n_splits + 1.0)[:, None],
        base=np.zeros(1),
    )
    with np.errstate(over="ignore"):
        around = np.concatenate([cells.ravel(), *(np.nextafter(cells.ravel(), end) for end in (np.inf, -np.inf))])
        middle = (threshold.astype(float) + np.nextafter(threshold, np.float32(np.inf)).astype(float)) / 2
    rows = np.concatenate([around, middle, [np.nan, np.inf, -np.inf]])[:, None]
    one_by_one = [flat.row(row) for row in rows.tolist()]
    np.testing.assert_array_equal(np.array(one_by_one), flat.scores(rows))


@given(threshold=st.floats(allow_nan=False, allow_infinity=False), cell=FLOATS)
def test_round_down_keeps_the_side_of_every_float32(threshold, cell):
    """A float32 cell is up to the rounded threshold exactly if it is up to the threshold."""
    rounded = round_down(np.array([threshold]))
    assert rounded.dtype == np.float32
    assert (np.float32(cell) <= rounded[0]) == (float(np.float32(cell)) <= threshold)


@given(threshold=FLOATS.filter(np.isfinite), cell=st.floats(allow_nan=False, allow_infinity=False))
def test_bounds_for_doubles(threshold, cell):
    """A double is up to the bound exactly if the float32 it rounds to is up to the threshold."""
    bound = _bounds_for_doubles(np.array([threshold], dtype=np.float32))[0]
    with np.errstate(over="ignore"):
        assert (cell <= bound) == bool(np.float32(cell) <= np.float32(threshold))


# ---------------------------------------------------------------------- the same for every way to ask


@pytest.mark.parametrize("n_leaves", [12, 100])
def test_blocks_threads_and_layouts_change_nothing(monkeypatch, n_leaves):
    """Any size of block, number of threads, memory order, and a row alone."""
    flat, X = forest(n_leaves)[1], table(seed=3)[0]
    expected = flat.scores(X)
    np.testing.assert_array_equal(flat.scores(np.asfortranarray(X)), expected)
    np.testing.assert_array_equal(flat.scores(X[::-1])[::-1], expected)
    np.testing.assert_array_equal(flat.scores(X.astype(np.float64)), expected)
    np.testing.assert_allclose(np.vstack([flat.scores(row[None]) for row in X[:50]]), expected[:50], rtol=1e-12)
    for block_bytes, n_jobs in ((1, 1), (1, 3), (2**30, 2)):
        monkeypatch.setattr(forest_module, "MAX_BLOCK_BYTES", block_bytes)
        np.testing.assert_array_equal(forest(n_leaves)[1].scores(X, n_jobs), expected)


@pytest.mark.parametrize(("merged", "compared", "small"), [(0, 1, 66), (2**30, 2**20, 66), (2**21, 100, 5), (1, 1, 0)])
def test_merged_tables_are_walking(monkeypatch, merged, compared, small):
    """However many features share a table, and however cells are mapped to its lines: the leaves are the same."""
    monkeypatch.setattr(merged_tables, "MAX_MERGED_BYTES", merged)
    monkeypatch.setattr(merged_tables, "COMPARED_CELLS", compared)
    monkeypatch.setattr(quickscorer, "MAX_SMALL_LINES", small)
    X = np.hstack([table(seed=2)[0], table(seed=4)[0]])
    X[::5, 2], X[::7, 3], X[::11, 0] = np.inf, -np.inf, np.nan
    y = np.nan_to_num(X[:, [0, 1, 5, 7]]).sum(axis=1)  # the other columns are not tested by all forests
    for n_trees in (1, 20):
        flat = forest_from_lightgbm([booster(X, y, n_trees, categories=False).model_to_string()], dtype=np.float32)
        np.testing.assert_array_equal(flat.leaves(X), flat._walk(X))
        np.testing.assert_array_equal(flat.leaves(X.astype(np.float64), 2), flat._walk(X))
        assert all(lines.flags.c_contiguous for lines in flat._merged._merged)  # others are copied for each block
    flat = forest()[1]
    np.testing.assert_array_equal(flat.leaves(X[:, :6]), flat._walk(X[:, :6]))


def test_sparse_rows_are_dense_ones(monkeypatch):
    """Only the columns that splits test are made dense, some rows at a time."""
    X, y = table(missing=0)
    X[np.abs(X) < 1] = 0
    flat = forest_from_lightgbm([booster(X, y).model_to_string()], dtype=np.float32)
    monkeypatch.setattr(forest_module, "SPARSE_CHUNK", 70)
    for matrix in (sparse.csr_matrix(X), sparse.csc_array(X)):
        np.testing.assert_array_equal(flat.scores(matrix), flat.scores(X))
        np.testing.assert_array_equal(flat.leaves(matrix), flat.leaves(X))
        assert flat.scores(matrix[:0]).shape == (0, 1)


def test_integers_booleans_and_no_rows():
    """What is no float is read as one."""
    flat = forest()[1]
    X = np.arange(18).reshape(3, 6)
    np.testing.assert_array_equal(flat.scores(X), flat.scores(X.astype(float)))
    np.testing.assert_array_equal(flat.scores(X > 7), flat.scores((X > 7).astype(float)))
    assert flat.scores(X[:0]).shape == (0, 1)
    assert flat.leaves(X[:0]).shape == (0, 15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pickles_are_small_and_exact(dtype):
    """A pickle holds nothing that was made for speed; a few bytes a split."""
    flat, X = forest(dtype=dtype)[1], table(seed=3)[0]
    before = pickle.dumps(flat)
    expected = flat.scores(X)
    flat.row([0.0] * 6)
    assert len(pickle.dumps(flat)) == len(before)
    assert len(before) < 16 * flat.n_leaves + 4000
    np.testing.assert_array_equal(pickle.loads(before).scores(X), expected)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_outputs_and_bare_trees(n_outputs):
    """Outputs of many trees, of one tree without a split, and of none."""
    X, y = table()
    parts = [forest_from_lightgbm([booster(X, y * k, 3 * k).model_to_string()], dtype=np.float32) for k in (1, 2)]
    nothing = Forest(6, *(np.zeros(0, dtype=int) for _ in range(6)), np.zeros((0, 1)), np.array([2.5]))
    nothing.threshold = nothing.threshold.astype(np.float32)
    bare = forest_from_nodes(
        n_features=6,
        root=np.array([0]),
        left=np.array([-1]),
        right=np.array([-1]),
        feature=np.array([0]),
        threshold=np.zeros(1, dtype=np.float32),
        missing_left=np.zeros(1, dtype=bool),
        value=np.array([[7.0]]),
        tree_output=np.array([0]),
        base=np.zeros(1),
    )
    together = stack_outputs([parts[0], nothing, parts[1], bare])
    scores = pickle.loads(pickle.dumps(together)).scores(X)
    np.testing.assert_allclose(scores[:, [0]], parts[0].scores(X))
    np.testing.assert_allclose(scores[:, 1], 2.5)
    np.testing.assert_allclose(scores[:, [2]], parts[1].scores(X))
    np.testing.assert_allclose(scores[:, 3], 7)
    np.testing.assert_allclose(together.row(X[0].tolist()), scores[0])
    for alone in (nothing, bare):
        assert len(np.unique(alone.scores(X))) == 1
        assert alone.row([0.0] * 6) == (alone.scores(X)[0, 0],)


@settings(max_examples=20, deadline=None)
@given(exponent=st.integers(-300, 300), dtype=st.sampled_from([np.float16, np.float32]))
def test_small_dtypes_hold_any_scale(exponent, dtype):
    """Values are stored in units of the largest: their precision is the dtype's, whatever their scale."""
    flat, X = forest()[1], table(seed=3)[0]
    large = flat.with_values(flat.value * 10.0**exponent)
    stored = large.stored_as(dtype)
    assert stored.value.dtype == dtype
    error = np.abs(stored.leaf_values - large.leaf_values).max() / np.abs(large.leaf_values).max()
    assert error <= np.finfo(dtype).eps
    np.testing.assert_array_equal(stored.leaves(X), flat.leaves(X))


@pytest.mark.parametrize("sign", [-1, 1])
def test_missing_cells_may_be_sent_to_the_heavier_side(sign):
    """In columns without a missing cell; the others stay, and rows without missing cells are not moved."""
    X, _ = table(missing=0)
    y = sign * X[:, 2] > 0.7
    flat = forest_from_lightgbm([booster(X, y, categories=False).model_to_string()], dtype=np.float32)
    weight = np.bincount(flat.leaves(X).ravel(), minlength=flat.n_leaves)
    sent = flat.with_missing_sent(np.arange(6) == 0, weight)
    np.testing.assert_array_equal(sent.scores(X), flat.scores(X))
    kept = flat.feature == 0
    np.testing.assert_array_equal(sent.missing_left[kept], flat.missing_left[kept])
    assert flat.feature[0] == 2
    share_left = np.mean(X[:, 2] <= flat.threshold[0])
    assert abs(share_left - 0.5) > 0.2
    assert sent.missing_left[0] == (share_left > 0.5)
