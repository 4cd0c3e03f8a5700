import datetime as dt
import pickle
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import skdistill
from skdistill._encoding import TableEncoder
from skdistill._spelling import Lookup, sorted_categories, spelled
from skdistill.students import CompactLinearRegressor

few = settings(max_examples=30, deadline=None)
N = 60
CODE, X = np.arange(N) % 4, np.linspace(-1, 1, N)
EFFECT = np.array([10.0, -5.0, 7.0, 3.0])
NUMBERS = np.arange(1, 5)
DAYS = pd.to_datetime("2020-01-04") + pd.to_timedelta(NUMBERS, "D")
MOMENTS = DAYS + pd.Timedelta("12:00:00")


def categorical(cells):
    return pd.Series(pd.Categorical(cells))


def objects(cells):
    return pd.Series(list(cells), dtype=object)


KNOWN_AND_ASKED = {
    "integers": (
        categorical(NUMBERS),
        [
            categorical(NUMBERS * 1.0),
            categorical(["1", "2", "3", "4"]),
            categorical(["1.0", "2.0", "3.0", "4.0"]),
            pd.Series(NUMBERS),
            pd.Series(NUMBERS * 1.0),
            pd.Series(NUMBERS, dtype="Int8"),
            pd.Series(NUMBERS, dtype="float32"),
            pd.Series(NUMBERS, dtype="uint8[pyarrow]"),
            objects([1, 2.0, "3", Decimal(4)]),
        ],
    ),
    "floats": (categorical(NUMBERS * 1.0), [categorical(NUMBERS), pd.Series(NUMBERS), objects(map(str, NUMBERS))]),
    "fractions": (categorical(NUMBERS / 10), [pd.Series(NUMBERS / 10), pd.Series(NUMBERS / 10, dtype="float32")]),
    "digits": (
        objects(["01", "02", "03", "04"]),
        [pd.Series(NUMBERS), pd.Series(NUMBERS * 1.0), categorical(NUMBERS), objects([1, "02", 3.0, np.int8(4)])],
    ),
    "days": (
        categorical(DAYS),
        [
            pd.Series(DAYS),
            pd.Series(DAYS).dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"),
            objects(DAYS.date),
            objects(DAYS.astype(str)),
            objects([f"{day} 00:00:00" for day in DAYS.date]),
            pd.Series(DAYS.to_period("D")),
            categorical([*DAYS[:3], DAYS[3].to_pydatetime()]),
        ],
    ),
    "moments": (categorical(MOMENTS), [pd.Series(MOMENTS), objects(MOMENTS.astype(str)), objects(MOMENTS)]),
    "periods": (pd.Series(DAYS.to_period("D")).astype("category"), [pd.Series(DAYS.to_period("D")), pd.Series(DAYS)]),
    "durations": (
        categorical(pd.to_timedelta(NUMBERS, "h")),
        [pd.Series(pd.to_timedelta(NUMBERS, "h")), objects(dt.timedelta(hours=int(hours)) for hours in NUMBERS)],
    ),
}
CASES = [
    pytest.param(known, column, id=f"{name}-{index}")
    for name, (known, asked) in KNOWN_AND_ASKED.items()
    for index, column in enumerate(asked)
]


def fitted_on(column):
    frame = pd.DataFrame({"k": column, "x": X})
    return CompactLinearRegressor().fit(frame, EFFECT[CODE] + X)


def assert_all_paths_give(model, frame, expected):
    """Assert that the estimator and the compiled model, on many rows and on one in any form, give these values."""
    compiled = pickle.loads(pickle.dumps(skdistill.compile(model)))
    for each in (model.predict, compiled):
        np.testing.assert_allclose(each(frame), expected, atol=0.05)
    for index in range(len(frame)):
        row = frame.iloc[index : index + 1]
        forms = {
            "student": model.predict(row)[0],
            "table": compiled(row)[0],
            "list": compiled([frame["k"].iloc[index], frame["x"].iloc[index]]),
            "dict": compiled({"x": frame["x"].iloc[index], "k": frame["k"].iloc[index]}),
            "series": compiled(frame.iloc[index]),
            "array": compiled(np.array([frame["k"].iloc[index], 0.0], dtype=object)),
        }
        assert forms == pytest.approx(dict.fromkeys(forms, expected[index]), abs=0.05)


