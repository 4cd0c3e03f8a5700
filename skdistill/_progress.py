"""A line on standard error that says how far long work is and how long it still takes."""

import sys
import time
from collections.abc import Callable

QUIET_SECONDS = 2.0
"""Seconds below which work tells nothing of its progress."""


class Progress:
    """Report ``done`` of ``total`` at most every ``every`` seconds; of what takes less than two seconds nothing.

    Parameters
    ----------
    title : str
        What is being done.
    total : int
        How much there is in all.
    verbose : int
        0 says nothing.
    unit : str, default="rows"
        What is counted.
    every : float, default=1.0
        Seconds between two lines.
    work : float or None, default=None
        Work in all, where what is counted takes unequal time: time left is told by it. ``None`` takes the count.
    callback : callable or None, default=None
        Called with the share of the work that is done, at each update, whatever ``verbose`` is. What it returns, a text
        or ``None``, ends the line.
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
        self.started = self.told = time.perf_counter()

    def update(self, done: int, work_done: float | None = None) -> None:
        """Say that so much is done, and, where work was given, how much of it."""
        share = min((done if work_done is None else work_done) / self.work, 1.0)
        overall = None if self.callback is None else self.callback(share)
        now = time.perf_counter()
        is_quiet = now - self.started < QUIET_SECONDS or (done < self.total and now - self.told < self.every)
        if not self.verbose or is_quiet:
            return
        self.told = now
        spent = now - self.started
        left = spent * (1 - share) / max(share, 1e-9)
        tail = f"{left:.0f} s left" if done < self.total else f"{spent:.1f} s"
        line = f"{self.title}: {done:,} of {self.total:,} {self.unit}, {tail}"
        write(line if overall is None else f"{line}; {overall}", self.verbose)


def write(line: str, verbose: int) -> None:
    """Write a line on standard error, unless ``verbose`` is 0."""
    if verbose:
        sys.stderr.write(f"[skdistill] {line}\n")
