"""One row is one row, in whatever shape it comes: the same numbers, the shape that was asked for, or an error."""

import pickle
from collections import OrderedDict
from functools import cache

import lightgbm
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

import skdistill
from skdistill import DistilledClassifier
from skdistill.compiled._row_input import cells_of_frame, column_of_frame
from skdistill.students import (
    CompactBoostingRegressor,
    CompactLinearRegressor,
    CompactMLPRegressor,
    CompactTreeRegressor,
)
from skdistill.students._families import FAMILIES

RNG = np.random.RandomState(0)
NUMBERS = RNG.normal(size=(150, 4)).round(2)
HOLED = np.where(RNG.uniform(size=NUMBERS.shape) < 0.1, np.nan, NUMBERS)
FRAME = pd.DataFrame(HOLED, columns=["d", "b", "c", "a"]).assign(
    text=RNG.choice(["x", "y", None], size=150),
    kind=pd.Categorical(RNG.choice([1, 2, 10], size=150)),
    flag=RNG.uniform(size=150) < 0.5,
    day=pd.Timestamp("2024-01-01") + pd.to_timedelta(RNG.randint(0, 300, size=150), unit="D"),
)
TABLES = {"numbers": NUMBERS, "holed": HOLED, "frame": FRAME}
TASKS = ("two classes", "three classes", "values", "outputs")
OWN_FORMS = [family for family in FAMILIES if family != "inherit"]  # whose compiled form is that of boosting
ANY_CELL = st.floats(allow_nan=True, allow_infinity=True, width=64)
ANY_ROW = arrays(np.float64, 4, elements=st.one_of(st.floats(-3, 3), ANY_CELL))


@cache
def compiled_of(family, task, table="numbers"):
    """Return a compiled student, which has been through a pickle."""
    signal = NUMBERS[:, 0] + NUMBERS[:, 1] * NUMBERS[:, 2] + FRAME["flag"].to_numpy()
    y = {
        "two classes": signal > 0,
        "three classes": np.digitize(signal, [-0.5, 0.8]),
        "values": signal,
        "outputs": np.column_stack([signal, 1e3 * NUMBERS[:, 0]]),
    }[task]
    student = FAMILIES[family].member(classifies="classes" in task)
    return pickle.loads(pickle.dumps(skdistill.compile(student.fit(TABLES[table], y))))


def assert_as_table(model, row, table_of_one):
    """The answer for a table of one row is that for the row, in a table's shape."""
    lone, one = model(table_of_one), model(row)
    assert type(lone) is np.ndarray
    assert lone.dtype == np.float64
    assert lone.shape == (1, *np.shape(one))
    np.testing.assert_array_equal(lone[0], one)


# ---------------------------------------------------------------------- arrays and lists


@pytest.mark.thinned(2)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("family", OWN_FORMS)
def test_a_table_of_one_row_is_answered_as_the_row(family, task):
    """Arrays of any kind and layout, and a list of one list; the answer is the one among many rows."""
    model = compiled_of(family, task)
    many = model(NUMBERS)
    for index in range(3):
        row, wide = NUMBERS[index], np.repeat(NUMBERS, 2, axis=1)[index : index + 1]
        for table in (row[None], np.asfortranarray(row[None]), wide[:, ::2], [row.tolist()], (tuple(row.tolist()),)):
            assert_as_table(model, row, table)
        np.testing.assert_allclose(model(row[None])[0], many[index], rtol=1e-9, atol=1e-9)
        assert model(row[None]).shape == many[:1].shape
        for dtype in (np.float32, np.float16, np.int64, np.uint8, bool, ">f8"):
            with np.errstate(invalid="ignore"):  # below zero
                cast = row.astype(dtype)
            assert_as_table(model, cast, cast[None])
            np.testing.assert_array_equal(model(cast), model(cast.astype(np.float64)))
    np.testing.assert_array_equal(model(NUMBERS[:1].view(np.matrix)), model(NUMBERS[:1]))
    np.testing.assert_allclose(model(sparse.csr_matrix(NUMBERS[:1])), many[:1], rtol=1e-9, atol=1e-9)
    if "classes" in task:
        assert model.predict(NUMBERS[:1]) == model.predict(NUMBERS)[:1]


