"""LightGBM models, read from their text format, which is documented and can be parsed without LightGBM.

Importing LightGBM takes about 0.17 seconds and is not needed for prediction. This package therefore imports LightGBM
only inside functions that train with it; this module recognises LightGBM models without an import.
"""

import re
import sys
from dataclasses import replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from ..compiled import Forest
from ..compiled._nodes import round_down
from ..exceptions import CompileError
from ._trees import Trees

_CATEGORY, _DEFAULT_LEFT, _MISSING = 1, 2, 12
_MISSING_IS_ZERO, _MISSING_IS_NAN = 4, 8


def is_booster(model: Any) -> bool:
    """Whether a model is a LightGBM ``Booster``."""
    lightgbm = sys.modules.get("lightgbm")  # its models only exist if it has been imported
    return lightgbm is not None and isinstance(model, lightgbm.Booster)


def is_lightgbm(model: Any) -> bool:
    """Whether a model is a LightGBM estimator or ``Booster``."""
    lightgbm = sys.modules.get("lightgbm")
    return lightgbm is not None and isinstance(model, lightgbm.Booster | lightgbm.LGBMModel)


def lightgbm_text(model: Any) -> str:
    """Return the text format of a fitted LightGBM estimator or ``Booster``."""
    return (model if hasattr(model, "model_to_string") else model.booster_).model_to_string()


class Objective(NamedTuple):
    """The objective of a model: its name, and options such as ``{"sigmoid": "1"}``."""

    name: str
    options: dict[str, str]

    @classmethod
    def of_text(cls, text: str) -> "Objective":
        """Read the objective from the text of a model; the name of a custom objective is ``"none"``."""
        name, *options = _header_value(text, "objective", "none").split()
        return cls(name, {key: value for key, _, value in (option.partition(":") for option in options)})

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{key}:{value}" if value else key for key, value in self.options.items())])


def objective_of(model: Any) -> str:
    """Return the name of the objective of a fitted LightGBM model, ``"none"`` for a custom one."""
    return Objective.of_text(lightgbm_text(model)).name


def forest_from_lightgbm(texts: list[str], *, dtype: Any = np.float64, n_trees: int | None = None) -> Forest:
    """Read the trees of ``Booster.model_to_string()``; the forest's scores are the booster's raw scores.

    Parameters
    ----------
    texts : list of str
        The text of one model, or the texts of several models of which each continues the training of the previous one.
    dtype : {float64, float32}
        Precision of the thresholds. With float32, rows must be float32 as well to reach the same leaves.
    n_trees : int or None, default=None
        Number of trees to read; ``None`` reads all.

    Raises
    ------
    CompileError
        If the trees have linear leaves or treat zeros as missing values.
    """
    header, members = _read(texts, n_trees)
    if any(member.is_linear for member in members):
        raise CompileError(
            "the LightGBM model has linear trees; expected constant leaves. Train it with linear_tree=False."
        )
    decision = _joined([member.decision for member in members], np.int64)
    if np.any(decision & _MISSING == _MISSING_IS_ZERO):
        raise CompileError(
            "the LightGBM model treats zeros as missing values; expected NaN. Train it with zero_as_missing=False."
        )
    trees = _joined_trees(header, members)
    if dtype == np.float32:
        is_coded = decision & _CATEGORY > 0
        threshold = np.where(is_coded, trees.threshold, round_down(trees.threshold)).astype(dtype)
        trees = replace(trees, threshold=threshold)
    return trees.forest()


def trees_of_lightgbm(model: Any) -> Trees:
    """Read the trees of a fitted estimator or ``Booster``; linear leaves are reduced to their constants."""
    header, members = _read([lightgbm_text(model)])
    n_rows = _joined([member.n_rows for member in members], np.float64)
    return replace(_joined_trees(header, members), n_rows=n_rows)


