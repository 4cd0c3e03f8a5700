import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse
from strategies import (
    KINDS,
    assert_same_table,
    build_table,
    example_table,
    schema_of,
)
from threadpoolctl import threadpool_limits

from skdistill.samplers import MUNGE

few = settings(max_examples=12, deadline=None)
seeds = st.integers(0, 10_000)


def draw(table, n_samples=50, seed=0, **params):
    return MUNGE(random_state=seed, **params).fit(table).sample(n_samples, random_state=seed)


def numbers(dtype, n_rows=40):
    """Return an array of numbers of a dtype, with many equal cells."""
    return (np.random.default_rng(0).normal(size=(n_rows, 4)) * 5).astype(dtype)


def counts(make, dtype, n_rows=40):
    """Return a sparse matrix of counts, like words in texts."""
    dense = np.random.default_rng(0).poisson(0.7, size=(n_rows, 9))
    return make(dense.astype(dtype))


ARRAYS = {dtype: lambda dtype=dtype: numbers(dtype) for dtype in ("float64", "float32", "float16", "int64", "uint8")}
SPARSE = {
    f"{make.__name__} {dtype}": lambda make=make, dtype=dtype: counts(make, dtype)
    for make in (sparse.csr_matrix, sparse.csr_array)
    for dtype in ("float64", "float32", "int64")
}
TABLES = {
    **{kind: lambda kind=kind: example_table(kind) for kind in KINDS},
    **ARRAYS,
    "bool": lambda: np.random.default_rng(0).random((40, 12)) < 0.5,
    "strings": lambda: np.random.default_rng(0).choice(["a", "bb", "ccc", "d", "e"], (40, 4)),
    **SPARSE,
}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """On tables this small the threads of the neighbour search only wait for each other."""
    with threadpool_limits(1):
        yield


@pytest.fixture(params=TABLES)
def table(request):
    return TABLES[request.param]()


def dense(table):
    return table.toarray() if sparse.issparse(table) else np.asarray(table)


def sparse_pairs(table, rows, neighbors):
    """Say for each sampled row and each pair of a real row and its neighbour whether the pair explains every cell."""
    real, drawn = dense(table), dense(rows)[:, None, None]
    other = real[neighbors]
    return np.all((drawn == real[:, None]) | (drawn == other), axis=-1)


# Cells


def test_whole_numbers_among_floats_stay_whole():
    """It is the values that make a column one of integers, not its dtype, and not its neighbours."""
    table = np.column_stack([numbers("int64")[:, 0], numbers("float64")[:, 0]])
    table[3, 0] = np.nan
    rows = draw(table, 300, local_variance=0.3)
    whole = rows[~np.isnan(rows[:, 0]), 0]
    np.testing.assert_array_equal(whole, np.round(whole))
    assert len(np.setdiff1d(rows[:, 1], table[:, 1])) > 50


@given(value=st.floats(-1e6, 1e6), seed=seeds)
@few
def test_constant_arrays_stay_constant(value, seed):
    """Not even the last bit of a constant moves."""
    np.testing.assert_array_equal(draw(np.full((5, 2), value), 20, seed), np.full((20, 2), value))


# What a row is made of


@pytest.mark.parametrize("name", [*SPARSE, "bool", "strings"])
def test_terms_come_from_the_row_or_its_neighbor(name):
    """Where there is nothing to shift, each cell is the real row's or its neighbour's, and the mixture is new."""
    table = TABLES[name]()
    sampler = MUNGE(n_neighbors=2, random_state=0).fit(table)
    rows = sampler.sample(200, random_state=0)
    assert sparse_pairs(table, rows, sampler.neighbors_).any(axis=(1, 2)).all()
    is_real = np.all(dense(rows)[:, None] == dense(table), axis=2).any(axis=1)
    assert is_real.mean() < 0.8


