"""Constraints that fitted models of the libraries state."""

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill.convert import stated_directions, stated_interactions

X = pd.DataFrame(np.random.RandomState(0).uniform(size=(60, 3)), columns=["a", "b", "c"])
Y = X["a"] - X["c"]
QUIET = {"n_estimators": 2, "verbosity": -1}


class Boosted:
    """A model with the parameters of XGBoost."""

    def __init__(self, **params):
        self.params = params

    def get_params(self, deep=True):
        return self.params


@pytest.mark.parametrize(
    "model",
    [
        HistGradientBoostingRegressor(monotonic_cst={"a": 1, "c": -1}, max_iter=2),
        HistGradientBoostingRegressor(monotonic_cst=[1, 0, -1], max_iter=2),
        RandomForestRegressor(2, monotonic_cst=[1, 0, -1]),
        lightgbm.LGBMRegressor(monotone_constraints=[1, 0, -1], **QUIET),
        lightgbm.LGBMRegressor(mc="1,0,-1", **QUIET),
    ],
    ids=lambda each: type(each).__name__,
)
def test_directions_are_read(model):
    """Whatever the library calls the parameter; frozen models and boosters state it as well."""
    model.fit(X, Y)
    expected = [1, 0, -1]
    for stated in (model, FrozenEstimator(model), getattr(model, "booster_", model)):
        np.testing.assert_array_equal(stated_directions(stated, 3), expected)
    if hasattr(model, "booster_"):  # a loaded booster has its parameters in its text only
        loaded = lightgbm.Booster(model_str=model.booster_.model_to_string())
        np.testing.assert_array_equal(stated_directions(loaded, 3), expected)


def test_directions_in_the_words_of_xgboost():
    """Tuples in text, and dicts of names."""
    for given in ("(1,0,-1)", (1, 0, -1), "[1, 0, -1]"):
        np.testing.assert_array_equal(stated_directions(Boosted(monotone_constraints=given), 3), [1, 0, -1])
    named = Boosted(monotone_constraints={"a": 1, "c": -1})
    named.feature_names_in_ = np.array(["a", "b", "c"])
    np.testing.assert_array_equal(stated_directions(named, 3), [1, 0, -1])
    named.params = {"interaction_constraints": '[["a", "b"], ["c"]]'}
    assert stated_interactions(named, 3) == [[0, 1], [2]]


def test_what_is_not_stated_is_none():
    """Models without the parameter, pipelines whose steps may change columns, functions, and zeros state nothing."""
    plain = HistGradientBoostingRegressor(max_iter=2, monotonic_cst=[0, 0, 0]).fit(X, Y)
    constrained = HistGradientBoostingRegressor(max_iter=2, monotonic_cst=[1, 0, 0])
    scaled = make_pipeline(StandardScaler(), constrained).fit(X, Y)
    for model in (plain, scaled, LinearRegression(), len, Boosted(monotone_constraints="")):
        assert stated_directions(model, 3) is None
        assert stated_interactions(model, 3) is None
    assert stated_directions(constrained.fit(X, Y), 4) is None  # of another table


def test_interactions_are_read():
    """As positions, or by the rule that makes them."""
    ours = HistGradientBoostingRegressor(max_iter=2, interaction_cst=[{0, 1}, {2}]).fit(X, Y)
    rule = HistGradientBoostingRegressor(max_iter=2, interaction_cst="no_interactions").fit(X, Y)
    theirs = lightgbm.LGBMRegressor(interaction_constraints=[[0, 1], [2]], **QUIET).fit(X, Y)
    loaded = lightgbm.Booster(model_str=theirs.booster_.model_to_string())
    assert stated_interactions(rule, 3) == "no_interactions"
    for model in (ours, theirs, theirs.booster_, loaded):
        assert stated_interactions(model, 3) == [[0, 1], [2]]
