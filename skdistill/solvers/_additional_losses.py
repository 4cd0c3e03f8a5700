"""The interface of losses that are added to that of the scores while a network is trained."""

from typing import Any, Protocol

import numpy as np


class AdditionalLoss(Protocol):
    """A loss that is begun anew with each training, also with one that starts again at a lower rate."""

    def begin(self, data: Any, parameters: list[np.ndarray], rate: float, n_steps: int) -> "RunningLoss":
        """Return the loss at the start of a training.

        Parameters
        ----------
        data : TrainingData
            The rows of the training.
        parameters : list of ndarray
            Weights and biases of the network, of each layer.
        rate : float
            Maximum learning rate of the network.
        n_steps : int
            Maximum number of steps.
        """
        ...


class RunningLoss(Protocol):
    """An additional loss during a training; what it learns itself is dropped at the end."""

    def gradients(self, rows: np.ndarray, layers: list[np.ndarray]) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Return the gradients by the scores and by the last hidden layer of a batch; ``None`` where there is none.

        Parameters
        ----------
        rows : ndarray of int, shape (n_rows,)
            Positions of the rows of the batch.
        layers : list of ndarray of shape (n_rows, n_units)
            Inputs, hidden layers and scores of these rows.
        """
        ...

    def end_epoch(self, parameters: list[np.ndarray], validation: np.ndarray, errors: list[float]) -> None:
        """Look at the network after an epoch: its validation rows, and its errors on them so far."""
        ...


def share_of_rows(data: Any, rows: np.ndarray) -> np.ndarray:
    """Return how much each row of a batch counts in the mean loss of the batch, of shape (n_rows, 1)."""
    return (data.weight[rows] / np.float32(len(rows)))[:, None]
