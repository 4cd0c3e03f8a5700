"""Reading LightGBM's model text: the one form of its trees that is documented, stable and needs no library."""

import re
from itertools import pairwise
from typing import Any

import numpy as np

from ..exceptions import CompileError
from ._forest import Forest
from ._nodes import forest_from_nodes, round_down

_CATEGORY, _DEFAULT_LEFT, _MISSING = 1, 2, 12
_MISSING_IS_ZERO, _MISSING_IS_NAN = 4, 8


def forest_from_lightgbm(texts: list[str], *, dtype: Any = np.float64, n_trees: int | None = None) -> Forest:
    """Read the trees of ``Booster.model_to_string()``; the forest's scores are the booster's raw scores.

    Parameters
    ----------
    texts : list of str
        One model, or several that go on from each other.
    dtype : {float64, float32}
        Precision of the thresholds. With float32, rows must be of float32 too to take the same sides.
    n_trees : int or None, default=None
        Read only the first trees.
    """
    parts = [re.split(r"^Tree=\d+\n", text.split("\nend of trees")[0], flags=re.MULTILINE) for text in texts]
    header, blocks = parts[0][0], [block for part in parts for block in part[1:]]
    n_features = int(header_value(header, "max_feature_idx")) + 1
    n_outputs = int(header_value(header, "num_tree_per_iteration"))
    trees = [_Tree(block) for block in blocks[:n_trees]]
    if any(tree.is_linear for tree in trees):
        raise CompileError(
            "the LightGBM model has linear trees; expected constant leaves. Train with linear_tree=False."
        )
    trees = [tree for output in range(n_outputs) for tree in trees[output::n_outputs]]
    size = np.array([tree.n_nodes for tree in trees], dtype=np.int64)
    root = np.cumsum(size) - size
    shift = np.repeat(root, size)
    left, right = (_joined([getattr(tree, side) for tree in trees], np.int64) for side in ("left", "right"))
    decision = _joined([tree.decision for tree in trees], np.int64)
    threshold = _joined([tree.threshold for tree in trees], np.float64)
    feature = _joined([tree.feature for tree in trees], np.int64)
    if np.any((left >= 0) & (decision & _MISSING == _MISSING_IS_ZERO)):
        raise CompileError("the LightGBM model takes zeros as missing; expected NaN. Pass zero_as_missing=False.")
    coded = (decision & _CATEGORY > 0) & (left >= 0)
    is_category = np.zeros(n_features, dtype=bool)
    is_category[feature[coded]] = True
    subsets = [subset for tree in trees for subset in tree.subsets]
    n_codes = max((len(subset) for subset in subsets), default=0)
    table = np.zeros((len(subsets), n_codes), dtype=bool)
    for line, subset in zip(table, subsets, strict=True):
        line[: len(subset)] = subset
    threshold[coded] += np.repeat(np.cumsum([0, *(len(tree.subsets) for tree in trees)])[:-1], size)[coded]
    # where no cell was missing in training, LightGBM takes a missing one for zero
    missing_left = np.where(decision & _MISSING == _MISSING_IS_NAN, decision & _DEFAULT_LEFT > 0, threshold >= 0)
    if dtype == np.float32:
        threshold = np.where(coded, threshold, round_down(threshold))
    average = "\naverage_output" in header
    share = 1 / max(len(trees) // n_outputs, 1) if average else 1.0
    return forest_from_nodes(
        n_features=n_features,
        root=root,
        left=np.where(left >= 0, left + shift, -1),
        right=np.where(right >= 0, right + shift, -1),
        feature=feature,
        threshold=threshold.astype(dtype),
        missing_left=missing_left & ~coded,
        value=share * _joined([tree.value for tree in trees], np.float64)[:, None],
        tree_output=np.repeat(np.arange(n_outputs), [len(trees) // n_outputs] * n_outputs),
        base=np.zeros(n_outputs),
        subsets=table,
        is_category=is_category,
    )


def header_value(text: str, name: str, default: str = "") -> str:
    """Return the value of one line ``name=value`` of a model text."""
    found = re.search(rf"^{name}=(.*)$", text, flags=re.MULTILINE)
    return found.group(1) if found else default


class _Tree:
    """One tree of the text: splits are nodes 0 to k - 1, leaf j is node k + j."""

    def __init__(self, block: str) -> None:
        lines = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)

        def numbers(name: str, dtype: Any) -> np.ndarray:
            return np.array(lines.get(name, "").split(), dtype=dtype)

        n_leaves = int(lines["num_leaves"])
        k = n_leaves - 1
        self.n_nodes = k + n_leaves
        self.is_linear = lines.get("is_linear", "0") != "0"
        leaves = np.full(n_leaves, -1)
        self.left, self.right = (
            np.concatenate([np.where(child >= 0, child, k + ~child), leaves]).astype(np.int64)
            for child in (numbers("left_child", np.int64)[:k], numbers("right_child", np.int64)[:k])
        )
        self.feature = _extended(numbers("split_feature", np.int64), k, n_leaves)
        self.threshold = _extended(numbers("threshold", np.float64), k, n_leaves)
        self.decision = _extended(numbers("decision_type", np.int64), k, n_leaves)
        self.value = np.concatenate([np.zeros(k), numbers("leaf_value", np.float64)])
        words, bounds = numbers("cat_threshold", np.uint32), numbers("cat_boundaries", np.int64)
        bits = np.unpackbits(words.view(np.uint8), bitorder="little").astype(bool)
        self.subsets = [bits[32 * start : 32 * stop] for start, stop in pairwise(bounds)]


def _extended(of_splits: np.ndarray, n_splits: int, n_leaves: int) -> np.ndarray:
    return np.concatenate([of_splits[:n_splits], np.zeros(n_leaves, dtype=of_splits.dtype)])


def _joined(arrays: list[np.ndarray], dtype: Any) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype=dtype), *arrays])
