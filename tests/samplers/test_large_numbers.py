"""Samplers that grow trees see the differences of numbers that are large compared with them."""

import numpy as np
import pytest

from skdistill.samplers import LeafSwap, choose_from_pool

ROWS = np.random.default_rng(0).integers(64, 320, (300, 2)) / 64
"""On a grid, so that the offset is added exactly."""
OUTPUTS = np.sin(3 * ROWS[:, 0])


@pytest.mark.parametrize("offset", [2.0**26, -(2.0**34)])
def test_an_offset_moves_the_rows_and_changes_nothing_else(offset):
    """Neither whose cells are swapped nor which rows of a pool are chosen."""
    swap = LeafSwap(noise=0.0)
    near, far = (swap.fit(rows, OUTPUTS).sample(300, random_state=0) for rows in (ROWS, ROWS + offset))
    np.testing.assert_array_equal(far, near + offset)
    near, far = (
        choose_from_pool(rows[:150], OUTPUTS[:150], rows, 50, np.random.RandomState(0))
        for rows in (ROWS, ROWS + offset)
    )
    np.testing.assert_array_equal(far, near)
