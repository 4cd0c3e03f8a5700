"""``AutoStudent(tolerance=...)``: students that answer more rows of a cascade, because they give others up."""

import pickle

import numpy as np
import pandas as pd
import pytest
from helpers import CountingClassifier, dataset

from skdistill import AutoStudent, CascadeRegressor, DistilledClassifier, DistilledRegressor
from skdistill.exceptions import StudentError
from skdistill.metrics._answering import LEAST_DISTANCE, answered_share, distance_in_tolerances, reweighted
from skdistill.selection._cascade_students import ANSWERED

ROWS = np.random.default_rng(0).uniform(size=(1600, 2))


def half_noise(X):
    """A teacher that no small student learns where the first column is large, and any student elsewhere."""
    return np.sin(7 * X[:, 1]) + np.where(X[:, 0] > 0.4, np.sin(1e4 * X[:, 0]) * np.cos(1e4 * X[:, 1]), 0)


def distilled(tolerance, *, teacher=half_noise, families=("boosting",), n_jobs=None, **options):
    """Return a regressor whose student is selected on rows that are passed as validation rows."""
    student = AutoStudent(list(families), tolerance=tolerance, **options)
    model = DistilledRegressor(teacher, student, sampler=None, student_size=200, n_jobs=n_jobs, random_state=0)
    return model.fit(ROWS[:700], X_val=ROWS[700:900])


@pytest.fixture(scope="module")
def pair():
    """Return two students of the same size: one for use by itself, and one for a cascade."""
    return distilled(None), distilled(0.1)


def test_a_cascade_leaves_more_rows_to_a_student_that_is_fitted_for_it(pair):
    """At the same promise, size and rows: it gives up those that it cannot learn, and is by itself no better."""
    shares = [
        CascadeRegressor(half_noise, model, agreement=0.95, tolerance=0.1, n_synthetic=500, random_state=0)
        .fit(ROWS[900:])
        .share_student_
        for model in pair
    ]
    assert shares[1] > 1.3 * shares[0]
    easy = ROWS[:, 0] < 0.4
    errors = [np.abs(model.predict(ROWS) - half_noise(ROWS)) for model in pair]
    assert errors[1][easy].mean() < 0.8 * errors[0][easy].mean()
    assert errors[1][~easy].mean() >= errors[0][~easy].mean() - 0.05


def test_candidates_say_what_they_were_fitted_for(pair):
    """The best of each family is fitted in both ways, scored by the rows that it answers, and again on all rows."""
    found = pair[1].candidates_
    assert found.chosen.is_for_cascade
    assert found.chosen.scored_by == ANSWERED
    assert 0 < found.chosen.score < 1
    assert ANSWERED in found.explain()
    assert found["is_for_cascade"].tolist()[-2:] == [True, True]
    assert not pair[0].candidates_["is_for_cascade"].any()
    assert str(pickle.loads(pickle.dumps(found))) == str(found)


def test_the_family_is_chosen_by_the_rows_that_it_answers():
    """Not by fidelity, and the same for any number of jobs."""
    models = [distilled(0.1, families=("linear", "boosting"), n_jobs=n_jobs) for n_jobs in (None, 2)]
    tried = [trial for trial in models[0].candidates_.tried if trial.scored_by == ANSWERED and trial.rung == 1]
    assert len({trial.family for trial in tried if trial.is_for_cascade}) == 2
    best, chosen = max(tried, key=lambda trial: trial.score), models[0].candidates_.chosen
    assert (chosen.family, chosen.is_for_cascade) == (best.family, best.is_for_cascade)
    np.testing.assert_array_equal(models[0].predict(ROWS), models[1].predict(ROWS))


def test_few_rows_are_fitted_for_a_cascade_too():
    """Where candidates are cross-validated, only the final student is."""
    student = AutoStudent(["linear", "tree"], tolerance="auto")
    model = DistilledRegressor(half_noise, student, sampler=None, random_state=0).fit(ROWS[:200])
    assert "cross-validation" in model.candidates_.chosen.validated_on
    assert model.candidates_["is_for_cascade"].tolist()[-1]
    assert np.isfinite(model.candidates_.chosen.fidelity)
    assert {trial.scored_by for trial in model.candidates_.tried} == {"fidelity"}  # so are they ranked


