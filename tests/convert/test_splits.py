"""What is read of the inputs of fitted models: shares of splits, stored rows, scales."""

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMRegressor
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_transformer
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    VotingRegressor,
)
from sklearn.kernel_ridge import KernelRidge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

from skdistill.convert import join_splits, parts_of, read_splits, scales_of, stored_rows

rng = np.random.default_rng(0)
X = np.column_stack([rng.exponential(size=300), rng.normal(5, 2, 300), rng.integers(0, 9, 300)]).astype(np.float32)
y = np.sin(X[:, 0]) + 0.2 * X[:, 1] + (X[:, 2] > 4)
TREES = {
    "tree": DecisionTreeRegressor(max_leaf_nodes=12, random_state=0),
    "forest": RandomForestRegressor(3, max_depth=4, bootstrap=False, max_features=1, random_state=0),
    "extra trees": ExtraTreesRegressor(3, max_depth=4, random_state=0),
    "histograms": HistGradientBoostingRegressor(max_iter=3, random_state=0),
    "LightGBM": LGBMRegressor(n_estimators=3, verbosity=-1, n_jobs=1),
}
SCALERS = {
    "none": "passthrough",
    "standard": StandardScaler(),
    "robust": RobustScaler(),
    "minus two": ColumnTransformer([("a", MinMaxScaler((1, 2)), [0, 1, 2])], transformer_weights={"a": -2.0}),
}


def rows_by_node(splits, table, codes=None):
    """Return for each split the share of the rows that reach it that go left, by sending all rows down."""
    found = np.full(len(splits.column), np.nan)
    for root in splits.root:
        waiting = [(root, np.arange(len(table)))]
        while waiting:
            node, rows = waiting.pop()
            column = splits.column[node]
            if column < 0 or len(rows) == 0:
                continue
            if splits.subset[node] >= 0:
                goes_left = splits.subsets[column][splits.subset[node]][codes[rows]]
            else:
                goes_left = table[rows, column] <= splits.threshold[node]
            found[node] = goes_left.mean()
            waiting += [(splits.left[node], rows[goes_left]), (splits.right[node], rows[~goes_left])]
    return found


@pytest.mark.parametrize("scaler", SCALERS)
@pytest.mark.parametrize("name", TREES)
def test_shares_are_those_of_the_training_rows(name, scaler):
    """Thresholds are read back through scalers, even those that turn the order round, and shares are counts."""
    model = make_pipeline(SCALERS[scaler], TREES[name]).fit(X, y)
    splits = read_splits(parts_of(model, 3)[0], [None, None, None])
    is_split = splits.column >= 0
    shares = rows_by_node(splits, X.astype(np.float64))
    assert is_split.sum() >= 10
    np.testing.assert_allclose(splits.share[is_split], shares[is_split], atol=0.05)  # rows at a threshold may turn


@pytest.mark.parametrize("encoder", [OneHotEncoder(), OrdinalEncoder(), OneHotEncoder(max_categories=3)])
def test_subsets_say_which_values_go_left(encoder):
    """Splits of encoded categories are sets of values, with the share of their rows."""
    texts = np.array(["a", "b", "c", "d"])
    codes = rng.choice(4, size=300, p=[0.5, 0.3, 0.1, 0.1])
    table = pd.DataFrame({"text": texts[codes], "number": X[:, 1]})
    columns = make_column_transformer((encoder, ["text"]), remainder="passthrough", sparse_threshold=0)
    model = make_pipeline(columns, TREES["tree"]).fit(table, codes + 0.1 * X[:, 1])
    splits = read_splits(parts_of(model, 2)[0], [texts.tolist(), None])
    cells = np.column_stack([np.full(300, np.nan), table["number"]])
    is_split = splits.column >= 0
    assert (splits.subset[splits.column == 0] >= 0).all()
    np.testing.assert_allclose(splits.share[is_split], rows_by_node(splits, cells, codes)[is_split], atol=0.02)


def test_members_are_joined():
    """The trees of the members of an ensemble are those of one model, each with its own columns."""
    model = VotingRegressor([("a", make_pipeline(StandardScaler(), TREES["tree"])), ("b", TREES["forest"])]).fit(X, y)
    found = [read_splits(part, [None, None, None]) for part in parts_of(model, 3)]
    splits = join_splits(found)
    assert len(found) == 2
    assert len(splits.root) == 4
    is_split = splits.column >= 0
    np.testing.assert_allclose(splits.share[is_split], rows_by_node(splits, X)[is_split], atol=0.02)


def test_subsets_of_members_are_joined():
    """Subsets of values keep their node when models are joined."""
    codes = np.arange(200) % 4
    table = pd.DataFrame({"text": np.array(["a", "b", "c", "d"])[codes]})
    models = [
        make_pipeline(OneHotEncoder(sparse_output=False), RandomForestRegressor(2, random_state=seed))
        for seed in range(2)
    ]
    found = [
        read_splits(parts_of(model.fit(table, np.sin(codes + seed)), 1)[0], [["a", "b", "c", "d"]])
        for seed, model in enumerate(models)
    ]
    splits, cells = join_splits(found), np.full((200, 1), np.nan)
    expected = np.concatenate([rows_by_node(each, cells, codes) for each in found])
    np.testing.assert_allclose(rows_by_node(splits, cells, codes), expected)


@pytest.mark.parametrize("model", [SVR(), KNeighborsRegressor(), KernelRidge(kernel="rbf")])
def test_stored_rows_are_rows_of_the_table(model):
    """Rows that a model stores are computed back to numbers of the table."""
    pipeline = TransformedTargetRegressor(make_pipeline(StandardScaler(), model)).fit(X, y)
    rows = stored_rows(parts_of(pipeline, 3)[0], [None, None, None])
    distance = np.abs(rows[:, None, :] - X[None]).max(axis=2).min(axis=1)
    assert len(rows) > 20
    assert distance.max() < 1e-4


def test_scales_are_mean_and_deviation():
    """A scaler tells the mean and the deviation of its columns, and nothing of others."""
    columns = make_column_transformer((StandardScaler(), [0, 2]), remainder="passthrough")
    model = make_pipeline(columns, MLPRegressor(hidden_layer_sizes=(2,), max_iter=1, random_state=0))
    with pytest.warns(UserWarning, match="Maximum iterations"):
        model.fit(X, y)
    scales = scales_of(parts_of(model, 3)[0], 3)
    np.testing.assert_allclose(scales[[0, 2]], np.column_stack([X.mean(axis=0), X.std(axis=0)])[[0, 2]], rtol=1e-4)
    assert np.isnan(scales[1]).all()


@pytest.mark.parametrize(
    "model",
    [make_pipeline(PolynomialFeatures(), TREES["tree"]).fit(X, y), np.sin, "text", RandomForestClassifier()],
    ids=["mixed columns", "function", "text", "unfitted"],
)
def test_what_cannot_be_read_has_no_parts(model):
    """Transformers that mix columns, functions, and models that are not fitted have no parts."""
    assert parts_of(model, 3) == []
