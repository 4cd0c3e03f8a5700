"""A tree to read: as rules in text, and as a tree of scikit-learn."""

import json
import re
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ..compiled import Forest
from ..exceptions import StudentError

NO_LIMIT = float(np.inf)
"""Threshold that only parts what is there from what is missing."""

MISSING = " or missing"

MOST_NAMED, NAMED = 8, 6
"""Of more categories than the first, a rule names as many as the second."""

MOST_DIGITS = 17
"""Digits that tell all numbers of float64 apart."""

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

    def sums_of_leaves(self, n_leaves: int) -> np.ndarray:
        """Return the sums that the leaves were made from."""
        n_rows, weight, mean = self.n_rows[-n_leaves:], self.weight[-n_leaves:, None], self.mean[-n_leaves:]
        squares = self.variance[-n_leaves:] + mean**2
        return np.column_stack([n_rows, weight, weight * mean, weight * squares])

    def with_leaf_means(self, forest: Forest, mean: np.ndarray) -> Self:
        """Return the same with other means of the leaves, and of the splits above them."""
        weighted = self.weight[-len(mean) :, None] * mean
        before = np.vstack([np.zeros(mean.shape[1]), np.cumsum(weighted, axis=0)])
        first = forest.first_leaf
        sums = before[first + forest.spans.n_splits + 1] - before[first]
        of_splits = sums / self.weight[: len(sums), None]
        return type(self)(self.n_rows, self.weight, np.vstack([of_splits, mean]), self.variance)

    def scaled(self, scale: np.ndarray, shift: np.ndarray) -> Self:
        """Return the same of targets in other units."""
        return type(self)(self.n_rows, self.weight, shift + scale * self.mean, scale**2 * self.variance)


