"""Reading the outputs of a teacher: columns by name, and real numbers only."""

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
from scipy import sparse

from .._tables import is_frame

LARGEST = 1e300
"""Bounds the outputs: larger values overflow as soon as a student adds or multiplies them."""

_IS_TEXT = np.frompyfunc(lambda cell: isinstance(cell, str | bytes), 1, 1)


class UnreadableError(ValueError):
    """Raised for outputs that cannot be read; the message states what was returned and what was expected."""

    def __init__(self, got: str, expected: str) -> None:
        super().__init__(f"{got}; expected {expected}")
        self.got, self.expected = got, expected


def has_changed(given: Any, X: Any) -> bool:
    """Return whether a copy of ``X`` was changed, as far as this can be checked quickly."""
    if isinstance(X, np.ndarray):
        return X.dtype != object and not np.array_equal(given, X, equal_nan=X.dtype.kind in "fcmM")
    return nw.dependencies.is_pandas_dataframe(X) and not X.equals(given)


def read_answer(answer: Any, classes: np.ndarray | None) -> tuple[list[Any] | None, np.ndarray]:
    """Return the names of the columns of an answer, or ``None``, and the answer as an array.

    Besides arrays and frames, an answer may be a dict of columns, or a list with one dict per row. Classes that are
    missing in the dicts of a classifier have a probability of zero.
    """
    if isinstance(answer, Mapping):
        columns = [np.ravel(as_array(column)) for column in answer.values()]
        return list(answer), np.column_stack(columns) if columns else np.empty((0, 0))
    if not (isinstance(answer, Sequence) and len(answer) and isinstance(answer[0], Mapping)):
        return column_names(answer), as_array(answer)
    names = list(dict.fromkeys(name for row in answer for name in row))
    known = {str(name) for name in names}
    names += [] if classes is None else [label for label in classes.tolist() if str(label) not in known]
    return names, np.column_stack([np.array([row.get(name, 0.0) for row in answer]) for name in names])


def normalised(proba: np.ndarray) -> np.ndarray:
    """Divide the probabilities of classes that are compared with all others by their sum in each row."""
    inside = (proba.min(axis=1) >= 0) & (proba.max(axis=1) <= 1)
    total = proba.sum(axis=1, keepdims=True)
    uniform = np.full_like(proba, 1 / proba.shape[1])
    shares = np.divide(proba, total, out=uniform, where=total > 0)
    return np.where(inside[:, None], shares, proba)


def as_array(answer: Any) -> np.ndarray:
    """Return outputs as an array; a masked array must not have masked cells."""
    if sparse.issparse(answer):
        return answer.toarray()
    if isinstance(answer, np.ma.MaskedArray) and np.ma.getmaskarray(answer).any():
        raise UnreadableError(
            f"an array with {int(np.ma.getmaskarray(answer).sum())} masked cells", "an output for each row."
        )
    return np.asarray(answer)


def as_floats(answer: np.ndarray) -> np.ndarray:
    """Return real numbers as floats; dates, complex numbers and texts raise an error."""
    kind = answer.dtype.kind
    is_text = kind in "USTV" or (kind == "O" and bool(_IS_TEXT(answer).any()))
    if kind not in "biufO" or is_text:
        raise UnreadableError(f"{'texts' if is_text else 'values'} of dtype {answer.dtype}", "real numbers.")
    try:
        values = answer.astype(np.float64)
    except (TypeError, ValueError):
        raise UnreadableError(f"values of dtype {answer.dtype}", "real numbers.") from None
    _check_each(np.isfinite(values), values, "finite numbers, without NaN or infinity.")
    _check_each(
        np.abs(values) <= LARGEST, values, f"numbers of at most {LARGEST:g}. Express the outputs in a larger unit."
    )
    return values


def _check_each(is_good: np.ndarray, values: np.ndarray, expected: str) -> None:
    if not is_good.all():
        row = int(np.argmin(is_good.reshape(len(values), -1).all(axis=1)))
        raise UnreadableError(f"row {row} as {values[row].tolist()}", expected)


def column_names(answer: Any) -> list[Any] | None:
    """Return the column names of a frame of any library, and ``None`` for other objects."""
    if not is_frame(answer):
        return None
    if nw.dependencies.is_pandas_dataframe(answer):
        return list(answer.columns)
    return list(nw.from_native(answer, eager_only=True).columns)


def order_by_name(names: Sequence[Any], classes: np.ndarray) -> np.ndarray | None:
    """Return the position of each class among the columns of a frame; ``None`` if the columns are only numbered.

    Names may have a prefix and a suffix that all of them share, as in ``proba_yes`` and ``proba_no``.

    Raises
    ------
    UnreadableError
        If the names are neither classes nor consecutive numbers.
    """
    texts, wanted = [str(name) for name in names], [str(label) for label in classes.tolist()]
    for before, after in [("", ""), *_affixes(texts[0], wanted)]:
        spelled = [f"{before}{label}{after}" for label in wanted]
        if set(spelled) == set(texts) and len(set(texts)) == len(texts):
            return np.array([texts.index(text) for text in spelled])
    numbers, of_classes = _as_numbers(texts), _as_numbers(wanted)
    if numbers is not None and of_classes is not None and set(numbers) == set(of_classes):
        return np.array([numbers.index(number) for number in of_classes])
    if _are_numbered(texts):
        return None
    raise UnreadableError(
        f"a frame with the columns {list(names)}",
        f"columns named after the classes {classes.tolist()}, in any order. Rename them, or return an array whose "
        "columns are in the order of the classes.",
    )


def _affixes(text: str, wanted: list[str]) -> list[tuple[str, str]]:
    """Return what may be before and after the class in a column name."""
    found = [(label, text.find(label)) for label in wanted if label]
    return [(text[:start], text[start + len(label) :]) for label, start in found if start >= 0]


def _as_numbers(texts: list[str]) -> list[float] | None:
    try:
        return [float(text) for text in texts]
    except ValueError:
        return None


def _are_numbered(texts: list[str]) -> bool:
    """Whether the names are consecutive numbers from 0 or 1, possibly with a prefix that all of them share."""
    prefix = texts[0].rstrip("0123456789")
    numbers = [text.removeprefix(prefix) for text in texts]
    return any(numbers == [str(first + place) for place in range(len(texts))] for first in (0, 1))
