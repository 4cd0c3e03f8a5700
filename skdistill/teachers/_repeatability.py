"""Whether a teacher returns the same output for a row in every call: a check with a few rows."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .._tables import take_rows
from ..exceptions import TeacherUnavailableError, TeacherWarning
from ._adapter import Teacher

N_CHECKED_ROWS = 8
"""Number of rows of the check: they are queried once, half of them again, and all of them again if these differ."""

MIN_SPLIT_ROWS = 4
"""Number of rows from which half of them are queried without the others; single rows may have no valid output."""

QUERIES_PER_CHECKED_ROW = 3
"""Maximum number of queries of the check per row."""

TOLERANCE = 1e-5
"""Maximum difference, as a share of the largest output, that is explained by the rounding of float32."""

CLEARLY_MORE = 5.0
"""Ratio of the differences between batches to those within one batch from which a random teacher also depends on the
batch."""


@dataclass(frozen=True)
class Repeatability:
    """The result of the check.

    Attributes
    ----------
    first : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Outputs of the first call; empty if the teacher could not be checked.
    part : ndarray of int
        Positions, among these rows, of the rows whose outputs are compared.
    again : ndarray of shape (n_part,) or (n_part, n_outputs)
        Their outputs in another call.
    n_queries : int
        Number of rows that were queried.
    is_exact : bool, default=True
        Whether all outputs for the same row were equal up to the last bit.
    is_random : bool, default=False
        Whether two identical calls gave different outputs.
    depends_on_batch : bool, default=False
        Whether the outputs of a row differ between calls with different other rows.
    is_compared : bool, default=False
        Whether the outputs were compared with those of the same rows in large blocks.
    shapes : tuple of tuples of int, default=()
        The shapes of the outputs of two calls, if their numbers of outputs differ.
    """

    first: np.ndarray
    part: np.ndarray
    again: np.ndarray
    n_queries: int
    is_exact: bool = True
    is_random: bool = False
    depends_on_batch: bool = False
    is_compared: bool = False
    shapes: tuple[tuple[int, ...], ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether the teacher could be checked."""
        return len(self.first) > 0

    @property
    def is_complete(self) -> bool:
        """Whether rows were also queried together with different other rows."""
        return self.depends_on_batch or len(self.part) < len(self.first) or self.is_compared

    @property
    def is_steady(self) -> bool:
        """Whether the outputs of a row are the same in every call, apart from rounding."""
        return not (self.is_random or self.depends_on_batch)


def check_repeatability(teacher: Teacher, rows: Any, key: str | None = None) -> Repeatability:  # noqa: ARG001
    """Query a few rows, then half of them in another order, and all again if the outputs differ.

    An error of the teacher ends the check without a result: it is reported when the rows are labelled.

    Parameters
    ----------
    teacher : Teacher
    rows : table
    key : str or None, default=None
        Identifies the teacher if the result is cached.
    """
    n_queries = 0

    def ask(some: Any) -> np.ndarray:
        nonlocal n_queries
        n_queries += some.shape[0]
        return Teacher.outputs(teacher, some)  # one call, without the averages and batches of a derived class

    every = np.arange(rows.shape[0])
    part = every[: len(every) // 2][::-1] if len(every) >= MIN_SPLIT_ROWS else every
    try:
        first = ask(rows)
        other = ask(take_rows(rows, part))
        if is_alike(first[part], other, scale_of(teacher, first)):
            return Repeatability(first, part, other, n_queries, is_exact=np.array_equal(first[part], other))
        again = ask(rows)
    except (TeacherUnavailableError, TeacherWarning):  # a warning that is an error
        raise
    except Exception:
        first = other = again = np.empty(0)
    if not first.shape[1:] == other.shape[1:] == again.shape[1:] or not len(first):
        shapes = (first.shape, other.shape) if len(first) and first.shape[1:] != other.shape[1:] else ()
        return Repeatability(np.empty(0), np.empty(0, dtype=int), np.empty(0), n_queries, shapes=shapes)
    if is_alike(first, again, scale_of(teacher, first)):
        return Repeatability(first, part, other, n_queries, is_exact=False, depends_on_batch=True)
    between, within = _size(first[part], other), _size(first, again)
    is_between = len(part) < len(every) and between > CLEARLY_MORE * within
    return Repeatability(first, every, again, n_queries, is_exact=False, is_random=True, depends_on_batch=is_between)


def compare_with_blocks(teacher: Teacher, finding: Repeatability, rows: Any, labelled: np.ndarray) -> Repeatability:
    """Compare the outputs of the check with those of the same rows in large blocks; query them again if they differ.

    Parameters
    ----------
    teacher : Teacher
    finding : Repeatability
        The result of the check.
    rows : table
        The rows of the check.
    labelled : ndarray
        Their outputs as parts of larger blocks.
    """
    if is_alike(finding.first, labelled, scale_of(teacher, finding.first)):
        return replace(finding, is_compared=True)
    again = Teacher.outputs(teacher, rows)
    is_random = not is_alike(finding.first, again, scale_of(teacher, finding.first))
    return Repeatability(
        finding.first,
        np.arange(rows.shape[0]),
        again if is_random else labelled,
        finding.n_queries + rows.shape[0],
        is_exact=False,
        is_random=is_random,
        depends_on_batch=not is_random,
        is_compared=True,
    )


def scale_of(teacher: Teacher, outputs: np.ndarray) -> np.ndarray | float:
    """Return the size of the outputs to which rounding errors are proportional: 1 for probabilities."""
    return 1.0 if teacher.output_kind == "proba" else np.abs(outputs).max(axis=0)


def is_alike(some: np.ndarray, others: np.ndarray, scale: np.ndarray | float) -> bool:
    """Whether outputs differ at most by the rounding of float32."""
    return some.shape == others.shape and bool((np.abs(some - others) <= TOLERANCE * scale).all())


def _size(some: np.ndarray, others: np.ndarray) -> float:
    return float(np.sqrt(np.mean((some - others) ** 2)))
