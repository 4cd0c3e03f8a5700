"""A line on standard error that says how far long work is and how long it still takes."""

import sys
import time


class Progress:
    """Report ``done`` of ``total`` at most every ``every`` seconds.

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
    """

    def __init__(self, title: str, total: int, verbose: int, unit: str = "rows", every: float = 1.0) -> None:
        self.title, self.total, self.verbose, self.unit, self.every = title, total, verbose, unit, every
        self.started = self.told = time.perf_counter()

    def update(self, done: int) -> None:
        """Say that so much is done."""
        now = time.perf_counter()
        if not self.verbose or (done < self.total and now - self.told < self.every):
            return
        self.told = now
        spent = now - self.started
        left = spent * (self.total - done) / max(done, 1)
        tail = f"{left:.0f} s left" if done < self.total else f"{spent:.1f} s"
        sys.stderr.write(f"[skdistill] {self.title}: {done:,} of {self.total:,} {self.unit}, {tail}\n")
