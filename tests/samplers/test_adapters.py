import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.neighbors import KernelDensity
from strategies import assert_same_table, cells_of, schema_of
from threadpoolctl import threadpool_limits

from skdistill.exceptions import SamplerError
from skdistill.samplers import MUNGE, as_sampler

DENSITIES = [
    KernelDensity(bandwidth=0.5),
    GaussianMixture(2, random_state=0),
    BayesianGaussianMixture(n_components=2, max_iter=500, tol=0.1, random_state=0),
]

rng = np.random.default_rng(0)
VALUES = {
    "size": rng.normal(size=60),
    "ratio": rng.random(60).astype(np.float32),
    "count": rng.integers(-9, 9, 60),
    "pieces": rng.integers(0, 256, 60).astype(np.uint8),
    "flag": rng.random(60) < 0.5,
    "whole": rng.integers(0, 9, 60).astype(float),
}
NUMBERS = np.column_stack([VALUES["size"] * 5, VALUES["whole"]])
TABLES = {
    "pandas": pd.DataFrame(VALUES),
    "polars": pl.DataFrame(VALUES),
    **{dtype: NUMBERS.astype(dtype) for dtype in ("float64", "float32", "int64", "uint8", "bool")},
}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """On tables this small the threads of a mixture only wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.fixture(params=DENSITIES, ids=lambda density: type(density).__name__)
def density(request):
    return request.param


@pytest.fixture(params=TABLES)
def table(request):
    return TABLES[request.param]


def columns(table):
    """Return the columns of a table of numbers as floats, by name or place."""
    if isinstance(table, np.ndarray):
        return dict(enumerate(table.astype(float).T))
    return {name: cells_of(table, name)[0].astype(float) for name in table.columns}


def test_schema_is_kept(density, table):
    """Rows of a density have the columns and dtypes of the table, and are as many as asked for."""
    rows = as_sampler(density).fit(table).sample(40, random_state=0)
    assert type(rows) is type(table)
    assert rows.shape == (40, table.shape[1])
    assert schema_of(rows) == schema_of(table)


def test_numbers_stay_in_their_range_and_integers_whole(density, table):
    """No cell leaves the observed range, and columns of whole numbers stay whole, whatever their dtype."""
    rows = columns(as_sampler(density).fit(table).sample(200, random_state=0))
    for name, real in columns(table).items():
        assert np.all((rows[name] >= real.min()) & (rows[name] <= real.max()))
        if np.all(real == real.round()):
            np.testing.assert_array_equal(rows[name], rows[name].round())


def test_rows_are_new(density):
    """A density draws numbers that are not in the table, but for those that it draws beyond the ends."""
    rows = as_sampler(density).fit(NUMBERS).sample(50, random_state=0)
    is_end = (rows[:, 0] == NUMBERS[:, 0].min()) | (rows[:, 0] == NUMBERS[:, 0].max())
    assert not np.isin(rows[~is_end, 0], NUMBERS[:, 0]).any()
    assert np.mean(is_end) < 0.2


def test_constant_columns_stay_constant(density):
    """The noise of a density does not reach a column with one value."""
    table = np.column_stack([NUMBERS, np.full(60, 2.5)])
    assert set(as_sampler(density).fit(table).sample(50, random_state=0)[:, 2]) == {2.5}


def test_same_seed_same_rows(density, table):
    """A fitted sampler gives the same rows for the same seed, from a number as from a generator."""
    sampler = as_sampler(density).fit(table)
    rows = sampler.sample(30, random_state=1)
    assert_same_table(sampler.sample(30, random_state=1), rows)
    assert_same_table(sampler.sample(30, random_state=np.random.RandomState(1)), rows)


def test_another_seed_other_rows(density):
    """Rows of two seeds differ, and so do rows without one."""
    sampler = as_sampler(density).fit(NUMBERS)
    assert not np.array_equal(sampler.sample(30, random_state=1), sampler.sample(30, random_state=2))
    assert not np.array_equal(sampler.sample(30), sampler.sample(30))


def test_the_callers_density_is_never_touched(density):
    """The density is a recipe: neither fitting nor sampling changes its state or its parameters."""
    before = dict(vars(density))
    as_sampler(density).fit(NUMBERS).sample(5, random_state=123)
    assert vars(density) == before


def test_fit_changes_no_parameter(density):
    """The adapter, too, fits a clone and keeps its own density as a recipe."""
    sampler = as_sampler(density)
    before = dict(vars(sampler.density))
    sampler.fit(NUMBERS).sample(5, random_state=123)
    assert vars(sampler.density) == before


def test_the_table_is_only_read(density, table):
    """Fit and sample leave the table alone; a read-only array will do."""
    if isinstance(table, np.ndarray):
        table = table.copy()
        before = table.copy()
        table.flags.writeable = False
    else:
        before = table.clone() if isinstance(table, pl.DataFrame) else table.copy()
    as_sampler(density).fit(table).sample(10, random_state=0)
    assert_same_table(table, before)


def test_our_samplers_are_cloned():
    """A sampler of ours comes back as an unfitted copy with the same parameters."""
    sampler = MUNGE(n_neighbors=3).fit(NUMBERS)
    copy = as_sampler(sampler)
    assert copy is not sampler
    assert copy.get_params() == sampler.get_params()
    with pytest.raises(NotFittedError, match="This MUNGE instance is not fitted yet"):
        copy.sample(2)


class Bootstrap(BaseEstimator):
    """Somebody else's sampler."""

    def fit(self, X, y=None):
        self.X_ = X
        return self

    def sample(self, n_samples, random_state=None):
        return self.X_[np.random.default_rng(random_state).integers(len(self.X_), size=n_samples)]


