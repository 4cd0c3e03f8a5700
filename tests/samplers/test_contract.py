"""What every sampler promises for every kind of table."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags
from strategies import (
    COLUMNS,
    INTEGERS,
    KINDS,
    NUMBERS,
    assert_same_table,
    build_table,
    cells_of,
    column_names,
    example_table,
    mixed_tables,
    schema_of,
)
from threadpoolctl import threadpool_limits

from skdistill.samplers import (
    MUNGE,
    SPUNGE,
    Disagreement,
    Interpolation,
    Jitter,
    LeafSwap,
    MarginalResampling,
    Mixture,
    TeacherBins,
    TermSwap,
    UniformBox,
)


def wave(rows):
    """Return the outputs of a teacher that answers by the number of the row, in two columns as ``outputs_for``."""
    return np.sin(np.arange(2 * rows.shape[0])).reshape(-1, 2)


SAMPLERS = {
    "MUNGE": MUNGE(random_state=0),
    "MUNGE, wild": MUNGE(1.0, 0.01, random_state=0),
    "leaf swap": LeafSwap(random_state=0),
    "leaf swap, no noise": LeafSwap(noise=0.0, random_state=0),
    "marginal": MarginalResampling(),
    "SPUNGE": SPUNGE(0.5, noise=10.0),
    "jitter": Jitter(0.5, 0.5, random_state=0),
    "interpolation": Interpolation(random_state=0),
    "uniform": UniformBox(),
    "covering": UniformBox(design="covering"),
    "mixture": Mixture([LeafSwap(), Jitter()], random_state=0),
    "bins": TeacherBins(random_state=0),
    "covering bins": TeacherBins(design="covering", random_state=0),
    "disagreement": Disagreement(Jitter(), wave, n_rounds=2, n_candidates=2, random_state=0),
}
SPREAD = {"uniform", "covering", "bins", "covering bins", "disagreement"}
"""Samplers whose rows are not distributed as those of the table."""
SPARSE_SAMPLERS = {
    "MUNGE": MUNGE(random_state=0),
    "leaf swap": LeafSwap(random_state=0),
    "term swap": TermSwap(),
    "mixture": Mixture([LeafSwap(), TermSwap()], random_state=0),
}
ARRAYS = {
    dtype: (np.random.default_rng(0).normal(size=(40, 4)) * 5).round(dtype == "bool" and -1).astype(dtype)
    for dtype in ("float64", "float32", "float16", "int64", "uint8", "bool", "U3")
}
COUNTS = {
    f"{make.__name__} {dtype}": make(np.random.default_rng(0).poisson(0.7, size=(40, 9)).astype(dtype))
    for make in (sparse.csr_matrix, sparse.csr_array)
    for dtype in ("float64", "float32", "int64")
}
TABLES = {**{kind: example_table(kind) for kind in KINDS}, **ARRAYS}
WITH_SLOW = {"covering bins", "disagreement"}
"""Samplers that fit trees for each table and draw with the code of others; their contract is checked with -m slow."""


def marks_of(name):
    return [pytest.mark.slow] if name in WITH_SLOW else []


PAIRS = [
    *[
        pytest.param(
            s, t, id=f"{n}-{kind}", marks=pytest.mark.slow if kind in ARRAYS and (place + other) % 2 else marks_of(n)
        )
        for place, (n, s) in enumerate(SAMPLERS.items())
        for other, (kind, t) in enumerate(TABLES.items())
    ],
    *[pytest.param(s, t, id=f"{n}-{kind}") for n, s in SPARSE_SAMPLERS.items() for kind, t in COUNTS.items()],
]
EACH_HOLDER = [
    pytest.param(
        s,
        t[kind],
        id=f"{n}-{kind}",
        marks=[pytest.mark.slow] if kind in (("pandas", "U3"), ("polars", "float64"))[place % 2] else marks_of(n),
    )
    for samplers, t, kinds in (
        (SAMPLERS, TABLES, ("pandas", "polars", "float64", "U3")),
        (SPARSE_SAMPLERS, COUNTS, ("csr_matrix float64", "csr_array int64")),
    )
    for place, (n, s) in enumerate(samplers.items())
    for kind in kinds
]
"""Each sampler with each kind of table, one dtype each; by default with frames of one of the two libraries, and with
arrays of numbers or of texts."""

every_sampler = pytest.mark.parametrize(
    "sampler", [pytest.param(sampler, id=name, marks=marks_of(name)) for name, sampler in SAMPLERS.items()]
)
BAD_NUMBERS = [(0, ValueError), (-1, ValueError), (2.5, TypeError), (None, TypeError)]
every_kind = pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind == "pandas" else pytest.mark.slow) for kind in KINDS]
)
"""By default only one, since rows do not depend on what holds the table."""


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """On tables this small the threads of the neighbour search only wait for each other; few trees do as well."""
    with threadpool_limits(1), pytest.MonkeyPatch.context() as patch:
        patch.setattr("skdistill.samplers._teacher_bins.N_TREES", 3)
        patch.setattr("skdistill.samplers._disagreement.N_TREES", 3)
        yield


def outputs_for(table):
    """Return a teacher's outputs: two columns, one of noise and one of the row's number."""
    n_rows = table.shape[0]
    return np.column_stack([np.random.default_rng(1).random(n_rows), np.arange(n_rows)])


def draw(sampler, table, n_samples=50, seed=0):
    return clone(sampler).fit(table, outputs_for(table)).sample(n_samples, random_state=seed)


@pytest.mark.thinned(2)
@every_sampler
@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_rows_do_not_depend_on_what_holds_the_table(sampler, dtype):
    """The same numbers as an array, in pandas or in polars: the same rows are drawn."""
    cells = ARRAYS[dtype]
    frame = pd.DataFrame(cells, columns=list("abcd"))
    of_array, of_pandas, of_polars = (draw(sampler, table) for table in (cells, frame, pl.from_pandas(frame)))
    np.testing.assert_array_equal(of_array, of_pandas)
    np.testing.assert_array_equal(of_array, of_polars)


@pytest.mark.parametrize(("sampler", "table"), PAIRS)
def test_schema_is_kept_and_the_table_only_read(sampler, table):
    """What comes out has the columns, dtypes and categories of what went in; the caller's table is not written to."""
    before = table.clone() if isinstance(table, pl.DataFrame) else table.copy()
    rows = draw(sampler, table, 70)
    assert rows.shape == (70, table.shape[1])
    assert schema_of(rows) == schema_of(table)
    assert type(rows) is type(table)
    assert_same_table(table, before)


