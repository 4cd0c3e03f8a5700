"""Solvers: how trees are grown, networks trained, leaves refitted, and coefficients and landmarks found.

They are given rows as numbers, targets, weights and a loss, and return scorers or their parts. The students build on
them; the room is private, and its names may change from version to version.
"""

from ._binned_tree import TreeData, forest_from_tree
from ._binning import MISSING, BinnedTable
from ._boosting import TreeGrower, TreeTable
from ._discriminator import Discriminator
from ._growing_elsewhere import trees_grown_by
from ._hint_loss import HintLoss
from ._landmarks import MAX_LINEAR_INPUTS, LandmarkSearch, as_values, means_of_rows, narrowed
from ._leaf_order import MAX_ORDERED_LEAVES, LeafOrder, in_order, leaf_orders
from ._leaf_refitting import VALIDATION_SHARE, refit_leaves
from ._leaf_sums import MAX_SUMMED_LEAVES, MAX_SUMMED_TREES, LeafSums, count_leaves, count_trees
from ._learning_rate import GrowingRate, train, without_learning_rate
from ._linear_inputs import LinearInputs, choose_pairs
from ._linear_sums import LinearSums
from ._network_start import Shrinking
from ._network_training import OptimizerSettings, count_validation_rows, fit_network
from ._ordered_refitting import refit_leaves_in_order
from ._pruning import leaf_weights, prune_forest
from ._regression import MAX_GRAM_FEATURES, Features, choose_features, ridge_solution, solve
from ._signed_regression import solve_with_signs
from ._splitting import add_up
from ._tao import fit_tree
from ._tree_constraints import fit_tree_of_sets, ordered_means

__all__ = [
    "MAX_GRAM_FEATURES",
    "MAX_LINEAR_INPUTS",
    "MAX_ORDERED_LEAVES",
    "MAX_SUMMED_LEAVES",
    "MAX_SUMMED_TREES",
    "MISSING",
    "VALIDATION_SHARE",
    "BinnedTable",
    "Discriminator",
    "Features",
    "GrowingRate",
    "HintLoss",
    "LandmarkSearch",
    "LeafOrder",
    "LeafSums",
    "LinearInputs",
    "LinearSums",
    "OptimizerSettings",
    "Shrinking",
    "TreeData",
    "TreeGrower",
    "TreeTable",
    "add_up",
    "as_values",
    "choose_features",
    "choose_pairs",
    "count_leaves",
    "count_trees",
    "count_validation_rows",
    "fit_network",
    "fit_tree",
    "fit_tree_of_sets",
    "forest_from_tree",
    "in_order",
    "leaf_orders",
    "leaf_weights",
    "means_of_rows",
    "narrowed",
    "ordered_means",
    "prune_forest",
    "refit_leaves",
    "refit_leaves_in_order",
    "ridge_solution",
    "solve",
    "solve_with_signs",
    "train",
    "trees_grown_by",
    "without_learning_rate",
]
