import datetime as dt
import sys
import time
import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from strategies import (
    GRADES,
    KINDS,
    NUMPY_COLUMNS,
    assert_same_table,
    build_table,
    cells_of,
    column_names,
    example_table,
    mixed_tables,
    mixed_values,
)

from skdistill import DistilledRegressor, _encoding
from skdistill._encoding import TableEncoder, encoded_once, find_among, fit_table_encoder
from skdistill._tables import take_rows
from skdistill._threads import in_threads

few = settings(max_examples=15, deadline=None)


def encode(X):
    return TableEncoder().fit(X).transform(X)


def copy_of(table):
    return table.clone() if isinstance(table, pl.DataFrame) else table.copy()


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@few
def test_codes_are_floats_and_missing_is_nan(kind, data):
    """Every table becomes one float per cell, NaN exactly where the cell is missing."""
    table = data.draw(mixed_tables(kind))
    codes = encode(table)
    assert codes.dtype == np.float64
    missing = np.column_stack([cells_of(table, name)[1] for name in column_names(table)])
    np.testing.assert_array_equal(np.isnan(codes), missing)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@few
def test_equal_codes_mean_equal_cells(kind, data):
    """Two cells of a column have one code if and only if they are equal: nothing is lost, nothing made up."""
    table = data.draw(mixed_tables(kind))
    for codes, name in zip(encode(table).T, column_names(table), strict=True):
        cells, missing = cells_of(table, name)
        np.testing.assert_array_equal(np.equal.outer(codes[~missing], codes[~missing]), np.equal.outer(cells, cells))


@given(values=mixed_values(NUMPY_COLUMNS))
@few
def test_kind_of_table_does_not_matter(values):
    """The same cells have the same codes in pandas, in polars and in an array of objects."""
    pandas, polars, array = (encode(build_table(kind, values)) for kind in KINDS)
    np.testing.assert_array_equal(pandas, array)
    np.testing.assert_array_equal(polars, array)


@given(values=mixed_values())
@few
def test_frame_libraries_encode_alike(values):
    """Dates, ordered categories and flags, too, have one encoding, whichever library holds them."""
    pandas, polars = (TableEncoder().fit(build_table(kind, values)) for kind in ("pandas", "polars"))
    np.testing.assert_array_equal(pandas.is_category_, polars.is_category_)
    np.testing.assert_array_equal(pandas.is_swap_only_, polars.is_swap_only_)
    np.testing.assert_array_equal(
        pandas.transform(build_table("pandas", values)), polars.transform(build_table("polars", values))
    )


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_encoded_one_by_one(kind):
    """The code of a row does not depend on the rows beside it."""
    table = example_table(kind)
    encoder = TableEncoder().fit(table)
    rows = np.random.default_rng(0).integers(0, table.shape[0], 20)
    np.testing.assert_array_equal(encoder.transform(take_rows(table, rows)), encoder.transform(table)[rows])
    np.testing.assert_array_equal(encoder.transform(take_rows(table, rows[:1])), encoder.transform(table)[rows[:1]])


@pytest.mark.parametrize("kind", KINDS)
def test_tables_are_only_read(kind):
    """Neither fit nor transform changes the table."""
    table = example_table(kind)
    before = copy_of(table)
    encode(table)
    assert_same_table(table, before)


@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_kinds_of_columns_are_known(kind):
    """Categories, and what has no arithmetic of its own, are told from numbers."""
    table = example_table(kind)
    encoder = TableEncoder().fit(table)
    names = np.array(column_names(table))
    assert set(names[encoder.is_category_]) == {"text", "town", "grade"}
    assert set(names[encoder.is_swap_only_]) == {"text", "town", "grade", "flag", "day", "moment"}
    has_categories = [categories is not None for categories in encoder.categories_]
    np.testing.assert_array_equal(has_categories, encoder.is_category_)


