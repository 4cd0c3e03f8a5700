"""``calibration=`` of distilled classifiers: which rows, which targets, when it is applied, and what it promises."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import FixedThresholdClassifier, PredefinedSplit
from sklearn.naive_bayes import GaussianNB

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.estimators._calibration import MIN_ROWS
from skdistill.estimators._calibrators import LEAST_DISTANCE, MOST_KNOTS, fit_isotonic, fit_temperature
from skdistill.exceptions import TeacherWarning
from skdistill.students import CompactLinearClassifier
from skdistill.students._calibrated import IsotonicClassifier
from skdistill.targets import soften

RNG = np.random.RandomState(0)
X = RNG.normal(size=(2000, 2))
LOGITS = np.column_stack([X[:, 0], X[:, 1], -X[:, 0]])
TRUE = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
Y = (RNG.uniform(size=(2000, 1)) > TRUE.cumsum(axis=1)).sum(axis=1)
NEW = RNG.normal(size=(500, 2))
PLAIN = {"student": "linear", "sampler": None, "random_state": 0}


class Overconfident(ClassifierMixin, BaseEstimator):
    """A fitted classifier whose logits are three times as large as those of the labels; it counts its rows."""

    classes_ = np.arange(3)
    n_features_in_ = 2

    def __init__(self, factor=3.0):
        self.factor = factor
        self.asked = []

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def predict_proba(self, X):
        self.asked.append(np.array(X))
        logits = self.factor * np.column_stack([X[:, 0], X[:, 1], -X[:, 0]])
        proba = np.exp(logits - logits.max(axis=1, keepdims=True))
        return proba / proba.sum(axis=1, keepdims=True)


class Recipe(ClassifierMixin, BaseEstimator):
    """A recipe that remembers the rows that it was fitted on."""

    def fit(self, X, y):
        self.rows_, self.model_ = np.array(X), GaussianNB().fit(X, y)
        self.classes_, self.n_features_in_ = self.model_.classes_, X.shape[1]
        return self

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


def distilled(calibration, teacher=None, rows=X, y=Y, fit=None, **options):
    model = DistilledClassifier(teacher or Overconfident(), calibration=calibration, **{**PLAIN, **options})
    return model.fit(rows, y, **(fit or {}))


def keys(rows):
    return {row.tobytes() for row in np.asarray(rows)}


@pytest.mark.parametrize("calibration", ["temperature", "isotonic", "auto"])
def test_an_overconfident_student_is_calibrated_to_the_labels(calibration):
    """Its log loss on new rows is that of the true probabilities, and the results say what was gained."""
    model, plain = distilled(calibration), distilled(None)
    y_new = (RNG.uniform(size=(500, 1)) > Overconfident(1.0).predict_proba(NEW).cumsum(axis=1)).sum(axis=1)
    best = log_loss(y_new, Overconfident(1.0).predict_proba(NEW))
    most = best + (0.1 if calibration == "isotonic" else 0.05)  # functions of each class by itself are less precise
    assert log_loss(y_new, model.predict_proba(NEW)) < most < log_loss(y_new, plain.predict_proba(NEW))
    found = model.calibration_
    assert found["method"].tolist() == [
        "none",
        *(["temperature", "isotonic"] if calibration == "auto" else [calibration]),
    ]
    assert found["gain"][found["is_chosen"]] > 5 * found["gain_error"][found["is_chosen"]]
    np.testing.assert_allclose(found["gain"], found["log_loss"][0] - found["log_loss"])
    assert np.all(found["n_validated"] == len(X) // 5)
    if calibration != "isotonic":
        assert found["method"][found["is_chosen"]] == "temperature"
        assert found["temperature"][1] == pytest.approx(3, rel=0.2)
        assert type(model.student_) is CompactLinearClassifier
        np.testing.assert_array_equal(model.predict(NEW), model.classes_[model.predict_proba(NEW).argmax(axis=1)])
    np.testing.assert_allclose(skdistill.compile(model)(NEW), model.predict_proba(NEW), rtol=1e-5, atol=1e-6)


def test_without_labels_the_teacher_is_the_target():
    """A student that follows its teacher has nothing to correct, and none of its rows is taught."""
    teacher = Overconfident()
    model = distilled("temperature", teacher, y=None)
    assert model.calibration_["temperature"][1] == pytest.approx(1, abs=0.05)
    assert model.transfer_set_.n_real == len(X) * 4 // 5
    assert keys(np.vstack(teacher.asked)) >= keys(X)
    assert distilled("auto", teacher, y=None).calibration_["method"][0] == "none"


def test_rows_of_the_calibration_are_used_for_nothing_else():
    """A recipe is fitted without them, and the student as if they were not there."""
    model = distilled("temperature", Recipe())
    left_out = keys(X) - keys(model.teacher_.rows_)
    assert len(left_out) == model.calibration_["n_validated"][0] == len(X) // 5
    rest = np.array([row.tobytes() not in left_out for row in X])
    plain = distilled(None, Recipe(), rows=X[rest], y=Y[rest])
    temperature = model.calibration_["temperature"][1]
    np.testing.assert_allclose(model.predict_proba(NEW), soften(plain.predict_proba(NEW), temperature), rtol=1e-9)
    counts = np.bincount(Y[~rest]) / np.bincount(Y)
    np.testing.assert_allclose(counts, 0.2, atol=0.01)


def test_labels_of_validation_rows_come_first():
    """With y_val, no row of X is left out, and the others of X are not asked for."""
    model = distilled("temperature", fit={"X_val": X[:600], "y_val": Y[:600]}, rows=X[600:], y=Y[600:])
    assert model.transfer_set_.n_real == 1400
    assert model.calibration_["validated_on"][0] == "X_val"
    assert model.calibration_["n_validated"][0] == 600
    unlabelled = distilled("temperature", fit={"X_val": X[:600]}, rows=X[600:], y=None)
    assert unlabelled.calibration_["validated_on"][0] == "X_val"
    assert unlabelled.calibration_["temperature"][1] == pytest.approx(1, abs=0.05)
    of_rows = distilled("temperature", fit={"X_val": X[:600]}, rows=X[600:], y=Y[600:])
    assert of_rows.calibration_["validated_on"][0] == "rows of X left out of everything else"


def test_auto_leaves_calibrated_students_alone():
    """A gain within its standard error is none: the student is that of no calibration on the same rows."""
    labels = (
        np.random.RandomState(5).uniform(size=(2000, 1)) > Overconfident(1.0).predict_proba(X).cumsum(axis=1)
    ).sum(axis=1)
    model = distilled("auto", Overconfident(1.0), y=labels)
    assert model.calibration_["is_chosen"].tolist() == [True, False, False]
    assert not isinstance(model.student_, IsotonicClassifier)


def test_auto_with_few_rows_uses_all_of_them():
    """Nothing is left out where nothing could be shown."""
    model = distilled("auto", rows=X[:200], y=Y[:200])
    assert not hasattr(model, "calibration_")
    np.testing.assert_array_equal(model.predict_proba(NEW), distilled(None, rows=X[:200], y=Y[:200]).predict_proba(NEW))


def test_results_are_forgotten_by_the_next_fit():
    """A fit without a calibration has no results of one."""
    model = distilled("temperature")
    assert not hasattr(model.set_params(calibration=None).fit(X, Y), "calibration_")
    assert clone(model.set_params(calibration="auto")).calibration == "auto"


def test_weights_count():
    """Rows of weight zero are not there: the labels of the others decide."""
    weight = np.ones(len(X))
    weight[::2] = 0
    model = distilled("temperature", y=np.where(weight > 0, Y, 0), fit={"sample_weight": weight})
    assert model.calibration_["temperature"][1] == pytest.approx(3, rel=0.25)
    assert model.calibration_["n_validated"][0] == 200


def test_groups_are_left_out_whole():
    """No group is split between the calibration and the rest."""
    groups = np.arange(len(X)) % 50
    model = distilled("temperature", Recipe(), fit={"groups": groups})
    known = keys(model.teacher_.rows_)
    taught = np.array([row.tobytes() in known for row in X])
    assert all(len(set(taught[groups == group])) == 1 for group in range(50))


def test_the_query_budget_holds():
    """The rows of the calibration are a fifth of it, at most."""
    teacher = Overconfident()
    model = distilled("temperature", teacher, y=None, max_queries=400)
    assert model.transfer_set_.n_queries <= 400
    assert model.calibration_["n_validated"][0] == 80


@pytest.mark.parametrize("chunk_size", [37, 10_000])
def test_results_do_not_depend_on_threads_and_chunks(chunk_size):
    """Equal seeds are equal models."""
    expected = distilled("isotonic").predict_proba(NEW)
    np.testing.assert_array_equal(distilled("isotonic", n_jobs=2, chunk_size=chunk_size).predict_proba(NEW), expected)


@pytest.mark.parametrize(("n_rows", "calibration"), [(245, "temperature"), (1495, "isotonic")])
def test_too_few_rows(n_rows, calibration):
    """The message says how many are needed, and one group of five rows more is enough."""
    match = rf"has {n_rows // 5} rows, a fifth of the {n_rows:,} rows of X; expected at least {MIN_ROWS[calibration]}"
    with pytest.raises(ValueError, match=match):
        distilled(calibration, rows=X[:n_rows], y=Y[:n_rows])
    assert hasattr(distilled(calibration, rows=X[: n_rows + 5], y=Y[: n_rows + 5]), "calibration_")
    with pytest.raises(ValueError, match=r"has 49 rows, X_val; expected at least"):
        distilled(calibration, fit={"X_val": X[:49], "y_val": Y[:49]})


@pytest.mark.parametrize("calibration", ["sigmoid", "Temperature", True, 2.0, ["auto"]])
def test_unknown_methods(calibration):
    """The message lists the known ones."""
    with pytest.raises(
        ValueError, match=r"calibration=.*; expected one of \('temperature', 'isotonic', 'auto'\), or None"
    ):
        distilled(calibration)


def test_regressors_have_no_probabilities():
    """They have no such parameter."""
    with pytest.raises(TypeError, match="calibration"):
        DistilledRegressor(None, calibration="auto")


def test_folds_of_all_rows():
    """A splitter that knows each row cannot split a part of them; labels of X_val help."""
    for cv in (PredefinedSplit(np.arange(len(X)) % 3), [(np.arange(1000), np.arange(1000, 2000))]):
        with pytest.raises(ValueError, match="has the folds of all rows; expected a number of folds"):
            distilled("temperature", GaussianNB(), teacher_cv=cv)
    assert hasattr(distilled("temperature", GaussianNB(), teacher_cv=3), "calibration_")


def test_teachers_of_their_own_rows_only():
    """Without labels, they have no answer for the rows of a calibration."""
    with pytest.raises(ValueError, match="only knows the rows that it was fitted on"):
        distilled("temperature", AgglomerativeClustering(3), rows=X[:400], y=None)


def test_isotonic_functions_and_decisions():
    """Thresholds of the teacher move with a temperature, and not with functions, which are refused or not tried."""
    y = (Y == 1).astype(int)
    teacher = FixedThresholdClassifier(LogisticRegression(), threshold=0.3).fit(X, y)
    with pytest.raises(ValueError, match=r"has the decision thresholds of its teacher.*Pass calibration='temperature'"):
        distilled("isotonic", teacher, y=y, decision="teacher")
    model = distilled("auto", teacher, y=y, decision="teacher")
    assert model.calibration_["method"].tolist() == ["none", "temperature"]
    model = distilled("temperature", teacher, y=y, decision="teacher")
    assert np.mean(model.predict(NEW) == teacher.predict(NEW)) > 0.98
    assert model.decision_ == model.student_.decision


def test_isotonic_functions_and_constraints():
    """Of two classes, they keep the direction of a column; of more, they would not."""
    model = distilled("isotonic", LogisticRegression().fit(X, Y == 0), y=Y == 0, monotonic_cst=[1, 0])
    grid = np.column_stack([np.linspace(-4, 4, 200), np.zeros(200)])
    assert np.all(np.diff(model.predict_proba(grid)[:, 1]) >= 0)
    with pytest.raises(ValueError, match="keeps constraints of more than two classes"):
        distilled("isotonic", monotonic_cst={0: [1, 0]})


def test_a_student_of_labels_has_no_temperature():
    """Its probabilities are 0 and 1; functions of them are possible."""

    class Labels(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.classes_ = np.unique(y)
            self.inside_ = LogisticRegression().fit(X, y)
            return self

        def predict(self, X):
            return self.inside_.predict(X)

    with pytest.raises(ValueError, match=r"predicts labels only\. Pass calibration='isotonic'"):
        distilled("temperature", student=Labels())
    assert distilled("isotonic", student=Labels()).predict_proba(NEW).max() < 1


def test_all_labels_of_one_class():
    """A teacher of several classes may meet labels of one; nothing is zero or infinite."""
    for calibration in ("temperature", "isotonic"):
        proba = distilled(calibration, y=np.zeros(len(X), int)).predict_proba(NEW)
        assert np.isfinite(proba).all()
        np.testing.assert_allclose(proba.sum(axis=1), 1)
    proba = distilled("isotonic", DummyClassifier().fit(X, Y)).predict_proba(NEW)
    np.testing.assert_allclose(proba, np.tile(np.bincount(Y) / len(Y), (500, 1)), atol=0.02)


def test_the_report_says_what_was_gained():
    """With true labels: their share in each bin, and the calibration of both models."""
    model = distilled("temperature")
    y_new = (RNG.uniform(size=(500, 1)) > Overconfident(1.0).predict_proba(NEW).cumsum(axis=1)).sum(axis=1)
    found = skdistill.report(model, NEW, y_new, timing=False)
    curve = found.calibration
    assert np.average(curve["truth"], weights=curve["weight"]) == pytest.approx(np.mean(model.predict(NEW) == y_new))
    text = " ".join(found.notes)
    assert "The student is calibrated (temperature): during fit, its log loss fell by" in text
    of_teacher, of_student = (float(part.split()[0]) for part in text.split("against y is")[1].split("teacher, "))
    assert of_student < of_teacher


# ---------------------------------------------------------------------- what is fitted


@pytest.mark.parametrize("temperature", [0.25, 1.0, 6.0])
def test_fitted_temperatures_undo_that_of_the_probabilities(temperature):
    """On targets that are the probabilities themselves, at another temperature; weights only count as shares."""
    found = fit_temperature(soften(TRUE, 1 / temperature), TRUE, np.ones(len(TRUE)))
    assert found == pytest.approx(temperature, rel=0.02)
    assert fit_temperature(soften(TRUE, 1 / temperature), TRUE, np.full(len(TRUE), 7.0)) == pytest.approx(found)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_isotonic_functions_are_bounded_and_increase(n_classes):
    """They have few knots with a distance, never 0, and not more than 1; close to the truth that they are fitted to."""
    proba = np.column_stack([1 - TRUE[:, 0], TRUE[:, 0]]) if n_classes == 2 else TRUE
    found = fit_isotonic(soften(proba, 0.4), proba, np.ones(len(proba)))
    assert len(found.knots) == (1 if n_classes == 2 else 3)
    for knots, values in zip(found.knots, found.values, strict=True):
        assert 2 <= len(knots) <= MOST_KNOTS
        assert np.diff(knots).min() >= LEAST_DISTANCE
        assert np.diff(values).min() >= 0
        assert values[0] > 0
        assert values[-1] <= 1
    assert np.abs(found.of_rows(soften(proba, 0.4)) - proba).mean() < (0.01 if n_classes == 2 else 0.07)


def test_rows_of_the_calibration_are_known_as_seen():
    """Although nothing else in the fit uses them: a certificate must not rest on them."""
    model = distilled("temperature")
    assert model.seen_rows_.find(X).all()
    assert not model.seen_rows_.find(NEW).any()


def test_a_teacher_that_recalls_the_rows_left_out_is_warned_of():
    """Fitted on noisy labels of all rows, a tree hides its errors there: only a fitted teacher, without ``X_val``."""
    rows, y = make_classification(500, 10, n_informative=8, n_classes=3, random_state=0)
    recipe, options = ExtraTreesClassifier(10, random_state=0), {"n_synthetic": 4000, "random_state": 0}
    forest, given = clone(recipe).fit(rows[:400], y[:400]), {"X_val": rows[400:], "y_val": y[400:]}
    with pytest.warns(TeacherWarning, match="has memorised rows of X .* Pass X_val and y_val"):
        DistilledClassifier(forest, "linear", calibration="temperature", **options).fit(rows[:400], y[:400])
    DistilledClassifier(forest, "linear", calibration="temperature", **options).fit(rows[:400], y[:400], **given)
    DistilledClassifier(recipe, "linear", calibration="temperature", **options).fit(rows[:400], y[:400])
