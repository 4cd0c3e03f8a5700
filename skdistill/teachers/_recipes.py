"""Recipes: fitting an unfitted teacher, and out-of-bag and out-of-fold outputs."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import check_cv

from .._fitting import accepts_sample_weight, final_step, fit_weighted
from .._tables import take_rows
from .._validation import seed_estimator
from ..exceptions import TeacherError
from ._adapter import Teacher


def fit_teacher(
    recipe: Any, X: Any, y: Any, *, sample_weight: np.ndarray | None, rng: np.random.RandomState, oob: bool = False
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
    rng : RandomState
        Seeds every ``random_state`` of the recipe that is ``None``.
    oob : bool, default=False
        Whether to fit with ``oob_score=True``, so that a forest stores its out-of-bag outputs.

    Returns
    -------
    teacher : estimator
    """
    teacher = seed_estimator(clone(recipe), rng)
    if oob:
        final = final_step(teacher)
        if "oob_score" not in getattr(final, "get_params", dict)():
            raise TeacherError(
                f'teacher_cv="oob" needs a forest or a bagging ensemble with oob_score; got {type(final).__name__}. '
                "Pass a number of folds, e.g. teacher_cv=5."
            )
        final.set_params(oob_score=True)
    if sample_weight is not None and accepts_sample_weight(teacher):
        return fit_weighted(teacher, X, y, sample_weight)
    return teacher.fit(X, y)


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
    fit: Callable[[Any, Any, Any], Teacher],
    query: Callable[[Teacher, Any], np.ndarray],
    X: Any,
    y: Any,
    sample_weight: np.ndarray | None,
    *,
    cv: Any,
    classes: np.ndarray | None,
) -> np.ndarray:
    """Label each fold by a teacher that was fitted on the other folds.

    Parameters
    ----------
    fit : callable
        ``fit(X, y, sample_weight)`` returns a teacher.
    query : callable
        ``query(teacher, X)`` returns the outputs of the teacher.
    X : table of shape (n_samples, n_features)
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,) or None
    cv : int or splitter
        Number of folds or splitter as in scikit-learn; stratified for classification. Each row must be in exactly one
        test fold.
    classes : ndarray of shape (n_classes,) or None
        The classes of ``y``. A class that is missing in the training rows of a fold gets probability 0.

    Returns
    -------
    outputs : ndarray of shape (n_samples, n_classes) or (n_samples,) or (n_samples, n_outputs)
    """
    outputs: np.ndarray | None = None
    times_left_out = np.zeros(X.shape[0], dtype=int)
    for fitted_on, left_out in check_cv(cv, y, classifier=classes is not None).split(X, y):
        weight = None if sample_weight is None else sample_weight[fitted_on]
        teacher = fit(take_rows(X, fitted_on), y[fitted_on], weight)
        fold_outputs = query(teacher, take_rows(X, left_out))
        if classes is not None and teacher.classes_ is not None:
            lowest = fold_outputs.min(axis=1, keepdims=True) if teacher.output_kind == "logit" else 0
            aligned = np.zeros((len(fold_outputs), len(classes))) + lowest
            aligned[:, np.searchsorted(classes, teacher.classes_)] = fold_outputs
            fold_outputs = aligned
        if outputs is None:
            outputs = np.zeros((X.shape[0], *fold_outputs.shape[1:]))
        outputs[left_out] = fold_outputs
        times_left_out[left_out] += 1
    if outputs is None or np.any(times_left_out != 1):
        raise TeacherError(
            f"teacher_cv={cv!r}: {int(np.sum(times_left_out != 1))} rows are not in exactly one test fold; expected a "
            "partition of the rows. Pass e.g. a number of folds or KFold."
        )
    return outputs
