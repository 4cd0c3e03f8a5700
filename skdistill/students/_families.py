"""The families of compact students, as a chooser tries them."""

from typing import Any

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
"""For each output: more leave nothing to read, or cost a family more time than it gains."""

MOST_OF_OTHERS = 8_500

MOST_OF_KERNELS = 2_000
"""For all outputs, which share the landmarks."""


def most_parameters(name: str, n_outputs: int) -> int:
    """Return the parameters that a chooser gives a family at most."""
    return MOST_OF_KERNELS if name == "kernel" else MOST_PARAMETERS.get(name, MOST_OF_OTHERS) * n_outputs


def family_member(name: str, *, classifies: bool, n_jobs: int | None = None) -> Any:
    """Return the unfitted student of a family."""
    classifier, regressor, params = FAMILIES[name]
    student = (classifier if classifies else regressor)(**params)
    return student.set_params(n_jobs=n_jobs) if "n_jobs" in student.get_params() else student
