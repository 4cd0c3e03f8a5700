"""Hashes of the pickles of models, by which a model is known to be unchanged within a process.

All that a pickle stores is hashed, so that any change of a model is noticed. The cells of arrays are hashed where they
are, by the hash of bytes of Python, which is seeded in each process and faster than the hashes of ``hashlib``.
"""

import copyreg
import hashlib
import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

BYTES_AT_ONCE = 1 << 18
"""Number of bytes that are hashed at once: they stay in the cache of a processor core."""


def hash_of_pickle(obj: Any) -> bytes | None:
    """Return the hash of a pickle, which is not held in memory; ``None`` for an object that has none.

    Objects with equal hashes have equal pickles. The hash is only of use in this process.
    """
    file = _HashingFile()
    pickler = pickle.Pickler(file, protocol=5, buffer_callback=file.write_buffer)
    pickler.dispatch_table = {**copyreg.dispatch_table, np.ndarray: _reduce_array}
    trees = sys.modules.get("sklearn.tree._tree")
    if trees is not None:
        pickler.dispatch_table[trees.Tree] = _reduce_tree
    try:
        pickler.dump(obj)
    except Exception:  # whatever an object raises that cannot be pickled
        return None
    return file.hash.digest()


class _HashingFile:
    """A file that keeps a hash of what is written to it."""

    def __init__(self) -> None:
        self.hash = hashlib.sha256()

    def write(self, content: Any) -> None:
        self.hash.update(content)

    def write_buffer(self, buffer: pickle.PickleBuffer) -> None:
        self.hash.update(buffer.raw())


def _reduce_array(array: np.ndarray) -> Any:
    """Return what is pickled instead of an array; an array of objects is pickled as usual."""
    return array.__reduce_ex__(5) if array.dtype.hasobject else (_Array, _cells(array))


def _reduce_tree(tree: Any) -> Any:
    """Return what is pickled instead of the nodes of a tree of scikit-learn: its state, with hashed arrays."""
    make, arguments, state = tree.__reduce__()
    parts = [_cells(part) if type(part) is np.ndarray else part for part in (*arguments, *state.values())]
    return _Tree, (make, parts)


class _Array:
    """Stands for an array in a pickle that is only hashed."""


class _Tree:
    """Stands for a tree in a pickle that is only hashed."""


def _cells(array: np.ndarray) -> tuple[Any, ...]:
    """Return the type and the shape of an array, and hashes of its bytes in the order of the rows."""
    if array.nbytes <= BYTES_AT_ONCE:
        return array.dtype, array.shape, _hash_bytes(array.tobytes())
    cells = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
    starts = range(0, len(cells), BYTES_AT_ONCE)
    return array.dtype, array.shape, *(_hash_bytes(bytes(cells[start : start + BYTES_AT_ONCE])) for start in starts)


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


_hash_bytes: Callable[[bytes], int | bytes] = (
    hash if sys.hash_info.algorithm.startswith("siphash") and sys.hash_info.hash_bits == 64 else _sha256
)
"""Hash of at least 64 bits; some builds of Python have a shorter or weaker one of their own."""