@pytest.mark.parametrize(("known", "asked"), CASES)
def test_a_category_is_matched_by_value(known, asked):
    """Integers as floats, digits as numbers, days as moments: one answer for one value, in every form of a row."""
    model = fitted_on(known.iloc[CODE].reset_index(drop=True))
    assert_all_paths_give(model, pd.DataFrame({"k": asked, "x": 0.0}), EFFECT)


@pytest.mark.parametrize(
    "asked",
    [
        pd.Series([True, False]),
        pd.Series([1, 0]),
        pd.Series([1.0, 0.0]),
        pd.Series([True, False], dtype="boolean"),
        objects([np.True_, np.False_]),
        objects(["True", "False"]),
        categorical([True, False]),
    ],
    ids=lambda column: f"{column.dtype}",
)
def test_true_is_one_and_is_spelled_true(asked):
    """A category of booleans matches booleans of any kind, 1 and 0, and their exact spelling."""
    frame = pd.DataFrame({"k": pd.Categorical(CODE > 1), "x": X})
    model = CompactLinearRegressor().fit(frame, np.where(CODE > 1, 10.0, 0.0))
    assert_all_paths_give(model, pd.DataFrame({"k": asked, "x": 0.0}), [10.0, 0.0])
    other_spelling = pd.DataFrame({"k": ["true", "FALSE"], "x": 0.0})
    np.testing.assert_array_equal(np.isnan(model._encoder.transform(other_spelling)[:, 0]), True)


@pytest.mark.parametrize(
    ("known", "matches", "unseen"),
    [
        (["1", "01"], [("1", "1"), ("01", "01"), (1, "1"), (1.0, "1"), ("1.0", "1"), (True, "1")], ["001", 10]),
        (["01", "001"], [("01", "01"), ("001", "001")], [1, 1.0, "1"]),
        (["0", "1"], [(True, "1"), (np.False_, "0")], ["True", "1e0", "", " 1", 0.5]),
        (["True", "1"], [(True, "True"), (1, "1"), (1.0, "1")], [0, False, "true"]),
        (["1_0", "٣", "nan", "0x1"], [], [10, 3, 1, "NaN"]),
        ([str(2**60), str(2**60 + 1)], [(2**60, str(2**60)), (2**60 + 1, str(2**60 + 1))], [2**60 + 2]),
        (["0.1", "0.25"], [(0.1, "0.1"), (np.float32(0.1), "0.1"), (Decimal("0.25"), "0.25")], [0.1001, 0, "0.10"]),
        (["2020-01-05", "2020-01-05 00:00:00"], [(dt.date(2020, 1, 5), "2020-01-05")], ["2020-01-05T00:00:00"]),
        (["2020-02-30", "2020-1-5"], [], [dt.date(2020, 1, 5), 2020]),
        (["a"], [(b"a", "a"), (np.str_("a"), "a")], ["A", [1], (1,), 1j, np.timedelta64(1, "s")]),
    ],
    ids=str,
)
def test_the_exact_text_wins_and_what_is_ambiguous_is_unseen(known, matches, unseen):
    """No cell is ever taken for one of several categories of its value; alone and in an array alike."""
    known = sorted(known)
    lookup = Lookup(known)
    cells = [*(cell for cell, _ in matches), *unseen]
    expected = [*(known.index(text) for _, text in matches), *[np.nan] * len(unseen)]
    np.testing.assert_array_equal([lookup.code(cell) for cell in cells], expected)
    column = np.empty(len(cells), dtype=object)
    column[:] = cells
    np.testing.assert_array_equal(lookup.codes(column), expected)


values = st.one_of(
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.booleans(),
    st.text("01.e-", max_size=4),
    st.datetimes(),
)


@given(cells=st.lists(values, min_size=1, max_size=8))
@few
def test_every_cell_matches_the_category_that_it_made(cells):
    """What fit has seen is known at predict, whatever stands beside it."""
    column = np.empty(len(cells), dtype=object)
    column[:] = cells
    known = sorted_categories(column)
    codes = Lookup(known.tolist()).codes(column)
    assert [known[int(code)] for code in codes] == [spelled(cell) for cell in cells]


