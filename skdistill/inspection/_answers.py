"""What teacher and student say of the same rows: what every display and the report start from."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from types import FunctionType, MethodType
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.random import sample_without_replacement

from .._tables import is_frame, take_rows
from .._validation import check_fitted
from ..convert import unwrap
from ..metrics import fidelity
from ..metrics._checks import check_finite, check_outputs, check_probabilities, check_row_weights
from ..metrics._unwrapping import distilled_inside, shipped
from ..targets import fit_margin_scale, one_hot, softmax
from ..teachers import Teacher, as_teacher, query_teacher


@dataclass(frozen=True)
class Pair:
    """Whom the answers came from.

    Attributes
    ----------
    teacher : Teacher
    student : estimator
        As it is shipped.
    X : table
        The rows as both see them: those of a pipeline are transformed.
    see : callable
        Transforms other rows likewise.
    margins : tuple of str, default=()
        Who of them answers with margins, which were made probabilities on these rows.
    """

    teacher: Teacher
    student: Any
    X: Any
    see: Callable[[Any], Any]
    margins: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answers:
    """Teacher and student side by side.

    Attributes
    ----------
    X : table of shape (n_samples, n_features)
        The rows, as the caller gave them; those without weight are left out.
    rows : ndarray of int, shape (n_samples,)
        Their positions in the table that was given, of which they may be a sample.
    n_given : int
        Rows of that table that have a weight.
    teacher, student : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Probabilities or values.
    classes : ndarray of shape (n_classes,) or None
        Labels of the columns; ``None`` for values.
    y : ndarray or None
        The truth.
    weight : ndarray of shape (n_samples,)
    seconds : float, default=NaN
        Time the teacher took; NaN for one that only has labels of the rows it was fitted on.
    pair : Pair or None, default=None
        ``None`` where the answers were there already.
    """

    X: Any
    rows: np.ndarray
    n_given: int
    teacher: np.ndarray
    student: np.ndarray
    classes: np.ndarray | None
    y: np.ndarray | None
    weight: np.ndarray
    seconds: float = float("nan")
    pair: Pair | None = None

    @property
    def multioutput(self) -> str:
        """How fidelity averages the outputs."""
        return "uniform_average" if self.classes is None else "variance_weighted"

    @property
    def is_constant(self) -> bool:
        """Whether the teacher answers the same for all rows, so that no R² to it is defined."""
        return not varies(self.teacher).any()

    @property
    def fidelity(self) -> float:
        """R² of the student's outputs to the teacher's; NaN where the teacher's are constant."""
        return self.fidelity_of(self.student)

    def fidelity_of(self, outputs: np.ndarray) -> float:
        """Return the R² of any outputs to the teacher's."""
        if self.is_constant:
            return float("nan")
        return fidelity(self.teacher, outputs, sample_weight=self.weight, multioutput=self.multioutput)

    @property
    def labels(self) -> tuple[np.ndarray, np.ndarray]:
        """The teacher's labels and the student's."""
        assert self.classes is not None
        return self.classes[self.teacher.argmax(axis=1)], self.classes[self.student.argmax(axis=1)]

    @property
    def distance(self) -> np.ndarray:
        """How far they are apart, of shape (n_samples,).

        Total variation, in [0, 1], between probabilities; between values the mean over the outputs of the absolute
        difference in standard deviations of the teacher.
        """
        apart = np.abs(self.teacher - self.student)
        if self.classes is not None:
            return apart.sum(axis=1) / 2
        return (apart.reshape(len(apart), -1) / spread(self.teacher, self.weight)).mean(axis=1)

    @property
    def truth(self) -> np.ndarray | None:
        """The truth as outputs: labels one-hot."""
        return self.y if self.y is None or self.classes is None else one_hot(self.y, self.classes)


def varies(values: np.ndarray) -> np.ndarray:
    """Return which outputs differ between rows."""
    return np.ptp(values.reshape(len(values), -1), axis=0) > 0


