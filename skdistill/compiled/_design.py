"""From coded cells to the inputs of weighted sums: numbers to one scale, categories to indicators."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

CHUNK_CELLS = 2_000_000
"""Inputs in work at a time."""

FURTHEST = 8.0
"""Standard deviations beyond which cells count as that far away."""


@dataclass(eq=False)
class Design:
    """Inputs made of cells: standardised numbers, then indicators of missing ones, then indicators of categories.

    A number is clipped to the range of the fit, so that rows far from all that was seen get the answer of the edge. A
    missing number counts as the mean; a missing or unseen category has no indicator.

    Parameters
    ----------
    center, scale : ndarray of float64, shape (n_features,)
        Of numbers; 0 and 1 for categories.
    low, high : ndarray of float32, shape (n_features,)
        Range of the standardised numbers.
    n_codes : ndarray of int, shape (n_features,)
        Number of categories of each column; 0 for numbers.
    has_missing : ndarray of bool, shape (n_features,)
        Columns of numbers that have an indicator of missing cells.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import Design
    >>> cells = np.array([[1.0, 0], [3.0, 1], [1.0, np.nan], [3.0, 1]])
    >>> Design.of(cells, np.ones(4), n_codes=np.array([0, 2])).inputs(cells)
    array([[-1.,  1.,  0.],
           [ 1.,  0.,  1.],
           [-1.,  0.,  0.],
           [ 1.,  0.,  1.]])
    """

    center: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_codes: np.ndarray
    has_missing: np.ndarray

    @classmethod
    def of(cls, cells: Any, weight: np.ndarray, n_codes: np.ndarray) -> Self:
        """Learn scale and range of the columns of coded rows, dense or sparse, of shape (n_rows, n_features)."""
        n_features = cells.shape[1]
        is_number = n_codes == 0
        lowest, highest = np.full(n_features, np.inf), np.full(n_features, -np.inf)
        missing, total, present = np.zeros((3, n_features))
        for rows, dense in dense_chunks(cells):
            known = ~np.isnan(dense)
            filled = np.where(known, _finite(dense), 0.0)
            lowest = np.minimum(lowest, np.where(known, filled, np.inf).min(axis=0))
            highest = np.maximum(highest, np.where(known, filled, -np.inf).max(axis=0))
            missing += (~known).sum(axis=0)
            present += weight[rows] @ known
            total += weight[rows] @ filled
        lowest, highest = np.where(np.isfinite(lowest), (lowest, highest), 0.0)
        center = np.clip(total / np.maximum(present, 1e-300), lowest, highest)
        squares = np.zeros(n_features)
        span = np.where(highest / 2 > lowest / 2, highest / 2 - lowest / 2, 1.0)
        for rows, dense in dense_chunks(cells):
            away = np.nan_to_num((_finite(dense) / 2 - center / 2) / span, nan=0.0)
            squares += weight[rows] @ away**2
        deviation = 2 * span * np.sqrt(squares / np.maximum(present, 1e-300))
        scale = np.where(is_number & (deviation > 0), deviation, 1.0)
        center = np.where(is_number, center, 0.0)
        low, high = (np.clip((edge - center) / scale, -FURTHEST, FURTHEST) for edge in (lowest, highest))
        return cls(
            center,
            scale,
            np.where(is_number, low, 0).astype(np.float32),
            np.where(is_number, high, 0).astype(np.float32),
            n_codes,
            is_number & (missing > 0),
        )

    @property
    def n_features(self) -> int:
        """Columns of a row."""
        return len(self.center)

    @cached_property
    def width(self) -> int:
        """Number of inputs."""
        return self.n_before_codes + int(self.n_codes.sum())

    @property
    def n_active(self) -> int:
        """Inputs of a row that can differ from zero."""
        return self.n_before_codes + int(np.count_nonzero(self.n_codes))

    @cached_property
    def is_plain(self) -> bool:
        """Whether every column is a number without an indicator, so that inputs are cells on another scale."""
        return self.width == self.n_features and not self.n_codes.any()

    def inputs(self, cells: np.ndarray, dtype: Any = np.float64) -> np.ndarray:
        """Return the inputs of dense coded rows, of shape (n_rows, width)."""
        numbers = self.numbers
        values = cells if self.is_plain else cells[:, numbers]
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = (values - self.center[numbers]) / self.scale[numbers]
        scaled = np.clip(scaled, self.low[numbers], self.high[numbers], out=scaled).astype(dtype, copy=False)
        missing = np.isnan(scaled)
        if missing.any():
            scaled[missing] = 0
        if self.is_plain:
            return scaled
        inputs = np.zeros((len(cells), self.width), dtype=dtype)
        inputs[:, : len(numbers)] = scaled
        inputs[:, len(numbers) : self.n_before_codes] = missing[:, self.has_missing[numbers]]
        row, column, code = self._codes_of(cells)
        inputs[row, self.first_input[column] + code] = 1
        return inputs

    def inputs_of_row(self, cells: Sequence[float]) -> np.ndarray:
        """Return the inputs of one row, of shape (width,)."""
        return self.inputs(np.array([cells], dtype=np.float64))[0]

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Range of the cells of numbers, and their center and scale, each of shape (n_numbers,)."""
        center, scale = self.center[self.numbers], self.scale[self.numbers]
        return center + scale * self.low[self.numbers], center + scale * self.high[self.numbers], center, scale

    def _codes_of(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return row, column and code of all cells that hold a known category."""
        columns = np.flatnonzero(self.n_codes)
        coded = cells[:, columns]
        row, place = np.nonzero((coded > -1) & (coded < self.n_codes[columns]))
        return row, columns[place], coded[row, place].astype(np.intp)

    @cached_property
    def numbers(self) -> np.ndarray:
        """Columns of numbers."""
        return np.flatnonzero(self.n_codes == 0)

    @cached_property
    def n_before_codes(self) -> int:
        """Inputs before those of categories."""
        return len(self.numbers) + int(self.has_missing.sum())

    @cached_property
    def first_input(self) -> np.ndarray:
        """For each column of categories, the input of its first one."""
        return self.n_before_codes + np.cumsum(self.n_codes) - self.n_codes

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def _finite(cells: np.ndarray) -> np.ndarray:
    """Return cells with what is infinite as the largest float."""
    largest = np.finfo(np.float64).max
    return np.clip(np.asarray(cells, dtype=np.float64), -largest, largest)


def dense_chunks(cells: Any, most_rows: int = CHUNK_CELLS) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield slices of rows, and these rows as dense arrays."""
    step = int(np.clip(CHUNK_CELLS // max(cells.shape[1], 1), 1, most_rows))
    for start in range(0, cells.shape[0], step):
        rows = slice(start, start + step)
        yield rows, cells[rows].toarray() if hasattr(cells, "toarray") else np.asarray(cells[rows])
