"""The labels of the student are those that the teacher predicts, also where these are not its largest probabilities."""

import pickle
import warnings
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from strategies import distributions

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor, report
from skdistill.compiled import Decision
from skdistill.estimators._decision import LabelComparison
from skdistill.estimators._thresholds import best_cut, errors_of, fit_thresholds
from skdistill.exceptions import TeacherOutputError, TeacherWarning
from skdistill.inspection import FidelityDisplay
from skdistill.metrics import agreement_scorer
from skdistill.students import CompactBoostingClassifier
from skdistill.teachers import Teacher, as_teacher, label_teacher
from skdistill.transfer import Oracle, TransferSet

X, _ = load_breast_cancer(return_X_y=True)
X = StandardScaler().fit_transform(X[:, :4])
RNG = np.random.default_rng(0)
Y = np.array(["bad", "good"])[(X[:, 0] + RNG.normal(size=len(X)) > 0).astype(int)]
TRAIN, TEST = slice(0, None, 2), slice(1, None, 2)
OPTIONS = {"sampler": None, "random_state": 0}
LABELS_DIFFER = "the label that the teacher .* predicts is not its largest probability"


def threshold_teacher(threshold=0.2, **options):
    return FixedThresholdClassifier(LogisticRegression(), threshold=threshold, **options).fit(X[TRAIN], Y[TRAIN])


def distil(teacher, student="linear", *, rows=X[TRAIN], labels=Y[TRAIN], **options):
    """Fit with the teacher's decision, without the warning."""
    return DistilledClassifier(teacher, student, **{"decision": "teacher", **OPTIONS, **options}).fit(rows, labels)


class Thresholded(ClassifierMixin, BaseEstimator):
    """A logistic regression with a threshold that it keeps under a name of its own, or states in the way of others."""

    def __init__(self, cut=0.2, says=""):
        self.cut = cut
        self.says = says

    def fit(self, X, y):
        self.inner_ = LogisticRegression().fit(X, y)
        self.classes_ = self.inner_.classes_
        if self.says == "attribute":
            self.threshold = self.cut
        elif self.says == "method":
            self.get_probability_threshold = lambda: self.cut
        elif self.says == "something else":
            self.threshold = 0.45
        return self

    def predict_proba(self, X):
        return self.inner_.predict_proba(X)

    def predict(self, X):
        return self.classes_[(self.predict_proba(X)[:, 1] > self.cut).astype(int)]


class WithoutLabels(Thresholded):
    """Its ``predict`` returns probabilities, as that of a network."""

    def predict(self, X):
        return self.predict_proba(X)


class Failing(Thresholded):
    """Its ``predict`` raises."""

    def predict(self, X):
        raise RuntimeError("no labels")


