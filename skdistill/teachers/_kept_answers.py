"""Answers of a remote teacher by row: those of one request, and those that wait for the fit that needs them again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..exceptions import TeacherOutputError
from ._answers import UnreadableError, read_answer
from ._row_keys import row_keys
from ._value_keys import KeyIndex, groups_of, occurrences


@dataclass(frozen=True)
class Answered:
    """The answers for some rows.

    Attributes
    ----------
    values : ndarray of shape (n_rows,) or (n_rows, n_outputs)
    names : tuple of str or None
        Names of the columns, if they have some.
    may_lack : bool
        Whether columns that other rows have are 0 here, as in dicts that leave out improbable classes.
    keys : ndarray of uint64, shape (n_rows, 2), or None, default=None
        Keys of the rows; ``None`` if they cannot be kept.
    """

    values: np.ndarray
    names: tuple[str, ...] | None
    may_lack: bool
    keys: np.ndarray | None = None

    def take(self, rows: np.ndarray) -> "Answered":
        """Return the answers for rows at some positions."""
        keys = None if self.keys is None else self.keys[rows]
        return Answered(self.values[rows], self.names, self.may_lack, keys)

    def as_output(self) -> Any:
        """Return what the teacher returns: an array, or a dict of columns if they have names."""
        if self.names is None:
            return self.values
        return dict(zip(self.names, self.values.T, strict=True))


def read_request(who: str, returned: Any, n_rows: int, classes: np.ndarray | None) -> Answered:
    """Return the answers of one request for ``n_rows`` rows."""
    try:
        names, values = read_answer(returned, classes)
    except UnreadableError as error:
        raise TeacherOutputError(f"{who} returned {error.got}; expected {error.expected}") from None
    n_answered = values.shape[0] if values.ndim else 0
    if n_answered != n_rows:
        raise TeacherOutputError(
            f"{who} returned {n_answered} answers for a request of {n_rows} rows; expected one for each row, in their "
            "order. An answer that was cut off must raise an error in the function, to be requested again."
        )
    are_dicts = isinstance(returned, Sequence) and len(returned) > 0 and isinstance(returned[0], Mapping)
    return Answered(values, None if names is None else tuple(map(str, names)), are_dicts)


def stack_answers(who: str, parts: Sequence[Answered]) -> Answered:
    """Return the answers of several requests as one; columns are joined by name."""
    first = parts[0]
    names = first.names
    if any(part.names != names for part in parts):
        names = _joined_names(who, parts)
    parts = [part if part.names == names else _in_order(part, names) for part in parts]
    if len({part.values.shape[1:] for part in parts}) > 1:
        shapes = sorted({part.values.shape[1:] for part in parts})
        raise TeacherOutputError(
            f"{who} returned answers of the shapes {shapes} for a row in different requests; expected one. Return the "
            "same number of columns in every call."
        )
    keys = None if first.keys is None else np.concatenate([part.keys for part in parts if part.keys is not None])
    return Answered(np.concatenate([part.values for part in parts]), names, first.may_lack, keys)


def _joined_names(who: str, parts: Sequence[Answered]) -> tuple[str, ...]:
    lists = [part.names or () for part in parts]
    every = tuple(dict.fromkeys(name for names in lists for name in names))
    for part in parts:
        if part.names is None or (not part.may_lack and set(part.names) != set(every)):
            raise TeacherOutputError(
                f"{who} returned the columns {list(part.names or ['without names'])} in one request, and columns "
                f"{list(every)} in all; expected the same columns in every call."
            )
    return every


def _in_order(part: Answered, names: tuple[str, ...] | None) -> Answered:
    assert names is not None
    assert part.names is not None
    columns = dict(zip(part.names, part.values.T, strict=True))
    absent = np.zeros(len(part.values))
    return Answered(np.column_stack([columns.get(name, absent) for name in names]), names, part.may_lack, part.keys)


def keys_for_keeping(X: Any) -> np.ndarray | None:
    """Return the keys of rows; ``None`` if a cell cannot be read, so that answers cannot be kept."""
    try:
        return row_keys(X)
    except Exception:  # cells of any type, which fail in any way
        return None


class _Waiting:
    """Answers that wait to be used, each once. Equal rows have several, which are used in their order."""

    def __init__(self, answers: Answered) -> None:
        assert answers.keys is not None
        self._answers = answers
        self._order, self._starts = groups_of(answers.keys)
        self._counts = np.diff(self._starts, append=len(answers.keys))
        self._n_used = np.zeros(len(self._starts), dtype=np.int64)
        self._index = KeyIndex(answers.keys[self._order[self._starts]])

    def find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the positions of the rows that have an answer, their groups of equal rows, and places in these."""
        groups = self._index.find(keys)
        places = occurrences(keys) + self._n_used[groups]
        rows = np.flatnonzero((groups >= 0) & (places < self._counts[groups]))
        return rows, groups[rows], places[rows]

    def take(self, keys: np.ndarray) -> tuple[np.ndarray, Answered]:
        """Return the positions of the rows that have an answer, and use these answers."""
        rows, groups, places = self.find(keys)
        np.add.at(self._n_used, groups, 1)
        return rows, self._answers.take(self._order[self._starts[groups] + places])

    def rest(self) -> Answered:
        """Return the answers that were not used."""
        place = np.arange(len(self._order)) - np.repeat(self._starts, self._counts)
        return self._answers.take(self._order[place >= np.repeat(self._n_used, self._counts)])


