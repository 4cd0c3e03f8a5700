"""XGBoost models are read from their text: by hand for the rules of the format, and as the library answers."""

import json
import sys
from types import ModuleType

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

import skdistill
from skdistill.convert._xgboost import from_xgboost, trees_of_xgboost
from skdistill.exceptions import CompileError
from skdistill.metrics import fidelity
from skdistill.students import CompactInheritedClassifier

VALUES, TWO, MANY = load_diabetes(return_X_y=True), load_breast_cancer(return_X_y=True), load_wine(return_X_y=True)
COUNTS = VALUES[0], VALUES[1] // 50 + 1.0


def tree(column, condition, values, is_missing_left):
    """Return a tree of one split in the JSON format."""
    return {
        "left_children": [1, -1, -1],
        "right_children": [2, -1, -1],
        "split_indices": [column, 0, 0],
        "split_conditions": [condition, *values],
        "split_type": [0, 0, 0],
        "default_left": [int(is_missing_left), 0, 0],
        "tree_param": {"size_leaf_vector": "1"},
    }


TREES = [tree(0, 1.5, [1.0, 2.0], True), tree(1, 0.5, [10.0, 20.0], False)]


class Booster:
    """A model of two trees that is written by hand, and answers what it is told to."""

    feature_names = feature_types = None

    def __init__(self, *, margins=None, trees=TREES, weights=None, **changed):
        self.margins = margins
        model = {"trees": trees, "tree_info": [0] * len(trees), "iteration_indptr": [0, 1, 2]}
        boosted = {"name": "gbtree", "model": model}
        boosted = {"name": "dart", "gbtree": boosted, "weight_drop": weights} if weights else boosted
        self.learner = {
            "learner_model_param": {"base_score": "[2.5E-1]", "num_class": "0", "num_target": "1", "num_feature": "2"},
            "objective": {"name": "reg:squarederror"},
            "gradient_booster": boosted,
            "feature_names": [],
            "feature_types": [],
        } | changed

    def save_raw(self, raw_format):
        assert raw_format == "json"
        return bytearray(json.dumps({"learner": self.learner}).encode())

    def predict(self, rows, **_):
        return self.margins(rows)


@pytest.mark.parametrize(
    ("row", "margin"),
    [
        ([1.4, 0.4], 1 + 10),
        ([1.5, 0.5], 2 + 20),  # a cell that is equal to the condition goes to the right
        ([np.nextafter(np.float32(1.5), np.float32(0)), 0.4], 1 + 10),
        ([np.nan, 0.4], 1 + 10),  # missing cells go to the side of the tree
        ([1.4, np.nan], 1 + 20),
    ],
)
def test_rows_take_the_sides_of_the_format(row, margin):
    """Below the condition to the left, missing cells to the default side, and the base score is added."""
    assert trees_of_xgboost(Booster()).forest().scores(np.array([row]))[0, 0] == margin + 0.25


def test_trees_that_were_dropped_count_less():
    """The weights of ``dart`` multiply the leaf values of their tree."""
    assert trees_of_xgboost(Booster(weights=[0.5, 0.1])).forest().scores(np.array([[2.0, 1.0]]))[0, 0] == 1 + 2 + 0.25


@pytest.mark.parametrize(
    ("objective", "start"),
    [("binary:logistic", np.log(0.25 / 0.75)), ("count:poisson", np.log(0.25)), ("reg:quantileerror", 0.25)],
)
def test_the_base_score_is_on_the_scale_of_the_outputs(objective, start):
    """It becomes a margin by the link."""
    forest = trees_of_xgboost(Booster(objective={"name": objective})).forest()
    np.testing.assert_allclose(forest.base, [start])


@pytest.mark.parametrize("is_right", [True, False])
def test_margins_are_compared_with_those_of_the_library(is_right, monkeypatch):
    """Of rows at the thresholds and of missing cells, so that a format of another release does not go unnoticed."""
    library = ModuleType("xgboost")
    library.DMatrix = lambda rows, **_: rows
    monkeypatch.setitem(sys.modules, "xgboost", library)
    forest = trees_of_xgboost(Booster()).forest()
    flipped = Booster(trees=[tree(0, 1.5, [1.0, 2.0], False), TREES[1]])  # missing cells to the other side
    model = Booster() if is_right else flipped
    model.margins = lambda rows: forest.scores(rows)[:, 0]
    if is_right:
        assert from_xgboost(model)(np.array([[2.0, 1.0]])).tolist() == [22.25]
    else:
        with pytest.raises(CompileError, match="margins other than those of its trees"):
            from_xgboost(model)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"objective": {"name": "binary:hinge"}}, "the objective 'binary:hinge'"),
        ({"feature_types": ["c", "float"]}, "categorical columns"),
        ({"trees": [{**TREES[0], "split_type": [1, 0, 0]}]}, "categorical splits"),
        ({"trees": [{**TREES[0], "tree_param": {"size_leaf_vector": "2"}}]}, "multi_strategy='multi_output_tree'"),
        ({"gradient_booster": {"name": "gblinear", "model": {"weights": [1.0]}}}, "no trees"),
    ],
)
def test_other_models_are_refused(changed, match):
    """With what they have, and what is expected."""
    with pytest.raises(CompileError, match=f"compile: the Booster of XGBoost has {match}.*; expected"):
        from_xgboost(Booster(**changed))