@every_sampler
@every_kind
@given(data=st.data(), seed=st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_rows_are_plausible(sampler, kind, data, seed):
    """Of any table: no category that was never seen, no fraction among integers, no number out of range, no new gap."""
    table = data.draw(mixed_tables(kind))
    rows = draw(sampler, table, 30, seed)
    assert schema_of(rows) == schema_of(table)
    for name in column_names(table):
        (real, was_missing), (drawn, is_missing) = cells_of(table, name), cells_of(rows, name)
        assert was_missing.any() or not is_missing.any()
        if name not in NUMBERS:
            assert set(drawn) <= set(real)
            continue
        real, drawn = real.astype(float), drawn.astype(float)
        assert np.all((drawn >= real.min(initial=np.inf)) & (drawn <= real.max(initial=-np.inf)))
        if name in INTEGERS:
            np.testing.assert_array_equal(drawn, np.round(drawn))


@pytest.mark.thinned(2)
@every_sampler
@pytest.mark.parametrize("dtype", ARRAYS)
def test_arrays_stay_in_their_range(sampler, dtype):
    """The same for arrays of every dtype, rounding included."""
    table = ARRAYS[dtype]
    rows = draw(sampler, table, 500)
    if dtype == "U3":
        assert np.isin(rows, table).all()
    else:
        assert np.all((rows >= table.min(axis=0)) & (rows <= table.max(axis=0)))


@every_sampler
@every_kind
def test_missing_cells_keep_their_share(sampler, kind):
    """Where cells were missing about as many are missing again."""
    table = example_table(kind, n_rows=200)
    rows = draw(sampler, table, 2000)
    for name in column_names(table):
        real, drawn = cells_of(table, name)[1].mean(), cells_of(rows, name)[1].mean()
        assert drawn == pytest.approx(real, abs=0.12)
        assert (drawn > 0) == (real > 0)


@every_sampler
@every_kind
def test_columns_without_a_present_cell_stay_so(sampler, kind):
    """A column that is missing altogether stays so, and disturbs no other."""
    names = [name for name in column_names(example_table(kind)) if COLUMNS[name].has_missing and name != "size"]
    table = build_table(kind, {**{name: [None] * 5 for name in names}, "size": [1.0, 2.0, 3.0, 4.0, 5.0]})
    rows = draw(sampler, table)
    assert schema_of(rows) == schema_of(table)
    if kind == "numpy":
        assert pd.isna(rows[:, :-1]).all()
        assert not pd.isna(rows[:, -1]).any()
    else:
        assert all(cells_of(rows, name)[1].all() for name in names)
        assert not cells_of(rows, "size")[1].any()


@pytest.mark.thinned(2)
@every_sampler
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_constant_columns_stay_constant(sampler, kind):
    """A column with one value keeps it, whatever its type, to the last bit."""
    first = {name: cells_of(example_table(kind), name)[0][0] for name in COLUMNS}
    varied = example_table(kind, n_rows=8)
    constant = build_table(kind, {name: [cell] * 8 for name, cell in first.items() if name != "size"})
    table = constant.assign(size=varied["size"]) if kind == "pandas" else constant.with_columns(varied["size"])
    rows = draw(sampler, table)
    for name in constant.columns:
        assert set(cells_of(rows, name)[0]) == {first[name]}


@every_sampler
def test_whole_numbers_among_floats_stay_whole(sampler):
    """It is the values that make a column one of integers, not its dtype, and not its neighbours."""
    table = np.column_stack([ARRAYS["int64"][:, 0], ARRAYS["float64"][:, 0]])
    table[3, 0] = np.nan
    whole = draw(sampler, table, 300)[:, 0]
    np.testing.assert_array_equal(whole, np.round(whole))


@pytest.mark.thinned(2)
@every_sampler
@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["1", "2", "9"] * 5),
        pd.Series(pd.Categorical([0.5, 2, 9] * 5)),
        pd.Series([True, False, None] * 5, dtype=object),
        pd.Series([1, 2, "x"] * 5, dtype=object),
        pd.Series([True, False, None] * 5, dtype="boolean"),
        pd.Series([2**63 - 1, 5, -(2**62)] * 5),
        pd.Series([1.0, 1e308, -1e308] * 5),
        pl.Series(["1", "2", "9"] * 5, dtype=pl.Enum(["1", "2", "9"])),
        pl.Series([2**64 - 1, 5, 2**60 + 1] * 5, dtype=pl.UInt64),
    ],
    ids=lambda column: str(column.dtype),
)
def test_what_is_no_plain_number_is_never_invented(sampler, column):
    """Text of digits, codes, objects, flags and numbers that floats cannot hold are swapped, never computed."""
    frame = pd.DataFrame if isinstance(column, pd.Series) else pl.DataFrame
    rows = draw(sampler, frame({"a": column, "b": np.linspace(0, 1, 15)}), 60)["a"]
    assert rows.dtype == column.dtype
    assert {repr(cell) for cell in rows.to_list()} <= {repr(cell) for cell in column.to_list()}


