"""Solvers: how trees are grown, networks trained, leaves refitted, and coefficients and landmarks found.

They are given rows as numbers, targets, weights and a loss, and return scorers or their parts. The students build on
them; the room is private, and its names may change from version to version.
"""

from ._binned_tree import TreeData, forest_from_tree
from ._binning import MISSING, BinnedTable
from ._boosting import TreeGrower, TreeTable
from ._landmarks import MAX_LINEAR_INPUTS, LandmarkSearch, as_values, means_of_rows, narrowed
from ._leaf_refitting import VALIDATION_SHARE, refit_leaves
from ._linear_inputs import LinearInputs, choose_pairs
from ._network_start import Shrinking
from ._network_training import OptimizerSettings, fit_network
from ._pruning import leaf_weights, prune_forest
from ._regression import choose_features, ridge_solution, solve
from ._splitting import add_up
from ._tao import fit_tree

__all__ = [
    "MAX_LINEAR_INPUTS",
    "MISSING",
    "VALIDATION_SHARE",
    "BinnedTable",
    "LandmarkSearch",
    "LinearInputs",
    "OptimizerSettings",
    "Shrinking",
    "TreeData",
    "TreeGrower",
    "TreeTable",
    "add_up",
    "as_values",
    "choose_features",
    "choose_pairs",
    "fit_network",
    "fit_tree",
    "forest_from_tree",
    "leaf_weights",
    "means_of_rows",
    "narrowed",
    "prune_forest",
    "refit_leaves",
    "ridge_solution",
    "solve",
]
