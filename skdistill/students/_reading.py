"""A tree to read: as rules in text, and as a tree of scikit-learn."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ..compiled import Forest
from ..exceptions import StudentError

NO_LIMIT = float(np.inf)
"""Threshold that only parts what is there from what is missing."""

NOT_WORTH_A_WORD = 0.005
"""Probability below which a class is not printed."""


@dataclass
class Nodes:
    """What rows of the fit are at each node: splits first, then leaves from left to right.

    Parameters
    ----------
    n_rows, weight : ndarray of shape (n_nodes,)
    mean, variance : ndarray of shape (n_nodes, n_outputs)
        Of the targets.
    """

    n_rows: np.ndarray
    weight: np.ndarray
    mean: np.ndarray
    variance: np.ndarray

    @classmethod
    def of(cls, forest: Forest, leaf_sums: np.ndarray) -> Self:
        """Return them from the leaves' number, weight, weighted targets and their squares."""
        before = np.vstack([np.zeros(leaf_sums.shape[1]), np.cumsum(leaf_sums, axis=0)])
        first = forest.first_leaf
        sums = np.vstack([before[first + forest.spans.n_splits + 1] - before[first], leaf_sums])
        weight = sums[:, 1:2]
        mean, square = np.split(sums[:, 2:] / weight, 2, axis=1)
        return cls(np.rint(sums[:, 0]).astype(np.int64), sums[:, 1], mean, np.maximum(square - mean**2, 0))

    def scaled(self, scale: np.ndarray, shift: np.ndarray) -> Self:
        """Return the same of targets in other units."""
        return type(self)(self.n_rows, self.weight, shift + scale * self.mean, scale**2 * self.variance)


# ---------------------------------------------------------------------- text


def rules(student: Any, answers: list[str], has_missing: np.ndarray, is_duration: np.ndarray) -> str:
    """Return the tree as text: a line for each side and each leaf, given what to say of the leaves."""
    names = getattr(student, "feature_names_in_", [f"column {place}" for place in range(student.n_features_in_)])
    forest, encoder = student.scorer_, student._encoder
    root, left, right = forest.pointers()
    lines, waiting = [], [(int(root[0]), 0, "")]
    while waiting:
        node, depth, text = waiting.pop()
        indent = "|   " * (depth - 1) + "|--- "
        if text:
            lines.append(indent + text)
        if left[node] < 0:
            leaf = node - len(forest.feature)
            n_rows = int(student.leaf_rows_[leaf])
            lines.append("|   " * depth + f"|--- {answers[leaf]} ({n_rows} row{'s' if n_rows != 1 else ''})")
            continue
        feature = int(forest.feature[node])
        known = encoder.categories_[feature]
        threshold, missing_left = float(forest.threshold[node]), bool(forest.missing_left[node])
        if known is not None:
            chosen = known[np.flatnonzero(forest.subsets[int(threshold)][: len(known)])]
            yes, no = f"is {', '.join(map(str, chosen))}", "is anything else"
        elif threshold == NO_LIMIT:
            yes, no = "is there", "is missing"
        else:
            limit = _as_time(threshold, is_duration[feature]) if encoder.is_time_[feature] else f"{threshold:.6g}"
            yes, no = f"<= {limit}", f"> {limit}"
        if has_missing[feature] and threshold != NO_LIMIT:
            yes, no = (f"{yes} or missing", no) if missing_left else (yes, f"{no} or missing")
        waiting.append((int(right[node]), depth + 1, f"{names[feature]} {no}"))
        waiting.append((int(left[node]), depth + 1, f"{names[feature]} {yes}"))
    return "\n".join(lines)


def _as_time(microseconds: float, is_duration: bool) -> str:
    whole = np.int64(microseconds)
    return str(whole.astype("m8[us]").astype("m8[s]") if is_duration else whole.astype("M8[us]").astype("M8[s]"))


def probable(classes: np.ndarray, proba: np.ndarray) -> str:
    """Return the classes of a leaf with their probabilities, the most probable first."""
    order = np.argsort(-proba, kind="stable")
    return ", ".join(f"{classes[code]}: {proba[code]:.3g}" for code in order if proba[code] >= NOT_WORTH_A_WORD)


# ---------------------------------------------------------------------- scikit-learn


def as_sklearn(student: Any, nodes: Nodes, classes: np.ndarray | None) -> Any:
    """Return a fitted tree of scikit-learn with the same splits and answers; ``classes`` for a classifier."""
    encoder, forest = student._encoder, student.scorer_
    other = np.flatnonzero(encoder.is_category_ | encoder.is_time_)
    if len(other):
        names = getattr(student, "feature_names_in_", np.arange(forest.n_features))
        raise StudentError(
            f"{type(student).__name__}: a tree of scikit-learn takes no categories and no dates; got {len(other)} such "
            f"columns, {names[other[0]]!r} the first. Use to_text(), which reads any table, or encode these columns as "
            "numbers before fit."
        )
    if classes is None:
        tree = DecisionTreeRegressor().fit(np.zeros((1, forest.n_features)), np.zeros((1, nodes.mean.shape[1])))
        values, impurity = nodes.mean[:, :, None], nodes.variance.mean(axis=1)
    else:
        tree = DecisionTreeClassifier().fit(np.zeros((len(classes), forest.n_features)), classes)
        proba = np.hstack([1 - nodes.mean, nodes.mean]) if len(classes) == 2 else nodes.mean
        values, impurity = proba[:, None, :], 1 - np.sum(proba**2, axis=1)
    if hasattr(student, "feature_names_in_"):
        tree.feature_names_in_ = student.feature_names_in_
    inner = tree.tree_
    state = inner.__getstate__()
    state.update(max_depth=int(forest.spans.depth.max(initial=-1)) + 1, node_count=len(values))
    _, left, right = forest.pointers()
    n_splits, at = len(forest.feature), np.zeros(len(values), dtype=state["nodes"].dtype)
    at["left_child"], at["right_child"] = left, right
    at["feature"], at["threshold"] = -2, -2.0  # scikit-learn's mark of a leaf
    at["feature"][:n_splits], at["threshold"][:n_splits] = forest.feature, forest.threshold
    at["missing_go_to_left"][:n_splits] = forest.missing_left
    at["impurity"], at["n_node_samples"], at["weighted_n_node_samples"] = impurity, nodes.n_rows, nodes.weight
    state.update(nodes=at, values=np.ascontiguousarray(values, dtype=np.float64))
    tree.tree_ = type(inner)(forest.n_features, np.atleast_1d(inner.n_classes).astype(np.intp), inner.n_outputs)
    tree.tree_.__setstate__(state)
    tree.set_params(max_leaf_nodes=student.max_leaf_nodes, min_samples_leaf=student.min_samples_leaf)
    return tree
