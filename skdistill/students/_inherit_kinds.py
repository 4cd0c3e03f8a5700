"""What a student inherits from networks, kernel machines and nearest neighbours, within a budget."""

from dataclasses import replace
from typing import Any

import numpy as np

from .._losses import SoftmaxCrossEntropy
from ..compiled import Landmarks, Network
from ..compression import Budget
from ..compression._kernel_reading import read_kernel_rows
from ..compression._network_reading import read_network
from ..compression._unit_pruning import hidden_within
from ..exceptions import StudentError
from ..solvers import MAX_LINEAR_INPUTS, OptimizerSettings, fit_network
from ._kernel_from import KernelRows
from ._network_from import network_to_start, of_widths

FINE_TUNING = OptimizerSettings(
    n_epochs=6, batch_size="auto", learning_rate=0.015, weight_decay=0.02, validation_fraction=0.1, n_iter_no_change=10
)
"""How a pruned network is trained: for six epochs instead of the twenty of a fresh one, with smaller steps."""

FINE_TUNING_OF_FEW, FEW_ROWS = replace(FINE_TUNING, n_epochs=20, learning_rate=0.001), 2000
"""How it is trained on fewer rows than so many, which know less than the network they start from."""

SAME_LOSS = 1e-8
"""Share of the variance of the targets within which scores are those of the targets, and training is of no use."""

MAX_LANDMARKS = 500
"""Maximum number of landmarks; the work grows with their square."""

SPARE = 0.98
"""Share of the budget that landmarks are aimed at, when they needed more bytes than expected."""


def inherit_other(
    student: Any, model: Any, transfer_set: tuple[Any, np.ndarray, np.ndarray], budget: Budget, rng: Any
) -> Network | Landmarks | None:
    """Return a smaller network or kernel machine, fitted to the targets; ``None`` for models of another kind."""
    try:
        is_network = read_network(model) is not None
        is_kernel = not is_network and read_kernel_rows(model) is not None
    except StudentError as error:
        raise StudentError(f"{type(student).__name__}: {error}") from error
    if not (is_network or is_kernel):
        return None
    if student._classifies and transfer_set[1].shape[1] > 1:
        student._loss = SoftmaxCrossEntropy()
    return (_network if is_network else _kernel)(student, model, transfer_set, budget, rng)


def _network(
    student: Any, model: Any, transfer_set: tuple[Any, np.ndarray, np.ndarray], budget: Budget, rng: Any
) -> Network:
    """Return the hidden units that matter most, fine-tuned on the targets."""
    X, targets, weight = transfer_set
    whole, cells, targets = network_to_start(student, model, X, targets, weight, rng)
    hidden, settings = (
        hidden_within(_stored(whole), budget),
        FINE_TUNING if len(weight) >= FEW_ROWS else FINE_TUNING_OF_FEW,
    )
    while True:
        start = _stored(of_widths(whole, cells, weight, hidden, rng))
        found = start
        if _share_left(student._loss, start, cells, targets, weight) > SAME_LOSS:
            widths = [len(bias) for bias in start.biases]
            found, _ = fit_network(start.design, cells, targets, weight, student._loss, widths, settings, rng, start)
        if budget.excess(found) <= 1:
            return found
        if max(hidden) == 1:
            raise budget.too_small(type(student).__name__, found)
        hidden = [max(size - max(size // 50, 1), 1) for size in hidden]


def _stored(network: Network) -> Network:
    """Return the network in the precision in which trained ones are stored."""
    weights = [weights.astype(np.float16) for weights in network.weights]
    biases = [bias.astype(np.float32) for bias in network.biases]  # of units with small weights they are large
    return replace(network, weights=weights, biases=biases)


def _share_left(loss: Any, network: Network, cells: Any, targets: np.ndarray, weight: np.ndarray) -> float:
    """Return the squared distance of outputs to targets, as a share of the variance of the targets."""
    mean = np.average(targets, axis=0, weights=weight)
    variance = np.average(((targets - mean) ** 2).sum(axis=1), weights=weight)
    distance = np.average(loss.validation_loss(network.scores(cells), targets), weights=weight)
    return float(distance / max(variance, np.finfo(np.float64).tiny))


def _kernel(
    student: Any, model: Any, transfer_set: tuple[Any, np.ndarray, np.ndarray], budget: Budget, rng: Any
) -> Landmarks:
    """Return landmarks that start from those of a kernel machine, within the budget."""
    rows = KernelRows.of(student, model, *transfer_set, rng)
    n_landmarks = _landmarks_within(rows, budget)
    if n_landmarks == 0:
        raise budget.too_small(type(student).__name__, _sized(rows, 1))
    while True:
        n_steps = None if isinstance(student.n_steps, str) else student.n_steps
        found, _ = rows.landmarks(n_landmarks, has_linear=True, rng=rng, n_steps=n_steps)
        excess = budget.excess(found)
        if excess <= 1:
            return found
        if n_landmarks == 1:
            raise budget.too_small(type(student).__name__, found)
        n_landmarks = min(n_landmarks - 1, max(int(SPARE * len(found.positions) / excess), 1))


def _landmarks_within(rows: KernelRows, budget: Budget) -> int:
    """Return the largest number of landmarks that is likely to be within a budget."""
    low, high = 0, MAX_LANDMARKS
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if budget.excess(_sized(rows, middle)) <= 1 else (low, middle - 1)
    return low


def _sized(rows: KernelRows, n_landmarks: int) -> Landmarks:
    """Return landmarks of about as many bytes as fitted ones: near those of the model, with random coefficients."""
    rng, width, n_outputs = np.random.RandomState(0), rows.design.width, rows.targets.shape[1]
    near = np.resize(np.unique(rows.near, axis=0), (n_landmarks, width))
    is_moved = near.std(axis=0) > 0
    positions = (near + 0.1 * is_moved * rng.normal(size=near.shape)).astype(np.float16)
    coef = rng.normal(size=(n_landmarks, n_outputs)).astype(np.float16)
    linear = rng.normal(size=(width, n_outputs)).astype(np.float32) if width <= MAX_LINEAR_INPUTS else None
    scales = rng.uniform(size=width).astype(np.float32)
    return Landmarks(rows.design, positions, scales, coef, linear, np.ones(n_outputs), np.ones(n_outputs))
