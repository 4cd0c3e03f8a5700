"""What a choice is made of: scouts, finalists, budgets that are used, several at a time."""

import time
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, RandomForestRegressor

import skdistill
from skdistill import AutoSampler, AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill.selection import _row_choice, _row_trials
from skdistill.selection._terms import Terms
from skdistill.students._families import FAMILIES, scouted_families

ROWS = np.random.default_rng(0).random((300, 4))


def waves(rows):
    return np.sin(6 * rows[:, 0]) + rows[:, 1] * rows[:, 2]


def labels(rows):
    return (waves(rows) > 0.3).astype(int) + (rows[:, 3] > 0.7)


FOREST = RandomForestClassifier(20, random_state=0).fit(ROWS, labels(ROWS))
FOREST_OF_VALUES = RandomForestRegressor(20, random_state=0).fit(ROWS, waves(ROWS))


@pytest.mark.parametrize(
    "model", [pytest.param(DistilledClassifier(FOREST), marks=pytest.mark.slow), DistilledRegressor(FOREST_OF_VALUES)]
)
def test_the_same_student_for_any_number_of_threads(model):
    """Students that are tried at a time, and blocks that a forest is asked about at a time, change nothing."""
    model.set_params(n_synthetic=2.0, random_state=0, chunk_size=200)
    one, two = (model.set_params(n_jobs=n_jobs).fit(ROWS).student_ for n_jobs in (None, 2))
    ask = "predict_proba" if hasattr(one, "predict_proba") else "predict"
    np.testing.assert_array_equal(getattr(one, ask)(ROWS), getattr(two, ask)(ROWS))


def test_scouts_come_first_and_the_best_go_on():
    """Each family sends a scout; the finalists are the families of the best, and those that have none; one wins.

    A function has no trees to inherit.
    """
    model = DistilledRegressor(waves, n_synthetic=10.0, random_state=0).fit(np.tile(ROWS, (3, 1)))
    tried = pd.DataFrame(model.candidates_)
    scouts, finalists = tried[tried["rung"] == 0], tried[tried["rung"] == 1]
    assert set(scouts["family"]) == set(scouted_families()) - {"inherit"}
    best = scouts.sort_values("score", ascending=False)["family"][:2]
    assert set(finalists["family"]) == {*best, "hybrid"}
    assert model.candidates_.chosen.family == finalists.sort_values("score")["family"].iloc[-1]


@pytest.mark.parametrize("n_outputs", [1, 3, 10])
@pytest.mark.parametrize("name", sorted(set(FAMILIES) - {"linear", "tree"}))
def test_sizes_grow_with_what_is_allowed(name, n_outputs):
    """Without a budget students are modest; with one they have at least as much, and no more than it allows."""
    terms = Terms(classifies=True, n_inputs=8, n_outputs=n_outputs, n_rows=100_000)
    sizes = [terms.most_of(name, AutoStudent(max_bytes=budget)) for budget in ("auto", 100_000, 1_000_000)]
    assert sizes == sorted(sizes)
    assert terms.most_of(name, AutoStudent(max_bytes=2000)) <= 2000


def test_a_budget_is_used():
    """Within a larger budget the student is larger and better, and it is taught on more synthetic rows."""
    small, large = (
        DistilledRegressor(waves, AutoStudent(["mlp"], max_bytes=size), random_state=0).fit(ROWS)
        for size in (1500, 12_000)
    )
    n_bytes = [skdistill.compile(model.student_).n_bytes for model in (small, large)]
    assert n_bytes[0] <= 1500 < 4000 < n_bytes[1] <= 12_000
    assert small.transfer_set_.n_synthetic < large.transfer_set_.n_synthetic
    fresh = np.random.default_rng(1).random((500, 4))
    assert small.fidelity(fresh) < large.fidelity(fresh)


