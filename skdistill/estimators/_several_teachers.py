"""Several teachers of a distilled estimator: each is fitted or used by its own rule, and they are weighed together."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import is_outlier_detector
from sklearn.utils.validation import check_memory

from .._described import described
from .._tables import take_rows
from .._validation import check_choice, draw_seed, tags_of
from ..exceptions import TeacherError
from ..selection import Run
from ..targets import fit_margin_scale, one_hot
from ..teachers import (
    MIN_WEIGHED_ROWS,
    RegionWeights,
    Teacher,
    TeacherEnsemble,
    adapt_member,
    average,
    disagreement,
    errors_of,
    fit_teacher,
    fixed_weights,
    is_fitted_teacher,
    is_list,
    is_of_kind,
    loss_weights_of,
    names_of,
    open_store,
    out_of_fold_outputs,
    query_members,
    query_teacher,
    teachers_in,
)
from ..transfer import Oracle, TransferSet
from ._fit_arguments import FitArguments

BY_LOSS, BY_REGION = "loss", "region"

MOST_SCALED, MOST_WEIGHED = 1000, 5000
"""Maximum numbers of rows that the scales of margins are fitted to, and that the teachers are compared on."""

QUERY_SHARE = 0.25
"""Maximum share of the query budget for either of them."""

DEFAULT_FOLDS = 5
"""Number of folds on which recipes are compared if ``teacher_cv`` is not set."""


# ---------------------------------------------------------------------- parameters


def check_teachers(model: Any) -> None:
    """Raise an error if the list of teachers or ``teacher_weights`` is invalid, before anything is fitted."""
    who, weights = type(model).__name__, model.teacher_weights
    if isinstance(weights, str):
        check_choice(model, "teacher_weights", weights, (BY_LOSS, BY_REGION), ", a number for each teacher, or None")
    if not is_list(model.teacher):
        if weights is not None:
            raise ValueError(
                f"{who}: teacher_weights={described(weights)} with one teacher; expected a list of teachers. Pass "
                "teacher=[a, b], or teacher_weights=None."
            )
        return
    names = names_of(who, model.teacher)
    if not (weights is None or isinstance(weights, str)):
        fixed_weights(who, weights, len(names))
    if isinstance(model.teacher_cv, str):
        raise TeacherError(
            f"{who}: teacher_cv={model.teacher_cv!r} with several teachers, which have other trees out of bag; "
            "expected folds. Pass a number of folds, e.g. teacher_cv=5."
        )


def recipes_in(teacher: Any) -> list[Any]:
    """Return the unfitted teachers: the one given, those of a list, or none."""
    return [each for each in teachers_in(teacher) if not is_fitted_teacher(each)]


def is_any_fitted(teacher: Any) -> bool:
    """Whether the teacher, or one of a list, is fitted and may have seen any row."""
    return len(recipes_in(teacher)) < len(teachers_in(teacher))


# ---------------------------------------------------------------------- from a list to one teacher


def resolve_several(model: Any, given: FitArguments, run: Run) -> Teacher:
    """Fit clones of the unfitted teachers of a list, take the others as they are, and weigh them."""
    who, names = type(model).__name__, names_of(type(model).__name__, model.teacher)
    recipes = recipes_in(model.teacher)
    if model.teacher_cv is not None and is_any_fitted(model.teacher):
        fitted = [name for name, each in zip(names, teachers_in(model.teacher), strict=True) if is_fitted_teacher(each)]
        raise TeacherError(
            f"{who}: teacher_cv={model.teacher_cv!r} needs unfitted teachers, but {fitted} are already fitted. Pass "
            "them unfitted, or teacher_cv=None."
        )
    if given.y is None and any(tags_of(each).target_tags.required for each in recipes):
        raise ValueError(
            f"{who} requires y to be passed, but the target y is None: a teacher of the list is not fitted. Pass y, or "
            "fit the teachers first."
        )
    if not recipes:
        return _weighed(model, average(who, names, _adapted(model, given, run), _equal(names)), given, run)
    with run.phases.phase("fit the teacher") as phase:
        phase.log(f"fitting {len(recipes)} teachers on {given.X.shape[0]:,} rows")
        members = _adapted(model, given, run)
    return _weighed(model, average(who, names, members, _equal(names)), given, run)


def refit_several(model: Any, teacher: Teacher, part: FitArguments, run: Run) -> Teacher:
    """Fit clones of the unfitted teachers on a part of the rows; weights and scales are those of ``teacher``."""
    ensemble, who = teacher.model, type(model).__name__
    members = _adapted(model, part, run)
    return average(who, list(ensemble.names), members, ensemble.weights, ensemble.margin_scales)


def _equal(names: list[str]) -> np.ndarray:
    return np.full(len(names), 1 / len(names))


def _adapted(model: Any, given: FitArguments, run: Run) -> list[Teacher]:
    return [_adapt(model, _fitted(each, given, run), given.y) for each in teachers_in(model.teacher)]


def _fitted(teacher: Any, given: FitArguments, run: Run) -> Any:
    if is_fitted_teacher(teacher):
        return teacher
    return fit_teacher(teacher, given.X, given.y, sample_weight=given.sample_weight, groups=given.groups, rng=run.rng)


def _adapt(model: Any, fitted: Any, y: Any) -> Teacher:
    gives_classes = model._task.name == "classification" and y is not None
    gives_classes = gives_classes and not is_of_kind(is_outlier_detector, fitted)
    classes = np.unique(y) if gives_classes else None
    return adapt_member(fitted, model.response_method, task=model._task.name, classes=classes)


# ---------------------------------------------------------------------- weights


def _weighed(model: Any, teacher: Teacher, given: FitArguments, run: Run) -> Teacher:
    """Set the scales of margins and the weights of several teachers."""
    ensemble: TeacherEnsemble = teacher.model
    with_margins = [name for name, each in zip(ensemble.names, ensemble.members, strict=True) if _has_margins(each)]
    if with_margins:
        _fit_scales(model, teacher, given, with_margins)
    if not isinstance(model.teacher_weights, str):
        ensemble.weights = fixed_weights(type(model).__name__, model.teacher_weights, len(ensemble.names))
        return teacher
    with run.phases.phase("weigh the teachers"):
        X, y, answers, weight = _unseen_answers(model, teacher, given, run)
        truth = _truth(model, teacher, y)
        pools_outputs = teacher.task == "classification"
        soft = ensemble.soft_targets(answers)
        if truth.shape != soft[0].shape:
            raise ValueError(
                f"{type(model).__name__}: the true values have shape {truth.shape}, but the outputs of the teachers "
                f"have shape {soft[0].shape}; expected the same shape for teacher_weights={model.teacher_weights!r}."
            )
        errors = errors_of(soft, truth, pools_outputs=pools_outputs)
        if model.teacher_weights == BY_LOSS:
            ensemble.weights = loss_weights_of(errors, weight)
        else:
            ensemble.weights = RegionWeights.fit(X, errors, weight, draw_seed(run.with_copied_generator().rng))
    return teacher


def _has_margins(member: Any) -> bool:
    return bool(member.output_kind == "logit")


def _fit_scales(model: Any, teacher: Teacher, given: FitArguments, names: list[str]) -> None:
    """Scale the margins of teachers to logits, as for one teacher: to true labels, or by convention."""
    ensemble: TeacherEnsemble = teacher.model
    rows = _spread(given.X.shape[0], _affordable(model, MOST_SCALED, given))
    if len(rows) < 2:
        raise TeacherError(
            f"{type(model).__name__}: max_queries={model.max_queries} leaves no rows that scale the margins of {names}"
            "; expected some beside the rows of X. Pass a larger max_queries, or teachers with probabilities."
        )
    X, store = take_rows(given.X, rows), open_store(check_memory(model.memory), model.teacher_id)
    truth = None if given.y is None else _truth(model, teacher, given.y[rows])
    for name, member in zip(ensemble.names, ensemble.members, strict=True):
        if name in names:
            own = None if store is None else store.of_member(name)
            margins = query_teacher(member, X, chunk_size=model.chunk_size, memory=own)  # type: ignore[arg-type]
            ensemble.margin_scales[name] = fit_margin_scale(margins, truth)
    ensemble.n_asked += len(rows)


def _unseen_answers(
    model: Any, teacher: Teacher, given: FitArguments, run: Run
) -> tuple[Any, Any, list[np.ndarray], np.ndarray]:
    """Return labelled rows that the teachers have not seen, their labels, the answers of each, and weights of the rows.

    These are ``X_val`` with ``y_val``, or the rows of ``X``, labelled out of fold.
    """
    who, asked = type(model).__name__, f"teacher_weights={model.teacher_weights!r}"
    if given.y_val is not None:
        rows = _spread(given.X_val.shape[0], _affordable(model, MOST_WEIGHED, given))
        _check_enough(who, asked, len(rows), "X_val with y_val")
        X, y, weight = take_rows(given.X_val, rows), given.y_val[rows], np.ones(len(rows))
        store = open_store(check_memory(model.memory), model.teacher_id)
        teacher.model.n_asked += len(rows)
        answers = query_members(
            teacher, X, origin="validation rows", chunk_size=model.chunk_size, memory=store, n_jobs=model.n_jobs
        )
        return X, y, answers, weight
    if given.y is None:
        raise ValueError(f"{who}: {asked} compares the teachers with true labels, but y is None. Pass y, or numbers.")
    if is_any_fitted(model.teacher):
        raise TeacherError(
            f"{who}: {asked} compares the teachers on rows that they were not fitted on, but some of them are fitted "
            "and may have seen X. Pass rows that they have not seen as X_val and y_val, pass all of them unfitted, or "
            "pass numbers."
        )
    _check_enough(who, asked, int(np.count_nonzero(given.weight)), "X")
    return given.X, given.y, _out_of_fold(model, teacher, given, run), given.weight


def _check_enough(who: str, asked: str, n_rows: int, what: str) -> None:
    if n_rows < MIN_WEIGHED_ROWS:
        raise ValueError(
            f"{who}: {asked} needs at least {MIN_WEIGHED_ROWS} labelled rows that the teachers have not seen, but "
            f"{what} has {n_rows} within the budget. Pass more rows, or fixed weights."
        )


def _out_of_fold(model: Any, teacher: Teacher, given: FitArguments, run: Run) -> list[np.ndarray]:
    """Return the out-of-fold outputs of each recipe."""
    cv = DEFAULT_FOLDS if model.teacher_cv is None else model.teacher_cv

    def fit(recipe: Any, rows: np.ndarray) -> Teacher:
        part = given.take(rows)
        return _adapt(model, _fitted(recipe, part, run), part.y)

    return [
        out_of_fold_outputs(
            partial(fit, recipe),
            lambda fold, X: query_teacher(fold, X, chunk_size=model.chunk_size),
            given.X,
            given.y,
            cv=cv,
            classes=teacher.classes_,
            groups=given.groups,
        )
        for recipe in teachers_in(model.teacher)
    ]


def _truth(model: Any, teacher: Teacher, y: Any) -> np.ndarray:
    """Return labels one-hot encoded, or values as floats."""
    if teacher.classes_ is not None:
        try:
            return one_hot(y, teacher.classes_)
        except ValueError as error:
            raise ValueError(
                f"{type(model).__name__}: y has labels that the teachers do not know: {error}. Pass labels that they "
                "were fitted with, or fixed weights."
            ) from None
    if y.dtype.names:
        raise ValueError(
            f"{type(model).__name__}: teacher_weights={model.teacher_weights!r} with survival labels; expected "
            "numbers, because censored times are not values. Pass fixed weights."
        )
    return np.asarray(y, dtype=np.float64)


def _affordable(model: Any, most: int, given: FitArguments) -> int:
    """Return the number of rows that may be labelled before those of ``X``, all of which ``teacher_cv`` needs."""
    if model.max_queries is None:
        return most
    n_left = model.max_queries
    if model.teacher_cv is not None:
        n_left = max(n_left - given.X.shape[0] * model.n_repeats, 0)
    return min(most, int(QUERY_SHARE * model.max_queries), n_left)


def _spread(n_rows: int, most: int) -> np.ndarray:
    return np.arange(n_rows) if n_rows <= most else np.linspace(0, n_rows - 1, num=most, dtype=int)


# ---------------------------------------------------------------------- queries, and what is known after the fit


@dataclass
class QueryOfSeveral:
    """Queries several teachers, and remembers how far they differ on the first rows, which are those of ``X``.

    The rows of a sample are labelled in two queries.

    Attributes
    ----------
    teacher : Teacher
    query : callable
        ``query(rows, origin)`` returns the outputs of each of them.
    answers : list of (list of ndarray, ndarray)
        For each query of rows of ``X``, the soft targets of each teacher and those of all together.
    """

    teacher: Teacher
    query: Callable[[Any, str], list[np.ndarray]]
    answers: list[tuple[list[np.ndarray], np.ndarray]] = field(default_factory=list)

    def __call__(self, rows: Any, origin: str) -> np.ndarray:
        """Return the weighted mean of the outputs."""
        answers, ensemble = self.query(rows, origin), self.teacher.model
        outputs: np.ndarray = ensemble.combine(rows, answers)
        if not self.answers or (len(self.answers) == 1 and origin == "real rows"):
            self.answers.append((ensemble.soft_targets(answers), outputs))
        return outputs

    def disagreement(self, rows: TransferSet) -> np.ndarray:
        """Return how far the teachers differ on the real rows of a transfer set, in their order."""
        soft = [np.concatenate(parts) for parts in zip(*(soft for soft, _ in self.answers), strict=True)]
        outputs = np.concatenate([outputs for _, outputs in self.answers])
        together = disagreement(soft, outputs, pools_outputs=self.teacher.task == "classification")
        if rows.sampled is None or len(self.answers) == 1:
            return together
        return together[np.argsort(np.argsort(~rows.sampled.is_labelled, kind="stable"))]


def n_asked_before(teacher: Teacher) -> int:
    """Return the number of rows that were labelled to find weights and scales."""
    return teacher.model.n_asked if isinstance(teacher.model, TeacherEnsemble) else 0


def known_of_several(teacher: Teacher, oracle: Oracle, rows: TransferSet) -> dict[str, Any]:
    """Return the fitted attributes that describe several teachers; ``None`` for one."""
    if not isinstance(teacher.model, TeacherEnsemble):
        return {"teacher_weights_": None, "teacher_disagreement_": None}
    ensemble = teacher.model
    weights = ensemble.weights
    if not isinstance(weights, np.ndarray):
        weights = ensemble.weights_of(take_rows(rows.X, np.flatnonzero(rows.is_real))).mean(axis=0)
    is_known = isinstance(oracle.query, QueryOfSeveral) and len(oracle.query.answers) > 0
    disagreements = oracle.query.disagreement(rows) if is_known else None  # type: ignore[attr-defined]
    return {"teacher_weights_": weights, "teacher_disagreement_": disagreements}
