"""All leaf values of selected trees fitted again together, and the outputs joined to one forest."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from .._losses import Loss
from ..compiled import Forest
from ..compiled._nodes import stack_outputs
from ..solvers import leaf_weights, prune_forest, refit_leaves
from ._losses_of_links import of_one_score


class Problem(Protocol):
    """What a sequence of trees is fitted to: some outputs of the targets."""

    loss: Loss
    targets: np.ndarray
    weight: np.ndarray


def refitted(
    forests: Sequence[Forest], problems: Sequence[Problem], X: Any, is_validation: np.ndarray | None, *, n_jobs: int
) -> Forest:
    """Return one forest of all outputs, its leaves refitted, those that hardly differ merged, with float16 values.

    Parameters
    ----------
    forests : list of Forest
        Of some outputs each.
    problems : list of Problem
        The targets of each forest.
    X : ndarray or sparse matrix of shape (n_rows, n_features)
    is_validation : ndarray of bool, shape (n_rows,), or None
        Rows that the ridge is chosen on; ``None`` keeps the leaf values.
    n_jobs : int
    """
    done = []
    for forest, problem in zip(forests, problems, strict=True):
        leaves = forest.leaves(X, n_jobs)
        if is_validation is not None and forest.n_trees:
            forest = forest.with_values(_values(forest, leaves, problem, is_validation))
        if forest.value.shape[1] == 1 and forest.n_trees:
            forest = prune_forest(forest, leaf_weights(forest, leaves, problem.weight))
        done.append(forest)
    return joined_outputs(done).stored_as(np.float16)


def _values(forest: Forest, leaves: np.ndarray, problem: Problem, is_validation: np.ndarray) -> np.ndarray:
    """Return the leaf values of each output, refitted; outputs have the same trees, but do not share values."""
    loss, columns = of_one_score(problem.loss), []
    for output, target in enumerate(problem.targets.T):
        of_output = replace(
            forest,
            value=forest.leaf_values[:, [output]],
            base=forest.base[[output]],
            unit=np.ones(1),
        )
        columns.append(refit_leaves(of_output, leaves, target, problem.weight, loss, is_validation)[0])
    return np.column_stack(columns)


def joined_outputs(forests: Sequence[Forest]) -> Forest:
    """Return one forest with the outputs of all forests."""
    return forests[0] if len(forests) == 1 else stack_outputs(forests)
