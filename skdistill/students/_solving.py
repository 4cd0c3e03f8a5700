r"""Weights of features: the convex regressions behind linear scores and kernels, soft labels included.

For features :math:`\phi(x)`, as deviations from their mean, coefficients :math:`A` and a constant :math:`b` minimise

.. math:: \sum_i w_i \, \ell(t_i, b + \phi(x_i) A) + \frac{\lambda}{2} \|A\|_2^2 + \alpha \|A\|_1, \quad
    \sum_i w_i = 1.

Squared error needs the features' products only. For the cross-entropy L-BFGS descends in coordinates in which these
products, weighted by the curvature that the targets promise, are the identity: some tens of passes over the rows.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import sparse
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular
from scipy.optimize import Bounds, minimize
from scipy.special import expit, logit

SMALLEST_RIDGE = 1e-10
"""As a share of the mean square of a feature: then collinear features are no trouble."""

ENDING = {"maxiter": 500, "maxfun": 1000, "maxcor": 20, "gtol": 1e-5, "ftol": 1e-9}
"""When a descent in good coordinates ends: at gradients that small, in means over rows."""

ENDING_OF_LASSO = {**ENDING, "maxiter": 2000, "maxfun": 4000, "gtol": 1e-7, "ftol": 1e-15}
"""Which coefficients are zero shows late."""

NEWTON_WORK = 1e9
"""Rows times the square of coefficients up to which steps know all second derivatives."""

NEWTON_STEPS = 50
SHORTEST_STEP = 1e-4
LEAST_PROMISED = 1e-12
"""Gain after which no further step is taken."""

KEPT_CELLS = 20_000_000
"""Features of all rows that are kept in memory; more are made anew for each pass."""

WIDEST = 3000
"""Features whose products are formed; beyond, descents know their gradients only."""

Loss = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def squared_error(scores: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of each row, of shape (n_rows,), and its gradient, of shape (n_rows, n_scores)."""
    excess = scores - targets
    return (excess**2).sum(axis=1) / 2, excess


