"""Exported models answer as the model does: they are run in their languages, on every kind of model and column."""

import importlib.util
import json
import shutil
import sqlite3
import subprocess
from functools import cache

import numpy as np
import pandas as pd
import pytest
from random_models import HOSTILE, KINDS, NUMERIC, random_model
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVR
from sklearn.tree import DecisionTreeRegressor

from skdistill import DistilledClassifier
from skdistill._ordering import ORDERS, is_in_order
from skdistill.compiled import CompiledModel, Isotonic, Linear
from skdistill.exceptions import ExportError
from skdistill.export import _python_trees, to_c, to_javascript, to_onnx, to_python, to_sql
from skdistill.students import CompactBoostingClassifier, CompactTreeRegressor
from skdistill.students._families import FAMILIES


def has_modules(*names):
    return all(importlib.util.find_spec(name) is not None for name in names)


def needs(present, what):
    return pytest.mark.skipif(not present, reason=f"{what} is not installed: this language is not tested")


def to_duckdb(model, **options):
    return to_sql(model, dialect="duckdb", **options)


EXPORTERS = [
    pytest.param(to_python, id="python"),
    pytest.param(to_c, id="c", marks=needs(shutil.which("gcc"), "gcc")),
    pytest.param(to_javascript, id="javascript", marks=needs(shutil.which("node"), "node")),
    pytest.param(to_sql, id="sqlite"),
    pytest.param(to_duckdb, id="duckdb", marks=needs(has_modules("duckdb"), "duckdb")),
    pytest.param(to_onnx, id="onnx", marks=needs(has_modules("onnx", "onnxruntime"), "onnxruntime")),
]
in_each_language = pytest.mark.parametrize("export", EXPORTERS)


def assert_exported(export, model, **options):
    """The export has been run on many rows, and no output differs by more than rounding."""
    exported = export(model, **options)
    assert exported.n_rows > 300
    assert exported.largest_difference <= 1e-9
    return exported


@pytest.mark.thinned(3)
@in_each_language
@pytest.mark.parametrize("kind", KINDS)
def test_drawn_models(export, kind):
    """Every kind of scorer, of links, bounds, labels and thresholds, with columns and texts that look like code."""
    assert_exported(export, random_model(KINDS.index(kind) + 1, kind))


@pytest.mark.slow
@in_each_language
@pytest.mark.parametrize("seed", range(100))
def test_more_drawn_models(export, seed):
    """More of them."""
    assert_exported(export, random_model(100 + seed))


def raw_table(n_rows=150):
    rng = np.random.RandomState(0)
    numbers = rng.normal(size=(n_rows, 3)).round(2)
    numbers[rng.uniform(size=numbers.shape) < 0.1] = np.nan
    frame = pd.DataFrame(numbers, columns=["a", "a ", "A_"]).assign(
        text=rng.choice(["x", "y'\"", None], size=n_rows),
        kind=pd.Categorical(rng.choice([1, 2, 10], size=n_rows)),
        flag=rng.uniform(size=n_rows) < 0.5,
        day=pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.randint(0, 300, size=n_rows), unit="D"),
        lasts=pd.to_timedelta(rng.randint(0, 300, size=n_rows), unit="h"),
    )
    return frame, frame["a"].fillna(1) + frame["flag"] + (frame["day"] > "2024-06-01") + (frame["kind"] == 10)


TASKS = {
    "two classes": lambda signal: signal > 1,
    "three classes": lambda signal: np.digitize(signal, [0.5, 1.5]),
    "values": np.asarray,
    "outputs": lambda signal: np.column_stack([signal, 1e3 * signal]),
}


@pytest.mark.slow
@in_each_language
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("family", FAMILIES)
def test_students_of_raw_tables(export, family, task):
    """Every family and task, fitted on numbers, texts, categories, booleans, dates and durations."""
    frame, signal = raw_table()
    student = FAMILIES[family].member(classifies="classes" in task).fit(frame, TASKS[task](signal))
    exported = assert_exported(export, student, X=frame)
    assert exported.n_rows > len(frame) + 300


