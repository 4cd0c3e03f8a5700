"""Keys of rows: equal rows have equal keys in any table of the same columns, and other rows have others."""

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from skdistill.teachers._row_keys import CELLS_AT_ONCE, keys_in_batch, row_keys

N = 60
RNG = np.random.default_rng(0)
NUMBERS = RNG.integers(0, 3, size=(N, 3)).astype(float)
WORDS = np.array(["", "a", "b", "ä€", "a" * 40], dtype=object)[RNG.integers(0, 5, N)]
DAYS = np.datetime64("2026-01-01") + RNG.integers(0, 3, N)


def with_holes(values, hole):
    return [hole if place % 7 == 0 else value for place, value in enumerate(values)]


def pandas_frame():
    frame = pd.DataFrame({"number": NUMBERS[:, 0], "count": NUMBERS[:, 1].astype(int), "word": WORDS, "day": DAYS})
    frame["day"] = frame["day"].astype("datetime64[ns]")
    frame["zoned"] = frame["day"].dt.tz_localize("Europe/Berlin")
    frame["kind"] = pd.Categorical(with_holes(WORDS, None))
    frame["maybe"] = pd.array(with_holes(NUMBERS[:, 1].astype(int), None), dtype="Int64")
    frame["flag"] = pd.array(with_holes(NUMBERS[:, 1] > 1, None), dtype="boolean")
    frame["text"] = pd.array(with_holes(WORDS, None), dtype="string")
    frame["mixed"] = pd.Series(
        [(1, 1.0, True, "1", None, Decimal(1), date(2026, 1, 1))[place % 7] for place in range(N)]
    )
    return frame


def polars_frame():
    return pl.DataFrame(
        {
            "number": NUMBERS[:, 0],
            "maybe": pl.Series(with_holes(NUMBERS[:, 1].astype(int).tolist(), None)),
            "flag": pl.Series(with_holes((NUMBERS[:, 1] > 1).tolist(), None)),
            "word": pl.Series(with_holes(WORDS.tolist(), None)),
            "kind": pl.Series(with_holes(WORDS.tolist(), None), dtype=pl.Categorical),
            "day": pl.Series(with_holes(DAYS.astype(object).tolist(), None)),
            "time": pl.Series([datetime(2026, 1, 1 + place % 3) for place in range(N)]),
        }
    )


TABLES = {
    "float64": lambda: NUMBERS.copy(),
    "float32": lambda: NUMBERS.astype(np.float32),
    "int": lambda: NUMBERS.astype(int),
    "bool": lambda: NUMBERS > 1,
    "complex": lambda: NUMBERS + 1j,
    "long double": lambda: NUMBERS.astype(np.longdouble),
    "dates": lambda: np.column_stack([DAYS, DAYS]),
    "Fortran": lambda: np.asfortranarray(NUMBERS),
    "missing": lambda: np.where(NUMBERS == 1, np.nan, NUMBERS),
    "texts": lambda: np.column_stack([WORDS, WORDS]).astype(str),
    "bytes": lambda: NUMBERS.astype("S5"),
    "objects": lambda: np.column_stack([WORDS, NUMBERS.astype(object), pandas_frame()["mixed"]]),
    "csr": lambda: sparse.csr_matrix(NUMBERS),
    "csc array": lambda: sparse.csc_array(NUMBERS),
    "pandas": pandas_frame,
    "polars": polars_frame,
    "pyarrow": lambda: polars_frame().drop("kind").to_arrow(),
    "one column": lambda: NUMBERS[:, :1],
}


def take(table, rows):
    if isinstance(table, pd.DataFrame):
        return table.iloc[rows]
    if isinstance(table, pa.Table):
        return table.take(rows)
    return table[rows]


def texts_of(table):
    """Return each row as a text that is equal for equal rows."""
    if sparse.issparse(table):
        table = table.toarray()
    if isinstance(table, pl.DataFrame):
        return [repr(row) for row in table.rows()]
    if isinstance(table, pa.Table):
        return [repr(row) for row in table.to_pylist()]
    rows = table.itertuples(index=False) if isinstance(table, pd.DataFrame) else np.asarray(table)
    return [repr([(type(cell), str(cell)) for cell in row]) for row in rows]


@pytest.mark.parametrize("name", TABLES)
def test_keys_are_equal_exactly_where_rows_are(name):
    """Two rows of a table have the same key if and only if all their cells are equal, types included."""
    keys = row_keys(TABLES[name]())
    texts = np.unique(texts_of(TABLES[name]()), return_inverse=True)[1].reshape(-1)
    assert keys.shape == (N, 2)
    for lane in range(2):
        groups = np.unique(keys[:, lane], return_inverse=True)[1].reshape(-1)
        assert len(set(zip(groups.tolist(), texts.tolist(), strict=True))) == len(set(texts)) == len(set(groups))


