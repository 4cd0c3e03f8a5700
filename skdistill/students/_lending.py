"""The teacher that a student may read while it is fitted, and does not keep."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_lent: ContextVar[Any] = ContextVar("teacher", default=None)


@contextmanager
def lent_teacher(model: Any) -> Iterator[None]:
    """Lend the model of a teacher to the students that are fitted inside the block, in this thread."""
    token = _lent.set(model)
    try:
        yield
    finally:
        _lent.reset(token)


def teacher_here() -> Any:
    """Return the model that is lent to the student being fitted, or ``None``."""
    return _lent.get()
