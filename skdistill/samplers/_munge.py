"""MUNGE: mix each row with a near neighbour."""

from numbers import Integral
from typing import Any

import numpy as np
from scipy import sparse

from .._types import RandomState
from .._validation import check_number
from ._base import BaseSampler
from ._cells import Numbers, choose_cells, put_numbers, swap_cells, swap_terms
from ._neighbors import find_neighbors


class MUNGE(BaseSampler):
    r"""Draw synthetic rows by mixing each row with a near neighbour [1]_.

    For a row e and its neighbour e', each cell is replaced with probability p. A number is replaced by a draw from

    .. math:: \mathcal{N}(e'_a,\; (|e_a - e'_a| / s)^2),

    and any other cell (category, boolean, date, or a cell that is missing in one of the two rows) by the neighbour's
    cell. Rows therefore remain close to the manifold of the data, which independent noise would leave.

    Rows have the schema of the fitted table: the same columns, dtypes and categories. Integers remain integers, also in
    float columns, and numbers remain within the observed range. In sparse matrices, terms are swapped and never
    shifted, so that zeros remain zeros.

    Parameters
    ----------
    swap_probability : float in (0, 1], default=0.5
        The p above: probability that a cell is replaced.
    local_variance : float > 0, default=0.5
        The s above: larger values remain closer to the neighbour's cell.
    n_neighbors : int >= 1, default=5
        Number of nearest neighbours from which one is drawn for each synthetic row.
    max_candidates : int >= 2, default=20_000
        Maximum number of rows among which neighbours are searched. A larger table is split at random into blocks of at
        most this size, so that the time grows linearly with the number of rows.
    n_jobs : int or None, default=None
        Number of threads of the neighbour search, as in scikit-learn.
    random_state : int, RandomState instance or None, default=None
        Seed of the blocks of a large table and of the category codes.

    Attributes
    ----------
    neighbors_ : ndarray of int, shape (n_samples, n_neighbors)
        Indices of the neighbours of each row, nearest first.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Column names, if ``X`` is a frame.

    Notes
    -----
    The paper gives no canonical p and s; the defaults were chosen on validation rows of the project's benchmark.
    Distances are Euclidean on standardised numbers. The distance between two different categories is about the square
    root of two standard deviations. Sparse rows are compared by cosine similarity.

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

    _min_rows = 2
    _takes_sparse = True

    def __init__(
        self,
        swap_probability: float = 0.5,
        local_variance: float = 0.5,
        n_neighbors: int = 5,
        max_candidates: int = 20_000,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.swap_probability = swap_probability
        self.local_variance = local_variance
        self.n_neighbors = n_neighbors
        self.max_candidates = max_candidates
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _check_parameters(self) -> None:
        check_number(self, "swap_probability", self.swap_probability, low=0, high=1, low_open=True)
        check_number(self, "local_variance", self.local_variance, low=0, low_open=True)
        check_number(self, "n_neighbors", self.n_neighbors, kind=Integral, low=1)
        check_number(self, "max_candidates", self.max_candidates, kind=Integral, low=2)

    def _learn(self, X: Any, y: Any, rng: np.random.RandomState) -> None:  # noqa: ARG002  (interface of samplers)
        self.neighbors_ = find_neighbors(
            X, n_neighbors=self.n_neighbors, max_candidates=self.max_candidates, n_jobs=self.n_jobs, rng=rng
        )
        self._numbers = None if sparse.issparse(X) else Numbers(X)

    def _draw(self, own: np.ndarray, rng: np.random.Generator) -> Any:
        other = self.neighbors_[own, rng.integers(self.neighbors_.shape[1], size=len(own))]
        if self._numbers is None:
            return swap_terms(self._X, own, other, self.swap_probability, rng)
        is_replaced = choose_cells((len(own), self._X.shape[1]), self.swap_probability, rng)
        rows = swap_cells(self._X, own, other, is_replaced)
        return put_numbers(rows, np.where(is_replaced, self._shift(self._numbers, own, other, rng), np.nan))

    def _shift(self, numbers: Numbers, own: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Draw around the neighbour's numbers; NaN where a cell is missing or not a number."""
        mine, neighbors = numbers.values[own], numbers.values[other]
        noise = rng.standard_normal(mine.shape, dtype=np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            drawn = neighbors + noise * (np.abs(mine - neighbors) / self.local_variance)
        return np.where(numbers.is_movable, numbers.fit_in(drawn), np.nan)