def test_zeros_of_both_stay_zeros():
    """A term that neither the row nor its neighbour has never appears, also among floats of any size."""
    table = sparse.random(60, 20, density=0.2, format="csr", random_state=np.random.RandomState(0))
    sampler = MUNGE(n_neighbors=1, random_state=0).fit(table)
    rows = sampler.sample(300, random_state=0)
    has_term = table.toarray() != 0
    allowed = has_term | has_term[sampler.neighbors_[:, 0]]
    extra = (rows.toarray() != 0)[:, None] & ~allowed
    assert (~extra.any(axis=2)).any(axis=1).all()


@pytest.mark.parametrize("name", ["strings", "float64", "int64", "csr_matrix int64", "csr_array float64"])
def test_every_cell_swapped_is_the_neighbor(name):
    """At probability one, and without noise, the synthetic rows are the neighbours of all rows, each once."""
    table = TABLES[name]()
    sampler = MUNGE(swap_probability=1.0, local_variance=1e15, n_neighbors=1, random_state=0).fit(table)
    rows, expected = dense(sampler.sample(40, random_state=0)), dense(table)[sampler.neighbors_[:, 0]]
    if rows.dtype.kind == "f":
        rows, expected = rows.round(6), expected.round(6)
    np.testing.assert_array_equal(rows[np.lexsort(rows.T)], expected[np.lexsort(expected.T)])


def test_next_to_nothing_swapped_is_the_table():
    """Each real row is mixed about equally often: with hardly a swap, each is there as often as any other."""
    table = np.arange(40.0).reshape(20, 2)
    rows = draw(table, 50, swap_probability=1e-9)
    times = np.sum(np.all(rows[:, None] == table, axis=2), axis=0)
    assert times.sum() == 50
    assert set(times) == {2, 3}


@given(table=arrays(float, (8, 3), elements=st.floats(-100, 100)), seed=seeds)
@few
def test_larger_local_variance_keeps_closer_to_the_neighbor(table, seed):
    """The noise around the neighbour's number shrinks with s, cell by cell."""
    table = table + np.array([0.5, 0.25, 0.125]) * np.arange(8)[:, None]
    near, closer, neighbor = (
        draw(table, 30, seed, swap_probability=1.0, local_variance=scale) for scale in (1.0, 10.0, 1e12)
    )
    assert np.all(np.abs(closer - neighbor) <= np.abs(near - neighbor) + 1e-6)


def test_noise_is_scaled_by_the_difference():
    """Where the neighbour has the same number there is no noise, where it differs there is."""
    table = np.column_stack([np.repeat([0.5, 10.25], 10), np.arange(20) % 10 + 0.5])
    rows = draw(table, 200, swap_probability=1.0, local_variance=1.0, n_neighbors=1)
    assert set(rows[:, 0]) == {0.5, 10.25}
    assert len(set(rows[:, 1])) > 50


def test_equal_rows_give_equal_rows():
    """A table of one row many times gives that row again."""
    frame = build_table("pandas", {"text": ["red"] * 6, "count": [3] * 6, "size": [0.1] * 6})
    assert_same_table(draw(frame, 6), frame)


@pytest.mark.parametrize("kind", KINDS)
def test_repeated_rows_are_no_problem(kind):
    """Rows that are there twice are neighbours of each other and nothing worse."""
    values = {"text": ["red", "red", "blue", "blue"], "size": [1.0, 1.0, 9.0, 9.0]}
    if kind == "numpy":
        table = np.column_stack([np.array(cells, dtype=object) for cells in values.values()])
    else:
        table = build_table(kind, values)
    sampler = MUNGE(n_neighbors=1, random_state=0).fit(table)
    np.testing.assert_array_equal(sampler.neighbors_[:, 0], [1, 0, 3, 2])


# Neighbours


