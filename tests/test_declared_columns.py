import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import skdistill
from skdistill import AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill._encoding import TableEncoder, declare, encoded_once, find_durations, fit_table_encoder
from skdistill.exceptions import SamplerError
from skdistill.samplers import MUNGE, Interpolation, Jitter, LeafSwap, UniformBox
from skdistill.students import CompactBoostingRegressor, CompactLinearRegressor, CompactTreeRegressor
from skdistill.students._families import FAMILIES

rng = np.random.default_rng(0)
X = np.column_stack([rng.normal(size=300), 10 * rng.integers(0, 8, 300), rng.normal(size=300)])
EFFECT = np.array([1.0, -2, 2, 0, -1, 3, -3, 0.5])
Y = EFFECT[(X[:, 1] / 10).astype(int)] + 0.1 * X[:, 0]
FRAME = pd.DataFrame(X, columns=["a", "code", "b"])
NAMES = ["a", "code", "b"]


def teacher(rows):
    """Return the values of rows; a code that is not in the table is an error."""
    code = np.asarray(rows)[:, 1]
    assert set(code) <= set(X[:, 1])
    return EFFECT[(code / 10).astype(int)] + 0.1 * np.asarray(rows)[:, 0]


DECLARATIONS = [[1], np.array([1]), [False, True, False], np.array([False, True, False]), (1, 1)]
TABLES = {"array": X, "integers": X.round().astype(int), "pandas": FRAME, "polars": pl.DataFrame(X, schema=NAMES)}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_each_value_of_a_declared_column_is_one_category(table):
    """By position, mask or name, in every table: the codes are the sorted texts of the values, the rest are numbers."""
    named = [["code"]] if hasattr(table, "columns") else []
    for given in [*DECLARATIONS, *named]:
        student = CompactTreeRegressor(2, categorical_features=given).fit(table, Y)
        encoder = student._encoder
        np.testing.assert_array_equal(encoder.is_category_, [False, True, False])
        assert list(encoder.categories_[1]) == sorted(str(10 * code) for code in range(8))
        codes = encoder.transform(table)
        assert [float(encoder.categories_[1][int(code)]) for code in codes[:, 1]] == X[:, 1].tolist()
        np.testing.assert_array_equal(codes[:, [0, 2]], np.asarray(table)[:, [0, 2]])


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - {"inherit"}))  # which reads columns as its teacher does
def test_students_and_their_compiled_forms_keep_the_declaration(family):
    """A code without an order is followed better as a category; clones and pickles remember; a row is as in a batch."""
    student = FAMILIES[family].member(classifies=False).set_params(categorical_features=[1])
    assert clone(student).categorical_features == [1]
    fitted = pickle.loads(pickle.dumps(student.fit(X, Y)))
    np.testing.assert_array_equal(fitted._encoder.is_category_, [False, True, False])
    assert fitted.score(X, Y) > 0.95
    compiled, other = pickle.loads(pickle.dumps(skdistill.compile(fitted))), X[:4].copy()
    other[0, 1] = 35  # an unseen category
    np.testing.assert_allclose(compiled(other), fitted.predict(other), atol=1e-5)
    for index, row in enumerate(other):
        rows = (row, row.tolist(), [row[0], str(int(row[1])), row[2]])
        np.testing.assert_allclose([compiled(each) for each in rows], compiled(other)[index], atol=1e-9)


def test_both_parts_of_a_hybrid_know_the_declaration():
    """The trees split the declared column by sets of codes, as the network has an input for each code."""
    network, forest = (
        FAMILIES["hybrid"]
        .member(classifies=False)
        .set_params(categorical_features=[1], hidden_layer_sizes=(1,), random_state=0)
        .fit(X, Y)
        .scorer_.parts
    )
    assert network.design.n_codes.tolist() == [0, 8, 0]
    assert len(forest.subsets) > 0


