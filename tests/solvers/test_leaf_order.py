"""The order of leaves, and the values nearest to given ones that keep it."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.tree import DecisionTreeRegressor

from skdistill._losses import BinaryCrossEntropy, SquaredError
from skdistill.compiled._nodes import forest_from_nodes
from skdistill.convert import read_model
from skdistill.solvers import LeafOrder, in_order, leaf_orders, refit_leaves_in_order


def grown(n_features, n_leaves=40, n_rows=400, seed=0):
    """Return a tree with noise in its leaves, as arrays."""
    rng = np.random.RandomState(seed)
    X = rng.uniform(size=(n_rows, n_features))
    tree = DecisionTreeRegressor(max_leaf_nodes=n_leaves, random_state=0).fit(X, rng.normal(size=n_rows))
    return read_model(tree).scorer


def test_one_column_is_isotonic_regression():
    """For a tree of one column the leaves are a chain, and the nearest values are those of isotonic regression."""
    forest = grown(1)
    values, weight = forest.value[:, 0].astype(float), np.random.RandomState(0).uniform(0.1, 3, forest.n_leaves)
    for direction in (1, -1):
        order = LeafOrder.of(forest, 0, np.array([direction]))
        nearest = order.nearest(values, weight)
        chain = IsotonicRegression(increasing=direction > 0)
        expected = chain.fit_transform(np.arange(len(values)), values, sample_weight=weight)
        np.testing.assert_allclose(nearest, expected, atol=1e-9)
        assert order.is_kept(nearest)


def test_nearest_values_are_optimal():
    """On a partial order no step towards other values in order lowers the distance."""
    forest, rng = grown(4), np.random.RandomState(1)
    order = LeafOrder.of(forest, 0, np.array([1, -1, 0, 1]))
    assert 0 < len(order.lower) < forest.n_leaves**2 / 2
    values, weight = rng.normal(size=forest.n_leaves), rng.uniform(0.1, 3, forest.n_leaves)
    nearest = order.nearest(values, weight)
    assert order.is_kept(nearest)
    for _ in range(50):
        other = order.nearest(rng.normal(size=forest.n_leaves), np.ones(forest.n_leaves))
        assert (weight * (values - nearest)) @ (other - nearest) <= 1e-6  # the obtuse angle of a projection


def test_order_is_that_of_rows():
    """Exactly those leaves are ordered between which a row moves if one column grows."""
    forest = grown(3, 12)
    directions = np.array([1, 0, -1])
    order, rng = LeafOrder.of(forest, 0, directions), np.random.RandomState(0)
    rows = rng.uniform(size=(300_000, 3))
    found = set()
    for column in (0, 2):
        moved = rows.copy()
        moved[:, column] += rng.uniform(size=len(rows)) * (1 - moved[:, column])
        low, high = forest.leaves(rows)[:, 0], forest.leaves(moved)[:, 0]
        apart = low != high
        pairs = np.column_stack([low, high])[apart]
        found |= set(map(tuple, np.unique(pairs[:, :: directions[column]], axis=0).tolist()))
    assert found == set(zip(order.lower.tolist(), order.upper.tolist(), strict=True))


def test_missing_cells_and_categories_part_leaves():
    """Leaves that only rows with different categories, or with and without a cell, reach are in no order."""
    # column 0: number, at the second level; column 1: categories 0 and 1 at the root
    forest = forest_from_nodes(
        n_features=2,
        root=np.array([0]),
        left=np.array([1, 3, 5, -1, -1, -1, -1]),
        right=np.array([2, 4, 6, -1, -1, -1, -1]),
        feature=np.array([1, 0, 0, 0, 0, 0, 0]),
        threshold=np.array([0.0, 0.5, np.inf, 0, 0, 0, 0]),
        missing_left=np.array([False, True, False, False, False, False, False]),
        value=np.array([[0.0], [0], [0], [4], [3], [2], [1]]),
        tree_output=np.zeros(1, dtype=int),
        base=np.zeros(1),
        subsets=np.array([[True, False]]),
        is_category=np.array([False, True]),
    )
    (order,) = leaf_orders(forest, np.array([1, 0]))
    assert list(zip(order.lower, order.upper, strict=True)) == [(0, 1)]  # the other side parts present from missing
    np.testing.assert_allclose(in_order(forest, np.array([1, 0])).value[:, 0], [3.5, 3.5, 2, 1])


@pytest.mark.parametrize("loss", [SquaredError(), BinaryCrossEntropy()])
def test_refitted_values_are_better_and_in_order(loss):
    """Refitting within the order lowers the loss of the rows, and every tree stays in order."""
    rng = np.random.RandomState(0)
    X = rng.uniform(size=(2000, 3))
    target = 1 / (1 + np.exp(-3 * X[:, 0] - np.sin(6 * X[:, 1]) + 2))
    fields = []
    for seed in range(6):
        rows = rng.permutation(2000)[:500]
        tree = DecisionTreeRegressor(max_leaf_nodes=8, max_features=2, random_state=seed)
        fields.append(read_model(tree.fit(X[rows], target[rows] / 6)).scorer)
    names = ("feature", "threshold", "missing_left", "n_left", "tree_splits", "tree_output", "value")
    joined = {name: np.concatenate([getattr(each, name) for each in fields]) for name in names}
    forest = type(fields[0])(n_features=3, base=np.zeros(1), **joined)
    directions, leaves, weight = np.array([1, 0, 0]), forest.leaves(X), np.ones(2000)
    is_validation = rng.uniform(size=2000) < 0.2
    values, ridge = refit_leaves_in_order(forest, leaves, target, weight, loss, is_validation, directions)
    before, after = (
        loss.value(of_leaves[leaves].sum(axis=1)[:, None], target[:, None]).sum()
        for of_leaves in (in_order(forest, directions).value[:, 0], values)
    )
    assert np.isfinite(ridge)
    assert after < before
    for order, first in zip(leaf_orders(forest, directions), forest.tree_leaf, strict=False):
        assert order.is_kept(values[first:][: order.upper.max(initial=0) + 1])
