"""Forests with fewer splits, fewer thresholds, or coarser values."""

import heapq
from dataclasses import replace

import numpy as np

from ..compiled import Forest
from ..compiled._forest_packing import has_larger_left
from ._kept_splits import cut_back, take_trees
from ._leaves import N_ROUNDS, Fitted, _output_of
from ._rows import Rows

MIN_DISTANCE = 1e-6
"""Share of rows that is added to that between two thresholds, so that merging where there are none costs little."""

MAX_DIGITS = 24
"""Binary digits of a float32."""

N_STAGES = 3
"""Number of stages in which splits are removed; leaf values are solved for after each."""

ROUNDS_OF_STAGE = (1, 1, N_ROUNDS)
"""Number of times that each tree is solved for after a stage."""


# ---------------------------------------------------------------------- fewer splits


def with_fewer_splits(forest: Forest, rows: Rows, fraction: float) -> Forest:
    """Return the trees without a fraction of their splits, those with the least effect, and solve for the values.

    Two neighbouring leaves are merged where this raises the weighted squared error of the scores least:
    :math:`w_l w_r / (w_l + w_r) (v_l - v_r)^2`. Trees without splits become part of ``base``.
    """
    n_kept, fitted = round(len(forest.feature) * (1 - fraction)), Fitted.known(forest, rows)
    for stage in range(N_STAGES):
        n_removed = (len(forest.feature) - n_kept) // (N_STAGES - stage)
        if n_removed > 0:
            merged, fitted = _merged(forest, fitted, n_removed)
            forest = fitted.resolved(merged, like=forest, n_rounds=ROUNDS_OF_STAGE[stage])
    return forest


