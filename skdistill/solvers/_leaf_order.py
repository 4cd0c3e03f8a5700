r"""The order of a tree's leaves under monotone constraints, and the nearest values that respect it.

A row moves from leaf :math:`a` to leaf :math:`b` when one constrained column grows and all other cells stay the same:
the leaves are then an ordered pair, :math:`a \prec b`. The tree is monotone in the constrained columns exactly if
:math:`v_a \le v_b` for all ordered pairs. These have no cycle, since the last common split of a pair tests the column
that grows. Values are made monotone by isotonic regression on this partial order,

.. math:: \min_v \sum_a h_a (v_a - m_a)^2 \quad \text{subject to} \quad v_a \le v_b \text{ for } a \prec b,

whose dual is a least-squares problem without negative coefficients.
"""

from typing import Any, Self

import numpy as np
from scipy.optimize import nnls

from ..compiled import Forest

MAX_ORDERED_LEAVES = 512
"""Maximum number of leaves of a tree whose values are fitted in order; the work grows with their square."""

MAX_ROUNDS = 30
"""Bounds the rounds that add violated pairs to the regression; what is left is repaired without a regression."""

MIN_WEIGHT_SHARE = 1e-6
"""Minimum weight of a leaf as a share of the largest one."""

TOLERANCE = 1e-12
"""Differences below this share of the largest value violate no pair within the regression."""


