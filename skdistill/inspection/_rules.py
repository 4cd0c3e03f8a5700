"""Rules that describe where teacher and student differ, from a small tree fitted to their distance."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from ..students import CompactTreeRegressor
from ._answers import Answers

MOST_SPARSE = 5000
"""Maximum number of columns of a sparse table for which rules are computed."""

MIN_RULE_ROWS, MIN_RULE_SHARE = 10, 0.02
"""Minimum number and minimum share of the rows in a rule."""


@dataclass(frozen=True)
class Rules:
    """Groups of rows, sorted by decreasing distance. Every row is in one of them.

    Attributes
    ----------
    rule : list of str
    n_rows : ndarray of int, shape (n_rules,)
    share : ndarray of shape (n_rules,)
        Share of the total weight.
    distance, distance_error : ndarray of shape (n_rules,)
        Mean distance between teacher and student, and its standard error.
    disagreement : ndarray of shape (n_rules,) or None
        Share of the rows of the rule with different labels.
    share_of_distance : ndarray of shape (n_rules,)
        Share of the rule in the total distance.
    """

    rule: list[str]
    n_rows: np.ndarray
    share: np.ndarray
    distance: np.ndarray
    distance_error: np.ndarray
    disagreement: np.ndarray | None
    share_of_distance: np.ndarray

    def columns(self) -> dict[str, np.ndarray]:
        """Return the fields that are not ``None`` as columns."""
        named = {name: value for name, value in vars(self).items() if value is not None}
        return {**named, "rule": np.array(self.rule, dtype=object)}


def has_rules(X: Any) -> bool:
    """Whether rules are computed: not for texts and wide sparse tables, where they are slow and uninformative."""
    return len(X.shape) == 2 and not (sparse.issparse(X) and X.shape[1] > MOST_SPARSE)


def find_rules(answers: Answers, max_rules: int) -> Rules:
    """Return at most ``max_rules`` rules."""
    distance, weight = answers.distance, answers.weight
    n_rows = len(distance)
    fewest = max(MIN_RULE_ROWS, round(MIN_RULE_SHARE * n_rows))
    if not has_rules(answers.X) or max_rules < 2 or n_rows < 2 * fewest or np.ptp(distance) == 0:
        leaf, rules = np.zeros(n_rows, dtype=int), ["every row"]
    else:
        tree = CompactTreeRegressor(max_rules, min_samples_leaf=fewest).fit(answers.X, distance, weight)
        leaf, rules = tree.apply(answers.X), tree.leaf_rules()
    other = None
    if answers.classes is not None:
        teacher, student = answers.labels
        other = (teacher != student).astype(float)
    groups = [np.flatnonzero(leaf == place) for place in range(len(rules))]
    weights = np.array([weight[rows].sum() for rows in groups])
    means = np.array([mean(distance, weight, rows) for rows in groups])
    order = np.argsort(-means, kind="stable")
    total = np.sum(weights * means)
    return Rules(
        [rules[place] for place in order],
        np.array([len(groups[place]) for place in order]),
        weights[order] / weight.sum(),
        means[order],
        np.array([standard_error(distance, weight, groups[place]) for place in order]),
        None if other is None else np.array([mean(other, weight, groups[place]) for place in order]),
        (weights * means)[order] / total if total > 0 else weights[order] / weight.sum(),
    )


def mean(values: np.ndarray, weight: np.ndarray, rows: np.ndarray) -> float:
    """Return the weighted mean of some rows, or NaN if their total weight is 0."""
    total = weight[rows].sum()
    return float(weight[rows] @ values[rows] / total) if total > 0 else float("nan")


def standard_error(values: np.ndarray, weight: np.ndarray, rows: np.ndarray) -> float:
    """Return the standard error of :func:`mean`."""
    if np.count_nonzero(weight[rows]) < 2:
        return float("nan")
    share = weight[rows] / weight[rows].sum()
    n_effective = 1 / np.sum(share**2)
    variance = np.sum(share * (values[rows] - share @ values[rows]) ** 2)
    return float(np.sqrt(variance / max(n_effective - 1, 1e-12)))
