"""``soft_weight="auto"``: selection of the weight of the teacher in the targets, by skill on held-out true labels.

If the teacher was fitted on the validation rows, its outputs on neighbouring rows leak their labels to the student, and
the skill of students with a large weight of the teacher is overestimated. Labels of rows that the teacher has not seen
are therefore preferred. A recipe is refitted without the validation rows. If a fitted teacher may have seen them, a
smaller weight is only selected if it is better by more standard errors.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Any

import numpy as np
from sklearn.model_selection import check_cv

from .._tables import take_rows
from .._threads import in_threads
from .._validation import draw_seed
from ..selection import (
    MIN_ERRORS_REAL_WEIGHT,
    MIN_VALIDATION_ROWS,
    ON_SEEN_ROWS,
    Extension,
    Group,
    Losses,
    Run,
    Targets,
    threads_for,
)
from ..teachers import Teacher
from ..transfer import Oracle, TransferSet
from ._fit_arguments import FitArguments
from ._several_teachers import is_any_fitted
from ._teacher_rule import label_given, oracle_of, resolve_teacher

WEIGHTS = (1.0, 0.75, 0.5, 0.25)
"""Weights of the teacher that are evaluated, the default first."""

VALIDATION_SHARE = 0.25
"""Share of the rows of ``X`` that form the validation set if there is no ``y_val``."""

RESERVED_QUERY_SHARE = 0.25
"""Share of the query budget that is reserved for synthetic rows labelled by a fitted teacher for this comparison."""

ON_GIVEN_LABELS = "X_val"
ON_UNSEEN_LABELS = "rows of X, with a teacher fitted without them"
ON_SEEN_LABELS = ON_SEEN_ROWS

MIN_ERRORS_SOFT_WEIGHT = {ON_GIVEN_LABELS: 1.0, ON_UNSEEN_LABELS: 1.0, ON_SEEN_LABELS: MIN_ERRORS_REAL_WEIGHT}
"""Minimum number of standard errors by which a smaller weight must be better, by origin of the validation labels."""


@dataclass(frozen=True)
class Comparison:
    """The training rows and validation rows on which values of ``soft_weight`` are compared.

    Attributes
    ----------
    rows : TransferSet
        Training rows: none of them is a validation row or was drawn from one.
    validation : Group
        Validation rows with true labels as targets.
    targets : Targets
        Targets made from the outputs of the teacher that labelled ``rows``.
    origin : str
        Origin of the validation labels as text.
    """

    rows: TransferSet
    validation: Group
    targets: Any
    origin: str

    def losses(self, student: Any, rows: TransferSet, soft_weight: float, seed: int) -> Losses:
        """Fit a student with the given weight of the teacher, and return its losses with respect to the true labels."""
        taught = replace(self.targets, soft_weight=soft_weight)
        if soft_weight == 0:  # the student without the teacher, whose losses do not matter then
            taught = replace(taught, truth_margin=None)
        fitted = taught.teach(student, rows, seed)
        given = self.targets.predict(fitted, self.validation.X)
        return Losses((self.validation.losses(given, pools_outputs=self.targets.pools_outputs)[0],))


@dataclass
class SoftWeightChoice:
    """Selects ``soft_weight`` for a student and stores the results.

    Attributes
    ----------
    comparison : Comparison
    targets : Targets
        Targets of the fit.
    seed : int
        Seed of every student.
    run : Run
        If its deadline leaves no time, no weight is evaluated.
    soft_weight : float
        The selected weight.
    results : dict of ndarray
        Results, one column per key.
    caution : str
        Text of the warning if the student is better without the teacher; empty otherwise.
    """

    comparison: Comparison
    targets: Any
    seed: int
    run: Run
    soft_weight: float = field(default=1.0, init=False)
    results: dict[str, np.ndarray] = field(default_factory=dict, init=False)
    caution: str = field(default="", init=False)

    def choose_targets(self, student: Any, real_weight: float) -> Targets:
        """Return the targets with the weight of the teacher that is best for this student."""
        rows, origin = self.comparison.rows, self.comparison.origin
        # the last one is the student without the teacher; without real rows, there are no labels to blend in
        shares = [*(WEIGHTS if real_weight else WEIGHTS[:1]), 0.0]
        tried = [*[rows.weigh_real(real_weight)] * (len(shares) - 1), rows.take(np.flatnonzero(rows.is_real))]
        with self.run.phases.phase("choose soft_weight") as phase:
            progress = phase.progress("choosing soft_weight", len(shares), "students")

            def losses_of(trial: tuple[float, TransferSet]) -> Losses:
                share, taught_on = trial
                return self.comparison.losses(student, taught_on, share, self.seed)

            (first, *others), started = list(zip(shares, tried, strict=True)), perf_counter()
            losses = [losses_of(first)]
            if self.run.deadline.left < len(shares) * (perf_counter() - started):
                return self.targets
            for each in in_threads(losses_of, others, threads_for(student, self.run.n_jobs)):
                losses.append(each)
                progress.update(len(losses))
        place = best_place(losses[:-1], MIN_ERRORS_SOFT_WEIGHT[origin])
        self.soft_weight = shares[place]
        self.results = self._columns(shares, tried, losses)
        self.caution = self._caution(shares, losses)
        return self.targets if self.soft_weight == 1 else replace(self.targets, soft_weight=self.soft_weight)

    def _columns(self, shares: list[float], tried: list[TransferSet], losses: list[Losses]) -> dict[str, np.ndarray]:
        gains = [losses[0] - each for each in losses]
        return {
            "soft_weight": np.array(shares),
            "n_synthetic": np.array([rows.n_synthetic for rows in tried]),
            "skill": np.array([each.fidelity for each in losses]),
            "gain": np.array([gain.mean for gain in gains]),
            "gain_error": np.array([gain.error for gain in gains]),
            "n_validated": np.full(len(losses), len(self.comparison.validation.targets)),
            "validated_on": np.array([self.comparison.origin] * len(losses), dtype=object),
        }

    def _caution(self, shares: list[float], losses: list[Losses]) -> str:
        *others, without = losses
        place = int(np.argmin([each.mean for each in others]))
        best = others[place]
        if not best.is_clearly_above(without, MIN_ERRORS_REAL_WEIGHT):
            return ""
        n_labels, origin = len(self.comparison.validation.targets), self.comparison.origin
        return (
            f"the student is better without the teacher {self.targets.teacher.name}: fitted on the true labels of X "
            f"alone, its skill on {n_labels:,} held-out true labels ({origin}) is {without.fidelity:.3f}; distilled, "
            f"it is at most {best.fidelity:.3f} (soft_weight={shares[place]:g}). Fit the student on (X, y) directly, "
            "or improve the teacher; soft_weights_ holds the results."
        )


def best_place(losses: list[Losses], n_errors: float) -> int:
    """Return the position of the best losses among those significantly better than the first, or 0."""
    better = [place for place, each in enumerate(losses) if losses[0].is_clearly_above(each, n_errors)]
    return min(better, key=lambda place: losses[place].mean, default=0)


# ---------------------------------------------------------------------- validation labels


def is_soft_weight_chosen(model: Any, y: Any) -> bool:
    """Whether a distilled estimator selects ``soft_weight`` and has true labels to select it by."""
    return isinstance(model.soft_weight, str) and y is not None


@contextmanager
def reserve_queries(model: Any, given: FitArguments, truth_val: np.ndarray | None, oracle: Oracle) -> Iterator[None]:
    """Reserve a part of the query budget for rows that a fitted teacher must label to select ``soft_weight``."""
    needs_rows = is_soft_weight_chosen(model, given.y) and not _is_enough(truth_val) and is_any_fitted(model.teacher)
    if oracle.max_queries is None or not needs_rows:
        yield
        return
    n_reserved = int(RESERVED_QUERY_SHARE * oracle.n_left)
    oracle.max_queries -= n_reserved
    yield
    oracle.max_queries += n_reserved


def compare_soft_weights(
    model: Any,
    given: FitArguments,
    truth_val: np.ndarray | None,
    extension: Extension,
    real: TransferSet,
    targets: Targets,
    oracle: Oracle,
    run: Run,
) -> SoftWeightChoice | None:
    """Return the selection of ``soft_weight`` by the best validation labels; ``None`` if there are too few labels."""
    if run.deadline.left <= 0:
        return None
    seed = draw_seed(run.rng)
    with run.phases.phase("hold out labels") as phase:
        if truth_val is not None and _is_enough(truth_val):
            validation = Group(given.X_val, truth_val, np.ones(len(truth_val)))
            return SoftWeightChoice(
                Comparison(extension.rows.whole, validation, targets, ON_GIVEN_LABELS), targets, seed, run
            )
        training, validating = split_labels(real, targets.pools_outputs, run.rng)
        if len(validating) < MIN_VALIDATION_ROWS:
            return None
        rows, of_rows, origin = real.take(training), targets, ON_SEEN_LABELS
        # if the query budget covers only a part of X, the refitted recipe would have fewer training rows than before
        if not is_any_fitted(model.teacher) and real.n_real == given.X.shape[0]:
            unseen = _label_without(validating, model, given, real, targets.teacher, run)
            if unseen is not None:
                (rows, of_rows, oracle), origin = unseen, ON_UNSEEN_LABELS
        held = real.take(validating)
        assert held.truth is not None
        validation = Group(held.X, held.truth, held.sample_weight)
        rows = extension.repeat(rows, oracle, draw_seed(run.rng), phase)
        return SoftWeightChoice(Comparison(rows, validation, of_rows, origin), targets, seed, run)


def _is_enough(truth: np.ndarray | None) -> bool:
    return truth is not None and len(truth) >= MIN_VALIDATION_ROWS


def split_labels(real: TransferSet, is_class: bool, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the training rows and of the validation rows among the real rows.

    The split is stratified by class. The number of validation rows per class is rounded down, so that every class has
    training rows.
    """
    assert real.truth is not None
    is_labelled = np.isfinite(real.truth).reshape(len(real), -1).all(axis=1)
    present = np.flatnonzero((real.sample_weight > 0) & (is_labelled | ~real.is_real))
    own = rng.permutation(present[real.is_real[present]])
    classes = real.truth[own].argmax(axis=1) if is_class else np.zeros(len(own))
    of_classes = [own[classes == label] for label in np.unique(classes)]
    validating = np.sort(np.concatenate([rows[: int(VALIDATION_SHARE * len(rows))] for rows in of_classes]))
    return np.setdiff1d(present, validating), validating


