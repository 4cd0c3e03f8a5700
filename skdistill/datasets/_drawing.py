"""Readings of a dataset of which only a result is wanted: rows with the largest keys, or sums, here or elsewhere."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

from .._tables import stack_rows, take_rows
from ._chunk import Chunk
from ._chunked_table import ChunkedTable, named

Result = TypeVar("Result")

KEY_BLOCK = 2**16
"""Number of consecutive rows whose keys are computed together."""

KeysOf = Callable[[Chunk], np.ndarray]
"""Returns a key for each row of a chunk; it can be pickled."""


def row_keys(seed: int, start: int, n_rows: int) -> np.ndarray:
    """Return random numbers in [0, 1) for rows, by their positions in the dataset.

    A row has the same key in chunks and partitions of any size, whoever reads them.

    Parameters
    ----------
    seed : int
    start : int
        Position of the first row.
    n_rows : int
    """
    return np.random.Generator(np.random.PCG64(seed).advance(start)).random(n_rows)


@dataclass(frozen=True)
class RandomPart:
    """A random part of the rows of a dataset, known by their positions alone.

    Parameters
    ----------
    seed : int
    share : float in [0, 1]
        Probability that a row is in the part.
    """

    seed: int
    share: float

    def of(self, start: int, n_rows: int) -> np.ndarray:
        """Return the mask of the rows of a chunk that are in the part.

        Parameters
        ----------
        start : int
            Position of the first row.
        n_rows : int
        """
        return row_keys(self.seed, start, n_rows) < self.share

    def at(self, positions: np.ndarray) -> np.ndarray:
        """Return the mask of the rows at sorted positions that are in the part."""
        is_in_part = np.zeros(len(positions), dtype=bool)
        blocks, first = np.unique(positions // KEY_BLOCK, return_index=True)
        for block, start, stop in zip(blocks.tolist(), first, [*first[1:], len(positions)], strict=True):
            within = positions[start:stop] - block * KEY_BLOCK
            is_in_part[start:stop] = self.of(block * KEY_BLOCK, KEY_BLOCK)[within]
        return is_in_part


@dataclass(frozen=True)
class RandomKeys:
    """Keys of rows that are drawn at random.

    Parameters
    ----------
    seed : int
    weight : str or None, default=None
        Column of weights; rows with weight 0 are only drawn after all others.
    """

    seed: int
    weight: str | None = None

    def __call__(self, chunk: Chunk) -> np.ndarray:
        keys = row_keys(self.seed, chunk.start, len(chunk))
        if self.weight is not None:
            keys[chunk.others[self.weight] == 0] -= 1
        return keys


class Drawer(Protocol):
    """Reads datasets elsewhere, for example on a cluster, and draws the rows that are drawn here."""

    def reads(self, dataset: ChunkedTable) -> bool:
        """Whether it can read the dataset."""
        ...

    def scan(self, dataset: ChunkedTable, others: Sequence[str], on_rows: Callable[[int], None]) -> ChunkedTable:
        """Return the dataset that knows its schema, as that of :meth:`ChunkedTable.scanned` after its reading."""
        ...

    def draw(
        self,
        dataset: ChunkedTable,
        n_rows: int,
        keys_of: KeysOf,
        others: Sequence[str],
        on_rows: Callable[[int], None],
    ) -> "DrawnRows":
        """Return the rows with the largest keys of a dataset that was scanned."""
        ...

    def results(
        self,
        dataset: ChunkedTable,
        of_chunks: Callable[[Iterator[Chunk]], Result],
        others: Sequence[str],
        teacher: Any,
    ) -> Iterator[Result] | None:
        """Return what a function returns for the chunks of each partition, in order; ``None`` if read better here.

        The function can be pickled, and queries the teacher.
        """
        ...


_drawer: ContextVar[Drawer | None] = ContextVar("drawer", default=None)


@contextmanager
def drawn_by(drawer: Drawer) -> Iterator[None]:
    """Let datasets be read elsewhere where that is possible."""
    token = _drawer.set(drawer)
    try:
        yield
    finally:
        _drawer.reset(token)


def results_of(
    dataset: ChunkedTable, of_chunks: Callable[[Iterator[Chunk]], Result], others: Sequence[str], teacher: Any
) -> Iterator[Result]:
    """Return what a function returns for some of the chunks after the other: all of them here, partitions elsewhere.

    Parameters
    ----------
    dataset : ChunkedTable
        Chunks know their position in a dataset that was scanned, and in any that is read here.
    of_chunks : callable
        Can be pickled, and sums over the chunks of an iterator, which may be empty.
    others : sequence of str
        Further columns of the chunks.
    teacher : Teacher
        The one that the function queries, if it may be queried elsewhere.
    """
    if (drawer := _drawer_of(dataset)) is not None:
        found = drawer.results(dataset, of_chunks, others, teacher)
        if found is not None:
            return found
    return iter([of_chunks(dataset.chunks(others=others))])


def scan(dataset: ChunkedTable, others: Sequence[str] = ()) -> ChunkedTable:
    """Read a dataset, and return the dataset that knows its schema."""
    if (drawer := _drawer_of(dataset)) is not None:
        return drawer.scan(dataset, others, _ignore)
    scanned, chunks = dataset.scanned(others)
    for _ in chunks:
        pass
    return scanned


def scan_and_draw(
    dataset: ChunkedTable,
    n_rows: int,
    keys_of: KeysOf,
    others: Sequence[str],
    on_rows: Callable[[int], None] | None = None,
    *,
    n_of_more: int | None = None,
) -> tuple[ChunkedTable, "DrawnRows"]:
    """Return the dataset that knows its schema, and the rows with the largest keys; here, it is read once.

    Parameters
    ----------
    dataset : ChunkedTable
    n_rows : int >= 1
    keys_of : callable
    others : sequence of str
    on_rows : callable or None, default=None
    n_of_more : int or None, default=None
        Number of rows to draw instead from a dataset with more than ``n_rows`` rows, which are then not kept in memory.
    """
    fewer, on_rows = n_rows if n_of_more is None else n_of_more, on_rows or _ignore
    if (drawer := _drawer_of(dataset)) is not None:
        scanned = drawer.scan(dataset, others, _ignore)
        wanted = n_rows if (scanned.n_rows or 0) <= n_rows else fewer
        return scanned, drawer.draw(scanned, wanted, keys_of, others, on_rows)
    scanned, chunks = dataset.scanned(others)
    kept = LargestKeys(n_rows if (dataset.n_rows or 0) <= n_rows else fewer)
    for chunk in chunks:
        if chunk.start + len(chunk) > n_rows:
            kept.n_rows = fewer
        _offer(chunk, kept, keys_of, on_rows)
    return scanned, kept.rows(scanned)


def draw(
    dataset: ChunkedTable, n_rows: int, keys_of: KeysOf, others: Sequence[str], on_rows: Callable[[int], None]
) -> "DrawnRows":
    """Return the rows with the largest keys of a dataset that was scanned.

    Parameters
    ----------
    dataset : ChunkedTable
    n_rows : int >= 1
    keys_of : callable
        Rows with the key -inf are left out.
    others : sequence of str
        Further columns that are returned.
    on_rows : callable
        Called with the number of rows that were read so far.
    """
    if dataset.schema is not None and (drawer := _drawer_of(dataset)) is not None:
        return drawer.draw(dataset, n_rows, keys_of, others, on_rows)
    return _offer_all(dataset.chunks(others=others), n_rows, keys_of, on_rows).rows(dataset)


def _drawer_of(dataset: ChunkedTable) -> Drawer | None:
    drawer = _drawer.get()
    return drawer if drawer is not None and drawer.reads(dataset) else None


def _offer_all(chunks: Iterator[Chunk], n_rows: int, keys_of: KeysOf, on_rows: Callable[[int], None]) -> "LargestKeys":
    kept = LargestKeys(n_rows)
    for chunk in chunks:
        _offer(chunk, kept, keys_of, on_rows)
    return kept


def _offer(chunk: Chunk, kept: "LargestKeys", keys_of: KeysOf, on_rows: Callable[[int], None]) -> None:
    kept.offer(keys_of(chunk), chunk)
    on_rows(chunk.start + len(chunk))


def _ignore(n_rows: int) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class DrawnRows:
    """Rows that were drawn from a dataset, in its order.

    Attributes
    ----------
    table : table of shape (n_rows, n_features)
    positions : ndarray of int, shape (n_rows,)
    others : dict of ndarray
        Further columns.
    """

    table: Any
    positions: np.ndarray
    others: dict[str, np.ndarray]

    @classmethod
    def joined(cls, parts: "Sequence[DrawnRows]") -> "DrawnRows":
        """Return the rows of at least one part together."""
        return cls(
            stack_rows([part.table for part in parts]),
            np.concatenate([part.positions for part in parts]),
            {name: np.concatenate([part.others[name] for part in parts]) for name in parts[0].others},
        )

    def __len__(self) -> int:
        return len(self.positions)

    def take(self, rows: np.ndarray | slice) -> "DrawnRows":
        """Return some of the rows."""
        others = {name: values[rows] for name, values in self.others.items()}
        return DrawnRows(take_rows(self.table, rows), self.positions[rows], others)

    def weighted(self, weight: str | None) -> "DrawnRows":
        """Return the rows with a weight other than 0; all if there is none, which the check of the weights reports."""
        has_weight = np.ones(len(self), dtype=bool) if weight is None else self.others[weight] != 0
        return self if has_weight.all() or not has_weight.any() else self.take(np.flatnonzero(has_weight))


@dataclass
class _Piece:
    """Some rows of a chunk with their keys."""

    keys: np.ndarray
    chunk: Chunk
    rows: np.ndarray
    """Positions of the rows in the chunk."""

    def above(self, least: float) -> "_Piece | None":
        """Return the rows with keys of at least ``least``; ``None`` if there are none."""
        kept = np.flatnonzero(self.keys >= least)
        if len(kept) == len(self.keys):
            return self
        return _piece(self.keys, self.chunk, self.rows, kept) if len(kept) else None


def _piece(keys: np.ndarray, chunk: Chunk, positions: np.ndarray, kept: np.ndarray) -> _Piece:
    return _Piece(keys[kept], chunk.take(kept), positions[kept])


@dataclass
class LargestKeys:
    """Keeps the rows with the largest keys of all chunks that are offered.

    Twice as many rows as are wanted are in memory at most, besides the chunk that is offered.

    Parameters
    ----------
    n_rows : int >= 1
        Number of rows to keep.
    """

    n_rows: int
    _pieces: list[_Piece] = field(default_factory=list)
    _least: float = -np.inf
    _n_kept: int = 0

    def offer(self, keys: np.ndarray, chunk: Chunk) -> None:
        """Offer the rows of a chunk with their keys; rows with the key -inf are left out."""
        kept = np.flatnonzero(keys > self._least)
        if len(kept) == 0:
            return
        self._pieces.append(_piece(keys, chunk, chunk.start + np.arange(len(keys)), kept))
        self._n_kept += len(kept)
        if self._n_kept > 2 * self.n_rows:
            self.drop()

    def rest(self) -> "LargestKeys":
        """Return an empty one that drops the rows that this one would drop at once."""
        return LargestKeys(self.n_rows, [], self._least)

    def absorb(self, other: "LargestKeys") -> None:
        """Keep the rows with the largest keys of both; those of ``other`` come after the rows that are kept."""
        kept = [piece.above(np.nextafter(self._least, np.inf)) for piece in other._pieces]
        pieces = [piece for piece in kept if piece is not None]
        self._pieces += pieces
        self._n_kept += sum(len(piece.keys) for piece in pieces)
        if self._n_kept > 2 * self.n_rows:
            self.drop()

    def rows(self, dataset: ChunkedTable) -> DrawnRows:
        """Return the rows with the largest keys, with the dtypes and categories of the whole dataset."""
        self.drop()
        if not self._pieces:
            return DrawnRows(take_rows(dataset.first_table(), slice(0, 0)), np.zeros(0, dtype=int), {})
        parts = [DrawnRows(self._conformed(each, dataset), each.rows, each.chunk.others) for each in self._pieces]
        return DrawnRows.joined(parts)

    def _conformed(self, piece: _Piece, dataset: ChunkedTable) -> Any:
        if dataset.schema is None:
            return piece.chunk.table
        with named(dataset.name, piece.chunk.partition):
            return dataset.schema.conformed(piece.chunk.table)

    def drop(self) -> None:
        """Drop the rows that are not among those with the largest keys."""
        if self._n_kept <= self.n_rows:
            return
        keys = np.concatenate([piece.keys for piece in self._pieces])
        least = float(np.partition(keys, -self.n_rows)[-self.n_rows])
        kept = [piece.above(least) for piece in self._pieces]
        self._pieces = [piece for piece in kept if piece is not None]
        self._least, self._n_kept = least, sum(len(piece.keys) for piece in self._pieces)
