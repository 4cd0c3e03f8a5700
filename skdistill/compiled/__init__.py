"""Compiled models: prediction from flat arrays with numpy only."""

from ._cascade import CompiledCascade
from ._columns import Columns
from ._computed import Computed
from ._decision import Decision
from ._design import Design
from ._exact_columns import ExactColumns
from ._forest import Forest
from ._intervals import ConformalIntervals
from ._isotonic import Isotonic
from ._kernel import Landmarks
from ._linear import Linear
from ._model import CompiledModel
from ._network import Network
from ._scorer import Scorer, scorer_from_content
from ._sum import Sum

__all__ = [
    "Columns",
    "CompiledCascade",
    "CompiledModel",
    "Computed",
    "ConformalIntervals",
    "Decision",
    "Design",
    "ExactColumns",
    "Forest",
    "Isotonic",
    "Landmarks",
    "Linear",
    "Network",
    "Scorer",
    "Sum",
    "scorer_from_content",
]
