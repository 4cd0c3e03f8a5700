"""Networks of few layers, and as the case without hidden ones, linear scores of standardised inputs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from ._design import Design, dense_chunks

BLOCK_ROWS = 2048
"""Rows in work at a time: what the hidden layers say of them stays in the cache."""


@dataclass(eq=False)
class Network:
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

    Examples
    --------
    |x| as the sum of two hidden units:

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

    @property
    def n_features(self) -> int:
        """Columns of a row."""
        return self.design.n_features

    @property
    def n_parameters(self) -> int:
        """Numbers that were learned: weights, biases and the base."""
        return sum(array.size for array in (*self.weights, *self.biases, self.base))

    @property
    def n_ops(self) -> int:
        """Multiplications and maxima for a row; a category costs one row of weights, however many there are."""
        n_inputs = self.design.n_active
        return n_inputs * self.weights[0].shape[1] + sum(array.size for array in (*self.weights[1:], *self.biases))

    def scores(self, X: Any, n_jobs: int = 1) -> np.ndarray:  # noqa: ARG002
        """Return the scores, of shape (n_rows, n_outputs), as float64."""
        scores = np.empty((X.shape[0], len(self.base)))
        for rows, cells in dense_chunks(X if hasattr(X, "toarray") else np.asarray(X), BLOCK_ROWS):
            hidden = self.hidden(self.design.inputs(cells))
            scores[rows] = self.base + (hidden @ self._doubles[-1]) * self.unit
        return scores

    def hidden(self, inputs: np.ndarray) -> np.ndarray:
        """Return the last hidden layer of rows of inputs; the inputs themselves where there is none."""
        hidden = inputs
        for weights, bias in zip(self._doubles[:-1], self.biases, strict=True):
            hidden = hidden @ weights
            hidden += bias
            np.maximum(hidden, 0, out=hidden)
        return hidden

    @cached_property
    def _doubles(self) -> list[np.ndarray]:
        return [weights.astype(np.float64) for weights in self.weights]

    def scaled(self, factor: Any, shift: Any = 0.0) -> Self:
        """Return the same with scores ``factor`` times as large, plus ``shift``."""
        return replace(self, base=self.base * factor + shift, unit=self.unit * factor)

    def stored_as(self, dtype: Any) -> Self:
        """Return the same with weights of this precision, where they have more."""
        if self.weights[0].dtype.itemsize <= np.dtype(dtype).itemsize:
            return self
        biases = [bias.astype(dtype) for bias in self.biases]
        return replace(self, weights=[weights.astype(dtype) for weights in self.weights], biases=biases)

    # ------------------------------------------------------------------ one row

    def row_lines(self) -> list[str]:
        """Return code that sets the scores of one row; rows with missing cells take the long way."""
        scores = ", ".join(f"s{output}" for output in range(len(self.base)))
        design = self.design
        numbers = "cells" if design.is_plain else f"[{', '.join(f'cells[{column}]' for column in design.numbers)}]"
        lines = [f"    h = minimum(maximum(array({numbers}, float), low), high).dot(w0)"]
        if design.n_codes.any():
            columns = np.flatnonzero(design.n_codes)
            first = design.first_input[columns] - design.n_before_codes
            codes = [
                f"{start} + int(cells[{column}]) if -1 < cells[{column}] < {design.n_codes[column]} else -1"
                for start, column in zip(first, columns, strict=True)
            ]
            lines.append(f"    h += of_code[[{', '.join(codes)}]].sum(0)")
        for layer in range(1, len(self.weights)):
            lines += [f"    h += b{layer - 1}", f"    h = maximum(h, 0.0).dot(w{layer})"]
        lines += [f"    h += b{len(self.biases)}", f"    {scores}, = h.tolist()"]
        return [*lines, "    if s0 != s0:", f"        {scores}, = row_with_missing(cells)"]

    def row_names(self) -> dict[str, Any]:
        """Return what the code mentions; scale and unit are folded into the weights."""
        weights, biases = list(self._doubles), [*(bias.astype(np.float64) for bias in self.biases), self.base]
        weights[-1] = weights[-1] * self.unit
        no_code = np.zeros((1, weights[0].shape[1]))
        of_code = np.vstack([weights[0][self.design.n_before_codes :], no_code])
        low, high, center, scale = self.design.bounds
        weights[0] = weights[0][: len(scale)] / scale[:, None]
        biases[0] = biases[0] - center @ weights[0]
        names = {"minimum": np.minimum, "maximum": np.maximum, "low": low, "high": high, "of_code": of_code}
        names |= {f"w{layer}": array for layer, array in enumerate(weights)}
        names |= {f"b{layer}": array for layer, array in enumerate(biases)}
        return names | {"row_with_missing": self._row_with_missing}

    def _row_with_missing(self, cells: Sequence[float]) -> list[float]:
        return self.scores(np.array([cells], dtype=np.float64))[0].tolist()

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}
