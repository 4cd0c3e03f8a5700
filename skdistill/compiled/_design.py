"""The design of linear models, kernels and networks: standardised numbers and indicators of categories."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from .._threads import in_turns
from ._scorer import FlatData

CHUNK_CELLS = 2_000_000
"""Maximum number of inputs that are computed at a time."""

MAX_DEVIATIONS = 8.0
"""Numbers are clipped at this many standard deviations from their mean."""


@dataclass(eq=False)
class Design(FlatData, kind="design"):
    """Maps encoded cells to inputs: standardised numbers, then missing indicators, then one-hot encoded categories.

    A numeric input is a number minus its center, divided by its scale and clipped to a range; a number may have several
    inputs, its piecewise linear encoding (:meth:`in_pieces`). Outside the range of the training data, inputs are
    constant. A missing number is replaced by the center; a missing or unknown category sets no indicator.

    Parameters
    ----------
    numbers : ndarray of int, shape (n_numeric,)
        Column of each numeric input.
    center, scale : ndarray of float64, shape (n_numeric,)
        Center and scale of each numeric input.
    low, high : ndarray of float32, shape (n_numeric,)
        Range of each numeric input after scaling.
    n_codes : ndarray of int, shape (n_features,)
        Number of categories of each column; 0 for numbers.
    has_missing : ndarray of bool, shape (n_features,)
        Mask of the numeric columns that have a missing indicator.

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
        """Return the design that standardises the numbers of encoded rows of shape (n_rows, n_features)."""
        moments = _Moments.of(cells, weight)
        lowest, highest, center = moments.lowest, moments.highest, moments.center
        scale = _rounded(np.where(moments.deviation > 0, moments.deviation, 1.0))
        rounded = _rounded(center)
        center = np.where(np.abs(rounded - center) < 0.01 * scale, rounded, center)
        low, high = (np.clip((edge - center) / scale, -MAX_DEVIATIONS, MAX_DEVIATIONS) for edge in (lowest, highest))
        numbers = np.flatnonzero(n_codes == 0)
        low, high = _half(low, -np.inf), _half(high, np.inf)
        affine = (center[numbers], scale[numbers], low[numbers], high[numbers])
        return cls(numbers, *affine, n_codes, (n_codes == 0) & moments.has_missing)

    def in_pieces(self, knots: list[np.ndarray]) -> Self:
        """Return the design with a piecewise linear encoding: one input in [0, 1] per interval between knots [1]_.

        A linear function of these inputs is a piecewise linear function of the number with breakpoints at the knots.

        Parameters
        ----------
        knots : list of ndarray
            Ascending knots of each number, in the order of ``numbers``. Numbers with fewer than two are unchanged.

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
        """Number of inputs of piecewise linear encodings."""
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
        """Maximum number of nonzero inputs of a row."""
        return self.n_before_codes + int(np.count_nonzero(self.n_codes))

    @cached_property
    def has_codes(self) -> bool:
        """Whether any column is categorical."""
        return bool(self.n_codes.any())

    @cached_property
    def is_plain(self) -> bool:
        """Whether every column has exactly one numeric input, so that inputs are scaled cells."""
        return self.width == self.n_features and np.array_equal(self.numbers, np.arange(self.n_features))

    def inputs(self, cells: np.ndarray, dtype: Any = np.float64) -> np.ndarray:
        """Return the inputs of dense encoded rows, of shape (n_rows, width)."""
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
        row, column, code = self.codes_of(cells)
        inputs[row, self.first_input[column] + code] = 1
        return inputs

    def before_codes(self) -> dict[str, np.ndarray]:
        """Return the arrays, each of shape (n_before_codes,), that define the inputs before the category indicators.

        The inputs are ``clip(cells[columns] - center, low, high) / scale``, or ``missing`` if the cell is missing. A
        missing indicator has the range 0 to 0, so that it is zero unless the cell is missing.
        """
        columns = np.flatnonzero(self.has_missing)
        none = np.zeros(len(columns))
        return {
            "columns": np.append(self.numbers, columns).astype(np.intp),
            "low": np.append(self.scale * self.low, none),
            "high": np.append(self.scale * self.high, none),
            "center": np.append(self.center, none),
            "scale": np.append(self.scale, none + 1),
            "missing": np.append(np.zeros(len(self.numbers)), none + 1),
        }

    def codes_of(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the row, column and code of all cells with a known category."""
        columns = np.flatnonzero(self.n_codes)
        coded = cells[:, columns]
        row, place = np.nonzero((coded > -1) & (coded < self.n_codes[columns]))
        return row, columns[place], coded[row, place].astype(np.intp)

    @cached_property
    def n_before_codes(self) -> int:
        """Number of inputs before the category indicators."""
        return len(self.numbers) + int(self.has_missing.sum())

    @cached_property
    def first_input(self) -> np.ndarray:
        """Position of the indicator of the first category of each column."""
        return self.n_before_codes + np.cumsum(self.n_codes) - self.n_codes


