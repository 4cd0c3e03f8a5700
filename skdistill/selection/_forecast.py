"""The completed share of a fit, and the remaining time.

A fit consists of two kinds of work. The teacher labels rows; a row takes as long as the rows before it. In its phases,
the fit draws rows and fits students. The relative durations of the phases are known from other fits; how long one unit
of them takes is measured as the fit goes on.
"""

from collections.abc import Mapping
from time import perf_counter

PRIOR_UNITS, PRIOR_SECONDS = 1, 0.07
"""A prior of the duration of one unit, in seconds, as in fits of a few thousand rows; it counts as much as so many
units that were measured."""

TEACHER, FOLDS = "fit the teacher", "label out of fold"
"""The phases that fit teachers."""

LAST = ("choose a student", "fit the student")
"""The phases before which all rows have been labelled."""


class Forecast:
    """Estimates the completed share of a fit and the remaining time, from what is expected and what was measured.

    Parameters
    ----------
    units : mapping of {str: float}, default={}
        Relative durations of the phases of the fit in their order, without the time in which the teacher labels rows.
    n_rows : float, default=0
        Number of given rows that the teacher labels.
    n_synthetic : float, default=0
        Maximum number of synthetic rows that it labels.
    n_folds : int, default=0
        Number of teachers that are fitted to label out of fold.
    is_fitted : bool, default=True
        Whether the teacher need not be fitted; before it is, nothing is known.
    time_limit : float or None, default=None
        Seconds after which nothing new is tried.
    """

    def __init__(
        self,
        units: Mapping[str, float] | None = None,
        *,
        n_rows: float = 0,
        n_synthetic: float = 0,
        n_folds: int = 0,
        is_fitted: bool = True,
        time_limit: float | None = None,
    ) -> None:
        self._units, self._n_folds, self._time_limit = dict(units or {}), n_folds, time_limit
        self._started, self._is_teacher_known = perf_counter(), is_fitted
        self._rows_left, self._n_synthetic = n_rows + n_synthetic, n_synthetic
        self._rows_labelled, self._label_seconds = 0.0, 0.0
        self._units_done, self._unit_seconds = 0.0, 0.0
        self._fold_seconds = 0.0
        self._phase, self._phase_started, self._phase_share, self._labelled_before = "", 0.0, 0.0, 0.0

    # ------------------------------------------------------------------ what is measured

    def begin(self, phase: str) -> None:
        """Begin a phase; those that it comes after, and that have not begun, are left out of this fit."""
        if phase in self._units:
            for name in list(self._units)[: list(self._units).index(phase)]:
                del self._units[name]
        if phase in LAST:
            self._rows_left = 0.0
        self._phase, self._phase_started, self._phase_share = phase, perf_counter(), 0.0
        self._labelled_before = self._label_seconds

    def advance(self, share: float) -> None:
        """Note the completed share of the phase."""
        self._phase_share = share

    def end(self) -> None:
        """End the phase."""
        spent, units = self._spent_in_phase, self._units.pop(self._phase, 0.0)
        if units:
            self._units_done, self._unit_seconds = self._units_done + units, self._unit_seconds + spent
        if self._phase == TEACHER:
            self._is_teacher_known, self._fold_seconds = True, spent * max(self._n_folds - 1, 0)
        if self._phase == FOLDS:
            self._fold_seconds = 0.0
        self._phase = ""

    def label(self, n_rows: float, seconds: float) -> None:
        """Note that the teacher has labelled rows."""
        self._rows_labelled, self._label_seconds = self._rows_labelled + n_rows, self._label_seconds + seconds
        self._rows_left = max(self._rows_left - n_rows, 0.0)

    # ------------------------------------------------------------------ what is expected

    def estimate(self) -> tuple[float, float | None]:
        """Return the completed share of the fit and the remaining seconds, ``None`` if nothing is known yet."""
        left, spent = self._seconds_left(), perf_counter() - self._started
        return (0.0, None) if left is None else (spent / max(spent + left, 1e-9), left)

    def _seconds_left(self) -> float | None:
        """Return the remaining seconds."""
        if not self._is_teacher_known or (self._rows_left and not self._rows_labelled):
            return None
        of_rows = self._rows_left * self._label_seconds / max(self._rows_labelled, 1.0)
        of_units, last = self._seconds_of_units()
        left = of_rows + of_units + self._seconds_of_folds()
        if self._time_limit is None:
            return left
        return min(left, max(self._time_limit - (perf_counter() - self._started), 0.0) + last)

    def _seconds_of_units(self) -> tuple[float, float]:
        """Return the remaining seconds of all phases, and those of the last one."""
        units, share, spent = self._units.get(self._phase, 0.0), self._phase_share, self._spent_in_phase
        measured, seconds = self._units_done + share * units, self._unit_seconds + (spent if share else 0.0)
        of_unit = (seconds + PRIOR_UNITS * PRIOR_SECONDS) / (measured + PRIOR_UNITS)
        of_phase = of_unit * units * (1 - share) if share else max(of_unit * units - spent, 0.0)
        others = [number for name, number in self._units.items() if name != self._phase]
        return of_phase + of_unit * sum(others), of_unit * (others or [units])[-1]

    def _seconds_of_folds(self) -> float:
        return max(self._fold_seconds - (self._spent_in_phase if self._phase == FOLDS else 0.0), 0.0)

    @property
    def _spent_in_phase(self) -> float:
        """Seconds since the phase began, without those in which the teacher has labelled rows."""
        labelled = self._label_seconds - self._labelled_before
        return max(perf_counter() - self._phase_started - labelled, 0.0) if self._phase else 0.0
