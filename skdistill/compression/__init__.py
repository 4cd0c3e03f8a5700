"""Compression of fitted models: scorers become smaller scorers, on a transfer set and within a budget."""

from ._budget import Budget
from ._shared_thresholds import share_thresholds
from ._tree_selection import select_trees

__all__ = ["Budget", "select_trees", "share_thresholds"]
