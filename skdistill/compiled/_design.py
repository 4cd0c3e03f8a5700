"""From coded cells to the inputs of weighted sums: numbers to one scale, categories to indicators."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from ._scorer import FlatData

CHUNK_CELLS = 2_000_000
"""Inputs in work at a time."""

MAX_DEVIATIONS = 8.0
"""Standard deviations beyond which cells count as that far away."""


@dataclass(eq=False)
class Design(FlatData, kind="design"):
    """Inputs made of cells: scaled numbers, then indicators of missing ones, then indicators of categories.

    An input is a number less a center, divided by a scale, clipped to a range; one number may have several such inputs,
    which then are its pieces (:meth:`in_pieces`). Rows far from all that was seen get the answer of the edge. A missing
    number counts as the center; a missing or unseen category has no indicator.

    Parameters
    ----------
    numbers : ndarray of int, shape (n_numeric,)
        Column of each numeric input.
    center, scale : ndarray of float64, shape (n_numeric,)
        Of numeric inputs.
    low, high : ndarray of float32, shape (n_numeric,)
        Their range once they are scaled.
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

    numbers: np.ndarray
    center: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_codes: np.ndarray
    has_missing: np.ndarray

    @classmethod
    def of(cls, cells: Any, weight: np.ndarray, n_codes: np.ndarray) -> Self:
        """Standardise the numbers of coded rows, dense or sparse, of shape (n_rows, n_features)."""
        n_features = cells.shape[1]
        lowest, highest = np.full(n_features, np.inf), np.full(n_features, -np.inf)
        missing, total, present = np.zeros((3, n_features))
        for rows, dense in dense_chunks(cells):
            known = np.isfinite(dense) & (weight[rows, None] > 0)
            filled = np.where(known, dense, 0.0)
            lowest = np.minimum(lowest, np.where(known, filled, np.inf).min(axis=0))
            highest = np.maximum(highest, np.where(known, filled, -np.inf).max(axis=0))
            missing += (np.isnan(dense) & (weight[rows, None] > 0)).sum(axis=0)
            present += weight[rows] @ known
            total += weight[rows] @ filled
        lowest, highest = np.where(np.isfinite(lowest), (lowest, highest), 0.0)
        center = np.clip(total / np.maximum(present, 1e-300), lowest, highest)
        squares = np.zeros(n_features)
        span = np.where(highest / 2 > lowest / 2, highest / 2 - lowest / 2, 1.0)
        for rows, dense in dense_chunks(cells):
            known = np.isfinite(dense) & (weight[rows, None] > 0)
            away = np.where(known, dense, center) / 2 - center / 2
            squares += weight[rows] @ (away / span) ** 2
        deviation = 2 * span * np.sqrt(squares / np.maximum(present, 1e-300))
        scale = _rounded(np.where(deviation > 0, deviation, 1.0))
        rounded = _rounded(center)
        center = np.where(np.abs(rounded - center) < 0.01 * scale, rounded, center)
        low, high = (np.clip((edge - center) / scale, -MAX_DEVIATIONS, MAX_DEVIATIONS) for edge in (lowest, highest))
        numbers = np.flatnonzero(n_codes == 0)
        low, high = _half(low, -np.inf), _half(high, np.inf)
        affine = (center[numbers], scale[numbers], low[numbers], high[numbers])
        return cls(numbers, *affine, n_codes, (n_codes == 0) & (missing > 0))

    def in_pieces(self, knots: list[np.ndarray]) -> Self:
        """Return a design with an input from 0 to 1 for each interval between neighbouring knots [1]_.

        What is linear in the inputs is then piecewise linear in the number, with bends at its knots.

        Parameters
        ----------
        knots : list of ndarray
            For each number, in the order of ``numbers``, at least two ascending ones; fewer leave it as it is.

        References
        ----------
        .. [1] Y. Gorishniy et al., "On Embeddings for Numerical Features in Tabular Deep Learning", NeurIPS 2022.
        """
        pieces: list[tuple[np.ndarray, ...]] = []
        for place, ends in enumerate(knots):
            if len(ends) < 2:
                pieces.append(tuple(getattr(self, name)[[place]] for name in _NUMERIC))
                continue
            n_pieces = len(ends) - 1
            edges = np.zeros(n_pieces, dtype=np.float32), np.ones(n_pieces, dtype=np.float32)
            pieces.append((np.full(n_pieces, self.numbers[place]), ends[:-1], _rounded(np.diff(ends)), *edges))
        columns = [np.concatenate(parts) for parts in zip(*pieces, strict=True)] if pieces else []
        return replace(self, **dict(zip(_NUMERIC, columns, strict=False)))

    @property
    def n_pieces(self) -> int:
        """Number of intervals that have an input of their own."""
        is_piece = np.bincount(self.numbers, minlength=self.n_features)[self.numbers] > 1
        return int(np.count_nonzero(is_piece))

    @property
    def n_features(self) -> int:
        """Columns of a row."""
        return len(self.n_codes)

    @cached_property
    def width(self) -> int:
        """Number of inputs."""
        return self.n_before_codes + int(self.n_codes.sum())

    @property
    def n_active(self) -> int:
        """Inputs of a row that can differ from zero."""
        return self.n_before_codes + int(np.count_nonzero(self.n_codes))

    @cached_property
    def has_codes(self) -> bool:
        """Whether there are columns of categories."""
        return bool(self.n_codes.any())

    @cached_property
    def is_plain(self) -> bool:
        """Whether every column is a number without an indicator, so that inputs are cells on another scale."""
        return self.width == self.n_features and np.array_equal(self.numbers, np.arange(self.n_features))

    def inputs(self, cells: np.ndarray, dtype: Any = np.float64) -> np.ndarray:
        """Return the inputs of dense coded rows, of shape (n_rows, width)."""
        values = cells if self.is_plain else cells.take(self.numbers, axis=1)
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = values - self.center
            scaled /= self.scale
        scaled = np.clip(scaled, self.low, self.high, out=scaled).astype(dtype, copy=False)
        missing = np.isnan(scaled)
        if missing.any():
            scaled[missing] = 0
        if self.is_plain:
            return scaled
        inputs = np.zeros((len(cells), self.width), dtype=dtype)
        inputs[:, : len(self.numbers)] = scaled
        inputs[:, len(self.numbers) : self.n_before_codes] = np.isnan(cells[:, self.has_missing])
        row, column, code = self._codes_of(cells)
        inputs[row, self.first_input[column] + code] = 1
        return inputs

    def before_codes(self) -> dict[str, np.ndarray]:
        """Return what makes the inputs before those of categories of one row's cells, each of shape (n_before_codes,).

        They are ``(clip(cells[columns], low, high) - center) / scale``, and ``missing`` where the cell is. An indicator
        is a cell whose range is 0 to 0: nothing but a missing cell shows. So is a number that never varies: a large one
        would cost the others their digits where centers are folded into weights.
        """
        columns = np.flatnonzero(self.has_missing)
        none = np.zeros(len(columns))
        center = np.where((self.low == 0) & (self.high == 0), 0.0, self.center)
        return {
            "columns": np.append(self.numbers, columns).astype(np.intp),
            "low": np.append(center + self.scale * self.low, none),
            "high": np.append(center + self.scale * self.high, none),
            "center": np.append(center, none),
            "scale": np.append(self.scale, none + 1),
            "missing": np.append(np.zeros(len(self.numbers)), none + 1),
        }

    def _codes_of(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return row, column and code of all cells that hold a known category."""
        columns = np.flatnonzero(self.n_codes)
        coded = cells[:, columns]
        row, place = np.nonzero((coded > -1) & (coded < self.n_codes[columns]))
        return row, columns[place], coded[row, place].astype(np.intp)

    @cached_property
    def n_before_codes(self) -> int:
        """Inputs before those of categories."""
        return len(self.numbers) + int(self.has_missing.sum())

    @cached_property
    def first_input(self) -> np.ndarray:
        """For each column of categories, the input of its first one."""
        return self.n_before_codes + np.cumsum(self.n_codes) - self.n_codes


_NUMERIC = ("numbers", "center", "scale", "low", "high")


def _rounded(numbers: np.ndarray) -> np.ndarray:
    """Return floats of float32 precision, where that has the range: their other bytes are zero, and pack well."""
    with np.errstate(over="ignore", under="ignore"):
        rounded = numbers.astype(np.float32).astype(np.float64)
    return np.where(np.isfinite(rounded) & ((rounded != 0) | (numbers == 0)), rounded, numbers)


def _half(edge: np.ndarray, outside: float) -> np.ndarray:
    """Return edges of half precision, rounded outwards, as float32."""
    rounded = edge.astype(np.float16)
    is_inside = rounded > edge if outside < 0 else rounded < edge
    return np.where(is_inside, np.nextafter(rounded, np.float16(outside)), rounded).astype(np.float32)


def dense_chunks(cells: Any, most_rows: int = CHUNK_CELLS) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield slices of rows, and these rows as dense arrays."""
    step = int(np.clip(CHUNK_CELLS // max(cells.shape[1], 1), 1, most_rows))
    for start in range(0, cells.shape[0], step):
        rows = slice(start, start + step)
        yield rows, cells[rows].toarray() if hasattr(cells, "toarray") else np.asarray(cells[rows])
