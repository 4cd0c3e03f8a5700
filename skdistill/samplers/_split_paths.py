"""Rows drawn along the paths of trees: each split that a row meets narrows one of its columns."""

import numpy as np

from ..convert import Splits

N_PATHS = 10
"""Number of trees whose paths a row follows; more hardly narrow its columns any further."""


class SplitPaths:
    """Draws the cells of rows as shares of the range of their column, or as positions in the values of it.

    A row starts with the whole range, and all values, of each column. It follows the path of one random tree after the
    other. At a split both of whose sides are still possible, the side is drawn, and the column is narrowed to it.

    Parameters
    ----------
    splits : Splits
        Trees whose thresholds are shares of the range of their column.
    n_values : dict of {int: int}
        Number of values of each column that is described by its values.
    n_features : int
    is_even : bool
        Whether both sides are equally likely. Otherwise, they are drawn with their shares of the training rows.
    """

    def __init__(self, splits: Splits, n_values: dict[int, int], n_features: int, *, is_even: bool = False) -> None:
        self._splits, self._n_values, self._n_features, self._is_even = splits, n_values, n_features, is_even

    def draw(self, n_rows: int, rng: np.random.Generator) -> np.ndarray:
        """Return shares in [0, 1) of the range of each column, or of its list of values; shape (n_rows, n_features)."""
        box = _Box(n_rows, self._n_values, self._n_features)
        for _ in range(N_PATHS):
            self._follow(box, self._splits.root[rng.integers(len(self._splits.root), size=n_rows)], rng)
        share = rng.random((n_rows, self._n_features))
        cells = (1 - share) * box.low + share * box.high
        for column, possible in box.possible.items():
            chosen = np.argmax(rng.random(possible.shape) * possible, axis=1)
            cells[:, column] = (chosen + 0.5) / possible.shape[1]
        return np.minimum(cells, np.nextafter(1.0, 0.0))

    def _follow(self, box: "_Box", node: np.ndarray, rng: np.random.Generator) -> None:
        """Follow a path from a root to a leaf of one tree for each row, level by level."""
        splits, rows = self._splits, np.arange(len(node))
        while True:
            is_split = splits.column[node] >= 0
            rows, node = rows[is_split], node[is_split]
            if len(rows) == 0:
                return
            goes_left = rng.random(len(rows)) < (0.5 if self._is_even else splits.share[node])
            is_number = ~np.isnan(splits.threshold[node])
            part = np.flatnonzero(is_number)
            goes_left[part] = box.narrow(
                rows[part], splits.column[node[part]], splits.threshold[node[part]], goes_left[part]
            )
            for column in box.possible:
                part = np.flatnonzero((splits.column[node] == column) & (splits.subset[node] >= 0))
                subset = splits.subsets[column][splits.subset[node[part]]] if len(part) else np.zeros((0, 0), bool)
                goes_left[part] = box.keep(rows[part], column, subset, goes_left[part])
            node = np.where(goes_left, splits.left[node], splits.right[node])


class _Box:
    """The range of each cell of the rows, and the values that are still possible."""

    def __init__(self, n_rows: int, n_values: dict[int, int], n_features: int) -> None:
        self.low, self.high = np.zeros((n_rows, n_features)), np.ones((n_rows, n_features))
        self.possible = {column: np.ones((n_rows, count), dtype=bool) for column, count in n_values.items()}

    def narrow(self, rows: np.ndarray, column: np.ndarray, threshold: np.ndarray, goes_left: np.ndarray) -> np.ndarray:
        """Narrow ranges to the drawn side, or to the only one that is possible, and return the sides taken."""
        low, high = self.low[rows, column], self.high[rows, column]
        goes_left = (goes_left | (high <= threshold)) & (low < threshold)
        self.high[rows, column] = np.where(goes_left, np.minimum(high, threshold), high)
        self.low[rows, column] = np.where(goes_left, low, np.maximum(low, threshold))
        return goes_left

    def keep(self, rows: np.ndarray, column: int, subset: np.ndarray, goes_left: np.ndarray) -> np.ndarray:
        """Keep the values of the drawn side, or of the only one that is possible, and return the sides taken."""
        if len(rows) == 0:
            return goes_left
        possible = self.possible[column][rows]
        can_left, can_right = (possible & subset).any(axis=1), (possible & ~subset).any(axis=1)
        goes_left = (goes_left | ~can_right) & can_left
        self.possible[column][rows] = possible & (subset == goes_left[:, None])
        return goes_left
