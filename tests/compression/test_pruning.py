"""Forests, single trees and linear models that are cut back to a budget."""

import numpy as np
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import skdistill
from skdistill.compiled import Linear
from skdistill.compression import Budget, prune_tree, prune_trees, select_weights
from skdistill.exceptions import StudentSizeError
from skdistill.metrics import fidelity

RNG = np.random.default_rng(0)
X, UNSEEN = RNG.uniform(-1, 1, size=(1500, 3)), RNG.uniform(-1, 1, size=(500, 3))
Y = np.sin(4 * X[:, 0]) * X[:, 1] + X[:, 2]
BOOSTING = LGBMRegressor(n_estimators=40, n_jobs=1, verbosity=-1).fit(X, Y)
FOREST = skdistill.compile(BOOSTING, dtype="float64").scorer


def test_a_forest_within_the_budget_is_kept():
    """Its scores are those of the teacher, up to half precision."""
    small = prune_trees(FOREST, X, BOOSTING.predict(X), Budget(10**6))
    assert small.n_leaves == FOREST.n_leaves
    np.testing.assert_allclose(small.scores(UNSEEN)[:, 0], BOOSTING.predict(UNSEEN), atol=0.01)


def test_the_weakest_links_of_the_whole_forest_go_first():
    """Of two trees, the one with the smaller effect loses its splits; refitted leaves imitate what remains."""
    targets, n = BOOSTING.predict(X), FOREST.n_parameters
    kept = [
        fidelity(BOOSTING.predict(UNSEEN), prune_trees(FOREST, X, targets, Budget(size), **more).scores(UNSEEN)[:, 0])
        for size, more in ((int(0.8 * n), {}), (int(0.3 * n), {}), (int(0.3 * n), {"refit": False}))
    ]
    assert kept[0] > 0.995
    assert kept[0] > kept[1] > kept[2]
    small = prune_trees(FOREST, X, targets, Budget(int(0.3 * n)))
    assert small.n_parameters <= 0.3 * n
    assert small.tree_splits[:5].mean() > 2 * small.tree_splits[-5:].mean()  # later trees correct less