# ---------------------------------------------------------------------- the library itself, where it is installed


def xgboost():
    return pytest.importorskip("xgboost")


def rows_like(X):
    """Return the rows, others of the same means and variances, and missing cells in all of them."""
    rng = np.random.default_rng(0)
    rows = np.vstack([X, X.mean(axis=0) + X.std(axis=0) * rng.normal(size=(1000, X.shape[1]))])
    rows[rng.uniform(size=rows.shape) < 0.1] = np.nan
    return rows


def assert_same(model, X):
    rows = rows_like(X)
    ask = model.predict_proba if hasattr(model, "classes_") else model.predict
    expected = model.predict(xgboost().DMatrix(rows)) if not hasattr(model, "get_booster") else ask(rows)
    compiled, atol = skdistill.compile(model), 2e-6 * max(1, np.abs(expected).max())  # margins are sums of float32
    np.testing.assert_allclose(compiled(rows), expected, rtol=0, atol=atol)
    np.testing.assert_allclose(compiled(rows[0]), expected[0], rtol=0, atol=atol)


KINDS = [
    *(("XGBRegressor", {"objective": f"reg:{name}"}, VALUES) for name in ("squarederror", "absoluteerror", "gamma")),
    *(
        ("XGBRegressor", {"objective": name}, COUNTS)
        for name in ("count:poisson", "reg:tweedie", "reg:pseudohubererror")
    ),
    ("XGBRegressor", {"objective": "reg:quantileerror", "quantile_alpha": [0.3, 0.7]}, VALUES),
    ("XGBRegressor", {"base_score": 3.0}, (VALUES[0], np.column_stack([VALUES[1], -VALUES[1]]))),
    ("XGBRegressor", {"objective": "reg:logistic"}, (TWO[0], 0.8 * TWO[1])),
    ("XGBRFRegressor", {}, VALUES),
    ("XGBClassifier", {}, TWO),
    ("XGBClassifier", {"base_score": 0.3}, TWO),
    ("XGBClassifier", {}, MANY),
    ("XGBClassifier", {"booster": "dart", "rate_drop": 0.3}, MANY),
    ("XGBRFClassifier", {}, MANY),
]


@pytest.mark.parametrize(("kind", "params", "data"), KINDS, ids=lambda part: f"{part!r:.60}")
def test_estimators_answer_as_the_library(kind, params, data):
    """Of every objective, several outputs, forests and dropped trees; missing cells as well."""
    model = getattr(xgboost(), kind)(n_estimators=20, max_depth=4, n_jobs=1, random_state=0, **params)
    assert_same(model.fit(*data), data[0])


@pytest.mark.parametrize(
    ("params", "data"),
    [
        ({"objective": "binary:logistic"}, TWO),
        ({"objective": "multi:softprob", "num_class": 3}, MANY),
        ({"objective": "rank:pairwise"}, TWO),
        ({"objective": "survival:cox"}, COUNTS),
    ],
    ids=str,
)
def test_boosters_answer_as_the_library(params, data):
    """What ``predict`` of a booster returns."""
    library = xgboost()
    assert_same(library.train({**params, "nthread": 1}, library.DMatrix(*data), 5), data[0])


def test_models_stopped_early_have_the_trees_of_their_best_iteration():
    """As ``predict_proba`` of the estimator."""
    X, y = MANY
    model = xgboost().XGBClassifier(early_stopping_rounds=3, n_estimators=100, learning_rate=1.0, n_jobs=1)
    model.fit(X[::2], y[::2], eval_set=[(X[1::2], y[1::2])], verbose=0)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    assert_same(model, X)


def test_marks_and_labels_that_cannot_be_read():
    """Another mark of missing cells, several labels, labels instead of probabilities."""
    library = xgboost()
    few = {"n_estimators": 2, "n_jobs": 1}
    booster = library.train({"objective": "multi:softmax", "num_class": 3}, library.DMatrix(*MANY), 2)
    for model, match in (
        (library.XGBRegressor(missing=0.0, **few).fit(*VALUES), "missing=0.0; expected missing=nan"),
        (library.XGBClassifier(**few).fit(TWO[0], np.column_stack([TWO[1], 1 - TWO[1]])), "2 labels per row"),
        (booster, "the objective 'multi:softmax'"),
    ):
        with pytest.raises(CompileError, match=match):
            skdistill.compile(model)


def test_students_inherit_its_trees():
    """As those of other boosting."""
    X, y = MANY
    model = xgboost().XGBClassifier(n_estimators=50, n_jobs=1, random_state=0).fit(X, y)
    student = CompactInheritedClassifier(600, init=model, random_state=0).fit_soft(X, model.predict_proba(X))
    assert student.scorer_.n_parameters <= 600
    assert fidelity(model.predict_proba(X), student.predict_proba(X)) > 0.95
