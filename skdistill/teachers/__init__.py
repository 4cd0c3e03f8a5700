"""A common interface to fitted models of any kind, and checked, stored queries of them."""

from ._adapter import Task, Teacher, as_teacher
from ._answer_store import AnswerStore, open_store
from ._out_of_bag import OutOfBag, find_out_of_bag
from ._querying import query_teacher
from ._recipes import fit_teacher, out_of_bag_outputs, out_of_fold_outputs
from ._rule import is_fitted_teacher
from ._store_size import MemoryInfo, memory_info, reduce_memory

__all__ = [
    "AnswerStore",
    "MemoryInfo",
    "OutOfBag",
    "Task",
    "Teacher",
    "as_teacher",
    "find_out_of_bag",
    "fit_teacher",
    "is_fitted_teacher",
    "memory_info",
    "open_store",
    "out_of_bag_outputs",
    "out_of_fold_outputs",
    "query_teacher",
    "reduce_memory",
]
