"""Scores of certainty that are learned from tuning rows, and the choice of the one that defers least."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .._tables import stack_rows, take_rows
from .._validation import draw_seed, warn_caller
from ..compilation import compile
from ..compiled import CompiledModel, Forest, Linear
from ..compiled._certainty import Certainty
from ..convert import rows_of_student
from ..exceptions import CompileError, TeacherError, TeacherUnavailableError, TeacherWarning
from ..metrics._answering import answered_share, distance_in_tolerances, reweighted
from ..samplers import LeafSwap
from ..students import (
    CompactBoostingClassifier,
    CompactBoostingRegressor,
    CompactLinearClassifier,
    CompactLinearRegressor,
)
from ._models import Answers, Models

LEARNED_SHARE = 2 / 3
"""Share of the tuning rows that scores are learned from, if there are several; the others choose among them."""

LEARNED_SHARE_OF_SYNTHETIC = 3 / 4
"""The same for synthetic rows."""

MIN_LEARNED_ROWS = 20
"""With fewer rows to learn from, the margin is used if there is one."""

MIN_GAIN, MIN_GAIN_OF_FEW, FEW_ROWS = 0.005, 0.02, 1_000
"""Share of rows by which a learned score must defer less than the margin; more if few rows choose, which are noisy."""

DEVIATION_OF_CLASSES: dict[str, Any] = {"n_trees": 4, "max_leaf_nodes": 16, "learning_rate": 0.3}
DEVIATION_OF_VALUES: dict[str, Any] = {"n_trees": 8, "max_leaf_nodes": 8, "learning_rate": 0.5}
"""The second model of the deviation: one row takes it about half a microsecond. On rows that no benchmark reports, ten
trees of 16 leaves left 0.001 more of the rows to students of classes, and 0.003 more to those of values, in the mean of
four and seven students. Smaller ones lost more: four trees of 8 leaves 0.003 for classes, six of them 0.014 for values.
"""

SECOND_STUDENT: dict[str, Any] = {"n_trees": 10, "max_leaf_nodes": 16}
"""Size of the second model of the distance of families."""


class Tuning(NamedTuple):
    """Tuning rows and what both models answer for them."""

    X: Any
    teacher: Answers
    student: Answers
    fails: np.ndarray
    """Whether the answer of the student would break the promise."""
    scale: Any
    """Unit of the distances of values."""
    needs_truth: bool = False
    """Whether the promise is about the truth, which synthetic rows do not have."""

    def take(self, rows: Any) -> "Tuning":
        """Return some of the rows."""
        X, teacher, student = take_rows(self.X, rows), self.teacher.take(rows), self.student.take(rows)
        return self._replace(X=X, teacher=teacher, student=student, fails=self.fails[rows])


def kinds_of(certainty: str, classifies: bool, n_learned: int) -> tuple[str, ...]:
    """Return the scores that are compared.

    The distance of families is not among them: it defers more than the deviation, and costs more.
    """
    if certainty != "auto":
        return (certainty,)
    if not classifies:
        return ("deviation",)
    return ("margin", "deviation") if n_learned >= MIN_LEARNED_ROWS else ("margin",)


class Choice(NamedTuple):
    """The score that defers the fewest rows."""

    score: Certainty
    shares: dict[str, float]
    """For each score that was compared, the share of rows that it does not defer."""
    drawn: Tuning | None
    """Synthetic rows."""


def choose_certainty(
    tuning: Tuning,
    models: Models,
    kinds: tuple[str, ...],
    n_synthetic: int,
    agreement: float,
    rng: Any,
    X_train: Any = None,
) -> Choice:
    """Return the score that defers the fewest rows.

    Scores are learned from a part of the tuning rows, and of the synthetic rows that are drawn from this part and from
    ``X_train``, and compared on the rest of both.
    """
    classifies = tuning.teacher.labels is not None
    if kinds == ("margin",):
        return Choice(Certainty("margin", True, decision=models.decision), {}, None)
    n_rows, compares = tuning.X.shape[0], len(kinds) > 1
    n_learned = max(1, round(LEARNED_SHARE * n_rows)) if compares else n_rows
    learned, held_out = tuning.take(np.arange(n_learned)), tuning.take(np.arange(n_learned, n_rows))
    drawn = _synthetic(learned, X_train, models, n_synthetic, rng)
    if drawn is not None:
        n_drawn = round(LEARNED_SHARE_OF_SYNTHETIC * n_synthetic) if compares else n_synthetic
        learned = _together(learned, drawn.take(np.arange(n_drawn)))
        if not tuning.needs_truth:
            held_out = _together(held_out, drawn.take(np.arange(n_drawn, n_synthetic)))
    seed = draw_seed(rng)
    scores = {kind: _learned(kind, learned, models, classifies, seed) for kind in kinds}
    if not compares or not held_out.X.shape[0]:
        return Choice(scores[kinds[0]], {}, drawn)
    return Choice(*_best(scores, held_out, models, agreement), drawn)


def _best(
    scores: dict[str, Certainty], rows: Tuning, models: Models, agreement: float
) -> tuple[Certainty, dict[str, float]]:
    """Return the first score, unless another one leaves clearly more rows to the student, and all these shares."""
    seen = rows_of_student(models.student.model, rows.X)
    shares = {
        kind: answered_share(score.of_rows(rows.student.outputs, seen), rows.fails, agreement)
        for kind, score in scores.items()
    }
    first, best = next(iter(shares)), max(shares, key=lambda kind: shares[kind])  # the first one of equals
    gain = MIN_GAIN_OF_FEW if len(rows.fails) < FEW_ROWS else MIN_GAIN
    return scores[best if shares[best] >= shares[first] + gain else first], shares


def _synthetic(tuning: Tuning, X_train: Any, models: Models, n_synthetic: int, rng: Any) -> Tuning | None:
    """Return synthetic rows that are drawn from rows, and that both models label; ``None`` if there are none."""
    n_parents = tuning.X.shape[0] + (0 if X_train is None else X_train.shape[0])
    if n_synthetic == 0 or n_parents < MIN_LEARNED_ROWS:
        return None
    parents, outputs = tuning.X, tuning.teacher.outputs
    if X_train is not None:
        some = take_rows(X_train, np.sort(rng.permutation(X_train.shape[0])[:n_synthetic]))
        asked = models.ask_teacher(some, ("outputs",))
        parents, outputs = stack_rows([parents, some]), np.concatenate([outputs, asked.outputs])
    sampler = LeafSwap(random_state=draw_seed(rng)).fit(parents, outputs)
    X = sampler.sample(n_synthetic, random_state=draw_seed(rng))
    try:
        teacher, student = models.ask_teacher(X), models.ask_student(X)
    except TeacherUnavailableError:  # it answers no other rows, either
        raise
    except TeacherError as error:
        warn_caller(
            f"a model refused synthetic rows, and the score of certainty is learned without them: {error} Pass "
            "n_synthetic=0 to draw none.",
            TeacherWarning,
        )
        return None
    fails = np.zeros(n_synthetic, bool) if teacher.labels is None else teacher.labels != student.labels
    return tuning._replace(X=X, teacher=teacher, student=student, fails=np.asarray(fails))


def _together(rows: Tuning, others: Tuning) -> Tuning:
    """Return rows followed by others."""
    teacher, student = rows.teacher.followed_by(others.teacher), rows.student.followed_by(others.student)
    fails, X = np.concatenate([rows.fails, others.fails]), stack_rows([rows.X, others.X])
    return rows._replace(X=X, teacher=teacher, student=student, fails=fails)


def _learned(kind: str, rows: Tuning, models: Models, classifies: bool, seed: int) -> Certainty:
    """Return a score with its second model fitted, if it has one."""
    if kind == "margin":
        return Certainty("margin", True, decision=models.decision)
    if kind == "deviation":
        return _deviation(rows, models, classifies, seed)
    seen, second = rows_of_student(models.student.model, rows.X), _of_another_family(models, classifies, seed)
    if classifies:
        second.fit_soft(seen, rows.teacher.outputs, classes=models.teacher.classes_)
    else:
        second.fit_soft(seen, rows.teacher.outputs)
    return Certainty(kind, classifies, compile(second), scale=rows.scale, decision=models.decision)


def _deviation(rows: Tuning, models: Models, classifies: bool, seed: int) -> Certainty:
    """Return the score of a second model that predicts the distance of student and teacher.

    It reads what the student answers beside the row, which tells more about the distance than any column: values are
    more often wrong where they are large, or where the teacher is about to jump. For values, it is fitted a second
    time, with smaller weights where the student is far from the teacher: how far does not matter.
    """
    score = Certainty("deviation", classifies, decision=models.decision, reader=_reader(models))
    cells = rows_of_student(models.student.model, rows.X)
    if score.reader is not None:
        cells = score.beside(score.reader.encoded(cells), rows.student.outputs)
    size = DEVIATION_OF_CLASSES if classifies else DEVIATION_OF_VALUES
    distance = distance_of(rows.teacher.outputs, rows.student.outputs, classifies, rows.scale)
    model = CompactBoostingRegressor(**size, random_state=seed).fit(cells, distance)
    if not classifies:
        model.fit(cells, distance, sample_weight=reweighted(np.ones(len(distance)), model.predict(cells)))
    helper = compile(model)
    floor = max(float(np.quantile(helper(cells), 0.05)) / 2, 1e-6) if classifies else 0.0
    return replace(score, helper=helper, floor=floor)


def _reader(models: Models) -> CompiledModel | None:
    """Return a model that encodes rows as the compiled student does; ``None`` if the student cannot be compiled."""
    if models.student.output_kind == "logit":
        return None
    try:
        student = compile(models.student.model)
    except CompileError:
        return None
    nothing = Linear(np.zeros((student.n_features_in_, 1)), np.zeros(1))
    return CompiledModel(nothing, columns=student.columns, names=student.feature_names_in_)


def distance_of(teacher: np.ndarray, student: np.ndarray, classifies: bool, scale: Any) -> np.ndarray:
    """Return the total variation of probabilities, or the largest distance of values in units of ``scale``, clipped."""
    if classifies:
        return np.abs(teacher - student).sum(axis=1) / 2
    return distance_in_tolerances(teacher, student, scale)


def _of_another_family(models: Models, classifies: bool, seed: int) -> Any:
    """Return an unfitted small student: boosted trees, or a linear one if the student consists of trees."""
    try:
        consists_of_trees = isinstance(compile(models.student.model).scorer, Forest)
    except CompileError:
        consists_of_trees = False
    if consists_of_trees:
        return CompactLinearClassifier() if classifies else CompactLinearRegressor()
    return (CompactBoostingClassifier if classifies else CompactBoostingRegressor)(**SECOND_STUDENT, random_state=seed)