class TestThresholds:
    """Of two classes."""

    @pytest.mark.parametrize("threshold", [0.1, 0.4, 0.8])
    @pytest.mark.parametrize("pos_label", [None, "bad", "good"])
    def test_a_stated_threshold_is_taken_exactly(self, threshold, pos_label):
        """It is a number to rely on, whichever class it is the threshold of."""
        teacher = threshold_teacher(threshold, pos_label=pos_label)
        model = distil(teacher)
        positive = 0 if pos_label == "bad" else 1
        assert model.decision_.thresholds[positive] == threshold
        assert model.decision_.positive == positive
        assert np.mean(model.predict(X[TEST]) == teacher.predict(X[TEST])) > 0.97

    @pytest.mark.parametrize(
        "wrap",
        [
            FrozenEstimator,
            lambda model: make_pipeline(StandardScaler(), clone(model)).fit(X[TRAIN], Y[TRAIN]),
            lambda model: GridSearchCV(clone(model), {"threshold": [0.2]}, cv=2).fit(X[TRAIN], Y[TRAIN]),
            clone,
            lambda model: distil(model),
        ],
        ids=["frozen", "pipeline", "search", "recipe", "distilled"],
    )
    def test_inside_others(self, wrap):
        """A threshold inside a wrapper is the one of the wrapper."""
        model = distil(wrap(threshold_teacher()))
        assert model.decision_.thresholds[1] == 0.2
        assert np.mean(model.predict(X[TEST]) == model.teacher_.predict(X[TEST])) > 0.95

    def test_tuned(self):
        """By scikit-learn, on whatever response."""
        teacher = TunedThresholdClassifierCV(LogisticRegression(), scoring="balanced_accuracy", cv=2)
        teacher.fit(X[TRAIN], (Y[TRAIN] == "good") & (X[TRAIN, 1] > 1))
        model = distil(teacher, labels=None)
        assert model.decision_.thresholds[1] == teacher.best_threshold_
        assert np.mean(model.predict(X[TEST]) == teacher.predict(X[TEST])) > 0.95

    @pytest.mark.parametrize("says", ["", "attribute", "method", "something else"])
    @pytest.mark.parametrize("cut", [0.2, 0.7])
    def test_classes_of_other_packages(self, cut, says):
        """A stated threshold is read; without one, or with an attribute that means another thing, it is fitted."""
        model = distil(Thresholded(cut, says).fit(X[TRAIN], Y[TRAIN]))
        found = model.decision_.thresholds[1]
        assert found == cut if says in ("attribute", "method") else abs(found - cut) < 0.03

    def test_margins(self):
        """A threshold of margins becomes one of probabilities."""
        teacher = FixedThresholdClassifier(SVC(kernel="linear"), threshold=-1.0).fit(X[TRAIN], Y[TRAIN])
        model = distil(teacher)
        assert np.mean(model.predict(X[TEST]) == teacher.predict(X[TEST])) > 0.95
        assert np.mean(distil(teacher, decision="argmax").predict(X[TEST]) == teacher.predict(X[TEST])) < 0.9

    def test_an_unrelated_attribute_is_no_threshold(self):
        """Where the labels are the largest probabilities, no attribute makes them others."""
        teacher = Thresholded(0.5, "something else").fit(X[TRAIN], Y[TRAIN])
        second = teacher.predict_proba(X[TRAIN])[:, 1]
        rows = X[TRAIN][(second < 0.45) | (second > 0.55)]  # on these, both thresholds are right
        model = distil(teacher, rows=rows, labels=None)
        assert not hasattr(model, "decision_")
        assert np.mean(model.predict(X) == model.teacher_.predict(X)) > 0.97

    def test_synthetic_rows_make_it_precise(self):
        """Rows next to the threshold are asked for, real or not."""
        teacher = Thresholded(0.2).fit(X[TRAIN], Y[TRAIN])
        rows = X[TRAIN][:40]
        coarse = distil(teacher, rows=rows, labels=Y[TRAIN][:40])
        fine = distil(teacher, rows=rows, labels=Y[TRAIN][:40], sampler=skdistill.samplers.Jitter(), n_synthetic=400)
        errors = [abs(model.decision_.thresholds[1] - 0.2) for model in (coarse, fine)]
        assert errors[1] < 0.002 < errors[0]

    def test_out_of_fold(self):
        """Probabilities of teachers of folds are not compared with the labels of the teacher."""
        model = distil(clone(threshold_teacher()), teacher_cv=3)
        assert model.decision_.thresholds[1] == 0.2
        assert np.mean(model.predict(X[TEST]) == model.teacher_.predict(X[TEST])) > 0.95

        class Derived(DecisionTreeClassifier):
            pass

        plain = distil(Derived(random_state=0), teacher_cv=3, decision="auto")  # no warning
        assert not hasattr(plain, "decision_")


