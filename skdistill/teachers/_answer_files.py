"""Files of a teacher's outputs by row: appended in blocks, each with a checksum.

A file starts with ``MAGIC``, which names the version of the format. Each block is a header (checksum of all that
follows, number of rows, number of outputs, bytes of a number), the keys of the rows and their outputs. Each writer has
its own file, so that processes that share a folder need no lock. A block that was cut off by a kill or a full disk has
a wrong checksum and is not read.
"""

import os
import struct
import time
import uuid
import zlib
from collections.abc import Collection, Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

MAGIC = b"SKDANS\x00\x01"
SUFFIX = ".answers"
_HEADER = struct.Struct("<IIiI")
_KEY_BYTES = 16
_ONE_DIMENSIONAL = -1
WINDOW_BYTES = 1 << 24
"""Bounds the part of a file that is held in memory while outputs are read."""

SMALL_ROWS, MANY_BLOCKS = 64, 64
"""A file of more blocks than this, with fewer rows each on average, is rewritten as one block when it is closed."""


class Block(NamedTuple):
    """A block of a file: where its outputs start, and their format."""

    keys: np.ndarray
    start: int
    n_outputs: int
    n_bytes: int

    @property
    def stride(self) -> int:
        """Bytes of the outputs of a row."""
        return abs(self.n_outputs) * self.n_bytes


class Reader:
    """Reads the blocks of a file that were not read before.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path, self._end = path, 0

    def read_new(self) -> list[Block]:
        """Return the complete blocks that were appended since the last call; none of a file of another format."""
        try:
            with self.path.open("rb") as file:
                if self._end == 0 and file.read(len(MAGIC)) != MAGIC:
                    return []
                self._end = max(self._end, len(MAGIC))
                blocks = list(_blocks(file, self._end, with_keys=True))
        except OSError:
            return []
        if blocks:
            last = blocks[-1]
            self._end = last.start + len(last.keys) * last.stride
        return blocks


def _blocks(file: BinaryIO, start: int, *, with_keys: bool) -> Iterator[Block]:
    """Yield complete blocks from ``start`` on, up to the first one whose checksum is wrong."""
    n_left = os.fstat(file.fileno()).st_size - start
    file.seek(start)
    while len(header := file.read(_HEADER.size)) == _HEADER.size:
        checksum, n_rows, n_outputs, n_bytes = _HEADER.unpack(header)
        size = n_rows * (_KEY_BYTES + abs(n_outputs) * n_bytes)
        n_left -= _HEADER.size + size
        if n_bytes not in (4, 8) or n_left < 0:
            return
        content = file.read(size)
        if len(content) < size or zlib.crc32(content, zlib.crc32(header[4:])) != checksum:
            return
        keys = np.frombuffer(content, dtype="<u8", count=2 * n_rows).reshape(-1, 2)
        start += _HEADER.size
        yield Block(keys if with_keys else keys[:, :0], start + n_rows * _KEY_BYTES, n_outputs, n_bytes)
        start += size


def read_outputs(path: Path, starts: np.ndarray, block: Block) -> np.ndarray:
    """Return the outputs that start at the given positions of a file, in the format of ``block``.

    Raises
    ------
    OSError
        If the file is gone or shorter than it was.
    """
    width = block.stride
    order = np.argsort(starts)
    found = np.empty(len(starts), dtype=f"V{width}")
    sorted_starts, done = starts[order], 0
    with path.open("rb") as file:
        while done < len(starts):
            first = int(sorted_starts[done])
            until = int(np.searchsorted(sorted_starts, first + WINDOW_BYTES - width, side="right"))
            until = max(until, done + 1)
            file.seek(first)
            size = int(sorted_starts[until - 1]) - first + width
            window = file.read(size)
            if len(window) < size:
                raise OSError(f"{path} is shorter than it was")
            every = np.ndarray((size - width + 1,), dtype=f"V{width}", buffer=window, strides=(1,))
            found[order[done:until]] = every[sorted_starts[done:until] - first]
            done = until
    outputs = found.view(f"<f{block.n_bytes}").reshape(len(starts), -1).astype(np.float64)
    return outputs[:, 0] if block.n_outputs == _ONE_DIMENSIONAL else outputs


class Writer:
    """Appends blocks to a new file of a folder, which is made with the first block.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    path : Path or None
        The file that blocks are appended to; ``None`` before the first one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path: Path | None = None
        self._sizes: list[int] = []

    def append(self, keys: np.ndarray, outputs: np.ndarray) -> None:
        """Append a block, all of it or nothing.

        Raises
        ------
        OSError
            If the disk is full or the folder cannot be written.
        """
        content, end = _as_bytes(keys, outputs), None
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.path is None:
            self.path, self._sizes = self.folder / _new_name(), []
        try:
            with self.path.open("ab", buffering=0) as file:
                end = file.tell()
                write_all(file, content if end else MAGIC + content)  # a file may have been removed since
        except OSError:
            if end is not None:
                self._undo(self.path, end)
            raise
        self._sizes.append(len(keys))

    def _undo(self, path: Path, end: int) -> None:
        """Remove what was written of a block, or leave the file as it is, with a block that is never read."""
        with suppress(OSError):
            if end:
                os.truncate(path, end)
                return
            path.unlink()
        self.path = None

    def pack(self) -> None:
        """Rewrite a file of many small blocks as one block, which is read faster; other files are appended to."""
        path, sizes = self.path, self._sizes
        if path is None or len(sizes) <= MANY_BLOCKS or sum(sizes) / len(sizes) >= SMALL_ROWS:
            return
        self.path = None
        with suppress(OSError):
            _pack(path)


