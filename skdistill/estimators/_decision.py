"""The decision of the student: whether the teacher's labels are its largest probabilities, and what reproduces them.

A few hundred labelled rows are passed to ``predict`` of the teacher. If its labels are not those of its largest
probabilities, thresholds of the probabilities are read from the teacher or fitted to its labels. If no thresholds
reproduce the labels, they can be taught instead of the probabilities.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.utils.validation import check_memory

from .._tables import take_rows
from .._validation import warn_caller
from ..compiled import Decision
from ..exceptions import TeacherOutputError, TeacherWarning
from ..students._deciding import DecidingClassifier
from ..teachers import Teacher, label_teacher, query_teacher, read_labels, said_labels, stated_decisions
from ..transfer import Oracle, TransferSet
from ._thresholds import MIN_PROBABILITY, errors_of, fit_thresholds

DECISIONS = ("auto", "argmax", "teacher")

MOST_COMPARED = 300
"""Number of real rows whose labels are compared, and number of rows that make fitted thresholds more precise."""

QUERY_SHARE = 0.1
"""Maximum share of the query budget that is used for one comparison of labels."""

MIN_SHARE = 0.01
"""Minimum share of rows with another label for thresholds to be fitted, and for a warning."""

MIN_REPRODUCED = 0.98
"""Minimum share of labels that thresholds reproduce; otherwise, ``decision="teacher"`` teaches the labels."""

MOST_SEARCHED = 50_000
"""Maximum number of rows among which uncertain ones are searched."""


@dataclass
class LabelComparison:
    """The teacher's labels of some rows next to its probabilities, and the decision that reproduces them.

    Attributes
    ----------
    teacher : Teacher
        Returns the labels.
    rows : table of shape (n_rows, n_features)
    proba : ndarray of shape (n_rows, n_classes)
    labels : ndarray of int, shape (n_rows,)
        Positions of the labels among the classes.
    mode : {"auto", "teacher"}
        The parameter ``decision``.
    share : float
        Share of rows whose label is not the largest probability.
    decision : Decision or None
        ``None`` is the largest probability.
    reproduced : float
        Share of the labels that the decision reproduces, on rows that it was not fitted to.
    is_stated : bool
        Whether the decision was read from the teacher.
    are_taught : bool
        Whether the student is fitted to the labels.
    """

    teacher: Teacher
    rows: Any
    proba: np.ndarray
    labels: np.ndarray
    mode: str
    share: float = field(init=False)
    decision: Decision | None = field(init=False)
    reproduced: float = field(init=False)
    is_stated: bool = field(init=False)
    are_taught: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        n_rows = len(self.labels)
        n_other = errors_of(self.proba, self.labels, None)
        self.share = n_other / n_rows
        stated = self._stated()
        self.is_stated = stated is not None
        self.decision, n_wrong = stated, n_other
        if stated is not None:
            n_wrong = errors_of(self.proba, self.labels, stated)
        elif n_other and (self.mode == "teacher" or self.share >= MIN_SHARE):
            n_held_out = _errors_held_out(self.proba, self.labels)
            if n_held_out < n_other:
                self.decision, n_wrong = fit_thresholds(self.proba, self.labels), n_held_out
        self.reproduced = 1 - n_wrong / n_rows

    def _stated(self) -> Decision | None:
        """Return the decision that the teacher states, if it reproduces the labels.

        An attribute that may mean something else must reproduce more labels than the largest probability.
        """
        stated, is_sure = stated_decisions(self.teacher)
        errors = [errors_of(self.proba, self.labels, each) for each in stated]
        fewest, n_other = min(errors, default=0), errors_of(self.proba, self.labels, None)
        is_better = fewest <= n_other if is_sure else fewest < n_other
        is_good = is_better and fewest <= (1 - MIN_REPRODUCED) * len(self.labels)
        return stated[int(np.argmin(errors))] if errors and is_good else None

    @property
    def is_weak(self) -> bool:
        """Whether too many labels are not reproduced."""
        return self.share >= MIN_SHARE and self.reproduced < MIN_REPRODUCED

    def decide(self, model: Any, student: Any, rows: TransferSet, targets: Any, oracle: Oracle) -> Any:
        """Return a fitted student with the decision, unless its probabilities do not bear it.

        Probabilities near 0 and 1 may separate the labels of the teacher, but no student imitates their logarithms.
        """
        if self.decision is None or self.are_taught:
            return student
        if not self.is_stated:
            self._refine(model, rows, targets, oracle)
            proba = targets.predict(student, self.rows)
            n_other, n_wrong = (errors_of(proba, self.labels, each) for each in (None, self.decision))
            if n_wrong > n_other or n_wrong == n_other > 0:
                self.decision, self.reproduced = None, 1 - self.share
                return student
        return DecidingClassifier(student, self.decision)

    def _refine(self, model: Any, rows: TransferSet, targets: Any, oracle: Oracle) -> None:
        """Make fitted thresholds more precise by the labels of uncertain rows, if the budget allows it."""
        usable = np.flatnonzero(~rows.is_real if model.teacher_cv is not None else rows.sample_weight > 0)
        searched = usable[_spread(len(usable), MOST_SEARCHED)]
        proba = targets.of(rows.outputs[searched])
        chosen = self._uncertain(proba, _affordable(oracle))
        if not len(chosen):
            return
        some = take_rows(rows.X, searched[chosen])
        outputs = rows.outputs[searched[chosen]]
        labels = said_labels(lambda: _query(model, self.teacher, some, oracle, outputs))
        if labels is not None:
            both = np.vstack([self.proba, proba[chosen]]), np.append(self.labels, labels)
            self.decision = fit_thresholds(*both)

    def _uncertain(self, proba: np.ndarray, most: int) -> np.ndarray:
        """Return the positions of rows on whose labels the thresholds depend.

        For two classes, these are the rows between the two known rows next to the threshold; for more classes, those
        with the smallest difference between the two best classes.
        """
        assert self.decision is not None
        if proba.shape[1] > 2:
            scores = np.sort(np.log(np.maximum(proba, MIN_PROBABILITY)) - np.log(self.decision.thresholds), axis=1)
            return np.argsort(scores[:, -1] - scores[:, -2], kind="stable")[:most]
        known, cut = self.proba[:, 1], self.decision.thresholds[1]
        low, high = known[known < cut].max(initial=-1.0), known[known >= cut].min(initial=2.0)
        inside = np.flatnonzero((proba[:, 1] > low) & (proba[:, 1] < high))
        return inside[np.argsort(proba[inside, 1], kind="stable")][_spread(len(inside), most)]

    def warn(self, model: Any) -> None:
        """Warn if the labels of the student are not what one may expect."""
        are_imitated = self.decision is not None and not self.is_weak
        if self.share < MIN_SHARE or (self.mode == "teacher" and are_imitated):
            return
        warn_caller(
            f"{type(model).__name__}: for {self.share:.1%} of {len(self.labels):,} rows, the label that the teacher "
            f"{self.teacher.name} predicts is not its largest probability. {self._what_was_done()}",
            TeacherWarning,
        )

    def _what_was_done(self) -> str:
        if self.are_taught:
            return (
                "No thresholds of its probabilities reproduce its labels, so the student is fitted to the labels, and "
                "predict_proba returns the probabilities of these labels."
            )
        how = "the largest probability" if self.decision is None else "fitted thresholds"
        if self.decision is None or self.is_weak:
            advice = 'response_method="predict"' if self.mode == "teacher" else 'decision="teacher"'
            return (
                f"predict of the student uses {how}, which reproduce{'s' if self.decision is None else ''} "
                f"{self.reproduced:.1%} of the labels. Pass {advice} to fit the student to the labels instead of the "
                'probabilities, or decision="argmax" to use the largest probability.'
            )
        numbers = ", ".join(f"{value:.3g}" for value in self.decision.thresholds)
        return (
            f"predict of the student imitates its labels, with the thresholds {numbers} of the classes; predict_proba "
            'imitates its probabilities. Pass decision="teacher" to confirm this, or decision="argmax" to use the '
            "largest probability."
        )


@contextmanager
def reserve_label_queries(model: Any, teacher: Teacher, oracle: Oracle) -> Iterator[None]:
    """Reserve a part of the query budget for labels, if they are to be imitated."""
    if oracle.max_queries is None or _mode(model) != "teacher" or label_teacher(teacher) is None:
        yield
        return
    n_reserved = _affordable(oracle)
    oracle.max_queries -= n_reserved
    yield
    oracle.max_queries += n_reserved


def compare_labels(model: Any, targets: Any, real: TransferSet, oracle: Oracle) -> LabelComparison | None:
    """Compare the teacher's labels of some real rows with its probabilities.

    Returns ``None`` if the student uses the largest probability: it is asked for, the labels of the teacher are known
    to be its largest probabilities, it has no labels, or no query is left.
    """
    teacher = None if _mode(model) == "argmax" else label_teacher(targets.teacher)
    if teacher is None:
        return None
    are_outputs_of_folds = model.teacher_cv is not None
    usable = np.flatnonzero(real.sample_weight > 0)
    chosen = usable[_spread(len(usable), _affordable(oracle) // (1 + are_outputs_of_folds))]
    if not len(chosen):
        return None
    rows = take_rows(real.X, chosen)
    outputs = _query(model, targets.teacher, rows, oracle) if are_outputs_of_folds else real.outputs[chosen]
    labels = _labels_of(model, teacher, rows, outputs, oracle)
    if labels is None:
        return None
    found = LabelComparison(teacher, rows, targets.of(outputs), labels, _mode(model))
    has_probabilities_of_folds = are_outputs_of_folds or isinstance(model.soft_weight, str)
    is_affordable = not has_probabilities_of_folds and len(real) <= oracle.n_left
    found.are_taught = found.mode == "teacher" and found.is_weak and is_affordable
    return found


def _mode(model: Any) -> str:
    """Return the parameter ``decision``; regressors have none."""
    return getattr(model, "decision", "argmax")


def _affordable(oracle: Oracle) -> int:
    """Return the number of rows whose labels may be queried at once."""
    share = np.inf if oracle.max_queries is None else QUERY_SHARE * oracle.max_queries
    return int(min(MOST_COMPARED, share, oracle.n_left))


def _spread(n_rows: int, most: int) -> np.ndarray:
    """Return positions spread evenly over the rows: all of them, if there are at most ``most``."""
    return np.arange(n_rows) if n_rows <= most else np.linspace(0, n_rows - 1, num=most, dtype=int)


def _labels_of(model: Any, teacher: Teacher, rows: Any, outputs: np.ndarray, oracle: Oracle) -> np.ndarray | None:
    """Return the labels of rows; ``None`` if ``predict`` returns none, which is an error if they are to be imitated."""
    if _mode(model) != "teacher":
        return said_labels(lambda: _query(model, teacher, rows, oracle, outputs))
    labels = read_labels(_query(model, teacher, rows, oracle, outputs))
    if labels is None:
        raise TeacherOutputError(
            f'{type(model).__name__}: decision="teacher" imitates the labels of {teacher.name}.predict, but it '
            'returned probabilities; expected labels. Pass decision="argmax".'
        )
    return labels


def _query(model: Any, teacher: Teacher, rows: Any, oracle: Oracle, outputs: np.ndarray | None = None) -> np.ndarray:
    """Query a teacher within the budget, for rows whose outputs may be known; they are too few for a phase."""

    def query(rows: Any, origin: str) -> np.ndarray:
        memory = check_memory(model.memory)
        return query_teacher(teacher, rows, origin=origin, chunk_size=model.chunk_size, memory=memory, probe=outputs)

    return oracle.label(rows, "rows to compare", query)


def _errors_held_out(proba: np.ndarray, labels: np.ndarray) -> int:
    """Return the number of labels that thresholds fitted to every other row do not reproduce on the rest."""
    halves = np.arange(len(labels)) % 2
    return sum(
        errors_of(proba[halves == half], labels[halves == half], fit_thresholds(proba[other], labels[other]))
        for half in (0, 1)
        if (other := halves != half).any()
    )
