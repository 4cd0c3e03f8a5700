"""What a teacher answers, read: columns by their names, and numbers that are numbers."""

from collections.abc import Sequence
from os.path import commonprefix
from typing import Any

import narwhals as nw
import numpy as np
from scipy import sparse

from .._tables import is_frame

LARGEST = 1e300
"""Values beyond it leave the range of floats as soon as a student adds or multiplies them."""

_IS_TEXT = np.frompyfunc(lambda cell: isinstance(cell, str | bytes), 1, 1)


class UnreadableError(ValueError):
    """An answer that cannot be read; the message says what it is, and what was expected."""

    def __init__(self, got: str, expected: str) -> None:
        super().__init__(f"{got}; expected {expected}")
        self.got, self.expected = got, expected


def own_rows(X: Any) -> Any:
    """Return a copy of rows for the teacher, so that one that writes into its rows leaves those of the caller alone."""
    if isinstance(X, np.ndarray):
        return X.copy(order="K")
    copied = getattr(X, "copy", None) or getattr(X, "clone", None)
    return X if copied is None else copied()


def has_changed(given: Any, X: Any) -> bool:
    """Whether rows that were a copy of ``X`` are no longer, as far as that is quickly seen."""
    if isinstance(X, np.ndarray):
        return X.dtype != object and not np.array_equal(given, X, equal_nan=X.dtype.kind == "f")
    return nw.dependencies.is_pandas_dataframe(X) and not X.equals(given)


def as_array(answer: Any) -> np.ndarray:
    """Return an answer as an array; without the mask of a masked array, which must not hide anything."""
    if sparse.issparse(answer):
        return answer.toarray()
    if isinstance(answer, np.ma.MaskedArray) and np.ma.getmaskarray(answer).any():
        raise UnreadableError(
            f"an array with {int(np.ma.getmaskarray(answer).sum())} masked cells", "an answer for each row."
        )
    return np.asarray(answer)


def as_floats(answer: np.ndarray) -> np.ndarray:
    """Return numbers as floats; dates, complex numbers and texts are no numbers to imitate."""
    kind = answer.dtype.kind
    is_text = kind in "USTV" or (kind == "O" and bool(_IS_TEXT(answer).any()))
    if kind not in "biufO" or is_text:
        raise UnreadableError(f"{'texts' if is_text else 'values'} of dtype {answer.dtype}", "real numbers.")
    try:
        values = answer.astype(np.float64)
    except (TypeError, ValueError):
        raise UnreadableError(f"values of dtype {answer.dtype}", "real numbers.") from None
    _check_each(np.isfinite(values), values, "finite numbers, no NaN and no infinity.")
    _check_each(np.abs(values) <= LARGEST, values, f"numbers of at most {LARGEST:g}. Imitate them in a larger unit.")
    return values


def _check_each(is_good: np.ndarray, values: np.ndarray, expected: str) -> None:
    if not is_good.all():
        row = int(np.argmin(is_good.reshape(len(values), -1).all(axis=1)))
        raise UnreadableError(f"row {row} as {values[row].tolist()}", expected)


def column_names(answer: Any) -> list[Any] | None:
    """Return the names of the columns of a frame of any library; ``None`` for anything else."""
    if not is_frame(answer):
        return None
    if nw.dependencies.is_pandas_dataframe(answer):
        return list(answer.columns)
    return list(nw.from_native(answer, eager_only=True).columns)


def order_by_name(names: Sequence[Any], classes: np.ndarray) -> np.ndarray | None:
    """Return the place of each class among the columns of a frame; ``None`` if these are merely numbered.

    Names are the classes themselves, possibly with a text before or behind that all of them share, as in
    ``proba_yes`` and ``proba_no``.

    Raises
    ------
    UnreadableError
        If the names are neither those of the classes nor numbers.
    """
    wanted = [_spelled(label) for label in classes.tolist()]
    texts = [str(name) for name in names]
    without = _without_shared(texts)
    for found in ([_spelled(name) for name in names], list(map(_spelled, texts)), list(map(_spelled, without))):
        if len(set(found)) == len(found) and set(found) == set(wanted):
            return np.array([found.index(label) for label in wanted])
    numbered = [str(place) for place in range(len(names) + 1)]
    if texts in (numbered[:-1], numbered[1:]) or without in (numbered[:-1], numbered[1:]):
        return None
    raise UnreadableError(
        f"a frame with the columns {list(names)}",
        f"columns that are named as the classes {classes.tolist()}, in any order. Rename them, or return an array "
        "whose columns are in the order of the classes.",
    )


def _spelled(label: Any) -> str:
    """Return a label as text, numbers alike whether they are whole or floats or texts of numbers."""
    try:
        return f"{float(label):.17g}"
    except (TypeError, ValueError):
        return str(label)


def _without_shared(texts: list[str]) -> list[str]:
    """Return texts without what all of them begin or end with."""
    if len(texts) < 2:
        return texts
    start = len(commonprefix(texts))  # noqa: RUF071 - characters are what is compared
    texts = [text[start:] for text in texts]
    end = len(commonprefix([text[::-1] for text in texts]))  # noqa: RUF071
    return [text[: len(text) - end] for text in texts]
