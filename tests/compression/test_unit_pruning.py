"""Hidden units: which are kept, and what the weights after them are."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from skdistill.compiled import Design, Linear, Network
from skdistill.compression import Budget, Prune, prune_units
from skdistill.compression._rows import Rows
from skdistill.exceptions import StudentSizeError

CELLS = np.random.default_rng(0).normal(size=(400, 4))
DESIGN = Design.of(CELLS, np.ones(400), n_codes=np.zeros(4, dtype=int))


def network_of(widths, seed=0):
    """Return a random network."""
    rng = np.random.default_rng(seed)
    sizes = [4, *widths, 2]
    weights = [rng.normal(size=shape) / np.sqrt(shape[0]) for shape in pairwise(sizes)]
    biases = [rng.normal(size=width) for width in widths]
    return Network(DESIGN, weights, biases, base=rng.normal(size=2), unit=np.array([2.0, 0.5]))


@pytest.mark.parametrize("widths", [(20,), (12, 12), (10, 10, 10)])
def test_repeated_units_cost_nothing(widths):
    """A network whose units all occur twice is the network of half as many."""
    small = network_of(widths)
    weights = [small.weights[0], *(np.vstack([w, 3 * w]) / 4 for w in small.weights[1:])]
    weights = [*(np.hstack([w, w]) for w in weights[:-1]), weights[-1]]
    double = Network(DESIGN, weights, [np.tile(b, 2) for b in small.biases], small.base, small.unit)
    np.testing.assert_allclose(double.scores(CELLS), small.scores(CELLS), atol=1e-9)
    found = prune_units(double, CELLS, Budget(max_parameters=small.n_parameters), random_state=0)
    assert found.n_parameters <= small.n_parameters
    left = found.scores(CELLS) - small.scores(CELLS)
    assert (left**2).mean() < 0.003 * small.scores(CELLS).var(axis=0).mean()


@pytest.mark.parametrize("limit", [{"max_parameters": 250}, {"max_bytes": 2500}, {"max_ops": 250}])
def test_every_budget_holds(limit):
    """Of parameters, bytes and operations; and scores resemble those of the whole network."""
    network, budget = network_of((30, 30)), Budget(**limit)
    found = prune_units(network, CELLS, budget, random_state=0)
    assert budget.excess(found) <= 1 < budget.excess(network)
    assert ((found.scores(CELLS) - network.scores(CELLS)) ** 2).mean() < 0.5 * network.scores(CELLS).var(axis=0).mean()


def test_more_units_follow_the_network_better():
    """The error falls with the budget, to none."""
    network, errors = network_of((30, 20)), []
    for n_parameters in (60, 150, 400, network.n_parameters):
        found = prune_units(network, CELLS, Budget(max_parameters=n_parameters), random_state=0)
        errors.append(((found.scores(CELLS) - network.scores(CELLS)) ** 2).mean())
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == 0


def test_units_are_selected_together():
    """Rather than one by one: of two units that cancel, the scores need both or none."""
    weights = [np.zeros((4, 4)), np.array([[5.0], [-5.0], [1.0], [1.0]])]
    weights[0][0, :2], weights[0][1, 2], weights[0][2, 3] = 1, 1, 1
    network = Network(DESIGN, weights, [np.zeros(4)], base=np.zeros(1), unit=np.ones(1))
    found = prune_units(network, CELLS, Budget(max_parameters=13), random_state=0)
    np.testing.assert_allclose(found.scores(CELLS), network.scores(CELLS), atol=0.01)


def test_units_count_by_their_effect_on_the_scores():
    """Not by the size of what they add to the next layer, some of which hardly reaches the scores."""
    sums = np.array([[100.0, 0.0], [80.0, 0.0], [0.0, 1.0], [0.0, 0.8]])
    weights = [np.eye(4), sums, np.array([[1e-4], [1.0]])]
    network = Network(DESIGN, weights, [np.zeros(4), np.zeros(2)], base=np.zeros(1), unit=np.ones(1))
    found = prune_units(network, CELLS, Budget(max_parameters=19), random_state=0)
    np.testing.assert_allclose(found.scores(CELLS), network.scores(CELLS), atol=0.05)


@pytest.mark.parametrize("fraction", [0.2, 0.4, 0.8])
def test_the_step_of_a_chain_keeps_the_same_units(fraction):
    """``Prune`` and ``prune_units`` differ in how many units stay, not in which."""
    network, rows = network_of((20, 20)), np.random.default_rng(1).normal(size=(2500, 4))
    spread = (network.scores(rows) / network.unit).std(axis=0)  # scores of one variance count alike in both
    network = replace(network, weights=[*network.weights[:-1], network.weights[-1] / spread])
    of_step = Prune(fraction).apply(network, Rows(rows, network.scores(rows), np.ones((2500, 2))), fraction)
    found = prune_units(network, rows, Budget(max_parameters=of_step.n_parameters), random_state=0)
    assert len(found.biases[0]) < 20
    for one, other in zip(found.weights[0].T, of_step.weights[0].T, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3)


def test_where_most_units_stay_each_is_judged_beside_the_others():
    """A unit that is nearly the sum of two others explains the scores best alone, and is of no use beside them."""
    weights = [np.zeros((4, 3)), np.array([[1.0], [1.0], [0.0]])]
    weights[0][:, 0], weights[0][:, 1], weights[0][:, 2] = [1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0.3, 0]
    network = Network(DESIGN, weights, [np.full(3, 9.0)], base=np.zeros(1), unit=np.ones(1))
    found = prune_units(network, CELLS, Budget(max_parameters=13), random_state=0)
    np.testing.assert_allclose(found.scores(CELLS), network.scores(CELLS), atol=0.01)


def test_the_same_seed_gives_the_same_network():
    """Rows that are drawn between few rows follow the seed, and rows of weight zero are not used."""
    network, budget = network_of((30, 20)), Budget(max_parameters=150)
    one, same, other = (prune_units(network, CELLS[:50], budget, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.scores(CELLS), same.scores(CELLS))
    assert not np.array_equal(one.scores(CELLS), other.scores(CELLS))


def test_what_has_no_hidden_units_is_refused():
    """And budgets below one unit in each layer, and weights of another number."""
    with pytest.raises(ValueError, match="prune_units: the network has no hidden layer"):
        prune_units(Network(DESIGN, [np.ones((4, 1))], [], np.zeros(1), np.ones(1)), CELLS, Budget(9))
    with pytest.raises(StudentSizeError, match="prune_units: max_parameters=5 is too small: the smallest result has"):
        prune_units(network_of((5,)), CELLS, Budget(5))
    with pytest.raises(TypeError, match="prune_units: network is a Linear"):
        prune_units(Linear(np.ones((4, 1)), np.zeros(1)), CELLS, Budget(9))