@pytest.mark.parametrize("kind", KINDS)
def test_codes_point_into_the_sorted_categories(kind):
    """The code of a category is its place among the sorted categories that were seen."""
    table = example_table(kind)
    encoder = TableEncoder().fit(table)
    codes = encoder.transform(table)
    for index in np.flatnonzero(encoder.is_category_):
        cells, missing = cells_of(table, column_names(table)[index])
        categories = encoder.categories_[index]
        assert list(categories) == sorted(set(cells))
        np.testing.assert_array_equal(categories[codes[~missing, index].astype(int)], cells.astype(str))


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["good", "poor", None], dtype=pd.CategoricalDtype(GRADES)),
        pd.Series(["good", "poor", None], dtype=pd.CategoricalDtype(GRADES[::-1], ordered=True)),
        pd.Series(["good", "poor", None], dtype="category"),
        pd.Series(["good", "poor", None], dtype="string"),
        pd.Series(["good", "poor", None], dtype=object),
    ],
    ids=["categorical", "other order", "inferred", "string", "object"],
)
def test_categories_are_their_strings(column):
    """How pandas stores a category, its own codes, their order and unused ones do not matter."""
    np.testing.assert_array_equal(encode(pd.DataFrame({"grade": column})), [[0], [1], [np.nan]])


@pytest.mark.parametrize("unseen", ["", "A", "bb", "zz", "b "])
@pytest.mark.parametrize(
    "make",
    [
        lambda cells: np.array(cells).reshape(-1, 1),
        lambda cells: np.array(cells, dtype=object).reshape(-1, 1),
        lambda cells: pd.DataFrame({"x": cells}),
        lambda cells: pd.DataFrame({"x": pd.Categorical(cells)}),
        lambda cells: pl.DataFrame({"x": cells}),
        lambda cells: pl.DataFrame({"x": pl.Series(cells, dtype=pl.Categorical)}),
    ],
    ids=["strings", "objects", "pandas", "pandas categorical", "polars", "polars categorical"],
)
def test_unseen_category_is_missing(make, unseen):
    """A category that was not there in fit is missing, wherever it would sort; the others keep their codes."""
    encoder = TableEncoder().fit(make(["c", "b", "b"]))
    np.testing.assert_array_equal(encoder.transform(make(["b", unseen, "c"])), [[0], [np.nan], [1]])


@pytest.mark.parametrize("kind", KINDS)
def test_columns_without_a_cell_are_missing(kind):
    """A column that is missing altogether is missing altogether, in every dtype."""
    names = [name for name in column_names(example_table(kind)) if name not in ("flag", "pieces", "ratio")]
    table = build_table(kind, {name: [None, None] for name in names})
    assert np.isnan(encode(table)).all()


moments = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))


@given(cells=st.lists(moments, min_size=2, max_size=8))
@few
def test_dates_keep_their_order_and_distances(cells):
    """Time is encoded so that later is larger, before 1970 as well, and equal spans stay equal."""
    expected = np.array([(cell - cells[0]).total_seconds() for cell in cells])
    for unit in ("ms", "us", "ns"):
        codes = encode(pl.DataFrame({"at": pl.Series(cells, dtype=pl.Datetime(unit))}))[:, 0]
        np.testing.assert_allclose((codes - codes[0]) / 1e6, expected, atol=2e-3)


@given(cells=st.lists(st.dates(dt.date(1700, 1, 1), dt.date(2200, 1, 1)), min_size=2, max_size=8))
@few
def test_a_day_is_a_day_in_every_library(cells):
    """The same day has the same code as a polars date, as a pandas time and as a numpy date."""
    array = np.array(cells, dtype="datetime64[D]").reshape(-1, 1)
    expected = encode(array)
    np.testing.assert_array_equal(encode(pl.DataFrame({"day": cells})), expected)
    np.testing.assert_array_equal(encode(pd.DataFrame({"day": array[:, 0].astype("datetime64[ns]")})), expected)
    np.testing.assert_array_equal(np.argsort(expected[:, 0], kind="stable"), np.argsort(array[:, 0], kind="stable"))


