import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skdistill.targets import fit_margin_scale, one_hot, softmax

few = settings(max_examples=25, deadline=None)
seeds = st.integers(0, 10_000)
some_margins = arrays(float, st.tuples(st.integers(1, 8), st.integers(2, 4)), elements=st.floats(-100, 100))


def simulate(seed, scale, n_rows=4_000, n_classes=3):
    """Draw margins, and labels from the softmax of ``scale`` times the margins."""
    rng = np.random.default_rng(seed)
    margins = rng.normal(size=(n_rows, n_classes))
    below = softmax(scale * margins).cumsum(axis=1) < rng.random((n_rows, 1))
    return margins, one_hot(below.sum(axis=1).clip(max=n_classes - 1), np.arange(n_classes))


@few
@given(margins=some_margins, seed=seeds, has_labels=st.booleans())
def test_scale_is_positive_and_keeps_the_winner(margins, seed, has_labels):
    """Whatever the margins, the scale is positive and finite, so the top class stays on top."""
    n_rows, n_classes = margins.shape
    labels = np.eye(n_classes)[np.random.default_rng(seed).integers(n_classes, size=n_rows)] if has_labels else None
    scale = fit_margin_scale(margins, labels)
    assert np.isfinite(scale)
    assert scale > 0
    winner = np.take_along_axis(scale * margins, margins.argmax(axis=1)[:, None], axis=1)[:, 0]
    np.testing.assert_array_equal(winner, (scale * margins).max(axis=1))


@pytest.mark.parametrize("true_scale", [0.3, 1.0, 4.0])
def test_known_scale_is_recovered(true_scale):
    """Labels drawn at a known scale give that scale back, up to the noise of the labels."""
    margins, labels = simulate(seed=0, scale=true_scale)
    assert fit_margin_scale(margins, labels) == pytest.approx(true_scale, rel=0.2)


@few
@given(seed=seeds, true_scale=st.floats(0.2, 5))
def test_soft_targets_give_the_scale_exactly(seed, true_scale):
    """Probabilities that are a softmax of the margins give their scale back, up to the smoothing of one row."""
    margins = np.random.default_rng(seed).normal(size=(2_000, 3))
    assert fit_margin_scale(margins, softmax(true_scale * margins)) == pytest.approx(true_scale, rel=0.02)


@few
@given(seed=seeds, factor=st.sampled_from([1e-6, 0.1, 3.0, 1e6]), has_labels=st.booleans())
def test_scale_undoes_the_unit_of_the_margins(seed, factor, has_labels):
    """Margins in another unit give the same logits: c times the margins, one c-th of the scale."""
    margins, labels = simulate(seed, scale=1.5, n_rows=60)
    labels = labels if has_labels else None
    expected = fit_margin_scale(margins, labels)
    assert fit_margin_scale(factor * margins, labels) * factor == pytest.approx(expected, rel=1e-3)


@few
@given(seed=seeds, has_labels=st.booleans())
def test_scale_ignores_shifts_of_a_row(seed, has_labels):
    """Only differences of margins count: a number added to all margins of a row changes nothing."""
    margins, labels = simulate(seed, scale=1.5, n_rows=60)
    labels = labels if has_labels else None
    shift = np.random.default_rng(seed).normal(size=(60, 1))
    assert fit_margin_scale(margins + shift, labels) == pytest.approx(fit_margin_scale(margins, labels), rel=1e-3)


@pytest.mark.parametrize("n_rows", [1, 10, 1_000])
def test_separable_labels_stay_finite(n_rows):
    """Margins that are never wrong do not push the scale to infinity."""
    margins = np.random.default_rng(0).normal(size=(n_rows, 3))
    scale = fit_margin_scale(margins, one_hot(margins.argmax(axis=1), np.arange(3)))
    assert np.isfinite(scale)
    assert np.all(softmax(scale * margins) > 0)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
def test_labels_are_smoothed_by_one_row(n_classes):
    """A single row is half believed: its label gets half the probability, the other half is shared by all."""
    margins = labels = np.eye(1, n_classes)
    proba = softmax(fit_margin_scale(margins, labels) * margins)
    assert proba[0, 0] == pytest.approx(0.5 + 0.5 / n_classes, rel=1e-3)


def test_surer_labels_give_a_larger_scale():
    """The less often the margins are wrong, the steeper the probabilities."""
    scales = [fit_margin_scale(*simulate(seed=1, scale=scale)) for scale in (0.5, 1.0, 2.0, 4.0)]
    assert np.all(np.diff(scales) > 0)


def test_without_labels_the_typical_gap_is_two():
    """Without a truth the mean gap of the two largest margins becomes a logit of two, as documented."""
    margins = np.random.default_rng(0).normal(size=(50, 4))
    ordered = np.sort(fit_margin_scale(margins) * margins, axis=1)
    assert np.mean(ordered[:, -1] - ordered[:, -2]) == pytest.approx(2)


@pytest.mark.parametrize("labels", [None, np.eye(2)[[0, 1, 1]]], ids=["without labels", "with labels"])
def test_margins_that_say_nothing_stay_as_they_are(labels):
    """Where all margins of each row are equal there is nothing to scale."""
    assert fit_margin_scale(np.ones((3, 2)), labels) == 1
