"""Trees as flat arrays, and the two ways to find the leaves of many rows.

The splits of a tree are stored in preorder: the left child of a split follows it, the right child follows the whole
left subtree. So one number a split, how many splits its left subtree has, tells the shape of a tree, and its leaves
are numbered from left to right.

Up to 64 leaves a tree, a row's leaf is found without walking, after QuickScorer [1]_: each split strikes out the leaves
on the side that the row does not take, and the leaf that no split strikes out is the row's. For each feature a table
holds, for each interval between neighbouring thresholds, the leaves of all trees that are left, one bit a leaf; a row
looks up one line for each feature and takes the bitwise "and" of the lines. Bigger trees are walked level by level.

.. [1] C. Lucchese et al., "QuickScorer: A Fast Algorithm to Rank Documents with Additive Ensembles of Regression
   Trees", SIGIR 2015.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Self

import numpy as np

from ._packing import pack, unpack
from ._source import compile_row, row_source, scores_as_tuple

MASK_LEAVES = 64
"""Leaves of a tree at most that fit a mask."""

TABLE_BYTES = 2**26
"""Size of all tables together from which on trees are walked instead."""

SPARSE_CHUNK = 10_000
"""Rows of a sparse matrix that are made dense at a time."""

BLOCK_BYTES = 2**21
"""Bytes of masks in work at a time: they should stay in the processor's cache."""

BLOCK_ROWS = 8192
"""Rows in work at a time at most; threads get at least a quarter of that, or waiting for Python costs more."""


