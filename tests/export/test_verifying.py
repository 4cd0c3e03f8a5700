"""Nothing is claimed that was not run: wrong artefacts are found, and no file is written then."""

import datetime as dt
import importlib.util
import math
import os
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from random_models import random_forest, random_model
from sklearn.exceptions import NotFittedError
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

import skdistill
from skdistill.compiled import Columns, CompiledModel, Decision, Linear
from skdistill.exceptions import CompileError, ExportError
from skdistill.export import (
    Export,
    _export,
    _functions,
    _onnx_function,
    _runtimes,
    to_c,
    to_javascript,
    to_onnx,
    to_python,
    to_sql,
)
from skdistill.export._program import program_of
from skdistill.export._rows import drawn_rows, rows_for
from skdistill.students import CompactBoostingClassifier, CompactTreeRegressor

ONNX_IS_HERE = all(importlib.util.find_spec(name) is not None for name in ("onnx", "onnxruntime"))
needs_onnx = pytest.mark.skipif(not ONNX_IS_HERE, reason="onnxruntime is not installed: ONNX is not tested")
EXPORTERS = [to_python, to_c, to_javascript, to_sql, pytest.param(to_onnx, marks=needs_onnx)]
X = np.random.RandomState(0).normal(size=(80, 2))
TREE = DecisionTreeClassifier(max_leaf_nodes=4, random_state=0).fit(X, X[:, 0] > 0.1)


def moved(program):
    """A threshold one double higher."""
    program.parts[0].bound[0] = np.nextafter(program.parts[0].bound[0], np.inf)


def other_missing(program):
    program.parts[0].missing_left[:] = ~program.parts[0].missing_left


def other_value(program):
    program.parts[0].value[:] = program.parts[0].value + np.array([2e-9, 0])


def other_code(program):
    texts = program.columns[0].texts
    first, second = list(texts)[:2]
    texts[first], texts[second] = texts[second], texts[first]


def seen(program):
    program.columns[0].texts["never seen"] = 1


def colored():
    colors = np.array(["blue", "green", "red"] * 20, dtype=object)[:, None]
    return CompactBoostingClassifier(2, 4, random_state=0).fit(colors, colors[:, 0] == "green")


FAULTS = [(TREE, moved), (TREE, other_missing), (TREE, other_value), (colored(), other_code), (colored(), seen)]


WRITERS = [
    (to_python, _functions, "python_text"),
    pytest.param((to_onnx, _onnx_function, "onnx_model"), marks=needs_onnx),
]


@pytest.mark.thinned(2)
@pytest.mark.parametrize("language", WRITERS, ids=lambda language: language[0].__name__)
@pytest.mark.parametrize(("model", "spoil"), FAULTS, ids=lambda thing: getattr(thing, "__name__", ""))
def test_faults_are_found(monkeypatch, tmp_path, model, spoil, language):
    """A threshold off by one double, the other side for missing cells, 2e-9 of a value: an error and no file."""
    export, module, name_of_writer = language
    write = getattr(module, name_of_writer)

    def spoilt(program, *others):
        spoil(program)
        return write(program, *others)

    monkeypatch.setattr(module, name_of_writer, spoilt)
    (tmp_path / "old.py").write_text("old")
    for name in ("new.py", "old.py"):
        with pytest.raises(ExportError, match="differ from those of the model"):
            export(model, path=tmp_path / name)
    assert os.listdir(tmp_path) == ["old.py"]
    assert (tmp_path / "old.py").read_text() == "old"


def test_wrong_labels_are_found(monkeypatch):
    """Right probabilities are not enough."""
    write = _functions.python_text
    monkeypatch.setattr(_functions, "python_text", lambda program: write(program).replace("index(max", "index(min"))
    with pytest.raises(ExportError, match="labels in python differ"):
        to_python(TREE)


def test_a_failing_artefact_is_an_error(monkeypatch):
    """Its own message is part of the error."""
    monkeypatch.setattr(_functions, "python_text", lambda program: "1 / 0")
    with pytest.raises(ExportError, match=r"failed on the exported model: [\s\S]*ZeroDivisionError"):
        to_python(TREE)


