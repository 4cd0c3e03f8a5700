"""Binned trees: the best split, growing, pruning, and the optimisation of a tree as a whole."""

import numpy as np
import pytest
from helpers import dataset
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.tree import DecisionTreeRegressor

from skdistill.solvers import _splitting, _tao
from skdistill.solvers._binned_tree import Tree, TreeData
from skdistill.solvers._binning import MISSING, BinnedTable
from skdistill.solvers._splitting import best_splits, squared_error
from skdistill.solvers._tao import alternate, fit_tree, grow, loss_of, move_leaves, prune, regrow
from skdistill.students import CompactTreeClassifier, CompactTreeRegressor


@st.composite
def problems(draw):
    """Draw rows with numbers, few values, categories and missing cells, with one or more targets."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows, n_outputs = draw(st.sampled_from([2, 20, 100, 250])), draw(st.sampled_from([1, 1, 3]))
    n_codes = np.array([0, 0, draw(st.integers(1, 8))])
    cells = np.column_stack([rng.normal(size=n_rows), rng.integers(0, 4, n_rows), rng.integers(0, n_codes[2], n_rows)])
    targets = (
        np.sin(3 * cells[:, :1]) * (cells[:, 1:2] - 1.5) + cells[:, 2:] % 2 + 0.3 * rng.normal(size=(n_rows, n_outputs))
    )
    cells[rng.random(cells.shape) < draw(st.sampled_from([0.0, 0.2]))] = np.nan
    weight = rng.uniform(0.1, 2, n_rows)
    table = BinnedTable(cells.astype(np.float32), weight, n_codes, draw(st.sampled_from([3, 20, 255])))
    return TreeData(table, targets, weight, draw(st.integers(1, 5)))


def squared_loss(tree, rows):
    """Compute the loss as it is defined: squared errors to the means of leaves."""
    leaf, total = tree.leaf_of(rows), 0.0
    for each in np.unique(leaf):
        targets, weight = rows.targets[leaf == each], rows.weight[leaf == each]
        total += np.sum(weight[:, None] * (targets - np.average(targets, axis=0, weights=weight)) ** 2)
    return total


def assert_legal(tree, rows, max_leaves):
    leaves, n_rows = np.unique(tree.leaf_of(rows), return_counts=True)
    np.testing.assert_array_equal(leaves, tree.leaves())
    assert len(leaves) <= max_leaves
    assert len(leaves) == 1 or n_rows.min() >= rows.min_rows


@settings(max_examples=25, deadline=None)
@given(rows=problems(), max_leaves=st.sampled_from([2, 8, 20]))
def test_no_step_raises_the_loss(rows, max_leaves):
    """Passes, moves and regrowths lower the loss or keep it, with enough rows in every leaf and no empty one."""
    tree = Tree(3 * max_leaves + 2)
    losses = [loss_of(tree, rows)]
    grow(tree, rows, max_leaves)
    for step in (alternate, alternate, "move", lambda tree, rows: regrow(tree, rows, 2), alternate):
        losses.append(loss_of(tree, rows))
        np.testing.assert_allclose(losses[-1], squared_loss(tree, rows), atol=1e-8 * rows.squares)
        assert_legal(tree, rows, max_leaves)
        if step == "move":
            move_leaves(tree, rows, max_leaves, losses[-1])
        else:
            step(tree, rows)
    losses.append(loss_of(tree, rows))
    assert_legal(tree, rows, max_leaves)
    assert np.all(np.diff(losses) <= 1e-9 * rows.squares)


@settings(max_examples=30, deadline=None)
@given(rows=problems())
def test_the_best_split_is_the_best_of_all(rows):
    """Histograms find the least squared error among all thresholds, sides of missing cells, and orders of means."""
    found = best_splits(rows.table, np.zeros(len(rows), dtype=int), 1, rows.sums, squared_error, **rows.limits)
    codes, table = rows.table.codes, rows.table
    best = 0.0
    start = squared_loss(Tree(1), rows)
    for feature in range(2):  # numbers
        for last in range(table.n_bins[feature]):
            for missing_left in (False, True):
                is_left = np.where(codes[:, feature] == MISSING, missing_left, codes[:, feature] <= last)
                if min(is_left.sum(), (~is_left).sum()) >= rows.min_rows:
                    best = max(best, start - side_loss(rows, is_left) - side_loss(rows, ~is_left))
    if rows.targets.shape[1] == 1:
        for subset in range(2 ** (table.n_bins[2] + 1)):
            place = np.where(codes[:, 2] == MISSING, table.n_bins[2], codes[:, 2])
            is_left = (subset >> place) & 1 == 1
            if min(is_left.sum(), (~is_left).sum()) >= max(rows.min_rows, 1) and rows.min_rows == 1:
                best = max(best, start - side_loss(rows, is_left) - side_loss(rows, ~is_left))
    saved = start - (rows.squares + found.score[0] * rows.squares)
    assert not np.isfinite(found.score[0]) or saved >= best - 1e-8 * rows.squares


@pytest.mark.parametrize("few_cells", [0, 2**30])
def test_splits_do_not_depend_on_which_columns_are_searched_together(monkeypatch, few_cells):
    """Histograms of few bins give the same splits alone and beside those of many bins, which have empty bins then."""
    rng = np.random.default_rng(0)
    cells = np.column_stack([rng.normal(size=(400, 3)), rng.integers(0, 3, (400, 2))])
    cells[rng.random(cells.shape) < [0, 0, 0.2, 0, 0.2]] = np.nan
    targets = (np.nan_to_num(cells[:, [3]]) == 1) + np.nan_to_num(cells[:, [4]]) + rng.normal(size=(400, 2))
    rows = TreeData(BinnedTable(cells, np.ones(400), np.array([0, 0, 0, 0, 3]), 255), targets, np.ones(400), 1)
    node = rng.integers(0, 3, 400)

    def split():
        of_feature = np.full((3, 5), np.inf)
        found = best_splits(rows.table, node, 3, rows.sums, squared_error, of_feature=of_feature, **rows.limits)
        codes = rows.table.codes[range(400), found.feature[node]]
        return found.feature, found.goes_left[node, codes], of_feature

    expected = split()
    monkeypatch.setattr(_splitting, "FEW_CELLS", few_cells)
    for found, wanted in zip(split(), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-9)


def side_loss(rows, chosen):
    targets, weight = rows.targets[chosen], rows.weight[chosen]
    return np.sum(weight[:, None] * (targets - np.average(targets, axis=0, weights=weight)) ** 2)


@settings(max_examples=30, deadline=None)
@given(rows=problems(), max_leaves=st.integers(2, 12))
def test_pruning_goes_back_the_cheapest_way(rows, max_leaves):
    """Pruning to one leaf more, again and again, costs at least as much each time as it would to stop earlier."""
    tree = Tree(4 * max_leaves)
    grow(tree, rows, max_leaves)
    n_leaves = len(tree.leaves())
    losses = [loss_of(tree, rows)]
    for fewer in range(n_leaves - 1, 0, -1):
        prune(tree, rows, fewer)
        assert len(tree.leaves()) == fewer
        losses.append(loss_of(tree, rows))
    assert np.all(np.diff(losses) >= -1e-9 * rows.squares)


def test_numbers_of_neighbouring_bins_are_a_split_apart():
    """A cell is up to a bound if and only if its code is up to the bound's bin, whatever the float32 spacing."""
    rng = np.random.default_rng(0)
    for values in (rng.normal(size=500), 1e8 + np.arange(500), np.float32(1) + np.arange(5) * 2.0**-23, [0.0, -0.0, 1]):
        column = np.asarray(values, dtype=np.float32)
        table = BinnedTable(column[:, None], np.ones(len(column)), np.zeros(1, int), 255)
        for code, bound in enumerate(table.bounds[0]):
            np.testing.assert_array_equal(column <= bound, table.codes[:, 0] <= code)
        assert len(np.unique(column)) > 255 or table.n_bins[0] == len(np.unique(column))


