"""The teacher and the student of a cascade: how they are resolved, and queried for labels and outputs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from .._tables import take_rows
from .._validation import check_table, draw_seed, seed_estimator
from ..compiled import Decision
from ..convert import is_distilled, unwrap
from ..estimators import DistilledClassifier, DistilledRegressor
from ..exceptions import TeacherError
from ..targets import fit_margin_scale, softmax
from ..teachers import SeenRows, Teacher, as_teacher, fit_teacher, is_fitted_teacher, positions_said, query_teacher

BOTH = ("outputs", "labels")


class Answers(NamedTuple):
    """What a model answers for rows: probabilities or values, and the positions of the labels that it predicts.

    What was not asked for is empty or ``None``.
    """

    outputs: np.ndarray
    labels: np.ndarray | None

    def take(self, rows: Any) -> "Answers":
        """Return the answers for some of the rows."""
        return Answers(self.outputs[rows], None if self.labels is None else self.labels[rows])

    def followed_by(self, others: "Answers") -> "Answers":
        """Return these answers and those for other rows."""
        labels = None if self.labels is None or others.labels is None else np.append(self.labels, others.labels)
        return Answers(np.concatenate([self.outputs, others.outputs]), labels)


@dataclass
class Models:
    """A fitted teacher and a fitted student with the same labels.

    Attributes
    ----------
    teacher, student : Teacher
        Both models behind one interface.
    chunk_size : int
        Number of rows in one call of the teacher.
    scales : dict of float
        Factors from margins to logits, of models without probabilities.
    """

    teacher: Teacher
    student: Teacher
    chunk_size: int
    scales: dict[str, float]

    @property
    def decision(self) -> Decision | None:
        """How the student chooses a label, if that is not the most probable one."""
        final = unwrap(self.student.model).model
        found = next((getattr(final, name, None) for name in ("decision", "decision_") if hasattr(final, name)), None)
        return found if isinstance(found, Decision) else None

    def ask_teacher(self, X: Any, needs: tuple[str, ...] = BOTH) -> Answers:
        """Query the teacher, in chunks, for its outputs, its labels, or both, which may take it two calls."""
        return self._ask("teacher", self.teacher, X, needs)

    def ask_student(self, X: Any) -> Answers:
        """Query the student."""
        return self._ask("student", self.student, X, BOTH)

    def _ask(self, name: str, model: Teacher, X: Any, needs: tuple[str, ...]) -> Answers:
        if model.classes_ is None:
            return Answers(query_teacher(model, X, chunk_size=self.chunk_size), None)
        query = cache(lambda: query_teacher(model, X, chunk_size=self.chunk_size))
        labels = self._labels(name, model, X, query) if "labels" in needs else None
        if "outputs" not in needs:
            return Answers(np.empty((X.shape[0], 0)), labels)
        outputs = query()
        if model.output_kind == "logit":
            if name not in self.scales:  # in fit
                self.scales[name] = fit_margin_scale(outputs)
            outputs = softmax(self.scales[name] * outputs)
        return Answers(outputs, labels)

    def _labels(self, name: str, model: Teacher, X: Any, query: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the positions of labels; ``predict`` of a student of this package need not be called for them."""
        if name == "student" and type(unwrap(model.model).model).__module__.startswith("skdistill."):
            decision = self.decision
            return query().argmax(axis=1) if decision is None else decision.positions(query())
        return positions_said(model, X, query, chunk_size=self.chunk_size)


def has_recipe(cascade: Any) -> bool:
    """Whether the teacher or the student is not fitted yet."""
    return not is_fitted_teacher(cascade.teacher) or _is_recipe(cascade.student)


def _is_recipe(student: Any) -> bool:
    """Whether a student is still to be taught: an unfitted estimator, or the name of a family."""
    return isinstance(student, str) or not is_fitted_teacher(student)


def resolve_models(cascade: Any, task: Any, X: Any, y: Any, rows: np.ndarray, rng: np.random.RandomState) -> Models:
    """Return both models; one that is a recipe is fitted on some of the rows, the student on answers of the teacher.

    Parameters
    ----------
    cascade : CascadeClassifier or CascadeRegressor
    task : {"classification", "regression"}
    X : table of shape (n_samples, n_features)
    y : ndarray or None
    rows : ndarray of int
        Rows that unfitted models are fitted on.
    rng : RandomState
    """
    name = type(cascade).__name__
    teacher = cascade.teacher
    classes = None if y is None or task != "classification" else np.unique(y)
    if not is_fitted_teacher(teacher):
        part = None if y is None else y[rows]
        teacher = fit_teacher(teacher, take_rows(X, rows), part, sample_weight=None, rng=rng)
        classes = None if classes is None or part is None else np.unique(part)
    adapted = as_teacher(teacher, task=task, classes=classes)
    if adapted.transductive:
        raise TeacherError(
            f"{name}: {adapted.name} only has labels for the rows that it was fitted on; expected a teacher that can "
            "be queried for rows that are deferred. Pass a model with predict."
        )
    student = cascade.student
    if _is_recipe(student):
        student = _fitted_student(student, adapted, take_rows(X, rows), rng)
    both = as_teacher(student, task=task, classes=adapted.classes_)
    known = [None if each.classes_ is None else each.classes_.tolist() for each in (adapted, both)]
    if known[0] != known[1]:
        raise ValueError(
            f"{name}: the student {both.name} has the classes {known[1]}, the teacher {adapted.name} {known[0]}; "
            "expected the same labels. Pass a student of this teacher."
        )
    return Models(adapted, both, cascade.chunk_size, {})


def _fitted_student(recipe: Any, teacher: Teacher, X: Any, rng: np.random.RandomState) -> Any:
    """Return a student that is taught on these rows: a distilled estimator, which knows all labels of the teacher."""
    if is_distilled(unwrap(recipe).model) and is_fitted_teacher(unwrap(recipe).model.teacher):
        return seed_estimator(clone(recipe), rng).fit(X)
    distilled = DistilledRegressor if teacher.classes_ is None else DistilledClassifier
    return distilled(teacher, recipe, sampler=None, random_state=draw_seed(rng)).fit(X)


def check_unseen(cascade: Any, X: Any) -> None:
    """Raise an error if rows are among those that the student was taught on, as far as it knows them."""
    if _is_recipe(cascade.student):
        return
    inside = unwrap(cascade.student)
    seen = getattr(inside.model, "seen_rows_", None)
    if not is_distilled(inside.model) or seen is None:
        return
    n_seen = seen.count_beyond_chance(check_table(inside.model, inside.transform(X), reset=False))
    if n_seen:
        raise ValueError(
            f"{type(cascade).__name__}: {n_seen:,} of the {X.shape[0]:,} rows are among those that the student was "
            "taught on or selected with; expected rows that neither has seen, because a promise that rests on them "
            "does not hold for others. Pass other rows."
        )


def check_apart(cascade: Any, X: Any, X_train: Any) -> None:
    """Raise an error if calibration rows are among those that scores are learned from."""
    n_seen = SeenRows.of(X_train).count_beyond_chance(X)
    if n_seen:
        raise ValueError(
            f"{type(cascade).__name__}: {n_seen:,} of the {X.shape[0]:,} rows are among X_train; expected other rows, "
            "because a score that is learned from rows must not be tested on them. Pass as X_train the rows that the "
            "student was taught on."
        )
