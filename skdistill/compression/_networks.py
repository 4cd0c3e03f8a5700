"""Networks with fewer hidden units, layers of lower rank, or coarser weights."""

from dataclasses import replace

import numpy as np

from ..compiled import Design, Network
from ..compiled._network import with_products
from ._layers import Moments, short_step
from ._rows import Rows
from ._trees import shortest_between
from ._unit_pruning import with_units

MAX_INPUT_CELLS = 4_000_000
"""Maximum number of inputs of rows that are held at a time."""

LAYER_COST = 4_000
"""Multiplications in the time that one row takes for a layer of its own, apart from those of the layer."""

LANES = 4
"""Numbers that a processor multiplies at a time: layers of other widths are slower than slightly wider ones."""

DESIGN_SHARE = 1 / 256
"""Share of its scale by which the center of an input may be moved so that it has fewer digits; likewise the scale."""


def with_fewer_units(network: Network, rows: Rows, fraction: float) -> Network:
    """Return the network without a fraction of the units of each hidden layer, those with the least effect.

    Units are selected as in :func:`~skdistill.compression.prune_units`; the last layer is solved for on the scores of
    the rows, which may be those of another model.
    """
    rows, dtype = _bounded(network, rows), network.weights[0].dtype
    weight = rows.weight.mean(axis=1)
    given = [len(bias) for bias in network.biases]
    hidden = [min(_whole_lanes(size - round(fraction * size)), size) for size in given]
    inputs, effect = _inputs(network, rows), np.ones(len(network.base))
    smaller = with_units(network, inputs, weight / weight.sum(), hidden, effect=effect)
    return _with_last_layer_solved(smaller, rows).stored_as(dtype)


