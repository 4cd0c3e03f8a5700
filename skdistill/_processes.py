"""Calls in other processes, on this machine or others: the backends of joblib.

A function is pickled once, with all that it refers to, and unpickled once in each worker, however many items it is
called with. Workers use one thread each.
"""

import pickle
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from threading import Event
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np

from ._threads import call_with_at_most

WINDOW, MAX_WINDOW = 8, 256
"""Number of items for each worker whose results are held at a time, and the maximum for all of them."""

AHEAD = 3
"""Number of items for each worker that are sent before the first result is there."""

Item = TypeVar("Item")
Result = TypeVar("Result")


class NotPicklableError(Exception):
    """Raised for a function that cannot be sent to other processes."""


def named_backend() -> str | None:
    """Return the backend that a context of joblib names, such as ``"threading"``; ``None`` outside such a context."""
    from joblib.parallel import get_active_backend

    names = [type(get_active_backend(prefer=prefer)[0]).__name__ for prefer in ("threads", "processes")]
    if names[0] != names[1]:  # it is what is preferred
        return None
    return names[0].removesuffix("Backend").removesuffix("Distributed").lower()


def count_jobs(n_jobs: int | None) -> int:
    """Return the number of jobs that ``n_jobs`` stands for in the context of joblib."""
    from joblib import effective_n_jobs

    return int(effective_n_jobs(n_jobs))


class Shipped:
    """A function that is sent to each worker once.

    Parameters
    ----------
    function : callable

    Raises
    ------
    NotPicklableError
        If it cannot be pickled.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        from joblib import wrap_non_picklable_objects

        try:
            content = pickle.dumps(wrap_non_picklable_objects(function, keep_wrapper=False))
            # an array, which the backends of joblib map into memory or send to each worker once
            self._content = np.frombuffer(content, dtype=np.uint8)
        except Exception as error:  # any object fails in its own way
            raise NotPicklableError(f"{type(error).__name__}: {error}") from error
        self._token = uuid4().hex

    def start(self, n_jobs: int, backend: str) -> None:
        """Let all workers load the function now, which takes seconds in new processes: they import its modules."""
        deque(self._one_by_one([_OnlyLoaded] * n_jobs, n_jobs, backend), maxlen=0)

    def map(self, items: Sequence[Any], n_jobs: int | None, backend: str | None = None) -> Iterator[Any]:
        """Yield the results for items in order; an error of the function is raised in its turn.

        Parameters
        ----------
        items : sequence
        n_jobs : int or None
        backend : str or None, default=None
            ``None`` is the backend of the context.
        """
        results = self._in_windows(items, n_jobs) if backend is None else self._one_by_one(items, n_jobs, backend)
        for result in results:
            if isinstance(result, _Failure):
                raise result.error from result.cause
            yield result

    def _one_by_one(self, items: Sequence[Any], n_jobs: int | None, backend: str) -> Iterator[Any]:
        """Yield results while workers go on: none of them waits for the others."""
        from joblib import Parallel, delayed

        parallel = Parallel(
            n_jobs=n_jobs, backend=backend, batch_size=1, pre_dispatch=f"{AHEAD}*n_jobs", return_as="generator"
        )
        is_over = Event()
        wanted = takewhile(lambda _: not is_over.is_set(), _guarded(items))
        results = parallel(delayed(_call)(self._token, self._content, item) for item in wanted)
        try:
            for result in results:  # noqa: UP028 - an error has to reach the end of this function
                yield result
        finally:  # after an error, what was sent is waited for: joblib would kill the workers
            is_over.set()
            deque(results, maxlen=0)

    def _in_windows(self, items: Sequence[Any], n_jobs: int | None) -> Iterator[Any]:
        """Yield results of the backend of the context, which may not be able to yield them while it works."""
        from joblib import Parallel, delayed

        with Parallel(n_jobs=n_jobs) as parallel:
            step = min(WINDOW * (n_jobs if n_jobs and n_jobs > 0 else count_jobs(n_jobs)), MAX_WINDOW)
            for start in range(0, len(items), step):
                some = items[start : start + step]
                yield from parallel(delayed(_call)(self._token, self._content, item) for item in _guarded(some))


def _guarded(items: Sequence[Any]) -> Iterator[Any]:
    """Yield items; an error is the last of them, since backends that ask for items in a thread wait for ever then."""
    try:
        yield from items
    except Exception as error:
        yield _Failure(error, _picklable(error.__cause__))


@dataclass(frozen=True)
class _Failure:
    """An error with its cause, which pickles of errors lack."""

    error: BaseException
    cause: BaseException | None


class _OnlyLoaded:
    """An item that a function is loaded for, and not called with."""


_loaded: dict[str, Callable[[Any], Any]] = {}
"""The function that this process calls, by its token: only the latest, which may be large."""


def _call(token: str, content: np.ndarray, item: Any) -> Any:
    """Call a shipped function in a worker."""
    if isinstance(item, _Failure):
        return item
    function = _loaded.get(token)
    if function is None:
        function = pickle.loads(content.data)  # the caller's own function
        _loaded.clear()
        _loaded[token] = function
    if item is _OnlyLoaded:
        return None
    try:
        with _thread_pools(len(sys.modules)).limit(limits=1):
            return call_with_at_most(1, function, item)
    except Exception as error:
        return _Failure(error, _picklable(error.__cause__))


@lru_cache(maxsize=1)
def _thread_pools(n_modules: int) -> Any:  # noqa: ARG001  # libraries are loaded with modules
    """Return what limits the threads of all libraries, which takes milliseconds to find."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _picklable(cause: BaseException | None) -> BaseException | None:
    """Return a cause, or what it says if it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(cause))
    except Exception:
        return RuntimeError(f"{type(cause).__name__}: {cause}")
    return cause
