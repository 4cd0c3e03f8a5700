"""Trees as nodes of ONNX: the operator ``TreeEnsemble``, which compares and adds up in double precision."""

from dataclasses import replace
from typing import Any

import numpy as np

from ._children import Children
from ._onnx_graph import ML, Graph, tensor
from ._onnx_regressor import add_regressor
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
    if graph.ml_version < 5:
        return add_regressor(graph, cells, _with_splits(_with_base(_with_all_outputs(trees))))
    n_scores = len(trees.base)
    trees = trees if trees.value.shape[1] == 1 else _with_all_outputs(trees)
    trees = _with_splits(_with_numbers(_with_base(trees)))
    if trees.value.shape[1] == 1:
        return _add_ensemble(graph, cells, trees, trees.tree_output, trees.value[:, 0], n_scores)
    return _add_looked_up(graph, cells, trees)


def _with_all_outputs(trees: Trees) -> Trees:
    """Return trees with a value for every output at each leaf."""
    width, first = trees.value.shape[1], np.repeat(trees.tree_output, trees.tree_splits + 1)
    value = np.zeros((len(trees.value), len(trees.base)))
    value[np.arange(len(value))[:, None], first[:, None] + np.arange(width)] = trees.value
    return replace(trees, value=value, tree_output=np.zeros_like(trees.tree_output))


def _with_base(trees: Trees) -> Trees:
    """Return trees with the base added to the leaves of one tree; outputs without a tree get one of a single leaf."""
    width = trees.value.shape[1]
    bases = trees.base.reshape(-1, width)
    missing = np.setdiff1d(np.flatnonzero(bases.any(axis=1)), trees.tree_output)
    missing = np.zeros(1, dtype=np.int64) if len(trees.tree_splits) + len(missing) == 0 else missing
    output = np.append(trees.tree_output, missing)
    splits = np.append(trees.tree_splits, np.zeros(len(missing), dtype=np.int64))
    value = np.concatenate([trees.value, np.zeros((len(missing), width))])
    is_first = np.isin(np.arange(len(output)), np.unique(output, return_index=True)[1])
    leaves = np.repeat(is_first, splits + 1)
    value[leaves] += bases[np.repeat(output, splits + 1)[leaves]]
    return replace(trees, tree_output=output, tree_splits=splits, value=value)


def _with_numbers(trees: Trees) -> Trees:
    """Return trees that do not only test categories: versions of onnxruntime before 1.23 answer such trees wrongly."""
    if len(trees.column) == 0 or not trees.is_category.all():
        return trees
    return replace(
        trees,
        tree_output=np.append(trees.tree_output, 0),
        tree_splits=np.append(trees.tree_splits, 0),  # it gets a split that compares a number
        value=np.concatenate([trees.value, np.zeros((1, trees.value.shape[1]))]),
    )


def _with_splits(trees: Trees) -> Trees:
    """Return trees with a split each, as some versions of onnxruntime need them."""
    alone = trees.tree_splits == 0
    at = np.cumsum(trees.tree_splits)[alone]
    inserted = {
        name: np.insert(getattr(trees, name), at, 0)
        for name in ("column", "bound", "missing_left", "is_category", "n_left")
    }
    value = np.repeat(trees.value, np.repeat(1 + alone, trees.tree_splits + 1), axis=0)
    return replace(trees, **inserted, value=value, tree_splits=trees.tree_splits + alone)


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

    Leaves of the same target and number are stored once, except for the two of one split: a split with twice the same
    leaf stands for a tree without splits.
    """
    children = Children.of(trees)
    of_leaves = [np.repeat(target, trees.tree_splits + 1), value, children.is_second]
    distinct, stored = np.unique(np.column_stack(of_leaves).astype(np.float64), axis=0, return_inverse=True)
    shift = children.shift_of_leaves(stored.ravel(), len(distinct))
    distinct, stored = np.roll(distinct, shift, axis=0), (stored.ravel() + shift) % len(distinct)
    mode, split, members = _comparisons(trees)
    missing_left = trees.missing_left & ~trees.is_category
    optional: dict[str, Any] = {}
    if missing_left.any():
        optional["nodes_missing_value_tracks_true"] = missing_left.astype(np.int64).tolist()
    if len(members):
        optional["membership_values"] = tensor(members)
    return graph.add(
        "TreeEnsemble",
        cells,
        domain=ML,
        n_targets=n_targets,
        tree_roots=(np.cumsum(trees.tree_splits) - trees.tree_splits).tolist(),
        nodes_featureids=trees.column.tolist(),
        nodes_modes=tensor(mode),
        nodes_splits=tensor(split),
        nodes_truenodeids=np.where(children.left_is_leaf, stored[children.left], children.left).tolist(),
        nodes_falsenodeids=np.where(children.right_is_leaf, stored[children.right], children.right).tolist(),
        nodes_trueleafs=children.left_is_leaf.astype(np.int64).tolist(),
        nodes_falseleafs=children.right_is_leaf.astype(np.int64).tolist(),
        leaf_targetids=distinct[:, 0].astype(np.int64).tolist(),
        leaf_weights=tensor(distinct[:, 1]),
        **optional,
    )


def _comparisons(trees: Trees) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the comparison and the number of each split, and the lists of codes, each of which ends with NaN.

    Numbers are bounds that need no rounding of cells.
    """
    mode, split = np.full(len(trees.bound), LESS_OR_EQUAL, dtype=np.uint8), trees.bound.copy()
    coded = np.flatnonzero(trees.is_category)
    if len(coded) == 0:
        return mode, split, np.zeros(0)
    subsets = trees.subsets[trees.bound[coded].astype(np.int64)]
    n_codes = subsets.sum(axis=1)
    mode[coded] = OF_SUBSET[np.minimum(n_codes, 2)]
    split[coded] = np.where(n_codes == 0, -np.inf, subsets.argmax(axis=1))
    lists = [[*np.flatnonzero(codes).tolist(), np.nan] for codes in subsets[n_codes > 1]]
    return mode, split, np.array([code for codes in lists for code in codes], dtype=np.float64)
