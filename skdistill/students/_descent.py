r"""Descent: the weights of a small network by Adam, in float32, on one flat vector.

Every loss here is that of its link (squared error of the identity, cross-entropy of the logistic function and of the
softmax), so that the gradient with respect to the scores is always answer minus target. At a temperature :math:`T` the
target is softened and the scores are divided by :math:`T`; the loss is multiplied by :math:`T^2`, so that gradients
keep their size [1]_.

.. [1] G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network", 2015, arXiv:1503.02531.
.. [2] D. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.
.. [3] I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import expit, logit

from .._progress import Progress
from ..compiled import Design, Network
from ..compiled._design import CHUNK_CELLS, dense_chunks
from ..exceptions import StudentError
from ..targets import soften, softmax

ANSWERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda scores: scores,
    "binary": expit,
    "one-vs-rest": expit,
    "softmax": softmax,
}
"""From scores to what is compared with the targets, by link."""

MOST_INPUTS = 50_000_000
"""Inputs of all rows that are made at once; they take four bytes each."""

BLOCK_ROWS = 10_000
"""Rows that are judged at a time."""

FEWEST_HELD_OUT, MOST_HELD_OUT = 5, 2000
"""Rows that tell when to stop: with fewer nothing is held out."""

WARM_UP = 0.03
"""Share of the steps in which the rate grows to its height."""

FORGET_MEAN, FORGET_SQUARES = 0.1, 0.01
"""Weights of the latest gradient in Adam's averages: of gradients, and of their squares."""

RESTARTS = 3
"""Times that a diverging descent starts anew, each with a quarter of the rate."""


class Layers:
    """Weights and biases as views of one flat vector, in the order W_0, b_0, W_1, ...

    Parameters
    ----------
    widths : sequence of int
        Inputs, hidden units of each layer, outputs.
    dtype : numpy dtype
    """

    def __init__(self, widths: Sequence[int], dtype: Any = np.float32) -> None:
        shapes = [shape for n_in, n_out in pairwise(widths) for shape in ((n_in, n_out), (n_out,))]
        bounds = np.cumsum([0, *(int(np.prod(shape)) for shape in shapes)])
        self.shapes = shapes
        self.slices = [slice(start, stop) for start, stop in pairwise(bounds)]
        self.vector = np.zeros(bounds[-1], dtype=dtype)

    def views(self, vector: np.ndarray) -> list[np.ndarray]:
        """Return the arrays that a vector of all parameters holds."""
        return [vector[part].reshape(shape) for part, shape in zip(self.slices, self.shapes, strict=True)]

    def initialise(self, size_of_inputs: float, best_constant: np.ndarray, rng: np.random.RandomState) -> None:
        """Draw weights so that each unit's mean square is about one (He et al., 2015); first answers are constant.

        ``size_of_inputs`` is the mean of a row's squares, summed over its inputs.
        """
        arrays = self.views(self.vector)
        for layer, array in enumerate(arrays[::2]):
            squares = size_of_inputs if layer == 0 else len(array)
            array[:] = rng.normal(scale=np.sqrt(2 / squares), size=array.shape)
        arrays[-2] *= np.float32(0.3)
        arrays[-1][:] = best_constant


def forward(parameters: list[np.ndarray], inputs: np.ndarray) -> list[np.ndarray]:
    """Return the inputs, each hidden layer, and the scores."""
    layers = [inputs]
    for index in range(0, len(parameters), 2):
        sums = layers[-1] @ parameters[index]
        sums += parameters[index + 1]
        if index + 2 < len(parameters):
            np.maximum(sums, 0, out=sums)
        layers.append(sums)
    return layers