@dataclass(frozen=True)
class _Moments:
    """Range, mean and standard deviation of the finite cells of each column, and whether any cell is missing.

    Rows of weight zero are ignored. Neither sums nor squares of large numbers leave the range of floats.
    """

    lowest: np.ndarray
    highest: np.ndarray
    center: np.ndarray
    deviation: np.ndarray
    has_missing: np.ndarray

    @classmethod
    def of(cls, cells: Any, weight: np.ndarray) -> Self:
        n_features = cells.shape[1]
        lowest, highest = np.full(n_features, np.inf), np.full(n_features, -np.inf)
        missing, total, present, squares = np.zeros((4, n_features))
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
        span = np.where(highest / 2 > lowest / 2, highest / 2 - lowest / 2, 1.0)
        for rows, dense in dense_chunks(cells):
            known = np.isfinite(dense) & (weight[rows, None] > 0)
            away = np.where(known, dense, center) / 2 - center / 2
            squares += weight[rows] @ (away / span) ** 2
        deviation = 2 * span * np.sqrt(squares / np.maximum(present, 1e-300))
        return cls(lowest, highest, center, deviation, missing > 0)


_NUMERIC = ("numbers", "center", "scale", "low", "high")


def _rounded(numbers: np.ndarray) -> np.ndarray:
    """Return numbers rounded to float32 precision if they are in its range, because they compress better."""
    with np.errstate(over="ignore", under="ignore"):
        rounded = numbers.astype(np.float32).astype(np.float64)
    return np.where(np.isfinite(rounded) & ((rounded != 0) | (numbers == 0)), rounded, numbers)


def _half(edge: np.ndarray, outside: float) -> np.ndarray:
    """Return bounds rounded outwards to half precision, as float32."""
    rounded = edge.astype(np.float16)
    is_inside = rounded > edge if outside < 0 else rounded < edge
    return np.where(is_inside, np.nextafter(rounded, np.float16(outside)), rounded).astype(np.float32)


def dense_chunks(cells: Any, most_rows: int = CHUNK_CELLS) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield consecutive slices of rows, and these rows as dense arrays."""
    step = int(np.clip(CHUNK_CELLS // max(cells.shape[1], 1), 1, most_rows))
    for start in range(0, cells.shape[0], step):
        rows = slice(start, start + step)
        yield rows, cells[rows].toarray() if hasattr(cells, "toarray") else np.asarray(cells[rows])


def for_each_dense_chunk(work: Callable[[slice, np.ndarray], None], cells: Any, most_rows: int, n_jobs: int) -> None:
    """Call ``work`` with the chunks of :func:`dense_chunks`, in threads; it must not depend on their number."""
    step = int(np.clip(CHUNK_CELLS // max(cells.shape[1], 1), 1, most_rows))

    def work_on(start: int) -> None:
        rows = slice(start, start + step)
        work(rows, cells[rows].toarray() if hasattr(cells, "toarray") else np.asarray(cells[rows]))

    in_turns(work_on, range(0, cells.shape[0], step), n_jobs)
