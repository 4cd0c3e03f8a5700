r"""Regularised regression with coefficients of given signs, for linear models that are monotone in some columns.

The problem is that of :mod:`._regression`, a convex one, with bounds: :math:`A_{jk} \ge 0` or :math:`A_{jk} \le 0` for
some inputs :math:`j` and scores :math:`k`. L-BFGS-B minimises it in coordinates in which each feature has unit
curvature.
"""

import numpy as np
from scipy.optimize import Bounds, minimize

from .._losses import Loss
from ._regression import LASSO_OPTIONS, MAX_GRAM_FEATURES, Features, _Objective, _Quadratic


def solve_with_signs(
    features: Features,
    targets: np.ndarray,
    loss: Loss,
    signs: np.ndarray,
    *,
    ridge: float = 0.0,
    lasso: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the coefficients, of shape (n_features, n_scores), and the intercept that minimise the regularised loss.

    Parameters
    ----------
    features : Features
    targets : ndarray of shape (n_rows, n_outputs)
    loss : Loss
    signs : ndarray of int, shape (n_features, n_scores)
        1 where a coefficient must not be negative, -1 where it must not be positive, 0 where it is free.
    ridge, lasso : float >= 0, default=0.0
        Strengths of the penalties.
    """
    mean = features.weight @ targets
    constant = loss.centred(loss.best_constant(mean))
    objective: _Objective | _Quadratic = _Objective(features, targets, loss, ridge)
    if loss.is_quadratic and len(features.mean) <= MAX_GRAM_FEATURES:
        ones = np.ones(len(targets))
        objective = _Quadratic(features.gram(ones), features.moments(targets), ridge)
    unit = _units(features, loss, (targets + mean) / 2, ridge)
    return _minimised(objective, unit, constant, signs, lasso)


def signed_solution(
    gram: np.ndarray, moments: np.ndarray, signs: np.ndarray, *, ridge: float, lasso: float
) -> np.ndarray:
    """Return the coefficients of given signs that minimise the squared error, from the sums of a ridge regression."""
    unit, constant = _units_of(np.maximum(gram.diagonal(), 0) + ridge), np.zeros(moments.shape[1])
    return _minimised(_Quadratic(gram, moments, ridge), unit, constant, signs, lasso)[0]


def _units(features: Features, loss: Loss, outputs: np.ndarray, ridge: float) -> np.ndarray:
    """Return the scale of each coefficient for which its curvature is one, of shape (n_features, 1)."""
    weight = features.weight * loss.curvature(outputs)
    squares = np.zeros(len(features.mean))
    for rows, block in features:
        power = block.power(2) if hasattr(block, "power") else block**2
        squares += power.T @ weight[rows]
    return _units_of(np.maximum(squares - weight.sum() * features.mean**2, 0) + ridge)


def _units_of(squares: np.ndarray) -> np.ndarray:
    return 1 / np.sqrt(np.maximum(squares, 1e-10 * max(squares.max(initial=0), 1e-300)))[:, None]


def _minimised(
    objective: _Objective | _Quadratic, unit: np.ndarray, constant: np.ndarray, signs: np.ndarray, lasso: float
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise over positive and negative parts of coefficients, of which the sign may rule out one.

    Without a lasso, both parts of a free coefficient share one that has no bound.
    """
    (n_features, n_scores), is_split = signs.shape, lasso > 0

    def unpacked(point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inner = point[:-n_scores].reshape(-1, n_features, n_scores)
        return unit * (inner[0] - inner[1] if is_split else inner[0]), point[-n_scores:]

    def value_and_gradient(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, of_coef, of_constant = objective(*unpacked(point))
        gradient = (unit * of_coef).ravel()
        price = np.tile((lasso * unit * np.ones(n_scores)).ravel(), 2) if is_split else np.zeros(gradient.size)
        whole = np.concatenate([gradient, -gradient]) if is_split else gradient
        return value + float(price @ point[:-n_scores]), np.concatenate([whole + price, of_constant])

    free = np.full(n_scores, np.inf)
    if is_split:
        low = np.zeros(2 * signs.size)
        high = np.concatenate([np.where(signs < 0, 0, np.inf).ravel(), np.where(signs > 0, 0, np.inf).ravel()])
    else:
        low, high = np.where(signs > 0, 0, -np.inf).ravel(), np.where(signs < 0, 0, np.inf).ravel()
    answer = minimize(
        value_and_gradient,
        np.concatenate([np.zeros(len(low)), constant]),
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(np.append(low, -free), np.append(high, free)),
        options=LASSO_OPTIONS,
    )
    return unpacked(answer.x)
