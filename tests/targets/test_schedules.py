"""Temperatures that change over the training."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.targets import logistic_schedule, scheduled_temperature

SHARES = st.floats(0, 1)


@pytest.mark.parametrize("name", ["linear", "cosine", "logistic"])
@given(start=st.floats(0.1, 20), end=st.floats(0.1, 20), one=SHARES, two=SHARES)
def test_schedules_go_from_start_to_end_without_turning_back(name, start, end, one, two):
    """At 0 it is the start, at 1 the end, and between them it never turns back."""
    assert scheduled_temperature(name, start, end, 0.0) == pytest.approx(start)
    assert scheduled_temperature(name, start, end, 1.0) == pytest.approx(end)
    early, late = (scheduled_temperature(name, start, end, share) for share in sorted((one, two)))
    assert abs(late - start) >= abs(early - start) - 1e-9


@given(share=SHARES, start=st.floats(0.1, 20))
def test_constant_stays(share, start):
    """Whatever the end is."""
    assert scheduled_temperature("constant", start, 1.0, share) == start


@given(steepness=st.floats(0.5, 50), center=SHARES)
def test_logistic_is_steepest_at_its_center(steepness, center):
    """The change over a short time is largest there."""
    schedule = logistic_schedule(steepness, center)
    slopes = [schedule(share + 0.005) - schedule(share - 0.005) for share in (0.005, center, 0.995)]
    assert slopes[1] >= max(slopes) - 1e-9


def test_logistic_refuses_what_is_no_schedule():
    """By name."""
    with pytest.raises(ValueError, match=r"steepness=0, center=0.5; expected steepness above 0 and center in \[0, 1\]"):
        logistic_schedule(0)


def test_a_callable_is_a_schedule():
    """From the share that is over to the share of the way."""
    assert scheduled_temperature(lambda share: share**2, 4.0, 2.0, 0.5) == 3.5
