"""A teacher that reads answers which were computed elsewhere: by a service, a batch job, a vendor."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import narwhals as nw
import numpy as np

from .._described import described
from .._suggesting import did_you_mean
from .._tables import is_frame, take_columns, take_rows
from .._validation import check_choice
from ..exceptions import TeacherError
from ._answers import UnreadableError, read_answer
from ._value_keys import KeyIndex, groups_of, value_keys

SUM_TOLERANCE = 1e-3
"""Maximum deviation from one of the sum of outputs that count as the probabilities of all classes."""

ROUNDING = 1e-5
"""Maximum difference of the answers for equal rows, as a share of the largest answer, that is explained by rounding."""


class PrecomputedTeacher:
    """A teacher whose answers were computed elsewhere, and are looked up by row.

    Use it if the model cannot be called from here: it is a service, it runs in a batch job on other machines, or a
    vendor has labelled a table for you. It answers the rows of the table, in any order and any number, and no others.
    ``DistilledClassifier`` and ``DistilledRegressor`` therefore draw no synthetic rows with ``sampler="auto"``
    (``transfer_set_.n_synthetic`` is then 0); pass the labelled rows that are not in ``X`` as ``X_unlabeled``.

    Rows are compared by the values of their cells: a number is the same in every dtype that holds it exactly, a missing
    cell is the same as NaN, and categories are the same as their texts. Columns of frames are found by name, others by
    position. A float32 that was rounded from a float64 is another number.

    Parameters
    ----------
    X : table of shape (n_labelled, n_features), str or Path
        The labelled rows: an array, a sparse matrix, or a frame of pandas, polars, pyarrow or another library. A text
        or path is read as Parquet, which needs pyarrow.
    outputs : array-like or frame of shape (n_labelled,) or (n_labelled, n_outputs), default=None
        The answers for these rows: probabilities (of the second of two classes, or one column for each class), margins,
        labels, or values. Columns that are named after the classes, possibly with a common prefix or suffix as in
        ``p_yes`` and ``p_no``, may be in any order; others are in the sorted order of the classes. A row with a missing
        answer counts as not answered.
    columns : str or list of str, default=None
        The names of the columns of ``X`` that hold the answers, instead of ``outputs``.
    by : str, int or list of these, default=None
        The columns that identify a row, by name or, in tables without names, by position: a key, such as the number of
        a customer, or all features. ``None`` uses all columns of ``X`` that hold no answers.
    classes : array-like of shape (n_classes,), default=None
        The labels, in the order of the columns. ``None`` uses those of ``y`` in ``fit``; without ``y``, they are read
        from the names of the columns, or from the answers if these are labels.
    duplicates : {"raise", "mean"}, default="raise"
        What to do with rows that occur several times and have different answers: an error, or the mean of the answers.
        Differences of up to 0.00001 of the largest answer are rounding errors, and the first answer counts.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,) or None
        ``classes``.

    Raises
    ------
    TeacherError
        If rows and answers differ in number, if columns do not exist, if no row has an answer, or if equal rows have
        different answers. Also when the teacher is asked for a row that it has no answer for.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import DistilledRegressor, PrecomputedTeacher
    >>> rng = np.random.default_rng(0)
    >>> X_labelled = rng.normal(size=(500, 3))
    >>> teacher = PrecomputedTeacher(X_labelled, X_labelled[:, 0] - X_labelled[:, 1])
    >>> teacher
    PrecomputedTeacher(500 rows)
    >>> model = DistilledRegressor(teacher, "linear", random_state=0).fit(X_labelled[:300])
    >>> model.transfer_set_.n_real, model.transfer_set_.n_synthetic
    (300, 0)
    >>> model.fidelity(X_labelled[300:]) > 0.9
    True
    >>> teacher.has_answer(np.vstack([X_labelled[:2], np.zeros((1, 3))])).tolist()
    [True, True, False]
    """

    def __init__(
        self,
        X: Any,
        outputs: Any = None,
        *,
        columns: str | Sequence[str] | None = None,
        by: str | int | Sequence[str | int] | None = None,
        classes: Any = None,
        duplicates: Literal["raise", "mean"] = "raise",
    ) -> None:
        check_choice(self, "duplicates", duplicates, ["raise", "mean"])
        X = _as_table(X)
        names, answers = _read(*_split(X, outputs, columns))
        self.classes_ = None if classes is None else np.asarray(classes)
        self._names = names
        self._by = _positions(X, _by_default(X, by, columns))
        in_table = _names_of(X)
        self._columns = None if in_table is None else [in_table[place] for place in self._by]
        self._n_columns = X.shape[1]
        is_known = ~_is_missing(answers)
        if not is_known.any():
            raise TeacherError("PrecomputedTeacher: no row has an answer; expected numbers or labels in the outputs.")
        rows = np.flatnonzero(is_known)
        keys = value_keys(take_columns(X, self._by))[rows]
        firsts, self._answers = _one_per_row(keys, answers[rows], rows, average=duplicates == "mean")
        self._index = KeyIndex(keys[firsts])

    def __repr__(self) -> str:
        named = "" if self._names is None else f", outputs {self._names}"
        return f"PrecomputedTeacher({len(self):,} rows{named})"

    def __len__(self) -> int:
        """Return the number of different rows that have an answer."""
        return len(self._answers)

    def __sklearn_clone__(self) -> "PrecomputedTeacher":
        """Return the teacher itself: it is fitted, whatever scikit-learn's ``clone`` makes of others."""
        return self

    def __call__(self, X: Any) -> Any:
        """Return the answers for the rows of a table.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            With the columns of the labelled table that identify a row.

        Returns
        -------
        answers : ndarray of shape (n_samples,) or (n_samples, n_outputs), or dict of columns
            A dict if the outputs have names.

        Raises
        ------
        TeacherError
            If a row has no answer.
        """
        found = self._find(X)
        if (found < 0).any():
            raise TeacherError(self._describe_missing(X, found))
        answers = self._answers[found]
        return answers if self._names is None else dict(zip(self._names, answers.T, strict=True))

    def has_answer(self, X: Any) -> np.ndarray:
        """Return which rows of a table have an answer.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)

        Returns
        -------
        has_answer : ndarray of bool, shape (n_samples,)
        """
        return self._find(X) >= 0

    def read_classes(self) -> np.ndarray | None:
        """Return the classes that the names of the columns or the answers tell; ``None`` if they do not."""
        if self._names is not None and self._answers.shape[1] > 1:
            return _classes_in_names(self._names, self._answers)
        is_one_column = self._answers.ndim == 1 or self._answers.shape[1] == 1
        return np.unique(self._answers) if is_one_column and self._answers.dtype.kind != "f" else None

    def _find(self, X: Any) -> np.ndarray:
        """Return the position of the answer of each row; -1 for rows without one."""
        X = X if hasattr(X, "shape") else np.asarray(X)
        if len(X.shape) != 2:
            raise TeacherError(f"PrecomputedTeacher: got X of shape {X.shape}; expected (n_samples, n_features).")
        names = _names_of(X)
        if self._columns is not None and names is not None:
            missing = [name for name in self._columns if name not in names]
            if missing:
                raise TeacherError(
                    f"PrecomputedTeacher: the rows have no column {missing}, by which answers are looked up; got "
                    f"columns {names}. Pass by=[...] with the columns that identify a row and are in both tables."
                )
            places = [names.index(name) for name in self._columns]
        else:
            places = self._places_in_array(X)
        return self._index.find(value_keys(take_columns(X, places)))

    def _places_in_array(self, X: Any) -> list[int]:
        """Return the positions of the columns that identify a row in a table in which they have no names."""
        if X.shape[1] == len(self._by):
            return list(range(len(self._by)))
        if X.shape[1] != self._n_columns:
            raise TeacherError(
                f"PrecomputedTeacher: got rows of {X.shape[1]} columns; expected the {len(self._by)} columns by which "
                "answers are looked up, in their order. Pass frames, whose columns have names, or by=[...]."
            )
        return self._by

    def _describe_missing(self, X: Any, found: np.ndarray) -> str:
        n_missing, first = int(np.count_nonzero(found < 0)), int(np.argmin(found))
        advice = (
            "Label them and pass them with the others, or pass only rows with an answer, X[teacher.has_answer(X)]. "
            'Synthetic rows have no answer: pass sampler="auto", which then draws none, or sampler=None.'
        )
        if n_missing == len(found):
            advice += (
                " As not a single row was found, compare the tables: the columns, their order in arrays, and numbers "
                "that were rounded in one of them (float32, CSV files)."
            )
        row = take_rows(X, slice(first, first + 1))
        cells = np.asarray(row.todense() if hasattr(row, "todense") else row).ravel()[:4].tolist()
        return (
            f"PrecomputedTeacher has no answer for {n_missing:,} of {len(found):,} rows (the first is row {first}, "
            f"which starts with {cells}); expected rows among the {len(self):,} labelled ones. {advice}"
        )


