"""The best split of many nodes at once, from histograms of binned cells."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any, Self

import numpy as np
from scipy import sparse

from ._binning import MISSING, BinnedTable

N_CODES = 256
"""Number of codes of a byte; a split is a row of as many flags that say whether a code goes left."""

SIZES = (16, MISSING)
"""Upper bounds of the bins of columns whose histograms are computed together, with as many bins for each."""

FEW_CELLS = 2**14
"""Number of cells of all histograms up to which those of few bins are computed together with those of many."""

MAX_HISTOGRAM_CELLS = 2**22
"""Bounds the numbers of a histogram; more nodes are split group by group, more columns block by block."""

MAX_KEYS = 2**21
"""Bounds the cells that are counted at a time."""

SCORE_DECIMALS = 11
"""Number of digits to which scores are compared, so that sums of the same rows in another order are ties."""

Score = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Maps the sums of rows that go left, of shape (..., n_sums), and those of all rows to a score, smaller for better."""


@dataclass
class Splits:
    """One split for each of several nodes; ``score`` is infinite where there is none."""

    score: np.ndarray
    feature: np.ndarray
    goes_left: np.ndarray

    @classmethod
    def none(cls, n_nodes: int) -> Self:
        """Return no split yet."""
        blank = np.zeros((n_nodes, N_CODES), dtype=bool)
        return cls(np.full(n_nodes, np.inf), np.zeros(n_nodes, dtype=np.int64), blank)

    def put(self, nodes: np.ndarray, other: "Splits") -> None:
        """Set the splits of some nodes."""
        self.score[nodes], self.feature[nodes], self.goes_left[nodes] = other.score, other.feature, other.goes_left


