"""Trees that are cut back, and forests of some of the trees."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

import skdistill
from skdistill.compression import share_thresholds
from skdistill.compression._kept_splits import cut_back, take_trees, with_ancestors_only

X = np.random.default_rng(0).uniform(-1, 1, size=(300, 3))
Y = np.column_stack([np.sin(3 * X[:, 0]) * X[:, 1], X[:, 2] > 0.2])
FOREST = skdistill.compile(RandomForestRegressor(6, random_state=0).fit(X, Y), dtype="float64").scorer


def test_some_trees_add_up_to_the_whole():
    """Each tree is in one of two parts, whose scores sum to those of the forest."""
    trees = np.arange(6)
    parts = [take_trees(FOREST, trees[trees % 2 == rest]) for rest in (1, 0)]
    np.testing.assert_allclose(sum(part.scores(X) for part in parts), FOREST.scores(X))


def test_a_row_moves_to_the_leaf_that_its_leaf_became_part_of():
    """Whatever splits are kept, the map of leaves is what the rows do, and values are means of the merged leaves."""
    rng = np.random.default_rng(1)
    for share in (0.0, 0.3, 0.9, 1.0):
        is_kept = with_ancestors_only(FOREST, rng.uniform(size=len(FOREST.feature)) < share)
        weight = rng.uniform(size=FOREST.n_leaves) * (rng.uniform(size=FOREST.n_leaves) < 0.8)
        cut, leaf = cut_back(FOREST, is_kept, weight)
        assert len(cut.feature) == is_kept.sum()
        np.testing.assert_array_equal(cut.leaves(X), leaf[FOREST.leaves(X)])
        for of_cut in rng.integers(cut.n_leaves, size=20):
            merged = np.flatnonzero(leaf == of_cut)
            given = weight[merged] if weight[merged].any() else None
            mean = np.average(FOREST.leaf_values[merged], axis=0, weights=given)
            np.testing.assert_allclose(cut.value[of_cut], mean)


def test_splits_below_a_lost_split_are_lost():
    """And no others are."""
    is_kept = np.random.default_rng(2).uniform(size=len(FOREST.feature)) < 0.8
    closed = with_ancestors_only(FOREST, is_kept)
    size = FOREST.spans.n_splits
    for split in range(len(is_kept)):
        above = np.flatnonzero(np.arange(split + 1) + size[: split + 1] > split)
        assert closed[split] == is_kept[above].all()


@pytest.mark.parametrize("most", [1, 2, 7, 255])
def test_shared_thresholds_are_few_and_of_the_forest(most):
    """Each is one of the feature's own; of few enough, none moves."""
    shared = share_thresholds(FOREST, most)
    for feature in np.unique(FOREST.feature):
        before, after = (np.unique(each.threshold[each.feature == feature]) for each in (FOREST, shared))
        assert len(after) <= most
        assert np.isin(after, before).all()
    assert shared.threshold.dtype == FOREST.threshold.dtype
    np.testing.assert_array_equal(share_thresholds(FOREST, 10**6).threshold, FOREST.threshold)
