"""``AutoStudent(scoring=...)``: students are ranked by the score that counts."""

import numpy as np
import pytest
from helpers import dataset
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.metrics import get_scorer, log_loss, make_scorer, mean_absolute_error, roc_auc_score

from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill.exceptions import StudentError
from skdistill.selection import Candidates

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
    rows, labels, weight = as_drawn(model.teacher_.model, X)
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
    expected = -mean_absolute_error(model.teacher_.model.predict(X), model.predict(X))
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
        ({"scoring": lambda estimator, X, y: estimator.predict(X[:5]).mean()}, "got 5 rows to predict; expected the"),
        ({"scoring": make_scorer(lambda y, given: 1 / 0)}, "failed on the validation rows: division by zero"),
    ],
)
def test_scores_that_cannot_be_used_are_refused(options, text):
    """Before the fit where that is possible; it says what was expected."""
    with pytest.raises(StudentError, match=text):
        chosen_by(**options)
