"""Learning rates of boosting that grow from tree to tree."""

from typing import Any, NamedTuple

import numpy as np


class GrowingRate(NamedTuple):
    """A learning rate that grows by the same factor from tree to tree, up to ``last``.

    Steps of the first trees are short, because these trees correct each other's large residuals; later trees would
    repeat their splits if they were as short.

    Parameters
    ----------
    first : float
        Learning rate of the first tree.
    last : float
        Learning rate of tree ``n_trees``, and of all trees after it.
    n_trees : int
        At least 2.

    Examples
    --------
    >>> GrowingRate(0.1, 0.4, 3).of(1, 4)
    [0.2, 0.4, 0.4]
    """

    first: float
    last: float
    n_trees: int

    def of(self, start: int, stop: int) -> list[float]:
        """Return the learning rates of the trees from ``start`` to ``stop``, counted from 0."""
        share = np.minimum(np.arange(start, stop) / (self.n_trees - 1), 1)
        rates: list[float] = (self.first * (self.last / self.first) ** share).tolist()
        return rates


def without_learning_rate(params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of LightGBM that say how rows are binned, among others."""
    return {name: value for name, value in params.items() if name != "learning_rate"}


def train(params: dict[str, Any], dataset: Any, n_trees: int, first: int = 0) -> Any:
    """Return a booster of LightGBM with ``n_trees`` trees that follow ``first`` others.

    Parameters
    ----------
    params : dict
        Parameters of LightGBM; ``learning_rate`` may be a :class:`GrowingRate`.
    dataset : lightgbm.Dataset
    n_trees : int
    first : int, default=0
    """
    import lightgbm  # imported here, so that prediction does not need LightGBM

    rate, callbacks = params["learning_rate"], []
    if isinstance(rate, GrowingRate):
        rates = rate.of(first, first + n_trees)
        params, callbacks = params | {"learning_rate": rates[0]}, [lightgbm.reset_parameter(learning_rate=rates)]
    # what is kept for training is not copied through a text before the text is written
    return lightgbm.train(params, dataset, n_trees, callbacks=callbacks, keep_training_booster=True)
