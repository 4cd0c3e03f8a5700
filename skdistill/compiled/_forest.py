"""Trees as flat arrays, and two algorithms that find the leaves of many rows.

The splits of a tree are stored in preorder: the left child of a split follows it, the right child follows the whole
left subtree. The shape of a tree is therefore determined by one number per split, the number of splits in its left
subtree. Leaves are numbered from left to right.

QuickScorer finds the leaves of trees with at most 64 leaves; larger trees are traversed level by level.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from .._threads import in_turns
from ._code import compile_row, row_source, scores_as_tuple
from ._forest_packing import pack_forest, unpack_forest
from ._merged_tables import MergedTables
from ._packing import PackedArrays
from ._quickscorer import (
    MAX_MASK_LEAVES,
    Codes,
    FeatureTable,
    Masks,
    leaf_of,
    mask_dtype,
    table_of_categories,
    table_of_numbers,
)
from ._scorer import FlatData
from ._tree_code import forest_code

MAX_TABLE_BYTES = 2**26
"""Maximum total size of the QuickScorer tables in bytes; forests with larger tables are traversed level by level."""

SPARSE_CHUNK = 10_000
"""Number of rows of a sparse matrix that are converted to a dense array at a time."""

MAX_BLOCK_BYTES = 2**20
"""Maximum size of the masks of a block of rows in bytes, so that they stay in the processor's cache."""

MAX_BLOCK_CELLS = 2**19
"""Maximum number of cells of a block of rows."""

MIN_BLOCK_ROWS, MAX_BLOCK_ROWS = 64, 8192
"""Minimum and maximum number of rows of a block; numbers of a few blocks are made even for threads."""


