"""The models inside a fitted model, and the columns that each of them reads."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor

from ..compiled._computed import OPERATIONS
from ..exceptions import CompileError
from ._cells import Column, Raw, Source
from ._structures import read_structure
from ._transformers import transformed
from ._wrappers import members_of, unwrap


class Part(NamedTuple):
    """A model without members of its own, and the columns that it reads.

    Parameters
    ----------
    model : estimator
    columns : list of Raw or Cells
        Each column of the model as a function of one column of the table.
    """

    model: Any
    columns: list[Column]


def parts_of(model: Any, n_features: int) -> list[Part]:
    """Return the models inside wrappers, pipelines and ensembles whose columns are computed from one column each.

    Parameters
    ----------
    model : object
        A fitted model of a table with ``n_features`` columns. Members behind transformers that cannot be read are
        left out; for an object of an unknown kind, the list is empty.
    n_features : int
    """
    return list(_parts(model, [Raw(Source(index, f"column {index}")) for index in range(n_features)]))


def _parts(model: Any, columns: list[Column]) -> Iterator[Part]:
    inside = unwrap(model)
    try:
        for pipeline in inside.transformers:
            for name, step in pipeline.steps:
                columns = transformed(step, columns, f"the step {name!r}")
    except (CompileError, AttributeError):  # a transformer of an unknown kind, or one that is not fitted
        return
    width = getattr(inside.model, "n_features_in_", len(columns))
    if _is_single(inside.model):
        if width == len(columns):
            yield Part(inside.model, columns)
        return
    for member in members_of(inside.model) or ():
        if hasattr(member, "predict"):
            yield from _parts(member, columns)


FORESTS = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
"""Forests whose output is the mean of their trees, which are read as one model."""


STORED = ("_fit_X", "X_fit_", "X_train_")
"""Where nearest neighbours, kernel ridge regression and Gaussian processes store the rows that they were fitted on."""


def _is_single(model: Any) -> bool:
    """Whether a fitted model is read as a whole and not by its members."""
    if isinstance(model, FORESTS):
        return hasattr(model, "estimators_")
    return any(hasattr(model, name) for name in STORED) or read_structure(model) is not None


def inverse(column: Column, cells: Any) -> tuple[Any, bool] | None:
    """Return the cells of the table that become ``cells`` of a computed column, and whether the order is the same.

    ``None`` if the column is not a monotone function of numbers.
    """
    if isinstance(column, Raw):
        return None if column.replaced else (cells, True)
    if column.other is not None:
        return None
    is_ascending = True
    for operation, operand in reversed(column.operations):
        undo = _INVERSE.get(operation)
        if undo is None:
            continue  # a maximum or a minimum moves no cell that lies inside
        is_ascending ^= operation in ("divide", "multiply") and operand < 0
        cells = undo(cells, operand)
    return cells, is_ascending


_INVERSE: dict[str, Any] = {
    "subtract": lambda cells, operand: cells + operand,
    "add": lambda cells, operand: cells - operand,
    "divide": lambda cells, operand: cells * operand,
    "multiply": lambda cells, operand: cells / operand,
}


def values_of(column: Column, values: list[Any]) -> list[float]:
    """Return the numbers that a computed column has for each of the values of its column of the table."""
    found = []
    for value in values:
        known = None if isinstance(column, Raw) else column.known.get(value, column.other)
        if known is None:
            known = _applied(column, value)
        found.append(known)
    return found


def _applied(column: Column, value: Any) -> float:
    """Return the result of the operations on a number, NaN for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return float("nan")
    for name, operand in () if isinstance(column, Raw) else column.operations:
        number = float(OPERATIONS[name](number, operand))
    return number
