"""Encoding of tables of any kind as matrices of floats, for distances, trees and networks."""

import copy
import math
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any, TypeVar

import narwhals as nw
import numpy as np
from scipy import sparse

from ._coding import category_codes, is_missing, microseconds, sorted_categories
from ._tables import is_frame

_NUMERIC_KINDS = "biuf"

MAX_CACHED_CELLS = 20_000_000
"""Maximum number of encoded cells that :func:`encoded_once` caches; the oldest arrays are dropped first."""

Result = TypeVar("Result")

MAX_COMMON_CATEGORIES, MIN_CATEGORY_ROWS = 100, 5
"""In columns with more categories than the first, categories with fewer rows than the second count as unseen."""

MAX_DENSE_CATEGORIES = 2000
"""Maximum number of categories of a column for students with a dense input for each of them."""


class TableEncoder:
    """Encode each column of a table as floats: numbers unchanged, dates in microseconds, categories as codes.

    Missing cells become NaN. The categories are the sorted strings seen in ``fit``; an unknown category is encoded as
    missing. Strings are categories even if they represent numbers; a column of other Python objects is numeric if all
    of them can be converted to floats.

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

    def fit(self, X: Any) -> "TableEncoder":
        """Learn the kind of each column and its categories; ``X`` is any table of shape (n_samples, n_features)."""
        n_features = X.shape[1]
        self.categories_: list[np.ndarray | None] = [None] * n_features
        self.is_swap_only_, self.is_time_ = np.zeros((2, n_features), dtype=bool)
        self.is_plain_ = sparse.issparse(X) or (not is_frame(X) and X.dtype.kind in _NUMERIC_KINDS)
        if self.is_plain_:
            self.is_swap_only_[:] = X.dtype.kind == "b"
        else:
            columns = _columns_of(X)
            for index in range(n_features):
                values, missing = _column(columns, index)
                self.is_time_[index] = values.dtype.kind in "mM"
                if _holds_categories(columns, index, values[~missing]):
                    self.categories_[index] = sorted_categories(values[~missing])
                self.is_swap_only_[index] = not _is_number_column(columns, index)
        self.is_category_ = np.array([categories is not None for categories in self.categories_], dtype=bool)
        return self

    def transform(self, X: Any) -> Any:
        """Return the encoded table, of the shape of ``X``, as float64; float32 and sparse matrices are kept."""
        if sparse.issparse(X) or (self.is_plain_ and not is_frame(X)):
            return X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)
        return once(TableEncoder._encode_columns, self, X)

    def _encode_columns(self, X: Any) -> np.ndarray:
        """Return the encoded table if ``X`` is not a numeric array."""
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
        codes = np.full(len(values), np.nan)
        present, categories = values[~missing], self.categories_[index]
        if categories is None:
            is_time = present.dtype.kind in "mM"
            if not is_time and not _is_numeric(present):
                raise ValueError(
                    f"column {index} contains {present[0]!r}; expected numbers, as in fit. Convert it to numbers."
                )
            codes[~missing] = microseconds(present) if is_time else present.astype(np.float64)
        else:
            codes[~missing] = category_codes(present, categories)
        return codes


class _Cache:
    """Results of functions by the identity of their arguments; the oldest are dropped above a number of cells."""

    def __init__(self) -> None:
        self._found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self._lock, self._n_cells = Lock(), 0

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
    """Call a function; within :func:`encoded_once`, the result for the same argument objects is cached."""
    cache = _cache.get()
    if cache is None:
        return function(*arguments)
    key = (function, *map(id, arguments))
    found = cache.get(key)
    if found is not None:
        return found[0]
    result = function(*arguments)
    cache.put(key, result, *arguments)
    return result


def fit_table_encoder(X: Any) -> TableEncoder:
    """Return a fitted encoder of a table; it may be shared and must not be modified."""
    return once(_fit_table_encoder, X)


def _fit_table_encoder(X: Any) -> TableEncoder:
    return TableEncoder().fit(X)


def find_among(X: Any, others: Any) -> np.ndarray:
    """Return a mask of the rows of ``X`` that also occur in ``others``; both are dense and have the same columns."""
    encoder = TableEncoder().fit(X)
    tables = (np.ascontiguousarray(encoder.transform(table) + 0.0, dtype=np.float64) for table in (X, others))
    rows, known = (table.view(np.dtype((np.void, table.itemsize * table.shape[1])))[:, 0] for table in tables)
    return np.isin(rows, known)


def find_durations(X: Any) -> np.ndarray:
    """Return a mask of the columns of durations."""
    if is_frame(X):
        return np.array([dtype == nw.Duration for dtype in nw.from_native(X, eager_only=True).schema.values()])
    return np.full(X.shape[1], X.dtype.kind == "m")


@contextmanager
def columns_ignored(n_features: int, columns: Collection[int]) -> Iterator[None]:
    """Let encoders of students know no category of the given columns of tables with ``n_features`` columns."""
    token = _ignored.set((n_features, frozenset(columns)))
    try:
        yield
    finally:
        _ignored.reset(token)


def fit_encoder(X: Any) -> TableEncoder:
    """Return the encoder of a table, without the rare categories of columns that have many, and without ignored ones.

    The categories of a column of names or keys would take memory in the student and improve no prediction.
    """
    return once(_fit_encoder, X)


def _fit_encoder(X: Any) -> TableEncoder:
    encoder = fit_table_encoder(X)
    known = [np.zeros(0) if categories is None else categories for categories in encoder.categories_]
    wide = [index for index, categories in enumerate(known) if len(categories) > MAX_COMMON_CATEGORIES]
    if not wide:
        return encoder
    cells, encoder = encoder.transform(X), copy.copy(encoder)
    encoder.categories_ = list(encoder.categories_)
    n_features, ignored = _ignored.get()
    for index in wide:
        if index in ignored and X.shape[1] == n_features:  # a step of a pipeline may change the columns
            encoder.categories_[index] = known[index][:0]
            continue
        codes = cells[:, index]
        counts = np.bincount(codes[~np.isnan(codes)].astype(np.intp), minlength=len(known[index]))
        common = np.flatnonzero(counts >= MIN_CATEGORY_ROWS)
        if len(common) > MAX_DENSE_CATEGORIES:
            common = common[np.argsort(-counts[common], kind="stable")]
        encoder.categories_[index] = known[index][common]
    return encoder


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
    """Return all numeric columns of a frame in one conversion if possible, which is fast for single rows."""
    if not isinstance(columns, nw.DataFrame) or not is_number.any():
        return None
    values = (columns if is_number.all() else columns[:, np.flatnonzero(is_number).tolist()]).to_numpy()
    return values if values.dtype.kind in _NUMERIC_KINDS else None


def _columns_of(X: Any) -> Any:
    """Return a frame as a narwhals frame, and an array unchanged."""
    return nw.from_native(X, eager_only=True) if is_frame(X) else X


def _column(columns: Any, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of one column and a mask of the missing ones."""
    if isinstance(columns, nw.DataFrame):
        series = columns[:, index]
        missing = series.is_null().to_numpy()
        if series.dtype == nw.String:
            return series.to_numpy(), missing.astype(bool)
        values = _spelled(series) if series.dtype == nw.Categorical else series.to_numpy()
    else:
        values, missing = columns[:, index], np.zeros(len(columns), dtype=bool)
    return values, missing.astype(bool) | is_missing(values)


