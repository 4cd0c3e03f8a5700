"""Operations on the rows of tables of any library: selecting, stacking, and comparing their columns.

A table is a numpy array, a scipy sparse matrix, or an eager frame of a library that narwhals supports (pandas, polars,
pyarrow, ...). These functions do not depend on the values of cells.
"""

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np
from scipy import sparse


def is_frame(X: Any) -> bool:
    """Whether ``X`` is an eager data frame with named columns."""
    return type(X) is not np.ndarray and bool(nw.dependencies.is_into_dataframe(X))


def take_rows(X: Any, rows: np.ndarray | slice) -> Any:
    """Return the rows at the positions ``rows`` (integers or a slice) as a table of the same type and schema."""
    if is_frame(X):
        return nw.from_native(X, eager_only=True)[rows].to_native()
    return X[rows]


def take_columns(X: Any, columns: Sequence[int]) -> Any:
    """Return the columns at the positions ``columns`` as a table of the same type."""
    if is_frame(X):
        return nw.from_native(X, eager_only=True)[:, list(columns)].to_native()
    return X[:, list(columns)]


def with_column_of(X: Any, other: Any, index: int) -> Any:
    """Return the table with the cells of one column from another table of as many rows."""
    if sparse.issparse(X):
        return type(X)(sparse.hstack([X[:, :index], other[:, [index]], X[:, index + 1 :]], format="csr"))
    if not is_frame(X):
        replaced = X.copy()
        replaced[:, index] = other[:, index]
        return replaced
    frame, others = (nw.maybe_reset_index(nw.from_native(table, eager_only=True)) for table in (X, other))
    return frame.with_columns(others[:, index]).to_native()


def own_rows(X: Any) -> Any:
    """Return a copy of a table for a model of others, which may write into the rows that it is given."""
    if isinstance(X, np.ndarray):
        return X.copy(order="K")
    copied = getattr(X, "copy", None) or getattr(X, "clone", None)
    return X if copied is None else copied()


def renumber(X: Any) -> Any:
    """Return the table with its index reset, if the library has an index."""
    return nw.maybe_reset_index(nw.from_native(X, eager_only=True)).to_native() if is_frame(X) else X


def stack_rows(tables: Sequence[Any]) -> Any:
    """Concatenate the rows of tables; a single table is returned unchanged."""
    first = tables[0]
    if len(tables) == 1:
        return first
    if is_frame(first):
        tables = [without_attrs(table) for table in tables]
        frames = [nw.maybe_reset_index(nw.from_native(table, eager_only=True)) for table in tables]
        return _with_attrs_of(first, nw.maybe_reset_index(nw.concat(frames, how="vertical")).to_native())
    if sparse.issparse(first):
        return type(first)(sparse.vstack(tables, format="csr"))
    return np.concatenate(tables)


def without_attrs(X: Any) -> Any:
    """Return a pandas frame without ``attrs``, which pandas compares when it joins frames: arrays cannot be compared.

    The cells are not copied. Other tables are returned unchanged.
    """
    if not getattr(X, "attrs", None) or not nw.dependencies.is_pandas_dataframe(X):
        return X
    X = X.copy(deep=False)
    X.attrs = {}
    return X


def _with_attrs_of(first: Any, joined: Any) -> Any:
    if getattr(first, "attrs", None) and nw.dependencies.is_pandas_dataframe(joined):
        joined.attrs = first.attrs
    return joined


def library_of(X: Any) -> str:
    """Return the name of the library of a frame."""
    return type(X).__module__.split(".")[0]


def describe_mismatch(expected: Any, got: Any) -> str | None:
    """Describe how the columns of ``got`` differ from those of ``expected``; ``None`` if they are equal."""
    if is_frame(expected) != is_frame(got) or sparse.issparse(expected) != sparse.issparse(got):
        return f"a {type(got).__name__} instead of a {type(expected).__name__}"
    if is_frame(expected) and library_of(expected) != library_of(got):
        return f"a frame of {library_of(got)} instead of {library_of(expected)}"
    shape = getattr(got, "shape", None)
    if shape is None or len(shape) != 2 or shape[1] != expected.shape[1]:
        return f"shape {shape} instead of (n, {expected.shape[1]})"
    if is_frame(expected):
        old, new = (nw.from_native(frame, eager_only=True).schema for frame in (expected, got))
        if list(old) != list(new):
            return f"columns {list(new)} instead of {list(old)}"
        changed = {name: (str(new[name]), str(old[name])) for name in old if old[name] != new[name]}
        if changed:
            name, (is_now, was) = next(iter(changed.items()))
            return f"dtype {is_now} instead of {was} in column {name!r}"
        return _describe_other_categories(expected, got)
    if (expected.dtype.kind in _TEXT_KINDS) != (got.dtype.kind in _TEXT_KINDS):
        return f"dtype {got.dtype} instead of {expected.dtype}"
    return None


_TEXT_KINDS = "OUS"


def _describe_other_categories(expected: Any, got: Any) -> str | None:
    """Describe which pandas column has other categories: concatenation would convert such columns to objects."""
    if not nw.dependencies.is_pandas_dataframe(expected):
        return None
    changed = expected.columns[(expected.dtypes != got.dtypes).to_numpy()]
    return f"other categories in column {changed[0]!r}" if len(changed) else None
