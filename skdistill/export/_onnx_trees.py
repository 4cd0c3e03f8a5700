"""Trees as nodes of ONNX: the operator ``TreeEnsemble``, which compares and adds up in double precision."""

from dataclasses import replace
from typing import Any

import numpy as np

from ..compiled._forest import Spans
from ._onnx_graph import ML, Graph, tensor
from ._program import Trees

LESS_OR_EQUAL, LESS, EQUAL, MEMBER = 0, 1, 4, 6
"""Comparisons of a split."""

OF_SUBSET = np.array([LESS, EQUAL, MEMBER], dtype=np.uint8)
"""Comparison with no category (nothing is less than minus infinity), with one, and with several."""


def add_trees(graph: Graph, cells: str, trees: Trees) -> str:
    """Add trees and return the name of their scores, of shape (n_rows, n_scores).

    A leaf of the operator holds one number. If leaves have several values, it is the number of the leaf, by which the
    values are looked up.
    """
    n_scores = len(trees.base)
    trees = _with_every_output(trees)
    if trees.value.shape[1] == 1:
        return _add_ensemble(graph, cells, trees, trees.tree_output, trees.value[:, 0], n_scores)
    return _add_looked_up(graph, cells, trees)


def _with_every_output(trees: Trees) -> Trees:
    """Return trees whose leaves contain the base; outputs without a tree get one of a single leaf."""
    n_scores, width = len(trees.base), trees.value.shape[1]
    if width > 1:
        width = n_scores
        value = np.zeros((len(trees.value), n_scores))
        first = np.repeat(trees.tree_output, trees.tree_splits + 1)
        value[np.arange(len(value))[:, None], first[:, None] + np.arange(trees.value.shape[1])] = trees.value
        trees = replace(trees, value=value, tree_output=np.zeros_like(trees.tree_output))
    missing = np.setdiff1d(np.arange(1 if width > 1 else n_scores), trees.tree_output)
    output = np.append(trees.tree_output, missing)
    value = np.concatenate([trees.value, np.zeros((len(missing), width))])
    splits = np.append(trees.tree_splits, np.zeros(len(missing), dtype=np.int64))
    first_tree = np.unique(output, return_index=True)[1]
    last_leaf = np.cumsum(splits + 1)
    for tree in first_tree.tolist():
        leaves = slice(last_leaf[tree] - splits[tree] - 1, last_leaf[tree])
        value[leaves] += trees.base[output[tree] : output[tree] + width]
    return replace(trees, tree_output=output, tree_splits=splits, value=value)


def _add_looked_up(graph: Graph, cells: str, trees: Trees) -> str:
    """Add trees whose leaves have a value for each output."""
    from onnx import TensorProto

    n_trees = len(trees.tree_splits)
    distinct, number = np.unique(trees.value, axis=0, return_inverse=True)
    leaves = _add_ensemble(graph, cells, trees, np.arange(n_trees), number.ravel(), n_trees)
    places, values = graph.add("Cast", leaves, to=TensorProto.INT64), graph.constant(distinct)
    if n_trees == 1:
        return graph.add("GatherND", values, places)
    found = graph.add("Gather", values, places, axis=0)
    return graph.add("ReduceSum", found, graph.constant(np.array([1])), keepdims=0)