def splits_of_lightgbm(text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the feature, threshold and gain of all splits in the text of a model."""
    _, members = _read([text])
    feature = _joined([member.feature[: member.n_splits] for member in members], np.int64)
    threshold = _joined([member.threshold[: member.n_splits] for member in members], np.float64)
    return feature, threshold, _joined([member.gain for member in members], np.float64)


# ---------------------------------------------------------------------- text format


def _read(texts: list[str], n_trees: int | None = None) -> tuple[str, list["_Tree"]]:
    """Return the header of the first text, and the trees of all texts."""
    parts = [re.split(r"^Tree=\d+\n", text.split("\nend of trees")[0], flags=re.MULTILINE) for text in texts]
    blocks = [block for part in parts for block in part[1:]]
    return parts[0][0], [_Tree(block) for block in blocks[:n_trees]]


def _header_value(text: str, name: str, default: str = "") -> str:
    """Return the value of one line ``name=value`` of a model text."""
    found = re.search(rf"^{name}=(.*)$", text, flags=re.MULTILINE)
    return found.group(1) if found else default


class _Tree:
    """One tree of the text format: splits are nodes 0 to k - 1, leaf j is node k + j."""

    def __init__(self, block: str) -> None:
        self._lines = lines = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        numbers = self._numbers
        n_leaves = int(lines["num_leaves"])
        k = n_leaves - 1
        self.n_splits, self.n_nodes = k, k + n_leaves
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

    @property
    def n_rows(self) -> np.ndarray:
        """Number of training rows of each node, of shape (n_nodes,); 0 where the text does not say it."""
        of_splits, of_leaves = (self._numbers(name, np.float64) for name in ("internal_count", "leaf_count"))
        n_leaves = self.n_nodes - self.n_splits
        return np.concatenate([np.resize(of_splits, self.n_splits), np.resize(of_leaves, n_leaves)])

    def _numbers(self, name: str, dtype: Any) -> np.ndarray:
        return np.array(self._lines.get(name, "").split(), dtype=dtype)

    @property
    def gain(self) -> np.ndarray:
        """Decrease of the loss by each split, of shape (n_splits,)."""
        return self._numbers("split_gain", np.float64)[: self.n_splits]


def _extended(of_splits: np.ndarray, n_splits: int, n_leaves: int) -> np.ndarray:
    return np.concatenate([of_splits[:n_splits], np.zeros(n_leaves, dtype=of_splits.dtype)])


# ---------------------------------------------------------------------- joining the trees


def _joined_trees(header: str, members: list[_Tree]) -> Trees:
    """Return the nodes of all trees."""
    n_outputs = int(_header_value(header, "num_tree_per_iteration"))
    size = np.array([member.n_nodes for member in members], dtype=np.int64)
    root = np.cumsum(size) - size
    shift = np.repeat(root, size)
    left, right = (_joined([getattr(member, side) for member in members], np.int64) for side in ("left", "right"))
    decision = _joined([member.decision for member in members], np.int64)
    threshold = _joined([member.threshold for member in members], np.float64)
    feature = _joined([member.feature for member in members], np.int64)
    is_coded = decision & _CATEGORY > 0
    is_category = np.zeros(int(_header_value(header, "max_feature_idx")) + 1, dtype=bool)
    is_category[feature[is_coded]] = True
    first_subset = np.cumsum([0, *(len(member.subsets) for member in members)])[:-1]
    threshold[is_coded] += np.repeat(first_subset, size)[is_coded]
    # if no training cell was missing, LightGBM treats a missing cell as zero
    missing_left = np.where(decision & _MISSING == _MISSING_IS_NAN, decision & _DEFAULT_LEFT > 0, threshold >= 0)
    share = 1 / max(len(members) // n_outputs, 1) if "\naverage_output" in header else 1.0
    return Trees(
        n_features=len(is_category),
        root=root,
        left=np.where(left >= 0, left + shift, -1),
        right=np.where(right >= 0, right + shift, -1),
        feature=feature,
        threshold=threshold,
        missing_left=missing_left & ~is_coded,
        value=share * _joined([member.value for member in members], np.float64)[:, None],
        tree_output=np.arange(len(members)) % n_outputs,
        n_outputs=n_outputs,
        subsets=_table_of_subsets([subset for member in members for subset in member.subsets]),
        is_category=is_category,
    )


def _table_of_subsets(subsets: list[np.ndarray]) -> np.ndarray:
    """Return masks of categories of different lengths as one array of shape (n_subsets, n_codes)."""
    table = np.zeros((len(subsets), max((len(subset) for subset in subsets), default=0)), dtype=bool)
    for line, subset in zip(table, subsets, strict=True):
        line[: len(subset)] = subset
    return table


def _joined(arrays: list[np.ndarray], dtype: Any) -> np.ndarray:
    return np.concatenate([np.zeros(0, dtype=dtype), *arrays])
