"""Pinball loss, its skill, coverage, and coverage by slice."""

import numpy as np
import pytest
from scipy.stats import binom
from sklearn.metrics import mean_pinball_loss

from skdistill.metrics import coverage, coverage_by_slice, pinball_loss, pinball_skill

RNG = np.random.default_rng(0)
Y = RNG.normal(size=60)
LEVELS = np.array([0.1, 0.5, 0.8])
VALUES = RNG.normal(size=(60, 3))
WEIGHT = RNG.integers(0, 4, size=60)
INTERVALS = np.sort(RNG.normal(size=(60, 2)), axis=1)


def test_the_loss_is_that_of_scikit_learn():
    """Averaged over the levels."""
    expected = [mean_pinball_loss(Y, VALUES[:, k], alpha=level) for k, level in enumerate(LEVELS)]
    assert pinball_loss(Y, VALUES, quantiles=LEVELS) == pytest.approx(np.mean(expected))
    assert pinball_loss(Y, VALUES[:, 0], quantiles=0.1) == pytest.approx(expected[0])


def test_skill_is_one_for_the_truth_and_zero_for_the_best_constants():
    """No other constant is better."""
    truth = np.repeat(Y[:, None], 3, axis=1)
    assert pinball_skill(Y, truth, quantiles=LEVELS) == 1
    best = np.quantile(Y, LEVELS, method="inverted_cdf")
    assert pinball_skill(Y, np.tile(best, (60, 1)), quantiles=LEVELS) == pytest.approx(0, abs=1e-12)
    for shift in (-0.1, 0.1):
        assert pinball_skill(Y, np.tile(best + shift, (60, 1)), quantiles=LEVELS) < 0
    assert np.isnan(pinball_skill(np.ones(60), truth, quantiles=LEVELS))


@pytest.mark.parametrize(
    "metric",
    [
        lambda rows, **weight: pinball_loss(Y[rows], VALUES[rows], quantiles=LEVELS, **weight),
        lambda rows, **weight: pinball_skill(Y[rows], VALUES[rows], quantiles=LEVELS, **weight),
        lambda rows, **weight: coverage(Y[rows], INTERVALS[rows], **weight),
    ],
    ids=["loss", "skill", "coverage"],
)
def test_a_row_of_weight_three_is_three_rows(metric):
    """And a row of weight zero is none."""
    assert metric(np.arange(60), sample_weight=WEIGHT) == pytest.approx(metric(np.repeat(np.arange(60), WEIGHT)))


def test_bounds_by_slice_are_exact():
    """At a bound, what was seen has exactly half of the error probability; slices without misses have the bound one."""
    slices = np.repeat(["a", "b", "c"], 20)
    intervals = INTERVALS.copy()
    intervals[:20] = [-np.inf, np.inf]
    intervals[20:40] = 9.0
    table = coverage_by_slice(Y, intervals, slices, confidence=0.9)
    assert table["slice"].tolist() == ["a", "b", "c"]
    assert table["n_rows"].tolist() == [20, 20, 20]
    assert table["coverage"].tolist() == [1, 0, coverage(Y[40:], INTERVALS[40:])]
    inside = np.rint(20 * table["coverage"])
    assert (table["high"][0], table["low"][1]) == (1, 0)
    np.testing.assert_allclose(binom.sf(inside[[0, 2]] - 1, 20, table["low"][[0, 2]]), 0.05)
    np.testing.assert_allclose(binom.cdf(inside[1:], 20, table["high"][1:]), 0.05)
    assert table["width"][1] == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pinball_loss(Y, VALUES, quantiles=[0.1, 0.5]), r"values of shape \(60, 3\) for 2 levels"),
        (lambda: pinball_loss(Y[:5], VALUES, quantiles=LEVELS), "pinball_loss: y_true of shape"),
        (lambda: pinball_skill(Y, VALUES, quantiles=[0, 0.5, 1]), "expected levels above 0 and below 1"),
        (lambda: pinball_skill(Y, VALUES * np.nan, quantiles=LEVELS), "values has NaN or infinity in 60 of 60 rows"),
        (lambda: coverage(Y, INTERVALS[:, ::-1]), "60 intervals have a lower end above the upper one"),
        (lambda: coverage(Y, VALUES), r"intervals of shape \(60, 3\); expected"),
        (lambda: coverage([], []), "at least one row"),
        (lambda: coverage_by_slice(Y, INTERVALS, [1, 2]), r"slices has shape \(2,\); expected \(60,\)"),
        (lambda: coverage_by_slice(Y, INTERVALS, Y, confidence=95), "confidence=95; expected a number"),
    ],
)
def test_invalid_inputs(call, message):
    """The message names the metric."""
    with pytest.raises(ValueError, match=message):
        call()