def _spelled(series: Any) -> np.ndarray:
    """Return categories as strings; via the codes in pandas, where a missing cell would turn integers into floats."""
    if not series.implementation.is_pandas_like():
        return series.to_numpy()
    native = series.to_native().cat
    return np.append(np.asarray(native.categories).astype(str), "")[np.asarray(native.codes)]


_IS_TEXT = np.frompyfunc(lambda cell: isinstance(cell, str), 1, 1)


def _is_number_column(columns: Any, index: int) -> bool:
    """Whether the dtype of a column is integer or float."""
    if isinstance(columns, nw.DataFrame):
        return bool(columns[:, index].dtype.is_numeric())
    return columns.dtype.kind in "iuf"


def _holds_categories(columns: Any, index: int, present: np.ndarray) -> bool:
    """Whether the non-missing cells of a column are categories: strings, or objects that are not numbers."""
    if isinstance(columns, nw.DataFrame) and columns[:, index].dtype in (nw.String, nw.Categorical, nw.Enum):
        return True
    if present.dtype.kind == "O":
        return bool(_IS_TEXT(present).any()) or not _is_numeric(present)
    return present.dtype.kind not in _NUMERIC_KINDS + "mM"


def _is_numeric(values: np.ndarray) -> bool:
    try:
        values.astype(np.float64)
    except (TypeError, ValueError):
        return False
    return True
