"""Teachers that are queried several times for each row, and in batches of one size if their outputs depend on it."""

from typing import Any

import numpy as np

from .._tables import describe_mismatch, stack_rows, take_rows
from ..exceptions import TeacherOutputError
from ._adapter import Teacher
from ._by_row import is_by_row
from ._ensemble import TeacherEnsemble
from ._repeatability import Repeatability


class SteadyTeacher(Teacher):
    """A teacher whose outputs for a row are as similar between calls as its model allows.

    The outputs are means over ``n_repeats`` calls. If they depend on the other rows of a call, all calls have
    ``batch_size`` rows: a batch with fewer rows is padded with rows of ``padding``.

    Attributes
    ----------
    n_repeats : int
        Number of calls for each row.
    finding : Repeatability or None
        The result of the check; ``None`` if there was none.
    batch_size : int or None
        Number of rows of a batch, if the outputs depend on it.
    padding : table or None
        Rows that a batch with fewer rows is padded with.
    key : str or None
        Key of results about the teacher in ``memory``; ``None`` if they are not cached.
    """

    def __init__(self, teacher: Teacher, n_repeats: int) -> None:
        vars(self).update(vars(teacher))
        self.n_repeats = n_repeats
        self.finding: Repeatability | None = None
        self.padding: Any = None
        self.key: str | None = None
        self._members: list[Teacher] | None = None

    def settle(self, finding: Repeatability, padding: Any) -> None:
        """Adopt the result of the check; ``padding`` is a batch of rows, if the outputs depend on the batch."""
        self.finding = finding
        self.is_exact, self.is_random = finding.is_exact, finding.is_random
        self.depends_on_batch = finding.depends_on_batch
        self.padding = padding
        self.batch_size = None if padding is None else padding.shape[0]

    def settle_like(self, other: "SteadyTeacher") -> None:
        """Adopt the result of the check of a teacher of the same kind."""
        if other.finding is not None:
            self.settle(other.finding, other.padding)
            self.pads = other.pads

    def members(self) -> list[Teacher]:
        """Return the teachers of an ensemble, each to be queried as often and in the same batches as all together."""
        if self._members is None:
            self._members = [steady(member, self.n_repeats) for member in self.model.members]
        for member in self._members:
            if isinstance(member, SteadyTeacher):
                member.settle_like(self)
        return self._members

    def n_padded(self, n_rows: int) -> int:
        """Return the number of rows that are added to a table of ``n_rows`` rows."""
        return -n_rows % self.batch_size if self.batch_size is not None and self.pads else 0

    def outputs(self, X: Any) -> np.ndarray:
        """Query the model ``n_repeats`` times, and return the means of its outputs.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)

        Returns
        -------
        outputs : ndarray of float64
            See :meth:`Teacher.outputs`.
        """
        rows = self._padded(X)
        outputs = super().outputs(rows)
        if self.n_repeats == 1:
            return outputs[: X.shape[0]]
        total = outputs.copy()
        for _ in range(self.n_repeats - 1):
            outputs = super().outputs(rows)
            if outputs.shape != total.shape:
                raise TeacherOutputError(
                    f"{self.name} returned shape {outputs.shape} for rows for which it returned shape {total.shape} "
                    f"before, and n_repeats={self.n_repeats} averages the outputs of several calls; expected the same "
                    "shape. Return the same number of columns in every call."
                )
            total += outputs
        return total[: X.shape[0]] / self.n_repeats

    def _padded(self, X: Any) -> Any:
        n_added = self.n_padded(X.shape[0])
        if not n_added:
            return X
        # rows of another format, which cannot be stacked without changing their types, are padded with themselves
        source = self.padding if _is_alike(self.padding, X) else X
        return stack_rows([X, take_rows(source, np.arange(n_added) % source.shape[0])])


def steady(teacher: Teacher, n_repeats: int) -> Teacher:
    """Return a teacher to be checked and averaged, or the same teacher if this is not needed.

    It is not needed for models that are known to depend on the row alone, and for stored labels.
    """
    if teacher.transductive or (n_repeats == 1 and is_by_row(teacher.model)):
        return teacher
    return SteadyTeacher(teacher, n_repeats)


def members_of(teacher: Teacher) -> list[Teacher] | None:
    """Return the teachers whose outputs are averaged; ``None`` for one teacher."""
    if not isinstance(teacher.model, TeacherEnsemble):
        return None
    return teacher.members() if isinstance(teacher, SteadyTeacher) else list(teacher.model.members)  # type: ignore


def _is_alike(padding: Any, X: Any) -> bool:
    """Whether rows of both tables can be stacked without changing the types of cells."""
    is_same_type = type(padding) is type(X) and getattr(padding, "dtype", None) == getattr(X, "dtype", None)
    return is_same_type and describe_mismatch(padding, X) is None


def cut(teacher: Teacher, n_rows: int, chunk_size: int) -> tuple[np.ndarray | None, int]:
    """Return the order in which the rows of a table are queried, and the number of rows of a block.

    If the outputs depend on the other rows of a block, the rows are mixed, so that each block resembles the table
    whatever the order of its rows.

    Returns
    -------
    order : ndarray of int, shape (n_rows,), or None
        ``None`` is the order of the table.
    n_block : int
    """
    if teacher.transductive:
        return None, n_rows
    if teacher.batch_size is None:
        return None, chunk_size
    n_block = teacher.batch_size
    if not teacher.pads:
        n_block = -(-n_rows // -(-n_rows // n_block))
    return (np.random.RandomState(0).permutation(n_rows) if n_rows > n_block else None), n_block