@pytest.mark.thinned(2)
@pytest.mark.parametrize("sampler", [MUNGE(), Interpolation(), Jitter(), LeafSwap(), "auto"], ids=str)
@pytest.mark.parametrize("table", [X, FRAME], ids=["array", "frame"])
def test_declared_columns_are_swapped(sampler, table):
    """The teacher is never asked about a code that no row has, and the student knows the codes."""
    model = DistilledRegressor(
        teacher, "linear", sampler=sampler, n_synthetic=300, categorical_features=[1], random_state=0
    )
    model.fit(table)
    assert sampler == "auto" or model.transfer_set_.n_synthetic == 300  # "auto" may add no rows
    assert model.student_._encoder.is_category_[1]
    assert clone(model.student_).categorical_features == [1]
    undeclared = clone(model).set_params(categorical_features="from_dtype", teacher=lambda rows: np.zeros(len(rows)))
    assert not undeclared.fit(table).student_._encoder.is_category_.any()


def test_the_declaration_reaches_all_candidates_and_no_other_fit():
    """Each student that is tried knows it; after the fit nothing is declared."""
    several = AutoStudent(["tree", "boosting", "linear"])
    model = DistilledRegressor(teacher, several, sampler=None, categorical_features=["code"], random_state=0).fit(FRAME)
    assert model.student_._encoder.is_category_[1]
    assert model.fidelity(FRAME) > 0.95
    assert not CompactTreeRegressor(2).fit(FRAME, Y)._encoder.is_category_.any()
    labels = DistilledClassifier(
        lambda rows: np.eye(2)[(teacher(rows) > 0).astype(int)], "boosting", sampler=None, categorical_features=[1]
    )
    assert labels.set_params(random_state=0).fit(X, np.arange(300) % 2).student_._encoder.is_category_[1]


def test_the_student_has_the_last_word():
    """Its own declaration stands; a pipeline, which may have changed the columns, is left alone."""
    own = CompactTreeRegressor(4, categorical_features=[0])
    model = DistilledRegressor(teacher, own, sampler=None, categorical_features=[1]).fit(X)
    np.testing.assert_array_equal(model.student_._encoder.is_category_, [True, False, False])
    swapped = make_pipeline(FunctionTransformer(np.fliplr), CompactTreeRegressor(4))
    model = DistilledRegressor(teacher, swapped, sampler=None, categorical_features=[1]).fit(X)
    assert not model.student_[-1]._encoder.is_category_.any()


def test_drawn_rows_in_memory_depend_on_the_declaration(tmp_path):
    """A cache filled without a declaration does not serve a fit with one."""
    model = DistilledRegressor(lambda rows: rows[:, 0], "linear", sampler=Interpolation(), memory=str(tmp_path))
    model.set_params(random_state=0).fit(X)
    model.set_params(teacher=teacher, categorical_features=[1]).fit(X)


class Inventing(LeafSwap):
    def _draw(self, own, rng):
        return super()._draw(own, rng) + np.array([0, 5, 0])


@pytest.mark.parametrize(
    ("sampler", "match"),
    [
        (KernelDensity(), r"KernelDensity got columns \[1\] that are declared by categorical_features; it only draws"),
        (Inventing(), "Inventing.sample returned the value .* in column 1, which is declared as categories"),
    ],
)
def test_samplers_that_invent_categories_are_refused(sampler, match):
    """Also those of others."""
    with pytest.raises(SamplerError, match=match):
        DistilledRegressor(
            lambda rows: rows[:, 0], "linear", sampler=sampler, categorical_features=[1], random_state=0
        ).fit(X)


def test_encoders_are_shared_by_declaration():
    """Within a fit, a table is encoded once for each declaration."""
    with encoded_once():
        plain = fit_table_encoder(X)
        assert fit_table_encoder(X, ()) is plain
        declare([1])
        declared = fit_table_encoder(X)
        assert declared is fit_table_encoder(X, (1,)) is not plain
        assert fit_table_encoder(X, ()) is plain
    assert not fit_table_encoder(X).is_category_.any()


