"""The learned structure of a fitted model, recognised by its attributes without importing its library."""

from collections.abc import Callable
from typing import Any, Protocol

from ._kernels import read_kernel
from ._lightgbm import trees_of_lightgbm
from ._trees import trees_of_histograms, trees_of_sklearn
from ._weights import Layers, LinearWeights


class Structure(Protocol):
    """The learned parameters of a model: trees, a kernel machine, layers or linear weights."""

    @property
    def n_parameters(self) -> int:
        """Number of learned parameters."""

    @property
    def n_operations(self) -> float:
        """Number of operations per row."""


def read_structure(model: Any) -> Structure | None:
    """Return the structure of a single fitted model of scikit-learn or LightGBM; ``None`` for other models.

    The structure is also returned for models that no scorer can represent. Meta-ensembles have no structure of their
    own; read their members instead.
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
    """Whether an object has an attribute or a nested attribute such as ``a.b``."""
    name, _, rest = path.partition(".")
    return hasattr(thing, name) and (not rest or _has(getattr(thing, name), rest))


_READERS: tuple[tuple[tuple[str, ...], Callable[[Any], Any]], ...] = (
    (("tree_.children_left", "tree_.value"), trees_of_sklearn),  # nearest-neighbour models also have tree_
    (("_predictors", "_baseline_prediction"), trees_of_histograms),
    (("model_to_string",), trees_of_lightgbm),
    (("booster_", "fitted_"), trees_of_lightgbm),
    (("support_vectors_", "dual_coef_"), read_kernel),
    (("coefs_", "intercepts_"), layers_of),
    (("coef_",), linear_weights_of),
)
"""Attributes that a model must have, and its reader. The first match applies, since support vector machines may have
``coef_`` as well."""
