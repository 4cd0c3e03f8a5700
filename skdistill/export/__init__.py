"""Export of models to other languages: Python without libraries, C, JavaScript and SQL."""

from ._export import Export
from ._functions import to_c, to_javascript, to_python, to_sql

__all__ = ["Export", "to_c", "to_javascript", "to_python", "to_sql"]