@dataclass(eq=False)
class Forest(FlatData, kind="forest"):
    """A sum of trees, each of which adds the values of a leaf to some of the outputs.

    Parameters
    ----------
    n_features : int
        Columns of a row.
    feature : ndarray of int, shape (n_splits,)
        Column that a split tests.
    threshold : ndarray of float32 or float64, shape (n_splits,)
        Cells less than or equal to the threshold go left. Rows are rounded to its dtype: students use float64 only for
        tables with numbers that float32 would blur. For a categorical column, the position in ``subsets`` of the
        categories that go left.
    missing_left : ndarray of bool, shape (n_splits,)
        Whether NaN goes left. Missing and unknown categories go right.
    n_left : ndarray of int, shape (n_splits,)
        Number of splits in the left subtree.
    tree_splits : ndarray of int, shape (n_trees,)
        Number of splits of each tree.
    tree_output : ndarray of int, shape (n_trees,)
        First output that each tree adds to, in ascending order.
    value : ndarray of shape (n_leaves, width)
        Values that the leaves, tree by tree and from left to right, add to ``width`` consecutive outputs.
    base : ndarray of float64, shape (n_outputs,)
        Constant that is added to the outputs of each row.
    subsets : ndarray of bool, shape (n_subsets, n_codes), default=None
        Masks of category codes that go left.
    is_category : ndarray of bool, shape (n_features,), default=None
        Mask of the columns of category codes. ``None`` means that there are none.
    unit : ndarray of float64, shape (n_outputs,), default=None
        Factor of the stored values of each output. ``None`` means ones.

    Examples
    --------
    One tree with one split: its value is 1 if the cell is at most 0.5 or missing, and 2 otherwise.

    >>> import numpy as np
    >>> from skdistill.compiled import Forest
    >>> forest = Forest(
    ...     n_features=1,
    ...     feature=np.array([0]),
    ...     threshold=np.array([0.5], dtype=np.float32),
    ...     missing_left=np.array([True]),
    ...     n_left=np.array([0]),
    ...     tree_splits=np.array([1]),
    ...     tree_output=np.array([0]),
    ...     value=np.array([[1.0], [2.0]]),
    ...     base=np.zeros(1),
    ... )
    >>> forest.scores(np.array([[0.2], [0.7], [np.nan]]))
    array([[1.],
           [2.],
           [1.]])
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
    subsets: np.ndarray = None  # type: ignore[assignment]  # filled in below
    is_category: np.ndarray = None  # type: ignore[assignment]
    unit: np.ndarray = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        if self.subsets is None:
            self.subsets = np.zeros((0, 0), dtype=bool)
        if self.is_category is None:
            self.is_category = np.zeros(self.n_features, dtype=bool)
        if self.unit is None:
            self.unit = np.ones(len(self.base))

    # ------------------------------------------------------------------ shape

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.tree_splits)

    @property
    def n_leaves(self) -> int:
        """Total number of leaves of all trees."""
        return len(self.value)

    @property
    def n_parameters(self) -> int:
        """Number of learned parameters: feature and threshold of each split, leaf values, and the base."""
        return 2 * len(self.feature) + self.value.size + len(self.base)

    @property
    def n_ops(self) -> int:
        """Number of operations per row: comparisons at the mean depth of the leaves of each tree, and additions."""
        leaves_below = self.spans.n_splits + 1
        comparisons = (leaves_below / np.repeat(self.tree_splits + 1, self.tree_splits)).sum()
        return round(comparisons) + self.n_trees * self.value.shape[1]

    @property
    def dtype(self) -> np.dtype:
        """The dtype to which rows are rounded."""
        return self.threshold.dtype

    @cached_property
    def tree_leaf(self) -> np.ndarray:
        """Index of each tree's first leaf, of shape (n_trees + 1,)."""
        return np.concatenate([[0], np.cumsum(self.tree_splits + 1)])

    @cached_property
    def tree_split(self) -> np.ndarray:
        """Index of each tree's first split, of shape (n_trees + 1,)."""
        return np.concatenate([[0], np.cumsum(self.tree_splits)])

    @cached_property
    def spans(self) -> "Spans":
        """The ranges of splits and leaves below each split."""
        return Spans.of(self.n_left, self.tree_splits)

    @cached_property
    def first_leaf(self) -> np.ndarray:
        """Index of the leftmost leaf below each split, counted over all trees, of shape (n_splits,)."""
        return self.spans.first_leaf + np.repeat(self.tree_leaf[:-1], self.tree_splits)

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
        """Return the leaf of each row in each tree, counted over all trees: int32 of shape (n_rows, n_trees)."""
        if hasattr(X, "toarray"):
            return np.concatenate([self._narrow.leaves(rows, n_jobs) for rows in self._dense_chunks(X)])
        leaves = np.empty((len(X), self.n_trees), dtype=np.int32)

        def find(rows: slice, cells: np.ndarray) -> None:
            leaves[rows] = self._block_leaves(cells)

        self._for_each_block(find, X, n_jobs)
        return leaves

    def _for_each_block(self, work: Callable[[slice, np.ndarray], None], X: Any, n_jobs: int) -> None:
        """Call ``work`` with blocks of rows that fit in the processor's cache."""
        X, n_rows = np.asarray(X), len(X)
        step = self._block_rows
        if n_jobs > 1:  # blocks of equal size, as many for each thread
            step = max(-(-n_rows // (n_jobs * -(-n_rows // (n_jobs * step) or 1))), MIN_BLOCK_ROWS)
        blocks = [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]
        if len(self.feature):
            _ = self._merged or self._nodes  # computed once, before threads use them
        in_turns(lambda block: work(block, X[block]), blocks, n_jobs)

    def _dense_chunks(self, X: Any) -> Iterator[np.ndarray]:
        """Yield dense chunks of a sparse matrix, restricted to the columns that splits test."""
        used = X.tocsc()[:, np.unique(self.feature)].tocsr()
        for start in range(0, max(X.shape[0], 1), SPARSE_CHUNK):
            yield used[start : start + SPARSE_CHUNK].toarray()

    @cached_property
    def _narrow(self) -> "Forest":
        """The same trees on the columns that their splits test."""
        used, feature = np.unique(self.feature, return_inverse=True)
        is_category = self.is_category[used]
        return replace(self, n_features=len(used), feature=feature, is_category=is_category)

    @cached_property
    def _block_rows(self) -> int:
        per_tree = 64 if self._tables is None else mask_dtype(self.tree_splits).itemsize
        width = max(per_tree, 8 * (self.value.shape[1] - 1))
        most = min(MAX_BLOCK_BYTES // (width * max(self.n_trees, 1)), MAX_BLOCK_CELLS // max(len(self._used), 1))
        return int(np.clip(most, MIN_BLOCK_ROWS, MAX_BLOCK_ROWS))

    @cached_property
    def row(self) -> Callable[[Sequence[float]], tuple[float, ...]] | None:
        """A function that scores one row, given as floats; ``None`` if the forest is too large for generated code."""
        code, ending = forest_code(self), f"    return {scores_as_tuple(len(self.base))}"
        return None if code is None else compile_row(row_source(code.lines, ending))

    def _block_leaves(self, X: np.ndarray) -> np.ndarray:
        if self.n_trees == 0 or len(self.feature) == 0:
            return np.broadcast_to(self.tree_leaf[:-1], (len(X), self.n_trees))
        with np.errstate(over="ignore"):  # values too large for float32 exceed every threshold
            if self._merged is None:
                return self._walk(X.astype(self.dtype, copy=False))
            used = self._used
            cells = (X if len(used) == X.shape[1] else X.take(used, axis=1)).T
            return self._quickscore(cells.astype(self.dtype, order="C", copy=False), self._merged)

    def _add_up(self, leaves: np.ndarray) -> np.ndarray:
        """Sum the values of leaves, shape (n_rows, n_trees), to outputs, shape (n_rows, n_outputs)."""
        if self.n_trees == 0:
            return np.broadcast_to(self.base, (len(leaves), len(self.base)))
        width = self.value.shape[1]
        if width > 1:
            return self.base + self.leaf_values.take(leaves, axis=0).sum(axis=1)
        values = self.leaf_values[:, 0].take(leaves)
        if len(self.base) == 1:
            return self.base + np.einsum("ij->i", values)[:, None]  # several times as fast as a sum over few trees
        with_trees, first = np.unique(self.tree_output, return_index=True)
        scores = np.broadcast_to(self.base, (len(leaves), len(self.base))).copy()
        scores[:, with_trees] += np.add.reduceat(values, first, axis=1)
        return scores

    @cached_property
    def leaf_values(self) -> np.ndarray:
        """Leaf values as float64 of shape (n_leaves, width)."""
        return self.value * self.unit[self._leaf_output]

    # ------------------------------------------------------------------ small trees: QuickScorer

    def _quickscore(self, cells: np.ndarray, tables: MergedTables) -> np.ndarray:
        leaves = leaf_of(tables.remaining(cells))
        leaves += self._first_leaf_of_tree
        return leaves

    @cached_property
    def _used(self) -> np.ndarray:
        """The columns that splits test."""
        return np.unique(self.feature)

    @cached_property
    def _first_leaf_of_tree(self) -> np.ndarray:
        return self.tree_leaf[:-1].astype(np.int32)

    @cached_property
    def _merged(self) -> MergedTables | None:
        """The QuickScorer tables of small trees, one or more for the cells of the columns that splits test."""
        return None if not self._tables else MergedTables(self._tables, self._used, self.dtype)

    @cached_property
    def _tables(self) -> list[FeatureTable] | None:
        """One QuickScorer table per feature that splits test; ``None`` if the trees are too large for QuickScorer."""
        if self.tree_splits.max(initial=0) >= MAX_MASK_LEAVES:
            return None
        features, group = np.unique(self.feature, return_inverse=True)
        n_lines = len(np.unique(np.column_stack([self.feature, self.threshold]), axis=0)) + 2 * len(features)
        n_lines += int(self.is_category[features].sum()) * self.subsets.shape[1]
        if n_lines * self.n_trees * mask_dtype(self.tree_splits).itemsize > MAX_TABLE_BYTES:
            return None
        masks = Masks.of(self.tree_splits, self.spans.first_leaf, self.n_left, self.spans.n_splits)
        tree, tables = np.repeat(np.arange(self.n_trees), self.tree_splits), []
        for index, feature in enumerate(features.tolist()):
            of = np.flatnonzero(group == index)
            splits = (feature, masks.whole, tree[of], masks.goes_left[of], masks.goes_right[of])
            if self.is_category[feature]:
                tables.append(table_of_categories(*splits, self.subsets[self.threshold[of].astype(np.intp)]))
            else:
                tables.append(table_of_numbers(*splits, self.threshold[of], self.missing_left[of]))
        return tables

    # ------------------------------------------------------------------ large trees: level-wise traversal

    def pointers(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the root of each tree and both children of each node; leaf j is node n_splits + j with children -1."""
        root, left, right = self._nodes
        leaf = np.full(self.n_leaves, -1)
        return root, np.append(left, leaf), np.append(right, leaf)

    @cached_property
    def _nodes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The root of each tree, and the left and right child of each split."""
        n_splits = len(self.feature)
        split, first = np.arange(n_splits), self.first_leaf + n_splits
        left = np.where(self.n_left > 0, split + 1, first)
        has_right = self.spans.n_splits - 1 - self.n_left > 0
        right = np.where(has_right, split + 1 + self.n_left, first + self.n_left + 1)
        return np.where(self.tree_splits > 0, self.tree_split[:-1], self.tree_leaf[:-1] + n_splits), left, right

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
            code = Codes(self.subsets.shape[1])(cell[coded])
            seen = code < self.subsets.shape[1]
            subset = self.threshold[split[coded]].astype(np.intp)
            goes_left[coded] = seen & self.subsets[subset, np.where(seen, code, 0)]
        return goes_left

    # ------------------------------------------------------------------ modified copies

    def with_values(self, value: np.ndarray, base: np.ndarray | None = None) -> Self:
        """Return the same trees with other leaf values."""
        base = self.base if base is None else base
        return replace(self, value=value, base=base, unit=np.ones(len(base)))

    def scaled(self, factor: Any, shift: Any = 0.0) -> Self:
        """Return the same trees with scores ``factor`` times as large, plus ``shift``."""
        return replace(self, base=shift + factor * self.base, unit=factor * self.unit)

    def with_missing_sent(self, has_missing: np.ndarray, leaf_weight: np.ndarray) -> Self:
        """Return the trees with missing cells sent to the heavier child in columns without missing training cells."""
        cumulated = np.append(0, np.cumsum(leaf_weight))
        start, end = self.first_leaf, self.first_leaf + self.spans.n_splits + 1
        heavier_left = 2 * cumulated[start + self.n_left + 1] >= cumulated[start] + cumulated[end]
        free = ~has_missing[self.feature] & ~self.is_category[self.feature]
        return replace(self, missing_left=np.where(free, heavier_left, self.missing_left))

    def stored_as(self, dtype: Any) -> Self:
        """Return the trees with leaf values rounded to at most this precision, relative to the largest value.

        If the values of a tree are large compared with their differences, their mean is moved to ``base``.
        """
        if self.value.dtype.itemsize <= np.dtype(dtype).itemsize:
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
        """The output to which each leaf value is added, of the shape of ``value``."""
        return np.repeat(self.tree_output, self.tree_splits + 1)[:, None] + np.arange(self.value.shape[1])

    # ------------------------------------------------------------------ compressed pickle

    def __getstate__(self) -> PackedArrays:
        return pack_forest(self)

    def __setstate__(self, state: PackedArrays) -> None:
        self.__dict__.update(unpack_forest(state))


@dataclass(frozen=True)
class Spans:
    """The number of splits below each split (including itself), its leftmost leaf within the tree, and its depth."""

    n_splits: np.ndarray
    first_leaf: np.ndarray
    depth: np.ndarray

    @classmethod
    def of(cls, n_left: np.ndarray, tree_splits: np.ndarray) -> Self:
        """Compute the spans from the preorder representation, level by level for all trees at once."""
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
