"""The selection of samplers, weights and students on validation rows, and what these steps of a fit share."""

from ._auto_columns import AutoColumns, columns_of
from ._auto_sampler import AutoSampler
from ._auto_student import AutoStudent
from ._callbacks import CallbackSupport, Phases, supports_callbacks
from ._candidates import Candidates
from ._choosing import DEFAULT_FAMILY, TrainingRows, choose_student
from ._columns_path import MIN_PATH_ROWS, ColumnsPath, as_columns
from ._constraints import Constraints
from ._deadline import Deadline
from ._extending import Extension, extend
from ._forecast import Forecast
from ._generations import Step, choose_generation, same_size, with_assistants
from ._ignored_features import find_ignored_features, name_columns
from ._measured_directions import measure_directions
from ._row_choice import MAX_QUERY_RATIO
from ._run import Run
from ._scoring_trial import try_scoring
from ._student_view import StudentView
from ._targets import ClassTargets, Targets, ValueTargets, threads_for
from ._terms import Terms
from ._validation_rows import (
    MIN_ERRORS_REAL_WEIGHT,
    MIN_VALIDATION_ROWS,
    ON_SEEN_ROWS,
    Group,
    HeldOut,
    Losses,
    Validation,
    hold_out,
    label_given_rows,
)

__all__ = [
    "DEFAULT_FAMILY",
    "MAX_QUERY_RATIO",
    "MIN_ERRORS_REAL_WEIGHT",
    "MIN_PATH_ROWS",
    "MIN_VALIDATION_ROWS",
    "ON_SEEN_ROWS",
    "AutoColumns",
    "AutoSampler",
    "AutoStudent",
    "CallbackSupport",
    "Candidates",
    "ClassTargets",
    "ColumnsPath",
    "Constraints",
    "Deadline",
    "Extension",
    "Forecast",
    "Group",
    "HeldOut",
    "Losses",
    "Phases",
    "Run",
    "Step",
    "StudentView",
    "Targets",
    "Terms",
    "TrainingRows",
    "Validation",
    "ValueTargets",
    "as_columns",
    "choose_generation",
    "choose_student",
    "columns_of",
    "extend",
    "find_ignored_features",
    "hold_out",
    "label_given_rows",
    "measure_directions",
    "name_columns",
    "same_size",
    "supports_callbacks",
    "threads_for",
    "try_scoring",
    "with_assistants",
]