@pytest.mark.thinned(2)
@every_sampler
@pytest.mark.parametrize(
    "dtype", ["Int8", "Float32", "boolean", "int64[pyarrow]", "double[pyarrow]", "datetime64[ns, UTC]"]
)
def test_extension_dtypes_of_pandas_are_kept(sampler, dtype):
    """Nullable and arrow columns stay what they are, and their missing cells stay missing."""
    cells = pd.Series([0, 1, None, 1, 0, 1], dtype=object).astype("Int64")
    column = pd.to_datetime(cells, unit="D", utc=True) if "datetime" in dtype else cells.astype(dtype)
    frame = pd.DataFrame({"x": column.astype(dtype), "y": np.arange(6.0)})
    rows = draw(sampler, frame)
    assert schema_of(rows) == schema_of(frame)
    assert rows["x"].isna().any()


@every_sampler
def test_other_frames_and_names(sampler):
    """Any frame that narwhals knows keeps its kind; names may be numbers; the index is a new one."""
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": [1, None, 3, 4], "b": ["x", "y", None, "x"], "c": [1.5, 2.5, 3.5, None]})
    assert draw(sampler, table).schema == table.schema
    frame = pd.DataFrame({0: [1.0, 2.0, 4.0], 1: ["x", "y", "x"]}, index=["i", "j", "k"])
    rows = draw(sampler, frame, 10)
    assert schema_of(rows) == schema_of(frame)
    assert list(rows.index) == list(range(10))