@pytest.mark.parametrize("export", [to_c, to_javascript])
def test_without_a_runtime(monkeypatch, export):
    """A warning says that nothing was run, and the export says so too."""
    monkeypatch.setattr(_runtimes.shutil, "which", lambda name: None)
    with pytest.warns(UserWarning, match="was not found, so the exported model has not been run"):
        exported = export(TREE)
    assert exported.largest_difference is None
    assert exported.n_rows == 0
    assert "not run" in repr(exported)


@pytest.mark.parametrize("export", EXPORTERS)
def test_models_that_cannot_be_exported(export, tmp_path):
    """As for ``compile``; nothing is written."""
    path = tmp_path / "file"
    with pytest.raises(NotFittedError):
        export(CompactTreeRegressor(), path=path)
    with pytest.raises(CompileError, match="GaussianNB"):
        export(GaussianNB().fit(X, X[:, 0] > 0), path=path)
    other = CompiledModel(Linear(np.ones((2, 1)), np.zeros(1)))
    other.scorer.content = lambda: {"kind": "of my own"}
    other.scorer.stored_as = lambda dtype: other.scorer
    with pytest.raises(ExportError, match="scorer of the kind 'of my own'"):
        export(other, path=path)
    labels = np.array([dt.date(2024, 1, 1), dt.date(2024, 1, 2)], dtype=object)
    with pytest.raises(ExportError, match="class label of type date"):
        export(CompiledModel(Linear(np.ones((2, 1)), np.zeros(1)), "binary", classes=labels), path=path)
    assert os.listdir(tmp_path) == []


def test_texts_that_a_language_does_not_hold():
    """A category with a NUL ends early in C; a large integer is rounded in JavaScript."""
    columns = Columns([np.array(["a", "a\0b"], dtype=object)], np.array([False]))
    model = CompiledModel(Linear(np.ones((1, 1)), np.zeros(1)), columns=columns)
    with pytest.raises(ExportError, match="NUL or a lone surrogate, which no C string holds"):
        to_c(model)
    assert to_python(model, verify=False).text
    large = CompiledModel(Linear(np.ones((1, 1)), np.zeros(1)), "binary", classes=np.array([0, 2**60]))
    with pytest.raises(ExportError, match="no number in JavaScript"):
        to_javascript(large)
    assert to_python(large).largest_difference <= 1e-9


def test_models_that_are_too_large(monkeypatch):
    """No file of many megabytes, which compilers take minutes for."""
    monkeypatch.setattr(_export, "MAX_PARAMETERS", 5)
    with pytest.raises(ExportError, match=r"expected at most 5\. Distil it first"):
        to_c(TREE)


def test_rows_of_any_library():
    """Frames of pandas and polars, arrays and lists; in other cases, an error says what was expected."""
    frame = pd.DataFrame({"a": X[:, 0], "when": pd.date_range("2024-01-01", periods=80)})
    student = CompactTreeRegressor(max_leaf_nodes=4).fit(frame, X[:, 0])
    for rows in (frame, frame[["when", "a"]], pl.from_pandas(frame), frame.to_numpy(dtype=object)):
        assert to_sql(student, X=rows).n_rows == 480
    long = pd.concat([frame] * 50)
    assert 400 + 1000 < to_sql(student, X=long).n_rows <= 2400
    with pytest.raises(ValueError, match="X has 1 columns; expected 2"):
        to_python(student, X=frame[["a"]])
    with pytest.raises(ValueError, match="X is no table"):
        to_python(student, X=X[:, 0])


def test_drawn_rows_are_beside_all_thresholds():
    """At, below and above each threshold, in float32 and float64, missing, huge, tiny, and unseen categories."""
    program = program_of(skdistill.compile(TREE))
    cells = np.array(drawn_rows(program), dtype=object)
    for column in np.unique(program.parts[0].column):
        present = {cell for cell in cells[:, column] if cell is not None and not math.isnan(cell)}
        for bound in program.parts[0].bound[program.parts[0].column == column]:
            assert {bound, np.nextafter(bound, np.inf), np.nextafter(bound, -np.inf)} <= present
        assert {None, 1e300, 5e-324} <= set(cells[:, column])
    texts = {row[0] for row in drawn_rows(program_of(skdistill.compile(colored())))}
    assert {"red", "blue", "green", "never seen", "", None} <= texts


