"""Calls in other processes, on this machine or others: the backends of joblib.

A function is pickled once, with all that it refers to, and unpickled once in each worker, however many items it is
called with. Workers use one thread each.
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np

from ._threads import call_with_at_most

WINDOW, MAX_WINDOW = 8, 256
"""Number of items for each worker whose results are held at a time, and the maximum for all of them."""

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

    def map(self, items: Sequence[Any], n_jobs: int | None, backend: str | None = None) -> Iterator[Any]:
        """Yield the results for items in order; an error of the function is raised in its turn.

        Parameters
        ----------
        items : sequence
        n_jobs : int or None
        backend : str or None, default=None
            ``None`` is the backend of the context.
        """
        from joblib import Parallel, delayed

        named = {} if backend is None else {"backend": backend}
        with Parallel(n_jobs=n_jobs, **named) as parallel:
            step = min(WINDOW * (n_jobs if n_jobs and n_jobs > 0 else count_jobs(n_jobs)), MAX_WINDOW)
            for start in range(0, len(items), step):
                some = items[start : start + step]
                for result in parallel(delayed(_call)(self._token, self._content, item) for item in _guarded(some)):
                    if isinstance(result, _Failure):
                        raise result.error from result.cause
                    yield result


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


_loaded: dict[str, Callable[[Any], Any]] = {}
"""The function that this process calls, by its token: only the latest, which may be large."""


def _call(token: str, content: np.ndarray, item: Any) -> Any:
    """Call a shipped function in a worker."""
    if isinstance(item, _Failure):
        return item
    from threadpoolctl import threadpool_limits

    function = _loaded.get(token)
    if function is None:
        function = pickle.loads(content.data)  # the caller's own function
        _loaded.clear()
        _loaded[token] = function
    try:
        with threadpool_limits(1):
            return call_with_at_most(1, function, item)
    except Exception as error:
        return _Failure(error, _picklable(error.__cause__))


def _picklable(cause: BaseException | None) -> BaseException | None:
    """Return a cause, or what it says if it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(cause))
    except Exception:
        return RuntimeError(f"{type(cause).__name__}: {cause}")
    return cause
