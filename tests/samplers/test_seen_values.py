"""Columns of few whole numbers, which may be codes, and rows that are restricted to values seen."""

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KernelDensity

from skdistill.samplers import MUNGE, SPUNGE, Interpolation, Jitter, LeafSwap, Mixture, UniformBox, as_sampler
from skdistill.samplers._seen_values import Restriction, SeenValues

CODES = [101, 205, 330, 412, 999]
RNG = np.random.default_rng(0)
COLUMNS = {
    "code": RNG.choice(CODES, 400),
    "whole": RNG.choice([1.0, 2.0, 40.0], 400),
    "age": RNG.integers(18, 90, 400) * 2,
    "size": RNG.choice([0.5, 1.0, 2.5, 9.0], 400),
}
SAMPLERS = {
    "MUNGE": MUNGE(1.0, 0.1, random_state=0),
    "leaf swap": LeafSwap(noise=0.5, random_state=0),
    "jitter": Jitter(0.5),
    "SPUNGE": SPUNGE(0.9, noise=1.0),
    "interpolation": Interpolation(random_state=0),
    "uniform": UniformBox(),
    "mixture": Mixture([Jitter(0.5), MUNGE(random_state=0)], random_state=0),
    "Gaussians": as_sampler(GaussianMixture(2, random_state=0)),
    "density": as_sampler(KernelDensity(bandwidth=10.0)),
}


TABLES = {
    "array": np.column_stack(list(COLUMNS.values())),
    "float32": np.column_stack(list(COLUMNS.values())).astype(np.float32),
    "pandas": pd.DataFrame(COLUMNS),
    "polars": pl.DataFrame(COLUMNS),
    "pyarrow": pa.table(COLUMNS),
}


@pytest.fixture(params=TABLES)
def table(request):
    """The columns as a frame of each library, and as arrays."""
    return TABLES[request.param]


def column(table, index):
    cells = table if isinstance(table, np.ndarray) else nw.from_native(table, eager_only=True).to_numpy()
    return cells[:, index].astype(float)


def is_seen(rows, X, index):
    return np.isin(column(rows, index), column(X, index))


@pytest.mark.parametrize("name", SAMPLERS)
def test_codes_are_never_invented(name, table):
    """In a column of few whole numbers, whatever its dtype, all numbers are seen; others are drawn in between."""
    rows = SAMPLERS[name].fit(table).sample(400, random_state=0)
    assert set(column(rows, 0)) == set(CODES)
    assert is_seen(rows, table, 1).all()
    assert not is_seen(rows, table, 2).all()
    assert not is_seen(rows, table, 3).all()


def test_described_ranges_are_whole():
    """Nothing is left out of a range that the user has described."""
    rows = UniformBox([(100, 130), list(range(200))]).fit().sample(2000, random_state=0)
    assert set(rows[:, 0]) == set(range(100, 131))


@pytest.mark.parametrize("restriction", Restriction)
def test_restricted_rows(restriction, table):
    """Numbers of restricted columns become the nearest ones seen; all other cells, and missing ones, are unchanged."""
    drawn = Jitter(0.5).fit(table).sample(300, random_state=0)
    rows = SeenValues(table).restrict(drawn, restriction)
    columns = [0, 1] + [2] * (restriction >= Restriction.WHOLE) + [3] * (restriction == Restriction.ALL)
    for index in range(4):
        before, after = column(drawn, index), column(rows, index)
        if index in columns:
            seen = column(table, index)
            np.testing.assert_allclose(np.abs(after - before), np.abs(seen[:, None] - before).min(axis=0))
            assert np.isin(after, seen).all()
        else:
            np.testing.assert_array_equal(after, before)
    assert SeenValues(table).restrict(rows, restriction) is rows


def test_what_has_no_nearest_number():
    """Missing and huge numbers are kept, the rows given are not changed, and neither are sparse matrices."""
    X = np.array([[1.0, 2.0**60], [3.0, 2.0**61], [np.nan, 5.0]])
    rows = np.array([[np.nan, 2.0**60 + 4096], [2.9, 7.0]])
    before = rows.copy()
    restricted = SeenValues(X).restrict(rows, Restriction.ALL)
    np.testing.assert_array_equal(restricted, [[np.nan, 2.0**60 + 4096], [3.0, 7.0]])
    np.testing.assert_array_equal(rows, before)
    terms = sparse.csr_matrix(np.eye(3))
    assert SeenValues(terms).restrict(terms, Restriction.ALL) is terms
