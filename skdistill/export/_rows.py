"""Rows on which an exported model is compared with its model: at thresholds, missing, unseen, huge and tiny."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from .._coding import is_date, is_duration, is_missing_object, naive_utc
from .._spelling import spelled
from ..compiled import Columns, CompiledModel
from ..compiled._columns import columns_of, names_of_frame
from ..compiled._row_input import Names
from ._computed import near_of
from ._program import Column, Inputs, Program, Trees

N_DRAWN = 400
"""Number of rows that are drawn."""

MAX_GIVEN = 2000
"""Maximum number of rows of ``X``; of more rows, this many at equal distances are compared."""

HUGE = 1e12
"""Rows with larger numbers are compared relative to their own outputs."""

MAX_NEAR = 150
"""Maximum number of thresholds of a column that cells are drawn beside."""

ODD_NUMBERS = (0.0, -0.0, 5e-324, -1e-310, 1e-35, 1e-7, 16777217.0, -1e15, 3.4028235e38, 3.5e38, -1e300, 1e300)
"""Numbers that languages may read, round or compare in their own way."""

EPOCH, MOST_MICROSECONDS = dt.datetime(1970, 1, 1), 6e16


@dataclass(frozen=True)
class Rows:
    """Raw rows, and their cells as languages without Python's types receive them.

    Parameters
    ----------
    raw : list of list
        Cells as Python objects.
    plain : list of list
        Floats for numbers and times, NaN if missing; texts for categories, ``None`` if missing.
    expected : ndarray of shape (n_rows, n_outputs)
        Outputs of the model.
    is_odd : ndarray of bool, shape (n_rows,)
        Whether a row has a huge number.
    """

    raw: list[list[Any]]
    plain: list[list[Any]]
    expected: np.ndarray
    is_odd: np.ndarray


def rows_for(
    model: CompiledModel,
    program: Program,
    X: Any = None,
    *,
    converted: Callable[[np.ndarray], np.ndarray] | None = None,
    of_scores: bool = False,
) -> Rows:
    """Return drawn rows, and those of ``X`` before them, with the outputs of the model, or with its scores.

    Numbers are converted by ``converted`` to those that the exported model takes.
    """
    encoder = model.columns or Columns([None] * model.n_features_in_, np.zeros(model.n_features_in_, dtype=bool))
    given = [] if X is None else _rows_of(X, model)
    table = np.empty((len(given) + N_DRAWN, len(program.columns)), dtype=object)
    for index, row in enumerate([*given, *drawn_rows(program)]):
        table[index] = row
    encoded = encoder.encode(table)
    is_number = np.array([column.kind == "number" for column in program.columns])
    if converted is not None:
        encoded[:, is_number] = table[:, is_number] = converted(encoded[:, is_number])
    with np.errstate(over="ignore", invalid="ignore"):
        if of_scores:
            expected = model.scorer.scores(encoded) * (model.power / program.power)
        else:
            expected = np.asarray(model(encoded) if model.columns is None else model(table)).reshape(len(table), -1)
    is_odd = (np.abs(encoded[:, is_number]) > HUGE).any(axis=1) & (np.arange(len(table)) >= len(given))
    is_compared = np.isfinite(expected).all(axis=1)  # infinity minus infinity is no answer
    if converted is not None and not all(isinstance(part, Trees) for part in program.parts):
        is_compared = np.zeros(len(table), dtype=bool)  # sums of floats may be infinite where those of doubles are not
    kept = np.flatnonzero(~is_odd | is_compared)
    raw, plain = table[kept].tolist(), encoded[kept].tolist()
    for row, cells in zip(raw, plain, strict=True):
        for place in (place for place, column in enumerate(program.columns) if column.kind == "category"):
            cells[place] = _text_of(row[place], cells[place], encoder.categories[place])
    return Rows(raw, plain, expected[kept], is_odd[kept])


def _text_of(cell: Any, code: float, categories: Any) -> str | None:
    """Return the text for a category: of cells that are no texts, that of the category that they match."""
    if is_missing_object(cell):
        return None
    return spelled(cell) if isinstance(cell, str | bytes) or code != code else str(categories[int(code)])


def _rows_of(X: Any, model: CompiledModel) -> list[list[Any]]:
    """Return rows of a table as lists of Python objects, in the order of the columns of ``fit``."""
    if getattr(X, "ndim", None) != 2 and len(getattr(X, "shape", np.shape(X))) != 2:
        raise ValueError("export: X is no table; expected shape (n_samples, n_features). Pass several rows.")
    columns = columns_of(X.toarray() if hasattr(X, "toarray") else X)
    if len(columns) != model.n_features_in_:
        raise ValueError(f"export: X has {len(columns)} columns; expected {model.n_features_in_}, those of fit.")
    names = names_of_frame(X)
    order = None if names is None else Names(model.feature_names_in_).order_in(names)
    columns = columns if order is None else [columns[place] for place in order]
    step = max(-(-len(columns[0]) // MAX_GIVEN), 1)
    columns = [values[::step] for values in columns]
    cells = [
        (values.astype(f"{values.dtype.kind}8[us]") if values.dtype.kind in "mM" else values).tolist()
        for values in columns
    ]
    return [list(map(_builtin, row)) for row in zip(*cells, strict=True)]


def _builtin(cell: Any) -> Any:
    """Return a cell as an object of Python's own, which a process without other libraries can read."""
    if type(cell) in (float, int, bool, str, type(None), dt.date, dt.timedelta, bytes, Decimal):
        return cell
    if is_missing_object(cell):
        return None
    if is_date(cell) or is_duration(cell):
        time = naive_utc(cell)
        return time.astype(f"{time.dtype.kind}8[us]").item()
    return cell.item() if isinstance(cell, np.generic) else spelled(cell)


