"""True labels count only where a student is worse than its teacher, and weights say for whom a row is hard."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistill.targets import blend, loss_weights, one_hot, softmax, teacher_bounded, teacher_bounded_loss

few = settings(max_examples=25, deadline=None)
seeds, margins, shares = st.integers(0, 999), st.sampled_from([0.0, 0.05, 0.7]), st.sampled_from([0.0, 0.3, 1.0])
LOSSES = ["squared_error", "log_loss"]


def drawn(loss, seed, n_rows=40):
    """Return scores of a student, and outputs of a teacher and the truth."""
    rng = np.random.default_rng(seed)
    scores, of_teacher = rng.normal(size=(2, n_rows, 3))
    if loss == "squared_error":
        return scores, of_teacher, rng.normal(size=(n_rows, 3))
    return scores, softmax(of_teacher), one_hot(rng.integers(3, size=n_rows), np.arange(3))


def outputs_of(loss, scores):
    return softmax(scores) if loss == "log_loss" else scores


def truth_loss(loss, outputs, truth):
    if loss == "squared_error":
        return ((outputs - truth) ** 2).sum(axis=1) / 2
    return -np.log(outputs[truth == 1])


@few
@given(loss=st.sampled_from(LOSSES), seed=seeds, margin=margins)
def test_gradients_are_those_of_finite_differences(loss, seed, margin):
    """The gradient with respect to values or logits is the slope of the loss, wherever the loss has one."""
    scores, soft, hard = drawn(loss, seed)
    direction, step = np.random.default_rng(seed + 1).normal(size=scores.shape), 1e-6

    def value(moved):
        return teacher_bounded_loss(outputs_of(loss, moved), soft, hard, loss=loss, margin=margin)[0]

    here, gradient = teacher_bounded_loss(outputs_of(loss, scores), soft, hard, loss=loss, margin=margin)
    slopes = (value(scores + step * direction) - value(scores - step * direction)) / (2 * step)
    is_smooth = (here == 0) | (here > 1e-4)
    assert is_smooth.sum() > 30
    np.testing.assert_allclose((gradient * direction).sum(axis=1)[is_smooth], slopes[is_smooth], atol=2e-4)


@few
@given(loss=st.sampled_from(LOSSES), seed=seeds, margin=margins)
def test_nothing_is_penalised_where_the_student_is_better_by_the_margin(loss, seed, margin):
    """The loss and its gradient are zero exactly where the student's loss is at most the teacher's less the margin."""
    scores, soft, hard = drawn(loss, seed)
    outputs = outputs_of(loss, scores)
    value, gradient = teacher_bounded_loss(outputs, soft, hard, loss=loss, margin=margin)
    excess = truth_loss(loss, outputs, hard) + margin - truth_loss(loss, soft, hard)
    np.testing.assert_allclose(value, np.maximum(excess, 0), atol=1e-12)
    np.testing.assert_array_equal(gradient.any(axis=1), excess > 0)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_loss_is_continuous_where_it_sets_in(loss):
    """A student that is as good as its teacher has no loss, and one that is hardly worse hardly any."""
    scores, soft, hard = drawn(loss, 0)
    np.testing.assert_array_equal(teacher_bounded_loss(soft, soft, hard, loss=loss)[0], 0)
    nearly = (1 - 1e-9) * soft + 1e-9 * outputs_of(loss, scores)
    assert teacher_bounded_loss(nearly, soft, hard, loss=loss)[0].max() < 1e-7


@few
@given(loss=st.sampled_from(LOSSES), seed=seeds, margin=margins, share=shares)
def test_targets_and_weights_have_the_gradient_of_the_loss(loss, seed, margin, share):
    """A fit on the returned targets and weights starts along the gradient of both losses together."""
    scores, soft, hard = drawn(loss, seed)
    outputs = outputs_of(loss, scores)
    targets, weight = teacher_bounded(outputs, soft, hard, share, loss=loss, margin=margin)
    of_truth = teacher_bounded_loss(outputs, soft, hard, loss=loss, margin=margin)[1]
    expected = share * (outputs - soft) + (1 - share) * of_truth
    np.testing.assert_allclose(weight[:, None] * (outputs - targets), expected, atol=1e-12)


def test_a_large_margin_is_the_blend_and_rows_without_truth_keep_the_teacher():
    """With a margin that no student reaches, labels count everywhere; unlabelled rows are unaffected by the bound."""
    scores, soft, hard = drawn("squared_error", 3)
    hard[::2] = np.nan
    targets, weight = teacher_bounded(scores, soft, hard, 0.3, loss="squared_error", margin=1e6)
    np.testing.assert_array_equal(targets, blend(soft, hard, 0.3))
    np.testing.assert_array_equal(weight, 1)
    targets, weight = teacher_bounded(scores, soft, hard, 0.3, loss="squared_error")
    np.testing.assert_array_equal(targets[::2], soft[::2])
    np.testing.assert_array_equal(weight[::2], 1)
    targets, weight = teacher_bounded(hard[1::2], soft[1::2], hard[1::2], 0.3, loss="squared_error")
    np.testing.assert_array_equal(targets, soft[1::2])
    np.testing.assert_array_equal(weight, 0.3)
    value, gradient = teacher_bounded_loss(scores, soft, hard, loss="squared_error", margin=1e6)
    assert not value[::2].any()
    assert not gradient[::2].any()
    assert np.isfinite(gradient).all()


@few
@given(loss=st.sampled_from(LOSSES), seed=seeds, factor=st.sampled_from([0.0, 0.5, 4.0]))
def test_weights_fall_with_the_teachers_loss_less_the_students(loss, seed, factor):
    """Weights have the mean 1, a bounded ratio, and the reverse order of the difference of losses."""
    scores, soft, hard = drawn(loss, seed)
    outputs = outputs_of(loss, scores)
    weight = loss_weights(outputs, soft, hard, loss=loss, student_factor=factor, max_ratio=5)
    difference = truth_loss(loss, soft, hard) - factor * truth_loss(loss, outputs, hard)
    assert weight.mean() == pytest.approx(1)
    assert 1 < weight.max() / weight.min() <= 5 + 1e-12
    assert np.all(np.diff(weight[np.argsort(difference)]) <= 1e-12)


def test_weights_at_their_limits():
    """Without a factor the student does not matter; with a ratio of 1, or without differences, all rows are alike."""
    scores, soft, hard = drawn("squared_error", 5)
    hard[::3] = np.nan
    alone = loss_weights(scores, soft, hard, loss="squared_error", student_factor=0)
    np.testing.assert_array_equal(alone, loss_weights(-scores, soft, hard, loss="squared_error", student_factor=0))
    assert len(np.unique(alone[::3])) == 1
    np.testing.assert_array_equal(loss_weights(scores, soft, hard, loss="squared_error", max_ratio=1), 1)
    np.testing.assert_array_equal(loss_weights(soft, soft, hard, loss="squared_error"), 1)
    np.testing.assert_allclose(loss_weights(scores + 0.2, scores + 0.3, scores, loss="squared_error"), 1, rtol=1e-4)
    np.testing.assert_array_equal(loss_weights(scores, soft, np.full_like(hard, np.nan), loss="squared_error"), 1)


def test_certain_and_wrong_probabilities_have_finite_losses():
    """A probability of zero for the true label is a large loss, not an infinite one."""
    wrong, truth = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    for outputs, soft in ((wrong, truth), (truth, wrong), (wrong, wrong)):
        value, gradient = teacher_bounded_loss(outputs, soft, truth, loss="log_loss")
        assert np.isfinite(value).all()
        assert np.isfinite(gradient).all()
        assert np.isfinite(loss_weights(outputs, soft, truth, loss="log_loss")).all()


@pytest.mark.parametrize("function", [teacher_bounded_loss, teacher_bounded, loss_weights])
def test_mistakes_are_named(function):
    """Each argument that does not fit is named, with what was expected."""
    who, three = function.__name__, np.zeros((3, 2))
    cases = [
        ((three, three[:2], three), {}, "have shapes"),
        ((three, three, np.full((3, 2), np.inf)), {}, "hard contains infinity"),
        ((three, np.full((3, 2), np.nan), three), {}, "soft contains NaN or infinity"),
        ((three, three, three), {"loss": "huber"}, "loss='huber'; expected 'squared_error'"),
        ((three[:, 0],) * 3, {"loss": "log_loss"}, "Encode labels with one_hot"),
    ]
    for arrays, params, message in cases:
        with pytest.raises(ValueError, match=f"{who}: .*{message}"):
            function(*arrays, **{"loss": "squared_error", **params})
    bad = {"student_factor": -1.0, "max_ratio": 0.5} if function is loss_weights else {"margin": -0.1}
    for name, value in bad.items():
        with pytest.raises(ValueError, match=f"{who}: {name}={value}; expected a number of at least"):
            function(three, three, three, loss="squared_error", **{name: value})
