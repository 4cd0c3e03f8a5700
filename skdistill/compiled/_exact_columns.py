"""Encoding of the columns of a raw table whose texts are compared exactly, as the encoders of scikit-learn do."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from .._coding import is_missing, is_missing_object
from .._spelling import Lookup
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
        if code == 0:
            return np.full(len(values), np.nan)
        encoded = super()._encode_column(values, index)
        if code > 0:
            encoded[is_missing(values)] = code
        return encoded

    @cached_property
    def _lookups(self) -> list[Lookup | None]:
        return [
            None if known is None else (_ExactLookup if self.is_exact[index] else Lookup)(known.tolist())
            for index, known in enumerate(self.categories)
        ]

    def _coder(self, index: int) -> Callable[[Any], float]:
        code = self.missing_code(index)
        return super()._coder(index) if code < 0 else _coder(self._lookups[index], code)

    def __getstate__(self) -> dict[str, Any]:
        return super().__getstate__() | {"is_exact": self.is_exact}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.is_exact = state["is_exact"]


class _ExactLookup(Lookup):
    """The codes of texts by the texts themselves."""

    @cached_property
    def texts(self) -> dict[str, float]:
        return self._exact

    @cached_property
    def numbers(self) -> dict[float, float]:
        return {}

    def code(self, cell: Any) -> float:
        return self._exact.get(cell, _NAN) if isinstance(cell, str) else _NAN


_NAN = float("nan")


def _coder(lookup: Lookup | None, missing: int) -> Callable[[Any], float]:
    if lookup is None or missing == 0:
        return lambda cell: _NAN  # noqa: ARG005
    code, of_missing = lookup.texts, float(missing)

    def encode(cell: Any) -> float:
        if isinstance(cell, str):
            return code.get(cell, _NAN)
        return of_missing if is_missing_object(cell) else _NAN

    return encode
