"""Encoding of tables of any kind as matrices of floats, for distances, trees and networks."""

import copy
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

import narwhals as nw
import numpy as np
from scipy import sparse

from ._coding import are_times, is_duration, is_missing, is_numeric, microseconds, numbers_in
from ._spelling import Lookup, sorted_categories
from ._tables import is_frame

_NUMERIC_KINDS = "biuf"

MAX_CACHED_CELLS = 20_000_000
"""Maximum number of encoded cells that :func:`encoded_once` caches; the oldest arrays are dropped first."""

Result = TypeVar("Result")

MAX_COMMON_CATEGORIES, MIN_CATEGORY_ROWS = 100, 5
"""In columns with more categories than the first, categories with fewer rows than the second count as unseen."""

MIN_KEY_CATEGORIES = 20
"""Minimum number of categories of a column of keys. In a column of fewer, categories may all occur once by chance."""

MAX_DENSE_CATEGORIES = 2000
"""Maximum number of categories of a column for students with a dense input for each of them."""


class TableEncoder:
    """Encode each column of a table as floats: numbers unchanged, dates in microseconds, categories as codes.

    Missing cells become NaN. The categories are the sorted spellings of the cells seen in ``fit``
    (:func:`~skdistill._spelling.spelled`), and cells match them by value; an unknown category is encoded as missing.
    Strings are categories even if they represent numbers. A column of other Python objects is judged by its cells: it
    holds dates if all of them are dates, and numbers if all of them can be converted to floats. Columns that are
    declared as categories are categories whatever their cells.

    Attributes
    ----------
    categories_ : list of (ndarray of str) or None
        For each column, its sorted categories; ``None`` for a column of numbers or dates. Encoders of students know
        common categories only, and of a column with more than 2,000, the most frequent are first.
    is_category_ : ndarray of bool, shape (n_features,)
        Mask of the columns that are encoded as category codes.
    is_time_ : ndarray of bool, shape (n_features,)
        Mask of the columns of dates or durations, which are encoded in microseconds.
    is_swap_only_ : ndarray of bool, shape (n_features,)
        Mask of the columns that samplers may swap but not interpolate: all but integers and floats.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill._encoding import TableEncoder
    >>> X = np.array([["b", 1.5], ["a", None], ["b", 3]], dtype=object)
    >>> TableEncoder().fit(X).transform(X)
    array([[1. , 1.5],
           [0. , nan],
           [1. , 3. ]])
    """

    def fit(self, X: Any, declared: Sequence[int] = ()) -> "TableEncoder":
        """Learn the kind of each column and its categories.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
        declared : sequence of int, default=()
            Positions of columns that hold categories whatever their cells; none if ``X`` is sparse.
        """
        n_features = X.shape[1]
        self.categories_: list[np.ndarray | None] = [None] * n_features
        self.is_swap_only_, self.is_time_ = np.zeros((2, n_features), dtype=bool)
        is_plain = sparse.issparse(X) or (not is_frame(X) and X.dtype.kind in _NUMERIC_KINDS)
        self.is_plain_ = is_plain and not len(declared)
        if is_plain:
            self.is_swap_only_[:] = X.dtype.kind == "b"
        columns = _columns_of(X)
        dtypes = [X.dtype] * n_features if columns is X else list(columns.schema.values())
        for index in declared if is_plain else range(n_features):
            self._learn_column(columns, index, dtypes[index], is_declared=index in declared)
        self.is_category_ = np.array([categories is not None for categories in self.categories_], dtype=bool)
        return self

    def _learn_column(self, columns: Any, index: int, dtype: Any, *, is_declared: bool) -> None:
        """Learn the kind of a column and its categories."""
        if not isinstance(dtype, np.dtype) and dtype in (nw.List, nw.Array, nw.Struct):
            raise ValueError(
                f"column {_name_of(columns, index)} has dtype {dtype}, with several values in a cell; expected one. "
                "Split it into one column for each value."
            )
        values, missing = _column(columns, index)
        present = values[~missing]
        self.is_swap_only_[index] = is_declared or not _is_number_dtype(dtype)
        if is_declared or _holds_categories(dtype, present):
            self.categories_[index] = sorted_categories(present)
        else:
            self.is_time_[index] = _is_time_dtype(dtype) or are_times(present)

    def transform(self, X: Any) -> Any:
        """Return the encoded table, of the shape of ``X``, as float64; float32 and sparse matrices are kept.

        Raises
        ------
        ValueError
            If a column of numbers contains cells that are no numbers, or a column of dates cells that are no dates.
        """
        if sparse.issparse(X) or (self.is_plain_ and not is_frame(X) and X.dtype.kind in _NUMERIC_KINDS):
            return X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)
        return once(TableEncoder._encode_columns, self, X)

    def _encode_columns(self, X: Any) -> np.ndarray:
        """Return the encoded table if it is not a numeric array."""
        encoded, columns = np.empty(X.shape), _columns_of(X)
        at_once = _numbers_at_once(columns, ~self.is_swap_only_)
        if at_once is not None:
            encoded[:, ~self.is_swap_only_] = at_once
        for index in range(X.shape[1]) if at_once is None else np.flatnonzero(self.is_swap_only_):
            encoded[:, index] = self._encode_column(columns, int(index))
        return encoded

    def _encode_column(self, columns: Any, index: int) -> np.ndarray:
        """Return one column as floats: NaN for missing cells and unknown categories."""
        values, missing = _column(columns, index)
        codes, present = np.full(len(values), np.nan), values[~missing]
        if self.categories_[index] is not None:
            codes[~missing] = self._lookup(index).codes(present)
        else:
            convert = microseconds if self.is_time_[index] else numbers_in
            codes[~missing] = convert(present, f"column {_name_of(columns, index)}")
        return codes

    def _lookup(self, index: int) -> Lookup:
        """Return the codes of the categories of a column, which are built once."""
        lookups: dict[int, Lookup] = self.__dict__.setdefault("_lookups", {})
        if index not in lookups:
            lookups[index] = Lookup(self.categories_[index])  # type: ignore[arg-type]
        return lookups[index]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lookups"}


