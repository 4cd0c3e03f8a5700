"""Compression of fitted models: scorers become smaller scorers, on a transfer set and within a budget."""

from ._budget import Budget
from ._reading import Inheritance, read_inheritance
from ._shared_thresholds import share_thresholds
from ._tree_path import prune_tree
from ._tree_pruning import prune_trees
from ._tree_selection import select_trees
from ._unit_pruning import prune_units
from ._weight_path import select_weights

__all__ = [
    "Budget",
    "Inheritance",
    "prune_tree",
    "prune_trees",
    "prune_units",
    "read_inheritance",
    "select_trees",
    "select_weights",
    "share_thresholds",
]
