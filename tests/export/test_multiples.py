"""Weights of few steps are codes and a step, exactly, and other numbers are not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skdistill.export._c_tables import table
from skdistill.export._multiples import MIN_NUMBERS, multiples_of


@settings(max_examples=60, deadline=None)
@given(
    step=st.floats(2.0**-20, 2.0**20),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 99),
    largest=st.integers(1, 127),
)
def test_codes_times_the_step_are_the_numbers(step, dtype, seed, largest):
    """Whatever is found is exact, and steps of few digits are found."""
    codes = np.random.default_rng(seed).integers(-largest, largest + 1, 400)
    for of_step in (dtype(np.float16(min(step, 1000))), dtype(step)):
        values = codes.astype(dtype) * of_step
        found = multiples_of(values)
        if found is not None:
            assert found[0].dtype == np.int8
            assert (found[0] * found[1]).dtype == values.dtype
            np.testing.assert_array_equal(found[0] * found[1], values)
    assert multiples_of(codes.astype(dtype) * dtype(0.375)) is not None


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=300),
        np.arange(300.0),
        np.zeros(300),
        np.arange(MIN_NUMBERS - 1.0),
        np.append(np.arange(80.0), np.inf),
        np.array(0.5),
    ],
    ids=["any", "too large", "zeros", "few", "infinite", "one"],
)
def test_other_numbers_have_no_step(values):
    """They are stored as they are."""
    assert multiples_of(values) is None


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0, 255], "unsigned char"),
        ([-1, 127], "signed char"),
        ([-128, 0], "signed char"),
        ([-129, 0], "short"),
        ([-1, 128], "short"),
        ([-1, 2**15], "int32_t"),
        ([0, 2**16], "int32_t"),
    ],
)
def test_types_of_c_hold_their_numbers(values, kind):
    """Negative ones as well, such as leaf values of one byte."""
    assert table("t", np.array(values)).startswith(f"    static const {kind} t[2]")
