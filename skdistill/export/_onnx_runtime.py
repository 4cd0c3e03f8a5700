"""Running an exported ONNX graph in onnxruntime."""

from typing import Any

from ..exceptions import ExportError
from ._onnx_cells import Input, feed
from ._program import Program
from ._runtimes import Answers, NoRuntimeError

FATAL = 4
"""Level of logging at which onnxruntime writes nothing: its errors are raised."""


def run_onnx(program: Program, data: bytes, inputs: list[Input], rows: list[list[Any]]) -> Answers:
    """Run a graph on rows of floats, texts and ``None``."""
    try:
        import onnxruntime
    except ImportError:
        raise NoRuntimeError('onnxruntime (pip install "skdistill[onnx]")') from None
    options = onnxruntime.SessionOptions()
    options.log_severity_level = FATAL
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        *labels, outputs = session.run(None, feed(inputs, rows))
    except Exception as error:  # the errors of onnxruntime have no base class of their own
        raise ExportError(f"export: onnxruntime failed on the exported model: {error}") from error
    if program.classes is None:
        return outputs.tolist(), None
    place = {label: index for index, label in enumerate(program.classes)}
    return outputs.tolist(), [place[label] for label in labels[0].tolist()]
