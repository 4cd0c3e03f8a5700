"""Linear models and multilayer perceptrons of scikit-learn: their weights, layer by layer."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from ..compiled import Linear, Network
from ._kernels import plain_design


@dataclass(frozen=True)
class LinearWeights:
    """Weighted sums of a row's cells.

    Parameters
    ----------
    coef : ndarray or sparse matrix of shape (n_outputs, n_features) or (n_features,)
        Weights, as the model keeps them.
    intercept : ndarray or float
        What is added; empty where the model has none.
    """

    coef: Any
    intercept: Any

    @property
    def n_parameters(self) -> int:
        """Numbers that were learned."""
        return self.coef.size + np.size(self.intercept)

    @property
    def n_operations(self) -> int:
        """Multiplications for a row."""
        return self.coef.size

    def linear(self) -> Linear:
        """Return the sums as a scorer."""
        given = self.coef.toarray() if hasattr(self.coef, "toarray") else self.coef
        coef = np.atleast_2d(given).T
        return Linear(coef.astype(np.float64), np.broadcast_to(self.intercept, coef.shape[1]).astype(np.float64))


@dataclass(frozen=True)
class Layers:
    """A multilayer perceptron.

    Parameters
    ----------
    weights : list of ndarray of shape (n_inputs, n_hidden), ..., (n_hidden, n_outputs)
    biases : list of ndarray, one for each of ``weights``
    activation, output_activation : str
        Of hidden layers and of the last one, as scikit-learn names them.
    """

    weights: list[np.ndarray]
    biases: list[np.ndarray]
    activation: str
    output_activation: str

    @property
    def n_parameters(self) -> int:
        """Weights and biases."""
        return sum(np.size(array) for array in (*self.weights, *self.biases))

    @property
    def n_operations(self) -> int:
        """Multiplications and additions for a row."""
        return self.n_parameters

    def scorer(self) -> Linear | Network | None:
        """Return the last layer before its activation as a scorer; ``None`` where hidden ones are not rectified."""
        weights = [np.asarray(array, dtype=np.float64) for array in self.weights]
        biases = [np.asarray(array, dtype=np.float64) for array in self.biases]
        if self.activation == "identity" or len(weights) == 1:
            base = np.zeros(len(weights[0]))
            for matrix, bias in zip(weights, biases, strict=True):
                base = base @ matrix + bias
            return Linear(reduce(np.matmul, weights), base)
        if self.activation != "relu":
            return None
        *hidden, last = biases
        return Network(plain_design(len(weights[0])), weights, hidden, base=last, unit=np.ones(len(last)))
