"""Datasets as models take them: with the columns and the kind of table that a model was fitted on."""

from collections.abc import Iterator, Sequence
from typing import Any

from ._chunked_table import ChunkedTable, named
from ._recognition import as_dataset
from ._schema import Schema, names_in


def for_model(X: Any, model: Any, others: Sequence[str] = ()) -> ChunkedTable:
    """Return a dataset with the columns and the kind of table that a fitted model expects.

    Columns that the dataset was given (``as_dataset(..., columns=)``) and its kind of table stay. Otherwise, only the
    columns that the model knows by name are read, and a model that was fitted on arrays is given arrays.

    Parameters
    ----------
    X : dataset
    model : object
        A fitted model; it may have ``feature_names_in_`` and ``n_features_in_``.
    others : sequence of str, default=()
        Columns that are not features, such as true labels.
    """
    dataset, known = as_dataset(X), _names_of(model)
    names = dataset.column_names if dataset.column_names is not None else _names_in_first(dataset)
    if dataset.columns is None and names is not None:
        dataset = dataset.select(_wanted(names, known, model, others))
    is_of_arrays = known is None and hasattr(model, "n_features_in_")
    return dataset.converted_to("numpy") if dataset.kind is None and names is not None and is_of_arrays else dataset


def answers_by_chunk(X: Any, model: Any, method: str) -> Iterator[Any]:
    """Return an iterator over the answers of a method of a model for each chunk of a dataset."""
    return _answers(for_model(X, model), getattr(model, method))


def _answers(dataset: ChunkedTable, answer: Any) -> Iterator[Any]:
    for chunk in dataset.chunks():
        with named(dataset.name, chunk.partition):
            answers = answer(chunk.table)
        yield answers


def _names_of(model: Any) -> list[str] | None:
    known = getattr(model, "feature_names_in_", None)
    return None if known is None else [str(name) for name in known]


def _names_in_first(dataset: ChunkedTable) -> list[str] | None:
    """Return the column names of the first chunk, if it can be read again and is a frame."""
    if not dataset.source.is_repeatable or getattr(dataset.source, "is_array", False):
        return None
    names = names_in(Schema.of(dataset.first_table()))
    return None if names is None else list(names)


def _wanted(names: list[str], known: list[str] | None, model: Any, others: Sequence[str]) -> list[str]:
    """Return the columns to read: those that the model knows, or that its student sees; otherwise all but others."""
    if known is None:
        return [name for name in names if name not in others]
    of_student = [str(name) for name in getattr(model, "student_columns_", [])]
    is_narrow = of_student and not set(known) <= set(names) and set(of_student) <= set(names)
    return of_student if is_narrow else known