def write_all(file: FileIO, content: bytes) -> None:
    """Write all bytes to an unbuffered file, which may take them in parts."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _as_bytes(keys: np.ndarray, outputs: np.ndarray) -> bytes:
    """Return a block; outputs that are exact in float32 take half the bytes."""
    n_outputs = _ONE_DIMENSIONAL if outputs.ndim == 1 else outputs.shape[1]
    with np.errstate(over="ignore"):
        short = outputs.astype("<f4")
    is_exact = np.array_equal(short.astype(np.float64), outputs)
    body = np.ascontiguousarray(keys, dtype="<u8").tobytes() + (short if is_exact else outputs.astype("<f8")).tobytes()
    rest = _HEADER.pack(0, len(keys), n_outputs, 4 if is_exact else 8)[4:]
    return struct.pack("<I", zlib.crc32(body, zlib.crc32(rest))) + rest + body


def _new_name() -> str:
    return f"{time.time_ns():016x}-{uuid.uuid4().hex[:12]}{SUFFIX}"


def _pack(path: Path) -> None:
    """Replace a file by one with a single block; readers of the old file list the folder again."""
    blocks = Reader(path).read_new()
    if len({block[2:] for block in blocks}) != 1:
        return
    keys = np.concatenate([block.keys for block in blocks])
    starts = np.concatenate([block.start + np.arange(len(block.keys)) * block.stride for block in blocks])
    content = MAGIC + _as_bytes(keys, read_outputs(path, starts, blocks[0]))
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb", buffering=0) as file:
            write_all(file, content)
        partial.replace(path.parent / _new_name())
        path.unlink()
    finally:
        partial.unlink(missing_ok=True)


def count_rows(path: Path) -> int | None:
    """Return the number of rows of a file; ``None`` for a file of another format."""
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return None
        return sum(len(block.keys) for block in _blocks(file, len(MAGIC), with_keys=False))


class Index:
    """The outputs in the files of a folder, found by the keys of their rows.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    checked : set of int
        Numbers of the files whose outputs need no comparison with those of the teacher.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.checked: set[int] = set()
        self._readers: dict[str, Reader] = {}
        self._formats: list[tuple[Path, Block]] = []
        self._numbers: dict[tuple[Path, int], int] = {}
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._sorted: tuple[np.ndarray, ...] | None = None

    def refresh(self) -> None:
        """Read blocks that were appended since, by this process or another."""
        try:
            names = sorted(name for name in os.listdir(self.folder) if name.endswith(SUFFIX))
        except OSError:
            names = []
        if not set(self._readers) <= set(names):  # files were packed or removed
            self.__init__(self.folder)  # type: ignore[misc]
        for name in names:
            reader = self._readers.setdefault(name, Reader(self.folder / name))
            for block in reader.read_new():
                self._add(reader.path, block)

    def _add(self, path: Path, block: Block) -> None:
        if self._formats and block.n_outputs != self._formats[0][1].n_outputs:
            return  # a teacher with another number of outputs, which the probes notice
        number = self._numbers.setdefault((path, block.n_bytes), len(self._formats))
        if number == len(self._formats):
            self._formats.append((path, block._replace(keys=block.keys[:0], start=0)))
        starts = block.start + np.arange(len(block.keys)) * block.stride
        self._parts.append((block.keys, starts, np.full(len(starts), number, dtype=np.int32)))
        self._sorted = None

    def trust(self, paths: Collection[Path]) -> None:
        """Take files for checked, because their outputs are known to be those of the teacher."""
        self.checked.update(number for (path, _), number in self._numbers.items() if path in paths)

    def trusted(self) -> set[Path]:
        """Return the files all of whose outputs are checked."""
        unchecked = {path for (path, _), number in self._numbers.items() if number not in self.checked}
        return {path for path, _ in self._numbers} - unchecked

    def find(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the outputs of the known rows, and the number of the file of each row; -1 for unknown rows.

        Parameters
        ----------
        keys : ndarray of uint64, shape (n_rows, 2)

        Returns
        -------
        outputs : ndarray of shape (n_known,) or (n_known, n_outputs)
        files : ndarray of int, shape (n_rows,)
        """
        self.refresh()
        files, starts = self._locate(keys)
        parts: list[tuple[np.ndarray, np.ndarray]] = []
        for number in np.unique(files[files >= 0]).tolist():
            rows = np.flatnonzero(files == number)
            path, block = self._formats[number]
            try:
                parts.append((rows, read_outputs(path, starts[rows], block)))
                os.utime(path)  # the age limit counts from the last use
            except OSError:  # the file was removed by another process
                files[rows] = -1
        if not parts:
            return np.empty(0), np.full(len(keys), -1)
        rows = np.concatenate([part[0] for part in parts])
        return np.concatenate([part[1] for part in parts])[np.argsort(rows)], files

    def _locate(self, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        files, starts = np.full(len(keys), -1, dtype=np.int32), np.zeros(len(keys), dtype=np.int64)
        if not self._parts or not len(keys):
            return files, starts
        first, second, where, file = self._in_order()
        order = np.argsort(keys[:, 0])  # neighbours are found next to each other, in the cache of the processor
        places = np.minimum(np.searchsorted(first, keys[order, 0]), len(first) - 1)
        is_known = (first[places] == keys[order, 0]) & (second[places] == keys[order, 1])
        files[order[is_known]], starts[order[is_known]] = file[places[is_known]], where[places[is_known]]
        return files, starts

    def _in_order(self) -> tuple[np.ndarray, ...]:
        """Return the index sorted by the first half of the keys; of equal rows, the first answer counts."""
        if self._sorted is None:
            keys, starts, files = (np.concatenate(parts) for parts in zip(*self._parts, strict=True))
            order = np.argsort(keys[:, 0], kind="stable")
            self._parts = [(keys, starts, files)]
            self._sorted = (keys[order, 0], keys[order, 1], starts[order], files[order])
        return self._sorted
