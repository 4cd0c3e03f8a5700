"""Conversion of fitted models of scikit-learn, LightGBM, XGBoost and torch to arrays and scorers."""

from ._constraints import stated_directions, stated_interactions
from ._inputs import scales_of, stored_rows
from ._kernels import KernelMachine, read_kernel
from ._lightgbm import forest_from_lightgbm, is_booster, is_lightgbm, objective_of, splits_of_lightgbm
from ._models import read_margins, read_model
from ._parts import FORESTS, parts_of
from ._splits import Splits, join_splits, read_splits
from ._steps import with_steps
from ._structures import read_structure
from ._torch import is_module, layers_of_module
from ._wrappers import Unwrapped, columns_of_student, is_distilled, members_of, rows_of_student, unwrap

__all__ = [
    "FORESTS",
    "KernelMachine",
    "Splits",
    "Unwrapped",
    "columns_of_student",
    "forest_from_lightgbm",
    "is_booster",
    "is_distilled",
    "is_lightgbm",
    "is_module",
    "join_splits",
    "layers_of_module",
    "members_of",
    "objective_of",
    "parts_of",
    "read_kernel",
    "read_margins",
    "read_model",
    "read_splits",
    "read_structure",
    "rows_of_student",
    "scales_of",
    "splits_of_lightgbm",
    "stated_directions",
    "stated_interactions",
    "stored_rows",
    "unwrap",
    "with_steps",
]
