"""``AutoStudent(scoring=...)``: students are ranked by the score that counts."""

import numpy as np
import pytest
from helpers import dataset
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.metrics import get_scorer, log_loss, make_scorer, mean_absolute_error, roc_auc_score

from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor, as_teacher
from skdistill.exceptions import StudentError
from skdistill.samplers import Jitter
from skdistill.selection import Candidates
from skdistill.selection._auc_of_pairs import auc_of_pairs
from skdistill.selection._scoring import PredictedClasses, value_of

FAMILIES = ["linear", "tree"]


def chosen_by(scoring, task="binary", **options):
    """Return a model whose student was chosen by a score on rows that were held out by the caller."""
    X, y = dataset(task)
    if task == "regression":
        teacher = LinearRegression().fit(X, y)
        model = DistilledRegressor(teacher, AutoStudent(FAMILIES, scoring=scoring, **options), sampler=None)
    else:
        teacher = RandomForestClassifier(10, random_state=0).fit(X, y)
        model = DistilledClassifier(teacher, AutoStudent(FAMILIES, scoring=scoring, **options), sampler=None)
    half = len(X) // 2
    return model.set_params(random_state=0).fit(X[:half], X_val=X[half:]), X[half:]


def as_drawn(teacher, X):
    """Return rows, labels and weights: each row once for each class, weighted by its probability."""
    proba = teacher.predict_proba(X)
    rows, columns = np.nonzero(proba > 1e-6)
    return rows, teacher.classes_[columns], proba[rows, columns]


@pytest.mark.parametrize(("scoring", "task"), [("roc_auc", "binary"), ("neg_log_loss", "three classes")])
def test_scores_are_those_of_scikit_learn_for_labels_of_the_teacher(scoring, task):
    """Of the student that is kept, on the validation rows, with the teacher's probabilities as weights."""
    model, X = chosen_by(scoring, task)
    rows, labels, weight = as_drawn(model.teacher_, X)
    proba = model.predict_proba(X)[rows]
    expected = (
        roc_auc_score(labels, proba[:, 1], sample_weight=weight)
        if scoring == "roc_auc"
        else -log_loss(labels, proba, sample_weight=weight, labels=model.classes_)
    )
    found = model.candidates_
    assert set(found["scored_by"]) == {scoring}
    assert found["score"][-1] == pytest.approx(expected)
    assert found["fidelity"][-1] == pytest.approx(model.fidelity(X))
    assert f"It was chosen by {scoring}: " in found.explain()
    assert f" {scoring} " in str(found).split("\n\n")[1].splitlines()[0]


def test_scores_of_values_are_those_of_scikit_learn():
    """With the teacher's values as the truth."""
    model, X = chosen_by("neg_mean_absolute_error", "regression")
    expected = -mean_absolute_error(model.teacher_.predict(X), model.predict(X))
    assert model.candidates_["score"][-1] == pytest.approx(expected)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_best_score_is_chosen(sign):
    """Also where it is that of the lowest fidelity: the score decides, not the fidelity."""

    def closeness(estimator, X, y):
        return sign * np.mean(estimator.predict(X) == y)

    found = chosen_by(closeness)[0].candidates_
    tried = [trial for trial in found.tried if trial.rung < 2 and trial.is_within_budget]
    last = [trial for trial in tried if trial.rung == max(trial.rung for trial in tried)]
    assert found.chosen.family == max(last, key=lambda trial: trial.score).family
    assert found.chosen.family == max(last, key=lambda trial: sign * trial.fidelity).family
    assert found.chosen.scored_by == "closeness"


def test_callables_without_weights_get_rows_and_most_probable_labels():
    """The rows are those of the validation, with their cells."""
    seen = []

    def record(estimator, X, y):
        seen.append((X, y))
        return get_scorer("accuracy")(estimator, X, y)

    model, X = chosen_by(record)
    for rows, labels in seen:
        np.testing.assert_array_equal(rows, X)
        np.testing.assert_array_equal(labels, model.classes_[model.soft_targets(X).argmax(axis=1)])
    assert model.candidates_["score"][-1] == np.mean(model.predict(X) == labels)


def test_few_rows_are_scored_in_cross_validation():
    """By the students of the other folds."""
    X, y = dataset("binary")
    teacher = RandomForestClassifier(10, random_state=0).fit(X, y)
    student = AutoStudent(["linear"], scoring="roc_auc")
    found = DistilledClassifier(teacher, student, sampler=None, random_state=0).fit(X).candidates_
    assert "cross-validation" in found.chosen.validated_on
    assert 0.5 < found.chosen.score < 1


def test_candidates_of_earlier_versions_are_ranked_by_fidelity():
    """Their columns do not say by what they were scored."""
    found = chosen_by(None)[0].candidates_
    earlier = Candidates()
    earlier.update({name: values for name, values in found.items() if name != "scored_by"})
    assert earlier.explain() == found.explain()
    assert earlier.chosen.scored_by == "fidelity"