@given(cells=st.lists(st.integers(-(2**52), 2**52), min_size=1, max_size=8))
@few
def test_the_dtype_of_whole_numbers_does_not_matter(cells):
    """Integers, floats and objects have the same categories and the same codes."""
    columns = [np.array(cells), np.array(cells, dtype=float), np.array(cells, dtype=object)]
    known = [sorted_categories(column).tolist() for column in columns]
    assert known[0] == known[1] == known[2]
    np.testing.assert_array_equal(*[Lookup(known[0]).codes(column) for column in columns[:2]])


@pytest.mark.parametrize("make", [pl.DataFrame, pa.table, pd.DataFrame], ids=["polars", "pyarrow", "pandas"])
def test_integer_categories_with_a_missing_cell(make):
    """One missing cell turns integers into floats in many readers, and changes no other row."""
    model = fitted_on(categorical(NUMBERS).iloc[CODE].reset_index(drop=True))
    whole, holed = ({"k": cells, "x": [0.0] * 4} for cells in ([1, 2, 3, 4], [1, 2, None, 4]))
    compiled = skdistill.compile(model)
    for answer in (model.predict, compiled):
        np.testing.assert_array_equal(answer(make(holed))[[0, 1, 3]], answer(make(whole))[[0, 1, 3]])
    np.testing.assert_allclose(compiled(make(holed)), model.predict(make(holed)))


NO_NUMBER = {
    "text": pd.Series(["1", "b"]),
    "date": pd.Series([DAYS[0], DAYS[1]]),
    "date in nanoseconds": pd.Series([DAYS[0], DAYS[1]]).astype("datetime64[ns]"),
    "duration in nanoseconds": pd.Series([DAYS[1] - DAYS[0]] * 2).astype("timedelta64[ns]"),
    "date object": objects(DAYS.date[:2]),
    "empty text": objects(["", "1"]),
    "category": categorical(["b", "c"]),
}


@pytest.mark.parametrize("column", NO_NUMBER.values(), ids=NO_NUMBER)
def test_a_column_of_numbers_takes_no_other_cells(column):
    """What is no number is refused with the same words by every path."""
    model = CompactLinearRegressor().fit(pd.DataFrame({"k": CODE * 1.0, "x": X}), X)
    plain = CompactLinearRegressor().fit(np.column_stack([CODE, X]), X)
    frame, words = pd.DataFrame({"k": column, "x": 0.0}), "column .* contains .*; expected numbers, as in fit"
    bad = column.iloc[0] if column.iloc[0] != "1" else column.iloc[1]
    for each in (model, plain):
        compiled = skdistill.compile(each)
        many = frame if each is model else frame.to_numpy(dtype=object)
        for answer, rows in ((each.predict, many), (compiled, many), (compiled, [bad, 0.0]), (compiled, [[bad, 0.0]])):
            with pytest.raises(ValueError, match=words):
                answer(rows)


def test_numbers_as_texts_are_parsed_in_a_column_of_numbers():
    """Digits are the numbers that they spell: in frames, arrays and lists, for one row and for many."""
    for fit_on, ask in ((pd.DataFrame, pd.DataFrame), (np.asarray, lambda rows: np.array(rows, dtype=str))):
        model = CompactLinearRegressor().fit(fit_on(np.column_stack([CODE, X])), EFFECT[CODE] + X)
        compiled, numbers, texts = skdistill.compile(model), [[1.0, 0.5], [2.0, -0.5]], [["1", "0.5"], ["2", "-0.5"]]
        expected = compiled(fit_on(numbers))
        for answer in (model.predict(ask(texts)), compiled(ask(texts)), [compiled(row) for row in texts]):
            np.testing.assert_allclose(answer, expected)


def test_categories_are_stored_as_plain_texts():
    """The stored form is sorted texts, whatever the cells were: an exporter needs nothing else."""
    cells = np.array([1.0, True, "b", dt.date(2020, 1, 31), MOMENTS[0], 0.5], dtype=object)
    encoder = TableEncoder().fit(cells[:, None])
    assert list(encoder.categories_[0]) == ["0.5", "1", "2020-01-05T12:00:00", "2020-01-31", "True", "b"]
    state = pickle.dumps(encoder)
    encoder.transform(cells[:, None])
    assert pickle.dumps(encoder) == state
