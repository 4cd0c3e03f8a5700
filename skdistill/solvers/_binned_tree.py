"""A tree of codes: nodes with pointers that can be split, merged and replaced, and its training data."""

from typing import Any, Self

import numpy as np

from ..compiled import Forest
from ..compiled._nodes import forest_from_nodes
from ._binning import MISSING, BinnedTable
from ._splitting import Splits


class TreeData:
    """Training data of a tree.

    Parameters
    ----------
    table : BinnedTable
    targets : ndarray of shape (n_rows, n_outputs)
    weight : ndarray of shape (n_rows,)
        All above zero.
    min_rows : int
        Minimum number of rows of a leaf.
    features : ndarray of int, default=None
        Columns that splits are chosen from; ``None`` means all columns.
    """

    def __init__(
        self,
        table: BinnedTable,
        targets: np.ndarray,
        weight: np.ndarray,
        min_rows: int,
        features: np.ndarray | None = None,
    ) -> None:
        self.table = table
        self.targets = targets
        self.weight = weight
        self.min_rows = min_rows
        self.features = features
        self.sums = np.column_stack([np.ones(len(weight)), weight, weight[:, None] * targets])
        self.squares = float(np.sum(weight[:, None] * targets**2))
        self.limits: dict[str, Any] = {"min_rows": min_rows, "unit": max(self.squares, 1e-300), "features": features}

    def __len__(self) -> int:
        return len(self.weight)

    def take(self, rows: np.ndarray) -> Self:
        """Return some of the rows."""
        return type(self)(self.table.take(rows), self.targets[rows], self.weight[rows], self.min_rows, self.features)

    def only(self, features: np.ndarray) -> Self:
        """Return the same rows, with splits from some columns only."""
        return type(self)(self.table, self.targets, self.weight, self.min_rows, features)


class Tree:
    """A binary tree of codes as nodes with pointers; the first node is the root.

    Parameters
    ----------
    n_nodes : int
        Maximum number of nodes.

    Attributes
    ----------
    left, right : ndarray of int, shape (n_nodes,)
        Children; -1 for leaves and for nodes that are not in use.
    feature : ndarray of int, shape (n_nodes,)
    goes_left : ndarray of bool, shape (n_nodes, 256)
        Which codes of the feature go left.
    """

    def __init__(self, n_nodes: int) -> None:
        self.left = np.full(n_nodes, -1)
        self.right = np.full(n_nodes, -1)
        splits = Splits.none(n_nodes)
        self.feature, self.goes_left = splits.feature, splits.goes_left

    @property
    def n_nodes(self) -> int:
        """Maximum number of nodes."""
        return len(self.left)

    def copy(self) -> "Tree":
        """Return a copy."""
        other = Tree(0)
        other.__dict__.update({name: array.copy() for name, array in self.__dict__.items()})
        return other

    def is_split(self, nodes: np.ndarray) -> np.ndarray:
        """Return which nodes are splits."""
        return self.left[nodes] >= 0

    def below(self, node: int) -> np.ndarray:
        """Return a node and all below it, level by level."""
        levels = [np.array([node])]
        while len(levels[-1]):
            splits = levels[-1][self.is_split(levels[-1])]
            levels.append(np.concatenate([self.left[splits], self.right[splits]]))
        return np.concatenate(levels)

    def leaves(self) -> np.ndarray:
        """Return the leaves, in ascending order."""
        nodes = self.below(0)
        return np.sort(nodes[~self.is_split(nodes)])

    def pairs(self) -> np.ndarray:
        """Return the splits whose children are leaves, in ascending order."""
        nodes = np.sort(self.below(0))
        nodes = nodes[self.is_split(nodes)]
        return nodes[~self.is_split(self.left[nodes]) & ~self.is_split(self.right[nodes])]

    def set_splits(self, nodes: np.ndarray, splits: Splits, which: np.ndarray) -> None:
        """Set the splits of some nodes."""
        self.feature[nodes], self.goes_left[nodes] = splits.feature[which], splits.goes_left[which]

    def split(self, leaf: int, feature: Any, goes_left: np.ndarray) -> np.ndarray:
        """Split a leaf; return its children."""
        is_free = np.ones(self.n_nodes, dtype=bool)
        is_free[self.below(0)] = False
        children = np.flatnonzero(is_free)[:2]
        self.left[children] = self.right[children] = -1
        self.left[leaf], self.right[leaf] = children
        self.feature[leaf], self.goes_left[leaf] = feature, goes_left
        return children

    def merge(self, nodes: np.ndarray) -> None:
        """Make leaves of splits."""
        self.left[nodes] = self.right[nodes] = -1

    def graft(self, node: int, other: "Tree") -> None:
        """Replace what is below a node by another tree."""
        self.merge(np.array([node]))
        place = {0: node}
        for at in other.below(0).tolist():
            if other.left[at] >= 0:
                children = self.split(place[at], other.feature[at], other.goes_left[at])
                place[int(other.left[at])], place[int(other.right[at])] = children.tolist()

    def side(self, table: BinnedTable, rows: np.ndarray, node: np.ndarray) -> np.ndarray:
        """Return whether each row goes left at its node."""
        return self.goes_left[node, table.codes[rows, self.feature[node]]]

    def walk(self, table: BinnedTable, rows: np.ndarray, node: np.ndarray) -> np.ndarray:
        """Return the leaf that each row reaches from its node."""
        node = node.copy()
        walking = np.flatnonzero(self.is_split(node))
        while len(walking):
            at = node[walking]
            node[walking] = np.where(self.side(table, rows[walking], at), self.left[at], self.right[at])
            walking = walking[self.is_split(node[walking])]
        return node

    def leaf_of(self, rows: TreeData) -> np.ndarray:
        """Return the leaf of each row."""
        return self.walk(rows.table, np.arange(len(rows)), np.zeros(len(rows), dtype=np.int64))


