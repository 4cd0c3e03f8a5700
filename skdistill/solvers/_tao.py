"""Growing one tree, and improving it: tree alternating optimisation on binned cells.

Every step keeps at least ``min_rows`` rows in each leaf and never raises the squared error of the training rows.
"""

from typing import Any, Self

import numpy as np

from ._binning import BinnedTable
from ._splitting import Splits, add_up, best_splits, routing_cost, squared_error

TOLERANCE = 1e-4
"""Share of the loss that a pass must save for another one to follow."""

MAX_PASSES = 20
MAX_ROUNDS = 5

LEAVES_PER_SPARE_LEAF = 8
"""Number of allowed leaves for which one more is grown before the cheapest are merged."""

MIN_SAVED_SHARE = 1e-9
"""Bounds from below what a change must save, as a share of the sum of squares of the targets."""


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
    """

    def __init__(self, table: BinnedTable, targets: np.ndarray, weight: np.ndarray, min_rows: int) -> None:
        self.table = table
        self.targets = targets
        self.weight = weight
        self.min_rows = min_rows
        self.sums = np.column_stack([np.ones(len(weight)), weight, weight[:, None] * targets])
        self.squares = float(np.sum(weight[:, None] * targets**2))
        self.limits: dict[str, Any] = {"min_rows": min_rows, "unit": max(self.squares, 1e-300)}

    def __len__(self) -> int:
        return len(self.weight)

    def take(self, rows: np.ndarray) -> Self:
        """Return some of the rows."""
        return type(self)(self.table.take(rows), self.targets[rows], self.weight[rows], self.min_rows)


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


# ---------------------------------------------------------------------- the whole


def fit_tree(rows: TreeData, max_leaves: int, *, optimize: bool, n_regrowths: int) -> Tree:
    """Return the tree of at most so many leaves: grown, improved, and regrown from its splits downwards."""
    tree = Tree(2 * (max_leaves + _n_spare(max_leaves)))
    grow(tree, rows, max_leaves)
    if optimize:
        settle(tree, rows, max_leaves)
        if regrow(tree, rows, n_regrowths):
            settle(tree, rows, max_leaves)
    return tree


def settle(tree: Tree, rows: TreeData, max_leaves: int) -> None:
    """Improve splits, then move leaves to where they save more, until neither lowers the loss by the tolerance."""
    loss = loss_of(tree, rows)
    for _ in range(MAX_ROUNDS):
        before = loss
        for _ in range(MAX_PASSES):
            alternate(tree, rows)
            last, loss = loss, loss_of(tree, rows)
            if loss > (1 - TOLERANCE) * last:
                break
        loss = move_leaves(tree, rows, max_leaves, loss)
        if loss > (1 - TOLERANCE) * before:
            break


def loss_of(tree: Tree, rows: TreeData) -> float:
    """Return the weighted sum of squared errors to the leaves' means."""
    return _loss(rows, _leaf_sums(tree, rows, tree.leaf_of(rows)))


def _loss(rows: TreeData, sums: np.ndarray) -> float:
    return max(rows.squares - float(_explained(sums).sum()), 0.0)


def _leaf_sums(tree: Tree, rows: TreeData, leaf: np.ndarray) -> np.ndarray:
    """Return number, weight and weighted targets of the rows in each node, zero but for leaves."""
    return add_up(leaf, tree.n_nodes, rows.sums)


def _explained(sums: np.ndarray) -> np.ndarray:
    """Return by how much the mean of each node lowers the sum of squares of its targets."""
    return (sums[:, 2:] ** 2).sum(axis=1) / np.where(sums[:, 1] > 0, sums[:, 1], 1)


