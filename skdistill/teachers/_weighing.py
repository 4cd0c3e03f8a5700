"""Weights of several teachers by their errors on rows that they have not seen: for all rows, or by region."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import nnls
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeRegressor

from .._encoding import TableEncoder, fit_table_encoder

MIN_WEIGHED_ROWS = 30
"""Minimum number of labelled rows that weights are found by."""

MIN_REGION_ROWS = 20
"""Minimum number of these rows in a region."""

PRIOR_ROWS = 20
"""Number of rows by which the errors in all rows count in a region, beside the errors in its own rows."""

N_REGIONS = (1, 2, 4, 8, 16, 32)
"""Numbers of regions among which cross-validation chooses."""

N_FOLDS = 5

LARGEST = float(np.finfo(np.float32).max)


def errors_of(soft: Sequence[np.ndarray], truth: np.ndarray, *, pools_outputs: bool) -> np.ndarray:
    """Return the errors of the teachers, of shape (n_teachers, n_samples, n_outputs), in comparable units of outputs.

    Parameters
    ----------
    soft : sequence of ndarray
        The soft targets of each teacher.
    truth : ndarray
        One-hot encoded labels, or values.
    pools_outputs : bool
        Whether the outputs have one unit, as probabilities have; otherwise, that of each is its standard deviation.
    """
    flat = truth.reshape(len(truth), -1)
    unit = np.ones(flat.shape[1]) if pools_outputs else flat.std(axis=0)
    unit = np.where(unit > 0, unit, 1.0)
    return np.stack([(each.reshape(flat.shape) - flat) / unit for each in soft])


def simplex_weights(gram: np.ndarray) -> np.ndarray:
    r"""Return the weights of least squared error of a weighted mean.

    For residuals :math:`r_m` and weights of sum 1, the error of the mean is :math:`\sum_m w_m r_m`, so that its square
    is :math:`w^\top G w` with :math:`G_{ml} = r_m \cdot r_l`. The minimum over weights of at least 0 with sum 1 is the
    point of the convex hull of the residuals that is closest to 0. It is found exactly by non-negative least squares:
    :math:`\min_{u \ge 0} u^\top G u + (1^\top u - 1)^2`, then :math:`w = u / 1^\top u` [1]_.

    Parameters
    ----------
    gram : ndarray of shape (n_teachers, n_teachers)
        Products of the residuals.

    Returns
    -------
    weights : ndarray of shape (n_teachers,)

    References
    ----------
    .. [1] C. L. Lawson and R. J. Hanson, "Solving Least Squares Problems", 1974, chapter 23.
    .. [2] L. Breiman, "Stacked Regressions", Machine Learning 24, 1996.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.teachers._weighing import simplex_weights
    >>> simplex_weights(np.diag([1.0, 3.0])).round(3).tolist()
    [0.75, 0.25]
    """
    n_teachers = len(gram)
    largest = float(np.diag(gram).max())
    if largest == 0:  # no teacher errs
        return np.full(n_teachers, 1 / n_teachers)
    values, vectors = np.linalg.eigh(gram / largest + 1e-9 * np.eye(n_teachers))  # equal teachers share their weight
    root = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
    weights, _ = nnls(np.vstack([root, np.ones(n_teachers)]), np.append(np.zeros(n_teachers), 1.0))
    return np.asarray(weights / weights.sum())


def loss_weights_of(errors: np.ndarray, sample_weight: np.ndarray) -> np.ndarray:
    """Return the weights of least squared error in all rows, of shape (n_teachers,)."""
    return simplex_weights(_gram(errors, sample_weight))


def _gram(errors: np.ndarray, sample_weight: np.ndarray) -> np.ndarray:
    return np.einsum("mik,lik,i->ml", errors, errors, sample_weight)


class RegionWeights:
    """Weights of several teachers for each row: a tree of the columns, with weights in each leaf.

    The tree is fitted to the squared errors of the teachers, less their mean in each row, so that its leaves are
    regions in which other teachers are good. In each leaf, the weights minimise the squared error of the weighted mean
    (:func:`simplex_weights`), with the errors in all rows counting as ``PRIOR_ROWS`` rows. The number of leaves is
    chosen by cross-validation; one leaf is among the choices.

    Attributes
    ----------
    n_regions : int
    weights : ndarray of shape (n_nodes, n_teachers)
        Weights of each node of the tree; those of inner nodes are not used.
    """

    def __init__(self, encoder: TableEncoder, tree: DecisionTreeRegressor, weights: np.ndarray) -> None:
        self._encoder, self._tree, self.weights = encoder, tree, weights

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return int(self._tree.get_n_leaves())

    @classmethod
    def fit(cls, X: Any, errors: np.ndarray, sample_weight: np.ndarray, seed: int) -> "RegionWeights":
        """Fit the regions to errors of shape (n_teachers, n_samples, n_outputs)."""
        encoder = fit_table_encoder(X)
        cells = _cells(encoder, X)
        losses = (errors**2).sum(axis=2).T
        relative = losses - losses.mean(axis=1, keepdims=True)
        n_regions = _choose_n_regions(cells, relative, errors, sample_weight, seed)
        tree = _grow(cells, relative, sample_weight, n_regions, seed)
        return cls(encoder, tree, _weights_of_leaves(tree, cells, errors, sample_weight))

    def of(self, X: Any) -> np.ndarray:
        """Return the weights for each row, of shape (n_samples, n_teachers)."""
        return np.asarray(self.weights[self._tree.apply(_cells(self._encoder, X))])


def _cells(encoder: TableEncoder, X: Any) -> Any:
    """Return a table as numbers for trees: categories as codes, missing values as NaN."""
    cells = encoder.transform(X)
    if sparse.issparse(cells):
        return sparse.csr_matrix(cells, dtype=np.float32)
    return np.clip(cells, -LARGEST, LARGEST).astype(np.float32)


def _grow(
    cells: Any, relative: np.ndarray, sample_weight: np.ndarray, n_regions: int, seed: int
) -> DecisionTreeRegressor:
    """Return a tree with at most ``n_regions`` leaves; one leaf is a tree that may not split."""
    tree = DecisionTreeRegressor(
        max_leaf_nodes=max(n_regions, 2),
        min_samples_leaf=MIN_REGION_ROWS,
        min_samples_split=2 * MIN_REGION_ROWS if n_regions > 1 else len(relative) + 1,
        random_state=seed,
    )
    return tree.fit(cells, relative, sample_weight=sample_weight)


def _weights_of_leaves(
    tree: DecisionTreeRegressor, cells: Any, errors: np.ndarray, sample_weight: np.ndarray
) -> np.ndarray:
    leaf, whole = tree.apply(cells), _gram(errors, sample_weight)
    prior = whole * PRIOR_ROWS / errors.shape[1]
    weights = np.tile(simplex_weights(whole), (tree.tree_.node_count, 1))
    for node in np.unique(leaf):
        rows = leaf == node
        weights[node] = simplex_weights(_gram(errors[:, rows], sample_weight[rows]) + prior)
    return weights


def _choose_n_regions(
    cells: Any, relative: np.ndarray, errors: np.ndarray, sample_weight: np.ndarray, seed: int
) -> int:
    """Return the number of regions whose weights have the least squared error on rows that they were not fitted to."""
    totals = np.zeros(len(N_REGIONS))
    for fitted_on, left_out in KFold(N_FOLDS, shuffle=True, random_state=seed).split(relative):
        for place, n_regions in enumerate(N_REGIONS):
            tree = _grow(cells[fitted_on], relative[fitted_on], sample_weight[fitted_on], n_regions, seed)
            weights = _weights_of_leaves(tree, cells[fitted_on], errors[:, fitted_on], sample_weight[fitted_on])
            chosen = weights[tree.apply(cells[left_out])]
            mixed = np.einsum("im,mik->ik", chosen, errors[:, left_out])
            totals[place] += float((mixed**2).sum(axis=1) @ sample_weight[left_out])
    return N_REGIONS[int(np.argmin(totals))]
