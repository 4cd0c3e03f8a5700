"""Pipelines are compiled with their steps: the same outputs for raw rows, on the same side of every threshold."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from random_pipelines import WORDS, compared_rows, every_step, random_pipeline, random_table
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeRegressor

import skdistill
from skdistill import DistilledClassifier, DistilledRegressor
from skdistill.compiled import _computed, _computed_code
from skdistill.exceptions import CompileError
from skdistill.students import CompactBoostingClassifier, CompactTreeRegressor


def assert_compiled(pipeline, X, n_rows=200):
    """Many rows, rows by name or as lists, and labels are those of the pipeline."""
    rows, expected = compared_rows(pipeline, X, n_rows)
    compiled = skdistill.compile(pipeline, dtype="float64")
    found, tolerance = compiled(rows), 1e-12 * max(np.abs(expected).max(), 1e-300)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
    ones = rows.to_dict("records") if isinstance(rows, pd.DataFrame) else rows.tolist()
    np.testing.assert_allclose([compiled(row) for row in ones], found, rtol=0, atol=tolerance)
    if hasattr(pipeline, "classes_"):
        np.testing.assert_array_equal(compiled.predict(rows), pipeline.classes_[expected.argmax(axis=1)])
    return compiled, rows


@pytest.mark.parametrize(
    "seed",
    [
        *range(5),
        *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(5, 10)),
        *(36, 73),  # sparse columns beside a threshold
    ],
)
def test_random_pipelines(seed):
    """Scalers, imputers, encoders, selectors and unions, nested, on frames and arrays, before models of any kind."""
    assert_compiled(*random_pipeline(seed))


@pytest.mark.parametrize("is_linear", [False, True])
def test_every_step(is_linear):
    """Bounds, filled and marked cells, indicators, infrequent and unseen categories, and dates as they are."""
    assert_compiled(*every_step(is_linear=is_linear))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 400))
def test_more_random_pipelines(seed):
    """More of them."""
    assert_compiled(*random_pipeline(seed), n_rows=420)


def test_rows_take_the_same_side_of_a_threshold():
    """The last number that goes left, found by bisection, is the same double after scalers and in single precision."""
    X = np.random.default_rng(0).normal(size=(200, 1)) * 7
    pipeline = make_pipeline(StandardScaler(), DecisionTreeRegressor(max_leaf_nodes=2)).fit(X, X[:, 0] > 1)
    compiled = skdistill.compile(pipeline, dtype="float64")
    low, high = -100.0, 100.0
    while np.nextafter(low, high) < high:
        middle = (low + high) / 2
        low, high = (middle, high) if pipeline.predict([[middle]])[0] < 0.5 else (low, middle)
    assert compiled([low]) < 0.5 < compiled([high])
    np.testing.assert_array_equal(compiled([[low], [high]]) > 0.5, [False, True])


# ---------------------------------------------------------------------- what a cell is


def test_texts_are_compared_exactly():
    """As the encoders do: "1.0" is not "1", a number is no text, and any missing cell is missing."""
    table = pd.DataFrame({"code": ["1", "2", "2024-01-01", None] * 10}, dtype=object)
    encoder = OneHotEncoder(handle_unknown="ignore")
    compiled = skdistill.compile(make_pipeline(encoder, LinearRegression()).fit(table, [1.0, 2.0, 3.0, 4.0] * 10))
    unseen = compiled(["never seen"])
    for cell in ("1.0", "2024-01-01 00:00:00", "", 1, 2.0, True, b"1", ("a",)):
        assert compiled([cell]) == compiled(pd.DataFrame({"code": [cell, "1"]}, dtype=object))[0] == unseen
    for cell in (None, float("nan"), pd.NA, pd.NaT):
        np.testing.assert_allclose([compiled([cell]), *compiled([[cell]])], 4)
    assert compiled(np.array([[["a"]]], dtype=object)[:, 0]) == unseen


def test_columns_that_no_step_reads():
    """They may hold anything."""
    table = random_table(np.random.default_rng(0)).assign(when=pd.Timestamp("2024-01-01"))
    numbers = make_column_transformer((SimpleImputer(), ["size", "x y"]))
    pipeline = make_pipeline(numbers, LinearRegression()).fit(table, np.arange(len(table)))
    compiled = skdistill.compile(pipeline)
    np.testing.assert_allclose(compiled(table), pipeline.predict(table))
    row = {**table.iloc[0].to_dict(), "kind": object(), "when": "x"}
    np.testing.assert_allclose(compiled(row), pipeline.predict(table.iloc[:1])[0])


def test_any_kind_of_table():
    """Frames of pandas and polars, in the order of fit or not, dicts, lists, series and arrays of objects."""
    table = random_table(np.random.default_rng(1))
    encoder = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["size", "whole"]),
        (OneHotEncoder(handle_unknown="ignore"), ["kind", "flag"]),
    )
    pipeline = make_pipeline(encoder, Ridge()).fit(table, np.arange(len(table)))
    compiled, expected = skdistill.compile(pipeline), pipeline.predict(table)
    assert compiled.feature_names_in_ == list(table.columns)
    nullable = table.convert_dtypes()
    tables = [table[table.columns[::-1]], table.to_numpy(dtype=object), table.to_numpy(dtype=object).tolist()]
    tables += [table.to_dict("records"), nullable, pl.from_pandas(nullable), table.astype({"kind": "category"})]
    for rows in tables:
        np.testing.assert_allclose(compiled(rows), expected)
    for place in (0, 1, 2):
        one = table.iloc[place]
        for row in (one, one[::-1], one.tolist(), one.to_numpy(), one.to_dict(), nullable.iloc[place]):
            np.testing.assert_allclose(compiled(row), expected[place])
        np.testing.assert_allclose(compiled(table.iloc[[place]]), expected[[place]])
    with pytest.raises(ValueError, match=r"got rows of 6 columns; expected 7"):
        compiled(table.iloc[:, :6])
    with pytest.raises(ValueError, match=r"column 0 contains 'a'; expected numbers"):
        compiled(table.assign(size="a"))


def raw_table():
    table = random_table(np.random.default_rng(2)).drop(columns="x y")
    return table.assign(
        day=pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(len(table)) % 50, unit="D"),
        grade=pd.Categorical(np.arange(len(table)) % 4),
    )


def test_students_that_read_raw_columns():
    """What a step passes on as it is, the student encodes: texts by value, dates, categories, codes of an encoder."""
    table = raw_table()
    signal = (table["kind"] == "red") + (table["day"] > "2024-01-20") + table["size"].fillna(0) + (table["grade"] == 2)
    steps = make_column_transformer(
        (StandardScaler(), ["size"]),
        (SimpleImputer(strategy="most_frequent"), ['say "x"']),
        (OrdinalEncoder(), ["flag"]),
        remainder="passthrough",
    ).set_output(transform="pandas")
    for student in (
        CompactTreeRegressor(max_leaf_nodes=8),
        CompactTreeRegressor(max_leaf_nodes=8, categorical_features=["ordinalencoder__flag", "remainder__whole"]),
        CompactBoostingClassifier(3, 8, random_state=0),
    ):
        target = signal > 1 if isinstance(student, CompactBoostingClassifier) else signal
        pipeline = make_pipeline(steps, student).fit(table, target)
        compiled = skdistill.compile(pipeline, dtype="float64")
        mixed = table.assign(kind=table["kind"].where(table.index % 3 > 0, "never seen"))
        for rows in (table, mixed):
            expected = pipeline.predict_proba(rows) if hasattr(pipeline, "classes_") else pipeline.predict(rows)
            np.testing.assert_allclose(compiled(rows), expected, rtol=0, atol=1e-12)
            ones = [compiled(row) for row in rows.to_dict("records")]
            np.testing.assert_allclose(ones, expected, rtol=0, atol=1e-12)


# ---------------------------------------------------------------------- models around and inside


def test_wrappers_around_steps():
    """Searches, frozen estimators and pipelines inside pipelines."""
    X = np.random.default_rng(0).normal(size=(60, 3))
    inner = make_pipeline(FrozenEstimator(StandardScaler().fit(X)), "passthrough", Ridge())
    search = GridSearchCV(make_pipeline(StandardScaler(), inner), {"pipeline__ridge__alpha": [0.1, 1.0]}, cv=2)
    for model in (search.fit(X, X[:, 0]), FrozenEstimator(search), make_pipeline("passthrough", search)):
        np.testing.assert_allclose(skdistill.compile(model)(X), model.predict(X), rtol=1e-12)


def test_students_with_steps():
    """A pipeline as the student of a distilled estimator, and a distilled estimator at the end of one."""
    table = random_table(np.random.default_rng(3)).dropna()
    columns = make_column_transformer((OneHotEncoder(), ["kind"]), (StandardScaler(), ["size", "whole"]))
    value, label = table["size"] + (table["kind"] == "red"), table["size"] > 0
    teacher = make_pipeline(columns, LinearRegression()).fit(table, value)
    model = DistilledRegressor(teacher, make_pipeline(columns, Ridge()), sampler=None).fit(table)
    np.testing.assert_allclose(skdistill.compile(model)(table), model.predict(table), rtol=1e-9)
    teacher = make_pipeline(columns, LogisticRegression()).fit(table, label)
    for student in (make_pipeline(columns, Ridge()), make_pipeline(columns, LinearSVC())):
        model = DistilledClassifier(teacher, student, sampler=None).fit(table)
        np.testing.assert_allclose(skdistill.compile(model)(table), model.predict_proba(table), atol=1e-9)
    X = table[["size", "whole"]].to_numpy()
    teacher = LogisticRegression().fit(StandardScaler().fit_transform(X), label)
    distilled = DistilledClassifier(teacher, "tree", sampler=None, random_state=0)
    model = make_pipeline(StandardScaler(), distilled).fit(X, label)
    np.testing.assert_allclose(skdistill.compile(model, dtype="float64")(X), model.predict_proba(X), atol=1e-12)


def test_calibrated_pipelines():
    """The margins of a scaled machine are calibrated."""
    X = np.random.default_rng(0).normal(size=(80, 2)) * [1, 100]
    model = CalibratedClassifierCV(make_pipeline(StandardScaler(), SVC()), cv=2, ensemble=False).fit(X, X[:, 1] > 0)
    np.testing.assert_allclose(skdistill.compile(model)(X), model.predict_proba(X), atol=1e-6)


def test_compiled_pipelines_are_small_and_complete():
    """They are pickled without a transformer, in any precision, and blocks of rows change nothing."""
    table = random_table(np.random.default_rng(4))
    columns = make_column_transformer((SimpleImputer(), ["size"]), (OneHotEncoder(), ["kind", "flag"]))
    pipeline = make_pipeline(columns, DecisionTreeRegressor(max_leaf_nodes=9)).fit(table, np.arange(len(table)))
    compiled = skdistill.compile(pipeline, dtype="float64")
    content = pickle.dumps(compiled)
    assert b"sklearn" not in content
    assert len(content) < 2000
    np.testing.assert_array_equal(pickle.loads(content)(table), pipeline.predict(table))
    rounded = skdistill.compile(pipeline, dtype="float16", X=table)
    assert 0 < rounded.quantization_loss_ < 0.001
    assert "red" not in compiled.source


def test_blocks_of_rows_change_nothing(monkeypatch):
    """Nor does the size of the code for one row."""
    pipeline, X = random_pipeline(0)
    expected = skdistill.compile(pipeline)(X)
    monkeypatch.setattr(_computed, "CHUNK_CELLS", 50)
    np.testing.assert_allclose(skdistill.compile(pipeline)(X), expected, rtol=1e-13)
    monkeypatch.setattr(_computed_code, "MAX_COMPUTED", 0)
    compiled = skdistill.compile(pipeline)
    assert compiled.source is None
    ones = [compiled(row) for row in (X.to_dict("records") if isinstance(X, pd.DataFrame) else X.tolist())]
    np.testing.assert_allclose(ones, expected, rtol=1e-13)


# ---------------------------------------------------------------------- what is refused


class Doubled(StandardScaler):
    def transform(self, X):
        return 2 * super().transform(X)


X = np.random.default_rng(0).normal(size=(40, 2))


@pytest.mark.parametrize(
    ("steps", "match"),
    [
        ([("pca", PCA())], "the step 'pca' of the pipeline is a PCA; expected StandardScaler, "),
        ([("log", FunctionTransformer(np.abs))], "the step 'log' of the pipeline is a FunctionTransformer with a func"),
        ([("twice", Doubled())], "the step 'twice' of the pipeline is a Doubled; expected"),
        (
            [("columns", ColumnTransformer([("pair", Pipeline([("pca", PCA())]), [0])]))],
            "the step 'columns__pair__pca' of the pipeline is a PCA",
        ),
        (
            [("scale", StandardScaler()), ("codes", OrdinalEncoder())],
            "the step 'codes' compares the numbers of column 0 with single values after a scaler; expected it before",
        ),
    ],
    ids=lambda value: value[-1][0] if isinstance(value, list) else "",
)
def test_steps_that_cannot_be_read(steps, match):
    """The error names the step and what can be read, and says to distil the pipeline on raw rows."""
    pipeline = Pipeline([*steps, ("ridge", Ridge())]).fit(X, X[:, 0])
    with pytest.raises(CompileError, match=match) as error:
        skdistill.compile(pipeline)
    assert "DistilledClassifier(teacher=pipeline).fit(X)" in str(error.value)


def test_more_that_is_refused():
    """Columns that steps read in several ways, None beside NaN, dates as categories, steps that are not fitted."""
    both = make_column_transformer((StandardScaler(), [0]), (OneHotEncoder(), [1]), (OneHotEncoder(), [0]))
    texts = np.array([["1", "a"], ["2", "b"]] * 9, dtype=object)
    with pytest.raises(CompileError, match="reads column 0 as a number and another one as a text; expected a single"):
        skdistill.compile(make_pipeline(both, Ridge()).fit(texts, np.arange(18)))
    missing = np.array([["a"], [None], [np.nan], ["a"]] * 5, dtype=object)
    mixed = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(), Ridge())
    with pytest.raises(CompileError, match="knows missing cells of column 0, which an earlier imputer replaces"):
        skdistill.compile(mixed.fit(missing, np.arange(20)))
    for unit in ("ns", "us"):
        dates = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=20).astype(f"M8[{unit}]")})
        with pytest.raises(CompileError, match=r"the step 'onehotencoder' has the category .* of the column 'day'"):
            skdistill.compile(make_pipeline(OneHotEncoder(), Ridge()).fit(dates, np.arange(20)))
    unfitted = Pipeline([("scale", StandardScaler()), ("ridge", Ridge().fit(X, X[:, 0]))])
    with pytest.raises(NotFittedError):
        skdistill.compile(unfitted)
    other = Pipeline([("scale", StandardScaler().fit(X[:, :1])), ("ridge", Ridge().fit(X, X[:, 0]))])
    with pytest.raises(CompileError, match="return 1 columns, and its model reads 2"):
        skdistill.compile(other)


def test_unseen_categories_are_not_refused():
    """Where an encoder raises an error, the compiled form sets no indicator."""
    words = np.array([[word] for word in WORDS], dtype=object)
    pipeline = make_pipeline(OneHotEncoder(), LinearRegression()).fit(words, np.arange(len(WORDS)))
    lenient = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LinearRegression()).fit(
        words, np.arange(len(WORDS))
    )
    with pytest.raises(ValueError, match="unknown categories"):
        pipeline.predict([["never seen"]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(skdistill.compile(pipeline)(["never seen"]), lenient.predict([["never seen"]])[0])