# ---------------------------------------------------------------------- the labelled table


def _as_table(X: Any) -> Any:
    if isinstance(X, str | Path):
        return _read_parquet(X)
    table = X if hasattr(X, "shape") else np.asarray(X)
    if len(table.shape) != 2:
        raise TeacherError(
            f"PrecomputedTeacher: got labelled rows of shape {table.shape}; expected a table of two dimensions."
        )
    return table.tocsr() if hasattr(table, "tocsr") else table


def _read_parquet(path: str | Path) -> Any:
    try:
        from pyarrow import parquet
    except ImportError:
        raise ImportError(
            f"PrecomputedTeacher: got the path {str(path)!r}, and Parquet files are read by pyarrow, which is not "
            "installed; run `pip install pyarrow`, or pass a table."
        ) from None
    return parquet.read_table(path)


def _split(X: Any, outputs: Any, columns: Any) -> tuple[Any, int]:
    """Return the answers and the number of rows that they must have."""
    if (outputs is None) == (columns is None):
        what = "neither outputs nor columns" if outputs is None else "both outputs and columns"
        raise TeacherError(
            f"PrecomputedTeacher: got {what}; expected one of both. Pass the answers, or the names of the columns that "
            "hold them."
        )
    if columns is None:
        return outputs, X.shape[0]
    if not is_frame(X):
        raise TeacherError(
            f"PrecomputedTeacher: columns={columns!r} with a {type(X).__name__}, whose columns have no names; expected "
            "a frame. Pass the answers as outputs."
        )
    return take_columns(X, _positions(X, columns)), X.shape[0]


