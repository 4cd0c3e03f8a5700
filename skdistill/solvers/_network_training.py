r"""Training of small networks: Adam, in float32, on one flat vector of parameters.

At a temperature :math:`T` the targets are softened and the scores are divided by :math:`T`; the loss is multiplied by
:math:`T^2`, so that gradients keep their size [1]_.

.. [1] G. Hinton, O. Vinyals and J. Dean, "Distilling the Knowledge in a Neural Network", 2015, arXiv:1503.02531.
.. [2] D. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.
.. [3] I. Loshchilov and F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from .._losses import Loss
from .._progress import Progress
from ..compiled import Design, Network
from ..compiled._design import CHUNK_CELLS, dense_chunks
from ..exceptions import StudentError
from ._additional_losses import AdditionalLoss, RunningLoss
from ._network_start import Shrinking, write_start

MAX_CELLS_IN_MEMORY = 50_000_000
"""Bounds the inputs of all rows that are kept in memory, at four bytes each; beyond it each batch computes its own."""

BLOCK_ROWS = 10_000
"""Number of validation rows that pass through the network at a time."""

MIN_VALIDATION_ROWS, MAX_VALIDATION_ROWS = 5, 2000
"""Bound the number of rows held out for early stopping; with fewer than the first, all rows serve for both."""

MEAN_MARGIN = 1e-6
"""Bounds the distance of mean probabilities to 0 and to 1; float32 would lose a smaller one."""

WARM_UP_SHARE = 0.03
"""Share of the steps in which the learning rate grows from zero to its maximum."""

MEAN_UPDATE, SQUARES_UPDATE = 0.1, 0.01
"""Weights of the latest gradient in Adam's moving averages of gradients and of their squares (1 - beta)."""

MAX_RESTARTS = 3
"""Bounds how often a diverging training starts again, each time with a quarter of the learning rate."""


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
        """Draw weights so that each unit's mean square is about one (He et al., 2015), about constant scores.

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
    parameters: list[np.ndarray],
    layers: list[np.ndarray],
    by_output: np.ndarray,
    gradient: list[np.ndarray],
    by_hidden: np.ndarray | None = None,
) -> None:
    """Write the gradient by the parameters, given the gradient ``by_output`` with respect to the scores.

    ``by_hidden`` is that of an additional loss with respect to the last hidden layer.
    """
    for index in range(len(parameters) - 2, -1, -2):
        hidden = layers[index // 2]
        np.matmul(hidden.T, by_output, out=gradient[index])
        np.sum(by_output, axis=0, out=gradient[index + 1])
        if index:
            by_output = by_output @ parameters[index].T
            if by_hidden is not None:
                by_output += by_hidden
                by_hidden = None
            by_output *= hidden > 0


class Inputs:
    """The centred inputs of rows: computed once where they fit in memory, otherwise for each batch.

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
            if cells.shape[0] * design.width <= MAX_CELLS_IN_MEMORY:
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
class OptimizerSettings:
    """Settings of the optimiser.

    Attributes
    ----------
    n_epochs : int or "auto"
        Maximum number of passes over the rows.
    batch_size : int or "auto"
        Number of rows of a step.
    learning_rate : float
        Maximum, reached after a short warm-up; from there it falls to zero.
    weight_decay : float
        Share of each weight that a step takes away, times the learning rate.
    validation_fraction : float
        Share of the rows that are held out for early stopping.
    n_iter_no_change : int
        Number of epochs without improvement after which training stops.
    temperature : callable or None
        Maps the share of the training that is over to the temperature.
    verbose : int
    shrinking : Shrinking or None
        What is shrunk of the network that training starts from.
    """

    n_epochs: int | str
    batch_size: int | str
    learning_rate: float
    weight_decay: float
    validation_fraction: float
    n_iter_no_change: int
    temperature: Callable[[float], float] | None = None
    verbose: int = 0
    shrinking: Shrinking | None = None

    def temperature_at(self, share: float) -> float:
        """Return the temperature after a share of the training."""
        return 1.0 if self.temperature is None else self.temperature(share)

    def sizes_for(self, n_rows: int) -> tuple[int, int]:
        """Return the number of epochs and the number of rows of a step, for a number of training rows."""
        return (
            auto_epochs(n_rows) if isinstance(self.n_epochs, str) else self.n_epochs,
            auto_batch_size(n_rows) if isinstance(self.batch_size, str) else self.batch_size,
        )


