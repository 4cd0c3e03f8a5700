"""A limit of time: it keeps the best so far, and refuses nonsense."""

import time

import numpy as np
import pytest
from helpers import dataset
from sklearn.tree import DecisionTreeClassifier

from skdistill import AutoSampler, AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill.samplers import Jitter
from skdistill.selection._deadline import Deadline

X, Y = dataset("three classes")
TREE = DecisionTreeClassifier(max_leaf_nodes=8, random_state=0).fit(X, Y)
WAVES = np.random.default_rng(0).random((400, 3))


def waves(rows):
    return np.sin(6 * rows[:, 0]) + rows[:, 1] * rows[:, 2]


def test_one_student_is_taught_in_any_case():
    """However short the limit, there is a student that was chosen by its fidelity."""
    model = DistilledClassifier(TREE, time_limit=1e-6, random_state=0).fit(X)
    assert model.candidates_.chosen.n_rows > 0
    assert np.isfinite(model.candidates_.chosen.fidelity)
    assert model.predict_proba(X).shape == (150, 3)


def test_the_best_so_far_is_kept():
    """Without time to teach on everything, the best of those that were taught is the student."""
    model = DistilledRegressor(waves, time_limit=1e-6, sampler=Jitter(), n_synthetic=200, random_state=0).fit(WAVES)
    tried = [trial for trial in model.candidates_.tried if trial.rung < 2]
    kept = model.candidates_.chosen
    assert kept.rung == 2
    assert kept.score == max(trial.score for trial in tried if trial.rung == max(each.rung for each in tried))


def test_as_many_rows_as_can_be_labelled():
    """A slow teacher is asked about few synthetic rows, and all rows of ``X`` are labelled."""

    def slow(rows):
        time.sleep(2e-4 * len(rows))
        return waves(rows)

    model = DistilledRegressor(slow, "linear", time_limit=0.2, random_state=0).fit(WAVES)
    assert model.transfer_set_.n_real == len(WAVES)
    assert model.transfer_set_.n_synthetic < 0.3 * 0.2 / 2e-4


def test_a_long_limit_changes_nothing():
    """With time enough the student is the one without a limit."""
    options = {"student": AutoStudent(["linear", "mlp"]), "n_synthetic": 2.0, "random_state": 0}
    limited, free = (DistilledRegressor(waves, time_limit=limit, **options).fit(WAVES) for limit in (1e6, None))
    np.testing.assert_array_equal(limited.predict(WAVES), free.predict(WAVES))


@pytest.mark.parametrize("limit", [0, -1, "long", float("nan")])
def test_bad_limits_are_refused(limit):
    """In words, before the teacher is asked."""
    with pytest.raises((ValueError, TypeError), match="time_limit"):
        DistilledClassifier(TREE, time_limit=limit, sampler=AutoSampler()).fit(X)


def test_a_deadline_shares_out_what_is_left():
    """Without a limit there is time for any number of rows; after it is over, for none."""
    assert Deadline(None).rows_in_time(10, 1.0) == np.inf
    assert Deadline(1e-9).rows_in_time(10, 1.0) == 0
    assert 0 < Deadline(100.0).rows_in_time(10, 1.0) <= 300
