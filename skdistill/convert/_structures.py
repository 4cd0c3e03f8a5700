"""What a fitted model is made of, known by its attributes: no library has to be imported for it."""

from collections.abc import Callable
from typing import Any, Protocol

from ._kernels import read_kernel
from ._lightgbm import trees_of_lightgbm
from ._trees import trees_of_histograms, trees_of_sklearn
from ._weights import Layers, LinearWeights


class Structure(Protocol):
    """The numbers that a model has learned: trees, a kernel machine, layers or linear weights."""

    @property
    def n_parameters(self) -> int:
        """How many numbers were learned."""

    @property
    def n_operations(self) -> float:
        """How many operations a row takes."""


def read_structure(model: Any) -> Structure | None:
    """Return the structure of a single fitted model of scikit-learn or LightGBM; ``None`` for any other.

    It is read whether or not a scorer can express the model. An ensemble has none: its members have.
    """
    for attributes, read in _READERS:
        if all(_has(model, attribute) for attribute in attributes):
            return read(model)
    return None


def layers_of(model: Any) -> Layers:
    """Read a multilayer perceptron."""
    activations = (getattr(model, name, "unknown") for name in ("activation", "out_activation_"))
    return Layers(model.coefs_, model.intercepts_, *activations)


def linear_weights_of(model: Any) -> LinearWeights:
    """Read a linear model."""
    return LinearWeights(model.coef_, getattr(model, "intercept_", ()))


def _has(thing: Any, path: str) -> bool:
    """Whether there is an attribute, or one of an attribute: ``a.b``."""
    name, _, rest = path.partition(".")
    return hasattr(thing, name) and (not rest or _has(getattr(thing, name), rest))


_READERS: tuple[tuple[tuple[str, ...], Callable[[Any], Any]], ...] = (
    (("tree_.children_left", "tree_.value"), trees_of_sklearn),  # others keep a tree of neighbours there
    (("_predictors", "_baseline_prediction"), trees_of_histograms),
    (("model_to_string",), trees_of_lightgbm),
    (("booster_", "fitted_"), trees_of_lightgbm),
    (("support_vectors_", "dual_coef_"), read_kernel),
    (("coefs_", "intercepts_"), layers_of),
    (("coef_",), linear_weights_of),
)
"""By which attributes a kind is known, the first that fits; a support vector machine may have ``coef_`` as well."""
