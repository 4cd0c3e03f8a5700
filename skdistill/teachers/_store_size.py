"""The size of the store of outputs: what a folder holds, and limits of its size and age."""

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from .._tabulate import as_text
from ._answer_files import SUFFIX, count_rows
from ._answer_store import ABOUT, each_teacher

_UNITS = {"K": 10**3, "M": 10**6, "G": 10**9}


@dataclass(frozen=True)
class StoredTeacher:
    """Stored outputs of one teacher.

    Attributes
    ----------
    teacher : str
        Name of the model.
    teacher_id : str or None
        The name that was passed.
    response_method : str
        The method that was called.
    n_rows : int
        Number of stored rows.
    n_bytes : int
        Bytes of the files.
    last_used : float
        Seconds since 1970-01-01 UTC.
    folder : Path
        Folder of the files; delete it to forget the teacher.
    """

    teacher: str
    teacher_id: str | None
    response_method: str
    n_rows: int
    n_bytes: int
    last_used: float
    folder: Path


@dataclass(frozen=True)
class MemoryInfo:
    """What the folder of a ``memory`` holds; the printed form is a table.

    Attributes
    ----------
    folder : Path
    teachers : tuple of StoredTeacher
        Teachers with stored outputs, the last used one first.
    n_rows : int
        Number of stored rows of all teachers.
    n_bytes : int
        Bytes of the stored outputs.
    n_other_bytes : int
        Bytes of other files, such as synthetic rows and trees, which joblib stores.

    Examples
    --------
    >>> from skdistill import memory_info
    >>> memory_info("a folder that does not exist").teachers
    ()
    """

    folder: Path
    teachers: tuple[StoredTeacher, ...]
    n_rows: int
    n_bytes: int
    n_other_bytes: int

    def __repr__(self) -> str:
        columns: dict[str, list[Any]] = {
            "teacher": [stored.teacher_id or stored.teacher for stored in self.teachers],
            "method": [stored.response_method for stored in self.teachers],
            "rows": [stored.n_rows for stored in self.teachers],
            "MB": [round(stored.n_bytes / 1e6, 3) for stored in self.teachers],
            "last used": [time.strftime("%Y-%m-%d", time.gmtime(stored.last_used)) for stored in self.teachers],
        }
        table = [as_text(columns)] if self.teachers else []
        total = (
            f"{self.folder}: {self.n_rows:,} rows of {len(self.teachers)} teachers in {self.n_bytes / 1e6:.3f} MB; "
            f"other files: {self.n_other_bytes / 1e6:.3f} MB"
        )
        return "\n".join([total, *table])


def memory_info(folder: str | Path) -> MemoryInfo:
    """Return what the folder of ``memory=`` holds: teachers, rows and bytes.

    Parameters
    ----------
    folder : str or Path
        The folder that was passed as ``memory``, or the location of the ``joblib.Memory``.

    Returns
    -------
    info : MemoryInfo

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from skdistill import DistilledRegressor, memory_info
    >>> X = np.linspace(0, 1, 50).reshape(-1, 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = DistilledRegressor(
    ...         lambda X: X[:, 0], "linear", sampler=None, memory=folder, random_state=0
    ...     )
    ...     model = model.fit(X)
    ...     memory_info(folder).n_rows
    50
    """
    folder = Path(folder)
    teachers = sorted(map(_describe, each_teacher(folder)), key=lambda stored: -stored.last_used)
    n_bytes = sum(stored.n_bytes for stored in teachers)
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return MemoryInfo(folder, tuple(teachers), sum(stored.n_rows for stored in teachers), n_bytes, total - n_bytes)


def _describe(folder: Path) -> StoredTeacher:
    about: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        about = json.loads((folder / ABOUT).read_text())
    files = _files_of(folder)
    return StoredTeacher(
        about.get("teacher", "unknown"),
        about.get("teacher_id"),
        about.get("response_method", "unknown"),
        sum(count_rows(path) or 0 for path, _, _ in files),
        sum(size for _, size, _ in files),
        max((used for _, _, used in files), default=0.0),
        folder,
    )


def _files_of(folder: Path) -> list[tuple[Path, int, float]]:
    """Return the files of a teacher, with their bytes and the time of their last use."""
    return [
        (path, path.stat().st_size, path.stat().st_mtime)
        for path in sorted(folder.rglob(f"*{SUFFIX}"))
        if count_rows(path) is not None  # a file of another format is left alone
    ]


def reduce_memory(
    folder: str | Path, *, bytes_limit: int | str | None = None, age_limit: timedelta | None = None
) -> MemoryInfo:
    """Delete stored outputs that were not used for long, or so that the others take no more than a number of bytes.

    The files that were used last are kept. Only outputs of teachers are deleted; for synthetic rows and trees see
    ``joblib.Memory.reduce_size``.

    Parameters
    ----------
    folder : str or Path
        The folder that was passed as ``memory``, or the location of the ``joblib.Memory``.
    bytes_limit : int, str or None, default=None
        Largest number of bytes to keep, also as ``"500K"``, ``"20M"`` or ``"1G"``. ``None`` sets no limit.
    age_limit : datetime.timedelta or None, default=None
        Outputs that were last used before this time are deleted. ``None`` sets no limit.

    Returns
    -------
    info : MemoryInfo
        What the folder holds afterwards.

    Raises
    ------
    ValueError
        If ``bytes_limit`` is no number of bytes.

    Examples
    --------
    >>> from datetime import timedelta
    >>> from skdistill import reduce_memory
    >>> reduce_memory(
    ...     "a folder that does not exist", bytes_limit="1G", age_limit=timedelta(days=90)
    ... ).n_bytes
    0
    """
    folder, limit = Path(folder), _as_bytes(bytes_limit)
    files = sorted((file for home in each_teacher(folder) for file in _files_of(home)), key=lambda file: -file[2])
    oldest = None if age_limit is None else time.time() - age_limit.total_seconds()
    kept = 0
    for path, size, used in files:
        kept += size
        if (limit is not None and kept > limit) or (oldest is not None and used < oldest):
            kept -= size
            path.unlink(missing_ok=True)
    return memory_info(folder)


def _as_bytes(limit: int | str | None) -> float | None:
    if limit is None:
        return None
    text = str(limit).strip().upper().removesuffix("B")
    try:
        number = float(text[:-1]) * _UNITS[text[-1]] if text[-1:] in _UNITS else float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise ValueError(
            f"reduce_memory: bytes_limit={limit!r}; expected a number of bytes of at least 0, such as 20_000_000 or "
            "'20M'."
        )
    return number