def drawn_table(rng, n_rows=80):
    """Return a raw table with columns of all kinds, drawn names and categories, and missing cells, and a signal."""
    names = rng.permutation([name for name in HOSTILE if name.strip()])
    columns, signal = {}, np.zeros(n_rows)
    for name, kind in zip(names.tolist(), rng.integers(0, 6, rng.integers(2, 6)).tolist(), strict=False):
        codes = rng.integers(0, 5, n_rows)
        columns[name] = (
            lambda codes: rng.normal(size=n_rows).round(int(rng.integers(0, 9))),
            lambda codes: codes.astype(np.int64) * 10 ** int(rng.integers(0, 12)),
            lambda codes: codes > 1,
            lambda codes: pd.Timestamp("2024-01-01") + pd.to_timedelta(codes * 7001, unit="min"),
            lambda codes: pd.to_timedelta(codes * 977, unit="s"),
            lambda codes: pd.Series(rng.permutation(HOSTILE + NUMERIC)[:5][codes], dtype=object),
        )[kind](codes)
        signal = signal + rng.normal() * (codes if kind else columns[name])
    frame = pd.DataFrame(columns)
    for name in frame.columns[[frame[name].dtype.kind not in "bi" for name in frame]]:
        frame.loc[rng.uniform(size=n_rows) < 0.1, name] = None
    return frame, signal


@cache
def drawn_student(family, seed):
    rng = np.random.default_rng(seed)
    frame, signal = drawn_table(rng)
    task = list(TASKS)[int(rng.integers(len(TASKS)))]
    ranks = np.argsort(np.argsort(signal)) / 40  # so that no class is rare
    student = FAMILIES[family].member(classifies="classes" in task)
    return student.fit(frame, TASKS[task](ranks)), frame


def assert_drawn_student_is_exported(export, family, seed):
    student, frame = drawn_student(family, seed)
    assert_exported(export, student, X=frame)


@pytest.mark.thinned(3)
@in_each_language
@pytest.mark.parametrize("family", FAMILIES)
def test_drawn_students(export, family):
    """Students of each family, fitted on tables of drawn columns, names, categories and missing cells."""
    assert_drawn_student_is_exported(export, family, seed=list(FAMILIES).index(family))


@pytest.mark.slow
@in_each_language
@pytest.mark.parametrize("seed", range(7, 12))
@pytest.mark.parametrize("family", FAMILIES)
def test_more_drawn_students(export, family, seed):
    """More of them, run in all languages."""
    assert_drawn_student_is_exported(export, family, seed)


@in_each_language
def test_the_student_of_a_distilled_classifier(export):
    """Fitted at a temperature; the columns of X may be in another order."""
    model, frame = distilled()
    assert_exported(export, model, X=frame[frame.columns[::-1]])


@cache
def distilled():
    frame, signal = raw_table()
    student = CompactBoostingClassifier(3, 8, random_state=0)
    teacher = CompactBoostingClassifier(5, 8, random_state=0).fit(frame, TASKS["three classes"](signal))
    return DistilledClassifier(teacher, student, sampler=None, temperature=2.0, random_state=0).fit(frame), frame


OTHERS = [
    RandomForestClassifier(5, max_leaf_nodes=8, random_state=0),
    RandomForestRegressor(3, random_state=0),
    Ridge(),
    MLPClassifier((8, 4), max_iter=2000, random_state=0),
    SVR(),
]


@pytest.mark.slow
@in_each_language
@pytest.mark.parametrize("model", OTHERS, ids=lambda model: type(model).__name__)
def test_models_of_scikit_learn(export, model):
    """What ``compile`` reads can be exported, at full precision."""
    X, y = load_iris(return_X_y=True)
    assert_exported(export, model.fit(X, y), X=X)


