"""Rows that were seen are recognised in any table, by chance equal rows are not held against one."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse

from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.teachers import SeenRows
from skdistill.teachers._seen_rows import _in_order

RNG = np.random.default_rng(0)
NUMBERS = np.where(RNG.random((300, 4)) < 0.3, 0.0, RNG.normal(size=(300, 4)))
MIXED = pd.DataFrame(
    {
        "size": [1.5, np.nan, -0.0, 2.0],
        "color": ["red", None, "blue", "red"],
        "count": [1, 2, 3, 4],
        "day": pd.to_datetime(["2020-01-01", None, "2021-01-01", "2020-01-01"]),
        "yes": [True, False, False, True],
    }
)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda X: X.astype(np.float32), id="float32"),
        pytest.param(lambda X: X.astype(object), id="objects"),
        pytest.param(np.asfortranarray, id="columns first"),
        pytest.param(sparse.csr_matrix, id="csr"),
        pytest.param(sparse.coo_array, id="coo"),
        pytest.param(pd.DataFrame, id="pandas"),
        pytest.param(lambda X: pd.DataFrame(X).astype("Float64"), id="nullable"),
        pytest.param(lambda X: pl.DataFrame(X, schema=list("abcd")), id="polars"),
    ],
)
def test_rows_are_recognised_in_any_type_of_table(other):
    """A row that was seen in one type of table is recognised in another, and whatever was not seen is not."""
    of_array, of_other = SeenRows.of(NUMBERS[:200]), SeenRows.of(other(NUMBERS[:200]))
    for seen, table in ((of_array, other(NUMBERS)), (of_other, NUMBERS)):
        np.testing.assert_array_equal(seen.find(table), np.arange(300) < 200)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda X: X.astype({"color": "category"}), id="category"),
        pytest.param(lambda X: X.astype({"color": "string", "count": "Int64"}), id="nullable"),
        pytest.param(lambda X: X.rename(columns=str.upper).set_index(np.arange(4) + 7), id="names"),
        pytest.param(pl.from_pandas, id="polars"),
        pytest.param(lambda X: X.iloc[::-1], id="order"),
        pytest.param(lambda X: pl.from_pandas(X).with_columns(pl.col("count").cast(pl.Int128)), id="128 bits"),
        pytest.param(lambda X: pl.from_pandas(X).with_columns(pl.col("count").cast(pl.Decimal(10, 2))), id="decimals"),
    ],
)
def test_cells_of_all_kinds_are_compared_by_value(other):
    """Texts, categories, times, truth values and missing cells are the same in any representation."""
    assert SeenRows.of(MIXED).find(other(MIXED)).all()


@pytest.mark.parametrize("column", MIXED.columns)
def test_every_cell_counts(column):
    """Rows that differ in one cell of any kind are other rows."""
    changed = MIXED.copy()
    changed[column] = MIXED[column].to_numpy()[[2, 3, 1, 1]]  # each cell becomes another one
    differs = ~((changed[column] == MIXED[column]) | (changed[column].isna() & MIXED[column].isna())).to_numpy()
    np.testing.assert_array_equal(SeenRows.of(MIXED).find(changed), ~differs)
    assert differs.any()


def test_columns_do_not_commute():
    """The same cells in other columns are another row."""
    table = NUMBERS + np.arange(4)
    assert not SeenRows.of(table).find(table[:, ::-1]).any()


class TestChance:
    """Equal by chance, or seen."""

    def test_new_rows_of_a_narrow_table_are_none_that_were_seen(self):
        """With few different rows nearly all new rows are equal to one that was seen, and none is held to be."""
        table = RNG.integers(0, 4, size=(1500, 3)).astype(float)
        seen = SeenRows.of(table[:1000])
        assert seen.find(table[1000:]).all()
        assert seen.count_beyond_chance(table[1000:]) == 0

    def test_training_rows_are_counted(self):
        """Of rows without equal ones, those that were seen are counted exactly."""
        seen = SeenRows.of(NUMBERS[:200])
        assert seen.count_beyond_chance(NUMBERS[150:]) == 50
        assert seen.count_beyond_chance(NUMBERS[200:]) == 0

    def test_copies_before_the_fit_hide_nothing(self):
        """Rows that were copied before the fit, as by oversampling, do not pass for rows that are equal by chance."""
        seen = SeenRows.of(np.repeat(NUMBERS[:200], 2, axis=0))
        assert seen.repeated == 1
        assert seen.count_beyond_chance(NUMBERS[:200]) > 100


def test_keys_say_nothing_without_the_salt_of_their_table():
    """Keys of the same row differ between tables, are 16 bytes a distinct row, and are pickled with the rest."""
    first, second = SeenRows.of(NUMBERS[:200]), SeenRows.of(np.vstack([NUMBERS[:100], NUMBERS[:150]]))
    assert not np.isin(first.keys, second.keys).any()
    assert second.keys.nbytes == 16 * 150
    assert second.n_rows == 250
    assert pickle.loads(pickle.dumps(first)).find(NUMBERS).sum() == 200


@pytest.mark.parametrize("model", [DistilledClassifier, DistilledRegressor])
def test_estimators_keep_keys_of_all_real_rows_and_students_none(model):
    """Rows of each table given to fit are recognised, new ones are not, and the student holds no key."""

    def teacher(X):
        values = np.tanh(X[:, 0])
        return np.column_stack([0.5 - values / 2, 0.5 + values / 2]) if model is DistilledClassifier else values

    given = {"X_unlabeled": NUMBERS[100:150], "X_val": NUMBERS[150:200]}
    y = NUMBERS[:100, 0] > 0 if model is DistilledClassifier else None
    fitted = model(teacher, "linear", sampler=None, random_state=0).fit(NUMBERS[:100], y, **given)
    np.testing.assert_array_equal(fitted.seen_rows_.find(NUMBERS), np.arange(300) < 200)
    assert b"SeenRows" not in pickle.dumps(fitted.student_)
    assert (fitted.seen_rows_.output_variance > 0).all()


PAIRS = pl.Array(pl.Float64, 2)


def test_keys_that_share_their_first_half_are_told_apart():
    """In order by both halves, and only equal keys are counted as repeated."""
    keys = np.array([[5, 2], [5, 1], [5, 2], [3, 9], [5, 1], [4, 4]], dtype=np.uint64)
    ordered, repeats = _in_order(keys)
    np.testing.assert_array_equal(ordered, keys[np.lexsort((keys[:, 1], keys[:, 0]))])
    np.testing.assert_array_equal(repeats, [False, False, True, False, True])


def test_cells_that_hold_several_numbers_are_compared_as_lists():
    """A column of arrays in a polars frame is one column."""
    frame = pl.DataFrame({"a": [1, 2, 3], "b": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]}, schema_overrides={"b": PAIRS})
    seen = SeenRows([frame[:2]])
    np.testing.assert_array_equal(seen.find(frame), [True, True, False])
