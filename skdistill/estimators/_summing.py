"""Rows of a dataset on their way into the sums that a student is fitted again from: drawn, labelled, and added up."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from .._encoding import encoded_once
from .._processes import count_jobs
from .._tables import stack_rows, take_rows
from .._validation import check_weights
from ..datasets import Chunk
from ..datasets._chunked_table import named
from ..datasets._drawing import DrawnRows, row_keys
from ..datasets._remaining import RemainingRows
from ..selection import Group, Targets
from ..students._refitting import Sums
from ..teachers._seen_rows import RowKeys, value_keys
from ..transfer import Oracle, TransferSet
from ._datasets import HELD_OUT_SHARE, DatasetPool

LABELLED_CHUNKS = 4
"""Number of chunks whose rows are labelled in one query, if they are no more than the rows that a fit holds: jobs wait
for each other at the end of each query."""

MOST_VALIDATION_ROWS = 5000
"""About the maximum number of further rows that are held out: the length of a step is chosen on one half of them, and
the students before and after it are compared on the other."""

SUMMED_ROWS = 4096
"""Number of rows that small chunks are taken to have: a call costs as much as thousands of rows."""

MOST_KEYS = 1_000_000
"""About the maximum number of further rows whose keys are kept, of 16 bytes each."""


@dataclass
class Summing:
    """Rows of the fit and further rows of the dataset on their way into the sums.

    Attributes
    ----------
    sums : Sums
    rows : TransferSet
        Rows of the fit.
    pool : DatasetPool
    further : RemainingRows
    targets : Targets
    oracle : Oracle
    n_summed, n_labelled, n_held : int
        Numbers of rows so far: in the sums, labelled, and held out.
    """

    sums: Sums
    rows: TransferSet
    pool: DatasetPool
    further: RemainingRows
    targets: Targets
    oracle: Oracle
    n_summed: int = 0
    n_labelled: int = 0
    n_held: int = 0
    _held: list[tuple[Any, np.ndarray, np.ndarray, np.ndarray]] = field(default_factory=list)
    _keys: list[np.ndarray] = field(default_factory=list)

    def run(self) -> Iterator[int]:
        """Add all rows; yield the number of further rows that are labelled after each query.

        With jobs, which label the rows of the next query meanwhile, a thread adds those of the last one. It is waited
        for before it gets other rows, so that these are added in the same order, and its errors are raised here.
        """
        step = self._chunk_rows()
        for start in range(0, len(self.rows), step):
            part = self.rows.take(np.arange(start, min(start + step, len(self.rows))))
            with encoded_once():  # nothing of a chunk is kept
                self._add(part.X, part.outputs, part.truth, part.sample_weight)
        adding: Future[None] | None = None
        has_jobs = count_jobs(self.oracle.workers.n_jobs) > 1
        with ThreadPoolExecutor(1) as pool:
            for drawn, keys in self._queries():
                outputs = self._labelled(drawn)
                if adding is not None:
                    adding.result()
                if has_jobs:
                    adding = pool.submit(copy_context().run, self._add_labelled, drawn, keys, outputs)
                else:
                    self._add_labelled(drawn, keys, outputs)
                yield self.n_labelled
            if adding is not None:
                adding.result()

    def held_out(self) -> tuple[Group, Group | None]:
        """Return the held-out rows on which students are compared, and a random half that a length is chosen on."""
        tables, outputs, weights, keys = zip(*self._held, strict=True)
        X, targets = stack_rows(list(tables)), self.targets.of(np.concatenate(outputs))
        weight = np.concatenate(weights)
        order = np.concatenate(keys).argsort()
        n_chosen_on = len(order) // 2 if self.sums.is_step else 0
        chosen_on, compared = (
            Group(take_rows(X, rows), targets[rows], weight[rows])
            for rows in (np.sort(order[:n_chosen_on]), np.sort(order[n_chosen_on:]))
        )
        return compared, chosen_on if n_chosen_on else None

    @property
    def keys(self) -> RowKeys:
        """Keys of the further rows, or of a part of them, by which they are recognised."""
        return RowKeys(np.concatenate(self._keys))

    def _chunk_rows(self) -> int:
        """Return the number of rows that are added at a time: those of a chunk, if it is not small."""
        return max(self.pool.dataset.chunk_size, SUMMED_ROWS)

    def _queries(self) -> Iterator[tuple[DrawnRows, np.ndarray]]:
        """Yield further rows that are labelled together, and random numbers that tell which are held out."""
        pool, parts, n_rows = self.pool, list[_Part](), 0
        dataset, others = pool.dataset, [name for name in (pool.y, pool.weight) if name is not None]
        most = min(LABELLED_CHUNKS * self._chunk_rows(), dataset.sample_rows) - dataset.chunk_size
        for chunk in dataset.chunks(others=others):
            part = self._drawn_from(chunk)
            if len(part.keys):
                parts.append(part)
                n_rows += len(part.keys)
            if parts and n_rows > most:  # a further chunk may be too much
                yield self._joined(parts)
                parts, n_rows = [], 0
        if parts:
            yield self._joined(parts)

    def _drawn_from(self, chunk: Chunk) -> "_Part":
        """Return the rows of a chunk that are drawn, without those of weight zero."""
        rows = self.further.of(chunk.start, len(chunk))
        others = chunk.others_of(rows)
        if self.pool.weight is not None and len(rows):
            weight = np.asarray(others[self.pool.weight], dtype=float)
            with named(self.pool.dataset.name, chunk.partition):
                if weight.any():
                    check_weights(weight, len(rows), "sample_weight")
            rows, others = rows[weight > 0], {name: values[weight > 0] for name, values in others.items()}
        table = chunk.table if len(rows) == len(chunk) else take_rows(chunk.table, rows)
        keys = row_keys(self.pool.held_out.seed, chunk.start, len(chunk))[rows]
        return _Part(chunk.partition, DrawnRows(table, chunk.start + rows, others), keys)

    def _joined(self, parts: list["_Part"]) -> tuple[DrawnRows, np.ndarray]:
        """Return the rows of some chunks together, checked, and their random numbers."""
        drawn = DrawnRows.joined([each.drawn for each in parts])
        table = self._checked(drawn.table, parts)
        return replace(drawn, table=table), np.concatenate([each.keys for each in parts])

    def _checked(self, table: Any, parts: list["_Part"]) -> Any:
        """Return the table of some parts after the checks; an error names the partition of the first that is wrong."""
        try:
            return self.pool.check(self.rows.X, table)
        except Exception:
            for part in parts:
                with named(self.pool.dataset.name, part.partition):
                    self.pool.check(self.rows.X, part.drawn.table)
            raise

    def _labelled(self, drawn: DrawnRows) -> np.ndarray:
        """Return the outputs of the teacher, and keep the keys of the rows, or of a part of them."""
        every = -(-self.further.n_drawn // MOST_KEYS)
        with encoded_once():
            outputs = self.oracle.label(drawn.table, "rows of the dataset")
            self._keys.append(value_keys(drawn.table)[drawn.positions % every == 0])
        self.n_labelled += len(outputs)
        return outputs

    def _add_labelled(self, drawn: DrawnRows, keys: np.ndarray, outputs: np.ndarray) -> None:
        """Add the rows of a query, about a chunk of them at a time."""
        step = self._chunk_rows()
        for start in range(0, len(drawn), step):
            part = slice(start, start + step)
            with encoded_once():
                self._hold_out_and_add(drawn.take(part), keys[part], outputs[part])

    def _hold_out_and_add(self, drawn: DrawnRows, keys: np.ndarray, outputs: np.ndarray) -> None:
        """Hold some rows out, and add the others; each stands for the rows that are not drawn, too."""
        pool, share = self.pool, self.further.n_left / self.further.n_drawn
        weight = self.rows.sample_weight.mean() if pool.weight is None else drawn.others[pool.weight].astype(float)
        weights, truth = np.broadcast_to(weight, len(drawn)), None
        if pool.y is not None and pool.truth_of is not None:
            truth = pool.truth_of(drawn.table, drawn.others[pool.y])
        of_held_out = min(1.0, MOST_VALIDATION_ROWS / (HELD_OUT_SHARE * self.further.n_drawn))
        is_held = keys < of_held_out * self.pool.held_out.share
        held, summed = np.flatnonzero(is_held), np.flatnonzero(~is_held)
        self.n_held += len(held)
        if len(held):
            self._held.append((take_rows(drawn.table, held), outputs[held], weights[held], keys[held]))
        truth = None if truth is None else truth[summed]
        self._add(take_rows(drawn.table, summed), outputs[summed], truth, share * weights[summed])

    def _add(self, X: Any, outputs: np.ndarray, truth: np.ndarray | None, weight: np.ndarray) -> None:
        self.n_summed += len(weight)
        self.sums.add(self.targets.view.rows(X), self.targets.taught(outputs, truth), weight)


class _Part(NamedTuple):
    """Rows of a chunk that are drawn, with random numbers that tell which are held out."""

    partition: str
    drawn: DrawnRows
    keys: np.ndarray
