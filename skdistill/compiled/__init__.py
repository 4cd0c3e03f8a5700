"""Compiled models: flat arrays that predict, with nothing but numpy."""

from ._columns import Columns
from ._forest import Forest
from ._linear import Linear
from ._model import CompiledModel

__all__ = ["Columns", "CompiledModel", "Forest", "Linear"]
