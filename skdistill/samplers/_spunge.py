"""SPUNGE: redraw a few cells of each row and add a little noise."""

from typing import Any

import numpy as np

from .._validation import check_number
from ._base import BaseSampler
from ._cells import Numbers, choose_cells, draw_source, gather_cells, put_numbers


class SPUNGE(BaseSampler):
    """Draw synthetic rows by redrawing a few cells from their columns and adding noise to a few numbers [1]_.

    This is a corrected version of AutoGluon's sampler for distillation, which redraws a fixed number of cells of each
    row, and none in tables with fewer than ten columns. Here, each cell is redrawn with a given probability, integers
    remain integers, and numbers remain in their range.

    Parameters
    ----------
    swap_probability : float in (0, 1], default=0.1
        Probability that a cell is redrawn and, independently, that noise is added to a number.
    noise : float >= 0, default=0.1
        Standard deviation of the noise, relative to that of the column.
    random_state : int, RandomState instance or None, default=None
        Not used, because ``fit`` is deterministic.

    Attributes
    ----------
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Column names, if ``X`` is a frame.

    References
    ----------
    .. [1] R. Fakoor et al., "Fast, Accurate, and Simple Models for Tabular Data via Augmented Distillation",
       NeurIPS 2020, and the sampler of the package that it describes.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.samplers import SPUNGE
    >>> X = np.array([[1, 10.0], [2, 20.0], [3, 30.0]])
    >>> rows = SPUNGE().fit(X).sample(100, random_state=0)
    >>> bool(10 <= rows[:, 1].min() and rows[:, 1].max() <= 30)
    True
    """

    def __init__(self, swap_probability: float = 0.1, noise: float = 0.1, random_state: Any = None) -> None:
        self.swap_probability = swap_probability
        self.noise = noise
        self.random_state = random_state

    def _check_parameters(self) -> None:
        check_number(self, "swap_probability", self.swap_probability, low=0, high=1, low_open=True)
        check_number(self, "noise", self.noise, low=0)

    def _learn(self, X: Any, y: Any, rng: np.random.RandomState) -> None:  # noqa: ARG002  (interface of samplers)
        self._numbers = Numbers(X)
        self._scale = self.noise * self._numbers.deviation()

    def _draw(self, own: np.ndarray, rng: np.random.Generator) -> Any:
        shape = (len(own), self._X.shape[1])
        source = draw_source(own, choose_cells(shape, self.swap_probability, rng), self._X.shape[0], rng)
        numbers = np.take_along_axis(self._numbers.values, source, axis=0)
        numbers += rng.standard_normal(numbers.shape, dtype=np.float32) * self._scale
        is_moved = choose_cells(numbers.shape, self.swap_probability, rng) & self._numbers.is_movable
        return put_numbers(gather_cells(self._X, source), np.where(is_moved, self._numbers.fit_in(numbers), np.nan))
