"""The columns and constraints of the students of a distilled estimator: given, stated by the teacher, or measured."""

from typing import Any, NamedTuple

import narwhals as nw
import numpy as np

from .._described import described
from .._encoding import declared_here, fit_table_encoder
from .._suggesting import did_you_mean
from ..convert import stated_directions, stated_interactions
from ..exceptions import StudentError
from ..selection import (
    MIN_PATH_ROWS,
    AutoColumns,
    AutoStudent,
    ColumnsPath,
    Constraints,
    Run,
    StudentView,
    Targets,
    as_columns,
    columns_of,
    measure_directions,
    name_columns,
)
from ..students._constraints import directions_by_class, interaction_sets, score_directions
from ..students._families import FAMILIES
from ..students._student import CompactStudent
from ..teachers import Teacher
from ..transfer import Oracle, TransferSet

CONSTRAINTS = ("monotonic_cst", "interaction_cst")
FROM_TEACHER = "teacher"


class Seen(NamedTuple):
    """What students see and keep, and how it was found."""

    view: StudentView
    columns: list[Any] | None = None
    path: dict[str, np.ndarray] | None = None
    constraints: Constraints | None = None


# ---------------------------------------------------------------------- checks before the fit


def is_constrained(model: Any) -> bool:
    """Whether an estimator has a constraint."""
    return any(getattr(model, name) is not None for name in CONSTRAINTS)


def keeps_constraints(student: Any) -> bool:
    """Whether a student is one of ours and has the parameters of constraints."""
    return isinstance(student, CompactStudent) and all(hasattr(student, name) for name in CONSTRAINTS)


def only_constrained(options: AutoStudent) -> AutoStudent:
    """Return the options with the families that keep constraints."""
    names = [name for name in options.family_names() if name not in FAMILIES or _is_kept_by(name)]
    params = {**options.get_params(deep=False), "families": names}
    return type(options)(**params)


def _is_kept_by(family: str) -> bool:
    return keeps_constraints(FAMILIES[family].member(classifies=False))


def check_view(model: Any) -> None:
    """Raise an error if constraints or columns are malformed, or if the student cannot keep a constraint."""
    who = type(model).__name__
    for name, others in (("monotonic_cst", ()), ("interaction_cst", ("pairwise", "no_interactions"))):
        value = getattr(model, name)
        allowed = (FROM_TEACHER, *others)
        if isinstance(value, str) and value not in allowed:
            expected = ", ".join(map(repr, allowed))
            raise ValueError(
                f"{who}: {name}={value!r}; expected {expected}, or the constraint itself.{did_you_mean(value, allowed)}"
            )
    columns = model.student_columns
    if isinstance(columns, AutoColumns):
        columns.check()
    elif isinstance(columns, str) and columns != "auto":
        raise ValueError(
            f"{who}: student_columns={columns!r}; expected 'auto', or a list of columns, such as [{columns!r}]."
            f"{did_you_mean(columns, ['auto'])}"
        )
    if is_constrained(model):
        _check_student(who, model)


def _check_student(who: str, model: Any) -> None:
    if model._target_compressor is not None:
        raise ValueError(
            f"{who}: a constraint with target_compressor=; the student learns a code of the outputs, in which a "
            "constraint means nothing. Pass target_compressor=None."
        )
    student = model._resolve_student()
    keeping = [name for name in FAMILIES if _is_kept_by(name)]
    if isinstance(student, AutoStudent):
        if not student.families:
            raise StudentError(
                f"{who}: none of the families {described(model.student.families)} keeps constraints; expected some of "
                f"{', '.join(keeping)}."
            )
        return
    if not keeps_constraints(student):
        raise StudentError(
            f"{who}: the student {type(student).__name__} cannot keep monotonic_cst or interaction_cst; expected a "
            f'student of one of the families {", ".join(keeping)}, or student="auto", which selects among these.'
        )
    twice = [name for name in CONSTRAINTS if getattr(model, name) is not None and getattr(student, name) is not None]
    if twice:
        raise ValueError(f"{who}: {twice[0]} is given here and to the student; expected one of them. Omit either.")


def check_names(model: Any, teacher: Teacher, X: Any) -> None:
    """Raise an error, before the teacher is queried, if a constraint or a column does not fit the table."""
    who, names = type(model).__name__, _names_of(X)
    if model.student_columns is not None and not _is_auto(model):
        columns_of(who, model.student_columns, X)
    if _is_auto(model):
        _options(model).costs(X)
    if model.monotonic_cst is not None and not isinstance(model.monotonic_cst, str):
        _given_directions(who, model.monotonic_cst, names, X, teacher, None)
    if model.interaction_cst is not None and model.interaction_cst != FROM_TEACHER:
        interaction_sets(who, model.interaction_cst, names=names, n_features=X.shape[1])


