"""Trees as the operator ``TreeEnsembleRegressor``, for converters that do not know ``TreeEnsemble``.

The operator compares doubles, but returns floats. So it returns the number of a leaf, which a float holds exactly, and
the values of leaves are looked up as doubles.
"""

import numpy as np

from ..exceptions import ExportError
from ._children import Children
from ._onnx_graph import ML, Graph, tensor
from ._program import Trees

MAX_LEAVES = 2**24
"""Maximum number of distinct leaves: larger integers are not exact as floats."""


def add_regressor(graph: Graph, cells: str, trees: Trees) -> str:
    """Add trees that have a value for each score at each leaf, and at least one split each; return their scores."""
    from onnx import TensorProto

    if trees.is_category.any():
        raise ExportError(
            "register_skl2onnx: a tree splits by categories, for which skl2onnx has no operator. Export with to_onnx."
        )
    distinct, number = np.unique(trees.value, axis=0, return_inverse=True)
    if len(distinct) > MAX_LEAVES:
        raise ExportError(
            f"register_skl2onnx: the trees have {len(distinct):,} distinct leaves; expected at most {MAX_LEAVES:,}. "
            "Distil the model first."
        )
    leaves = _add_numbers(graph, cells, trees, number.ravel())
    values = graph.add("Gather", graph.constant(distinct), graph.add("Cast", leaves, to=TensorProto.INT64), axis=0)
    return graph.add("ReduceSum", values, graph.constant(np.array([1])), keepdims=0)


def _add_numbers(graph: Graph, cells: str, trees: Trees, number: np.ndarray) -> str:
    """Add the operator, which returns the number of the leaf of each tree. Leaves have the nodes after the splits."""
    children, n_trees = Children.of(trees), len(trees.tree_splits)
    of_split, of_leaf = (np.repeat(np.arange(n_trees), trees.tree_splits + extra) for extra in (0, 1))
    first_split = np.cumsum(trees.tree_splits) - trees.tree_splits
    first_leaf = np.cumsum(trees.tree_splits + 1) - trees.tree_splits - 1
    node_of_split = np.arange(len(of_split)) - first_split[of_split]
    node_of_leaf = np.arange(len(of_leaf)) - first_leaf[of_leaf] + trees.tree_splits[of_leaf]
    left = np.where(children.left_is_leaf, _at(node_of_leaf, children.left), _at(node_of_split, children.left))
    right = np.where(children.right_is_leaf, _at(node_of_leaf, children.right), _at(node_of_split, children.right))
    none = np.zeros(len(of_leaf), dtype=np.int64)
    tree = np.append(of_split, of_leaf)
    order = np.argsort(tree, kind="stable")  # the root of a tree is its first node
    return graph.add(
        "TreeEnsembleRegressor",
        cells,
        domain=ML,
        n_targets=n_trees,
        nodes_treeids=tree[order].tolist(),
        nodes_nodeids=np.append(node_of_split, node_of_leaf)[order].tolist(),
        nodes_featureids=np.append(trees.column, none)[order].tolist(),
        nodes_modes=np.append(np.full(len(of_split), "BRANCH_LEQ"), np.full(len(of_leaf), "LEAF"))[order].tolist(),
        nodes_values_as_tensor=tensor(np.append(trees.bound, none.astype(np.float64))[order]),
        nodes_truenodeids=np.append(left, none)[order].tolist(),
        nodes_falsenodeids=np.append(right, none)[order].tolist(),
        nodes_missing_value_tracks_true=np.append(trees.missing_left.astype(np.int64), none)[order].tolist(),
        target_treeids=of_leaf.tolist(),
        target_nodeids=node_of_leaf.tolist(),
        target_ids=of_leaf.tolist(),
        target_weights_as_tensor=tensor(number.astype(np.float64)),
    )


def _at(nodes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the nodes of children of one kind; places of the other kind, which may be larger, get any node."""
    return nodes[np.minimum(places, len(nodes) - 1)]
