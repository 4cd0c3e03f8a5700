"""Fits on a stratified sample of a large table."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor, as_teacher
from skdistill.metrics import fidelity
from skdistill.selection import ValueTargets
from skdistill.selection._validation_rows import out_of_bag_group
from skdistill.transfer import SampledRows, TransferSet

RNG = np.random.default_rng(0)
X = RNG.standard_normal((12_000, 4))


def steps(rows):
    """A function that varies in a part of its domain."""
    return np.where(rows[:, 0] > 1, np.sin(3 * rows[:, 1]), 0.1 * rows[:, 2])


class Counting:
    """A teacher that counts the rows that it labels."""

    def __init__(self):
        self.n_rows = 0

    def __call__(self, rows):
        self.n_rows += len(rows)
        return steps(rows)


def fit(teacher=steps, rows=X, **params):
    """Fit on a sample of 2,000 rows."""
    params = {"student": "linear", "sampler": None, "max_real_rows": 2000, "random_state": 0} | params
    return DistilledRegressor(teacher, **params).fit(rows)


def test_a_sample_is_as_good_as_all_rows():
    """A student that cannot follow the teacher is the same as that of all rows: weights make up for the strata."""

    def opposite(rows):
        """A slope that is another one where the outputs vary most."""
        return np.where(rows[:, 0] > 1, 3 * rows[:, 1] + np.sin(3 * rows[:, 2]), -rows[:, 1])

    other = np.random.default_rng(1).standard_normal((20_000, 4))
    found = [fidelity(opposite(other), fit(opposite, max_real_rows=most).predict(other)) for most in (6000, None)]
    assert found[0] > found[1] - 0.001


def test_every_label_of_the_sample_is_counted():
    """The teacher labels the rows of the sample, once each, and 20 rows that check it; the summary says so."""
    teacher = Counting()
    summary = fit(teacher).transfer_set_
    assert (summary.n_real, summary.sampled_from) == (2000, len(X))
    assert teacher.n_rows == summary.n_queries == 2000 + 20


@pytest.mark.parametrize("budget", [500, 2000, 2500])
def test_a_budget_is_never_exceeded(budget):
    """A sample keeps the budget to the row, whether the budget or ``max_real_rows`` is smaller."""
    teacher = Counting()
    summary = fit(teacher, max_queries=budget).transfer_set_
    assert summary.n_queries == teacher.n_rows <= budget
    assert summary.n_real <= min(budget, 2000)


def test_samples_do_not_depend_on_jobs_or_chunks():
    """The same seed gives the same student for any number of jobs and any chunk size."""
    predicted = [fit(**params).predict(X) for params in ({}, {"n_jobs": 2}, {"chunk_size": 300})]
    np.testing.assert_array_equal(predicted[0], predicted[1])
    np.testing.assert_array_equal(predicted[0], predicted[2])


def test_unfitted_teachers_see_all_rows():
    """A recipe is fitted on all rows; with folds, all rows are labelled."""
    y = X @ [1.0, 2.0, 3.0, 4.0]
    params = {"sampler": None, "max_real_rows": 2000, "random_state": 0}
    model = DistilledRegressor(LinearRegression(), "linear", **params).fit(X, y)
    np.testing.assert_allclose(model.teacher_.coef_, [1, 2, 3, 4])
    assert model.transfer_set_.sampled_from == len(X)
    assert model.seen_rows_.find(X).all()
    assert model.set_params(teacher_cv=3).fit(X, y).transfer_set_.n_real == len(X)


def test_only_rows_of_the_sample_were_seen():
    """A fitted teacher leaves the other rows unseen: a certificate may use them."""
    seen = fit().seen_rows_.find(X)
    assert seen.sum() == 2000


def test_labels_and_weights_of_the_caller_are_those_of_the_sample():
    """True labels are blended in at their rows, and rows of weight zero are never sampled."""
    weight = np.where(X[:, 3] > 0, 2.0, 0.0)
    params = {"sampler": None, "max_real_rows": 2000, "soft_weight": 0.0, "random_state": 0}
    model = DistilledRegressor(steps, "linear", **params).fit(X, X[:, 1], sample_weight=weight)
    assert np.corrcoef(model.predict(X), X[:, 1])[0, 1] > 0.999
    assert not model.seen_rows_.find(X[weight == 0]).any()


def test_rows_of_any_table_are_sampled():
    """Frames of categories and classes of a classifier work as well, and unlabelled rows have the same limit."""
    frame = pd.DataFrame({"a": X[:, 0], "b": np.where(X[:, 1] > 0, "up", "down")})
    labels = np.array(["no", "yes"])

    def teacher(rows):
        share = 1 / (1 + np.exp(-rows["a"].to_numpy() - 2 * (rows["b"] == "up").to_numpy()))
        return np.column_stack([1 - share, share])

    params = {"student": "linear", "sampler": None, "max_real_rows": 1000, "random_state": 0}
    model = DistilledClassifier(skdistill.as_teacher(teacher, classes=labels), **params)
    summary = model.fit(frame, X_unlabeled=frame[:3000]).transfer_set_
    assert (summary.n_real, summary.n_unlabeled) == (1000, 1000)
    assert model.fidelity(frame[:2000]) > 0.99


def test_forests_are_validated_out_of_bag():
    """The out-of-bag rows of a forest are found although only some of its rows are sampled."""
    y = (steps(X) + X[:, 3] > 0.2).astype(int)
    forest = RandomForestClassifier(20, max_depth=6, random_state=0).fit(X[:4000], y[:4000])
    model = DistilledClassifier(forest, skdistill.AutoStudent(["linear"]), max_real_rows=1000, random_state=0)
    model.fit(X[:4000])
    assert model.candidates_.chosen.validated_on.startswith("rows of X, out of bag")


def test_out_of_bag_outputs_are_those_of_the_rows():
    """The out-of-bag outputs of sampled rows are those that the forest has for them."""
    table, rows = X[:1500], np.arange(3, 1500, 7)
    forest = RandomForestRegressor(60, oob_score=True, random_state=0).fit(table, steps(table))
    sampled = SampledRows(table, rows, np.zeros(len(rows), dtype=bool), np.empty(0))
    real = TransferSet(table[rows], forest.predict(table[rows]), np.ones(len(rows)), sampled=sampled)
    known, group = out_of_bag_group(real, np.arange(len(rows)), ValueTargets(as_teacher(forest), 1.0, None))
    np.testing.assert_allclose(group.targets, forest.oob_prediction_[rows[known]])


def test_several_teachers_differ_row_by_row():
    """Their disagreement is that of each row of the sample, in its order."""
    pair = [("steps", steps), ("other", lambda rows: steps(rows) + np.maximum(rows[:, 3], 0))]
    model = DistilledRegressor(pair, "linear", sampler=None, max_real_rows=2000, random_state=0).fit(X)
    rows = X[model.seen_rows_.find(X)]
    expected = np.maximum(rows[:, 3], 0) ** 2
    assert np.corrcoef(model.teacher_disagreement_, expected)[0, 1] == pytest.approx(1)


def test_a_teacher_that_has_not_memorised_needs_no_synthetic_rows():
    """Real rows of a sample are enough for a selection; those of a whole table are extended as before."""
    model = DistilledRegressor(steps, "linear", max_real_rows=2000, random_state=0)
    assert model.fit(X).transfer_set_.n_synthetic == 0
    assert model.set_params(max_real_rows=None).fit(X[:2000]).transfer_set_.n_synthetic > 0


def test_students_of_others_are_taught_all_rows():
    """By default, a student that is passed as an estimator has no limit, since its size is unknown."""
    model = DistilledRegressor(steps, LinearRegression(), sampler=None)
    assert model.fit(X).transfer_set_.sampled_from == 0


@pytest.mark.parametrize("given", [10, 0, -1, 1.5, "all", True])
def test_impossible_limits_are_refused(given):
    """A limit below 1,000 rows, or of another type, is an error that says what is expected."""
    with pytest.raises((TypeError, ValueError), match="max_real_rows"):
        fit(max_real_rows=given)


def test_a_teacher_that_depends_on_large_blocks_is_noticed():
    """A teacher whose outputs depend on the other rows of a large call only is found by a few rows of the sample."""

    def centred(rows):
        return steps(rows) - (steps(rows).mean() if len(rows) > 100 else 0) + 0.5

    with pytest.warns(skdistill.exceptions.TeacherWarning, match="depend on the other rows"):
        fit(centred)
