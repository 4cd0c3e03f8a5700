"""A common interface to fitted models of any kind, and checked, cached queries of them."""

from ._adapter import Task, Teacher, as_teacher
from ._labels import label_teacher, positions_said, read_labels, said_labels, stated_decisions
from ._out_of_bag import OutOfBag, find_out_of_bag
from ._querying import query_teacher
from ._recipes import fit_teacher, out_of_bag_outputs, out_of_fold_outputs
from ._rule import is_fitted_teacher

__all__ = [
    "OutOfBag",
    "Task",
    "Teacher",
    "as_teacher",
    "find_out_of_bag",
    "fit_teacher",
    "is_fitted_teacher",
    "label_teacher",
    "out_of_bag_outputs",
    "out_of_fold_outputs",
    "positions_said",
    "query_teacher",
    "read_labels",
    "said_labels",
    "stated_decisions",
]
