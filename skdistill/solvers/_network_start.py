"""Where the training of a network starts: from another network, some of whose weights may be shrunk and perturbed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..compiled import Network

PERTURBATION = 0.1
"""Size of what is added to a weight that loses all of its value, as a share of a freshly drawn weight."""


@dataclass(frozen=True)
class Shrinking:
    r"""Shrink and perturb: a random part of the weights is multiplied by a factor, and noise is added [1]_.

    A weight of this part becomes :math:`T w + 0.1 (1 - T) w_0`, where :math:`w_0` is a weight as a fresh network draws
    it. Biases keep their values.

    Parameters
    ----------
    fraction : float in [0, 1]
        Share of the weights.
    factor : callable
        Maps the share of the training that is over to the factor :math:`T`.
    is_repeated : bool
        Whether weights are shrunk before each epoch; otherwise before the first one.

    References
    ----------
    .. [1] J. Ash, R. Adams, "On Warm-Starting Neural Network Training", NeurIPS 2020.
    """

    fraction: float
    factor: Callable[[float], float]
    is_repeated: bool

    def shrink(
        self, weights: list[np.ndarray], drawn: list[np.ndarray], share: float, rng: np.random.RandomState
    ) -> None:
        """Shrink weights in place, given freshly drawn ones."""
        if share > 0 and not self.is_repeated:
            return
        factor = np.float32(self.factor(share))
        for array, fresh in zip(weights, drawn, strict=True):
            is_shrunk = rng.uniform(size=array.shape) < self.fraction
            changed = factor * array + np.float32(PERTURBATION) * (1 - factor) * fresh
            array[:] = np.where(is_shrunk, changed, array)


def write_start(parameters: list[np.ndarray], start: Network, mean: np.ndarray) -> None:
    """Write the weights and biases of a network over those of a training, whose inputs are centred by ``mean``."""
    *hidden, last = (np.asarray(weights, dtype=np.float64) for weights in start.weights)
    weights = [*hidden, last * start.unit]
    biases = [np.asarray(bias, dtype=np.float64) for bias in (*start.biases, start.base)]
    biases[0] = biases[0] + mean @ weights[0]
    for place, (matrix, bias) in enumerate(zip(weights, biases, strict=True)):
        parameters[2 * place][:], parameters[2 * place + 1][:] = matrix, bias
