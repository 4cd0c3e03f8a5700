"""Conversion of fitted models of scikit-learn and LightGBM to arrays and scorers."""

from ._kernels import KernelMachine, read_kernel
from ._lightgbm import forest_from_lightgbm, is_booster, is_lightgbm, objective_of, splits_of_lightgbm
from ._models import read_margins, read_model
from ._steps import with_steps
from ._structures import read_structure
from ._wrappers import Unwrapped, is_distilled, members_of, unwrap

__all__ = [
    "KernelMachine",
    "Unwrapped",
    "forest_from_lightgbm",
    "is_booster",
    "is_distilled",
    "is_lightgbm",
    "members_of",
    "objective_of",
    "read_kernel",
    "read_margins",
    "read_model",
    "read_structure",
    "splits_of_lightgbm",
    "unwrap",
    "with_steps",
]
