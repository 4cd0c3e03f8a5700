"""Hypothesis strategies and small tables that several rooms share, and what tests ask of any table."""

import datetime as dt
from typing import NamedTuple

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse


@st.composite
def distributions(draw, max_rows=5, max_classes=5, smallest=1e-3, zeros=False):
    """Draw probabilities of shape (n, K), K >= 2; with ``zeros``, some of them exactly zero."""
    shape = draw(st.tuples(st.integers(1, max_rows), st.integers(2, max_classes)))
    weight = draw(arrays(float, shape, elements=st.floats(smallest, 1.0)))
    if zeros:
        kept = draw(arrays(bool, shape))
        kept[:, 0] |= ~kept.any(axis=1)
        weight = np.where(kept, weight, 0.0)
    return weight / weight.sum(axis=1, keepdims=True)


class Column(NamedTuple):
    """A kind of column: its cells and, for each library, the dtype that holds them."""

    cells: st.SearchStrategy
    pandas: object
    polars: object
    has_missing: bool = True


COLORS = st.sampled_from(["red", "green", "blue"])
GRADES = ["good", "fair", "poor", "never seen"]
COLUMNS = {
    "text": Column(COLORS, "string", pl.String),
    "town": Column(st.sampled_from(["York", "Bath", "Ely"]), object, pl.Categorical),
    "grade": Column(st.sampled_from(GRADES[:3]), pd.CategoricalDtype(GRADES, ordered=True), pl.Enum(GRADES)),
    "flag": Column(st.booleans(), bool, pl.Boolean, has_missing=False),
    "day": Column(st.dates(dt.date(1950, 1, 1), dt.date(2040, 1, 1)), "datetime64[ns]", pl.Date),
    "moment": Column(
        st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2040, 1, 1)), "datetime64[ns]", pl.Datetime("us")
    ),
    "count": Column(st.integers(-50, 50), "Int64", pl.Int64),
    "pieces": Column(st.integers(0, 255), "uint8", pl.UInt8, has_missing=False),
    "whole": Column(st.integers(-50, 50).map(float), "float64", pl.Float64),
    "size": Column(st.floats(-1e3, 1e3), "float64", pl.Float64),
    "ratio": Column(st.floats(0, 1, width=32), "float32", pl.Float32, has_missing=False),
}
NUMBERS = ("count", "pieces", "whole", "size", "ratio")
INTEGERS = ("count", "pieces", "whole")

KINDS = ("pandas", "polars", "numpy")
"""Kinds of tables with columns of every type; the numpy one holds Python objects: text, and numbers."""

NUMPY_COLUMNS = ("text", "town", "count", "whole", "size")


@st.composite
def mixed_values(draw, names=tuple(COLUMNS), min_rows=2, max_rows=10):
    """Draw a list of cells for each of the named columns, with ``None`` among them wherever the type allows it."""
    n_rows = draw(st.integers(min_rows, max_rows))
    values = {}
    for name in names:
        cells = st.none() | COLUMNS[name].cells if COLUMNS[name].has_missing else COLUMNS[name].cells
        values[name] = draw(st.lists(cells, min_size=n_rows, max_size=n_rows))
    return values


def mixed_tables(kind, **limits):
    """Draw a table of a kind with a column of every type that the kind can hold."""
    names = NUMPY_COLUMNS if kind == "numpy" else tuple(COLUMNS)
    return mixed_values(names, **limits).map(lambda values: build_table(kind, values))


def build_table(kind, values):
    """Build a table of a kind out of lists of cells by column name, ``None`` where missing."""
    if kind == "pandas":
        return pd.DataFrame({name: pd.Series(cells, dtype=COLUMNS[name].pandas) for name, cells in values.items()})
    if kind == "polars":
        return pl.DataFrame({name: pl.Series(cells, dtype=COLUMNS[name].polars) for name, cells in values.items()})
    return np.column_stack([np.array(cells, dtype=object) for cells in values.values()])


def example_table(kind, n_rows=60, seed=0):
    """Return one table of a kind with a column of every type, about a quarter of the cells missing where allowed."""
    rng = np.random.default_rng(seed)
    draws = {
        "text": rng.choice(["red", "green", "blue"], n_rows),
        "town": rng.choice(["York", "Bath", "Ely"], n_rows),
        "grade": rng.choice(GRADES[:3], n_rows),
        "flag": rng.random(n_rows) < 0.5,
        "day": np.datetime64("1965-01-01") + rng.integers(0, 20_000, n_rows),
        "moment": np.datetime64("1965-01-01T00:00:00.000000") + rng.integers(0, 10**15, n_rows),
        "count": rng.integers(-50, 50, n_rows),
        "pieces": rng.integers(0, 256, n_rows),
        "whole": rng.integers(-50, 50, n_rows).astype(float),
        "size": rng.normal(size=n_rows),
        "ratio": rng.random(n_rows, dtype=np.float32),
    }
    values = {}
    for name in NUMPY_COLUMNS if kind == "numpy" else COLUMNS:
        cells = draws[name].astype(object)
        if COLUMNS[name].has_missing:
            cells[rng.random(n_rows) < 0.25] = None
        values[name] = cells.tolist()
    return build_table(kind, values)


def column_names(table):
    """Return the names of the columns of any table that :func:`build_table` built."""
    return list(NUMPY_COLUMNS if isinstance(table, np.ndarray) else table.columns)


def cells_of(table, name):
    """Return the cells of one column as Python objects that are present, and which cells are missing."""
    if isinstance(table, pl.DataFrame):
        cells, missing = np.array(table[name].to_list(), dtype=object), table[name].is_null().to_numpy()
    else:
        column = table[name] if isinstance(table, pd.DataFrame) else table[:, NUMPY_COLUMNS.index(name)]
        cells, missing = np.asarray(column, dtype=object), np.asarray(pd.isna(column))
    return cells[~missing], missing


def schema_of(table):
    """Return what must not change about a table: names, dtypes, categories with their order, sparse format."""
    if isinstance(table, pl.DataFrame):
        return dict(table.schema)
    if isinstance(table, pd.DataFrame):
        categories = {
            name: list(table[name].cat.categories)
            for name, dtype in table.dtypes.items()
            if isinstance(dtype, pd.CategoricalDtype)
        }
        return table.dtypes.to_dict(), categories
    if sparse.issparse(table):
        return table.format, table.dtype, table.shape[1]
    return table.dtype, table.shape[1]


def assert_same_table(got, expected):
    """Fail unless two tables have the same schema and the same cells, missing ones included, whatever their index."""
    assert type(got) is type(expected) or sparse.issparse(expected)
    assert schema_of(got) == schema_of(expected)
    if isinstance(expected, pl.DataFrame):
        assert got.equals(expected)
    elif isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(got.reset_index(drop=True), expected.reset_index(drop=True))
    elif sparse.issparse(expected):
        np.testing.assert_array_equal(got.toarray(), expected.toarray())
    else:
        np.testing.assert_array_equal(got, expected)
