"""What the students of a fit see of a table, and which constraints they keep."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from .._declared_columns import is_from_dtype
from .._encoding import declared_here, once
from .._tables import take_columns
from ..students._student import CompactStudent


@dataclass(frozen=True, eq=False)
class StudentView:
    """Columns and constraints of students; the teacher sees all columns.

    Attributes
    ----------
    columns : tuple of int or None, default=None
        Positions of the columns that students see, in ascending order; ``None`` means all.
    monotonic_cst : ndarray of int or None, default=None
        Directions of these columns, as compact students accept them.
    interaction_cst : list of list of int or None, default=None
        Sets of these columns that may interact.
    """

    columns: tuple[int, ...] | None = None
    monotonic_cst: np.ndarray | None = None
    interaction_cst: list[list[int]] | None = None

    def rows(self, X: Any) -> Any:
        """Return the columns of a table that students see; within a fit, each table is narrowed once."""
        return X if self.columns is None else once(take_columns, X, self.columns)

    def positions(self, columns: Any) -> list[int]:
        """Return the positions of columns of the whole table among those that students see, without the others."""
        if self.columns is None:
            return list(columns)
        return [self.columns.index(column) for column in columns if column in self.columns]

    def prepared(self, student: Any) -> Any:
        """Return a student with the constraints, and with the columns that this fit declares as categories.

        A compact student that declares its own columns keeps these.
        """
        cst = {"monotonic_cst": self.monotonic_cst, "interaction_cst": self.interaction_cst}
        params: dict[str, Any] = {name: value for name, value in cst.items() if value is not None}
        declared = self.positions(declared_here())
        is_open = is_from_dtype(getattr(student, "categorical_features", None))
        if declared and isinstance(student, CompactStudent) and is_open:
            params["categorical_features"] = declared
        return clone(student).set_params(**params) if params else student


WHOLE = StudentView()
"""All columns, and no constraint."""
