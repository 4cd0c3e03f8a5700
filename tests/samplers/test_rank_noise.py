"""Noise along the ranks of columns."""

import numpy as np
import pytest

from skdistill.samplers._cells import Numbers
from skdistill.samplers._rank_noise import Swap, move_along_ranks

RNG = np.random.default_rng(0)
COLUMNS = {
    "normal": RNG.standard_normal(500),
    "repeated": RNG.integers(0, 5, 500).astype(float),
    "dates": 20180101 + RNG.integers(0, 30, 500).astype(float),
    "large and close": 2.0**52 + RNG.integers(0, 3000, 500),
    "a sentinel far away": np.where(RNG.random(500) < 0.1, -9e15, RNG.random(500)),
    "missing": np.where(RNG.random(500) < 0.3, np.nan, RNG.standard_normal(500)),
    "negative": -np.exp(RNG.standard_normal(500)),
    "constant": np.full(500, 3.0),
}
TABLE = np.column_stack(list(COLUMNS.values()))


def moved(table, scale, swap=None, seed=0):
    """Return the table after a step, in the order of its rows."""
    return move_along_ranks(Numbers(table), np.arange(len(table)), scale, np.random.default_rng(seed), swap).T


@pytest.mark.parametrize("name", COLUMNS)
def test_steps_are_small_in_ranks(name):
    """A number moves by about the step in ranks, whatever the size and the distances of the numbers are."""
    column = COLUMNS[name]
    new = moved(column[:, None], 0.02)[:, 0]
    np.testing.assert_array_equal(np.isnan(new), np.isnan(column))
    present = column[~np.isnan(column)]
    ordered = np.sort(present)
    first, last = (np.searchsorted(ordered, present, side) for side in ("left", "right"))
    rank = np.searchsorted(ordered, new[~np.isnan(new)])
    distance = np.maximum(np.maximum(first - rank, rank - last), 0)
    assert distance.mean() < 0.04 * len(present)
    assert new[~np.isnan(new)].min() >= present.min()
    assert new[~np.isnan(new)].max() <= present.max()


def test_without_a_step_cells_stay():
    """A step of zero returns the numbers themselves, or those of their partners."""
    np.testing.assert_array_equal(moved(TABLE, 0.0), TABLE)
    partners, is_swapped = RNG.permutation(500), RNG.random(TABLE.shape) < 0.5
    swapped = moved(TABLE, 0.0, Swap(partners, is_swapped.T))
    np.testing.assert_array_equal(swapped, np.where(is_swapped, TABLE[partners], TABLE))


def test_distributions_are_kept():
    """A block keeps the distribution of each column: its quantiles hardly change."""
    table = RNG.standard_normal((20_000, 3)) ** 3
    new = moved(table, 0.05)
    for share in (0.1, 0.5, 0.9):
        for old, drawn in zip(table.T, new.T, strict=True):
            assert abs(np.mean(drawn <= np.quantile(old, share)) - share) < 0.02


def test_steps_are_normal():
    """Far from the ends, the step in ranks has the standard deviation that was asked for, and no preferred sign."""
    column = np.arange(10_000.0)
    inner = slice(3000, 7000)
    step = (moved(column[:, None], 0.05)[:, 0] - column)[inner]
    assert step.std() == pytest.approx(500, rel=0.05)
    assert abs(step.mean()) < 30
    assert np.mean(np.abs(step) < 500) == pytest.approx(0.683, abs=0.03)
