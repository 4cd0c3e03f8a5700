"""What is left out without loss changes no prediction, whatever the cells are."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistill.compiled import Design, Forest, Landmarks, Linear, Network, Sum
from skdistill.compiled._nodes import forest_from_nodes
from skdistill.compression import without_redundancy

N_FEATURES, N_CODES = 3, 5
THRESHOLDS = np.array([-np.inf, -1.0, 0.0, 0.5, np.inf], dtype=np.float32)
VALUES = np.array([-1.0, 0.0, 0.25], dtype=np.float16)


def forest(rng, n_trees=4, n_splits=6, width=1):
    """Draw trees with few thresholds, subsets and values, so that much of them cannot be reached or is repeated."""
    nodes = []

    def grow(n_left):
        place = len(nodes)
        nodes.append(None)
        if n_left == 0:
            nodes[place] = (-1, -1)
        else:
            of_left = rng.integers(n_left)
            nodes[place] = (grow(of_left), grow(n_left - 1 - of_left))
        return place

    root = [grow(int(rng.integers(n_splits + 1))) for _ in range(n_trees)]
    left, right = np.array(nodes).T
    n_nodes = len(nodes)
    feature = rng.integers(N_FEATURES, size=n_nodes)
    coded = feature == N_FEATURES - 1
    return forest_from_nodes(
        n_features=N_FEATURES,
        root=np.array(root),
        left=left,
        right=right,
        feature=feature,
        threshold=np.where(coded, rng.integers(3, size=n_nodes), rng.choice(THRESHOLDS, n_nodes)).astype(np.float32),
        missing_left=(rng.random(n_nodes) < 0.5) & ~coded,
        value=rng.choice(VALUES, (n_nodes, width)),
        tree_output=np.zeros(n_trees, dtype=int),
        base=np.zeros(width),
        subsets=np.array([[1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0, 1, 1, 0, 1]], dtype=bool),
        is_category=np.array([False, False, True]),
    )


def rows(rng, n_rows=300):
    """Return cells at, between and beyond the thresholds, missing ones, and known and unknown codes."""
    X = rng.choice([-np.inf, -2.0, -1.0, -0.5, 0.0, 0.25, 0.5, 3.0, np.inf, np.nan], (n_rows, N_FEATURES))
    X[:, 2] = rng.choice([*range(N_CODES), -1, 7, np.nan], n_rows)
    return X


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), width=st.integers(1, 2))
def test_every_row_reaches_leaves_of_the_same_values(seed, width):
    """The values that trees add are the very same; only their order of addition may change in the last digit."""
    rng = np.random.default_rng(seed)
    flat, X = forest(rng, width=width), rows(rng)
    small = without_redundancy(flat)
    assert small.n_leaves <= flat.n_leaves
    if small.n_trees == flat.n_trees:
        np.testing.assert_array_equal(small.scores(X), flat.scores(X))
    # multiples of a quarter are added without rounding in any order, so that whole trees may go as well
    np.testing.assert_array_equal(small.scores(X), flat.scores(X))
    assert without_redundancy(small) is small


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_nothing_unreachable_or_equal_is_left(seed):
    """Each leaf is reached by some row of a grid of all distinct cells, and no split has two equal leaves."""
    rng = np.random.default_rng(seed)
    small = without_redundancy(forest(rng, n_trees=1, n_splits=8))
    numbers = [-np.inf, -2.0, -0.5, 0.25, 3.0, np.nan]
    grid = np.array(np.meshgrid(numbers, numbers, [*range(N_CODES), np.nan])).reshape(3, -1).T
    if small.n_trees:
        assert len(np.unique(small.leaves(grid))) == small.n_leaves
        _, left, right = small.pointers()
        pair = (left >= len(small.feature)) & (right >= len(small.feature))
        values = small.value[:, 0]
        assert not np.any(values[left[pair] - len(small.feature)] == values[right[pair] - len(small.feature)])


def test_repeated_trees_are_one_of_larger_values():
    """Four equal trees are one; three of half precision are one only if three times their values are exact."""
    once = forest(np.random.default_rng(3), n_trees=1)
    assert once.n_trees
    for times, value in ((4, 0.1), (3, 0.25)):
        repeated = Forest(
            n_features=1,
            feature=np.zeros(times, dtype=int),
            threshold=np.zeros(times, dtype=np.float32),
            missing_left=np.zeros(times, dtype=bool),
            n_left=np.zeros(times, dtype=int),
            tree_splits=np.ones(times, dtype=int),
            tree_output=np.zeros(times, dtype=int),
            value=np.tile(np.array([[value], [-value]], dtype=np.float16), (times, 1)),
            base=np.zeros(1),
        )
        small = without_redundancy(repeated)
        assert small.n_trees == 1
        X = np.array([[-1.0], [1.0], [np.nan]])
        np.testing.assert_array_equal(small.scores(X), repeated.scores(X))
    inexact = replace(repeated, value=np.tile(np.array([[0.1], [-0.7]], dtype=np.float16), (3, 1)))
    assert without_redundancy(inexact).n_trees == 3


def test_trees_without_a_split_are_constants():
    """They become part of the base, with the unit of their output."""
    rng = np.random.default_rng(0)
    flat = forest(rng, n_trees=3, n_splits=0).scaled(np.array([2.0]), 1.0)
    small = without_redundancy(flat)
    assert small.n_trees == 0
    np.testing.assert_array_equal(small.scores(rows(rng)), flat.scores(rows(rng)))


def test_idle_units_and_landmarks_go():
    """Without weight they cannot matter; a layer keeps a unit, and other scorers are returned as they are."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, N_FEATURES))
    design = Design.of(X, np.ones(50), np.zeros(N_FEATURES, dtype=int))
    weights = [rng.normal(size=(3, 4)), rng.normal(size=(4, 4)), rng.normal(size=(4, 1))]
    weights[2][[0, 2]] = 0
    weights[1][1] = 0
    network = Network(design, weights, [rng.normal(size=4), rng.normal(size=4)], np.zeros(1), np.ones(1))
    small = without_redundancy(network)
    assert [len(bias) for bias in small.biases] == [3, 2]
    np.testing.assert_allclose(small.scores(X), network.scores(X), rtol=1e-12)
    none = without_redundancy(Network(design, [weights[0], 0 * weights[2]], [np.zeros(4)], np.zeros(1), np.ones(1)))
    assert [len(bias) for bias in none.biases] == [1]
    coef = np.array([[1.0], [0.0], [2.0]])
    kernel = Landmarks(design, rng.normal(size=(3, 3)), np.ones(3), coef, np.zeros((3, 1)), np.zeros(1), np.ones(1))
    smaller = without_redundancy(kernel)
    assert len(smaller.positions) == 2
    assert smaller.linear is None
    np.testing.assert_allclose(smaller.scores(X), kernel.scores(X), rtol=1e-12)
    linear = Linear(np.zeros((3, 1)), np.zeros(1))
    assert without_redundancy(linear) is linear
    total = Sum([linear, network])
    np.testing.assert_allclose(without_redundancy(total).scores(X), total.scores(X), rtol=1e-12)
    assert without_redundancy(without_redundancy(total)).parts[0] is linear


@pytest.mark.parametrize("codes", [(0, 1), (1, 1)])
def test_subsets_are_stored_once(codes):
    """Equal subsets of categories are one, and those that no split tests are none."""
    subsets = np.array([[1, 0, 1], [1, 0, 1], [0, 0, 1]], dtype=bool)
    flat = Forest(
        n_features=1,
        feature=np.zeros(2, dtype=int),
        threshold=np.array(codes, dtype=np.float32),
        missing_left=np.zeros(2, dtype=bool),
        n_left=np.zeros(2, dtype=int),
        tree_splits=np.ones(2, dtype=int),
        tree_output=np.zeros(2, dtype=int),
        value=np.array([[1.0], [2.0], [3.0], [5.0]]),
        base=np.zeros(1),
        subsets=subsets,
        is_category=np.array([True]),
    )
    small = without_redundancy(flat)
    assert len(small.subsets) == 1
    X = np.array([[0.0], [1.0], [2.0], [np.nan], [9.0]])
    np.testing.assert_array_equal(small.scores(X), flat.scores(X))
