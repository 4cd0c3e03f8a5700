"""Students and distilled estimators in pipelines that skl2onnx converts."""

import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill import DistilledClassifier
from skdistill.exceptions import ExportError
from skdistill.export import register_skl2onnx
from skdistill.students import (
    CompactBoostingRegressor,
    CompactHybridRegressor,
    CompactKernelRegressor,
    CompactTreeClassifier,
    CompactTreeRegressor,
)

skl2onnx = pytest.importorskip("skl2onnx", reason="skl2onnx is not installed: its converters are not tested")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: converters are not tested")
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType  # noqa: E402 - after the check

X = np.random.RandomState(0).normal(size=(300, 3))
TEXTS = np.array(["low", "mid", "high"])[np.digitize(X[:, 0] + X[:, 1], [-0.5, 0.5])]


def converted(model, kind=DoubleTensorType):
    register_skl2onnx()
    graph = skl2onnx.to_onnx(model, initial_types=[("X", kind([None, 3]))], target_opset={"": 18, "ai.onnx.ml": 3})
    return onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize(
    "student",
    [
        CompactBoostingRegressor(7, 8),
        CompactTreeRegressor(20),
        CompactKernelRegressor(8),
        CompactHybridRegressor((4,), n_trees=3, max_epochs=2),
    ],
    ids=lambda student: type(student).__name__,
)
def test_a_regressor_after_a_scaler(student):
    """The whole pipeline is one graph, in double precision."""
    model = make_pipeline(StandardScaler(), student).fit(X, X[:, 0] * X[:, 1])
    (values,) = converted(model).run(["variable"], {"X": X})
    np.testing.assert_allclose(values[:, 0], model.predict(X), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("student", [CompactTreeClassifier(8), "boosting"])
def test_a_distilled_classifier_after_a_scaler(student):
    """Labels are texts; probabilities are an array, not a list of dicts."""
    teacher = DecisionTreeClassifier(max_depth=4, random_state=0)
    model = make_pipeline(StandardScaler(), DistilledClassifier(teacher, student, sampler=None, random_state=0))
    model.fit(X, TEXTS)
    labels, proba = converted(model).run(["label", "probabilities"], {"X": X})
    np.testing.assert_allclose(proba, model.predict_proba(X), rtol=1e-9, atol=1e-12)
    assert labels.tolist() == model.predict(X).tolist()


def test_missing_cells_and_trees_of_one_leaf():
    """Missing cells take the side that the student takes."""
    holed = np.where(np.random.RandomState(1).random(X.shape) < 0.2, np.nan, X)
    for values in (np.nan_to_num(holed[:, 0]) + np.isnan(holed[:, 1]), np.ones(len(X))):
        student = CompactBoostingRegressor(5, 8).fit(holed, values)
        (answers,) = converted(student).run(None, {"X": holed})
        np.testing.assert_allclose(answers[:, 0], student.predict(holed), rtol=1e-9, atol=1e-12)


def test_inputs_of_floats():
    """Floats are converted to doubles."""
    cells = X.astype(np.float32)
    student = CompactTreeClassifier(8).fit(cells, TEXTS)
    proba = converted(student, FloatTensorType).run(["probabilities"], {"X": cells})[0]
    np.testing.assert_allclose(proba, student.predict_proba(cells), rtol=1e-9)


def test_raw_columns_are_refused():
    """With the function that takes them."""
    frame = pd.DataFrame({"kind": ["a", "b"] * 20, "size": range(40)})
    student = CompactTreeClassifier(4).fit(frame, frame["kind"] == "a")
    with pytest.raises(ExportError, match=r"the column 'kind' of CompactTreeClassifier is a category.* to_onnx"):
        converted(student)


def test_without_skl2onnx(monkeypatch):
    """One sentence says what to install."""
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ExportError, match="needs skl2onnx, which is not installed"):
        register_skl2onnx()