def _n_spare(max_leaves: int) -> int:
    return -(-max_leaves // LEAVES_PER_SPARE_LEAF)


# ---------------------------------------------------------------------- growing and pruning


def grow(tree: Tree, rows: TreeData, max_leaves: int) -> None:
    """Split the leaf that lowers the loss most, until there are as many leaves as allowed."""
    leaf = tree.leaf_of(rows)
    new = tree.leaves()
    found, saved = Splits.none(tree.n_nodes), np.full(tree.n_nodes, -np.inf)
    for _ in range(max_leaves - len(new)):
        inside, number = _numbered(tree, leaf, new)
        found.put(new, _splits_of(rows, inside, number, len(new)))
        whole = _explained(add_up(number, len(new), rows.sums[inside]))
        saved[new] = -found.score[new] * rows.limits["unit"] - whole
        best = int(saved.argmax())
        if not saved[best] > MIN_SAVED_SHARE * rows.squares:
            break
        new = tree.split(best, found.feature[best], found.goes_left[best])
        saved[best] = -np.inf
        inside = np.flatnonzero(leaf == best)
        leaf[inside] = tree.walk(rows.table, inside, leaf[inside])


def _splits_of(rows: TreeData, inside: np.ndarray, number: np.ndarray, n_nodes: int) -> Splits:
    """Return the splits of least squared error for nodes, given some rows and the node of each."""
    return best_splits(rows.table.take(inside), number, n_nodes, rows.sums[inside], squared_error, **rows.limits)


def _numbered(tree: Tree, at: np.ndarray, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where ``at`` is one of ``nodes``, and which."""
    number = np.full(tree.n_nodes, -1)
    number[nodes] = np.arange(len(nodes))
    inside = np.flatnonzero(number[at] >= 0)
    return inside, number[at[inside]]


def prune(tree: Tree, rows: TreeData, max_leaves: int) -> None:
    """Merge the pair of leaves that raises the loss least, until there are no more leaves than allowed."""
    sums = _leaf_sums(tree, rows, tree.leaf_of(rows))
    for _ in range(len(tree.leaves()) - max_leaves):
        pairs = tree.pairs()
        left, right = sums[tree.left[pairs]], sums[tree.right[pairs]]
        cost = _explained(left) + _explained(right) - _explained(left + right)
        cheapest = cost.argmin()
        sums[pairs[cheapest]] = left[cheapest] + right[cheapest]
        tree.merge(pairs[[cheapest]])


def move_leaves(tree: Tree, rows: TreeData, max_leaves: int, loss: float) -> float:
    """Grow more leaves than allowed, then prune those that save least; return the loss."""
    other = tree.copy()
    grow(other, rows, max_leaves + _n_spare(max_leaves))
    prune(other, rows, max_leaves)
    moved = loss_of(other, rows)
    if moved < loss:
        tree.__dict__.update(other.__dict__)
        return moved
    return loss


def regrow(tree: Tree, rows: TreeData, n_candidates: int) -> bool:
    """Grow the subtree of each split again from the best splits of several features, and keep better ones.

    A first split is ranked by the loss of the subtree that grows from it, not by what it saves itself.
    """
    is_better, leaf = False, tree.leaf_of(rows)
    waiting = [0]
    while waiting and n_candidates:
        node = waiting.pop(0)
        below = tree.below(node)
        n_leaves = int((~tree.is_split(below)).sum())
        if n_leaves < 3:
            continue  # two leaves have their best split already
        inside = np.flatnonzero(np.isin(leaf, below))
        part = rows.take(inside)
        least = _loss(part, _leaf_sums(tree, part, leaf[inside])) - MIN_SAVED_SHARE * rows.squares
        best: Tree | None = None
        for first in _first_splits(part, n_candidates):
            other = Tree(2 * n_leaves)
            other.split(0, first.feature[0], first.goes_left[0])
            grow(other, part, n_leaves)
            loss = loss_of(other, part)
            if loss < least:
                best, least = other, loss
        if best is not None:
            tree.graft(node, best)
            leaf[inside] = tree.walk(rows.table, inside, np.full(len(inside), node))
            is_better = True
        waiting += [int(tree.left[node]), int(tree.right[node])]
    return is_better


def _first_splits(rows: TreeData, n_candidates: int) -> list[Splits]:
    """Return the best splits of different features, the best one first."""
    node = np.zeros(len(rows), dtype=np.int64)
    of_feature = np.full((1, rows.table.codes.shape[1]), np.inf)
    best_splits(rows.table, node, 1, rows.sums, squared_error, of_feature=of_feature, **rows.limits)
    order = np.argsort(of_feature[0], kind="stable")[:n_candidates]
    return [
        best_splits(rows.table, node, 1, rows.sums, squared_error, features=order[[place]], **rows.limits)
        for place in range(np.isfinite(of_feature[0, order]).sum())
    ]


# ---------------------------------------------------------------------- alternating optimisation


def alternate(tree: Tree, rows: TreeData) -> None:
    """Choose each split again, given all others: level by level from the deepest to the root."""
    leaf = np.zeros(len(rows), dtype=np.int64)
    here, at = np.arange(len(rows)), leaf.copy()
    levels = []
    while len(here):
        is_split = tree.is_split(at)
        leaf[here[~is_split]] = at[~is_split]
        here, at = here[is_split], at[is_split]
        levels.append((here, at))
        at = np.where(tree.side(rows.table, here, at), tree.left[at], tree.right[at])
    pairs = tree.pairs()
    for here, at in reversed(levels):
        nodes = np.unique(at)
        is_pair = np.isin(nodes, pairs)
        for chosen, improve in ((nodes[is_pair], _split_pairs), (nodes[~is_pair], _route)):
            if len(chosen):
                among, number = _numbered(tree, at, chosen)
                leaf[here[among]] = improve(tree, rows, leaf, here[among], number, chosen)


def _split_pairs(
    tree: Tree, rows: TreeData, leaf: np.ndarray, here: np.ndarray, number: np.ndarray, nodes: np.ndarray
) -> np.ndarray:
    """Split nodes that have two leaves together with the leaves' means; return the leaves of their rows."""
    sums = _leaf_sums(tree, rows, leaf)
    now = -(_explained(sums[tree.left[nodes]]) + _explained(sums[tree.right[nodes]])) / rows.limits["unit"]
    found = _splits_of(rows, here, number, len(nodes))
    better = found.score < now - MIN_SAVED_SHARE
    tree.set_splits(nodes[better], found, better)
    return tree.walk(rows.table, here, nodes[number])


def _route(
    tree: Tree, rows: TreeData, leaf: np.ndarray, here: np.ndarray, number: np.ndarray, nodes: np.ndarray
) -> np.ndarray:
    """Choose splits that send rows to the subtree that is better for them; return the leaves of the rows.

    A split that would leave too few rows in a leaf below stays what it was.
    """
    sums = _leaf_sums(tree, rows, leaf)
    mean = sums[:, 2:] / np.where(sums[:, 1] > 0, sums[:, 1], 1)[:, None]
    at, own, targets, weight = nodes[number], leaf[here], rows.targets[here], rows.weight[here]
    was_left = tree.side(rows.table, here, at)
    other = tree.walk(rows.table, here, np.where(was_left, tree.right[at], tree.left[at]))
    saved = ((targets - mean[own]) ** 2 - (targets - mean[other]) ** 2).sum(axis=1)
    cost = weight * np.where(was_left, saved, -saved)
    of_rows = np.column_stack([np.ones(len(here)), weight, cost])
    found = best_splits(rows.table.take(here), number, len(nodes), of_rows, routing_cost, **rows.limits)
    now = np.bincount(number[was_left], cost[was_left], len(nodes)) / rows.limits["unit"]
    better = found.score < now - MIN_SAVED_SHARE
    before = Splits(now, tree.feature[nodes], tree.goes_left[nodes])
    tree.set_splits(nodes[better], found, better)
    moved = np.where(tree.side(rows.table, here, at) == was_left, own, other)
    n_rows = np.bincount(moved, minlength=tree.n_nodes)
    starves = np.array(
        [(n_rows[below[~tree.is_split(below)]] < rows.min_rows).any() for below in map(tree.below, nodes)]
    )
    tree.set_splits(nodes[starves], before, starves)
    return np.where(starves[number], own, moved)
