"""Networks of few layers, and as the case without hidden ones, linear scores of standardised inputs."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from ._design import Design, dense_chunks
from ._packing import pack_fields, unpack_fields

BLOCK_ROWS = 2048
"""Rows in work at a time: what the hidden layers say of them stays in the cache."""

FILL = "        copyto(z, missing, where=isnan(z))"
"""What a row with missing cells pays for, and no other: they are NaN until then."""

QUIET = 1e-3
"""Deviation of a hidden unit, as a share of the largest, below which its weights are not solved for again."""


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
        scale = np.where(deviation > QUIET * deviation.max(initial=0), deviation, np.inf)
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

    # ------------------------------------------------------------------ one row

    def row_lines(self) -> list[str]:
        """Return code that sets the scores of one row."""
        scores = ", ".join(f"s{output}" for output in range(len(self.base)))
        design = self.design
        if self.pairs is None:
            lines = [f"    z = {_clipped(design)}", "    h = z.dot(w0)"]
            lines += ["    if h.item(0) != h.item(0):", FILL, "        h = z.dot(w0)"]
            if design.has_codes:
                lines.append(f"    h += of_code[{_places_of_codes(design, -design.n_before_codes)}].sum(0)")
        else:
            lines = input_lines(design)
            lines += ["    h = z.dot(w0)", "    h += (z.take(first) * z.take(second)).dot(of_pair)"]
        for layer in range(1, len(self.weights)):
            lines += [f"    h += b{layer - 1}", f"    h = maximum(h, 0.0).dot(w{layer})"]
        return [*lines, f"    h += b{len(self.biases)}", f"    {scores}, = h.tolist()"]

    @property
    def takes_array(self) -> bool:
        """Whether the code of a row takes an array as it is, rather than a list of floats."""
        return not self.design.has_codes

    def row_names(self) -> dict[str, Any]:
        """Return what the code mentions; scale and unit are folded into the weights."""
        weights, biases = list(self._doubles), [*(bias.astype(np.float64) for bias in self.biases), self.base]
        weights[-1] = weights[-1] * self.unit
        design, of_inputs = self.design, weights[0][: self.design.width]
        no_code, names = np.zeros((1, of_inputs.shape[1])), input_names(design)
        if self.pairs is None:
            center, scale = names["center"], names["scale"]
            weights[0] = of_inputs[: len(scale)] / scale[:, None]
            biases[0] = biases[0] - center @ weights[0]
            names["missing"] = names["missing"] + center
            names["of_code"] = np.vstack([of_inputs[design.n_before_codes :], no_code])
        else:
            names |= {"first": self.pairs[:, 0].astype(np.intp), "second": self.pairs[:, 1].astype(np.intp)}
            names["of_pair"] = weights[0][design.width :]
            weights[0] = np.vstack([of_inputs, no_code]) if design.has_codes else of_inputs
        names |= {f"w{layer}": array for layer, array in enumerate(weights)}
        return names | {f"b{layer}": array for layer, array in enumerate(biases)}

    # ------------------------------------------------------------------ pickle: small

    def __getstate__(self) -> dict[str, Any]:
        return pack_fields(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(unpack_fields(state))


def with_products(inputs: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return rows of inputs, and behind them the products of pairs of inputs."""
    return np.hstack([inputs, inputs[:, pairs[:, 0]] * inputs[:, pairs[:, 1]]])


def input_lines(design: Design) -> list[str]:
    """Return code that sets ``z``, the inputs of one row.

    Where there are more inputs than numbers, one more than there are stands behind them, for codes that are unknown.
    """
    filled = ["    length = z.dot(z)", "    if length != length:", FILL]
    lines = [f"    z = ({_clipped(design)} - center) / scale", *filled]
    if not design.has_codes:
        return lines
    lines += [f"    inputs = zeros({design.width + 1})", f"    inputs[:{design.n_before_codes}] = z", "    z = inputs"]
    return [*lines, f"    z[{_places_of_codes(design)}] = 1.0"]


def input_names(design: Design) -> dict[str, Any]:
    """Return what :func:`input_lines` mentions."""
    functions = {"minimum": np.minimum, "maximum": np.maximum, "zeros": np.zeros, "isnan": np.isnan}
    return functions | {"copyto": np.copyto} | design.before_codes()


def _clipped(design: Design) -> str:
    """Return the expression of a row's numbers and indicators, clipped to their range; NaN stays."""
    cells = "array(cells, float)" if design.is_plain else "array(cells, float).take(columns)"
    return f"minimum(maximum({cells}, low), high)"


def _places_of_codes(design: Design, shift: int = 0) -> str:
    """Return the expression of the inputs that a row's categories set, -1 where they are unknown."""
    columns = np.flatnonzero(design.n_codes)
    codes = [
        f"{first + shift} + int(cells[{column}]) if -1 < cells[{column}] < {design.n_codes[column]} else -1"
        for first, column in zip(design.first_input[columns], columns, strict=True)
    ]
    return f"[{', '.join(codes)}]"
