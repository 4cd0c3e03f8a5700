r"""Regularised regression on features, for any loss: the convex problems behind linear models and kernel machines.

For features :math:`\phi(x)`, centred, the coefficients :math:`A` and the intercept :math:`b` minimise

.. math:: \sum_i w_i \, \ell(t_i, b + \phi(x_i) A) + \frac{\lambda}{2} \|A\|_2^2 + \alpha \|A\|_1, \quad
    \sum_i w_i = 1.

The squared error needs the Gram matrix of the features only. The cross-entropy is minimised by Newton's method where
the problem is small, and otherwise by L-BFGS in coordinates in which the Gram matrix, weighted by an estimate of the
curvature, is the identity: some tens of passes over the rows.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular
from scipy.optimize import Bounds, minimize

from .._losses import Loss

MIN_RIDGE = 1e-10
"""Minimum ridge, as a share of the mean square of a feature, so that features may be collinear."""

LBFGS_OPTIONS = {"maxiter": 500, "maxfun": 1000, "maxcor": 20, "gtol": 1e-5, "ftol": 1e-9}
"""Options of L-BFGS in coordinates with unit curvature; gradients are means over rows."""

LASSO_OPTIONS = {**LBFGS_OPTIONS, "maxiter": 2000, "maxfun": 4000, "gtol": 1e-7, "ftol": 1e-15}
"""Options of L-BFGS with a lasso, which needs more iterations to find out which coefficients are zero."""

MAX_NEWTON_WORK = 1e9
"""Bounds the work of one Newton step, rows times the square of the coefficients; larger problems use L-BFGS."""

MAX_NEWTON_STEPS = 50
MIN_STEP_LENGTH = 1e-4
"""Bounds how far the line search shortens a Newton step."""

MIN_EXPECTED_GAIN = 1e-12
"""Minimum decrease of the loss that a Newton step must promise."""

MAX_CELLS_IN_MEMORY = 20_000_000
"""Bounds the features of all rows that are kept in memory; beyond it they are computed again for each pass."""

MAX_GRAM_FEATURES = 3000
"""Bounds the features whose Gram matrix is formed; with more, L-BFGS has gradients only."""


class Features:
    """Centred features of rows, block by block.

    Parameters
    ----------
    blocks : callable
        Returns an iterator over blocks of rows, each an array or sparse matrix of shape (n_rows_of_it, n_features).
    weight : ndarray of shape (n_rows,)
        Sums to one.
    n_cells : int
        Number of features of all rows together.
    """

    def __init__(self, blocks: Callable[[], Iterator[Any]], weight: np.ndarray, n_cells: int) -> None:
        if n_cells <= MAX_CELLS_IN_MEMORY:
            kept = list(blocks())
            self.blocks: Callable[[], Iterator[Any]] = lambda: iter(kept)
        else:
            self.blocks = blocks
        self.weight = weight
        self.mean = np.asarray(self.moments(np.ones((len(weight), 1)), is_centred=True)[:, 0])

    def __iter__(self) -> Iterator[tuple[slice, Any]]:
        start = 0
        for block in self.blocks():
            yield slice(start, start + block.shape[0]), block
            start += block.shape[0]

    def times(self, coef: np.ndarray) -> np.ndarray:
        """Return the product of all rows with coefficients of shape (n_features, n_scores)."""
        scores = np.empty((len(self.weight), coef.shape[1]))
        for rows, block in self:
            scores[rows] = block @ coef
        scores -= self.mean @ coef
        return scores

    def moments(self, values: np.ndarray, *, is_centred: bool = False) -> np.ndarray:
        """Return the weighted products of features and values of the rows, of shape (n_features, n_values)."""
        weighted = values * self.weight[:, None]
        total = sum(block.T @ weighted[rows] for rows, block in self)
        return total if is_centred else total - np.outer(self.mean, weighted.sum(axis=0))

    def gram(self, curvature: np.ndarray) -> np.ndarray:
        """Return the Gram matrix of the features, weighted and centred by weight times curvature of the rows."""
        weight, gram = self.weight * curvature, 0.0
        for rows, block in self:
            if sparse.issparse(block):
                gram += (block.T @ block.multiply(weight[rows, None])).toarray()
                continue
            rooted = block * np.sqrt(weight[rows])[:, None]
            gram += rooted.T @ rooted
        total = self.moments(curvature[:, None], is_centred=True)[:, 0]
        return gram - np.outer(total, total) / weight.sum()


def solve(
    features: Features,
    targets: np.ndarray,
    loss: Loss,
    *,
    ridge: float = 0.0,
    lasso: float = 0.0,
    start: tuple[np.ndarray, np.ndarray] | None = None,
    steps: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the coefficients, of shape (n_features, n_scores), and the intercept that minimise the regularised loss.

    Iterations start from ``start``, which may hold the coefficients of the first features only; ``steps`` bounds those
    of L-BFGS.
    """
    mean = features.weight @ targets
    n_features, constant = len(features.mean), loss.centred(loss.best_constant(mean))
    all_rows, factor = _Objective(features, targets, loss, ridge), None
    objective: _Objective | _Quadratic = all_rows
    if n_features <= MAX_GRAM_FEATURES and (loss.is_quadratic or lasso == 0):
        gram = features.gram(loss.curvature((targets + mean) / 2))  # half way from the mean target to the row's own
        if not loss.is_quadratic:
            factor = _factor(gram, ridge)[0]
        elif lasso == 0:
            return ridge_solution(gram, features.moments(targets), ridge), constant
        else:
            objective = _Quadratic(gram, features.moments(targets), ridge)
    coef = np.zeros((n_features, len(constant)))
    if start is not None:
        coef[: len(start[0])], constant = start
    if factor is not None and len(targets) * (coef.size + len(constant)) ** 2 <= MAX_NEWTON_WORK:
        return _newton(all_rows, coef, constant)
    options = {**(LASSO_OPTIONS if lasso > 0 else LBFGS_OPTIONS), **({} if steps is None else {"maxiter": steps})}
    return _lbfgs(objective, coef, constant, factor=factor, lasso=lasso, options=options)


