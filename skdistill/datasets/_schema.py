"""The columns of a dataset: their names, dtypes and categories, merged over the chunks that were read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
from scipy import sparse

from .._tables import is_frame, library_of

_NUMBER_KINDS = "biuf"


class SchemaMismatchError(Exception):
    """The columns of a chunk are not those of the chunks before; the text says how they differ."""


@dataclass(frozen=True)
class Column:
    """A column of a frame.

    Attributes
    ----------
    name : str
    dtype : narwhals.dtypes.DType
    categories : tuple or None
        Categories of a categorical column of pandas, in the order of their first chunk.
    is_ordered : bool
        Whether the categories of pandas are ordered.
    is_empty : bool
        Whether all cells so far are missing: the dtype is then that of any other chunk.
    """

    name: str
    dtype: Any
    categories: tuple[Any, ...] | None = None
    is_ordered: bool = False
    is_empty: bool = False


@dataclass(frozen=True)
class Schema:
    """The columns of frames, or the width and the dtype of arrays.

    Attributes
    ----------
    library : str
        Library of the frames, ``"numpy"`` or ``"scipy"``.
    columns : tuple of Column
        Columns of frames.
    width : int
        Number of columns.
    dtype : numpy.dtype or None
        Dtype of arrays and sparse matrices.
    """

    library: str
    columns: tuple[Column, ...]
    width: int
    dtype: Any = None

    @classmethod
    def of(cls, table: Any) -> "Schema":
        """Return the schema of one table."""
        if not is_frame(table):
            return cls("scipy" if sparse.issparse(table) else "numpy", (), table.shape[1], table.dtype)
        frame = nw.from_native(table, eager_only=True)
        columns = tuple(_column_of(frame, name) for name in frame.columns)
        return cls(library_of(table), columns, len(columns))

    def merged(self, table: Any) -> "Schema":
        """Return the schema of the chunks so far and of one more.

        Numbers of different widths get their common dtype, categories are joined, and a column without a cell fits any
        dtype.

        Raises
        ------
        SchemaMismatchError
            If the columns of the chunk are others, or if a dtype does not fit.
        """
        self._check_kind(table)
        if not is_frame(table):
            return replace(self, dtype=_common_dtype(self.dtype, table.dtype))
        frame = nw.from_native(table, eager_only=True)
        if list(frame.columns) != [column.name for column in self.columns]:
            self._raise_other_columns(list(frame.columns))
        dtypes = frame.schema
        columns = tuple(
            column if _is_settled(column, dtypes[column.name]) else _merge(column, frame) for column in self.columns
        )
        return self if columns == self.columns else replace(self, columns=columns)

    def joined(self, other: "Schema") -> "Schema":
        """Return the schema of the chunks so far and of others, of which only the schema is here.

        Raises
        ------
        SchemaMismatchError
            As :meth:`merged`.
        """
        if other.library != self.library:
            raise SchemaMismatchError(f"a table of {other.library} instead of a table of {self.library}")
        if not self.columns:
            if other.width != self.width:
                raise SchemaMismatchError(f"shape (n, {other.width}) instead of (n, {self.width})")
            return replace(self, dtype=_common_dtype(self.dtype, other.dtype))
        names = [column.name for column in other.columns]
        if names != [column.name for column in self.columns]:
            self._raise_other_columns(names)
        columns = tuple(_join(known, new) for known, new in zip(self.columns, other.columns, strict=True))
        return self if columns == self.columns else replace(self, columns=columns)

    def conformed(self, table: Any) -> Any:
        """Return a chunk with the dtypes and categories of all chunks.

        Raises
        ------
        SchemaMismatchError
            If it has other columns, dtypes or categories than the chunks that the schema was merged from.
        """
        after = self.merged(table)
        if after != self:
            raise SchemaMismatchError(after._describe_new(self))
        if not is_frame(table):
            return table if table.dtype == self.dtype else table.astype(self.dtype)
        frame = nw.from_native(table, eager_only=True)
        dtypes = frame.schema
        changed = [
            _cast(frame[column.name], column)
            for column in self.columns
            if column.categories is not None or dtypes[column.name] != column.dtype
        ]
        return frame.with_columns(*changed).to_native() if changed else table

    def _check_kind(self, table: Any) -> None:
        """Raise an error for a table of another type, or for an array of another width."""
        library = library_of(table) if is_frame(table) else ("scipy" if sparse.issparse(table) else "numpy")
        if library != self.library:
            raise SchemaMismatchError(f"a {type(table).__name__} of {library} instead of a table of {self.library}")
        if not is_frame(table) and (len(table.shape) != 2 or table.shape[1] != self.width):
            raise SchemaMismatchError(f"shape {table.shape} instead of (n, {self.width})")

    def _raise_other_columns(self, names: list[str]) -> None:
        known = [column.name for column in self.columns]
        missing = [name for name in known if name not in names]
        new = [name for name in names if name not in known]
        parts = ([f"lacks the columns {missing}"] if missing else []) + ([f"has the columns {new}"] if new else [])
        text = " and ".join(parts) or f"has its columns in the order {names}"
        raise SchemaMismatchError(f"it {text}, unlike the chunks before")

    def _describe_new(self, before: "Schema") -> str:
        """Describe the first difference to the schema before, after both were merged."""
        if self.dtype != before.dtype:
            return f"dtype {self.dtype} instead of {before.dtype}"
        new, old = next((new, old) for new, old in zip(self.columns, before.columns, strict=True) if new != old)
        if new.categories != old.categories:
            unknown = [each for each in new.categories or () if each not in (old.categories or ())]
            return f"the categories {unknown[:5]} in column {new.name!r}, which were not there before"
        return f"dtype {new.dtype} instead of {old.dtype} in column {new.name!r}"


def _column_of(frame: Any, name: str) -> Column:
    series = frame[name]
    categories, is_ordered = _categories_of(series)
    return Column(name, series.dtype, categories, is_ordered, _is_all_missing(series))


def _categories_of(series: Any) -> tuple[tuple[Any, ...] | None, bool]:
    """Return the categories of a column of pandas, and whether they are ordered."""
    if series.dtype not in (nw.Categorical, nw.Enum) or not series.implementation.is_pandas():
        return None, False
    native = series.to_native().cat
    return tuple(native.categories.tolist()), bool(native.ordered)


def _is_all_missing(series: Any) -> bool:
    return bool(series.is_null().all())


def _is_settled(column: Column, dtype: Any) -> bool:
    """Whether a column of this dtype changes nothing."""
    return not column.is_empty and column.categories is None and dtype == column.dtype


def _merge(column: Column, frame: Any) -> Column:
    """Return a column with the dtype and the categories of one more chunk."""
    return _join(column, _column_of(frame, column.name))


def _join(column: Column, new: Column) -> Column:
    """Return a column with the dtype and the categories of both."""
    if new.is_empty or column.is_empty:
        known, empty = (column, new) if new.is_empty else (new, column)
        return replace(known, dtype=_with_missing(known.dtype, empty.dtype), is_empty=known.is_empty)
    if new.categories is not None and column.categories is not None:
        added = [each for each in new.categories if each not in set(column.categories)]
        if column.is_ordered and added:
            raise SchemaMismatchError(f"other ordered categories in column {column.name!r}: {added[:5]} are new")
        return replace(column, categories=(*column.categories, *added))
    if new.dtype == column.dtype:
        return column
    common = _common(column.dtype, new.dtype)
    if common is None:
        raise SchemaMismatchError(f"dtype {new.dtype} instead of {column.dtype} in column {column.name!r}")
    return replace(column, dtype=common)


def _with_missing(dtype: Any, of_missing: Any) -> Any:
    """Return the dtype of a column that has chunks without a cell; pandas holds them as floats or objects."""
    if dtype.is_integer() and of_missing.is_float():
        return nw.Float64()
    return nw.Object() if dtype == nw.Boolean and of_missing == nw.Object else dtype


def _common(first: Any, second: Any) -> Any:
    """Return the common dtype of two numbers, or of booleans and objects of pandas; ``None`` if there is none."""
    if nw.Object in (first, second) and all(each in (nw.Object, nw.Boolean, nw.String) for each in (first, second)):
        return nw.Object()
    if not (_is_plain_number(first) and _is_plain_number(second)):
        return None
    common = np.result_type(str(first).lower(), str(second).lower())
    return getattr(nw, {"u": "UInt", "i": "Int", "f": "Float"}[common.kind] + str(8 * common.itemsize))()


def _is_plain_number(dtype: Any) -> bool:
    """Whether numpy has the dtype."""
    return (dtype.is_integer() or dtype.is_float()) and "128" not in str(dtype)


def _common_dtype(first: Any, second: Any) -> Any:
    """Return the common dtype of two arrays."""
    if first == second:
        return first
    are_numbers = first.kind in _NUMBER_KINDS and second.kind in _NUMBER_KINDS
    if are_numbers or (first.kind == second.kind and first.kind in "USmM"):  # texts of different lengths, times
        return np.result_type(first, second)
    raise SchemaMismatchError(f"dtype {second} instead of {first}")


def _cast(series: Any, column: Column) -> Any:
    """Return a column of a chunk with the dtype and the categories of all chunks."""
    native = series.to_native()
    if column.dtype == nw.Object:  # only pandas has objects, and narwhals cannot cast to them
        return nw.from_native(native.astype(object), series_only=True)
    if _is_all_missing(series) and series.dtype != column.dtype and column.categories is None:
        nothing: list[None] = [None] * len(series)
        return nw.new_series(column.name, nothing, column.dtype, backend=series.implementation)
    if column.categories is None:
        return series.cast(column.dtype)
    if not hasattr(native, "cat"):  # all cells are missing
        native = native.astype(object).astype("category")
    native = native.cat.set_categories(list(column.categories), ordered=column.is_ordered)
    return nw.from_native(native, series_only=True)


def names_in(schema: Schema | None) -> Sequence[str] | None:
    """Return the column names of frames."""
    return None if schema is None or not schema.columns else [column.name for column in schema.columns]
