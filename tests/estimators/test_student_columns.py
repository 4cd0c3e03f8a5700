"""``student_columns``: the student sees fewer columns than the teacher."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_selector
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skdistill
from skdistill import AutoColumns, AutoStudent, DistilledClassifier, DistilledRegressor
from skdistill.export import to_python
from skdistill.inspection import report
from skdistill.metrics import footprint, neg_latency_scorer
from skdistill.students import CompactBoostingRegressor

NAMES = ["first", "kind", "none", "last", "weak"]
QUICK = {"sampler": None, "random_state": 0}


def table(n_rows=200, seed=0):
    rng = np.random.RandomState(seed)
    frame = pd.DataFrame(rng.uniform(-1, 1, size=(n_rows, 5)), columns=NAMES)
    return frame.assign(kind=np.where(frame["kind"] > 0, "a", "b"))


def teacher(X):
    if isinstance(X, np.ndarray):
        return 3 * X[:, 0] + X[:, 3] + 0.01 * X[:, 4]
    X = X.to_pandas() if isinstance(X, pl.DataFrame) else X
    return (3 * X["first"] + X["last"] + (X["kind"] == "a") + 0.01 * X["weak"]).to_numpy(float)


@pytest.mark.parametrize(
    "given",
    [
        ["first", "kind"],
        ["kind", "first"],
        [0, 1],
        [True, True, False, False, False],
        np.array([0, 1]),
        lambda X: ["first", "kind"],
        make_column_selector("first|kind"),
    ],
    ids=["names", "other order", "positions", "mask", "array", "callable", "selector"],
)
def test_columns_may_be_named_in_many_ways(given):
    """The student sees these columns only, while the teacher sees all."""
    X = table(100)
    model = DistilledRegressor(teacher, "linear", student_columns=given, **QUICK).fit(X)
    assert model.student_columns_ == ["first", "kind"]
    assert model.student_.feature_names_in_.tolist() == ["first", "kind"]
    assert model.n_features_in_ == 5
    np.testing.assert_allclose(model.student_.predict(X[["first", "kind"]]), model.predict(X))


def test_rows_of_all_columns_or_of_those_seen():
    """``predict`` takes both by name; what is compiled, exported and measured takes rows of the student's columns."""
    X = table()
    model = DistilledRegressor(teacher, CompactBoostingRegressor(5), student_columns=["last", "first"], **QUICK).fit(X)
    seen = X[["last", "first"]]
    expected = model.predict(X)
    for rows in (seen, X.drop(columns="kind"), X[NAMES]):
        np.testing.assert_array_equal(model.predict(rows), expected)
    with pytest.raises(ValueError, match=r"X lacks the columns \['last'\], which the student sees"):
        model.predict(X[["first", "kind"]])
    compiled = skdistill.compile(model, dtype="float16", X=X)
    np.testing.assert_allclose(compiled(seen), expected, rtol=0.01, atol=0.01)
    assert compiled.feature_names_in_ == ["first", "last"]
    assert to_python(model, X=X).largest_difference < 1e-9
    assert footprint(model, X).n_bytes == footprint(model, seen).n_bytes
    assert neg_latency_scorer(model, X) < 0
    loaded = pickle.loads(pickle.dumps(model.student_))
    np.testing.assert_array_equal(loaded.predict(X[["first", "last"]]), expected)


@pytest.mark.slow
def test_reports_narrow_the_rows():
    """The teacher is asked for rows of all columns, its students for rows of theirs, with true labels as well."""
    X = table()
    model = DistilledRegressor(teacher, "linear", student_columns=["last", "first"], **QUICK).fit(X)
    found = report(model, X, teacher(X), X_train=X, y_train=teacher(X)).models
    assert found["model"].tolist()[:2] == ["teacher", "student"]
    assert found["fidelity"][1] == pytest.approx(model.fidelity(X))


@pytest.mark.parametrize("kind", ["array", "sparse", "polars"])
def test_tables_of_any_kind(kind):
    """Columns of arrays and sparse matrices are positions."""
    X = table()
    if kind != "polars":
        X = X.drop(columns="kind").assign(kind=0.0)[NAMES].to_numpy()
    X = {"array": lambda rows: rows, "sparse": sparse.csr_matrix, "polars": pl.DataFrame}[kind](X)
    ask = (lambda rows: teacher(rows.toarray())) if kind == "sparse" else teacher
    model = DistilledRegressor(ask, "linear", student_columns=[0, 3], **QUICK).fit(X)
    assert model.student_.n_features_in_ == 2
    assert model.fidelity(X) > 0.8
    assert model.columns_path_["n_columns"].tolist() == list(range(5, 1, -1))


def test_any_student_sees_the_columns():
    """Estimators of others, pipelines and students that are selected get the narrow table, too."""
    X = table().drop(columns="kind")
    ask = lambda rows: 3 * rows["first"] + rows["last"]  # noqa: E731
    for student in (Ridge(), make_pipeline(FunctionTransformer(), Ridge()), AutoStudent(families=["linear"])):
        model = DistilledRegressor(ask, student, student_columns=["last", "first"], **QUICK).fit(X)
        assert model.student_.n_features_in_ == 2
        assert model.predict(X[["first", "last"]]).shape == (200,)


def test_path_shows_what_each_column_is_worth():
    """Columns that the teacher hardly reads are left out first; the loss is that of the last student."""
    model = DistilledRegressor(teacher, "linear", student_columns="auto", **QUICK).fit(table(200))
    path = model.columns_path_
    assert path["left_out"][0] == ()
    assert set(path["left_out"][1] + path["left_out"][2]) == {"none", "weak"}
    assert path["n_columns"].tolist() == [5, 4, 3, 2, 1]
    np.testing.assert_allclose(path["loss"], path["fidelity"][0] - path["fidelity"])
    assert set(model.student_columns_) >= {"first", "last"}
    given = DistilledRegressor(teacher, "linear", student_columns=["first", "kind", "last"], **QUICK).fit(table(200))
    assert given.columns_path_["n_columns"].tolist() == [5, 4, 3]
    assert given.columns_path_["is_chosen"].tolist() == [False, False, True]