def drawn_rows(program: Program, n_rows: int = N_DRAWN, seed: int = 0) -> list[list[Any]]:
    """Draw rows of cells as Python objects, each with at most one huge number."""
    rng = np.random.default_rng(seed)
    near = _near_thresholds(program)
    cells = [
        _drawn_categories(column, n_rows, rng)
        if column.kind == "category"
        else _drawn_numbers(near[place], n_rows, rng, is_time=column.kind == "time")
        for place, column in enumerate(program.columns)
    ]
    rows = [list(row) for row in zip(*cells, strict=True)]
    numeric = [place for place, column in enumerate(program.columns) if column.kind == "number"]
    for index, row in enumerate(rows[: n_rows // 4] if numeric else ()):
        row[numeric[int(rng.integers(len(numeric)))]] = ODD_NUMBERS[index % len(ODD_NUMBERS)]
    return rows


def _near_thresholds(program: Program) -> list[np.ndarray]:
    """Return for each column the numbers at which anything changes."""
    found: list[list[np.ndarray]] = [[np.zeros(1)] for _ in program.computed or program.columns]
    for part in program.parts:
        if isinstance(part, Trees):
            for place in np.unique(part.column).tolist():
                bounds = part.bound[part.column == place]
                found[place] += [bounds, bounds.astype(np.float32).astype(np.float64)] if _fits(bounds) else [bounds]
        elif part.inputs is not None:
            _add_ends(part.inputs, found)
    if program.computed:
        found = _before_computing(program, found)
    near = [np.unique(np.concatenate(of_column)) for of_column in found]
    return [values[np.isfinite(values)] for values in near]


def _before_computing(program: Program, found: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    """Return for each column of the table the cells at which any column that is computed from it changes."""
    before: list[list[np.ndarray]] = [[np.zeros(1)] for _ in program.columns]
    for column, numbers in zip(program.computed, found, strict=True):
        before[column.source].append(near_of(column, np.concatenate(numbers)))
    return before


def _fits(bounds: np.ndarray) -> bool:
    return bool(np.all(np.abs(bounds) < 3e38))


def _add_ends(inputs: Inputs, found: list[list[np.ndarray]]) -> None:
    for end in (inputs.low, inputs.high, np.zeros(len(inputs.column)), np.ones(len(inputs.column))):
        finite = np.isfinite(end)
        values = inputs.center + inputs.scale * np.where(finite, end, 0.0)
        for place, value in zip(inputs.column.tolist(), values.tolist(), strict=True):
            found[place].append(np.array([value]))


def _drawn_numbers(near: np.ndarray, n_rows: int, rng: np.random.Generator, *, is_time: bool) -> list[Any]:
    chosen = rng.permutation(near)[:MAX_NEAR]
    at = rng.choice(chosen, n_rows)
    with np.errstate(over="ignore", under="ignore"):
        beside = [at, np.nextafter(at, np.inf), np.nextafter(at, -np.inf), np.float32(at).astype(np.float64)]
    low, high = np.min(near), np.max(near)
    between = rng.uniform(0, 1, n_rows)
    beside.append(low + between * (high - low) + rng.normal(size=n_rows) * max(1.0, (high - low) / 8))
    values = np.choose(rng.integers(len(beside), size=n_rows), beside)
    is_missing = rng.uniform(size=n_rows) < 0.08
    cells: list[Any] = values.tolist()
    if is_time:
        cells = [
            _date(np.clip(value + step, -MOST_MICROSECONDS, MOST_MICROSECONDS))
            for value, step in zip(cells, rng.integers(-1, 2, n_rows).tolist(), strict=True)
        ]
    for index in np.flatnonzero(is_missing).tolist():
        cells[index] = (None, None if is_time else float("nan"))[index % 2]
    return cells


def _date(microseconds: float) -> dt.datetime:
    return EPOCH + dt.timedelta(microseconds=int(microseconds))


def _drawn_categories(column: Column, n_rows: int, rng: np.random.Generator) -> list[Any]:
    texts = [*column.texts, "never seen", "", *(text + " " for text in list(column.texts)[:3])]
    if len(texts) > MAX_NEAR:
        texts = [texts[place] for place in rng.permutation(len(texts))[:MAX_NEAR].tolist()]
    floats = [float(number) for number in column.by_float]
    others: Sequence[Any] = [None, float("nan"), None, *floats[:20], *(floats and (True, 0.5, -3.0))]
    cells = [texts[place] for place in rng.integers(len(texts), size=n_rows).tolist()]
    for index in np.flatnonzero(rng.uniform(size=n_rows) < 0.2).tolist():
        cells[index] = others[int(rng.integers(len(others)))]
    return cells
