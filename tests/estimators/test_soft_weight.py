"""``soft_weight="auto"``: how much of the truth is blended in is chosen by labels that no student is taught."""

import warnings

import numpy as np
import pytest
from helpers import CountingClassifier
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.cluster import DBSCAN
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import PredefinedSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill.exceptions import TeacherWarning
from skdistill.samplers import Jitter

RNG = np.random.RandomState(0)
X = RNG.normal(size=(400, 3))
CLEAN = np.where(X[:, 0] + X[:, 1] ** 2 > 0.5, "yes", "no")
NOISY = np.where(RNG.uniform(size=400) < 0.3, np.where(CLEAN == "yes", "no", "yes"), CLEAN)
VALUES = X[:, 0] + X[:, 1] ** 2
SHARES = [1.0, 0.75, 0.5, 0.25]
"""Of the teacher that are tried."""

TREE = DecisionTreeClassifier(max_leaf_nodes=8, random_state=0)
VALUE_TREE = DecisionTreeRegressor(max_leaf_nodes=8, random_state=0)


def knows_the_truth(rows):
    """A teacher that knows what the noisy labels hide."""
    is_yes = rows[:, 0] + rows[:, 1] ** 2 > 0.5
    return np.column_stack([np.where(is_yes, 0.3, 0.7), np.where(is_yes, 0.7, 0.3)])


def quick(teacher, student=TREE, kind=DistilledClassifier, **params):
    given = {"sampler": Jitter(), "n_synthetic": 2.0, "soft_weight": "auto", "random_state": 0, **params}
    return kind(teacher, student, **given)


class Recorder(RegressorMixin, BaseEstimator):
    """A student that remembers the rows of every fit, over all its clones."""

    taught: list = []

    def fit(self, X, y, sample_weight=None):
        type(self).taught.append(np.asarray(X))
        self.model_ = LinearRegression().fit(X, y, sample_weight)
        return self

    def predict(self, X):
        return self.model_.predict(X)


class TestChoice:
    """What is chosen, and by what."""

    def test_noise_leaves_the_teacher_alone(self):
        """Where a teacher knows what noisy labels hide, they have nothing to add."""
        X_val = np.random.RandomState(1).normal(size=(4000, 3))
        y_val = np.where(np.random.RandomState(2).uniform(size=4000) < knows_the_truth(X_val)[:, 1], "yes", "no")
        for extra in ({}, {"X_val": X_val, "y_val": y_val}):
            assert quick(knows_the_truth).fit(X[:300], NOISY[:300], **extra).soft_weight_ == 1

    def test_truth_corrects_a_poor_teacher(self):
        """Where a teacher is wrong and labels are clean, least of the teacher is taught, and that is warned of."""
        poor = DummyClassifier(strategy="uniform").fit(X, CLEAN)
        warning = r"better without the teacher DummyClassifier.* true labels of X alone, its skill"
        with pytest.warns(TeacherWarning, match=warning):
            model = quick(poor).fit(X, CLEAN)
        assert model.soft_weight_ == min(SHARES)
        skill = model.soft_weights_["skill"]
        assert skill[-1] == skill.max()

    def test_the_chosen_student_is_taught_with_the_chosen_weight(self):
        """It is the student that the same fit with that weight given makes: what is tried changes nothing else."""
        poor = LogisticRegression().fit(X, CLEAN)
        several = AutoStudent(["linear", "tree"])
        for teacher, labels, student in ((knows_the_truth, NOISY, TREE), (poor, CLEAN, several)):
            with warnings.catch_warnings(action="ignore", category=TeacherWarning):
                chosen = quick(teacher, student).fit(X, labels)
            given = quick(teacher, student, soft_weight=chosen.soft_weight_).fit(X, labels)
            np.testing.assert_array_equal(chosen.predict_proba(X), given.predict_proba(X))
        assert chosen.soft_weight_ < 1

    def test_results_are_kept(self):
        """All weights and the student without the teacher, with their gains over the teacher alone."""
        model = quick(knows_the_truth).fit(X, NOISY)
        tried = model.soft_weights_
        assert tried["soft_weight"].tolist() == [*SHARES, 0.0]
        assert tried["n_synthetic"][-1] == 0 < tried["n_synthetic"][:-1].min()
        np.testing.assert_allclose(tried["gain"], tried["skill"] - tried["skill"][0])
        assert len({len(column) for column in tried.values()}) == 1

    def test_values(self):
        """Regression, of one and of two outputs: a constant teacher is of no use, a perfect one is all there is."""
        for values in (VALUES, np.column_stack([VALUES, -VALUES])):
            poor = quick(lambda rows, v=values: np.zeros((len(rows), *v.shape[1:])), VALUE_TREE, DistilledRegressor)
            with pytest.warns(TeacherWarning, match="better without the teacher"):
                poor.fit(X, values)
            assert poor.soft_weight_ == min(SHARES)
        noisy = VALUES + np.random.RandomState(1).normal(0, 2, len(X))
        perfect = quick(lambda rows: rows[:, 0] + rows[:, 1] ** 2, VALUE_TREE, DistilledRegressor)
        assert perfect.fit(X, noisy).soft_weight_ == 1

    def test_what_is_said_of_the_student_is_said_of_one_taught_so(self):
        """The fidelity in ``candidates_`` falls with the share of the teacher."""
        poor = LogisticRegression().fit(X, CLEAN)
        with warnings.catch_warnings(action="ignore", category=TeacherWarning):
            blended = quick(poor, AutoStudent(["tree"])).fit(X, CLEAN)
        alone = quick(poor, AutoStudent(["tree"]), soft_weight=1.0).fit(X, CLEAN)
        assert blended.soft_weight_ < 1
        assert blended.candidates_.chosen.fidelity < alone.candidates_.chosen.fidelity


