"""MUNGE: mix each row with a near neighbour."""

from numbers import Integral
from typing import Any, Self

import narwhals as nw
import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize
from sklearn.utils.validation import check_is_fitted

from .._encoding import TableEncoder
from .._tables import is_frame, stack_rows
from .._validation import check_number, check_random_state, check_table, draw_seed

BLOCK_ROWS = 16_384
"""Rows drawn with one seed: what is drawn does not depend on how it is cut into chunks."""

LARGEST_EXACT_INTEGER = 2**53
"""Larger numbers are swapped, never shifted: floats do not hold their neighbours."""

CATEGORY_DIMENSIONS = 8
"""Dimensions of the random code of a category in the space where neighbours are sought."""


class MUNGE(BaseEstimator):
    r"""Draw synthetic rows by mixing each row with a near neighbour [1]_.

    For a row e and its neighbour e', each cell is replaced with probability p: a number by a draw from

    .. math:: \mathcal{N}(e'_a,\; (|e_a - e'_a| / s)^2),

    anything else (category, boolean, date, or where one of both cells is missing) by the neighbour's cell. So rows
    stay on the manifold of the data, where independent noise would leave it.

    Rows have the schema of the table that was fitted: the same columns, dtypes and categories; integers stay
    integers, also in columns of floats; numbers stay inside the observed range; a missing cell stays possible.
    In sparse matrices terms are swapped, never shifted, so that zeros stay zeros.

    Parameters
    ----------
    swap_probability : float in (0, 1], default=0.5
        Probability p that a cell is replaced.
    local_variance : float > 0, default=0.5
        The s above: larger values keep closer to the neighbour's cell.
    n_neighbors : int >= 1, default=5
        A row is mixed with one of so many neighbours, drawn at random for each synthetic row.
    max_candidates : int >= 2, default=20_000
        Neighbours are sought among so many rows: above, the table is cut at random into blocks of at most this size,
        so that time grows linearly with the table.
    n_jobs : int or None, default=None
        Threads of the neighbour search, as in scikit-learn.
    random_state : int, RandomState instance or None, default=None
        Seed of the blocks of a large table and of the codes of categories.

    Attributes
    ----------
    neighbors_ : ndarray of int, shape (n_samples, n_neighbors)
        The rows each row is mixed with, nearest first.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    Notes
    -----
    The paper gives no canonical p and s; the defaults were chosen on validation rows of the project's benchmark.
    Distances are Euclidean over standardised numbers; two different categories are about one standard deviation
    times the square root of two apart. Sparse rows are compared by their angle.

    References
    ----------
    .. [1] C. Bucila, R. Caruana and A. Niculescu-Mizil, "Model Compression", KDD 2006.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.samplers import MUNGE
    >>> X = np.array([[1, 10.0], [2, 11.0], [9, 50.0], [8, 52.0]])
    >>> rows = MUNGE(random_state=0).fit(X).sample(100, random_state=0)
    >>> rows.shape
    (100, 2)
    >>> bool(np.all(rows[:, 0] == rows[:, 0].round()))
    True
    """

    def __init__(
        self,
        swap_probability: float = 0.5,
        local_variance: float = 0.5,
        n_neighbors: int = 5,
        max_candidates: int = 20_000,
        n_jobs: int | None = None,
        random_state: Any = None,
    ) -> None:
        self.swap_probability = swap_probability
        self.local_variance = local_variance
        self.n_neighbors = n_neighbors
        self.max_candidates = max_candidates
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002  (the contract of samplers)
        """Find the neighbours.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Real rows: an array, a sparse matrix, or a frame. At least two.
        y : ignored

        Returns
        -------
        self : MUNGE
        """
        check_number(self, "swap_probability", self.swap_probability, low=0, high=1, low_open=True)
        check_number(self, "local_variance", self.local_variance, low=0, low_open=True)
        check_number(self, "n_neighbors", self.n_neighbors, kind=Integral, low=1)
        check_number(self, "max_candidates", self.max_candidates, kind=Integral, low=2)
        rng = check_random_state(self.random_state)
        X = check_table(self, X, reset=True)
        if X.shape[0] < 2:
            raise ValueError(f"MUNGE got n_samples = {X.shape[0]} row; expected at least 2, to have a neighbour.")
        encoder = TableEncoder().fit(X)
        encoded = encoder.transform(X)
        self.neighbors_ = _neighbors(
            _metric_space(encoded, encoder.is_category_, rng), self.n_neighbors, self.max_candidates, self.n_jobs, rng
        )
        self._X = X
        if not sparse.issparse(X):
            self._encoded = np.where(np.isfinite(encoded), encoded, np.nan)
            self._low, self._high = (reduce(self._encoded, axis=0) for reduce in (np.fmin.reduce, np.fmax.reduce))
            is_exact = np.fmax(np.abs(self._low), np.abs(self._high)) <= LARGEST_EXACT_INTEGER
            self._is_swap_only = encoder.is_swap_only_ | ~is_exact
            self._is_integral = np.array([_is_integral(column) for column in encoded.T])
        return self

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Any:
        """Draw synthetic rows.

        Parameters
        ----------
        n_samples : int, default=1
            Number of rows. Each real row is mixed about equally often.
        random_state : int, RandomState instance or None, default=None
            Seed of the rows.

        Returns
        -------
        rows : table of shape (n_samples, n_features)
            Of the kind and schema of the fitted table.
        """
        check_is_fitted(self)
        check_number(self, "n_samples", n_samples, kind=Integral, low=1)
        rng = check_random_state(random_state)
        own = np.resize(rng.permutation(self._X.shape[0]), n_samples)
        blocks = [own[start : start + BLOCK_ROWS] for start in range(0, n_samples, BLOCK_ROWS)]
        return stack_rows([self._mix(block, np.random.default_rng(draw_seed(rng))) for block in blocks])

    def _mix(self, own: np.ndarray, rng: np.random.Generator) -> Any:
        """Mix the rows ``own`` with a neighbour each."""
        other = self.neighbors_[own, rng.integers(self.neighbors_.shape[1], size=len(own))]
        if sparse.issparse(self._X):
            return _swap_terms(self._X[own], self._X[other], self.swap_probability, rng)
        replaced = rng.random((len(own), self._X.shape[1]), dtype=np.float32) < self.swap_probability
        source = np.where(replaced, other[:, None], own[:, None])
        shifted = self._shift(own, other, rng)
        moves = replaced & np.isfinite(shifted) & ~self._is_swap_only
        return _assemble(self._X, source, np.where(moves, shifted, np.nan))

    def _shift(self, own: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw around the neighbour's numbers; NaN where a cell is missing."""
        mine, neighbors = self._encoded[own], self._encoded[other]
        noise = rng.standard_normal(mine.shape, dtype=np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            drawn = neighbors + noise * (np.abs(mine - neighbors) / self.local_variance)
        np.rint(drawn, out=drawn, where=self._is_integral)
        return np.clip(drawn, self._low, self._high, out=drawn)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.sparse = True
        return tags


def _metric_space(encoded: Any, is_category: np.ndarray, rng: np.random.RandomState) -> Any:
    """Return rows as points whose Euclidean distance is that of the tables: shape (n_samples, n_dimensions)."""
    if sparse.issparse(encoded):
        return normalize(encoded.astype(np.float32))
    numbers = encoded[:, ~is_category].astype(np.float64)
    finite = np.isfinite(numbers)
    with np.errstate(invalid="ignore", over="ignore"):
        count = np.maximum(finite.sum(axis=0), 1)
        mean = np.where(finite, numbers, 0).sum(axis=0) / count
        centred = np.where(finite, numbers - mean, 0)
        scale = np.sqrt((centred**2).sum(axis=0) / count)
    parts = [(centred / np.where((scale > 0) & np.isfinite(scale), scale, np.inf)).astype(np.float32)]
    for column in encoded[:, is_category].T:
        codes = np.nan_to_num(column, nan=np.nanmax(column, initial=-1) + 1).astype(int)
        n_dimensions = min(int(codes.max()) + 1, CATEGORY_DIMENSIONS)
        directions = rng.standard_normal((int(codes.max()) + 1, n_dimensions)).astype(np.float32)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        parts.append(directions[codes])
    return np.hstack(parts)


def _neighbors(
    points: Any, n_neighbors: int, max_candidates: int, n_jobs: int | None, rng: np.random.RandomState
) -> np.ndarray:
    """Return for each point its nearest others, block by block: shape (n_samples, <= n_neighbors)."""
    n_rows = points.shape[0]
    n_blocks = min(-(-n_rows // max_candidates), n_rows // 2)
    blocks = np.array_split(rng.permutation(n_rows) if n_blocks > 1 else np.arange(n_rows), n_blocks)
    k = min(n_neighbors, min(len(block) for block in blocks) - 1)
    neighbors = np.empty((n_rows, k), dtype=np.int64)
    for block in blocks:
        search = NearestNeighbors(n_neighbors=k, n_jobs=n_jobs).fit(points[block])
        neighbors[block] = block[search.kneighbors(return_distance=False)]
    return neighbors


def _is_integral(column: np.ndarray) -> bool:
    finite = column[np.isfinite(column)]
    return bool(np.all(finite == np.round(finite)))


def _swap_terms(mine: Any, neighbors: Any, probability: float, rng: np.random.Generator) -> Any:
    """Take each stored cell of a union of two sparse matrices from the second with a probability."""
    kept = ((mine != 0) + (neighbors != 0)).tocsr()
    taken = kept.copy()
    taken.data = rng.random(taken.nnz) < probability
    kept.data = ~taken.data
    swapped = type(mine)(mine.multiply(kept) + neighbors.multiply(taken))
    swapped.eliminate_zeros()
    return swapped.astype(mine.dtype)


def _assemble(X: Any, source: np.ndarray, values: np.ndarray) -> Any:
    """Build a table like ``X`` whose cell (i, j) is ``values[i, j]``, or ``X[source[i, j], j]`` where that is NaN."""
    if not is_frame(X):
        rows = np.take_along_axis(X, source, axis=0)
        new = np.isfinite(values)
        rows[new] = values[new].astype(X.dtype) if X.dtype != object else values[new]
        return rows
    frame = nw.maybe_reset_index(nw.from_native(X, eager_only=True))
    columns = []
    for index in range(frame.shape[1]):
        column = frame[:, index]
        cells = nw.maybe_reset_index(column[source[:, index]])
        columns.append(_put(cells, values[:, index]) if np.isfinite(values[:, index]).any() else cells)
    return columns[0].to_frame().with_columns(*columns[1:]).to_native()


def _put(cells: nw.Series[Any], values: np.ndarray) -> nw.Series[Any]:
    """Overwrite cells of a numeric series where ``values`` is finite; the dtype stays."""
    new = np.flatnonzero(np.isfinite(values))
    drawn = nw.new_series(cells.name, values[new], nw.Float64, backend=cells.implementation).cast(cells.dtype)
    return cells.scatter(new.tolist(), drawn)
