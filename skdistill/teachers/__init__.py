"""A common interface to fitted models of any kind, and checked, cached queries of them."""

from ._adapter import Task, Teacher, as_teacher
from ._out_of_bag import OutOfBag, find_out_of_bag
from ._querying import key_of, query_teacher
from ._recipes import fit_teacher, out_of_bag_outputs, out_of_fold_outputs
from ._repeatability import (
    N_CHECKED_ROWS,
    QUERIES_PER_CHECKED_ROW,
    Repeatability,
    check_repeatability,
    compare_with_blocks,
    is_alike,
    scale_of,
)
from ._rule import is_fitted_teacher
from ._steady import SteadyTeacher, steady

__all__ = [
    "N_CHECKED_ROWS",
    "QUERIES_PER_CHECKED_ROW",
    "OutOfBag",
    "Repeatability",
    "SteadyTeacher",
    "Task",
    "Teacher",
    "as_teacher",
    "check_repeatability",
    "compare_with_blocks",
    "find_out_of_bag",
    "fit_teacher",
    "is_alike",
    "is_fitted_teacher",
    "key_of",
    "out_of_bag_outputs",
    "out_of_fold_outputs",
    "query_teacher",
    "scale_of",
    "steady",
]