def test_expected_are_the_outputs_of_the_model():
    """Rows are compared with what the student predicts, and texts stand for the categories that cells match."""
    model = random_model(7)
    rows = rows_for(model, program_of(model))
    table = np.empty((len(rows.raw), model.n_features_in_), dtype=object)
    for index, row in enumerate(rows.raw):
        table[index] = row
    np.testing.assert_array_equal(rows.expected, np.reshape(model(table), rows.expected.shape))


WEST = dt.timezone(dt.timedelta(hours=-12))
ODD_CELLS = [
    *(True, False, np.True_, 1, 1.0, 2, -0.0, 10**16, 1e16, 1e-5, 0.5, 0.1, 2**70, np.int8(1), np.uint64(2)),
    *(np.float32(0.1), Decimal("0.5"), Decimal(1), Fraction(1, 2), b"a", b"1", "1", "1.0", "01", "True"),
    *(None, float("nan"), np.float32("nan"), pd.NA, pd.NaT, np.datetime64("NaT"), pd.Timestamp("2024-01-01 12:00")),
    *(dt.date(2024, 1, 1), dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, tzinfo=WEST)),
    *(dt.datetime(2024, 1, 1, 1, 2, 3, 4), dt.timedelta(days=-1, hours=5), pd.Timedelta("1h"), "2024-01-01T00:00:00"),
]
CATEGORIES = ["1", "1.0", "01", "2", "True", "False", "0", "0.5", "0.1", "1e+16", "1e-05", "inf", "a"]
CATEGORIES += ["2024-01-01", "2024-01-01T12:00:00", "2024-01-01T01:02:03.000004", "-1 days 05:00:00", "0 days 01:00:00"]


@pytest.mark.parametrize("seed", range(20))
def test_python_matches_categories_as_the_student(seed):
    """Booleans, numbers of any library, dates, durations and bytes match the same categories; so do missing cells."""
    rng = np.random.default_rng(seed)
    known = np.array(sorted(text for text in CATEGORIES if rng.random() < 0.5), dtype=object)
    columns = Columns([known], np.array([False]))
    model = CompiledModel(random_forest(rng, columns, 1), columns=columns)
    module = {}
    exec(to_python(model, verify=False).text, module)
    for cell in [*ODD_CELLS, float("inf")]:
        code = columns.row_encoder()([cell])[0]
        assert module["_encoded"]([cell]) == [-1 if code != code else code], cell


def test_rows_of_objects():
    """Timestamps, decimals and numbers of numpy in a table of objects are compared too."""
    cells = np.array([*ODD_CELLS, *ODD_CELLS], dtype=object)[:, None]
    student = CompactTreeRegressor(max_leaf_nodes=8).fit(cells, np.arange(len(cells)) % 7)
    for export in (to_python, to_sql):
        assert export(student, X=cells).n_rows == 400 + len(cells)


def test_files_are_replaced(tmp_path):
    """With the rights of any new file, and without a trace of the way there."""
    path = tmp_path / "model.py"
    for text in ("first", "second"):
        Export(text, "python").save(path)
        assert path.read_text() == text
    (tmp_path / "plain").write_text("")
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert sorted(os.listdir(tmp_path)) == ["model.py", "plain"]
    with pytest.raises(FileNotFoundError):
        to_python(TREE, path=tmp_path / "nowhere" / "model.py", verify=False)


def test_decisions_are_exact():
    """A probability equal to its threshold is the positive class."""
    scorer = Linear(np.ones((1, 1)), np.zeros(1))
    model = CompiledModel(scorer, "binary", classes=np.array(["no", "yes"]), decision=Decision((0.5, 0.5), positive=0))
    module = {}
    exec(to_python(model).text, module)
    assert [module["predict"]([cell]) for cell in (-1.0, 0.0, 1.0)] == ["no", "no", "yes"]
