"""Synthetic rows that a teacher refuses to label: how they are restricted, and which of them are labelled."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._described import text_of
from ._tables import stack_rows, take_rows
from .exceptions import TeacherOutputError, TeacherQueryError
from .samplers._seen_values import Restriction, SeenValues
from .teachers._transient import is_transient

REFUSAL = (TeacherQueryError, TeacherOutputError)
"""Errors by which a teacher refuses rows: it raises an error, or its outputs are malformed, e.g. NaN."""

OUTAGE = (OSError, MemoryError)
"""Errors of a teacher that are not about the values of rows."""

N_PROBED = 16
"""Number of rows that are asked one by one under each restriction, to find the one under which most are labelled."""

FIRST_BLOCK = 8
MAX_BLOCKS, MAX_VAIN_BLOCKS = 200, 16
"""Maximum number of blocks of a draw, and of blocks before the first one that is labelled."""

CURE = (
    "If a column of numbers holds codes, convert it to categories (strings or dtype 'category'), or use samplers that "
    "only draw values seen, such as MarginalResampling() or LeafSwap(noise=0.0)."
)

Labelled = tuple[Any, np.ndarray]
"""Rows with the teacher's outputs."""


class Refusals:
    """Labels synthetic rows with a teacher that may refuse some of them, and records what it refuses.

    A teacher with a strict encoder refuses every number that is a code and that it has not seen. Rows that contain one
    are refused together with all others of the same query. If a query is refused,

    1. one real row is labelled again; if this fails too, the error of the teacher is raised;
    2. a few rows are asked one by one, with more and more columns restricted to values seen in the real rows;
    3. all rows are asked again under the restriction under which most rows were labelled;
    4. if they are refused again, they are asked block by block, and the rows of refused blocks are left out. A block is
       half as large after a refusal and twice as large after an answer.

    The restriction also applies to all later rows. Every row asked counts as a query.

    Parameters
    ----------
    label : callable
        ``label(rows, origin)`` returns the outputs, and counts the queries.
    n_left : callable
        Returns the number of rows that may still be labelled.
    """

    def __init__(self, label: Callable[[Any, str], np.ndarray], n_left: Callable[[], float]) -> None:
        self._label, self._n_left = label, n_left
        self._seen: SeenValues | None = None
        self._known: Any = None
        self.restriction = Restriction.FEW
        self.is_partial, self.n_omitted = False, 0
        self.reason = ""

    def learn(self, X: Any) -> None:
        """Learn the values of the real rows, which the teacher has labelled."""
        self._seen, self._known = SeenValues(X), take_rows(X, slice(0, 1))

    def restrict(self, rows: Any) -> Any:
        """Return the rows with the numbers of restricted columns replaced by the nearest values seen."""
        return rows if self._seen is None else self._seen.restrict(rows, self.restriction)

    def label_parts(self, parts: Sequence[Any], origin: str) -> list[Labelled]:
        """Label the restricted rows of several samplers, together if the teacher refuses none; some may be left out."""
        if not self.is_partial:
            try:
                outputs = self._label(stack_rows(parts), origin)
                ends = np.cumsum([part.shape[0] for part in parts])[:-1]
                return list(zip(parts, np.split(outputs, ends), strict=True))
            except REFUSAL as error:
                self._record(error)
        return [self._label_some(part, origin) for part in parts]

    def label_all(self, rows: Any, sampler: Any) -> Labelled:
        """Label all rows of a sampler that the user has given."""
        try:
            return rows, self._label(rows, "synthetic rows")
        except REFUSAL as error:
            self._record(error)
            raise type(error)(
                f"the teacher labels the rows of X, but refuses rows drawn by {sampler!r} ({self.reason}). {CURE} Or "
                'pass sampler="auto", which leaves out rows that the teacher refuses, or sampler=None.'
            ) from error.__cause__

    def summary(self) -> str:
        """Return what the teacher has refused, and the consequences, as text; empty if it has refused nothing."""
        if not self.reason:
            return ""
        where = {
            Restriction.FEW: "",
            Restriction.WHOLE: "Whole numbers in synthetic rows were therefore restricted to values seen in X. ",
            Restriction.ALL: "Numbers in synthetic rows were therefore restricted to values seen in X. ",
        }[self.restriction]
        omitted = f"{self.n_omitted:,} synthetic rows were left out. " if self.n_omitted else ""
        what = f"the teacher labels the rows of X, but refuses some synthetic rows ({self.reason}). "
        return f"{what}{where}{omitted}{CURE}"

    def _record(self, error: Exception) -> None:
        """Record a refusal; raise the error if it is none."""
        _raise_outage(error)
        if self._known is None:
            raise error
        if self._n_left() >= 1:
            try:
                self._label(self._known, "a real row")
            except REFUSAL as of_real_row:
                _raise_outage(of_real_row)
                raise error from error.__cause__
        cause = error.__cause__
        self.reason = self.reason or (str(error) if cause is None else f"{type(cause).__name__}: {text_of(cause)}")

    def _label_some(self, rows: Any, origin: str) -> Labelled:
        """Label as many rows as the teacher and the budget allow."""
        if not self.is_partial:
            self.restriction = self._best_restriction(rows, origin)
            rows = self.restrict(rows)
            if rows.shape[0] <= self._n_left():
                try:
                    return rows, self._label(rows, origin)
                except REFUSAL as error:
                    _raise_outage(error)
                    self.is_partial = True
        return self._label_block_by_block(self.restrict(rows), origin)

    def _best_restriction(self, rows: Any, origin: str) -> Restriction:
        """Return the least restriction under which most of a few rows are labelled."""
        assert self._seen is not None
        best, most = self.restriction, -1
        probed = take_rows(rows, slice(0, N_PROBED))
        for restriction in Restriction:
            if restriction < self.restriction:
                continue
            restricted = self._seen.restrict(probed, restriction)
            each = (take_rows(restricted, slice(place, place + 1)) for place in range(probed.shape[0]))
            n_labelled = sum(self._is_labelled(row, origin) for row in each)
            if n_labelled > most:
                best, most = restriction, n_labelled
            if n_labelled == probed.shape[0]:
                break
        return best

    def _is_labelled(self, rows: Any, origin: str) -> bool:
        if self._n_left() < 1:
            return False
        try:
            self._label(rows, origin)
        except REFUSAL as error:
            _raise_outage(error)
            return False
        return True

    def _label_block_by_block(self, rows: Any, origin: str) -> Labelled:
        """Label the rows of the blocks that the teacher does not refuse."""
        assert self._known is not None
        kept: list[Labelled] = []
        start, size, n_rows = 0, FIRST_BLOCK, rows.shape[0]
        for n_blocks in range(MAX_BLOCKS):
            stop = int(min(start + size, start + self._n_left(), n_rows))
            if stop <= start or (n_blocks == MAX_VAIN_BLOCKS and not kept):
                break
            block = take_rows(rows, slice(start, stop))
            try:
                kept.append((block, self._label(block, origin)))
                size *= 2
            except REFUSAL as error:
                _raise_outage(error)
                size = max(size // 2, 1)
            start = stop
        n_kept = sum(len(outputs) for _, outputs in kept)
        self.n_omitted += n_rows - n_kept
        if not kept:
            return take_rows(rows, slice(0, 0)), np.empty(0)
        return stack_rows([block for block, _ in kept]), np.concatenate([outputs for _, outputs in kept])


def _raise_outage(error: Exception) -> None:
    """Raise the error if it is not about the rows: they may be labelled once the teacher answers again."""
    cause = error.__cause__
    if isinstance(cause, OUTAGE) or (cause is not None and is_transient(cause)):
        raise error