# ---------------------------------------------------------------------- what students see


def see(model: Any, real: TransferSet, targets: Targets, oracle: Oracle, ignored: dict[int, str], run: Run) -> Seen:
    """Return the columns and constraints of the students of a fit."""
    if model.student_columns is None and not is_constrained(model):
        return Seen(StudentView())
    columns, path = _choose_columns(model, real, targets, oracle, ignored, run)
    monotonic, directions = _find_directions(model, real, targets, oracle, run)
    sets = _find_sets(model, real.X, targets.teacher)
    names = list(name_columns(real.X, dict.fromkeys(range(real.X.shape[1]), "")))
    named = None if sets is None else [tuple(names[column] for column in each) for each in sets]
    n_seen = real.X.shape[1] if columns is None else len(columns)
    seen = tuple(range(n_seen)) if columns is None else columns
    view = StudentView(
        None if columns is None or n_seen == real.X.shape[1] else columns,
        None if directions is None else directions[:, list(seen)],
        None if sets is None else _narrowed(sets, seen),
    )
    found = Constraints(monotonic, named) if is_constrained(model) else None
    return Seen(view, None if columns is None else [names[column] for column in columns], path, found)


def count_columns(X: Any, view: StudentView) -> int:
    """Return the number of columns of a table that students see."""
    return X.shape[1] if view.columns is None else len(view.columns)


def lacks_names(X: Any, names: Any) -> bool:
    """Whether a frame lacks some of the columns of ``fit``, so that it may have only those that the student sees."""
    return not set(names.tolist()) <= set(map(str, nw.from_native(X, eager_only=True).columns))


def columns_by_name(who: str, X: Any, names: list[str]) -> Any:
    """Return the columns of a frame that the student sees."""
    frame = nw.from_native(X, eager_only=True)
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ValueError(
            f"{who}: X lacks the columns {missing}, which the student sees. Pass all columns of fit, or at least "
            f"{names}."
        )
    return frame.select(names).to_native()


def _narrowed(sets: list[list[int]], columns: tuple[int, ...]) -> list[list[int]]:
    """Return the positions, among those of some columns, of the members of each set."""
    narrowed = [[columns.index(column) for column in each if column in columns] for each in sets]
    return [each for each in narrowed if each]


def _names_of(X: Any) -> list[str]:
    names = list(name_columns(X, dict.fromkeys(range(X.shape[1]), "")))
    return names if all(isinstance(name, str) for name in names) else []


def _is_auto(model: Any) -> bool:
    return isinstance(model.student_columns, str | AutoColumns)


def _options(model: Any) -> AutoColumns:
    return model.student_columns if isinstance(model.student_columns, AutoColumns) else AutoColumns()


def _choose_columns(
    model: Any, real: TransferSet, targets: Targets, oracle: Oracle, ignored: dict[int, str], run: Run
) -> tuple[tuple[int, ...] | None, dict[str, np.ndarray] | None]:
    """Return the columns that students see, ``None`` for all, and the path to them."""
    if model.student_columns is None:
        return None, None
    who, X, options = type(model).__name__, real.X, _options(model)
    kept = frozenset() if _is_auto(model) else frozenset(columns_of(who, model.student_columns, X))
    start = sorted({column for column in range(X.shape[1]) if column not in ignored} | kept)
    n_rows = np.count_nonzero(real.sample_weight)
    if n_rows < MIN_PATH_ROWS or targets.teacher.transductive:
        if not kept:
            raise ValueError(
                f"{who}: student_columns='auto' with {n_rows} real rows; expected at least {MIN_PATH_ROWS}. Pass more "
                "rows, or the columns."
            )
        return tuple(sorted(kept)), None
    costs = options.costs(X)
    with run.phases.phase("choose columns") as phase:
        phase.log(f"leaving out columns, from {len(start)}")
        drawing = oracle if model._count_synthetic(targets.teacher, real, oracle) > 0 else None
        steps = ColumnsPath(real, targets, drawing, costs, run.with_copied_generator().rng).steps(start, kept)
    path = as_columns(steps, costs, list(name_columns(X, dict.fromkeys(range(X.shape[1]), ""))))
    chosen = len(steps) - 1 if kept else options.chosen(path["n_columns"], path["cost"], path["fidelity"])
    return steps[chosen].columns, {**path, "is_chosen": np.arange(len(steps)) == chosen}


# ---------------------------------------------------------------------- constraints


