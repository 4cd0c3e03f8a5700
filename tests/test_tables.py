import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from strategies import KINDS, assert_same_table, cells_of, column_names, example_table, mixed_tables, schema_of

from skdistill._tables import describe_mismatch, is_frame, stack_rows, take_rows

few = settings(max_examples=15, deadline=None)


def dense(dtype):
    return np.random.default_rng(0).integers(0, 100, (12, 3)).astype(dtype)


TABLES = {
    **{kind: lambda kind=kind: example_table(kind, n_rows=12) for kind in KINDS},
    "float32": lambda: dense(np.float32),
    "int64": lambda: dense(np.int64),
    "bool": lambda: dense(bool),
    "strings": lambda: dense("U3"),
    "CSR matrix": lambda: sparse.csr_matrix(dense(np.float64)),
    "CSR array": lambda: sparse.csr_array(dense(np.float32)),
}


@pytest.fixture(params=TABLES)
def table(request):
    return TABLES[request.param]()


def test_frames_are_told_from_arrays():
    """A frame has named columns; arrays, matrices, lists and columns of a frame are none."""
    frame = pd.DataFrame({"a": [1]})
    others = [np.ones((2, 2)), sparse.csr_matrix(np.eye(2)), [[1, 2]], {"a": [1]}, frame["a"], None]
    assert is_frame(frame)
    assert is_frame(pl.DataFrame({"a": [1]}))
    assert not any(is_frame(other) for other in others)


def test_parts_stack_to_the_whole(table):
    """Cut anywhere and stacked again, a table is what it was: cells, dtypes, categories."""
    parts = [take_rows(table, slice(start, start + 5)) for start in range(0, table.shape[0], 5)]
    assert_same_table(stack_rows(parts), table)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@few
def test_any_table_survives_cutting_and_stacking(kind, data):
    """The same for any small table, any cut, empty parts and parts without a present cell among them."""
    table = data.draw(mixed_tables(kind))
    cut = data.draw(st.integers(0, table.shape[0]))
    assert_same_table(stack_rows([take_rows(table, slice(0, cut)), take_rows(table, slice(cut, None))]), table)


def test_rows_come_in_the_order_asked_for(table):
    """Positions may repeat and come in any order; a permutation and its inverse cancel."""
    order = np.random.default_rng(0).permutation(table.shape[0])
    shuffled = take_rows(table, order)
    assert schema_of(shuffled) == schema_of(table)
    assert_same_table(stack_rows([take_rows(shuffled, np.argsort(order)), table]), stack_rows([table, table]))
    assert take_rows(table, np.array([3, 3, 0])).shape == (3, table.shape[1])


def test_slice_is_its_positions(table):
    """A slice gives the same rows as the positions it stands for."""
    assert_same_table(take_rows(table, slice(2, 9)), take_rows(table, np.arange(2, 9)))


def test_no_rows_keep_the_schema(table):
    """Even without a row the columns stay what they were."""
    none = take_rows(table, np.array([], dtype=int))
    assert none.shape == (0, table.shape[1])
    assert schema_of(none) == schema_of(table)


@pytest.mark.parametrize("dtype", ["float32", "int64", "U3", object])
def test_taken_rows_can_be_written(dtype):
    """Rows that are taken by position are a copy: writing to them leaves the array alone."""
    table = dense(dtype)
    before = table.copy()
    take_rows(table, np.arange(3))[:] = table[-1, -1]
    np.testing.assert_array_equal(table, before)


def test_a_single_table_is_not_copied(table):
    """Stacking one table costs nothing."""
    assert stack_rows([table]) is table


def test_pyarrow_tables_are_tables():
    """Whatever frame narwhals knows works, not only those this package is tested with most."""
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": [1, None, 3], "b": ["x", "y", None]})
    taken = take_rows(table, np.array([2, 0]))
    assert taken.to_pydict() == {"a": [3, 1], "b": [None, "x"]}
    assert stack_rows([table, taken]).schema == table.schema
    assert describe_mismatch(table, taken) is None


def test_a_table_fits_its_own_rows(table):
    """Rows of the same table have no mismatch, however few."""
    assert describe_mismatch(table, table) is None
    assert describe_mismatch(table, take_rows(table, slice(0, 1))) is None
    assert describe_mismatch(table, take_rows(table, slice(0, 0))) is None


FRAME = pd.DataFrame({"a": [1.0], "b": ["x"]})
ARRAY = np.ones((2, 3))


@pytest.mark.parametrize(
    ("expected", "got", "said"),
    [
        (FRAME, ARRAY, "a ndarray instead of a DataFrame"),
        (ARRAY, FRAME, "a DataFrame instead of a ndarray"),
        (ARRAY, sparse.csr_matrix(ARRAY), "a csr_matrix instead of a ndarray"),
        (sparse.csr_matrix(ARRAY), ARRAY, "a ndarray instead of a csr_matrix"),
        (ARRAY, ARRAY[:, :2], "shape (2, 2) instead of (n, 3)"),
        (ARRAY, ARRAY[0], "shape (3,) instead of (n, 3)"),
        (ARRAY, [[1, 2, 3]], "shape None instead of (n, 3)"),
        (FRAME, FRAME[["b", "a"]], "columns ['b', 'a'] instead of ['a', 'b']"),
        (FRAME, FRAME.rename(columns={"a": "c"}), "columns ['c', 'b'] instead of ['a', 'b']"),
        (FRAME, FRAME.astype({"a": "float32"}), "dtype Float32 instead of Float64 in column 'a'"),
    ],
)
def test_mismatch_says_what_came_and_what_was_expected(expected, got, said):
    """A table of another kind, width, order or dtype is described in words."""
    assert describe_mismatch(expected, got) == said


@pytest.mark.parametrize("kind", KINDS)
def test_missing_cells_travel_with_their_rows(kind):
    """Taking rows moves missing cells like any other."""
    table = example_table(kind, n_rows=12)
    order = np.random.default_rng(1).permutation(12)
    taken = take_rows(table, order)
    for name in column_names(table):
        np.testing.assert_array_equal(cells_of(taken, name)[1], cells_of(table, name)[1][order])


def test_pandas_categories_must_be_the_same():
    """Categoricals with other categories would turn into text when stacked, so they are named."""
    left = pd.DataFrame({"a": pd.Categorical(["x", "y"])})
    right = pd.DataFrame({"a": pd.Categorical(["x", "z"])})
    assert describe_mismatch(left, right) == "other categories in column 'a'"
    assert describe_mismatch(left, left[::-1]) is None


def test_text_is_no_number():
    """Between arrays, text and numbers are different kinds."""
    numbers = np.zeros((2, 1))
    assert "instead of" in describe_mismatch(numbers, numbers.astype(str))


def test_stacked_frames_have_a_fresh_index():
    """Labels of rows are not repeated."""
    frame = pd.DataFrame({"a": [1, 2]}, index=[7, 7])
    assert stack_rows([frame, frame]).index.is_unique