class TestSeveralClasses:
    """Thresholds of all classes, or the labels themselves."""

    def test_thresholds_of_classes(self):
        """If they reproduce the labels, they are found from the labels alone."""
        rows, y = load_iris(return_X_y=True)
        rows = rows + np.random.default_rng(0).normal(size=rows.shape)

        class Weighted(LogisticRegression):
            def predict(self, X):
                return self.classes_[(self.predict_proba(X) / [0.2, 0.6, 0.2]).argmax(axis=1)]

        teacher = Weighted(C=0.1, max_iter=1000).fit(rows, y)
        model = distil(teacher, rows=rows, labels=y)
        assert np.allclose(model.decision_.thresholds, [0.2, 0.6, 0.2], atol=0.08)
        assert np.mean(model.predict(rows) == teacher.predict(rows)) > 0.95
        assert np.mean(model.predict_proba(rows).argmax(axis=1) == teacher.predict(rows)) < 0.9

    def test_labels_are_taught_where_no_thresholds_reproduce_them(self):
        """And fit says so."""
        rows, y = load_wine(return_X_y=True)
        teacher = NearestCentroid().fit(rows, y)
        with pytest.warns(TeacherWarning, match="the student is fitted to the labels"):
            model = distil(teacher, "boosting", rows=rows[TRAIN], labels=y[TRAIN])
        assert not hasattr(model, "decision_")
        assert np.isin(model.soft_targets(rows), (0, 1)).all()
        taught = np.mean(model.predict(rows[TEST]) == teacher.predict(rows[TEST]))
        with pytest.warns(TeacherWarning, match=f'{LABELS_DIFFER}.*Pass decision="teacher" to fit the student to'):
            model = distil(teacher, "boosting", rows=rows[TRAIN], labels=y[TRAIN], decision="auto")
        assert np.mean(model.predict(rows[TEST]) == teacher.predict(rows[TEST])) < taught - 0.1

    def test_thresholds_that_the_student_cannot_use_are_dropped(self):
        """Students do not imitate logarithms of tiny probabilities, though these may separate the labels."""
        second = np.concatenate([np.full(50, 1e-7), np.full(30, 1e-5), np.full(50, 0.9)])
        labels = (second > 1e-6).astype(int)
        of_student = np.concatenate([np.linspace(0, 0.001, 50), np.linspace(0, 0.001, 30), np.full(50, 0.9)])

        def kept(student_proba, rows=X[:130]):
            rounded = np.column_stack([1 - student_proba, student_proba])
            compared = LabelComparison(
                as_teacher(Thresholded().fit(X, Y)), rows, np.column_stack([1 - second, second]), labels, "auto"
            )
            assert compared.reproduced == 1
            assert compared.share == 30 / 130
            targets = SimpleNamespace(predict=lambda student, rows: rounded, of=lambda outputs: outputs)
            real = TransferSet(rows, compared.proba, np.ones(130))
            options = SimpleNamespace(teacher_cv=None, memory=None, chunk_size=100)
            student = compared.decide(options, "student", real, targets, Oracle(None, joblib.Memory(None)))
            return student != "student", compared.reproduced

        assert kept(second) == (True, 1)
        assert kept(of_student) == (False, 1 - 30 / 130)


class TestModes:
    """``decision="auto"``, ``"argmax"`` and ``"teacher"``."""

    def test_auto_imitates_and_says_so(self):
        """The warning names the share of rows, and how to confirm or avoid it."""
        teacher = threshold_teacher()
        differ = np.mean(teacher.predict(X[TRAIN]) != teacher.classes_[teacher.predict_proba(X[TRAIN]).argmax(axis=1)])
        with pytest.warns(TeacherWarning, match=LABELS_DIFFER) as told:
            model = DistilledClassifier(teacher, "linear", **OPTIONS).fit(X[TRAIN], Y[TRAIN])
        message = str(told[0].message)
        assert f"for {differ:.1%} of 285 rows" in message
        assert all(part in message for part in ("0.8, 0.2", 'decision="teacher"', 'decision="argmax"'))
        assert told[0].filename == __file__
        assert model.decision_ == distil(teacher).decision_

    def test_probabilities_are_imitated_whatever_the_decision(self):
        """Only labels depend on it."""
        teacher = threshold_teacher()
        models = [distil(teacher, decision=decision) for decision in ("argmax", "teacher")]
        assert np.array_equal(*(model.predict_proba(X) for model in models))
        assert not hasattr(models[0], "decision_")
        assert np.any(models[0].predict(X) != models[1].predict(X))

    def test_argmax_asks_for_no_label(self):
        """Nor does it warn."""
        DistilledClassifier(Failing().fit(X, Y), "linear", decision="argmax", **OPTIONS).fit(X)

    @pytest.mark.parametrize("kind", [WithoutLabels, Failing])
    def test_without_labels(self, kind):
        """A ``predict`` that is of no use does not stop a fit, unless its labels are to be imitated."""
        teacher = kind().fit(X, Y)
        model = distil(teacher, decision="auto")
        largest = model.classes_[model.predict_proba(X).argmax(axis=1)]
        assert np.array_equal(model.predict(X), largest)
        assert agreement_scorer(model, X) > 0.95
        with pytest.raises(TeacherOutputError if kind is WithoutLabels else RuntimeError, match="labels"):
            distil(teacher)

    def test_functions_have_no_labels(self):
        """Nothing is compared."""
        teacher = as_teacher(threshold_teacher().predict_proba)
        model = distil(teacher)
        assert model.transfer_set_.n_queries == len(X[TRAIN])
        assert not hasattr(model, "decision_")

    def test_unknown(self):
        """The message lists what there is."""
        with pytest.raises(ValueError, match=r"decision='labels'; expected one of 'auto', 'argmax', 'teacher'"):
            distil(threshold_teacher(), decision="labels")

    def test_a_second_fit_forgets_the_first(self):
        """No decision is left of a teacher that had one."""
        model = distil(threshold_teacher())
        model.set_params(teacher=LogisticRegression().fit(X, Y)).fit(X)
        assert not hasattr(model, "decision_")
        assert np.array_equal(model.predict(X), model.classes_[model.predict_proba(X).argmax(axis=1)])

    def test_regressors_have_none(self):
        """It is a parameter of classifiers."""
        model = DistilledRegressor(Ridge().fit(X, X[:, 0]), "linear", **OPTIONS).fit(X)
        assert "decision" not in model.get_params()


