"""Weights of scikit-learn's linear models and multilayer perceptrons."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from ..compiled import Linear, Network
from ._kernels import plain_design


@dataclass(frozen=True)
class LinearWeights:
    """Weights of a linear model.

    Parameters
    ----------
    coef : ndarray or sparse matrix of shape (n_outputs, n_features) or (n_features,)
        Weights in the format of the model.
    intercept : ndarray or float
        Intercepts; empty if the model has none.
    """

    coef: Any
    intercept: Any

    @property
    def n_parameters(self) -> int:
        """Number of learned parameters."""
        return self.coef.size + np.size(self.intercept)

    @property
    def n_operations(self) -> int:
        """Number of multiplications per row."""
        return self.coef.size

    def linear(self) -> Linear:
        """Return the linear scorer."""
        given = self.coef.toarray() if hasattr(self.coef, "toarray") else self.coef
        coef = np.atleast_2d(given).T
        return Linear(coef.astype(np.float64), np.broadcast_to(self.intercept, coef.shape[1]).astype(np.float64))


@dataclass(frozen=True)
class Layers:
    """Weights and activations of a multilayer perceptron.

    Parameters
    ----------
    weights : list of ndarray of shape (n_inputs, n_hidden), ..., (n_hidden, n_outputs)
    biases : list of ndarray, one per array in ``weights``
    activation, output_activation : str
        scikit-learn's names of the activations of the hidden layers and of the output layer.
    """

    weights: list[np.ndarray]
    biases: list[np.ndarray]
    activation: str
    output_activation: str

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases."""
        return sum(np.size(array) for array in (*self.weights, *self.biases))

    @property
    def n_operations(self) -> int:
        """Number of multiplications and additions per row."""
        return self.n_parameters

    def scorer(self) -> Linear | Network | None:
        """Return a scorer of the output layer before its activation; ``None`` unless hidden layers are rectified."""
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