def sums_of_rows(targets: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return what is added up in each leaf: one, the weight, the weighted targets and their squares."""
    weighted = weight[:, None]
    return np.column_stack([np.ones(len(weight)), weight, weighted * targets, weighted * targets**2])


# ---------------------------------------------------------------------- text


def rules(student: Any, answers: list[str], has_missing: np.ndarray, is_duration: np.ndarray) -> str:
    """Return the tree as text: a line for each side and each leaf, given what to say of the leaves."""
    sides = _Sides(student, has_missing, is_duration)
    root, left, right = student.scorer_.pointers()
    lines, waiting = [], [(int(root[0]), 0, "")]
    while waiting:
        node, depth, text = waiting.pop()
        if text:
            lines.append("|   " * (depth - 1) + "|--- " + text)
        if left[node] < 0:
            leaf = node - len(student.scorer_.feature)
            n_rows = int(student.leaf_rows_[leaf])
            lines.append("|   " * depth + f"|--- {answers[leaf]} ({n_rows} row{'s' if n_rows != 1 else ''})")
            continue
        name, yes, no = sides.of(node)
        waiting.append((int(right[node]), depth + 1, f"{name} {no}"))
        waiting.append((int(left[node]), depth + 1, f"{name} {yes}"))
    return "\n".join(lines)


def leaf_rules(student: Any, has_missing: np.ndarray, is_duration: np.ndarray) -> list[str]:
    """Return what holds in each leaf, from left to right; of bounds on one column, the tightest."""
    sides = _Sides(student, has_missing, is_duration)
    root, left, right = student.scorer_.pointers()
    n_splits = len(student.scorer_.feature)
    found = [""] * len(student.leaf_rows_)
    waiting: list[tuple[int, dict[tuple[str, str], str]]] = [(int(root[0]), {})]
    while waiting:
        node, said = waiting.pop()
        if left[node] < 0:
            words = [f"({each})" if each.endswith(MISSING) and len(said) > 1 else each for each in said.values()]
            found[node - n_splits] = " and ".join(words) or "every row"
            continue
        name, yes, no = sides.of(node, alone=True)
        for child, text in ((left[node], yes), (right[node], no)):
            waiting.append((int(child), _also(said, name, text)))
    return found


def _also(said: dict[tuple[str, str], str], name: str, text: str) -> dict[tuple[str, str], str]:
    """Return what was said and one condition more, each bound of a column once, and no word too much on missing cells.

    ``said`` maps column and bound to words.
    """
    of_column = {key: words for key, words in said.items() if key[0] == name}
    if text == "is missing":
        said = {key: words for key, words in said.items() if key not in of_column}
    elif of_column and not text.endswith(MISSING):
        said = {key: words.removesuffix(MISSING) if key in of_column else words for key, words in said.items()}
        if text == "is there":
            return said
    elif not all(words.endswith(MISSING) for words in of_column.values()):  # they went another way further up
        text = text.removesuffix(MISSING)
    bound = text.split()[0]
    return {**said, (name, bound if bound in ("<=", ">") else text): f"{name} {text}"}


class _Sides:
    """What rows left and right of a split have in common, in words."""

    def __init__(self, student: Any, has_missing: np.ndarray, is_duration: np.ndarray) -> None:
        self.names = getattr(
            student, "feature_names_in_", [f"column {place}" for place in range(student.n_features_in_)]
        )
        self.forest, self.encoder = student.scorer_, student._encoder
        self.has_missing, self.is_duration, self.n_digits = has_missing, is_duration, student._n_digits

    def of(self, node: int, *, alone: bool = False) -> tuple[str, str, str]:
        """Return the column's name and what is said left and right.

        ``alone`` words each side so that it can be read without the other, and quickly.
        """
        feature = int(self.forest.feature[node])
        known = self.encoder.categories_[feature]
        threshold, missing_left = float(self.forest.threshold[node]), bool(self.forest.missing_left[node])
        if known is not None:
            names = [
                _quoted(str(name)) for name in known[np.flatnonzero(self.forest.subsets[int(threshold)][: len(known)])]
            ]
            is_short = not alone or len(names) <= MOST_NAMED
            chosen = ", ".join(names if is_short else names[:NAMED])
            chosen += "" if is_short else f" and {len(names) - NAMED} others"
            yes, no = f"is {chosen}", f"is not {chosen}" if alone else "is anything else"
        elif threshold == NO_LIMIT:
            yes, no = "is there", "is missing"
        else:
            is_time = self.encoder.is_time_[feature]
            n_digits = int(self.n_digits[feature])
            number = f"{threshold:.{max(4 if alone else 6, n_digits)}g}"
            limit = _as_time(threshold, self.is_duration[feature], n_digits) if is_time else number
            yes, no = f"<= {limit}", f"> {limit}"
        if self.has_missing[feature] and threshold != NO_LIMIT:
            yes, no = (yes + MISSING, no) if missing_left else (yes, no + MISSING)
        return str(self.names[feature]), yes, no


def _quoted(category: str) -> str:
    """Return the name of a category, in quotes if it could be read as several names or as another part of a rule."""
    is_plain = category == category.strip() and not _NEEDS_QUOTES.search(category)
    return category if is_plain and category else json.dumps(category, ensure_ascii=False)


_NEEDS_QUOTES = re.compile(r"""[,"\n\r\t()|]|\b(and|or|others?)\b""")


def digits_of_large(bounds: list[np.ndarray], is_large: np.ndarray) -> np.ndarray:
    """Return the digits that tell neighbouring bounds of a column of large numbers apart; 0 for other columns."""
    digits = np.zeros(len(bounds), dtype=np.int64)
    for column in np.flatnonzero(is_large):
        gaps = np.diff(bounds[column])
        exponent = np.log10(np.abs(bounds[column]).max()) - np.log10(np.median(gaps)) if len(gaps) else MOST_DIGITS
        digits[column] = min(2 + int(np.ceil(exponent)), MOST_DIGITS)
    return digits


def _as_time(microseconds: float, is_duration: bool, n_digits: int) -> str:
    """Return a time to the second, or more precisely where a number of digits is given."""
    whole = np.int64(microseconds)
    n_rounded = len(str(abs(whole))) - n_digits if n_digits else 6
    unit = "us" if n_rounded < 2 else "ms" if n_rounded < 5 else "s"
    return str(
        whole.astype("m8[us]").astype(f"m8[{unit}]") if is_duration else whole.astype("M8[us]").astype(f"M8[{unit}]")
    )


def probable(classes: np.ndarray, proba: np.ndarray) -> str:
    """Return the classes of a leaf with their probabilities, the most probable first."""
    order = np.argsort(-proba, kind="stable")
    return ", ".join(f"{classes[code]}: {proba[code]:.3g}" for code in order if proba[code] >= NOT_WORTH_A_WORD)


# ---------------------------------------------------------------------- scikit-learn


def as_sklearn(student: Any, nodes: Nodes, classes: np.ndarray | None) -> Any:
    """Return a fitted tree of scikit-learn with the same splits and answers; ``classes`` for a classifier."""
    _check_numbers_only(student)
    forest = student.scorer_
    if classes is None:
        tree = DecisionTreeRegressor().fit(np.zeros((1, forest.n_features)), np.zeros((1, nodes.mean.shape[1])))
        values, impurity = nodes.mean[:, :, None], nodes.variance.mean(axis=1)
    else:
        tree = DecisionTreeClassifier().fit(np.zeros((len(classes), forest.n_features)), classes)
        proba = np.hstack([1 - nodes.mean, nodes.mean]) if len(classes) == 2 else nodes.mean
        values, impurity = proba[:, None, :], 1 - np.sum(proba**2, axis=1)
    if hasattr(student, "feature_names_in_"):
        tree.feature_names_in_ = student.feature_names_in_
    tree.tree_ = _inner_tree(tree.tree_, forest, nodes, values, impurity)
    tree.set_params(max_leaf_nodes=student.max_leaf_nodes, min_samples_leaf=student.min_samples_leaf)
    return tree


def _check_numbers_only(student: Any) -> None:
    encoder = student._encoder
    other = np.flatnonzero(encoder.is_category_ | encoder.is_time_)
    if len(other):
        names = getattr(student, "feature_names_in_", np.arange(student.scorer_.n_features))
        raise StudentError(
            f"{type(student).__name__}: a tree of scikit-learn takes no categories and no dates; got {len(other)} such "
            f"columns, {names[other[0]]!r} the first. Use to_text(), which reads any table, or encode these columns as "
            "numbers before fit."
        )
    blurred = np.intersect1d(student.scorer_.feature, np.flatnonzero(student._n_digits))
    if len(blurred):
        names = getattr(student, "feature_names_in_", np.arange(student.scorer_.n_features))
        raise StudentError(
            f"{type(student).__name__}: a tree of scikit-learn rounds cells to float32; got splits on {len(blurred)} "
            f"columns whose numbers would become equal, {names[blurred[0]]!r} the first. Use to_text(), or subtract a "
            "constant from these columns before fit."
        )


def _inner_tree(inner: Any, forest: Forest, nodes: Nodes, values: np.ndarray, impurity: np.ndarray) -> Any:
    """Return scikit-learn's own tree structure with the splits of a forest of one tree."""
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
    tree = type(inner)(forest.n_features, np.atleast_1d(inner.n_classes).astype(np.intp), inner.n_outputs)
    tree.__setstate__(state)
    return tree
