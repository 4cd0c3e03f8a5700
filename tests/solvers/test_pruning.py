"""Pruned forests: smaller, and with the same answers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import make_friedman1

from skdistill.solvers._pruning import leaf_weights, prune_forest
from skdistill.students import CompactBoostingClassifier, CompactBoostingRegressor


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 99), share=st.sampled_from([0.0, 0.3, 1.0]))
def test_pruning_changes_nothing_that_matters(seed, share):
    """Splits between equal leaves go, trees without a split go, answers stay."""
    X, y = make_friedman1(1000, random_state=0)
    student = CompactBoostingRegressor(6, 8, resolve_leaves=False).fit(X, (y - y.mean()) / y.std())
    forest = student.scorer_.with_values(student.scorer_.leaf_values)
    leaves = forest.leaves(X)
    rng = np.random.RandomState(seed)
    values = forest.value.copy()
    for start, stop in zip(forest.tree_leaf[:-1], forest.tree_leaf[1:], strict=True):
        if rng.uniform() < share:
            values[start:stop] = values[start]
    changed = forest.with_values(values)
    pruned = prune_forest(changed, leaf_weights(changed, leaves, np.ones(len(X))))
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
