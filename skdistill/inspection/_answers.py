"""The outputs of teacher and student for the same rows, used by the report and all displays."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter
from types import FunctionType, MethodType
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils.random import sample_without_replacement

from .._tables import is_frame, take_rows
from .._types import Average
from .._validation import check_fitted, events_and_times
from ..convert import rows_of_student, unwrap
from ..metrics import fidelity
from ..metrics._checks import check_finite, check_outputs, check_probabilities, check_row_weights
from ..metrics._unwrapping import distilled_inside, shipped
from ..targets import TargetLink, fit_margin_scale, one_hot, softmax
from ..teachers import Teacher, as_teacher, positions_said, quantile_of, query_teacher

TIED = 1e-7
"""Maximum difference between probabilities that are equal but for rounding."""


@dataclass(frozen=True)
class Pair:
    """The models whose outputs are compared.

    Attributes
    ----------
    teacher : Teacher
    student : estimator
        The student that is shipped.
    X : table
        The rows as passed to the models, transformed by the earlier steps of a pipeline.
    see : callable
        Transforms other rows in the same way.
    margins : tuple of str, default=()
        Which of them return margins, which were converted to probabilities on these rows.
    narrow : callable, default=all columns
        Returns the columns of such rows that the student sees.
    """

    teacher: Teacher
    student: Any
    X: Any
    see: Callable[[Any], Any]
    margins: tuple[str, ...] = ()
    narrow: Callable[[Any], Any] = lambda rows: rows


@dataclass(frozen=True)
class Answers:
    """The outputs of teacher and student for the same rows.

    Attributes
    ----------
    X : table of shape (n_samples, n_features)
        The rows as passed by the caller, without rows of weight 0.
    rows : ndarray of int, shape (n_samples,)
        Their positions in the passed table, from which they may be sampled.
    n_given : int
        Number of rows of that table with a positive weight.
    teacher, student : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Probabilities or values.
    classes : ndarray of shape (n_classes,) or None
        Labels of the columns; ``None`` for values.
    y : ndarray or None
        True labels or values.
    weight : ndarray of shape (n_samples,)
    seconds : float, default=NaN
        Time of the teacher; NaN if it only has labels of the rows it was fitted on.
    pair : Pair or None, default=None
        ``None`` if the outputs were passed.
    said : tuple of ndarray or None, default=None
        The positions of the labels that teacher and student predict; ``None`` for values, and for the largest
        probabilities if the outputs were passed.
    survival : structured ndarray or None, default=None
        Observed events and times, if these are the true labels.
    link : TargetLink or None, default=None
        The link that a distilled regressor was fitted on, if it is not the identity.
    quantiles : ndarray of shape (n_outputs,) or None, default=None
        Levels of several outputs, if they are quantiles; the true value is then that of each of them.
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
    said: tuple[np.ndarray, np.ndarray] | None = None
    survival: np.ndarray | None = None
    link: TargetLink | None = None
    quantiles: np.ndarray | None = None

    @property
    def levels(self) -> np.ndarray | None:
        """Levels of the quantiles that the teacher predicts, by which it is judged; ``None`` for other teachers."""
        if self.quantiles is not None or self.pair is None or self.classes is not None or self.teacher.ndim > 1:
            return self.quantiles
        level = quantile_of(self.pair.teacher.model)
        return None if level is None else np.array([level])

    @property
    def multioutput(self) -> Average:
        """How fidelity averages the outputs."""
        return "uniform_average" if self.classes is None else "variance_weighted"

    @property
    def is_constant(self) -> bool:
        """Whether the teacher's output is the same for all rows, so that R² is not defined."""
        return not varies(self.teacher).any()

    @property
    def fidelity(self) -> float:
        """R² of the student's outputs with respect to the teacher's; NaN if the teacher is constant."""
        return self.fidelity_of(self.student)

    def fidelity_of(self, outputs: np.ndarray) -> float:
        """Return the R² of any outputs with respect to the teacher's."""
        if self.is_constant:
            return float("nan")
        return fidelity(self.teacher, outputs, sample_weight=self.weight, multioutput=self.multioutput)

    def link_fidelity_of(self, outputs: np.ndarray) -> float:
        """Return the R² of any outputs with respect to the teacher's on the scale of the link."""
        if self.link is None or self.is_constant:
            return float("nan")
        floor = self.link.floor(self.teacher)
        scores = [self.link.scores(each, floor) for each in (self.teacher, outputs)]
        return fidelity(*scores, sample_weight=self.weight, multioutput=self.multioutput)

    @property
    def labels(self) -> tuple[np.ndarray, np.ndarray]:
        """The teacher's labels and the student's: those that they predict."""
        return self.labels_of(self.teacher), self.labels_of(self.student)

    def labels_of(self, outputs: np.ndarray) -> np.ndarray:
        """Return the labels of the model with these outputs; only those of teacher and student can be others."""
        assert self.classes is not None
        if self.said is not None and outputs is self.teacher:
            return self.classes[self.said[0]]
        if self.said is not None and outputs is self.student:
            return self.classes[self.said[1]]
        return self.classes[outputs.argmax(axis=1)]

    @property
    def same_label(self) -> np.ndarray | None:
        """Whether both predict the same label for a row, of shape (n_samples,); ``None`` for values."""
        if self.classes is None:
            return None
        of_teacher, of_student = self.labels
        return of_teacher == of_student

    @property
    def share_of_other_labels(self) -> float:
        """Share of the rows for which the label of the teacher is not that of its largest probability."""
        if self.classes is None:
            return 0.0
        label = np.searchsorted(self.classes, self.labels[0])
        of_label = self.teacher[np.arange(len(label)), label]
        return float(np.average(of_label < self.teacher.max(axis=1) - TIED, weights=self.weight))

    @property
    def distance(self) -> np.ndarray:
        """Distance between teacher and student for each row, of shape (n_samples,).

        For probabilities, the total variation in [0, 1]. For values, the mean over the outputs of the absolute
        difference in standard deviations of the teacher.
        """
        apart = np.abs(self.teacher - self.student)
        if self.classes is not None:
            return apart.sum(axis=1) / 2
        return (apart.reshape(len(apart), -1) / spread(self.teacher, self.weight)).mean(axis=1)

    @property
    def truth(self) -> np.ndarray | None:
        """True values, or one-hot encoded true labels."""
        return self.y if self.y is None or self.classes is None else one_hot(self.y, self.classes)