class TestValidationLabels:
    """Students are validated on labels that they were not fitted on and, if possible, the teacher has not seen."""

    def test_they_are_not_taught_meanwhile(self):
        """No candidate is fitted on a validation row; the final student is fitted on all rows."""
        Recorder.taught = []
        quick(lambda rows: rows[:, 0], Recorder(), DistilledRegressor, sampler=None).fit(X, X[:, 0])
        *candidates, last = Recorder.taught
        assert len(candidates) == len(SHARES) + 1
        assert len(last) == len(X)
        for rows in candidates:
            np.testing.assert_array_equal(rows, candidates[0])
        assert len(candidates[0]) == 300

    def test_given_labels_come_first(self):
        """With ``y_val`` all of ``X`` is taught to all, and nothing is held out of it."""
        Recorder.taught = []
        model = quick(lambda rows: rows[:, 0], Recorder(), DistilledRegressor, sampler=None)
        model.fit(X[:300], X[:300, 0], X_val=X[300:], y_val=X[300:, 0])
        assert [len(rows) for rows in Recorder.taught] == [300] * (len(SHARES) + 2)
        assert set(model.soft_weights_["validated_on"]) == {"X_val"}

    @pytest.mark.parametrize("teacher_cv", [None, 2, PredefinedSplit(np.arange(400) % 2)])
    def test_a_recipe_is_fitted_without_them(self, teacher_cv):
        """Whatever labels its own rows; a teacher that looks labels up then looks no better than it is."""
        recipe = KNeighborsClassifier(1)
        with warnings.catch_warnings(action="ignore", category=TeacherWarning):
            unseen = quick(recipe, teacher_cv=teacher_cv).fit(X, NOISY)
            seen = quick(KNeighborsClassifier(1).fit(X, NOISY)).fit(X, NOISY)
        assert "fitted without them" in unseen.soft_weights_["validated_on"][0]
        assert "may have been fitted on" in seen.soft_weights_["validated_on"][0]
        assert unseen.soft_weights_["skill"][0] < seen.soft_weights_["skill"][0]

    def test_a_recipe_that_then_knows_other_classes_is_not_fitted_again(self):
        """A clusterer may find other groups without some rows: then the one of all rows labels."""
        recipe = DBSCAN(eps=0.5, min_samples=5)
        model = quick(recipe, sampler=None).fit(X, recipe.fit_predict(X))
        assert "may have been fitted on" in model.soft_weights_["validated_on"][0]

    def test_a_fitted_teacher_is_not_fitted_again(self):
        """It is only asked."""
        fitted = CountingClassifier(random_state=0).fit(X, CLEAN)
        before = CountingClassifier.fits
        quick(fitted).fit(X, CLEAN)
        assert CountingClassifier.fits == before

    def test_each_class_is_taught(self):
        """Also one of a single row, which then judges nobody; of the others a quarter judges."""
        Recorder.taught = []
        rows, labels = np.arange(241.0)[:, None], np.array(["a"] * 200 + ["b"] * 40 + ["c"])
        with warnings.catch_warnings(action="ignore", category=TeacherWarning):
            quick(lambda rows: np.tile([0.6, 0.3, 0.1], (len(rows), 1)), Recorder(), sampler=None).fit(rows, labels)
        taught, last = sorted({rows.tobytes(): rows for rows in Recorder.taught}.values(), key=len)
        assert np.unique(labels[taught[:, 0].astype(int)], return_counts=True)[1].tolist() == [150, 30, 1]
        assert len(last) == 241

    def test_few_rows_or_no_labels_leave_the_teacher_alone(self):
        """Without validation labels, the student is that of weight 1."""
        for rows, labels in ((X, None), (X[:60], CLEAN[:60])):
            teacher = LogisticRegression().fit(X, CLEAN)
            model = quick(teacher).fit(rows, labels)
            assert model.soft_weight_ == 1
            assert not hasattr(model, "soft_weights_")
            given = quick(teacher, soft_weight=1.0).fit(rows, labels)
            np.testing.assert_array_equal(model.predict_proba(X), given.predict_proba(X))


