"""Which columns need float64: those whose differences float32 would blur, and no others."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from skdistill._precision import needs_double

RNG = np.random.default_rng(0)
N_ROWS = 3000
DAYS = RNG.integers(1, 32, N_ROWS)
SECONDS = RNG.integers(0, 600, N_ROWS)
BLURRED = {
    "dates as 20180131": 20180100.0 + DAYS,
    "seconds since 1970": 1.7e9 + SECONDS,
    "seconds before 1970": -1.7e9 - SECONDS,
    "microseconds": 1.7e15 + SECONDS * 1e3,
    "two instants": 1.7e9 + (SECONDS > 300),
    "seconds, mostly unknown": np.where(RNG.random(N_ROWS) < 0.99, 0.0, 1.7e9 + SECONDS),
    "seconds, some missing": np.where(RNG.random(N_ROWS) < 0.5, np.nan, 1.7e9 + SECONDS),
    "seconds before or after a break": 1.7e9 + SECONDS + 1e8 * (DAYS > 15),
    "metres of a map": 5.8e6 + RNG.uniform(0, 2, N_ROWS),
    "beyond the range of float32": 1e40 * RNG.random(N_ROWS),
    "below the range of float32": 1e-50 * RNG.random(N_ROWS),
}
KEPT = {
    "normal": RNG.normal(size=N_ROWS),
    "far from zero": RNG.normal(300, 5, N_ROWS),
    "over many magnitudes": np.exp(10 * RNG.normal(size=N_ROWS)),
    "exact whole numbers": RNG.integers(0, 2**24, N_ROWS).astype(float),
    "exact halves": 2**20 + DAYS / 2,
    "dates of some years, in microseconds": 1.6e15 + 86_400e6 * RNG.integers(0, 3000, N_ROWS),
    "a large constant": np.full(N_ROWS, 1.7e15 + 1),
    "rounding errors": 0.1 * RNG.integers(0, 9, N_ROWS) * (1 + 1e-16 * RNG.integers(0, 3, N_ROWS)),
    "all missing": np.full(N_ROWS, np.nan),
    "infinite": np.where(SECONDS < 300, np.inf, RNG.random(N_ROWS)),
}


@pytest.mark.parametrize("as_table", [np.asarray, sparse.csr_matrix, sparse.csc_array])
def test_columns_that_float32_would_blur(as_table):
    """They are found one by one, dense and sparse; float32 tables have nothing to lose."""
    columns = BLURRED | KEPT
    table = as_table(np.column_stack(list(columns.values())))
    assert [name for name, needs in zip(columns, needs_double(table), strict=True) if needs] == list(BLURRED)
    with np.errstate(over="ignore", under="ignore"):
        assert not needs_double(table.astype(np.float32)).any()


@pytest.mark.parametrize("table", [np.zeros((0, 2)), np.zeros((1, 2)), np.zeros((5, 0)), sparse.csr_array((3, 2))])
def test_tables_without_values(table):
    """No rows, no columns, nothing stored."""
    np.testing.assert_array_equal(needs_double(table), np.zeros(table.shape[1], dtype=bool))


@settings(max_examples=25, deadline=None)
@given(exponent=st.floats(0, 12), scale=st.floats(-20, 20), n_rows=st.integers(50, 3000), seed=st.integers(0, 99))
def test_what_float32_keeps_it_keeps_well(exponent, scale, n_rows, seed):
    """Rounding moves other columns by less than 0.001 of their spread, and those that are found by a part of it."""
    unit = np.random.default_rng(seed).random(n_rows)
    column = 10**scale * (10**exponent + unit)
    error = np.abs(column.astype(np.float32) - column).max() / (10**scale * np.ptp(unit))
    assert error > 1e-6 if needs_double(column[:, None])[0] else error < 1e-3
