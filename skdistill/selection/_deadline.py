"""The time limit of a fit."""

from time import perf_counter

MAX_QUERY_TIME_SHARE = 0.3
"""Maximum share of the remaining time that is spent on labelling synthetic rows."""


class Deadline:
    """The end of the time limit of a fit.

    Parameters
    ----------
    seconds : float or None
        Time limit, counted from now; ``None`` sets no limit.
    """

    def __init__(self, seconds: float | None) -> None:
        self._end = float("inf") if seconds is None else perf_counter() + seconds

    @property
    def left(self) -> float:
        """Remaining seconds; negative after the deadline."""
        return self._end - perf_counter()

    def rows_in_time(self, n_rows: int, seconds: float) -> float:
        """Return how many synthetic rows can be labelled in time, given that ``n_rows`` rows took ``seconds``."""
        return MAX_QUERY_TIME_SHARE * max(self.left, 0.0) * n_rows / max(seconds, 1e-9)
