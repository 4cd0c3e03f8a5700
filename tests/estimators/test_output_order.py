"""``output_order`` and ``quantiles`` of ``DistilledRegressor``: their defaults, and predictions that keep them."""

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skdistill
from skdistill import DistilledRegressor
from skdistill._ordering import is_in_order
from skdistill.samplers import Jitter
from skdistill.students import CompactBoostingRegressor

RNG = np.random.RandomState(0)
X = RNG.uniform(size=(150, 3))
FAR = RNG.normal(size=(200, 3)) * 3
LEVELS = [0.1, 0.5, 0.9]
TIMES = np.linspace(0.2, 3, 5)


def quantiles(rows):
    """Close quantiles of a positive value, which linear students let cross."""
    rows = np.asarray(rows)
    return np.exp(rows[:, [0]] + np.outer(rows[:, 1] ** 2, [-1, 0, 1]))


def survival(rows):
    return np.exp(-np.outer(np.exp(np.asarray(rows)[:, 0]), TIMES))


def crossing(rows):
    """Quantiles of separate models, which cross in some rows."""
    rows = np.asarray(rows)
    return np.column_stack([rows[:, 0], rows[:, 1], rows[:, 1] + 1])


class QuantileModel(RegressorMixin, BaseEstimator):
    """States its levels as quantile forests do."""

    def __init__(self, default_quantiles=None):
        self.default_quantiles = default_quantiles

    def fit(self, X, y):
        self.is_fitted_ = True
        return self

    def predict(self, X):
        return crossing(X)[:, : len(self.default_quantiles)]


def fitted(teacher, student="linear", **params):
    params = {"sampler": Jitter(), "n_synthetic": 100, "random_state": 0, **params}
    return DistilledRegressor(teacher, student, **params).fit(X)


@pytest.mark.parametrize("student", ["linear", LinearRegression()], ids=["compact", "foreign"])
@pytest.mark.parametrize(
    ("teacher", "order", "low", "high"),
    [(quantiles, "increasing", 0, np.inf), (survival, "decreasing", 0, 1)],
    ids=["quantiles", "survival"],
)
def test_the_order_of_the_teacher_is_kept_by_default(teacher, order, low, high, student):
    """With its natural bounds, in every form, far from the rows as well."""
    model = fitted(teacher, student)
    assert model.output_order_ == order
    again = pickle.loads(pickle.dumps(model.student_))
    for predict in (model.predict, again.predict, skdistill.compile(model)):
        outputs = predict(FAR)
        assert is_in_order(outputs, order).all()
        assert outputs.min() >= low
        assert outputs.max() <= high
    assert not is_in_order(fitted(teacher, student, output_order=None).predict(FAR), order).all()


def test_every_answer_must_be_in_order():
    """One row out of order is an exception, and fewer rows, columns or differences are no evidence."""

    def once(rows):
        outputs = quantiles(rows)
        outputs[np.asarray(rows)[:, 0] == X[3, 0]] *= -1
        return outputs

    assert fitted(once).output_order_ is None
    assert fitted(lambda rows: quantiles(rows)[:, :2]).output_order_ is None
    assert fitted(lambda rows: quantiles(rows)[:, [0, 0, 0]]).output_order_ is None
    assert fitted(lambda rows: quantiles(rows)[:, 0]).output_order_ is None
    few = DistilledRegressor(quantiles, "linear", sampler=None).fit(X[:99])
    assert few.output_order_ is None
    assert few.link_.bounds is None


class TestQuantiles:
    """Levels that are given, or that the teacher states."""

    @pytest.mark.parametrize(
        ("teacher", "params"),
        [(crossing, {"quantiles": LEVELS}), (QuantileModel(LEVELS).fit(X, None), {})],
        ids=["given", "stated"],
    )
    def test_levels_say_the_order(self, teacher, params):
        """Also where quantiles of the teacher cross."""
        model = fitted(teacher, **params)
        assert model.output_order_ == "increasing"
        assert model.quantiles_.tolist() == LEVELS
        assert is_in_order(model.predict(FAR), "increasing").all()

    def test_two_levels_are_enough(self):
        """What is stated needs no evidence."""
        assert fitted(QuantileModel([0.1, 0.9]).fit(X, None)).output_order_ == "increasing"

    def test_levels_of_other_outputs_are_not_read(self):
        """A function of the model with other columns than its levels has none."""
        assert fitted(quantiles).quantiles_ is None
        assert fitted(QuantileModel([0.1, 0.9, 0.5]).fit(X, None)).quantiles_ is None

    def test_a_distilled_model_states_its_own(self):
        """It may be a teacher in turn."""
        twice = fitted(fitted(crossing, quantiles=LEVELS))
        assert twice.quantiles_.tolist() == LEVELS
        assert twice.output_order_ == "increasing"

    def test_no_order_with_levels(self):
        """The levels are known all the same."""
        model = fitted(quantiles, quantiles=LEVELS, output_order=None)
        assert model.output_order_ is None
        assert model.quantiles_.tolist() == LEVELS


