"""Learning rates that grow from tree to tree."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skdistill.solvers import GrowingRate

RATES = st.floats(0.001, 10)


@given(RATES, RATES, st.integers(2, 500))
def test_rates_grow_by_one_factor(first, last, n_trees):
    """From the first to the last tree, each rate is the one before times the same factor; then it stays."""
    rates = np.array(GrowingRate(first, last, n_trees).of(0, n_trees + 3))
    np.testing.assert_allclose(rates[[0, n_trees - 1]], [first, last])
    np.testing.assert_allclose(rates[1:n_trees] / rates[: n_trees - 1], (last / first) ** (1 / (n_trees - 1)))
    np.testing.assert_allclose(rates[n_trees:], last)


@given(RATES, RATES, st.integers(2, 50), st.integers(0, 60), st.integers(0, 60))
def test_rates_are_those_of_the_place_of_a_tree(first, last, n_trees, n_before, n_more):
    """Rates of trees that are grown later are those of the same trees in one go."""
    rate = GrowingRate(first, last, n_trees)
    together = rate.of(0, n_before + n_more)
    assert rate.of(0, n_before) + rate.of(n_before, n_before + n_more) == together
