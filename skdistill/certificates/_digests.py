"""Digests of what a certificate is about: the student, the rows, and the true values."""

import hashlib
import pickle
from collections.abc import Iterator
from typing import Any

import narwhals as nw
import numpy as np
from scipy import sparse

from .._described import text_of
from .._tables import is_frame
from ..compilation import compile
from ..exceptions import CompileError
from ..metrics._unwrapping import compiled_form, shipped


def student_digest(model: Any) -> str:
    """Return a digest of the student that is shipped.

    That of a student of this package, and of a compiled model, is the same before and after it is pickled. That of any
    other model is that of its pickle.
    """
    student = shipped(model)
    compiled = compiled_form(student)
    digest = hashlib.sha256()
    if compiled is None:
        digest.update(_pickled(student))
        return f"pickle:{digest.hexdigest()}"
    stored = pickle.loads(pickle.dumps(compiled))  # a pickle may number parts anew
    for part in _parts(stored.__getstate__() | {"scorer": stored.scorer.content()}):
        digest.update(part)
    return f"content:{digest.hexdigest()}"


def _pickled(student: Any) -> bytes:
    try:
        return pickle.dumps(student, protocol=4)
    except Exception as error:  # objects of others may raise anything
        raise TypeError(
            f"the student {type(student).__name__} cannot be pickled ({text_of(error)}); expected one that can, "
            "because its digest says which student a certificate is about. Pass a model, or a function of a module."
        ) from error


def compiled_digest(model: Any) -> str | None:
    """Return the digest of the student in its compiled form; ``None`` if it cannot be compiled."""
    try:
        return student_digest(compile(shipped(model)))
    except CompileError:
        return None


def data_digest(X: Any) -> str:
    """Return a digest of the cells of a table, column by column, and their order.

    Columns of numbers are taken in double precision, all others as texts; missing cells of these are empty texts.
    """
    digest = hashlib.sha256(repr(tuple(X.shape)).encode())
    for column in _columns(X):
        if column.dtype.kind in "fiub":
            digest.update(np.ascontiguousarray(column, dtype="<f8").tobytes())
        else:
            texts = ["" if cell is None or cell != cell else str(cell) for cell in column.tolist()]
            digest.update("\x1f".join(texts).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _columns(X: Any) -> Iterator[np.ndarray]:
    if sparse.issparse(X):
        by_column = X.tocsc()
        for position in range(X.shape[1]):
            yield by_column[:, [position]].toarray()[:, 0]
    elif is_frame(X):
        frame = nw.from_native(X, eager_only=True)
        for position in range(X.shape[1]):
            yield np.asarray(frame[:, position].to_numpy())
    else:
        table = np.asarray(X)
        yield from (table.T if table.ndim == 2 else [table])


def _parts(value: Any) -> Iterator[bytes]:
    """Yield the bytes of plain data and of objects that consist of it."""
    if isinstance(value, dict):
        for name in sorted(value, key=str):
            yield str(name).encode()
            yield from _parts(value[name])
    elif isinstance(value, list | tuple):
        yield f"{len(value)}[".encode()
        for each in value:
            yield from _parts(each)
    elif isinstance(value, np.ndarray) and value.dtype.kind != "O":
        yield f"{value.dtype.str}{value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, np.ndarray):
        yield from _parts(value.tolist())
    elif hasattr(value, "__dict__"):
        yield type(value).__name__.encode()
        yield from _parts(vars(value))
    else:
        yield repr(value).encode("utf-8", "surrogatepass")
