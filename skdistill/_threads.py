"""Limits on the number of BLAS threads.

With too many threads, small matrix products can be a hundred times slower, and sums of several threads differ in their
last digits. The number of threads is a property of the process: no block of code can have a number of its own. The
blocks of all threads therefore share one limit, which the first sets and the last removes. All ask for a single BLAS
thread, so that no result depends on what other threads do at the same time.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import cache
from itertools import compress
from threading import Lock, get_ident
from typing import Any, TypeVar

from ._freed_memory import keep_freed_memory

MAX_THREADS = 2**16
"""More threads than any computation has."""

MIN_PARALLEL_ROWS = 10_000
"""Fewer rows are scored faster than threads start."""

MAX_SMALL_ROWS, MAX_SMALL_PRODUCT = 16, 2**18
"""Bounds the rows, and the multiplications, of products that run on one BLAS thread anyway; the limit would take longer
than they do."""

_most_threads: ContextVar[int] = ContextVar("most_threads", default=MAX_THREADS)
"""The number of threads that a call inside a parallel computation may use."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(function: Callable[[Item], Result], items: Iterable[Item], n_jobs: int | None) -> Iterator[Result]:
    """Apply a function to items in parallel threads, and yield the results in order.

    Each call uses a single BLAS thread, so that the results do not depend on ``n_jobs``. All calls together use at most
    ``n_jobs`` threads.
    """
    with one_blas_thread():
        n_threads = count_threads(n_jobs)
        if n_threads == 1:
            yield from map(function, items)
            return
        from sklearn.utils.parallel import Parallel, delayed

        items = list(items)
        if len(items) == 1:  # which may use all threads itself
            yield function(items[0])
            return
        most = n_threads // max(min(n_threads, len(items)), 1)
        parallel = Parallel(n_jobs=n_threads, backend="threading", batch_size=1, return_as="generator")
        # a copy of the context shares the cache of the current fit
        yield from parallel(delayed(copy_context().run)(call_with_at_most, most, function, item) for item in items)


def in_few_threads(function: Callable[[Item], Result], items: Iterable[Item], n_jobs: int | None) -> Iterator[Result]:
    """Apply a function to items as :func:`in_threads` does, but no further ahead than two results a thread.

    However many items there are and however slowly the results are used, few of them are held in memory.
    """
    n_threads = count_threads(n_jobs)
    keep_freed_memory()
    if n_threads == 1:
        yield from map(function, items)
        return
    with one_blas_thread(), ThreadPoolExecutor(n_threads) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(copy_context().run, call_with_at_most, 1, function, item))
                if len(waiting) == 2 * n_threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()


def in_turns(work: Callable[[Item], None], items: Iterable[Item], n_threads: int) -> None:
    """Call ``work`` with each item; of some threads, of which the current one is the first, each takes the next item.

    Nothing is handed over between threads for each item, so that items may be short. After an error in one thread, the
    others take no more items.
    """
    waiting = deque(items)
    if len(waiting) > 1:
        keep_freed_memory()

    def take_turns() -> None:
        try:
            for item in _taken_from(waiting):
                work(item)
        except BaseException:
            waiting.clear()
            raise

    n_others = min(n_threads, len(waiting)) - 1
    if n_others < 1:
        take_turns()
        return
    with ThreadPoolExecutor(n_others) as pool:
        others = [pool.submit(take_turns) for _ in range(n_others)]
        take_turns()
    for other in others:
        other.result()


def _taken_from(waiting: deque[Item]) -> Iterator[Item]:
    """Yield the items that no other thread takes."""
    while True:
        try:
            item = waiting.popleft()
        except IndexError:  # asking first is not enough: another thread may take the last item in between
            return
        yield item


def count_threads(n_jobs: int | None) -> int:
    """Return the number of threads that ``n_jobs`` stands for; ``None`` is what the context of joblib says.

    It is 1 inside the threads and processes of a parallel computation. A cluster has more workers than this process has
    cores.
    """
    if n_jobs is None and "joblib" not in sys.modules:  # nobody can have set a context; compiled models need numpy only
        return 1
    from joblib import cpu_count, effective_n_jobs

    n_threads = effective_n_jobs(n_jobs)
    if n_threads > 1 and (n_jobs is None or n_jobs < 0):
        n_threads = min(n_threads, cpu_count())
    return max(1, min(n_threads, _most_threads.get()))


@contextmanager
def context_of_threads(n_jobs: int | None, n_rows: int) -> Iterator[None]:
    """Let models that have no ``n_jobs`` of their own use so many threads for a large table."""
    if n_jobs in (None, 1) or n_rows < MIN_PARALLEL_ROWS:
        yield
        return
    from joblib import parallel_config

    with parallel_config("threading", n_jobs=n_jobs):
        yield