@pytest.mark.thinned(2)
@pytest.mark.parametrize("table", ["numbers", "holed"])
@pytest.mark.parametrize("family", OWN_FORMS)
@settings(max_examples=10, deadline=None)
@given(row=ANY_ROW, task=st.sampled_from(TASKS))
def test_missing_and_infinite_cells(family, table, row, task):
    """One row is one of many whatever its cells are, also for a fit that has seen none missing."""
    model = compiled_of(family, task, table)
    many = model(np.array([row, NUMBERS[0]]))[0]
    np.testing.assert_allclose(model(row), many, rtol=1e-9, atol=1e-9)
    assert np.all(np.isfinite(many))
    assert_as_table(model, row, row[None])
    np.testing.assert_array_equal(model(row.tolist()), model(row))


def test_missing_cells_in_other_words():
    """None is NaN, in a list, in a dict, in an array of objects."""
    model = compiled_of("mlp_ple", "values", "holed")
    with_none, with_nan = [0.5, None, 1, np.float32(0.25)], np.array([0.5, np.nan, 1, 0.25])
    for form in (
        with_none,
        [with_none],
        np.array(with_none, dtype=object),
        [with_none, with_none],
        [0.5, pd.NA, 1, 0.25],
    ):
        np.testing.assert_allclose(model(form), model(with_nan), rtol=1e-9)


def test_numbers_that_never_vary_cost_no_digits():
    """However large they are, one row is one of many."""
    X = np.column_stack([NUMBERS, np.full(150, 1.7e15), np.full(150, -3e18)])
    for student in (CompactMLPRegressor(random_state=0), CompactMLPRegressor(n_knots=0, random_state=0)):
        model = skdistill.compile(student.fit(X, NUMBERS[:, 0] * NUMBERS[:, 1]))
        np.testing.assert_allclose([model(row) for row in X[:20]], model(X[:20]), rtol=1e-9, atol=1e-9)


def test_models_without_code_of_their_own():
    """Models too big for code go through the arrays of many rows; sharpened probabilities have code that agrees."""
    X = np.random.RandomState(0).normal(size=(300, 600))
    wide = skdistill.compile(LinearRegression().fit(X, X[:, 0]))
    y = np.digitize(NUMBERS[:, 0], [-0.5, 0.8])
    teacher = RandomForestClassifier(5, random_state=0).fit(NUMBERS, y)
    student = FAMILIES["boosting"].member(classifies=True)
    sharp = skdistill.compile(DistilledClassifier(teacher, student, sampler=None, temperature=2.0).fit(NUMBERS))
    for model, rows in ((wide, X), (sharp, NUMBERS)):
        assert (model.source is None) == (model is wide)
        for form in (rows[:1], rows[0], rows[0].tolist(), [rows[0].tolist()], pd.DataFrame(rows[:1])):
            np.testing.assert_allclose(np.ravel(model(form)), np.ravel(model(rows[:2])[0]), rtol=1e-9, atol=1e-12)
        assert model(rows[:1]).shape == model(rows)[:1].shape


# ---------------------------------------------------------------------- frames, Series, dicts


def forms_of(frame, index):
    """Yield a row of a frame as a row, then as tables of one row."""
    yield frame.iloc[index]
    yield frame.iloc[index].to_dict()
    yield OrderedDict(reversed(frame.iloc[index].to_dict().items()))
    yield frame.iloc[[index]]
    yield frame.iloc[[index], ::-1]
    yield [frame.iloc[index].to_dict()]
    yield pl.from_pandas(frame.iloc[[index]].astype({"kind": str}) if "kind" in frame else frame.iloc[[index]])
    row = frame.iloc[[index]].astype({"kind": str}) if "kind" in frame else frame.iloc[[index]]
    yield pa.Table.from_pandas(row, preserve_index=False)


@pytest.mark.thinned(2)
@pytest.mark.parametrize("table", ["frame", pytest.param("numbers of a frame", marks=pytest.mark.slow)])
@pytest.mark.parametrize("task", ["three classes", "values"])
@pytest.mark.parametrize("family", OWN_FORMS)
def test_rows_of_frames(family, task, table):
    """A row, a dict in any order, a frame of any library, columns in another order: the answer is that among many."""
    frame = FRAME if table == "frame" else FRAME[["d", "b", "c", "a"]]
    TABLES[table] = frame
    model = compiled_of(family, task, table)
    many = model(frame)
    assert model.feature_names_in_ == list(frame.columns)
    for index in range(4):
        for form in forms_of(frame, index):
            is_table = isinstance(form, list) or not hasattr(form, "items") or isinstance(form, pd.DataFrame)
            expected = many[index : index + 1] if is_table else many[index]
            answer = model(form)
            np.testing.assert_allclose(answer, expected, rtol=1e-9, atol=1e-9)
            assert np.shape(answer) == np.shape(expected)
    np.testing.assert_array_equal(model(frame[frame.columns[::-1]]), many)
    np.testing.assert_array_equal(model(frame.to_dict("records")), many)
    np.testing.assert_array_equal(model(frame.set_axis(list("mnopqrst")[: frame.shape[1]], axis=1)), many)