@pytest.mark.parametrize("name", TABLES)
def test_keys_do_not_depend_on_the_table(name):
    """A row keeps its key in another order, in a part of the table, and alone."""
    table = TABLES[name]()
    keys, order = row_keys(table), np.random.default_rng(1).permutation(N)[:40]
    np.testing.assert_array_equal(row_keys(take(table, order)), keys[order])
    np.testing.assert_array_equal(row_keys(take(table, order[:1])), keys[order[:1]])


def test_other_columns_are_other_rows():
    """Names, order, dtypes and the kind of table matter, since a teacher may read them."""
    frame = pd.DataFrame(np.ones((1, 2)), columns=["a", "b"])
    tables = [
        frame,
        frame[["b", "a"]],
        frame.rename(columns={"b": "c"}),
        frame.astype({"a": np.float32}),
        frame.astype(int),
        frame.assign(c=1.0),
        pl.from_pandas(frame),
        frame.to_numpy(),
        frame.to_numpy(dtype=np.float32),
        frame.to_numpy(dtype=object),
        sparse.csr_matrix(frame.to_numpy()),
        np.array([["1.0", "1.0"]]),
    ]
    assert len({row_keys(table).tobytes() for table in tables}) == len(tables)


def test_growing_categories_and_texts_change_no_other_row():
    """A new category at the end, or a longer text, leaves the keys of other rows as they are."""
    short, long = np.array([["a"], ["b"]]), np.array([["a"], ["b"], ["much longer"]])
    np.testing.assert_array_equal(row_keys(long)[:2], row_keys(short))
    few = pd.DataFrame({"c": pd.Categorical(["a", "b"])})
    more = pd.DataFrame({"c": pd.Categorical(["a", "b", "c"])})
    np.testing.assert_array_equal(row_keys(more)[:2], row_keys(few))
    as_other_codes = pd.DataFrame({"c": pd.Categorical(["a", "b"], categories=["b", "a"])})
    assert not np.intersect1d(row_keys(as_other_codes), row_keys(few)).size


def test_index_of_texts_belongs_to_the_row_and_positions_do_not():
    """A function may look up rows by a name; numbers in an index change with the order of the rows."""
    frame = pd.DataFrame({"a": [1.0, 1.0]})
    first, second = row_keys(frame)
    assert (first == second).all()
    assert (row_keys(frame.set_axis(["x", "y"])).T[0][0] != row_keys(frame.set_axis(["x", "y"])).T[0][1]).all()


def test_cells_of_zero_and_signs():
    """Zeros of both signs differ, as 1 / x does; all NaN are alike; stored zeros of a sparse matrix are no cells."""
    plus, minus = row_keys(np.array([[0.0], [-0.0]]))
    assert (plus != minus).all()
    other_nan = np.array([0xFFF8000000000001], dtype=np.uint64).view(float).reshape(1, 1)
    np.testing.assert_array_equal(row_keys(other_nan), row_keys(np.array([[np.nan]])))
    stored = sparse.csr_matrix((np.array([0.0, 2.0]), np.array([0, 1]), np.array([0, 2])), shape=(1, 2))
    np.testing.assert_array_equal(row_keys(stored), row_keys(sparse.csr_matrix(np.array([[0.0, 2.0]]))))


def test_swapped_cells_and_neighbours_have_other_keys():
    """On a grid of small integers, where sums and products repeat, no two of 64,000 rows share half a key."""
    grid = np.stack(np.meshgrid(*[np.arange(40.0)] * 3), axis=-1).reshape(-1, 3)
    keys = row_keys(grid)
    assert len(np.unique(keys[:, 0])) == len(np.unique(keys[:, 1])) == len(grid) > CELLS_AT_ONCE


def test_every_bit_of_a_key_is_even():
    """Each of the 128 bits is set for about half of the rows, and changes for about half of the neighbours."""
    bits = np.unpackbits(row_keys(np.arange(20_000.0).reshape(-1, 1)).view(np.uint8), axis=1)
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 0.02
    assert np.abs((bits[1:] != bits[:-1]).mean(axis=0) - 0.5).max() < 0.02


def test_keys_in_batch_depend_on_the_whole_batch():
    """Another row, another order or another length of the batch changes the keys of all rows."""
    keys = row_keys(NUMBERS)[np.unique(row_keys(NUMBERS)[:, 0], return_index=True)[1]]
    batches = [keys, keys[::-1], keys[1:], np.vstack([keys[:-1], keys[:1]])]
    found = np.concatenate([keys_in_batch(batch) for batch in batches])
    assert len(np.unique(found, axis=0)) == len(found)
    np.testing.assert_array_equal(keys_in_batch(keys), keys_in_batch(keys.copy()))