class TestLimits:
    """Budget, time, memory, threads, and what is refused."""

    @pytest.mark.thinned(2)
    @pytest.mark.parametrize("student", [TREE, AutoStudent(["linear", "tree"])])
    @pytest.mark.parametrize("sampler", [Jitter(), "auto"])
    def test_budget(self, student, sampler):
        """A fitted teacher is asked about ``max_queries`` rows at most, and some of them serve to weigh the truth."""
        asked = []

        def teacher(rows):
            asked.append(len(rows))
            return knows_the_truth(rows)

        model = quick(teacher, student, sampler=sampler, max_queries=1200).fit(X, NOISY)
        assert sum(asked) == model.transfer_set_.n_queries <= 1200
        assert model.soft_weights_["n_synthetic"][0] > 0

    @pytest.mark.parametrize("student", [TREE, AutoStudent(["linear", "tree"])])
    def test_no_time(self, student):
        """Where ``time_limit`` leaves no time, nothing is tried: the teacher alone is taught."""
        model = quick(LogisticRegression(), student, time_limit=1e-9).fit(X, CLEAN)
        assert model.soft_weight_ == 1
        assert not hasattr(model, "soft_weights_")

    def test_same_whatever_the_threads_chunks_and_memory(self, tmp_path):
        """And the same again."""
        recipe = RandomForestClassifier(10)
        first = quick(recipe).fit(X, NOISY)
        for params in ({"n_jobs": 2}, {"chunk_size": 70}, {"memory": str(tmp_path)}, {"memory": str(tmp_path)}):
            other = quick(recipe, **params).fit(X, NOISY)
            np.testing.assert_array_equal(other.soft_weights_["skill"], first.soft_weights_["skill"])
            np.testing.assert_array_equal(other.predict_proba(X), first.predict_proba(X))

    def test_weights_and_unlabelled_rows(self):
        """Rows of weight zero are not used; unlabelled rows are training rows, but not validation rows."""
        weight = np.r_[np.ones(300), np.zeros(100)]
        wrong = np.r_[NOISY[:300], np.where(NOISY[300:] == "yes", "no", "yes")]
        first, other = (quick(knows_the_truth).fit(X, y, sample_weight=weight) for y in (NOISY, wrong))
        np.testing.assert_array_equal(first.soft_weights_["skill"], other.soft_weights_["skill"])
        for teacher in (knows_the_truth, LogisticRegression()):
            model = quick(teacher).fit(X[:300], NOISY[:300], X_unlabeled=X[300:])
            assert model.transfer_set_.n_unlabeled == 100
            assert 60 < model.soft_weights_["n_validated"][0] <= 75

    def test_refused(self):
        """Other texts, and labels without rows."""
        with pytest.raises(ValueError, match="soft_weight='half'; expected 'auto' if it is a string"):
            quick(knows_the_truth, soft_weight="half").fit(X, CLEAN)
        with pytest.raises(ValueError, match="y_val is given, but X_val is None"):
            quick(knows_the_truth).fit(X, CLEAN, y_val=CLEAN)
        with pytest.raises(ValueError, match="inconsistent numbers of samples"):
            quick(knows_the_truth).fit(X, CLEAN, X_val=X, y_val=CLEAN[:9])
        with pytest.raises(ValueError, match="y_val has labels that the teacher does not know"):
            quick(knows_the_truth).fit(X, CLEAN, X_val=X, y_val=np.where(CLEAN == "yes", "maybe", "no"))