def _find_directions(
    model: Any, real: TransferSet, targets: Targets, oracle: Oracle, run: Run
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Return the table of directions, and the directions as compact students accept them."""
    given, X, teacher = model.monotonic_cst, real.X, targets.teacher
    if given is None:
        return {}, None
    who, names = type(model).__name__, _names_of(X)
    n_outputs = 1 if real.outputs.ndim == 1 else real.outputs.shape[1]
    if not isinstance(given, str):
        directions = _given_directions(who, given, names, X, teacher, n_outputs)
        return _table(X, directions, teacher, "given"), directions if directions.any() else None
    is_single = teacher.classes_ is None or len(teacher.classes_) == 2
    stated = stated_directions(teacher.model, X.shape[1]) if is_single else None
    if stated is not None:
        return _table(X, stated[None], teacher, "parameter of the teacher"), stated[None]
    columns = _numeric_columns(who, X)
    with run.phases.phase("measure directions") as phase:
        phase.log(f"moving {len(columns)} columns")
        found = measure_directions(who, real, targets, oracle, columns, run.with_copied_generator().rng)
    directions = _one_class_per_column(found.direction, found.violated) if _is_several(teacher) else found.direction
    table = _table(X, directions, teacher, "measured", found.violated, found.n_pairs)
    return table, directions if directions.any() else None


def _numeric_columns(who: str, X: Any) -> list[int]:
    """Return the columns of numbers and dates."""
    if hasattr(X, "toarray"):
        raise ValueError(
            f"{who}: monotonic_cst='teacher' with a sparse matrix, whose columns are too many to be moved one by one; "
            "expected a dense table. Pass the directions."
        )
    return np.flatnonzero(~fit_table_encoder(X, declared_here()).is_category_).tolist()


def _is_several(teacher: Teacher) -> bool:
    return teacher.classes_ is not None and len(teacher.classes_) > 2


def _one_class_per_column(directions: np.ndarray, violated: np.ndarray) -> np.ndarray:
    """Return directions of the one class in each column that contradicts its direction least."""
    cost = np.where(directions != 0, violated, np.inf)
    first = np.zeros(directions.shape, dtype=bool)
    first[cost.argmin(axis=0), np.arange(directions.shape[1])] = True
    return np.where(first, directions, 0)


def _given_directions(
    who: str, given: Any, names: list[str], X: Any, teacher: Teacher, n_outputs: int | None
) -> np.ndarray:
    """Return checked directions: of the second class, of each of more classes, or of each output."""
    is_category = fit_table_encoder(X, declared_here()).is_category_
    classes, n_features = teacher.classes_, X.shape[1]
    n_rows = len(given) if np.ndim(given) == 2 else 1  # before the number of outputs is known
    n_scores = (n_outputs or n_rows) if classes is None else 1 if len(classes) == 2 else len(classes)
    params: dict[str, Any] = {"names": names, "is_category": is_category, "classes": classes}
    directions = score_directions(who, given, n_scores=n_scores, **params)
    if _is_several(teacher):
        assert classes is not None
        return directions_by_class(who, given, names, n_features, np.asarray(classes).tolist())
    return np.zeros((n_scores, n_features), dtype=np.int64) if directions is None else directions


def _table(
    X: Any,
    directions: np.ndarray,
    teacher: Teacher,
    source: str,
    violated: np.ndarray | None = None,
    n_pairs: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Return the table of directions: the constrained columns, and those that were tested."""
    is_shown = directions != 0
    if n_pairs is not None and not _is_several(teacher):
        is_shown = is_shown | (n_pairs > 0)
    column, row = np.nonzero(is_shown.T)
    names = np.empty(X.shape[1], dtype=object)
    names[:] = list(name_columns(X, dict.fromkeys(range(X.shape[1]), "")))
    several = {} if not _is_several(teacher) else {"class": np.asarray(teacher.classes_)[row]}
    if teacher.classes_ is None and len(directions) > 1:
        several = {"output": row}
    return {
        "column": names[column],
        **several,
        "direction": directions[row, column],
        "violated": np.full(len(row), np.nan) if violated is None else violated[row, column],
        "n_pairs": np.zeros(len(row), dtype=np.int64) if n_pairs is None else n_pairs[row, column],
        "source": np.full(len(row), source),
    }


def _find_sets(model: Any, X: Any, teacher: Teacher) -> list[list[int]] | None:
    """Return the sets of columns that may interact; ``None`` if all may."""
    given, who, n_features = model.interaction_cst, type(model).__name__, X.shape[1]
    if isinstance(given, str) and given == FROM_TEACHER:
        given = stated_interactions(teacher.model, n_features)
        if given is None:
            raise ValueError(
                f"{who}: interaction_cst='teacher', but the teacher {teacher.name} states no sets of columns; expected "
                "one that was fitted with interaction_cst or interaction_constraints. Pass the sets."
            )
    return interaction_sets(who, given, names=_names_of(X), n_features=n_features)