class TestQueries:
    """Labels are queries: few, counted, and within the budget."""

    @pytest.mark.parametrize(
        "teacher",
        [
            RandomForestClassifier(3, random_state=0),
            make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=3, random_state=0)),
            GridSearchCV(LogisticRegression(), {"C": [1.0]}, cv=2),
        ],
        ids=["forest", "pipeline", "search"],
    )
    def test_known_models_are_not_asked(self, teacher):
        """Where the labels are known to be the largest probabilities, a fit costs nothing more."""
        model = DistilledClassifier(teacher.fit(X, Y), "linear", **OPTIONS).fit(X)
        assert model.transfer_set_.n_queries == len(X)

    def test_classes_derived_from_known_ones_are_asked(self):
        """They may differ."""

        class Derived(RandomForestClassifier):
            pass

        assert label_teacher(as_teacher(Derived(3).fit(X, Y))) is not None

    @pytest.mark.parametrize("decision", ["auto", "teacher"])
    @pytest.mark.parametrize("most", [50, 285, 400, 4000])
    def test_the_budget_holds(self, most, decision):
        """At most a tenth of it is for labels, and all queries are in the summary."""
        asked = []

        class Counting(Thresholded):
            def predict_proba(self, X):
                asked.append(len(X))
                return super().predict_proba(X)

            def predict(self, X):
                asked.append(len(X))
                return self.classes_[(super().predict_proba(X)[:, 1] > self.cut).astype(int)]

        teacher = Counting().fit(X[TRAIN], Y[TRAIN])
        model = DistilledClassifier(teacher, "linear", decision=decision, max_queries=most, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TeacherWarning)
            model.set_params(sampler=skdistill.samplers.Jitter()).fit(X[TRAIN])
        assert sum(asked) == model.transfer_set_.n_queries <= most
        assert hasattr(model, "decision_") or (decision == "auto" and most <= 285)

    def test_few_rows_are_asked(self):
        """However many there are."""
        rows = np.tile(X, (3, 1))
        model = distil(Thresholded().fit(X, Y), rows=rows, labels=None)
        assert 300 <= model.transfer_set_.n_queries - len(rows) <= 600

    def test_memory_keeps_labels(self, tmp_path, monkeypatch):
        """A second fit asks for none."""
        teacher = Thresholded().fit(X[TRAIN], Y[TRAIN])
        first, outputs, asked = distil(teacher, memory=str(tmp_path)), Teacher.outputs, []

        def record(self, X):
            asked.append((self.response_method, X.shape[0]))
            return outputs(self, X)

        monkeypatch.setattr(Teacher, "outputs", record)
        second = distil(teacher, memory=str(tmp_path))
        assert {method for method, _ in asked} == {"predict_proba"}
        assert max(n_rows for _, n_rows in asked) == 16  # rows by which the memory notices a change
        assert first.decision_ == second.decision_

    def test_chunks_and_jobs_change_nothing(self):
        """The decision is the same."""
        teacher = Thresholded().fit(X[TRAIN], Y[TRAIN])
        decisions = {distil(teacher, chunk_size=size, n_jobs=jobs).decision_ for size, jobs in ((7, 1), (1000, 2))}
        assert len(decisions) == 1


