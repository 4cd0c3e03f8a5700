"""``conformalize``: intervals that contain the share of true values that they promise, for any model."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

import skdistill
from skdistill import DistilledRegressor, conformalize
from skdistill.compiled import CompiledModel, Linear
from skdistill.metrics import coverage, coverage_by_slice

RNG = np.random.default_rng(0)
LEVELS = [0.05, 0.5, 0.95]
LINE = LinearRegression().fit([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0.0, 1.0, 1.0])


def rows(n_rows):
    """Return rows and true values whose spread depends on the row."""
    X = RNG.uniform(size=(n_rows, 2))
    return X, X.sum(axis=1) + (0.1 + X[:, 0]) * RNG.standard_t(5, size=n_rows)


X, Y = rows(400)
QUANTILES = CompiledModel(Linear(np.array([[0.0, 1.0, 2.0], [1.0, 1.0, 1.0]]), np.array([-0.1, 0.0, 0.1])))
MEAN_STD = CompiledModel(Linear(np.array([[1.0, 1.0], [1.0, 0.0]]), np.array([0.0, 0.1])), order="mean_std")
MODELS = {"value": (LINE, {}), "quantiles": (QUANTILES, {"quantiles": LEVELS}), "mean_std": (MEAN_STD, {})}
each_kind = pytest.mark.parametrize("kind", MODELS)


@each_kind
@pytest.mark.parametrize("share", [0.5, 0.8, 0.9])
def test_coverage_is_exact_for_exchangeable_rows(kind, share):
    """Of n + 1 rows, each held out in turn, exactly ceil((n + 1) coverage) are inside: that is the whole proof."""
    model, options = MODELS[kind]
    for n_rows in (9, 10, 24):
        rows_of_all, others = slice(0, n_rows + 1), ~np.eye(n_rows + 1, dtype=bool)
        A, b = X[rows_of_all], Y[rows_of_all]
        found = [
            conformalize(model, A[kept], b[kept], coverage=share, **options).predict_interval(A[~kept])[0]
            for kept in others
        ]
        assert coverage(b, found) * (n_rows + 1) == pytest.approx(np.ceil((n_rows + 1) * share - 1e-9))


@each_kind
def test_intervals_of_every_form(kind):
    """They survive a pickle, and are those of the formula."""
    model, options = MODELS[kind]
    intervals = conformalize(model, X[:200], Y[:200], **options)
    found = intervals.predict_interval(X[200:])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(intervals)).predict_interval(X[200:]), found)
    outputs, margin = np.asarray(intervals.predict(X[200:])), intervals.margins[None]
    expected = {
        "value": lambda: (outputs - margin, outputs + margin),
        "quantiles": lambda: (outputs[:, 0] - margin, outputs[:, 2] + margin),
        "mean_std": lambda: (outputs[:, 0] - margin * outputs[:, 1], outputs[:, 0] + margin * outputs[:, 1]),
    }[kind]()
    np.testing.assert_allclose(found, np.column_stack(expected))
    assert repr(intervals) == "<ConformalIntervals: coverage=0.9, from 200 rows>"


def test_pickled_intervals_need_numpy_only():
    """As the compiled model inside."""
    intervals = conformalize(LINE, X, Y)
    code = (
        "import pickle, sys; intervals = pickle.load(sys.stdin.buffer); intervals.predict_interval([[0.5, 0.5]]); "
        "assert not {'sklearn', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], input=pickle.dumps(intervals), check=True, timeout=60)


def test_too_wide_quantiles_are_narrowed_and_never_empty():
    """The margin is then negative; an interval that it would turn over is its center."""
    wide = CompiledModel(Linear(np.zeros((2, 2)), np.array([-1000.0, 1000.0])))
    intervals = conformalize(wide, X, Y, quantiles=[0.05, 0.95])
    assert intervals.margins[None] < 0
    assert coverage(Y, intervals.predict_interval(X)) == pytest.approx(0.9, abs=0.01)
    turned = conformalize(wide, X, np.zeros(400), quantiles=[0.05, 0.95]).predict_interval(X)
    np.testing.assert_array_equal(turned, 0)


def test_each_group_has_its_coverage():
    """With one margin for all, the group that varies more is covered less."""
    group = np.where(X[:, 0] < 0.5, "low", "high")
    together = coverage_by_slice(Y, conformalize(LINE, X, Y).predict_interval(X), group)["coverage"]
    by_group = conformalize(LINE, X, Y, groups=group)
    apart = coverage_by_slice(Y, by_group.predict_interval(X, groups=group), group)["coverage"]
    assert np.ptp(together) > 0.05
    assert np.all(np.abs(apart - 0.9) < 0.01)
    assert repr(by_group) == "<ConformalIntervals: coverage=0.9, from 400 rows, n_groups=2>"
    shown = pickle.loads(pickle.dumps(by_group)).predict_interval(X[:5], groups=group[:5])
    np.testing.assert_array_equal(shown, by_group.predict_interval(X, groups=group)[:5])


@pytest.mark.parametrize("share", [0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
def test_rows_needed(share):
    """One row fewer is refused, and the message says how many are needed."""
    needed = round(share / (1 - share))
    many = np.resize(X, (needed, 2)), np.resize(Y, needed)
    conformalize(LINE, *many, coverage=share)
    with pytest.raises(ValueError, match=rf"got {needed - 1} rows; coverage=.* needs at least {needed:,}\. Pass more"):
        conformalize(LINE, many[0][1:], many[1][1:], coverage=share)


class TestModels:
    """Any regressor, as it is or as part of another."""

    def test_distilled_quantiles(self):
        """The levels are those of the model, and the two next to the coverage are used."""

        def teacher(rows):
            return np.asarray(rows)[:, :1] + np.asarray(rows)[:, 1:] * np.array([-2.0, -1.0, 0.0, 1.0, 2.0])

        levels = [0.05, 0.25, 0.5, 0.75, 0.95]
        model = DistilledRegressor(teacher, "linear", sampler=None, quantiles=levels).fit(X[:100])
        assert conformalize(model, X[100:], Y[100:]).columns == (0, 4)
        assert conformalize(model, X[100:], Y[100:], coverage=0.5).columns == (1, 3)

    @pytest.mark.parametrize(
        "model",
        [KNeighborsRegressor(3), make_pipeline(PolynomialFeatures(), KNeighborsRegressor(3))],
        ids=["model", "pipeline"],
    )
    def test_models_without_a_compiled_form(self, model):
        """They answer themselves."""
        model.fit(X[:100], Y[:100])
        intervals = conformalize(model, X[100:], Y[100:])
        np.testing.assert_allclose(intervals.predict_interval(X[:9]).mean(axis=1), model.predict(X[:9]))

    def test_students_without_a_compiled_form(self):
        """The student answers, and the intervals hold no teacher."""
        model = DistilledRegressor(LINE, KNeighborsRegressor(3), sampler=None).fit(X[:100])
        intervals = pickle.loads(pickle.dumps(conformalize(model, X[100:], Y[100:])))
        np.testing.assert_allclose(intervals.predict(X), model.predict(X))
        assert b"DistilledRegressor" not in pickle.dumps(intervals)

    def test_a_constant_model(self):
        """Its intervals are those of the true values alone."""
        constant = LinearRegression().fit(X, np.ones(400))
        found = conformalize(constant, X, Y).predict_interval(X)
        assert np.ptp(found, axis=0).max() < 1e-9
        assert coverage(Y, found) >= 0.9

    def test_rows_that_the_student_was_taught_on_are_refused(self):
        """Where the distilled estimator knows them."""

        class Known:
            def count_beyond_chance(self, rows):
                return len(rows)

        model = DistilledRegressor(LINE, "linear", sampler=None).fit(X[:100])
        model.seen_rows_ = Known()
        with pytest.raises(
            ValueError, match=r"400 rows of X were used to fit or select the student; expected new rows"
        ):
            conformalize(model, X, Y)


class TestInvalid:
    """Messages say what was got and what was expected."""

    @pytest.mark.parametrize("share", [0, 1, -0.1, 90, "0.9", None, np.nan, True])
    def test_coverage(self, share):
        with pytest.raises(ValueError, match=r"conformalize: coverage=.*; expected a number above 0 and below 1"):
            conformalize(LINE, X, Y, coverage=share)

    @pytest.mark.parametrize(
        ("y", "message"),
        [
            (Y[:-1], r"y has shape \(399,\); expected \(400,\)"),
            (np.column_stack([Y, Y]), r"y has shape \(400, 2\); expected \(400,\)"),
            (np.append(Y[:-1], np.nan), "y has 1 missing or infinite values"),
            (["a"] * 400, "expected one number for each row"),
            (None, "y has shape"),
        ],
    )
    def test_true_values(self, y, message):
        with pytest.raises(ValueError, match=message):
            conformalize(LINE, X, y)

    @pytest.mark.parametrize(
        ("quantiles", "message"),
        [
            ([0.9, 0.5, 0.1], "at least two increasing numbers"),
            ([0.1, 0.9], "quantiles has 2 levels, but the model has 3 outputs"),
            ([0.5, 0.7, 0.9], r"the levels of the quantiles are \[0.5, 0.7, 0.9\]; expected at least one below 0.5"),
            (None, "the model has 3 outputs; expected one value, quantiles"),
        ],
    )
    def test_levels(self, quantiles, message):
        with pytest.raises(ValueError, match=message):
            conformalize(QUANTILES, X, Y, quantiles=quantiles)

    @pytest.mark.parametrize("is_compiled", [False, True])
    def test_classes(self, is_compiled):
        """Of any model, also one whose labels are numbers and that is not compiled: that has no intervals of values."""
        labels = (Y > 0).astype(int)
        models = [LogisticRegression().fit(X, labels), KNeighborsClassifier().fit(X, labels)]
        model = skdistill.compile(models[0]) if is_compiled else models[1]
        with pytest.raises(ValueError, match=r"predicts classes; expected a model of values.*skdistill\.certify"):
            conformalize(model, X, labels)

    def test_groups(self):
        """Missing, unexpected, unknown, too small and of another length."""
        group = np.repeat([0, 1], [395, 5])
        with pytest.raises(ValueError, match=r"got 5 rows in the group 1; coverage=0.9 needs at least 9"):
            conformalize(LINE, X, Y, groups=group)
        with pytest.raises(ValueError, match=r"groups has shape \(5,\); expected \(400,\)"):
            conformalize(LINE, X, Y, groups=group[-5:])
        by_group = conformalize(LINE, X, Y, groups=group % 1)
        with pytest.raises(ValueError, match="got no groups; expected groups, one for each row"):
            by_group.predict_interval(X)
        with pytest.raises(ValueError, match=r"unknown groups \[1\]; expected one group for each row, among \[0\]"):
            by_group.predict_interval(X, groups=group)
        with pytest.raises(ValueError, match="got groups; expected no groups"):
            conformalize(LINE, X, Y).predict_interval(X, groups=group)

    def test_deviations_of_zero(self):
        """No multiple of them is wide enough."""
        zero = CompiledModel(Linear(np.zeros((2, 2)), np.zeros(2)), order="mean_std")
        with pytest.raises(ValueError, match="the standard deviation is zero in too many rows"):
            conformalize(zero, X, Y)

    def test_a_single_row(self):
        """Intervals are those of tables."""
        with pytest.raises(ValueError, match=r"X is a single row; expected a table"):
            conformalize(QUANTILES, X, Y, quantiles=LEVELS).predict_interval(X[0])

    def test_infinite_predictions(self):
        """No margin follows from them."""
        far = CompiledModel(Linear(np.zeros((2, 1)), np.array([np.inf])), is_single=True)
        with pytest.raises(ValueError, match="the model predicts NaN or infinity"):
            conformalize(far, X, Y)


def test_intervals_of_a_distilled_model_hold_on_new_rows():
    """Within three standard deviations of what they promise, although the student alone covers far less."""

    def teacher(rows):
        return np.asarray(rows)[:, :1] + np.array([-0.1, 0.0, 0.1])

    model = DistilledRegressor(teacher, "linear", sampler=None, quantiles=LEVELS).fit(X[:100])
    (A, b), (new, truth) = rows(2000), rows(5000)
    assert coverage(truth, model.predict(new)[:, [0, 2]]) < 0.3
    intervals = skdistill.conformalize(model, A, b)
    deviation = np.sqrt(0.09 / 2000 + 0.09 / 5000)
    assert coverage(truth, intervals.predict_interval(new)) == pytest.approx(0.9, abs=3 * deviation)
