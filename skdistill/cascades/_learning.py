"""Scores of certainty that are learned from tuning rows, and the choice of the one that defers least."""

from typing import Any, NamedTuple

import numpy as np

from .._tables import stack_rows, take_rows
from .._validation import draw_seed, warn_caller
from ..compilation import compile
from ..compiled import Forest
from ..compiled._certainty import Certainty
from ..convert import rows_of_student
from ..exceptions import CompileError, TeacherError, TeacherWarning
from ..samplers import LeafSwap
from ..students import (
    CompactBoostingClassifier,
    CompactBoostingRegressor,
    CompactLinearClassifier,
    CompactLinearRegressor,
)
from ._models import Answers, Models

LEARNED_SHARE = 2 / 3
"""Share of the tuning rows that scores are learned from; the others choose among them."""

MIN_LEARNED_ROWS = 20
"""With fewer rows to learn from, the margin is used if there is one."""

MIN_GAIN = 0.02
"""Share of rows by which a learned score must defer less than the first one: choosing among few rows is noisy."""

SIZE: dict[str, Any] = {"n_trees": 10, "max_leaf_nodes": 8}
"""Size of the second model: one row takes it about half a microsecond."""

MOST_TOLERANCES = 5.0
"""Distances of values beyond so many tolerances are clipped: only whether they are within one matters."""


class Tuning(NamedTuple):
    """Tuning rows and what both models answer for them."""

    X: Any
    teacher: Answers
    student: Answers
    fails: np.ndarray
    """Whether the answer of the student would break the promise."""
    scale: Any
    """Unit of the distances of values."""

    def take(self, rows: Any) -> "Tuning":
        """Return some of the rows."""
        X = take_rows(self.X, rows)
        return Tuning(X, self.teacher.take(rows), self.student.take(rows), self.fails[rows], self.scale)


def kinds_of(certainty: str, classifies: bool, n_learned: int) -> tuple[str, ...]:
    """Return the scores that are compared."""
    if certainty != "auto":
        return (certainty,)
    if not classifies:
        return ("deviation", "families")
    return ("margin", "deviation", "families") if n_learned >= MIN_LEARNED_ROWS else ("margin",)


def choose_certainty(
    tuning: Tuning, models: Models, kinds: tuple[str, ...], n_synthetic: int, agreement: float, rng: Any
) -> tuple[Certainty, dict[str, float]]:
    """Return the score that defers the fewest tuning rows, and for each score the share of rows that it does not defer.

    Scores are learned from two thirds of the rows, and from synthetic rows drawn from these, and compared on the rest.
    """
    classifies = tuning.teacher.labels is not None
    if kinds == ("margin",):
        return Certainty("margin", True, decision=models.decision), {}
    n_rows = tuning.X.shape[0]
    n_learned = n_rows if len(kinds) == 1 else max(1, round(LEARNED_SHARE * n_rows))
    of_learning = tuning.take(np.arange(n_learned))
    learned = _with_synthetic(of_learning, models, n_synthetic, rng)
    seed = draw_seed(rng)
    scores = {kind: _learned(kind, learned, models, classifies, seed) for kind in kinds}
    if len(kinds) == 1 or n_learned == n_rows:
        return scores[kinds[0]], {}
    rest = tuning.take(np.arange(n_learned, n_rows))
    seen = rows_of_student(models.student.model, rest.X)
    shares = {
        kind: answered_share(score.of_rows(rest.student.outputs, seen), rest.fails, agreement)
        for kind, score in scores.items()
    }
    best = max(kinds, key=lambda kind: shares[kind])  # the first one of equals
    return scores[best if shares[best] >= shares[kinds[0]] + MIN_GAIN else kinds[0]], shares


def answered_share(certainty: np.ndarray, fails: np.ndarray, agreement: float) -> float:
    """Return the share of rows that the student answers if few answers may fail.

    It is the mean over the numbers of failures up to twice the promised one, since few rows have few failures.
    """
    n_rows = len(fails)
    n_failed = np.cumsum(fails[np.argsort(-certainty, kind="stable")])
    allowed = np.arange(int(np.ceil(2 * (1 - agreement) * n_rows)) + 1)
    return float(np.mean(np.searchsorted(n_failed, allowed, side="right")) / n_rows)


def _with_synthetic(tuning: Tuning, models: Models, n_synthetic: int, rng: Any) -> Tuning:
    """Return rows with synthetic ones drawn from them, which the teacher labels."""
    n_rows = tuning.X.shape[0]
    if n_synthetic == 0 or n_rows < MIN_LEARNED_ROWS:
        return tuning
    drawn = LeafSwap(random_state=draw_seed(rng)).fit(tuning.X, tuning.teacher.outputs)
    X = drawn.sample(n_synthetic, random_state=draw_seed(rng))
    try:
        pairs = zip((tuning.teacher, tuning.student), (models.ask_teacher(X), models.ask_student(X)), strict=True)
    except TeacherError as error:
        warn_caller(
            f"a model refused synthetic rows, and the score of certainty is learned without them: {error} Pass "
            "n_synthetic=0 to draw none.",
            TeacherWarning,
        )
        return tuning
    teacher, student = (Answers(np.concatenate([old.outputs, new.outputs]), None) for old, new in pairs)
    return tuning._replace(X=stack_rows([tuning.X, X]), teacher=teacher, student=student)


def _learned(kind: str, rows: Tuning, models: Models, classifies: bool, seed: int) -> Certainty:
    """Return a score with its second model fitted, if it has one."""
    if kind == "margin":
        return Certainty("margin", True, decision=models.decision)
    seen = rows_of_student(models.student.model, rows.X)
    if kind == "deviation":
        distance = distance_of(rows.teacher.outputs, rows.student.outputs, classifies, rows.scale)
        helper = compile(CompactBoostingRegressor(**SIZE, random_state=seed).fit(seen, distance))
        floor = max(float(np.quantile(helper(seen), 0.05)) / 2, 1e-6) if classifies else 0.0
        return Certainty(kind, classifies, helper, floor=floor, decision=models.decision)
    second = _of_another_family(models, classifies, seed)
    if classifies:
        second.fit_soft(seen, rows.teacher.outputs, classes=models.teacher.classes_)
    else:
        second.fit_soft(seen, rows.teacher.outputs)
    return Certainty(kind, classifies, compile(second), scale=rows.scale, decision=models.decision)


def distance_of(teacher: np.ndarray, student: np.ndarray, classifies: bool, scale: Any) -> np.ndarray:
    """Return the total variation of probabilities, or the largest distance of values in units of ``scale``, clipped."""
    apart = np.abs(teacher - student)
    if classifies:
        return apart.sum(axis=1) / 2
    return np.minimum((apart / scale).reshape(len(apart), -1).max(axis=1), MOST_TOLERANCES)


def _of_another_family(models: Models, classifies: bool, seed: int) -> Any:
    """Return an unfitted small student: boosted trees, or a linear one if the student consists of trees."""
    try:
        consists_of_trees = isinstance(compile(models.student.model).scorer, Forest)
    except CompileError:
        consists_of_trees = False
    if consists_of_trees:
        return CompactLinearClassifier() if classifies else CompactLinearRegressor()
    return (CompactBoostingClassifier if classifies else CompactBoostingRegressor)(**SIZE, random_state=seed)
