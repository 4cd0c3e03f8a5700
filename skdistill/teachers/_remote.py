"""A teacher that is a service: requests in batches, several at a time, repeated when they fail, within a budget."""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from numbers import Integral
from threading import BoundedSemaphore, Event, Lock
from typing import Any, Literal

import numpy as np

from .._described import described, text_of
from .._tables import take_rows
from .._validation import check_number
from ..exceptions import TeacherError, TeacherUnavailableError
from . import _pacing
from ._calling import call_within
from ._kept_answers import Answered, KeptAnswers, keys_for_keeping, read_request, stack_answers
from ._lists import teachers_in
from ._pacing import Pace
from ._transient import is_transient, retry_after
from ._usage import RemoteUsage, count_request

WAVES_AT_ONCE = 16
"""Number of requests per slot between two looks at the progress: at its end, slots wait for the slowest request."""

_JITTER = random.Random()
"""Spreads retries; it has no influence on answers, and none on the generators of the user."""


class RemoteTeacher:
    """A function that asks a service: called with batches of rows, several at a time, and again when it fails.

    Pass it as the teacher wherever a function can be one. Answers are in the order of the rows, whatever the order in
    which requests are answered, so that a fit does not depend on ``batch_size``, ``concurrent`` or failures.

    When a request has failed for good, requests under way are completed and no others are sent. The answers so far are
    kept in this object, those of the whole ``fit`` among them: the next ``fit`` uses each of them once before it sends
    a request. So do the answers of a ``fit`` that was interrupted or failed otherwise. With ``memory`` of the
    distilled estimator, they are stored on disk, where another process finds them.

    ``max_queries`` of the estimators limits the rows that one ``fit`` asks for, with those that check the teacher;
    repeated requests do not count, since their rows were not answered. Each fold of a search or cross-validation is a
    fit with a budget of its own, and ``fidelity``, ``score`` with the teacher and ``report`` ask beside it:
    ``max_rows`` limits all of them together.

    Parameters
    ----------
    function : callable
        ``function(rows)`` returns the answers for a table of at most ``batch_size`` rows, as a teacher does: an array,
        a list, a frame, or one dict per row. It may be ``async``. It must raise an error if a request failed.
    batch_size : int, default=100
        Maximum number of rows of a request, at least 1.
    concurrent : int, default=1
        Maximum number of requests at the same time, at least 1. An ordinary function is called in that many threads;
        asynchronous ones share one event loop, which is not that of a notebook.
    rate_limit : float or None, default=None
        Maximum number of requests a second, above 0, repeated ones among them.
    timeout : float or None, default=None
        Seconds, above 0, after which a request counts as failed. A coroutine is then cancelled; an ordinary function
        cannot be, so give its client the same time limit.
    max_retries : int, default=5
        Number of times that a request is repeated, at least 0.
    retry_on : "auto", exception class, tuple of exception classes or callable, default="auto"
        Which errors are worth another request. ``"auto"`` reads the status of the error or its response (408, 425,
        429, 500, 502, 503, 504, and the codes of gRPC like ``UNAVAILABLE``); errors without one are repeated if they
        are of a connection, a time limit or a truncated answer. A callable gets the error and returns whether. Other
        errors end the query at once.
    first_delay : float, default=1.0
        Seconds before a request is repeated, at least 0. They double with each failure of a request, and between half
        and all of them are waited, at random. If the error has ``retry_after`` or a header ``Retry-After``, no request
        is sent before that time.
    longest_delay : float, default=60.0
        Maximum number of seconds between two tries, at least 0. A service that asks to wait longer ends the query.
    max_rows : int or None, default=None
        Maximum number of rows that are answered over the life of this object, at least 1. A call for more rows than
        are left is not sent. ``None`` is no limit.
    cost_per_row, cost_per_request : float, default=0.0
        Price of a row and of a request that is answered, at least 0, in any currency.
    classes : array-like of shape (n_classes,), default=None
        The labels in the order of the output columns, as for :func:`~skdistill.as_teacher`; ``None`` uses those of
        ``y`` in ``fit``.

    Attributes
    ----------
    usage : RemoteUsage
        Rows, requests, failed requests and cost so far, of all threads. It is shown with the progress
        (``verbose=1``); ``transfer_set_.usage`` of a distilled estimator is that of its fit alone. A copy in another
        process (``n_jobs`` of a search) counts for itself, and has limits of its own.
    n_kept : int
        Number of answers that are kept for the next ``fit``.

    Raises
    ------
    TeacherUnavailableError
        When called, if the service does not answer after all retries, asks to wait too long, or if ``max_rows`` is
        used up.
    TeacherOutputError
        When called, if a request is answered with another number of rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import DistilledRegressor, RemoteTeacher
    >>> failures = iter([True, False, False, True])
    >>> def service(X):
    ...     if next(failures, False):
    ...         raise ConnectionResetError("busy")
    ...     return X[:, 0] + X[:, 1]
    >>> teacher = RemoteTeacher(service, batch_size=50, first_delay=0.0, cost_per_row=0.01)
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> model = DistilledRegressor(teacher, "linear", sampler=None, random_state=0).fit(X)
    >>> model.transfer_set_.n_queries == teacher.usage.n_rows
    True
    >>> teacher.usage  # 200 rows, and 12 that check whether the answers can be repeated
    RemoteUsage(n_rows=212, n_requests=8, n_failed=2, cost=2.12)
    """

    def __init__(
        self,
        function: Callable[[Any], Any],
        *,
        batch_size: int = 100,
        concurrent: int = 1,
        rate_limit: float | None = None,
        timeout: float | None = None,
        max_retries: int = 5,
        retry_on: Literal["auto"]
        | type[Exception]
        | tuple[type[Exception], ...]
        | Callable[[Exception], bool] = "auto",
        first_delay: float = 1.0,
        longest_delay: float = 60.0,
        max_rows: int | None = None,
        cost_per_row: float = 0.0,
        cost_per_request: float = 0.0,
        classes: Any = None,
    ) -> None:
        self.function = function
        self.batch_size, self.concurrent = batch_size, concurrent
        self.rate_limit, self.timeout = rate_limit, timeout
        self.max_retries, self.retry_on = max_retries, retry_on
        self.first_delay, self.longest_delay = first_delay, longest_delay
        self.max_rows = max_rows
        self.cost_per_row, self.cost_per_request = cost_per_row, cost_per_request
        self.classes_ = None if classes is None else np.asarray(classes)
        _check(self)
        self._pace = Pace(rate_limit)
        self._slots, self._lock = BoundedSemaphore(concurrent), Lock()
        self._usage, self._n_under_way = RemoteUsage(), 0
        self._kept = KeptAnswers(self._who)

    def __repr__(self) -> str:
        return f"RemoteTeacher({self.__name__}, batch_size={self.batch_size}, concurrent={self.concurrent})"

    @property
    def __name__(self) -> str:
        """Name of the function in messages."""
        function = self.function
        while isinstance(function, partial):
            function = function.func
        return str(getattr(function, "__name__", type(function).__name__))

    @property
    def _who(self) -> str:
        return f"RemoteTeacher: {self.__name__}"

    @property
    def usage(self) -> RemoteUsage:
        """Rows, requests, failed requests and cost so far."""
        return self._usage

    @property
    def n_kept(self) -> int:
        """Number of answers that are kept for the next fit."""
        with self._lock:
            return len(self._kept)

    @property
    def rows_at_once(self) -> int:
        """Number of rows after which answers are stored and progress is shown."""
        return self.batch_size * (1 if self.concurrent == 1 else WAVES_AT_ONCE * self.concurrent)

    def __sklearn_clone__(self) -> "RemoteTeacher":
        """Return the teacher itself, with its counters and limits."""
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_slots", "_lock")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._slots, self._lock, self._n_under_way = BoundedSemaphore(self.concurrent), Lock(), 0

    # ------------------------------------------------------------------ one call

    def __call__(self, X: Any) -> Any:
        """Return the answers for the rows of a table.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)

        Returns
        -------
        answers : ndarray of shape (n_samples,) or (n_samples, n_outputs), or dict of columns
            A dict if the answers of the function have names.
        """
        X = X if hasattr(X, "shape") else np.asarray(X)
        if len(X.shape) != 2:
            raise TeacherError(f"{self._who}: got X of shape {X.shape}; expected a table of (n_samples, n_features).")
        keys = keys_for_keeping(X)
        answered = self._take_kept(keys)
        todo = np.ones(X.shape[0], dtype=bool)
        for positions, _ in answered:
            todo[positions] = False
        try:
            self._ask_for(X, keys, np.flatnonzero(todo), answered)
        except BaseException as error:
            with self._lock:
                self._kept.keep([part for _, part in answered])
                n_kept = len(self._kept)
            if isinstance(error, TeacherUnavailableError) and n_kept:
                raise TeacherUnavailableError(
                    f"{error} The answers for {n_kept:,} rows are kept: fit again to go on."
                ) from error.__cause__
            raise
        with self._lock:
            self._kept.record([part for _, part in answered])
        positions = np.concatenate([positions for positions, _ in answered])
        return stack_answers(self._who, [part for _, part in answered]).take(np.argsort(positions)).as_output()

    def rows_kept(self, X: Any) -> np.ndarray:
        """Return the positions of rows whose answers wait: a call for these rows sends no request.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)

        Returns
        -------
        rows : ndarray of int
        """
        keys = keys_for_keeping(X)
        with self._lock:
            return self._kept.find(keys)

    def begin_fit(self) -> None:
        """Begin a fit, whose answers are kept until it ends."""
        with self._lock:
            self._kept.begin_fit()

    def end_fit(self) -> None:
        """End a fit, which needs its answers no more."""
        with self._lock:
            self._kept.end_fit()

    def _take_kept(self, keys: np.ndarray | None) -> list[tuple[np.ndarray, Answered]]:
        with self._lock:
            kept = self._kept.take(keys)
        return [] if kept is None else [kept]

    def _ask_for(
        self, X: Any, keys: np.ndarray | None, todo: np.ndarray, answered: list[tuple[np.ndarray, Answered]]
    ) -> None:
        """Send the rows at positions ``todo`` in batches; append positions and answers to ``answered``."""
        self._check_budget(len(todo))
        batches = [todo[start : start + self.batch_size] for start in range(0, len(todo), self.batch_size)]
        batches = batches if X.shape[0] else [todo]  # the function is asked what it returns for no rows
        stop = Event()

        def send(positions: np.ndarray) -> None:
            try:
                answer = self._answer(take_rows(X, positions), stop)
            except BaseException:
                stop.set()
                raise
            of_rows = None if keys is None else keys[positions]
            with self._lock:
                answered.append((positions, Answered(answer.values, answer.names, answer.may_lack, of_rows)))

        if self.concurrent == 1:
            for positions in batches:  # in the thread of the caller, which connections to databases may require
                send(positions)
        else:
            _in_threads(send, batches, min(self.concurrent, len(batches)), stop)

    # ------------------------------------------------------------------ one request

    def _answer(self, rows: Any, stop: Event) -> Answered:
        """Return the answers for a batch, after as many requests as are needed and allowed."""
        attempt = 0
        while True:
            failure: Exception
            with self._slots:
                _pacing.wait(self._pace.reserve(), stop)
                if stop.is_set():
                    raise _StoppedError
                try:
                    return self._request(rows)
                except Exception as error:
                    failure = error
            _pacing.wait(self._delay(failure, attempt), stop)
            attempt += 1

    def _request(self, rows: Any) -> Answered:
        n_rows, has_failed = rows.shape[0], True
        self._check_budget(n_rows, begins=True)
        try:
            returned = call_within(self.function, rows, self.timeout)
            answer = read_request(self._who, returned, n_rows, self.classes_)
            has_failed = False
            return answer
        finally:
            self._count(n_rows, has_failed=has_failed)

    def _check_budget(self, n_rows: int, *, begins: bool = False) -> None:
        """Raise an error if fewer rows are left; count rows as under way if their request begins."""
        with self._lock:
            left = np.inf if self.max_rows is None else self.max_rows - self._usage.n_rows - self._n_under_way
            if n_rows <= left:
                self._n_under_way += n_rows if begins else 0
                return
        raise TeacherUnavailableError(
            f"{self._who} is to answer {n_rows:,} more rows, but {left:,} of max_rows={self.max_rows:,} are left. Pass "
            "a smaller max_queries to the estimator, or a larger max_rows."
        )

    def _count(self, n_rows: int, *, has_failed: bool) -> None:
        price = n_rows * self.cost_per_row + self.cost_per_request
        request = RemoteUsage(0, 1, 1, 0.0) if has_failed else RemoteUsage(n_rows, 1, 0, price)
        with self._lock:
            self._n_under_way -= n_rows
            self._usage = self._usage.plus(request)
        count_request(request)

    def _delay(self, error: Exception, attempt: int) -> float:
        """Return the seconds before the next try; raise the error if there is none."""
        if isinstance(error, TeacherError) or not _is_worth_another(self.retry_on, error):
            raise error
        what, asked = f"{type(error).__name__}: {text_of(error)}", retry_after(error)
        _close(error)
        if attempt == self.max_retries:
            raise TeacherUnavailableError(
                f"{self._who} did not answer; the last of {attempt + 1} requests raised {what}. Try again later, or "
                "raise max_retries or longest_delay."
            ) from error
        if asked > self.longest_delay:
            raise TeacherUnavailableError(
                f"{self._who} asks to wait {asked:,.0f} s ({what}), and longest_delay={self.longest_delay:g}. Try "
                "again after that time, or raise longest_delay."
            ) from error
        self._pace.pause(asked)
        return max(asked, min(self.longest_delay, self.first_delay * 2.0**attempt) * _JITTER.uniform(0.5, 1.0))