class TestKept:
    """The decision goes where the student goes."""

    teacher = threshold_teacher()
    students = (
        "tree",
        LogisticRegression(),
        make_pipeline(StandardScaler(), LogisticRegression()),
        CompactBoostingClassifier(5),
        DecisionTreeClassifier(max_depth=4),
        Ridge(),
    )

    @pytest.mark.parametrize("student", students, ids=lambda student: type(student).__name__)
    def test_any_student(self, student):
        """Alone, cloned and pickled, it predicts the labels of the model; ``predict_proba`` is that of the student."""
        model = distil(self.teacher, student)
        expected = model.classes_[model.decision_.positions(model.predict_proba(X))]
        alone = model.student_
        copies = [model, alone, clone(alone), pickle.loads(pickle.dumps(alone)), pickle.loads(pickle.dumps(model))]
        assert all(np.array_equal(each.predict(X), expected) for each in copies)
        assert np.any(expected != model.classes_[alone.predict_proba(X).argmax(axis=1)])
        assert np.array_equal(clone(model).fit(X[TRAIN], Y[TRAIN]).predict(X), expected)
        assert alone.n_features_in_ == 4

    @pytest.mark.parametrize("student", ["tree", LogisticRegression(), Ridge()], ids=lambda s: type(s).__name__)
    @pytest.mark.parametrize("temperature", [1.0, 2.0])
    def test_compiled(self, student, temperature):
        """Of the model and of its student, for one row and for many."""
        model = distil(self.teacher, student, temperature=temperature) if student != "tree" else distil(self.teacher)
        proba = model.predict_proba(X)
        clear = np.abs(proba[:, 1] - 0.2) > 1e-6  # rounding may move others
        for compiled in (skdistill.compile(model), skdistill.compile(model.student_)):
            assert compiled.decision == model.decision_
            assert np.array_equal(compiled.predict(X)[clear], model.predict(X)[clear])
            assert [compiled.predict(row) for row in X[:20]] == compiled.predict(X[:20]).tolist()

    @pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame])
    def test_frames(self, library):
        """Rows of a frame are asked for as a frame."""
        rows = library({f"x{place}": column for place, column in enumerate(X.T)})
        teacher = make_pipeline(StandardScaler(), threshold_teacher()).fit(rows, Y)
        model = distil(teacher, "tree", rows=rows, labels=Y)
        assert model.decision_.thresholds[1] == 0.2
        assert np.mean(model.predict(rows) == teacher.predict(rows)) > 0.9
        assert model.student_.feature_names_in_.tolist() == ["x0", "x1", "x2", "x3"]


