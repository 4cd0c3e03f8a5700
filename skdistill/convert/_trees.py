"""Trees of scikit-learn: their nodes, and the conversion to a forest scorer."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..compiled import Forest
from ..compiled._nodes import forest_from_nodes, round_down


@dataclass(frozen=True)
class Trees:
    """The nodes of all trees of a model in the order of its library.

    Parameters
    ----------
    n_features : int
    root : ndarray of int, shape (n_trees,)
        First node of each tree.
    left, right : ndarray of int, shape (n_nodes,)
        Children of each node; -1 for leaves.
    feature, threshold, missing_left : ndarray of shape (n_nodes,)
        Splits as in :class:`~skdistill.compiled.Forest`; the entries of leaves are ignored.
    value : ndarray of shape (n_nodes, width)
        Leaf values; the entries of splits are ignored.
    tree_output : ndarray of int, shape (n_trees,)
        First output that each tree adds to.
    n_outputs : int
    start : ndarray of shape (n_outputs,) or None, default=None
        Learned constant that is added to the sums of the trees; ``None`` if there is none.
    subsets, is_category : ndarray or None, default=None
        Categorical splits as in :class:`~skdistill.compiled.Forest`.
    n_rows : ndarray of shape (n_nodes,) or None, default=None
        Number, or weight, of the training rows of each node; ``None`` if it was not read.
    """

    n_features: int
    root: np.ndarray
    left: np.ndarray
    right: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray
    value: np.ndarray
    tree_output: np.ndarray
    n_outputs: int
    start: np.ndarray | None = None
    subsets: np.ndarray | None = None
    is_category: np.ndarray | None = None
    n_rows: np.ndarray | None = None

    def forest(self) -> Forest:
        """Return the forest scorer."""
        order = np.argsort(self.tree_output, kind="stable")
        return forest_from_nodes(
            n_features=self.n_features,
            root=self.root[order],
            left=self.left,
            right=self.right,
            feature=self.feature,
            threshold=self.threshold,
            missing_left=self.missing_left,
            value=self.value,
            tree_output=self.tree_output[order],
            base=np.zeros(self.n_outputs) if self.start is None else self.start,
            subsets=self.subsets,
            is_category=self.is_category,
        )

    @property
    def n_parameters(self) -> int:
        """Number of learned parameters: feature and threshold of each split, leaf values, and the constant."""
        n_splits = int(np.count_nonzero(self.left >= 0))
        n_leaves = len(self.left) - n_splits
        return 2 * n_splits + self.value.shape[1] * n_leaves + (0 if self.start is None else self.start.size)

    @property
    def n_operations(self) -> float:
        """Number of operations per row: comparisons at the mean depth of the leaves of each tree, and additions."""
        depth, tree = np.zeros(len(self.left), dtype=np.int64), np.zeros(len(self.left), dtype=np.int64)
        level, n_levels = self.root, 0
        tree[level] = np.arange(len(level))
        while len(level):
            depth[level], n_levels = n_levels, n_levels + 1
            splits = level[self.left[level] >= 0]
            level = np.concatenate([self.left[splits], self.right[splits]])
            tree[level] = np.tile(tree[splits], 2)
        leaves = np.flatnonzero(self.left < 0)
        mean_depth = np.bincount(tree[leaves], depth[leaves]) / np.bincount(tree[leaves])
        return float(sum((mean_depth + self.value.shape[1]).tolist()))


def trees_of_sklearn(model: Any) -> Trees:
    """Read a scikit-learn tree or the mean of the trees of a forest."""
    members = [member.tree_ for member in getattr(model, "estimators_", [model])]
    nodes = joined_nodes(members)
    return replace(nodes, value=nodes.value / len(members))


def joined_nodes(members: list[Any]) -> Trees:
    """Return the nodes of fitted ``tree_`` objects, all of which add to the same outputs."""
    size = np.array([member.node_count for member in members])
    root = np.cumsum(size) - size
    shift = np.repeat(root, size)

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(member, name) for member in members])

    left, right = joined("children_left"), joined("children_right")
    value = joined("value")
    value = value.reshape(len(value), -1)
    return Trees(
        n_features=members[0].n_features,
        root=root,
        left=np.where(left >= 0, left + shift, -1),
        right=np.where(right >= 0, right + shift, -1),
        feature=joined("feature"),
        threshold=round_down(joined("threshold")),  # rows are rounded to float32
        missing_left=joined("missing_go_to_left").astype(bool),
        value=value,
        tree_output=np.zeros(len(members), dtype=np.int64),
        n_outputs=value.shape[1],
        n_rows=joined("weighted_n_node_samples"),
    )


def trees_of_histograms(model: Any) -> Trees:
    """Read histogram gradient boosting of scikit-learn; categorical splits are read as numeric splits."""
    members = [predictor.nodes for of_iteration in model._predictors for predictor in of_iteration]
    size = np.array([len(nodes) for nodes in members], dtype=np.int64)
    root = np.cumsum(size) - size
    shift = np.repeat(root, size)
    nodes = np.concatenate(members)
    is_leaf = nodes["is_leaf"].astype(bool)
    start = np.ravel(model._baseline_prediction)
    return Trees(
        n_features=model.n_features_in_,
        root=root,
        left=np.where(is_leaf, -1, nodes["left"] + shift),
        right=np.where(is_leaf, -1, nodes["right"] + shift),
        feature=nodes["feature_idx"].astype(np.int64),
        threshold=nodes["num_threshold"].astype(np.float64),
        missing_left=nodes["missing_go_to_left"].astype(bool),
        value=nodes["value"][:, None].astype(np.float64),
        tree_output=np.arange(len(members)) % len(start),
        n_outputs=len(start),
        start=start.astype(np.float64),
        n_rows=nodes["count"].astype(np.float64),
    )
