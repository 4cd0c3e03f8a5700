"""Marginal resampling: redraw cells from their columns."""

from typing import Any

import numpy as np

from .._validation import check_number
from ._base import BaseSampler
from ._cells import choose_cells, resample_cells


class MarginalResampling(BaseSampler):
    """Draw synthetic rows by redrawing each cell from its column with a given probability.

    Independent draws are common in the surrogate literature (LIME [1]_, AutoGluon). They keep the marginal distribution
    of each column and weaken the dependence between columns; with probability 1, the columns are independent.

    Parameters
    ----------
    swap_probability : float in (0, 1], default=0.3
        Probability that a cell is redrawn.
    random_state : int, RandomState instance or None, default=None
        Not used, because ``fit`` is deterministic.

    Attributes
    ----------
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Column names, if ``X`` is a frame.

    See Also
    --------
    SPUNGE : Redraws a few cells of each row and adds a little noise.
    LeafSwap : Swaps cells between rows with similar teacher outputs.

    References
    ----------
    .. [1] M. T. Ribeiro, S. Singh and C. Guestrin, "Why Should I Trust You?", KDD 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.samplers import MarginalResampling
    >>> X = np.array([[1, 10], [2, 20], [3, 30]])
    >>> rows = MarginalResampling(swap_probability=1.0).fit(X).sample(100, random_state=0)
    >>> np.unique(rows[:, 1])
    array([10, 20, 30])
    """

    def __init__(self, swap_probability: float = 0.3, random_state: Any = None) -> None:
        self.swap_probability = swap_probability
        self.random_state = random_state

    def _check_parameters(self) -> None:
        check_number(self, "swap_probability", self.swap_probability, low=0, high=1, low_open=True)

    def _draw(self, own: np.ndarray, rng: np.random.Generator) -> Any:
        is_drawn = choose_cells((len(own), self._X.shape[1]), self.swap_probability, rng)
        return resample_cells(self._X, own, is_drawn, rng)
