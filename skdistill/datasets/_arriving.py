"""A table whose rows can be used while others are still read, by a thread."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import replace
from threading import Condition, Event, Lock, Thread
from typing import Any, Self

import numpy as np

from .._tables import renumber, stack_rows, take_rows
from ._drawing import DrawnRows

PATIENCE_SECONDS = 1.0
"""How often the thread is looked after while rows are waited for."""


class ArrivingRows:
    """Rows that a thread reads, in the order in which they arrive; who takes rows waits until they are there.

    The thread runs within ``with rows:``, and the rows are kept until its end. Once all have arrived, it brings them
    into the order of the dataset, and checks them together, so that nobody has to wait for that.

    Parameters
    ----------
    read : callable
        ``read()`` returns an iterator over parts, or ``None`` where there is nothing yet. All parts together have
        ``n_rows`` rows.
    n_rows, n_features : int
    check : callable
        ``check(table)`` returns rows as they are used, or raises an error.

    Attributes
    ----------
    shape : tuple of int
        (n_rows, n_features)
    """

    def __init__(
        self,
        read: Callable[[], Iterator[DrawnRows | None]],
        n_rows: int,
        n_features: int,
        check: Callable[[Any], Any],
    ) -> None:
        self.shape = n_rows, n_features
        self._read, self._check = read, check
        self._parts: list[DrawnRows] = []
        self._ends = [0]
        self._sorted: _Sorted | None = None
        self._changed, self._error = Condition(), None
        self._reading, self._may_read, self._is_over = Lock(), Event(), False
        self._may_read.set()
        self._thread = Thread(target=copy_context().run, args=(self._run,), name="read rows ahead", daemon=True)

    _error: BaseException | None

    def __enter__(self) -> Self:
        try:
            self._thread.start()
        except BaseException:  # an interrupt: nobody would end the thread
            self._is_over = True
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._may_read.set()
        self._thread.join()
        self._parts, self._ends, self._sorted = [], [0], None

    def __getitem__(self, rows: Any) -> Any:
        """Return some rows, as soon as they have arrived."""
        if not isinstance(rows, slice):
            return self._wait_for_all().table(rows)
        start, stop, _ = rows.indices(self.shape[0])
        parts, ends, in_order = self._wait_for(stop)
        if in_order is not None:
            return in_order.table(rows)
        first, last = np.searchsorted(ends, [start, stop - 1], side="right") - 1
        tables = []
        for place in range(first, last + 1):
            # of Python's integers: frames take others for names of columns
            before, after = int(ends[place]), int(ends[place + 1])
            own = slice(max(start, before) - before, min(stop, after) - before)
            tables.append(take_rows(parts[place].table, own))
        return self._check(stack_rows(tables))

    def in_order(self) -> tuple[DrawnRows, np.ndarray]:
        """Return all rows in the order of the dataset, checked, and at which place each of them has arrived."""
        found = self._wait_for_all()
        return found.drawn, found.order

    @contextmanager
    def undisturbed(self, n_rows: int) -> Iterator[None]:
        """Wait for the first rows, then let the thread rest, so that it does not count when calls are timed."""
        self._wait_for(n_rows)
        self._may_read.clear()
        try:
            with self._reading:
                yield
        finally:
            self._may_read.set()

    def _wait_for(self, n_rows: int) -> "tuple[tuple[DrawnRows, ...], np.ndarray, _Sorted | None]":
        """Return the parts that are there once the first rows have arrived, where each ends, or all rows in order."""
        with self._changed:
            while self._ends[-1] < n_rows and self._error is None:
                self._changed.wait(PATIENCE_SECONDS)
            if self._ends[-1] < n_rows and self._error is not None:
                raise self._error
            return tuple(self._parts), np.array(self._ends), self._sorted

    def _wait_for_all(self) -> "_Sorted":
        """Return all rows in order."""
        with self._changed:
            while self._sorted is None and self._error is None:
                self._changed.wait(PATIENCE_SECONDS)
            if self._sorted is None:
                assert self._error is not None
                raise self._error
            return self._sorted

    def _run(self) -> None:
        try:
            parts = self._read()
            while not self._is_over:
                self._may_read.wait()
                with self._reading:
                    part = next(parts, _END)
                if part is _END:
                    break
                self._add(part)
            if self._ends[-1] != self.shape[0]:  # or nobody waits for them any more
                raise RuntimeError(f"{self._ends[-1]} of {self.shape[0]} rows have arrived")
            self._may_read.wait()
            with self._reading:
                if not self._is_over:
                    self._sort()
        except BaseException as error:  # raised where the rows are used
            self._error = error
            with self._changed:
                self._changed.notify_all()

    def _add(self, part: Any) -> None:
        if part is None or not len(part):
            return
        with self._changed:
            self._parts.append(part)
            self._ends.append(self._ends[-1] + len(part))
            self._changed.notify_all()

    def _sort(self) -> None:
        """Replace the parts by all rows in order; no more than two copies of them are in memory."""
        arrived = DrawnRows.joined(self._parts)
        with self._changed:
            self._parts, self._ends = [arrived], [0, len(arrived)]
        order = np.argsort(arrived.positions)
        drawn = arrived.take(order)
        found = _Sorted(replace(drawn, table=self._check(drawn.table)), order)
        with self._changed:
            self._parts, self._sorted = [], found
            self._changed.notify_all()


class _Sorted:
    """All rows in the order of the dataset.

    Attributes
    ----------
    drawn : DrawnRows
    order : ndarray of int
        At which place each row has arrived.
    """

    def __init__(self, drawn: DrawnRows, order: np.ndarray) -> None:
        self.drawn, self.order = drawn, order
        self._place = np.empty_like(order)
        self._place[order] = np.arange(len(order))

    def table(self, arrived: Any) -> Any:
        """Return rows by the places at which they have arrived."""
        return renumber(take_rows(self.drawn.table, self._place[arrived]))


_END: Any = object()