@dataclass(frozen=True)
class TrainingData:
    """What a network is trained on: inputs of rows, targets, weights, the loss of its scores, and additional losses."""

    inputs: Inputs
    targets: np.ndarray
    weight: np.ndarray
    loss: Loss
    additional: Sequence[AdditionalLoss] = ()

    def targets_at(self, temperature: float) -> np.ndarray:
        """Return the targets softened by a temperature."""
        return self.targets if temperature == 1 else self.loss.softened(self.targets, temperature)

    @property
    def best_constant(self) -> np.ndarray:
        """Return the constant scores that minimise the loss."""
        return self.loss.best_constant(np.average(self.targets, axis=0, weights=self.weight), MEAN_MARGIN)

    def validation_error(self, parameters: list[np.ndarray], rows: np.ndarray) -> float:
        """Return the weighted mean squared distance of outputs to targets on some rows."""
        total = 0.0
        for start in range(0, len(rows), BLOCK_ROWS):
            some = rows[start : start + BLOCK_ROWS]
            scores = forward(parameters, self.inputs.take(some))[-1]
            total += float(self.weight[some] @ self.loss.validation_loss(scores, self.targets[some]))
        return total / float(self.weight[rows].sum())


def fit_network(
    design: Design,
    cells: Any,
    targets: np.ndarray,
    weight: np.ndarray,
    loss: Loss,
    hidden: Sequence[int],
    settings: OptimizerSettings,
    rng: np.random.RandomState,
    start: Network | None = None,
    additional: Sequence[AdditionalLoss] = (),
) -> tuple[Network, list[float]]:
    """Return a network fitted to coded rows, and its validation error before the first epoch and after each.

    Training starts from random weights, or from the network ``start`` of the same design and hidden units. Losses that
    are ``additional`` to that of the scores count in training, but not in the validation error.

    Raises
    ------
    StudentError
        If the training diverges, at lower and lower learning rates too.
    """
    weight = (weight / weight.mean()).astype(np.float32)
    data = TrainingData(Inputs(design, cells), targets.astype(np.float32), weight, loss, additional)
    validation, training = split_rows(len(weight), settings.validation_fraction, rng)
    seed, rate = rng.randint(2**31 - 1), settings.learning_rate
    for _ in range(MAX_RESTARTS + 1):
        layers = Layers([design.width, *hidden, targets.shape[1]])
        errors = train(layers, data, training, validation, settings, rate, np.random.RandomState(seed), start)
        if errors is not None:
            return as_network(design, layers, data.inputs.mean), errors
        rate /= 4
    raise StudentError(
        f"a network of {list(hidden)} hidden units diverged at every learning rate from {settings.learning_rate:g} to "
        f"{rate * 4:g}. Pass a smaller learning_rate, or look for extreme targets."
    )


