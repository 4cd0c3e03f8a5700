"""The families of compact students, as a chooser tries them."""

from typing import Any

import numpy as np

from ._boosting import CompactBoostingClassifier, CompactBoostingRegressor
from ._hybrid import CompactHybridClassifier, CompactHybridRegressor
from ._kernel import CompactKernelClassifier, CompactKernelRegressor
from ._linear import CompactLinearClassifier, CompactLinearRegressor
from ._mlp import CompactMLPClassifier, CompactMLPRegressor
from ._student import CompactClassifier, CompactRegressor
from ._tree import CompactTreeClassifier, CompactTreeRegressor

FAMILIES: dict[str, tuple[type[CompactClassifier], type[CompactRegressor], dict[str, Any]]] = {
    "linear": (CompactLinearClassifier, CompactLinearRegressor, {}),
    "tree": (CompactTreeClassifier, CompactTreeRegressor, {"n_regrowths": 0}),
    "kernel": (CompactKernelClassifier, CompactKernelRegressor, {}),
    "smooth network": (CompactMLPClassifier, CompactMLPRegressor, {"n_knots": 0}),
    "network": (CompactMLPClassifier, CompactMLPRegressor, {}),
    "boosting": (CompactBoostingClassifier, CompactBoostingRegressor, {}),
    "hybrid": (CompactHybridClassifier, CompactHybridRegressor, {}),
}
"""For each family its classifier, its regressor, and what distinguishes it from others of the same class."""

MOST_PARAMETERS = {"linear": 20_000, "tree": 200}
"""For each output, whatever the budget: more leave nothing to read."""

MOST_OF_KERNELS = 8_000
"""For all outputs, which share the landmarks, whatever the budget: more cost more time than they gain."""

MODEST, MODEST_KERNEL, MODEST_BOOSTING = 5_000, 2_000, 4_200
"""Where no budget is given. Outputs share inputs and hidden units, so that this grows with the root of their number;
trees are not shared, and those of boosting are for each output."""

SCOUTS: dict[str, dict[str, Any]] = {
    "linear": {"n_pairs": 0},
    "tree": {"optimize": False},
    "smooth network": {"max_epochs": 8},
    "network": {"max_epochs": 8},
    "boosting": {"resolve_leaves": False},
}
"""The families that a small student of theirs can speak for, and what makes it quick."""


def most_parameters(name: str, n_outputs: int, *, is_modest: bool) -> float:
    """Return the parameters that a chooser gives a family at most."""
    if name in MOST_PARAMETERS:
        return MOST_PARAMETERS[name] * n_outputs
    if name == "kernel":
        return MODEST_KERNEL if is_modest else MOST_OF_KERNELS
    modest = MODEST * n_outputs**0.5
    if name == "boosting":
        modest = max(modest, MODEST_BOOSTING * n_outputs)
    return modest if is_modest else np.inf


def family_member(name: str, *, classifies: bool, n_jobs: int | None = None) -> Any:
    """Return the unfitted student of a family."""
    classifier, regressor, params = FAMILIES[name]
    student = (classifier if classifies else regressor)(**params)
    return student.set_params(n_jobs=n_jobs) if "n_jobs" in student.get_params() else student
