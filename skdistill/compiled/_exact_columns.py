"""Encoding of the columns of a raw table whose texts are compared exactly, as the encoders of scikit-learn do."""

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np

from .._coding import is_missing, is_missing_object
from .._spelling import as_objects
from ._columns import Columns


class ExactColumns(Columns):
    """Encodes raw rows for a pipeline: in some of the columns, a text only matches the category that is equal to it.

    In these columns, a missing cell has a code of its own, the number of categories, and cells that are no texts are
    unseen. If they have no category, their cells are not looked at. All other columns are those of :class:`Columns`.

    Parameters
    ----------
    categories : list of (ndarray of str or None)
        Sorted categories of each column; ``None`` for numbers and times.
    is_time : ndarray of bool, shape (n_features,)
        Mask of the columns of dates or durations.
    is_exact : ndarray of bool, shape (n_features,)
        Mask of the columns whose texts are compared exactly.

    Raises
    ------
    ValueError
        By ``encode``: if there are more or fewer columns, or if a cell of a column of numbers or dates is something
        else.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import ExactColumns
    >>> columns = ExactColumns([np.array(["1", "a"])], np.array([False]), np.array([True]))
    >>> columns.encode([["a"], [None], ["1.0"]])
    array([[ 1.],
           [ 2.],
           [nan]])
    """

    def __init__(self, categories: Sequence[np.ndarray | None], is_time: np.ndarray, is_exact: np.ndarray) -> None:
        super().__init__(categories, is_time)
        self.is_exact = is_exact

    def missing_code(self, index: int) -> int:
        """Return the code of a missing cell of a column; -1 if it has none."""
        known = self.categories[index]
        return -1 if known is None or not self.is_exact[index] else len(known)

    def _encode_column(self, values: np.ndarray, index: int) -> np.ndarray:
        code = self.missing_code(index)
        if code < 0:
            return super()._encode_column(values, index)
        if code == 0:
            return np.full(len(values), np.nan)
        cells = as_objects(values)
        encoded = self._codes(cells.tolist(), index)
        unknown = np.flatnonzero(np.isnan(encoded))  # looking up texts is faster than asking whether they are missing
        encoded[unknown[is_missing(cells[unknown])]] = code
        return encoded

    def _codes(self, cells: list[Any], index: int) -> np.ndarray:
        """Return the codes of the texts among the cells; NaN for others."""
        known = self._known[index]
        try:
            return np.fromiter(map(known.get, cells, repeat(_NAN)), dtype=np.float64, count=len(cells))
        except TypeError:  # cells such as lists have no hash
            texts = (cell if isinstance(cell, str) else None for cell in cells)
            return np.fromiter(map(known.get, texts, repeat(_NAN)), dtype=np.float64, count=len(cells))

    @cached_property
    def _known(self) -> dict[int, dict[Any, float]]:
        """The codes of the texts of the columns that are compared exactly."""
        return {
            index: {str(text): float(code) for code, text in enumerate(self._texts(index))}
            for index in np.flatnonzero(self.is_exact).tolist()
        }

    def _texts(self, index: int) -> list[str]:
        known = self.categories[index]
        return [] if known is None else known.tolist()

    def _coder(self, index: int) -> Callable[[Any], float]:
        code = self.missing_code(index)
        return super()._coder(index) if code < 0 else _coder(self._known[index], code)

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"is_exact": self.is_exact}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.is_exact = state["is_exact"]


_NAN = float("nan")


def _coder(code: dict[Any, float], missing: int) -> Callable[[Any], float]:
    if missing == 0:
        return lambda cell: _NAN  # noqa: ARG005
    of_missing = float(missing)

    def encode(cell: Any) -> float:
        if isinstance(cell, str):
            return code.get(cell, _NAN)
        return of_missing if is_missing_object(cell) else _NAN

    return encode
