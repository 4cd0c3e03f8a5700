r"""Sums over rows from which the coefficients of a linear model are fitted again, without the rows.

For features :math:`\phi_i` with a one appended, coefficients and intercept change by a Newton step on the mean loss and
its penalty, for which the sums

.. math:: \sum_i w_i \, \phi_i \, \nabla \ell_i^\top, \qquad \sum_i w_i \, \phi_i \phi_i^\top \, \nabla^2 \ell_i

are sufficient; the derivatives are those at the scores so far. For the squared error, the second sum is the Gram
matrix, and the step ends in the minimum, also with a lasso or with given signs. For cross-entropies, one step from the
coefficients of a sample ends near the minimum. So that it is not too long for rows whose outputs are certain and wrong,
where the second derivatives are nearly zero, a quarter of :math:`\nabla \ell_i \nabla \ell_i^\top` is added to them
(``Loss.far_curvature``).
"""

from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from scipy import sparse

from .._losses import Loss
from ._regression import lasso_solution, ridge_solution
from ._signed_regression import signed_solution


class LinearSums:
    """Sums over rows, added block by block.

    Parameters
    ----------
    n_features, n_scores : int
    loss : Loss
    """

    def __init__(self, n_features: int, n_scores: int, loss: Loss) -> None:
        self.loss, self.weight = loss, 0.0
        every = list(combinations_with_replacement(range(n_scores), 2))
        self.pairs = [(0, 0)] if loss.is_quadratic else every  # all scores have the same Gram matrix
        self.gradient = np.zeros((n_features + 1, n_scores))
        self.curvature = np.zeros((len(self.pairs), n_features + 1, n_features + 1))

    def add(self, block: Any, weight: np.ndarray, scores: np.ndarray, targets: np.ndarray) -> None:
        """Add rows.

        Parameters
        ----------
        block : ndarray or sparse matrix of shape (n_rows, n_features)
        weight : ndarray of shape (n_rows,)
        scores, targets : ndarray of shape (n_rows, n_scores)
        """
        self.weight += float(weight.sum())
        slope = self.loss.gradient(scores, targets)
        by_score = slope * weight[:, None]
        self.gradient[:-1] += block.T @ by_score
        self.gradient[-1] += by_score.sum(axis=0)
        outputs = self.loss.outputs(scores)
        for matrix, (first, second) in zip(self.curvature, self.pairs, strict=True):
            far = self.loss.far_curvature * slope[:, first] * slope[:, second]
            curved = weight * (self.loss.second_derivative(outputs, first, second) + far)
            matrix[:-1, :-1] += _products(block, curved)
            matrix[-1, :-1] += block.T @ curved
            matrix[:-1, -1] = matrix[-1, :-1]
            matrix[-1, -1] += curved.sum()

    def solved(
        self,
        coef: np.ndarray,
        constant: np.ndarray,
        *,
        ridge: float = 0.0,
        lasso: float = 0.0,
        signs: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return new coefficients, of shape (n_features, n_scores), and intercepts, given those of the scores.

        A lasso and signs are possible for the squared error only.
        """
        if self.loss.is_quadratic:
            return self._minimum(coef, constant, ridge, lasso, signs)
        assert lasso == 0
        assert signs is None
        return self._after_step(coef, constant, ridge)

    def _minimum(
        self, coef: np.ndarray, constant: np.ndarray, ridge: float, lasso: float, signs: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the solution of the normal equations of centred features."""
        matrix, slope = self.curvature[0] / self.weight, self.gradient / self.weight
        mean = matrix[-1, :-1]
        gram = matrix[:-1, :-1] - np.outer(mean, mean)
        moments = gram @ coef - (slope[:-1] - np.outer(mean, slope[-1]))
        level = mean @ coef + constant - slope[-1]  # the mean targets
        if signs is not None:
            new = signed_solution(gram, moments, signs, ridge=ridge, lasso=lasso)
        elif lasso > 0:
            new = lasso_solution(gram, moments, lasso, start=coef)
        else:
            new = ridge_solution(gram, moments, ridge)
        return new, level - mean @ new

    def _after_step(self, coef: np.ndarray, constant: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
        """Return coefficients and intercepts after a Newton step."""
        n_rows, n_scores = self.gradient.shape
        hessian = np.empty((n_rows, n_scores, n_rows, n_scores))
        for matrix, (first, second) in zip(self.curvature, self.pairs, strict=True):
            hessian[:, first, :, second] = hessian[:, second, :, first] = matrix / self.weight
        flat = hessian.reshape(n_rows * n_scores, n_rows * n_scores)
        flat.flat[: coef.size * (len(flat) + 1) : len(flat) + 1] += ridge
        slope = self.gradient / self.weight
        slope[:-1] += ridge * coef
        step = ridge_solution(flat, slope.ravel(), 0.0).reshape(slope.shape)
        return coef - step[:-1], constant - step[-1]


def _products(block: Any, weight: np.ndarray) -> np.ndarray:
    """Return the weighted products of all pairs of features."""
    if sparse.issparse(block):
        return np.asarray((block.T @ block.multiply(weight[:, None])).toarray())
    return np.asarray(block.T @ (block * weight[:, None]))
