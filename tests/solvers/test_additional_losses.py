"""Losses beside that of the scores: their gradients, what the discriminator learns, and when it is held back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistill._losses import BinaryCrossEntropy, OneVsRestCrossEntropy, SoftmaxCrossEntropy, SquaredError
from skdistill.compiled import Design
from skdistill.solvers import Discriminator, HintLoss
from skdistill.solvers._additional_losses import share_of_rows
from skdistill.solvers._network_training import (
    Inputs,
    Layers,
    TrainingData,
    add_gradients,
    backward,
    forward,
)

LOSSES = [SquaredError(), BinaryCrossEntropy(), OneVsRestCrossEntropy(), SoftmaxCrossEntropy()]
ROWS = np.arange(7)


def in_double_precision(loss, hidden, seed, n_rows=7, n_outputs=3):
    """Return the data of a training and the layers of its network, in float64."""
    rng = np.random.RandomState(seed)
    cells, targets = rng.normal(size=(n_rows, 5)), rng.dirichlet(np.ones(n_outputs), size=n_rows)
    inputs = Inputs(Design.of(cells, np.ones(n_rows), np.zeros(5, dtype=int)), cells)
    inputs.whole = inputs.whole.astype(np.float64)
    data = TrainingData(inputs, targets, rng.uniform(0.5, 2, size=n_rows), loss)
    layers = Layers([5, *hidden, n_outputs], dtype=np.float64)
    layers.vector[:] = rng.normal(size=layers.vector.size)
    return data, layers, rng


def begun(additional, data, layers, rate=0.1, n_steps=100):
    return additional.begin(data, layers.views(layers.vector), rate, n_steps)


def numeric(function, vector, indices):
    """Return central differences of a function at some coordinates."""
    step = 1e-6 * np.eye(len(vector))
    return [(function(vector + step[index]) - function(vector - step[index])) / 2e-6 for index in indices]


@settings(max_examples=20)
@given(loss=st.sampled_from(LOSSES), hidden=st.sampled_from([(3,), (4, 3)]), seed=st.integers(0, 1000))
def test_gradients_of_both_are_those_of_finite_differences(loss, hidden, seed):
    """By all weights of the network, for every loss, after both losses have learned something."""
    data, layers, rng = in_double_precision(loss, hidden, seed)
    parameters = layers.views(layers.vector)
    inputs, share = data.inputs.take(ROWS), share_of_rows(data, ROWS)
    hints = begun(HintLoss(rng.normal(size=(7, 2)), 0.7), data, layers)
    judge = begun(Discriminator(1.3, seed), data, layers)
    passed = forward(parameters, inputs)
    for _ in range(3):
        add_gradients([hints, judge], ROWS, passed, np.zeros((7, 3)))
    hints.adam.rate = judge.adam.rate = 0.0  # their values then are those that the gradients are of
    by_scores, gradient = np.zeros((7, 3)), np.zeros_like(layers.vector)
    by_hidden = add_gradients([hints, judge], ROWS, passed, by_scores)
    backward(parameters, passed, by_scores, layers.views(gradient), by_hidden)

    def total(vector):
        new = forward(layers.views(vector), inputs)
        return hints.value(ROWS, new) + judge.value(inputs, new[-1], share)

    some = rng.permutation(len(gradient))[:10]
    np.testing.assert_allclose(gradient[some], numeric(total, layers.vector, some), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_gradients_pass_through_the_outputs_of_each_loss(loss):
    """A gradient by the outputs becomes one by the scores."""
    rng = np.random.RandomState(0)
    scores, direction = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    exact = loss.through_outputs(loss.outputs(scores), direction).ravel()

    def along(vector):
        return float((direction * loss.outputs(vector.reshape(4, 3))).sum())

    np.testing.assert_allclose(exact, numeric(along, scores.ravel(), range(12)), rtol=1e-5, atol=1e-8)


def test_hints_move_the_hidden_layer_only():
    """The scores get no gradient of their own, and hints that the layer predicts exactly get none at all."""
    data, layers, _ = in_double_precision(SquaredError(), (3,), 0)
    running = begun(HintLoss(np.zeros((7, 2)), 1.0), data, layers)
    by_scores, by_hidden = running.gradients(ROWS, forward(layers.views(layers.vector), data.inputs.take(ROWS)))
    assert by_scores is None
    assert not by_hidden.any()


class TestDiscriminator:
    """What tells a teacher's outputs from those of the network."""

    @staticmethod
    def trained(outputs_differ):
        """Return a discriminator after many steps, and the parameters and rows that it judges."""
        data, layers, _ = in_double_precision(SquaredError(), (8,), 0, n_rows=200)
        parameters = layers.views(layers.vector)
        if not outputs_differ:
            data.targets[:] = forward(parameters, data.inputs.take(np.arange(200)))[-1]
        running, rows = begun(Discriminator(1.0, 0), data, layers, rate=0.05, n_steps=200), np.arange(200)
        for _ in range(150):
            running.gradients(rows, forward(parameters, data.inputs.take(rows)))
        return running, parameters, rows

    def test_it_learns_to_tell_what_differs_and_nothing_else(self):
        """Outputs of a network with random weights are told; equal outputs are not."""
        running, parameters, rows = self.trained(outputs_differ=True)
        assert running.accuracy(parameters, rows) > 0.95
        running, parameters, rows = self.trained(outputs_differ=False)
        assert running.accuracy(parameters, rows) == pytest.approx(0.5, abs=0.1)

    @pytest.mark.parametrize(("outputs_differ", "error", "match"), [(True, 1.0, "told"), (False, 2.5, "2.5 times")])
    def test_its_weight_falls_where_it_wins_or_where_the_network_gets_worse(self, outputs_differ, error, match):
        """By halves at first, in the end to zero; then it costs nothing more."""
        running, parameters, rows = self.trained(outputs_differ=outputs_differ)
        weights = []
        for _ in range(10):
            running.end_epoch(parameters, rows, [1.0, error])
            weights.append(running.weight)
        assert weights == [1.0, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.0, 0.0, 0.0]
        assert match in running.whole.caution()
        assert running.gradients(rows, []) == (None, None)

    def test_a_stable_training_is_left_alone(self):
        """One bad epoch is no reason, and neither are errors that fall."""
        running, parameters, rows = self.trained(outputs_differ=False)
        for errors in ([1.0], [1.0, 3.0], [1.0, 3.0, 0.9], [1.0, 3.0, 0.9, 1.0]):
            running.end_epoch(parameters, rows, errors)
        assert running.weight == 1.0
        assert running.whole.caution() is None

    def test_a_training_that_starts_again_has_no_history(self):
        """A restart at a lower rate begins with the whole weight."""
        running, parameters, rows = self.trained(outputs_differ=True)
        for _ in range(4):
            running.end_epoch(parameters, rows, [1.0])
        data, layers, _ = in_double_precision(SquaredError(), (8,), 0)
        again = begun(running.whole, data, layers)
        assert again.weight == 1.0
        assert running.whole.caution() is None
