"""Training of networks: gradients, restarts, early stopping, batches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistill._losses import BinaryCrossEntropy, OneVsRestCrossEntropy, SoftmaxCrossEntropy, SquaredError
from skdistill.exceptions import StudentError
from skdistill.metrics import fidelity
from skdistill.solvers._network_training import Layers, backward, forward
from skdistill.students import CompactMLPRegressor

X = np.random.RandomState(0).uniform(-1, 1, size=(2000, 3))
SMOOTH = np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2]
LOSSES = [SquaredError(), BinaryCrossEntropy(), OneVsRestCrossEntropy(), SoftmaxCrossEntropy()]


@settings(max_examples=30)
@given(loss=st.sampled_from(LOSSES), hidden=st.sampled_from([(), (3,), (4, 3)]), seed=st.integers(0, 1000))
def test_gradients_are_those_of_finite_differences(loss, hidden, seed):
    """For every loss, through all layers."""
    rng = np.random.RandomState(seed)
    inputs, targets = rng.normal(size=(7, 5)), rng.dirichlet(np.ones(3), size=7)
    layers = Layers([5, *hidden, 3], dtype=np.float64)
    layers.vector[:] = rng.normal(size=layers.vector.size)
    gradient = np.zeros_like(layers.vector)

    def total(vector):
        return loss.value(forward(layers.views(vector), inputs)[-1], targets).sum()

    hidden_layers = forward(layers.views(layers.vector), inputs)
    by_scores = loss.gradient(hidden_layers[-1], targets)
    backward(layers.views(layers.vector), hidden_layers, by_scores, layers.views(gradient))
    for index in rng.permutation(len(gradient))[:10]:
        step = np.zeros_like(gradient)
        step[index] = 1e-6
        numeric = (total(layers.vector + step) - total(layers.vector - step)) / 2e-6
        assert gradient[index] == pytest.approx(numeric, rel=1e-4, abs=1e-6)


def test_divergence_is_restarted_and_at_last_said():
    """A rate that is somewhat too large is lowered; one that no restart can save is an error."""
    student = CompactMLPRegressor(16, learning_rate=1e6, random_state=0)
    with pytest.raises(StudentError, match=r"diverged at every learning rate from 1e\+06 to 15625"):
        student.fit(X, SMOOTH)
    assert not hasattr(student, "scorer_")
    rescued = CompactMLPRegressor(16, learning_rate=30.0, random_state=0).fit(X, SMOOTH)
    assert fidelity(SMOOTH, rescued.predict(X)) > 0.6


def test_validation_errors_fall():
    """Most of what can be learned is learned, and the errors on rows held out tell so."""
    student = CompactMLPRegressor(random_state=0).fit(X, SMOOTH)
    assert student.validation_errors_[-1] < 0.02 * student.validation_errors_[0]
    assert len(student.validation_errors_) == 21


def test_it_stops_without_progress():
    """Noise cannot be learned."""
    noise = np.random.RandomState(1).normal(size=2000)
    student = CompactMLPRegressor(n_iter_no_change=2, max_epochs=50, random_state=0).fit(X, noise)
    assert len(student.validation_errors_) < 30


def test_batches_from_cells_are_those_of_the_whole(monkeypatch):
    """Where all inputs at once would take too much memory, they are made batch by batch."""
    whole = CompactMLPRegressor(8, max_epochs=2, random_state=0).fit(X, SMOOTH).predict(X)
    monkeypatch.setattr("skdistill.solvers._network_training.MAX_CELLS_IN_MEMORY", 10)
    parts = CompactMLPRegressor(8, max_epochs=2, random_state=0).fit(X, SMOOTH).predict(X)
    np.testing.assert_allclose(parts, whole, atol=1e-3)
