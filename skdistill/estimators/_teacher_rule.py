"""The teacher of a distilled estimator: a fitted one is kept as it is, an unfitted one is a recipe; and its labels."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import get_tags
from sklearn.utils.validation import check_memory

from ..exceptions import TeacherError
from ..teachers import (
    Teacher,
    as_teacher,
    fit_teacher,
    is_fitted_teacher,
    out_of_bag_outputs,
    out_of_fold_outputs,
    query_teacher,
)
from ..transfer import Oracle, TransferSet, label_real_rows
from ._given import Given
from ._run import Run


class KeepsTeacher(BaseEstimator):
    """An estimator whose fitted teacher survives ``clone``, and has no parameters that a search could set."""

    teacher: Any

    def __sklearn_clone__(self) -> Any:
        if not is_fitted_teacher(self.teacher):
            return super().__sklearn_clone__()
        without = copy.copy(self)
        without.teacher = None
        twin = BaseEstimator.__sklearn_clone__(without)
        twin.teacher = self.teacher
        return twin

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; those of a fitted teacher are not among them.

        Parameters
        ----------
        deep : bool, default=True
            Also those of student, sampler, target compressor and an unfitted teacher.

        Returns
        -------
        params : dict
        """
        params = super().get_params(deep=deep)
        if deep and is_fitted_teacher(self.teacher):
            params = {name: value for name, value in params.items() if not name.startswith("teacher__")}
        return params

    def set_params(self, **params: Any) -> Any:
        """Set parameters; those of a fitted teacher cannot be set.

        Parameters
        ----------
        **params : dict
            Parameters, those of nested estimators as ``student__max_leaf_nodes``.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            For ``teacher__*`` with a fitted teacher: the caller's model is never changed.
        """
        nested = [name for name in params if name.startswith("teacher__")]
        teacher = params.get("teacher", self.teacher)
        if nested and is_fitted_teacher(teacher):
            raise ValueError(
                f"{type(self).__name__}: cannot set {nested[0]}: the teacher {type(teacher).__name__} is fitted and is "
                "never changed. Set it on the model itself before fitting it, or pass an unfitted one as a recipe."
            )
        return super().set_params(**params)


def resolve_teacher(model: Any, given: Given, run: Run) -> Teacher:
    """Adapt the fitted teacher of a distilled estimator, or fit a clone of the recipe."""
    name = type(model).__name__
    if is_fitted_teacher(model.teacher):
        if model.teacher_cv is not None:
            raise TeacherError(
                f"{name}: teacher_cv={model.teacher_cv!r} fits teachers, but the teacher "
                f"{type(model.teacher).__name__} is fitted already. Pass it unfitted, or teacher_cv=None."
            )
        return _adapt(model, model.teacher, given.y)
    if given.y is None and (model.teacher_cv is not None or get_tags(model.teacher).target_tags.required):
        raise ValueError(
            f"{name} requires y to be passed, but the target y is None: the teacher "
            f"{type(model.teacher).__name__} is not fitted. Pass y, or fit the teacher first."
        )
    with run.phases.phase("fit the teacher") as phase:
        phase.log(f"fitting the teacher {type(model.teacher).__name__} on {given.X.shape[0]:,} rows")
        is_oob = isinstance(model.teacher_cv, str)
        fitted = fit_teacher(
            model.teacher, given.X, given.y, sample_weight=given.sample_weight, rng=run.rng, oob=is_oob
        )
    if model.teacher_cv is not None and model._task.name == "classification" and not hasattr(fitted, "classes_"):
        raise TeacherError(
            f"{name}: teacher_cv={model.teacher_cv!r} fits several teachers, but "
            f"{type(fitted).__name__} numbers its groups anew in every fit. Pass teacher_cv=None."
        )
    return _adapt(model, fitted, given.y)


def _adapt(model: Any, fitted: Any, y: Any) -> Teacher:
    classes = np.unique(y) if model._task.name == "classification" and y is not None else None
    return as_teacher(fitted, model.response_method, task=model._task.name, classes=classes)


def oracle_of(model: Any, teacher: Teacher, given: Given, run: Run) -> Oracle:
    """Return the teacher within the budget, with the memory."""
    n_rows = given.X.shape[0]
    if teacher.transductive and model.max_queries is not None and model.max_queries < n_rows:
        raise TeacherError(
            f"{type(model).__name__}: {teacher.name} answers for all {n_rows} rows of X or none, but "
            f"max_queries={model.max_queries}. Pass max_queries=None, or a teacher with predict."
        )
    return Oracle(partial(_label, model, teacher, run), check_memory(model.memory), model.max_queries)


def label_given(
    model: Any, teacher: Teacher, given: Given, truth: np.ndarray | None, oracle: Oracle, run: Run, *, cv: Any = None
) -> TransferSet:
    """Label the real rows; of a recipe out of fold or out of bag, where that is asked for.

    Parameters
    ----------
    model : distilled estimator
    teacher : Teacher
    given : Given
    truth : ndarray or None
        True labels of the rows of ``X`` as targets.
    oracle : Oracle
        Of the teacher.
    run : Run
    cv : splitter, iterable or None, default=None
        Folds of these rows; ``None``: those of ``teacher_cv``.
    """
    return label_real_rows(
        given.X,
        oracle,
        sample_weight=given.weight,
        truth=truth,
        X_unlabeled=given.X_unlabeled,
        label_anew=_out_of_sample_labels(model, teacher, given, run, model.teacher_cv if cv is None else cv),
        rng=run.rng,
    )


def _label(model: Any, teacher: Teacher, run: Run, rows: Any, origin: str) -> np.ndarray:
    with run.phases.phase(f"label {origin}") as phase:
        return query_teacher(
            teacher,
            rows,
            origin=origin,
            chunk_size=model.chunk_size,
            memory=check_memory(model.memory),
            verbose=model.verbose,
            callback=phase.notify,
            n_jobs=model.n_jobs,
        )


def _out_of_sample_labels(
    model: Any, teacher: Teacher, given: Given, run: Run, cv: Any
) -> Callable[[np.ndarray], np.ndarray] | None:
    """Return what makes out-of-bag or out-of-fold labels of a recipe's in-sample ones, if that is asked for."""
    if cv is None:
        return None
    if isinstance(cv, str):
        return partial(out_of_bag_outputs, teacher)

    def fit(X: Any, y: Any, weight: Any) -> Teacher:
        return _adapt(model, fit_teacher(model.teacher, X, y, sample_weight=weight, rng=run.rng), y)

    def label_out_of_fold(_: np.ndarray) -> np.ndarray:
        with run.phases.phase("label out of fold") as phase:
            phase.log("fitting a teacher for each fold")
            return out_of_fold_outputs(
                fit,
                lambda fold, X: _label(model, fold, run, X, "rows of a fold"),
                given.X,
                given.y,
                given.sample_weight,
                cv=cv,
                classes=teacher.classes_,
            )

    return label_out_of_fold