def test_number_and_cost_bound_the_columns():
    """A dear column is left out before a cheap one that is worth less."""
    X = table(200)
    at_most = DistilledRegressor(teacher, "linear", student_columns=AutoColumns(max_columns=1), **QUICK).fit(X)
    assert at_most.student_columns_ == ["first"]
    dear = AutoColumns(column_costs={"first": 1000.0, "kind": 0.5}, max_cost=2.0)
    cheap = DistilledRegressor(teacher, "linear", student_columns=dear, **QUICK).fit(X)
    assert "last" in cheap.student_columns_
    assert "first" not in cheap.student_columns_
    path = cheap.columns_path_
    assert path["cost"][path["is_chosen"]][0] <= 2.0
    assert cheap.columns_path_["cost"][0] == 1003.5
    probabilities = lambda rows: np.column_stack([1 - (rows["last"] > 0), rows["last"] > 0]) * 1.0  # noqa: E731
    of_classes = DistilledClassifier(probabilities, "tree", student_columns="auto", **QUICK)
    assert of_classes.fit(X, X["last"] > 0).student_columns_ == ["last"]


def test_declared_categories_keep_their_columns():
    """Positions of categories are those of the whole table; the student gets those of its own."""
    X = table().drop(columns="kind").assign(kind=np.arange(200) % 3)[NAMES].to_numpy(float)
    ask = lambda rows: np.array([0.0, 5.0, 1.0])[rows[:, 1].astype(int)] + rows[:, 3]  # noqa: E731
    params = {"categorical_features": [1], "student_columns": [1, 3], **QUICK}
    model = DistilledRegressor(ask, "linear", **params).fit(X)
    assert model.student_.categorical_features == [0]
    assert model.fidelity(X) > 0.99


def test_constraints_hold_for_the_columns_seen():
    """Names of constraints are those of the whole table, too."""
    params = {"monotonic_cst": {"last": 1, "weak": 1}, "interaction_cst": [["first", "none"], ["last", "weak"]]}
    model = DistilledRegressor(teacher, "boosting", student_columns=["first", "last"], **params, **QUICK).fit(table())
    np.testing.assert_array_equal(model.student_.monotonic_cst, [[0, 1]])
    assert model.student_.interaction_cst == [[0], [1]]
    rows = table().assign(first=0.0).sort_values("last")
    assert np.diff(model.predict(rows)).min() >= 0


def test_pipelines_of_several_steps():
    """The steps before a distilled estimator make all columns, and its student reads some of them."""
    X = table()[["first", "last"]]
    piped = make_pipeline(
        StandardScaler(),
        DistilledRegressor(Ridge().fit(X.to_numpy(), X["last"]), "linear", student_columns=[1], **QUICK),
    )
    piped.fit(X)
    compiled = skdistill.compile(piped, X=X)
    assert compiled(X) == pytest.approx(piped.predict(X), abs=1e-9)
    assert compiled(X.iloc[0].tolist()) == pytest.approx(piped.predict(X)[0], abs=1e-9)
    assert footprint(piped, X).one_row > 0


@pytest.mark.slow
def test_clones_and_searches_over_columns():
    """Options nest, so that a grid may vary the number of columns."""
    model = DistilledRegressor(teacher, "linear", student_columns=AutoColumns(2), **QUICK)
    assert clone(model).get_params()["student_columns__max_columns"] == 2
    search = GridSearchCV(model, {"student_columns__max_columns": [1, 3]}, cv=2).fit(table(), teacher(table()))
    assert search.best_params_ == {"student_columns__max_columns": 3}
    piped = make_pipeline(FunctionTransformer(), model).fit(table())
    assert footprint(piped, table()).one_row > 0


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (["zz"], ValueError, r"names \['zz'\], which are not columns of X; expected some of 'first'"),
        ([5], ValueError, r"has positions \[5\]; expected 0 to 4"),
        ([True, False], ValueError, "is a mask of length 2; expected 5"),
        ([], ValueError, "has no column"),
        ("first", ValueError, r"student_columns='first'; expected 'auto', or a list of columns, such as \['first'\]"),
        (3, TypeError, "expected a list of column names"),
        (AutoColumns(max_columns=0), ValueError, "max_columns=0"),
        (AutoColumns(column_costs={"zz": 1}), ValueError, r"column_costs=.* names \['zz'\]"),
        (AutoColumns(column_costs={"first": -1}), ValueError, "expected a dict from names or positions"),
        (AutoColumns(max_cost=0.5), ValueError, "max_cost=0.5, but the last column"),
    ],
)
def test_bad_columns_leave_nothing_half_fitted(given, error, message):
    """The error names the parameter and what was expected."""
    model = DistilledRegressor(teacher, "linear", student_columns=given, **QUICK)
    with pytest.raises(error, match=message):
        model.fit(table())
    assert not [name for name in vars(model) if name.endswith("_")]


def test_few_rows_have_no_path():
    """Given columns need none; a selection does."""
    model = DistilledRegressor(teacher, "linear", student_columns=["first"], **QUICK).fit(table(15))
    assert not hasattr(model, "columns_path_")
    with pytest.raises(ValueError, match="student_columns='auto' with 15 real rows; expected at least 20"):
        DistilledRegressor(teacher, "linear", student_columns="auto", **QUICK).fit(table(15))
