"""Parts of a model that cannot change any prediction are left out.

Of trees, these are splits that no row can pass on one of their sides, given the splits above them, splits whose two
sides are equal, trees that are a constant, which becomes part of ``base``, repetitions of a tree, and repeated or
unused subsets of categories. Of networks and kernels, these are hidden units and landmarks without weight.

The remaining trees find the same leaf for every row, whatever its cells are. Where whole trees, units or landmarks are
left out, a sum has fewer terms, and its last digit may be rounded in another way.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ..compiled import Forest, Landmarks, Network, Sum
from ..compiled._nodes import forest_from_nodes

MAX_CELLS = 2**24
"""Maximum number of cells of the masks of reachable categories that are held at a time."""


def without_redundancy(scorer: Any) -> Any:
    """Return a scorer with the same scores and without redundant parts; scorers of other kinds are unchanged.

    Parameters
    ----------
    scorer : Scorer

    Returns
    -------
    smaller : Scorer
        The same object if there is nothing to leave out.

    Examples
    --------
    The second split cannot be passed on its right side:

    >>> import numpy as np
    >>> from skdistill.compiled import Forest
    >>> from skdistill.compression import without_redundancy
    >>> forest = Forest(
    ...     n_features=1,
    ...     feature=np.array([0, 0]),
    ...     threshold=np.array([0.0, 1.0], dtype=np.float32),
    ...     missing_left=np.array([False, False]),
    ...     n_left=np.array([1, 0]),
    ...     tree_splits=np.array([2]),
    ...     tree_output=np.array([0]),
    ...     value=np.array([[1.0], [2.0], [3.0]]),
    ...     base=np.zeros(1),
    ... )
    >>> without_redundancy(forest).n_leaves
    2
    """
    if isinstance(scorer, Sum):
        return _same_or(scorer, parts=[without_redundancy(part) for part in scorer.parts])
    if isinstance(scorer, Forest):
        return _without_redundant_nodes(scorer)
    if isinstance(scorer, Network):
        return _without_idle_units(scorer)
    if isinstance(scorer, Landmarks):
        return _without_idle_landmarks(scorer)
    return scorer


def _same_or(total: Sum, parts: list[Any]) -> Sum:
    is_same = all(new is old for new, old in zip(parts, total.parts, strict=True))
    return total if is_same else replace(total, parts=parts)


# ---------------------------------------------------------------------- trees


def _without_redundant_nodes(forest: Forest) -> Forest:
    """Simplify until nothing changes: sides may become equal when splits inside them are gone."""
    while forest.n_trees:
        simpler = _simplified_forest(forest)
        if simpler is forest:
            break
        forest = simpler
    return forest


def _simplified_forest(forest: Forest) -> Forest:
    root, left, right = (part.copy() for part in forest.pointers())
    stands_for = np.arange(len(left))
    """The node that takes the place of each node."""
    to_left, to_right = unreachable_sides(forest)
    splits = np.arange(len(forest.feature))
    stands_for[splits[to_left]], stands_for[splits[to_right]] = right[splits[to_left]], left[splits[to_right]]
    kind = _merge_equal_sides(forest, left, right, stands_for)
    last = _followed(stands_for)
    is_changed = bool(np.any(last != np.arange(len(last))))
    left[left >= 0], right[right >= 0] = last[left[left >= 0]], last[right[right >= 0]]
    root = last[root]
    value, base, kept = _joined_trees(forest, root, kind[root], left, right)
    if not is_changed and kept.all():
        return _with_distinct_subsets(forest)
    return _with_distinct_subsets(rebuilt(forest, root[kept], left, right, value, base, forest.tree_output[kept]))


def rebuilt(
    forest: Forest,
    root: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    value: np.ndarray,
    base: np.ndarray,
    tree_output: np.ndarray,
) -> Forest:
    """Return a forest of some of the nodes of another one: splits in their order, then leaves.

    Parameters
    ----------
    forest : Forest
    root : ndarray of int, shape (n_trees,)
    left, right : ndarray of int, shape (n_nodes,)
        Children of each node; -1 for leaves, which may be splits of ``forest``.
    value : ndarray of shape (n_nodes, width)
        Value of each node that is a leaf now, divided by the unit of its output.
    base : ndarray of shape (n_outputs,)
    tree_output : ndarray of int, shape (n_trees,)
    """
    n_leaves = forest.n_leaves
    made = forest_from_nodes(
        n_features=forest.n_features,
        root=root,
        left=left,
        right=right,
        feature=np.append(forest.feature, np.zeros(n_leaves, dtype=forest.feature.dtype)),
        threshold=np.append(forest.threshold, np.zeros(n_leaves, dtype=forest.dtype)),
        missing_left=np.append(forest.missing_left, np.zeros(n_leaves, dtype=bool)),
        value=value,
        tree_output=tree_output,
        base=base,
        subsets=forest.subsets,
        is_category=forest.is_category,
    )
    return replace(made, unit=forest.unit)


def unreachable_sides(forest: Forest) -> tuple[np.ndarray, np.ndarray]:
    """Return masks of the splits whose left side, and of those whose right side, no row can reach.

    A row that reaches a split has passed those above it: of the same column they bound its cell, and tell whether it
    may be missing.
    """
    n_splits = len(forest.feature)
    lower, upper = np.full(n_splits, -np.inf), np.full(n_splits, np.inf)
    is_bounded, may_miss = np.zeros(n_splits, dtype=bool), np.ones(n_splits, dtype=bool)
    numeric = ~forest.is_category[forest.feature]
    for split, above, is_left in _ancestors(forest):
        same = numeric[split] & (forest.feature[split] == forest.feature[above])
        split, above, is_left = split[same], above[same], is_left[same]
        bound = forest.threshold[above].astype(np.float64)
        below, over = split[is_left], split[~is_left]
        upper[below] = np.minimum(upper[below], bound[is_left])
        lower[over] = np.maximum(lower[over], bound[~is_left])
        is_bounded[over] = True
        may_miss[split] &= forest.missing_left[above] == is_left
    no_left = numeric & is_bounded & (forest.threshold <= lower) & ~(may_miss & forest.missing_left)
    no_right = numeric & (forest.threshold >= upper) & ~(may_miss & ~forest.missing_left)
    for split in _chunks(np.flatnonzero(~numeric), forest.subsets.shape[1]):
        no_left[split], no_right[split] = _unreachable_categories(forest, split)
    return no_left, no_right & ~no_left


def _ancestors(forest: Forest) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield splits, an ancestor of each, and whether the split is on its left side: parents first, then theirs."""
    _, left, right = forest.pointers()
    n_splits = len(forest.feature)
    parent, is_left = np.full(len(left), -1), np.zeros(len(left), dtype=bool)
    splits = np.arange(n_splits)
    parent[left[:n_splits]], parent[right[:n_splits]] = splits, splits
    is_left[left[:n_splits]] = True
    split, at = splits, splits
    while True:
        has = parent[at] >= 0
        split, at = split[has], at[has]
        if len(split) == 0:
            return
        yield split, parent[at], is_left[at]
        at = parent[at]