@pytest.mark.slow
@in_each_language
def test_trees_of_any_depth(export):
    """A tree that is a chain, and one with many leaves."""
    steps = 2.0 ** np.arange(120)[:, None]
    assert_exported(export, DecisionTreeRegressor().fit(steps, 3.0 ** np.arange(120)))
    X = np.arange(600.0)[:, None]
    assert_exported(export, DecisionTreeRegressor().fit(X, np.random.RandomState(0).normal(size=600)))


# ---------------------------------------------------------------------- run by hand


def test_python_answers_as_predict_proba():
    """Rows as lists and as dicts give the student's own probabilities and labels."""
    frame, signal = raw_table()
    student = CompactBoostingClassifier(3, 8, random_state=0).fit(frame, TASKS["three classes"](signal))
    module = {}
    exec(to_python(student, verify=False).text, module)
    assert module["COLUMNS"] == tuple(frame.columns)
    expected, labels = student.predict_proba(frame), student.predict(frame)
    cells = frame.astype(object).to_numpy().tolist()
    for row, proba, label in zip(cells[:40], expected, labels, strict=False):
        np.testing.assert_allclose(module["predict_proba"](row), proba, rtol=1e-12)
        np.testing.assert_allclose(
            module["predict_proba"](dict(zip(frame.columns, row, strict=True))), proba, rtol=1e-12
        )
        assert module["predict"](row) == label
    with pytest.raises(ValueError, match="got a row of 1 cells; expected 8"):
        module["predict"]([1.0])
    with pytest.raises(ValueError, match="got a row with the columns"):
        module["predict"]({"a": 1.0})
    with pytest.raises(ValueError, match="expected a date"):
        module["predict"]([*cells[0][:6], 5.0, cells[0][7]])


def test_sqlite_answers_as_predict():
    """A view of a table with a key; booleans are 0 and 1, dates texts, missing cells NULL."""
    frame, signal = raw_table()
    frame = frame.drop(columns="lasts")
    student = CompactBoostingClassifier(3, 8, random_state=0).fit(frame, TASKS["three classes"](signal))
    exported = to_sql(student, table="the 'table'", key=["id", "day"])
    stored = frame.assign(day=frame["day"].astype(str), kind=frame["kind"].astype(int), id=np.arange(len(frame)))
    connection = sqlite3.connect(":memory:")
    stored.to_sql("the 'table'", connection)
    connection.execute(f"CREATE VIEW scored AS {exported.text}")
    found = pd.read_sql("SELECT * FROM scored ORDER BY id", connection)
    connection.close()
    assert list(found) == ["id", "day", "proba_0", "proba_1", "proba_2", "label"]
    np.testing.assert_allclose(found.filter(like="proba"), student.predict_proba(frame), rtol=1e-9)
    np.testing.assert_array_equal(found["label"], student.predict(frame))
    assert list(found["day"]) == list(stored["day"])


@needs(shutil.which("node"), "node")
def test_javascript_takes_any_date(tmp_path):
    """A Date, texts in ISO 8601 with and without an offset, and microseconds are one moment."""
    moments = pd.date_range("2024-01-01", periods=50, freq="7h")
    student = CompactBoostingClassifier(3, 4, random_state=0).fit(
        pd.DataFrame({"when": moments}), moments > pd.Timestamp("2024-01-08T03:00")
    )
    text = to_javascript(student, verify=False).text
    forms = """[[new Date("2024-01-09T01:30:00Z")], {when: "2024-01-09T01:30:00"}, ["2024-01-09 03:30:00.000+02:00"],
        ["2024-01-09T01:30Z"], [1704763800000000]]"""
    (tmp_path / "model.mjs").write_text(f"{text}\nconsole.log(JSON.stringify({forms}.map(predictProba)));")
    found = subprocess.run(["node", "model.mjs"], cwd=tmp_path, capture_output=True, check=True, timeout=60).stdout
    expected = student.predict_proba(pd.DataFrame({"when": [pd.Timestamp("2024-01-09T01:30")]}))
    np.testing.assert_allclose(json.loads(found), np.repeat(expected, 5, axis=0), rtol=1e-9)


