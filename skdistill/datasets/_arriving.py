"""A table whose rows can be used while others are still read, by a thread."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from threading import Condition, Event, Lock, Thread
from typing import Any, Self

import numpy as np

from .._tables import stack_rows, take_rows
from ._drawing import DrawnRows

PATIENCE_SECONDS = 1.0
"""How often the thread is looked after while rows are waited for."""


class ArrivingRows:
    """Rows that a thread reads, in the order in which they arrive; who takes rows waits until they are there.

    The thread runs within ``with rows:``, and the rows are kept until its end.

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
        self._changed, self._error = Condition(), None
        self._reading, self._may_read, self._is_over = Lock(), Event(), False
        self._may_read.set()
        self._thread = Thread(target=copy_context().run, args=(self._run,), name="read rows ahead", daemon=True)

    _error: BaseException | None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        self._may_read.set()
        self._thread.join()
        self._parts, self._ends = [], [0]

    def __getitem__(self, rows: Any) -> Any:
        """Return some rows, as soon as they have arrived."""
        if not isinstance(rows, slice):
            return take_rows(self._check(self.drawn().table), rows)
        start, stop, _ = rows.indices(self.shape[0])
        parts, ends = self._wait_for(stop)
        first, last = np.searchsorted(ends, [start, stop - 1], side="right") - 1
        tables = []
        for place in range(first, last + 1):
            before = int(ends[place])  # pandas would look for numbers of numpy among the labels of rows
            end = min(stop, int(ends[place + 1])) - before
            tables.append(take_rows(parts[place].table, slice(max(start - before, 0), end)))
        return self._check(stack_rows(tables))

    def drawn(self) -> DrawnRows:
        """Return all rows, as soon as they have arrived."""
        parts, _ = self._wait_for(self.shape[0])
        names = parts[0].others
        return DrawnRows(
            stack_rows([part.table for part in parts]),
            np.concatenate([part.positions for part in parts]),
            {name: np.concatenate([part.others[name] for part in parts]) for name in names},
        )

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

    def _wait_for(self, n_rows: int) -> tuple[tuple[DrawnRows, ...], np.ndarray]:
        """Return the parts that are there once the first rows have arrived, and where each ends."""
        with self._changed:
            while self._ends[-1] < n_rows and self._error is None:
                self._changed.wait(PATIENCE_SECONDS)
            if self._ends[-1] < n_rows and self._error is not None:
                raise self._error
            return tuple(self._parts), np.array(self._ends)

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
            if self._ends[-1] != self.shape[0]:
                raise RuntimeError(f"{self._ends[-1]} of {self.shape[0]} rows have arrived")
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


_END: Any = object()