def test_a_softmax_is_cut_back_too():
    """With all classes in one loss."""
    labels = np.digitize(Y, [-0.5, 0.5])
    teacher = LGBMClassifier(n_estimators=20, n_jobs=1, verbosity=-1).fit(X, labels)
    forest = skdistill.compile(teacher, dtype="float64").scorer
    small = prune_trees(
        forest, X, teacher.predict_proba(X), Budget(max_bytes=forest.stored_as(np.float16).n_bytes // 2), link="softmax"
    )
    assert (small.scores(UNSEEN).argmax(axis=1) == teacher.predict(UNSEEN)).mean() > 0.9


def test_a_forest_of_constants_may_still_be_too_large():
    """Then the error says what it needs."""
    with pytest.raises(StudentSizeError, match="prune_trees: max_bytes=10 is too small"):
        prune_trees(FOREST, X, Y, Budget(max_bytes=10))


def errors(tree):
    return ((Y - tree.scores(X)[:, 0]) ** 2).mean()


def test_the_path_of_a_tree_is_that_of_scikit_learn():
    """With the labels as targets, the leaves are those of minimal cost-complexity pruning."""
    teacher = DecisionTreeRegressor(random_state=0).fit(X, Y)
    tree = skdistill.compile(teacher, dtype="float64").scorer
    path = teacher.cost_complexity_pruning_path(X, Y)
    for alpha in path.ccp_alphas[[len(path.ccp_alphas) // 2, -20, -6]]:
        pruned = DecisionTreeRegressor(random_state=0, ccp_alpha=alpha * (1 + 1e-6)).fit(X, Y)
        small = prune_tree(tree, X, Y, Budget(3 * pruned.get_n_leaves() - 2 + 1))
        assert small.n_leaves == pruned.get_n_leaves()
        np.testing.assert_allclose(small.scores(UNSEEN)[:, 0], pruned.predict(UNSEEN), atol=2e-3)


def test_leaves_hold_mean_targets():
    """Other targets than the tree was grown for give its leaves other values; classes have their probabilities."""
    teacher = DecisionTreeClassifier(max_leaf_nodes=20).fit(X, Y > 0)
    soft = 1 / (1 + np.exp(-3 * Y))
    tree = skdistill.compile(teacher).scorer
    small = prune_tree(tree, X, soft, Budget(30), link="binary")
    leaf, proba = small.leaves(X)[:, 0], 1 / (1 + np.exp(-small.scores(X)[:, 0]))
    for each in np.unique(leaf):
        assert proba[leaf == each] == pytest.approx(soft[leaf == each].mean(), abs=2e-3)
    both = prune_tree(tree, X, np.column_stack([1 - soft, soft]), Budget(30), link="softmax")
    np.testing.assert_allclose(np.exp(both.scores(X)).sum(axis=1), 1, atol=2e-3)


def test_several_trees_are_no_single_tree():
    """They are for another function."""
    with pytest.raises(ValueError, match=r"prune_tree: got 40 trees; expected one\. Pass several trees to prune_trees"):
        prune_tree(FOREST, X, Y, Budget(100))
    with pytest.raises(StudentSizeError, match="prune_tree: max_bytes=10 is too small"):
        prune_tree(skdistill.compile(DecisionTreeRegressor(max_depth=2).fit(X, Y)).scorer, X, Y, Budget(max_bytes=10))


class TestWeights:
    COEF = np.array([3.0, 0, -2, 0.01, 0.5, 0])
    ROWS = RNG.normal(size=(400, 6)) * [1, 2, 3, 4, 5, 6]
    LINEAR = Linear(COEF[:, None], np.ones(1))

    @pytest.mark.parametrize(("size", "columns"), [(2, [2]), (4, [0, 2, 4]), (99, [0, 2, 3, 4])])
    def test_inputs_with_large_effects_remain(self, size, columns):
        """Those whose weights are zero never do; with all others, the scores are those of the model."""
        scores = self.LINEAR.scores(self.ROWS)
        small = select_weights(self.LINEAR, self.ROWS, scores, Budget(size))
        assert small.design.numbers.tolist() == columns
        if size == 99:
            np.testing.assert_allclose(small.scores(self.ROWS), scores, atol=1e-2)

    def test_weights_are_refitted(self):
        """For inputs that depend on each other, what remains takes over."""
        rows = self.ROWS.copy()
        rows[:, 4] = rows[:, 2] / 3
        small = select_weights(self.LINEAR, rows, self.LINEAR.scores(rows), Budget(3))
        assert fidelity(self.LINEAR.scores(rows), small.scores(rows)) > 0.999

    def test_outputs_share_inputs(self):
        """An input is there for all outputs if it is for one."""
        linear = Linear(np.column_stack([self.COEF, self.COEF[::-1]]), np.zeros(2))
        small = select_weights(linear, self.ROWS, linear.scores(self.ROWS), Budget(10**4))
        assert small.weights[0].shape == (6, 2)

    def test_a_constant_model_and_a_tiny_budget(self):
        """The first has one input left; the second is refused."""
        constant = Linear(np.zeros((6, 1)), np.ones(1))
        small = select_weights(constant, self.ROWS, constant.scores(self.ROWS), Budget(5))
        np.testing.assert_allclose(small.scores(self.ROWS), 1, atol=1e-6)
        with pytest.raises(StudentSizeError, match="select_weights: max_bytes=10 is too small"):
            select_weights(constant, self.ROWS, constant.scores(self.ROWS), Budget(max_bytes=10))

    def test_a_fitted_model(self):
        """Ridge regression of scikit-learn, as it is read."""
        model = Ridge().fit(self.ROWS, self.ROWS @ self.COEF)
        linear = skdistill.compile(model).scorer
        small = select_weights(linear, self.ROWS, model.predict(self.ROWS), Budget(4))
        assert fidelity(model.predict(self.ROWS), small.scores(self.ROWS)[:, 0]) > 0.99