class _StoppedError(Exception):
    """Raised in requests that are not sent any more, because another one has failed."""


def _in_threads(send: Callable[[np.ndarray], None], batches: Sequence[np.ndarray], n_threads: int, stop: Event) -> None:
    """Send batches in several threads; after a failure, those under way are completed, and no others begin."""
    if not batches:
        return
    with ThreadPoolExecutor(n_threads, thread_name_prefix="skdistill request") as executor:
        futures = [executor.submit(copy_context().run, send, positions) for positions in batches]
        try:
            wait_for(futures, return_when=FIRST_EXCEPTION)
        finally:
            stop.set()  # a failure, or an interrupt; otherwise all are done
            executor.shutdown(wait=True, cancel_futures=True)
    _raise_first(futures)


def _raise_first(futures: Sequence["Future[None]"]) -> None:
    errors = [future.exception() for future in futures if not future.cancelled()]
    failures = [error for error in errors if error is not None and not isinstance(error, _StoppedError)]
    if failures:
        raise failures[0]


def _is_worth_another(retry_on: Any, error: Exception) -> bool:
    if isinstance(retry_on, str):
        return is_transient(error)
    if isinstance(retry_on, type | tuple):
        return isinstance(error, retry_on)
    return bool(retry_on(error))


def _close(error: Exception) -> None:
    """Close the answer that some errors of HTTP hold, whose connection would stay open."""
    close = getattr(error, "close", None)
    if callable(close):
        with suppress(Exception):
            close()


