"""Feed-forward networks; without hidden layers, linear scores of standardised inputs."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from ._design import Design, dense_chunks, for_each_dense_chunk
from ._scorer import FlatData

LAYER_BLOCK_ROWS = 2048
"""Number of rows of which a kernel machine, or a network that is refitted, computes hidden units at a time, so that
these fit in the processor's cache."""

BLOCK_NUMBERS = 2**17
"""Size of the widest layer of a block of rows that is scored, in numbers: small enough for the cache, and so large that
threads, which wait for each other between calls of numpy, mostly work."""

MIN_BLOCK_ROWS, MAX_BLOCK_ROWS = 512, 8192
"""Minimum and maximum number of rows of such a block."""

MIN_DEVIATION_SHARE = 1e-3
"""Hidden units whose standard deviation is a smaller share of the largest one are excluded from refitting."""


@dataclass(eq=False)
class Network(FlatData, kind="network"):
    r"""A network with rectified hidden layers, :math:`h_{l+1} = \max(0, h_l W_l + b_l)`, and a linear last layer.

    Parameters
    ----------
    design : Design
        Maps cells to the inputs :math:`h_0`.
    weights : list of ndarray of shape (n_inputs, n_hidden), ..., (n_hidden, n_outputs)
        Weights of each layer, of any precision; sums are computed in float64.
    biases : list of ndarray of shape (n_hidden,)
        Biases of each hidden layer.
    base, unit : ndarray of float64, shape (n_outputs,)
        The sums of the last layer are multiplied by ``unit``, then ``base`` is added.
    pairs : ndarray of int, shape (n_pairs, 2), or None, default=None
        Pairs of inputs whose products are appended to the inputs of the design.

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
        """Number of columns of a row."""
        return self.design.n_features

    @property
    def n_parameters(self) -> int:
        """Number of learned parameters: weights, biases, the base, pairs of inputs, and knots of the encoding."""
        in_all = sum(array.size for array in (*self.weights, *self.biases, self.base))
        return in_all + 2 * self._n_pairs + 2 * self.design.n_pieces

    @property
    def _n_pairs(self) -> int:
        return 0 if self.pairs is None else len(self.pairs)

    @property
    def n_ops(self) -> int:
        """Number of multiplications and maxima per row; a categorical column uses the weights of one category."""
        n_inputs = self.design.n_active + self._n_pairs
        return (
            self._n_pairs
            + n_inputs * self.weights[0].shape[1]
            + sum(array.size for array in (*self.weights[1:], *self.biases))
        )

    def scores(self, X: Any, n_jobs: int = 1) -> np.ndarray:
        """Return the scores, of shape (n_rows, n_outputs), as float64."""
        scores, last = np.empty((X.shape[0], len(self.base))), self._doubles[-1]

        def score(rows: slice, cells: np.ndarray) -> None:
            scores[rows] = self.base + (self.hidden(self.design.inputs(cells)) @ last) * self.unit

        for_each_dense_chunk(score, X if hasattr(X, "toarray") else np.asarray(X), self._block_rows, n_jobs)
        return scores

    @cached_property
    def _block_rows(self) -> int:
        widest = max(max(weights.shape) for weights in self.weights)
        return int(np.clip(BLOCK_NUMBERS // max(widest, 1), MIN_BLOCK_ROWS, MAX_BLOCK_ROWS))

    def hidden(self, inputs: np.ndarray) -> np.ndarray:
        """Return the last hidden layer for rows of inputs; without hidden layers, the inputs and their products."""
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
        """Return the last hidden layer of encoded rows, standardised as float32, and its mean and scale."""
        cells = X if hasattr(X, "toarray") else np.asarray(X)
        chunks = [self.hidden(self.design.inputs(dense)) for _, dense in dense_chunks(cells, LAYER_BLOCK_ROWS)]
        hidden = np.concatenate(chunks)
        center, deviation = hidden.mean(axis=0), hidden.std(axis=0)
        # units that are almost always inactive would need very large weights, so their weights stay unchanged
        scale = np.where(deviation > MIN_DEVIATION_SHARE * deviation.max(initial=0), deviation, np.inf)
        return ((hidden - center) / scale).astype(np.float32), center, scale

    def with_output_changed(self, change: np.ndarray, center: np.ndarray) -> Self:
        """Return a copy with ``change``, of shape (n_hidden, n_outputs), added to the weights of the last layer.

        The change applies to the hidden units minus ``center``.
        """
        last = self.weights[-1].astype(np.float64) + change / self.unit
        fits = np.abs(last).max(initial=0) <= np.finfo(self.weights[-1].dtype).max
        rounded = last.astype(self.weights[-1].dtype if fits else np.float32)
        base = self.base - center @ (rounded - self.weights[-1].astype(np.float64)) * self.unit
        return replace(self, weights=[*self.weights[:-1], rounded], base=base)

    def scaled(self, factor: Any, shift: Any = 0.0) -> Self:
        """Return a copy whose scores are multiplied by ``factor``, plus ``shift``."""
        return replace(self, base=self.base * factor + shift, unit=self.unit * factor)

    def stored_as(self, dtype: Any) -> Self:
        """Return a copy with weights rounded to at most this precision."""
        if self.weights[0].dtype.itemsize <= np.dtype(dtype).itemsize:
            return self
        biases = [bias.astype(dtype) for bias in self.biases]
        return replace(self, weights=[weights.astype(dtype) for weights in self.weights], biases=biases)


def with_products(inputs: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return rows of inputs with the products of pairs of inputs appended."""
    return np.hstack([inputs, inputs[:, pairs[:, 0]] * inputs[:, pairs[:, 1]]])
