"""Out-of-bag outputs of a fitted forest, computed from its trees."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from .._tables import own_rows
from ..convert import FORESTS, unwrap
from ._adapter import Teacher

MIN_OUT_OF_BAG_TREES = 5
"""Minimum number of out-of-bag trees of a row: the mean of fewer trees is a poor estimate of the forest's output."""

N_CHECKED_TREES = 3
"""Number of trees whose leaf sizes are compared to check whether the forest was fitted on the given rows."""


@dataclass(frozen=True)
class OutOfBag:
    """Mean outputs of the trees that were not fitted on a row.

    Attributes
    ----------
    outputs : ndarray of shape (n_rows, ...)
        Out-of-bag outputs, with the shape of the teacher's outputs.
    noise : ndarray of shape (n_rows, n_outputs)
        Additional variance of these outputs compared with those of the whole forest, because they average fewer trees.
    is_known : ndarray of bool, shape (n_rows,)
        Mask of the rows with at least five out-of-bag trees; the outputs of other rows are undefined.
    """

    outputs: np.ndarray
    noise: np.ndarray
    is_known: np.ndarray


def find_out_of_bag(teacher: Teacher, X: Any, rows: np.ndarray) -> OutOfBag | None:
    """Return the out-of-bag outputs for rows of the table that a forest with bootstrap samples was fitted on.

    Parameters
    ----------
    teacher : Teacher
        A fitted scikit-learn forest, or a pipeline that ends in one.
    X : table of shape (n_samples, n_features)
        The table that the teacher may have been fitted on, in the same order.
    rows : ndarray of int, shape (n_rows,)
        Positions of the rows.

    Returns
    -------
    out_of_bag : OutOfBag or None
        ``None`` if the teacher is not such a forest, or if the leaf sizes of its trees show that it was fitted on other
        rows.
    """
    inside = unwrap(teacher.model, through=("pipeline", "frozen"))
    forest = inside.model
    method = {"proba": "predict_proba", "value": "predict"}.get(teacher.output_kind)
    if type(forest) not in FORESTS or not forest.bootstrap or teacher.response_method != method:
        return None
    seen = inside.transform(own_rows(X))
    cells = (seen.tocsr() if sparse.issparse(seen) else np.asarray(seen)).astype(np.float32)  # the dtype of the trees
    in_bag = forest.estimators_samples_
    if not _was_fitted_on(forest, in_bag, cells):
        return None
    queried = cells[rows]
    total, spread, count = 0.0, 0.0, np.zeros(len(rows))
    for tree, drawn in zip(forest.estimators_, in_bag, strict=True):
        is_out = np.ones(cells.shape[0], dtype=bool)
        is_out[drawn] = False
        outputs = getattr(tree, method)(queried).reshape(len(rows), -1) * is_out[rows, None]
        total, spread, count = total + outputs, spread + outputs**2, count + is_out[rows]
    n_out = np.maximum(count, 1)[:, None]
    mean = total / n_out
    of_fewer = (1 - n_out / len(in_bag)) / np.maximum(n_out - 1, 1)
    shape = (len(rows), *(() if mean.shape[1] == 1 else mean.shape[1:]))
    return OutOfBag(mean.reshape(shape), (spread / n_out - mean**2) * of_fewer, count >= MIN_OUT_OF_BAG_TREES)


def _was_fitted_on(forest: Any, in_bag: list[np.ndarray], cells: Any) -> bool:
    """Whether the bootstrap samples of a few trees reproduce the leaf sizes of the fit."""
    n_rows = cells.shape[0]
    for index in np.unique(np.linspace(0, len(in_bag) - 1, N_CHECKED_TREES).astype(int)):
        tree, drawn = forest.estimators_[index].tree_, np.unique(in_bag[index])
        if drawn[-1] >= n_rows or cells.shape[1] != forest.n_features_in_:
            return False
        counts = np.bincount(tree.apply(cells[drawn]), minlength=tree.node_count)
        is_leaf = tree.children_left < 0
        if not np.array_equal(counts[is_leaf], tree.n_node_samples[is_leaf]):
            return False
    return True
