"""Compiled models: flat arrays that predict, with nothing but numpy."""

from ._columns import Columns
from ._forest import Forest
from ._lightgbm import forest_from_lightgbm, header_value
from ._linear import Linear
from ._links import LINKS
from ._model import CompiledModel
from ._nodes import forest_from_nodes, round_down, stack_outputs

__all__ = [
    "LINKS",
    "Columns",
    "CompiledModel",
    "Forest",
    "Linear",
    "forest_from_lightgbm",
    "forest_from_nodes",
    "header_value",
    "round_down",
    "stack_outputs",
]
