"""Slices of a table: the rows of a category or of a range of numbers in a column."""

import datetime
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from .._encoding import TableEncoder, find_durations
from .._tables import is_frame

MOST_CATEGORIES = 8
"""Maximum number of categories of a column with their own slice; the others share one."""

N_RANGES = 4
"""Number of ranges of a numeric column, with about the same number of rows each."""

MOST_COLUMNS = 100
"""Maximum number of columns that are sliced by default."""

FEW_DIGITS = (4, 6, 8, 10, 12, 17)
"""Numbers of significant digits to try for the ends of ranges, until they differ."""


@dataclass(frozen=True)
class Slice:
    """The rows with one value, or one range of values, of a column."""

    column: str
    value: str
    rows: np.ndarray


def names_of(X: Any) -> list[str]:
    """Return the column names of any table; a list of texts has none."""
    if len(X.shape) == 1:
        return []
    return [str(name) for name in X.columns] if is_frame(X) else [f"column {place}" for place in range(X.shape[1])]


def find_slices(X: Any, columns: Any = None) -> list[Slice]:
    """Return the non-empty slices of the given columns, or of all columns if there are not too many.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
    columns : list of str or int, or None, default=None
    """
    names = names_of(X)
    if columns is None:
        places = list(range(len(names))) if len(names) <= MOST_COLUMNS else []
    else:
        is_one = isinstance(columns, str) or not np.iterable(columns)
        places = places_of("report", X, [columns] if is_one else columns)
    if not places:
        return []
    encoder = TableEncoder().fit(X)
    codes = encoder.transform(X)
    codes = codes.tocsc() if sparse.issparse(codes) else codes
    durations = find_durations(X)
    return [
        Slice(names[place], value, np.flatnonzero(rows))
        for place in places
        for value, rows in _of_column(
            _column(codes, place),
            encoder.categories_[place],
            Words(bool(encoder.is_time_[place]), bool(durations[place])),
        )
        if rows.any()
    ]


def places_of(who: str, X: Any, columns: Any) -> list[int]:
    """Return the positions of columns that are given by name or by (possibly negative) position."""
    names = names_of(X)
    wanted = [names.index(each) if isinstance(each, str) and each in names else each for each in columns]
    is_place = [isinstance(each, int | np.integer) and -len(names) <= each < len(names) for each in wanted]
    unknown = [each for each, known in zip(wanted, is_place, strict=True) if not known]
    if unknown:
        raise ValueError(
            f"{who}: columns {unknown} are not in the table; expected names or positions among its {len(names)}: "
            f"{names[:20]}."
        )
    return [int(each) % len(names) for each in wanted]


def _of_column(codes: np.ndarray, known: np.ndarray | None, words: "Words") -> list[tuple[str, np.ndarray]]:
    """Return the slices of a column with their rows, which may be empty."""
    missing = np.isnan(codes)
    present = codes[~missing]
    distinct, counts = np.unique(present, return_counts=True)
    if known is None and len(distinct) > MOST_CATEGORIES // 2:
        return [*_ranges(codes, present, words), ("missing", missing)]
    common = distinct[np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]]
    texts = words.of(common) if known is None else [str(known[int(code)]) for code in common]
    n_others = len(distinct) - len(common)
    return [
        *((text, codes == code) for text, code in zip(texts, common, strict=True)),
        (f"{n_others} other{'s' if n_others != 1 else ''}", ~missing & ~np.isin(codes, common)),
        ("missing", missing),
    ]


@dataclass(frozen=True)
class Words:
    """Format the numbers of a column."""

    is_time: bool = False
    is_duration: bool = False

    def of(self, values: np.ndarray) -> list[str]:
        """Return texts with as few digits as are needed to distinguish the values."""
        if self.is_duration:
            return [str(datetime.timedelta(microseconds=float(value))) for value in values]
        if self.is_time:
            times = [str(np.datetime64(int(value), "us").astype("M8[s]")) for value in values]
            return [time.removesuffix("T00:00:00") for time in times]
        texts: list[str] = []
        for digits in FEW_DIGITS:
            texts = [f"{value:.{digits}g}" for value in values]
            if len(set(texts)) == len(values):
                break
        return texts


def _ranges(codes: np.ndarray, present: np.ndarray, words: Words) -> list[tuple[str, np.ndarray]]:
    """Return ranges between quantiles; each includes its upper end."""
    ends, named = range_ends(present, words)
    place = np.searchsorted(ends, codes)
    return [(text, (place == number) & ~np.isnan(codes)) for number, text in enumerate(named)]


def range_ends(present: np.ndarray, words: Words) -> tuple[np.ndarray, list[str]]:
    """Return the ends of the ranges of numbers, and the names of the ranges."""
    shares = np.linspace(0, 1, N_RANGES + 1)[1:-1]
    ends = np.unique(np.quantile(present, shares, method="lower"))
    below = present[present < present.max()]
    ends = ends[ends <= below.max()] if ends[0] <= below.max() else below.max(keepdims=True)
    texts = words.of(ends)
    named = [f"<= {texts[0]}", *(f"{low} to {high}" for low, high in pairwise(texts)), f"> {texts[-1]}"]
    return ends, named


def _column(codes: Any, place: int) -> np.ndarray:
    return codes[:, [place]].toarray()[:, 0] if sparse.issparse(codes) else np.asarray(codes[:, place], dtype=float)
