"""Pipelines before a model: what their transformers do with each column becomes part of the compiled model."""

from typing import Any

import numpy as np

from .._spelling import Lookup
from ..compiled import Columns, CompiledModel, Computed, ExactColumns
from ..compiled._computed import OPERATIONS
from ..exceptions import CompileError
from ._cells import ADVICE, Cells, Column, Raw, Source, Table
from ._transformers import transformed
from ._wrappers import Unwrapped, columns_of_student

_NAN = float("nan")


def with_steps(model: CompiledModel, inside: Unwrapped) -> CompiledModel:
    """Return a compiled model that reads the rows of the pipelines around it; without transformers, the model itself.

    Parameters
    ----------
    model : CompiledModel
        The compiled form of ``inside.model``.
    inside : Unwrapped
        The model and the pipelines around it.

    Raises
    ------
    CompileError
        If a transformer is none of those that compute each column from a single one.
    """
    if not inside.transformers:
        return model
    sources = _sources(inside, model)
    columns: list[Column] = [Raw(source) for source in sources]
    for pipeline in inside.transformers:
        for name, step in pipeline.steps:
            columns = transformed(step, columns, f"the step {name!r}")
    seen = columns_of_student(inside.model)
    columns = columns if seen is None else [columns[place] for place in seen]
    if len(columns) != model.n_features_in_:
        raise CompileError(
            f"compile: the steps of the pipeline return {len(columns)} columns, and its model reads "
            f"{model.n_features_in_}; expected as many. Fit the pipeline again."
        )
    cells = _as_read(model, columns)
    encoder, texts = _encoder(sources, cells, model)
    names = getattr(_first(inside), "feature_names_in_", None)
    return model.reading(_computed(model, cells, texts, len(sources)), encoder, names)


def _first(inside: Unwrapped) -> Any:
    """Return the first step that knows its columns."""
    steps = [step for pipeline in inside.transformers for _, step in pipeline.steps]
    return next((step for step in steps if hasattr(step, "n_features_in_")), None)


def _sources(inside: Unwrapped, model: CompiledModel) -> list[Source]:
    first = _first(inside)
    names = getattr(first, "feature_names_in_", None)
    width = model.n_features_in_ if first is None else first.n_features_in_
    return [
        Source(index, f"column {index}" if names is None else f"the column {names[index]!r}") for index in range(width)
    ]


# ---------------------------------------------------------------------- columns of the model


def _as_read(model: CompiledModel, columns: list[Column]) -> list[Cells]:
    """Return the columns as the model reads them: as numbers, times, or codes of its own categories."""
    encoder = model.columns or Columns([None] * len(columns), np.zeros(len(columns), dtype=bool))
    if isinstance(encoder, ExactColumns):
        raise CompileError(f"compile: the last step of the pipeline is compiled with steps of its own. {ADVICE}")
    found = []
    for column, known, is_time in zip(columns, encoder.categories, encoder.is_time.tolist(), strict=True):
        if is_time:
            found.append(_unchanged(column, "time"))
        elif known is None:
            found.append(column.numbers("the last step"))
        else:
            found.append(_coded(column, Lookup(known.tolist())))
    return found


def _unchanged(column: Column, kind: Any) -> Cells:
    """Return the cells of a raw column that the encoder of the model encodes."""
    if isinstance(column, Cells) or column.replaced:
        raise CompileError(
            f"compile: the last step reads {column.source.name} as a {kind}, and steps before it change its cells. "
            f"{ADVICE}"
        )
    column.source.read_as(kind)
    return Cells(column.source)


def _coded(column: Column, lookup: Lookup) -> Cells:
    """Return the codes of categories of the model, which match cells by value."""
    if isinstance(column, Cells):
        numbers = {float(number): code for number, code in lookup.numbers.items()}
        return column.encoded(Table(numbers, _NAN, _NAN), "the last step")
    if column.replaced or column.source.kind == "text":
        return column.encoded(Table(lookup.texts, _NAN, _NAN), "the last step")
    return _unchanged(column, "category")


# ---------------------------------------------------------------------- columns of the table


def _encoder(
    sources: list[Source], cells: list[Cells], model: CompiledModel
) -> tuple[Columns | None, dict[int, dict[str, int]]]:
    """Return the encoder of raw rows, and the codes of the texts of each column of texts."""
    if all(source.kind == "number" for source in sources):
        return None, {}
    own: dict[int, np.ndarray] = {}
    texts: dict[int, set[str]] = {source.index: set() for source in sources if source.kind in (None, "text")}
    for place, column in enumerate(cells):
        if column.source.kind == "text":
            texts[column.source.index] |= set(column.known)
        elif column.source.kind == "category":
            own[column.source.index] = _same_categories(own, column.source, model, place)
    categories = own | {index: np.array(sorted(found), dtype=object) for index, found in texts.items()}
    encoder = ExactColumns(
        [categories.get(source.index) for source in sources],
        np.array([source.kind == "time" for source in sources]),
        np.array([source.index in texts for source in sources]),
    )
    codes = {index: {text: code for code, text in enumerate(categories[index].tolist())} for index in texts}
    return encoder, codes


def _same_categories(own: dict[int, np.ndarray], source: Source, model: CompiledModel, place: int) -> np.ndarray:
    """Return the categories of a column of the model; the same ones if it has the raw column twice."""
    known = model.columns.categories[place] if model.columns is not None else None
    found = own.get(source.index, known)
    if known is None or found is None or not np.array_equal(found, known):
        raise CompileError(f"compile: the last step reads {source.name} twice, with other categories. {ADVICE}")
    return found


def _computed(model: CompiledModel, cells: list[Cells], texts: dict[int, dict[str, int]], n_features: int) -> Computed:
    """Return the scorer of raw rows: keys are numbers, or codes of texts and of missing cells."""
    known = [_keys(column, texts) for column in cells]
    # the code of an unseen text is NaN, and a missing text has a code of its own
    missing = [column.other if column.source.index in texts else column.missing for column in cells]
    operations = [operation for column in cells for operation in column.operations]
    order = list(OPERATIONS)
    return Computed(
        model.scorer,
        n_features,
        source=np.array([column.source.index for column in cells], dtype=np.int64),
        missing=np.array(missing, dtype=np.float64),
        other=np.array([_NAN if column.other is None else column.other for column in cells], dtype=np.float64),
        is_constant=np.array([column.other is not None for column in cells], dtype=bool),
        n_keys=np.array([len(keys) for keys in known], dtype=np.int64),
        keys=np.array([key for keys in known for key in keys], dtype=np.float64),
        values=np.array([value for keys in known for value in keys.values()], dtype=np.float64),
        n_operations=np.array([len(column.operations) for column in cells], dtype=np.int64),
        operation=np.array([order.index(name) for name, _ in operations], dtype=np.int8),
        operand=np.array([operand for _, operand in operations], dtype=np.float64),
    )


def _keys(column: Cells, texts: dict[int, dict[str, int]]) -> dict[float, float]:
    """Return the keys of a column and their values, without those that make no difference."""
    known = {float(key): value for key, value in column.known.items()} if column.source.index not in texts else {}
    if column.source.index in texts:
        codes = texts[column.source.index]
        known = {float(codes[text]): value for text, value in column.known.items()}
        known[float(len(codes))] = column.missing
    if column.other is None:
        return known
    return {key: value for key, value in known.items() if not np.array_equal(value, column.other, equal_nan=True)}
