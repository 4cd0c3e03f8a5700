"""Losses: their derivatives, links and best constants, for any scores and targets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from strategies import distributions

from skdistill._losses import BinaryCrossEntropy, OneVsRestCrossEntropy, SoftmaxCrossEntropy, SquaredError
from skdistill.compiled._links import LINKS

LOSSES = [SquaredError(), BinaryCrossEntropy(), OneVsRestCrossEntropy(), SoftmaxCrossEntropy()]
STEP = 1e-5


@st.composite
def problems(draw, losses=LOSSES, smallest=1e-3):
    """Draw a loss, targets that it takes, scores of their shape, and weights of the rows."""
    loss, proba = draw(st.sampled_from(losses)), draw(distributions(smallest=smallest))
    scores = draw(arrays(float, proba.shape, elements=st.floats(-6, 6)))
    targets = scores[::-1] - proba if loss.is_quadratic else proba
    if isinstance(loss, BinaryCrossEntropy):
        scores, targets = scores[:, 1:2], targets[:, 1:2]
    weight = draw(arrays(float, len(proba), elements=st.floats(0.1, 1)))
    return loss, scores, targets, weight


def moved(scores, column, step):
    scores = scores.copy()
    scores[:, column] += step
    return scores


@given(problems())
def test_gradients_are_those_of_finite_differences(problem):
    """By each score, and the same whether asked for alone or together with the value."""
    loss, scores, targets, _ = problem
    value, gradient = loss.value_and_gradient(scores, targets)
    for column in range(scores.shape[1]):
        after, before = (loss.value(moved(scores, column, step), targets) for step in (STEP, -STEP))
        np.testing.assert_allclose(gradient[:, column], (after - before) / (2 * STEP), atol=1e-6)
    np.testing.assert_array_equal(value, loss.value(scores, targets))
    np.testing.assert_array_equal(gradient, loss.gradient(scores, targets))


@given(problems())
def test_second_derivatives_are_those_of_finite_differences(problem):
    """By each pair of scores; the curvature of a row is their mean over its scores, wherever it is asked for."""
    loss, scores, targets, _ = problem
    outputs = loss.outputs(scores)
    n_scores = range(scores.shape[1])
    for second in n_scores:
        after, before = (loss.gradient(moved(scores, second, step), targets) for step in (STEP, -STEP))
        for first in n_scores:
            numeric = (after - before)[:, first] / (2 * STEP)
            np.testing.assert_allclose(loss.second_derivative(outputs, first, second), numeric, atol=1e-6)
    mean = np.mean([loss.second_derivative(outputs, each, each) for each in n_scores], axis=0)
    np.testing.assert_allclose(loss.curvature(outputs), np.maximum(mean, 1e-6), rtol=1e-9)
    np.testing.assert_allclose(loss.curvature_at(scores), np.maximum(mean, 1e-6), rtol=1e-9)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.link)
def test_rows_that_are_certain_keep_some_curvature(loss):
    """Where the loss is flat, a bound keeps Newton's steps finite."""
    scores = np.array([[900.0, -900.0], [-900.0, 900.0]])
    assert (loss.curvature(loss.outputs(scores)) >= 1e-6).all()
    assert (loss.curvature_at(scores) >= 1e-6).all()


@given(problems(), st.integers(0, 10**6))
def test_the_best_constant_minimises(problem, seed):
    """No other scores that are the same for all rows have a smaller weighted loss."""
    loss, scores, targets, weight = problem
    constant = loss.best_constant(np.average(targets, axis=0, weights=weight))

    def total(constant):
        return weight @ loss.value(np.broadcast_to(constant, scores.shape), targets)

    for step in np.random.RandomState(seed).normal(scale=0.1, size=(5, scores.shape[1])):
        assert total(constant) <= total(constant + step) + 1e-9
    assert np.abs(weight @ loss.gradient(np.broadcast_to(constant, scores.shape), targets)).max() < 1e-9


@pytest.mark.parametrize("loss", LOSSES[1:], ids=lambda loss: loss.link)
def test_certain_means_have_finite_constants(loss):
    """Classes that all rows or none have keep the margin, in double and in single precision."""
    for dtype, margin in ((np.float64, 1e-10), (np.float32, 1e-6)):
        constant = loss.best_constant(np.array([0.0, 1.0], dtype=dtype), margin)
        assert np.isfinite(constant).all()
        assert constant.dtype == dtype
        np.testing.assert_allclose(loss.outputs(constant[None])[0, 0], margin, rtol=1e-3)


@given(problems())
def test_links_and_outputs_undo_each_other(problem):
    """Scores of targets have these outputs, centred or not; targets as certain as the margin are not clipped."""
    loss, _, targets, _ = problem
    np.testing.assert_array_equal(loss.clipped(targets, 1e-12), targets)
    scores = loss.scores(targets)
    np.testing.assert_allclose(loss.outputs(scores), targets, atol=1e-12)
    np.testing.assert_allclose(loss.outputs(loss.centred(scores)), targets, atol=1e-12)
    if isinstance(loss, SoftmaxCrossEntropy):
        np.testing.assert_allclose(loss.centred(scores).mean(axis=1), 0, atol=1e-12)


@given(problems(losses=LOSSES[1:]), st.floats(0.3, 20))
def test_softened_targets_have_their_scores_divided(problem, temperature):
    """Outputs of scores at a temperature are the softened outputs; at temperature 1 nothing changes."""
    loss, scores, _, _ = problem
    softened = loss.softened(loss.outputs(scores), temperature)
    np.testing.assert_allclose(softened, loss.outputs(scores / temperature), atol=1e-9)
    assert loss.softened(softened, 1.0) is softened
    assert loss.softened(softened.astype(np.float32), temperature).dtype == np.float32


@settings(max_examples=30)
@given(problems())
def test_validation_rows_are_compared_by_their_outputs(problem):
    """Half the squared distance of values is their loss; certain and right rows lose nothing."""
    loss, scores, targets, _ = problem
    np.testing.assert_allclose(loss.validation_loss(loss.scores(targets), targets), 0, atol=1e-12)
    if loss.is_quadratic:
        np.testing.assert_allclose(loss.validation_loss(scores, targets) / 2, loss.value(scores, targets))


@given(problems())
def test_compiled_links_return_the_outputs(problem):
    """A compiled model's link of that name returns them: both of two classes, one against the rest normalised."""
    loss, scores, _, _ = problem
    outputs = loss.outputs(scores)
    if isinstance(loss, BinaryCrossEntropy):
        outputs = np.hstack([1 - outputs, outputs])
    if isinstance(loss, OneVsRestCrossEntropy):
        outputs = outputs / outputs.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(LINKS[loss.link].of_rows(scores), outputs, atol=1e-12)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.link)
def test_single_precision_stays(loss):
    """Networks are trained in single precision."""
    scores = np.random.RandomState(0).normal(size=(4, 3)).astype(np.float32)
    targets = loss.outputs(scores[::-1])
    assert targets.dtype == loss.gradient(scores, targets).dtype == np.float32
    assert loss.validation_loss(scores, targets).dtype == np.float32
