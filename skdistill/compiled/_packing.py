"""Lossless compression of flat arrays, used in the pickles of scorers."""

import json
import math
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..exceptions import CompileError

FormerArrays = tuple[list[tuple[str, str, tuple[int, ...]]], bytes]
"""Packed arrays of earlier releases: names, dtypes and shapes, and the bytes of all arrays together."""

PackedArrays = bytes | FormerArrays

SMALL_STREAM = 200
"""Bytes below which a stream is compressed together with others, since a code table of its own would cost more."""

MAX_TABLE = 256
"""Maximum number of distinct values of an array that is stored as codes of one byte and a table of these values."""

MAX_CODE = 127
"""Maximum code of an array whose values are stored as multiples of a step."""

TYPICAL_HEAD = b"".join(
    b'["%s","%s",[1,1],0,0],' % (name, dtype)
    for name, dtype in (
        (b"numbers", b"<i8"),
        (b"center=", b"<f8"),
        (b"scale=", b"<f8"),
        (b"low=", b"<f4"),
        (b"high", b'|i1",[10],["<f4",1.0],0],["|u1'),
        (b"n_codes", b"<i8"),
        (b"has_missing", b"|b1"),
        (b"weights/0", b'|i1",[100,32],["<f4",0.0'),
        (b"weights/1", b'|i1",[32,32],["<f4",0.0'),
        (b"weights/2", b"<f4"),
        (b"biases/0", b"<f2"),
        (b"biases/1", b"<f2"),
        (b"positions", b"<f4"),
        (b"scales", b"<f8"),
        (b"coef", b"<f4"),
        (b"linear", b"<f4"),
        (b"value", b"|i1"),
        (b"base", b"<f8"),
        (b"is_category", b"|b1"),
        (b"unit", b"<f8"),
        (b"feature", b"|u1"),
        (b"tree_output", b"|u1"),
        (b"missing_left", b"|b1"),
        (b"children/4", b"|u1"),
        (b"cut/0", b"|u1"),
        (b"cuts", b"|u1"),
        (b"n_cuts", b"|u1"),
        (b"threshold", b"<f4"),
        (b"grid", b"|i1"),
        (b"gaps", b"|u1"),
        (b"n_codes", b"|u1"),
        (b"members", b"|b1"),
    )
)
"""What heads of packed arrays are made of, which they need not repeat; another text would make files unreadable."""

FORMAT = 1
"""Version of packed arrays, in the fourth byte of a file; 0 in files that were written before it was stated."""

STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY)


def pack_arrays(arrays: dict[str, np.ndarray]) -> bytes:
    """Return arrays as bytes, losslessly compressed.

    An array of floats with few distinct values is stored as codes of one byte: multiples of a step, or positions in a
    table of its values. The bytes of other numbers are transposed, first bytes of all numbers first, because this
    compresses better. A boolean uses one bit.
    """
    described: list[list[Any]] = []
    small: list[bytes] = []
    large: list[bytes] = []
    for name, array, mark in _coded(arrays):
        sizes = []
        for stream in _planes(array):
            packed = b"" if len(stream) < SMALL_STREAM else deflated(stream)
            sizes.append(len(packed))
            (large if packed else small).append(packed or stream)
        described.append([name, array.dtype.str, array.shape, mark, sizes if any(sizes) else 0])
    text = json.dumps(described, separators=(",", ":")).encode()
    head = deflated(text + b"\0" + b"".join(small), TYPICAL_HEAD)
    return len(head).to_bytes(3, "little") + bytes([FORMAT]) + head + b"".join(large)


