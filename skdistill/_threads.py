"""Limits on the number of BLAS threads: with too many threads, small matrix products can be a hundred times slower."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import copy_context
from functools import cache
from threading import Lock
from typing import Any, TypeVar

MAX_SMALL_ROWS = 16
"""Products with at most this many rows run on one BLAS thread anyway, so limiting the threads would only cost time."""

_lock = Lock()
_n_inside = 0
_limited: Any = None
"""The number of BLAS threads is global: the first thread in a block sets the limit, the last thread out removes it."""


Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(function: Callable[[Item], Result], items: Iterable[Item], n_jobs: int | None) -> Iterator[Result]:
    """Apply a function to items in parallel threads, and yield the results in order.

    Each call uses a single BLAS thread, so that the results do not depend on ``n_jobs``.
    """
    from joblib import effective_n_jobs  # here, since compiled models need numpy only
    from sklearn.utils.parallel import Parallel, delayed

    with one_blas_thread():
        if effective_n_jobs(n_jobs) == 1:
            yield from map(function, items)
            return
        parallel = Parallel(n_jobs=n_jobs, backend="threading", batch_size=1, return_as="generator")
        # a copy of the context shares the cache of the current fit
        yield from parallel(delayed(copy_context().run)(function, item) for item in items)


@contextmanager
def blas_threads(n_threads: int, n_rows: int) -> Iterator[None]:
    """Limit BLAS to ``n_threads`` threads for products with ``n_rows`` rows, unless another limit is already active."""
    global _n_inside, _limited
    controller = _blas() if n_rows > MAX_SMALL_ROWS else None
    if controller is None:
        yield
        return
    with _lock:
        if _n_inside == 0:
            _limited = controller.limit(limits=int(n_threads))
        _n_inside += 1
    try:
        yield
    finally:
        with _lock:
            _n_inside -= 1
            if _n_inside == 0:
                _limited.restore_original_limits()


def one_blas_thread() -> AbstractContextManager[None]:
    """Limit BLAS to a single thread, since sums over several threads differ in their last digits."""
    return blas_threads(1, MAX_SMALL_ROWS + 1)


@cache
def _blas() -> Any:
    """Return the controller of the BLAS threads; ``None`` without threadpoolctl, which compiled models do not need."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController().select(user_api="blas")
