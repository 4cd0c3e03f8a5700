"""The function that exports a model to ONNX."""

import importlib
import json
import os
from typing import Any

from ..convert import unwrap
from ..exceptions import ExportError
from ._export import Draft, Export, exported
from ._onnx import onnx_model
from ._onnx_cells import Input
from ._onnx_packed import packed
from ._onnx_runtime import run_onnx
from ._program import Program

FORMAT = "skdistill.onnx/1"
"""Name and version of the conventions for inputs, outputs and metadata."""


def to_onnx(
    model: Any,
    path: str | os.PathLike[str] | None = None,
    *,
    X: Any = None,
    verify: bool = True,
) -> Export:
    """Export a model as an ONNX graph that computes in double precision.

    If all columns are numbers, the graph has one input ``X`` of doubles of shape (n_rows, n_columns). Otherwise it has
    one input of shape (n_rows, 1) per column, with the name of the column: doubles for numbers (booleans are 1 and 0),
    int64 for dates and durations (microseconds, those of dates since 1970 in UTC), and strings for categories. The
    number of rows is free. Missing cells are NaN, for dates and durations the smallest int64 (``NaT`` in numpy), and
    for categories the empty string or any other text that is no category.

    The outputs are ``label`` and ``probabilities`` for classifiers, and ``variable`` for regressors: doubles of shape
    (n_rows, n_outputs). Labels are int64 (also for booleans and whole floats), strings, or doubles.

    Parameters
    ----------
    model : estimator
        A fitted model, as for :func:`skdistill.compile`. Its parameters are exported at full precision.
    path : str, path-like or None, default=None
        File to write. An existing file is replaced.
    X : table of shape (n_samples, n_features) or None, default=None
        Rows on which the exported model is compared with the model, in addition to drawn rows. At most 2,000 of them
        are compared.
    verify : bool, default=True
        Whether the exported model is run in onnxruntime and compared with the compiled model, as by
        :func:`~skdistill.export.to_python`. A warning is issued if onnxruntime is not installed.

    Returns
    -------
    export : Export
        Its attribute ``data`` contains the graph as bytes.

    Raises
    ------
    ExportError
        If onnx is not installed, if the model cannot be exported, or if an output differs by more than 1e-9 of the
        scale of the outputs. Then no file is written.
    CompileError
        If the model cannot be compiled.

    Notes
    -----
    The graph uses the operators of opset 13. Trees use version 5 of the operators for machine learning, the first one
    whose trees add up doubles; onnxruntime has it from version 1.21 on. Thresholds of models that round their rows to
    float32 are stored as the doubles that separate the same rows, so that cells are never rounded.

    The metadata of the graph describes it: ``format``, ``skdistill_version``, ``feature_names``, ``columns`` (for each
    column its name, its kind, its input, its unit, and the text of a missing category), ``classes``, and ``fidelity``
    if the student was selected by :class:`~skdistill.AutoStudent`. All but the first two are JSON.

    Examples
    --------
    >>> import numpy as np
    >>> import onnxruntime
    >>> from sklearn.linear_model import LinearRegression
    >>> from skdistill.export import to_onnx
    >>> exported = to_onnx(LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]))
    >>> session = onnxruntime.InferenceSession(exported.data)
    >>> session.run(["variable"], {"X": np.array([[2.0], [3.0]])})[0].round(6)
    array([[5.],
           [7.]])
    """
    _need_onnx()

    def write(program: Program) -> Draft:
        from onnx import checker

        graph, inputs = onnx_model(program, lambda inputs: _metadata(model, program, inputs))
        checker.check_model(graph, full_check=True)
        data = packed(graph)
        return Draft("", lambda rows: run_onnx(program, data, inputs, rows.plain), data=data)

    return exported(model, "onnx", write, X=X, verify=verify, path=path)


def _need_onnx() -> None:
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise ExportError('to_onnx needs onnx, which is not installed: pip install "skdistill[onnx]".') from None


def _metadata(model: Any, program: Program, inputs: list[Input]) -> dict[str, str]:
    """Return the properties of the graph."""
    found = {
        "format": FORMAT,
        "skdistill_version": importlib.import_module(__name__.split(".", maxsplit=1)[0]).__version__,
        "feature_names": json.dumps([column.name for column in program.columns]),
        "columns": json.dumps(_described_columns(program, inputs)),
    }
    if program.classes is not None:
        found["classes"] = json.dumps(program.classes)
    candidates = getattr(unwrap(model).model, "candidates_", None)
    chosen = getattr(candidates, "chosen", None)
    if chosen is not None and chosen.fidelity == chosen.fidelity:
        interval = {"low": chosen.fidelity_low, "high": chosen.fidelity_high}
        found["fidelity"] = json.dumps({"r2": chosen.fidelity, **interval, "validated_on": chosen.validated_on})
    return found


def _described_columns(program: Program, inputs: list[Input]) -> list[dict[str, str]]:
    """Return the input, the kind, the unit and the missing text of each column."""
    described = []
    for place, column in enumerate(program.columns):
        each = inputs[0 if inputs[0].kind == "table" else place]
        entry = {"name": column.name, "kind": column.kind, "input": each.name}
        if column.kind == "time":
            entry["unit"] = "microseconds"
        if each.missing is not None:
            entry["missing"] = each.missing
        described.append(entry)
    return described
