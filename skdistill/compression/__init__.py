"""Smaller models from fitted ones, on a transfer set: parts of a teacher within a budget, and chains of steps.

:func:`skdistill.compress` applies a chain of steps to any model that can be compiled.
"""

from ._budget import Budget
from ._chain import Compression
from ._lossless import without_redundancy
from ._reading import Inheritance, read_inheritance
from ._shared_thresholds import share_thresholds
from ._steps import LowRank, Prune, Quantize, ShareThresholds, Step
from ._tree_path import prune_tree
from ._tree_pruning import prune_trees
from ._tree_selection import select_trees
from ._unit_pruning import prune_units
from ._weight_path import select_weights

__all__ = [
    "Budget",
    "Compression",
    "Inheritance",
    "LowRank",
    "Prune",
    "Quantize",
    "ShareThresholds",
    "Step",
    "prune_tree",
    "prune_trees",
    "prune_units",
    "read_inheritance",
    "select_trees",
    "select_weights",
    "share_thresholds",
    "without_redundancy",
]
