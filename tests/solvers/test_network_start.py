"""Networks that training starts from, shrunk and perturbed or as they are."""

import numpy as np
import pytest

from skdistill._losses import SquaredError
from skdistill.compiled import Design
from skdistill.solvers import OptimizerSettings, Shrinking, fit_network

CELLS = np.random.default_rng(0).normal(size=(300, 3)) + 5
TARGETS = np.abs(CELLS[:, :1] - 5) - CELLS[:, 1:2]
DESIGN = Design.of(CELLS, np.ones(300), n_codes=np.zeros(3, dtype=int))


def fitted(n_epochs, start=None, *, rate=0.02, shrinking=None):
    settings = OptimizerSettings(n_epochs, 32, rate, 0.0, 0.2, 5, shrinking=shrinking)
    rng = np.random.RandomState(0)
    return fit_network(DESIGN, CELLS, TARGETS, np.ones(300), SquaredError(), [8, 8], settings, rng, start)


def test_training_starts_where_the_other_one_ended():
    """Whatever the mean of the inputs, and with units and bases of its own."""
    first, errors = fitted(6)
    start = first.scaled(1.0)
    again, more = fitted(1, start, rate=1e-9)
    assert more[0] == pytest.approx(min(errors), rel=0.02)  # weights are stored in half precision
    np.testing.assert_allclose(again.scores(CELLS), first.scores(CELLS), atol=0.01)
    twice = [*first.weights[:-1], first.weights[-1] * 2]
    halved = type(first)(DESIGN, twice, first.biases, first.base, first.unit / 2)
    assert fitted(1, halved, rate=1e-9)[1][0] == pytest.approx(more[0], rel=0.02)


def test_a_perfect_start_is_kept():
    """Steps that only make it worse are no divergence: its error is no measure of them."""
    first, _ = fitted(6)
    settings = OptimizerSettings(3, 32, 0.05, 0.0, 0.2, 5)
    targets, rng = first.scores(CELLS), np.random.RandomState(0)
    again, errors = fit_network(DESIGN, CELLS, targets, np.ones(300), SquaredError(), [8, 8], settings, rng, first)
    assert errors[0] < 1e-6 < errors[1]
    np.testing.assert_allclose(again.scores(CELLS), targets, atol=0.005)


def test_a_share_of_the_weights_is_shrunk():
    """The others keep their values, and what is added is small."""
    weights, drawn = [np.full((50, 40), 2.0), np.full((40, 1), 2.0)], [np.ones((50, 40)), np.ones((40, 1))]
    Shrinking(0.3, lambda share: 0.5, is_repeated=False).shrink(weights, drawn, 0.0, np.random.RandomState(0))
    values, counts = np.unique(np.concatenate([array.ravel() for array in weights]), return_counts=True)
    np.testing.assert_allclose(values, [0.5 * 2 + 0.1 * 0.5, 2.0], rtol=1e-6)
    assert counts[0] / counts.sum() == pytest.approx(0.3, abs=0.05)


def test_shrinking_is_repeated_only_with_a_schedule():
    """Once it is before the first epoch; with a schedule, by its factor at each epoch."""
    for is_repeated, expected in ((False, 1.0), (True, 0.25 + 0.1 * 0.75 * 0)):
        weights = [np.ones((2, 2))]
        shrinking = Shrinking(1.0, lambda share: 0.25, is_repeated=is_repeated)
        shrinking.shrink(weights, [np.zeros((2, 2))], 0.5, np.random.RandomState(0))
        np.testing.assert_allclose(weights[0], expected)


def test_shrinking_changes_a_training_that_has_a_start_alone():
    """Random weights are not shrunk."""
    shrinking = Shrinking(0.5, lambda share: 0.5, is_repeated=False)
    first, errors = fitted(2)
    assert fitted(2, shrinking=shrinking)[1] == errors
    assert fitted(2, first, shrinking=shrinking)[1] != fitted(2, first)[1]
