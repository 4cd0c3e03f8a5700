"""The parameter ``init`` of students: a fitted model that a fit starts from, which is neither changed nor cloned."""

import copy
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from .._suggesting import did_you_mean
from ..exceptions import StudentError
from ._lending import teacher_here


class KeepsInit:
    """Base class of students with the parameter ``init``: clones have the same fitted model in it."""

    init: Any

    def __sklearn_clone__(self) -> Any:
        without = copy.copy(self)
        without.init = None
        twin = BaseEstimator.__sklearn_clone__(without)
        twin.init = self.init
        return twin

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters, without those of the model in ``init``, which is fitted and is not changed.

        Parameters
        ----------
        deep : bool, default=True
            No parameter has parameters of its own.

        Returns
        -------
        params : dict
        """
        del deep
        return super().get_params(deep=False)  # type: ignore[misc]

    def _start_on_new_rows(self) -> Any:
        """Return the model that a student of the same size starts from on new rows: this one, or a part of it."""
        return self


class SameClasses:
    """Base class of classifiers with ``init``: the model in it knows the classes of the targets."""

    def _fit_checked(self, X: Any, targets: np.ndarray, classes: np.ndarray, sample_weight: Any) -> Any:
        model = self.init  # type: ignore[attr-defined]
        known = None if isinstance(model, str) else getattr(model, "classes_", None)
        if known is not None and not np.array_equal(np.asarray(known), classes):
            raise StudentError(
                f"{type(self).__name__}: the model in init knows the classes {np.asarray(known).tolist()}, and the "
                f"targets have {classes.tolist()}; expected the same classes. Pass a model of these classes, or "
                "init=None."
            )
        return super()._fit_checked(X, targets, classes, sample_weight)  # type: ignore[misc]


def model_in_init(student: Any) -> Any:
    """Return the model that a student starts from: the one in ``init``, the teacher for ``"teacher"``, or ``None``."""
    if not isinstance(student.init, str):
        return student.init
    who = type(student).__name__
    if student.init != "teacher":
        raise StudentError(
            f'{who}: init={student.init!r}; expected a fitted model, "teacher" or None.'
            f"{did_you_mean(student.init, ['teacher'])}"
        )
    teacher = teacher_here()
    if teacher is None:
        raise StudentError(
            f'{who}: init="teacher", but the student is fitted alone. Pass the fitted model as init, or fit the '
            "student inside DistilledClassifier or DistilledRegressor."
        )
    return teacher
