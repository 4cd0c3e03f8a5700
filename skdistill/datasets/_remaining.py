"""Rows of a dataset drawn at random among those that were not drawn before, found chunk by chunk."""

from dataclasses import dataclass

import numpy as np

from ._drawing import row_keys

BLOCK = 4096
"""Rows of a block; each block has its share of the rows that are drawn."""


@dataclass(frozen=True)
class RemainingRows:
    """Which rows are drawn, by their positions alone: those of any chunk are known without those of the others.

    The rows are a stratified sample with blocks of consecutive rows as strata: the numbers of rows drawn up to any
    place are proportional to the numbers of rows there, and the rows of a block are drawn at random.

    Parameters
    ----------
    n_total : int
        Number of rows of the dataset.
    skipped : ndarray of int
        Sorted positions of the rows that were drawn before.
    n_rows : int
        Number of rows to draw; all remaining rows, if there are fewer.
    seed : int
    """

    n_total: int
    skipped: np.ndarray
    n_rows: int
    seed: int

    @property
    def n_left(self) -> int:
        """Number of rows that were not drawn before."""
        return self.n_total - len(self.skipped)

    @property
    def n_drawn(self) -> int:
        """Number of rows that are drawn."""
        return min(self.n_rows, self.n_left)

    def of(self, start: int, n_rows: int) -> np.ndarray:
        """Return the positions, within a chunk that begins at ``start``, of its rows that are drawn.

        Parameters
        ----------
        start : int
        n_rows : int
            Number of rows of the chunk.

        Returns
        -------
        positions : ndarray of int
        """
        first, last = start // BLOCK, -(-(start + n_rows) // BLOCK)
        begin = first * BLOCK
        keys = row_keys(self.seed, begin, (last - first) * BLOCK)
        before, after = np.searchsorted(self.skipped, [begin, last * BLOCK])
        keys[self.skipped[before:after] - begin] = np.inf
        keys[max(self.n_total - begin, 0) :] = np.inf
        keys = keys.reshape(-1, BLOCK)
        order = keys.argsort(axis=1, kind="stable")
        ranks = np.empty_like(order)
        np.put_along_axis(ranks, order, np.arange(BLOCK)[None], axis=1)
        is_drawn = (ranks < self._shares(first, last)[:, None]).ravel()
        return np.flatnonzero(is_drawn[start - begin : start - begin + n_rows])

    def _shares(self, first: int, last: int) -> np.ndarray:
        """Return the number of rows that are drawn from each block."""
        ends = np.minimum(np.arange(first, last + 1) * BLOCK, self.n_total)
        left = ends - np.searchsorted(self.skipped, ends)
        share = self.n_drawn, max(self.n_left, 1)
        up_to = [n_rows * share[0] // share[1] for n_rows in left.tolist()]  # products of an array may overflow
        return np.diff(np.array(up_to))
