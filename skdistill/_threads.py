"""Products of matrices on as many threads as were asked for: on more, small ones can take a hundred times as long."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from functools import cache
from threading import Lock
from typing import Any, TypeVar

MAX_SMALL_ROWS = 16
"""Whose products are too small for BLAS to share out: to hold it back would cost more."""

_lock = Lock()
_n_inside = 0
_limited: Any = None
"""BLAS has one number of threads for everybody: the first one inside sets it, the last one out takes it back."""


Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(function: Callable[[Item], Result], items: Iterable[Item], n_jobs: int | None) -> Iterator[Result]:
    """Yield what a function returns for each item, in their order, several at a time.

    Each has a single thread of BLAS, so that results are the same whatever ``n_jobs`` is.
    """
    from joblib import effective_n_jobs  # here, since compiled models need numpy only
    from sklearn.utils.parallel import Parallel, delayed

    with one_blas_thread():
        if effective_n_jobs(n_jobs) == 1:
            yield from map(function, items)
            return
        parallel = Parallel(n_jobs=n_jobs, backend="threading", batch_size=1, return_as="generator")
        # what is kept for the fit at hand is kept in its context
        yield from parallel(delayed(copy_context().run)(function, item) for item in items)


@contextmanager
def blas_threads(n_threads: int, n_rows: int) -> Iterator[None]:
    """Hold BLAS to so many threads while products with so many rows are made, or to those of who came first."""
    global _n_inside, _limited
    controller = _blas() if n_rows > MAX_SMALL_ROWS else None
    if controller is None:
        yield
        return
    with _lock:
        if _n_inside == 0:
            _limited = controller.limit(limits=n_threads)
        _n_inside += 1
    try:
        yield
    finally:
        with _lock:
            _n_inside -= 1
            if _n_inside == 0:
                _limited.restore_original_limits()


def one_blas_thread() -> AbstractContextManager[None]:
    """Hold BLAS to a single thread: sums of several differ in their last digits."""
    return blas_threads(1, MAX_SMALL_ROWS + 1)


@cache
def _blas() -> Any:
    """Return what holds BLAS back; ``None`` without threadpoolctl, which compiled models do not need."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController().select(user_api="blas")
