"""When requests to a service may be sent: a limit on their rate, and pauses that the service asks for."""

import time
from threading import Event, Lock
from typing import Any


def now() -> float:
    """Return the time in seconds on a clock that never goes back."""
    return time.monotonic()


def wait(seconds: float, stop: Event) -> None:
    """Wait, unless ``stop`` is set before."""
    if seconds > 0:
        stop.wait(seconds)


class Pace:
    """Spaces the requests of all threads.

    Parameters
    ----------
    rate_limit : float or None
        Maximum number of requests a second; ``None`` is no limit.
    """

    def __init__(self, rate_limit: float | None) -> None:
        self._gap = 0.0 if rate_limit is None else 1.0 / rate_limit
        self._next = -float("inf")
        self._lock = Lock()

    def reserve(self) -> float:
        """Take the next free moment for a request, and return the seconds until then."""
        with self._lock:
            current = now()
            moment = max(current, self._next)
            self._next = max(moment + self._gap, self._next)
            return moment - current

    def pause(self, seconds: float) -> None:
        """Let no request be sent within the next ``seconds``."""
        with self._lock:
            self._next = max(self._next, now() + seconds)

    def __getstate__(self) -> dict[str, Any]:
        return {"gap": self._gap}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(None)  # type: ignore[misc]
        self._gap = state["gap"]
