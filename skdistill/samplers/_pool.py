"""Select rows of an unlabelled pool for queries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.tree import DecisionTreeRegressor

from .._encoding import TableEncoder, encoded_once, fit_table_encoder
from .._precision import needs_double
from .._tables import take_rows
from .._validation import draw_seed
from ..datasets import Chunk, ChunkedTable
from ..datasets._drawing import DrawnRows, RandomPart, draw, row_keys

LARGEST = 1e30
"""Larger numbers are clipped for trees, so that sums remain within float32."""

MAX_STRATA = 32
"""Maximum number of strata: few rows tell how much the outputs vary in each of them."""

TREE_ROWS = 4096
"""Number of rows whose strata are found while their columns are in the cache of a processor."""

NO_PART = RandomPart(0, 0.0)
"""No rows."""

ABOVE_ALL = 1e4
"""Added to the keys of rows that are drawn before all others, and subtracted from those that are drawn after them."""

BLOCK_CELLS = 2**21
"""Number of cells of a block of rows whose strata are found at a time."""


def tree_input(encoder: TableEncoder, X: Any, *others: Any) -> list[Any]:
    """Return tables as float32 for trees: categories as codes, missing values as NaN.

    The median of ``X`` is subtracted in float64 from columns whose differences float32 would blur. Sparse columns keep
    their zeros.
    """
    of = tree_inputs(encoder, X)
    return [of(table) for table in (X, *others)]


def tree_inputs(encoder: TableEncoder, X: Any) -> "TreeInputs":
    """Return the function that :func:`tree_input` maps tables with."""
    encoded = encoder.transform(X)
    return TreeInputs(encoder, None if sparse.issparse(encoded) else _centers(encoded))


@dataclass(frozen=True)
class TreeInputs:
    """Maps tables to float32 for trees.

    Parameters
    ----------
    encoder : TableEncoder
    center : ndarray of shape (n_features,) or None
        Numbers that are subtracted from the columns.
    """

    encoder: TableEncoder
    center: np.ndarray | None

    def __call__(self, table: Any) -> Any:
        cells = self.encoder.transform(table)
        if sparse.issparse(cells):
            return sparse.csr_matrix(cells, dtype=np.float32)
        with np.errstate(over="ignore"):
            centred = cells if self.center is None else cells - self.center
        return np.clip(centred, -LARGEST, LARGEST).astype(np.float32)

    def of_numbers(self, chunk: Chunk, place: int) -> np.ndarray | None:
        """Return a column of a chunk as float64 or float32; ``None`` if the table has to be encoded.

        What exceeds float32 is infinite, which is on the same side of all thresholds as the clipped numbers are.
        """
        is_number = not (self.encoder.is_category_[place] or self.encoder.is_time_[place])
        numbers = chunk.numbers(place) if is_number else None
        if numbers is None:
            return None
        numbers = numbers if numbers.dtype == np.float32 else numbers.astype(np.float64)
        return numbers if self.center is None or not self.center[place] else numbers - self.center[place]


def _centers(encoded: np.ndarray) -> np.ndarray | None:
    """Return the median of the columns that need float64, 0 for others; ``None`` if no column needs it."""
    needing = np.flatnonzero(needs_double(encoded))
    if len(needing) == 0:
        return None
    center = np.zeros(encoded.shape[1])
    for column in needing:
        values = encoded[:, column]
        center[column] = np.quantile(values[np.isfinite(values)], 0.5, method="lower")  # a sum would overflow
    return center


def standardise(outputs: np.ndarray) -> np.ndarray:
    """Return outputs as centred columns with a total variance of one, without overflow."""
    columns = outputs.reshape(len(outputs), -1)
    columns = columns / (np.abs(columns).max() or 1.0)
    columns = columns - columns.mean(axis=0)
    return columns / (columns.std() or 1.0)


class Strata:
    """Parts of a table within which the teacher's outputs differ little: the leaves of a tree grown on labelled rows.

    Parameters
    ----------
    X : table of shape (n_labelled, n_features)
        Labelled rows.
    outputs : ndarray of shape (n_labelled,) or (n_labelled, n_outputs)
        The teacher's outputs for these rows.
    rng : RandomState
        Breaks ties between splits.

    Attributes
    ----------
    own : ndarray of int, shape (n_labelled,)
        The stratum of each labelled row.
    spread : ndarray of shape (n_strata,)
        Standard deviation of the teacher's outputs within each stratum, summed over the outputs.
    """

    def __init__(self, X: Any, outputs: np.ndarray, rng: np.random.RandomState) -> None:
        self._input = tree_inputs(fit_table_encoder(X), X)
        tree = DecisionTreeRegressor(max_leaf_nodes=MAX_STRATA, min_samples_leaf=8, random_state=rng)
        rows, values = self._input(X), standardise(outputs)
        leaves = tree.fit(rows, values).apply(rows)
        self._tree, known = tree, np.unique(leaves)
        self.n_features = int(tree.n_features_in_)
        self._used = np.unique(tree.tree_.feature[tree.tree_.feature >= 0])
        self._number = np.zeros(tree.tree_.node_count, dtype=np.uint8)
        self._number[known] = np.arange(len(known))
        self.own = self._number[leaves]
        count = np.bincount(self.own)
        moments = [[np.bincount(self.own, column**power) / count for column in values.T] for power in (1, 2)]
        mean, square = np.array(moments)
        self.spread = np.sqrt(np.maximum(square - mean**2, 0)).sum(axis=0)

    def of_chunk(self, chunk: Chunk) -> np.ndarray:
        """Return the stratum of each row of a chunk, of which only the columns are converted that the tree splits."""
        columns = [self._input.of_numbers(chunk, int(place)) for place in self._used]
        if any(column is None for column in columns):
            return self.of(chunk.table)
        strata = np.empty(len(chunk), dtype=np.uint8)
        cells = np.empty((min(TREE_ROWS, len(chunk)), self.n_features), dtype=np.float32)
        for start in range(0, len(chunk), TREE_ROWS):
            block = cells[: len(chunk) - start]  # the tree does not read the columns that are not set
            with np.errstate(over="ignore"):
                for place, column in zip(self._used, columns, strict=True):
                    block[:, place] = column[start : start + TREE_ROWS]  # type: ignore[index]
            strata[start : start + TREE_ROWS] = self._number[self._tree.tree_.apply(block)]
        return strata

    def of(self, table: Any) -> np.ndarray:
        """Return the stratum of each row of a table, which is read in blocks of bounded size: one byte a row."""
        n_rows, n_columns = table.shape
        strata, step = np.empty(n_rows, dtype=np.uint8), max(1, BLOCK_CELLS // n_columns)
        for start in range(0, n_rows, step):
            rows = slice(start, min(start + step, n_rows))
            with encoded_once():  # nothing of a block is kept
                strata[rows] = self._number[self._tree.apply(self._input(take_rows(table, rows)))]
        return strata


def choose_from_pool(X: Any, outputs: np.ndarray, pool: Any, n_rows: int, rng: np.random.RandomState) -> np.ndarray:
    """Select informative rows of a pool: more rows where the teacher's outputs vary [1]_.

    A tree is grown on the labelled rows. Rows of the pool are drawn with a probability proportional to the standard
    deviation of the teacher's outputs in their leaf (Neyman allocation of a stratified sample).

    Parameters
    ----------
    X : table of shape (n_labelled, n_features)
        Labelled rows.
    outputs : ndarray of shape (n_labelled,) or (n_labelled, n_outputs)
        The teacher's outputs for these rows.
    pool : table of shape (n_pool, n_features)
    n_rows : int
        Number of rows to select, at most the size of the pool.
    rng : RandomState

    Returns
    -------
    chosen : ndarray of int, shape (n_rows,)
        Sorted indices of rows of the pool.

    Raises
    ------
    ValueError
        If the pool has fewer rows.

    References
    ----------
    .. [1] J. Neyman, "On the Two Different Aspects of the Representative Method", JRSS 97, 1934.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.samplers import choose_from_pool
    >>> pool = np.linspace(0, 1, 1000).reshape(-1, 1)
    >>> labelled = pool[::10]
    >>> outputs = np.where(labelled[:, 0] > 0.8, np.sin(300 * labelled[:, 0]), 0.0)
    >>> chosen = choose_from_pool(labelled, outputs, pool, 100, np.random.RandomState(0))
    >>> bool(np.mean(pool[chosen] > 0.7) > 0.9)
    True
    """
    if not 0 < n_rows <= pool.shape[0]:
        raise ValueError(f"choose_from_pool got n_rows={n_rows}; expected 1 to {pool.shape[0]}, the rows of the pool.")
    return select_rows(X, outputs, pool, n_rows, 0, rng)[0]


def select_rows(
    X: Any, outputs: np.ndarray, pool: Any, n_rows: int, n_random: int, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Select informative rows of a pool as :func:`choose_from_pool` does, some of them at random.

    Parameters
    ----------
    X, outputs, pool, n_rows, rng
        As in :func:`choose_from_pool`.
    n_random : int
        Number of rows that are drawn at random before the others are selected.

    Returns
    -------
    chosen : ndarray of int, shape (n_rows,)
        Sorted indices of rows of the pool.
    is_selected : ndarray of bool, shape (n_rows,)
        Mask of those that were not drawn at random.
    """
    strata = Strata(X, outputs, rng)
    spread = strata.spread[strata.of(pool)]
    log_share = np.log(spread + 1e-3 * spread.mean() + np.finfo(float).tiny)
    keys = log_share + rng.gumbel(size=len(log_share))  # the largest keys are a draw without replacement
    is_random = np.zeros(len(keys), dtype=bool)
    if n_random:
        is_random[rng.permutation(len(keys))[:n_random]] = True
        keys[is_random] = np.inf
    chosen = np.sort(np.argpartition(keys, -n_rows)[-n_rows:])
    return chosen, ~is_random[chosen]


