"""Answers that were computed elsewhere are looked up by row, and no other row is asked for."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier, DistilledRegressor, PrecomputedTeacher, as_teacher, report
from skdistill.exceptions import TeacherError
from skdistill.samplers import Jitter
from skdistill.teachers._value_keys import KeyIndex, occurrences, value_keys

RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 3))
P = 1 / (1 + np.exp(-2 * X[:, 0]))
Y = np.where(RNG.random(120) < P, "yes", "no")
FRAME = pd.DataFrame({"a": X[:, 0], "b": np.arange(120) % 7, "c": np.where(X[:, 2] > 0, "up", "down")})
PROBA = pd.DataFrame({"p_yes": P, "p_no": 1 - P})
TABLES = {
    "pandas": FRAME,
    "categories": FRAME.astype({"c": "category", "b": "Int64"}),
    "polars": pl.from_pandas(FRAME),
    "pyarrow": pa.Table.from_pandas(FRAME),
    "objects": FRAME.to_numpy(dtype=object),
}


def test_rows_are_found_in_any_order_and_number():
    """The answer for a row does not depend on the other rows of a call."""
    teacher = PrecomputedTeacher(X, P)
    rows = RNG.integers(0, len(X), 300)
    np.testing.assert_array_equal(teacher(X[rows]), P[rows])
    assert len(teacher) == len(X)


@pytest.mark.parametrize("asked", TABLES)
@pytest.mark.parametrize("labelled", TABLES)
def test_rows_are_compared_by_value(labelled, asked):
    """Answers of a table of one library are found for rows of another, whose columns have other types and places."""
    table = TABLES[asked]
    if hasattr(table, "columns") and labelled != "objects":
        table = table[["c", "a", "b"]] if asked != "pyarrow" else table.select(["c", "a", "b"])
    np.testing.assert_array_equal(PrecomputedTeacher(TABLES[labelled], P)(table), P)


def test_values_decide_whether_cells_are_equal():
    """Numbers are equal in every type that holds them, missing cells are equal, and nothing else is."""
    alike = [
        np.array([1, 0, 3]),
        np.array([1.0, -0.0, 3.0], dtype=np.float32),
        np.array([True, False, 3], dtype=object),
        np.array([1, 0, 3], dtype=np.uint8),
    ]
    keys = [value_keys(cells[:, None]) for cells in alike]
    assert all(np.array_equal(keys[0], others) for others in keys)
    missing = [np.array([[np.nan]]), np.array([[None]], dtype=object), pd.DataFrame({"a": [pd.NA]})]
    assert len({value_keys(cells).tobytes() for cells in missing}) == 1
    others = np.array([["1"], [1], [b"1"], [None], ["None"], [1 + 2**53], [2**53 + 2]], dtype=object)
    assert len(np.unique(value_keys(others), axis=0)) == len(others)
    large = np.array([[2**53], [2**53 + 1], [2**53 + 2]])
    assert len(np.unique(value_keys(large), axis=0)) == 3
    assert len(np.unique(value_keys(np.array([[1.0, 2.0], [2.0, 1.0]])), axis=0)) == 2


def test_days_and_moments_are_values():
    """A moment is the same in any unit and library."""
    days = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=5)})
    forms = [days, pl.from_pandas(days), days.astype("datetime64[s]"), days.to_numpy()]
    assert len({value_keys(each).tobytes() for each in forms}) == 1


def test_sparse_rows_are_found():
    """Rows of sparse matrices are found whatever the format."""
    sparse = pytest.importorskip("scipy.sparse")
    rows = sparse.random(30, 8, density=0.4, random_state=0, format="csc")
    teacher = PrecomputedTeacher(rows, np.arange(30.0))
    np.testing.assert_array_equal(teacher(rows.tocsr()[::-1]), np.arange(30.0)[::-1])


@pytest.mark.parametrize("n_known", [0, 1, 50])
def test_keys_with_an_equal_half_are_different(n_known):
    """A key is found only if all of it is equal."""
    keys = np.column_stack([np.arange(n_known) // 3, np.arange(n_known)]).astype(np.uint64)
    wanted = np.vstack([keys[::-1], [[0, 99]], [[99, 0]]]).astype(np.uint64)
    found = KeyIndex(keys).find(wanted)
    assert found.tolist() == [*reversed(range(n_known)), -1, -1]
    assert occurrences(np.vstack([keys, keys])).tolist() == [0] * n_known + [1] * n_known


ANSWERS = {
    "the second class": (P, None, "auto"),
    "a column for each class": (np.column_stack([1 - P, P]), None, "auto"),
    "columns named in another order": (PROBA, None, "auto"),
    "columns by text": (PROBA.rename(columns={"p_yes": "yes", "p_no": "no"}), None, "auto"),
    "classes in another order": (np.column_stack([P, 1 - P]), ["yes", "no"], "auto"),
    "margins": (np.log(P / (1 - P)), None, "decision_function"),
}


@pytest.mark.parametrize("form", ANSWERS)
def test_every_form_of_probabilities_is_read(form):
    """Probabilities and margins reach the student in every form that functions may return them in."""
    outputs, classes, method = ANSWERS[form]
    teacher = PrecomputedTeacher(X, outputs, classes=classes)
    model = DistilledClassifier(teacher, "linear", response_method=method, random_state=0).fit(X, Y)
    assert model.classes_.tolist() == ["no", "yes"]
    assert np.corrcoef(model.predict_proba(X)[:, 1], P)[0, 1] > 0.99


@pytest.mark.parametrize(
    ("outputs", "classes"),
    [
        (PROBA, ["no", "yes"]),
        (PROBA.rename(columns={"p_yes": "yes", "p_no": "no"}), ["no", "yes"]),
        (PROBA.rename(columns={"p_yes": "p1", "p_no": "p0"}), [0, 1]),
        (Y, ["no", "yes"]),
        ((X[:, 0] > 0).astype(int), [0, 1]),
    ],
)
def test_classes_are_read_without_labels(outputs, classes):
    """Without ``y``, the classes are those that columns are named after, or the labels themselves."""
    model = DistilledClassifier(PrecomputedTeacher(X, outputs), "tree", random_state=0).fit(X)
    assert model.classes_.tolist() == classes
    assert np.corrcoef(model.predict_proba(X)[:, 1], X[:, 0])[0, 1] > 0.5


def test_classes_that_nobody_states_are_asked_for():
    """One column of probabilities without names does not say what the classes are."""
    with pytest.raises(TeacherError, match=r"has no classes_. Pass y to fit"):
        DistilledClassifier(PrecomputedTeacher(X, P)).fit(X)


@pytest.mark.parametrize("outputs", [X[:, 0] * 9, X[:, :2], np.arange(120)], ids=["one", "two", "counts"])
def test_values_are_taught(outputs):
    """A regressor is taught one or several values."""
    model = DistilledRegressor(PrecomputedTeacher(X, outputs), DecisionTreeRegressor(), random_state=0).fit(X)
    np.testing.assert_allclose(model.predict(X), outputs, rtol=1e-5, atol=1e-6)


def test_columns_of_the_table_hold_the_answers(tmp_path):
    """Answers beside the features, in memory or in a file, are not among the columns that identify a row."""
    table = pd.concat([FRAME, PROBA], axis=1)
    table.to_parquet(tmp_path / "labelled.parquet")
    for source in (table, tmp_path / "labelled.parquet", str(tmp_path / "labelled.parquet")):
        answers = PrecomputedTeacher(source, columns=["p_no", "p_yes"])(FRAME)
        np.testing.assert_array_equal(answers["p_yes"], P)
        assert list(answers) == ["p_no", "p_yes"]


def test_a_key_identifies_rows():
    """With ``by``, other cells of a row may differ, and the student need not see the key."""
    table = FRAME.assign(customer=[f"c{number}" for number in range(120)])
    labelled = pd.DataFrame({"customer": table["customer"][::-1], "score": P[::-1]})
    teacher = PrecomputedTeacher(labelled, columns="score", by="customer")
    model = DistilledRegressor(teacher, "tree", student_columns=["a", "b", "c"], random_state=0).fit(table)
    np.testing.assert_array_equal(model.soft_targets(table.assign(a=0.0)), P)
    by_position = PrecomputedTeacher(table.to_numpy(dtype=object), P, by=[3])
    np.testing.assert_array_equal(by_position(table.assign(b=0).to_numpy(dtype=object)), P)


# ---------------------------------------------------------------------- rows without an answer


def test_rows_without_an_answer_are_named():
    """The error says how many there are, and which rows have an answer is told before."""
    teacher = PrecomputedTeacher(X, np.where(np.arange(120) < 100, P, np.nan))
    assert len(teacher) == 100
    assert teacher.has_answer(X).sum() == 100
    with pytest.raises(TeacherError, match=r"no answer for 20 of 120 rows \(the first is row 100.*has_answer\(X\)"):
        DistilledRegressor(teacher).fit(X)
    with pytest.raises(TeacherError, match=r"not a single row was found.*float32"):
        teacher(X.astype(np.float32))
    texts = PrecomputedTeacher(X, pd.Series(np.where(np.arange(120) < 100, Y, None), dtype=object))
    assert texts.has_answer(X).sum() == 100


@pytest.mark.parametrize(
    "options",
    [
        {},
        pytest.param({"student": "auto", "n_synthetic": 500}, marks=pytest.mark.slow),
        {"soft_weight": "auto", "student": "linear"},
        pytest.param({"student": "tree", "n_generations": 2}, marks=pytest.mark.slow),
        {"student": "tree", "calibration": "auto"},
        {"student": "linear", "student_columns": "auto"},
    ],
    ids=str,
)
def test_no_other_rows_are_asked_for(options):
    """Whatever a fit chooses by itself, it only asks for given rows, and the result says so."""
    options = {"student": "boosting", "random_state": 0, **options}
    model = DistilledClassifier(PrecomputedTeacher(X, P), **options).fit(X[:80], Y[:80], X_unlabeled=X[80:])
    summary = model.transfer_set_
    assert (summary.n_synthetic, summary.sampler, summary.teacher_noise) == (0, "", 0.0)
    assert summary.n_real + summary.n_unlabeled <= 120


def test_a_sampler_is_refused_for_the_right_reason():
    """Rows of a sampler that the user has given have no answer, and the error says what to pass instead."""
    with pytest.raises(TeacherError, match=r"no answer for (\d+) of \1 rows.*Synthetic rows have no answer"):
        DistilledRegressor(PrecomputedTeacher(X, P), sampler=Jitter(), random_state=0).fit(X)
    with pytest.raises(ValueError, match="only has labels for the rows of X"):
        DistilledRegressor(PrecomputedTeacher(X, P), monotonic_cst="teacher", random_state=0).fit(X)


def test_members_of_a_list_may_be_looked_up():
    """A list of teachers asks for given rows alone if one of them has no others."""
    both = [("service", PrecomputedTeacher(X, P)), ("rule", lambda X: X[:, 1])]
    model = DistilledRegressor(both, "linear", random_state=0).fit(X)
    assert model.transfer_set_.n_synthetic == 0
    np.testing.assert_allclose(model.soft_targets(X), (P + X[:, 1]) / 2)


@pytest.mark.slow
def test_a_report_does_not_time_a_table():
    """The time of a look-up is not the time of the teacher, and is not reported as such."""
    model = DistilledRegressor(PrecomputedTeacher(X, P), "linear", random_state=0).fit(X[:80])
    assert np.isnan(report(model, X[80:], X[80:, 0]).models["one_row"][0])


# ---------------------------------------------------------------------- rows with several answers


def test_contradictions_are_refused_or_averaged():
    """Equal rows have one answer: the same one, an average that was asked for, or an error that names two rows."""
    rows, answers = np.vstack([X, X[:5]]), np.append(P, P[:5] + np.array([0, 1e-9, 0, 0.5, 0]))
    with pytest.raises(TeacherError, match=r"1 labelled rows are equal.*rows 3 and 123.*duplicates=\"mean\""):
        PrecomputedTeacher(rows, answers)
    averaged = PrecomputedTeacher(rows, answers, duplicates="mean")
    assert averaged(X[3:4]) == pytest.approx(P[3] + 0.25)
    assert len(averaged) == len(X)
    answers[123] = P[3]
    np.testing.assert_array_equal(PrecomputedTeacher(rows, answers)(X), P)
    labels = np.append(Y, Y[4::-1])
    with pytest.raises(TeacherError, match=r"equal to an earlier row.*Keep one of them, or name in by="):
        PrecomputedTeacher(rows, labels, duplicates="mean")
    whole = PrecomputedTeacher(rows, np.append(np.arange(120), np.arange(5)), duplicates="mean")
    assert whole(X).dtype.kind == "i"  # labels stay labels


# ---------------------------------------------------------------------- as any teacher


def test_it_is_kept_by_clones_searches_and_pickles():
    """It is fitted: copies of an estimator share it, folds ask for their own rows, and it can be saved."""
    teacher = PrecomputedTeacher(FRAME, P)
    model = DistilledRegressor(teacher, "tree", random_state=0)
    assert clone(model).teacher is teacher
    assert clone(teacher) is teacher
    assert cross_val_score(model, FRAME, P, cv=3).mean() > 0.7
    search = GridSearchCV(model, {"student_size": [7, 31]}, cv=2).fit(FRAME, P)
    np.testing.assert_array_equal(search.best_estimator_.soft_targets(FRAME), P)
    loaded = pickle.loads(pickle.dumps(search.best_estimator_))
    np.testing.assert_array_equal(loaded.soft_targets(TABLES["polars"].to_pandas()), P)


def test_a_budget_chooses_among_the_rows(tmp_path):
    """``max_queries`` and ``memory`` work as for any teacher; the answers are not copied to the disk."""
    model = DistilledRegressor(PrecomputedTeacher(X, P), "linear", max_queries=50, memory=str(tmp_path), random_state=0)
    assert model.fit(X).transfer_set_.n_queries == 50
    assert not any("skdistill-outputs" in path.name for path in tmp_path.iterdir())


BAD = [
    ((X,), {}, "neither outputs nor columns"),
    ((FRAME, P), {"columns": "a"}, "both outputs and columns"),
    ((X,), {"columns": "a"}, "columns have no names"),
    ((FRAME,), {"columns": "A"}, r"no column 'A'.*Did you mean 'a'"),
    ((X, P), {"by": [3]}, "no column 3; expected a position from 0 to 2"),
    ((X, P), {"by": []}, "no column is left"),
    ((X, P[:50]), {}, r"outputs of shape \(50,\) for 120 labelled rows"),
    ((X[:, 0], P), {}, r"labelled rows of shape \(120,\)"),
    ((X, np.full(120, np.nan)), {}, "no row has an answer"),
    ((X, P), {"duplicates": "first"}, "duplicates='first'; expected 'raise' or 'mean'"),
]


@pytest.mark.parametrize(("given", "options", "message"), BAD)
def test_bad_input_is_refused(given, options, message):
    """An error says what was passed and what was expected."""
    with pytest.raises(ValueError, match=message):
        PrecomputedTeacher(*given, **options)


def test_other_columns_are_refused():
    """Rows of another table are told from rows without an answer."""
    with pytest.raises(TeacherError, match=r"rows have no column \['c'\].*Pass by="):
        PrecomputedTeacher(FRAME, P)(FRAME[["a", "b"]])
    with pytest.raises(TeacherError, match="got rows of 2 columns; expected the 3 columns"):
        PrecomputedTeacher(X, P)(X[:, :2])
    assert as_teacher(PrecomputedTeacher(X, P)).name == "PrecomputedTeacher"
