"""Links of values: scores without bounds, and back to values within bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistill.compiled._links import inverse_link
from skdistill.targets import TargetLink

LINKS = [
    TargetLink.of("log"),
    TargetLink.of("log", (-1, 30)),
    TargetLink.of("logit"),
    TargetLink.of("logit", (-5, 1e6)),
    TargetLink.of("identity", (None, 3)),
    TargetLink(),
]


def back(link, scores):
    return inverse_link(link.inverse, link.bounds).of_rows(scores)


@pytest.mark.parametrize("link", LINKS, ids=str)
@pytest.mark.parametrize("shape", [(50,), (50, 3)])
def test_the_inverse_returns_the_values(link, shape):
    """Values that are not at a bound survive the way to scores and back."""
    low, high = (bound if np.isfinite(bound) else sign * 3.0 for bound, sign in ((link.low, -1), (link.high, 1)))
    values = np.random.RandomState(0).uniform(low + 0.01 * (high - low), high - 0.01 * (high - low), size=shape)
    np.testing.assert_allclose(back(link, link.scores(values)), values, rtol=1e-9)


@settings(max_examples=60, deadline=None)
@given(scores=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), link=st.sampled_from(LINKS))
def test_no_score_leads_outside_the_bounds(scores, link):
    """Whatever a student predicts, its values are finite and within the bounds; those of a log are above 0."""
    values = back(link, np.array(scores))
    assert np.all(np.isfinite(values))
    assert link.is_inside(values).all()
    if link == TargetLink.of("log"):
        assert np.all(values > 0)


@pytest.mark.parametrize("link", LINKS[:4], ids=str)
def test_values_at_and_beyond_the_bounds_have_scores(link):
    """They are moved inside, by little: scores are finite, and ordered as the values."""
    high = link.high if np.isfinite(link.high) else 1e9
    values = np.array([link.low - 1, link.low, link.low + 0.4 * (high - link.low), high, high + 1])
    scores = link.scores(values)
    assert np.all(np.isfinite(scores))
    assert np.all(np.diff(scores) >= 0)
    assert np.all(np.isfinite(link.weights(values)))
    assert np.all(link.weights(values) > 0)


def test_an_output_that_is_always_at_the_bound_has_scores():
    """Such as a rare event that the teacher never expects."""
    values = np.column_stack([np.zeros(4), np.arange(1.0, 5)])
    log = TargetLink.of("log")
    assert np.all(np.isfinite(log.scores(values)))
    assert np.all(np.isfinite(log.weights(values)))


def test_tiny_values_do_not_set_the_floor():
    """A value that has underflowed is no reason to teach the rest on a scale of hundreds of logarithms."""
    scores = TargetLink.of("log").scores(np.array([1e-300, 1.0, 2.0, 3.0]))
    assert np.ptp(scores) < 20


@pytest.mark.parametrize("unit", [1e-200, 1.0, 1e200])
def test_the_unit_of_the_values_does_not_matter(unit):
    """Weights are the same in any unit, and scores of a log are shifted."""
    values, log = np.array([0.0, 1.0, 3.0, 7.0]), TargetLink.of("log")
    np.testing.assert_allclose(log.weights(unit * values), log.weights(values))
    np.testing.assert_allclose(log.scores(unit * values) - np.log(unit), log.scores(values))


@pytest.mark.parametrize(
    ("name", "bounds", "message"),
    [
        ("probit", None, "link='probit'; expected one of"),
        ("log", (-np.inf, None), "expected a finite lower bound"),
        ("logit", (0, np.inf), "expected finite bounds"),
        ("identity", (1, 1), "low < high"),
        ("identity", (np.nan, 1), "low < high"),
        ("log", (3, 2), "low < high"),
        ("log", 5, "two numbers"),
        ("logit", ("a", "b"), "two numbers"),
    ],
)
def test_impossible_links_are_refused(name, bounds, message):
    """The message says what was expected."""
    with pytest.raises(ValueError, match=message):
        TargetLink.of(name, bounds)