def unpack_arrays(packed: PackedArrays) -> dict[str, np.ndarray]:
    """Undo :func:`pack_arrays`, also of earlier releases.

    Raises
    ------
    CompileError
        If the arrays were packed by a later release, or the file is damaged.
    """
    if not isinstance(packed, bytes):
        return _unpack_former(packed)
    if packed[3] > FORMAT:
        raise CompileError(
            f"The file holds a model in format {packed[3]}, which a later release of skdistill has written; this "
            f"release reads formats up to {FORMAT}. Install the later release, or compile the model again."
        )
    start = 4 + int.from_bytes(packed[:3], "little")
    described, small = _head_of(packed[4:start])
    arrays: dict[str, np.ndarray] = {}
    place = 0
    for name, dtype, shape, mark, sizes in described:
        size = -(-math.prod(shape) // 8) if dtype == "|b1" else math.prod(shape)
        planes = []
        for length in sizes or [0] * np.dtype(dtype).itemsize:
            if length:
                planes.append(zlib.decompress(packed[start : start + length], -zlib.MAX_WBITS))
                start += length
            else:
                planes.append(small[place : place + size])
                place += size
        flat = np.frombuffer(b"".join(planes), dtype=np.uint8).reshape(len(planes), size)
        array = _from_planes(flat, dtype, tuple(shape))
        if isinstance(mark, str):
            array = arrays.pop(mark)[array]
        elif mark:
            array = _multiples(array, *mark)
        arrays[name] = array
    return arrays


def _head_of(packed: bytes) -> tuple[list[Any], bytes]:
    """Return the names, dtypes and shapes of packed arrays, and the bytes of the small ones."""
    try:
        head = zlib.decompressobj(-zlib.MAX_WBITS, zdict=TYPICAL_HEAD).decompress(packed)
        text, _, small = head.partition(b"\0")
        return json.loads(text), small
    except (zlib.error, ValueError) as error:  # JSON and UTF-8 are errors of values, too
        raise CompileError(
            "The file holds a model that cannot be read: it is damaged, or was written by a version of skdistill "
            "before the first release. Compile the model again."
        ) from error


def _coded(arrays: dict[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray, Any]]:
    """Yield names and arrays as they are stored, and how to read them: a dtype and a step, or the name of a table."""
    for name, array in arrays.items():
        if array.dtype.kind != "f" or array.size < SMALL_STREAM // 4:
            yield name, array, 0
            continue
        flat = np.ascontiguousarray(array).reshape(-1)
        bits, place = np.unique(flat.view(f"u{flat.itemsize}"), return_inverse=True)
        distinct = bits.view(flat.dtype)
        step = _step_of(distinct) if len(bits) <= 2 * MAX_CODE + 1 else 0.0
        if step:
            yield name, np.rint(array / step).astype(np.int8), [array.dtype.str, step]
        elif len(bits) <= MAX_TABLE and len(bits) * array.itemsize < array.size * (array.itemsize - 1):
            yield f"{name}=", distinct, 0
            yield name, place.reshape(array.shape).astype(np.uint8), f"{name}="
        else:
            yield name, array, 0


def _step_of(distinct: np.ndarray) -> float:
    """Return a step of which all values are small multiples, exactly; 0.0 if there is none."""
    if not np.isfinite(distinct).all():
        return 0.0
    gaps = np.diff(np.unique(np.append(distinct, 0).astype(np.float64)))
    for part in (1, 2, 3):
        step = float(gaps.min(initial=np.inf)) / part
        if not np.isfinite(step) or np.abs(distinct).max() > (MAX_CODE + 0.5) * step:
            continue
        codes = np.rint(distinct.astype(np.float64) / step).astype(np.int8)
        again = _multiples(codes, distinct.dtype.str, step)
        if np.array_equal(again.view(f"u{again.itemsize}"), distinct.view(f"u{again.itemsize}")):
            return step
    return 0.0


def _multiples(codes: np.ndarray, dtype: str, step: float) -> np.ndarray:
    return (codes * np.float64(step)).astype(dtype)


def _planes(array: np.ndarray) -> list[bytes]:
    flat = np.packbits(array) if array.dtype == bool else np.ascontiguousarray(array).reshape(-1)
    return [plane.tobytes() for plane in flat.view(np.uint8).reshape(len(flat), flat.itemsize).T]


def _from_planes(planes: np.ndarray, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return the array of bytes of shape (itemsize, n_numbers)."""
    flat = np.ascontiguousarray(planes.T).reshape(-1)
    if dtype == "|b1":
        return np.unpackbits(flat, count=math.prod(shape)).view(bool).reshape(shape)
    return flat.view(dtype).reshape(shape)


def deflated(stream: bytes, known: bytes = b"") -> bytes:
    """Return the shortest of several ways to compress a stream, without header and checksum."""
    return min((_deflated_by(stream, known, strategy) for strategy in STRATEGIES), key=len)


def _deflated_by(stream: bytes, known: bytes, strategy: int) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9, strategy, known)
    return compressor.compress(stream) + compressor.flush()


def _unpack_former(packed: FormerArrays) -> dict[str, np.ndarray]:
    described, compressed = packed
    content, start, arrays = np.frombuffer(zlib.decompress(compressed), dtype=np.uint8), 0, {}
    for name, dtype, shape in described:
        size, itemsize = math.prod(shape), np.dtype(dtype).itemsize
        n_numbers = -(-size // 8) if np.dtype(dtype) == bool else size
        planes = content[start : start + n_numbers * itemsize].reshape(itemsize, n_numbers)
        start += planes.size
        arrays[name] = _from_planes(planes, np.dtype(dtype).str, shape)
    return arrays


def pack_fields(scorer: Any) -> dict[str, Any]:
    """Return the fields of a dataclass with all arrays and lists of arrays compressed together."""
    arrays: dict[str, np.ndarray] = {}
    state: dict[str, Any] = {}
    for name in scorer.__dataclass_fields__:
        value = getattr(scorer, name)
        if isinstance(value, np.ndarray):
            arrays[name] = value
        elif isinstance(value, list) and all(isinstance(item, np.ndarray) for item in value):
            state[name] = []
            arrays |= {f"{name}/{place}": array for place, array in enumerate(value)}
        else:
            state[name] = value
    return state | {"packed": pack_arrays(arrays)}


def unpack_fields(state: dict[str, Any]) -> dict[str, Any]:
    """Undo :func:`pack_fields`."""
    fields = {name: value[:] if isinstance(value, list) else value for name, value in state.items() if name != "packed"}
    for name, array in unpack_arrays(state["packed"]).items():
        field, _, place = name.partition("/")
        if place:
            fields[field].append(array)
        else:
            fields[field] = array
    return fields


def smallest_ints(numbers: np.ndarray) -> np.ndarray:
    """Return nonnegative integers in the smallest unsigned dtype."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))