def forest_from_tree(tree: Tree, table: BinnedTable, n_outputs: int) -> Forest:
    """Return a tree of codes as a forest of one tree of cells, whose leaf values are zero."""
    left, right = tree.left.copy(), tree.right.copy()
    threshold = np.zeros(tree.n_nodes, dtype=table.dtype)
    missing_left = np.zeros(tree.n_nodes, dtype=bool)
    is_category = table.is_category
    n_codes = max(
        (int(bounds[-1]) + 1 for bounds, coded in zip(table.bounds, is_category, strict=True) if coded), default=0
    )
    subsets: list[np.ndarray] = []
    for node in np.flatnonzero(tree.left >= 0):
        feature, goes_left = tree.feature[node], tree.goes_left[node]
        bounds, n_bins = table.bounds[feature], table.n_bins[feature]
        if is_category[feature]:
            if goes_left[MISSING]:  # missing cells go right, as unseen categories do
                left[node], right[node], goes_left = right[node], left[node], ~goes_left
            subset = np.zeros(n_codes, dtype=bool)
            subset[bounds[goes_left[:n_bins]]] = True
            threshold[node] = len(subsets)
            subsets.append(subset)
        else:
            last = int(goes_left[:n_bins].sum()) - 1
            threshold[node] = bounds[last] if last < len(bounds) else np.inf  # separates present from missing cells
            missing_left[node] = goes_left[MISSING]
    return forest_from_nodes(
        n_features=len(is_category),
        root=np.zeros(1, dtype=np.int64),
        left=left,
        right=right,
        feature=tree.feature,
        threshold=threshold,
        missing_left=missing_left,
        value=np.zeros((tree.n_nodes, n_outputs)),
        tree_output=np.zeros(1, dtype=np.int64),
        base=np.zeros(n_outputs),
        subsets=np.array(subsets).reshape(len(subsets), n_codes),
        is_category=is_category,
    )