def ridge_solution(gram: np.ndarray, moments: np.ndarray, ridge: float) -> np.ndarray:
    """Return the coefficients of ridge regression from the Gram matrix and the products with the targets."""
    if not moments.size:  # the oldest scipy cannot solve for nothing
        return np.zeros_like(moments)
    return cho_solve(_factor(gram, ridge), moments, check_finite=False)


def lasso_solution(gram: np.ndarray, moments: np.ndarray, lasso: float, start: np.ndarray) -> np.ndarray:
    """Return the coefficients that minimise the squared error with a lasso, from the sums of a ridge regression."""
    objective, constant = _Quadratic(gram, moments, 0.0), np.zeros(moments.shape[1])
    return _lbfgs(objective, start, constant, factor=None, lasso=lasso, options=LASSO_OPTIONS)[0]


def _factor(gram: np.ndarray, ridge: float) -> tuple[np.ndarray, bool]:
    """Return the upper Cholesky factor of a Gram matrix with a ridge, raised until there is one."""
    least = MIN_RIDGE * max(np.trace(gram) / max(len(gram), 1), 1e-20)
    while True:
        try:
            matrix = gram.copy()
            matrix.flat[:: len(gram) + 1] += ridge + least
            factor, is_lower = cho_factor(matrix, overwrite_a=True, check_finite=False)
            return np.triu(factor), is_lower
        except LinAlgError:
            least *= 10


def choose_features(gram: np.ndarray, moments: np.ndarray, n_chosen: int) -> np.ndarray:
    """Return the features that orthogonal least squares selects, one by one; fewer where the rest is collinear.

    Each one lowers the squared error most, with the coefficients of all selected features fitted again.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features)
        Gram matrix; a ridge on its diagonal penalises features that nearly depend on selected ones.
    moments : ndarray of shape (n_features, n_outputs)
        Products with the targets.
    n_chosen : int >= 1
    """
    scale = np.maximum(gram.diagonal(), 1e-300)
    left, residual = gram.diagonal().copy(), moments.copy()
    n_chosen = min(n_chosen, len(gram))
    factor, chosen = np.zeros((n_chosen, len(gram))), []  # rows of the Cholesky factor, pivoted
    for step in range(n_chosen):
        is_new = left > 1e-8 * scale
        gain = np.where(is_new, (residual**2).sum(axis=1) / np.where(is_new, left, 1.0), -1.0)
        best = int(gain.argmax())
        if gain[best] <= 0:
            break
        row = (gram[best] - factor[:step, best] @ factor[:step]) / np.sqrt(left[best])
        residual -= np.outer(row, residual[best] / np.sqrt(left[best]))
        left = left - row**2
        left[best] = 0.0
        factor[step] = row
        chosen.append(best)
    return np.array(chosen, dtype=np.intp)


