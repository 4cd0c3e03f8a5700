"""Compiled models: prediction from flat arrays with numpy only."""

from ._columns import Columns
from ._decision import Decision
from ._design import Design
from ._forest import Forest
from ._kernel import Landmarks
from ._linear import Linear
from ._model import CompiledModel
from ._network import Network
from ._scorer import Scorer, scorer_from_content
from ._sum import Sum

__all__ = [
    "Columns",
    "CompiledModel",
    "Decision",
    "Design",
    "Forest",
    "Landmarks",
    "Linear",
    "Network",
    "Scorer",
    "Sum",
    "scorer_from_content",
]