@pytest.mark.slow
def test_heavy_tables_are_counted_in_parts(monkeypatch):
    """Small limits of memory change nothing but the time."""
    X, Y = dataset("multi-output")
    X[::7, 0] = np.nan
    before = CompactTreeRegressor(16).fit(X, Y).predict(X)
    monkeypatch.setattr("skdistill.solvers._splitting.MAX_HISTOGRAM_CELLS", 2000)
    monkeypatch.setattr("skdistill.solvers._splitting.MAX_KEYS", 100)
    monkeypatch.setattr("skdistill.solvers._binning.DENSE_COLUMNS", 2)
    np.testing.assert_array_equal(CompactTreeRegressor(16).fit(X, Y).predict(X), before)
    np.testing.assert_array_equal(
        CompactTreeRegressor(16).fit(sparse.csr_matrix(X), Y).predict(sparse.csr_matrix(X)), before
    )


@pytest.mark.parametrize(
    ("data", "n_leaves"), [(load_diabetes, 8), (load_diabetes, 24), (load_digits, 12), (load_breast_cancer, 24)]
)
def test_training_loss_is_below_a_greedy_tree(data, n_leaves):
    """On its own rows it is closer than scikit-learn's tree of as many leaves, even though that sees all thresholds."""
    X, y = data(return_X_y=True)
    targets = np.eye(10)[y] if data is load_digits else y.astype(float)
    greedy = DecisionTreeRegressor(max_leaf_nodes=n_leaves, min_samples_leaf=5, random_state=0).fit(X, targets)
    ours = CompactTreeRegressor(n_leaves).fit(X, targets)
    scale = targets.std(axis=0) + (targets.std(axis=0) == 0) if data is load_diabetes else 1.0
    if data is load_digits:
        ours = CompactTreeClassifier(n_leaves).fit_soft(X, targets)
    predicted = ours.predict_proba(X) if data is load_digits else ours.predict(X)
    loss, greedy_loss = (np.mean(((answer - targets) / scale) ** 2) for answer in (predicted, greedy.predict(X)))
    assert loss <= greedy_loss * (1 + 1e-9)