class _Quadratic:
    """Squared error as a function of coefficients, given the Gram matrix; the intercept is the mean target."""

    def __init__(self, gram: np.ndarray, moments: np.ndarray, ridge: float) -> None:
        self.gram, self.moments, self.ridge = gram, moments, ridge

    def __call__(self, coef: np.ndarray, constant: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        half = self.gram @ coef + self.ridge * coef
        return float(np.sum(coef * (half / 2 - self.moments))), half - self.moments, np.zeros_like(constant)


class _Objective:
    """Mean loss of all rows and the ridge penalty, as a function of coefficients and intercept."""

    def __init__(self, features: Features, targets: np.ndarray, loss: Loss, ridge: float) -> None:
        self.features, self.targets, self.loss, self.ridge = features, targets, loss, ridge

    def __call__(self, coef: np.ndarray, constant: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the value and its gradients with respect to coefficients and intercept."""
        weight = self.features.weight
        value, gradient = self.loss.value_and_gradient(constant + self.features.times(coef), self.targets)
        of_coef = self.features.moments(gradient) + self.ridge * coef
        return float(weight @ value + self.ridge * np.sum(coef**2) / 2), of_coef, weight @ gradient

    def hessian(self, coef: np.ndarray, constant: np.ndarray) -> np.ndarray:
        """Return second derivatives with respect to coefficients, then the intercept, each score by score."""
        features, (n_features, n_scores) = self.features, coef.shape
        outputs = self.loss.outputs(constant + features.times(coef))
        hessian = np.empty((n_features + 1, n_scores, n_features + 1, n_scores))
        for first in range(n_scores):
            for second in range(first + 1):
                curved = self.loss.second_derivative(outputs, first, second)
                gram = np.zeros((n_features + 1,) * 2)
                for rows, block in features:
                    dense = block.toarray() if sparse.issparse(block) else block
                    with_one = np.hstack([dense - features.mean, np.ones((len(dense), 1))])
                    gram += with_one.T @ (with_one * (features.weight * curved)[rows, None])
                hessian[:, first, :, second] = hessian[:, second, :, first] = gram
        hessian = hessian.reshape((n_features + 1) * n_scores, -1)
        hessian.flat[: coef.size * (len(hessian) + 1) : len(hessian) + 1] += self.ridge
        return hessian


def _newton(objective: _Objective, coef: np.ndarray, constant: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minimise by Newton's method with backtracking, to the precision of floats."""
    value, of_coef, of_constant = objective(coef, constant)
    for _ in range(MAX_NEWTON_STEPS):
        gradient = np.vstack([of_coef, of_constant]).ravel()
        step = -ridge_solution(objective.hessian(coef, constant), gradient, 0.0)
        expected, share = -float(gradient @ step), 1.0
        moves = step.reshape(-1, len(constant))
        while True:
            new = coef + share * moves[:-1], constant + share * moves[-1]
            answer = objective(*new)
            if answer[0] <= value - share * expected / 4 or share < MIN_STEP_LENGTH:
                break
            share /= 2
        if not answer[0] <= value + MIN_EXPECTED_GAIN:  # rounding errors are all that is left
            break
        (coef, constant), (value, of_coef, of_constant) = new, answer
        if expected < MIN_EXPECTED_GAIN:
            break
    return coef, constant


def _lbfgs(
    objective: Any,
    coef: np.ndarray,
    constant: np.ndarray,
    *,
    factor: np.ndarray | None,
    lasso: float,
    options: dict[str, Any],
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise by L-BFGS: in coordinates of an upper factor of the curvature if there is one, or with a lasso.

    For the lasso, a coefficient is the difference of two that are not negative, so that zeros are bounds and exact.
    """
    split, n_scores = lasso > 0, len(constant)

    def unpacked(point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inner = point[:-n_scores].reshape(-1, *coef.shape)
        inner = inner[0] - inner[1] if split else inner[0]
        return inner if factor is None else solve_triangular(factor, inner, check_finite=False), point[-n_scores:]

    def value_and_gradient(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, of_coef, of_constant = objective(*unpacked(point))
        if factor is not None:
            of_coef = solve_triangular(factor, of_coef, trans="T", check_finite=False)
        gradient = of_coef.ravel()
        parts = [gradient + lasso, lasso - gradient] if split else [gradient]
        return value + lasso * point[:-n_scores].sum() * split, np.concatenate([*parts, of_constant])

    inner = coef if factor is None else factor @ coef
    parts = [np.maximum(inner, 0).ravel(), np.maximum(-inner, 0).ravel()] if split else [inner.ravel()]
    lowest = np.concatenate([np.zeros(2 * coef.size), np.full(n_scores, -np.inf)])
    answer = minimize(
        value_and_gradient,
        np.concatenate([*parts, constant]),
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(lowest, np.inf) if split else None,
        options=options,
    )
    return unpacked(answer.x)