def choose_from_dataset(
    X: Any,
    outputs: np.ndarray,
    dataset: ChunkedTable,
    n_rows: int,
    rng: np.random.RandomState,
    *,
    skipped: np.ndarray | None = None,
    others: Sequence[str] = (),
    weight: str | None = None,
    on_chunk: Callable[[int], None] = lambda n_rows: None,  # noqa: ARG005
) -> DrawnRows:
    """Select informative rows of a dataset as :func:`choose_from_pool` does, in one reading and bounded memory.

    Rows without replacement are drawn by keys that depend on the position of the row, so that the chosen rows do not
    depend on the sizes of chunks and partitions.

    Parameters
    ----------
    X : table of shape (n_labelled, n_features)
        Labelled rows, drawn from the dataset at random.
    outputs : ndarray of shape (n_labelled,) or (n_labelled, n_outputs)
        The teacher's outputs for these rows.
    dataset : ChunkedTable
    n_rows : int
        Number of rows to select; all rows are returned if there are fewer.
    rng : RandomState
    skipped : ndarray of int or None, default=None
        Sorted positions of rows that are not selected.
    others : sequence of str, default=()
        Further columns that are returned.
    weight : str or None, default=None
        Column of ``others`` with the weight of each row; rows with weight 0 are not selected.
    on_chunk : callable, default=nothing
        Called with the number of rows read so far.

    Returns
    -------
    chosen : DrawnRows

    Raises
    ------
    DatasetError
        If a partition cannot be read; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.datasets import as_dataset
    >>> from skdistill.samplers._pool import choose_from_dataset
    >>> pool = np.linspace(0, 1, 1000).reshape(-1, 1)
    >>> labelled = pool[::10]
    >>> outputs = np.where(labelled[:, 0] > 0.8, np.sin(300 * labelled[:, 0]), 0.0)
    >>> dataset = as_dataset([pool[:600], pool[600:]])
    >>> chosen = choose_from_dataset(
    ...     labelled, outputs, dataset, 100, np.random.RandomState(0)
    ... )
    >>> bool(np.mean(chosen.table > 0.7) > 0.9)
    True
    """
    return draw(dataset, n_rows, SpreadKeys.of(X, outputs, rng, skipped, weight), others, on_chunk)