def backward(
    parameters: list[np.ndarray], layers: list[np.ndarray], pull: np.ndarray, gradient: list[np.ndarray]
) -> None:
    """Write the gradient of a loss whose gradient with respect to the scores is ``pull``."""
    for index in range(len(parameters) - 2, -1, -2):
        hidden = layers[index // 2]
        np.matmul(hidden.T, pull, out=gradient[index])
        np.sum(pull, axis=0, out=gradient[index + 1])
        if index:
            pull = pull @ parameters[index].T
            pull *= hidden > 0


class Inputs:
    """The inputs of rows less their mean, batch by batch: all made at once where they fit, else anew for each batch.

    Parameters
    ----------
    design : Design
    cells : ndarray or sparse matrix of shape (n_rows, n_features)
    """

    def __init__(self, design: Design, cells: Any) -> None:
        self.design, self.cells = design, cells
        self.whole: np.ndarray | None = None
        total, squares = np.zeros(design.width), 0.0
        chunks = []
        for _, dense in dense_chunks(cells, max(CHUNK_CELLS // max(design.width, 1), 1)):
            chunk = design.inputs(dense, np.float32)
            total += chunk.sum(axis=0, dtype=np.float64)
            squares += float(np.einsum("ij,ij->", chunk, chunk, dtype=np.float64))
            if cells.shape[0] * design.width <= MOST_INPUTS:
                chunks.append(chunk)
        self.mean = (total / cells.shape[0]).astype(np.float32)
        self.size = max(squares / cells.shape[0] - float(self.mean @ self.mean), 1.0)
        """Mean of a row's squares, summed over its inputs."""
        if chunks:
            self.whole = np.concatenate(chunks)
            self.whole -= self.mean

    def take(self, rows: np.ndarray) -> np.ndarray:
        """Return the inputs of some rows, float32 of shape (n_rows, width)."""
        if self.whole is not None:
            return self.whole.take(rows, axis=0)
        cells = self.cells[rows]
        return self.design.inputs(cells.toarray() if hasattr(cells, "toarray") else cells, np.float32) - self.mean


@dataclass(frozen=True)
class Descent:
    """How weights are found.

    Attributes
    ----------
    n_epochs : int or "auto"
        Passes over the rows at most.
    batch_size : int or "auto"
        Rows of a step.
    learning_rate : float
        At its height, after a short warm-up; from there it falls to zero.
    weight_decay : float
        Share of each weight that a step takes away, times the rate.
    validation_fraction : float
        Share of the rows that tell when to stop.
    n_iter_no_change : int
        Epochs without progress after which it stops.
    temperature : callable or None
        From the share of the training that is over to the temperature.
    verbose : int
    """

    n_epochs: int | str
    batch_size: int | str
    learning_rate: float
    weight_decay: float
    validation_fraction: float
    n_iter_no_change: int
    temperature: Callable[[float], float] | None = None
    verbose: int = 0


@dataclass(frozen=True)
class Lesson:
    """What a network is taught: inputs of rows, targets, weights, and the link of its scores."""

    inputs: Inputs
    targets: np.ndarray
    weight: np.ndarray
    link: str

    def at(self, temperature: float) -> np.ndarray:
        """Return the targets softened by a temperature."""
        if temperature == 1:
            return self.targets
        if self.link == "softmax":
            return soften(self.targets, temperature).astype(np.float32)
        pairs = [soften(np.column_stack([1 - column, column]), temperature)[:, 1] for column in self.targets.T]
        return np.column_stack(pairs).astype(np.float32)

    @property
    def best_constant(self) -> np.ndarray:
        """Return the scores that are best for all rows alike."""
        mean = np.average(self.targets, axis=0, weights=self.weight)
        if self.link == "identity":
            return mean
        mean = np.clip(mean, 1e-6, 1 - 1e-6)
        return np.log(mean) if self.link == "softmax" else logit(mean)

    def error(self, parameters: list[np.ndarray], rows: np.ndarray) -> float:
        """Return the weighted squares of answers minus targets on some rows: what fidelity loses, on another scale."""
        total = 0.0
        for start in range(0, len(rows), BLOCK_ROWS):
            some = rows[start : start + BLOCK_ROWS]
            answers = ANSWERS[self.link](forward(parameters, self.inputs.take(some))[-1])
            total += float(self.weight[some] @ ((answers - self.targets[some]) ** 2).sum(axis=1))
        return total / float(self.weight[rows].sum())


def fit_network(
    design: Design,
    cells: Any,
    targets: np.ndarray,
    weight: np.ndarray,
    link: str,
    hidden: Sequence[int],
    how: Descent,
    rng: np.random.RandomState,
) -> tuple[Network, list[float]]:
    """Return a network fitted to coded rows, and its error on rows held out after each epoch.

    Raises
    ------
    StudentError
        If the descent diverges, also at smaller and smaller rates.
    """
    weight = (weight / weight.mean()).astype(np.float32)
    lesson = Lesson(Inputs(design, cells), targets.astype(np.float32), weight, link)
    held_out, taught = split(np.arange(len(weight)), how.validation_fraction, rng)
    seed, rate = rng.randint(2**31 - 1), how.learning_rate
    for _ in range(RESTARTS + 1):
        layers = Layers([design.width, *hidden, targets.shape[1]])
        errors = descend(layers, lesson, taught, held_out, how, rate, np.random.RandomState(seed))
        if errors is not None:
            return as_network(design, layers, lesson.inputs.mean), errors
        rate /= 4
    raise StudentError(
        f"a network of {list(hidden)} hidden units diverged at every learning rate from {how.learning_rate:g} to "
        f"{rate * 4:g}. Pass a smaller learning_rate, or look for extreme targets."
    )


def split(rows: np.ndarray, share: float, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Return rows held out and the others; all of them are both where there are too few."""
    n_held_out = int(min(share * len(rows), MOST_HELD_OUT))
    if n_held_out < FEWEST_HELD_OUT:
        return rows, rows
    order = rng.permutation(rows)
    return order[:n_held_out], order[n_held_out:]


def descend(
    layers: Layers,
    lesson: Lesson,
    taught: np.ndarray,
    held_out: np.ndarray,
    how: Descent,
    rate: float,
    rng: np.random.RandomState,
) -> list[float] | None:
    """Set the layers to the best weights on rows held out; return the errors there, or ``None`` if it diverges."""
    layers.initialise(lesson.inputs.size, lesson.best_constant, rng)
    parameters = layers.views(layers.vector)
    batch_size = auto_batch_size(len(taught)) if isinstance(how.batch_size, str) else how.batch_size
    n_epochs = auto_epochs(len(taught)) if isinstance(how.n_epochs, str) else how.n_epochs
    n_steps = -(-len(taught) // batch_size)
    adam = Adam(layers, rate, how.weight_decay, n_steps * n_epochs)
    best, errors = layers.vector.copy(), [lesson.error(parameters, held_out)]
    progress = Progress("descending", n_epochs, how.verbose, "epochs")
    with np.errstate(over="ignore", invalid="ignore"):
        for epoch in range(n_epochs):
            temperature = 1.0 if how.temperature is None else how.temperature(epoch / max(n_epochs - 1, 1))
            targets, order = lesson.at(temperature), rng.permutation(taught)
            for start in range(0, len(order), batch_size):
                rows = order[start : start + batch_size]
                hidden = forward(parameters, lesson.inputs.take(rows))
                pull = ANSWERS[lesson.link](hidden[-1] / temperature) - targets[rows]
                pull *= (lesson.weight[rows] * np.float32(temperature / len(rows)))[:, None]
                backward(parameters, hidden, pull, adam.gradients)
                adam.step()
            errors.append(lesson.error(parameters, held_out))
            if not np.isfinite(layers.vector).all() or not errors[-1] <= 10 * errors[0]:
                return None
            if errors[-1] <= min(errors):
                best[:] = layers.vector
            progress.update(epoch + 1)
            if len(errors) - 1 - int(np.argmin(errors)) >= how.n_iter_no_change:
                break
    layers.vector[:] = best
    return errors


class Adam:
    """Adam [2]_ with decoupled weight decay [3]_, in place; the rate warms up and then falls to zero as a cosine."""

    def __init__(self, layers: Layers, rate: float, weight_decay: float, n_steps: int) -> None:
        self.vector, self.rate, self.weight_decay, self.n_steps = layers.vector, rate, weight_decay, n_steps
        self.gradient, self.mean, self.squares, self.change = (np.zeros_like(layers.vector) for _ in range(4))
        self.gradients = layers.views(self.gradient)
        self.taken = 0

    def step(self) -> None:
        """Change the vector by the gradient that was written."""
        self.taken += 1
        share = self.taken / self.n_steps
        rate = self.rate * min(1.0, share / WARM_UP) * (1 + np.cos(np.pi * share)) / 2
        mean_bias, squares_bias = 1 - (1 - FORGET_MEAN) ** self.taken, 1 - (1 - FORGET_SQUARES) ** self.taken
        gradient, change = self.gradient, self.change
        np.subtract(gradient, self.mean, out=change)
        change *= np.float32(FORGET_MEAN)
        self.mean += change
        np.multiply(gradient, gradient, out=change)
        change -= self.squares
        change *= np.float32(FORGET_SQUARES)
        self.squares += change
        np.sqrt(self.squares, out=change)
        change += np.float32(1e-8)
        np.divide(self.mean, change, out=change)
        change *= np.float32(rate * np.sqrt(squares_bias) / mean_bias)
        self.vector *= np.float32(1 - self.weight_decay * rate)
        self.vector -= change


def auto_epochs(n_rows: int) -> int:
    """Return the passes over the rows: fewer the more rows there are, so that the steps are not many more."""
    return int(np.clip(20 * 33_000 // n_rows, 10, 20))


def auto_batch_size(n_rows: int) -> int:
    """Return the rows of a step: smaller ones for fewer rows, which then get more steps."""
    return 64 if n_rows < 5000 else 128 if n_rows < 15_000 else 256


def as_network(design: Design, layers: Layers, mean: np.ndarray) -> Network:
    """Return the layers as a network; weights of half precision cost half the bytes and no fidelity.

    The mean that was taken from the inputs goes to the first bias.
    """
    arrays = layers.views(layers.vector)
    weights, biases = [array.astype(np.float16) for array in arrays[::2]], arrays[1::2]
    biases[0] = biases[0] - mean @ weights[0].astype(np.float32)
    return Network(design, weights, biases[:-1], biases[-1].astype(np.float64), np.ones(len(biases[-1])))
