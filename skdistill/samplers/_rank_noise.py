"""Noise along the ranks of a column."""

import numpy as np

from ._cells import Numbers


class RankNoise:
    r"""Move numbers by a step along the ranks of their column.

    A number at rank r of the n present ones in its column moves to rank :math:`r + \sigma n z`, z standard normal,
    reflected at both ends, and takes the value there, between two observed ones. So a step is small where values are
    dense and large where they are rare, heavy tails and repeated values keep their share, and no value leaves its
    range.
    """

    def __init__(self, numbers: Numbers, scale: float, rng: np.random.RandomState) -> None:
        self.scale = scale
        self._numbers = numbers
        shuffled, counted = rng.permutation(len(numbers.values)), np.arange(len(numbers.values), dtype=np.int32)
        self._ranks: list[np.ndarray | None] = []
        self._sorted: list[np.ndarray] = []
        for is_movable, values in zip(numbers.is_movable, numbers.values.T, strict=True):
            n_present = len(values) - np.count_nonzero(np.isnan(values))
            if not (is_movable and n_present):
                self._ranks.append(None)
                self._sorted.append(values[:0])
                continue
            order = np.argsort(values)  # NaN last
            present = values[order[:n_present]]
            if np.any(present[1:] == present[:-1]):  # equal values get their ranks at random
                order = shuffled[np.argsort(values[shuffled])]
            rank = np.empty_like(counted)
            rank[order] = counted
            self._ranks.append(rank)
            self._sorted.append(np.append(present, present[-1:]))  # the last one twice: it has a next, too

    def draw(self, source: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Move the cells of the rows ``source``, of shape (n_rows,), or (n_rows, n_features): a row for each cell.

        Returns
        -------
        moved : ndarray of shape (n_rows, n_features)
            NaN where a cell is missing or no number.
        """
        moved = np.empty((len(self._ranks), len(source))).T
        for index, (ranks, values) in enumerate(zip(self._ranks, self._sorted, strict=True)):
            if ranks is None:
                moved[:, index] = np.nan
                continue
            rank = ranks[source if source.ndim == 1 else source[:, index]]
            last = len(values) - 2
            position = rng.standard_normal(len(rank)) * (self.scale * last)
            position += rank
            np.abs(position, out=position)
            np.clip(last - np.abs(last - position), 0, last, out=position)
            below = position.astype(np.int64)
            position -= below
            low = values[below]
            moved[:, index] = low + position * (values[below + 1] - low)
            moved[rank > last, index] = np.nan
        return self._numbers.fit_in(moved)
