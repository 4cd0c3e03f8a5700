"""ONNX graphs: what goes in, what comes out, what the metadata says, and what onnxruntime does with all of it."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import HOSTILE, random_model
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier

from skdistill import AutoStudent, DistilledRegressor, compile
from skdistill.compiled import Columns, CompiledModel, Decision, Forest, Linear
from skdistill.exceptions import ExportError
from skdistill.export import to_onnx
from skdistill.export._onnx_cells import input_names
from skdistill.export._onnx_packed import packed
from skdistill.students import CompactBoostingClassifier, CompactTreeRegressor

onnx = pytest.importorskip("onnx", reason="onnx is not installed: exports to ONNX are not tested")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: exports to ONNX are not tested")

X = np.random.RandomState(0).normal(size=(120, 3))
THREE = np.digitize(X[:, 0] + X[:, 1], [-0.5, 0.5])


def session_of(exported):
    return onnxruntime.InferenceSession(exported.data, providers=["CPUExecutionProvider"])


def metadata_of(exported):
    return session_of(exported).get_modelmeta().custom_metadata_map


def raw_table(n_rows=150):
    rng = np.random.RandomState(0)
    frame = pd.DataFrame(
        {
            "label": rng.normal(size=n_rows),
            "text": rng.choice(["x", "y'\"", None], size=n_rows),
            "kind": pd.Categorical(rng.choice([1, 2, 10], size=n_rows)),
            "flag": rng.uniform(size=n_rows) < 0.5,
            "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.randint(0, 300, size=n_rows), unit="D"),
            "lasts": pd.to_timedelta(rng.randint(0, 300, size=n_rows), unit="h"),
        }
    )
    frame.loc[::7, "label"] = np.nan
    frame.loc[::11, ["day", "lasts"]] = pd.NaT
    signal = frame["label"].fillna(1) + frame["flag"] + (frame["day"] > "2024-06-01") + (frame["kind"] == 10)
    return frame, np.digitize(signal, [0.5, 1.5])


# ---------------------------------------------------------------------- inputs and outputs


def test_numbers_are_one_input():
    """A table of numbers is one array of doubles with any number of rows, none and one among them."""
    student = CompactBoostingClassifier(3, 8, random_state=0).fit(X, THREE)
    session = session_of(to_onnx(student))
    (table,), (label, proba) = session.get_inputs(), session.get_outputs()
    assert (table.name, table.type, table.shape) == ("X", "tensor(double)", ["n_rows", 3])
    assert (label.name, label.type, label.shape) == ("label", "tensor(int64)", ["n_rows"])
    assert (proba.name, proba.type, proba.shape) == ("probabilities", "tensor(double)", ["n_rows", 3])
    for rows in (X[:0], X[:1], X, np.tile(X, (100, 1))):
        labels, probabilities = session.run(None, {"X": rows})
        expected = student.predict_proba(rows) if len(rows) else np.zeros((0, 3))
        np.testing.assert_allclose(probabilities, expected, rtol=1e-9)
        np.testing.assert_array_equal(labels, expected.argmax(axis=1))


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_a_regressor_has_one_output(n_outputs):
    """Named as converters of scikit-learn name it, with a column for each output."""
    y = X[:, :n_outputs] if n_outputs > 1 else X[:, 0]
    student = CompactTreeRegressor(max_leaf_nodes=4).fit(X, y)
    session = session_of(to_onnx(student))
    (output,) = session.get_outputs()
    assert (output.name, output.type, output.shape) == ("variable", "tensor(double)", ["n_rows", n_outputs])
    (values,) = session.run(None, {"X": X})
    np.testing.assert_allclose(values, student.predict(X).reshape(-1, n_outputs), rtol=1e-12)


def test_raw_columns_are_fed_as_documented():
    """A frame becomes arrays by the kinds in the metadata; NaN, NaT and None are missing, integers are categories."""
    frame, target = raw_table()
    student = CompactBoostingClassifier(3, 8, random_state=0).fit(frame, target)
    exported = to_onnx(student, X=frame)
    columns = json.loads(metadata_of(exported)["columns"])
    assert [(column["name"], column["kind"], column["input"]) for column in columns] == [
        ("label", "number", "label_1"),  # an output has this name
        ("text", "category", "text"),
        ("kind", "category", "kind"),
        ("flag", "number", "flag"),
        ("day", "time", "day"),
        ("lasts", "time", "lasts"),
    ]
    to_array = {
        "number": lambda cells: cells.to_numpy("float64"),
        "time": lambda cells: cells.dt.as_unit("us").to_numpy().astype("int64"),
        "category": lambda cells: cells.astype(object).map(str).to_numpy(object),
    }
    rows = {column["input"]: to_array[column["kind"]](frame[column["name"]])[:, None] for column in columns}
    session = session_of(exported)
    types = {each.name: each.type for each in session.get_inputs()}
    assert types["label_1"] == types["flag"] == "tensor(double)"
    assert types["text"] == types["kind"] == "tensor(string)"
    assert types["day"] == types["lasts"] == "tensor(int64)"
    labels, probabilities = session.run(None, rows)
    np.testing.assert_allclose(probabilities, student.predict_proba(frame), rtol=1e-9)
    np.testing.assert_array_equal(labels, student.predict(frame))


def test_any_text_that_is_no_category_is_missing():
    """The empty one, those that numpy makes of None and NaN, and the one in the metadata if "" is a category."""
    known = np.array(["", "None", "a", "missing"], dtype=object)
    for categories in (known, known[2:3]):
        columns = Columns([np.sort(categories)], np.array([False]))
        forest = Forest(
            n_features=1,
            feature=np.zeros(1, dtype=int),
            threshold=np.zeros(1),
            missing_left=np.array([False]),
            n_left=np.array([0]),
            tree_splits=np.array([1]),
            tree_output=np.array([0]),
            value=np.array([[1.0], [2.0]]),
            base=np.zeros(1),
            subsets=np.ones((1, len(categories)), dtype=bool),
            is_category=np.array([True]),
        )
        exported = to_onnx(CompiledModel(forest, columns=columns, names=["c"]))
        (column,) = json.loads(metadata_of(exported)["columns"])
        cells = np.array(["a", column["missing"], "never seen", "", None], dtype=object)[:, None]
        (values,) = session_of(exported).run(None, {"c": cells})
        is_known = [cell in categories for cell in ("a", column["missing"], "never seen", "", "None")]
        assert values.ravel().tolist() == [1.0 if known else 2.0 for known in is_known]
        assert is_known[:2] == [True, False]
        assert column["missing"] == ("" if "" not in categories else "missing 1")


LABELS = {
    "positions": (np.array([0, 1, 2]), "tensor(int64)"),
    "integers": (np.array([-5, 3, 2**40]), "tensor(int64)"),
    "whole floats": (np.array([-1.0, 0.0, 1.0]), "tensor(int64)"),
    "floats": (np.array([0.5, 1.0, 2.25]), "tensor(double)"),
    "booleans": (np.array([False, True]), "tensor(int64)"),
    "texts": (np.array(['"a"\n', "b\0", "日"]), "tensor(string)"),
}


@pytest.mark.parametrize("decides", [False, True])
@pytest.mark.parametrize("kind", LABELS)
def test_labels(kind, decides):
    """Labels are equal to those of ``predict``, chosen by the thresholds of a decision if there is one."""
    labels, label_type = LABELS[kind]
    n_classes = len(labels)
    scorer = Linear(np.random.RandomState(0).normal(size=(3, max(n_classes - 1, 1) + (n_classes > 2))), np.zeros(1))
    decision = Decision(tuple(np.arange(1, n_classes + 1) / sum(range(n_classes + 1))), positive=0) if decides else None
    link = "binary" if n_classes == 2 else "softmax"
    scorer.base = np.zeros(scorer.value.shape[1])
    model = CompiledModel(scorer, link, classes=labels, decision=decision)
    session = session_of(to_onnx(model))
    assert session.get_outputs()[0].type == label_type
    found = session.run(["label"], {"X": X})[0]
    assert found.tolist() == model.predict(X).tolist()
    assert len(set(found.tolist())) == n_classes


def test_two_classes_at_the_threshold():
    """A probability equal to its threshold is the positive class."""
    scorer = Linear(np.ones((1, 1)), np.zeros(1))
    model = CompiledModel(scorer, "binary", classes=np.array(["no", "yes"]), decision=Decision((0.5, 0.5), positive=0))
    found = session_of(to_onnx(model)).run(["label"], {"X": np.array([[-1.0], [0.0], [1.0]])})[0]
    assert found.tolist() == ["no", "no", "yes"]


# ---------------------------------------------------------------------- the file


def test_the_versions_are_pinned():
    """Opset and format do not depend on the version of onnx; models without trees and texts need no other domain."""
    model = onnx.load_from_string(to_onnx(LinearRegression().fit(X, X[:, 0])).data)
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 13)]
    assert model.ir_version == 7
    model = onnx.load_from_string(to_onnx(CompactTreeRegressor().fit(X, X[:, 0])).data)
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 13), ("ai.onnx.ml", 5)]


def test_the_metadata():
    """Classes, names and kinds of columns, versions, and the fidelity of a selected student."""
    student = DistilledRegressor(
        CompactTreeRegressor(max_leaf_nodes=8).fit(X, X[:, 0]),
        AutoStudent(families=("tree",), max_bytes=2000),
        sampler=None,
        random_state=0,
    ).fit(X)
    found = metadata_of(to_onnx(student))
    fidelity = json.loads(found["fidelity"])
    assert fidelity["low"] <= fidelity["r2"] <= fidelity["high"]
    assert fidelity["r2"] == student.candidates_.chosen.fidelity
    assert found["format"].startswith("skdistill.onnx/")
    assert json.loads(found["feature_names"]) == ["x0", "x1", "x2"]
    found = metadata_of(to_onnx(DecisionTreeClassifier(max_depth=1).fit(X, THREE > 1)))
    assert json.loads(found["classes"]) == [False, True]
    assert "fidelity" not in found


def test_files_are_small():
    """At most five times the compressed pickle, for several classes as sums of trees and as vectors at leaves."""
    rows = np.random.RandomState(0).normal(size=(800, 8))
    classes = np.digitize(rows[:, 0] * rows[:, 1] + rows[:, 2] + np.sin(3 * rows[:, 3]), [-0.5, 0.5])
    student = CompactBoostingClassifier(15, 24, random_state=0).fit(rows, classes)
    forest = RandomForestClassifier(5, random_state=0).fit(rows, classes)
    for model in (student, forest):
        assert len(to_onnx(model, verify=False).data) <= 5 * compile(model).n_bytes


@pytest.mark.parametrize("seed", range(40))
def test_trees_are_written_as_old_versions_read_them(seed):
    """What some versions of onnxruntime answer wrongly does not occur.

    These are trees without a split, which are written as a split with twice the same leaf; splits whose children are a
    leaf and a split at the same position, which are taken for them; and trees that test nothing but categories.
    """
    model = onnx.load_from_string(to_onnx(random_model(seed, "forest"), verify=False).data)
    for node in model.graph.node:
        if node.op_type != "TreeEnsemble":
            continue
        found = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        assert all(np.not_equal(found["nodes_truenodeids"], found["nodes_falsenodeids"]))
        assert len(found["tree_roots"]) == len(set(found["tree_roots"]))
        modes = onnx.numpy_helper.to_array(found["nodes_modes"])
        assert not np.isin(modes, [4, 5, 6]).all()


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20))
def test_packed_integers_are_the_same_model(numbers):
    """Whoever parses the bytes gets the model; on average it is smaller."""
    node = onnx.helper.make_node("Any", ["X"], ["Y"], numbers=[*numbers, 0], name="n" * 300, floats=[0.5])
    output = onnx.helper.make_tensor_value_info("Y", 1, [1])
    model = onnx.helper.make_model(onnx.helper.make_graph([node, node], "g", [output], [output]))
    assert onnx.load_from_string(packed(model)) == model


def test_a_file_is_the_data(tmp_path):
    """The path may be the second argument; the text of the export is empty."""
    exported = to_onnx(CompactTreeRegressor().fit(X, X[:, 0]), tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").read_bytes() == exported.data
    assert exported.text == ""
    assert f"{len(exported.data)} bytes" in repr(exported)


# ---------------------------------------------------------------------- data that look like something else


@settings(max_examples=40)
@given(st.lists(st.sampled_from([*HOSTILE, "label", "label_1", "x1", "x0_1", "\0", "\ud800"]), max_size=8))
def test_names_of_inputs(names):
    """Distinct, not those of outputs, never empty; the name of the column itself wherever possible."""
    outputs = ["label", "probabilities"]
    found = input_names(names, outputs)
    assert len(found) == len(names) == len(set(found))
    assert not set(found) & {*outputs, ""}
    for name, new in zip(names, found, strict=True):
        new.encode()
        is_possible = name not in outputs and name and "\0" not in name and name.isprintable()
        assert new == name or not is_possible or names.count(name) > 1


@pytest.mark.parametrize("name", ["", "\0", "label", "probabilities", "v0", "v1", "X", "skdistill"])
def test_columns_with_any_name(name):
    """Names that are empty, taken by outputs, or that inner values would have."""
    frame = pd.DataFrame({name: ["a", "b"] * 40, "v2": np.arange(80.0), "x0": ["c"] * 80})
    exported = to_onnx(CompactBoostingClassifier(2, 4).fit(frame, np.arange(80) % 4 > 1), X=frame)
    assert exported.largest_difference <= 1e-9


def test_texts_that_onnx_does_not_hold():
    """A lone surrogate in a category or a label, labels of several kinds, integers beyond 64 bits."""
    columns = Columns([np.array(["a", "\ud800"], dtype=object)], np.array([False]))
    scorer = Forest(
        n_features=1,
        feature=np.zeros(0, dtype=int),
        threshold=np.zeros(0),
        missing_left=np.zeros(0, dtype=bool),
        n_left=np.zeros(0, dtype=int),
        tree_splits=np.array([0]),
        tree_output=np.array([0]),
        value=np.array([[1.0]]),
        base=np.zeros(1),
    )
    with pytest.raises(ExportError, match="a category with a lone surrogate"):
        to_onnx(CompiledModel(scorer, columns=columns))
    for labels, words in (
        (["a", "\ud800"], "a class label has a lone surrogate"),
        (["a", 1], "all of them to be texts, or all of them numbers"),
        ([1, 2**70], "expected integers of 64 bits"),
    ):
        with pytest.raises(ExportError, match=words):
            to_onnx(CompiledModel(scorer, "binary", classes=np.array(labels, dtype=object)))


def test_codes_among_numbers():
    """Boosters split on codes in tables of numbers: fractions are cut off, and what is no code goes right."""
    n_codes = 70
    subsets = np.random.RandomState(0).uniform(size=(3, n_codes)) < 0.5
    subsets[1], subsets[2] = False, np.arange(n_codes) == 0
    forest = Forest(
        n_features=2,
        feature=np.array([0, 0, 0, 1]),
        threshold=np.array([0.0, 1.0, 2.0, 0.25]),
        missing_left=np.array([True, False, False, True]),  # categories have no missing cells
        n_left=np.zeros(4, dtype=int),
        tree_splits=np.ones(4, dtype=int),
        tree_output=np.arange(4),
        value=np.tile([[1.0], [0.0]], (4, 1)),
        base=np.zeros(4),
        subsets=subsets,
        is_category=np.array([True, False]),
    )
    codes = [*range(n_codes + 2), -1, -0.5, 0.5, 1.999, n_codes - 0.5, np.nan, np.inf, -np.inf, 1e300, -1e300]
    rows = np.column_stack([codes, np.resize([0.25, 0.5, np.nan], len(codes))])
    assert to_onnx(CompiledModel(forest), X=rows).largest_difference == 0


# ---------------------------------------------------------------------- without the libraries


def test_without_onnx(monkeypatch):
    """One sentence names the extra to install."""
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ExportError, match=r'needs onnx.*pip install "skdistill\[onnx\]"'):
        to_onnx(LinearRegression().fit(X, X[:, 0]))


def test_without_onnxruntime(monkeypatch):
    """The graph is written, and a warning says that it was not run."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.warns(UserWarning, match=r'onnxruntime \(pip install "skdistill\[onnx\]"\) was not found'):
        exported = to_onnx(LinearRegression().fit(X, X[:, 0]))
    assert exported.largest_difference is None