@pytest.mark.parametrize("owner", [CompactBoostingRegressor, CompactLinearRegressor, DistilledRegressor])
@pytest.mark.parametrize(
    ("table", "given", "error", "match"),
    [
        (
            FRAME,
            ["code", "nope"],
            ValueError,
            r"names \['nope'\], which are not columns of X; expected some of 'a', 'co",
        ),
        (X, ["code"], ValueError, "names columns, but X is an array without column names. Pass positions"),
        (X, [3], ValueError, r"has positions \[3\]; expected 0 to 2, the columns of X"),
        (X, [-1, 0], ValueError, r"has positions \[-1\]"),
        (X, [True, False], ValueError, "is a mask of length 2; expected 3, one value for each column"),
        (X, [0.5], TypeError, 'expected "from_dtype", a list of column names'),
        (X, ["code", 1], TypeError, "a list of column positions, or a mask"),
        (FRAME, "code", TypeError, 'expected "from_dtype"'),
        (X, None, TypeError, "None; expected"),
        (sparse.csr_matrix(X), [1], ValueError, 'for a sparse matrix; expected "from_dtype"'),
    ],
)
def test_what_is_no_declaration_is_refused(owner, table, given, error, match):
    """The message says whose parameter it is, what it got and what is expected."""
    params = {"teacher": lambda rows: np.zeros(rows.shape[0]), "student": "linear"} if "Dist" in owner.__name__ else {}
    with pytest.raises(error, match=f"^{owner.__name__}: categorical_features=.*{match}"):
        owner(**params, categorical_features=given).fit(table, Y)


def test_nothing_declared():
    """An empty list, and a sparse matrix with the default."""
    assert not CompactTreeRegressor(2, categorical_features=[]).fit(X, Y)._encoder.is_category_.any()
    CompactTreeRegressor(2).fit(sparse.csr_matrix(X), Y)


def test_a_declared_column_of_any_kind():
    """Dates, booleans, fractions and missing cells become categories too."""
    table = pd.DataFrame(
        {
            "day": pd.to_datetime(["2020-01-31", None, "2020-01-01"]),
            "flag": [True, False, True],
            "ratio": [0.5, np.nan, 2.0],
        }
    )
    encoder = TableEncoder().fit(table, (0, 1, 2))
    assert [list(known) for known in encoder.categories_] == [
        ["2020-01-01", "2020-01-31"],
        ["False", "True"],
        ["0.5", "2"],
    ]
    np.testing.assert_array_equal(encoder.transform(table), [[1, 1, 0], [np.nan, 0, np.nan], [0, 1, 1]])
    assert encoder.is_swap_only_.all()
    assert not encoder.is_time_.any()


# ---------------------------------------------------------------------- kinds of columns, judged by their cells

DAYS = pd.Series(pd.date_range("2023-01-01", periods=300, freq="D")[rng.permutation(300)])
DATES = {
    "date objects": DAYS.dt.date,
    "moments": DAYS.astype(object),
    "moments with zones": DAYS.dt.tz_localize("Asia/Tokyo").astype(object),
    "numpy moments": pd.Series(list(DAYS.to_numpy()), dtype=object),
    "mixed": pd.Series([cell.date() if i % 2 else cell for i, cell in enumerate(DAYS)], dtype=object),
    "with missing": DAYS.dt.date.where(DAYS.index % 7 > 0, None),
    "date32": DAYS.dt.date.astype("date32[pyarrow]"),
    "timestamp with a zone": DAYS.dt.tz_localize("UTC").astype("timestamp[us, tz=Asia/Tokyo][pyarrow]"),
    "datetime64 with a zone": DAYS.dt.tz_localize("Asia/Tokyo"),
    "period": DAYS.dt.to_period("D"),
}


def days_of(column):
    """Return days since 2022 as floats, NaN where a cell is missing."""
    cells = [
        np.datetime64(str(cell)[:10]) if cell == cell and cell is not None else np.datetime64("NaT") for cell in column
    ]
    return (np.array(cells) - np.datetime64("2022-01-01")) / np.timedelta64(1, "D")


@pytest.mark.parametrize("column", DATES.values(), ids=DATES)
def test_dates_are_dates_however_they_are_kept(column):
    """They have an order: rows between those of the fit are answered by the student and, row by row, compiled."""
    table = pd.DataFrame({"day": column, "x": np.arange(300.0) % 5})
    target = np.nan_to_num(days_of(column))
    student = CompactTreeRegressor(40, min_samples_leaf=2, optimize=False).fit(table[:200], target[:200])
    assert student._encoder.is_time_[0]
    new, present = table[200:], ~np.isnan(days_of(column))[200:]
    compiled = pickle.loads(pickle.dumps(skdistill.compile(student)))
    assert np.abs(student.predict(new) - target[200:])[present].max() < 30
    np.testing.assert_allclose(compiled(new), student.predict(new), rtol=1e-6)
    for index in range(3):
        forms = new[index : index + 1], new.iloc[index].tolist(), dict(new.iloc[index]), new.iloc[index]
        answers = [np.ravel(compiled(form))[0] for form in forms]
        np.testing.assert_allclose(answers, student.predict(new)[index], rtol=1e-6)


