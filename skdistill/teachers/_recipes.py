"""Recipes: fitting an unfitted teacher, and out-of-bag and out-of-fold outputs."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import check_cv

from .._fitting import accepts_sample_weight, final_step, fit_weighted
from .._representation import brief
from .._tables import take_rows
from .._validation import seed_estimator, warn_caller
from ..convert import unwrap
from ..exceptions import TeacherError, TeacherWarning
from ._adapter import Teacher
from ._conventions import groups_argument
from ._lists import is_list, teachers_in, with_teachers
from ._rule import is_fitted_teacher


def clone_recipe(recipe: Any) -> Any:
    """Return an unfitted copy of an unfitted estimator.

    ``clone`` refuses estimators that change their parameters, such as CatBoost models with ``cat_features``; these are
    copied, which has the same result before ``fit``.
    """
    try:
        return clone(recipe)
    except (RuntimeError, TypeError):
        return copy.deepcopy(recipe)


def clone_teacher(teacher: Any) -> Any:
    """Return a fitted teacher itself, an unfitted copy of a recipe, and a new list of teachers with either of both."""
    if is_list(teacher):
        return with_teachers(teacher, [clone_teacher(each) for each in teachers_in(teacher)])
    return teacher if is_fitted_teacher(teacher) else clone_recipe(teacher)


def fit_teacher(
    recipe: Any,
    X: Any,
    y: Any,
    *,
    sample_weight: np.ndarray | None,
    groups: np.ndarray | None = None,
    rng: np.random.RandomState,
    oob: bool = False,
) -> Any:
    """Fit a clone of ``recipe`` on ``(X, y)``; ``recipe`` itself is not changed.

    Parameters
    ----------
    recipe : estimator
        Unfitted teacher.
    X : table of shape (n_samples, n_features)
    y : array-like or None
    sample_weight : ndarray of shape (n_samples,) or None
        Ignored if the recipe does not accept ``sample_weight``.
    groups : ndarray of shape (n_samples,) or None, default=None
        Query of each row, for rankers; the rows are then sorted by query.
    rng : RandomState
        Seeds every ``random_state`` of the recipe that is ``None``.
    oob : bool, default=False
        Whether to fit with ``oob_score=True``, so that a forest stores its out-of-bag outputs.

    Returns
    -------
    teacher : estimator
    """
    teacher = seed_estimator(clone_recipe(recipe), rng)
    if oob:
        final = final_step(teacher)
        if "oob_score" not in getattr(final, "get_params", dict)():
            raise TeacherError(
                f'teacher_cv="oob" needs a forest or a bagging ensemble with oob_score; got {type(final).__name__}. '
                "Pass a number of folds, e.g. teacher_cv=5."
            )
        final.set_params(oob_score=True)
    ranked_by = groups_argument(final_step(teacher))
    if ranked_by is not None and groups is not None:
        return _fit_ranker(teacher, ranked_by, X, y, groups)
    try:
        if sample_weight is not None and accepts_sample_weight(teacher):
            fitted = fit_weighted(teacher, X, y, sample_weight)
        else:
            fitted = teacher.fit(X, y)
    except Exception as error:
        error.add_note(
            f"skdistill was fitting the teacher {type(teacher).__name__} on {X.shape[0]} rows, as it is not fitted. "
            "Pass a table and labels that it accepts, or fit it first."
        )
        raise
    return teacher if fitted is None else fitted


def _fit_ranker(ranker: Any, argument: str, X: Any, y: Any, groups: np.ndarray) -> Any:
    """Fit a ranker on rows sorted by query: these packages expect the rows of a query to be consecutive."""
    order = np.argsort(groups, kind="stable")
    _, codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    queries = sizes if argument == "group" else codes[order]
    prefix = unwrap(ranker, through=("pipeline",)).prefix
    fitted = ranker.fit(take_rows(X, order), y[order], **{f"{prefix}{argument}": queries})
    return ranker if fitted is None else fitted


def out_of_bag_outputs(teacher: Teacher, outputs: np.ndarray) -> np.ndarray:
    """Return ``outputs`` with in-sample outputs replaced by out-of-bag outputs, for all rows that have these.

    Parameters
    ----------
    teacher : Teacher
        A forest or a pipeline that ends in one, fitted with ``oob_score=True``.
    outputs : ndarray of shape (n_samples, n_classes) or (n_samples,) or (n_samples, n_outputs)
        In-sample outputs of the teacher.
    """
    forest = final_step(teacher.model)
    held_out = forest.oob_decision_function_ if teacher.output_kind == "proba" else forest.oob_prediction_
    held_out = held_out.reshape(outputs.shape)
    # without out-of-bag trees, the output of a row is NaN in some forests and zero in others
    is_known = np.isfinite(held_out) & (np.abs(held_out).sum(axis=tuple(range(1, held_out.ndim)), keepdims=True) > 0)
    return np.where(is_known, held_out, outputs)


def out_of_fold_outputs(
    fit: Callable[[np.ndarray], Teacher],
    query: Callable[[Teacher, Any], np.ndarray],
    X: Any,
    y: Any,
    *,
    cv: Any,
    classes: np.ndarray | None,
    groups: np.ndarray | None = None,
    in_sample: np.ndarray | None = None,
) -> np.ndarray:
    """Label each fold by a teacher that was fitted on the other folds.

    Parameters
    ----------
    fit : callable
        ``fit(rows)`` returns a teacher that was fitted on the rows at these positions.
    query : callable
        ``query(teacher, X)`` returns the outputs of the teacher.
    X : table of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Labels, by which the folds are stratified for classification.
    cv : int, splitter or iterable of (train, test)
        Number of folds or splitter as in scikit-learn; stratified for classification.
    classes : ndarray of shape (n_classes,) or None
        The classes of ``y``. A class that is missing in the training rows of a fold gets probability 0.
    groups : ndarray of shape (n_samples,) or None, default=None
        Groups for the splitter.
    in_sample : ndarray or None, default=None
        Outputs of the teacher that was fitted on all rows, for rows that are in no test fold. ``None`` refuses them.

    Returns
    -------
    outputs : ndarray of shape (n_samples, n_classes) or (n_samples,) or (n_samples, n_outputs)
        The mean of the outputs for rows in several test folds.
    """
    outputs: np.ndarray | None = None
    times_left_out = np.zeros(X.shape[0], dtype=int)
    for fitted_on, left_out in _folds(cv, X, y, classes, groups):
        teacher = fit(fitted_on)
        fold_outputs = query(teacher, take_rows(X, left_out))
        if classes is not None and teacher.classes_ is not None:
            lowest = fold_outputs.min(axis=1, keepdims=True) if teacher.output_kind == "logit" else 0
            aligned = np.zeros((len(fold_outputs), len(classes))) + lowest
            aligned[:, np.searchsorted(classes, teacher.classes_)] = fold_outputs
            fold_outputs = aligned
        if outputs is None:
            outputs = np.zeros((X.shape[0], *fold_outputs.shape[1:]))
        outputs[left_out] += fold_outputs
        times_left_out[left_out] += 1
    never = times_left_out == 0
    if outputs is None or (never.any() and in_sample is None):
        raise TeacherError(f"teacher_cv={cv!r} has no test fold; expected folds. Pass e.g. a number of folds or KFold.")
    if never.any() and in_sample is not None:
        warn_caller(
            f"teacher_cv={brief(cv)}: {int(never.sum())} of {X.shape[0]} rows are in no test fold. They are labelled "
            "by the teacher that was fitted on all rows, so their labels are in-sample.",
            TeacherWarning,
        )
        outputs[never], times_left_out[never] = in_sample[never], 1
    return outputs / times_left_out.reshape(-1, *[1] * (outputs.ndim - 1))


def _folds(cv: Any, X: Any, y: Any, classes: np.ndarray | None, groups: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the positions of the training and test rows of each fold."""
    if isinstance(cv, list | tuple) and not all(isinstance(fold, tuple | list) and len(fold) == 2 for fold in cv):
        raise TeacherError(f"teacher_cv={brief(cv)}; expected pairs (train, test) of positions, or a splitter.")
    splits = check_cv(cv, y, classifier=classes is not None).split(X, y, groups)
    folds = [(np.asarray(fitted_on), np.asarray(left_out)) for fitted_on, left_out in splits]
    last = max((int(rows.max()) for fold in folds for rows in fold if len(rows) and rows.dtype != bool), default=0)
    if last >= X.shape[0]:
        raise TeacherError(
            f"teacher_cv is a list of folds with row {last}, but fit got {X.shape[0]} rows; expected positions in X. "
            "A search or a cross-validation fits on a part of the rows: pass a splitter, such as KFold or GroupKFold "
            "with groups, which splits any number of rows."
        )
    return folds