def _add_ensemble(graph: Graph, cells: str, trees: Trees, target: np.ndarray, value: np.ndarray, n_targets: int) -> str:
    """Add the operator: trees with one number a leaf, which is added to a target of each tree.

    Leaves of the same target and number are stored once.
    """
    of_leaves = np.column_stack([np.repeat(target, trees.tree_splits + 1), value]).astype(np.float64)
    distinct, leaf = np.unique(of_leaves, axis=0, return_inverse=True)
    nodes = _Nodes.of(trees, leaf.ravel())
    attributes = {
        "n_targets": n_targets,
        "tree_roots": nodes.root.tolist(),
        "nodes_featureids": nodes.column.tolist(),
        "nodes_modes": tensor(nodes.mode),
        "nodes_splits": tensor(nodes.split),
        "nodes_truenodeids": nodes.left.tolist(),
        "nodes_falsenodeids": nodes.right.tolist(),
        "nodes_trueleafs": nodes.left_is_leaf.tolist(),
        "nodes_falseleafs": nodes.right_is_leaf.tolist(),
        "leaf_targetids": distinct[:, 0].astype(np.int64).tolist(),
        "leaf_weights": tensor(distinct[:, 1]),
    }
    if nodes.missing_left.any():
        attributes["nodes_missing_value_tracks_true"] = nodes.missing_left.tolist()
    if len(nodes.members):
        attributes["membership_values"] = tensor(nodes.members)
    return graph.add("TreeEnsemble", cells, domain=ML, **attributes)


class _Nodes:
    """The splits of all trees with pointers to their children; a tree without splits has one with the same children."""

    def __init__(self, n_nodes: int) -> None:
        self.column, self.missing_left = np.zeros((2, n_nodes), dtype=np.int64)
        self.left, self.right = np.zeros((2, n_nodes), dtype=np.int64)
        self.left_is_leaf, self.right_is_leaf = np.ones((2, n_nodes), dtype=np.int64)
        self.mode = np.zeros(n_nodes, dtype=np.uint8)
        self.split = np.zeros(n_nodes)
        self.root: Any = None
        self.members = np.zeros(0)

    @classmethod
    def of(cls, trees: Trees, leaf: np.ndarray) -> "_Nodes":
        n_nodes = np.maximum(trees.tree_splits, 1)
        nodes = cls(int(n_nodes.sum()))
        nodes.root = np.cumsum(n_nodes) - n_nodes
        nodes._point(trees, leaf)
        nodes._compare(trees)
        return nodes

    def _point(self, trees: Trees, stored: np.ndarray) -> None:
        """Set the children of each node: other nodes, or the leaves as which its leaves are stored."""
        first_leaf = np.cumsum(trees.tree_splits + 1) - trees.tree_splits - 1
        alone = trees.tree_splits == 0
        self.left[self.root[alone]] = self.right[self.root[alone]] = stored[first_leaf[alone]]
        spans = Spans.of(trees.n_left, trees.tree_splits)
        n_right = spans.n_splits - 1 - trees.n_left
        leaf = spans.first_leaf + np.repeat(first_leaf, trees.tree_splits)
        at = self._of_splits(trees)
        self.left_is_leaf[at], self.right_is_leaf[at] = trees.n_left == 0, n_right == 0
        self.left[at] = np.where(trees.n_left == 0, stored[leaf], at + 1)
        self.right[at] = np.where(n_right == 0, stored[leaf + trees.n_left + 1], at + 1 + trees.n_left)

    def _of_splits(self, trees: Trees) -> np.ndarray:
        """Return the node of each split."""
        first_split = np.cumsum(trees.tree_splits) - trees.tree_splits
        return np.arange(len(trees.column)) + np.repeat(self.root - first_split, trees.tree_splits)

    def _compare(self, trees: Trees) -> None:
        """Set the comparison of each node; bounds are those that need no rounding of cells."""
        at = self._of_splits(trees)
        self.column[at] = trees.column
        self.missing_left[at] = trees.missing_left & ~trees.is_category
        self.mode[at] = LESS_OR_EQUAL
        self.split[at] = trees.bound
        coded = np.flatnonzero(trees.is_category)
        if len(coded) == 0:
            return
        subsets = trees.subsets[trees.bound[coded].astype(np.int64)]
        n_codes = subsets.sum(axis=1)
        self.mode[at[coded]] = OF_SUBSET[np.minimum(n_codes, 2)]
        self.split[at[coded]] = np.where(n_codes == 0, -np.inf, subsets.argmax(axis=1))
        lists = [[*np.flatnonzero(codes).tolist(), np.nan] for codes in subsets[n_codes > 1]]
        self.members = np.array([code for codes in lists for code in codes], dtype=np.float64)
