"""Hints from inside the teacher, and the discriminator, as students use them."""

import pickle

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMRegressor
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.exceptions import StudentError
from skdistill.samplers import Jitter
from skdistill.students import (
    CompactBoostingRegressor,
    CompactMLPClassifier,
    CompactMLPRegressor,
    inner_representation,
)
from skdistill.students._hints import Trained, best_of

RNG = np.random.RandomState(0)
X = RNG.uniform(-1, 1, size=(300, 4))
INSIDE = np.column_stack([np.sin(3 * X[:, 0]), X[:, 1] * X[:, 2]])
VALUES = INSIDE.sum(axis=1)
LABELS = (VALUES > 0).astype(int) + (VALUES > 0.8)
PROBA = np.exp(3 * np.column_stack([VALUES, -VALUES, INSIDE[:, 0]]))
PROBA /= PROBA.sum(axis=1, keepdims=True)
KINDS = pytest.mark.parametrize(
    ("kind", "targets"), [(CompactMLPClassifier, PROBA), (CompactMLPClassifier, PROBA[:, 1:] + PROBA[:, :1] / 2),
                          (CompactMLPRegressor, VALUES)]
)  # fmt: skip
QUICK = {"max_epochs": 3, "n_knots": 0, "random_state": 0}


def network(**params):
    return MLPRegressor(hidden_layer_sizes=(6, 5), max_iter=30, random_state=0, **params)


def same(first, second):
    """Whether two students have the same parameters, to the last bit."""
    arrays = [[*s.scorer_.weights, *s.scorer_.biases, s.scorer_.base] for s in (first, second)]
    return all(np.array_equal(a, b) for a, b in zip(*arrays, strict=True))


# ---------------------------------------------------------------------- what is inside a teacher


class TestInnerRepresentation:
    """A few numbers for each row, which say more than the outputs."""

    @pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
    def test_the_outputs_of_a_network_are_linear_in_its_hidden_layers(self):
        """Behind steps and transformed targets, too, as long as no component is left out."""
        for model in (
            network(),
            TransformedTargetRegressor(make_pipeline(StandardScaler(), network()), transformer=StandardScaler()),
            DistilledRegressor(network().fit(X, VALUES), CompactMLPRegressor(7, **QUICK), sampler=None),
        ):
            hints = inner_representation(model.fit(X, VALUES), X).astype(float)
            assert linear_error(hints, model.predict(X)) < 1e-4

    def test_the_outputs_of_a_vote_or_stack_are_linear_in_those_of_its_members(self):
        """Values, and probabilities of a soft vote."""
        trees = [("a", RandomForestRegressor(3, random_state=0)), ("b", LinearRegression())]
        for model in (VotingRegressor(trees), StackingRegressor(trees, LinearRegression(), cv=2)):
            assert linear_error(inner_representation(model.fit(X, VALUES), X), model.predict(X)) < 1e-4
        voters = [("a", RandomForestClassifier(3, random_state=0)), ("b", LogisticRegression())]
        vote = VotingClassifier(voters, voting="soft").fit(X, LABELS)
        assert linear_error(inner_representation(vote, X), vote.predict_proba(X)) < 1e-4

    @pytest.mark.parametrize(
        "model",
        [
            RandomForestClassifier(30, max_depth=4, random_state=0),
            HistGradientBoostingClassifier(max_iter=10),
            LGBMRegressor(n_estimators=10, verbosity=-1, n_jobs=1),
            CompactBoostingRegressor(10, random_state=0),
        ],
        ids=lambda model: type(model).__name__,
    )
    def test_rows_are_as_near_as_they_share_leaves(self, model):
        """In the same leaves, they are at the same place; the fewer they share, the farther they are."""
        is_classifier = hasattr(model, "predict_proba")
        model.fit(X, LABELS if is_classifier else VALUES)
        hints = inner_representation(model, X)
        outputs = model.predict_proba(X) if is_classifier else model.predict(X)
        assert linear_error(hints, outputs) < 0.35
        np.testing.assert_array_equal(hints, inner_representation(model, X))
        if isinstance(model, RandomForestClassifier):
            leaves = model.apply(X)
            shared = (leaves[:, None] == leaves[None]).mean(axis=2)
            distance = np.linalg.norm(hints[:, None] - hints[None], axis=2)
            assert distance[shared == 1].max() < 1e-6
            assert np.corrcoef(shared.ravel(), distance.ravel())[0, 1] < -0.8

    def test_they_are_standardised_and_few(self):
        """The sum of the variances is one, the largest first; never more components than asked for."""
        forest = RandomForestRegressor(20, random_state=0).fit(X, VALUES)
        for n_components in (1, 3, 500):
            variances = inner_representation(forest, X, n_components=n_components).var(axis=0)
            assert len(variances) <= n_components
            assert variances.sum() == pytest.approx(1, rel=1e-3)
            assert (np.diff(variances) < 1e-6).all()

    def test_chunks_do_not_matter(self, monkeypatch):
        """Rows are read in parts; a row has the same numbers in any part."""
        forest = RandomForestRegressor(20, random_state=0).fit(X, VALUES)
        whole = inner_representation(forest, X)
        monkeypatch.setattr("skdistill.students._inner_representation.CHUNK_ROWS", 7)
        np.testing.assert_allclose(inner_representation(forest, X), whole, atol=1e-6)

    def test_frames_with_categories(self):
        """A teacher that reads a raw table is read on the raw table."""
        table = pd.DataFrame(X).set_axis(list("abcd"), axis=1).assign(e=pd.Categorical(np.where(LABELS > 0, "u", "v")))
        boosting = CompactBoostingRegressor(5, random_state=0).fit(table, VALUES)
        assert linear_error(inner_representation(boosting, table), boosting.predict(table)) < 0.1

    def test_a_constant_inside_is_no_hint(self):
        """A tree of one leaf says nothing."""
        forest = RandomForestRegressor(3).fit(X, np.ones(300))
        hints = inner_representation(forest, X)
        assert hints.shape[0] == 300
        assert not hints.any()

    @pytest.mark.parametrize(
        ("model", "match"),
        [
            (SVC().fit(X, LABELS), "a SVC has no inner representation; expected an MLPClassifier or MLPRegressor"),
            (LinearRegression().fit(X, VALUES), "a LinearRegression has no inner representation"),
            (lambda X: X[:, 0], "has no inner representation; expected"),
            (VotingRegressor([("a", LinearRegression())]), "a VotingRegressor that is not fitted"),
            (MLPClassifier((3,)), "a MLPClassifier that is not fitted"),
            (RandomForestRegressor(), "that is not fitted"),
            (HistGradientBoostingClassifier(categorical_features=[0]).fit(np.abs(X).round(), LABELS), "cannot be read"),
        ],
    )
    def test_others_are_refused(self, model, match):
        """With the list of models that have something inside."""
        with pytest.raises(StudentError, match=match):
            inner_representation(model, X)

    def test_other_columns_are_refused(self):
        """Than those that the model was fitted on."""
        for model in (
            RandomForestRegressor(3).fit(X, VALUES),
            VotingRegressor([("a", LinearRegression())]).fit(X, VALUES),
        ):
            with pytest.raises(StudentError, match=r"cannot be read for X .* Pass the columns"):
                inner_representation(model, X[:, :2])