def variance(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the variance of each output: exactly 0 for a constant, whose mean is not always exactly itself."""
    columns, share = values.reshape(len(values), -1), weight / weight.sum()
    return np.where(varies(values), share @ (columns - share @ columns) ** 2, 0.0)


def spread(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each output, 1 where there is none."""
    deviation = np.sqrt(variance(values, weight))
    return np.where(deviation > 0, deviation, 1.0)


def as_table(X: Any) -> Any:
    """Return a table whose rows can be taken; lists become arrays, and texts, which are no table, a column of them."""
    if sparse.issparse(X):
        return X.tocsr()
    if not is_frame(X) and type(X) is not np.ndarray:
        table = np.asarray(X)
        X = np.asarray(X, dtype=object) if table.ndim == 1 and table.dtype.kind == "U" else table
    if len(X.shape) not in (1, 2):
        raise ValueError(f"got X of shape {X.shape}; expected a table of shape (n_samples, n_features).")
    return X


def ask_both(
    who: str,
    model: Any,
    X: Any,
    y: Any = None,
    *,
    teacher: Any = None,
    sample_weight: Any = None,
    max_rows: int | None = None,
    random_state: Any = None,
) -> Answers:
    """Ask teacher and student about the same rows.

    Parameters
    ----------
    who : str
        Whom messages name.
    model : estimator
        A fitted distilled estimator, a pipeline or search that ends in one; or any fitted model, with ``teacher``.
    X : table of shape (n_samples, n_features)
        Or texts, of shape (n_samples,), for a pipeline that reads these.
    y : array-like or None, default=None
        Truth.
    teacher : object or None, default=None
        What :func:`~skdistill.as_teacher` takes. ``None`` is the one the model was distilled from.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Rows without weight are left out.
    max_rows : int or None, default=None
        Of more rows so many are drawn at random. A teacher that only has labels of the
        rows it was fitted on is asked for all, which costs nothing.
    random_state : int, RandomState instance or None, default=None
    """
    X = as_table(X)
    n_rows = X.shape[0]
    if n_rows == 0:
        raise ValueError(
            f"{who} got a table without rows; expected at least 1. Pass rows the student was not fitted on."
        )
    y = _check_length(who, y, n_rows)
    weight = check_row_weights(who, sample_weight, n_rows)
    teacher = None if teacher is None else as_teacher(teacher, classes=_classes_for(teacher, model))
    rows = draw_rows(weight, max_rows, random_state)
    taken = X if len(rows) == n_rows else take_rows(X, rows)
    is_asked_for_all = _is_transductive(who, model, teacher)
    asked = _ask(who, model, teacher, X if is_asked_for_all else taken, y if y is None or is_asked_for_all else y[rows])
    if is_asked_for_all:
        asked = _only(asked, rows)
    y, n_given = None if y is None else y[rows], int(np.count_nonzero(weight))
    answers = Answers(taken, rows, n_given, y=y, weight=weight[rows], **asked)
    for name in ("teacher", "student"):
        check_finite(who, f"what the {name} says", getattr(answers, name))
    _check_truth(who, answers)
    return answers


def given_answers(
    who: str,
    teacher_outputs: Any,
    student_outputs: Any,
    *,
    classes: Any = None,
    X: Any = None,
    sample_weight: Any = None,
) -> Answers:
    """Return answers that are there already, checked.

    Parameters
    ----------
    who : str
        Whom messages name.
    teacher_outputs, student_outputs : array-like of shape (n_samples,) or (n_samples, n_outputs)
    classes : array-like of shape (n_classes,) or None, default=None
        Labels of the columns, of probabilities.
    X : table of shape (n_samples, n_features) or None, default=None
    sample_weight : array-like of shape (n_samples,) or None, default=None
    """
    if classes is None:
        names = ("teacher_outputs", "student_outputs")
        teacher, student = check_outputs(who, names, teacher_outputs, student_outputs)
    else:
        teacher, student = check_probabilities(who, teacher_outputs, student_outputs)
        classes = np.asarray(classes)
        if classes.shape != teacher.shape[1:]:
            raise ValueError(
                f"{who} got classes of shape {classes.shape} and probabilities of shape {teacher.shape}; expected a "
                "label for each column."
            )
    X, n_rows = None if X is None else as_table(X), len(teacher)
    if X is not None and X.shape[0] != n_rows:
        raise ValueError(f"{who} got {X.shape[0]} rows and {n_rows} answers; expected an answer for each row.")
    weight = check_row_weights(who, sample_weight, n_rows)
    rows = np.flatnonzero(weight)
    if X is not None and len(rows) < n_rows:
        X = take_rows(X, rows)
    return Answers(X, rows, len(rows), teacher[rows], student[rows], classes, None, weight[rows])


def _check_length(who: str, y: Any, n_rows: int) -> np.ndarray | None:
    if y is None:
        return None
    y = np.asarray(y)
    if y.ndim == 0 or len(y) != n_rows:
        raise ValueError(f"{who} got y of shape {y.shape} for {n_rows} rows; expected the truth of each row.")
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def draw_rows(weight: np.ndarray, most: int | None, random_state: Any) -> np.ndarray:
    """Return the positions of rows, in order: of all that have a weight, or of so many of them."""
    rows = np.flatnonzero(weight)
    if most is None or len(rows) <= most:
        return rows
    return rows[np.sort(sample_without_replacement(len(rows), most, random_state=random_state))]


def _classes_for(teacher: Any, model: Any) -> Any:
    """Return the model's labels for a function, which knows none of its own."""
    return getattr(shipped(model), "classes_", None) if isinstance(teacher, FunctionType | MethodType) else None


def _is_transductive(who: str, model: Any, teacher: Teacher | None) -> bool:
    if teacher is not None:
        return teacher.transductive
    try:
        distilled = distilled_inside(model, None, who=who)[0]
    except TypeError as error:
        raise TypeError(f"{error} Any other fitted model needs teacher= beside it.") from None
    check_fitted(distilled, "student_")
    return bool(distilled._targets.teacher.transductive)


def _only(asked: dict[str, Any], rows: np.ndarray) -> dict[str, Any]:
    """Return the answers for some of the rows."""
    pair = replace(asked["pair"], X=take_rows(asked["pair"].X, rows))
    some = {name: asked[name][rows] for name in ("teacher", "student")}
    return {**asked, **some, "pair": pair, "seconds": float("nan")}


def _ask(who: str, model: Any, teacher: Teacher | None, X: Any, y: np.ndarray | None) -> dict[str, Any]:
    return _ask_distilled(who, model, X) if teacher is None else _ask_pair(who, model, X, teacher, y)


def _ask_distilled(who: str, model: Any, X: Any) -> dict[str, Any]:
    """Ask a distilled estimator and its teacher; return what is known of the answers."""
    distilled, seen = distilled_inside(model, X, who=who)
    started = perf_counter()
    soft_targets = distilled.soft_targets(seen)
    seconds = perf_counter() - started
    classes = getattr(distilled, "classes_", None)
    return {
        "teacher": soft_targets,
        "student": distilled.predict(seen) if classes is None else distilled.predict_proba(seen),
        "classes": classes,
        "seconds": seconds,
        "pair": Pair(distilled._targets.teacher, distilled.student_, seen, unwrap(model).transform),
    }


def _ask_pair(who: str, model: Any, X: Any, teacher: Teacher, y: np.ndarray | None) -> dict[str, Any]:
    """Ask a teacher and any other model; return what is known of the answers."""
    student = as_teacher(model, task=teacher.task, classes=teacher.classes_)
    started = perf_counter()
    said = query_teacher(teacher, X)
    seconds = perf_counter() - started
    given = [_as_targets(who, each, outputs, y) for each, outputs in ((teacher, said), (student, student.outputs(X)))]
    known = [None if each.classes_ is None else each.classes_.tolist() for each in (teacher, student)]
    if given[0].shape != given[1].shape or known[0] != known[1]:
        raise ValueError(
            f"{who}: the model {type(model).__name__} answers with shape {given[1].shape} and classes {known[1]}, the "
            f"teacher {teacher.name} with {given[0].shape} and {known[0]}; expected the same outputs of both. Pass a "
            "model and a teacher of the same labels."
        )
    return {
        "teacher": given[0],
        "student": given[1],
        "classes": teacher.classes_,
        "seconds": seconds,
        "pair": Pair(
            teacher,
            shipped(model),
            X,
            lambda rows: rows,
            tuple(name for name, each in (("teacher", teacher), ("student", student)) if each.output_kind == "logit"),
        ),
    }


def _as_targets(who: str, model: Teacher, outputs: np.ndarray, y: np.ndarray | None) -> np.ndarray:
    """Return margins as probabilities, and other outputs as they are."""
    if model.output_kind != "logit":
        return outputs
    assert model.classes_ is not None
    truth = None if y is None else check_labels(who, "y", y, model.classes_)
    return softmax(fit_margin_scale(outputs, truth) * outputs)


def _check_truth(who: str, answers: Answers) -> None:
    y = answers.y
    if y is None:
        return
    if answers.classes is None:
        if y.shape != answers.teacher.shape or y.dtype.kind not in "biuf" or not np.isfinite(y).all():
            raise ValueError(
                f"{who} got y of shape {y.shape} and dtype {y.dtype}; expected finite numbers of the shape of the "
                f"teacher's values, {answers.teacher.shape}. Leave out rows whose truth is not known."
            )
        return
    check_labels(who, "y", y, answers.classes)


def check_labels(who: str, name: str, labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return labels one-hot, as far as they are labels of the teacher's."""
    if labels.ndim != 1:
        raise ValueError(
            f"{who} got {name} of shape {labels.shape}; expected one label for each of the {len(labels)} rows."
        )
    try:
        return one_hot(labels, classes)
    except TypeError:  # None among them, which cannot be sorted
        raise ValueError(
            f"{who} got {name} with labels of several types; expected some of {classes.tolist()}."
        ) from None
    except ValueError as error:
        raise ValueError(f"{who} got {name} with {error}. Pass the labels that the teacher knows.") from None