def _read(outputs: Any, n_rows: int) -> tuple[list[str] | None, np.ndarray]:
    """Return the names of the columns of the answers, or ``None``, and the answers."""
    try:
        names, answers = read_answer(outputs, None)
    except UnreadableError as error:
        raise TeacherError(f"PrecomputedTeacher: got outputs with {error.got}; expected {error.expected}") from None
    if answers.ndim not in (1, 2) or answers.shape[0] != n_rows or 0 in answers.shape:
        raise TeacherError(
            f"PrecomputedTeacher: got outputs of shape {answers.shape} for {n_rows} labelled rows; expected one answer "
            "for each row."
        )
    if answers.dtype.kind == "O":
        answers = _without_objects(answers)
    return (None if names is None else [str(name) for name in names]), answers


def _without_objects(answers: np.ndarray) -> np.ndarray:
    """Return answers of Python objects, such as numbers with missing ones among them, as numbers if they are."""
    is_missing = _is_missing_object(answers).astype(bool)
    plain = np.array(answers[~is_missing].tolist())
    if plain.dtype.kind not in "iufb":
        return answers
    numbers = np.full(answers.shape, np.nan, dtype=np.float64)
    numbers[~is_missing] = plain
    return numbers


def _is_missing(answers: np.ndarray) -> np.ndarray:
    if answers.dtype.kind == "f":
        missing = np.isnan(answers)
    elif answers.dtype.kind == "O":
        missing = _is_missing_object(answers).astype(bool)
    else:
        missing = np.zeros(answers.shape, dtype=bool)
    return np.asarray(missing.reshape(len(answers), -1).any(axis=1))


_is_missing_object = np.frompyfunc(
    lambda cell: type(cell).__name__ in ("NoneType", "NAType", "NaTType") or (isinstance(cell, float) and cell != cell),
    1,
    1,
)


def _names_of(X: Any) -> list[str] | None:
    return [str(name) for name in nw.from_native(X, eager_only=True).columns] if is_frame(X) else None


