"""The sizes of candidate students: limits that follow from the data and from the budget."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from ..exceptions import StudentError
from ..students._families import FAMILIES
from ..students._inheritable import Kind
from ._auto_student import INHERITING_FAMILY, AutoStudent

MAX_PARAMETERS_PER_ROW, MIN_PARAMETER_BOUND = 2, 500
"""The first number bounds the parameters per row and output; the resulting bound is at least the second number."""

SCOUT_PARAMETERS = 2000
"""Parameters of a small student of the first rung for one output; they grow with the root of the number of outputs."""

KERNEL_STEPS, TRIAL_KERNEL_STEPS = 40, 10
"""Number of steps by which inherited landmarks are moved, instead of 60, and number of those of candidates on many
rows, so that they take about as long as others."""


@dataclass(frozen=True)
class Terms:
    """The kind of student, its numbers of inputs, outputs and rows, and the maximum number of parameters.

    Cross-validation finds the best of several sizes, so that the number of rows need not bound them. ``inherits`` is
    what students can inherit from the teacher.
    """

    classifies: bool
    n_inputs: int
    n_outputs: int
    n_rows: int
    most_parameters: int | None = None
    n_jobs: int | None = None
    is_cross_validated: bool = False
    inherits: Kind | None = None

    def has_scout(self, family: str) -> bool:
        """Whether a small student on few rows speaks for the family.

        Hidden units of the teacher are quickly fitted and kernels slowly, so that a scout would save nothing or double
        the time.
        """
        return FAMILIES[family].scout is not None and not self._is_inherited_function(family)

    def is_bound_by_rows(self, family: str) -> bool:
        """Whether the number of rows bounds the size of students: not of those that start from a function."""
        return FAMILIES[family].is_bound_by_rows and not self._is_inherited_function(family)

    def _is_inherited_function(self, family: str) -> bool:
        return family == INHERITING_FAMILY and self.inherits in ("network", "kernel")

    def sized(self, family: str, options: AutoStudent, share: float = 1.0, *, is_modest: bool = False) -> Any:
        """Return the unfitted student of a family at the estimated size that a share of the budget allows."""
        return self.with_parameters(family, share * self.most_of(family, options, is_modest=is_modest))

    def scout(self, family: str, options: AutoStudent) -> Any:
        """Return the unfitted student that represents a family in the first rung: small and quick to fit."""
        most = self.most_of(family, options)
        quick = FAMILIES[family].scout or {}
        with suppress(StudentError):
            small = min(SCOUT_PARAMETERS * self.n_outputs**0.5, most)
            return self.with_parameters(family, small).set_params(**quick)
        return self.with_parameters(family, most).set_params(**quick)

    def has_budget(self, options: AutoStudent) -> bool:
        """Whether the user sets a budget, which the search then uses completely."""
        return options.allowed_parameters(self.most_parameters) is not None

    def with_parameters(self, family: str, n_parameters: float) -> Any:
        """Return the unfitted student of a family with at most ``n_parameters`` parameters."""
        student = FAMILIES[family].member(classifies=self.classifies, n_jobs=self.n_jobs)
        if family == INHERITING_FAMILY and self.inherits == "kernel":
            student.set_params(n_steps=KERNEL_STEPS if self.is_cross_validated else TRIAL_KERNEL_STEPS)
        return student.sized(max(int(n_parameters), 1), n_inputs=self.n_inputs, n_outputs=self.n_outputs)

    def final(self, family: str, student: Any) -> Any:
        """Return the unfitted student that a candidate of a family stands for."""
        is_kernel = family == INHERITING_FAMILY and self.inherits == "kernel"
        return clone(student).set_params(n_steps=KERNEL_STEPS) if is_kernel else student

    def most_of(
        self, family: str, options: AutoStudent, *, is_modest: bool = False, is_measured: bool = False
    ) -> float:
        """Return the maximum number of parameters of a family, given the data and the budget.

        ``is_measured`` says that the bytes of a student of the family are known.
        """
        allowed = options.allowed_parameters(self.most_parameters, is_measured=is_measured)
        is_modest = is_modest or allowed is None
        of_family = FAMILIES[family].most_parameters(self.n_outputs, is_modest=is_modest)
        of_rows = float(max(MAX_PARAMETERS_PER_ROW * self.n_rows, MIN_PARAMETER_BOUND) * self.n_outputs)
        if self.is_cross_validated and not self.is_bound_by_rows(family):
            of_rows = np.inf
        return min(of_family, of_rows, np.inf if allowed is None else allowed)
