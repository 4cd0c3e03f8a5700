r"""Pruning of whole forests: the weakest links of the ensemble, not of each tree alone, are cut first.

If all leaves below a split become one, the scores of their rows change by the distance of the values to their mean
:math:`\bar v`, which raises the loss by about

.. math:: \frac{1}{2} \sum_\ell H_\ell (v_\ell - \bar v)^2,

where :math:`H_\ell` is the curvature of the loss of the rows of leaf :math:`\ell`, summed. Splits are cut in the order
of this cost for each split that is saved, as in cost-complexity pruning [1]_.

.. [1] L. Breiman, J. Friedman, R. Olshen, C. Stone, "Classification and Regression Trees", 1984.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from joblib import effective_n_jobs

from .._losses import Loss
from .._threads import one_blas_thread
from .._types import LinkName, RandomState
from .._validation import check_random_state
from ..compiled import Forest
from ..solvers import VALIDATION_SHARE
from ._budget import Budget
from ._joint_refit import refitted
from ._kept_splits import cut_back, group_sums, take_trees, with_ancestors_only
from ._losses_of_links import as_transfer_set, loss_of, of_one_score

STEP_SHARE = 0.1
"""Share of the splits that are cut before the costs are computed again."""

MAX_ROUNDS = 400
"""Maximum number of times that costs are computed."""

MAX_CELLS = 20_000_000
"""Bounds the trees times the rows that the costs are estimated on."""


@dataclass
class _Output:
    """Targets of one output."""

    loss: Loss
    targets: np.ndarray
    weight: np.ndarray


@one_blas_thread()
def prune_trees(
    forest: Forest,
    X: Any,
    targets: Any,
    budget: Budget,
    *,
    link: LinkName = "identity",
    sample_weight: Any = None,
    refit: bool = True,
    random_state: RandomState = None,
    n_jobs: int | None = None,
) -> Forest:
    """Cut back the trees of a forest, whose scores are those of the targets, until it is within a budget.

    A forest that is within the budget keeps all its splits and its values. Otherwise splits are cut in the order of
    the loss that the forest as a whole gains by each split that is saved, and the leaf values are refitted jointly.
    The values of a softmax are not refitted.

    Parameters
    ----------
    forest : Forest
        The scores of its rows are near those of the targets.
    X : ndarray or sparse matrix of shape (n_rows, n_features)
        Rows as the forest reads them.
    targets : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Values, probabilities of the second of two classes, or probabilities of all of more classes.
    budget : Budget
        Limits of the result.
    link : {"identity", "binary", "one-vs-rest", "softmax"}, default="identity"
        Link of the scores: values, the logit of the second of two classes, a logit for each class, or logarithms of
        the probabilities of all classes.
    sample_weight : array-like of shape (n_rows,) or None, default=None
        Weight of each row; ``None`` for equal weights.
    refit : bool, default=True
        Whether all leaf values are refitted jointly once splits have been cut.
    random_state : int, RandomState instance or None, default=None
        Seed of the rows that costs are estimated on, and of those that the ridge of the refit is chosen on.
    n_jobs : int or None, default=None
        Threads that find the leaves of rows; ``None`` is 1.

    Returns
    -------
    forest : Forest
        Within the budget, with values stored as float16.

    Raises
    ------
    StudentSizeError
        If a forest without a split exceeds the budget.
    ValueError
        If an argument is invalid.

    Examples
    --------
    >>> import numpy as np
    >>> import skdistill
    >>> from lightgbm import LGBMRegressor
    >>> from skdistill.compression import Budget, prune_trees
    >>> X = np.random.default_rng(0).uniform(size=(1000, 2))
    >>> teacher = LGBMRegressor(n_estimators=50, verbosity=-1).fit(X, X[:, 0] * X[:, 1])
    >>> forest = skdistill.compile(teacher, dtype="float64").scorer
    >>> small = prune_trees(
    ...     forest, X, teacher.predict(X), Budget(max_parameters=2000), random_state=0
    ... )
    >>> forest.n_parameters > 4000, small.n_parameters <= 2000
    (True, True)
    """
    who = "prune_trees"
    targets, weight = as_transfer_set(who, X, targets, sample_weight)
    loss = loss_of(who, link)
    rng, n_jobs = check_random_state(random_state, who), effective_n_jobs(n_jobs)
    stored = forest.stored_as(np.float16)
    if budget.excess(stored) <= 1:
        return stored
    n_rows = max(MAX_CELLS // max(forest.n_trees, 1), 1)
    rows = np.sort(rng.permutation(len(weight))[:n_rows])
    costs = _Costs(forest, X[rows], weight[rows], loss, n_jobs)
    is_validation = rng.uniform(size=len(weight)) < VALIDATION_SHARE
    share = 1.0
    while True:
        pruned = costs.cut(budget, share)
        if refit and link != "softmax" and pruned.n_trees:
            pruned = _refitted(pruned, X, targets, weight, loss, is_validation, n_jobs)
        pruned = pruned.stored_as(np.float16)
        excess = budget.excess(pruned)
        if excess <= 1:
            return pruned
        if not len(pruned.feature):
            raise budget.too_small(who, pruned)
        share *= 0.98 / excess


class _Costs:
    """A forest that is cut back step by step, with the curvature of the rows of each leaf."""

    def __init__(self, forest: Forest, X: Any, weight: np.ndarray, loss: Loss, n_jobs: int) -> None:
        self.forest = forest.with_values(forest.leaf_values)
        scores = forest.scores(X, n_jobs)
        if loss.is_quadratic:
            curvature = np.ones_like(scores)
        else:
            outputs = loss.outputs(scores)
            curvature = np.column_stack([loss.second_derivative(outputs, k, k) for k in range(scores.shape[1])])
        sums = group_sums(forest.leaves(X, n_jobs), weight[:, None] * curvature, forest.n_leaves)
        first = np.repeat(forest.tree_output, forest.tree_splits + 1)[:, None]
        self.curvature = np.take_along_axis(sums, first + np.arange(forest.value.shape[1]), axis=1)

    def cut(self, budget: Budget, share: float) -> Forest:
        """Cut splits until the forest is within a share of the budget; trees without a split are left out."""
        while len(self.forest.feature):
            compact = without_constant_trees(self.forest)
            excess = budget.excess(compact.stored_as(np.float16)) / share
            if excess <= 1:
                return compact
            n_splits = len(self.forest.feature)
            wanted = int(n_splits * (1 - 1 / excess) / 2)  # pickles shrink less than in proportion
            self._cut_weakest(int(np.clip(wanted, 1, max(STEP_SHARE * n_splits, 1))))
        return without_constant_trees(self.forest)

    def _cut_weakest(self, n_splits: int) -> None:
        """Cut at least so many splits, or the subtree of the weakest link."""
        forest, size = self.forest, self.forest.spans.n_splits
        order = np.argsort(self._costs() / size, kind="stable")
        n_links = int(np.searchsorted(np.cumsum(size[order]), n_splits)) + 1
        is_kept = np.ones(len(size), dtype=bool)
        is_kept[order[:n_links]] = False
        self.forest, leaf = cut_back(forest, with_ancestors_only(forest, is_kept), self.curvature)
        self.curvature = np.column_stack(
            [np.bincount(leaf, of_leaves, self.forest.n_leaves) for of_leaves in self.curvature.T]
        )

    def _costs(self) -> np.ndarray:
        """Return the loss by which the forest is worse if all leaves below a split become one, for each split."""
        forest = self.forest
        start, stop = forest.first_leaf, forest.first_leaf + forest.spans.n_splits + 1

        def below(numbers: np.ndarray) -> np.ndarray:
            cumulated = np.vstack([np.zeros((1, numbers.shape[1])), np.cumsum(numbers, axis=0)])
            return cumulated[stop] - cumulated[start]

        weight, value = self.curvature, forest.value
        total = below(weight)
        spread = below(weight * value**2) - below(weight * value) ** 2 / np.where(total > 0, total, 1)
        return np.maximum(spread, 0).sum(axis=1)


def without_constant_trees(forest: Forest) -> Forest:
    """Return the forest with the trees that have no split as a part of its base."""
    is_constant = forest.tree_splits == 0
    if not is_constant.any():
        return forest
    base, values = forest.base.copy(), forest.leaf_values[forest.tree_leaf[:-1][is_constant]]
    np.add.at(base, forest.tree_output[is_constant][:, None] + np.arange(values.shape[1]), values)
    others = take_trees(forest, np.flatnonzero(~is_constant))
    return others.with_values(others.leaf_values, base)


def _refitted(
    forest: Forest,
    X: Any,
    targets: np.ndarray,
    weight: np.ndarray,
    loss: Loss,
    is_validation: np.ndarray,
    n_jobs: int,
) -> Forest:
    """Return the forest with refitted leaves, output by output unless leaves have values of all outputs."""
    if forest.value.shape[1] > 1:
        return refitted([forest], [_Output(loss, targets, weight)], X, is_validation, n_jobs=n_jobs)
    forests, outputs = [], []
    for output in range(targets.shape[1]):
        of_output = take_trees(forest, np.flatnonzero(forest.tree_output == output))
        of_output.tree_output = np.zeros_like(of_output.tree_output)
        forests.append(of_output.with_values(of_output.value, forest.base[[output]]))
        outputs.append(_Output(of_one_score(loss), targets[:, [output]], weight))
    return refitted(forests, outputs, X, is_validation, n_jobs=n_jobs)