def logistic_loss(scores: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the cross-entropy of each row and its gradient; each score is the logit of its target."""
    return (np.logaddexp(0, scores) - targets * scores).sum(axis=1), expit(scores) - targets


def softmax_loss(scores: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the cross-entropy of each row and its gradient; targets sum to one."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    proba = np.exp(shifted)
    total = proba.sum(axis=1, keepdims=True)
    proba /= total
    return np.log(total[:, 0]) - np.einsum("ij,ij->i", targets, shifted), proba - targets


LOSSES: dict[str, Loss] = {"identity": squared_error, "binary": logistic_loss, "softmax": softmax_loss}
"""By the link of the scores."""


def best_constant(link: str, targets: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the scores that are best for all rows alike; weights sum to one."""
    mean = weight @ targets
    if link == "identity":
        return mean
    mean = np.clip(mean, 1e-10, 1 - 1e-10)
    return logit(mean) if link == "binary" else np.log(mean) - np.log(mean).mean()


def promised_curvature(link: str, targets: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the curvature of the loss of each row, of shape (n_rows,), half way from the mean target to its own."""
    return _curvature(link, (targets + weight @ targets) / 2)


def curvature_at(link: str, scores: np.ndarray) -> np.ndarray:
    """Return the curvature of the loss of each row, of shape (n_rows,), the mean over its scores."""
    return _curvature(link, LOSSES[link](scores, np.zeros_like(scores))[1])


def _curvature(link: str, outputs: np.ndarray) -> np.ndarray:
    if link == "identity":
        return np.ones(len(outputs))
    return np.maximum((outputs * (1 - outputs)).mean(axis=1), 1e-6)


class Features:
    """Features of rows, block by block, of which only deviations from the mean count.

    Parameters
    ----------
    blocks : callable
        Returns an iterator over blocks of rows, each an array or sparse matrix of shape (n_rows_of_it, n_features).
    weight : ndarray of shape (n_rows,)
        Sums to one.
    n_cells : int
        Numbers in all blocks together.
    """

    def __init__(self, blocks: Callable[[], Iterator[Any]], weight: np.ndarray, n_cells: int) -> None:
        if n_cells <= KEPT_CELLS:
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
        """Return what coefficients of shape (n_features, n_scores) add to the scores of all rows."""
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
        """Return the products of the features, weighted by the curvature of the rows too, about their mean there."""
        weight, gram = self.weight * curvature, 0.0
        for rows, block in self:
            dense = block.toarray() if sparse.issparse(block) else block
            rooted = dense * np.sqrt(weight[rows])[:, None]
            gram += rooted.T @ rooted
        total = self.moments(curvature[:, None], is_centred=True)[:, 0]
        return gram - np.outer(total, total) / weight.sum()


def solve(
    features: Features,
    targets: np.ndarray,
    link: str,
    *,
    ridge: float = 0.0,
    lasso: float = 0.0,
    start: tuple[np.ndarray, np.ndarray] | None = None,
    steps: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best coefficients, of shape (n_features, n_scores), and the constant beside them.

    A descent goes on from ``start``, which may have the coefficients of the first features only, for so many steps.
    """
    n_features, constant = len(features.mean), best_constant(link, targets, features.weight)
    all_rows, factor = _Objective(features, targets, link, ridge), None
    objective: _Objective | _Quadratic = all_rows
    if n_features <= WIDEST and (link == "identity" or lasso == 0):
        gram = features.gram(promised_curvature(link, targets, features.weight))
        if link != "identity":
            factor = _factor(gram, ridge)[0]
        elif lasso == 0:
            return ridge_solution(gram, features.moments(targets), ridge), constant
        else:
            objective = _Quadratic(gram, features.moments(targets), ridge)
    coef = np.zeros((n_features, len(constant)))
    if start is not None:
        coef[: len(start[0])], constant = start
    if factor is not None and len(targets) * (coef.size + len(constant)) ** 2 <= NEWTON_WORK:
        return _newton(all_rows, coef, constant)
    ending = {**(ENDING_OF_LASSO if lasso > 0 else ENDING), **({} if steps is None else {"maxiter": steps})}
    return _descend(objective, coef, constant, factor=factor, lasso=lasso, ending=ending)


def ridge_solution(gram: np.ndarray, moments: np.ndarray, ridge: float) -> np.ndarray:
    """Return coefficients for squared error from products of features with each other and with the targets."""
    return cho_solve(_factor(gram, ridge), moments, check_finite=False)


def _factor(gram: np.ndarray, ridge: float) -> tuple[np.ndarray, bool]:
    """Return the upper Cholesky factor of products with a ridge, the smallest with which there is one."""
    least = SMALLEST_RIDGE * max(np.trace(gram) / max(len(gram), 1), 1e-20)
    while True:
        try:
            matrix = gram.copy()
            matrix.flat[:: len(gram) + 1] += ridge + least
            factor, is_lower = cho_factor(matrix, overwrite_a=True, check_finite=False)
            return np.triu(factor), is_lower
        except LinAlgError:
            least *= 10


def choose_features(gram: np.ndarray, moments: np.ndarray, n_chosen: int) -> np.ndarray:
    """Return the features that orthogonal least squares chooses, one by one; fewer where the rest is collinear.

    Each is the one that lowers the squared error most, the coefficients of all chosen ones re-solved.

    Parameters
    ----------
    gram : ndarray of shape (n_features, n_features)
        Products of the features; a ridge on its diagonal holds back features that others make up for.
    moments : ndarray of shape (n_features, n_outputs)
        Products with the targets.
    n_chosen : int >= 1
    """
    scale = np.maximum(gram.diagonal(), 1e-300)
    left, pull = gram.diagonal().copy(), moments.copy()
    n_chosen = min(n_chosen, len(gram))
    factor, chosen = np.zeros((n_chosen, len(gram))), []  # rows of the Cholesky factor, pivoted
    for step in range(n_chosen):
        is_new = left > 1e-8 * scale
        gain = np.where(is_new, (pull**2).sum(axis=1) / np.where(is_new, left, 1.0), -1.0)
        best = int(gain.argmax())
        if gain[best] <= 0:
            break
        row = (gram[best] - factor[:step, best] @ factor[:step]) / np.sqrt(left[best])
        pull -= np.outer(row, pull[best] / np.sqrt(left[best]))
        left = left - row**2
        left[best] = 0.0
        factor[step] = row
        chosen.append(best)
    return np.array(chosen, dtype=np.intp)


class _Quadratic:
    """Squared error, given the products of features; the constant is the mean."""

    def __init__(self, gram: np.ndarray, moments: np.ndarray, ridge: float) -> None:
        self.gram, self.moments, self.ridge = gram, moments, ridge

    def __call__(self, coef: np.ndarray, constant: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        half = self.gram @ coef + self.ridge * coef
        return float(np.sum(coef * (half / 2 - self.moments))), half - self.moments, np.zeros_like(constant)


class _Objective:
    """Mean loss of all rows and the ridge."""

    def __init__(self, features: Features, targets: np.ndarray, link: str, ridge: float) -> None:
        self.features, self.targets, self.loss, self.ridge = features, targets, LOSSES[link], ridge

    def __call__(self, coef: np.ndarray, constant: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Return the value and its gradients by coefficients and constant."""
        weight = self.features.weight
        value, pull = self.loss(constant + self.features.times(coef), self.targets)
        of_coef = self.features.moments(pull) + self.ridge * coef
        return float(weight @ value + self.ridge * np.sum(coef**2) / 2), of_coef, weight @ pull

    def hessian(self, coef: np.ndarray, constant: np.ndarray) -> np.ndarray:
        """Return second derivatives by coefficients, then the constant, each score by score."""
        features, (n_features, n_scores) = self.features, coef.shape
        scores = constant + features.times(coef)
        proba = self.loss(scores, np.zeros_like(scores))[1]
        hessian = np.empty((n_features + 1, n_scores, n_features + 1, n_scores))
        for first in range(n_scores):
            for second in range(first + 1):
                curved = proba[:, first] * ((first == second) - proba[:, second])
                gram = np.zeros((n_features + 1,) * 2)
                for rows, block in features:
                    with_one = np.hstack([block - features.mean, np.ones((len(block), 1))])
                    gram += with_one.T @ (with_one * (features.weight * curved)[rows, None])
                hessian[:, first, :, second] = hessian[:, second, :, first] = gram
        hessian = hessian.reshape((n_features + 1) * n_scores, -1)
        hessian.flat[: coef.size * (len(hessian) + 1) : len(hessian) + 1] += self.ridge
        return hessian


def _newton(objective: _Objective, coef: np.ndarray, constant: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Minimise by Newton's steps, halved until they gain: few of them, and as exact as floats are."""
    value, of_coef, of_constant = objective(coef, constant)
    for _ in range(NEWTON_STEPS):
        gradient = np.vstack([of_coef, of_constant]).ravel()
        step = -ridge_solution(objective.hessian(coef, constant), gradient, 0.0)
        promised, share = -float(gradient @ step), 1.0
        moves = step.reshape(-1, len(constant))
        while True:
            new = coef + share * moves[:-1], constant + share * moves[-1]
            answer = objective(*new)
            if answer[0] <= value - share * promised / 4 or share < SHORTEST_STEP:
                break
            share /= 2
        if not answer[0] <= value + LEAST_PROMISED:  # rounding errors are all that is left
            break
        (coef, constant), (value, of_coef, of_constant) = new, answer
        if promised < LEAST_PROMISED:
            break
    return coef, constant


def _descend(
    objective: Any,
    coef: np.ndarray,
    constant: np.ndarray,
    *,
    factor: np.ndarray | None,
    lasso: float,
    ending: dict[str, Any],
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise from some coefficients on: in coordinates of an upper factor of the curvature, or with a lasso.

    For the lasso coefficients are differences of two that are not negative, so that zeros are bounds, and exact.
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
        pull = of_coef.ravel()
        parts = [pull + lasso, lasso - pull] if split else [pull]
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
        options=ending,
    )
    return unpacked(answer.x)
