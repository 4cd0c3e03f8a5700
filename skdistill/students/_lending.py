"""The teacher, and the hints from inside it, that a student may read while it is fitted, and does not keep."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

_lent: ContextVar[Any] = ContextVar("teacher", default=None)

HintSource = Callable[[int], np.ndarray]
"""Returns the hints of all rows of a fit, given ``verbose``."""

_hints: ContextVar[HintSource | None] = ContextVar("hints", default=None)


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


@contextmanager
def lent_hints(source: HintSource | None) -> Iterator[None]:
    """Lend hints to the students that are fitted inside the block, in this thread; they are read if one needs them."""
    token = _hints.set(source)
    try:
        yield
    finally:
        _hints.reset(token)


def hints_here() -> HintSource | None:
    """Return the source of the hints that are lent to the student being fitted, or ``None``."""
    return _hints.get()
