"""Sums of layers: values that are shared are the best ones, and small layers are not split."""

from itertools import pairwise

import numpy as np
import pytest

from skdistill.compiled import CompiledModel, Design, Network
from skdistill.compression._layers import Moments
from skdistill.compression._networks import LAYER_COST, with_coarse_weights, with_lower_rank
from skdistill.compression._rows import Rows


def moments(rng, n_inputs=12):
    return Moments.of(rng.normal(size=(300, n_inputs)) @ rng.normal(size=(n_inputs, n_inputs)), np.ones(300))


def error(of, weights, others):
    change = weights - others
    return float(np.einsum("ij,ik,kj->", change, of.gram, change))


def test_shared_values_are_the_best_ones():
    """No other value of the table brings the sums closer, zeros stay, and equal weights stay equal."""
    rng = np.random.default_rng(0)
    of, weights = moments(rng), rng.normal(size=(12, 20))
    coarse = np.rint(weights)
    shared = of.with_shared_values(weights, coarse)
    assert np.array_equal(shared == 0, coarse == 0)
    assert error(of, weights, shared) < 0.99 * error(of, weights, coarse)
    for value in np.unique(coarse[coarse != 0]):
        assert len(np.unique(shared[coarse == value])) == 1
        for change in (0.98, 1.02):
            other = np.where(coarse == value, change * shared, shared)
            assert error(of, weights, other) > error(of, weights, shared) * (1 - 1e-6)


def test_few_weights_keep_their_steps():
    """A table of values would take more bytes than it saves."""
    rng = np.random.default_rng(0)
    coarse = np.rint(3 * rng.normal(size=(12, 4)))
    np.testing.assert_array_equal(moments(rng).with_shared_values(coarse + 0.1, coarse), coarse)


def network(rng, widths, rank=None):
    """Return a network with layers of a rank, and rows with its scores."""
    X = rng.normal(size=(400, widths[0]))
    weights = []
    for n_inputs, n_outputs in pairwise(widths):
        inner = min(n_inputs, n_outputs) if rank is None else min(rank, n_inputs, n_outputs)
        weights.append(rng.normal(size=(n_inputs, inner)) @ rng.normal(size=(inner, n_outputs)) / n_inputs)
    design = Design.of(X, np.ones(len(X)), np.zeros(widths[0], dtype=int))
    biases = [np.zeros(width) for width in widths[1:-1]]
    made = Network(design, weights, biases, np.zeros(widths[-1]), np.ones(widths[-1]))
    return made, Rows.of(CompiledModel(made), X, np.ones(len(X)))


@pytest.mark.parametrize(("widths", "is_split"), [((10, 40, 30, 1), False), ((100, 120, 90, 1), True)])
def test_layers_are_split_where_a_row_is_faster(widths, is_split):
    """A layer of its own takes the time of some thousand multiplications, which a split must save."""
    made, rows = network(np.random.default_rng(0), widths, rank=4)
    split = with_lower_rank(made, rows, 0.95)
    assert (split is not made) == is_split
    n_new = len(split.weights) - len(made.weights)
    assert split.n_ops + LAYER_COST * n_new <= made.n_ops
    if is_split:
        np.testing.assert_allclose(split.scores(rows.cells), rows.scores, atol=0.05 * rows.scores.std())


def test_codebooks_of_networks_hold_few_values():
    """Layers with few steps have few values, and the scores are as close to those of the network, or closer."""
    errors = []
    for seed in range(4):
        made, rows = network(np.random.default_rng(seed), (20, 60, 8))
        both = [with_coarse_weights(made, rows, 3, is_shared=is_shared) for is_shared in (False, True)]
        assert max(len(np.unique(layer)) for layer in both[1].weights) <= 9
        errors.append([np.mean((coarse.scores(rows.cells) - rows.scores) ** 2) for coarse in both])
    of_steps, of_shared = np.mean(errors, axis=0)
    assert of_shared < of_steps
