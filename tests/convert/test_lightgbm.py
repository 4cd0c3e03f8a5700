"""The text of a LightGBM model is read as the library reads it; where no flat trees answer alike, it is refused."""

import subprocess
import sys

import lightgbm
import numpy as np
import pytest
from sklearn.linear_model import Ridge

from skdistill.convert import (
    forest_from_lightgbm,
    is_booster,
    is_lightgbm,
    read_structure,
    splits_of_lightgbm,
)
from skdistill.exceptions import CompileError


def table(n_rows=600):
    """Rows with missing cells and a column of categories, the last."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(n_rows, 6)).astype(np.float32)
    X[rng.uniform(size=X.shape) < 0.05] = np.nan
    X[:, -1] = rng.randint(0, 40, size=n_rows)
    return X, np.where(np.isnan(X[:, 0]), 1, np.sin(3 * X[:, 0])) + np.isin(X[:, -1], [1, 5, 38])


def booster(X, y, n_trees=15, categories=True, **params):
    params = {"num_leaves": 12, "min_data_in_leaf": 3, "verbosity": -1, "num_threads": 1, **params}
    columns = [X.shape[1] - 1] if categories else []
    return lightgbm.train(params, lightgbm.Dataset(X, y, categorical_feature=columns), n_trees)


def test_texts_that_go_on_are_one_sequence():
    """Several model texts are read as one, and only as many trees as asked for."""
    X, y = table()
    first, second = booster(X, y, 4), booster(X, y + 1, 3)
    texts = [first.model_to_string(), second.model_to_string()]
    both = forest_from_lightgbm(texts, dtype=np.float32).scores(X)[:, 0]
    np.testing.assert_allclose(both, first.predict(X) + second.predict(X), rtol=1e-9)
    some = forest_from_lightgbm(texts, dtype=np.float32, n_trees=5).scores(X)[:, 0]
    np.testing.assert_allclose(some, first.predict(X) + second.predict(X, num_iteration=1), rtol=1e-9)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"linear_tree": True}, "linear trees; expected constant leaves"),
        ({"zero_as_missing": True}, "zeros as missing"),
    ],
)
def test_models_that_are_no_flat_trees_are_refused(params, match):
    """Linear leaves and zeros as missing would be silently wrong."""
    X, y = table()
    X[::3] = 0
    grown = booster(X, y, categories=False, **params)
    with pytest.raises(CompileError, match=match):
        forest_from_lightgbm([grown.model_to_string()])


def test_random_forests_are_averaged():
    """LightGBM's bagging mode divides by the number of trees."""
    X, y = table()
    grown = booster(X, y, boosting="rf", bagging_freq=1, bagging_fraction=0.5)
    flat = forest_from_lightgbm([grown.model_to_string()])
    np.testing.assert_allclose(flat.scores(X)[:, 0], grown.predict(X), rtol=1e-9)


def test_trees_of_several_outputs_are_sorted_by_output():
    """Each output is the sum of its trees, categories included, though the text has them in turn."""
    X, y = table()
    grown = booster(X, np.digitize(y, [0, 1]), objective="multiclass", num_class=3)
    flat = forest_from_lightgbm([grown.model_to_string()])
    assert flat.tree_output.tolist() == sorted(flat.tree_output)
    np.testing.assert_allclose(flat.scores(X), grown.predict(X, raw_score=True), rtol=1e-9, atol=1e-12)


def test_splits_and_gains():
    """Of all trees in their order, as LightGBM tells them by itself."""
    X, y = table()
    grown = booster(X, y, categories=False)
    feature, threshold, gain = splits_of_lightgbm(grown.model_to_string())
    splits = grown.trees_to_dataframe().dropna(subset="split_feature")
    assert sorted(feature) == sorted(int(name.removeprefix("Column_")) for name in splits["split_feature"])
    np.testing.assert_allclose(np.sort(threshold), np.sort(splits["threshold"].astype(float)))
    np.testing.assert_allclose(np.sort(gain), np.sort(splits["split_gain"]), rtol=1e-4)


@pytest.mark.parametrize("params", [{"linear_tree": True}, {"zero_as_missing": True}, {}])
def test_structure_is_read_where_no_scorer_is(params):
    """Splits and leaves are counted whatever the leaves hold and wherever zeros go."""
    X, y = table()
    X[::3] = 0
    grown = booster(X, y, n_trees=4, categories=False, **params)
    structure = read_structure(grown)
    nodes = grown.trees_to_dataframe()
    n_leaves = int(nodes["left_child"].isna().sum())
    assert structure.n_parameters == 2 * (len(nodes) - n_leaves) + n_leaves
    depth = nodes[nodes["left_child"].isna()].groupby("tree_index")["node_depth"].mean() - 1
    assert structure.n_operations == pytest.approx(depth.sum() + 4)


@pytest.mark.slow
def test_models_are_known_without_an_import():
    """A model of LightGBM is known; nothing that the package offers imports the library to know it."""
    X, y = table()
    grown = booster(X, y, 2)
    estimator = lightgbm.LGBMRegressor(n_estimators=2, verbosity=-1, n_jobs=1)
    assert [is_booster(model) for model in (grown, estimator, Ridge(), None)] == [True, False, False, False]
    assert [is_lightgbm(model) for model in (grown, estimator, Ridge(), None)] == [True, True, False, False]
    code = (
        "import sys, skdistill, sklearn.linear_model as linear; [getattr(skdistill, name) for name in dir(skdistill)];"
        "skdistill.compile(linear.Ridge().fit([[0.0], [1.0]], [0.0, 1.0]));"
        "skdistill.as_teacher(linear.Ridge().fit([[0.0], [1.0]], [0.0, 1.0]));"
        "assert 'lightgbm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