def call_with_at_most(n_threads: int, function: Callable[[Item], Result], item: Item) -> Result:
    """Call a function that may use so many threads, whatever ``n_jobs`` it is called with."""
    from joblib import parallel_config

    token = _most_threads.set(n_threads)
    try:
        with parallel_config("sequential") if n_threads == 1 else nullcontext():
            return function(item)
    finally:
        _most_threads.reset(token)


@contextmanager
def one_blas_thread(*, is_small: bool = False) -> Iterator[None]:
    """Limit BLAS to a single thread within the block, or for a decorated function, unless its products are small."""
    if is_small:
        yield
        return
    block = _limit.enter(is_limited=True)
    try:
        yield
    finally:
        _limit.leave(block)


def is_small(n_rows: int, n_weights: int) -> bool:
    """Whether products of some rows and a number of weights run on one BLAS thread anyway."""
    return n_rows <= 1 or (n_rows <= MAX_SMALL_ROWS and n_rows * n_weights <= MAX_SMALL_PRODUCT)


@contextmanager
def blas_threads_restored() -> Iterator[None]:
    """Restore the number of BLAS threads when the block ends.

    Others limit BLAS, too: neighbours and k-means in scikit-learn do. If such a limit begins while one of ours is
    active and ends after it, the former limit is what it restores.
    """
    block = _limit.enter(is_limited=False)
    try:
        yield
    finally:
        _limit.leave(block)


class _BlasLimit:
    """The limit that all blocks of the process share."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all blocks."""
        self._lock = Lock()
        self._limited: dict[object, int] = {}
        """The thread of each block that limits BLAS."""
        self._others: dict[object, int] = {}
        """The thread of each block that only restores the number of BLAS threads."""
        self._before: dict[Any, int] = {}
        """The number of threads of each library before the first of these blocks."""

    def enter(self, *, is_limited: bool) -> "_Block":
        """Begin a block, and return what ends it."""
        shared, own = _libraries(has_scipy="scipy.linalg" in sys.modules)
        block = _Block([(library, library.get_num_threads()) for library in own] if is_limited else [])
        with self._lock:
            (self._limited if is_limited else self._others)[block] = get_ident()
            for library in shared:
                n_threads = library.get_num_threads()
                self._before.setdefault(library, n_threads)
                if self._limited and n_threads != 1:  # also if the limit of someone else has ended in between
                    _set_threads(library, 1)
        for library, n_threads in block.before:
            if n_threads != 1:
                _set_threads(library, 1)
        return block

    def leave(self, block: "_Block") -> None:
        """End a block."""
        with self._lock:
            was_limited = self._limited.pop(block, None) is not None
            self._others.pop(block, None)
            self._restore(was_limited=was_limited)
        _restore(block.before)

    def _restore(self, *, was_limited: bool) -> None:
        """Restore the numbers of threads once no block limits them."""
        is_over = not self._limited and not self._others
        if is_over or (was_limited and not self._limited):
            _restore(self._before.items())
        if is_over:
            self._before.clear()

    def after_fork(self) -> None:
        """Forget the blocks of threads that do not exist in a forked process; one of them may hold the lock."""
        limited, others, before, thread = self._limited, self._others, self._before, get_ident()
        self.reset()
        self._limited = {block: owner for block, owner in limited.items() if owner == thread}
        self._others = {block: owner for block, owner in others.items() if owner == thread}
        self._before = before
        self._restore(was_limited=bool(limited))


@dataclass(frozen=True, eq=False)
class _Block:
    """A block of code, and the numbers of threads before it of the libraries that have one for each thread."""

    before: list[tuple[Any, int]]


def _restore(before: Iterable[tuple[Any, int]]) -> None:
    """Restore numbers of threads, unless somebody has set others since."""
    for library, n_threads in before:
        if n_threads != 1 and library.get_num_threads() == 1:
            _set_threads(library, n_threads)


def _set_threads(library: Any, n_threads: int) -> None:
    """Set the number of threads of a BLAS library.

    The public method does nothing in most threads: since threadpoolctl 3.8 it works in the thread that called it first.
    """
    getattr(library, "_real_set_num_threads", library.set_num_threads)(n_threads)


_limit = _BlasLimit()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_limit.after_fork)


@cache
def _libraries(*, has_scipy: bool) -> tuple[list[Any], list[Any]]:  # noqa: ARG001  # scipy loads a BLAS of its own
    """Return the BLAS libraries in use: those with one number of threads, and those with one for each thread.

    There are none without threadpoolctl, which compiled models do not need.
    """
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return [], []
    found = ThreadpoolController().select(user_api="blas").lib_controllers
    has_own = [getattr(library, "threading_layer", None) == "openmp" for library in found]
    return list(compress(found, [not own for own in has_own])), list(compress(found, has_own))