def _merged(forest: Forest, fitted: Fitted, n_removed: int) -> tuple[Forest, Fitted]:
    """Merge neighbouring leaves, in rounds, since a split becomes a leaf that may be merged in the next."""
    n_splits, width = len(forest.feature), forest.value.shape[1]
    _, left, right = (part.copy() for part in forest.pointers())
    leaf_weight = fitted.leaf_weight(forest)
    value = np.concatenate([np.zeros((n_splits, width)), forest.leaf_values])
    weight = np.concatenate([np.zeros((n_splits, width)), leaf_weight])
    while n_removed > 0:
        bottom = np.flatnonzero((left >= 0) & (left[left] < 0) & (left[right] < 0))
        if len(bottom) == 0:
            break
        pair = weight[left[bottom]], weight[right[bottom]]
        total = pair[0] + pair[1]
        share = np.where(total > 0, pair[0] / np.where(total > 0, total, 1), 0.5)
        difference = value[left[bottom]] - value[right[bottom]]
        cost = (total * share * (1 - share) * difference**2).sum(axis=1)
        # few at a time: what a merged leaf costs next is not known yet
        chosen = np.argsort(cost, kind="stable")[: max(min(n_removed, len(bottom) // 4 + 1), 1)]
        node = bottom[chosen]
        value[node] = (value[right[bottom]] + share * difference)[chosen]
        weight[node] = total[chosen]
        left[node] = right[node] = -1
        n_removed -= len(node)
    cut, leaf = cut_back(forest, left[:n_splits] >= 0, leaf_weight)
    is_kept = cut.tree_splits > 0
    return _with_constants_in_base(cut, is_kept), fitted.merged(forest, leaf, is_kept)


def _with_constants_in_base(forest: Forest, is_kept: np.ndarray) -> Forest:
    """Return the trees that have splits, and the values of the others as part of ``base``."""
    constant, base = np.flatnonzero(~is_kept), forest.base.copy()
    outputs = forest.tree_output[constant][:, None] + np.arange(forest.value.shape[1])
    np.add.at(base, outputs, forest.value[forest.tree_leaf[constant]])
    return replace(take_trees(forest, np.flatnonzero(is_kept)), base=base)


# ---------------------------------------------------------------------- fewer thresholds


def with_fewer_thresholds(forest: Forest, rows: Rows, fraction: float) -> Forest:
    """Return the trees with a fraction of their thresholds merged with a neighbour, and solve for the values.

    Two thresholds of a column are merged where few rows lie between them, and where splits have little effect. What is
    left is the shortest number near the threshold: between the two cells that are next to it, or a few rows further
    where this costs no more than the last merge did. Missing cells of columns that have none in the rows go to the side
    with more leaves.
    """
    numeric = ~forest.is_category[forest.feature]
    if not numeric.any():
        return forest
    merging = rows.once(forest.threshold, lambda: _Merging(forest, rows))
    moved = replace(
        forest,
        threshold=merging.thresholds(fraction),
        missing_left=np.where(merging.is_free & numeric, has_larger_left(forest), forest.missing_left),
    )
    return Fitted.of(moved, rows).resolved(moved)


class _Merging:
    """The order in which the thresholds of a forest are merged, whatever the fraction, and the columns it is about."""

    def __init__(self, forest: Forest, rows: Rows) -> None:
        self.threshold = forest.threshold
        effect = _effects(forest, Fitted.known(forest, rows).leaf_weight(forest))
        tested = np.unique(forest.feature[~forest.is_category[forest.feature]]).tolist()
        self.columns = [_Thresholds(forest, rows, effect, feature) for feature in tested]
        self.is_free = np.array([not _has_missing(rows, feature) for feature in range(forest.n_features)])[
            forest.feature
        ]
        """Splits of columns without missing cells."""
        neighbours = _Neighbours(self.columns)
        while neighbours.queue:
            neighbours.merge_next()
        self.starts, self.ends = neighbours.starts, neighbours.ends
        self.merged = np.array(neighbours.merged, dtype=np.intp).reshape(-1, 2)
        self.prices = np.maximum.accumulate(np.array([0.0, *neighbours.prices]))

    def thresholds(self, fraction: float) -> np.ndarray:
        """Return the thresholds of all splits after a fraction of the distinct ones is merged."""
        n_merged = min(round(fraction * self.ends[-1]), len(self.merged))
        kept, lost = self.merged[:n_merged].T
        stands_for = np.arange(self.ends[-1])
        stands_for[lost] = kept
        while not np.array_equal(stands_for, stands_for[stands_for]):
            stands_for = stands_for[stands_for]
        threshold = self.threshold.copy()
        for column, start, end in zip(self.columns, self.starts, self.ends, strict=True):
            short = column.short(float(self.prices[n_merged]))
            threshold[column.of] = short[stands_for[start:end] - start][column.place]
        return threshold


def _has_missing(rows: Rows, feature: int) -> bool:
    cells = rows.cells[:, [feature]]
    return bool(np.isnan(cells.data if hasattr(cells, "toarray") else np.asarray(cells, dtype=np.float64)).any())


def _effects(forest: Forest, leaf_weight: np.ndarray) -> np.ndarray:
    """Return for each split the weight of its rows times the squared difference of the mean values of its sides."""
    value = forest.leaf_values

    def sums(of_leaves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cumulated = np.concatenate([np.zeros((1, of_leaves.shape[1])), np.cumsum(of_leaves, axis=0)])
        start = forest.first_leaf
        middle, end = start + forest.n_left + 1, start + forest.spans.n_splits + 1
        return cumulated[middle] - cumulated[start], cumulated[end] - cumulated[middle]

    weights, totals = sums(leaf_weight), sums(leaf_weight * value)
    means = [total / np.maximum(weight, 1e-12) for total, weight in zip(totals, weights, strict=True)]
    return ((weights[0] + weights[1]) * (means[0] - means[1]) ** 2).sum(axis=1)


class _Thresholds:
    """The distinct thresholds of a column, with the share of rows below each and the effect of its splits."""

    def __init__(self, forest: Forest, rows: Rows, effect: np.ndarray, feature: int) -> None:
        cells = rows.cells[:, [feature]]
        cells = np.asarray(cells.toarray() if hasattr(cells, "toarray") else cells, dtype=forest.dtype)[:, 0]
        self.cells = np.sort(cells[np.isfinite(cells)])
        self.of = np.flatnonzero(forest.feature == feature)
        self.distinct, self.place = np.unique(forest.threshold[self.of], return_inverse=True)
        self.effect = np.bincount(self.place, effect[self.of], len(self.distinct))
        self.n_below = np.searchsorted(self.cells, self.distinct, side="right")
        self.rank = self.n_below / max(len(self.cells), 1)

    def short(self, price: float) -> np.ndarray:
        """Return short numbers near the thresholds, so that what the rows between them cost is at most the price."""
        n_cells = len(self.cells)
        with np.errstate(over="ignore"):
            share = np.minimum(price / np.maximum(self.effect, 1e-300), 1.0)
        n_rows = (share * n_cells).astype(np.intp)
        edges = np.concatenate([[-np.inf], self.cells.astype(np.float64), [np.inf]])
        low, high = np.maximum(self.n_below - n_rows, 0), np.minimum(self.n_below + 1 + n_rows, n_cells + 1)
        return shortest_between(edges[low], edges[high], self.distinct.astype(np.float64)).astype(self.distinct.dtype)


class _Neighbours:
    """A queue of neighbouring thresholds, the cheapest to merge first.

    Neighbours are merged greedily, over all columns, by the smaller effect times the share of rows between them.
    """

    def __init__(self, columns: list[_Thresholds]) -> None:
        self.ends = np.cumsum([len(column.distinct) for column in columns]).tolist()
        self.starts = [0, *self.ends[:-1]]
        self.effect = np.concatenate([column.effect for column in columns]).tolist()
        self.rank = np.concatenate([column.rank for column in columns]).tolist()
        n_thresholds = self.ends[-1]
        self.before, self.after = list(range(-1, n_thresholds - 1)), list(range(1, n_thresholds + 1))
        for start, end in zip(self.starts, self.ends, strict=True):
            self.before[start] = self.after[end - 1] = -1
        self.merged: list[tuple[int, int]] = []
        """The threshold that remains and the one that goes, for each merge."""
        self.prices: list[float] = []
        self.is_gone = [False] * n_thresholds
        self.queue: list[tuple[float, int, int]] = []
        for place, following in enumerate(self.after):
            self._push(place, following)

    def merge_next(self) -> None:
        """Merge the two thresholds that are first in the queue, unless this is no longer right."""
        expected, first, second = heapq.heappop(self.queue)
        if self.is_gone[first] or self.is_gone[second]:
            return
        if expected < self._cost(first, second):  # effects have been added up since
            self._push(first, second)
            return
        self.prices.append(expected)
        kept, lost = (first, second) if self.effect[first] >= self.effect[second] else (second, first)
        self.is_gone[lost] = True
        self.merged.append((kept, lost))
        self.effect[kept] += self.effect[lost]
        nearest, furthest = self.before[first], self.after[second]
        self.before[kept], self.after[kept] = nearest, furthest
        if nearest >= 0:
            self.after[nearest] = kept
        if furthest >= 0:
            self.before[furthest] = kept
        self._push(nearest, kept)
        self._push(kept, furthest)

    def _push(self, first: int, second: int) -> None:
        if first >= 0 and second >= 0:
            heapq.heappush(self.queue, (self._cost(first, second), first, second))

    def _cost(self, first: int, second: int) -> float:
        smaller = min(self.effect[first], self.effect[second])
        return smaller * (self.rank[second] - self.rank[first] + MIN_DISTANCE)


def shortest_between(low: np.ndarray, high: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Return numbers with few binary digits above ``low`` and below ``high``; ``number`` where there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compression._trees import shortest_between
    >>> shortest_between(
    ...     np.array([0.93, 2.0]), np.array([1.04, np.inf]), np.array([0.97, 3.3])
    ... )
    array([1., 4.])
    """
    with np.errstate(invalid="ignore"):
        low, high = np.where(np.isinf(low), 2 * number - high, low), np.where(np.isinf(high), 2 * number - low, high)
    found, is_open = number.copy(), np.isfinite(low) & np.isfinite(high)
    low, high = np.where(is_open, low, 0.0), np.where(is_open, high, 1.0)
    middle, exponent = low / 2 + high / 2, np.frexp(np.maximum(np.abs(low), np.abs(high)))[1]
    for n_digits in range(MAX_DIGITS):
        unit = np.ldexp(1.0, exponent - n_digits)
        candidate = np.rint(middle / unit) * unit
        fits = is_open & (low < candidate) & (candidate < high)
        found[fits] = candidate[fits]
        is_open &= ~fits
    return found


# ---------------------------------------------------------------------- coarser values


def with_coarse_values(forest: Forest, rows: Rows, n_steps: int, *, is_shared: bool) -> Forest:
    """Return the trees with leaf values that are multiples of a step, solved for again after rounding.

    Parameters
    ----------
    forest : Forest
    rows : Rows
    n_steps : int
        Number of steps from zero to the largest value of an output.
    is_shared : bool
        Whether the distinct values are then solved for as shared parameters, so that they are no longer multiples.
    """
    fitted = Fitted.known(forest, rows)
    largest = np.zeros(len(forest.base))
    np.maximum.at(largest, _output_of(forest), np.abs(forest.leaf_values))
    coded = fitted.resolved(forest, step=np.where(largest > 0, largest, 1.0) / n_steps)
    return fitted.with_shared_values(coded) if is_shared else coded
