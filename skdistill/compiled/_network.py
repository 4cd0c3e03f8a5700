"""Networks of few layers, and as the case without hidden ones, linear scores of standardised inputs."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from ._design import Design, dense_chunks
from ._scorer import FlatData

BLOCK_ROWS = 2048
"""Rows in work at a time: what the hidden layers say of them stays in the cache."""

MIN_DEVIATION_SHARE = 1e-3
"""Deviation of a hidden unit, as a share of the largest, below which its weights are not solved for again."""


@dataclass(eq=False)
class Network(FlatData, kind="network"):
    r"""Layers of weighted sums, :math:`h_{l+1} = \max(0, h_l W_l + b_l)`, the last one without the maximum.

    Parameters
    ----------
    design : Design
        From a row's cells to the inputs :math:`h_0`.
    weights : list of ndarray of shape (n_inputs, n_hidden), ..., (n_hidden, n_outputs)
        Of any precision; sums are float64.
    biases : list of ndarray of shape (n_hidden,)
        One for each hidden layer.
    base, unit : ndarray of float64, shape (n_outputs,)
        The last layer's sums are multiplied by ``unit``, then ``base`` is added.
    pairs : ndarray of int, shape (n_pairs, 2), or None, default=None
        Pairs of inputs whose products are further inputs, behind those of the design.

    Examples
    --------
    The absolute value as the sum of two hidden units:

    >>> import numpy as np
    >>> from skdistill.compiled import Design, Network
    >>> cells = np.array([[-1.0], [1.0]])
    >>> network = Network(
    ...     Design.of(cells, np.ones(2), n_codes=np.array([0])),
    ...     weights=[np.array([[1.0, -1.0]]), np.array([[1.0], [1.0]])],
    ...     biases=[np.zeros(2)],
    ...     base=np.zeros(1),
    ...     unit=np.ones(1),
    ... )
    >>> network.scores(np.array([[0.5], [-1.0]]))
    array([[0.5],
           [1. ]])
    """

    design: Design
    weights: list[np.ndarray]
    biases: list[np.ndarray]
    base: np.ndarray
    unit: np.ndarray
    pairs: np.ndarray | None = None

    @property
    def n_features(self) -> int:
        """Columns of a row."""
        return self.design.n_features

    @property
    def n_parameters(self) -> int:
        """Numbers that were learned: weights, biases, the base, which inputs are multiplied, and where numbers bend."""
        in_all = sum(array.size for array in (*self.weights, *self.biases, self.base))
        return in_all + 2 * self._n_pairs + 2 * self.design.n_pieces

    @property
    def _n_pairs(self) -> int:
        return 0 if self.pairs is None else len(self.pairs)

    @property
    def n_ops(self) -> int:
        """Multiplications and maxima for a row; a category costs one row of weights, however many there are."""
        n_inputs = self.design.n_active + self._n_pairs
        return (
            self._n_pairs
            + n_inputs * self.weights[0].shape[1]
            + sum(array.size for array in (*self.weights[1:], *self.biases))
        )

    def scores(self, X: Any, n_jobs: int = 1) -> np.ndarray:  # noqa: ARG002
        """Return the scores, of shape (n_rows, n_outputs), as float64."""
        scores = np.empty((X.shape[0], len(self.base)))
        for rows, cells in dense_chunks(X if hasattr(X, "toarray") else np.asarray(X), BLOCK_ROWS):
            hidden = self.hidden(self.design.inputs(cells))
            scores[rows] = self.base + (hidden @ self._doubles[-1]) * self.unit
        return scores

    def hidden(self, inputs: np.ndarray) -> np.ndarray:
        """Return the last hidden layer of rows of inputs; the inputs and their products where there is none."""
        hidden = inputs if self.pairs is None else with_products(inputs, self.pairs)
        for weights, bias in zip(self._doubles[:-1], self.biases, strict=True):
            hidden = hidden @ weights
            hidden += bias
            np.maximum(hidden, 0, out=hidden)
        return hidden

    @cached_property
    def _doubles(self) -> list[np.ndarray]:
        return [weights.astype(np.float64) for weights in self.weights]

    def standardised_hidden(self, X: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the last hidden layer of coded rows, standardised as float32, and the mean and scale it had."""
        cells = X if hasattr(X, "toarray") else np.asarray(X)
        chunks = [self.hidden(self.design.inputs(dense)) for _, dense in dense_chunks(cells, BLOCK_ROWS)]
        hidden = np.concatenate(chunks)
        center, deviation = hidden.mean(axis=0), hidden.std(axis=0)
        # units that hardly ever fire would need huge weights to matter: they are left as they are
        scale = np.where(deviation > MIN_DEVIATION_SHARE * deviation.max(initial=0), deviation, np.inf)
        return ((hidden - center) / scale).astype(np.float32), center, scale

    def with_output_changed(self, change: np.ndarray, center: np.ndarray) -> Self:
        """Return the same with ``change``, of shape (n_hidden, n_outputs), added to the last layer's weights.

        It acts on hidden numbers less ``center``.
        """
        last = self.weights[-1].astype(np.float64) + change / self.unit
        fits = np.abs(last).max(initial=0) <= np.finfo(self.weights[-1].dtype).max
        rounded = last.astype(self.weights[-1].dtype if fits else np.float32)
        base = self.base - center @ (rounded - self.weights[-1].astype(np.float64)) * self.unit
        return replace(self, weights=[*self.weights[:-1], rounded], base=base)

    def scaled(self, factor: Any, shift: Any = 0.0) -> Self:
        """Return the same with scores ``factor`` times as large, plus ``shift``."""
        return replace(self, base=self.base * factor + shift, unit=self.unit * factor)

    def stored_as(self, dtype: Any) -> Self:
        """Return the same with weights of this precision, where they have more."""
        if self.weights[0].dtype.itemsize <= np.dtype(dtype).itemsize:
            return self
        biases = [bias.astype(dtype) for bias in self.biases]
        return replace(self, weights=[weights.astype(dtype) for weights in self.weights], biases=biases)


def with_products(inputs: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return rows of inputs, and behind them the products of pairs of inputs."""
    return np.hstack([inputs, inputs[:, pairs[:, 0]] * inputs[:, pairs[:, 1]]])