class _Cache:
    """Results of functions by the identity of their arguments; the oldest are dropped above a number of cells.

    ``declared`` holds the positions of the columns that were declared as categories.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._lock, self._n_cells = Lock(), 0
        self.declared: tuple[int, ...] = ()

    def get(self, key: tuple[Any, ...]) -> Any:
        """Return a result in a tuple; ``None`` if there is none."""
        return self._found.get(key)

    def put(self, key: tuple[Any, ...], *entry: Any) -> None:
        """Store a result and its arguments, whose ids stay valid while they are stored."""
        with self._lock:
            if key in self._found:  # another thread was faster
                return
            self._found[key] = entry
            self._n_cells += _count_cells(entry)
            while self._n_cells > MAX_CACHED_CELLS and len(self._found) > 1:
                self._n_cells -= _count_cells(self._found.pop(next(iter(self._found))))


def _count_cells(entry: tuple[Any, ...]) -> int:
    """Count the cells of tables, and of the tables of transfer sets."""
    tables = [getattr(thing, "X", thing) for thing in entry]
    return sum(math.prod(table.shape) for table in tables if len(getattr(table, "shape", ())) == 2)


@contextmanager
def encoded_once() -> Iterator[None]:
    """Cache encoders and encoded tables until the block ends, so that each table is encoded once.

    The tables must not be modified inside the block. Threads share the cache if they run in a copy of the context.
    """
    token = _cache.set(_Cache())
    try:
        yield
    finally:
        _cache.reset(token)


def once(function: Callable[..., Result], *arguments: Any) -> Result:
    """Call a function; within :func:`encoded_once`, the result for the same argument objects and tuples is cached."""
    cache = _cache.get()
    if cache is None:
        return function(*arguments)
    key = (function, *(given if type(given) is tuple else id(given) for given in arguments))
    found = cache.get(key)
    if found is not None:
        return found[0]
    result = function(*arguments)
    cache.put(key, result, *arguments)
    return result


def declare(columns: Sequence[int]) -> None:
    """Declare columns as categories for all encoders of raw tables until the block of :func:`encoded_once` ends."""
    cache = _cache.get()
    if cache is not None:
        cache.declared = tuple(columns)


def declared_here() -> tuple[int, ...]:
    """Return the columns that :func:`declare` has declared within the current block; none outside."""
    cache = _cache.get()
    return () if cache is None else cache.declared


def fit_table_encoder(X: Any, declared: tuple[int, ...] | None = None) -> TableEncoder:
    """Return a fitted encoder of a table; it may be shared and must not be modified.

    ``declared`` are the columns that are declared as categories; ``None`` means those of :func:`declare`.
    """
    return once(_fit_table_encoder, X, declared_here() if declared is None else declared)


def _fit_table_encoder(X: Any, declared: tuple[int, ...]) -> TableEncoder:
    return TableEncoder().fit(X, declared)


def find_among(X: Any, others: Any) -> np.ndarray:
    """Return a mask of the rows of ``X`` that also occur in ``others``; both are dense and have the same columns."""
    encoder = TableEncoder().fit(X)
    rows, known = (_as_keys(encoder.transform(table)) for table in (X, others))
    return np.isin(rows, known)


def find_repeated(X: Any) -> np.ndarray:
    """Return a mask of the rows of a dense table that occur more than once."""
    _, inverse, counts = np.unique(
        _as_keys(TableEncoder().fit(X).transform(X)), return_inverse=True, return_counts=True
    )
    return counts[inverse.reshape(-1)] > 1


def _as_keys(encoded: np.ndarray) -> np.ndarray:
    """Return each encoded row as one value that can be compared."""
    table = np.ascontiguousarray(encoded + 0.0, dtype=np.float64)
    return table.view(np.dtype((np.void, table.itemsize * table.shape[1])))[:, 0]


def find_durations(X: Any) -> np.ndarray:
    """Return a mask of the columns of durations."""
    if not is_frame(X) and X.dtype.kind != "O":
        return np.full(X.shape[1], X.dtype.kind == "m")
    columns, places = _columns_of(X), range(X.shape[1])
    dtypes = list(columns.schema.values()) if is_frame(X) else [nw.Object] * X.shape[1]
    return np.array([dtypes[place] == nw.Duration or _holds_durations(columns, place) for place in places])


def _holds_durations(columns: Any, index: int) -> bool:
    """Whether the cells of a column of objects are durations."""
    if isinstance(columns, nw.DataFrame) and columns[:, index].dtype != nw.Object:
        return False
    values, missing = _column(columns, index)
    present = values[~missing]
    return are_times(present) and is_duration(present[0])


@contextmanager
def columns_ignored(n_features: int, columns: Collection[int]) -> Iterator[None]:
    """Let encoders of students know no category of the given columns of tables with ``n_features`` columns."""
    token = _ignored.set((n_features, frozenset(columns)))
    try:
        yield
    finally:
        _ignored.reset(token)


@dataclass(frozen=True)
class WithDeclarations:
    """A function that is called in another process with the columns that are declared and ignored here.

    Parameters
    ----------
    function : callable
    declared : tuple of int
    ignored : tuple of (int, frozenset of int)
    """

    function: Callable[[Any], Any]
    declared: tuple[int, ...]
    ignored: tuple[int, frozenset[int]]

    @classmethod
    def here(cls, function: Callable[[Any], Any]) -> "WithDeclarations":
        """Return a function with what is declared in the current block."""
        return cls(function, declared_here(), _ignored.get())

    def __call__(self, item: Any) -> Any:
        """Call the function with one argument."""
        with encoded_once(), columns_ignored(*self.ignored):
            declare(self.declared)
            return self.function(item)


def fit_encoder(X: Any, declared: tuple[int, ...] | None = None) -> TableEncoder:
    """Return the encoder of a table, without the rare categories of columns that have many, and without ignored ones.

    The categories of a column of names or keys would take memory in the student and improve no prediction. ``declared``
    is that of :func:`fit_table_encoder`.
    """
    return once(_fit_encoder, X, declared_here() if declared is None else declared)


def _fit_encoder(X: Any, declared: tuple[int, ...]) -> TableEncoder:
    encoder = fit_table_encoder(X, declared)
    known = [np.zeros(0) if categories is None else categories for categories in encoder.categories_]
    ignored = {index for index in _ignored_in(X) if len(known[index]) >= MIN_KEY_CATEGORIES}
    wide = [index for index, categories in enumerate(known) if len(categories) > MAX_COMMON_CATEGORIES]
    if not wide and not ignored:
        return encoder
    cells, encoder = encoder.transform(X), copy.copy(encoder)
    encoder.categories_ = list(encoder.categories_)
    for index in ignored:
        encoder.categories_[index] = known[index][:0]
    for index in sorted(set(wide) - ignored):
        codes = cells[:, index]
        counts = np.bincount(codes[~np.isnan(codes)].astype(np.intp), minlength=len(known[index]))
        common = np.flatnonzero(counts >= MIN_CATEGORY_ROWS)
        if len(common) > MAX_DENSE_CATEGORIES:
            common = common[np.argsort(-counts[common], kind="stable")]
        encoder.categories_[index] = known[index][common]
    return encoder


def _ignored_in(X: Any) -> frozenset[int]:
    """Return the positions of the columns to be ignored; none if a step of a pipeline has changed their number."""
    n_features, ignored = _ignored.get()
    return ignored if X.shape[1] == n_features else frozenset()


def with_dense_categories(encoder: TableEncoder) -> TableEncoder:
    """Return the encoder that knows no more categories of a column than dense inputs should have, the most frequent."""
    widest = max((0 if known is None else len(known) for known in encoder.categories_), default=0)
    if widest <= MAX_DENSE_CATEGORIES:
        return encoder
    encoder = copy.copy(encoder)
    encoder.categories_ = [None if known is None else known[:MAX_DENSE_CATEGORIES] for known in encoder.categories_]
    return encoder


_cache: ContextVar[_Cache | None] = ContextVar("cache", default=None)
_ignored: ContextVar[tuple[int, frozenset[int]]] = ContextVar("ignored", default=(0, frozenset()))


def _numbers_at_once(columns: Any, is_number: np.ndarray) -> np.ndarray | None:
    """Return all numeric columns in one conversion if possible, which is fast for single rows."""
    if not is_number.any():
        return None
    numbers = columns if is_number.all() else columns[:, np.flatnonzero(is_number).tolist()]
    if isinstance(columns, nw.DataFrame) and columns.implementation.is_polars() and _has_wide_integers(numbers):
        return None
    values = numbers.to_numpy() if isinstance(columns, nw.DataFrame) else numbers
    return values if values.dtype.kind in _NUMERIC_KINDS else None


def _has_wide_integers(numbers: nw.DataFrame[Any]) -> bool:
    """Whether a frame has integers that numpy has not; among the libraries only polars has them."""
    return any(dtype in _WIDE_INTEGERS for dtype in numbers.schema.values())


def _columns_of(X: Any) -> Any:
    """Return a frame as a narwhals frame, and an array unchanged."""
    return nw.from_native(X, eager_only=True) if is_frame(X) else X


def _column(columns: Any, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of one column and a mask of the missing ones."""
    if isinstance(columns, nw.DataFrame):
        series = columns[:, index]
        missing = series.is_null().to_numpy()
        dtype = series.dtype  # takes microseconds
        if dtype in _WIDE_INTEGERS:
            series = series.cast(nw.Float64)
        if dtype == nw.String or dtype == nw.Categorical:
            values = series.to_numpy() if dtype == nw.String else _values_of_categories(series)
            return values, missing.astype(bool)
        values = series.to_numpy()
    else:
        values, missing = columns[:, index], np.zeros(len(columns), dtype=bool)
    return values, missing.astype(bool) | is_missing(values)