@pytest.mark.parametrize(("sampler", "table"), EACH_HOLDER)
def test_rows_do_not_depend_on_chunks(sampler, table, monkeypatch):
    """Streamed in chunks of any size the rows are those of one sample, and seeds decide them alone."""
    monkeypatch.setattr("skdistill.samplers._base.BLOCK_ROWS", 16)
    fitted = clone(sampler).fit(table, outputs_for(table))
    rows = fitted.sample(40, random_state=5)
    for chunk_size in (7, 16, 1000):
        chunks = list(fitted.stream(40, chunk_size=chunk_size, random_state=5))
        starts = range(0, 40, chunk_size)
        for start, chunk in zip(starts, chunks, strict=True):
            assert_same_table(chunk, rows[start : start + chunk_size])
    again = clone(sampler).fit(table, outputs_for(table))
    assert_same_table(again.sample(40, random_state=np.random.RandomState(5)), rows)
    different = fitted.sample(40, random_state=6) != rows
    assert different.nnz if sparse.issparse(different) else np.any(different)


@every_sampler
def test_a_generator_goes_on_and_rows_are_a_copy(sampler):
    """One generator gives different rows each time; writing to them changes neither table nor sampler."""
    table = ARRAYS["float64"].copy()
    fitted, rng = clone(sampler).fit(table, outputs_for(table)), np.random.RandomState(0)
    first = fitted.sample(20, rng)
    assert not np.array_equal(first, fitted.sample(20, rng))
    expected = fitted.sample(20, 0)
    fitted.sample(20, 0)[:] = 0
    np.testing.assert_array_equal(fitted.sample(20, 0), expected)
    np.testing.assert_array_equal(table, ARRAYS["float64"])


@pytest.mark.thinned(2)
@pytest.mark.parametrize("n_rows", [2, 3, 40, 1500])
@pytest.mark.parametrize("name", sorted(set(SAMPLERS) - SPREAD - {"MUNGE, wild"}))
def test_every_row_is_a_start_about_equally_often(name, n_rows):
    """The mean of many rows is near that of the table, whatever its size."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(n_rows, 3)).round(3)
    rows = draw(SAMPLERS[name], table, 12_000)
    assert np.all(np.abs(rows.mean(axis=0) - table.mean(axis=0)) <= 0.12 * np.ptp(table, axis=0))


@pytest.mark.parametrize("name", ["uniform", "covering"])
def test_uniform_rows_fill_the_range(name):
    """Their mean is the middle of the range, wherever the rows of the table lie."""
    table = np.random.default_rng(0).exponential(size=(40, 3))
    rows = draw(SAMPLERS[name], table, 12_000)
    middle = (table.min(axis=0) + table.max(axis=0)) / 2
    assert np.all(np.abs(rows.mean(axis=0) - middle) <= 0.02 * np.ptp(table, axis=0))
    assert np.all(np.abs(table.mean(axis=0) - middle) > 0.1 * np.ptp(table, axis=0))


@pytest.mark.parametrize("sampler", SPARSE_SAMPLERS.values(), ids=SPARSE_SAMPLERS)
def test_sparse_rows_stay_sparse(sampler):
    """About as many cells are zero as were, and the others were seen in their column."""
    table = sparse.random(300, 200, 0.02, format="csr", random_state=0)
    rows = draw(sampler, table, 900)
    assert 0.5 * table.nnz / 300 <= rows.nnz / 900 <= 1.5 * table.nnz / 300
    if not isinstance(sampler, TermSwap | Mixture):
        for index in range(0, 200, 20):
            assert set(rows[:, [index]].data) <= set(table[:, [index]].data) | {0.0}


@pytest.mark.parametrize(
    "sampler", [sampler for sampler in SAMPLERS.values() if not get_tags(sampler).input_tags.sparse]
)
def test_dense_samplers_refuse_sparse_rows(sampler):
    """They would fill in the zeros: scikit-learn's own error."""
    with pytest.raises(TypeError, match="Sparse data was passed"):
        clone(sampler).fit(sparse.eye(5, format="csr"))


