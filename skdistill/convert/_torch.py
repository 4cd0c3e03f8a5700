"""Feed-forward networks of torch, as the layers of a multilayer perceptron.

The library is never imported: its modules only exist if it has been imported.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..compiled import CompiledModel
from ..exceptions import CompileError
from ._weights import Layers

EXPECTED = (
    "an nn.Sequential of Linear, ReLU, LeakyReLU, BatchNorm1d, Dropout, Identity and Flatten, whose last layer may be "
    "Sigmoid or Softmax(dim=1)"
)

LINKS = {"identity": "identity", "logistic": "logistic", "softmax": "softmax"}
"""Links by output activation."""


def is_module(model: Any) -> bool:
    """Whether a model is a module of torch."""
    torch = sys.modules.get("torch")
    return torch is not None and hasattr(torch, "nn") and isinstance(model, torch.nn.Module)


def from_module(module: Any) -> CompiledModel:
    """Return the compiled form of a module: what it returns for rows of numbers, in evaluation mode.

    Raises
    ------
    CompileError
        If the module is no feed-forward network of rectified layers, or is in training mode where this matters.
    """
    layers = layers_of_module(module)
    scorer = layers.scorer()
    assert scorer is not None  # its layers are rectified
    return CompiledModel(scorer, LINKS[layers.output_activation])


def layers_of_module(module: Any) -> Layers:
    r"""Return the weights of a module as those of a multilayer perceptron with rectified hidden layers.

    Layers that are linear in evaluation mode become one: batch normalisation is folded into the weights next to it. A
    leaky rectifier is the sum of two rectified units, :math:`\max(0, x) - a \max(0, -x)`.

    Raises
    ------
    CompileError
        If a layer is of another kind, the module is in training mode where this matters, or numbers are not finite.
    """
    found = _Folding(type(module).__name__)
    for layer in _layers(module):
        found.add(layer)
    return found.layers()


def _layers(module: Any) -> Iterator[Any]:
    """Yield the layers of nested sequences in order."""
    if type(module).__name__ == "Sequential" and type(module).__module__.startswith("torch.nn."):
        for each in module:
            yield from _layers(each)
    else:
        yield module


class _Folding:
    """The weights of hidden layers so far, and the linear function of the last one that is not rectified yet."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.weights: list[np.ndarray] = []
        self.biases: list[np.ndarray] = []
        self.factor: np.ndarray | None = None
        """Weights of shape (n_inputs, n_outputs); a vector while each input is only scaled, ``None`` before that."""
        self.shift: np.ndarray | float = 0.0
        self.output_activation = "identity"

    def add(self, layer: Any) -> None:
        """Append a layer."""
        kind = type(layer).__name__
        fold = _FOLDS.get(kind) if type(layer).__module__.startswith("torch.nn.") else None
        if fold is None:
            raise self.refused(f"a layer {kind}", f"expected {EXPECTED}. Distil the module instead")
        if self.output_activation != "identity" and kind not in ("Dropout", "Identity"):
            raise self.refused(f"a layer {kind} after a {self.output_activation} layer", f"expected {EXPECTED}")
        fold(self, layer)

    def layers(self) -> Layers:
        """Return all layers."""
        weights, biases = [*self.weights, self.matrix()], [*self.biases, np.asarray(self.shift)]
        if not all(np.isfinite(array).all() for array in (*weights, *biases)):
            raise self.refused("weights that are NaN or infinite", "expected finite ones. Train it with smaller steps")
        return Layers(weights, biases, "relu", self.output_activation)

    def affine(self, factor: np.ndarray, shift: np.ndarray) -> None:
        """Append a linear function, of weights of shape (n_inputs, n_outputs) or a factor for each input."""
        if self.factor is None:
            self.factor, self.shift = factor, shift
        elif factor.ndim == 1:
            self.factor, self.shift = self.factor * factor, self.shift * factor + shift
        else:
            by_input = self.factor.ndim == 1
            self.shift = self.shift @ factor + shift
            self.factor = self.factor[:, None] * factor if by_input else self.factor @ factor

    def matrix(self) -> np.ndarray:
        """Return the weights of the linear function that is not rectified yet."""
        if self.factor is None:
            raise self.refused("an activation without a Linear layer before it", f"expected {EXPECTED}")
        return np.diag(self.factor) if self.factor.ndim == 1 else self.factor

    def rectify(self, slope: float) -> None:
        """Append a rectifier with a slope for negative sums."""
        if slope == 1:
            return
        weights, shift = self.matrix(), np.asarray(self.shift)
        n_units = weights.shape[1]
        if slope:
            weights, shift = np.hstack([weights, -weights]), np.append(shift, -shift)
        self.weights.append(weights)
        self.biases.append(shift)
        self.factor, self.shift = np.eye(n_units), np.zeros(n_units)
        if slope:
            self.factor = np.vstack([self.factor, -slope * self.factor])

    def refused(self, got: str, expected: str) -> CompileError:
        """Return the error of a module that has no such form."""
        return CompileError(f"compile: the torch module {self.name} has {got}; {expected}.")


def _linear(found: _Folding, layer: Any) -> None:
    weight = _numbers(layer.weight).T
    found.affine(weight, np.zeros(weight.shape[1]) if layer.bias is None else _numbers(layer.bias))


def _normalise(found: _Folding, layer: Any) -> None:
    if layer.training or layer.running_mean is None:
        raise found.refused("batch normalisation by each batch", "expected running means. Call module.eval() first")
    factor = 1 / np.sqrt(_numbers(layer.running_var) + layer.eps)
    factor = factor if layer.weight is None else factor * _numbers(layer.weight)
    shift = -_numbers(layer.running_mean) * factor
    found.affine(factor, shift if layer.bias is None else shift + _numbers(layer.bias))


def _drop(found: _Folding, layer: Any) -> None:
    if layer.training and layer.p > 0:
        raise found.refused("dropout in training mode", "expected evaluation mode. Call module.eval() first")


def _pass(found: _Folding, layer: Any) -> None:
    """Append a layer that changes nothing."""


def _logistic(found: _Folding, layer: Any) -> None:  # noqa: ARG001
    found.matrix()
    found.output_activation = "logistic"


def _softmax(found: _Folding, layer: Any) -> None:
    if layer.dim not in (1, -1):
        raise found.refused(f"Softmax(dim={layer.dim})", "expected dim=1, the outputs of a row")
    found.matrix()
    found.output_activation = "softmax"


def _numbers(tensor: Any) -> np.ndarray:
    return tensor.detach().cpu().numpy().astype(np.float64)


_FOLDS: dict[str, Callable[[_Folding, Any], None]] = {
    "Linear": _linear,
    "ReLU": lambda found, layer: found.rectify(0.0),  # noqa: ARG005
    "LeakyReLU": lambda found, layer: found.rectify(float(layer.negative_slope)),
    "BatchNorm1d": _normalise,
    "Dropout": _drop,
    "Identity": _pass,
    "Flatten": _pass,
    "Sigmoid": _logistic,
    "Softmax": _softmax,
}
