"""What teachers state of the order of their outputs: levels of quantiles under the names of each package."""

import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from skdistill import as_teacher
from skdistill.teachers import stated_order, stated_quantiles

X = np.arange(6.0)[:, None]


class Stating(LinearRegression):
    """A model with any parameters."""

    def __init__(self, **params):
        super().__init__()
        self.params = params

    def get_params(self, deep=True):
        return dict(self.params)


def stating(**params):
    return Stating(**params).fit(X, X[:, 0])


@pytest.mark.parametrize(
    ("params", "levels"),
    [
        ({"default_quantiles": [0.1, 0.9]}, [0.1, 0.9]),
        ({"quantile_alpha": np.array([0.05, 0.5, 0.95])}, [0.05, 0.5, 0.95]),
        ({"q": (0.25, 0.75)}, [0.25, 0.75]),
        ({"loss_function": "MultiQuantile:alpha=0.1,0.5,0.9;other=1"}, [0.1, 0.5, 0.9]),
        ({"default_quantiles": 0.5}, None),
        ({"default_quantiles": [0.5]}, None),
        ({"default_quantiles": None, "quantile_alpha": 0.9}, None),
        ({"quantiles": "uniform"}, None),
        ({"quantiles": [0, 1]}, None),
        ({"quantiles": [0.9, 0.1]}, None),
        ({"quantiles": [[0.1, 0.9]]}, None),
        ({"quantiles": ["a", "b"]}, None),
        ({"loss_function": "Quantile:alpha=0.1"}, None),
        ({"loss_function": "RMSE"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_levels_of_quantiles(params, levels):
    """Two or more increasing numbers in (0, 1), also inside a pipeline; everything else states nothing."""
    for model in (stating(**params), make_pipeline(FrozenEstimator(stating(**params))).fit(X, X[:, 0])):
        teacher = as_teacher(model)
        found = stated_quantiles(teacher)
        assert (found is None) if levels is None else found.tolist() == levels
        assert stated_order(teacher) == (None if levels is None else "increasing")


def test_response_methods_state_an_order():
    """Whatever the model is."""
    for method, order in (("predict_survival_function", "decreasing"), ("mean_std", "mean_std"), ("predict", None)):
        assert stated_order(as_teacher(lambda rows: rows, method)) == order


def test_parameters_that_cannot_be_read():
    """They state nothing."""

    def raising(deep=True):
        raise RuntimeError("no parameters")

    model = LinearRegression().fit(X, X[:, 0])
    model.get_params = raising
    assert stated_quantiles(as_teacher(model)) is None


def test_models_without_a_deviation_have_no_method_for_it():
    """The message names the methods that there are."""
    with pytest.raises(
        ValueError, match=r"LinearRegression has no mean_std; expected one of its methods \['predict'\]"
    ):
        as_teacher(LinearRegression().fit(X, X[:, 0]), "mean_std")