@pytest.mark.parametrize("asked", [*DATES.values(), DAYS.astype(str), DAYS.dt.date.astype(str)], ids=str)
def test_dates_match_in_every_kind_of_column(asked):
    """A student of datetime64 takes dates of any kind, and texts of them; zones are converted to UTC."""
    student = CompactTreeRegressor(2).fit(pd.DataFrame({"day": DAYS}), np.arange(300.0))
    compiled, rows = skdistill.compile(student), pd.DataFrame({"day": asked[:7]})
    offset = 9 * 3.6e9 * (getattr(asked.iloc[1], "tzinfo", None) is not None and "Tokyo" in str(asked.iloc[1].tzinfo))
    offset *= "timestamp[us" not in str(asked.dtype)
    expected = days_of(asked[:7]) * 8.64e10 + np.datetime64("2022-01-01", "us").astype(float) - offset
    np.testing.assert_array_equal(student._encoder.transform(rows)[:, 0], expected)
    np.testing.assert_array_equal(compiled.columns.encode(rows)[:, 0], expected)
    row = compiled.columns.row_encoder()
    np.testing.assert_array_equal([row([cell])[0] for cell in asked[:7]], expected)


@pytest.mark.parametrize("bad", [5, 0.5, "soon", "12/31/2020", True], ids=str)
def test_a_column_of_dates_takes_no_other_cells(bad):
    """A number has no unit and no origin, and a text may mean several days: all paths refuse them alike."""
    student = CompactTreeRegressor(2).fit(pd.DataFrame({"day": DAYS}), np.arange(300.0))
    compiled, words = (
        skdistill.compile(student),
        r"column ('day'|0) contains .*; expected dates or durations, as in fit",
    )
    for answer in (student.predict, compiled):
        for rows in (pd.DataFrame({"day": [bad, bad]}), pd.DataFrame({"day": [bad]})):
            with pytest.raises(ValueError, match=words):
                answer(rows)
    with pytest.raises(ValueError, match=words):
        compiled([bad])


def test_dates_in_other_tables():
    """Objects of polars and of numpy are judged by their cells as well, and durations are told from dates."""
    cells = DAYS.dt.date.tolist()
    spans = [cell - cells[0] for cell in cells]
    array = np.empty((300, 2), dtype=object)
    array[:, 0], array[:, 1] = cells, spans
    expected = TableEncoder().fit(array).transform(array)
    for table in (
        pl.DataFrame({"d": pl.Series(cells, dtype=pl.Object), "s": pl.Series(spans, dtype=pl.Object)}),
        pl.DataFrame({"d": cells, "s": spans}),
        pd.DataFrame({"d": pd.Series(cells, dtype=object), "s": pd.Series(spans, dtype=object)}),
        array,
    ):
        encoder = TableEncoder().fit(table)
        assert encoder.is_time_.all()
        np.testing.assert_array_equal(encoder.transform(table), expected)
        np.testing.assert_array_equal(find_durations(table), [False, True])


def test_text_among_dates_makes_categories():
    """A column is dates only if all its cells are."""
    table = pd.DataFrame({"day": pd.Series([*DAYS.dt.date[:3], "unknown"], dtype=object)})
    encoder = TableEncoder().fit(table)
    assert list(encoder.categories_[0]) == sorted([*map(str, DAYS.dt.date[:3]), "unknown"])


def test_boxes_of_samplers_keep_declared_values():
    """A box of its own draws numbers; within a fit that declares a column, it draws that column's values."""
    values = sorted(set(X[:, 1]))
    with encoded_once():
        declare([1])
        rows = UniformBox([(0.0, 1.0), values]).fit().sample(50, random_state=0)
    assert set(np.asarray(rows)[:, 1]) <= set(values)