@pytest.mark.parametrize(
    ("n_rows", "modest", "allowed"),
    [
        (100, 20 * 100, 40 * 100),
        (3000, 10 * 3000, 40 * 3000),
        (20_000, 100_000 - 20_000, 200_000),
        (60_000, 50_000, 200_000),
        (1_000_000, 50_000, 200_000),
    ],
)
def test_synthetic_rows_are_in_proportion(n_rows, modest, allowed):
    """Ten a real row without a budget, more of few rows, fewer of many; with one more, but at most forty."""
    assert AutoStudent().count_synthetic(n_rows, 20, None) == modest
    assert AutoStudent(max_bytes=100_000).count_synthetic(n_rows, 20, None) == allowed


def test_an_estimate_for_a_student_that_was_made_smaller():
    """A student that is resized when it is fitted on all rows keeps the estimate of the candidate validated."""
    tried = DistilledRegressor(waves, AutoStudent(["mlp"]), n_synthetic=2.0, random_state=0).fit(ROWS)
    candidates = tried.candidates_
    candidates["student"][-1] = "a smaller one"
    assert candidates.chosen.fidelity == candidates.tried[-2].fidelity


class Alone(RegressorMixin, BaseEstimator):
    """A student of somebody else, which notices company."""

    inside: ClassVar[set] = set()

    def fit(self, X, y, sample_weight=None):
        assert not self.inside
        self.inside.add(self)
        time.sleep(0.01)
        self.mean_ = np.average(y, weights=sample_weight)
        self.inside.remove(self)
        return self

    def predict(self, X):
        return np.full(len(X), self.mean_)


def test_students_of_others_are_taught_one_at_a_time():
    """Whatever ``n_jobs`` is: they may share what is not for two threads."""
    model = DistilledRegressor(waves, Alone(), n_synthetic=2.0, n_jobs=3, soft_weight="auto", random_state=0)
    assert len(model.fit(ROWS, waves(ROWS)).sampler_results_["sampler"]) > 2


def test_no_student_is_taught_twice_on_the_same_rows():
    """Where rows are few, the first rung is the last: finalists that do not grow are not taught again."""
    student = AutoStudent(["linear", "tree", "boosting"], max_bytes=3000)
    model = DistilledRegressor(waves, student, sampler=None, random_state=0).fit(ROWS)
    tried = pd.DataFrame(model.candidates_)
    assert not tried.duplicated(["student", "n_rows", "real_weight"]).any()


def test_big_tables_are_tried_in_part(monkeypatch):
    """Samplers are tried beside a part of the real rows; in the end all of them are taught."""
    monkeypatch.setattr(_row_choice, "MAX_REAL_ROWS", 100)
    taught = []
    teach = _row_trials.RowTrials.losses
    monkeypatch.setattr(
        _row_trials.RowTrials,
        "losses",
        lambda trials, student, rows: taught.append(len(rows) - rows.n_synthetic) or teach(trials, student, rows),
    )
    student = AutoStudent(["linear", "tree"])
    model = DistilledRegressor(waves, student, sampler=AutoSampler(tolerance=0.0), random_state=0).fit(ROWS)
    assert taught
    assert set(taught) == {100}
    assert model.transfer_set_.n_real == len(ROWS)


@pytest.mark.slow
def test_memorised_rows_that_a_scout_is_worse_with_are_not_tried_again():
    """Where the best scout is clearly worse with more weight of them, no larger student is taught so."""
    rows = np.random.default_rng(1).normal(size=(1500, 10))
    trees = ExtraTreesClassifier(50, random_state=0).fit(rows, rows[:, 0] * rows[:, 1] + rows[:, 2] > 0)
    tried = pd.DataFrame(DistilledClassifier(trees, random_state=0).fit(rows).candidates_)
    assert set(tried["real_weight"][tried["rung"] == 0]) == {0.0, 1.0}
    assert set(tried["real_weight"][tried["rung"] > 0]) == {0.0}
