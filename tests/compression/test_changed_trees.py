"""What is known about rows and thresholds is carried along, instead of being found again."""

import numpy as np
import pytest
from sklearn.ensemble import RandomForestRegressor

import skdistill
from skdistill.compression._leaves import Fitted
from skdistill.compression._rows import Rows
from skdistill.compression._trees import _merged, _Merging, with_fewer_thresholds


def task(n_rows=300):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 4))
    X[::7, 0] = np.nan
    y = np.nan_to_num(X[:, 0]) * X[:, 1] + X[:, 2]
    model = skdistill.compile(RandomForestRegressor(5, max_leaf_nodes=20, random_state=0).fit(X, y))
    return model.scorer, Rows.of(model, X, np.ones(n_rows))


@pytest.mark.parametrize("n_removed", [1, 30, 80, 94])
def test_merged_leaves_are_those_of_the_merged_forest(n_removed):
    """Leaves of rows follow from those before; trees that lose all splits become part of the base."""
    forest, rows = task()
    merged, fitted = _merged(forest, Fitted.of(forest, rows), n_removed)
    assert len(merged.feature) == len(forest.feature) - n_removed
    assert merged.tree_splits.all()
    np.testing.assert_array_equal(fitted.codes, Fitted.of(merged, rows).codes)
    before = forest.scores(rows.cells).mean()
    np.testing.assert_allclose(merged.scores(rows.cells).mean(), before, atol=1e-6)


def test_all_splits_can_go():
    """What is left is the mean."""
    forest, rows = task()
    merged, fitted = _merged(forest, Fitted.of(forest, rows), len(forest.feature))
    assert (merged.n_trees, fitted.codes.shape) == (0, (0, 300))
    np.testing.assert_allclose(merged.scores(rows.cells), forest.scores(rows.cells).mean(), atol=1e-6)


def test_thresholds_that_are_merged_stay_merged():
    """A larger fraction merges what a smaller one does, and more; each is the same as when it is asked for alone."""
    forest, rows = task()
    merging, n_before = _Merging(forest, rows), None
    for fraction in (0.1, 0.4, 0.9):
        moved = merging.thresholds(fraction)
        pairs = np.column_stack([forest.feature, moved])
        n_distinct = len(np.unique(pairs, axis=0))
        assert n_before is None or n_distinct < n_before
        n_before = n_distinct
        np.testing.assert_array_equal(moved, _Merging(forest, rows).thresholds(fraction))
        np.testing.assert_array_equal(moved, with_fewer_thresholds(forest, rows, fraction).threshold)


def test_rows_remember_what_was_found_for_the_same_thing():
    """Nothing is found twice for one scorer, and something else is found anew."""
    _, rows = task(20)
    made = []

    def make():
        made.append(object())
        return made[-1]

    one, other = object(), object()
    assert rows.once(one, make) is rows.once(one, make)
    assert rows.once(other, make) is not rows.once(one, make)
    assert len(made) == 2
    assert rows.at_most(5)._known == []
