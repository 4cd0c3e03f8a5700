"""Sums by slice over rows that are not in memory at once; the slices are those of a sample."""

import copy
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import narwhals as nw
import numpy as np

from .._encoding import TableEncoder, encoded_once, find_durations
from .._tables import is_frame, take_columns
from ._slices import MOST_CATEGORIES, MOST_COLUMNS, Words, names_of, places_of, range_ends

BLOCK_ROWS = 4096
"""Rows whose masks stay in the cache of a processor."""


@dataclass(frozen=True)
class ColumnSlices:
    """The slices of a column: ranges between ends, or values; then missing cells.

    Attributes
    ----------
    name : str
    marks : ndarray
        Ends of ranges, each of which includes its upper end, or values.
    are_ends : bool
    texts : list of str
        Of the ranges, or of the values and of all others.
    knows_all : bool
        Whether a code that is NaN is a missing cell, and not a category that the sample has not.
    """

    name: str
    marks: np.ndarray
    are_ends: bool
    texts: list[str]
    knows_all: bool

    def fill(self, masks: np.ndarray, codes: np.ndarray, missing: np.ndarray) -> None:
        """Set the masks of a column: above each end, or equal to each value, and missing."""
        compare = np.greater if self.are_ends else np.equal
        for row, mark in zip(masks, self.marks.astype(codes.dtype), strict=False):
            row[:] = compare(codes, mark)
        masks[-1] = missing

    def split(self, sums: np.ndarray, total: np.ndarray) -> list[tuple[str, np.ndarray]]:
        """Return the sums of each slice from those of the masks, of shape (n_masks, n_quantities)."""
        of_marks, missing = sums[:-1], sums[-1]
        if self.are_ends:
            above = [total - missing, *of_marks, np.zeros_like(total)]
            parts = [low - high for low, high in pairwise(above)]
        else:
            parts = [*of_marks, total - missing - of_marks.sum(axis=0)]
        return [*zip(self.texts, parts, strict=True), ("missing", missing)]


class SliceSums:
    """Sums of the quantities of rows by slice.

    Parameters
    ----------
    sample : table of shape (n_sample, n_features)
        Rows that the ranges and the common values are found in.
    columns : list of str or int, or None
        As for :func:`skdistill.report`.
    n_quantities : int
        Number of quantities of each row.
    """

    def __init__(self, sample: Any, columns: Any, n_quantities: int) -> None:
        self.places = _places(sample, columns)
        self._encoder = TableEncoder().fit(take_columns(sample, self.places)) if self.places else None
        self.of_columns = self._slices_of(take_columns(sample, self.places)) if self.places else []
        self._n_masks = [len(each.marks) + 1 for each in self.of_columns]
        self._sums = np.zeros((sum(self._n_masks), n_quantities))
        self.total = np.zeros(n_quantities)

    def update(self, X: Any, quantities: np.ndarray) -> None:
        """Add rows; ``quantities`` has shape (n_rows, n_quantities)."""
        self.total += np.ones(len(quantities)) @ quantities
        if self._encoder is None:
            return
        rows = take_columns(X, self.places) if len(self.places) < X.shape[1] else X
        with encoded_once():
            codes = np.asarray(self._encoder.transform(rows))
        of_categories = [place for place, each in enumerate(self.of_columns) if not each.knows_all]
        missing = {place: self._missing(rows, codes, place) for place in of_categories}
        for start in range(0, len(codes), BLOCK_ROWS):
            part = slice(start, start + BLOCK_ROWS)
            of_part = {place: each[part] for place, each in missing.items()}
            self._add(np.ascontiguousarray(codes[part].T), of_part, quantities[part])

    def emptied(self) -> "SliceSums":
        """Return the sums of the same slices without rows."""
        empty = copy.copy(self)
        empty._sums, empty.total = np.zeros_like(self._sums), np.zeros_like(self.total)
        return empty

    def add(self, other: "SliceSums") -> None:
        """Add the rows of other sums of the same slices."""
        self._sums += other._sums
        self.total += other.total

    def slices(self) -> list[tuple[str, str, np.ndarray]]:
        """Return column, slice and sums of each slice that has rows; the first quantity counts them."""
        found, start = [], 0
        for column, n_masks in zip(self.of_columns, self._n_masks, strict=True):
            for text, sums in column.split(self._sums[start : start + n_masks], self.total):
                if sums[0] > 0:
                    found.append((column.name, text, sums))
            start += n_masks
        return found

    def _add(self, codes: np.ndarray, missing: dict[int, np.ndarray], quantities: np.ndarray) -> None:
        masks, start = np.empty((len(self._sums), codes.shape[1])), 0
        for place, (column, cells, n_masks) in enumerate(zip(self.of_columns, codes, self._n_masks, strict=True)):
            is_missing = missing[place] if place in missing else np.isnan(cells)
            column.fill(masks[start : start + n_masks], cells, is_missing)
            start += n_masks
        self._sums += masks @ quantities

    def _missing(self, rows: Any, codes: np.ndarray, place: int) -> np.ndarray:
        """Return a mask of the missing cells of a column of categories; one that the sample has not is not missing."""
        unknown = np.isnan(codes[:, place])
        if not unknown.any() or not is_frame(rows):
            return unknown
        return unknown & np.asarray(nw.from_native(rows, eager_only=True)[:, place].is_null().to_numpy(), dtype=bool)

    def _slices_of(self, sample: Any) -> list[ColumnSlices]:
        assert self._encoder is not None
        codes, durations = np.asarray(self._encoder.transform(sample)), find_durations(sample)
        return [
            _column_slices(
                name,
                codes[:, place],
                self._encoder.categories_[place],
                Words(bool(self._encoder.is_time_[place]), bool(durations[place])),
            )
            for place, name in enumerate(np.array(names_of(sample)))
        ]


def _places(sample: Any, columns: Any) -> list[int]:
    """Return the positions of the columns that are sliced; sparse tables have none."""
    names = names_of(sample)
    if hasattr(sample, "tocsr") or (columns is None and len(names) > MOST_COLUMNS):
        return []
    if columns is None:
        return list(range(len(names)))
    is_one = isinstance(columns, str) or not np.iterable(columns)
    return places_of("report", sample, [columns] if is_one else columns)


def _column_slices(name: str, codes: np.ndarray, known: np.ndarray | None, words: Words) -> ColumnSlices:
    present = codes[~np.isnan(codes)]
    distinct, counts = np.unique(present, return_counts=True)
    if known is None and len(distinct) > MOST_CATEGORIES // 2:
        ends, texts = range_ends(present, words)
        return ColumnSlices(str(name), ends, True, texts, True)
    common = distinct[np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]]
    texts = words.of(common) if known is None else [str(known[int(code)]) for code in common]
    return ColumnSlices(str(name), common, False, [*texts, "others"], known is None)
