"""Lossless compression of flat arrays, used in the pickles of scorers."""

import math
import zlib
from typing import Any

import numpy as np

_INTS = ("feature", "n_left", "tree_splits", "tree_output")

PackedArrays = tuple[list[tuple[str, str, tuple[int, ...]]], bytes]


def pack_arrays(arrays: dict[str, np.ndarray]) -> PackedArrays:
    """Return the names, dtypes and shapes of arrays, and their losslessly compressed bytes.

    The bytes are transposed, first bytes of all numbers first, because this compresses better. A boolean uses one bit.
    """
    described, planes = [], []
    for name, array in arrays.items():
        described.append((name, array.dtype.str, array.shape))
        flat = np.packbits(array) if array.dtype == bool else np.ascontiguousarray(array).reshape(-1)
        planes.append(flat.view(np.uint8).reshape(len(flat), flat.itemsize).T.tobytes())
    return described, zlib.compress(b"".join(planes), 9)


def unpack_arrays(packed: PackedArrays) -> dict[str, np.ndarray]:
    """Undo :func:`pack_arrays`."""
    described, compressed = packed
    content, start, arrays = np.frombuffer(zlib.decompress(compressed), dtype=np.uint8), 0, {}
    for name, dtype, shape in described:
        size, itemsize, is_bits = math.prod(shape), np.dtype(dtype).itemsize, np.dtype(dtype) == bool
        n_numbers = -(-size // 8) if is_bits else size
        planes = content[start : start + n_numbers * itemsize].reshape(itemsize, n_numbers)
        start += planes.size
        flat = np.ascontiguousarray(planes.T).reshape(-1)
        arrays[name] = (np.unpackbits(flat, count=size).view(bool) if is_bits else flat.view(dtype)).reshape(shape)
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


def pack_forest(forest: Any) -> PackedArrays:
    """Return the compressed fields of a forest.

    The distinct thresholds of each feature are stored once, together with an integer code per split. This is lossless
    and takes one byte per split if a feature has at most 256 distinct thresholds.
    """
    arrays = {name: getattr(forest, name) for name in forest.__dataclass_fields__ if name not in ("n_features", *_INTS)}
    arrays |= {name: smallest_ints(getattr(forest, name)) for name in _INTS}
    arrays["n_features"] = np.array(forest.n_features)
    cuts, cut = [arrays["threshold"][:0]], np.zeros(len(forest.feature), dtype=np.int64)
    for feature in np.unique(forest.feature):
        of = forest.feature == feature
        distinct, cut[of] = np.unique(forest.threshold[of], return_inverse=True)
        cuts.append(distinct)
    arrays["threshold"] = np.concatenate(cuts)
    arrays["n_cuts"] = smallest_ints(np.array([len(distinct) for distinct in cuts[1:]], dtype=np.int64))
    arrays["cut"] = smallest_ints(cut)
    return pack_arrays(arrays)


def unpack_forest(packed: PackedArrays) -> dict[str, Any]:
    """Undo :func:`pack_forest`."""
    state: dict[str, Any] = unpack_arrays(packed)
    state["n_features"] = int(state["n_features"])
    for name in _INTS:
        state[name] = state[name].astype(np.int64)
    n_cuts, cut, cuts = state.pop("n_cuts"), state.pop("cut"), state["threshold"]
    first = np.cumsum(n_cuts, dtype=np.int64) - n_cuts
    features, group = np.unique(state["feature"], return_inverse=True)
    state["threshold"] = cuts[first[group] + cut] if len(features) else cuts
    return state


def smallest_ints(numbers: np.ndarray) -> np.ndarray:
    """Return nonnegative integers in the smallest unsigned dtype."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))