def assert_coded_alike(model, frame, row_of):
    """A frame of one row has the codes, and within rounding the answer, that it has among many."""
    codes, many = model.columns.encode(frame), model(frame)
    for index in range(20):
        lone = row_of(frame, index)
        alone = model.columns.encode_single_row(
            cells_of_frame(lone), lambda place, lone=lone: column_of_frame(lone, place)
        )
        np.testing.assert_array_equal(alone, codes[index])
        np.testing.assert_allclose(model(lone), many[index : index + 1], rtol=1e-12, atol=1e-12)


@pytest.mark.thinned(3)
@pytest.mark.parametrize(
    "kind",
    [
        pd.Categorical(RNG.choice([1, 2, 10], size=150)),
        pd.Categorical(RNG.choice([0.1, 2.0], size=150).astype("float32")),
        pd.Categorical(RNG.choice(pd.to_datetime(["2024-01-01", "2025-01-01"]), size=150)),
        pd.Categorical(RNG.choice([True, False], size=150)),
        pd.array(RNG.choice([1, 2, None], size=150), dtype="Int64"),
        RNG.choice(["x", "y"], size=150).astype(object),
        pd.Series(RNG.choice([1.5, "y", 2, None], size=150)),
        pd.to_datetime(RNG.choice(["2024-01-01", "2025-01-01"], size=150)).tz_localize("Asia/Tokyo"),
        pd.to_timedelta(RNG.randint(0, 99, size=150), unit="ms"),
        RNG.uniform(size=150) < 0.5,
    ],
    ids=lambda kind: str(getattr(kind, "dtype", "")),
)
@pytest.mark.parametrize("beside", [NUMBERS[:, 0], NUMBERS[:, 0].astype("float32"), np.arange(150) % 7])
def test_a_cell_is_coded_as_in_its_column(kind, beside):
    """Whatever pandas makes of a row of several types: categories of numbers and of dates, time zones, integers."""
    frame = pd.DataFrame({"kind": kind, "number": beside})
    values = pd.factorize(frame["kind"])[0] + beside
    for columns in (["kind", "number"], ["number", "kind"]):
        model = skdistill.compile(CompactBoostingRegressor(5, 6, n_jobs=1).fit(frame[columns], values))
        assert_coded_alike(model, frame[columns], lambda table, index: table.iloc[[index]])


def test_a_cell_of_polars_is_coded_as_in_its_column():
    """Dates, durations, categories, missing cells."""
    frame = pl.DataFrame(
        {
            "day": pl.Series(RNG.choice(["2024-01-01", "2025-01-01"], size=150)).str.to_date(),
            "at": pl.Series(RNG.choice(["2024-01-01", "2025-01-01"], size=150)).str.to_datetime(time_zone="Asia/Tokyo"),
            "nano": pl.Series((RNG.randint(-9, 9, size=150) * 10**12 + 1).astype("M8[ns]")),
            "lasts": pl.Series(RNG.randint(-9, 9, size=150).astype("m8[s]").astype("m8[ms]")),
            "kind": pl.Series(RNG.choice(["x", "y"], size=150)).cast(pl.Categorical),
            "flag": RNG.choice([True, False, None], size=150).tolist(),
            "text": RNG.choice(["x", "y", None], size=150).tolist(),
            "number": np.arange(150),
        }
    )
    values = np.arange(150) % 7 + (frame["kind"] == "x").to_numpy() + (frame["day"] > frame["day"].min()).to_numpy()
    model = skdistill.compile(CompactBoostingRegressor(10, 6, n_jobs=1).fit(frame, values))
    assert_coded_alike(model, frame, lambda table, index: table[index : index + 1])


def test_names_of_other_models():
    """Models of scikit-learn and LightGBM, distilled ones, and sharpened ones know the names of their fit."""
    frame, y = pd.DataFrame(NUMBERS, columns=list("dbca")), np.digitize(NUMBERS[:, 0], [-0.5, 0.8])
    forest = RandomForestClassifier(3, random_state=0).fit(frame, y)
    models = [forest, LogisticRegression().fit(frame, y), LinearRegression().fit(frame, y)]
    models += [lightgbm.LGBMRegressor(n_estimators=3, verbosity=-1, n_jobs=1).fit(frame, y)]
    boosting = FAMILIES["boosting"].member(classifies=True)
    models += [DistilledClassifier(forest, boosting, sampler=None, temperature=t).fit(frame) for t in (1.0, 2.0)]
    for model in models:
        compiled = skdistill.compile(model)
        assert compiled.feature_names_in_ == list("dbca")
        np.testing.assert_allclose(compiled(frame[list("abcd")].iloc[0].to_dict()), compiled(frame)[0], rtol=1e-9)
    for model in (forest, LinearRegression(), lightgbm.LGBMRegressor(n_estimators=3, verbosity=-1, n_jobs=1)):
        assert skdistill.compile(model.fit(NUMBERS, y)).feature_names_in_ is None


