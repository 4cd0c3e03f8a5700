"""Large batches are scored by threads, which change no bit."""

import joblib
import numpy as np
import pytest

import skdistill
from skdistill.students import (
    CompactBoostingRegressor,
    CompactHybridRegressor,
    CompactKernelRegressor,
    CompactMLPRegressor,
)

X = np.random.default_rng(0).standard_normal((12_000, 3))
STUDENTS = [
    CompactMLPRegressor(hidden_layer_sizes=(8,), max_epochs=1, random_state=0),
    CompactKernelRegressor(n_landmarks=5, random_state=0),
    CompactBoostingRegressor(5, random_state=0),
    CompactHybridRegressor(random_state=0),
]


@pytest.mark.parametrize("student", STUDENTS, ids=lambda student: type(student).__name__)
def test_threads_change_no_bit(student):
    """A student and its compiled form return the same outputs with two threads as with one."""
    fitted = student.fit(X[:500], np.sin(X[:500, 0]))
    fast = skdistill.compile(fitted)
    alone = fitted.predict(X), fast(X)
    with joblib.parallel_config(n_jobs=2):
        np.testing.assert_array_equal(fitted.predict(X), alone[0])
        np.testing.assert_array_equal(fast(X), alone[1])


def test_a_distilled_estimator_lends_its_jobs(monkeypatch):
    """``n_jobs`` of a distilled estimator is that of its predictions, for large tables only."""
    model = skdistill.DistilledRegressor(lambda X: X[:, 0] ** 2, "mlp", sampler=None, n_jobs=2, random_state=0)
    model.fit(X[:100])
    asked = []
    scores = type(model.student_.scorer_).scores
    monkeypatch.setattr(
        type(model.student_.scorer_),
        "scores",
        lambda self, X, n_jobs=1: asked.append(n_jobs) or scores(self, X, n_jobs),
    )
    model.predict(X)
    model.predict(X[:5])
    assert asked == [min(2, joblib.cpu_count()), 1]
