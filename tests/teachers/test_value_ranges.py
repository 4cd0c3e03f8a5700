"""What a teacher of values states of them: its link, and bounds."""

import lightgbm
import numpy as np
import pytest
from scipy import special
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.ensemble import ExtraTreesRegressor, HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import GammaRegressor, LinearRegression, PoissonRegressor, Ridge, TweedieRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import as_teacher
from skdistill.teachers import known_bounds, stated_link

X, Y = load_diabetes(return_X_y=True)
SHARE = np.clip(Y / 400, 0.01, 0.99)
QUICK = {"n_estimators": 2, "verbosity": -1, "n_jobs": 1}


def with_log(model, func=np.log, inverse=np.exp):
    return TransformedTargetRegressor(model, func=func, inverse_func=inverse)


class Objective:
    """A model of another library that states its objective as XGBoost and CatBoost do."""

    def __init__(self, objective=None, **params):
        if objective is not None:
            self.objective = objective
        self.params = params

    def get_params(self):
        return self.params

    def predict(self, X):
        return np.ones(len(X))


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (PoissonRegressor(), "log"),
        (make_pipeline(StandardScaler(), GammaRegressor()), "log"),
        (FrozenEstimator(TweedieRegressor(power=1.5).fit(X, Y)), "log"),
        (TweedieRegressor(power=0), None),
        (TweedieRegressor(power=0, link="log", solver="newton-cholesky"), "log"),
        (TweedieRegressor(power=1.5, link="identity", solver="newton-cholesky"), None),
        (HistGradientBoostingRegressor(loss="gamma", max_iter=2), "log"),
        (HistGradientBoostingRegressor(max_iter=2), None),
        (lightgbm.LGBMRegressor(objective="tweedie", **QUICK), "log"),
        (lightgbm.LGBMRegressor(**QUICK), None),
        (GridSearchCV(PoissonRegressor(), {"alpha": [1.0]}, cv=2), "log"),
        (with_log(Ridge()), "log"),
        (with_log(Ridge(), np.log1p, np.expm1), "log"),
        (TransformedTargetRegressor(Ridge(), transformer=FunctionTransformer(np.log, np.exp)), "log"),
        (TransformedTargetRegressor(Ridge(), transformer=StandardScaler()), None),
        (with_log(Ridge(), np.sqrt, np.square), None),
        (LinearRegression(), None),
        (RandomForestRegressor(2), None),
    ],
    ids=lambda each: "" if each is None or isinstance(each, str) else type(each).__name__,
)
def test_models_state_their_link(model, expected):
    """Within wrappers too; models of ordinary losses state none."""
    link = stated_link(as_teacher(model.fit(X, Y)))
    assert (None if link is None else link.name) == expected
    if link is not None:
        assert link.is_inside(model.predict(X)).all()


def test_logits_of_targets_are_a_logit():
    """Targets transformed by scipy's logit are shares."""
    model = with_log(Ridge(), special.logit, special.expit).fit(X, SHARE)
    assert stated_link(as_teacher(model)).name == "logit"


def test_a_booster_states_its_link():
    """Also one that was read from its text."""
    booster = lightgbm.LGBMRegressor(objective="gamma", **QUICK).fit(X, Y).booster_
    for each in (booster, lightgbm.Booster(model_str=booster.model_to_string())):
        assert stated_link(as_teacher(each)).name == "log"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (Objective("count:poisson"), "log"),
        (Objective("reg:tweedie"), "log"),
        (Objective("reg:logistic"), "logit"),
        (Objective("reg:squarederror"), None),
        (Objective(loss_function="Tweedie:variance_power=1.5"), "log"),
        (Objective(loss_function="RMSE"), None),
        (lambda rows: np.ones(len(rows)), None),
    ],
)
def test_objectives_of_other_libraries(model, expected):
    """Read by name, with or without options."""
    link = stated_link(as_teacher(model))
    assert (None if link is None else link.name) == expected


@pytest.mark.parametrize(
    "model", [DecisionTreeRegressor(max_depth=4), RandomForestRegressor(5), ExtraTreesRegressor(5)]
)
@pytest.mark.parametrize("y", [Y, np.column_stack([Y, -Y])], ids=["one output", "two outputs"])
def test_trees_never_leave_their_bounds(model, y):
    """Whatever row they are asked for."""
    low, high = known_bounds(as_teacher(model.fit(X, y)))
    far = np.random.RandomState(0).normal(size=(500, X.shape[1]))
    for rows in (X, far):
        assert low <= model.predict(rows).min()
        assert model.predict(rows).max() <= high
    assert low > y.min() or not isinstance(model, RandomForestRegressor)


@pytest.mark.parametrize("criterion", ["squared_error", "absolute_error", "poisson"])
def test_bounds_of_a_forest_are_those_of_its_leaves(criterion):
    """The mean over the trees of their smallest and largest leaf values: inner nodes do not widen them."""
    forest = RandomForestRegressor(40, criterion=criterion, max_leaf_nodes=6, random_state=0).fit(X[:80], Y[:80])
    trees = [tree.tree_ for tree in forest.estimators_]
    leaves = [tree.value[tree.children_left < 0] for tree in trees]
    expected = np.mean([(values.min(), values.max()) for values in leaves], axis=0)
    np.testing.assert_allclose(known_bounds(as_teacher(forest)), expected, rtol=1e-8)


def test_probabilities_as_values_are_shares():
    """And nothing is known of a linear model."""
    tree = DecisionTreeClassifier(max_depth=2).fit(X, Y > 100)
    assert known_bounds(as_teacher(tree, "predict_proba", task="regression")) == (0, 1)
    assert known_bounds(as_teacher(LinearRegression().fit(X, Y))) is None