def _check(teacher: RemoteTeacher) -> None:
    """Raise an error if a parameter is invalid."""
    if not callable(teacher.function) or isinstance(teacher.function, type):
        raise TypeError(
            f"RemoteTeacher: function={described(teacher.function)}; expected a function of a table of rows. Pass e.g. "
            "model.predict, or lambda X: ..."
        )
    for name, low in (("batch_size", 1), ("concurrent", 1), ("max_retries", 0)):
        check_number(teacher, name, getattr(teacher, name), kind=Integral, low=low)
    for name in ("first_delay", "longest_delay", "cost_per_row", "cost_per_request"):
        check_number(teacher, name, getattr(teacher, name), low=0)
    for name in ("rate_limit", "timeout"):
        if getattr(teacher, name) is not None:
            check_number(teacher, name, getattr(teacher, name), low=0, low_open=True, advice="Or pass None.")
    if teacher.max_rows is not None:
        check_number(teacher, "max_rows", teacher.max_rows, kind=Integral, low=1, advice="Or pass None.")
    retry_on = teacher.retry_on
    classes = retry_on if isinstance(retry_on, tuple) else (retry_on,) if isinstance(retry_on, type) else ()
    are_errors = bool(classes) and all(isinstance(kind, type) and issubclass(kind, Exception) for kind in classes)
    is_function = callable(retry_on) and not isinstance(retry_on, type)
    if not (are_errors or is_function or (isinstance(retry_on, str) and retry_on == "auto")):
        raise TypeError(
            f"RemoteTeacher: retry_on={described(retry_on)}; expected 'auto', an exception class, a tuple of them, or "
            "a function of the error."
        )


# ---------------------------------------------------------------------- what queries and fits need


def asked_function(model: Any) -> Any:
    """Return the function inside a remote teacher, by which it is recognised; other models are returned unchanged."""
    return model.function if isinstance(model, RemoteTeacher) else model


def remote_teachers(teacher: Any) -> list[RemoteTeacher]:
    """Return the remote teachers in what is passed as a teacher: itself, of a list, or adapted."""
    models = [getattr(each, "model", each) for each in teachers_in(teacher)]
    inside = [member for model in models for member in getattr(model, "members", [model])]
    return [model for each in inside if isinstance(model := getattr(each, "model", each), RemoteTeacher)]


def with_cost(model: Any, callback: Callable[[float], str | None] | None) -> Callable[[float], str | None] | None:
    """Return a callback of the progress that also tells the cost of a remote teacher so far."""
    if not isinstance(model, RemoteTeacher):
        return callback

    def notify(share: float) -> str | None:
        told = None if callback is None else callback(share)
        usage = model.usage
        cost = f"{usage.n_rows:,} rows answered in all, {usage.n_failed:,} failed requests, cost {usage.cost:,.4g}"
        return cost if told is None else f"{cost}; {told}"

    return notify
