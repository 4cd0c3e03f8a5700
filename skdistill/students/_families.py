"""The registry of the families of students that a chooser tries, and that a name stands for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validation import warn_caller
from ..exceptions import StudentError
from ._boosting import CompactBoostingClassifier, CompactBoostingRegressor
from ._hybrid import CompactHybridClassifier, CompactHybridRegressor
from ._inherit import CompactInheritedClassifier, CompactInheritedRegressor
from ._kernel import CompactKernelClassifier, CompactKernelRegressor
from ._linear import CompactLinearClassifier, CompactLinearRegressor
from ._mlp import CompactMLPClassifier, CompactMLPRegressor
from ._tree import CompactTreeClassifier, CompactTreeRegressor


@dataclass(frozen=True)
class ParameterLimit:
    """A limit of the number of parameters: ``n_parameters`` times the number of outputs to the power of ``growth``.

    Parameters
    ----------
    n_parameters : float, default=inf
        For one output.
    growth : float, default=1.0
        1 where each output has parameters of its own, 0 where all share them.

    Examples
    --------
    >>> from skdistill.students import ParameterLimit
    >>> ParameterLimit(5000, growth=0.5).of(4)
    10000.0
    """

    n_parameters: float = np.inf
    growth: float = 1.0

    def of(self, n_outputs: int) -> float:
        """Return the limit for so many outputs; two classes have one output."""
        return self.n_parameters * n_outputs**self.growth


@dataclass(frozen=True)
class Family:
    """A family of students: what ``student="auto"`` may choose, in sizes that fit a budget.

    Classifier and regressor are estimators with two further methods, which all students of this package have:

    - ``sized(n_parameters, *, n_inputs, n_outputs)`` returns an unfitted clone of at most so many parameters, or raises
      :class:`~skdistill.exceptions.StudentSizeError`;
    - ``__skdistill_compile__()`` returns a :class:`~skdistill.compiled.CompiledModel`, whose size and operations are
      compared with the budget.

    Parameters
    ----------
    classifier, regressor : estimator classes
        The classifier takes soft targets by ``fit_soft``, or is taught in another way that
        :func:`~skdistill.students.teach_classifier` knows.
    params : dict or None, default=None
        Parameters that distinguish the family from others of the same classes.
    scout : dict or None, default=None
        Parameters that make a small student of the family quick to teach. Such a student, the scout, decides whether
        larger ones are taught. ``None``: the family has no scout, and a student of the full size is always taught.
    most : ParameterLimit, default=ParameterLimit(n_parameters=inf, growth=1.0)
        Parameters of a student at most, whatever the budget.
    modest : ParameterLimit, default=ParameterLimit(n_parameters=5000, growth=0.5)
        Parameters of a student at most where the user gives no budget.
    is_automatic : bool, default=True
        Whether ``AutoStudent(families="auto")`` tries it; otherwise it must be named.
    is_bound_by_rows : bool, default=True
        Whether students have at most two parameters per row and output, and at least 500 of them. If ``False``, this
        holds only unless there are so few rows that students are cross-validated; they are then fitted at several
        sizes.

    Examples
    --------
    >>> from skdistill.students import (
    ...     CompactTreeClassifier,
    ...     CompactTreeRegressor,
    ...     Family,
    ...     ParameterLimit,
    ... )
    >>> Family(
    ...     CompactTreeClassifier,
    ...     CompactTreeRegressor,
    ...     {"n_regrowths": 0},
    ...     most=ParameterLimit(200),
    ... ).is_automatic
    True
    """

    classifier: type
    regressor: type
    params: Mapping[str, Any] | None = None
    scout: Mapping[str, Any] | None = None
    most: ParameterLimit = ParameterLimit()
    modest: ParameterLimit = ParameterLimit(5000, 0.5)
    is_automatic: bool = True
    is_bound_by_rows: bool = True

    def member(self, *, classifies: bool, n_jobs: int | None = None) -> Any:
        """Return the unfitted student, a classifier or a regressor."""
        student = (self.classifier if classifies else self.regressor)(**(self.params or {}))
        return student.set_params(n_jobs=n_jobs) if "n_jobs" in student.get_params() else student

    def most_parameters(self, n_outputs: int, *, is_modest: bool) -> float:
        """Return how many parameters a chooser gives it at most."""
        most = self.most.of(n_outputs)
        return min(most, self.modest.of(n_outputs)) if is_modest else most


_EACH_OUTPUT = ParameterLimit(5000)

FAMILIES: dict[str, Family] = {
    # more coefficients or leaves leave nothing to read
    "linear": Family(
        CompactLinearClassifier,
        CompactLinearRegressor,
        scout={"n_pairs": 0},
        most=ParameterLimit(20_000),
        modest=ParameterLimit(20_000),
    ),
    "tree": Family(
        CompactTreeClassifier,
        CompactTreeRegressor,
        {"n_regrowths": 0},
        scout={"optimize": False},
        most=ParameterLimit(200),
        modest=_EACH_OUTPUT,
    ),
    # outputs share the landmarks; more of them cost more time than they gain
    "kernel": Family(
        CompactKernelClassifier,
        CompactKernelRegressor,
        most=ParameterLimit(8000, 0),
        modest=ParameterLimit(2000, 0),
        is_automatic=False,  # it was the best on none of twelve tables
        is_bound_by_rows=False,
    ),
    "mlp": Family(
        CompactMLPClassifier, CompactMLPRegressor, {"n_knots": 0}, scout={"max_epochs": 8}, is_bound_by_rows=False
    ),
    "mlp_ple": Family(CompactMLPClassifier, CompactMLPRegressor, scout={"max_epochs": 8}, is_bound_by_rows=False),
    # trees are not shared by outputs
    "boosting": Family(
        CompactBoostingClassifier, CompactBoostingRegressor, scout={"resolve_leaves": False}, modest=_EACH_OUTPUT
    ),
    "hybrid": Family(CompactHybridClassifier, CompactHybridRegressor, is_bound_by_rows=False),
    # a chooser adds it where the trees of the teacher can be read
    "inherit": Family(
        CompactInheritedClassifier,
        CompactInheritedRegressor,
        scout={"refit": False},
        modest=_EACH_OUTPUT,
        is_automatic=False,
    ),
}
"""By name."""

FORMER_NAMES = {"network": "mlp_ple", "smooth network": "mlp"}


def register_family(name: str, family: Family) -> None:
    """Register a family of students, so that ``student="auto"`` may choose it and ``student=name`` stands for it.

    The registry is that of this process: a module that is imported wherever models are fitted is a good place for the
    call.

    Parameters
    ----------
    name : str
        Of a new family, or of one that is replaced.
    family : Family

    Raises
    ------
    StudentError
        If the name is taken by the chooser itself, or the classes lack a method.

    Examples
    --------
    >>> from skdistill import AutoStudent
    >>> from skdistill.students import (
    ...     Family,
    ...     CompactTreeClassifier,
    ...     CompactTreeRegressor,
    ...     register_family,
    ... )
    >>> family = Family(
    ...     CompactTreeClassifier,
    ...     CompactTreeRegressor,
    ...     {"max_leaf_nodes": 8},
    ...     is_automatic=False,
    ... )
    >>> register_family("small tree", family)
    >>> AutoStudent(families=["small tree", "linear"]).check()
    """
    if not isinstance(name, str) or name in ("auto", *FORMER_NAMES):
        raise StudentError(f"register_family: name={name!r}; expected a text other than 'auto' and former names.")
    if not isinstance(family, Family):
        raise StudentError(f"register_family: family={family!r}; expected a skdistill.students.Family.")
    for kind in (family.classifier, family.regressor):
        for method in ("fit", "predict", "sized", "__skdistill_compile__"):
            if not hasattr(kind, method):
                raise StudentError(
                    f"register_family: {kind!r} has no method {method}; expected an estimator class that a chooser can "
                    "size and compile. Derive it from a student of this package, or write the method."
                )
    FAMILIES[name] = family


def current_name(name: Any) -> Any:
    """Return the name of a family today."""
    return FORMER_NAMES.get(name, name) if isinstance(name, str) else name


def warn_of_former_names(who: str, names: Iterable[Any]) -> None:
    """Warn of names that families had before."""
    for name in names:
        if current_name(name) != name:
            warn_caller(
                f"{who}: the family {name!r} is now called {current_name(name)!r}. The former name will be an error in "
                "a later release.",
                FutureWarning,
            )


def scouted_families() -> list[str]:
    """Return the names of the families that a scout can speak for."""
    return [name for name, family in FAMILIES.items() if family.scout is not None]
