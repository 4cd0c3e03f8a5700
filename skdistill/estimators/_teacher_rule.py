"""The teacher of a distilled estimator: how it is resolved, queried and cloned.

A fitted teacher is used as it is; an unfitted one is a recipe, of which a clone is fitted.
"""

import copy
from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, is_clusterer, is_outlier_detector
from sklearn.utils.validation import check_memory

from .._validation import tags_of, warn_caller
from ..exceptions import TeacherError, TeacherWarning
from ..selection import Run
from ..teachers import (
    AnswerStore,
    SteadyTeacher,
    Teacher,
    TeacherEnsemble,
    Workers,
    as_teacher,
    check_is_recognised,
    clone_teacher,
    fit_teacher,
    is_fitted_teacher,
    is_list,
    is_of_kind,
    open_store,
    out_of_bag_outputs,
    out_of_fold_outputs,
    query_members,
    query_teacher,
    remote_teachers,
    steady,
)
from ..transfer import Oracle, TransferSet, label_real_rows
from ._fit_arguments import FitArguments
from ._row_sample import most_real_rows
from ._several_teachers import QueryOfSeveral, n_asked_before, refit_several, resolve_several
from ._teacher_noise import check_teacher


class TeacherMixin(BaseEstimator):
    """Mixin for an estimator whose fitted teacher is kept by ``clone`` and cannot be changed by ``set_params``."""

    _kept_fitted: ClassVar[tuple[str, ...]] = ("teacher",)
    """The parameters that are kept."""

    def __sklearn_clone__(self) -> Any:
        without = copy.copy(self)
        for name in self._kept_fitted:
            setattr(without, name, None)
        twin = BaseEstimator.__sklearn_clone__(without)
        for name in self._kept_fitted:
            setattr(twin, name, clone_teacher(getattr(self, name)))
        return twin

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, without those of a fitted teacher.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the parameters of the student, sampler, target compressor and an unfitted teacher.

        Returns
        -------
        params : dict
        """
        params = super().get_params(deep=deep)
        for kept in self._kept_fitted if deep else ():
            if is_fitted_teacher(getattr(self, kept)):
                params = {name: value for name, value in params.items() if not name.startswith(f"{kept}__")}
        return params

    def set_params(self, **params: Any) -> Any:
        """Set parameters; parameters of a fitted teacher cannot be set.

        Parameters
        ----------
        **params : dict
            Parameters; nested ones have names such as ``student__max_leaf_nodes``.

        Returns
        -------
        self : estimator

        Raises
        ------
        ValueError
            If a parameter does not exist, or is ``teacher__*`` and the teacher is fitted, because a fitted teacher is
            never changed.
        """
        for kept in self._kept_fitted:
            self._check_kept(kept, params)
        return super().set_params(**params)

    def _check_kept(self, kept: str, params: dict[str, Any]) -> None:
        """Refuse parameters of a fitted model or a list, and warn if a fitted model is replaced by an unfitted one."""
        nested = [name for name in params if name.startswith(f"{kept}__")]
        before = getattr(self, kept)
        model = params.get(kept, before)
        if nested and is_list(model):
            raise ValueError(
                f"{type(self).__name__}: cannot set {nested[0]}: the {kept} is a list, whose members show no "
                f"parameters. Set the parameter of the member before you pass the list, or set {kept}= to another list."
            )
        if nested and is_fitted_teacher(model):
            raise ValueError(
                f"{type(self).__name__}: cannot set {nested[0]}: the {kept} {type(model).__name__} is fitted, and "
                f"fitted {kept}s are never changed. Set the parameter before you fit the {kept}, or pass the {kept} "
                "unfitted."
            )
        if not is_fitted_teacher(model) and is_fitted_teacher(before):
            warn_caller(
                f"{type(self).__name__}: a fitted {kept} is replaced by {type(model).__name__}, which is not fitted "
                "and will be fitted in each fit. A search clones the values of its grid, so that fitted models lose "
                "their fit: pass FrozenEstimator(model) or as_teacher(model) in the grid to use them as they are.",
                TeacherWarning,
            )


def resolve_teacher(model: Any, given: FitArguments, run: Run) -> Teacher:
    """Adapt the fitted teacher of a distilled estimator, or fit a clone of the recipe."""
    name = type(model).__name__
    _check_teacher_id(model)
    for remote in remote_teachers(model.teacher) if model.memory is None else ():
        remote.begin_fit()  # otherwise, answers are on disk if the fit fails
    check_is_recognised(model.teacher, given.X)
    if is_list(model.teacher):
        return steady(resolve_several(model, given, run), model.n_repeats)
    if is_fitted_teacher(model.teacher):
        if model.teacher_cv is not None:
            raise TeacherError(
                f"{name}: teacher_cv={model.teacher_cv!r} needs an unfitted teacher, but the teacher "
                f"{type(model.teacher).__name__} is already fitted. Pass it unfitted, or teacher_cv=None."
            )
        return _adapt(model, model.teacher, given.y)
    if given.y is None and (model.teacher_cv is not None or tags_of(model.teacher).target_tags.required):
        raise ValueError(
            f"{name} requires y to be passed, but the target y is None: the teacher "
            f"{type(model.teacher).__name__} is not fitted. Pass y, or fit the teacher first."
        )
    with run.phases.phase("fit the teacher") as phase:
        phase.log(f"fitting the teacher {type(model.teacher).__name__} on {given.X.shape[0]:,} rows")
        is_oob = isinstance(model.teacher_cv, str)
        fitted = fit_teacher(
            model.teacher,
            given.X,
            given.y,
            sample_weight=given.sample_weight,
            groups=given.groups,
            rng=run.rng,
            oob=is_oob,
        )
    if model.teacher_cv is not None and model._task.name == "classification" and is_of_kind(is_clusterer, fitted):
        raise TeacherError(
            f"{name}: teacher_cv={model.teacher_cv!r} fits several teachers, but "
            f"the clusters of {type(fitted).__name__} are numbered differently in every fit. Pass teacher_cv=None."
        )
    return _adapt(model, fitted, given.y)


def _check_teacher_id(model: Any) -> None:
    """Raise an error unless ``teacher_id`` is a text or ``None``; a recipe is another teacher after each fit."""
    name, teacher_id = type(model).__name__, model.teacher_id
    if teacher_id is None:
        return
    if not isinstance(teacher_id, str) or not teacher_id:
        raise TypeError(f"{name}: teacher_id={teacher_id!r}; expected a text that is not empty, or None.")
    if not is_fitted_teacher(model.teacher):
        raise TeacherError(
            f"{name}: teacher_id={teacher_id!r} names a fitted teacher, but {type(model.teacher).__name__} is not "
            "fitted, and is another model after each fit. Fit the teacher first, or pass teacher_id=None."
        )
    if is_list(model.teacher) and not all(is_list(each) for each in model.teacher):
        raise TeacherError(
            f"{name}: teacher_id={teacher_id!r} with teachers without names, which would be found by their places in "
            'the list; expected pairs. Pass teacher=[("forest", forest), ("network", network)], or teacher_id=None.'
        )


def _adapt(model: Any, fitted: Any, y: Any) -> Teacher:
    gives_classes = (
        model._task.name == "classification" and y is not None and not is_of_kind(is_outlier_detector, fitted)
    )
    classes = np.unique(y) if gives_classes else None
    teacher = as_teacher(fitted, model.response_method, task=model._task.name, classes=classes)
    return steady(teacher, model.n_repeats)


def oracle_of(model: Any, teacher: Teacher, given: FitArguments, run: Run) -> Oracle:
    """Return the oracle that queries the teacher within the budget and caches its outputs; check an unknown teacher."""
    n_rows, n_before = given.X.shape[0], n_asked_before(teacher)
    if teacher.transductive and model.max_queries is not None and model.max_queries < n_rows:
        raise TeacherError(
            f"{type(model).__name__}: {teacher.name} only has labels_ for all {n_rows} rows of X together, but "
            f"max_queries={model.max_queries}. Pass max_queries=None, or a teacher with predict."
        )
    memory = check_memory(model.memory)
    store = open_store(memory, model.teacher_id)
    workers = Workers(model.n_jobs, has_budget=model.max_queries is not None)
    query: Any = partial(_label, model, teacher, run, store, workers)
    if isinstance(teacher.model, TeacherEnsemble):
        query = QueryOfSeveral(teacher, partial(query, ask=query_members))
    budget = None if model.max_queries is None else model.max_queries - n_before
    if not isinstance(teacher, SteadyTeacher):
        return Oracle(query, memory, budget, n_extra=n_before, workers=workers)
    started = perf_counter()
    teacher.key = None if store is None else store.key_of(teacher, given.X)
    n_checked = check_teacher(model, teacher, given)
    return Oracle(
        query,
        memory,
        None if budget is None else (budget - n_checked) // model.n_repeats,
        n_repeats=model.n_repeats,
        n_padded=teacher.n_padded,
        n_extra=n_before + n_checked,
        extra_seconds=perf_counter() - started,
        workers=workers,
    )


def label_given(
    model: Any,
    teacher: Teacher,
    given: FitArguments,
    truth: np.ndarray | None,
    oracle: Oracle,
    run: Run,
    *,
    cv: Any = None,
) -> TransferSet:
    """Label the real rows: in-sample, or out-of-fold or out-of-bag according to ``teacher_cv``.

    Parameters
    ----------
    model : distilled estimator
    teacher : Teacher
    given : FitArguments
    truth : ndarray or None
        True labels of the rows of ``X`` as targets.
    oracle : Oracle
        Queries the teacher.
    run : Run
    cv : splitter, iterable or None, default=None
        Folds of these rows; ``None`` uses ``teacher_cv``.
    """
    return label_real_rows(
        given.X,
        oracle,
        sample_weight=given.weight,
        truth=truth,
        X_unlabeled=given.X_unlabeled,
        label_anew=_out_of_sample_labels(model, teacher, given, run, model.teacher_cv if cv is None else cv),
        pool=None if given.pool is None else given.pool.for_teacher(model, teacher),
        sampled=given.sampled,
        most_unlabeled=most_real_rows(model),
        is_validated=model._is_anything_chosen(1),
        rng=run.rng,
    )


def _label(
    model: Any,
    teacher: Teacher,
    run: Run,
    store: AnswerStore | None,
    workers: Workers,
    rows: Any,
    origin: str,
    *,
    ask: Callable[..., Any] = query_teacher,
) -> Any:
    with run.phases.labelling(f"label {origin}", rows.shape[0]) as phase:
        return ask(
            teacher,
            rows,
            origin=origin,
            chunk_size=model.chunk_size,
            memory=store,
            verbose=model.verbose,
            callback=phase.notify,
            workers=workers,
        )


def _out_of_sample_labels(
    model: Any, teacher: Teacher, given: FitArguments, run: Run, cv: Any
) -> Callable[[np.ndarray], np.ndarray] | None:
    """Return the function that replaces in-sample labels by out-of-bag or out-of-fold ones; ``None`` without ``cv``."""
    if cv is None:
        return None
    if isinstance(cv, str):
        return partial(out_of_bag_outputs, teacher)

    def fit(rows: np.ndarray) -> Teacher:
        part = given.take(rows)
        if is_list(model.teacher):
            return steady(refit_several(model, teacher, part, run), model.n_repeats)
        weight, groups = part.sample_weight, part.groups
        fitted = fit_teacher(model.teacher, part.X, part.y, sample_weight=weight, groups=groups, rng=run.rng)
        of_fold = _adapt(model, fitted, part.y)
        if isinstance(of_fold, SteadyTeacher) and isinstance(teacher, SteadyTeacher):
            of_fold.settle_like(teacher)
        return of_fold

    store, workers = open_store(check_memory(model.memory), None), Workers(model.n_jobs)

    def label_out_of_fold(in_sample: np.ndarray) -> np.ndarray:
        with run.phases.phase("label out of fold") as phase:
            phase.log("fitting a teacher for each fold")
            return out_of_fold_outputs(
                fit,
                lambda fold, X: _label(model, fold, run, store, workers, X, "rows of a fold"),
                given.X,
                given.y,
                cv=cv,
                classes=teacher.classes_,
                groups=given.groups,
                in_sample=in_sample,
            )

    return label_out_of_fold