def linear_error(hints, outputs):
    """Return the share of the variance of outputs that is no linear function of hints."""
    design = np.column_stack([np.ones(len(hints)), hints])
    outputs = outputs.reshape(len(outputs), -1)
    left = outputs - design @ np.linalg.lstsq(design, outputs, rcond=None)[0]
    return (left**2).sum() / ((outputs - outputs.mean(axis=0)) ** 2).sum()


# ---------------------------------------------------------------------- students with hints


@KINDS
class TestHints:
    """Numbers that the last hidden layer predicts as well, while it is trained."""

    def test_weight_zero_is_as_if_there_were_none(self, kind, targets):
        """To the last bit, whatever hints and seeds there are."""
        plain = kind(8, **QUICK).fit_soft(X, targets)
        unused = kind(8, hint_weight=0, adversarial_weight=0, **QUICK).fit_soft(X, targets, hints=INSIDE)
        assert same(plain, unused)
        assert plain.hint_weight_ == 0
        used = kind(8, hint_weight=0.5, **QUICK).fit_soft(X, targets, hints=INSIDE)
        assert not same(plain, used)
        assert used.hint_weight_ == 0.5

    def test_auto_leaves_out_what_does_not_pay(self, kind, targets):
        """Constant hints change nothing, so the student is the one without, as it is without any hints."""
        plain = kind(8, **QUICK).fit_soft(X, targets)
        chosen = kind(8, hint_weight="auto", **QUICK).fit_soft(X, targets, hints=np.full(300, 7.0))
        alone = kind(8, hint_weight="auto", **QUICK).fit_soft(X, targets)
        assert same(plain, chosen)
        assert same(plain, alone)
        assert chosen.hint_weight_ == alone.hint_weight_ == 0

    def test_rows_of_weight_zero_give_no_hints(self, kind, targets):
        """The fit is as if they were not there, whatever their hints are."""
        weight = np.arange(300) % 3 > 0
        spoilt = np.where(weight[:, None], INSIDE, 1e6)
        student = kind(8, hint_weight=0.5, **QUICK)
        with_zeros = student.fit_soft(X, targets, sample_weight=weight.astype(float), hints=spoilt)
        parameters = pickle.dumps(with_zeros)
        without = student.fit_soft(X[weight], targets[weight], hints=INSIDE[weight])
        assert same(pickle.loads(parameters), without)

    def test_scale_and_place_of_hints_do_not_matter(self, kind, targets):
        """They are standardised together."""
        student = kind(8, hint_weight=0.5, max_epochs=2, n_knots=0, random_state=0)
        first = student.fit_soft(X, targets, hints=INSIDE).scorer_.scores(X)
        second = student.fit_soft(X, targets, hints=1000 * INSIDE - 3).scorer_.scores(X)
        np.testing.assert_allclose(first, second, atol=1e-2)

    @pytest.mark.parametrize(
        ("hints", "match"),
        [
            (INSIDE[:299], r"hints have shape \(299, 2\); expected \(300, n_hints\)"),
            (np.zeros((300, 2, 2)), r"hints have shape \(300, 2, 2\); expected"),
            (np.zeros((300, 0)), r"hints have shape \(300, 0\); expected"),
            (np.where(X > 0.99, np.nan, X), "hints have NaN or infinite numbers; expected finite"),
            (np.full((300, 1), "a"), "hints are no array of numbers"),
            (None, r"hint_weight=0.5, but there are no hints: the student is fitted alone. Pass hints to fit_soft"),
        ],
    )
    def test_bad_hints_are_refused(self, kind, targets, hints, match):
        """By name, and nothing is half fitted."""
        student = kind(8, hint_weight=0.5, **QUICK)
        with pytest.raises(StudentError, match=match):
            student.fit_soft(X, targets, hints=hints)
        assert not hasattr(student, "n_features_in_")

    def test_a_start_has_hints_too(self, kind, targets):
        """Training that goes on from an earlier student."""
        earlier = kind(8, **QUICK).fit_soft(X, targets)
        plain = kind(8, init=earlier, **QUICK).fit_soft(X, targets)
        hinted = kind(8, init=earlier, hint_weight=0.5, **QUICK).fit_soft(X, targets, hints=INSIDE)
        assert not same(plain, hinted)


