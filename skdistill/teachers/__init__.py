"""A common interface to fitted models of any kind, and checked, stored queries of them."""

from ._adapter import SEVERAL_LABELS, Teacher
from ._answer_store import AnswerStore, open_store
from ._as_teacher import adapt_member, as_teacher, average
from ._conventions import Task, concordance_sign, quantile_of, unlabelled_rows
from ._ensemble import TeacherEnsemble, disagreement, fixed_weights
from ._forests import trees_asked
from ._labels import label_teacher, positions_said, read_labels, said_labels, stated_decisions
from ._lists import is_list, names_of, teachers_in
from ._out_of_bag import OutOfBag, find_out_of_bag
from ._outputs_in_order import as_levels, stated_order, stated_quantiles
from ._precomputed import PrecomputedTeacher
from ._querying import query_members, query_teacher
from ._recipes import clone_recipe, clone_teacher, fit_teacher, out_of_bag_outputs, out_of_fold_outputs
from ._remote import RemoteTeacher, remote_teachers
from ._repeatability import (
    N_CHECKED_ROWS,
    QUERIES_PER_CHECKED_ROW,
    Repeatability,
    check_repeatability,
    compare_with_blocks,
    is_alike,
    scale_of,
)
from ._responses import is_of_kind
from ._rule import check_is_recognised, is_fitted_teacher
from ._seen_rows import SeenRows
from ._steady import SteadyTeacher, steady
from ._store_size import MemoryInfo, memory_info, reduce_memory
from ._usage import RemoteUsage, usage_counted, usage_counted_here
from ._value_ranges import known_bounds, stated_link
from ._weighing import MIN_WEIGHED_ROWS, RegionWeights, errors_of, loss_weights_of
from ._workers import Workers

__all__ = [
    "MIN_WEIGHED_ROWS",
    "N_CHECKED_ROWS",
    "QUERIES_PER_CHECKED_ROW",
    "SEVERAL_LABELS",
    "AnswerStore",
    "MemoryInfo",
    "OutOfBag",
    "PrecomputedTeacher",
    "RegionWeights",
    "RemoteTeacher",
    "RemoteUsage",
    "Repeatability",
    "SeenRows",
    "SteadyTeacher",
    "Task",
    "Teacher",
    "TeacherEnsemble",
    "Workers",
    "adapt_member",
    "as_levels",
    "as_teacher",
    "average",
    "check_is_recognised",
    "check_repeatability",
    "clone_recipe",
    "clone_teacher",
    "compare_with_blocks",
    "concordance_sign",
    "disagreement",
    "errors_of",
    "find_out_of_bag",
    "fit_teacher",
    "fixed_weights",
    "is_alike",
    "is_fitted_teacher",
    "is_list",
    "is_of_kind",
    "known_bounds",
    "label_teacher",
    "loss_weights_of",
    "memory_info",
    "names_of",
    "open_store",
    "out_of_bag_outputs",
    "out_of_fold_outputs",
    "positions_said",
    "quantile_of",
    "query_members",
    "query_teacher",
    "read_labels",
    "reduce_memory",
    "remote_teachers",
    "said_labels",
    "scale_of",
    "stated_decisions",
    "stated_link",
    "stated_order",
    "stated_quantiles",
    "steady",
    "teachers_in",
    "trees_asked",
    "unlabelled_rows",
    "usage_counted",
    "usage_counted_here",
]
