"""Rows of a dataset that are selected while the first of them are labelled already."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..datasets import Chunk, ChunkedTable
from ..datasets._arriving import ArrivingRows
from ..datasets._drawing import DrawnRows, LargestKeys, draw
from ._pool import SpreadKeys

DEVIATIONS = 6.0
"""Standard deviations of the number of selected rows, as it is expected, by which it is uncertain."""

MOST_UNCERTAIN = 0.5
"""Share of the selected rows that may be uncertain; otherwise nothing is gained."""


@dataclass(frozen=True)
class KeyBounds:
    """Keys above which rows are certainly selected, and below which they are certainly not.

    Attributes
    ----------
    low, high : float
    """

    low: float
    high: float


def bound_keys(keys: SpreadKeys, n_table: int, n_rows: int) -> KeyBounds | None:
    r"""Return bounds of the smallest selected key; ``None`` if it is too uncertain.

    A row of stratum :math:`h` has a key above :math:`t` with the probability :math:`p_h = 1 - \exp(-s_h e^{-t})`, where
    :math:`s_h` is its share. How many rows of the table are in a stratum is known from the labelled rows, which were
    drawn at random, and so is the number of rows with keys above :math:`t`, with its standard deviation. Rows that are
    drawn at random before others have larger keys, and rows that are drawn last have smaller ones.

    Parameters
    ----------
    keys : SpreadKeys
    n_table : int
        Number of rows that have keys.
    n_rows : int
        Number of rows to select.
    """
    own = keys.strata.own
    share = np.bincount(own, minlength=len(keys.log_share)) / len(own)

    def chances(key: float) -> np.ndarray:
        with np.errstate(over="ignore"):  # of a key that all rows exceed
            of_key = -np.expm1(-np.exp(keys.log_share - key))
        return np.asarray((1 - keys.last.share) * (keys.random.share + (1 - keys.random.share) * of_key))

    expected = _solve(lambda key: n_table * float(share @ chances(key)), n_rows)
    chance = chances(expected)
    mean, square = share @ chance, share @ chance**2
    spread = n_table * np.sqrt(max(square - mean**2, 0.0) / len(own))
    margin = DEVIATIONS * np.hypot(spread, np.sqrt(n_rows)) + 1
    if margin > MOST_UNCERTAIN * n_rows:
        return None
    low, high = (
        _solve(lambda key: n_table * float(share @ chances(key)), wanted)
        for wanted in (n_rows + margin, n_rows - margin)
    )
    return KeyBounds(low, high)


def _solve(count: Callable[[float], float], wanted: float) -> float:
    """Return the key above which so many rows are expected; the count falls with the key."""
    low, high = -800.0, 800.0
    if count(low) <= wanted:
        return -np.inf
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if count(middle) > wanted else (low, middle)
    return (low + high) / 2


def select_ahead(
    keys: SpreadKeys, dataset: ChunkedTable, n_rows: int, others: Sequence[str], check: Callable[[Any], Any]
) -> ArrivingRows | None:
    """Return the rows with the largest keys, which can be labelled while others are still read.

    First come the rows that are certainly among them, in the order of the dataset, then the others. All together are
    those that :func:`~skdistill.datasets._drawing.draw` draws, unless the labelled rows misled about the number of
    rows of a stratum by more than six standard deviations: then the first of the certain ones are all.

    Parameters
    ----------
    keys : SpreadKeys
        Of labelled rows that were drawn from the dataset at random.
    dataset : ChunkedTable
        It was scanned.
    n_rows : int
        Number of rows to select.
    others : sequence of str
        Further columns.
    check : callable
        ``check(table)`` returns rows as they are labelled.

    Returns
    -------
    rows : ArrivingRows or None
        ``None`` if the number of rows is not known, or too uncertain.
    """
    n_table = (dataset.n_rows or 0) - len(keys.skipped)
    if n_rows >= n_table or keys.weight is not None:
        return None
    bounds = bound_keys(keys, n_table, n_rows)
    if bounds is None:
        return None
    read = partial(_parts, dataset, n_rows, keys, bounds, others)
    return ArrivingRows(read, n_rows, keys.strata.n_features, check)


def _parts(
    dataset: ChunkedTable, n_rows: int, keys_of: SpreadKeys, bounds: KeyBounds, others: Sequence[str]
) -> Iterator[DrawnRows | None]:
    """Yield the certain rows of each chunk, then the others with the largest keys."""
    kept, n_left = LargestKeys(n_rows, [], bounds.low), n_rows
    for chunk in dataset.chunks(others=others):
        keys = keys_of(chunk)
        is_certain = keys > bounds.high
        certain = np.flatnonzero(is_certain)[:n_left]
        keys[is_certain] = -np.inf
        kept.offer(keys, chunk)
        n_left -= len(certain)
        yield _drawn(chunk, certain)
    if n_left:
        kept.n_rows = n_left
        rest = kept.rows(dataset)
        if len(rest) < n_left:  # the labelled rows misled, so that the lower bound was too high
            rest = draw(dataset, n_left, _KeysUpTo(keys_of, bounds.high), others, _ignore)
        yield rest


def _drawn(chunk: Chunk, rows: np.ndarray) -> DrawnRows | None:
    if not len(rows):
        return None
    taken = chunk.take(rows)
    return DrawnRows(taken.table, chunk.start + rows, taken.others)


@dataclass(frozen=True)
class _KeysUpTo:
    """Keys of rows, of which those above a bound are not drawn."""

    keys_of: SpreadKeys
    most: float

    def __call__(self, chunk: Chunk) -> np.ndarray:
        keys = self.keys_of(chunk)
        keys[keys > self.most] = -np.inf
        return keys


def _ignore(n_rows: int) -> None:
    """Report nothing."""
