"""``link`` and ``bounds`` of ``DistilledRegressor``: what they are by default, and predictions that keep them."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression, PoissonRegressor, Ridge
from sklearn.tree import DecisionTreeRegressor

import skdistill
from skdistill import AutoStudent, DistilledRegressor, report
from skdistill.exceptions import TeacherOutputError
from skdistill.metrics import fidelity
from skdistill.samplers import Jitter
from skdistill.students import CompactBoostingRegressor, CompactLinearRegressor, CompactTreeRegressor
from skdistill.targets import TargetLink

X, Y = load_diabetes(return_X_y=True)
X, Y = 20 * X[:240, :5], Y[:240]
FAR = 3 * X
COUNTS = np.random.RandomState(0).poisson(np.exp(X[:, 2] + X[:, 4] - 1)).astype(float)
POISSON = PoissonRegressor(alpha=0.01).fit(X, COUNTS)
FOREST = RandomForestRegressor(10, random_state=0).fit(X, Y)
TREE = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)
COMPACT_TREE, BOOSTING = CompactTreeRegressor(8), CompactBoostingRegressor(8, 8)


def fitted(teacher=POISSON, student="linear", y=None, **params):
    params = {"sampler": Jitter(), "n_synthetic": 100, "random_state": 0, **params}
    return DistilledRegressor(teacher, student, **params).fit(X, y)


def steps(rows):
    """Return zero for a half of the rows, and positive values for the others."""
    return np.maximum(np.asarray(rows)[:, 2], 0)


def sums(rows):
    return np.asarray(rows)[:, 2]


class TestPositiveTeachers:
    """Students of a teacher with a log link predict positive values only."""

    @pytest.mark.parametrize("student", ["linear", COMPACT_TREE, BOOSTING, LinearRegression(), TREE], ids=str)
    def test_by_default(self, student):
        """In every form that is shipped, far from the rows as well."""
        model = fitted(student=student)
        compiled = skdistill.compile(model)
        for predict in (model.predict, model.student_.predict, pickle.loads(pickle.dumps(model.student_)).predict):
            assert np.all(predict(FAR) > 0)
        assert np.all(compiled(FAR) > 0)
        assert all(compiled(row) > 0 for row in FAR[:20])
        assert model.link_.name == "log"

    def test_the_identity_does_not(self):
        """So that the tests above test something."""
        assert np.any(fitted(link="identity").predict(FAR) <= 0)

    def test_fidelity_is_measured_on_the_original_scale(self):
        """By ``fidelity`` and by the selection of a student."""
        model = fitted(student=AutoStudent(["linear", "tree"]), n_synthetic=300)
        assert model.link_.name == "log"
        assert model.candidates_["family"][-1] == "linear"
        assert model.fidelity(X) == pytest.approx(fidelity(POISSON.predict(X), model.predict(X)))
        assert np.nanmax(model.candidates_["fidelity"]) == pytest.approx(model.fidelity(X), abs=0.02)

    def test_clone_and_refit_choose_the_link_again(self):
        """And parameters survive."""
        twin = clone(DistilledRegressor(FOREST, "linear", link="log", bounds=(0, 1e4), sampler=None))
        assert (twin.link, twin.bounds) == ("log", (0, 1e4))
        twin.fit(X)
        assert twin.link_ == TargetLink("log", 0.0, 1e4)
        assert twin.set_params(link="identity", bounds=None).fit(X).link_ == TargetLink()

    @pytest.mark.parametrize("params", [{"soft_weight": 0.5}, {"soft_weight": 0.0}, {"soft_weight": "auto"}])
    def test_true_counts_may_be_zero(self, params):
        """Where they are blended in, predictions are positive all the same."""
        assert np.all(fitted(y=COUNTS, **params).predict(FAR) > 0)

    @pytest.mark.parametrize("teacher_cv", [None, 3])
    def test_recipes(self, teacher_cv):
        """The link is that of the fitted recipe, also where folds label the rows."""
        model = fitted(PoissonRegressor(alpha=0.01), y=COUNTS, teacher_cv=teacher_cv)
        assert model.link_.name == "log"
        assert np.all(model.predict(FAR) > 0)

    def test_weights_of_rows_count(self):
        """Rows of weight zero are not there, with a link too."""
        weight = np.arange(len(X)) % 2
        params = {"student": "linear", "sampler": None, "link": "log", "bounds": None}
        some = DistilledRegressor(POISSON, **params).fit(X, sample_weight=weight).predict(FAR)
        np.testing.assert_allclose(some, DistilledRegressor(POISSON, **params).fit(X[weight > 0]).predict(FAR))

    def test_codes_of_several_outputs(self):
        """A compressor works on the scale of the link."""
        teacher = TransformedTargetRegressor(LinearRegression(), func=np.log, inverse_func=np.exp)
        teacher.fit(X, np.column_stack([Y, 2 * Y, Y**2]))
        model = fitted(teacher, target_compressor=PCA(1))
        assert np.all(model.predict(FAR) > 0)
        assert model.fidelity(X) > 0.99

    @pytest.mark.parametrize("student", ["linear", Ridge()], ids=["compact", "foreign"])
    def test_a_student_that_is_clearly_better_without_the_log_does_without(self, student):
        """Values that are a sum, from a teacher that states a log: they are followed, and stay positive."""

        class StatesLog:
            objective = "count:poisson"

            def predict(self, rows):
                return np.abs(10 * np.asarray(rows)[:, 0] + 3) + 0.01

        rng = np.random.RandomState(0)
        rows = np.column_stack([rng.uniform(-0.29, 1, size=400), rng.normal(size=400)])
        model = DistilledRegressor(StatesLog(), student, sampler=None, random_state=0).fit(rows)
        assert model.link_.name == "identity"
        assert np.all(model.predict(10 * rows) > 0)
        assert model.fidelity(rows) > 0.99

    def test_the_report_has_both_scales(self):
        """A column and a note for the link; none without a link."""
        model = fitted()
        found = report(model, X, COUNTS, X_train=X, y_train=COUNTS, timing=False)
        on_log = fidelity(np.log(POISSON.predict(X)), np.log(model.predict(X)))
        assert found.models["log_fidelity"][1] == pytest.approx(on_log)
        assert any("log link" in note for note in found.notes)
        assert "log_fidelity" not in report(fitted(link="identity"), X, timing=False).models


class TestOrdinaryTeachers:
    """Whose students are as they were."""

    @pytest.mark.parametrize("student", ["linear", BOOSTING, TREE], ids=str)
    def test_nothing_changes(self, student):
        """Predictions within known bounds are the same bit for bit, and estimators of others are not wrapped."""
        free, bounded = (fitted(FOREST, student, bounds=bounds) for bounds in (None, "auto"))
        assert bounded.link_.name == "identity"
        assert type(free.student_) is type(bounded.student_)
        low, high = (bounded.link_.low, bounded.link_.high)
        given = free.predict(FAR)
        if student is TREE:
            low, high = -np.inf, np.inf
        np.testing.assert_array_equal(bounded.predict(FAR), np.clip(given, low, high))

    def test_students_of_a_forest_stay_within_its_leaf_values(self):
        """Where a weighted sum of inputs would not."""
        forest = RandomForestRegressor(5, random_state=0).fit(X, X[:, 2] > 0)
        assert np.any(fitted(forest, bounds=None).predict(FAR) > 1.01)
        for predict in (fitted(forest).predict, skdistill.compile(fitted(forest))):
            assert predict(FAR).min() >= -1e-6
            assert predict(FAR).max() <= 1 + 1e-6

    def test_functions_have_no_link(self):
        """A positive output alone is no statement."""
        assert fitted(lambda rows: np.exp(sums(rows))).link_ == TargetLink()

    @pytest.mark.parametrize("student", ["linear", LinearRegression()], ids=["compact", "foreign"])
    def test_bounds_that_are_asked_for(self, student):
        """The range seen, or numbers: of students of others too."""
        low, high = sums(X).min(), sums(X).max()
        for bounds in ("seen", (low, high), (None, high)):
            model = fitted(sums, student, bounds=bounds)
            free = fitted(sums, student, bounds=None).predict(FAR)
            np.testing.assert_allclose(model.predict(FAR), np.clip(free, None if bounds == (None, high) else low, high))
            assert model.predict(FAR).max() <= high
            assert bounds == (None, high) or model.predict(FAR).min() >= low


class TestGivenLinks:
    """A link that the user passes."""

    def test_shares_between_any_bounds(self):
        """The logit of values between two numbers."""
        model = fitted(lambda rows: 5 + 10 / (1 + np.exp(-sums(rows))), link="logit", bounds=(5, 15))
        assert model.predict(FAR).min() >= 5
        assert model.predict(FAR).max() <= 15
        assert model.fidelity(X) > 0.99

    @pytest.mark.parametrize("student", ["linear", "tree", Ridge()], ids=str)
    def test_zeros_of_the_teacher_are_raised(self, student):
        """They have no logarithm; predictions are positive."""
        model = fitted(steps, student, link="log")
        assert np.all(model.predict(FAR) > 0)

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"link": "probit"}, "link='probit'; expected one of"),
            ({"link": None}, "link=None; expected one of"),
            ({"bounds": "tight"}, "bounds='tight'; expected 'auto', 'seen', None"),
            ({"bounds": (2, 1)}, "low < high"),
            ({"link": "logit", "bounds": (0, np.inf)}, "expected finite bounds"),
        ],
    )
    def test_invalid_parameters(self, params, message):
        """The error says what was expected."""
        with pytest.raises(ValueError, match=message):
            fitted(**params)

    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"link": "log"}, r"the teacher sums has \d+ values outside the bounds.*Pass link='identity'"),
            ({"link": "logit"}, r"expected values in \[0, 1\] for link='logit'"),
            ({"bounds": (-1, 1)}, r"expected values in \[-1, 1\]\. Pass bounds='auto'"),
        ],
    )
    def test_outputs_outside_the_bounds(self, params, message):
        """The error names the teacher, one output, the bounds, and the cure."""
        with pytest.raises(TeacherOutputError, match=message):
            fitted(sums, **params)

    def test_a_teacher_of_zeros_has_no_logarithm(self):
        """Not one."""
        with pytest.raises(TeacherOutputError, match="only returns 0, which has no logarithm"):
            fitted(lambda rows: np.zeros(len(rows)), link="log")

    def test_true_values_outside_the_bounds(self):
        """Are refused where they would be blended in."""
        with pytest.raises(ValueError, match=r"y has \d+ values outside the bounds"):
            fitted(link="log", y=COUNTS - 1, soft_weight=0.5)

    def test_synthetic_rows_may_leave_the_bounds(self):
        """Their targets are clipped: bounds are what the user wants of predictions."""
        model = DistilledRegressor(lambda rows: np.asarray(rows)[:, 0], "linear", link="log", sampler=Jitter(3.0))
        assert np.all(model.fit(np.abs(X) + 0.1).predict(-FAR) > 0)

    def test_compact_students_alone(self):
        """Have the same links in ``fit_soft``."""
        student = CompactLinearRegressor().fit_soft(X, POISSON.predict(X), link="log")
        np.testing.assert_allclose(student.predict(X), POISSON.predict(X), rtol=0.01)
