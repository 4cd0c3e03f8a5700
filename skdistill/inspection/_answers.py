"""What teacher and student say of the same rows: what every display and the report start from."""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.utils.random import sample_without_replacement
from sklearn.utils.validation import check_consistent_length

from .._tables import take_rows
from .._validation import check_weights
from ..metrics import fidelity
from ..metrics._unwrapping import shipped, unwrap
from ..targets import fit_margin_scale, one_hot, softmax
from ..teachers import Teacher, as_teacher, ask


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
    """

    teacher: Teacher
    student: Any
    X: Any
    see: Callable[[Any], Any]


@dataclass(frozen=True)
class Answers:
    """Teacher and student side by side.

    Attributes
    ----------
    X : table of shape (n_samples, n_features)
        The rows, as the caller gave them.
    rows : ndarray of int, shape (n_samples,)
        Their positions in the table that was given, of which they may be a sample.
    n_given : int
        Rows of that table.
    teacher, student : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Probabilities or values.
    classes : ndarray of shape (n_classes,) or None
        Labels of the columns; ``None`` for values.
    y : ndarray or None
        The truth.
    weight : ndarray of shape (n_samples,)
    seconds : float, default=NaN
        Time the teacher took.
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
    def fidelity(self) -> float:
        """R² of the student's outputs to the teacher's."""
        return fidelity(self.teacher, self.student, sample_weight=self.weight, multioutput=self.multioutput)

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


def spread(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the standard deviation of each output, 1 where there is none."""
    columns = values.reshape(len(values), -1)
    deviation = np.sqrt(
        np.average((columns - np.average(columns, axis=0, weights=weight)) ** 2, axis=0, weights=weight)
    )
    return np.where(deviation > 0, deviation, 1.0)


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
    y : array-like or None, default=None
        Truth.
    teacher : object or None, default=None
        What :func:`~skdistill.as_teacher` takes. ``None`` is the one the model was distilled from.
    sample_weight : array-like of shape (n_samples,) or None, default=None
    max_rows : int or None, default=None
        Of more rows so many are drawn at random.
    random_state : int, RandomState instance or None, default=None
    """
    if not hasattr(X, "shape"):
        X = np.asarray(X)
    n_given = X.shape[0]
    if n_given == 0:
        raise ValueError(
            f"{who} got a table without rows; expected at least 1. Pass rows the student was not fitted on."
        )
    weight = check_weights(sample_weight, n_given)
    if y is not None:
        y = np.asarray(y)
        check_consistent_length(X, y)
    rows = np.arange(n_given)
    if max_rows is not None and n_given > max_rows:
        rows = np.sort(sample_without_replacement(n_given, max_rows, random_state=random_state))
        X, weight, y = take_rows(X, rows), weight[rows], None if y is None else y[rows]
    asked = _ask_distilled(who, model, X) if teacher is None else _ask_pair(model, X, as_teacher(teacher), y)
    answers = Answers(X, rows, n_given, y=y, weight=weight, **asked)
    _check_truth(who, answers)
    return answers


def _ask_distilled(who: str, model: Any, X: Any) -> dict[str, Any]:
    """Ask a distilled estimator and its teacher; return what is known of the answers."""
    try:
        distilled, seen = unwrap(model, X, who=who)
    except TypeError as error:
        raise TypeError(f"{error} Any other fitted model needs teacher= beside it.") from None
    started = perf_counter()
    soft_targets = distilled.soft_targets(seen)
    seconds = perf_counter() - started
    classes = getattr(distilled, "classes_", None)
    return {
        "teacher": soft_targets,
        "student": distilled.predict(seen) if classes is None else distilled.predict_proba(seen),
        "classes": classes,
        "seconds": seconds,
        "pair": Pair(distilled._teacher, distilled.student_, seen, lambda rows: unwrap(model, rows)[1]),
    }


def _ask_pair(model: Any, X: Any, teacher: Teacher, y: np.ndarray | None) -> dict[str, Any]:
    """Ask a teacher and any other model; return what is known of the answers."""
    student = as_teacher(model, task=teacher.task, classes=teacher.classes_)
    started = perf_counter()
    said = ask(teacher, X)
    seconds = perf_counter() - started
    given = [_as_targets(each, outputs, y) for each, outputs in ((teacher, said), (student, student.outputs(X)))]
    known = [None if each.classes_ is None else each.classes_.tolist() for each in (teacher, student)]
    if given[0].shape != given[1].shape or known[0] != known[1]:
        raise ValueError(
            f"the model {student.name} answers with shape {given[1].shape} and classes {known[1]}, the teacher "
            f"{teacher.name} with {given[0].shape} and {known[0]}; expected the same outputs of both."
        )
    return {
        "teacher": given[0],
        "student": given[1],
        "classes": teacher.classes_,
        "seconds": seconds,
        "pair": Pair(teacher, shipped(model), X, lambda rows: rows),
    }


def _as_targets(model: Teacher, outputs: np.ndarray, y: np.ndarray | None) -> np.ndarray:
    """Return margins as probabilities, and other outputs as they are."""
    if model.output_kind != "logit":
        return outputs
    assert model.classes_ is not None
    return softmax(fit_margin_scale(outputs, None if y is None else one_hot(y, model.classes_)) * outputs)


def _check_truth(who: str, answers: Answers) -> None:
    y = answers.y
    if y is None:
        return
    if answers.classes is None:
        if y.shape != answers.teacher.shape or y.dtype.kind not in "biuf" or not np.isfinite(y).all():
            raise ValueError(
                f"{who} got y of shape {y.shape} and dtype {y.dtype}; expected finite numbers of the shape of the "
                f"teacher's values, {answers.teacher.shape}."
            )
        return
    if y.ndim != 1:
        raise ValueError(f"{who} got y of shape {y.shape}; expected one label for each of the {len(y)} rows.")
    try:
        one_hot(y, answers.classes)
    except ValueError as error:
        raise ValueError(f"{who} got y with {error}. Pass the labels that the teacher knows.") from None
