"""Readers of the fitted transformers of scikit-learn that compute each column from a single one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from inspect import getattr_static
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.frozen import FrozenEstimator
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils.validation import check_is_fitted

from .._described import with_article
from ..exceptions import CompileError
from ._cells import ADVICE, Cells, Column, Raw, Table, is_missing_value

_NAN = float("nan")


def transformed(transformer: Any, columns: list[Column], who: str) -> list[Column]:
    """Return the columns after a fitted transformer.

    Parameters
    ----------
    transformer : transformer, "passthrough" or "drop"
    columns : list of Column
    who : str
        The name of the step, for errors.

    Raises
    ------
    CompileError
        If the transformer is none of those that can be read.
    """
    if isinstance(transformer, FrozenEstimator):
        return transformed(transformer.estimator, columns, who)
    if isinstance(transformer, str) or transformer is None:
        return [] if transformer == "drop" else columns
    read = next((reader for kind, reader in _READERS if _is_a(transformer, kind)), None)
    if read is None or (_is_a(transformer, FunctionTransformer) and transformer.func is not None):
        what = " with a function" if isinstance(transformer, FunctionTransformer) else ""
        raise CompileError(
            f"compile: {who} of the pipeline is {with_article(transformer)}{what}; expected {_EXPECTED}. {ADVICE}"
        )
    if not isinstance(transformer, Pipeline | FeatureUnion | FunctionTransformer):
        check_is_fitted(transformer)
    width = getattr(transformer, "n_features_in_", None)
    if width is not None and width != len(columns):
        raise CompileError(
            f"compile: {who} of the pipeline was fitted on {width} columns and gets {len(columns)}; expected as many. "
            "Fit the pipeline again."
        )
    return read(transformer, columns, who)


def _is_a(transformer: Any, kind: type) -> bool:
    """Whether a transformer is of a kind, and of no subclass that transforms in another way."""
    own = getattr_static(type(transformer), "transform", None)
    return isinstance(transformer, kind) and own is getattr_static(kind, "transform")


# ---------------------------------------------------------------------- several transformers


def _pipeline(pipeline: Pipeline, columns: list[Column], who: str) -> list[Column]:
    for name, step in pipeline.steps:
        columns = transformed(step, columns, _inner(who, name))
    return columns


def _inner(who: str, name: str) -> str:
    return f"the step {name!r}" if not who else f"{who[:-1]}__{name}'"


def _union(union: FeatureUnion, columns: list[Column], who: str) -> list[Column]:
    weights = union.transformer_weights or {}
    found: list[Column] = []
    for name, part in union.transformer_list:
        found += _weighted(transformed(part, columns, _inner(who, name)), weights.get(name), who)
    is_sparse = any(isinstance(column, Cells) and column.is_sparse for column in found)
    return _as_sparse(found, who) if is_sparse else found


def _column_transformer(transformer: ColumnTransformer, columns: list[Column], who: str) -> list[Column]:
    weights = transformer.transformer_weights or {}
    names = list(getattr(transformer, "feature_names_in_", ()))
    found: list[Column] = []
    remaining = dict.fromkeys(range(len(columns)))
    for index, (name, part, chosen) in enumerate(transformer.transformers_):
        is_remainder = index == len(transformer.transformers)
        places = list(remaining) if is_remainder else positions(chosen, names, len(columns))
        remaining = {place: None for place in remaining if place not in places}
        of_part = [columns[place] for place in places]
        if of_part:
            found += _weighted(transformed(part, of_part, _inner(who, name)), weights.get(name), who)
    return _as_sparse(found, who, is_sparse=transformer.sparse_output_)


def _as_sparse(columns: list[Column], who: str, *, is_sparse: bool = True) -> list[Column]:
    """Return the columns as parts of a sparse matrix, or of a table."""
    if is_sparse:
        return [replace(column.numbers(who), is_sparse=True) for column in columns]
    return [replace(column, is_sparse=False) if isinstance(column, Cells) else column for column in columns]


def _weighted(columns: list[Column], weight: float | None, who: str) -> Sequence[Column]:
    if weight is None:
        return columns
    return [column.numbers(who).after("multiply", float(weight)) for column in columns]


def positions(chosen: Any, names: list[str], n_columns: int) -> list[int]:
    """Return the positions of the columns that a column transformer selects by position, name, slice or mask."""
    if isinstance(chosen, slice):
        start, stop = (names.index(end) if isinstance(end, str) else end for end in (chosen.start, chosen.stop))
        stop = stop + 1 if isinstance(chosen.stop, str) else stop  # slices of names include their end
        return list(range(n_columns))[slice(start, stop, chosen.step)]
    given: list[Any] = [chosen] if isinstance(chosen, str | Real) else list(chosen)
    if given and all(isinstance(place, bool | np.bool_) for place in given):
        return [place for place, is_chosen in enumerate(given) if is_chosen]
    return [names.index(place) if isinstance(place, str) else range(n_columns)[place] for place in given]


def _same(transformer: Any, columns: list[Column], who: str) -> list[Column]:  # noqa: ARG001
    return columns


def _selected(selector: Any, columns: list[Column], who: str) -> list[Column]:  # noqa: ARG001
    return [columns[place] for place in np.flatnonzero(selector.get_support())]


# ---------------------------------------------------------------------- scalers


def _standard(scaler: StandardScaler, columns: list[Column], who: str) -> list[Column]:
    mean = scaler.mean_ if scaler.with_mean else None
    return _arithmetic(columns, who, ("subtract", mean), ("divide", scaler.scale_ if scaler.with_std else None))


def _robust(scaler: RobustScaler, columns: list[Column], who: str) -> list[Column]:
    center = scaler.center_ if scaler.with_centering else None
    return _arithmetic(columns, who, ("subtract", center), ("divide", scaler.scale_ if scaler.with_scaling else None))


def _min_max(scaler: MinMaxScaler, columns: list[Column], who: str) -> list[Column]:
    ends = scaler.feature_range if scaler.clip else (None, None)
    steps = ("multiply", scaler.scale_), ("add", scaler.min_), ("maximum", ends[0]), ("minimum", ends[1])
    return _arithmetic(columns, who, *steps)


def _max_abs(scaler: MaxAbsScaler, columns: list[Column], who: str) -> list[Column]:
    ends = (-1.0, 1.0) if getattr(scaler, "clip", False) else (None, None)
    return _arithmetic(columns, who, ("divide", scaler.scale_), ("maximum", ends[0]), ("minimum", ends[1]))


def _arithmetic(columns: list[Column], who: str, *steps: tuple[str, Any]) -> list[Column]:
    """Return the columns after operations with a number each, or one for all; ``None`` skips an operation."""
    found = [column.numbers(who) for column in columns]
    for operation, operands in steps:
        if operands is not None:
            of_each = np.broadcast_to(np.asarray(operands, dtype=np.float64), len(found)).tolist()
            found = [cells.after(operation, operand) for cells, operand in zip(found, of_each, strict=True)]
    return list(found)


# ---------------------------------------------------------------------- missing cells


def _imputed(imputer: SimpleImputer, columns: list[Column], who: str) -> list[Column]:
    found = [
        _filled(column, imputer.missing_values, value, who)
        for column, value in zip(columns, imputer.statistics_, strict=True)
        if imputer.keep_empty_features or not (isinstance(value, float) and value != value)
    ]
    if imputer.add_indicator:
        found += _missing(imputer.indicator_, columns, who)
    return found


def _filled(column: Column, missing: Any, value: Any, who: str) -> Column:
    """Return a column with missing cells replaced; what replaces them tells texts from numbers."""
    if value is None:  # the most frequent cell of a column of texts
        return column
    if isinstance(column, Raw) and isinstance(value, str):
        column.source.read_as("text")
        key = None if is_missing_value(missing) else str(missing)
        replaced = {text: str(value) if other == key else other for text, other in column.replaced.items()}
        return Raw(column.source, {key: str(value)} | replaced)
    cells = column.numbers(who)
    if is_missing_value(missing):
        return cells.filled(float(value))
    return cells.replacing(float(missing), float(value), who)


def _missing(indicator: MissingIndicator, columns: list[Column], who: str) -> list[Column]:
    value = indicator.missing_values
    chosen = indicator.features_ if indicator.features == "missing-only" else range(len(columns))
    found: list[Column] = []
    for column in (columns[place] for place in chosen):
        is_text = isinstance(column, Raw) and (column.source.kind == "text" or isinstance(value, str))
        given = column if is_text else column.numbers(who)
        found.append(_indicator(given, [value], who))
    return found


def _indicator(column: Column, values: Iterable[Any], who: str) -> Cells:
    """Return 1 for cells with one of the values, and 0 for others."""
    values = list(values)
    of_missing = float(any(map(is_missing_value, values)))
    entries = {_key(value): 1.0 for value in values if not is_missing_value(value)}
    if isinstance(column, Cells) and column.operations and not entries:  # whether a number is missing can be seen later
        column = Cells(column.source, column.known, column.missing, column.other)
    return column.encoded(Table(entries, of_missing, 0.0), who)


def _key(value: Any) -> Any:
    return str(value) if isinstance(value, str) else float(value)


# ---------------------------------------------------------------------- categories


class _Group(NamedTuple):
    """Categories that one output of an encoder stands for."""

    categories: list[Any]
    has_unseen: bool = False


def _one_hot(encoder: OneHotEncoder, columns: list[Column], who: str) -> list[Column]:
    found: list[Column] = []
    for place, column in enumerate(columns):
        categories = _categories(encoder, place)
        groups = _groups(categories, _infrequent(encoder, place), encoder.handle_unknown)
        dropped = None if encoder.drop_idx_ is None else encoder.drop_idx_[place]
        if dropped is not None:
            groups = [group for group in groups if not _contains(group.categories, categories[int(dropped)])]
        given = _readable(column, categories, who)
        found += [_group_indicator(given, group, categories, who) for group in groups]
    return _as_sparse(found, who, is_sparse=encoder.sparse_output)


def _group_indicator(column: Column, group: _Group, categories: list[Any], who: str) -> Cells:
    if not group.has_unseen:
        return _indicator(column, group.categories, who)
    others = [category for category in categories if not _contains(group.categories, category)]
    zeros = {_key(category): 0.0 for category in others if not is_missing_value(category)}
    return column.encoded(Table(zeros, float(not any(map(is_missing_value, others))), 1.0), who)


def _ordinal(encoder: OrdinalEncoder, columns: list[Column], who: str) -> list[Column]:
    found: list[Column] = []
    unseen = float(encoder.unknown_value) if encoder.handle_unknown == "use_encoded_value" else _NAN
    for place, column in enumerate(columns):
        categories = _categories(encoder, place)
        present = [category for category in categories if category is None or not is_missing_value(category)]
        groups = _groups(present, _infrequent(encoder, place), encoder.handle_unknown)
        codes = {category: float(code) for code, group in enumerate(groups) for category in group.categories}
        missing = codes.pop(None, unseen)
        if len(present) < len(categories):
            missing = float(encoder.encoded_missing_value)
        entries = {_key(category): code for category, code in codes.items()}
        found.append(_readable(column, categories, who).encoded(Table(entries, missing, unseen), who))
    return found


def _categories(encoder: Any, place: int) -> list[Any]:
    """Return the categories of a column as Python objects; times as times, since nanoseconds would become integers."""
    found = encoder.categories_[place]
    return (found.astype(f"{found.dtype.kind}8[us]") if found.dtype.kind in "mM" else found).tolist()


def _infrequent(encoder: Any, place: int) -> list[Any] | None:
    """Return the infrequent categories of a column; ``None`` if there are none."""
    if encoder.min_frequency is None and encoder.max_categories is None:
        return None
    found = encoder.infrequent_categories_[place]
    return None if found is None else found.tolist()


def _groups(categories: list[Any], infrequent: list[Any] | None, handle_unknown: str) -> list[_Group]:
    """Return the outputs of an encoder: each frequent category, then all infrequent ones together."""
    if infrequent is None:
        return [_Group([category]) for category in categories]
    frequent = [category for category in categories if not _contains(infrequent, category)]
    has_unseen = handle_unknown in ("infrequent_if_exist", "warn")
    return [*(_Group([category]) for category in frequent), _Group(infrequent, has_unseen)]


def _contains(categories: list[Any], category: Any) -> bool:
    if is_missing_value(category):
        return any(map(is_missing_value, categories))
    return category in categories


def _readable(column: Column, categories: list[Any], who: str) -> Column:
    """Return the column as texts if the categories are texts, and as numbers if they are numbers."""
    present = [category for category in categories if not is_missing_value(category)]
    if all(isinstance(category, str) for category in present):
        is_empty = not present and (isinstance(column, Cells) or column.source.kind == "number")
        if isinstance(column, Raw) and not is_empty:
            return column
        if present:
            raise CompileError(f"compile: {who} reads numbers of {column.source.name} as texts; expected texts.")
    if any(not isinstance(category, Real) for category in present):
        odd = next(category for category in present if not isinstance(category, Real))
        raise CompileError(
            f"compile: {who} has the category {odd!r} of {column.source.name}; expected texts only, or numbers only. "
            f"{ADVICE}"
        )
    return column.numbers(who)


_READERS: tuple[tuple[type, Callable[[Any, list[Column], str], list[Column]]], ...] = (
    (Pipeline, _pipeline),
    (FeatureUnion, _union),
    (ColumnTransformer, _column_transformer),
    (FunctionTransformer, _same),
    (StandardScaler, _standard),
    (RobustScaler, _robust),
    (MinMaxScaler, _min_max),
    (MaxAbsScaler, _max_abs),
    (SimpleImputer, _imputed),
    (MissingIndicator, _missing),
    (OneHotEncoder, _one_hot),
    (OrdinalEncoder, _ordinal),
    (SelectorMixin, _selected),
)

_EXPECTED = (
    "StandardScaler, MinMaxScaler, MaxAbsScaler, RobustScaler, SimpleImputer, MissingIndicator, OneHotEncoder, "
    "OrdinalEncoder, ColumnTransformer, FeatureUnion, FunctionTransformer without a function, a selector of features, "
    "or a pipeline of these"
)