def test_optimisation_finds_what_greed_cannot():
    """No single split of an exclusive or saves anything: a greedy tree guesses, a regrown one need not."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(4000, 2))
    y = (X[:, 0] > 0) ^ (X[:, 1] > 0)
    greedy = CompactTreeClassifier(6, optimize=False).fit(X, y).score(X, y)
    assert CompactTreeClassifier(6).fit(X, y).score(X, y) > max(greedy, 0.95)


def test_fit_tree_without_optimisation_is_greedy():
    """What is grown only is what scikit-learn grows, where all values have a bin."""
    rng = np.random.default_rng(0)
    X = rng.integers(0, 50, (2000, 3)).astype(float)
    y = np.sin(X[:, 0] / 5) + X[:, 1] / 30 + 0.1 * rng.normal(size=2000)
    table = BinnedTable(X.astype(np.float32), np.ones(2000), np.zeros(3, int), 255)
    rows = TreeData(table, y[:, None], np.ones(2000), 5)
    tree = fit_tree(rows, 10, optimize=False, n_regrowths=0)
    greedy = DecisionTreeRegressor(max_leaf_nodes=10, min_samples_leaf=5, random_state=0).fit(X, y)
    np.testing.assert_allclose(loss_of(tree, rows), np.sum((greedy.predict(X) - y) ** 2), rtol=1e-9)


def test_wide_tables_are_optimised_on_their_best_columns(monkeypatch):
    """Splits come from the columns of the grown tree and from the best ones; the loss falls nearly as far."""
    rng = np.random.default_rng(0)
    cells = rng.normal(size=(400, 40)).astype(np.float32)
    targets = (np.sin(2 * cells[:, :1]) * cells[:, 1:2] + cells[:, 2:3]).astype(float)
    weight = np.ones(400)
    rows = TreeData(BinnedTable(cells, weight, np.zeros(40, dtype=int), 64), targets, weight, 5)
    grown = fit_tree(rows, 16, optimize=False, n_regrowths=4)
    on_all = fit_tree(rows, 16, optimize=True, n_regrowths=4)
    monkeypatch.setattr(_tao, "MAX_OPTIMIZED_FEATURES", 4)
    on_best = fit_tree(rows, 16, optimize=True, n_regrowths=4)
    allowed = _tao._without_weak_features(grown, rows).features
    assert 4 <= len(allowed) < 30
    nodes = on_best.below(0)
    assert set(on_best.feature[nodes[on_best.is_split(nodes)]]) <= set(allowed)
    assert loss_of(on_best, rows) < loss_of(grown, rows)
    assert loss_of(on_best, rows) - loss_of(on_all, rows) < 0.5 * (loss_of(grown, rows) - loss_of(on_all, rows))
