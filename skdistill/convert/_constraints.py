"""Constraints that a fitted model states: the directions and the sets of columns that it was fitted with.

Histogram gradient boosting, trees and forests of scikit-learn, LightGBM and XGBoost have parameters for them.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from ._lightgbm import is_booster
from ._wrappers import unwrap

MONOTONIC_NAMES = ("monotonic_cst", "monotone_constraints", "mc", "monotone_constraint")
"""Names of the parameter in the libraries, and aliases."""

INTERACTION_NAMES = ("interaction_cst", "interaction_constraints")


def stated_directions(model: Any, n_features: int) -> np.ndarray | None:
    """Return -1, 0 or 1 for each column if a model was fitted with monotone constraints; ``None`` if it states none.

    Parameters
    ----------
    model : object
        Any fitted model, also inside ``FrozenEstimator`` or a fitted search. A pipeline states nothing, since its
        earlier steps may change columns.
    n_features : int
        Number of columns.
    """
    given, names = _stated(model, MONOTONIC_NAMES)
    if isinstance(given, str):
        given = [int(each) for each in re.findall(r"-?\d+", given)] if ":" not in given else json.loads(given)
    if isinstance(given, Mapping):
        given = [given.get(name, 0) for name in names]
    if given is None or np.ndim(given) != 1 or len(given) != n_features:
        return None
    directions = np.asarray(given)
    is_said = directions.dtype.kind in "iuf" and np.isin(directions, (-1, 0, 1)).all() and directions.any()
    return directions.astype(np.int64) if is_said else None


def stated_interactions(model: Any, n_features: int) -> list[list[int]] | str | None:
    """Return the sets of columns, as positions, that a model was fitted with, or the name of a rule that makes them.

    ``None`` if the model states none.
    """
    given, names = _stated(model, INTERACTION_NAMES)
    if isinstance(given, str) and given in ("pairwise", "no_interactions"):
        return given
    if isinstance(given, str):
        found = re.findall(r"\[([^\[\]]*)\]", given)
        given = [json.loads(f"[{each}]") for each in found]
    if given is None or not np.iterable(given) or len(list(given)) == 0:
        return None
    place = {name: index for index, name in enumerate(names)}
    sets = [sorted(place.get(column, column) for column in group) for group in given]
    is_known = all(isinstance(column, int | np.integer) and 0 <= column < n_features for one in sets for column in one)
    return [[int(column) for column in one] for one in sets] if is_known else None


def _stated(model: Any, parameters: tuple[str, ...]) -> tuple[Any, list[str]]:
    """Return the value of the first of some parameters that a model has, and the names of its columns."""
    model = unwrap(model, through=("frozen", "search")).model
    if is_booster(model):
        params, names = _params_of_booster(model), list(model.feature_name())
    elif hasattr(model, "get_params") and not hasattr(model, "steps"):
        params, names = model.get_params(deep=False), [str(each) for each in getattr(model, "feature_names_in_", [])]
    else:
        return None, []
    values = [params[name] for name in parameters if not _is_empty(params.get(name))]
    return (values[0] if values else None), names


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value)


def _params_of_booster(model: Any) -> dict[str, Any]:
    """Return the parameters of a booster of LightGBM: those of its training, or those in its text if it was loaded."""
    lines = re.findall(r"^\[(\w+): (.*)\]$", model.model_to_string(num_iteration=1), flags=re.MULTILINE)
    return {**dict(lines), **(model.params or {})}
