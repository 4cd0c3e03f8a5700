"""Interpolation: points between neighbouring rows."""

from numbers import Integral
from typing import Any

import numpy as np

from .._types import RandomState
from .._validation import check_number
from ._base import BaseSampler
from ._cells import Numbers, put_numbers, swap_cells
from ._neighbors import find_neighbors


class Interpolation(BaseSampler):
    """Draw synthetic rows between each row and a near neighbour, as SMOTE does [1]_.

    A number is moved by a random share of the distance to the neighbour's number; the share is the same for all cells
    of a row. All other cells (categories, booleans, dates, and cells that are missing in one of the two rows) are taken
    from the neighbour with a probability equal to that share.

    Parameters
    ----------
    n_neighbors : int >= 1, default=5
        Number of nearest neighbours from which one is drawn for each synthetic row.
    max_candidates : int >= 2, default=20_000
        Maximum number of rows among which neighbours are searched; see :class:`MUNGE`.
    n_jobs : int or None, default=None
        Number of threads of the neighbour search, as in scikit-learn.
    random_state : int, RandomState instance or None, default=None
        Seed of the blocks of a large table and of the category codes.

    Attributes
    ----------
    neighbors_ : ndarray of int, shape (n_samples, n_neighbors)
        The neighbours of each row, nearest first.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Column names, if ``X`` is a frame.

    References
    ----------
    .. [1] N. V. Chawla et al., "SMOTE: Synthetic Minority Over-sampling Technique", JAIR 16, 2002.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.samplers import Interpolation
    >>> X = np.array([[0.1, 1.5], [0.2, 2.5], [0.3, 3.5]])
    >>> rows = Interpolation().fit(X).sample(100, random_state=0)
    >>> bool(np.allclose(rows[:, 1], 10 * rows[:, 0] + 0.5))
    True
    """

    _min_rows = 2

    def __init__(
        self,
        n_neighbors: int = 5,
        max_candidates: int = 20_000,
        n_jobs: int | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.max_candidates = max_candidates
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _check_parameters(self) -> None:
        check_number(self, "n_neighbors", self.n_neighbors, kind=Integral, low=1)
        check_number(self, "max_candidates", self.max_candidates, kind=Integral, low=2)

    def _learn(self, X: Any, y: Any, rng: np.random.RandomState) -> None:  # noqa: ARG002  (interface of samplers)
        self.neighbors_ = find_neighbors(
            X, n_neighbors=self.n_neighbors, max_candidates=self.max_candidates, n_jobs=self.n_jobs, rng=rng
        )
        self._numbers = Numbers(X)

    def _draw(self, own: np.ndarray, rng: np.random.Generator) -> Any:
        numbers = self._numbers
        other = self.neighbors_[own, rng.integers(self.neighbors_.shape[1], size=len(own))]
        share = rng.random((len(own), 1))
        is_swapped = rng.random((len(own), self._X.shape[1]), dtype=np.float32) < share
        with np.errstate(over="ignore", invalid="ignore"):
            between = (1 - share) * numbers.values[own] + share * numbers.values[other]
        drawn = np.where(numbers.is_movable, numbers.fit_in(between), np.nan)
        return put_numbers(swap_cells(self._X, own, other, is_swapped), drawn)
