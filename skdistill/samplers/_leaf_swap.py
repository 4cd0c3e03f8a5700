"""Leaf swap: swap cells between rows for which the teacher gives similar outputs."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.tree import ExtraTreeRegressor
from sklearn.utils.validation import check_consistent_length

from .._encoding import fit_table_encoder
from .._tables import stack_rows
from .._types import RandomState
from .._validation import check_number, check_numbers
from ._base import BaseSampler
from ._cells import Numbers, choose_cells, put_numbers, swap_cells, swap_terms
from ._pool import standardise, tree_input
from ._rank_noise import Swap, move_along_ranks

BLOCKS_PER_TREE = 8
"""Maximum number of blocks of a large table that share a tree, which takes as long to grow as some of them to draw."""


class LeafSwap(BaseSampler):
    """Draw synthetic rows by swapping cells between rows that share a leaf of a randomised tree.

    For each block of rows (a copy of the table, or up to 131,072 rows of a large one), an extremely randomised tree
    [1]_ is grown on the teacher's outputs. Rows of the same leaf are similar in the features that the teacher uses
    there, and may differ in all others. Their cells can therefore be exchanged, and the rows remain plausible, without
    a neighbour search. Each row is paired with another row of its leaf, and each of its cells is replaced by the cell
    of the other row with ``swap_probability``.

    Categories, dates and missing values are swapped like other values. With ``noise``, numbers then move a little, to
    values between the observed ones.

    Parameters
    ----------
    swap_probability : float in (0, 1], default=0.5
        Probability that a cell is replaced.
    min_samples_leaf : int >= 2, default=5
        Minimum number of rows in a leaf.
    max_features : float in (0, 1], default=0.5
        Share of the features considered for each split. Smaller values give more random trees.
    max_tree_rows : int >= 2, default=4096
        Maximum number of rows of a block on which its tree is grown. All rows of the block are swapped.
    noise : float >= 0, default=0.05
        Step of each number along the ranks of its column after the swap, as a share of the cells of the column; see
        :class:`Jitter`. With 0, every cell is an observed value. Sparse matrices get no noise.
    random_state : int, RandomState instance or None, default=None
        Seed of the random projection if there are more than eight outputs.
    n_jobs : int or None, default=None
        Number of threads that draw rows. The rows do not depend on it.

    Attributes
    ----------
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Column names, if ``X`` is a frame.

    See Also
    --------
    MUNGE : Mixes near neighbours; slower.

    Notes
    -----
    Without ``y``, the trees are grown on noise. Rows of the same leaf are then similar in a few random features.

    References
    ----------
    .. [1] P. Geurts, D. Ernst and L. Wehenkel, "Extremely Randomized Trees", Machine Learning 63, 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.samplers import LeafSwap
    >>> X = np.random.default_rng(0).random((100, 3)).round(2)
    >>> rows = LeafSwap(noise=0.0).fit(X, X[:, 0] > 0.5).sample(200, random_state=0)
    >>> bool(np.isin(rows[:, 2], X[:, 2]).all())
    True
    """

    _takes_sparse = True

    def __init__(
        self,
        swap_probability: float = 0.5,
        min_samples_leaf: int = 5,
        max_features: float = 0.5,
        max_tree_rows: int = 4096,
        noise: float = 0.05,
        random_state: RandomState = None,
        n_jobs: int | None = None,
    ) -> None:
        self.swap_probability = swap_probability
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.max_tree_rows = max_tree_rows
        self.noise = noise
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _check_parameters(self) -> None:
        check_number(self, "swap_probability", self.swap_probability, low=0, high=1, low_open=True)
        check_number(self, "min_samples_leaf", self.min_samples_leaf, kind=Integral, low=2)
        check_number(self, "max_features", self.max_features, low=0, high=1, low_open=True)
        check_number(self, "max_tree_rows", self.max_tree_rows, kind=Integral, low=2)
        check_number(self, "noise", self.noise, low=0)

    def _learn(self, X: Any, y: Any, rng: np.random.RandomState) -> None:
        [self._points] = tree_input(fit_table_encoder(X), X)
        self._outputs = None if y is None else _tree_targets(X, y, rng)
        self._numbers = Numbers(X) if self.noise and not sparse.issparse(X) else None

    def _rows_at_once(self) -> int:
        """Return the number of rows that share a tree: several blocks of distinct rows of a large table."""
        n_rows = super()._rows_at_once()
        return n_rows * max(1, min(BLOCKS_PER_TREE, self._X.shape[0] // n_rows))

    def _draw(self, own: np.ndarray, rng: np.random.Generator) -> Any:
        """Return rows drawn from several blocks that share a tree."""
        return stack_rows([self._draw_block(own[part], leaf, rng) for part, leaf in self._parts(own, rng)])

    def _is_drawn_in_place(self) -> bool:
        """Whether every cell is a number that moves, so that no cell has to be swapped as it is."""
        is_array = isinstance(self._X, np.ndarray) and self._X.dtype.kind in "fiu"
        return is_array and self._numbers is not None and self._numbers.is_complete and self._numbers.is_movable.all()

    def _draw_in_place(self, own: np.ndarray, rng: np.random.Generator, rows: np.ndarray) -> None:
        """Write the rows that :meth:`_draw` returns into an array."""
        for part, leaf in self._parts(own, rng):
            rows[part] = self._moved(own[part], _partners(leaf, rng), rng)[1].T

    def _parts(self, own: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield the parts of rows that are blocks, with the leaf of each row."""
        leaf, step = self._leaves(own, rng), super()._rows_at_once()
        for start in range(0, len(own), step):
            part = slice(start, start + step)
            yield part, leaf[part]

    def _moved(self, own: np.ndarray, partners: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return which cells of a block are swapped, and its numbers after that, of shape (n_features, n_rows)."""
        is_swapped = choose_cells((self._X.shape[1], len(own)), self.swap_probability, rng)
        numbers: Any = self._numbers
        if numbers is None:
            return is_swapped, np.empty((0, 0))
        return is_swapped, move_along_ranks(numbers, own, self.noise, rng, Swap(partners, is_swapped))

    def _draw_block(self, own: np.ndarray, leaf: np.ndarray, rng: np.random.Generator) -> Any:
        partners = _partners(leaf, rng)
        other = own[partners]
        if sparse.issparse(self._X):
            return swap_terms(self._X, own, other, self.swap_probability, rng)
        is_swapped, moved = self._moved(own, partners, rng)
        rows = swap_cells(self._X, own, other, is_swapped.T)
        return rows if self._numbers is None else put_numbers(rows, moved.T)

    def _leaves(self, own: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return the leaf of each row in a tree that is grown on some of them."""
        grown_on = own[: self.max_tree_rows]
        targets = rng.random(len(grown_on)) if self._outputs is None else self._outputs[grown_on]
        tree = ExtraTreeRegressor(
            min_samples_leaf=self.min_samples_leaf,
            max_features=float(self.max_features),
            random_state=int(rng.integers(2**31)),
        )
        tree.fit(self._points[grown_on], targets)
        if sparse.issparse(self._points):
            return tree.apply(self._points[own])
        return tree.tree_.apply(self._points.take(own, axis=0))  # points were checked when they were made


def _partners(leaf: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return for each row of a block the position of another row of its leaf, or its own if there is none."""
    leaf = leaf.astype(np.min_scalar_type(leaf.max()))  # small integers are sorted in linear time
    order = np.argsort(leaf, kind="stable")
    count = np.bincount(leaf)
    ordered = leaf[order]
    size, rank = count[ordered], np.arange(len(leaf)) - (np.cumsum(count) - count)[ordered]
    step = 1 + (rng.random(len(leaf)) * (size - 1)).astype(np.int64)
    partners = np.empty_like(order)
    partners[order] = order[np.arange(len(leaf)) - rank + (rank + step * (size > 1)) % size]
    return partners


def _tree_targets(X: Any, y: Any, rng: np.random.RandomState) -> np.ndarray:
    """Return the standardised outputs, projected at random if there are more than eight."""
    outputs = check_numbers("LeafSwap", "y", y)
    check_consistent_length(X, outputs)
    columns = standardise(outputs)
    return columns if columns.shape[1] <= 8 else standardise(columns @ rng.standard_normal((columns.shape[1], 8)))
