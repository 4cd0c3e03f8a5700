"""Export of models to other languages: Python without libraries, C, JavaScript, SQL and ONNX."""

from ._export import Export
from ._functions import to_c, to_javascript, to_python, to_sql
from ._onnx_function import to_onnx

__all__ = ["Export", "to_c", "to_javascript", "to_onnx", "to_python", "to_sql"]
