"""Stratified samples of large tables."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skdistill.samplers import _pool, choose_from_pool
from skdistill.samplers._pool import Strata
from skdistill.samplers._stratified import allocate, complete_sample


def strata_of(seed, n_strata):
    """Draw sizes, spreads (some of them zero) and numbers of rows taken, of strata of which some are empty."""
    rng = np.random.default_rng(seed)
    count = rng.integers(0, 200, n_strata)
    count[0] += 1
    spread = rng.random(n_strata) * (rng.random(n_strata) < 0.7)
    return count, spread, np.minimum(count, rng.integers(0, 9, n_strata)), rng


@given(st.integers(0, 2**32 - 1), st.integers(1, 32))
def test_allocation_keeps_its_bounds(seed, n_strata):
    """Any number of rows is allocated exactly; no stratum gives back a row or more rows than it has."""
    count, spread, taken, rng = strata_of(seed, n_strata)
    n_rows = int(rng.integers(taken.sum(), count.sum() + 1))
    sampled = allocate(count, spread, taken, n_rows)
    assert sampled.sum() == n_rows
    assert np.all((taken <= sampled) & (sampled <= count))


def test_allocation_follows_neyman():
    """Of equally large strata, one whose outputs vary more gets more rows; one where they do not vary keeps half."""
    sampled = allocate(np.full(4, 10_000), np.array([0.0, 1.0, 2.0, 5.0]), np.zeros(4, dtype=int), 800)
    assert sampled.tolist() == [100, 150, 200, 350]


@given(st.integers(0, 2**32 - 1))
def test_weights_stand_for_the_table(seed):
    """The first rows stay, and the weights of each stratum add up to its share of the table; none is much larger."""
    count, spread, _, rng = strata_of(seed, 5)
    count = count + 300
    strata = rng.permutation(np.repeat(np.arange(5), count)).astype(np.uint8)
    first = rng.choice(len(strata), 200, replace=False)
    sample = complete_sample(strata, spread, first, 400, rng)
    assert np.isin(first, sample.rows).all()
    assert len(np.unique(sample.rows)) == 400
    shares = np.bincount(strata[sample.rows], sample.weight, 5) / sample.weight.sum()
    np.testing.assert_allclose(shares, count / count.sum())
    assert sample.weight.max() < 2.5 * sample.weight.mean()


def test_strata_do_not_depend_on_blocks(monkeypatch):
    """A pool that is read in blocks gives the same choice as one that is read at once, whatever its columns hold."""
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.random((2000, 2)), 20180101 + rng.integers(0, 30, 2000)])
    X[::7, 1] = np.nan
    outputs = np.sin(20 * X[:400, 0])
    chosen = choose_from_pool(X[:400], outputs, X, 100, np.random.RandomState(0))
    monkeypatch.setattr(_pool, "BLOCK_CELLS", 100)
    again = choose_from_pool(X[:400], outputs, X, 100, np.random.RandomState(0))
    np.testing.assert_array_equal(chosen, again)


@pytest.mark.parametrize("outputs", [np.zeros(200), np.repeat(np.eye(2), 100, axis=0)])
def test_strata_of_outputs_without_spread(outputs):
    """Outputs that do not vary within any stratum are no reason to fail: the sample is then drawn in proportion."""
    X = np.arange(200.0).reshape(-1, 1)
    strata = Strata(X, outputs, np.random.RandomState(0))
    np.testing.assert_array_equal(strata.of(X), strata.own)
    sample = complete_sample(strata.own, strata.spread, np.arange(0, 200, 10), 50, np.random.default_rng(0))
    np.testing.assert_allclose(sample.weight, 1, atol=0.1)