@every_sampler
def test_one_row(sampler):
    """A single row is refused where a neighbour is needed, and repeated elsewhere."""
    if isinstance(sampler, MUNGE | Interpolation):
        with pytest.raises(ValueError, match="got n_samples = 1 row; expected at least 2, to have a neighbour"):
            clone(sampler).fit([[1.0, 2.0]])
    else:
        np.testing.assert_array_equal(draw(sampler, np.array([[1.0, 2.5]]), 3), [[1.0, 2.5]] * 3)


@every_sampler
def test_the_largest_numbers_do_no_harm(sampler):
    """Columns as large as floats can be are drawn from like any: within their range, and many numbers of it."""
    table = np.random.default_rng(0).random((40, 2)) * 1.7e308
    rows = draw(sampler, table)
    assert np.all((rows >= table.min(axis=0)) & (rows <= table.max(axis=0)))
    assert min(len(np.unique(column)) for column in rows.T) > 15


@every_sampler
def test_sample_before_fit(sampler):
    """Sampling before fitting is scikit-learn's own error."""
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        clone(sampler).sample(3)


@every_sampler
@pytest.mark.parametrize(("n_samples", "error"), BAD_NUMBERS)
def test_bad_number_of_rows(sampler, n_samples, error):
    """A sample, and a chunk, have at least one row."""
    fitted = clone(sampler).fit(np.eye(3), outputs_for(np.eye(3)))
    with pytest.raises(error, match=r"n_samples=.*; expected an integer of at least 1"):
        fitted.sample(n_samples)
    with pytest.raises(error, match=r"chunk_size=.*; expected an integer of at least 1"):
        fitted.stream(3, chunk_size=n_samples)


@pytest.mark.parametrize(
    ("sampler", "error", "match"),
    [
        (LeafSwap(0), ValueError, "LeafSwap: swap_probability=0; expected a number above 0 and at most 1"),
        (LeafSwap(min_samples_leaf=1), ValueError, "min_samples_leaf=1; expected an integer of at least 2"),
        (LeafSwap(max_features=0.0), ValueError, "max_features=0.0; expected a number above 0"),
        (LeafSwap(max_tree_rows=1.5), TypeError, "max_tree_rows=1.5; expected an integer of at least 2"),
        (LeafSwap(noise=-1), ValueError, "noise=-1; expected a number of at least 0"),
        (MarginalResampling(2), ValueError, "swap_probability=2; expected a number above 0 and at most 1"),
        (SPUNGE(noise=np.nan), ValueError, "SPUNGE: noise=nan; expected a number of at least 0"),
        (Jitter(0), ValueError, "Jitter: scale=0; expected a number above 0"),
        (Jitter(swap_probability=-1), ValueError, "swap_probability=-1; expected a number of at least 0"),
        (Interpolation(0), ValueError, "Interpolation: n_neighbors=0; expected an integer of at least 1"),
        (UniformBox(design="grid"), ValueError, "design='grid'; expected 'random' or 'covering'"),
        (TermSwap(0.7, 0.7), ValueError, r"drop_probability \+ swap_probability = 1.4; expected at most 1"),
        (Mixture([]), ValueError, r"samplers=\[\]; expected a list of at least one sampler"),
        (Mixture("auto"), ValueError, "samplers='auto'; expected a list"),
        (Mixture([Jitter()], [1, 2]), ValueError, "2 weights for 1 samplers; expected one for each"),
        (Mixture([Jitter()], [0]), ValueError, "all weights are zero; expected at least one above zero"),
        (Mixture([Jitter(), 3]), ValueError, "got 3 as a sampler, which has no fit and no sample"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_bad_parameters_say_who_got_and_expected(sampler, error, match):
    """Each parameter is checked in fit, in words, and never in the constructor."""
    with pytest.raises(error, match=match):
        sampler.fit(np.eye(3))
