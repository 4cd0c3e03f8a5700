"""Lossless compression of forests: what follows from other numbers is not stored, and thresholds are gaps on a grid.

- The shape of a tree takes two bits per split: whether its left and its right child are splits. The ends of trees
  follow from that.
- The distinct thresholds of each feature are stored once, in ascending order, together with an integer code per split.
  If they are multiples of a power of two, the gaps between them are small integers.
- The subsets of a categorical feature are stored one after the other, with one bit for each of its categories.
- Missing cells often go to the side with more splits; only the exceptions are stored. Missing categories go right.
"""

from typing import Any

import numpy as np

from ._packing import PackedArrays, deflated, pack_arrays, smallest_ints, unpack_arrays

_INTS = ("feature", "tree_splits", "tree_output")

OWN_STREAM = 512
"""Number of splits of a feature from which their codes are compressed by themselves."""

MANTISSA = 53
"""Binary digits of a float64, which hold the multiples of a grid."""

COARSEST = 100
"""Largest exponent of two of a grid, and minus the smallest one."""

NO_GRID = 127
"""Exponent of features whose thresholds are stored as they are."""

SHARE_OF_NUMBERS = 0.8
"""Maximum share of the bytes of thresholds that gaps may take, since bytes of gaps have fewer patterns."""

NO_BITS = np.zeros(0, dtype=bool)

SPLITS_PER_BYTE = (1, 2, 4)
"""Numbers of splits whose children are stored in one byte; the shortest is chosen."""


def pack_forest(forest: Any) -> bytes:
    """Return the compressed fields of a forest."""
    arrays = {"value": forest.value, "base": forest.base, "is_category": forest.is_category}
    if (forest.unit != 1).any():
        arrays["unit"] = forest.unit
    arrays |= {"feature": smallest_ints(forest.feature), "tree_output": smallest_ints(forest.tree_output)}
    if not forest.tree_splits.all():
        arrays["tree_splits"] = smallest_ints(forest.tree_splits)
    is_number = ~forest.is_category[forest.feature]
    exceptions = (forest.missing_left ^ has_larger_left(forest)) & is_number
    if exceptions.any():
        arrays["missing_left"] = exceptions
    arrays |= _packed_children(_children(forest))
    arrays |= _packed_thresholds(forest)
    return pack_arrays(arrays)


def unpack_forest(packed: PackedArrays) -> dict[str, Any]:
    """Undo :func:`pack_forest`, also of earlier releases."""
    state: dict[str, Any] = unpack_arrays(packed)
    for name in set(_INTS) & state.keys():
        state[name] = state[name].astype(np.int64)
    if "n_left" in state:
        return _unpack_former(state)
    state["n_features"] = len(state["is_category"])
    state.setdefault("unit", np.ones(len(state["base"])))
    children = _unpacked_children(state)
    state["n_left"], n_right = _sizes(children)
    if "tree_splits" not in state:
        state["tree_splits"] = _tree_splits(children)
    is_number = ~state["is_category"][state["feature"]]
    state["missing_left"] = (state.pop("missing_left", False) ^ (state["n_left"] >= n_right)) & is_number
    features, group = _groups(state["feature"], state["n_features"])
    cuts, first = _unpacked_thresholds(state, features)
    state["threshold"] = cuts[first[group] + _codes_by_split(state, features, group)]
    return state


