"""Out-of-bag answers of a forest that is fitted already, read from its trees."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor

from ..convert import unwrap
from ._adapter import Teacher

FORESTS = (RandomForestClassifier, RandomForestRegressor, ExtraTreesClassifier, ExtraTreesRegressor)
"""Forests that are known to answer with the mean of their trees; what derives from them may not."""

MIN_OUT_OF_BAG_TREES = 5
"""Trees that must have left a row out: the mean of fewer says little of the forest."""

N_CHECKED_TREES = 3
"""Trees whose leaves are counted to see whether the forest was fitted on these rows."""


@dataclass(frozen=True)
class OutOfBag:
    """What the trees that have not seen a row say of it.

    Attributes
    ----------
    outputs : ndarray of shape (n_rows, ...)
        Their means, shaped as the teacher's outputs.
    noise : ndarray of shape (n_rows, n_outputs)
        Variance that these means have beyond that of the whole forest's, because they are of fewer trees.
    is_known : ndarray of bool, shape (n_rows,)
        Rows that at least five trees left out; the others' outputs mean nothing.
    """

    outputs: np.ndarray
    noise: np.ndarray
    is_known: np.ndarray


def find_out_of_bag(teacher: Teacher, X: Any, rows: np.ndarray) -> OutOfBag | None:
    """Return the out-of-bag answers for some rows of the table that a bootstrap forest was fitted on.

    Parameters
    ----------
    teacher : Teacher
        A fitted forest of scikit-learn, or a pipeline that ends in one.
    X : table of shape (n_samples, n_features)
        What the teacher may have been fitted on, in the same order.
    rows : ndarray of int, shape (n_rows,)
        Positions of the rows that are asked for.

    Returns
    -------
    out_of_bag : OutOfBag or None
        ``None`` if the teacher is no such forest, or was fitted on other rows: the number of rows in the leaves of
        its trees tells.
    """
    inside = unwrap(teacher.model, through=("pipeline", "frozen"))
    forest = inside.model
    answers = {"proba": "predict_proba", "value": "predict"}.get(teacher.output_kind)
    if type(forest) not in FORESTS or not forest.bootstrap or teacher.response_method != answers:
        return None
    seen = inside.transform(X)
    cells = (seen.tocsr() if sparse.issparse(seen) else np.asarray(seen)).astype(np.float32)  # as the trees take them
    in_bag = forest.estimators_samples_
    if not _was_fitted_on(forest, in_bag, cells):
        return None
    asked = cells[rows]
    total, spread, count = 0.0, 0.0, np.zeros(len(rows))
    for tree, drawn in zip(forest.estimators_, in_bag, strict=True):
        is_out = np.ones(cells.shape[0], dtype=bool)
        is_out[drawn] = False
        said = getattr(tree, answers)(asked).reshape(len(rows), -1) * is_out[rows, None]
        total, spread, count = total + said, spread + said**2, count + is_out[rows]
    n_out = np.maximum(count, 1)[:, None]
    mean = total / n_out
    of_fewer = (1 - n_out / len(in_bag)) / np.maximum(n_out - 1, 1)
    shape = (len(rows), *(() if mean.shape[1] == 1 else mean.shape[1:]))
    return OutOfBag(mean.reshape(shape), (spread / n_out - mean**2) * of_fewer, count >= MIN_OUT_OF_BAG_TREES)


def _was_fitted_on(forest: Any, in_bag: list[np.ndarray], cells: Any) -> bool:
    """Whether the distinct rows of a few trees' bags fall into their leaves as they did in the fit."""
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
