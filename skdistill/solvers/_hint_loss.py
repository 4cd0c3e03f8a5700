r"""Hints: the last hidden layer of a network also predicts numbers for each row, which are dropped after training.

For the last hidden units :math:`h_i` of a row and its hints :math:`r_i`, the loss

.. math:: \lambda \cdot \tfrac12 \lVert V^\top h_i + c - r_i \rVert^2

is added. Its linear layer :math:`V, c` is trained beside the network, from zero.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ._additional_losses import share_of_rows
from ._network_training import Adam, Layers, backward, forward


@dataclass(frozen=True, eq=False)
class HintLoss:
    """The squared error of hints that are predicted from the last hidden layer.

    Parameters
    ----------
    hints : ndarray of shape (n_rows, n_hints)
    weight : float
    """

    hints: np.ndarray
    weight: float

    def begin(self, data: Any, parameters: list[np.ndarray], rate: float, n_steps: int) -> "RunningHintLoss":
        """Return the loss with a linear layer of zeros."""
        layers = Layers([len(parameters[-2]), self.hints.shape[1]], dtype=parameters[-1].dtype)
        hints = self.hints.astype(layers.vector.dtype)
        return RunningHintLoss(hints, self.weight, data, layers, Adam(layers, rate, 0.0, n_steps))


class RunningHintLoss:
    """The loss with its linear layer as trained so far."""

    def __init__(self, hints: np.ndarray, weight: float, data: Any, layers: Layers, adam: Adam) -> None:
        self.hints, self.weight, self.data, self.adam = hints, np.float32(weight), data, adam
        self.parameters = layers.views(layers.vector)

    def gradients(self, rows: np.ndarray, layers: list[np.ndarray]) -> tuple[None, np.ndarray]:
        """Return the gradient by the last hidden layer, and train the linear layer by one step."""
        excess = self._excess(rows, layers[-2])
        by_hidden = excess @ self.parameters[0].T
        by_hidden *= self.weight
        backward(self.parameters, [layers[-2]], excess, self.adam.gradients)
        self.adam.step()
        return None, by_hidden

    def _excess(self, rows: np.ndarray, hidden: np.ndarray) -> np.ndarray:
        """Return the predicted hints less the true ones, each row by its share of the batch."""
        excess = forward(self.parameters, hidden)[-1] - self.hints[rows]
        excess *= share_of_rows(self.data, rows)
        return excess

    def value(self, rows: np.ndarray, layers: list[np.ndarray]) -> float:
        """Return the mean loss of a batch, times its weight."""
        excess = forward(self.parameters, layers[-2])[-1] - self.hints[rows]
        return float(self.weight * (share_of_rows(self.data, rows) * excess**2).sum() / 2)

    def end_epoch(self, parameters: list[np.ndarray], validation: np.ndarray, errors: list[float]) -> None:
        """Do nothing: hints do not depend on the network."""