def varies(values: np.ndarray) -> np.ndarray:
    """Return which outputs differ between rows."""
    return np.ptp(values.reshape(len(values), -1), axis=0) > 0


def variance(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the variance of each output, exactly 0 for a constant despite rounding."""
    columns, share = values.reshape(len(values), -1), weight / weight.sum()
    return np.where(varies(values), share @ (columns - share @ columns) ** 2, 0.0)


def spread(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each output, or 1 if it is 0."""
    deviation = np.sqrt(variance(values, weight))
    return np.where(deviation > 0, deviation, 1.0)


def as_table(X: Any) -> Any:
    """Return a table with indexable rows: lists become arrays, and a list of texts becomes one column."""
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
    """Query teacher and student for the same rows.

    Parameters
    ----------
    who : str
        The name used in messages.
    model : estimator
        A fitted distilled estimator, a pipeline or search that ends in one, or any fitted model with ``teacher``.
    X : table of shape (n_samples, n_features)
        Or texts of shape (n_samples,) for a pipeline that accepts them.
    y : array-like or None, default=None
        True labels or values.
    teacher : object or None, default=None
        A teacher as accepted by :func:`~skdistill.as_teacher`. ``None`` is the teacher of the model.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Rows with weight 0 are left out.
    max_rows : int or None, default=None
        If there are more rows, this many are drawn at random. A teacher that only has labels of the rows it was fitted
        on is queried for all of them, which costs nothing.
    random_state : int, RandomState instance or None, default=None
    """
    X = as_table(X)
    n_rows = X.shape[0]
    if n_rows == 0:
        raise ValueError(
            f"{who} got a table without rows; expected at least 1. Pass rows the student was not fitted on."
        )
    y, survival = _check_length(who, y, n_rows), None
    if y is not None and y.dtype.names:
        events_and_times(who, y)  # only checks
        y, survival = None, y
    weight = check_row_weights(who, sample_weight, n_rows)
    teacher = None if teacher is None else as_teacher(teacher, classes=_classes_for(teacher, model))
    rows = draw_rows(weight, max_rows, random_state)
    taken = X if len(rows) == n_rows else take_rows(X, rows)
    is_asked_for_all = _is_transductive(who, model, teacher)
    asked = _ask(who, model, teacher, X if is_asked_for_all else taken, y if y is None or is_asked_for_all else y[rows])
    if is_asked_for_all:
        asked = _only(asked, rows)
    y, n_given = None if y is None else y[rows], int(np.count_nonzero(weight))
    y = for_each_quantile(y, asked.get("quantiles"))
    survival = None if survival is None else survival[rows]
    answers = Answers(taken, rows, n_given, y=y, weight=weight[rows], survival=survival, **asked)
    for name in ("teacher", "student"):
        check_finite(who, f"the output of the {name}", getattr(answers, name))
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
    """Return checked answers for outputs that were passed.

    Parameters
    ----------
    who : str
        The name used in messages.
    teacher_outputs, student_outputs : array-like of shape (n_samples,) or (n_samples, n_outputs)
    classes : array-like of shape (n_classes,) or None, default=None
        Labels of the columns of probabilities.
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
        raise ValueError(f"{who} got {X.shape[0]} rows and {n_rows} outputs; expected one output per row.")
    weight = check_row_weights(who, sample_weight, n_rows)
    rows = np.flatnonzero(weight)
    if X is not None and len(rows) < n_rows:
        X = take_rows(X, rows)
    return Answers(X, rows, len(rows), teacher[rows], student[rows], classes, None, weight[rows])


def for_each_quantile(y: Any, quantiles: np.ndarray | None) -> Any:
    """Return one true value for each quantile of a row; ``y`` itself if the outputs are no quantiles."""
    if y is None or quantiles is None or np.ndim(y) != 1:
        return y
    return np.repeat(y[:, None], len(quantiles), axis=1)


def _check_length(who: str, y: Any, n_rows: int) -> np.ndarray | None:
    if y is None:
        return None
    y = np.asarray(y)
    if y.ndim == 0 or len(y) != n_rows:
        raise ValueError(f"{who} got y of shape {y.shape} for {n_rows} rows; expected the true value of each row.")
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def draw_rows(weight: np.ndarray, most: int | None, random_state: Any) -> np.ndarray:
    """Return the sorted positions of all rows with a positive weight, or of a random sample."""
    rows = np.flatnonzero(weight)
    if most is None or len(rows) <= most:
        return rows
    return rows[np.sort(sample_without_replacement(len(rows), most, random_state=random_state))]


def _classes_for(teacher: Any, model: Any) -> Any:
    """Return the labels of the model for a function, which has none."""
    return getattr(shipped(model), "classes_", None) if isinstance(teacher, FunctionType | MethodType) else None


def _is_transductive(who: str, model: Any, teacher: Teacher | None) -> bool:
    if teacher is not None:
        return teacher.transductive
    try:
        distilled = distilled_inside(model, None, who=who)[0]
    except TypeError as error:
        raise TypeError(f"{error} Any other fitted model needs the argument teacher=.") from None
    check_fitted(distilled, "student_")
    return bool(distilled._targets.teacher.transductive)


def _only(asked: dict[str, Any], rows: np.ndarray) -> dict[str, Any]:
    """Return the answers for some of the rows."""
    pair = replace(asked["pair"], X=take_rows(asked["pair"].X, rows))
    some = {name: asked[name][rows] for name in ("teacher", "student")}
    said = None if asked["said"] is None else tuple(labels[rows] for labels in asked["said"])
    return {**asked, **some, "said": said, "pair": pair, "seconds": float("nan")}


def ask_again(who: str, model: Any, teacher: Any, X: Any, y: np.ndarray | None, weight: np.ndarray) -> Answers:
    """Query teacher and student for further rows, after :func:`ask_both` has checked the arguments.

    Parameters
    ----------
    who, model, teacher, X
        See :func:`ask_both`.
    y : ndarray or None
        True labels or values.
    weight : ndarray of shape (n_samples,)
    """
    teacher = None if teacher is None else as_teacher(teacher, classes=_classes_for(teacher, model))
    answers = Answers(X, np.arange(len(weight)), len(weight), y=y, weight=weight, **_ask(who, model, teacher, X, y))
    for name in ("teacher", "student"):
        check_finite(who, f"the output of the {name}", getattr(answers, name))
    _check_truth(who, answers)
    return answers


def _ask(who: str, model: Any, teacher: Teacher | None, X: Any, y: np.ndarray | None) -> dict[str, Any]:
    return _ask_distilled(who, model, X) if teacher is None else _ask_pair(who, model, X, teacher, y)


def _ask_distilled(who: str, model: Any, X: Any) -> dict[str, Any]:
    """Query a distilled estimator and its teacher, and return the fields of the answers."""
    distilled, seen = distilled_inside(model, X, who=who)
    started = perf_counter()
    soft_targets = distilled.soft_targets(seen)
    seconds = perf_counter() - started
    classes, link, said = getattr(distilled, "classes_", None), getattr(distilled, "link_", None), None
    if classes is not None:
        labels = distilled._teacher_labels(seen, soft_targets), distilled.predict(seen)
        said = tuple(np.searchsorted(classes, each) for each in labels)
    return {
        "teacher": soft_targets,
        "student": distilled.predict(seen) if classes is None else distilled.predict_proba(seen),
        "said": said,
        "classes": classes,
        "seconds": seconds / distilled._targets.teacher.n_repeats,
        "pair": Pair(
            distilled._targets.teacher,
            distilled.student_,
            seen,
            unwrap(model).transform,
            narrow=partial(rows_of_student, distilled),
        ),
        "link": link if link is not None and link.name != "identity" else None,
        "quantiles": getattr(distilled, "quantiles_", None),
    }


def _ask_pair(who: str, model: Any, X: Any, teacher: Teacher, y: np.ndarray | None) -> dict[str, Any]:
    """Query a teacher and any other model, and return the fields of the answers."""
    student = as_teacher(model, task=teacher.task, classes=teacher.classes_)
    started = perf_counter()
    said = query_teacher(teacher, X)
    seconds = perf_counter() - started
    asked = ((teacher, said), (student, student.outputs(X)))
    given = [_as_targets(who, each, outputs, y) for each, outputs in asked]
    known = [None if each.classes_ is None else each.classes_.tolist() for each in (teacher, student)]
    if given[0].shape != given[1].shape or known[0] != known[1]:
        raise ValueError(
            f"{who}: the model {type(model).__name__} returns shape {given[1].shape} and classes {known[1]}, the "
            f"teacher {teacher.name} returns {given[0].shape} and {known[0]}; expected the same outputs of both. Pass "
            "a model and a teacher with the same labels."
        )
    return {
        "teacher": given[0],
        "student": given[1],
        "said": None if teacher.classes_ is None else tuple(positions_said(each, X, of) for each, of in asked),
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
    """Convert margins to probabilities; return other outputs unchanged."""
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
                f"teacher's values, {answers.teacher.shape}. Leave out rows whose true value is not known."
            )
        return
    check_labels(who, "y", y, answers.classes)


def check_labels(who: str, name: str, labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return one-hot encoded labels, checked against the labels of the teacher."""
    if labels.ndim != 1:
        raise ValueError(
            f"{who} got {name} of shape {labels.shape}; expected one label for each of the {len(labels)} rows."
        )
    if labels.dtype == object and len(set(map(type, labels.tolist()))) > 1:  # e.g. None among texts
        raise ValueError(f"{who} got {name} with labels of several types; expected some of {classes.tolist()}.")
    try:
        return one_hot(labels, classes)
    except ValueError as error:
        raise ValueError(f"{who} got {name} with {error}. Pass the labels that the teacher knows.") from None
