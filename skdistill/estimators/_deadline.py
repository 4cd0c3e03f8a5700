"""How long a choice may go on."""

from time import perf_counter

LABELLED_SHARE = 0.3
"""Share of the time left that the teacher may be asked about synthetic rows for."""


class Deadline:
    """The time that a fit has, from now on.

    Parameters
    ----------
    seconds : float or None
        ``None`` is for ever.
    """

    def __init__(self, seconds: float | None) -> None:
        self._end = float("inf") if seconds is None else perf_counter() + seconds

    @property
    def left(self) -> float:
        """Seconds that are left; negative where it is over."""
        return self._end - perf_counter()

    def rows_in_time(self, n_rows: int, seconds: float) -> float:
        """Return how many synthetic rows can be asked for, where so many rows took so many seconds."""
        return LABELLED_SHARE * max(self.left, 0.0) * n_rows / max(seconds, 1e-9)
