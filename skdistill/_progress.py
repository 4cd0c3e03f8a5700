"""Progress of long work with the remaining time: a bar where one can be drawn, otherwise lines on standard error."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import RLock
from types import TracebackType
from typing import Self

from ._bars import Bar, open_bar, write_line

QUIET_SECONDS = 2.0
"""Work that takes less time than this, in seconds, does not report its progress."""

REDRAW_SECONDS = 0.2
"""Minimum number of seconds between two states of a bar."""

MOST_SHARE = 0.99
"""Share of work that is not over yet, whatever is estimated."""

MINUTES_FROM, HOURS_FROM = 120, 7200
"""Numbers of seconds from which a remaining time is given in minutes, and in hours and minutes."""


class Whole:
    """Long work that consists of several parts, with one bar for all of them.

    Where no bar can be drawn, the lines of the parts end with what :meth:`tell` returns.

    Parameters
    ----------
    title : str
        Name of the work.
    estimate : callable
        Returns the completed share of the work, and the remaining time in seconds, ``None`` if it is not known.
    """

    def __init__(self, title: str, estimate: Callable[[], tuple[float, float | None]]) -> None:
        self.title, self._estimate = title, estimate
        self._started, self._drawn, self._share = time.perf_counter(), float("-inf"), 0.0
        self._bar: Bar | None = None

    def tell(self) -> str | None:
        """Return how far the work is, and how long the rest takes, as text; ``None`` if that is not known."""
        share, left = self._estimate()
        return None if left is None else f"{self.title}: {100 * min(share, MOST_SHARE):.0f} %, {about(left)} left"

    def show(self, line: str, *, at_once: bool = False) -> bool:
        """Show what is being done beside the bar; return whether there is a bar.

        If the bar has just been drawn, it is drawn again only if that must be done ``at_once``.
        """
        now = time.perf_counter()
        if now - self._started < QUIET_SECONDS:
            return False
        if self._bar is not None and not at_once and now - self._drawn < REDRAW_SECONDS:
            return True
        self._drawn = now
        share, left = self._estimate()
        self._share = max(self._share, min(share, MOST_SHARE))
        return self._draw(line if left is None else f"{about(left)} left: {line}")

    def end(self) -> None:
        """Show that the work is done, and how long it took."""
        self._share, line = 1.0, f"{self.title} fitted in {time.perf_counter() - self._started:.1f} s"
        if self._bar is None or not self._draw(line):
            write_line(f"[skdistill] {line}")

    def close(self) -> None:
        """Leave the bar as it is: full if the work was done, otherwise where it stopped."""
        with _drawing:
            if self._bar is not None:
                self._bar.close()

    def _draw(self, line: str) -> bool:
        with _drawing:
            if self._bar is None:
                self._bar = open_bar(self._share, line)
            else:
                self._bar.show(self._share, line)
            return self._bar is not None


_drawing = RLock()
"""Work in threads reports to the same bar, or to bars that share a display."""

_whole: ContextVar[Whole | None] = ContextVar("whole", default=None)
"""The work that all progress is a part of."""


@contextmanager
def whole_closed() -> Iterator[None]:
    """End what :func:`begin_whole` begins inside, also if an error ends it; usable as a decorator."""
    token = _whole.set(None)
    try:
        yield
    finally:
        if (whole := _whole.get()) is not None:
            whole.close()
        _whole.reset(token)


def begin_whole(title: str, estimate: Callable[[], tuple[float, float | None]]) -> Whole:
    """Begin work that consists of parts: all progress is shown as a part of it, until :func:`whole_closed` ends."""
    whole = Whole(title, estimate)
    _whole.set(whole)
    return whole


class Progress:
    """Report progress at most every ``every`` seconds; work of less than two seconds reports nothing.

    Each report updates a bar and the line beside it. Where no bar can be drawn, it is a line on standard error. A part
    of a :class:`Whole` has no bar of its own. As a context manager, it is closed at the end.

    Parameters
    ----------
    title : str
        Description of the work.
    total : int or None
        Total number of items; ``None`` if it is not known.
    verbose : int
        0 writes nothing.
    unit : str, default="rows"
        Name of the items.
    every : float, default=1.0
        Minimum number of seconds between two reports.
    work : float or None, default=None
        Total amount of work, from which the remaining time is estimated if items take unequal time. ``None`` uses the
        number of items.
    callback : callable or None, default=None
        Called with the completed share of the work at each update, independently of ``verbose``. It returns a text that
        is appended to the line, or ``None``.
    """

    def __init__(
        self,
        title: str,
        total: int | None,
        verbose: int,
        unit: str = "rows",
        every: float = 1.0,
        *,
        work: float | None = None,
        callback: Callable[[float], str | None] | None = None,
    ) -> None:
        self.title, self.total, self.verbose, self.unit, self.every = title, total, verbose, unit, every
        self.work, self.callback = total if work is None else work, callback
        self.started = self.last_written = time.perf_counter()
        self._n_done, self._is_over = 0, False
        self._bar: Bar | None = None

    def update(self, done: int, work_done: float | None = None) -> None:
        """Report the number of completed items and, if ``work`` was given, the completed amount of work."""
        self._n_done, self._is_over = done, self.total is not None and done >= self.total
        share = min((done if work_done is None else work_done) / self.work, 1.0) if self.work else 0.0
        note = None if self.callback is None else self.callback(share)
        if self.verbose:
            of_all = "" if self.total is None else f" of {self.total:,}"
            self._report(share, f"{self.title}: {done:,}{of_all} {self.unit}", note)

    def close(self) -> None:
        """Report the end of the work, and with how many items it ended if these were fewer than announced."""
        if self.verbose and not self._is_over:
            self._is_over = True
            n_items = f"{self._n_done:,}" if self.total is None else f"ended after {self._n_done:,} of {self.total:,}"
            self._report(1.0, f"{self.title}: {n_items} {self.unit}", None)
        self.leave()

    def leave(self) -> None:
        """Leave the bar as it is, as the work has stopped."""
        with _drawing:
            if self._bar is not None:
                self._bar.close()
                self._bar = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close() if error is None else self.leave()

    def _report(self, share: float, line: str, note: str | None) -> None:
        whole, now = _whole.get(), time.perf_counter()
        if whole is not None and whole.show(line if note is None else f"{line}; {note}"):
            return
        if now - self.started < QUIET_SECONDS or (not self._is_over and now - self.last_written < self.every):
            return
        self.last_written = now
        spent = now - self.started
        is_known = share > 0 and not self._is_over
        tail = f"{_time(spent * (1 - share) / share)} left" if is_known else f"{spent:.1f} s"
        notes = [note, None if whole is None else whole.tell()]
        line = "; ".join([f"{line}, {tail}", *filter(None, notes)])
        if whole is not None or not self._show(share, line):
            write(line, self.verbose)

    def _show(self, share: float, line: str) -> bool:
        """Show a bar of this work alone, if one can be drawn."""
        with _drawing:
            if self._bar is None:
                self._bar = open_bar(share, line)
            else:
                self._bar.show(share, line)
            shown = self._bar is not None
            if self._is_over:
                self.leave()
            return shown


def write(line: str, verbose: int) -> None:
    """Write a line to standard error unless ``verbose`` is 0; it is also shown beside the bar of the whole work."""
    if verbose:
        write_line(f"[skdistill] {line}")
        if (whole := _whole.get()) is not None:
            whole.show(line, at_once=True)


def about(seconds: float) -> str:
    """Return a rough time as text."""
    return f"about {_time(seconds)}"


def _time(seconds: float) -> str:
    """Return a time as text: in seconds, in minutes, or in hours and minutes."""
    if seconds < MINUTES_FROM:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if seconds < HOURS_FROM else f"{minutes // 60} h {minutes % 60} min"
