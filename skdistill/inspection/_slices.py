"""Slices of a table: the rows of a category, or of a range of numbers, column by column."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import sparse

from .._encoding import TableEncoder
from .._tables import is_frame

MOST_CATEGORIES = 8
"""Of a column that have a slice each; the rest share one."""

N_RANGES = 4
"""Of a column of numbers, with about as many rows each."""

MOST_COLUMNS = 100
"""That are looked at without being asked for."""


@dataclass(frozen=True)
class Slice:
    """The rows of one value, or of one range of values, of a column."""

    column: str
    value: str
    rows: np.ndarray


def names_of(X: Any) -> list[str]:
    """Return the names of the columns of any table."""
    return [str(name) for name in X.columns] if is_frame(X) else [f"column {place}" for place in range(X.shape[1])]


def find_slices(X: Any, columns: Any = None) -> list[Slice]:
    """Return all slices of the columns named, or of all where there are not too many; empty ones are left out.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
    columns : list of str or int, or None, default=None
    """
    names = names_of(X)
    if columns is None:
        columns = range(len(names)) if len(names) <= MOST_COLUMNS else []
    places = [names.index(each) if isinstance(each, str) and each in names else each for each in columns]
    unknown = [each for each in places if isinstance(each, str) or not 0 <= each < len(names)]
    if unknown:
        raise ValueError(f"report: columns {unknown} are not in the table; it has {names[:20]}.")
    encoder = TableEncoder().fit(X)
    codes = encoder.transform(X)
    return [part for place in places for part in _of_column(names[place], _column(codes, place), encoder, place)]


def _of_column(name: str, codes: np.ndarray, encoder: TableEncoder, place: int) -> list[Slice]:
    missing = np.isnan(codes)
    known = encoder.categories_[place]
    present = codes[~missing]
    distinct, counts = np.unique(present, return_counts=True)
    if known is not None or len(distinct) <= MOST_CATEGORIES // 2:
        common = distinct[np.argsort(-counts, kind="stable")[:MOST_CATEGORIES]]
        parts = [(str(known[int(code)]) if known is not None else f"{code:.6g}", codes == code) for code in common]
        parts.append((f"{len(distinct) - len(common)} others", ~missing & ~np.isin(codes, common)))
    else:
        parts = _ranges(codes, present, is_time=bool(encoder.is_time_[place]))
    parts.append(("missing", missing))
    return [Slice(name, value, np.flatnonzero(rows)) for value, rows in parts if rows.any()]


def _ranges(codes: np.ndarray, present: np.ndarray, *, is_time: bool) -> list[tuple[str, np.ndarray]]:
    """Return ranges between quantiles, each with its upper end."""
    shares = np.linspace(0, 1, N_RANGES + 1)[1:-1]
    ends = np.unique(np.quantile(present, shares, method="lower"))
    below = present[present < present.max()]
    ends = ends[ends <= below.max()] if ends[0] <= below.max() else below.max(keepdims=True)
    texts = [str(np.datetime64(int(end), "us").astype("M8[s]")) if is_time else f"{end:.4g}" for end in ends]
    named = [
        f"<= {texts[0]}",
        *(f"{low} to {high}" for low, high in pairwise(texts)),
        f"> {texts[-1]}",
    ]
    place = np.searchsorted(ends, codes)
    return [(text, (place == number) & ~np.isnan(codes)) for number, text in enumerate(named)]


def _column(codes: Any, place: int) -> np.ndarray:
    return codes[:, [place]].toarray()[:, 0] if sparse.issparse(codes) else np.asarray(codes[:, place], dtype=float)
