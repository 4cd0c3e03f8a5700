"""What networks of skorch and TabNet know: weights, code and what becomes of their outputs.

The optimiser, the history and the callbacks of the training are left out, as are the device and whether the network was
last trained or asked, because both libraries set this themselves when they predict.
"""

import json
from collections.abc import Callable
from typing import Any

from ._user_code import is_of_library

_OF_SKORCH_TRAINING = (
    *("optimizer", "lr", "max_epochs", "iterator_train", "train_split", "callbacks", "history", "warm_start"),
    *("verbose", "device", "batch_size", "criterion", "torch_load_kwargs", "classes", "classes_inferred"),
    *("initialized", "virtual_params", "prefixes", "cuda_dependent_attributes", "init_context", "_params_to_validate"),
    *("_modules", "_criteria", "_optimizers", "_kwargs", "_epoch"),
)
"""Attributes of a skorch model by which no output changes, without the parameters of their parts."""

_OF_TABNET_TRAINING = (
    *("optimizer_fn", "optimizer_params", "scheduler_fn", "scheduler_params", "seed", "verbose", "clip_value"),
    *("lambda_sparse", "momentum", "device_name"),
)
"""Parameters of a TabNet model by which no output of its network changes."""


def network_contents(model: Any) -> list[Any] | None:
    """Return what a model of skorch, or of a class derived from one, or of TabNet knows; ``None`` for other objects."""
    kind = type(model)
    if kind not in _READERS:
        _READERS[kind] = _reader_of(kind)
    reader = _READERS[kind]
    return None if reader is None else reader(model)


def _reader_of(kind: type) -> Callable[[Any], list[Any]] | None:
    names = {(base.__module__.split(".")[0], base.__name__) for base in kind.__mro__}
    if ("skorch", "NeuralNet") in names:
        return _of_skorch
    return _of_tabnet if ("pytorch_tabnet", "TabModel") in names and is_of_library(kind) else None


_READERS: dict[type, Callable[[Any], list[Any]] | None] = {}
"""How objects of the types that were met are read."""


def _of_skorch(model: Any) -> list[Any]:
    """Return the modules of a fitted model, the type of its criterion, and the attributes that are not of training."""
    names = [f"{name}_" for name in getattr(model, "_modules", ())]
    own = {
        name: value
        for name, value in vars(model).items()
        if name not in names and name.rstrip("_").split("__")[0] not in _OF_SKORCH_TRAINING
    }
    modules = {name: _of_modules(getattr(model, name)) for name in sorted(names)}
    criteria = [type(getattr(model, f"{name}_")) for name in getattr(model, "_criteria", ())]
    return [type(model), modules, criteria or model.criterion, dict(sorted(own.items()))]


def _of_modules(module: Any) -> list[Any]:
    """Return the class and the attributes of each module inside a module, whichever mode it is in."""
    return [
        (name, type(part), {key: value for key, value in vars(part).items() if key not in ("training", "_modules")})
        for name, part in module.named_modules()
    ]


def _of_tabnet(model: Any) -> list[Any]:
    """Return the weights of a fitted model, its labels, and the parameters by which the network was built."""
    params = {name: value for name, value in model.get_params().items() if name not in _OF_TABNET_TRAINING}
    network = getattr(model, "network", None)
    weights = {} if network is None else dict(network.state_dict())
    return [type(model), type(network), weights, _as_json(getattr(model, "preds_mapper", None)), _as_json(params)]


def _as_json(value: Any) -> str:
    """Return the text that a saved model holds, in which numbers of numpy are numbers."""
    return json.dumps(value, sort_keys=True, default=lambda one: one.item() if hasattr(one, "item") else repr(one))
