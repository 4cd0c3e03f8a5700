"""Scorers of columns that are computed from the columns of a row: the steps of a pipeline before its last one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from ._design import CHUNK_CELLS, dense_chunks
from ._scorer import FlatData, Scorer

Operation = Callable[..., Any]

OPERATIONS: dict[str, Operation] = {
    "subtract": np.subtract,
    "divide": np.divide,
    "multiply": np.multiply,
    "add": np.add,
    "maximum": np.maximum,
    "minimum": np.minimum,
}
"""Operations on a cell and a number, which keep NaN. ``Computed.operation`` holds positions in this dict."""

_FUNCTIONS = list(OPERATIONS.values())


@dataclass(eq=False)
class Computed(FlatData, kind="computed"):
    """A scorer of computed columns, each of which is computed from one column of the row.

    The first rule that applies gives the cell of a computed column: a missing cell becomes ``missing``; a cell that is
    equal to a key becomes the value of the key; in a constant column, every other cell becomes ``other``; otherwise
    operations are applied one after the other, in double precision. They are not combined, so that the result is the
    same double as that of the transformers of a pipeline, and a row at a threshold takes the same side.

    Parameters
    ----------
    scorer : Scorer
        Scorer of the computed columns.
    n_features : int
        Columns of a row.
    source : ndarray of int, shape (n_computed,)
        The column that each computed column is computed from.
    missing, other : ndarray of float64, shape (n_computed,)
        Results for missing cells and, in constant columns, for cells that are no key.
    is_constant : ndarray of bool, shape (n_computed,)
        Mask of the columns that take the values of keys, ``missing`` and ``other`` only.
    n_keys : ndarray of int, shape (n_computed,)
        Number of keys of each computed column.
    keys, values : ndarray of float64, shape (n_keys.sum(),)
        Keys and their values, those of the first computed column first.
    n_operations : ndarray of int, shape (n_computed,)
        Number of operations of each computed column.
    operation : ndarray of int, shape (n_operations.sum(),)
        Positions in subtract, divide, multiply, add, maximum and minimum.
    operand : ndarray of float64, shape (n_operations.sum(),)
        The second operands.

    Examples
    --------
    A missing cell is replaced by 4, then 1 is subtracted:

    >>> import numpy as np
    >>> from skdistill.compiled import Computed, Linear
    >>> none = np.zeros(0)
    >>> computed = Computed(
    ...     Linear(np.array([[10.0]]), np.zeros(1)),
    ...     n_features=1,
    ...     source=np.array([0]),
    ...     missing=np.array([3.0]),
    ...     other=np.array([np.nan]),
    ...     is_constant=np.array([False]),
    ...     n_keys=np.array([0]),
    ...     keys=none,
    ...     values=none,
    ...     n_operations=np.array([1]),
    ...     operation=np.array([0]),
    ...     operand=np.array([1.0]),
    ... )
    >>> computed.scores(np.array([[3.0], [np.nan]]))
    array([[20.],
           [30.]])
    """

    scorer: Scorer
    n_features: int
    source: np.ndarray
    missing: np.ndarray
    other: np.ndarray
    is_constant: np.ndarray
    n_keys: np.ndarray
    keys: np.ndarray
    values: np.ndarray
    n_operations: np.ndarray
    operation: np.ndarray
    operand: np.ndarray

    @property
    def base(self) -> np.ndarray:
        """Constant that is added to each output, of shape (n_outputs,)."""
        return self.scorer.base

    @property
    def n_parameters(self) -> int:
        """Number of learned parameters: those of the scorer, operands, and keys with their values."""
        return self.scorer.n_parameters + len(self.operand) + 2 * len(self.keys)

    @property
    def n_ops(self) -> int:
        """Number of operations per row; a column of keys takes one."""
        return self.scorer.n_ops + len(self.operand) + int(np.count_nonzero(self.n_keys))

    def scores(self, X: Any, n_jobs: int = 1) -> np.ndarray:
        """Return the scores, of shape (n_rows, n_outputs), as float64."""
        most_rows = max(CHUNK_CELLS // max(len(self.source), 1), 1)
        scores = np.empty((X.shape[0], len(self.base)))
        for rows, cells in dense_chunks(X if hasattr(X, "toarray") else np.asarray(X), most_rows):
            scores[rows] = self.scorer.scores(self.columns(cells), n_jobs)
        return scores

    def scaled(self, factor: Any, shift: Any = 0.0) -> Self:
        """Return a copy whose scores are multiplied by ``factor``, plus ``shift``."""
        return replace(self, scorer=self.scorer.scaled(factor, shift))

    def stored_as(self, dtype: Any) -> Self:
        """Return a copy whose scorer is rounded to at most this precision; computed columns are never rounded."""
        return replace(self, scorer=self.scorer.stored_as(dtype))

    # ------------------------------------------------------------------ columns

    def columns(self, cells: np.ndarray) -> np.ndarray:
        """Return the computed columns of dense rows, of shape (n_rows, n_computed), as float64."""
        cells = cells.astype(np.float64, copy=False)
        computed = np.empty((len(cells), len(self.source)))
        for group in self._alike:
            group.write(cells, computed)
        for table in self._tables:
            table.write(cells[:, table.source], computed)
        return computed

    @cached_property
    def _alike(self) -> list["_Alike"]:
        """The columns that are not constant, grouped by their operations."""
        groups: dict[tuple[int, ...], list[int]] = {}
        of_column = dict(enumerate(self.each()))
        for place in np.flatnonzero(~self.is_constant).tolist():
            operation = tuple(of_column[place].operation.tolist())
            groups.setdefault(operation, []).append(place)
        return [_Alike.of([of_column[place] for place in places], places) for places in groups.values()]

    @cached_property
    def _tables(self) -> list["_Table"]:
        """The constant columns, grouped by their source."""
        groups: dict[int, list[int]] = {}
        of_column = dict(enumerate(self.each()))
        for place in np.flatnonzero(self.is_constant).tolist():
            groups.setdefault(of_column[place].source, []).append(place)
        return [_Table.of([of_column[place] for place in places], places) for places in groups.values()]

    def each(self) -> Iterator["ComputedColumn"]:
        """Yield the computed columns one by one."""
        key, step = (np.append(0, np.cumsum(counts)).tolist() for counts in (self.n_keys, self.n_operations))
        for place, source in enumerate(self.source.tolist()):
            keys = slice(key[place], key[place + 1])
            steps = slice(step[place], step[place + 1])
            yield ComputedColumn(
                source=source,
                missing=float(self.missing[place]),
                other=float(self.other[place]) if self.is_constant[place] else None,
                keys=self.keys[keys],
                values=self.values[keys],
                operation=self.operation[steps],
                operand=self.operand[steps],
            )


@dataclass(frozen=True)
class ComputedColumn:
    """One computed column; ``other`` is ``None`` if it is not constant."""

    source: int
    missing: float
    other: float | None
    keys: np.ndarray
    values: np.ndarray
    operation: np.ndarray
    operand: np.ndarray


@dataclass(frozen=True)
class _Alike:
    """Columns with the same operations on different numbers."""

    place: Any
    source: Any
    """Positions, as those in ``place`` a slice if they are consecutive."""
    missing: np.ndarray
    operation: list[int]
    operand: list[np.ndarray]
    keyed: list[tuple[int, float, float]]
    """Position, key and value of each key."""

    @classmethod
    def of(cls, columns: list[ComputedColumn], places: list[int]) -> Self:
        return cls(
            place=_as_slice(places),
            source=_as_slice([column.source for column in columns]),
            missing=np.array([column.missing for column in columns]),
            operation=columns[0].operation.tolist(),
            operand=list(np.array([column.operand for column in columns]).T),
            keyed=[
                (position, key, value)
                for position, column in enumerate(columns)
                for key, value in zip(column.keys.tolist(), column.values.tolist(), strict=True)
            ],
        )

    def write(self, cells: np.ndarray, computed: np.ndarray) -> None:
        """Write the computed columns of rows."""
        given = found = cells[:, self.source]
        out = computed[:, self.place] if isinstance(self.place, slice) else np.empty(given.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            for operation, operand in zip(self.operation, self.operand, strict=True):
                found = _FUNCTIONS[operation](found, operand, out=out)
        if found is given:
            out[:] = given
        for position, key, value in self.keyed:
            out[given[:, position] == key, position] = value
        if not np.isnan(self.missing).all():
            np.copyto(out, self.missing, where=np.isnan(given))
        if not isinstance(self.place, slice):
            computed[:, self.place] = out


@dataclass(frozen=True)
class _Table:
    """Constant columns of one source: what each key changes in a row of them."""

    source: int
    place: np.ndarray
    missing: np.ndarray
    other: np.ndarray
    key: np.ndarray
    """Sorted distinct keys."""
    changed: np.ndarray
    """Positions that a key changes, of shape (most_changes, n_keys); -1 for none."""
    value: np.ndarray
    """Of shape (most_changes, n_keys)."""

    @classmethod
    def of(cls, columns: list[ComputedColumn], places: list[int]) -> Self:
        changes: dict[float, list[tuple[int, float]]] = {}
        for column, place in zip(columns, places, strict=True):
            for key, value in zip(column.keys.tolist(), column.values.tolist(), strict=True):
                changes.setdefault(key, []).append((place, value))
        key = np.array(sorted(changes), dtype=np.float64)
        most = max(map(len, changes.values()), default=0)
        changed, value = np.full((most, len(key)), -1), np.zeros((most, len(key)))
        for index, of_key in enumerate(changes[number] for number in key.tolist()):
            changed[: len(of_key), index] = [place for place, _ in of_key]
            value[: len(of_key), index] = [number for _, number in of_key]
        missing, other = (np.array([getattr(column, name) for column in columns]) for name in ("missing", "other"))
        return cls(columns[0].source, np.array(places), missing, other, key, changed, value)

    def write(self, cells: np.ndarray, computed: np.ndarray) -> None:
        """Write the computed columns of the cells of the source."""
        place = _as_slice(self.place.tolist())
        computed[:, place] = self.other
        if len(self.key):
            nearest = np.minimum(np.searchsorted(self.key, cells), len(self.key) - 1)
            is_known = self.key[nearest] == cells
            for changed, value in zip(self.changed, self.value, strict=True):
                rows = np.flatnonzero(is_known & (changed[nearest] >= 0))
                computed[rows, changed[nearest[rows]]] = value[nearest[rows]]
        is_missing = np.isnan(cells)
        if is_missing.any():
            computed[np.flatnonzero(is_missing)[:, None], self.place] = self.missing


def _as_slice(places: list[int]) -> Any:
    """Return consecutive positions as a slice, which is copied to faster, and others as an array."""
    first, last = places[0], places[-1]
    return slice(first, last + 1) if places == list(range(first, last + 1)) else np.array(places)
