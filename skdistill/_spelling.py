"""The categories of a column: one spelling per value, and the values that match a known category.

Cells are compared by value: 1, 1.0, ``np.int8(1)`` and the text "1" are one category. This module depends on numpy
only, and its rules need nothing but the stored texts, so that they can be written again in another language.
"""

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import cached_property
from itertools import repeat
from numbers import Integral, Real
from typing import Any

import numpy as np

from ._coding import is_date, is_duration, naive_utc

MAX_WHOLE_FLOAT = 1e16
"""From here on, floats are spelled with an exponent: integers of this size are not exact as floats."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d{6})?)?", re.ASCII)
_NAN = float("nan")


def spelled(cell: Any) -> str:
    """Return the text of a non-missing cell, which depends on its value only.

    Texts are unchanged. Whole numbers are spelled as integers, other numbers as Python spells floats, booleans as
    "True" and "False", dates in UTC as "2020-01-31" or "2020-01-31T12:00:00" (with microseconds if there are any), and
    durations as "1 days 00:00:00". Other objects are spelled by ``str``.
    """
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, bytes):
        return cell.decode()
    if is_date(cell) or is_duration(cell):
        return _spelled_time(cell)
    if isinstance(cell, bool | np.bool_):
        return str(cell)
    number: Any = cell if isinstance(cell, np.floating) else _as_number(cell)
    if number is None:
        return str(cell)
    return str(int(number)) if abs(number) < MAX_WHOLE_FLOAT and number == int(number) else str(number)


def sorted_categories(values: np.ndarray) -> np.ndarray:
    """Return the sorted distinct spellings of non-missing cells as an object array."""
    return np.array(sorted({spelled(cell) for cell in _distinct(values)}), dtype=object)


class Lookup:
    """The codes of the categories of a column: the positions in the sorted list of their spellings.

    A cell matches the category of its own spelling. Otherwise, it matches a category of the same value, if there is
    exactly one:

    - a number matches a text that spells an equal number ("1", "1.0" and "01" are 1), also after rounding both to
      float32; True and False match 1 and 0 in both directions;
    - a text matches another text only if both are what Python writes for one whole number as an integer and as a float
      ("1" and "1.0"), or for one date ("2020-01-31", "2020-01-31 00:00:00", "2020-01-31T00:00:00").

    Parameters
    ----------
    categories : sequence of str

    Examples
    --------
    >>> from skdistill._spelling import Lookup
    >>> lookup = Lookup(["1", "2", "b"])
    >>> [lookup.code(cell) for cell in ("b", 2, 1.0, "1.0", "01")]
    [2.0, 1.0, 0.0, 0.0, nan]
    """

    def __init__(self, categories: Sequence[str]) -> None:
        self._exact = {category: float(code) for code, category in enumerate(categories)}

    @cached_property
    def texts(self) -> dict[str, float]:
        """Codes by text: of the categories themselves, and of other spellings of exactly one of them."""
        others = ((other, code) for text, code in self._exact.items() for other in _other_spellings(text))
        return _unambiguous(others) | self._exact

    @cached_property
    def numbers(self) -> dict[float, float]:
        """Codes by number; integers and floats that are equal are the same key."""
        found = {text: _number_in(text) for text in self._exact}
        values = [(number, self._exact[text]) for text, number in found.items() if number is not None]
        exact = _unambiguous(values)
        rounded = _unambiguous((_float32(number), code) for number, code in values if number != math.floor(number))
        flags = {float(flag): self._exact[str(flag)] for flag in (False, True) if str(flag) in self._exact}
        in_words = {number: self._exact[text] for number, _ in values if (text := spelled(number)) in self._exact}
        return flags | rounded | exact | in_words

    def code(self, cell: Any) -> float:
        """Return the code of a non-missing cell; NaN for an unseen category."""
        if type(cell) is str:
            return self.texts.get(cell, _NAN)
        found = self.texts.get(spelled(cell))
        if found is not None:
            return found
        number = _as_number(cell)
        if number is None:
            return _NAN
        rounded = number if isinstance(number, int) or number.is_integer() else _float32(number)
        return self.numbers.get(number, self.numbers.get(rounded, _NAN))

    def codes(self, values: np.ndarray) -> np.ndarray:
        """Return the codes of non-missing cells as floats; each distinct cell is looked up once."""
        if values.dtype.kind in "biufmM":
            distinct, inverse = np.unique(values, return_inverse=True)
            return np.array([self.code(cell) for cell in distinct], dtype=np.float64)[inverse]
        return _mapped(self, as_objects(values).tolist())


def as_objects(values: np.ndarray) -> np.ndarray:
    """Return cells as Python objects; bytes as strings."""
    return (values.astype(str) if values.dtype.kind == "S" else values).astype(object)


def _mapped(lookup: Lookup, cells: list[Any]) -> np.ndarray:
    kinds = list(map(type, cells))
    found: Iterable[float]
    if set(kinds) <= {str}:
        found = map(lookup.texts.get, cells, repeat(_NAN))
    else:
        keys = list(zip(kinds, cells, strict=True))  # 1, 1.0 and True are equal, but may be spelled differently
        try:
            code = {key: lookup.code(key[1]) for key in set(keys)}
            found = map(code.__getitem__, keys)
        except TypeError:  # cells such as lists have no hash
            found = map(lookup.code, cells)
    return np.fromiter(found, dtype=np.float64, count=len(cells))


def _distinct(values: np.ndarray) -> Iterable[Any]:
    """Return the distinct cells of a column; equal cells of different types are all returned."""
    if values.dtype.kind in "biufmM":
        return np.unique(values)
    cells = as_objects(values).tolist()
    if set(map(type, cells)) <= {str}:
        return set(cells)
    try:
        return [cell for _, cell in set(zip(map(type, cells), cells, strict=True))]
    except TypeError:  # cells such as lists have no hash
        return cells


def _unambiguous(pairs: Iterable[tuple[Any, float]]) -> dict[Any, float]:
    """Return the codes of the keys that have exactly one."""
    distinct = set(pairs)
    counts = Counter(key for key, _ in distinct)
    return {key: code for key, code in distinct if counts[key] == 1}


def _other_spellings(text: str) -> list[str]:
    """Return what else Python writes for the whole number or the date in a text."""
    if _DATE.fullmatch(text):
        try:
            moment = dt.datetime.fromisoformat(text)
        except ValueError:
            return []
        return [_spelled_time(moment), moment.isoformat(), moment.isoformat(sep=" ")]
    number = _number_in(text)
    if number is None or abs(number) >= MAX_WHOLE_FLOAT or number != int(number):
        return []
    both = [str(int(number)), str(float(int(number)))]
    return both if text in both else []


def _number_in(text: str) -> float | None:
    """Return the number that a text spells; ``None`` for other texts."""
    if not _NUMBER.fullmatch(text):
        return None
    return float(text) if not text.lstrip("+-").isdigit() else int(text)


def _as_number(cell: Any) -> float | None:
    """Return a number as a Python number; ``None`` for other cells. Durations of numpy are registered as integers."""
    if isinstance(cell, Integral | np.bool_) and not is_duration(cell):
        return int(cell)
    is_real = isinstance(cell, Real | Decimal | np.floating) and not is_duration(cell)
    return float(cell) if is_real else None


def _float32(number: float) -> float:
    with np.errstate(over="ignore", under="ignore"):
        return float(np.float32(number))


def _spelled_time(cell: Any) -> str:
    time = naive_utc(cell).astype("m8[us]" if is_duration(cell) else "M8[us]")
    if is_duration(cell):
        days, rest = divmod(int(time.astype(np.int64)), 86_400_000_000)
        clock = str(np.datetime64(rest, "us"))[11:]
        return f"{days} days {clock.removesuffix('.000000')}"
    return str(time).removesuffix(".000000").removesuffix("T00:00:00")