def _chunks(splits: np.ndarray, n_codes: int) -> Iterator[np.ndarray]:
    step = max(MAX_CELLS // (n_codes + 1), 1)
    for start in range(0, len(splits), step):
        yield splits[start : start + step]


def _unreachable_categories(forest: Forest, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the masks of :func:`unreachable_sides` for splits of categories; unknown ones are the last code."""

    def goes_left(splits: np.ndarray) -> np.ndarray:
        known = forest.subsets[forest.threshold[splits].astype(np.intp)]
        return np.hstack([known, np.zeros((len(splits), 1), dtype=bool)])

    place = np.full(len(forest.feature), -1)
    place[chosen] = np.arange(len(chosen))
    possible = np.ones((len(chosen), forest.subsets.shape[1] + 1), dtype=bool)
    for split, above, is_left in _ancestors(forest):
        same = (place[split] >= 0) & (forest.feature[split] == forest.feature[above])
        possible[place[split[same]]] &= goes_left(above[same]) == is_left[same][:, None]
    to_left = goes_left(chosen)
    return ~(possible & to_left).any(axis=1), ~(possible & ~to_left).any(axis=1)


def _merge_equal_sides(forest: Forest, left: np.ndarray, right: np.ndarray, stands_for: np.ndarray) -> np.ndarray:
    """Let the left side stand for splits whose sides are equal; return a number per node, the same for equal ones.

    From the lowest level up, so that what has become equal is found.
    """
    n_splits = len(forest.feature)
    kind = np.zeros(len(left), dtype=np.int64)
    kind[n_splits:] = np.unique(forest.value, axis=0, return_inverse=True)[1].reshape(-1)
    n_kinds = forest.n_leaves
    depth = forest.spans.depth
    tests = np.unique(
        np.column_stack([forest.feature, forest.threshold.astype(np.float64), forest.missing_left]),
        axis=0,
        return_inverse=True,
    )[1].reshape(-1)
    for level in range(int(depth.max(initial=-1)), -1, -1):
        split = np.flatnonzero(depth == level)
        replaced = stands_for[split] != split
        kind[split[replaced]] = kind[stands_for[split[replaced]]]
        split = split[~replaced]
        sides = kind[left[split]], kind[right[split]]
        is_equal = sides[0] == sides[1]
        stands_for[split[is_equal]] = left[split[is_equal]]
        kind[split[is_equal]] = sides[0][is_equal]
        others, keys = split[~is_equal], np.column_stack([tests[split], *sides])[~is_equal]
        if len(others):
            number = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
            kind[others] = n_kinds + number
            n_kinds += len(others)
    return kind


def _followed(stands_for: np.ndarray) -> np.ndarray:
    """Return the node that is left when nodes that are replaced are replaced again."""
    while True:
        further = stands_for[stands_for]
        if np.array_equal(further, stands_for):
            return further
        stands_for = further


def _joined_trees(
    forest: Forest, root: np.ndarray, kind: np.ndarray, left: np.ndarray, right: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values of nodes, the base, and a mask of the trees that are kept: neither constants nor repetitions.

    A tree that occurs twice, or another power of two times, is kept once with values as many times as large, which
    every dtype of floats represents; other numbers of times only if the values are exact.
    """
    n_splits, width = len(forest.feature), forest.value.shape[1]
    value = np.concatenate([np.zeros((n_splits, width), dtype=forest.value.dtype), forest.value])
    base: np.ndarray = forest.base.astype(np.float64)
    kept: np.ndarray = left[root] >= 0
    constant = np.flatnonzero(~kept)
    outputs = forest.tree_output[constant][:, None] + np.arange(width)
    np.add.at(base, outputs, value[root[constant]] * forest.unit[outputs])
    key = np.column_stack([kind, forest.tree_output])
    _, first, group, count = np.unique(key, axis=0, return_index=True, return_inverse=True, return_counts=True)
    for place in np.flatnonzero((count > 1) & kept[first]).tolist():
        leaves = _leaves_below(root[first[place]], left, right)
        with np.errstate(over="ignore", invalid="ignore"):
            times = (value[leaves].astype(np.float64) * count[place]).astype(value.dtype)
        if np.array_equal(times.astype(np.float64), value[leaves].astype(np.float64) * count[place]):
            value[leaves] = times
            kept[group.reshape(-1) == place] = False
            kept[first[place]] = True
    return value, base, kept


def _leaves_below(node: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    found, level = [], np.array([node])
    while len(level):
        is_leaf = left[level] < 0
        found.append(level[is_leaf])
        level = np.concatenate([left[level[~is_leaf]], right[level[~is_leaf]]])
    return np.concatenate(found)


def _with_distinct_subsets(forest: Forest) -> Forest:
    """Return the forest with each subset of categories once, and without those that no split tests."""
    coded = forest.is_category[forest.feature]
    used = forest.threshold[coded].astype(np.intp)
    distinct, place = np.unique(forest.subsets[used], axis=0, return_inverse=True)
    if len(distinct) == len(forest.subsets):
        return forest
    threshold = forest.threshold.copy()
    threshold[coded] = place.reshape(-1)
    return replace(forest, threshold=threshold, subsets=distinct)


# ---------------------------------------------------------------------- networks and kernels


def _without_idle_units(network: Network) -> Network:
    """Leave out hidden units that no unit or output of the next layer reads."""
    weights, biases = list(network.weights), list(network.biases)
    for layer in range(len(biases) - 1, -1, -1):
        is_read = np.asarray(weights[layer + 1].any(axis=1))
        if not is_read.any():
            is_read[:1] = True  # a layer is not empty
        weights[layer + 1] = weights[layer + 1][is_read]
        weights[layer], biases[layer] = weights[layer][:, is_read], biases[layer][is_read]
    if all(new.shape == old.shape for new, old in zip(weights, network.weights, strict=True)):
        return network
    return replace(network, weights=weights, biases=biases)


def _without_idle_landmarks(kernel: Landmarks) -> Landmarks:
    """Leave out landmarks without coefficients, and a linear part without weights."""
    is_read = kernel.coef.any(axis=1)
    linear = kernel.linear if kernel.linear is not None and kernel.linear.any() else None
    if is_read.all() and (linear is kernel.linear):
        return kernel
    return replace(kernel, positions=kernel.positions[is_read], coef=kernel.coef[is_read], linear=linear)
