"""Progress reports with the remaining time: lines on standard error, in a notebook a bar."""

import sys
import time
from collections.abc import Callable

from ._notebook import Bar, in_notebook

QUIET_SECONDS = 2.0
"""Work that takes less time than this, in seconds, does not report its progress."""


class Progress:
    """Report progress at most every ``every`` seconds; work of less than two seconds reports nothing.

    Each report is a line on standard error; in a notebook, it updates a bar and the line above it.

    Parameters
    ----------
    title : str
        Description of the work.
    total : int
        Total number of items.
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
        total: int,
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
        self._bar = Bar()

    def update(self, done: int, work_done: float | None = None) -> None:
        """Report the number of completed items and, if ``work`` was given, the completed amount of work."""
        share = min((done if work_done is None else work_done) / self.work, 1.0)
        overall = None if self.callback is None else self.callback(share)
        now = time.perf_counter()
        is_quiet = now - self.started < QUIET_SECONDS or (done < self.total and now - self.last_written < self.every)
        if not self.verbose or is_quiet:
            return
        self.last_written = now
        spent = now - self.started
        left = spent * (1 - share) / max(share, 1e-9)
        tail = f"{left:.0f} s left" if done < self.total else f"{spent:.1f} s"
        line = f"{self.title}: {done:,} of {self.total:,} {self.unit}, {tail}"
        self._report(share, line if overall is None else f"{line}; {overall}")

    def _report(self, share: float, line: str) -> None:
        if in_notebook():
            self._bar.show(share, line)
        else:
            write(line, self.verbose)


def write(line: str, verbose: int) -> None:
    """Write a line to standard error unless ``verbose`` is 0."""
    if verbose:
        sys.stderr.write(f"[skdistill] {line}\n")
