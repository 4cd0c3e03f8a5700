"""What is inside a wrapper answers as the wrapper does, on the rows that it is handed."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, RandomizedSearchCV
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skdistill import DistilledRegressor
from skdistill.convert import is_distilled, members_of, unwrap

X, y = load_diabetes(return_X_y=True)
IRIS = load_iris(return_X_y=True)
NESTED = [
    Ridge(),
    make_pipeline(StandardScaler(), Ridge()),
    make_pipeline(StandardScaler(), make_pipeline("passthrough", MinMaxScaler(), Ridge())),
    make_pipeline(StandardScaler(), FrozenEstimator(make_pipeline(MinMaxScaler(), Ridge()).fit(X * 20, y))),
    GridSearchCV(make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": [0.1, 1.0]}, cv=2),
    make_pipeline(MinMaxScaler(), RandomizedSearchCV(Ridge(), {"alpha": [1.0, 2.0]}, n_iter=2, cv=2)),
]


@pytest.mark.parametrize("model", NESTED, ids=lambda model: f"{model!r:.40}")
def test_the_model_inside_answers_for_transformed_rows(model):
    """However wrappers are nested."""
    model = model.fit(X, y)
    inside = unwrap(model)
    assert type(inside.model) is Ridge
    seen = inside.transform(X)
    np.testing.assert_array_equal(inside.model.predict(seen), model.predict(X))
    np.testing.assert_allclose(inside.inverse_transform(seen), X, atol=1e-12)


def test_only_the_wrappers_asked_for():
    """Frozen estimators and searches stay shut where only pipelines are to be looked into."""
    frozen, search = FrozenEstimator(Ridge().fit(X, y)), GridSearchCV(Ridge(), {}, cv=2).fit(X, y)
    for shut in (frozen, search, FrozenEstimator(search)):
        assert unwrap(make_pipeline(StandardScaler(), shut), through=("pipeline",)).model is shut
    assert unwrap(frozen, through=("pipeline", "search")).model is frozen
    assert unwrap(search, through=("pipeline", "frozen")).model is search


def test_prefix_of_parameters():
    """The prefix reaches the parameters of the innermost step, fitted or not."""
    inner = Ridge()
    pipeline = make_pipeline(StandardScaler(), make_pipeline(MinMaxScaler(), inner))
    pipeline.set_params(**{f"{unwrap(pipeline, through=('pipeline',)).prefix}alpha": 7.0})
    assert inner.alpha == 7.0
    assert unwrap(inner).prefix == ""


def test_distilled_estimators_are_no_wrappers():
    """They are what is looked for, fitted or not."""
    model = DistilledRegressor(Ridge().fit(X, y), "linear", sampler=None)
    assert is_distilled(model)
    assert unwrap(make_pipeline(StandardScaler(), model)).model is model
    assert not is_distilled(Ridge())


def test_members():
    """Of combinations and of wrappers whose answers are made from those inside; other models have none."""
    logistic = LogisticRegression(max_iter=1000).fit(*IRIS)
    calibrated = CalibratedClassifierCV(FrozenEstimator(logistic)).fit(*IRIS)
    assert next(type(member).__name__ for member in members_of(calibrated)) == "FrozenEstimator"
    assert len(members_of(calibrated)) == 1 + 3
    transformed = TransformedTargetRegressor(Ridge(), transformer=StandardScaler()).fit(X, y)
    assert members_of(transformed) == [transformed.regressor_]
    threshold = FixedThresholdClassifier(LogisticRegression(max_iter=1000)).fit(IRIS[0], IRIS[1] > 0)
    assert members_of(threshold) == [threshold.estimator_]
    assert len(members_of(MultiOutputRegressor(Ridge()).fit(X, np.column_stack([y, y])))) == 2
    assert members_of(logistic) is None
    assert members_of(None) is None
