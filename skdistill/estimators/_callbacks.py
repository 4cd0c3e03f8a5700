"""The phases of a fit, told to scikit-learn's callbacks (from 1.9 on) and on standard error.

scikit-learn calls its callbacks experimental. All that touches them is here; without them, phases are only written.
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
"""Base of estimators that take callbacks, by ``set_callbacks``."""

P = ParamSpec("P")
R = TypeVar("R")

STEPS = 20
"""Steps that a callback sees of a phase: it wants to know their number beforehand."""

SHARES = {"hold rows out": 8, "choose a sampler": 32, "draw rows": 40, "choose a student": 40, "teach the student": 20}
"""Parts of the time of a fit that its phases take, in the median of many fits: by these the time left is told."""


def supports_callbacks(fit: Callable[P, R]) -> Callable[P, R]:
    """Decorate a ``fit`` that opens :class:`Phases`, so that callbacks are closed however it ends."""
    return fit if with_callbacks is None else cast(Callable[P, R], with_callbacks(fit))


class Phases:
    """Tell what a fit is doing: on standard error if the estimator is verbose, and to its callbacks if it has any.

    Parameters
    ----------
    estimator : estimator
        Its ``fit`` is decorated by :func:`supports_callbacks`.
    n_phases : int
        How many there are at most.
    X, y : object
        What it is fitted on, for callbacks that ask.
    names : collection of str, default=()
        The phases whose share of the time is known, of those that there will be.
    """

    def __init__(self, estimator: Any, n_phases: int, X: Any, y: Any, names: Collection[str] = ()) -> None:
        self._estimator, self._data = estimator, {"X": X, "y": y}
        self._shares = {name: share for name, share in SHARES.items() if name in names}
        self._done, self._started = 0.0, perf_counter()
        self._context: Any = None
        self._is_open = False
        if hasattr(estimator, "_skl_callbacks"):  # without any, nothing experimental is touched
            self._context = estimator._init_callback_context(max_subtasks=n_phases)
            self._context.call_on_fit_task_begin(estimator=estimator, **self._data)

    @contextmanager
    def phase(self, name: str) -> Iterator["Phase"]:
        """Tell callbacks that a phase begins and ends. One inside another is part of it, and tells them nothing."""
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
        """Return how long the whole fit still takes, as far as can be told."""
        done = self._done + share * self._shares.get(name, 0)
        if name not in self._shares or done == 0:
            return None
        left = (perf_counter() - self._started) * (sum(self._shares.values()) / done - 1)
        return f"about {left:.0f} s in all"

    def end(self) -> None:
        """Tell callbacks that the estimator is fitted."""
        if self._context is not None:
            self._context.call_on_fit_task_end(estimator=self._estimator, reconstruction_attributes=dict, **self._data)


class Phase:
    """What can be told within a phase.

    Parameters
    ----------
    verbose : int
    task : CallbackContext or None, default=None
        scikit-learn's; ``None`` where callbacks are not told.
    estimator : estimator or None, default=None
    time_left : callable, default=none is told
        From the share of the phase that is done to the time left of the whole fit, in words.
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

    def say(self, line: str) -> None:
        """Write a line."""
        write(line, self._verbose)

    def progress(self, title: str, total: int, unit: str, work: float | None = None) -> Progress:
        """Return progress that is also told to callbacks."""
        return Progress(title, total, self._verbose, unit, work=work, tell=self.tell)

    def tell(self, share: float) -> str | None:
        """Tell callbacks which share of the phase is done; return how long the fit still takes, in words."""
        while self._task is not None and self._n_steps < int(STEPS * share):
            self._n_steps += 1
            step = self._task.subcontext(task_name="step").call_on_fit_task_begin(estimator=self._estimator)
            step.call_on_fit_task_end(estimator=self._estimator)
        return self._time_left(share)
