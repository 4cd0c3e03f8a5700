"""QuickScorer [1]_: the leaves of small trees by bitwise operations instead of traversal.

Each split excludes the leaves on the side that a row does not take; the leaf of the row is the only leaf that no split
excludes. For each feature, a table has one line per interval between neighbouring thresholds, or per category: a mask
per tree with one bit for each leaf that the splits on this feature do not exclude. A row looks up one line per feature
and combines the lines by bitwise "and".

.. [1] C. Lucchese et al., "QuickScorer: A Fast Algorithm to Rank Documents with Additive Ensembles of Regression
   Trees", SIGIR 2015.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_MASK_LEAVES = 64
"""Maximum number of leaves of a tree, which is the number of bits of the largest mask."""

MAX_SMALL_LINES = 66
"""Maximum number of lines of a table that is small: with so many thresholds, comparing a cell with all of them is about
as fast as a search."""


@dataclass(frozen=True)
class Masks:
    """Masks with one bit per leaf: all leaves of each tree, and the remaining leaves on either side of each split."""

    whole: np.ndarray
    goes_left: np.ndarray
    goes_right: np.ndarray

    @classmethod
    def of(cls, tree_splits: np.ndarray, first_leaf: np.ndarray, n_left: np.ndarray, n_splits: np.ndarray) -> "Masks":
        """Return the masks of trees and splits; leaves are numbered within their tree."""
        dtype = mask_dtype(tree_splits)
        ends = (first_leaf, first_leaf + n_left + 1, first_leaf + n_splits + 1)
        start, middle, end = (_lowest_bits(bits).astype(dtype) for bits in ends)
        return cls(_lowest_bits(tree_splits + 1).astype(dtype), ~(end & ~middle), ~(middle & ~start))


def mask_dtype(tree_splits: np.ndarray) -> np.dtype:
    """Return the smallest dtype with a bit for each leaf of the largest tree."""
    widest = int(tree_splits.max(initial=0)) + 1
    return np.dtype(np.uint16 if widest <= 16 else np.uint32 if widest <= 32 else np.uint64)


def _lowest_bits(n_bits: np.ndarray) -> np.ndarray:
    """Return numbers whose lowest ``n_bits`` bits are set; shifts by 64 are not defined."""
    ones = np.uint64(2**64 - 1)
    return np.where(n_bits > 0, ones >> (64 - np.maximum(n_bits, 1)).astype(np.uint64), np.uint64(0))


def leaf_of(one_bit: np.ndarray) -> np.ndarray:
    """Return the position of the only bit of each number, which is the exponent of the number as a float."""
    if one_bit.dtype == np.uint64:
        exponent = one_bit.view(np.int64).astype(np.float64).view(np.int64) >> 52
        return (exponent & 0x7FF).astype(np.int32) - 1023
    signed = one_bit.view(np.int32) if one_bit.dtype == np.uint32 else one_bit
    exponent = signed.astype(np.float32).view(np.int32) >> 23
    exponent &= 0xFF  # without the sign of the highest bit
    exponent -= 127
    return exponent


@dataclass(frozen=True)
class FeatureTable:
    """The QuickScorer table of one feature.

    Parameters
    ----------
    feature : int
    line_of : Comparisons, Intervals or Codes
        Maps cells to lines.
    table : ndarray of masks, shape (n_lines, n_trees)
        The remaining leaves of each tree.
    """

    feature: int
    line_of: Any
    table: np.ndarray

    @property
    def is_small(self) -> bool:
        """Whether the table has few lines."""
        return len(self.table) <= MAX_SMALL_LINES


def table_of_numbers(
    feature: int,
    whole: np.ndarray,
    tree: np.ndarray,
    goes_left: np.ndarray,
    goes_right: np.ndarray,
    threshold: np.ndarray,
    missing_left: np.ndarray,
) -> FeatureTable:
    """Return the table of a numeric feature.

    Parameters
    ----------
    feature : int
    whole : ndarray of masks, shape (n_trees,)
    tree, goes_left, goes_right, threshold, missing_left : ndarray of shape (n_splits,)
        Arrays of the splits that test the feature.
    """
    cuts, line = np.unique(threshold, return_inverse=True)
    upwards, downwards = (np.tile(whole, (len(cuts) + 2, 1)) for _ in range(2))
    np.bitwise_and.at(upwards, (line + 1, tree), goes_right)
    np.bitwise_and.at(downwards, (line, tree), goes_left)
    table = np.bitwise_and.accumulate(upwards) & np.bitwise_and.accumulate(downwards[::-1])[::-1]
    table[-1] = whole
    np.bitwise_and.at(table[-1], tree, np.where(missing_left, goes_left, goes_right))
    if len(table) <= MAX_SMALL_LINES:
        return FeatureTable(feature, Comparisons(cuts), np.ascontiguousarray(table[::-1]))
    return FeatureTable(feature, Intervals(cuts), table)


def table_of_categories(
    feature: int,
    whole: np.ndarray,
    tree: np.ndarray,
    goes_left: np.ndarray,
    goes_right: np.ndarray,
    subsets: np.ndarray,
) -> FeatureTable:
    """Return the table of a categorical feature; ``subsets`` of shape (n_splits, n_codes) masks codes that go left."""
    is_left = np.hstack([subsets, np.zeros((len(subsets), 1), dtype=bool)])
    by_tree = np.tile(whole[:, None], (1, is_left.shape[1]))
    np.bitwise_and.at(by_tree, tree, np.where(is_left, goes_left[:, None], goes_right[:, None]))
    return FeatureTable(feature, Codes(subsets.shape[1]), np.ascontiguousarray(by_tree.T))


class Comparisons:
    """Maps cells to the number of ``cuts`` that they do not exceed.

    Infinity is one of the cuts, so that only NaN is mapped to 0.
    """

    def __init__(self, cuts: np.ndarray) -> None:
        self.cuts = np.append(cuts, cuts.dtype.type(np.inf))


class Intervals:
    """Maps cells to intervals between the sorted ``cuts``: the number of smaller cuts, or ``len(cuts) + 1`` for NaN.

    A regular grid over the range of the cuts stores the number of cuts below each step, so that a cell is only compared
    with the cuts in its own step. Unlike a binary search, this has no unpredictable branches. If many cuts share a
    step, a binary search is used.
    """

    N_STEPS = 1024
    MAX_CUTS_PER_STEP = 4

    def __init__(self, cuts: np.ndarray) -> None:
        self.cuts = np.append(cuts, cuts.dtype.type(np.inf))  # NaN is sorted behind infinity
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            self.step = (cuts[-1] - cuts[0]) / cuts.dtype.type(self.N_STEPS) if len(cuts) > 1 else cuts.dtype.type(1)
            self.has_grid = bool(np.isfinite(self.step) and np.isfinite(1 / self.step) and np.isfinite(cuts).all())
        if self.has_grid:
            steps = self._step_of(cuts)
            self.in_a_step = int(np.bincount(steps).max())
            self.has_grid = self.in_a_step <= self.MAX_CUTS_PER_STEP
            self.smaller = np.searchsorted(steps, np.arange(self.N_STEPS + 3))

    def __call__(self, cells: np.ndarray) -> np.ndarray:
        """Return the interval of each cell."""
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
        """Return the step of each cell; it is a nondecreasing function of the cell despite rounding errors."""
        with np.errstate(over="ignore", invalid="ignore"):
            steps = (cells - self.cuts[0]) / self.step
        return (np.fmin(np.fmax(steps, -1), self.N_STEPS + 1) + 1).astype(np.intp)


@dataclass(frozen=True)
class Codes:
    """Maps category codes to integers; missing and unknown categories are mapped to ``n_codes``."""

    n_codes: int

    def __call__(self, cells: np.ndarray) -> np.ndarray:
        """Return the integer code of each cell."""
        known = (cells > -1) & (cells < self.n_codes)  # LightGBM truncates fractions
        return np.where(known, cells, self.n_codes).astype(np.intp)
