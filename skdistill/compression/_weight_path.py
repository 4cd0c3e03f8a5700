"""The L1 path of a linear model: its inputs in the order in which a lasso selects them, weights refitted."""

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lars_path_gram

from .._losses import Loss
from .._threads import one_blas_thread
from .._types import LinkName
from ..compiled import Design, Linear, Network
from ..solvers import LinearInputs, solve
from ._budget import Budget
from ._losses_of_links import as_transfer_set, loss_of

MAX_INPUTS = 3000
"""Maximum number of inputs on the path: those with the largest effects; the work grows with their square."""

RIDGE = 1e-6
"""Ridge on refitted weights of standardised inputs, beside a mean loss."""


@one_blas_thread()
def select_weights(
    linear: Linear,
    X: Any,
    targets: Any,
    budget: Budget,
    *,
    link: LinkName = "identity",
    sample_weight: Any = None,
) -> Network:
    r"""Select inputs of a linear model along an L1 path [1]_, and refit their weights to the targets [2]_.

    The path is that of the lasso for the scores :math:`s` of the linear model on standardised inputs :math:`z`,

    .. math:: \min_W \sum_i w_i \lVert s_i - z_i W \rVert^2 + \alpha \lVert W \rVert_1,

    as :math:`\alpha` falls. An input is selected when it enters the path of any output. The weights of as many inputs
    as the budget allows are refitted without the penalty.

    Parameters
    ----------
    linear : Linear
        Of numbers without missing ones.
    X : ndarray or sparse matrix of shape (n_rows, n_features)
        Rows as the linear model reads them.
    targets : array-like of shape (n_rows,) or (n_rows, n_outputs)
        Values, probabilities of the second of two classes, or probabilities of all of more classes.
    budget : Budget
        Limits of the result.
    link : {"identity", "binary", "one-vs-rest", "softmax"}, default="identity"
        Link of the scores of the result.
    sample_weight : array-like of shape (n_rows,) or None, default=None
        Weight of each row; ``None`` for equal weights.

    Returns
    -------
    network : Network
        Without hidden layers, within the budget.

    Raises
    ------
    StudentSizeError
        If a single input exceeds the budget.
    ValueError
        If an argument is invalid.

    References
    ----------
    .. [1] B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, "Least Angle Regression", Annals of Statistics 2004.
    .. [2] N. Meinshausen, "Relaxed Lasso", Computational Statistics and Data Analysis 2007.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.compiled import Linear
    >>> from skdistill.compression import Budget, select_weights
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> linear = Linear(np.array([[2.0], [0.1], [1.0]]), np.zeros(1))
    >>> small = select_weights(linear, X, linear.scores(X), Budget(max_parameters=3))
    >>> small.design.numbers
    array([0, 2])
    """
    who = "select_weights"
    targets, weight = as_transfer_set(who, X, targets, sample_weight)
    loss, weight = loss_of(who, link), weight / weight.sum()
    design = Design.of(X, weight, np.zeros(linear.n_features, dtype=np.int64))
    design = replace(design, has_missing=np.zeros(linear.n_features, dtype=bool))
    order = _order(linear, X, weight, design)
    low, high = 0, len(order)
    while low < high:  # the largest number of inputs within the budget
        middle = (low + high + 1) // 2
        columns = np.sort(order[:middle])
        blank = _network(design, columns, np.zeros((len(columns), targets.shape[1])), np.zeros(targets.shape[1]))
        low, high = (middle, high) if budget.excess(blank) <= 1 else (low, middle - 1)
    while True:
        found = _refitted(X, targets, weight, loss, design, np.sort(order[:low]))
        if budget.excess(found) <= 1:
            return found
        if low <= 1:
            raise budget.too_small(who, found)
        low -= max(low // 20, 1)


def _order(linear: Linear, X: Any, weight: np.ndarray, design: Design) -> np.ndarray:
    """Return the inputs in the order in which they enter the path of any output; others do not enter it."""
    coef = linear.value.astype(np.float64) * design.scale[:, None]
    inputs = np.sort(np.argsort(-np.abs(coef).max(axis=1), kind="stable")[:MAX_INPUTS])
    inputs = inputs[np.abs(coef[inputs]).max(axis=1) > 0]
    if not len(inputs):
        return np.zeros(1, dtype=np.intp)
    gram = LinearInputs(design, X, weight).features(inputs=inputs).gram(np.ones(len(weight)))
    entered = np.full(len(inputs), np.inf)
    for moments in (gram @ coef[inputs]).T:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # collinear inputs do not enter the path
            alphas, _, path = lars_path_gram(moments, gram, n_samples=1, method="lasso")
        is_there = path != 0
        rank = np.where(is_there.any(axis=1), 1 - alphas[is_there.argmax(axis=1)] / max(alphas[0], 1e-300), np.inf)
        entered = np.minimum(entered, rank)
    order = np.argsort(entered, kind="stable")
    return inputs[order[: max(np.count_nonzero(np.isfinite(entered)), 1)]]


def _refitted(
    X: Any, targets: np.ndarray, weight: np.ndarray, loss: Loss, design: Design, columns: np.ndarray
) -> Network:
    """Return the linear model of some inputs with the smallest loss."""
    features = LinearInputs(design, X, weight).features(inputs=columns)
    coef, constant = solve(features, targets, loss, ridge=RIDGE)
    return _network(design, columns, coef, constant - features.mean @ coef)


def _network(design: Design, columns: np.ndarray, coef: np.ndarray, base: np.ndarray) -> Network:
    """Return the linear model of some inputs."""
    names = ("numbers", "center", "scale", "low", "high")
    narrow = replace(design, **{name: getattr(design, name)[columns] for name in names})
    return Network(narrow, [coef.astype(np.float32)], [], base, np.ones(len(base)))
