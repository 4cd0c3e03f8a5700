"""Fitting any estimator with weights, where it takes them."""

import numpy as np
import pytest
import sklearn
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdistill._fitting import accepts_sample_weight, final_step, fit_weighted


def test_final_step_is_the_one_that_predicts():
    """The last step of a pipeline, and anything else itself."""
    ridge = Ridge()
    assert final_step(make_pipeline(StandardScaler(), ridge)) is ridge
    assert final_step(ridge) is ridge


@pytest.mark.parametrize(("estimator", "takes"), [(Ridge(), True), (KNeighborsClassifier(), False)])
def test_weights_are_looked_for_at_the_end(estimator, takes):
    """A pipeline takes weights if its last step does."""
    assert accepts_sample_weight(estimator) is takes
    assert accepts_sample_weight(make_pipeline(StandardScaler(), estimator)) is takes


@pytest.mark.parametrize("routing", [False, True])
def test_weights_reach_the_end_of_a_pipeline(routing):
    """A row of weight zero is ignored, inside a pipeline as well, whether metadata routing is on or off."""
    X, y, weight = np.array([[0.0], [1.0], [2.0]]), np.array([0.0, 1.0, 50.0]), np.array([1.0, 1.0, 0.0])
    expected = Ridge(alpha=1e-9).fit(X[:2], y[:2]).predict(X)
    with sklearn.config_context(enable_metadata_routing=routing):
        for estimator in (Ridge(alpha=1e-9), make_pipeline(StandardScaler(), Ridge(alpha=1e-9))):
            np.testing.assert_allclose(fit_weighted(estimator, X, y, weight).predict(X), expected, atol=1e-6)
        assert sklearn.get_config()["enable_metadata_routing"] is routing
