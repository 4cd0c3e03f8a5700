"""The store of a teacher's outputs behind ``memory=``: found again by what the teacher knows and by row.

Below the folder of ``memory``, each teacher has a folder named after its digest, or after its ``teacher_id``, and in it
a folder for each set of outputs that agree with each other. The first time that a store uses the outputs of a file, the
teacher labels a few of their rows again, so that a change that the digest does not see, such as that of a service
behind a function, starts a new set. A model of a known library, which holds all that its outputs depend on, is asked
once in a process.
"""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .._tables import take_rows
from .._validation import warn_caller
from ..exceptions import TeacherWarning
from ._adapter import Teacher
from ._agreement import agreed_files
from ._answer_files import Index, Writer
from ._contents import Digester, UnknownContentError
from ._ensemble import TeacherEnsemble
from ._recognition import recognise
from ._remote import asked_function
from ._row_keys import keys_in_batch, row_keys

FOLDER = "skdistill-outputs-1"
"""Folder of the store in that of ``memory``; the number is the version of its format."""

ABOUT = "about.json"

PROBE_ROWS = 16
"""Number of rows that are queried again to notice a change of the teacher."""

EXACT, NAMED = (1e-6, 5e-7), (1e-3, 1e-6)
"""Tolerances of these rows, as shares of the range and of the largest absolute output: rounding in float32 between
batches of different sizes, and, for a teacher with a name, rounding on another device."""

Ask = Callable[[np.ndarray], np.ndarray]


@dataclass
class Recalled:
    """What the store knows of a table.

    Attributes
    ----------
    is_known : ndarray of bool, shape (n_rows,)
    outputs : ndarray of shape (n_known,) or (n_known, n_outputs)
        Outputs of the known rows.
    keys : ndarray of shape (n_rows, 2) or None
        Keys of all rows; ``None`` if outputs cannot be stored.
    """

    is_known: np.ndarray
    outputs: np.ndarray
    keys: np.ndarray | None