@dataclass(eq=False)
class Forest:
    """A sum of trees, each of which adds its leaf's values to some of the outputs.

    Parameters
    ----------
    n_features : int
        Columns of a row.
    feature : ndarray of int, shape (n_splits,)
        Column that a split asks.
    threshold : ndarray of float32 or float64, shape (n_splits,)
        Cells up to it go left. Rows are rounded to its dtype. For a category: which of ``subsets`` goes left.
    missing_left : ndarray of bool, shape (n_splits,)
        Whether NaN goes left. Missing and unseen categories go right.
    n_left : ndarray of int, shape (n_splits,)
        Splits in the left subtree.
    tree_splits : ndarray of int, shape (n_trees,)
        Splits of each tree.
    tree_output : ndarray of int, shape (n_trees,)
        First of the outputs that a tree adds to, in ascending order.
    value : ndarray of shape (n_leaves, width)
        What the leaves, tree by tree and from left to right, add to ``width`` consecutive outputs.
    base : ndarray of float64, shape (n_outputs,)
        What is added to each row's outputs.
    subsets : ndarray of bool, shape (n_subsets, n_codes)
        Codes of categories that go left.
    is_category : ndarray of bool, shape (n_features,)
        Columns that hold codes.
    unit : ndarray of float64, shape (n_outputs,)
        By which the stored values of each output are multiplied.
    """

    n_features: int
    feature: np.ndarray
    threshold: np.ndarray
    missing_left: np.ndarray
    n_left: np.ndarray
    tree_splits: np.ndarray
    tree_output: np.ndarray
    value: np.ndarray
    base: np.ndarray
    subsets: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))
    is_category: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    unit: np.ndarray = field(default_factory=lambda: np.ones(0))

    def __post_init__(self) -> None:
        if len(self.unit) == 0:
            self.unit = np.ones(len(self.base))
        if len(self.is_category) == 0:
            self.is_category = np.zeros(self.n_features, dtype=bool)

    # ------------------------------------------------------------------ shape

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.tree_splits)

    @property
    def n_leaves(self) -> int:
        """Number of leaves of all trees."""
        return len(self.value)

    @property
    def dtype(self) -> np.dtype:
        """To which rows are rounded."""
        return self.threshold.dtype

    @cached_property
    def tree_leaf(self) -> np.ndarray:
        """Index of each tree's first leaf, of shape (n_trees + 1,)."""
        return np.concatenate([[0], np.cumsum(self.tree_splits + 1)])

    @cached_property
    def spans(self) -> "Spans":
        """Which splits and leaves lie below each split."""
        return Spans.of(self.n_left.astype(np.int64), self.tree_splits)

    # ------------------------------------------------------------------ predict

    def scores(self, X: Any, n_jobs: int = 1) -> np.ndarray:
        """Return the sums of leaf values, of shape (n_rows, n_outputs), as float64."""
        if hasattr(X, "toarray"):
            return np.concatenate([self._narrow.scores(rows, n_jobs) for rows in self._dense_chunks(X)])
        if len(X) == 1 and self.row is not None:
            return np.array([self.row(X[0].tolist())])
        scores = np.empty((len(X), len(self.base)))

        def score(rows: slice, cells: np.ndarray) -> None:
            scores[rows] = self._add_up(self._block_leaves(cells))

        self._for_each_block(score, X, n_jobs)
        return scores

    def leaves(self, X: Any, n_jobs: int = 1) -> np.ndarray:
        """Return each row's leaf in each tree, counted over all trees: int32 of shape (n_rows, n_trees)."""
        if hasattr(X, "toarray"):
            return np.concatenate([self._narrow.leaves(rows, n_jobs) for rows in self._dense_chunks(X)])
        leaves = np.empty((len(X), self.n_trees), dtype=np.int32)

        def find(rows: slice, cells: np.ndarray) -> None:
            leaves[rows] = self._block_leaves(cells)

        self._for_each_block(find, X, n_jobs)
        return leaves

    def _for_each_block(self, work: Callable[[slice, np.ndarray], None], X: Any, n_jobs: int) -> None:
        """Call ``work`` with blocks of rows, of a size that stays in the cache."""
        step, n_rows = self._block_rows, len(X)
        if n_jobs > 1:
            step = min(step, max(-(-n_rows // n_jobs), BLOCK_ROWS // 4))
        with np.errstate(over="ignore"):  # what is too large for float32 is above every threshold
            X = np.asarray(X).astype(self.dtype, copy=False)
        blocks = [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]
        if n_jobs == 1 or len(blocks) < 2:
            for block in blocks:
                work(block, X[block])
        else:
            _ = self._tables or self._nodes  # made once, before threads ask for them
            with ThreadPoolExecutor(min(n_jobs, len(blocks))) as pool:
                list(pool.map(lambda block: work(block, X[block]), blocks))

    def _dense_chunks(self, X: Any) -> Iterator[np.ndarray]:
        """Yield the columns that are asked of a sparse matrix, as dense rows."""
        asked = X.tocsc()[:, np.unique(self.feature)].tocsr()
        for start in range(0, max(X.shape[0], 1), SPARSE_CHUNK):
            yield asked[start : start + SPARSE_CHUNK].toarray()

    @cached_property
    def _narrow(self) -> "Forest":
        """The same trees on the columns that they ask."""
        asked, feature = np.unique(self.feature, return_inverse=True)
        is_category = self.is_category[asked]
        return replace(self, n_features=len(asked), feature=feature, is_category=is_category)

    @cached_property
    def _block_rows(self) -> int:
        width = max(self._mask_dtype.itemsize if self._tables is not None else 64, 8 * (self.value.shape[1] - 1))
        return int(np.clip(BLOCK_BYTES // (width * max(self.n_trees, 1)), 64, BLOCK_ROWS))

    @cached_property
    def row(self) -> Callable[[Sequence[float]], tuple[float, ...]] | None:
        """The function of one row's cells, as floats; ``None`` if the forest is too big for it."""
        source = self.row_source(f"    return {scores_as_tuple(len(self.base))}")
        return None if source is None else compile_row(source)

    def row_source(self, ending: str) -> str | None:
        """Return the text of a function of one row; see :func:`row_source`."""
        return row_source(self, ending)

    def _block_leaves(self, X: np.ndarray) -> np.ndarray:
        if self.n_trees == 0 or len(self.feature) == 0:
            return np.broadcast_to(self.tree_leaf[:-1], (len(X), self.n_trees))
        return self._walk(X) if self._tables is None else self._strike_out(X)

    def _add_up(self, leaves: np.ndarray) -> np.ndarray:
        """Sum the values of leaves, shape (n_rows, n_trees), to outputs, shape (n_rows, n_outputs)."""
        if self.n_trees == 0:
            return np.broadcast_to(self.base, (len(leaves), len(self.base)))
        width = self.value.shape[1]
        if width > 1:
            return self.base + self.leaf_values.take(leaves, axis=0).sum(axis=1)
        values = self.leaf_values[:, 0].take(leaves)
        if len(self.base) == 1:
            return self.base + values.sum(axis=1, keepdims=True)
        with_trees, first = np.unique(self.tree_output, return_index=True)
        scores = np.broadcast_to(self.base, (len(leaves), len(self.base))).copy()
        scores[:, with_trees] += np.add.reduceat(values, first, axis=1)
        return scores

    @cached_property
    def leaf_values(self) -> np.ndarray:
        """What the leaves add, as float64 of shape (n_leaves, width)."""
        return self.value * self.unit[self._leaf_output]

    # ------------------------------------------------------------------ small trees: strike out leaves

    def _strike_out(self, X: np.ndarray) -> np.ndarray:
        assert self._tables is not None
        left_over: Any = None
        for table in self._tables:
            lines = table.lines(X[:, table.feature])
            left_over = lines if left_over is None else np.bitwise_and(left_over, lines, out=left_over)
        return _bit_index(left_over) + self.tree_leaf[:-1].astype(np.int32)

    @cached_property
    def _mask_dtype(self) -> np.dtype:
        widest = int(self.tree_splits.max(initial=0)) + 1
        return np.dtype(np.uint16 if widest <= 16 else np.uint32 if widest <= 32 else np.uint64)

    @cached_property
    def _tables(self) -> "list[FeatureTable] | None":
        """One table for each feature that is asked; ``None`` if trees are too big for that."""
        if self.tree_splits.max(initial=0) >= MASK_LEAVES:
            return None
        features, group = np.unique(self.feature, return_inverse=True)
        n_lines = len(np.unique(np.column_stack([self.feature, self.threshold]), axis=0)) + 2 * len(features)
        n_lines += int(self.is_category[features].sum()) * self.subsets.shape[1]
        if n_lines * self.n_trees * self._mask_dtype.itemsize > TABLE_BYTES:
            return None
        spans, tree = self.spans, np.repeat(np.arange(self.n_trees), self.tree_splits)
        left, right = (bits.astype(self._mask_dtype) for bits in spans.leaf_bits(self.n_left.astype(np.int64)))
        tables = []
        for index, feature in enumerate(features):
            of = np.flatnonzero(group == index)
            make = partial(FeatureTable, int(feature), self.n_trees, tree[of], ~left[of], ~right[of])
            if self.is_category[feature]:
                tables.append(make(subsets=self.subsets[self.threshold[of].astype(np.intp)]))
            else:
                tables.append(make(threshold=self.threshold[of], missing_left=self.missing_left[of]))
        if tables:
            tables[0].table &= _lowest_bits(self.tree_splits + 1).astype(self._mask_dtype)  # no leaves beyond the last
        return tables

    # ------------------------------------------------------------------ big trees: walk

    def pointers(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return each tree's root, and both children of each node; leaf j is node n_splits + j, its children -1."""
        root, left, right = self._nodes
        leaf = np.full(self.n_leaves, -1)
        return root, np.append(left, leaf), np.append(right, leaf)

    @cached_property
    def _nodes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Root of each tree, and left and right child of each split."""
        n_splits, spans = len(self.feature), self.spans
        split = np.arange(n_splits)
        n_left = self.n_left.astype(np.int64)
        first = spans.first_leaf + np.repeat(self.tree_leaf[:-1], self.tree_splits) + n_splits
        left = np.where(n_left > 0, split + 1, first)
        right = np.where(spans.n_splits - 1 - n_left > 0, split + 1 + n_left, first + n_left + 1)
        root = np.where(self.tree_splits > 0, np.cumsum(self.tree_splits) - self.tree_splits, 0)
        return np.where(self.tree_splits > 0, root, self.tree_leaf[:-1] + n_splits), left, right

    def _walk(self, X: np.ndarray) -> np.ndarray:
        root, left, right = self._nodes
        n_splits = len(self.feature)
        node = np.tile(root, len(X))
        row = np.repeat(np.arange(len(X)), self.n_trees)
        walking = np.flatnonzero(node < n_splits)
        while len(walking):
            split = node[walking]
            goes_left = self._goes_left(X[row[walking], self.feature[split]], split)
            node[walking] = np.where(goes_left, left[split], right[split])
            walking = walking[node[walking] < n_splits]
        return (node - n_splits).reshape(len(X), self.n_trees).astype(np.int32)

    def _goes_left(self, cell: np.ndarray, split: np.ndarray) -> np.ndarray:
        goes_left = (cell <= self.threshold[split]) | (np.isnan(cell) & self.missing_left[split])
        coded = np.flatnonzero(self.is_category[self.feature[split]])
        if len(coded):
            code = _category_codes(cell[coded], self.subsets.shape[1])
            seen = code < self.subsets.shape[1]
            subset = self.threshold[split[coded]].astype(np.intp)
            goes_left[coded] = seen & self.subsets[subset, np.where(seen, code, 0)]
        return goes_left

    # ------------------------------------------------------------------ the same with a change

    def with_missing_sent(self, has_missing: np.ndarray, leaf_weight: np.ndarray) -> Self:
        """Return the same trees with missing cells sent to the heavier side in columns that had none when they grew."""
        cumulated = np.append(0, np.cumsum(leaf_weight))
        first = self.spans.first_leaf + np.repeat(self.tree_leaf[:-1], self.tree_splits)
        middle, end = first + self.n_left.astype(np.int64) + 1, first + self.spans.n_splits + 1
        heavier_left = 2 * cumulated[middle] >= cumulated[first] + cumulated[end]
        free = ~has_missing[self.feature] & ~self.is_category[self.feature]
        return replace(self, missing_left=np.where(free, heavier_left, self.missing_left))

    def stored_as(self, dtype: Any) -> Self:
        """Return the same trees with leaf values of another precision, each output in units of its largest.

        Of trees whose values differ little for their size the mean becomes part of ``base``.
        """
        if self.value.dtype == dtype:
            return self
        n_leaves = self.tree_splits + 1
        first = self.tree_leaf[:-1]
        mean = np.add.reduceat(self.leaf_values, first, axis=0) / n_leaves[:, None] if self.n_trees else self.value
        spread = self.leaf_values - np.repeat(mean, n_leaves, axis=0)
        furthest = np.maximum.reduceat(np.abs(spread), first, axis=0) if self.n_trees else self.value
        mean = np.where(np.abs(mean) > 4 * furthest, mean, 0.0)
        values, base = self.leaf_values - np.repeat(mean, n_leaves, axis=0), self.base.copy()
        np.add.at(base, self.tree_output[:, None] + np.arange(self.value.shape[1]), mean)
        largest = np.zeros(len(self.base))
        np.maximum.at(largest, self._leaf_output, np.abs(values))
        unit = np.where(largest > 0, largest, 1.0)
        return replace(self, value=(values / unit[self._leaf_output]).astype(dtype), base=base, unit=unit)

    @property
    def _leaf_output(self) -> np.ndarray:
        """To which output each leaf value is added, of the values' shape."""
        return np.repeat(self.tree_output, self.tree_splits + 1)[:, None] + np.arange(self.value.shape[1])

    # ------------------------------------------------------------------ pickle: small

    def __getstate__(self) -> dict[str, Any]:
        return pack(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(unpack(state))

    def with_values(self, value: np.ndarray, base: np.ndarray | None = None) -> Self:
        """Return the same trees with other leaf values."""
        base = self.base if base is None else base
        return replace(self, value=value, base=base, unit=np.ones(len(base)))


@dataclass(frozen=True)
class Spans:
    """Below each split: how many splits (itself counted), its tree's leaf at the far left, and its depth."""

    n_splits: np.ndarray
    first_leaf: np.ndarray
    depth: np.ndarray

    @classmethod
    def of(cls, n_left: np.ndarray, tree_splits: np.ndarray) -> Self:
        """Unroll preorder level by level, all trees at once."""
        n_splits, first_leaf, depth = (np.zeros(len(n_left), dtype=np.int64) for _ in range(3))
        has_split = tree_splits > 0
        level = (np.cumsum(tree_splits) - tree_splits)[has_split]
        n_splits[level] = tree_splits[has_split]
        n_levels = 0
        while len(level):
            depth[level] = n_levels
            n_right = n_splits[level] - 1 - n_left[level]
            to_left, to_right = level[n_left[level] > 0], level[n_right > 0]
            left, right = to_left + 1, to_right + 1 + n_left[to_right]
            n_splits[left], n_splits[right] = n_left[to_left], n_right[n_right > 0]
            first_leaf[left] = first_leaf[to_left]
            first_leaf[right] = first_leaf[to_right] + n_left[to_right] + 1
            level = np.concatenate([left, right])
            n_levels += 1
        return cls(n_splits, first_leaf, depth)

    def leaf_bits(self, n_left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the leaves left and right of each split as bits of uint64, for trees of at most 64 leaves."""
        middle = self.first_leaf + n_left + 1
        below = [_lowest_bits(end) for end in (self.first_leaf, middle, self.first_leaf + self.n_splits + 1)]
        return below[1] & ~below[0], below[2] & ~below[1]


def _lowest_bits(n_bits: np.ndarray) -> np.ndarray:
    """Return numbers whose lowest ``n_bits`` bits are set; shifts by 64 are not defined."""
    ones = np.uint64(2**64 - 1)
    return np.where(n_bits > 0, ones >> (64 - np.maximum(n_bits, 1)).astype(np.uint64), np.uint64(0))


class FeatureTable:
    """For one feature: from a cell to the leaves of all trees that its splits leave over, one line for each interval.

    The last line is for missing cells and unseen categories.
    """

    def __init__(
        self,
        feature: int,
        n_trees: int,
        tree: np.ndarray,
        not_left: np.ndarray,
        not_right: np.ndarray,
        *,
        threshold: np.ndarray | None = None,
        missing_left: np.ndarray | None = None,
        subsets: np.ndarray | None = None,
    ) -> None:
        self.feature = feature
        everything = not_left.dtype.type(np.iinfo(not_left.dtype).max)
        if subsets is not None:
            self.intervals, self.n_codes = None, subsets.shape[1]
            by_tree = np.full((n_trees, self.n_codes + 1), everything)
            goes_left = np.hstack([subsets, np.zeros((len(subsets), 1), dtype=bool)])
            np.bitwise_and.at(by_tree, tree, np.where(goes_left, not_right[:, None], not_left[:, None]))
            self.table = np.ascontiguousarray(by_tree.T)
            return
        assert threshold is not None
        assert missing_left is not None
        cuts, line = np.unique(threshold, return_inverse=True)
        self.intervals = Intervals(cuts)
        upwards, downwards = (np.full((len(cuts) + 2, n_trees), everything) for _ in range(2))
        np.bitwise_and.at(upwards, (line + 1, tree), not_left)
        np.bitwise_and.at(downwards, (line, tree), not_right)
        self.table = np.bitwise_and.accumulate(upwards) & np.bitwise_and.accumulate(downwards[::-1])[::-1]
        self.table[-1] = everything
        np.bitwise_and.at(self.table[-1], tree, np.where(missing_left, not_right, not_left))

    def lines(self, cells: np.ndarray) -> np.ndarray:
        """Return a line for each cell, of shape (n_cells, n_trees)."""
        if self.intervals is None:
            return self.table.take(_category_codes(cells, self.n_codes), axis=0)
        return self.table.take(self.intervals.of(cells), axis=0)


class Intervals:
    """Finds between which of the sorted ``cuts`` cells lie: how many cuts are smaller; one more than cuts for NaN.

    A grid of equal steps over the cuts knows the answer but for the cuts in the cell's own step, which are compared.
    That has no branches to mispredict, as a binary search has; where many cuts share a step, the search is faster.
    """

    N_STEPS = 1024
    MOST_IN_A_STEP = 4

    def __init__(self, cuts: np.ndarray) -> None:
        self.cuts = np.append(cuts, cuts.dtype.type(np.inf))  # NaN is sorted behind infinity
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            self.step = (cuts[-1] - cuts[0]) / cuts.dtype.type(self.N_STEPS) if len(cuts) > 1 else cuts.dtype.type(1)
            self.has_grid = bool(np.isfinite(self.step) and np.isfinite(1 / self.step) and np.isfinite(cuts).all())
        if self.has_grid:
            steps = self._step_of(cuts)
            self.in_a_step = int(np.bincount(steps).max())
            self.has_grid = self.in_a_step <= self.MOST_IN_A_STEP
            self.smaller = np.searchsorted(steps, np.arange(self.N_STEPS + 3))

    def of(self, cells: np.ndarray) -> np.ndarray:
        """Return an integer for each cell."""
        if not self.has_grid:
            return np.searchsorted(self.cuts, cells)
        interval = self.smaller.take(self._step_of(cells))
        for _ in range(self.in_a_step):
            interval += cells > self.cuts.take(interval)
        missing = np.isnan(cells)
        if missing.any():
            interval[missing] = len(self.cuts)
        return interval

    def _step_of(self, cells: np.ndarray) -> np.ndarray:
        """Return the number of the step; it never falls as the cell grows, however the arithmetic is rounded."""
        with np.errstate(over="ignore", invalid="ignore"):
            steps = (cells - self.cuts[0]) / self.step
        return (np.fmin(np.fmax(steps, -1), self.N_STEPS + 1) + 1).astype(np.intp)


def _category_codes(cells: np.ndarray, n_codes: int) -> np.ndarray:
    """Return codes as integers; missing and unseen ones are ``n_codes``."""
    known = (cells > -1) & (cells < n_codes)  # LightGBM cuts fractions off
    return np.where(known, cells, n_codes).astype(np.intp)


def _bit_index(one_bit: np.ndarray) -> np.ndarray:
    """Return which bit is set, of numbers with exactly one bit: the exponent of the same number as a float."""
    if one_bit.dtype == np.uint64:
        exponent = one_bit.view(np.int64).astype(np.float64).view(np.int64) >> 52
        return (exponent & 0x7FF).astype(np.int32) - 1023
    signed = one_bit.view(np.int32) if one_bit.dtype == np.uint32 else one_bit
    exponent = signed.astype(np.float32).view(np.int32) >> 23
    exponent &= 0xFF  # without the sign of the highest bit
    exponent -= 127
    return exponent
