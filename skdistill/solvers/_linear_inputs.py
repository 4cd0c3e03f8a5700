"""Inputs of linear models: standardised columns of many rows, dense or sparse, and the products of selected pairs."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

from .._losses import Loss
from ..compiled import Design
from ..compiled._design import CHUNK_CELLS, dense_chunks
from ..compiled._network import with_products
from ._regression import MAX_GRAM_FEATURES, Features, choose_features, ridge_solution

MAX_PAIRED_INPUTS = 200
"""Bounds the inputs whose pairs are compared, those with the largest effects; the work grows with their square."""

EXTRA_CANDIDATES = 50
"""Number of pairs, beside twice as many as are wanted, that orthogonal least squares selects from."""

MIN_SPARSE_INPUTS, MIN_SPARSE_RATIO = 500, 20
"""Inputs of dense rows are sparse if there are more than the first number, and more than the second number times the
maximum number of nonzero inputs of a row: columns with many categories."""

SPARSE_BLOCK_ROWS = 10_000
"""Number of sparse rows that are processed at a time."""


class LinearInputs:
    """The inputs of rows: dense, or where most of many are zero, sparse.

    Of sparse rows with many columns, they are differences from the inputs of a row of zeros.

    Parameters
    ----------
    design : Design
    cells : ndarray or sparse matrix of shape (n_rows, n_features)
    weight : ndarray of shape (n_rows,)
        Sums to one.
    """

    def __init__(self, design: Design, cells: Any, weight: np.ndarray) -> None:
        self.design, self.cells, self.weight = design, cells, weight
        self.has_sparse_rows = sparse.issparse(cells) and design.width > MAX_GRAM_FEATURES
        is_mostly_zero = design.width > max(MIN_SPARSE_INPUTS, MIN_SPARSE_RATIO * design.n_active)
        self.is_sparse = self.has_sparse_rows or (is_mostly_zero and not sparse.issparse(cells))
        zeros = np.zeros((1, design.n_features))
        self.zero = design.inputs(zeros)[0] if self.has_sparse_rows else np.zeros(design.width)

    def features(self, pairs: np.ndarray | None = None, inputs: Any = slice(None)) -> Features:
        """Return some of the inputs, then the products of pairs of inputs."""
        width = np.zeros(self.design.width)[inputs].size + (0 if pairs is None else len(pairs))
        active = self.design.n_active if self.is_sparse else width
        n_cells = self.cells.nnz if self.has_sparse_rows else min(active, width) * len(self.weight)
        return Features(partial(self.blocks, pairs, inputs), self.weight, n_cells)

    def blocks(self, pairs: np.ndarray | None = None, inputs: Any = slice(None)) -> Iterator[Any]:
        """Yield blocks of rows of some of the inputs, then of the products of pairs of inputs."""
        for block in self._blocks():
            parts = [block[:, inputs], *([] if pairs is None else [self._products(block, pairs)])]
            yield sparse.hstack(parts, format="csr") if self.is_sparse else np.hstack(parts)

    def origin(self, pairs: np.ndarray | None) -> np.ndarray:
        """Return the features of the row that sparse differences are taken from."""
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
        if not self.has_sparse_rows:
            width = self.design.n_active if self.is_sparse else self.design.width
            inputs = partial(_sparse_inputs, self.design) if self.is_sparse else self.design.inputs
            for _, cells in dense_chunks(self.cells, max(CHUNK_CELLS // max(width, 1), 1)):
                yield inputs(cells)
            return
        for start in range(0, len(self.weight), SPARSE_BLOCK_ROWS):
            yield _deviations(self.design, self.zero, self.cells[start : start + SPARSE_BLOCK_ROWS])

    def _products(self, block: Any, pairs: np.ndarray) -> Any:
        first, second = pairs.T
        if not self.is_sparse:
            return block[:, first] * block[:, second]
        columns = sparse.csc_matrix(block)
        one, other = columns[:, first], columns[:, second]
        crossed = one @ sparse.diags(self.zero[second]) + other @ sparse.diags(self.zero[first])
        return one.multiply(other) + crossed


def _sparse_inputs(design: Design, cells: np.ndarray) -> Any:
    """Return the inputs of dense rows as a sparse matrix."""
    row, column, code = design.codes_of(cells)
    places = row, design.first_input[column] - design.n_before_codes + code
    flags = sparse.csr_matrix((np.ones(len(row)), places), shape=(len(cells), design.width - design.n_before_codes))
    without_codes = replace(design, n_codes=np.zeros_like(design.n_codes))
    return sparse.hstack([without_codes.inputs(cells), flags], format="csr")


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


def choose_pairs(
    rows: LinearInputs,
    coef: np.ndarray,
    scores: np.ndarray,
    targets: np.ndarray,
    loss: Loss,
    n_pairs: int,
    may_interact: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """Return the pairs of inputs, of shape (n_pairs, 2), whose products lower the loss most beside the inputs.

    All products are ranked by their correlation with the gradient of the loss; among the best of them orthogonal least
    squares selects those that fit it together. ``may_interact`` says of the positions of two inputs, as arrays, whether
    their products are allowed.
    """
    gradient, curved = loss.gradient(scores, targets), loss.curvature(loss.outputs(scores))
    inputs = np.sort(np.argsort(-np.abs(coef).sum(axis=1), kind="stable")[:MAX_PAIRED_INPUTS])
    first, second = _places_of_pairs(inputs, may_interact)
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
    best = np.argsort(-gain, kind="stable")[: 2 * n_pairs + EXTRA_CANDIDATES]
    best = best[gain[best] > 0]
    pairs = np.column_stack([inputs[first[best]], inputs[second[best]]])
    features = rows.features(pairs, inputs)
    gram, moments, n_inputs = features.gram(curved), features.moments(gradient), len(inputs)
    across = gram[:n_inputs, n_inputs:]
    beside = gram[n_inputs:, n_inputs:] - across.T @ ridge_solution(gram[:n_inputs, :n_inputs], across, 0.0)
    return pairs[choose_features(beside, moments[n_inputs:], n_pairs)]


def _places_of_pairs(inputs: np.ndarray, may_interact: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the places, among some inputs, of both members of each pair that is allowed, squares included."""
    first, second = np.triu_indices(len(inputs))
    if may_interact is None:
        return first, second
    is_allowed = may_interact(inputs[first], inputs[second])
    return first[is_allowed], second[is_allowed]
