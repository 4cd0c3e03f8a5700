"""One row in the shapes that people hold it in: by name, as a row of a frame, in another order."""

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from .._coding import is_missing_object

_SINGLE = {float, int, bool, str, type(None)}
"""Types of most cells, which need no second look."""


def as_floats(cells: Sequence[Any]) -> list[float]:
    """Return cells as Python's floats, missing ones as NaN: numpy's scalars would be compared in their precision."""
    try:
        return list(map(float, cells))
    except TypeError:  # of missing cells, as other libraries and JSON have them
        return [float("nan") if is_missing_object(cell) else float(cell) for cell in cells]


def cells_of_frame(X: Any) -> list[Any] | None:
    """Return the cells of a frame of one row; ``None`` for more rows, and for what is no frame of pandas or polars."""
    if hasattr(type(X), "iloc"):
        return X.iloc[0].tolist() if len(X) == 1 else None  # a twentieth of what its columns take, one by one
    return list(X.row(0)) if hasattr(type(X), "row") and len(X) == 1 else None


def column_of_frame(X: Any, place: int) -> Any:
    """Return the column at a place of a frame that :func:`cells_of_frame` knows."""
    return X.iloc[:, place] if hasattr(type(X), "iloc") else X[:, place]


class Names:
    """The names of columns in the order of the fit.

    Parameters
    ----------
    names : sequence of str, or None
        ``None`` where the fit has seen none.
    """

    def __init__(self, names: Sequence[str] | None) -> None:
        self.known = None if names is None else [str(name) for name in names]
        self._set = frozenset(self.known or ())
        self._in_order: Any = None

    def order_in(self, given: Any) -> list[int] | None:
        """Return at which places of ``given`` the names stand; ``None`` to take columns as they come.

        That is where they stand in their order, and where other names are given: those say nothing of the order.
        """
        if self.known is None or len(given) != len(self.known):
            return None
        if hasattr(type(given), "equals") and given.equals(self._in_order):
            return None  # an index of pandas knows itself at once, while its names take longer than a row
        names = given.tolist() if hasattr(given, "tolist") else list(given)
        if names == self.known:
            self._in_order = given
            return None
        place = {name: index for index, name in enumerate(names)}
        return [place[name] for name in self.known] if place.keys() == self._set else None

    def cells_of(self, row: Mapping[Any, Any]) -> list[Any]:
        """Return the cells of a row by name, in order."""
        if self.known is None:
            raise ValueError(
                "CompiledModel: got a row by name, but the model was fitted without names of columns; expected cells "
                "in the order of the fit. Pass them as a list or an array, or fit on a frame and compile again."
            )
        if row.keys() != self._set:
            lacking = [name for name in self.known if name not in row]
            unknown = [name for name in row if name not in self._set]
            found = (("without", lacking), ("with the unknown", unknown))
            got = " and ".join(f"{how} {_listed(names)}" for how, names in found if names)
            raise ValueError(
                f"CompiledModel: got a row by name {got}; expected the {len(self.known)} columns of the fit, "
                f"{_listed(self.known)}. Pass each of them, None where the cell is missing, and nothing else."
            )
        cells = [row[name] for name in self.known]
        kinds = set(map(type, cells)) - _SINGLE
        if any(hasattr(kind, "__len__") and not issubclass(kind, str | bytes | tuple) for kind in kinds):
            raise ValueError(
                "CompiledModel: got a dict of whole columns; expected one row, a single cell for each name. Pass many "
                "rows as a frame, or as a list of such dicts."
            )
        return cells

    def packed(self) -> bytes | None:
        """Return the names in few bytes."""
        return None if self.known is None else zlib.compress(json.dumps(self.known).encode(), 9)

    @classmethod
    def unpacked(cls, packed: bytes | None) -> "Names":
        """Undo :meth:`packed`."""
        return cls(None if packed is None else json.loads(zlib.decompress(packed)))


def _listed(names: list[Any], most: int = 5) -> str:
    return ", ".join(map(repr, names[:most])) + (f" and {len(names) - most} more" if len(names) > most else "")
