"""Blocks of rows that are labelled elsewhere, for example on the workers of a cluster."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import numpy as np

from ._adapter import Teacher


class BlocksOfRows(Protocol):
    """The blocks of a table, which are labelled by a teacher."""

    teacher: Teacher

    def task(self, rows: Any) -> tuple[Any, str]:
        """Return the rows of a block and what errors call them."""
        ...


LabelsBlocks = Callable[[BlocksOfRows, Sequence[Any]], Iterator[np.ndarray]]
"""Yields the outputs of blocks in order."""

_labels_blocks: ContextVar[LabelsBlocks | None] = ContextVar("labels_blocks", default=None)


@contextmanager
def blocks_labelled_by(labels_blocks: LabelsBlocks) -> Iterator[None]:
    """Let a function label the blocks of all queries of teachers."""
    token = _labels_blocks.set(labels_blocks)
    try:
        yield
    finally:
        _labels_blocks.reset(token)


def labelled_elsewhere(blocks: BlocksOfRows, todo: Sequence[Any]) -> Iterator[np.ndarray] | None:
    """Return an iterator over the outputs of blocks that are labelled elsewhere; ``None`` if they are labelled here.

    A teacher that only has labels of its own training rows is not queried elsewhere.
    """
    labels_blocks = _labels_blocks.get()
    return None if labels_blocks is None or blocks.teacher.transductive else labels_blocks(blocks, todo)
