"""Blocks of rows that are labelled elsewhere, for example on the workers of a cluster."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import numpy as np

from ._adapter import Teacher
from ._remote import RemoteTeacher


class BlocksOfRows(Protocol):
    """The blocks of a table, which are labelled by a teacher."""

    teacher: Teacher

    def task(self, rows: Any) -> tuple[Any, str]:
        """Return the rows of a block and what errors call them."""
        ...


class LabelsBlocks(Protocol):
    """Yields the outputs of blocks in order.

    Attributes
    ----------
    name : str
        What it is, as stated in ``transfer_set_``.
    """

    name: str

    def __call__(self, blocks: BlocksOfRows, todo: Sequence[Any]) -> Iterator[np.ndarray]: ...


_labels_blocks: ContextVar[LabelsBlocks | None] = ContextVar("labels_blocks", default=None)


@contextmanager
def blocks_labelled_by(labels_blocks: LabelsBlocks) -> Iterator[None]:
    """Let a function label the blocks of all queries of teachers."""
    token = _labels_blocks.set(labels_blocks)
    try:
        yield
    finally:
        _labels_blocks.reset(token)


def name_of_elsewhere() -> str:
    """Return what labels blocks elsewhere, as text."""
    labels_blocks = _labels_blocks.get()
    return "" if labels_blocks is None else labels_blocks.name


def labelled_elsewhere(blocks: BlocksOfRows, todo: Sequence[Any]) -> Iterator[np.ndarray] | None:
    """Return an iterator over the outputs of blocks that are labelled elsewhere; ``None`` if they are labelled here."""
    labels_blocks = _labels_blocks.get()
    return None if labels_blocks is None or is_of_here(blocks.teacher) else labels_blocks(blocks, todo)


def is_of_here(teacher: Teacher) -> bool:
    """Whether a teacher is never queried elsewhere.

    One that only has labels of its own training rows, or a remote one, whose limits and budget are counted here.
    """
    return bool(teacher.transductive) or isinstance(teacher.model, RemoteTeacher)
