"""Networks that start from another network: a teacher's, or that of an earlier student."""

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from .._losses import Loss, SoftmaxCrossEntropy
from ..compiled import Design, Forest, Network
from ..compression._network_reading import READABLE_NETWORKS, read_network
from ..compression._unit_pruning import inputs_to_match, with_units
from ..exceptions import StudentError
from ._student import CompactStudent

ScorerType = TypeVar("ScorerType", Network, Forest)

SCORE_MARGIN = 1e-6
"""Bounds the distance of probabilities to 0 and 1 where their scores are compared with those of a network."""

MAX_BIAS = 100.0
"""Maximum bias of a hidden unit once its weights are scaled: that of one that hardly reads its inputs, such as one that
is never active, would be beyond any range."""

ALIGNED_ROWS = 1500
"""Maximum number of rows on which scores are brought to the scale of the targets."""


def network_to_start(
    student: CompactStudent, model: Any, X: Any, targets: np.ndarray, weight: np.ndarray, rng: np.random.RandomState
) -> tuple[Network, Any, np.ndarray]:
    """Set the encoder of a student; return the whole network of a model on its design, cells, and targets.

    An earlier student reads the rows as it did; another network gets the design of the rows.
    """
    who = type(student).__name__
    try:
        read = read_network(model)
    except StudentError as error:
        raise StudentError(f"{who}: {error}") from error
    if read is None:
        raise StudentError(f"{who}: init is a {type(model).__name__}; expected {READABLE_NETWORKS}, or None.")
    cells, targets, weight, design = student._prepare(X, targets, weight)
    try:
        if read.own is None:
            network = read.on_design(design, cells, X, student._names(), rng)
        else:
            check_own(student, read.inside.model)
            student._encoder = read.inside.model._encoder
            cells = student._encode(X)
            network = Network(
                widened(read.own.design, design),
                read.weights,
                read.biases[:-1],
                read.biases[-1],
                np.ones(len(read.biases[-1])),
            )
    except StudentError as error:
        raise StudentError(f"{who}: {error}") from error
    if len(network.base) == 2 and targets.shape[1] == 1 and not student._loss.is_quadratic:
        network = _of_second_class(network)
    if len(network.base) != targets.shape[1]:
        raise StudentError(
            f"{who}: the {read.kind} in init has {len(network.base)} outputs, and the targets have {targets.shape[1]}; "
            "expected as many. Pass a model of the same outputs, or init=None."
        )
    return balanced(aligned(network, cells, targets, weight, student._loss)), cells, targets


def _of_second_class(network: Network) -> Network:
    """Return a network of two classes with the score of the second one over the first one."""
    *hidden, last = network.weights
    last = last * network.unit
    base = network.base[[1]] - network.base[[0]]
    return replace(network, weights=[*hidden, last[:, [1]] - last[:, [0]]], base=base, unit=np.ones(1))


def check_own(student: CompactStudent, earlier: Any) -> None:
    """Raise an error unless an earlier student was fitted on columns of the same number and names."""
    names, of_earlier = student._names(), earlier._names()
    n_features, n_earlier = (int(model.n_features_in_) for model in (student, earlier))
    if n_features != n_earlier or (names is not None and of_earlier is not None and list(names) != list(of_earlier)):
        given = n_features if names is None else list(names)
        expected = n_earlier if of_earlier is None else list(of_earlier)
        raise StudentError(
            f"the {type(earlier).__name__} in init was fitted on the columns {expected}, and X has {given}; expected "
            "the same columns in the same order."
        )


def widened(earlier: Design, design: Design) -> Design:
    """Return the design of an earlier student; numbers are clipped to a range that includes that of the new rows."""
    pieces = np.bincount(earlier.numbers, minlength=earlier.n_features)[earlier.numbers] > 1
    places = np.searchsorted(design.numbers, earlier.numbers)
    if len(design.numbers) == 0 or not np.array_equal(
        design.numbers[np.minimum(places, len(design.numbers) - 1)], earlier.numbers
    ):
        return earlier
    low, high = (
        ((edge[places] * design.scale[places] + design.center[places]) - earlier.center) / earlier.scale
        for edge in (design.low, design.high)
    )
    is_same = pieces | ~np.isfinite(low) | ~np.isfinite(high)
    return replace(
        earlier,
        low=np.where(is_same, earlier.low, np.minimum(low, earlier.low)).astype(np.float32),
        high=np.where(is_same, earlier.high, np.maximum(high, earlier.high)).astype(np.float32),
    )


def aligned(scorer: ScorerType, cells: Any, targets: np.ndarray, weight: np.ndarray, loss: Loss) -> ScorerType:
    """Return a scorer with its scores on the scale of those of the targets.

    Values are standardised for a fit, and a temperature divides scores: one factor and one constant for each output.
    """
    step = -(-len(targets) // ALIGNED_ROWS)  # a few rows tell one factor and one constant
    cells, targets, weight = cells[::step], targets[::step], weight[::step]
    clipped = loss.clipped(targets, SCORE_MARGIN)
    wanted, scores = loss.centred(loss.scores(clipped)), loss.centred(scorer.scores(cells))
    share = weight * loss.curvature(clipped)
    share = (share / share.sum())[:, None]
    mean, mean_wanted = (share * scores).sum(axis=0), (share * wanted).sum(axis=0)
    centred = share * (scores - mean)
    spread, product = (centred * (scores - mean)).sum(axis=0), (centred * (wanted - mean_wanted)).sum(axis=0)
    if isinstance(loss, SoftmaxCrossEntropy):  # one temperature
        spread, product = np.full_like(spread, spread.sum()), np.full_like(product, product.sum())
    factor = np.where(spread > 0, product / np.where(spread > 0, spread, 1.0), 1.0)
    return scorer.scaled(factor, mean_wanted - factor * mean)


def of_widths(
    network: Network, cells: Any, weight: np.ndarray, hidden: list[int], rng: np.random.RandomState
) -> Network:
    """Return the network with so many of its hidden units in each layer."""
    inputs, share = inputs_to_match(network, cells, weight, rng)
    # scores are on the scale of those of the targets, so that they count alike
    return with_units(network, inputs, share, hidden, effect=np.ones(len(network.base)))


def balanced(network: Network) -> Network:
    """Return the same network with weights into each hidden unit of the size in which training draws them.

    A rectified unit that is divided by a number is multiplied by it in the next layer. Weights of a model that was
    fitted to large numbers would otherwise exceed the range of half precision.
    """
    weights, biases = [np.asarray(array, dtype=np.float64) for array in network.weights], []
    for place, bias in enumerate(network.biases):
        size = np.sqrt((weights[place] ** 2).sum(axis=0) / 2)
        size = np.maximum(size, np.abs(bias) / MAX_BIAS)
        size = np.where(size > 0, size, 1.0)
        weights[place], weights[place + 1] = weights[place] / size, weights[place + 1] * size[:, None]
        biases.append(bias / size)
    return replace(network, weights=weights, biases=biases)


def check_widths(who: str, network: Network, hidden: list[int]) -> None:
    """Raise an error unless a network has the layers of a student, and at least its hidden units."""
    given = [len(bias) for bias in network.biases]
    if len(given) != len(hidden) or any(size > most for size, most in zip(hidden, given, strict=True)):
        raise StudentError(
            f"{who}: hidden_layer_sizes={tuple(hidden)}, and the network in init has {tuple(given)} hidden units; "
            "expected as many layers, and no more units than it has. Pass such hidden_layer_sizes, or init=None."
        )