def _label_without(
    validating: np.ndarray, model: Any, given: FitArguments, real: TransferSet, of_all: Teacher, run: Run
) -> tuple[TransferSet, Targets, Oracle] | None:
    """Fit the recipe without the validation rows, and label the other rows with it; the query budget does not apply.

    The result is ``None`` if the classes of this teacher differ from those of the teacher fitted on all rows, which can
    happen for a clusterer.
    """
    assert real.truth is not None
    others = np.setdiff1d(np.arange(given.X.shape[0]), validating)
    unlabeled = take_rows(real.X, np.flatnonzero(real.is_unlabeled)) if real.is_unlabeled.any() else None
    rest = replace(given.take(others), X_unlabeled=unlabeled)
    teacher = resolve_teacher(model, rest, run)
    if not np.array_equal(np.asarray(teacher.classes_), np.asarray(of_all.classes_)):
        return None
    oracle = oracle_of(model, teacher, rest, run)
    oracle.max_queries = None
    folds = _folds_of(model.teacher_cv, given, others, teacher)
    rows = label_given(model, teacher, rest, real.truth[others], oracle, run, cv=folds)
    return rows, model._task.targets(model, teacher, rows), oracle


def _folds_of(cv: Any, given: FitArguments, rows: np.ndarray, teacher: Teacher) -> Any:
    """Return the folds of a splitter restricted to the given rows: it may be defined for the whole table only."""
    if cv is None or isinstance(cv, str):
        return cv
    place = np.full(given.X.shape[0], -1)
    place[rows] = np.arange(len(rows))
    folds = check_cv(cv, given.y, classifier=teacher.classes_ is not None).split(given.X, given.y, given.groups)
    kept = [tuple(place[part][place[part] >= 0] for part in fold) for fold in folds]
    return [fold for fold in kept if len(fold[1])]