def _unpack_former(state: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a forest in files of earlier releases."""
    state["n_features"], state["n_left"] = int(state["n_features"]), state["n_left"].astype(np.int64)
    n_cuts, cuts, cut = state.pop("n_cuts"), state["threshold"], state.pop("cut")
    first = np.cumsum(n_cuts, dtype=np.int64) - n_cuts
    features, group = np.unique(state["feature"], return_inverse=True)
    state["threshold"] = cuts[first[group] + cut] if len(features) else cuts
    return state


# ---------------------------------------------------------------------- shapes of trees


def has_larger_left(forest: Any) -> np.ndarray:
    """Return a mask of the splits whose left side has at least as many splits as the right one.

    Missing cells often go to that side; a pickle holds where they do not.
    """
    return 2 * forest.n_left >= forest.spans.n_splits - 1


def _children(forest: Any) -> np.ndarray:
    """Return for each split whether its left child (1) and its right child (2) are splits, as the sum of these."""
    n_right = forest.spans.n_splits - 1 - forest.n_left
    return ((forest.n_left > 0) + 2 * (n_right > 0)).astype(np.uint8)


def _packed_children(children: np.ndarray) -> dict[str, np.ndarray]:
    """Return the children of several splits in a byte, and the number of splits in a byte as the name."""
    found = {}
    for n_splits in SPLITS_PER_BYTE:
        padded = np.append(children, np.zeros(-len(children) % n_splits, dtype=np.uint8)).reshape(-1, n_splits)
        found[f"children/{n_splits}"] = (padded << 2 * np.arange(n_splits, dtype=np.uint8)).sum(axis=1, dtype=np.uint8)
    name = min(found, key=lambda name: len(deflated(found[name].tobytes())))
    return {name: found[name]}


def _unpacked_children(state: dict[str, Any]) -> np.ndarray:
    for n_splits in SPLITS_PER_BYTE:
        packed = state.pop(f"children/{n_splits}", None)
        if packed is not None:
            shifts = 2 * np.arange(n_splits, dtype=np.uint8)
            children: np.ndarray = ((packed[:, None] >> shifts) & 3).reshape(-1)[: len(state["feature"])]
    return children


def _sizes(children: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of splits in the left and in the right subtree of each split, given :func:`_children`.

    In preorder, the number of subtrees that are yet to come falls by one when a subtree is complete, and never by more:
    a subtree ends where it is first below that at its start.
    """
    n_splits = len(children)
    pending = np.concatenate([[0], _pending(children)])
    key = (pending - pending.min()) * (n_splits + 1) + np.arange(n_splits + 1)
    ordered, n_left, n_right = np.sort(key), *np.zeros((2, n_splits), dtype=np.int64)
    for side, sizes in ((1, n_left), (2, n_right)):
        split = np.flatnonzero(children & side)
        start = split + 1 + (n_left[split] if side == 2 else 0)
        end = ordered[np.searchsorted(ordered, key[start] - (n_splits + 1))] % (n_splits + 1)
        sizes[split] = end - start
    return n_left, n_right


def _pending(children: np.ndarray) -> np.ndarray:
    """Return the number of subtrees that are yet to come after each split, minus the number of complete trees."""
    return np.cumsum((children & 1) + (children >> 1).astype(np.int64) - 1)


def _tree_splits(children: np.ndarray) -> np.ndarray:
    """Return the number of splits of each tree if none is without splits."""
    lowest = np.minimum.accumulate(np.minimum(_pending(children), 0))
    ends = np.flatnonzero(np.diff(lowest, prepend=0)) + 1
    return np.diff(ends, prepend=0)


# ---------------------------------------------------------------------- thresholds and subsets


def _packed_thresholds(forest: Any) -> dict[str, np.ndarray]:
    """Return the distinct thresholds or subsets of each feature, and the code of each split."""
    codes, numbers, gaps, grid, subsets, n_cuts = [], [forest.threshold[:0]], list[np.ndarray](), [], [], []
    arrays: dict[str, np.ndarray] = {}
    for feature in np.unique(forest.feature).tolist():
        tests = forest.threshold[forest.feature == feature]
        if forest.is_category[feature]:
            distinct, code = np.unique(forest.subsets[tests.astype(np.intp)], axis=0, return_inverse=True)
            subsets.append(distinct)
        else:
            distinct, code = np.unique(tests, return_inverse=True)
            grid.append(_grid_of(distinct))
            (numbers if grid[-1] == NO_GRID else gaps).append(_gaps_of(distinct, grid[-1]))
        n_cuts.append(len(distinct))
        if len(code) < OWN_STREAM:
            codes.append(code.reshape(-1))
        else:
            arrays[f"cut/{feature}"] = smallest_ints(code.reshape(-1))
    arrays["cuts"] = _joined(codes)
    arrays["n_cuts"] = smallest_ints(np.array(n_cuts, dtype=np.int64))
    arrays["threshold"] = np.concatenate(numbers)
    if gaps:
        arrays |= {"grid": np.array(grid, dtype=np.int8), "gaps": _joined(gaps)}
    if forest.subsets.size:
        arrays |= _packed_subsets(forest.subsets.shape[1], subsets)
    return arrays


def _unpacked_thresholds(state: dict[str, Any], features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct thresholds of all features, positions of subsets among them, and where each feature's begin.

    Puts the subsets into the state.
    """
    n_cuts, numbers = state.pop("n_cuts").astype(np.int64), state.pop("threshold")
    is_coded, exponent = state["is_category"][features], np.full(len(features), NO_GRID)
    exponent[~is_coded] = state.pop("grid", NO_GRID)
    is_grid = exponent != NO_GRID
    cuts = np.empty(int(n_cuts.sum()), dtype=numbers.dtype)
    of_subsets, of_grid = np.repeat(is_coded, n_cuts), np.repeat(is_grid, n_cuts)
    cuts[of_subsets] = np.arange(np.count_nonzero(of_subsets))
    cuts[~of_subsets & ~of_grid] = numbers
    if is_grid.any():
        cuts[of_grid] = _from_gaps(state.pop("gaps"), n_cuts[is_grid], exponent[is_grid])
    state["subsets"] = _unpacked_subsets(state, n_cuts[is_coded].tolist())
    return cuts, np.cumsum(n_cuts) - n_cuts


def _joined(integers: list[np.ndarray]) -> np.ndarray:
    return smallest_ints(np.concatenate([np.zeros(0, dtype=np.int64), *integers]))


def _grid_of(distinct: np.ndarray) -> int:
    """Return the largest exponent of two of which all numbers are multiples, if gaps on this grid are short."""
    if not np.isfinite(distinct).all():
        return NO_GRID
    mantissa, exponent = np.frexp(distinct.astype(np.float64))
    digits = np.abs(mantissa * 2.0**MANTISSA).astype(np.int64)
    n_zeros = np.where(digits > 0, np.log2(np.maximum(digits & -digits, 1)), 0).astype(np.int64)
    finest = int(np.where(digits > 0, exponent - MANTISSA + n_zeros, COARSEST).min())
    if finest < -COARSEST or float(np.abs(distinct).max()) >= 2.0 ** (finest + MANTISSA):
        return NO_GRID
    gaps = _gaps_of(distinct, finest)
    n_bytes = (1 + np.log2(np.maximum(gaps, 1)) // 8).sum()
    return finest if n_bytes < SHARE_OF_NUMBERS * distinct.nbytes else NO_GRID


def _gaps_of(distinct: np.ndarray, exponent: int) -> np.ndarray:
    """Return the first multiple, twice its size and one more if it is negative, and how many are left out after it."""
    if exponent == NO_GRID:
        return distinct
    multiples = (distinct.astype(np.float64) / 2.0**exponent).astype(np.int64)
    first = 2 * abs(int(multiples[0])) + (multiples[0] < 0)
    return np.append(first, np.diff(multiples) - 1)


def _from_gaps(gaps: np.ndarray, sizes: np.ndarray, exponents: np.ndarray) -> np.ndarray:
    """Return the numbers of all features, given how many there are of each, and their grids."""
    start, multiples = np.cumsum(sizes) - sizes, gaps.astype(np.int64) + 1
    first = gaps[start].astype(np.int64)
    multiples[start] = first = np.where(first & 1, -(first >> 1), first >> 1)
    total = np.cumsum(multiples)
    return np.ldexp((total - np.repeat(total[start] - first, sizes)).astype(np.float64), np.repeat(exponents, sizes))


def _packed_subsets(n_codes: int, subsets: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Return the bits of the subsets of each feature, up to the last category that goes left anywhere."""
    widths = [int(np.flatnonzero(of_feature.any(axis=0)).max(initial=-1)) + 1 for of_feature in subsets]
    bits = [of_feature[:, :width].reshape(-1) for of_feature, width in zip(subsets, widths, strict=True)]
    return {"n_codes": smallest_ints(np.array([n_codes, *widths])), "members": np.concatenate([NO_BITS, *bits])}


def _unpacked_subsets(state: dict[str, Any], n_subsets: list[int]) -> np.ndarray:
    """Return the masks of all subsets, feature by feature."""
    if "n_codes" not in state:
        return np.zeros((0, 0), dtype=bool)
    (n_codes, *widths), members = state.pop("n_codes").tolist(), state.pop("members")
    subsets, first, start = np.zeros((sum(n_subsets), n_codes), dtype=bool), 0, 0
    for size, width in zip(n_subsets, widths, strict=True):
        end = start + size * width
        subsets[first : first + size, :width] = members[start:end].reshape(size, width)
        first, start = first + size, end
    return subsets


def _codes_by_split(state: dict[str, Any], features: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the code of each split, from those of each feature, or of all features with few splits together."""
    n_splits, order = np.bincount(group, minlength=len(features)), np.argsort(group, kind="stable")
    has_own, codes = n_splits >= OWN_STREAM, np.empty(len(group), dtype=np.int64)
    codes[order[~np.repeat(has_own, n_splits)]] = state.pop("cuts")
    ends = np.cumsum(n_splits)
    for place in np.flatnonzero(has_own).tolist():
        codes[order[ends[place] - n_splits[place] : ends[place]]] = state.pop(f"cut/{features[place]}")
    return codes


def _groups(feature: np.ndarray, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the features that splits test, and the position of the feature of each split among them."""
    is_tested = np.zeros(n_features, dtype=bool)
    is_tested[feature] = True
    position = np.cumsum(is_tested) - 1
    return np.flatnonzero(is_tested), position[feature].astype(np.min_scalar_type(n_features))