def _whole_lanes(n_units: int) -> int:
    """Return the next multiple of the lanes, at least one unit."""
    return max(-(-n_units // LANES) * LANES, 1) if n_units > LANES else max(n_units, 1)


def with_lower_rank(network: Network, rows: Rows, fraction: float) -> Network:
    """Return the network with layers as products of two smaller matrices, where this takes less time for one row.

    Between the two there is a layer of sums that are never rectified: its biases are larger than the sums can be
    negative, and the next layer subtracts them.
    """
    rows, dtype = _bounded(network, rows), network.weights[0].dtype
    weights, biases, base = _doubles(network)
    hidden, new_weights, new_biases = _inputs(network, rows), list[np.ndarray](), list[np.ndarray]()
    low, high = _ranges(network, hidden)
    for layer, matrix in enumerate(weights):
        rank = max(round((1 - fraction) * min(matrix.shape)), 1)
        bias = biases[layer] if layer < len(biases) else np.zeros(matrix.shape[1])
        parts = [matrix]
        if rank * sum(matrix.shape) + LAYER_COST < matrix.size:
            first, second = Moments.of(hidden, rows.weight.mean(axis=1)).of_rank(matrix, rank)
            shift = -np.minimum(_lowest(first, low, high), 0)
            new_biases.append(shift)
            parts, bias = [first, second], bias - shift @ second
        new_weights += parts
        if layer < len(biases):
            new_biases.append(bias)
            low, high = (
                np.maximum(edge + biases[layer], 0)
                for edge in (_lowest(matrix, low, high), -_lowest(-matrix, low, high))
            )
            hidden = np.maximum(hidden @ matrix + biases[layer], 0)
        else:
            base = base + bias * network.unit
    if len(new_weights) == len(weights):
        return network
    smaller = replace(network, weights=new_weights, biases=new_biases, base=base)
    solved = _with_last_layer_solved(smaller, rows)
    return replace(solved, weights=[matrix.astype(dtype) for matrix in solved.weights])


def with_coarse_weights(network: Network, rows: Rows, n_steps: int, *, is_shared: bool = False) -> Network:
    """Return the network with weights that are multiples of a step for each layer.

    Layer by layer, the weights are solved for so that the sums are those of the original network, although the inputs
    come from layers that have been rounded; then they are rounded, and later weights correct the errors of earlier
    ones. Before that, hidden units are scaled so that their incoming and their outgoing weights are equally large,
    which changes nothing, since a factor passes through a rectifier. The distinct values of a layer are solved for as
    shared parameters if ``is_shared``.
    """
    rows = _bounded(network, rows)
    network = _equalised(network)
    weights, biases, base = _doubles(network)
    rounded = replace(network, design=_with_short_numbers(network.design))
    exact, hidden = _inputs(network, rows), _inputs(rounded, rows)
    new_weights, new_biases = [], []
    for layer, matrix in enumerate(weights):
        is_last = layer == len(biases)
        sums = (rows.scores - base) / network.unit if is_last else exact @ matrix
        moments = Moments.of(hidden, rows.weight.mean(axis=1))
        solved = matrix + _correction(moments, hidden, sums - hidden @ matrix, rows.weight.mean(axis=1))
        step = short_step(float(np.abs(solved).max(initial=0)), n_steps)
        coarse = moments.rounded(solved, np.full(len(solved), step))
        coarse = moments.with_shared_values(solved, coarse) if is_shared else coarse
        shift = np.average(sums - hidden @ coarse, weights=rows.weight.mean(axis=1), axis=0)
        new_weights.append(coarse.astype(np.float32))
        if is_last:
            base = base + shift * network.unit
            break
        new_biases.append(_narrow(biases[layer] + shift))
        exact = np.maximum(exact @ matrix + biases[layer], 0)
        hidden = np.maximum(hidden @ coarse + new_biases[-1], 0)
    return replace(rounded, weights=new_weights, biases=new_biases, base=base)


# ---------------------------------------------------------------------- least squares


def _correction(moments: Moments, hidden: np.ndarray, errors: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the change of weights that minimises the errors of sums, up to a constant."""
    share = weight / weight.sum()
    centred = errors - share @ errors
    return np.linalg.solve(moments.gram, ((hidden - moments.mean) * share[:, None]).T @ centred)


def _with_last_layer_solved(network: Network, rows: Rows) -> Network:
    """Return the network with the weights of the last layer, and the base, that come closest to the scores."""
    hidden, last, base = (
        network.hidden(rows.once(network.design, lambda: network.design.inputs(_dense(rows)))),
        network.weights[-1].astype(np.float64),
        network.base,
    )
    errors = (rows.scores - base) / network.unit - hidden @ last
    change, shift = np.empty_like(last), np.empty(len(base))
    for output in range(len(base)):
        weight = rows.weight[:, output]
        moments = Moments.of(hidden, weight)
        change[:, output] = _correction(moments, hidden, errors[:, [output]], weight)[:, 0]
        shift[output] = np.average(errors[:, output] - hidden @ change[:, output], weights=weight)
    weights = [*network.weights[:-1], last + change]
    return replace(network, weights=weights, base=base + shift * network.unit)


# ---------------------------------------------------------------------- the same network in other numbers


def _equalised(network: Network) -> Network:
    """Return the same network with hidden units and outputs scaled so that the weights of a layer are similar."""
    weights, biases, _ = _doubles(network)
    for layer in range(len(biases)):
        incoming, outgoing = np.linalg.norm(weights[layer], axis=0), np.linalg.norm(weights[layer + 1], axis=1)
        is_used = incoming * outgoing > 0
        factor = np.sqrt(np.where(is_used, outgoing, 1.0) / np.where(is_used, incoming, 1.0))
        weights[layer], biases[layer] = weights[layer] * factor, biases[layer] * factor
        weights[layer + 1] = weights[layer + 1] / factor[:, None]
    largest = np.abs(weights[-1]).max(axis=0)
    unit = np.where(largest > 0, largest, 1.0)
    weights[-1] = weights[-1] / unit
    return replace(network, weights=weights, biases=biases, unit=network.unit * unit)


def _with_short_numbers(design: Design) -> Design:
    """Return a design whose centers and scales have fewer digits."""
    near = DESIGN_SHARE * design.scale
    center = shortest_between(design.center - near, design.center + near, design.center)
    scale = shortest_between(design.scale - near, design.scale + near, design.scale)
    varies = design.low < design.high
    return replace(design, center=np.where(varies, center, design.center), scale=np.where(varies, scale, design.scale))


def _narrow(bias: np.ndarray) -> np.ndarray:
    """Return biases in half precision, or in single precision if they are large."""
    return bias.astype(np.float16 if np.abs(bias).max(initial=0) < LARGEST_HALF_BIAS else np.float32)


LARGEST_HALF_BIAS = 16.0


# ---------------------------------------------------------------------- inputs


def _bounded(network: Network, rows: Rows) -> Rows:
    width = max(network.design.width + (0 if network.pairs is None else len(network.pairs)), *map(len, network.weights))
    return rows.at_most(MAX_INPUT_CELLS // width)


def _dense(rows: Rows) -> np.ndarray:
    return rows.cells.toarray() if hasattr(rows.cells, "toarray") else np.asarray(rows.cells)


def _inputs(network: Network, rows: Rows) -> np.ndarray:
    inputs: np.ndarray = rows.once(network.design, lambda: network.design.inputs(_dense(rows)))
    return inputs if network.pairs is None else with_products(inputs, network.pairs)


def _doubles(network: Network) -> tuple[list[np.ndarray], list[np.ndarray], np.ndarray]:
    """Return weights, biases and base as float64."""
    weights, biases = ([array.astype(np.float64) for array in arrays] for arrays in (network.weights, network.biases))
    return weights, biases, network.base.astype(np.float64)


def _ranges(network: Network, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the smallest and the largest value of each input.

    An input without bounds has those of the rows, and as much again on either side.
    """
    design = network.design
    n_indicators = design.width - len(design.numbers)
    low = np.append(np.minimum(design.low, 0).astype(np.float64), np.zeros(n_indicators))
    high = np.append(np.maximum(design.high, 0).astype(np.float64), np.ones(n_indicators))
    least, most = (edge[: design.width] for edge in (inputs.min(axis=0), inputs.max(axis=0)))
    low, high = np.where(np.isinf(low), 2 * least - most, low), np.where(np.isinf(high), 2 * most - least, high)
    if network.pairs is None:
        return low, high
    first, second = network.pairs.T
    edges = [one[first] * other[second] for one in (low, high) for other in (low, high)]
    return np.append(low, np.min(edges, axis=0)), np.append(high, np.max(edges, axis=0))


def _lowest(weights: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return the smallest sum that inputs within their ranges can have, for each column of weights."""
    return np.minimum(weights, 0).T @ high + np.maximum(weights, 0).T @ low