@pytest.mark.parametrize(("name", "value"), [("hint_weight", -1), ("hint_weight", np.nan), ("hint_weight", "always"),
                                             ("adversarial_weight", -0.1), ("adversarial_weight", np.nan),
                                             ("adversarial_weight", "auto")])  # fmt: skip
def test_weights_are_checked(name, value):
    """Numbers of at least 0, or "auto" for hints."""
    for student in (CompactMLPRegressor(4, **{name: value}), CompactMLPClassifier(4, **{name: value})):
        with pytest.raises((ValueError, TypeError), match=f"{name}=.*; expected a number of at least 0"):
            student.fit(X, LABELS)


def test_auto_uses_hints_that_pay():
    """Hidden units of a teacher that a student of the same shape can copy; the choice is the best of the weights."""
    rng = np.random.RandomState(0)
    rows = rng.uniform(-1, 1, size=(1500, 6))
    inside = np.maximum(rows @ rng.normal(size=(6, 8)), 0)
    targets = inside @ np.tile([1.0, -1.0], 4)

    def error(weight):
        student = CompactMLPRegressor(
            (16, 16), hint_weight=weight, validation_fraction=0.4, n_knots=0, max_epochs=10, random_state=0
        ).fit_soft(rows, targets, hints=inside)
        return student.validation_errors_.min(), student.hint_weight_

    (least, chosen), plain = error("auto"), error(0.0)[0]
    assert chosen > 0
    assert least < 0.96 * plain
    assert least == min(error(weight)[0] for weight in (0.1, 0.3, 1.0))


@pytest.mark.parametrize(("n_validation", "is_used"), [(30, False), (2000, True)])
def test_a_gain_within_chance_is_no_reason_for_hints(n_validation, is_used):
    """A tenth of the error can be chance on 30 validation rows, but hardly on 2,000."""
    plain, hinted = Trained(None, [3.0, 1.0], 0.0, []), Trained(None, [3.0, 0.9], 0.3, [])
    assert best_of([plain, hinted], n_validation) is (hinted if is_used else plain)