class KeptAnswers:
    """Answers that were paid for: those of the running fit, and those of fits that failed, which are used first.

    A fit that is repeated asks for the same rows in the same order. Each answer is used once, so that a check which
    asks twice for a row also gets two answers in the repeated fit.
    """

    def __init__(self, who: str) -> None:
        self._who = who
        self._is_fit_running = False
        self._of_fit: list[Answered] = []
        self._waiting: _Waiting | None = None

    def __len__(self) -> int:
        """Return the number of answers that wait, and of those of the running fit."""
        return sum(len(part.values) for part in self._of_fit) + self._n_waiting()

    def _n_waiting(self) -> int:
        return 0 if self._waiting is None else len(self._waiting.rest().values)

    def begin_fit(self) -> None:
        """Begin a fit: the answers of one that did not end wait from now on."""
        self.keep(self._of_fit)
        self._of_fit, self._is_fit_running = [], True

    def end_fit(self) -> None:
        """End a fit: its answers are not needed any more."""
        self._of_fit, self._is_fit_running = [], False
        if self._n_waiting() == 0:
            self._waiting = None

    def record(self, parts: Sequence[Answered]) -> None:
        """Record the answers of a call of the running fit."""
        if self._is_fit_running:
            self._of_fit += [part for part in parts if part.keys is not None]

    def keep(self, parts: Sequence[Answered]) -> None:
        """Let answers wait that were not used."""
        parts = [part for part in parts if part.keys is not None and len(part.values)]
        if not parts:
            return
        before = [] if self._waiting is None else [self._waiting.rest()]
        try:
            self._waiting = _Waiting(stack_answers(self._who, [*before, *parts]))
        except TeacherOutputError:  # answers of another form than before
            self._waiting = _Waiting(stack_answers(self._who, parts))

    def take(self, keys: np.ndarray | None) -> tuple[np.ndarray, Answered] | None:
        """Return the positions of rows that have a waiting answer, and these; ``None`` if there are none."""
        if self._waiting is None or keys is None:
            return None
        rows, answers = self._waiting.take(keys)
        return (rows, answers) if len(rows) else None

    def find(self, keys: np.ndarray | None) -> np.ndarray:
        """Return the positions of rows that have a waiting answer, which is not used."""
        return np.empty(0, dtype=np.intp) if self._waiting is None or keys is None else self._waiting.find(keys)[0]