@pytest.mark.parametrize("kind", [*KINDS, "float64", "csr_matrix float64"])
@pytest.mark.parametrize("max_candidates", [20_000, 25, 3])
def test_no_row_is_its_own_neighbor(kind, max_candidates):
    """Neighbours are other rows, each once, however the table is cut into blocks."""
    table = TABLES[kind]()
    sampler = MUNGE(n_neighbors=4, max_candidates=max_candidates, random_state=0).fit(table)
    neighbors = sampler.neighbors_
    assert neighbors.shape[0] == table.shape[0]
    assert 1 <= neighbors.shape[1] <= min(4, max_candidates - 1)
    assert np.all(neighbors != np.arange(table.shape[0])[:, None])
    assert np.all(np.diff(np.sort(neighbors, axis=1), axis=1) > 0)


def test_nearest_comes_first():
    """Among many neighbours the nearest stands first."""
    table = (np.arange(10.0) ** 2).reshape(-1, 1)
    neighbors = MUNGE(n_neighbors=3).fit(table).neighbors_
    distance = np.abs(table[neighbors, 0] - table)
    assert np.all(np.diff(distance, axis=1) >= 0)
    np.testing.assert_array_equal(neighbors[1:, 0], np.arange(9))


def test_units_do_not_choose_the_neighbors():
    """A column in another unit, with another zero, finds the same neighbours."""
    table = numbers("float64")
    expected = MUNGE(n_neighbors=3).fit(table).neighbors_
    np.testing.assert_array_equal(MUNGE(n_neighbors=3).fit(table * [1, 1000, 0.25, 1] + 8).neighbors_, expected)


def test_length_of_sparse_rows_does_not_choose_the_neighbors():
    """Sparse rows are compared by their angle: a text written twice has the same neighbours."""
    table = counts(sparse.csr_matrix, "float64")
    longer = sparse.csr_matrix(sparse.diags(2.0 ** (np.arange(40) % 3)) @ table)
    expected = MUNGE(n_neighbors=3).fit(table).neighbors_
    np.testing.assert_array_equal(MUNGE(n_neighbors=3).fit(longer).neighbors_, expected)


@pytest.mark.parametrize("kind", ["pandas", "float64", "csr_matrix float64"])
def test_more_neighbors_than_rows_are_all_rows(kind):
    """Asked for more neighbours than there are, every other row is one."""
    table = TABLES[kind]()
    neighbors = MUNGE(n_neighbors=1_000).fit(table).neighbors_
    assert neighbors.shape == (table.shape[0], table.shape[0] - 1)
    assert draw(table, 10, n_neighbors=1_000).shape == (10, table.shape[1])


@pytest.mark.parametrize("kind", ["polars", "float64", "csr_matrix float64"])
def test_two_rows_are_enough(kind):
    """The smallest table is a row and its neighbour."""
    table = TABLES[kind]()[:2]
    assert schema_of(draw(table, 9, n_neighbors=5)) == schema_of(table)


def test_table_larger_than_max_candidates():
    """A large table is cut into blocks, and its rows are as good as ever: schema, range, whole numbers."""
    table = numbers("float64", n_rows=300).round(1)
    table[:, 0] = table[:, 0].round()
    rows = draw(table, 500, max_candidates=40)
    assert rows.shape == (500, 4)
    assert np.all((rows >= table.min(axis=0)) & (rows <= table.max(axis=0)))
    np.testing.assert_array_equal(rows[:, 0], rows[:, 0].round())


# The contract


def test_the_table_is_only_read(table):
    """Neither fit nor sample writes to the caller's table; read-only arrays will do."""
    before = table.clone() if isinstance(table, pl.DataFrame) else table.copy()
    if isinstance(table, np.ndarray):
        table.flags.writeable = False
    if sparse.issparse(table):
        table.data.flags.writeable = table.indices.flags.writeable = False
    sampler = MUNGE(random_state=0).fit(table)
    sampler.sample(30, random_state=0)
    assert_same_table(table, before)


def test_y_is_ignored():
    """The teacher's outputs are for samplers that use them; this one does not."""
    table = numbers("float64")
    with_y = MUNGE(random_state=0).fit(table, np.arange(40)).sample(20, random_state=0)
    np.testing.assert_array_equal(with_y, draw(table, 20))


