"""Jitter: move numbers a little along the ranks of their column."""

from typing import Any

import numpy as np
from scipy import sparse

from .._validation import check_number
from ._base import BaseSampler
from ._cells import Numbers, choose_cells, put_numbers, resample_cells, swap_terms
from ._rank_noise import move_along_ranks


class Jitter(BaseSampler):
    r"""Draw synthetic rows by moving each number a little along the ranks of its column.

    A cell with rank r among the n present cells of its column moves to rank :math:`r + \sigma n z`, where z is standard
    normal, reflected at both ends. The new value is interpolated between the two observed values at that rank. Steps
    are therefore small where values are dense and large where they are sparse, heavy tails and repeated values are
    kept, and no value leaves the observed range. Cells without an order (categories, booleans) and dates are redrawn
    from their column with a small probability. Missing numbers remain missing.

    Parameters
    ----------
    scale : float > 0, default=0.05
        The :math:`\sigma` above: the step as a share of the cells of the column.
    swap_probability : float in [0, 1], default=0.05
        Probability that a cell that is not a number is redrawn.
    random_state : int, RandomState instance or None, default=None
        Not used, because ``fit`` is deterministic.

    Attributes
    ----------
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Column names, if ``X`` is a frame.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.samplers import Jitter
    >>> X = np.array([[0.0, 1], [0.1, 2], [0.2, 3], [100.0, 4]])
    >>> rows = Jitter().fit(X).sample(100, random_state=0)
    >>> bool(rows[:, 0].min() >= 0 and np.isin(rows[:, 1], X[:, 1]).all())
    True
    """

    def __init__(self, scale: float = 0.05, swap_probability: float = 0.05, random_state: Any = None) -> None:
        self.scale = scale
        self.swap_probability = swap_probability
        self.random_state = random_state

    def _check_parameters(self) -> None:
        check_number(self, "scale", self.scale, low=0, low_open=True)
        check_number(self, "swap_probability", self.swap_probability, low=0, high=1)

    def _learn(self, X: Any, y: Any, rng: np.random.RandomState) -> None:  # noqa: ARG002  (interface of samplers)
        self._numbers = Numbers(X)

    def _draw(self, own: np.ndarray, rng: np.random.Generator) -> Any:
        is_swapped = choose_cells((len(own), self._X.shape[1]), self.swap_probability, rng) & ~self._numbers.is_movable
        rows = resample_cells(self._X, own, is_swapped, rng)
        return put_numbers(rows, move_along_ranks(self._numbers, own, self.scale, rng).T)


def draw_beside(X: Any, seed: int, *, scale: float = 0.05) -> Any:
    """Return one row close to each row of a table, in the same order: jittered, or with a few terms of another row.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
        An array, a frame or a sparse matrix.
    seed : int
    scale : float, default=0.05
        As in :class:`Jitter`. Categories are redrawn, and terms of sparse matrices are replaced by those of another
        row, with three times that probability, because all numbers move.
    """
    rng, own, probability = np.random.default_rng(seed), np.arange(X.shape[0]), min(3 * scale, 1.0)
    if sparse.issparse(X):
        return swap_terms(X, own, rng.permutation(own), probability, rng)
    return Jitter(scale, probability).fit(X)._draw(own, rng)