def test_no_date_is_missing():
    """Dates and spans of numpy encode as time, and NaT as NaN."""
    dates = np.array([["1970-01-02", "NaT"], ["NaT", "1969-12-31"]], dtype="datetime64[D]")
    day = 24 * 60 * 60 * 1e6
    np.testing.assert_array_equal(encode(dates), [[day, np.nan], [np.nan, -day]])
    np.testing.assert_array_equal(encode(dates - np.datetime64("1970-01-01")), [[day, np.nan], [np.nan, -day]])
    assert TableEncoder().fit(dates).is_swap_only_.all()


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.uint8, bool])
def test_numbers_stay_as_they_are(dtype):
    """An array of numbers is its own encoding."""
    X = (np.random.default_rng(0).normal(size=(20, 3)) * 3).astype(dtype)
    encoder = TableEncoder().fit(X)
    np.testing.assert_array_equal(encoder.transform(X), X)
    assert not encoder.is_category_.any()
    np.testing.assert_array_equal(encoder.is_swap_only_, dtype is bool)


def test_objects_that_are_numbers_are_numbers():
    """A column of Python objects counts as numeric if all its cells are numbers, beside columns that do not."""
    X = np.array([[1, "a", 0.5], [None, "b", 2], [np.nan, None, 3]], dtype=object)
    encoder = TableEncoder().fit(X)
    np.testing.assert_array_equal(encoder.is_category_, [False, True, False])
    np.testing.assert_array_equal(encoder.transform(X), [[1, 0, 0.5], [np.nan, 1, 2], [np.nan, np.nan, 3]])
    np.testing.assert_array_equal(encoder.transform(X), encode(pd.DataFrame(X)))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT], ids=str)
def test_every_spelling_of_missing_is_understood(missing):
    """None, NaN, NA and NaT are all missing among Python objects."""
    X = np.array([[1, "a"], [missing, missing]], dtype=object)
    np.testing.assert_array_equal(encode(X), [[1, 0], [np.nan, np.nan]])


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix])
def test_sparse_matrices_stay_sparse(make):
    """A sparse matrix is its own encoding, as floats and never dense."""
    dense = np.random.default_rng(0).integers(0, 3, (8, 5))
    for dtype in (np.float32, np.float64, np.int64):
        codes = encode(make(dense.astype(dtype)))
        assert sparse.issparse(codes)
        assert codes.dtype.kind == "f"
        np.testing.assert_array_equal(codes.toarray(), dense)


def test_columns_are_encoded_by_place_not_by_name():
    """Frames with names of any type encode alike."""
    frame = example_table("pandas")
    renamed = frame.set_axis(range(frame.shape[1]), axis=1)
    np.testing.assert_array_equal(encode(renamed), encode(frame))


@pytest.mark.parametrize("values", [[1, 2, 9, 2], [0.5, 2.0, 9.0, 2.0], ["a", "b", "c", "b"]])
def test_a_row_is_encoded_alike_whatever_else_is_in_the_table(values):
    """A missing cell below does not change how a category above it is spelled."""
    whole = pd.DataFrame({"k": pd.Categorical(values)})
    encoder = TableEncoder().fit(whole)
    holed = whole.copy()
    holed.loc[3, "k"] = np.nan
    np.testing.assert_array_equal(encoder.transform(holed)[:3], encoder.transform(whole)[:3])
    assert np.isnan(encoder.transform(holed)[3, 0])
    np.testing.assert_array_equal(TableEncoder().fit(holed).transform(whole[:3]), encoder.transform(whole)[:3])