class TestDistilledWithHints:
    """Distilled estimators read the hints of their teachers."""

    FOREST = RandomForestClassifier(10, random_state=0).fit(X, LABELS)

    def fitted(self, teacher, student=None, **params):
        student = CompactMLPClassifier(8, hint_weight=0.5, **QUICK) if student is None else student
        params = {"sampler": Jitter(), "n_synthetic": 200, "random_state": 0} | params
        return DistilledClassifier(teacher, student, **params).fit(X)

    def test_it_is_one_more_pass_of_the_teacher(self):
        """Counted with the other queries."""
        plain = self.fitted(self.FOREST, CompactMLPClassifier(8, **QUICK)).transfer_set_
        hinted = self.fitted(self.FOREST)
        assert hinted.transfer_set_.n_queries == plain.n_queries + 500
        assert hinted.student_.hint_weight_ == 0.5
        assert len(pickle.dumps(hinted.student_)) < 1.05 * len(
            pickle.dumps(self.fitted(self.FOREST, CompactMLPClassifier(8, **QUICK)).student_)
        )

    def test_samplers_are_compared_without(self):
        """A comparison of samplers reads no hints."""
        alone = DistilledClassifier(self.FOREST, CompactMLPClassifier(8, **QUICK), n_synthetic=200, random_state=0)
        hinted = DistilledClassifier(
            self.FOREST, CompactMLPClassifier(8, hint_weight=0.5, **QUICK), n_synthetic=200, random_state=0
        )
        extra = hinted.fit(X).transfer_set_.n_queries - alone.fit(X).transfer_set_.n_queries
        assert extra == 500

    def test_it_goes_with_other_options(self):
        """Fewer columns for the student, compressed targets, steps before it, rows of weight zero, any n_jobs."""
        student = CompactMLPClassifier(8, hint_weight=0.5, **QUICK)
        assert self.fitted(self.FOREST, student_columns=[0, 2]).student_.n_features_in_ == 2
        self.fitted(self.FOREST, make_pipeline(StandardScaler(), student))
        self.fitted(self.FOREST, CompactMLPRegressor(8, hint_weight=0.5, **QUICK), target_compressor=PCA(2))
        weight = (np.arange(300) % 2).astype(float)
        model = DistilledClassifier(self.FOREST, student, sampler=None, random_state=0)
        first = model.fit(X, sample_weight=weight).predict_proba(X)
        np.testing.assert_array_equal(model.set_params(n_jobs=2).fit(X, sample_weight=weight).predict_proba(X), first)
        values = RandomForestRegressor(5, random_state=0).fit(X, np.exp(VALUES))
        linked = DistilledRegressor(
            values, CompactMLPRegressor(8, hint_weight=0.5, **QUICK), link="log", sampler=None, random_state=0
        )
        assert (linked.fit(X).predict(X) > 0).all()

    def test_teachers_without_an_inside(self):
        """A weight is an error that lists the teachers that have one; "auto" goes without."""
        teacher = KNeighborsClassifier().fit(X, LABELS)
        with pytest.raises(StudentError, match=r"CompactMLPClassifier: hint_weight=0.5, but there are no hints: a KNe"):
            self.fitted(teacher)
        off = self.fitted(teacher, CompactMLPClassifier(8, hint_weight="auto", **QUICK)).student_
        assert off.hint_weight_ == 0
        assert same(off, self.fitted(teacher, CompactMLPClassifier(8, **QUICK)).student_)


# ---------------------------------------------------------------------- students against a discriminator


@KINDS
def test_a_discriminator_changes_the_student_and_costs_it_little(kind, targets):
    """The same seed gives the same student, close to the one without."""
    params = {"n_knots": 0, "random_state": 0, "max_epochs": 20}
    plain = kind(16, **params).fit_soft(X, targets)
    judged = kind(16, adversarial_weight=0.05, **params).fit_soft(X, targets)
    again = kind(16, adversarial_weight=0.05, **params).fit_soft(X, targets)
    assert same(judged, again)
    assert not same(plain, judged)
    assert judged.validation_errors_.min() < 2 * plain.validation_errors_.min()


def test_an_unstable_training_is_said_and_the_best_epoch_kept():
    """Where the weight is far too large."""
    student = CompactMLPRegressor(
        8, adversarial_weight=100.0, n_knots=0, max_epochs=40, n_iter_no_change=40, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match="CompactMLPRegressor: the adversarial training was not stable"):
        student.fit(X, VALUES)
    assert np.mean((student.predict(X) - VALUES) ** 2) < np.var(VALUES)