def _values_of_categories(series: Any) -> np.ndarray:
    """Return categories as objects; via the codes in pandas, where a missing cell would turn integers into floats."""
    if not series.implementation.is_pandas_like():
        return series.to_numpy()
    native = series.to_native().cat
    return np.append(np.asarray(native.categories.astype(object)), np.array([None]))[np.asarray(native.codes)]


def _name_of(columns: Any, index: int) -> str:
    """Return the name of a column, or its position, for messages."""
    return repr(columns.columns[index]) if isinstance(columns, nw.DataFrame) else str(index)


_WIDE_INTEGERS = (nw.Int128, nw.UInt128)
"""Integers that numpy has not."""

_IS_TEXT = np.frompyfunc(lambda cell: isinstance(cell, str), 1, 1)


def _is_number_dtype(dtype: Any) -> bool:
    """Whether a dtype of narwhals or numpy is integer or float."""
    return dtype.kind in "iuf" if isinstance(dtype, np.dtype) else bool(dtype.is_numeric())


def _is_time_dtype(dtype: Any) -> bool:
    """Whether a dtype of narwhals or numpy is a date or a duration."""
    return dtype.kind in "mM" if isinstance(dtype, np.dtype) else dtype in (nw.Date, nw.Datetime, nw.Duration)


def _holds_categories(dtype: Any, present: np.ndarray) -> bool:
    """Whether the non-missing cells of a column are categories: strings, or objects that are no dates or numbers."""
    if not isinstance(dtype, np.dtype) and dtype in (nw.String, nw.Categorical, nw.Enum):
        return True
    if present.dtype.kind == "O":
        return not are_times(present) and (bool(_IS_TEXT(present).any()) or not is_numeric(present))
    return present.dtype.kind not in _NUMERIC_KINDS + "mM"
