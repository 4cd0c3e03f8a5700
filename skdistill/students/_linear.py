"""Compact linear models: sums of weighted inputs for soft targets, if wanted with products of some pairs of inputs."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any, Literal

import numpy as np
from scipy import sparse

from .._losses import Loss
from .._threads import one_blas_thread
from .._validation import check_number
from ..compiled import Design, Network
from ..compiled._design import CHUNK_CELLS, dense_chunks
from ..compiled._network import with_products
from ..solvers._regression import WIDEST, Features, choose_features, ridge_solution, solve
from ._student import CompactClassifier, CompactRegressor, CompactStudent

MOST_PAIRED = 200
"""Inputs that pairs are made of, those with the largest effects: the work grows with their square."""

CANDIDATES = 50
"""Pairs that are looked at more closely, beside twice as many as are wanted."""

MOST_PAIRS = 50

SPARSE_ROWS = 10_000
"""Sparse rows in work at a time."""


class _CompactLinear(CompactStudent):
    """Tables in, weights of inputs out: what classifier and regressor share."""

    def __init__(self, n_pairs: int = 0, *, penalty: Literal["l2", "l1"] = "l2", alpha: float = 1e-4) -> None:
        self.n_pairs = n_pairs
        self.penalty = penalty
        self.alpha = alpha

    def _learn(self, X: Any, targets: np.ndarray, weight: np.ndarray) -> Network:
        """Return the weights; first without pairs, to see which ones are missed."""
        self._check_parameters()
        cells, targets, weight, design = self._prepare(X, targets, weight)
        rows = _Rows(design, cells, weight / weight.sum())
        ridge, lasso = (self.alpha, 0.0) if self.penalty == "l2" else (0.0, self.alpha)
        with one_blas_thread():  # sums of several threads differ in their last digits
            features, pairs = rows.features(), None
            coef, constant = solve(features, targets, self._loss, ridge=ridge, lasso=lasso)
            if self.n_pairs > 0:
                scores = constant + features.times(coef)
                pairs = _choose_pairs(rows, coef, scores, targets, self._loss, self.n_pairs)
                features = rows.features(pairs)
                coef, constant = solve(features, targets, self._loss, ridge=ridge, lasso=lasso, start=(coef, constant))
        base = constant - (features.mean + rows.origin(pairs)) @ coef
        return Network(design, [coef.astype(np.float32)], [], base, np.ones(len(base)), pairs)

    def _params_of_size(self, n_parameters: int, n_inputs: int, n_outputs: int) -> dict[str, Any] | None:
        n_pairs = (n_parameters - (n_inputs + 1) * n_outputs) // (n_outputs + 2)
        return None if n_pairs < 0 else {"n_pairs": int(min(n_pairs, n_inputs * (n_inputs + 1) // 2, MOST_PAIRS))}

    def _check_parameters(self) -> None:
        check_number(self, "n_pairs", self.n_pairs, kind=Integral, low=0)
        check_number(self, "alpha", self.alpha, low=0)
        if self.penalty not in ("l1", "l2"):
            raise ValueError(f"{type(self).__name__}: penalty={self.penalty!r}; expected 'l1' or 'l2'.")


class _Rows:
    """Rows as inputs: dense ones, or where sparse rows have too many, sparse deviations from those of a row of zeros.

    Parameters
    ----------
    design : Design
    cells : ndarray or sparse matrix of shape (n_rows, n_features)
    weight : ndarray of shape (n_rows,)
        Sums to one.
    """

    def __init__(self, design: Design, cells: Any, weight: np.ndarray) -> None:
        self.design, self.cells, self.weight = design, cells, weight
        self.is_sparse = sparse.issparse(cells) and design.width > WIDEST
        self.zero = design.inputs(np.zeros((1, design.n_features)))[0] if self.is_sparse else np.zeros(design.width)

    def features(self, pairs: np.ndarray | None = None, inputs: Any = slice(None)) -> Features:
        """Return some of the inputs, then the products of pairs of inputs."""

        def blocks() -> Iterator[Any]:
            for block in self._blocks():
                parts = [block[:, inputs], *([] if pairs is None else [self._products(block, pairs)])]
                yield sparse.hstack(parts, format="csr") if self.is_sparse else np.hstack(parts)

        width = np.zeros(self.design.width)[inputs].size + (0 if pairs is None else len(pairs))
        return Features(blocks, self.weight, self.cells.nnz if self.is_sparse else width * len(self.weight))

    def origin(self, pairs: np.ndarray | None) -> np.ndarray:
        """Return the features of a row whose deviations are zero."""
        return self.zero if pairs is None else with_products(self.zero[None], pairs)[0]

    def dense(self, inputs: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield slices of rows and some of their inputs."""
        start = 0
        for block in self._blocks():
            stop = start + block.shape[0]
            some = block[:, inputs]
            yield slice(start, stop), some.toarray() + self.zero[inputs] if self.is_sparse else some
            start = stop

    def _blocks(self) -> Iterator[Any]:
        if not self.is_sparse:
            for _, cells in dense_chunks(self.cells, max(CHUNK_CELLS // max(self.design.width, 1), 1)):
                yield self.design.inputs(cells)
            return
        for start in range(0, len(self.weight), SPARSE_ROWS):
            yield _deviations(self.design, self.zero, self.cells[start : start + SPARSE_ROWS])

    def _products(self, block: Any, pairs: np.ndarray) -> Any:
        first, second = pairs.T
        if not self.is_sparse:
            return block[:, first] * block[:, second]
        columns = sparse.csc_matrix(block)
        one, other = columns[:, first], columns[:, second]
        crossed = one @ sparse.diags(self.zero[second]) + other @ sparse.diags(self.zero[first])
        return one.multiply(other) + crossed


def _deviations(design: Design, zero: np.ndarray, cells: Any) -> Any:
    """Return how the inputs of sparse rows differ from those of a row of zeros."""
    cells = sparse.csr_matrix(cells, dtype=np.float64, copy=True)
    cells.sum_duplicates()
    column = cells.indices
    with np.errstate(over="ignore"):
        scaled = (cells.data - design.center[column]) / design.scale[column]
    scaled = np.clip(scaled, design.low[column], design.high[column])
    missing = np.isnan(scaled)
    cells.data = np.where(missing, 0.0, scaled) - zero[column]
    has_missing = np.flatnonzero(design.has_missing)
    if len(has_missing) == 0:
        return cells
    row = np.repeat(np.arange(cells.shape[0]), np.diff(cells.indptr))[missing]
    is_known = design.has_missing[column[missing]]
    place = np.searchsorted(has_missing, column[missing][is_known])
    shape = (cells.shape[0], len(has_missing))
    flags = sparse.csr_matrix((np.ones(len(place)), (row[is_known], place)), shape=shape)
    return sparse.hstack([cells, flags], format="csr")


def _choose_pairs(
    rows: _Rows, coef: np.ndarray, scores: np.ndarray, targets: np.ndarray, loss: Loss, n_pairs: int
) -> np.ndarray:
    """Return the pairs of inputs, of shape (n_pairs, 2), whose products are missed most beside the inputs.

    All products are compared, each alone, by their correlation with the loss's gradient; the best of them by
    orthogonal least squares towards it.
    """
    gradient, curved = loss.gradient(scores, targets), loss.curvature(loss.outputs(scores))
    inputs = np.sort(np.argsort(-np.abs(coef).sum(axis=1), kind="stable")[:MOST_PAIRED])
    first, second = np.triu_indices(len(inputs))
    weight = rows.weight * curved
    products, squares = np.zeros((2, len(inputs), len(inputs)))
    of_gradient = np.zeros((gradient.shape[1], len(inputs), len(inputs)))
    for part, block in rows.dense(inputs):
        heavy = block * weight[part, None]
        products += block.T @ heavy
        squares += (block**2).T @ (block * heavy)
        for of_output, values in zip(of_gradient, (rows.weight[:, None] * gradient)[part].T, strict=True):
            of_output += block.T @ (block * values[:, None])
    spread = (squares - products**2 / weight.sum())[first, second]
    is_varied = spread > 1e-8 * squares[first, second]
    gain = np.where(is_varied, (of_gradient[:, first, second] ** 2).sum(axis=0) / np.where(is_varied, spread, 1), -1)
    best = np.argsort(-gain, kind="stable")[: 2 * n_pairs + CANDIDATES]
    best = best[gain[best] > 0]
    pairs = np.column_stack([inputs[first[best]], inputs[second[best]]])
    features = rows.features(pairs, inputs)
    gram, moments, n_inputs = features.gram(curved), features.moments(gradient), len(inputs)
    across = gram[:n_inputs, n_inputs:]
    beside = gram[n_inputs:, n_inputs:] - across.T @ ridge_solution(gram[:n_inputs, :n_inputs], across, 0.0)
    return pairs[choose_features(beside, moments[n_inputs:], n_pairs)]


class CompactLinearClassifier(CompactClassifier, _CompactLinear):
    r"""Weighted sums of inputs for soft targets: logistic regression, taught with probabilities [1]_.

    Inputs :math:`z` are standardised numbers, indicators of missing ones and of categories. Weights minimise

    .. math:: -\frac{\sum_i w_i \sum_k q_{ik} \log p_{ik}}{\sum_i w_i} + \alpha P(W), \qquad
        p_i = \operatorname{softmax}(b + z_i W);

    two classes need one sum. Numbers outside the range of the fit count as its edge.

    Parameters
    ----------
    n_pairs : int >= 0, default=0
        Products of two inputs, squares among them, that are inputs too: those that the sum misses most, by orthogonal
        least squares [2]_. Fewer where fewer differ.
    penalty : {"l2", "l1"}, default="l2"
        :math:`P`: half the sum of squares, or the sum of absolute values, with which weights become exactly zero.
    alpha : float >= 0, default=0.0001
        Strength of the penalty, beside a mean loss over rows. Intercepts are free.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels.
    scorer_ : Network
        The weights, without hidden layers; one score for each class, a single one for two classes.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactLinearRegressor : The same for values.

    References
    ----------
    .. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", 2015.
    .. [2] S. Chen, C. F. N. Cowan, P. M. Grant, "Orthogonal Least Squares Learning Algorithm for Radial Basis Function
       Networks", IEEE Transactions on Neural Networks 1991.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactLinearClassifier
    >>> X = np.linspace(0, 1, 200).reshape(-1, 1)
    >>> targets = np.hstack([1 - X, X])
    >>> student = CompactLinearClassifier().fit_soft(X, targets, classes=["no", "yes"])
    >>> student.predict([[0.1], [0.9]])
    array(['no', 'yes'], dtype='<U3')
    """


class CompactLinearRegressor(CompactRegressor, _CompactLinear):
    r"""Weighted sums of inputs for values: least squares.

    Inputs :math:`z` are standardised numbers, indicators of missing ones and of categories. Outputs :math:`t` are
    standardised for the fit. Weights minimise

    .. math:: \frac{\sum_i w_i \|t_i - b - z_i W\|^2}{2 \sum_i w_i} + \alpha P(W).

    Numbers outside the range of the fit count as its edge.

    Parameters
    ----------
    n_pairs : int >= 0, default=0
        Products of two inputs, squares among them, that are inputs too: those that the sum misses most, by orthogonal
        least squares [1]_. Fewer where fewer differ.
    penalty : {"l2", "l1"}, default="l2"
        :math:`P`: half the sum of squares, or the sum of absolute values, with which weights become exactly zero.
    alpha : float >= 0, default=0.0001
        Strength of the penalty, beside a mean loss over rows. Intercepts are free.

    Attributes
    ----------
    scorer_ : Network
        The weights, without hidden layers.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Names of the columns, for frames.

    See Also
    --------
    CompactLinearClassifier : The same for classes.

    References
    ----------
    .. [1] S. Chen, C. F. N. Cowan, P. M. Grant, "Orthogonal Least Squares Learning Algorithm for Radial Basis Function
       Networks", IEEE Transactions on Neural Networks 1991.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.students import CompactLinearRegressor
    >>> X = np.random.default_rng(0).uniform(-1, 1, size=(200, 2))
    >>> student = CompactLinearRegressor(n_pairs=1).fit(X, 3 * X[:, 0] + X[:, 0] * X[:, 1])
    >>> student.predict([[0.5, 0.5]]).round(2)
    array([1.75])
    """