class TestMeasured:
    """Agreement and reports are about the labels that both models predict."""

    @pytest.mark.parametrize("decision", ["argmax", "teacher"])
    def test_agreement(self, decision):
        """With the labels of ``predict``, here of a service that states no threshold."""
        teacher = Thresholded(0.1).fit(X[TRAIN], Y[TRAIN])
        model = distil(teacher, decision=decision)
        said = teacher.predict(X[TEST])
        expected = np.mean(said == model.predict(X[TEST]))
        assert np.array_equal(model.teacher_labels(X[TEST]), said)
        assert agreement_scorer(model, X[TEST]) == expected
        assert (expected > 0.95) == (decision == "teacher")

    @pytest.mark.parametrize("decision", ["argmax", "teacher"])
    def test_report(self, decision):
        """All its numbers about labels, its worst rows and its notes."""
        teacher = threshold_teacher(0.1)
        model = distil(teacher, decision=decision)
        rows, y, said = X[TEST], Y[TEST], teacher.predict(X[TEST])
        same = said == model.predict(rows)
        found = report(model, rows, y, X_train=X[TRAIN], y_train=Y[TRAIN], timing=False)
        models = found.to_frame().set_index("model")
        assert models.loc["student", "agreement"] == same.mean()
        assert models.loc["teacher", "accuracy"] == np.mean(said == y)
        assert models.loc["student", "accuracy"] == np.mean(model.predict(rows) == y)
        assert f"It predicts the teacher's label for {same.mean():.1%} of the rows" in found.verdict
        assert found.by_output["n_rows"].tolist() == [np.sum(said == "bad"), np.sum(said == "good")]
        assert np.isclose(np.sum(found.rules["disagreement"] * found.rules["n_rows"]), np.sum(~same))
        for row, text in zip(found.worst_rows["row"], found.worst_rows["teacher"], strict=True):
            column = int(said[row] == "good")
            assert text == f"{said[row]} ({teacher.predict_proba(rows[[row]])[0, column]:.2f})"
        largest = teacher.classes_[teacher.predict_proba(rows).argmax(axis=1)]
        assert any(f"For {np.mean(said != largest):.1%} of these rows" in note for note in found.notes)
        assert np.array_equal(found.answers.same_label, same)
        plt = pytest.importorskip("matplotlib.pyplot")
        shown = FidelityDisplay.from_estimator(model, rows)
        assert f"same label ({same.mean():.1%}" in shown.scatter_[0].get_label()
        plt.close(shown.figure_)

    def test_any_pair(self):
        """Of a teacher and a student that was not distilled here: both are asked for their labels."""
        teacher, student = threshold_teacher(0.1), threshold_teacher(0.3)
        found = report(student, X[TEST], teacher=teacher, timing=False)
        same = np.mean(teacher.predict(X[TEST]) == student.predict(X[TEST]))
        assert found.to_frame().set_index("model").loc["student", "agreement"] == same
        compiled = skdistill.compile(distil(teacher))
        found = report(compiled, X[TEST], teacher=teacher, timing=False)
        assert found.to_frame().set_index("model").loc["student", "agreement"] > 0.95


class TestFit:
    """Thresholds that reproduce labels."""

    @given(distributions(), st.data())
    def test_thresholds_are_never_worse_than_the_largest_probability(self, proba, data):
        """Whatever the labels."""
        n_rows, n_classes = proba.shape
        labels = np.array(data.draw(st.lists(st.integers(0, n_classes - 1), min_size=n_rows, max_size=n_rows)))
        fitted = fit_thresholds(proba, labels)
        assert errors_of(proba, labels, fitted) <= np.count_nonzero(proba.argmax(axis=1) != labels)
        assert len(fitted.thresholds) == n_classes
        assert np.isclose(sum(fitted.thresholds), 1)

    @given(st.floats(0.02, 0.98), st.integers(0, 1000))
    def test_a_threshold_is_found(self, threshold, seed):
        """Between the two rows next to it."""
        second = np.random.default_rng(seed).uniform(size=200)
        labels = (second >= threshold).astype(int)
        found = fit_thresholds(np.column_stack([1 - second, second]), labels).thresholds[1]
        assert np.array_equal(second >= found, labels == 1)

    @given(st.lists(st.floats(0.1, 1), min_size=3, max_size=5), st.integers(0, 1000))
    def test_thresholds_of_classes_are_found(self, thresholds, seed):
        """They reproduce nearly all labels that were made by some."""
        proba = np.random.default_rng(seed).dirichlet(np.ones(len(thresholds)), size=300)
        labels = Decision(tuple(thresholds)).positions(proba)
        assert errors_of(proba, labels, fit_thresholds(proba, labels)) <= 0.03 * len(labels)

    def test_a_cut_is_the_widest_of_the_best(self):
        """In the middle of an interval without values."""
        values = np.array([0.1, 0.2, 0.4, 0.9])
        assert best_cut(values, values > 0.3, values < 0.3) == (pytest.approx(0.3), 0)
        assert best_cut(values, values > 2, values < 2, 0.0, 1.0) == (pytest.approx(0.95), 0)
        assert best_cut(values, values > 0, values < 0, 0.0, 1.0) == (pytest.approx(0.05), 0)
