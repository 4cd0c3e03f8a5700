"""Products of matrices on as many threads as were asked for: on more, small ones can take a hundred times as long."""

from functools import cache
from threading import Lock
from typing import Any

FEW_ROWS = 16
"""Whose products are too small for BLAS to share out: to hold it back would cost more."""


class _Limit:
    """A limit that counts those inside, since the limit is one for all threads: the last one out takes it away."""

    def __init__(self, n_threads: int) -> None:
        self._n_threads, self._n_inside, self._lock = n_threads, 0, Lock()
        self._limited: Any = None

    def __enter__(self) -> None:
        with self._lock:
            self._n_inside += 1
            controller = _blas()
            if self._n_inside == 1 and controller is not None:
                self._limited = controller.limit(limits=self._n_threads)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if self._n_inside == 0 and self._limited is not None:
                self._limited.restore_original_limits()


@cache
def _blas() -> Any:
    """Return what holds BLAS back; ``None`` without threadpoolctl, which compiled models do not need."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController().select(user_api="blas")


blas_threads = cache(_Limit)
"""``with blas_threads(1):`` holds BLAS to one thread."""