def test_names_are_kept_in_few_bytes():
    """A pickle holds them, in less than a byte a letter."""
    names = [f"the quite long name of column {index}" for index in range(4)]
    X = pd.DataFrame(NUMBERS)
    bare, named = (
        skdistill.compile(CompactLinearRegressor().fit(table, NUMBERS[:, 0]))
        for table in (X, X.set_axis(names, axis=1))
    )
    assert pickle.loads(pickle.dumps(named)).feature_names_in_ == names
    assert named.n_bytes - bare.n_bytes < len("".join(names))


# ---------------------------------------------------------------------- what is refused


@pytest.mark.thinned(2)
@pytest.mark.parametrize("table", ["numbers", "frame"])
@pytest.mark.parametrize("family", OWN_FORMS)
def test_rows_of_another_width_are_refused(family, table):
    """Never answered by some of the cells, or by one cell for all of them."""
    model = compiled_of(family, "values", table)
    for width in (1, 3, 9):
        row = np.ones(width)
        forms = (row, row[None], np.ones((3, width)), row.tolist(), [row.tolist()], pd.Series(row), pd.DataFrame([row]))
        for form in (*forms, np.array([row], dtype=object), pl.DataFrame([row[:1]] * width), [row.tolist()] * 3):
            with pytest.raises(ValueError, match=r"CompiledModel: got rows of .*; expected .*Pass the columns"):
                model(form)
    for form in (np.ones((1, 1, 4)), [[[1.0] * 4]], [[[1.0] * 4]] * 2, np.array(1.0)):
        with pytest.raises((ValueError, TypeError, IndexError)):
            model(form)


def test_names_that_do_not_fit_are_refused():
    """The error says what lacks, what is unknown, what was expected, and what to do."""
    model = compiled_of("mlp_ple", "values", "frame")
    row = FRAME.iloc[0].to_dict()
    with pytest.raises(ValueError, match=r"by name without 'text'; expected the 8 columns .*'d', 'b', .* Pass exactly"):
        model({name: cell for name, cell in row.items() if name != "text"})
    with pytest.raises(ValueError, match="by name with unknown columns 'extra'; expected"):
        model(row | {"extra": 1})
    with pytest.raises(ValueError, match="by name without 'text' and with unknown columns 'txt'; expected"):
        model([{"txt" if name == "text" else name: cell for name, cell in row.items()}])
    with pytest.raises(ValueError, match="got a dict of whole columns; expected one row"):
        model(FRAME.to_dict("list"))
    for whole in (FRAME, pl.from_pandas(FRAME.astype({"kind": str}))):
        with pytest.raises(ValueError, match="got a dict of whole columns; expected one row"):
            model({name: whole[name] for name in FRAME.columns})
    with pytest.raises(ValueError, match="fitted without column names; expected cells in the column order of fit"):
        compiled_of("mlp_ple", "values")({"a": 1.0})


def test_lists_of_rows_may_hold_cells_of_any_kind():
    """A row is a list or a tuple, whatever its cells are: it need not become an array."""
    rows = np.empty((30, 2), dtype=object)
    rows[:, 0] = np.arange(30.0)
    rows[:, 1] = [(1, 2), "a", None] * 10
    model = skdistill.compile(CompactTreeRegressor(4).fit(rows, np.arange(30.0)))
    np.testing.assert_array_equal(model(rows.tolist()), model(rows))
    np.testing.assert_array_equal(model(rows[:1].tolist()), model(rows[:1]))


def test_cells_that_are_no_numbers_are_refused():
    """Text and dates, for a model of numbers."""
    model = compiled_of("tree", "values")
    for cell in ("far", pd.Timestamp("2024-01-01"), [1.0]):
        with pytest.raises((TypeError, ValueError)):
            model([1.0, 2.0, 3.0, cell])
        with pytest.raises((TypeError, ValueError)):
            model(pd.DataFrame([[1.0, 2.0, 3.0, cell]]))