def _by_default(X: Any, by: Any, columns: Any) -> Any:
    """Return the columns that identify a row: by default, all that hold no answers."""
    if by is not None or columns is None:
        return list(range(X.shape[1])) if by is None else by
    names, answered = _names_of(X) or [], set(_listed(columns))
    return [place for place, name in enumerate(names) if name not in answered]


def _listed(names: Any) -> list[Any]:
    return list(names) if isinstance(names, list | tuple | np.ndarray) else [names]


def _positions(X: Any, columns: Any) -> list[int]:
    """Return the positions of columns given by name or position."""
    names, listed = _names_of(X), _listed(columns)
    if not listed:
        raise TeacherError("PrecomputedTeacher: no column is left to identify a row; expected at least one in by=.")
    found = []
    for column in listed:
        if names is not None and column in names:
            found.append(names.index(column))
        elif isinstance(column, int | np.integer) and 0 <= column < X.shape[1]:
            found.append(int(column))
        else:
            known = f"one of {names}" if names else f"a position from 0 to {X.shape[1] - 1}, as columns have no names"
            raise TeacherError(
                f"PrecomputedTeacher: the labelled table has no column {described(column)}; expected {known}."
                f"{did_you_mean(column, names or [])}"
            )
    return found


# ---------------------------------------------------------------------- one answer for each row


def _one_per_row(
    keys: np.ndarray, answers: np.ndarray, rows: np.ndarray, *, average: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the first of equal rows, and the answer for each of them."""
    order, starts = groups_of(keys)
    firsts, counts = order[starts], np.diff(starts, append=len(keys))  # the order is stable
    first_of_each = np.empty_like(order)
    first_of_each[order] = np.repeat(firsts, counts)
    differ, is_numeric = _differ(answers, answers[first_of_each]), answers.dtype.kind in "iufb"
    if differ.any() and not (average and is_numeric):
        raise TeacherError(_describe_contradictions(differ, first_of_each, rows, is_numeric=is_numeric))
    if not differ.any():
        return firsts, answers[firsts]
    sums = np.add.reduceat(answers[order].astype(np.float64), starts)
    return firsts, sums / counts.reshape(-1, *[1] * (answers.ndim - 1))


def _differ(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return for which rows answers differ by more than rounding."""
    is_float = some.dtype.kind == "f"
    apart = np.abs(some - others) > ROUNDING * np.abs(some).max(axis=0) if is_float else some != others
    return np.asarray(np.asarray(apart, dtype=bool).reshape(len(some), -1).any(axis=1))


def _describe_contradictions(
    differ: np.ndarray, first_of_each: np.ndarray, rows: np.ndarray, *, is_numeric: bool
) -> str:
    row = int(np.argmax(differ))
    cure = 'pass duplicates="mean", ' if is_numeric else ""
    return (
        f"PrecomputedTeacher: {np.count_nonzero(differ):,} labelled rows are equal to an earlier row and have another "
        f"answer, for example rows {rows[first_of_each[row]]} and {rows[row]}; expected one answer for each row. Keep "
        f"one of them, {cure}or name in by= the columns that tell them apart."
    )


# ---------------------------------------------------------------------- classes


def _classes_in_names(names: list[str], answers: np.ndarray) -> np.ndarray | None:
    """Return the classes that columns of probabilities are named after, without a prefix that all of them share."""
    if answers.dtype.kind not in "iufb" or answers.min() < -SUM_TOLERANCE:
        return None
    if np.abs(answers.sum(axis=1) - 1).max() > SUM_TOLERANCE:
        return None
    prefix = _common_prefix(names)
    labels = [name.removeprefix(prefix) for name in names]
    are_numbers = all(label.isdecimal() for label in labels)
    return np.array([int(label) for label in labels] if are_numbers else labels)


def _common_prefix(names: list[str]) -> str:
    """Return the beginning that all names share: up to a separator, or all before numbers."""
    digits = {name.rstrip("0123456789") for name in names}
    if len(digits) == 1 and all(name[-1].isdigit() for name in names):
        return digits.pop()
    shared = [len(set(letters)) == 1 for letters in zip(*names, strict=False)]
    length = shared.index(False) if False in shared else len(shared)
    last = max(names[0].rfind(separator, 0, length) for separator in "_-. :")
    return names[0][: last + 1]