def split_rows(n_rows: int, share: float, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Return validation rows and training rows; all rows are both where there are too few."""
    n_validation, rows = count_validation_rows(n_rows, share), np.arange(n_rows)
    if n_validation == n_rows:
        return rows, rows
    order = rng.permutation(rows)
    return order[:n_validation], order[n_validation:]


def count_validation_rows(n_rows: int, share: float) -> int:
    """Return the number of validation rows; these are all rows where there are too few."""
    n_validation = int(min(share * n_rows, MAX_VALIDATION_ROWS))
    return n_rows if n_validation < MIN_VALIDATION_ROWS else n_validation


def train(
    layers: Layers,
    data: TrainingData,
    training: np.ndarray,
    validation: np.ndarray,
    settings: OptimizerSettings,
    rate: float,
    rng: np.random.RandomState,
    start: Network | None = None,
) -> list[float] | None:
    """Set the layers to the parameters of the best epoch; return the validation errors, or ``None`` if it diverges."""
    parameters, drawn, most = begin(layers, data, validation, rng, start)
    errors = [data.validation_error(parameters, validation)]
    n_epochs, batch_size = settings.sizes_for(len(training))
    adam = Adam(layers, rate, settings.weight_decay, -(-len(training) // batch_size) * n_epochs)
    running = [added.begin(data, parameters, rate, adam.n_steps) for added in data.additional]
    best = layers.vector.copy()
    progress = Progress("training", n_epochs, settings.verbose, "epochs")
    with progress, np.errstate(over="ignore", invalid="ignore"):
        for epoch in range(n_epochs):
            share = epoch / max(n_epochs - 1, 1)
            if start is not None and settings.shrinking is not None:
                settings.shrinking.shrink(parameters[::2], drawn[::2], share, rng)
            order, temperature = rng.permutation(training), settings.temperature_at(share)
            train_epoch(parameters, adam, data, order, batch_size, temperature, running)
            errors.append(data.validation_error(parameters, validation))
            if not np.isfinite(layers.vector).all() or not errors[-1] <= most:
                return None
            if errors[-1] <= min(errors):
                best[:] = layers.vector
            end_epoch(running, parameters, validation, errors)
            progress.update(epoch + 1)
            if len(errors) - 1 - int(np.argmin(errors)) >= settings.n_iter_no_change:
                break
    layers.vector[:] = best
    return errors


def begin(
    layers: Layers, data: TrainingData, validation: np.ndarray, rng: np.random.RandomState, start: Network | None
) -> tuple[list[np.ndarray], list[np.ndarray], float]:
    """Return the first parameters, freshly drawn ones, and the validation error above which a training diverges.

    This error is ten times that of freshly drawn parameters: a start may have hardly any.
    """
    layers.initialise(data.inputs.size, data.best_constant, rng)
    parameters, drawn = layers.views(layers.vector), layers.views(layers.vector.copy())
    most = 10 * data.validation_error(parameters, validation)
    if start is not None:
        write_start(parameters, start, data.inputs.mean)
    return parameters, drawn, most


def train_epoch(
    parameters: list[np.ndarray],
    adam: "Adam",
    data: TrainingData,
    order: np.ndarray,
    batch_size: int,
    temperature: float,
    running: Sequence[RunningLoss] = (),
) -> None:
    """Take one optimiser step for each batch of rows in some order."""
    targets = data.targets_at(temperature)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        hidden = forward(parameters, data.inputs.take(rows))
        gradient = data.loss.gradient(hidden[-1] / temperature, targets[rows])
        gradient *= (data.weight[rows] * np.float32(temperature / len(rows)))[:, None]
        by_hidden = add_gradients(running, rows, hidden, gradient) if running else None
        backward(parameters, hidden, gradient, adam.gradients, by_hidden)
        adam.step()


def add_gradients(
    running: Sequence[RunningLoss], rows: np.ndarray, layers: list[np.ndarray], by_scores: np.ndarray
) -> np.ndarray | None:
    """Add the gradients of additional losses to that by the scores; return their gradient by the last hidden layer."""
    by_hidden: np.ndarray | None = None
    for added in running:
        more_by_scores, more_by_hidden = added.gradients(rows, layers)
        if more_by_scores is not None:
            by_scores += more_by_scores
        if more_by_hidden is not None:
            by_hidden = more_by_hidden if by_hidden is None else by_hidden + more_by_hidden
    return by_hidden


def end_epoch(
    running: Sequence[RunningLoss], parameters: list[np.ndarray], validation: np.ndarray, errors: list[float]
) -> None:
    """Let the additional losses look at the network after an epoch."""
    for added in running:
        added.end_epoch(parameters, validation, errors)


class Adam:
    """Adam [2]_ with decoupled weight decay [3]_, in place; after a warm-up the learning rate falls as a cosine."""

    def __init__(self, layers: Layers, rate: float, weight_decay: float, n_steps: int) -> None:
        self.vector, self.rate, self.weight_decay, self.n_steps = layers.vector, rate, weight_decay, n_steps
        self.gradient, self.mean, self.squares, self.change = (np.zeros_like(layers.vector) for _ in range(4))
        self.gradients = layers.views(self.gradient)
        self.taken = 0

    def step(self) -> None:
        """Update the parameters by the gradient that was written."""
        self.taken += 1
        share = self.taken / self.n_steps
        rate = self.rate * min(1.0, share / WARM_UP_SHARE) * (1 + np.cos(np.pi * share)) / 2
        mean_bias, squares_bias = 1 - (1 - MEAN_UPDATE) ** self.taken, 1 - (1 - SQUARES_UPDATE) ** self.taken
        gradient, change = self.gradient, self.change
        np.subtract(gradient, self.mean, out=change)
        change *= np.float32(MEAN_UPDATE)
        self.mean += change
        np.multiply(gradient, gradient, out=change)
        change -= self.squares
        change *= np.float32(SQUARES_UPDATE)
        self.squares += change
        np.sqrt(self.squares, out=change)
        change += np.float32(1e-8)
        np.divide(self.mean, change, out=change)
        change *= np.float32(rate * np.sqrt(squares_bias) / mean_bias)
        self.vector *= np.float32(1 - self.weight_decay * rate)
        self.vector -= change


def auto_epochs(n_rows: int) -> int:
    """Return the number of epochs, which falls with the number of rows so that the number of steps hardly grows."""
    return int(np.clip(20 * 33_000 // n_rows, 10, 20))


def auto_batch_size(n_rows: int) -> int:
    """Return the number of rows of a step, smaller for small tables, which then get more steps."""
    return 64 if n_rows < 5000 else 128 if n_rows < 15_000 else 256


def as_network(design: Design, layers: Layers, mean: np.ndarray) -> Network:
    """Return the layers as a network whose weights have half precision, which halves the bytes and costs no fidelity.

    The first bias takes up the mean of the inputs.
    """
    arrays = layers.views(layers.vector)
    weights, biases = [array.astype(np.float16) for array in arrays[::2]], arrays[1::2]
    biases[0] = biases[0] - mean @ weights[0].astype(np.float32)
    return Network(design, weights, biases[:-1], biases[-1].astype(np.float64), np.ones(len(biases[-1])))
