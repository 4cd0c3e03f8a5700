"""Products of matrices on as many threads as were asked for: on more, small ones can take a hundred times as long."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

FEW_ROWS = 16
"""Whose products are too small for BLAS to share out: to hold it back would cost more."""

_lock = Lock()
_n_inside = 0
_limited: Any = None
"""BLAS has one number of threads for everybody: the first one inside sets it, the last one out takes it back."""


@contextmanager
def blas_threads(n_threads: int, n_rows: int) -> Iterator[None]:
    """Hold BLAS to so many threads while products with so many rows are made, or to those of who came first."""
    global _n_inside, _limited
    controller = _blas() if n_rows > FEW_ROWS else None
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


@cache
def _blas() -> Any:
    """Return what holds BLAS back; ``None`` without threadpoolctl, which compiled models do not need."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController().select(user_api="blas")