@pytest.mark.parametrize("seed", [2, 105])
def test_trees_of_python_as_tables(monkeypatch, seed):
    """Trees with too many splits for nested conditions are tables, and answer the same."""
    nested = to_python(random_model(seed, "forest"), verify=False)
    monkeypatch.setattr(_python_trees, "MAX_SPLITS", 0)
    table = assert_exported(to_python, random_model(seed, "forest"))
    assert "else:" in nested.text.split("def _scores")[0]
    assert "_PART0_BOUND" in table.text
    assert "_PART0_BOUND" not in nested.text


UNORDERED = np.random.RandomState(0).normal(size=(3, 4))
"""Weights of outputs whose order differs from row to row."""


@pytest.mark.thinned(3)
@in_each_language
@pytest.mark.parametrize("order", ORDERS)
def test_outputs_in_order(export, order):
    """They are in order in each language, and within the bounds, after a link as well."""
    rows = np.random.RandomState(1).normal(size=(100, 3))
    assert not is_in_order(rows @ UNORDERED, order).all()
    for link, bounds in (("identity", (-2.0, 1.5)), ("logistic", (0.0, 1.0))):
        model = CompiledModel(Linear(3 * UNORDERED, np.zeros(4)), link, bounds=bounds, order=order)
        assert is_in_order(model(rows), order).all()
        assert_exported(export, model, X=rows)


@needs(shutil.which("gcc"), "gcc")
@pytest.mark.parametrize("order", ORDERS)
def test_integers_in_order(order):
    """C without floats sorts the integers that stand for the outputs."""
    rows = np.random.RandomState(1).normal(size=(200, 3)).round(2) * 100
    student = CompactTreeRegressor(8).fit(rows, rows @ UNORDERED)
    assert not is_in_order(student.predict(rows), order).all()
    exported = to_c(student.__skdistill_compile__().in_order(order), X=rows, dtype="int")
    assert exported.largest_difference <= 1e-2


@pytest.mark.thinned(3)
@in_each_language
@pytest.mark.parametrize(
    ("link", "n_scores", "power"), [("binary", 1, 1.0), ("softmax", 3, 1.0), ("one-vs-rest", 3, 0.5)]
)
def test_isotonic_probabilities(export, link, n_scores, power):
    """Between knots, at them and outside, with a single knot, after each link and a power; labels follow from them."""
    rows = np.random.RandomState(1).normal(size=(100, 3))
    knots = ((0.2, 0.201, 0.7), (0.5,), (0.0, 1.0))[: 1 if link == "binary" else 3]
    values = ((0.05, 0.4, 0.9), (0.3,), (0.001, 0.8))[: len(knots)]
    scorer = Linear(2 * UNORDERED[:, :n_scores], np.zeros(n_scores))
    model = CompiledModel(
        scorer, link, power=power, classes=np.arange(max(n_scores, 2)), isotonic=Isotonic(knots, values)
    )
    assert np.ptp(model(rows), axis=0).min() > 0.1
    assert_exported(export, model, X=rows)


@pytest.mark.parametrize("dtype", ["float", "int"])
def test_isotonic_probabilities_need_doubles(dtype):
    """C of other numbers says what to do instead."""
    model = CompiledModel(
        Linear(UNORDERED[:, :1], np.zeros(1)),
        "binary",
        classes=np.arange(2),
        isotonic=Isotonic(((0.0, 1.0),), ((0.1, 0.9),)),
    )
    with pytest.raises(ExportError, match=r'Export with dtype="double", or calibrate with calibration="temperature"'):
        to_c(model, dtype=dtype)