@dataclass(frozen=True)
class SpreadKeys:
    """Keys of rows that are drawn with a probability proportional to the spread of their stratum.

    Parameters
    ----------
    strata : Strata
    seed : int
    skipped : ndarray of int
        Sorted positions of rows that are not drawn.
    weight : str or None
        Column of weights; rows with weight 0 are not drawn.
    random : RandomPart, default=none
        Rows that are drawn before all others.
    last : RandomPart, default=none
        Rows that are drawn at random after all others, even if they are in ``random``.
    """

    strata: Strata
    seed: int
    skipped: np.ndarray
    weight: str | None
    random: RandomPart = NO_PART
    last: RandomPart = NO_PART

    @classmethod
    def of(
        cls,
        X: Any,
        outputs: np.ndarray,
        rng: np.random.RandomState,
        skipped: np.ndarray | None = None,
        weight: str | None = None,
    ) -> "SpreadKeys":
        """Return the keys by the outputs of labelled rows."""
        strata = Strata(X, outputs, rng)
        return cls(strata, draw_seed(rng), np.zeros(0, dtype=int) if skipped is None else skipped, weight)

    @cached_property
    def log_share(self) -> np.ndarray:
        """Logarithm of the share of each stratum that is drawn, up to a constant."""
        least = 1e-3 * self.strata.spread[self.strata.own].mean() + np.finfo(float).tiny
        return np.asarray(np.log(self.strata.spread + least))

    def __call__(self, chunk: Chunk) -> np.ndarray:
        uniform = row_keys(self.seed, chunk.start, len(chunk))
        with np.errstate(divide="ignore"):  # a number that is exactly zero has the smallest key
            keys = self.log_share[self.strata.of_chunk(chunk)] - np.log(-np.log(uniform))
        first, last = np.searchsorted(self.skipped, [chunk.start, chunk.start + len(chunk)])
        if self.random.share:
            is_random = self.random.of(chunk.start, len(chunk))
            keys[is_random] = ABOVE_ALL + uniform[is_random]
        if self.last.share:
            is_last = self.last.of(chunk.start, len(chunk))
            keys[is_last] = uniform[is_last] - ABOVE_ALL
        keys[self.skipped[first:last] - chunk.start] = -np.inf
        if self.weight is not None:
            keys[chunk.others[self.weight] == 0] = -np.inf
        return np.asarray(keys)