class AnswerStore:
    """Stored outputs of one teacher at a time, which is recognised when it is first queried.

    Parameters
    ----------
    folder : Path
        Folder of ``memory``.
    teacher_id : str or None, default=None
        Name of the teacher; ``None`` recognises it by what it knows.
    """

    def __init__(self, folder: Path, teacher_id: str | None = None) -> None:
        self.folder, self.teacher_id = folder / FOLDER, teacher_id
        self._teacher: Teacher | None = None
        self._home: Path | None = None
        self._indices: dict[Path, Index] = {}
        self._writer: Writer | None = None
        self._warned: set[str] = set()
        self._probed: tuple[Any, np.ndarray] | None = None
        self._agreed: set[Path] = set()
        self._of_members: dict[str, AnswerStore] = {}

    def of_member(self, name: str) -> "AnswerStore":
        """Return the store of one of several teachers, which are recognised one by one."""
        if name not in self._of_members:
            own_id = None if self.teacher_id is None else f"{self.teacher_id}/{name}"
            self._of_members[name] = AnswerStore(self.folder.parent, own_id)
        return self._of_members[name]

    def key_of(self, teacher: Teacher, X: Any) -> str | None:
        """Return a key for results about a teacher that are cached elsewhere; ``None`` if it cannot be recognised.

        If the teacher has to be queried for this, it labels the rows of ``X`` that :meth:`recall` queries. Several
        teachers have the keys of each and their weights.
        """
        if isinstance(teacher.model, TeacherEnsemble):
            return self._key_of_several(teacher.model, X)

        def ask() -> None:
            self._probed = X, teacher.outputs(take_rows(X, _spread(X.shape[0])))

        return self._home.name if self._recognise(teacher, ask, None) and self._home is not None else None

    def _key_of_several(self, ensemble: TeacherEnsemble, X: Any) -> str | None:
        members = zip(ensemble.names, ensemble.members, strict=True)
        keys = [self.of_member(name).key_of(member, X) for name, member in members]  # type: ignore[arg-type]
        weights = ensemble.weights_of(take_rows(X, _spread(X.shape[0])))
        content = repr((keys, weights.tolist(), ensemble.margin_scales)).encode()
        return None if None in keys else hashlib.sha256(content).hexdigest()[:32]

    def recall(
        self, teacher: Teacher, X: Any, ask: Ask, batch_size: int | None = None, probe: np.ndarray | None = None
    ) -> Recalled:
        """Return the stored outputs of the rows of a table.

        A few of them are queried again, unless they are random, or from files that were checked before.

        Parameters
        ----------
        teacher : Teacher
        X : table of shape (n_rows, n_features)
        ask : callable
            ``ask(positions)`` returns the teacher's outputs for rows of ``X``.
        batch_size : int or None, default=None
            Number of rows in a call of a teacher whose outputs depend on the other rows of a call. Outputs are then
            stored for batches instead of rows.
        probe : ndarray or None, default=None
            Other outputs of the model, if they are known: no rows are queried then.
        """
        n_rows = X.shape[0]

        def ask_few() -> None:
            self._probed = X, ask(_spread(n_rows))

        keys = self._keys_of(X) if self._recognise(teacher, ask_few if probe is None else None, probe) else None
        if keys is None:
            return Recalled(np.zeros(n_rows, dtype=bool), np.empty(0), None)
        is_checked = probe is None and not (teacher.is_random or teacher.depends_on_batch)
        checks = self._checks_of(X, keys, ask, batch_size) if is_checked else None
        self._probed = None
        if batch_size is not None:
            parts = [keys_in_batch(keys[start : start + batch_size]) for start in range(0, n_rows, batch_size)]
            keys = np.concatenate(parts)
        recalled = self._recall_from_agreeing_set(teacher, keys, checks)
        if isinstance(checks, _BatchChecks):
            self.keep(checks.keys, checks.outputs)
        return recalled

    def _checks_of(self, X: Any, keys: np.ndarray, ask: Ask, batch_size: int | None) -> "_Checks | _BatchChecks":
        """Return the checks of a table, with the outputs of its rows that were queried to recognise the teacher."""
        tolerance, rows = NAMED if self.teacher_id else EXACT, _spread(X.shape[0])
        outputs = self._probed[1] if self._probed is not None and self._probed[0] is X else None
        if batch_size is None:
            return _Checks(ask, tolerance, None if outputs is None else (rows, outputs))
        return _BatchChecks(keys_in_batch(keys[rows]), ask(rows) if outputs is None else outputs, tolerance)

    def _recognise(self, teacher: Teacher, ask: Callable[[], None] | None, probe: np.ndarray | None) -> bool:
        """Find the folder of the teacher; return whether it can be recognised."""
        if self._teacher is teacher:
            return self._home is not None
        self._teacher, self._home, self._writer, self._agreed = teacher, None, None, set()
        try:
            known_as = self.teacher_id.encode() if self.teacher_id else self._read(teacher.model, ask)
        except UnknownContentError as error:
            self._warn(
                "unknown",
                f"memory=: {teacher.name} cannot be recognised ({error}), so that all rows are queried again in every "
                "fit. Pass teacher_id=, a name that you change whenever the model changes.",
            )
            return False
        beside = b"" if probe is None else probe.astype(np.float32).tobytes()
        form = repr((bool(self.teacher_id), *_form_of(teacher), beside)).encode()
        self._home = self.folder / hashlib.sha256(known_as + b"\0" + form).hexdigest()[:32]
        return True

    def _read(self, model: Any, ask: Callable[[], None] | None) -> bytes:
        digester, model = Digester(), asked_function(model)
        digest = recognise(model, ask, digester)
        self._agreed = agreed_files(model, digester)
        return digest

    def _keys_of(self, X: Any) -> np.ndarray | None:
        try:
            return row_keys(X)
        except Exception as error:  # cells of any type, which fail in any way
            self._warn(
                "rows",
                f"memory=: the outputs for these rows are not stored, because a cell cannot be read ({error}). Convert "
                "the cells to numbers or texts.",
            )
            return None

    def _recall_from_agreeing_set(
        self, teacher: Teacher, keys: np.ndarray, checks: "_Checks | _BatchChecks | None"
    ) -> Recalled:
        """Use the newest set of outputs that agrees with the teacher's outputs now, or start a new set."""
        assert self._home is not None
        difference: float | None = None
        sets = _sets_of(self._home)
        for folder in sets:
            index = self._indices.setdefault(folder, Index(folder))
            outputs, files = index.find(keys)
            index.trust(self._agreed)
            found = None if checks is None else checks.difference(index, outputs, files)
            if found is None:
                self._agreed |= index.trusted()
                self._use(folder)
                return Recalled(files >= 0, outputs, keys)
            difference = found if difference is None else difference
        if difference is not None:
            self._warn_of_change(teacher, difference)
        newest = int(sets[0].name) if sets else 0
        self._use(self._home / f"{newest + 1:04d}")
        return Recalled(np.zeros(len(keys), dtype=bool), np.empty(0), keys)

    def _use(self, folder: Path) -> None:
        if self._writer is None or self._writer.folder != folder:
            self._writer = Writer(folder)

    def keep(self, keys: np.ndarray, outputs: np.ndarray) -> None:
        """Store the outputs of rows; if that fails, for example because the disk is full, warn once."""
        assert self._writer is not None
        assert self._home is not None
        try:
            self._writer.append(keys, outputs)
            if self._writer.path is not None:
                self._agreed.add(self._writer.path)
            if not (self._home / ABOUT).exists():
                self._describe()
        except OSError as error:
            self._warn(
                "disk",
                f"memory=: outputs of the teacher could not be stored in {self.folder}: {error.strerror or error}. "
                "They are used in this fit, and queried again in the next one.",
                UserWarning,
            )

    def pack(self) -> None:
        """Rewrite the file that outputs were appended to, if it has many small blocks."""
        if self._writer is not None:
            self._writer.pack()

    def _describe(self) -> None:
        """Write what the folder of the teacher is about, for :func:`~skdistill.memory_info`."""
        assert self._home is not None
        assert self._teacher is not None
        about = {
            "teacher": self._teacher.name,
            "teacher_id": self.teacher_id,
            "response_method": self._teacher.response_method,
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        partial = self._home / f"{ABOUT}.{os.getpid()}.partial"
        try:
            partial.write_text(json.dumps(about))
            partial.replace(self._home / ABOUT)
        finally:
            partial.unlink(missing_ok=True)

    def _warn_of_change(self, teacher: Teacher, difference: float) -> None:
        advice = (
            "If the model has changed, pass another teacher_id=."
            if self.teacher_id
            else "If the model is the same and only rounds differently, pass teacher_id=, a name that you change "
            "whenever the model changes."
        )
        self._warn(
            "changed",
            f"memory=: {teacher.name} no longer returns its stored outputs (they differ by up to {difference:.2g}), so "
            f"that all rows are queried again. {advice}",
        )

    def _warn(self, topic: str, message: str, category: type[Warning] = TeacherWarning) -> None:
        if topic not in self._warned:
            self._warned.add(topic)
            warn_caller(message, category)


class _Checks:
    """Compares stored outputs with those that the teacher returns now.

    Parameters
    ----------
    ask : callable
        Queries rows by their positions.
    tolerance : tuple of two floats
        Shares of the range and of the largest absolute output.
    asked : tuple of two ndarrays or None
        Positions of rows that were queried already, and their outputs.
    """

    def __init__(self, ask: Ask, tolerance: tuple[float, float], asked: tuple[np.ndarray, np.ndarray] | None) -> None:
        self._ask, self._tolerance = ask, tolerance
        self._positions = np.empty(0, dtype=int) if asked is None else asked[0]
        self._outputs = None if asked is None else asked[1]

    def difference(self, index: Index, outputs: np.ndarray, files: np.ndarray) -> float | None:
        """Return the largest difference if the outputs do not agree, and ``None`` if they do.

        Files that were compared before are not compared again, nor is a small part of the rows beside them.
        """
        is_known = files >= 0
        unchecked = np.flatnonzero(is_known & ~np.isin(files, list(index.checked)))
        if len(unchecked) * PROBE_ROWS < max(int(np.count_nonzero(is_known)), 1):
            return None
        if not np.isin(self._positions, unchecked).any():
            self._query(unchecked[_spread(len(unchecked))])
        self._query(_one_of_each_large_file(files, unchecked, files[self._positions]))
        assert self._outputs is not None
        found = is_known[self._positions]
        rows = self._positions[found]
        stored = outputs[(np.cumsum(is_known) - 1)[rows]]
        difference = _compare(stored, self._outputs[found], outputs, self._tolerance)
        if difference is None:
            index.checked.update(files[rows].tolist())
        return difference

    def _query(self, positions: np.ndarray) -> None:
        if len(positions):
            outputs = self._ask(positions)
            self._outputs = outputs if self._outputs is None else np.concatenate([self._outputs, outputs])
            self._positions = np.concatenate([self._positions, positions])


def _one_of_each_large_file(files: np.ndarray, unchecked: np.ndarray, queried: np.ndarray) -> np.ndarray:
    """Return the position of a row of each file with a large part of the rows that no row was queried of."""
    numbers, first, counts = np.unique(files[unchecked], return_index=True, return_counts=True)
    return unchecked[first[(counts * PROBE_ROWS >= len(files)) & ~np.isin(numbers, queried)]]


@dataclass
class _BatchChecks:
    """Compares outputs of a few rows with those that were stored for the same batch.

    Parameters
    ----------
    keys : ndarray of shape (n_probes, 2)
        Keys of the rows in their batch.
    outputs : ndarray of shape (n_probes,) or (n_probes, n_outputs)
    tolerance : tuple of two floats
    """

    keys: np.ndarray
    outputs: np.ndarray
    tolerance: tuple[float, float]

    def difference(self, index: Index, _outputs: np.ndarray, _files: np.ndarray) -> float | None:
        """Return the largest difference if the outputs do not agree, and ``None`` if they do."""
        stored, found = index.find(self.keys)
        return _compare(stored, self.outputs[found >= 0], stored, self.tolerance)


def _compare(
    stored: np.ndarray, now: np.ndarray, all_stored: np.ndarray, tolerance: tuple[float, float]
) -> float | None:
    if not len(stored):
        return None
    if stored.shape != now.shape:
        return float("inf")
    of_range, of_largest = tolerance
    difference = float(np.abs(stored - now).max())
    is_same = difference <= of_range * np.ptp(all_stored) + of_largest * np.abs(all_stored).max()
    return None if is_same else difference


def _spread(n_rows: int) -> np.ndarray:
    """Return the positions of a few rows, spread over a table."""
    return np.linspace(0, n_rows - 1, num=min(n_rows, PROBE_ROWS), dtype=int)


def _sets_of(home: Path) -> list[Path]:
    """Return the folders of the sets of outputs of a teacher, the newest first."""
    with suppress(OSError):
        return sorted((path for path in home.iterdir() if path.name.isdigit()), reverse=True)
    return []


def open_store(memory: Any, teacher_id: str | None) -> AnswerStore | None:
    """Return the store in the folder of a ``joblib.Memory``; ``None`` for a memory that stores nothing.

    Parameters
    ----------
    memory : joblib.Memory, AnswerStore or None
        A store is returned as it is.
    teacher_id : str or None
    """
    if memory is None or isinstance(memory, AnswerStore):
        return memory
    location = getattr(memory, "location", None)
    return None if location is None else AnswerStore(Path(location), teacher_id)


def _form_of(teacher: Teacher) -> tuple[Any, ...]:
    """Return what the outputs of a model depend on beside the model."""
    classes = None if teacher.classes_ is None else teacher.classes_.tolist()
    return teacher.task, teacher.response_method, classes, teacher.n_repeats


def each_teacher(folder: Path) -> Iterator[Path]:
    """Yield the folders of the teachers below the folder of a memory."""
    with suppress(OSError):
        yield from sorted(path for path in (folder / FOLDER).iterdir() if path.is_dir())