class TestMeanAndDeviation:
    """Gaussian processes answer both with ``response_method="mean_std"``."""

    @pytest.mark.parametrize("steps", [(), (StandardScaler(),)], ids=["model", "pipeline"])
    def test_they_are_asked(self, steps):
        """Also of a pipeline."""
        teacher = make_pipeline(*steps, GaussianProcessRegressor(alpha=0.1)).fit(X[:50], X[:50, 0])
        model = fitted(teacher, response_method="mean_std")
        assert model.output_order_ == "mean_std"
        np.testing.assert_allclose(
            model.soft_targets(X)[:, 1], teacher.predict(X, return_std=True)[1], rtol=1e-6, atol=1e-9
        )

    def test_deviations_are_not_negative(self):
        """Means may be, and deviations would be without the order."""

        def teacher(rows):
            return np.column_stack([np.asarray(rows)[:, 0] - 0.5, np.maximum(np.asarray(rows)[:, 1] - 0.5, 0)])

        model = fitted(teacher, LinearRegression(), response_method="mean_std")
        given = model.predict(FAR)
        assert given[:, 0].min() < 0
        assert given[:, 1].min() == 0
        np.testing.assert_allclose(skdistill.compile(model)(FAR), given, rtol=1e-6, atol=1e-9)
        plain = fitted(teacher, LinearRegression(), response_method="mean_std", output_order=None)
        assert plain.predict(FAR)[:, 1].min() < 0

    def test_distributions(self):
        """``pred_dist`` of NGBoost and its like."""

        class Distributed(RegressorMixin, BaseEstimator):
            def fit(self, X, y):
                self.is_fitted_ = True
                return self

            def predict(self, X):
                return np.asarray(X)[:, 0]

            def pred_dist(self, X):
                means = self.predict(X)
                return type("Normal", (), {"mean": lambda _: means, "std": lambda _: means**2})()

        model = fitted(Distributed().fit(X, None), response_method="mean_std")
        np.testing.assert_allclose(model.soft_targets(X), np.column_stack([X[:, 0], X[:, 0] ** 2]))


def test_bounds_of_the_user_come_first():
    """And no bound at all is possible."""
    assert fitted(quantiles, bounds=(-1, 30)).link_.low == -1
    assert fitted(quantiles, bounds=None).link_.bounds is None


def test_directions_that_differ_between_outputs():
    """Sorting could exchange them: the order is left out, or refused if it was given."""
    rising, mixed = [[1, 0, 0]] * 3, [[1, 0, 0], [0, 0, 0], [1, 0, 0]]
    assert fitted(quantiles, monotonic_cst=rising).output_order_ == "increasing"
    assert fitted(quantiles, monotonic_cst=mixed).output_order_ is None
    with pytest.raises(ValueError, match=r"output_order='increasing' with directions in monotonic_cst that differ"):
        fitted(quantiles, monotonic_cst=mixed, output_order="increasing")


def test_sorted_outputs_keep_common_directions():
    """Order statistics of functions that rise with a column rise."""
    model = fitted(quantiles, CompactBoostingRegressor(5, 4), monotonic_cst=[1, 0, 0])
    low, high = FAR.copy(), FAR.copy()
    high[:, 0] += RNG.uniform(size=len(FAR))
    assert np.all(model.predict(high) >= model.predict(low) - 1e-12)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"output_order": "rising"}, r"output_order='rising'; expected one of \['auto', 'increasing'"),
        ({"output_order": "Increasing"}, "Did you mean 'increasing'"),
        ({"output_order": 3}, "output_order=3; expected one of"),
        ({"quantiles": [0.5, 0.1, 0.9]}, "at least two increasing numbers between 0 and 1"),
        ({"quantiles": [0, 0.5, 1]}, "at least two increasing numbers between 0 and 1"),
        ({"quantiles": [0.1, np.nan, 0.9]}, "at least two increasing numbers between 0 and 1"),
        ({"quantiles": 0.5}, "at least two increasing numbers between 0 and 1"),
        ({"quantiles": [0.1, 0.9]}, "quantiles has 2 levels, but the teacher quantiles has 3 outputs"),
        (
            {"quantiles": LEVELS, "output_order": "decreasing"},
            "output_order='decreasing' with quantiles, which increase",
        ),
        ({"output_order": "mean_std"}, "has 3 columns with the order 'mean_std'; expected an even number"),
    ],
)
def test_invalid_parameters(params, message):
    """The message says what was expected."""
    with pytest.raises(ValueError, match=message):
        fitted(quantiles, **params)


def test_an_order_of_a_single_output():
    """There is nothing to sort."""
    with pytest.raises(ValueError, match="has 1 columns with the order 'increasing'; expected at least 2"):
        fitted(lambda rows: np.asarray(rows)[:, 0], output_order="increasing")


def test_clone_and_selection():
    """Parameters survive, and a selected student keeps the order."""
    model = DistilledRegressor(
        crossing, skdistill.AutoStudent(["linear"]), sampler=None, quantiles=LEVELS, random_state=0
    )
    twin = clone(model).fit(X)
    assert twin.quantiles == LEVELS
    assert is_in_order(twin.predict(FAR), "increasing").all()
