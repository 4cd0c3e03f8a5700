"""The base class of the samplers: input checks, seeded blocks of rows, and streaming."""

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from .._tables import renumber, stack_rows, take_rows
from .._threads import in_few_threads
from .._validation import check_n_jobs, check_number, check_random_state, check_table, draw_seed
from ._in_notebooks import ShownSampler

BLOCK_CELLS, BLOCK_ROWS = 2**20, 16_384
"""Maximum number of cells and rows of a block, so that a block and its working arrays fit into the cache."""

SMALL_BLOCK = 512
"""A table with fewer rows is repeated within a block, so that small tables do not give small blocks."""


class BaseSampler(ShownSampler):
    """Base class of the samplers.

    Rows are drawn in blocks of a fixed size, each with its own seed, so that the rows depend neither on the chunk size
    nor on the number of threads. Each block starts from distinct real rows, its ``own`` rows.
    """

    random_state: Any
    _min_rows = 1
    _takes_sparse = False
    _dtype: Any = None
    """The dtype of a given array; numbers in an array of objects may have been converted."""

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the sampler on the rows of a table.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Real rows: an array or a frame. MUNGE, LeafSwap, TermSwap and mixtures of them also support sparse matrices.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The teacher's outputs. Only :class:`LeafSwap`, and mixtures with it, use them.

        Returns
        -------
        self : object
            The fitted sampler.
        """
        self._check_parameters()
        check_n_jobs(self, getattr(self, "n_jobs", None))
        if sparse.issparse(X) and not get_tags(self).input_tags.sparse:
            raise TypeError(
                f"Sparse data was passed for X, but dense data is required: {type(self).__name__} would replace "
                "zeros. Use LeafSwap, MUNGE or TermSwap."
            )
        given, X = X, check_table(self, X, reset=True)
        self._dtype = getattr(given, "dtype", None) if isinstance(given, np.ndarray) else None
        if X.shape[0] < self._min_rows:
            raise ValueError(
                f"{type(self).__name__} got n_samples = {X.shape[0]} row; expected at least {self._min_rows}, to have "
                "a neighbour."
            )
        self._X = X
        self._learn(X, y, check_random_state(self.random_state, self))
        return self

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Any:
        """Draw synthetic rows.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows. Each real row is used as the start of about the same number of rows.
        random_state : int, RandomState instance or None, default=None
            Seed of the rows.

        Returns
        -------
        rows : table of shape (n_samples, n_features)
            Rows with the type and schema of the fitted table.
        """
        check_number(self, "n_samples", n_samples, kind=Integral, low=1)
        check_is_fitted(self)
        if not self._is_drawn_in_place():
            return next(self.stream(n_samples, chunk_size=n_samples, random_state=random_state))
        rows = np.empty((n_samples, self._X.shape[1]), dtype=self._X.dtype)

        def draw(block: "_Own") -> None:
            self._draw_in_place(block.rows, block.rng(), rows[block.start : block.start + len(block.rows)])

        for _ in in_few_threads(draw, self._own_rows(n_samples, check_random_state(random_state, self)), self._n_jobs):
            pass
        return rows

    def stream(self, n_samples: int, *, chunk_size: int = 100_000, random_state: Any = None) -> Iterator[Any]:
        """Draw the rows of :meth:`sample` in chunks, so that more rows can be drawn than fit into memory.

        Parameters
        ----------
        n_samples : int
            Total number of rows.
        chunk_size : int, default=100_000
            Rows per chunk. The drawn rows do not depend on the chunk size.
        random_state : int, RandomState instance or None, default=None
            Seed of the rows.

        Returns
        -------
        chunks : iterator of tables of shape (<= chunk_size, n_features)
        """
        check_is_fitted(self)
        check_number(self, "n_samples", n_samples, kind=Integral, low=1)
        check_number(self, "chunk_size", chunk_size, kind=Integral, low=1)
        return self._chunks(n_samples, chunk_size, check_random_state(random_state, self))

    def _chunks(self, n_samples: int, chunk_size: int, rng: np.random.RandomState) -> Iterator[Any]:
        """Convert blocks to chunks: arrays are copied into one array, other tables are stacked."""
        held: list[Any] = []
        n_held, n_left = 0, n_samples
        for block in self._blocks(n_samples, rng):
            start = 0
            while start < block.shape[0]:
                size = min(chunk_size, n_left)
                stop = min(start + size - n_held, block.shape[0])
                part = block if stop - start == block.shape[0] else take_rows(block, slice(start, stop))
                if not isinstance(block, np.ndarray):
                    held.append(part)
                elif n_held:
                    held[0][n_held : n_held + len(part)] = part
                elif len(part) == size:
                    held = [part]
                else:
                    held = [np.empty((size, block.shape[1]), dtype=block.dtype)]
                    held[0][: len(part)] = part
                n_held += stop - start
                start = stop
                if n_held == size:
                    chunk = renumber(stack_rows(held))
                    held, n_held, n_left = [], 0, n_left - size
                    yield chunk

    def _blocks(self, n_samples: int, rng: np.random.RandomState) -> Iterator[Any]:
        """Yield the rows block by block."""
        yield from in_few_threads(
            lambda block: self._draw(block.rows, block.rng()), self._own_rows(n_samples, rng), self._n_jobs
        )

    def _own_rows(self, n_samples: int, rng: np.random.RandomState) -> "Iterator[_Own]":
        """Yield the real rows that each block starts from."""
        order, seed, size = rng.permutation(self._X.shape[0]), draw_seed(rng), self._rows_at_once()
        for index, start in enumerate(range(0, n_samples, size)):
            yield _Own(start, order[np.arange(start, min(start + size, n_samples)) % len(order)], (seed, index))

    @property
    def _n_jobs(self) -> int | None:
        return getattr(self, "n_jobs", None)

    def _rows_at_once(self) -> int:
        """Return the number of rows of a block."""
        return block_rows(*self._X.shape)

    def _check_parameters(self) -> None:
        """Raise an error for invalid parameters."""

    def _learn(self, X: Any, y: Any, rng: np.random.RandomState) -> None:
        """Learn what :meth:`_draw` needs beyond the table itself."""

    def _draw(self, own: np.ndarray, rng: np.random.Generator) -> Any:
        """Return one synthetic row for each of the real rows numbered ``own``."""
        raise NotImplementedError

    def _is_drawn_in_place(self) -> bool:
        """Whether :meth:`_draw_in_place` can write the rows of a block into an array."""
        return False

    def _draw_in_place(self, own: np.ndarray, rng: np.random.Generator, rows: np.ndarray) -> None:
        """Write the rows that :meth:`_draw` returns into an array; the result is the same."""
        raise NotImplementedError

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = True
        tags.input_tags.sparse = self._takes_sparse
        return tags


@dataclass(frozen=True)
class _Own:
    """The rows of a block: its first row among those drawn, the real rows that it starts from, and its seed."""

    start: int
    rows: np.ndarray
    seed: tuple[int, int]

    def rng(self) -> np.random.Generator:
        """Return the generator of the block."""
        return np.random.default_rng(self.seed)


def block_rows(n_rows: int, n_features: int) -> int:
    """Return the number of rows of a block: one copy of the table, unless that is very small or large."""
    copies = -(-SMALL_BLOCK // n_rows)
    return max(1, min(copies * n_rows, BLOCK_ROWS, BLOCK_CELLS // n_features))
