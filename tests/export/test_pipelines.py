"""Pipelines are exported with their steps: every language answers as the pipeline does, for raw rows."""

import shutil
from functools import cache

import numpy as np
import pandas as pd
import pytest
from random_pipelines import NUMBERS, compared_rows, every_step, random_pipeline, random_table
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, OrdinalEncoder, RobustScaler, StandardScaler

import skdistill
from skdistill.exceptions import ExportError
from skdistill.export import to_c, to_javascript, to_onnx, to_python, to_sql
from skdistill.export._computed import near_of
from skdistill.export._program import program_of
from skdistill.export._rows import drawn_rows
from skdistill.students import CompactTreeRegressor


def to_duckdb(model, **options):
    pytest.importorskip("duckdb")
    return to_sql(model, dialect="duckdb", **options)


def to_onnx_graph(model, **options):
    pytest.importorskip("onnxruntime")
    return to_onnx(model, **options)


def needs(program):
    return pytest.mark.skipif(not shutil.which(program), reason=f"{program} is not installed: it is not tested")


in_each_language = pytest.mark.parametrize(
    "export",
    [
        to_python,
        pytest.param(to_c, marks=needs("gcc")),
        pytest.param(to_javascript, marks=needs("node")),
        to_sql,
        to_duckdb,
        to_onnx_graph,
    ],
)
drawn = cache(random_pipeline)


def assert_exported(export, pipeline, X):
    """The export has been run on many rows, and no output differs by more than rounding."""
    exported = export(pipeline, X=X)
    assert exported.n_rows > 300
    assert exported.largest_difference <= (1e-9 if exported.language == "onnx" else 1e-12)


@in_each_language
def test_every_step(export):
    """Every language computes each kind of column; unseen, missing and known texts are different cells."""
    assert_exported(export, *every_step())


@pytest.mark.slow
@in_each_language
@pytest.mark.parametrize("seed", range(500, 540))
def test_random_pipelines(export, seed):
    """Pipelines of any steps before models of any kind, with names and texts that look like code."""
    assert_exported(export, *drawn(seed))


def test_python_answers_as_the_pipeline():
    """The exported module gives the probabilities of the pipeline itself, for rows as lists and as dicts."""
    pipeline, table = every_step()
    module = {}
    exec(to_python(pipeline, verify=False).text, module)
    rows, expected = compared_rows(pipeline, table, n_rows=60)
    for row, proba in zip(rows.to_dict("records"), expected, strict=True):
        for cells in (row, list(row.values())):
            np.testing.assert_allclose(module["predict_proba"](cells), proba, rtol=0, atol=1e-12)
        assert module["predict"](row) == pipeline.classes_[np.argmax(proba)]


@pytest.mark.parametrize("weight", [1.0, -0.3])
def test_cells_beside_thresholds_are_found(weight):
    """For each threshold of a computed column, the cells of the table between which the computed cell passes it."""
    table = random_table(np.random.default_rng(6))
    scaled = make_pipeline(RobustScaler(), MinMaxScaler(feature_range=(-3, 5)), StandardScaler())
    columns = ColumnTransformer([("scaled", scaled, NUMBERS[:3])], transformer_weights={"scaled": weight})
    pipeline = make_pipeline(columns, CompactTreeRegressor()).fit(table, table.index % 7)
    computed = skdistill.compile(pipeline).scorer
    for place, column in enumerate(computed.each()):
        bounds = np.random.default_rng(place).normal(size=200)
        near = near_of(column, bounds)
        assert len(near) == len(bounds)
        cells = np.zeros((3, len(near), computed.n_features))
        cells[:, :, column.source] = np.nextafter(near, -np.inf), near, np.nextafter(near, np.inf)
        sides = [computed.columns(side)[:, place] <= bounds for side in cells]
        assert np.all((sides[0] != sides[1]) | (sides[1] != sides[2]))


def test_keys_and_texts_are_drawn():
    """Rows with a cell that an imputer replaces, with each text of an encoder, unseen and missing ones are compared."""
    table = random_table(np.random.default_rng(6))
    columns = make_column_transformer((SimpleImputer(missing_values=3), ["whole"]), (OneHotEncoder(), ["kind"]))
    pipeline = make_pipeline(columns, LinearRegression()).fit(table, table["whole"])
    cells = pd.DataFrame(drawn_rows(program_of(skdistill.compile(pipeline))), columns=table.columns)
    assert 3 in set(cells["whole"])
    assert {*table["kind"].dropna(), "never seen"} <= set(cells["kind"])
    assert cells["kind"].isna().any()


def test_pipelines_of_linear_models_in_c():
    """Codes of many categories are found by bisection."""
    words = pd.DataFrame({"word": [f"w{index:02}" for index in range(40)] * 2})
    encoder = OrdinalEncoder(categories=[words["word"][:40].sample(40, random_state=0).tolist()])
    pipeline = make_pipeline(encoder, LinearRegression()).fit(words, np.arange(80))
    text = to_c(pipeline).text if shutil.which("gcc") else to_c(pipeline, verify=False).text
    assert "value_of(x, key0, value0, 40," in text


@pytest.mark.parametrize("dtype", ["float", "int"])
def test_steps_need_doubles(dtype):
    """Scaled cells that are rounded could be on the other side of thresholds: C of other numbers is refused."""
    X = np.arange(20.0)[:, None]
    pipeline = make_pipeline(StandardScaler(), CompactTreeRegressor()).fit(X, X[:, 0])
    with pytest.raises(ExportError, match=f"dtype='{dtype}' would move rows"):
        to_c(pipeline, dtype=dtype)