@pytest.mark.parametrize("scoring", ["roc_auc_ovo", "roc_auc_ovo_weighted"])
def test_pairs_of_classes_count_rows_as_often_as_their_weights(scoring):
    """Integer weights are equal rows, for which scikit-learn computes the score; also if its scorer is passed."""
    rng = np.random.default_rng(0)
    y, proba, weight = rng.integers(0, 3, 60), rng.dirichlet(np.ones(3), 60), rng.integers(1, 4, 60)
    many = np.repeat(np.arange(60), weight)
    judged = PredictedClasses(proba[many], np.arange(3))
    expected = get_scorer(scoring)(judged, many.reshape(-1, 1), y[many])
    for given in (scoring, get_scorer(scoring)):
        value = value_of(given, np.arange(60).reshape(-1, 1), proba, np.eye(3)[y], weight.astype(float), np.arange(3))
        assert value == pytest.approx(expected)
    found = chosen_by(scoring, "three classes")[0].candidates_
    assert 0.5 < found.chosen.score <= 1
    assert found.chosen.scored_by == scoring


def test_pairs_leave_out_classes_without_rows():
    """Which scikit-learn refuses: a rare class may be missing in a fold."""
    y, proba = np.array([0, 0, 1, 1]), np.array([[0.6, 0.3, 0.1], [0.4, 0.5, 0.1], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1]])
    area = auc_of_pairs(y, proba, np.ones(4))
    assert area == np.mean([roc_auc_score(y == each, proba[:, each]) for each in (0, 1)])
    assert np.isnan(auc_of_pairs(y * 0, proba, np.ones(4)))


def test_scorers_of_users_that_refuse_weights_get_most_probable_labels():
    """Whatever the type of error is by which they refuse them."""

    def without_weights(y, given, sample_weight=None):
        if sample_weight is not None:
            raise ValueError("sample_weight is not supported")
        return np.mean(y == given)

    model, X = chosen_by(make_scorer(without_weights))
    labels = model.classes_[model.soft_targets(X).argmax(axis=1)]
    assert model.candidates_["score"][-1] == np.mean(model.predict(X) == labels)


TEXTS = np.array(["a", "b"])


@pytest.mark.parametrize(
    ("scoring", "classes", "text"),
    [
        ("roc_auc", np.arange(3), "for the 3 labels of the teacher, .*: multi_class must .* Did you mean 'roc_auc_ov"),
        ("f1", TEXTS, r"2 labels .*\['a', 'b'\]: pos_label=1 .* Expected one of accuracy, .*f1_macro"),
        ("top_k_accuracy", TEXTS, "meaningless"),
        ("f1_samples", np.arange(2), "for class labels: Samplewise metrics .* Expected one of accuracy, .*f1_macro"),
        ("accuracy", None, "scoring='accuracy' cannot be computed for values: .* Expected one of .*r2, or a callable"),
        (get_scorer("neg_log_loss"), None, "cannot be computed for values"),
    ],
)
def test_scores_for_other_tasks_are_refused_before_the_first_query(scoring, classes, text):
    """The names that can be computed are listed; a teacher that is a service, or is to be fitted, is spared."""
    X, n_queries = np.zeros((60, 2)), []

    def service(rows):
        n_queries.append(len(rows))
        return np.full((len(rows), len(classes)), 1 / len(classes)) if classes is not None else rows[:, 0]

    student = AutoStudent(FAMILIES, scoring=scoring)
    if classes is None:
        model = DistilledRegressor(service, student, sampler=None)
    else:
        model = DistilledClassifier(as_teacher(service, classes=classes), student, sampler=None)
    with pytest.raises(StudentError, match=text):
        model.fit(X)
    assert n_queries == []


def test_scores_of_one_value_are_refused_for_several_before_a_teacher_is_fitted():
    """As far as labels tell that there are several; otherwise before synthetic rows are drawn."""
    X = np.random.default_rng(0).normal(size=(60, 2))
    student = AutoStudent(FAMILIES, scoring="neg_max_error")
    with pytest.raises(StudentError, match=r"for values: Multioutput not supported .* Expected one of .*r2"):
        DistilledRegressor(UnfittableRegressor(), student).fit(X, X)
    with pytest.raises(StudentError, match="for 2 values of a row: Multioutput not supported"):
        DistilledRegressor(lambda rows: rows, student, sampler=UnfittableSampler()).fit(X)


class UnfittableRegressor(LinearRegression):
    """Must not be fitted."""

    def fit(self, X, y, sample_weight=None):
        raise AssertionError


class UnfittableSampler(Jitter):
    """Must not be fitted."""

    def fit(self, X, y=None):
        raise AssertionError


def fails(estimator, X, y):
    raise RuntimeError("no table of costs")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"scoring": "roc_au"}, "expected None, the name of a scorer .* Did you mean 'roc_auc'?"),
        ({"scoring": 3}, "scoring=3; expected None, the name of a scorer"),
        ({"scoring": "roc_auc", "min_fidelity": 0.9}, "with min_fidelity=0.9, .* expected one of them. Omit either"),
        ({"scoring": fails}, "failed on the validation rows: no table of costs Expected a scorer of class labels"),
        ({"scoring": lambda estimator, X, y: np.nan}, "returned nan on the validation rows; expected a finite number"),
        ({"scoring": lambda estimator, X, y: y}, "returned array.* expected a finite number"),
        ({"scoring": lambda estimator, X, y: None}, "returned None on the validation rows; expected a finite number"),
        ({"scoring": lambda estimator, X, y: estimator.predict(X[:5]).mean()}, "got 5 rows to predict; expected the"),
        ({"scoring": make_scorer(lambda y, given: 1 / 0)}, "failed on the validation rows: division by zero"),
    ],
)
def test_scores_that_cannot_be_used_are_refused(options, text):
    """Before the fit where that is possible; it says what was expected."""
    with pytest.raises(StudentError, match=text):
        chosen_by(**options)
