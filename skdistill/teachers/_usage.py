"""What services are asked: the requests of one remote teacher, and all of those that a fit sends."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import NamedTuple


class RemoteUsage(NamedTuple):
    """What remote teachers have been asked.

    Attributes
    ----------
    n_rows : int
        Number of rows that were answered.
    n_requests : int
        Number of requests, those that failed among them.
    n_failed : int
        Number of requests that failed.
    cost : float
        ``cost_per_row`` times the rows plus ``cost_per_request`` times the requests that were answered.
    """

    n_rows: int = 0
    n_requests: int = 0
    n_failed: int = 0
    cost: float = 0.0

    def plus(self, other: "RemoteUsage") -> "RemoteUsage":
        """Return the usage of both together."""
        return RemoteUsage(
            self.n_rows + other.n_rows,
            self.n_requests + other.n_requests,
            self.n_failed + other.n_failed,
            float(f"{self.cost + other.cost:.15g}"),  # 0.1 and 0.2 are 0.3, and no small price is lost
        )

    def explain(self) -> str:
        """Return the usage as a part of a sentence.

        Returns
        -------
        text : str

        Examples
        --------
        >>> from skdistill.teachers import RemoteUsage
        >>> RemoteUsage(212, 8, 2, 2.12).explain()
        '212 rows answered by 8 requests, of which 2 failed, cost 2.12'
        """
        failed = f", of which {self.n_failed:,} failed" if self.n_failed else ""
        return f"{self.n_rows:,} rows answered by {self.n_requests:,} requests{failed}, cost {self.cost:,.4g}"


class _Meter:
    """Adds up requests of several threads."""

    def __init__(self) -> None:
        self.usage, self._lock = RemoteUsage(), Lock()

    def add(self, usage: RemoteUsage) -> None:
        with self._lock:
            self.usage = self.usage.plus(usage)


_meters: ContextVar[tuple[_Meter, ...]] = ContextVar("meters of requests", default=())


@contextmanager
def usage_counted() -> Iterator[None]:
    """Count the requests that are sent inside, also by threads that inherit the context; those of others are not."""
    token = _meters.set((*_meters.get(), _Meter()))
    try:
        yield
    finally:
        _meters.reset(token)


def count_request(usage: RemoteUsage) -> None:
    """Count a request for all that it was sent for: a fit may run inside another one."""
    for meter in _meters.get():
        meter.add(usage)


def usage_counted_here() -> RemoteUsage | None:
    """Return what the innermost count is; ``None`` if no request was sent."""
    meters = _meters.get()
    usage = meters[-1].usage if meters else RemoteUsage()
    return usage if usage.n_requests else None