def test_one_long_text_costs_itself():
    """A single long cell does not widen all others."""
    X = np.array([["a"], ["b"]] * 2000, dtype=object)
    X[7, 0] = "x" * 50_000
    tracemalloc.start()
    codes = TableEncoder().fit(X).transform(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert codes[7] == 2
    assert peak < 20e6


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@few
def test_copies_are_found(kind, data):
    """Exactly the rows that stand in the other table, cell by cell, missing ones among them."""
    table = data.draw(mixed_tables(kind))
    n_rows = table.shape[0]
    kept = np.array(data.draw(st.lists(st.integers(0, n_rows - 1), min_size=1, max_size=n_rows)))
    cells = [tuple(row) for row in np.nan_to_num(encode(table), nan=-1e99).tolist()]
    known = {cells[row] for row in kept}
    np.testing.assert_array_equal(find_among(table, take_rows(table, kept)), [row in known for row in cells])


class TestEncodedOnce:
    def test_the_same_objects_within_the_block(self):
        """A table has one encoder and one matrix of codes there, and equal ones outside, made anew."""
        table = pd.DataFrame({"a": ["x", "y", None], "b": [1.0, 2.0, 3.0]})
        with encoded_once():
            encoder = fit_table_encoder(table)
            codes = encoder.transform(table)
            assert fit_table_encoder(table) is encoder
            assert encoder.transform(table) is codes
            assert fit_table_encoder(table.copy()) is not encoder
        assert fit_table_encoder(table) is not encoder
        assert encoder.transform(table) is not codes
        np.testing.assert_array_equal(encoder.transform(table), codes)

    def test_threads_take_part(self):
        """Work that a fit gives to threads finds what the fit has encoded."""
        table = pd.DataFrame({"a": ["x", "y", None]})
        with encoded_once():
            encoder = fit_table_encoder(table)
            assert all(found is encoder for found in in_threads(fit_table_encoder, [table] * 4, 2))

    def test_few_codes_are_kept(self, monkeypatch):
        """Where there are too many cells the oldest codes are dropped, and made anew when they are asked for."""
        monkeypatch.setattr("skdistill._encoding.MAX_CACHED_CELLS", 5)
        tables = [pd.DataFrame({"a": ["x", "y", place]}) for place in "abc"]
        with encoded_once():
            encoder = fit_table_encoder(tables[0])
            codes = [encoder.transform(table) for table in tables]
            again = [encoder.transform(table) for table in tables]
        assert again[0] is not codes[0]
        np.testing.assert_array_equal(again, codes)

    def test_a_default_fit_encodes_each_table_once(self, monkeypatch):
        """No encoder is fitted twice to a table, and none transforms a table twice."""
        calls = []

        def counted(name):
            inner = getattr(TableEncoder, name)

            def call(encoder, *tables):
                calls.append((name, *((encoder,) if name != "fit" else ()), *tables))
                return inner(encoder, *tables)

            monkeypatch.setattr(TableEncoder, name, call)

        counted("fit")
        counted("_encode_columns")
        rng = np.random.default_rng(0)
        table = pd.DataFrame({"a": rng.normal(size=150), "b": rng.choice(["x", "y", "z"], 150)})
        teacher = lambda rows: rows["a"].to_numpy() * (rows["b"] == "x").to_numpy()  # noqa: E731
        DistilledRegressor(teacher, n_synthetic=2.0, random_state=0).fit(table)
        keys = [tuple(map(id, call)) for call in calls]  # the objects are alive, so that ids are theirs
        assert len(keys) > 10
        assert len(set(keys)) == len(keys)

    def test_many_threads_share_the_cache(self, monkeypatch):
        """While they fill it and it drops the oldest, each finds its own codes."""
        monkeypatch.setattr("skdistill._encoding.MAX_CACHED_CELLS", 40)
        tables = [pd.DataFrame({"a": [f"x{place}", "y", "z"]}) for place in range(60)]
        switches = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            with encoded_once():
                codes = list(in_threads(lambda table: fit_table_encoder(table).transform(table), tables * 3, 4))
        finally:
            sys.setswitchinterval(switches)
        for found in codes:
            np.testing.assert_array_equal(found, [[0], [1], [2]])

    def test_the_cache_counts_what_it_holds(self, monkeypatch):
        """However many threads store at the same time, even if they are interrupted while they count."""
        count = _encoding._count_cells
        monkeypatch.setattr(_encoding, "_count_cells", lambda entry: time.sleep(0.001) or count(entry))
        monkeypatch.setattr(_encoding, "MAX_CACHED_CELLS", 50)
        cache, tables = _encoding._Cache(), [np.zeros((3, 1)) for _ in range(40)]
        list(in_threads(lambda table: cache.put((id(table),), table), tables, 4))
        assert cache._n_cells == sum(map(count, cache._found.values())) <= 50
