"""Flat arrays as few bytes: what a pickle of a forest holds."""

from typing import Any

import numpy as np

_INTS = ("feature", "n_left", "tree_splits", "tree_output")
_BITS = ("missing_left", "subsets", "is_category")


def pack(forest: Any) -> dict[str, Any]:
    """Return the fields of a forest in the smallest dtypes that hold them.

    Thresholds of a feature that repeat are kept once, with a code for each split: exact, and one byte a split where
    there are at most 256 of them.
    """
    state = {name: getattr(forest, name) for name in forest.__dataclass_fields__}
    for name in _INTS:
        state[name] = smallest_ints(state[name])
    for name in _BITS:
        state[name] = (state[name].shape, np.packbits(state[name]))
    cuts, cut = [], np.zeros(len(forest.feature), dtype=np.int64)
    for feature in np.unique(forest.feature):
        of = forest.feature == feature
        distinct, cut[of] = np.unique(forest.threshold[of], return_inverse=True)
        cuts.append(distinct)
    state["threshold"] = (
        np.concatenate(cuts) if cuts else forest.threshold,
        smallest_ints(np.array([len(distinct) for distinct in cuts], dtype=np.int64)),
        smallest_ints(cut),
    )
    return state


def unpack(state: dict[str, Any]) -> dict[str, Any]:
    """Undo :func:`pack`."""
    state = dict(state)
    for name in _BITS:
        shape, bits = state[name]
        state[name] = np.unpackbits(bits, count=int(np.prod(shape))).astype(bool).reshape(shape)
    for name in _INTS:
        state[name] = state[name].astype(np.int64)
    cuts, n_cuts, cut = state["threshold"]
    first = np.cumsum(n_cuts, dtype=np.int64) - n_cuts
    features, group = np.unique(state["feature"], return_inverse=True)
    state["threshold"] = cuts[first[group] + cut] if len(features) else cuts
    return state


def smallest_ints(numbers: np.ndarray) -> np.ndarray:
    """Return the same integers, none negative, in the smallest dtype."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))
