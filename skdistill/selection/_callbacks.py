"""Reports the phases of a fit to scikit-learn's callbacks (from 1.9 on) and on standard error.

The callbacks of scikit-learn are experimental. This is the only module that uses them; without them, phases are only
written to standard error.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import Any, ParamSpec, Self, TypeVar, cast

from .._progress import Progress, Whole, begin_whole, write
from ._forecast import Forecast

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


def supports_callbacks(fit: Callable[P, R]) -> Callable[P, R]:
    """Decorate a ``fit`` that uses :class:`Phases`, so that its callbacks are closed even if it raises."""
    return fit if with_callbacks is None else cast(Callable[P, R], with_callbacks(fit))


class Phases:
    """Report the progress of a fit by one bar if the estimator is verbose, and to its callbacks if it has any.

    Parameters
    ----------
    estimator : estimator
        An estimator whose ``fit`` is decorated by :func:`supports_callbacks`.
    n_phases : int
        Maximum number of phases.
    X, y : object
        The training data, which is passed to the callbacks.
    forecast : Forecast or None, default=None
        Estimates the remaining time.
    """

    def __init__(self, estimator: Any, n_phases: int, X: Any, y: Any, forecast: Forecast | None = None) -> None:
        self._estimator, self._data = estimator, {"X": X, "y": y}
        self._forecast, self._whole = forecast or Forecast(), cast(Whole | None, None)
        if estimator.verbose:
            self._whole = begin_whole(type(estimator).__name__, self._forecast.estimate)
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
            with Phase(verbose) as phase:
                yield phase
            return
        self._is_open, task = True, None
        self._begin(name)
        if self._context is not None:
            task = self._context.subcontext(task_name=name, max_subtasks=STEPS)
            task.call_on_fit_task_begin(estimator=self._estimator)
        try:
            with Phase(verbose, task, self._estimator, self._forecast.advance) as phase:
                yield phase
        finally:
            self._is_open = False
        self._forecast.end()
        if task is not None:
            task.call_on_fit_task_end(estimator=self._estimator)

    @contextmanager
    def labelling(self, name: str, n_rows: int) -> Iterator["Phase"]:
        """Report the begin and the end of a phase in which the teacher labels ``n_rows`` rows."""
        done, last = 0.0, perf_counter()

        def advance(share: float) -> None:
            nonlocal done, last
            now = perf_counter()
            self._forecast.label(n_rows * (share - done), now - last)
            done, last = share, now

        with self.phase(name) as phase:
            yield phase.measured_by(advance)

    def _begin(self, name: str) -> None:
        self._forecast.begin(name)
        if self._whole is not None:
            self._whole.show(name, at_once=True)

    def end(self) -> None:
        """Report that the estimator is fitted."""
        if self._whole is not None:
            self._whole.end()
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
    advance : callable or None, default=None
        Called with the completed share of the phase.
    """

    def __init__(
        self,
        verbose: int,
        task: Any = None,
        estimator: Any = None,
        advance: Callable[[float], None] | None = None,
    ) -> None:
        self._verbose, self._task, self._estimator, self._advance = verbose, task, estimator, advance
        self._n_steps, self._reported = 0, ExitStack()

    def __enter__(self) -> Self:
        self._reported.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._reported.__exit__(*error)

    def measured_by(self, advance: Callable[[float], None]) -> Self:
        """Call another function with the completed share of the phase."""
        self._advance = advance
        return self

    def log(self, line: str) -> None:
        """Write a line to standard error."""
        write(line, self._verbose)

    def progress(self, title: str, total: int, unit: str, work: float | None = None) -> Progress:
        """Return a progress reporter that also notifies the callbacks; it is closed at the end of the phase."""
        progress = Progress(title, total, self._verbose, unit, work=work, callback=self.notify)
        return self._reported.enter_context(progress)

    def notify(self, share: float) -> None:
        """Notify the callbacks of the completed share of the phase."""
        while self._task is not None and self._n_steps < int(STEPS * share):
            self._n_steps += 1
            step = self._task.subcontext(task_name="step").call_on_fit_task_begin(estimator=self._estimator)
            step.call_on_fit_task_end(estimator=self._estimator)
        if self._advance is not None:
            self._advance(share)
