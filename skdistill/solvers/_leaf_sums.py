r"""Sums over rows from which the leaf values of given trees are fitted again, all together, without the rows.

The problem is that of :mod:`._leaf_refitting`, with the leaf values so far as a start: their change :math:`\delta`
minimises

.. math:: g^\top \delta + \tfrac{1}{2} \delta^\top (H + \lambda P) \, \delta, \qquad
    g = \sum_i w_i \, z_i \, \ell'_i, \quad H = \sum_i w_i \, z_i z_i^\top \, \ell''_i,

where :math:`z_i` says which leaf of each tree a row is in. This is the minimum for the squared error, and a Newton step
for cross-entropies. So that it is not too long for rows whose outputs are certain and wrong, where :math:`\ell''` is
nearly zero, a quarter of :math:`\ell'^2` is added to it (``Loss.far_curvature``).
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from .._losses import Loss
from ..compiled import Forest
from ._leaf_refitting import _increment_penalty

MAX_SUMMED_LEAVES, MAX_SUMMED_TREES = 2000, 200
"""Maximum numbers of leaves and of trees of an output: memory grows with the square of the first, and the time of each
row with the square of the second."""


def count_leaves(forest: Forest) -> np.ndarray:
    """Return the number of leaves of each output; trees without a split have none that could change."""
    n_leaves = np.where(forest.tree_splits > 0, forest.tree_splits + 1, 0)
    return np.bincount(forest.tree_output, n_leaves, len(forest.base)).astype(np.int64)


def count_trees(forest: Forest) -> np.ndarray:
    """Return the number of trees of each output."""
    return np.bincount(forest.tree_output, minlength=len(forest.base))


class LeafSums:
    """Sums over rows for the trees of one output, added block by block.

    Parameters
    ----------
    forest : Forest
        Each tree adds to one output, in ascending order.
    output : int

    Attributes
    ----------
    span : slice
        The leaves of the trees.
    """

    def __init__(self, forest: Forest, output: int) -> None:
        trees = np.flatnonzero(forest.tree_output == output)
        bounds = forest.tree_leaf[trees[0] : trees[-1] + 2] if len(trees) else np.zeros(1, dtype=np.int64)
        self.trees, self.output, self._bounds = trees, output, bounds
        self.span = slice(int(bounds[0]), int(bounds[-1]))
        self._n_leaves, self._first = np.diff(bounds), bounds[:-1] - bounds[0]
        self._values = forest.leaf_values[self.span, 0]
        self._base = float(forest.base[output])
        self._penalties = [_increment_penalty(forest, tree) for tree in trees.tolist()]
        self.gradient = np.zeros(self.span.stop - self.span.start)
        self.curvature = np.zeros((len(self.gradient),) * 2)
        self.n_rows, self.weight, self.curved = 0, 0.0, 0.0

    def add(self, leaves: np.ndarray, weight: np.ndarray, target: np.ndarray, loss: Loss, unit: float) -> None:
        """Add rows.

        Parameters
        ----------
        leaves : ndarray of int, shape (n_rows, n_trees)
            Each row's leaf in each tree of the forest, counted over all trees.
        weight, target : ndarray of shape (n_rows,)
        loss : Loss
        unit : float > 0
            Scores and targets are divided by it.
        """
        codes = np.ascontiguousarray(leaves[:, self.trees].T) - self._bounds[:-1, None]
        score = np.full(len(weight), self._base)
        for code, first in zip(codes, self._first, strict=True):
            score += self._values[first:].take(code)
        scores = (score / unit)[:, None]
        slope = loss.gradient(scores, target[:, None] / unit)[:, 0]
        curved = weight * (loss.curvature_at(scores) + loss.far_curvature * slope**2)
        self.n_rows, self.weight, self.curved = (
            self.n_rows + len(weight),
            self.weight + float(weight.sum()),
            self.curved + float(curved.sum()),
        )
        self._add_up(codes, weight * slope, curved)

    def _add_up(self, codes: np.ndarray, by_score: np.ndarray, curved: np.ndarray) -> None:
        """Add the sums of each leaf, and of each pair of leaves: a small table for each pair of trees."""
        width = int(self._n_leaves.max(initial=1))
        for place, (size, first) in enumerate(zip(self._n_leaves, self._first, strict=True)):
            self.gradient[first : first + size] += np.bincount(codes[place], by_score, size)
            wide = codes[place] * width
            for other in range(place, len(codes)):
                start, n_other = self._first[other], self._n_leaves[other]
                sums = np.bincount(wide + codes[other], curved, size * width).reshape(size, width)
                self.curvature[first : first + size, start : start + n_other] += sums[:, :n_other]

    def change(self, ridge: float) -> np.ndarray:
        """Return the change of the leaf values, divided by the unit, of shape (n_leaves,).

        Parameters
        ----------
        ridge : float > 0
            In rows of mean weight and curvature, as for :func:`~skdistill.solvers._leaf_refitting.refit_leaves`.
        """
        if not len(self.gradient) or self.weight == 0:
            return np.zeros(len(self.gradient))
        matrix = self.curvature.copy()  # the upper half, which is enough for the factor
        size = len(self._penalties) * ridge * self.curved / self.n_rows
        for first, penalty in zip(self._first, self._penalties, strict=True):
            own = slice(first, first + len(penalty))
            matrix[own, own] += size * penalty
        factor = cho_factor(matrix, overwrite_a=True, check_finite=False)
        return np.asarray(-cho_solve(factor, self.gradient, check_finite=False))

    @property
    def leaf_curvature(self) -> np.ndarray:
        """Curvature of the rows of each leaf, of shape (n_leaves,)."""
        return self.curvature.diagonal()
