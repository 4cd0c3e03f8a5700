"""Growing and optimisation of one tree: tree alternating optimisation (TAO) on binned cells.

Every step keeps at least ``min_rows`` rows in each leaf and never raises the squared error of the training rows.
"""

import numpy as np

from ._binned_tree import Tree, TreeData
from ._splitting import Splits, add_up, best_splits, routing_cost, squared_error

TOLERANCE = 1e-4
"""Share of the loss that a pass must save for another one to follow."""

MAX_PASSES = 20
MAX_ROUNDS = 5

LEAVES_PER_SPARE_LEAF = 8
"""Number of allowed leaves for which one more is grown before the cheapest are merged."""

MAX_OPTIMIZED_FEATURES = 256
"""Number of columns with the best first splits that a grown tree is optimised with, beside those that it uses: in wide
tables most columns are of no use, and the time grows with their number."""

MIN_SAVED_SHARE = 1e-9
"""Minimum decrease of the loss by a change, as a share of the sum of squares of the targets."""


def fit_tree(rows: TreeData, max_leaves: int, *, optimize: bool, n_regrowths: int) -> Tree:
    """Return the tree of at most so many leaves: grown, improved, and regrown from its splits downwards."""
    tree = Tree(2 * (max_leaves + _n_spare(max_leaves)))
    grow(tree, rows, max_leaves)
    if optimize:
        rows = _without_weak_features(tree, rows)
        settle(tree, rows, max_leaves)
        if regrow(tree, rows, n_regrowths):
            settle(tree, rows, max_leaves)
    return tree


def _without_weak_features(tree: Tree, rows: TreeData) -> TreeData:
    """Return the rows with splits from the best columns and from those of the tree only, if there are many columns."""
    n_features = rows.table.codes.shape[1]
    if n_features <= MAX_OPTIMIZED_FEATURES:
        return rows
    nodes = tree.below(0)
    used = tree.feature[nodes[tree.is_split(nodes)]]
    best = np.argsort(_first_scores(rows), kind="stable")[:MAX_OPTIMIZED_FEATURES]
    return rows.only(np.union1d(used, best))


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
    node, of_feature = np.zeros(len(rows), dtype=np.int64), _first_scores(rows)
    order = np.argsort(of_feature, kind="stable")[:n_candidates]
    return [
        best_splits(rows.table, node, 1, rows.sums, squared_error, **{**rows.limits, "features": order[[place]]})
        for place in range(np.isfinite(of_feature[order]).sum())
    ]


def _first_scores(rows: TreeData) -> np.ndarray:
    """Return the score of the best first split of each feature."""
    of_feature = np.full((1, rows.table.codes.shape[1]), np.inf)
    node = np.zeros(len(rows), dtype=np.int64)
    best_splits(rows.table, node, 1, rows.sums, squared_error, of_feature=of_feature, **rows.limits)
    return np.asarray(of_feature[0])


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