class LeafOrder:
    """The ordered pairs of leaves of one tree.

    Parameters
    ----------
    lower, upper : ndarray of int, shape (n_pairs,)
        Leaves of each pair; the value of the first must not exceed that of the second.
    """

    def __init__(self, lower: np.ndarray, upper: np.ndarray) -> None:
        self.lower, self.upper = lower, upper

    @classmethod
    def of(cls, forest: Forest, tree: int, directions: np.ndarray) -> Self:
        """Return the order of the leaves of a tree; ``directions``, -1, 0 or 1 for each column, say what may not fall.

        Leaves are counted within the tree.
        """
        regions = _regions(forest, tree)
        n_leaves = int(forest.tree_splits[tree]) + 1
        below = np.zeros((n_leaves, n_leaves), dtype=bool)
        if any(directions[feature] for feature in regions):
            meet = {feature: _meet(region) for feature, region in regions.items()}
            for feature, region in regions.items():
                if directions[feature]:
                    others = [each for other, each in meet.items() if other != feature]
                    pairs = np.logical_and.reduce([_is_below(region), *others])
                    below |= pairs if directions[feature] > 0 else pairs.T
        return cls(*np.nonzero(below))

    def is_kept(self, values: np.ndarray) -> bool:
        """Whether values are in order."""
        return bool(np.all(values[self.lower] <= values[self.upper]))

    def nearest(self, values: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Return the values in order that are nearest to the given ones by weighted squares."""
        if self.is_kept(values):
            return values
        solved, active = values, np.zeros(len(self.lower), dtype=bool)
        weight = np.maximum(weight, MIN_WEIGHT_SHARE * max(weight.max(), 1e-300))
        least = TOLERANCE * np.abs(values).max()
        for _ in range(MAX_ROUNDS):
            excess = solved[self.lower] - solved[self.upper]
            new = self._worst(excess, least) & ~active
            if not new.any():
                break
            active |= new
            solved = _isotonic(values, weight, self.lower[active], self.upper[active])
        return self._raised(solved)

    def _worst(self, excess: np.ndarray, least: float) -> np.ndarray:
        """Return which violated pairs are the worst one of either of their leaves."""
        violated = np.flatnonzero(excess > least)
        order = violated[np.argsort(-excess[violated], kind="stable")]
        chosen = np.zeros(len(excess), dtype=bool)
        for leaves in (self.lower, self.upper):
            chosen[order[np.unique(leaves[order], return_index=True)[1]]] = True
        return chosen

    def _raised(self, values: np.ndarray) -> np.ndarray:
        """Raise values until all pairs are exactly in order."""
        values = values.copy()
        while not self.is_kept(values):
            np.maximum.at(values, self.upper, values[self.lower])
        return values


def leaf_orders(forest: Forest, directions: np.ndarray) -> list[LeafOrder]:
    """Return the order of the leaves of each tree; trees with too many leaves raise an error.

    Parameters
    ----------
    forest : Forest
    directions : ndarray of int, shape (n_features,)
    """
    assert forest.tree_splits.max(initial=0) < MAX_ORDERED_LEAVES
    return [LeafOrder.of(forest, tree, directions) for tree in range(forest.n_trees)]


def in_order(forest: Forest, directions: np.ndarray, weight: np.ndarray | None = None) -> Forest:
    """Return a forest of one output, the values of each of whose trees are the nearest ones in order."""
    values = forest.value[:, 0].astype(np.float64)
    weight = np.ones(len(values)) if weight is None else weight
    for tree, order in enumerate(leaf_orders(forest, directions)):
        leaves = slice(forest.tree_leaf[tree], forest.tree_leaf[tree + 1])
        values[leaves] = order.nearest(values[leaves], weight[leaves])
    return forest.with_values(values[:, None])


def _regions(forest: Forest, tree: int) -> dict[int, np.ndarray]:
    """Return for each column that a tree tests which parts of its values reach each leaf.

    The parts of numbers are the intervals between thresholds, those of categories their codes; the last part is that of
    missing cells. The shape of each mask is (n_leaves, n_parts).
    """
    start, stop = forest.tree_split[tree], forest.tree_split[tree + 1]
    regions = {}
    for feature in np.unique(forest.feature[start:stop]).tolist():
        splits = start + np.flatnonzero(forest.feature[start:stop] == feature)
        goes_left, exists = _parts(forest, feature, splits)
        region = np.broadcast_to(exists, (stop - start + 1, len(exists))).copy()
        first = forest.spans.first_leaf[splits]
        middle, last = first + forest.n_left[splits] + 1, first + forest.spans.n_splits[splits] + 1
        for left, begin, between, end in zip(goes_left, first, middle, last, strict=True):
            region[begin:between] &= left
            region[between:end] &= ~left
        regions[feature] = region
    return regions


def _parts(forest: Forest, feature: int, splits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which parts of a column go left at some splits, shape (n_splits, n_parts), and which parts exist."""
    threshold = forest.threshold[splits]
    if forest.is_category[feature]:
        goes_left = forest.subsets[threshold.astype(np.intp)]
        goes_left = np.column_stack([goes_left, np.zeros(len(splits), dtype=bool)])
        return goes_left, np.ones(goes_left.shape[1], dtype=bool)
    bounds, rank = np.unique(threshold, return_inverse=True)
    goes_left = np.arange(len(bounds) + 1) <= rank[:, None]
    exists = np.append(np.ones(len(bounds), dtype=bool), [np.isfinite(bounds[-1]), True])
    return np.column_stack([goes_left, forest.missing_left[splits]]), exists


def _meet(region: np.ndarray) -> np.ndarray:
    """Return whether the regions of two leaves in a column have a part in common."""
    parts = region.astype(np.float32)
    return np.asarray(parts @ parts.T > 0)


def _is_below(region: np.ndarray) -> np.ndarray:
    """Return whether the numbers of one leaf, all of them, are less than those of another; neither may lack numbers."""
    numbers = region[:, :-1]
    has_any, n_parts = np.asarray(numbers.any(axis=1)), numbers.shape[1]
    first, last = numbers.argmax(axis=1), n_parts - 1 - numbers[:, ::-1].argmax(axis=1)
    return np.asarray((last[:, None] < first) & has_any[:, None] & has_any)


def _isotonic(values: np.ndarray, weight: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Return the isotonic regression on some pairs, which the dual solves: a nonnegative force for each pair."""
    leaves, place = np.unique(np.concatenate([lower, upper]), return_inverse=True)
    low, high = np.split(place, 2)
    own, root = values[leaves], np.sqrt(weight[leaves] / weight[leaves].mean())
    middle = np.average(own, weights=root**2)
    forces: Any = np.zeros((len(leaves), len(low)))
    forces[low, np.arange(len(low))] = -1 / root[low]
    forces[high, np.arange(len(low))] = 1 / root[high]
    scale = max(np.abs(own - middle).max(), 1e-300)
    solved = values.copy()
    try:
        force = nnls(forces, -root * (own - middle) / scale)[0]
        solved[leaves] = own + scale * (forces @ force) / root
    except RuntimeError:  # too many iterations: one value for all is in order
        solved[leaves] = middle
    return solved
