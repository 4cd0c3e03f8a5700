"""Export of models to other languages: Python without libraries, C, JavaScript, SQL and ONNX."""

from ._export import Export
from ._functions import to_c, to_javascript, to_python, to_sql
from ._onnx_function import to_onnx
from ._skl2onnx import register_skl2onnx
from ._skops import skops_trusted_types

__all__ = [
    "Export",
    "register_skl2onnx",
    "skops_trusted_types",
    "to_c",
    "to_javascript",
    "to_onnx",
    "to_python",
    "to_sql",
]