def test_tables_with_texts_are_fitted_too():
    """The distance is learned from cells as the student encodes them."""
    table = pd.DataFrame(ROWS, columns=["a", "b"]).assign(text=np.where(ROWS[:, 1] > 0.5, "x", "y"))
    teacher = lambda X: half_noise(X[["a", "b"]].to_numpy()) + (X["text"] == "x")  # noqa: E731
    student = AutoStudent(["linear"], tolerance=0.1)
    model = DistilledRegressor(teacher, student, sampler=None, student_size=100, random_state=0)
    model.fit(table[:700], X_val=table[700:900])
    assert ANSWERED in model.candidates_.explain()
    assert "text" in model.student_.feature_names_in_


def test_auto_is_a_tenth_of_the_standard_deviation():
    """As for the cascade: of the values of the teacher for the rows of the fit."""
    spread = 0.1 * np.std(half_noise(ROWS[:700]))
    auto, given = distilled("auto"), distilled(spread)
    np.testing.assert_allclose(auto.predict(ROWS), given.predict(ROWS))


def test_all_of_several_values_are_to_be_within_their_tolerances():
    """One tolerance for all, or one for each; another number of them is refused."""
    both = lambda X: np.column_stack([half_noise(X), 1000 * X[:, 1]])  # noqa: E731
    model = distilled([0.1, 100.0], teacher=both, families=("linear",))
    assert model.predict(ROWS).shape == (len(ROWS), 2)
    AutoStudent(tolerance=pd.Series([0.1, 100.0])).check()
    with pytest.raises(StudentError, match=r"one for each of the outputs of the teacher, of shape \(2,\)"):
        distilled([0.1, 0.1, 0.1], teacher=both, families=("linear",))


def test_weights_fall_with_the_expected_distance():
    """Rows within half the tolerance count equally, the others less and less; the total weight stays."""
    weight, expected = np.array([1.0, 2.0, 1.0, 1.0, 0.0]), np.array([0.0, LEAST_DISTANCE, 0.8, 2.0, 0.1])
    new = reweighted(weight, expected)
    assert new.sum() == pytest.approx(weight.sum())
    assert new[1] == pytest.approx(2 * new[0])
    assert new[0] > new[2] > 10 * new[3] > 0
    assert new[4] == 0


def test_distances_count_in_tolerances():
    """The largest of all outputs does, up to two tolerances."""
    teacher, student = np.zeros((3, 2)), np.array([[0.1, 1.0], [0.3, 0.0], [0.0, 9.0]])
    found = distance_in_tolerances(teacher, student, np.array([0.2, 2.0]))
    np.testing.assert_allclose(found, [0.5, 1.5, 2.0])


def test_a_row_of_double_weight_counts_as_two():
    """The share that is answered is that of the weights."""
    rng = np.random.default_rng(0)
    certainty, fails, weight = rng.random(300), rng.random(300) < 0.1, rng.integers(1, 4, 300)
    repeated = answered_share(np.repeat(certainty, weight), np.repeat(fails, weight), 0.9)
    assert answered_share(certainty, fails, 0.9, weight.astype(float)) == pytest.approx(repeated, abs=0.02)
    assert answered_share(certainty, fails, 0.9, np.full(300, 7.0)) == pytest.approx(
        answered_share(certainty, fails, 0.9)
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"tolerance": 0}, "tolerance=0; expected a number above 0, or 'auto'"),
        ({"tolerance": "aut"}, "Did you mean 'auto'"),
        ({"tolerance": [0.1, -1.0]}, "tolerance=-1.0; expected a number above 0"),
        ({"tolerance": 0.1, "min_fidelity": 0.9}, "Omit either"),
    ],
)
def test_bad_tolerances_are_named(options, text):
    """With what is expected."""
    with pytest.raises((ValueError, TypeError, StudentError), match=text):
        AutoStudent(**options).check()


def test_labels_have_no_tolerance():
    """It is refused before the teacher is queried."""
    X, y = dataset("binary")
    teacher = CountingClassifier().fit(X, y)
    CountingClassifier.rows_asked = 0
    with pytest.raises(StudentError, match="is for values"):
        DistilledClassifier(teacher, AutoStudent(tolerance="auto")).fit(X)
    assert CountingClassifier.rows_asked == 0