def test_any_estimator_that_samples_is_taken_as_it_is():
    """An estimator with fit and sample keeps the contract by itself: it is cloned, not wrapped."""
    sampler = Bootstrap()
    copy = as_sampler(sampler)
    assert type(copy) is Bootstrap
    assert copy is not sampler
    assert copy.fit(NUMBERS).sample(4, random_state=0).shape == (4, 2)


class CannotDraw(BaseEstimator):
    def fit(self, X, y=None):
        return self


@pytest.mark.parametrize(
    ("sampler", "said"),
    [
        (CannotDraw(), r"got CannotDraw\(\) as a sampler, which has no sample; expected"),
        (None, r"got None as a sampler, which has no fit and no sample; expected .*, or an object with fit"),
        ("munge", r"got 'munge' as a sampler, which has no fit and no sample; expected .* e\.g\. MUNGE\(\)"),
        (MUNGE, r"as a sampler, which has no fitted state: it is a class; expected .* e\.g\. MUNGE\(\)"),
    ],
    ids=["no sample", "None", "string", "class"],
)
def test_what_cannot_sample_is_refused(sampler, said):
    """Something without fit or sample, or a class, is refused with what would do."""
    with pytest.raises(SamplerError, match=said):
        as_sampler(sampler)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (TABLES["pandas"].assign(city="York"), r"not numeric \(\['city'\]\)"),
        (TABLES["pandas"].assign(city=pd.Categorical(["York"] * 60)), r"not numeric \(\['city'\]\)"),
        (TABLES["pandas"].assign(day=pd.Timestamp("2020-01-01")), r"not numeric \(\['day'\]\)"),
        (TABLES["polars"].with_columns(city=pl.lit("York")), r"not numeric \(\['city'\]\)"),
        (np.array([["York", "Bath"]] * 5), r"not numeric \(<U4\)"),
        (np.array([["York", 1.0]] * 5, dtype=object), r"not numeric \(object\)"),
        (np.array([[1.0, np.nan]] * 5), "missing values; expected none"),
        (pd.DataFrame({"a": [1.0, None] * 5}), "missing values; expected none"),
        (pd.DataFrame({"a": pd.Series([1, None] * 5, dtype="Int64")}), "missing values; expected none"),
        (pl.DataFrame({"a": [1, None] * 5}), "missing values; expected none"),
        (sparse.csr_matrix(np.eye(5)), "cannot draw sparse rows; expected an array or a frame"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_tables_a_density_cannot_draw_are_refused(density, table, said):
    """Strings, categories, dates, missing cells and sparse rows are an error with the density's name and a way out."""
    with pytest.raises(SamplerError, match=rf"^{type(density).__name__} .*{said}.*Pass sampler=MUNGE\(\)\.$"):
        as_sampler(density).fit(table)


def test_sample_before_fit(density):
    """Sampling before fitting is scikit-learn's own error."""
    with pytest.raises(NotFittedError, match="not fitted yet"):
        as_sampler(density).sample(3)


def test_fit_records_the_table(density):
    """Fit chains and knows the names of the columns; the teacher's outputs may be given and are ignored."""
    sampler = as_sampler(density)
    assert sampler.fit(TABLES["pandas"], np.arange(60)) is sampler
    assert list(sampler.feature_names_in_) == list(VALUES)
