"""The hidden layers of a fitted network, as a scorer of the inputs of another design."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from ..compiled import Design, Network
from ..convert import is_module, layers_of_module
from ..exceptions import CompileError, StudentError
from ._model_inside import Inside, check_names, check_numbers_of, described_model, linear_inputs, look_inside

READABLE_NETWORKS = (
    "an MLPClassifier or MLPRegressor of scikit-learn with activation='relu', an nn.Sequential of torch of Linear and "
    "ReLU or LeakyReLU, or a CompactMLPClassifier or CompactMLPRegressor, also behind scalers, imputers or one-hot "
    "encoders"
)
"""The networks whose hidden layers can be inherited, for messages."""


class ReadNetwork(NamedTuple):
    """The layers of a network inside wrappers.

    Parameters
    ----------
    inside : Inside
        The model and the steps before it.
    weights, biases : list of ndarray of float64
        Those of all layers; the last bias is the base of the scores.
    own : Network or None
        The scorer of a student of this package, whose design comes with it.
    """

    inside: Inside
    weights: list[np.ndarray]
    biases: list[np.ndarray]
    own: Network | None

    @property
    def kind(self) -> str:
        """Name of the class of the model."""
        return type(self.inside.model).__name__

    def on_design(self, design: Design, cells: Any, X: Any, names: Any, rng: np.random.RandomState) -> Network:
        """Return the network as a scorer of the inputs of a design, of which those of the model are linear functions.

        Raises
        ------
        StudentError
            If they are none, or if the model cannot read the table.
        """
        if not self.inside.transformers:
            of_model = getattr(self.inside.model, "feature_names_in_", None)
            check_names(names, of_model, design.n_features, len(self.weights[0]), self.kind)
            if (design.n_codes > 0).any():
                raise StudentError(
                    f"column {int(design.n_codes.argmax())} of X holds categories or text, which the {self.kind} does "
                    "not read; expected numbers. Encode the column before both are fitted."
                )
        matrix, constant = linear_inputs(self.inside, design, cells, X, rng)
        if len(constant) != len(self.weights[0]):
            raise StudentError(
                f"the {self.kind} reads {len(self.weights[0])} inputs, and the steps before it return {len(constant)}; "
                "expected as many. Fit the pipeline again."
            )
        first, bias = matrix @ self.weights[0], self.biases[0] + constant @ self.weights[0]
        base = self.biases[-1]
        return Network(
            design, [first, *self.weights[1:]], [bias, *self.biases[1:-1]], base.astype(np.float64), np.ones(len(base))
        )


def read_network(model: Any) -> ReadNetwork | None:
    """Return the layers of a fitted network with hidden layers; ``None`` for models of another kind.

    Raises
    ------
    StudentError
        If the model is a network that is not fitted, or whose layers are no rectified ones or not finite.
    """
    inside = look_inside(model)
    own = getattr(inside.model, "scorer_", None)
    if isinstance(own, Network) and own.biases and own.pairs is None and not inside.transformers:
        *hidden, last = (np.asarray(weights, dtype=np.float64) for weights in own.weights)
        check_numbers_of(type(inside.model).__name__, *own.weights, *own.biases, own.base)
        return ReadNetwork(inside, [*hidden, last * own.unit], [*own.biases, own.base], own)
    kind = type(inside.model).__name__
    if is_module(inside.model):
        return _read_module(inside)
    if not (hasattr(inside.model, "hidden_layer_sizes") and hasattr(inside.model, "activation")):
        return None
    return _read_layers(inside, kind)


def _read_module(inside: Inside) -> ReadNetwork | None:
    """Read a module of torch; ``None`` if it has no hidden layers."""
    try:
        layers = layers_of_module(inside.model)
    except CompileError as error:
        raise StudentError(f"nothing can be inherited from {described_model(inside.model)} ({error})") from error
    return ReadNetwork(inside, layers.weights, layers.biases, None) if len(layers.weights) > 1 else None


def _read_layers(inside: Inside, kind: str) -> ReadNetwork:
    """Read a multilayer perceptron of scikit-learn."""
    model = inside.model
    try:
        check_is_fitted(model, ["coefs_", "intercepts_"])
    except NotFittedError as error:
        raise StudentError(
            f"nothing can be inherited from {described_model(model)} that is not fitted; expected {READABLE_NETWORKS}. "
            "Fit it first."
        ) from error
    weights, biases = ([np.asarray(a, dtype=np.float64) for a in given] for given in (model.coefs_, model.intercepts_))
    sizes = [len(weights[0]), *map(len, biases)]
    shapes = [array.shape for array in weights]
    if not hasattr(model, "out_activation_") or shapes != list(pairwise(sizes)):
        raise StudentError(
            f"the {kind} is half fitted: its weights have the shapes {shapes}, and its biases {sizes[1:]} units. Fit "
            "it to the end."
        )
    if model.activation != "relu":
        raise StudentError(
            f"nothing can be inherited from {described_model(model)} with activation={model.activation!r}; expected "
            f'{READABLE_NETWORKS}. Pass another student, such as student="mlp".'
        )
    if hasattr(model, "classes_") and model.out_activation_ == "logistic" and sizes[-1] > 1:
        raise StudentError(
            f"the {kind} is a multilabel classifier with {sizes[-1]} labels per row; expected one label per row. Fit "
            "one model per label."
        )
    check_numbers_of(kind, *weights, *biases)
    return ReadNetwork(inside, weights, biases, None)