def squared_error(left: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Score a split by the squared error to the means of both sides, up to a constant of the node."""
    right = total - left
    with np.errstate(invalid="ignore", divide="ignore"):  # sides without a row are ruled out by their number of rows
        return -(_squares(left) / left[..., 1]) - _squares(right) / right[..., 1]


def _squares(sums: np.ndarray) -> np.ndarray:
    """Return the sum of the squares of the sums of targets."""
    if sums.shape[-1] == 3:  # one output: adding up along so short an axis takes longer than the squares
        return np.square(sums[..., 2])
    return np.asarray(np.square(sums[..., 2:]).sum(axis=-1))


def routing_cost(left: np.ndarray, total: np.ndarray) -> np.ndarray:  # noqa: ARG001
    """Score a split by the additional cost of the rows that go left."""
    return left[..., 2]


def best_splits(
    table: BinnedTable,
    node: np.ndarray,
    n_nodes: int,
    sums: np.ndarray,
    score: Score,
    *,
    min_rows: int,
    unit: float,
    features: np.ndarray | None = None,
    of_feature: np.ndarray | None = None,
) -> Splits:
    """Find for each node the split of least score.

    Categories are ordered by the first principal direction of their means: for one target, and for the cost of
    routing, the best subset is among the first of that order.

    Parameters
    ----------
    table : BinnedTable
    node : ndarray of int, shape (n_rows,)
        Node of each row.
    n_nodes : int
    sums : ndarray of shape (n_rows, n_sums)
        Columns of ones, weights, and weighted targets or costs.
    score : callable
    min_rows : int
        Minimum number of rows on either side.
    unit : float
        Unit of scores; a difference below about 1e-11 of it is a tie.
    features : ndarray of int, default=None
        Columns to choose from; ``None`` means all columns.
    of_feature : ndarray of shape (n_nodes, n_features), default=None
        Where to write the least score of each column.

    Returns
    -------
    splits : Splits
    """
    best = Splits.none(n_nodes)
    for columns, size in _blocks(table, features, n_nodes * sums.shape[1]):
        shape = (len(columns), size + 1)
        step = max(MAX_HISTOGRAM_CELLS // (shape[0] * shape[1] * sums.shape[1]), 1)
        for start in range(0, n_nodes, step):
            group = np.arange(start, min(start + step, n_nodes))
            rows = slice(None) if len(group) == n_nodes else np.flatnonzero((node >= start) & (node <= group[-1]))
            histogram = _histograms(table.codes[rows], columns, node[rows] - start, (len(group), *shape), sums[rows])
            order = _order_of_means(histogram[:, :, :-1]) if table.is_category[columns[0]] else None
            for missing_left in (False, True) if table.has_missing[columns[0]] else (False,):
                found, least = _best_of_block(columns, histogram, order, missing_left, score, min_rows, unit)
                better = np.flatnonzero(found.score < best.score[group])
                best.put(group[better], Splits(found.score[better], found.feature[better], found.goes_left[better]))
                if of_feature is not None:
                    of_feature[group[:, None], columns] = np.minimum(of_feature[group[:, None], columns], least)
    return best


def _blocks(table: BinnedTable, features: np.ndarray | None, n_numbers: int) -> Iterator[tuple[np.ndarray, int]]:
    """Yield columns of the same kind, and the number of bins of their histograms."""
    n_features = table.codes.shape[1] if features is None else len(features)
    is_small = n_features * (int(table.n_bins.max()) + 1) * n_numbers <= FEW_CELLS
    for columns in table.alike(features, SIZES[1:] if is_small else SIZES):
        n_bins = int(table.n_bins[columns].max())
        n_blocks = -(-len(columns) * (n_bins + 1) * n_numbers // MAX_HISTOGRAM_CELLS)
        for block in np.array_split(columns, min(n_blocks, len(columns))) if n_blocks > 1 else [columns]:
            yield block, n_bins


def _histograms(
    codes: np.ndarray, columns: np.ndarray, node: np.ndarray, shape: tuple[int, int, int], sums: np.ndarray
) -> np.ndarray:
    """Return the sums of the rows of each node that have each code in each column, missing cells last."""
    _, n_columns, n_codes = shape
    first = np.arange(n_columns, dtype=np.int32) * n_codes
    n_parts = -(-len(node) * n_columns // MAX_KEYS)
    parts = np.array_split(np.arange(len(node)), n_parts) if n_parts > 1 else [slice(None)]

    def of_part(some: Any) -> np.ndarray:
        code = np.minimum(np.take(codes[some], columns, axis=1), n_codes - 1)
        number = (node[some] * (n_columns * n_codes)).astype(np.int32)
        return add_up(code + (number[:, None] + first), int(np.prod(shape)), sums[some])

    return np.asarray(reduce(np.add, map(of_part, parts))).reshape(*shape, -1)


def add_up(key: np.ndarray, n_keys: int, sums: np.ndarray) -> np.ndarray:
    """Return the sums of the rows of each key, shape (n_keys, n_sums); a row may have several keys."""
    n_rows = len(key)
    each = key.size // max(n_rows, 1)
    pointer = np.arange(0, each * n_rows + 1, max(each, 1), dtype=np.int32)
    indices = key.astype(np.int32, copy=False).ravel()
    return sparse.csc_matrix((np.ones(key.size), indices, pointer), shape=(n_keys, n_rows)) @ sums


def _best_of_block(
    columns: np.ndarray,
    histogram: np.ndarray,
    order: np.ndarray | None,
    missing_left: bool,
    score: Score,
    min_rows: int,
    unit: float,
) -> tuple[Splits, np.ndarray]:
    """Return the best split of each node, and the least score of each column, shape (n_nodes, n_columns)."""
    values, missing, total = histogram[:, :, :-1], histogram[:, :, -1], histogram[:, 0].sum(axis=1)
    n_nodes, _, n_values = values.shape[:3]
    if order is not None:
        values = np.take_along_axis(values, order[..., None], axis=2)
    left = np.cumsum(values, axis=2)
    if missing_left:
        left += missing[:, :, None]
    n_left = left[..., 0]
    allowed = (n_left >= min_rows) & (total[:, None, None, 0] - n_left >= min_rows)
    scores = np.where(allowed, np.round(score(left, total[:, None, None]) / unit, SCORE_DECIMALS), np.inf)
    node, least = np.arange(n_nodes), scores.min(axis=2)
    chosen = least.argmin(axis=1)
    last = scores[node, chosen].argmin(axis=1)
    at_last, here = left[node, chosen, last], histogram[node, chosen]
    if order is None:
        # rows of other nodes may lie in the gap between two values of this one: split it in the middle
        next_value = (n_left[node, chosen] <= at_last[:, :1]).sum(axis=1)
        last = np.where(next_value < n_values, (last + next_value - 1) // 2, n_values)
    goes_left = _sides(here, at_last, last, None if order is None else order[node, chosen], total, missing_left)
    return Splits(least[node, chosen], columns[chosen], goes_left), least


def _sides(
    here: np.ndarray,
    at_last: np.ndarray,
    last: np.ndarray,
    order: np.ndarray | None,
    total: np.ndarray,
    missing_left: bool,
) -> np.ndarray:
    """Return which codes go left, of shape (n_nodes, 256), given the last one that does in ascending or other order.

    Codes that the node has not seen go to the heavier side, but for numbers, whose side is that of their neighbours.
    """
    n_values = here.shape[1] - 1
    unseen = here[..., 0] == 0
    goes_left = np.zeros((len(here), N_CODES), dtype=bool)
    if order is None:
        goes_left[:, :MISSING] = np.arange(MISSING) <= last[:, None]
        unseen[:, :-1] = False
    else:
        goes_left[:, :n_values] = np.argsort(order, axis=1) <= last[:, None]
    heavier_left = 2 * at_last[:, 1:2] >= total[:, 1:2]
    goes_left[:, :n_values] = np.where(unseen[:, :-1], heavier_left, goes_left[:, :n_values])
    goes_left[:, MISSING:] = np.where(unseen[:, -1:], heavier_left, missing_left)
    return goes_left


def _order_of_means(values: np.ndarray) -> np.ndarray:
    """Return categories in the order of their means along the direction in which these differ most."""
    weight, weighted = values[..., 1], values[..., 2:]
    mean = weighted / np.where(weight > 0, weight, 1)[..., None]
    if mean.shape[-1] > 1:
        of_node = weighted.sum(axis=2) / np.maximum(weight.sum(axis=2), 1e-300)[..., None]
        spread = mean - of_node[:, :, None]
        scatter = np.swapaxes(spread * weight[..., None], -1, -2) @ spread
        direction = np.linalg.eigh(scatter)[1][..., -1:]
        mean = spread @ direction
    return np.argsort(np.where(weight > 0, mean[..., 0], np.inf), axis=2, kind="stable")