def test_fit_returns_the_sampler_and_records_the_table():
    """Fit chains, and the names and width are known as in every estimator."""
    frame, sampler = example_table("pandas"), MUNGE()
    assert sampler.fit(frame) is sampler
    assert sampler.n_features_in_ == frame.shape[1]
    assert list(sampler.feature_names_in_) == list(frame.columns)


def test_lists_are_tables():
    """Lists of lists are taken, too, as anywhere in scikit-learn."""
    table = [[1, 2.5], [3, 4.5], [5, 6.5]]
    np.testing.assert_array_equal(draw(table, 7), draw(np.array(table), 7))


@pytest.mark.parametrize("kind", [*KINDS, "float64", "csr_matrix float64"])
def test_one_row_has_no_neighbor(kind):
    """A single row is refused in words."""
    with pytest.raises(ValueError, match=r"MUNGE got n_samples = 1 row; expected at least 2, to have a neighbour"):
        MUNGE().fit(TABLES[kind]()[:1])


@pytest.mark.parametrize(
    ("params", "error", "expected"),
    [
        ({"swap_probability": 0}, ValueError, r"swap_probability=0; expected a number above 0 and at most 1"),
        ({"swap_probability": 1.1}, ValueError, r"swap_probability=1.1; expected a number above 0 and at most 1"),
        ({"swap_probability": "half"}, TypeError, r"swap_probability='half'; expected a number above 0"),
        ({"local_variance": 0.0}, ValueError, r"local_variance=0.0; expected a number above 0"),
        ({"local_variance": np.nan}, ValueError, r"local_variance=nan; expected a number above 0"),
        ({"n_neighbors": 0}, ValueError, r"n_neighbors=0; expected an integer of at least 1"),
        ({"n_neighbors": 1.5}, TypeError, r"n_neighbors=1.5; expected an integer of at least 1"),
        ({"n_neighbors": True}, TypeError, r"n_neighbors=True; expected an integer of at least 1"),
        ({"max_candidates": 1}, ValueError, r"max_candidates=1; expected an integer of at least 2"),
        ({"max_candidates": None}, TypeError, r"max_candidates=None; expected an integer of at least 2"),
    ],
)
def test_bad_parameters_say_who_got_and_expected(params, error, expected):
    """Each parameter is checked in fit, in words, and never in the constructor."""
    sampler = MUNGE(**params)
    with pytest.raises(error, match=f"^MUNGE: {expected}"):
        sampler.fit(np.eye(3))


@pytest.mark.parametrize("dtype", [bool, np.float64, np.int64])
def test_sparse_cells_are_those_of_the_row_or_its_neighbour(dtype):
    """Swapping cells of sparse rows invents none and loses none, whatever their size."""
    cells = np.array([[1e18, 1, 0], [3, 1, 7], [0.1, 0, 2]]).astype(dtype)
    sampler = MUNGE(1.0, n_neighbors=1, random_state=0).fit(sparse.csr_matrix(cells))
    drawn = sampler.sample(9, random_state=0).toarray()
    np.testing.assert_array_equal(np.unique(drawn, axis=0), np.unique(cells[sampler.neighbors_[:, 0]], axis=0))
    assert drawn.dtype == cells.dtype


@pytest.mark.parametrize("n_rows", [3, 5, 21])
def test_small_blocks_have_neighbours(n_rows):
    """No block of candidates is a single row."""
    X = np.random.RandomState(0).normal(size=(n_rows, 2))
    neighbors = MUNGE(max_candidates=2, random_state=0).fit(X).neighbors_[:, 0]
    assert np.all(neighbors != np.arange(n_rows))


def test_huge_cells_of_frames_are_swapped():
    """What arithmetic cannot hold is passed on as it is."""
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0, 1e308, -1e308], "b": np.arange(5.0)})
    drawn = MUNGE(random_state=0).fit(frame).sample(50, random_state=0)
    assert set(drawn["a"]) <= set(frame["a"])
