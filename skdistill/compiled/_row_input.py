"""Conversion of a single row from a frame, a mapping of column names, or another column order."""

from collections.abc import Mapping, Sequence
from typing import Any

from .._coding import number_in

_SINGLE = {float, int, bool, str, type(None)}
"""Common types of cells, which need no further check."""


def as_floats(cells: Sequence[Any]) -> list[float]:
    """Return cells as Python floats, missing ones as NaN: numpy scalars would be compared at their own precision."""
    try:
        return list(map(float, cells))
    except (TypeError, ValueError):  # missing cells of other libraries and of JSON, and cells that are no numbers
        return [number_in(cell, f"CompiledModel: column {index}") for index, cell in enumerate(cells)]


def cells_of_frame(X: Any) -> list[Any] | None:
    """Return the cells of a pandas or polars frame of one row; ``None`` for more rows and for other objects."""
    if hasattr(type(X), "iloc"):
        return X.iloc[0].tolist() if len(X) == 1 else None  # 20 times faster than column by column
    return list(X.row(0)) if hasattr(type(X), "row") and len(X) == 1 else None


def column_of_frame(X: Any, place: int) -> Any:
    """Return the column at position ``place`` of a pandas or polars frame."""
    return X.iloc[:, place] if hasattr(type(X), "iloc") else X[:, place]


class Names:
    """The column names in the order of ``fit``.

    Parameters
    ----------
    names : sequence of str, or None
        ``None`` if the model was fitted without column names.
    """

    def __init__(self, names: Sequence[str] | None) -> None:
        self.known = None if names is None else [str(name) for name in names]
        self._set = frozenset(self.known or ())
        self._in_order: Any = None

    def order_in(self, given: Any) -> list[int] | None:
        """Return the positions of the names in ``given``; ``None`` if the columns are to be used in the given order.

        The result is ``None`` if the names are already in the order of ``fit``, or if they are other names.
        """
        if self.known is None or len(given) != len(self.known):
            return None
        if hasattr(type(given), "equals") and given.equals(self._in_order):
            return None  # comparing a pandas index with itself is fast, listing its names is slow
        names = given.tolist() if hasattr(given, "tolist") else list(given)
        if names == self.known:
            self._in_order = given
            return None
        place = {name: index for index, name in enumerate(names)}
        return [place[name] for name in self.known] if place.keys() == self._set else None

    def cells_of(self, row: Mapping[Any, Any]) -> list[Any]:
        """Return the cells of a row given by column name, in the order of ``fit``."""
        if self.known is None:
            raise ValueError(
                "CompiledModel: got a row by name, but the model was fitted without column names; expected cells in "
                "the column order of fit. Pass a list or an array, or fit on a data frame and compile again."
            )
        if row.keys() != self._set:
            lacking = [name for name in self.known if name not in row]
            unknown = [name for name in row if name not in self._set]
            found = (("without", lacking), ("with unknown columns", unknown))
            got = " and ".join(f"{how} {_listed(names)}" for how, names in found if names)
            raise ValueError(
                f"CompiledModel: got a row by name {got}; expected the {len(self.known)} columns of fit, "
                f"{_listed(self.known)}. Pass exactly these columns, with None for missing values."
            )
        cells = [row[name] for name in self.known]
        kinds = set(map(type, cells)) - _SINGLE
        if any(hasattr(kind, "__len__") and not issubclass(kind, str | bytes | tuple) for kind in kinds):
            raise ValueError(
                "CompiledModel: got a dict of whole columns; expected one row with a single cell per column. Pass "
                "several rows as a data frame or as a list of dicts."
            )
        return cells


def _listed(names: list[Any], most: int = 5) -> str:
    return ", ".join(map(repr, names[:most])) + (f" and {len(names) - most} more" if len(names) > most else "")
