"""Outputs of the models of other packages that are in order: the student keeps it, and its bounds."""

import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor

import skdistill
from skdistill import DistilledRegressor
from skdistill._ordering import is_in_order

pytestmark = [pytest.mark.interop, pytest.mark.filterwarnings("ignore")]

RNG = np.random.RandomState(0)
X = RNG.uniform(size=(300, 4))
Y = X[:, 0] + X[:, 1] * RNG.gamma(2, size=300)
LEVELS = [0.1, 0.5, 0.9]


def quantile_forest():
    package = pytest.importorskip("quantile_forest")
    return package.RandomForestQuantileRegressor(20, default_quantiles=LEVELS, random_state=0).fit(X, Y)


def xgboost():
    package = pytest.importorskip("xgboost")
    params = {"objective": "reg:quantileerror", "quantile_alpha": LEVELS, "n_estimators": 20}
    return package.XGBRegressor(**params).fit(X, Y)


def catboost():
    package = pytest.importorskip("catboost")
    loss = "MultiQuantile:alpha=" + ",".join(map(str, LEVELS))
    return package.CatBoostRegressor(iterations=20, loss_function=loss, verbose=0, allow_writing_files=False).fit(X, Y)


def survival():
    package = pytest.importorskip("sksurv.ensemble")
    labels = np.array(list(zip(Y > 0.2, Y + 0.1, strict=True)), dtype=[("event", bool), ("time", float)])
    return package.RandomSurvivalForest(10, min_samples_leaf=8, random_state=0).fit(X, labels)


def ngboost():
    package = pytest.importorskip("ngboost")
    return package.NGBRegressor(n_estimators=20, verbose=False).fit(X, Y)


@pytest.mark.parametrize(
    ("teacher", "method", "order"),
    [
        (quantile_forest, "auto", "increasing"),
        (xgboost, "auto", "increasing"),
        (catboost, "auto", "increasing"),
        (survival, "predict_survival_function", "decreasing"),
        (ngboost, "mean_std", "mean_std"),
        (lambda: GaussianProcessRegressor(alpha=0.1).fit(X[:50], Y[:50]), "mean_std", "mean_std"),
    ],
    ids=["quantile-forest", "xgboost", "catboost", "scikit-survival", "ngboost", "Gaussian process"],
)
def test_the_order_is_read_and_kept(teacher, method, order):
    """Far from the rows too, and compiled."""
    model = DistilledRegressor(teacher(), "linear", response_method=method, sampler=None).fit(X)
    assert model.output_order_ == order
    assert (model.quantiles_ is not None) == (order == "increasing")
    outputs = skdistill.compile(model)(5 * RNG.normal(size=(500, 4)))
    assert is_in_order(outputs, order).all()
    assert order != "decreasing" or (outputs.min() >= 0 and outputs.max() <= 1)
