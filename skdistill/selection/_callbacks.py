"""Reports the phases of a fit to scikit-learn's callbacks (from 1.9 on) and on standard error.

The callbacks of scikit-learn are experimental. This is the only module that uses them; without them, phases are only
written to standard error.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from time import perf_counter
from typing import Any, ParamSpec, TypeVar, cast

from .._progress import Progress, write

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # before scikit-learn 1.9
    CallbackSupportMixin, with_callbacks = type("NoCallbacks", (), {}), None

CallbackSupport: Any = CallbackSupportMixin
"""Base class of estimators that accept callbacks by ``set_callbacks``."""

P = ParamSpec("P")
R = TypeVar("R")

STEPS = 20
"""Number of steps of each phase that callbacks receive: they require this number when the phase begins."""

SHARES = {"hold out rows": 8, "choose a sampler": 32, "draw rows": 40, "choose a student": 40, "fit the student": 20}
"""Relative durations of the phases, the medians of many fits, from which the remaining time is estimated."""


def supports_callbacks(fit: Callable[P, R]) -> Callable[P, R]:
    """Decorate a ``fit`` that uses :class:`Phases`, so that its callbacks are closed even if it raises."""
    return fit if with_callbacks is None else cast(Callable[P, R], with_callbacks(fit))


class Phases:
    """Report the progress of a fit on standard error if the estimator is verbose, and to its callbacks if it has any.

    Parameters
    ----------
    estimator : estimator
        An estimator whose ``fit`` is decorated by :func:`supports_callbacks`.
    n_phases : int
        Maximum number of phases.
    X, y : object
        The training data, which is passed to the callbacks.
    names : collection of str, default=()
        The phases of this fit that have an entry in ``SHARES``.
    """

    def __init__(self, estimator: Any, n_phases: int, X: Any, y: Any, names: Collection[str] = ()) -> None:
        self._estimator, self._data = estimator, {"X": X, "y": y}
        self._shares = {name: share for name, share in SHARES.items() if name in names}
        self._done, self._started = 0.0, perf_counter()
        self._context: Any = None
        self._is_open = False
        if hasattr(estimator, "_skl_callbacks"):  # without callbacks, no experimental code runs
            self._context = estimator._init_callback_context(max_subtasks=n_phases)
            self._context.call_on_fit_task_begin(estimator=estimator, **self._data)

    @contextmanager
    def phase(self, name: str) -> Iterator["Phase"]:
        """Report the begin and the end of a phase to the callbacks; a nested phase is part of the outer one."""
        verbose = self._estimator.verbose
        if self._is_open:
            yield Phase(verbose)
            return
        self._is_open = True
        task = None
        if self._context is not None:
            task = self._context.subcontext(task_name=name, max_subtasks=STEPS)
            task.call_on_fit_task_begin(estimator=self._estimator)
        try:
            yield Phase(verbose, task, self._estimator, partial(self._time_left, name))
        finally:
            self._is_open = False
        self._done += self._shares.get(name, 0)
        if task is not None:
            task.call_on_fit_task_end(estimator=self._estimator)

    def _time_left(self, name: str, share: float) -> str | None:
        """Return the estimated remaining time of the whole fit as text; ``None`` if it cannot be estimated."""
        done = self._done + share * self._shares.get(name, 0)
        if name not in self._shares or done == 0:
            return None
        left = (perf_counter() - self._started) * (sum(self._shares.values()) / done - 1)
        return f"about {left:.0f} s in all"

    def end(self) -> None:
        """Report to the callbacks that the estimator is fitted."""
        if self._context is not None:
            self._context.call_on_fit_task_end(estimator=self._estimator, reconstruction_attributes=dict, **self._data)


class Phase:
    """Reports the progress within a phase.

    Parameters
    ----------
    verbose : int
    task : CallbackContext or None, default=None
        The callback context of scikit-learn; ``None`` if there are no callbacks.
    estimator : estimator or None, default=None
    time_left : callable, default=a function that returns None
        Maps the completed share of the phase to the remaining time of the whole fit as text.
    """

    def __init__(
        self,
        verbose: int,
        task: Any = None,
        estimator: Any = None,
        time_left: Callable[[float], str | None] = lambda _: None,
    ) -> None:
        self._verbose, self._task, self._estimator, self._time_left = verbose, task, estimator, time_left
        self._n_steps = 0

    def log(self, line: str) -> None:
        """Write a line to standard error."""
        write(line, self._verbose)

    def progress(self, title: str, total: int, unit: str, work: float | None = None) -> Progress:
        """Return a progress reporter that also notifies the callbacks."""
        return Progress(title, total, self._verbose, unit, work=work, callback=self.notify)

    def notify(self, share: float) -> str | None:
        """Notify the callbacks of the completed share of the phase; return the remaining time of the fit as text."""
        while self._task is not None and self._n_steps < int(STEPS * share):
            self._n_steps += 1
            step = self._task.subcontext(task_name="step").call_on_fit_task_begin(estimator=self._estimator)
            step.call_on_fit_task_end(estimator=self._estimator)
        return self._time_left(share)
