"""Structured pruning of networks: units are selected by their effect on the scores, weights solved for again."""

from dataclasses import replace
from typing import Any

import numpy as np

from .._threads import one_blas_thread
from .._validation import check_random_state, check_weights
from ..compiled import Network
from ..solvers import choose_features, ridge_solution
from ._budget import Budget
from ._layers import Moments

MAX_PRUNING_ROWS = 2500
"""Maximum number of rows on which units are selected."""

FEW_ROWS = 2500
"""With fewer rows, further ones are drawn between them, whose scores the network itself tells."""

NOISE = 0.25
"""Standard deviation of the noise of drawn rows, in those of the inputs."""

RIDGE = 1e-4
"""Ridge on re-solved weights, as a share of the mean square of a unit."""

BACKWARD_SHARE = 0.5
"""Share of kept units from which on units are removed one by one, rather than added: where few go, each choice is then
made in view of all others; where few stay, in view of those that stay."""


@one_blas_thread()
def prune_units(
    network: Network, X: Any, budget: Budget, *, sample_weight: Any = None, random_state: Any = None
) -> Network:
    r"""Select hidden units by their effect on the scores, and solve for the weights after them again ([1]_, [2]_).

    From the last hidden layer to the first, the units :math:`S` are selected one by one by orthogonal least squares,

    .. math:: \min_{S, V} \sum_i w_i \Big\lVert t_i - \sum_{u \in S} h_{iu} V_u \Big\rVert^2,

    or, where at least half of the units stay, removed one by one, as in the optimal brain surgeon [3]_. Here
    :math:`h_i` are the units of a row, and :math:`t_i` its scores, or for earlier layers the sums of the selected
    units of the next layer, each in proportion to its effect. Then the weights :math:`V` are solved for once more from
    the first layer to the last, for the units that are left. All layers keep the same number of units, at most.

    Scores are those of the network: no labels are needed. With fewer than 2,500 rows, further ones are drawn between
    pairs of rows.

    Parameters
    ----------
    network : Network
        With at least one hidden layer and without products of inputs.
    X : ndarray or sparse matrix of shape (n_rows, n_features)
        Rows as the network reads them.
    budget : Budget
        Limits of the result.
    sample_weight : array-like of shape (n_rows,) or None, default=None
        Weight of each row; ``None`` for equal weights.
    random_state : int, RandomState instance or None, default=None
        Seed of the rows that are used and of those that are drawn.

    Returns
    -------
    network : Network
        Within the budget; the same network if it is within.

    Raises
    ------
    StudentSizeError
        If one unit in each layer exceeds the budget.
    TypeError
        If ``network`` is no :class:`~skdistill.compiled.Network`.
    ValueError
        If it has no hidden layer, or a weight is negative or not finite.

    References
    ----------
    .. [1] Y. He, X. Zhang, J. Sun, "Channel Pruning for Accelerating Very Deep Neural Networks", ICCV 2017.
    .. [2] J.-H. Luo, J. Wu, W. Lin, "ThiNet: A Filter Level Pruning Method for Deep Neural Network Compression",
       ICCV 2017.
    .. [3] B. Hassibi, D. Stork, "Second Order Derivatives for Network Pruning: Optimal Brain Surgeon", NIPS 1992.

    See Also
    --------
    skdistill.compression.Prune : Selects units in the same way, as many as a tolerance allows.

    Examples
    --------
    The third unit repeats the first one:

    >>> import numpy as np
    >>> from skdistill.compiled import Design, Network
    >>> from skdistill.compression import Budget, prune_units
    >>> X = np.random.default_rng(0).normal(size=(500, 1))
    >>> design = Design.of(X, np.ones(500), n_codes=np.array([0]))
    >>> absolute = Network(
    ...     design,
    ...     weights=[np.array([[1.0, -1.0, 1.0]]), np.array([[1.0], [2.0], [1.0]])],
    ...     biases=[np.zeros(3)],
    ...     base=np.zeros(1),
    ...     unit=np.ones(1),
    ... )
    >>> small = prune_units(absolute, X, Budget(max_parameters=7), random_state=0)
    >>> (
    ...     small.weights[0].shape,
    ...     bool(np.allclose(small.scores(X), absolute.scores(X), atol=0.01)),
    ... )
    ((1, 2), True)
    """
    if not isinstance(network, Network):
        raise TypeError(f"prune_units: network is a {type(network).__name__}; expected a skdistill.compiled.Network.")
    if not network.biases or network.pairs is not None:
        raise ValueError("prune_units: the network has no hidden layer, or products of inputs; expected hidden layers.")
    weight, rng = (
        check_weights(sample_weight, X.shape[0], "prune_units"),
        check_random_state(random_state, "prune_units"),
    )
    hidden = hidden_within(network, budget)
    inputs, weight = inputs_to_match(network, X, weight, rng)
    return with_units(network, inputs, weight, hidden)


def hidden_within(network: Network, budget: Budget) -> list[int]:
    """Return the largest number of hidden units of each layer within a budget, the same for all layers that have them.

    Raises
    ------
    StudentSizeError
        If one unit in each layer exceeds the budget.
    """
    given = [len(bias) for bias in network.biases]
    low, high = 0, max(given)
    while low < high:
        middle = (low + high + 1) // 2
        fits = budget.excess(_first_units(network, [min(middle, most) for most in given])) <= 1
        low, high = (middle, high) if fits else (low, middle - 1)
    if low == 0:
        raise budget.too_small("prune_units", _first_units(network, [1] * len(given)))
    return [min(low, most) for most in given]


def _first_units(network: Network, hidden: list[int]) -> Network:
    """Return the network with the first units of each layer, whose size is that of any others."""
    sizes = [network.weights[0].shape[0], *hidden, len(network.base)]
    weights = [weights[: sizes[place], : sizes[place + 1]] for place, weights in enumerate(network.weights)]
    biases = [bias[:size] for bias, size in zip(network.biases, hidden, strict=True)]
    return replace(network, weights=weights, biases=biases)


def inputs_to_match(
    network: Network, X: Any, weight: np.ndarray, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs of rows, and of rows between them if they are few, on which the scores are to be matched."""
    n_rows = X.shape[0]
    some = np.arange(n_rows) if n_rows <= MAX_PRUNING_ROWS else np.sort(rng.choice(n_rows, MAX_PRUNING_ROWS, False))
    inputs = network.design.inputs(X[some].toarray() if hasattr(X, "toarray") else np.asarray(X[some]))
    weight = weight[some] / weight[some].sum()
    n_drawn = FEW_ROWS - len(inputs)
    if n_drawn <= 0:
        return inputs, weight
    one, other = (rng.choice(len(inputs), n_drawn, p=weight) for _ in range(2))
    drawn = inputs[one] + rng.uniform(size=(n_drawn, 1)) * (inputs[other] - inputs[one])
    drawn += NOISE * rng.normal(size=drawn.shape) * inputs.std(axis=0)
    share = np.append(weight / 2, np.full(n_drawn, 0.5 / n_drawn))
    return np.vstack([inputs, drawn]), share


def with_units(
    network: Network, inputs: np.ndarray, weight: np.ndarray, hidden: list[int], *, effect: np.ndarray | None = None
) -> Network:
    """Return a network with so many of the units of each layer whose scores of the inputs are as close as possible.

    Parameters
    ----------
    network : Network
    inputs : ndarray of shape (n_rows, n_inputs)
        Of the first layer, with products of inputs if the network has some.
    weight : ndarray of shape (n_rows,)
        Of each row; they sum to one.
    hidden : list of int
        Number of units of each layer.
    effect : ndarray of shape (n_outputs,) or None, default=None
        How much each score counts; ``None`` for the reciprocal of its standard deviation.
    """
    weights = [array.astype(np.float64) for array in network.weights]
    layers, sums = [inputs], []
    for matrix, bias in zip(weights[:-1], network.biases, strict=True):
        sums.append(layers[-1] @ matrix + bias)
        layers.append(np.maximum(sums[-1], 0))
    scores = layers[-1] @ weights[-1]
    effect = _reciprocal_deviation(scores, weight) if effect is None else effect
    kept = _kept_units(layers, sums, scores, weights, weight, hidden, effect)
    if all(len(units) == len(bias) for units, bias in zip(kept, network.biases, strict=True)):
        return network
    smaller, biases = [weights[0][:, kept[0]]], [np.asarray(network.biases[0], dtype=np.float64)[kept[0]]]
    layer = np.maximum(inputs @ smaller[0] + biases[0], 0)
    for place, units in enumerate(kept[1:], start=1):
        matrix, constant = _solved(layer, sums[place][:, units], weight)
        smaller.append(matrix)
        biases.append(constant)
        layer = np.maximum(layer @ matrix + constant, 0)
    last, constant = _solved(layer, scores, weight)
    return replace(network, weights=[*smaller, last], biases=biases, base=network.base + constant * network.unit)


def _reciprocal_deviation(scores: np.ndarray, weight: np.ndarray) -> np.ndarray:
    deviation = np.sqrt(weight @ (scores - weight @ scores) ** 2)
    return np.where(deviation > 0, 1 / np.where(deviation > 0, deviation, 1.0), 0.0)


def _kept_units(
    layers: list[np.ndarray],
    sums: list[np.ndarray],
    scores: np.ndarray,
    weights: list[np.ndarray],
    weight: np.ndarray,
    hidden: list[int],
    effect: np.ndarray,
) -> list[np.ndarray]:
    """Return the selected units of each layer, ascending."""
    kept: list[np.ndarray] = []
    wanted = scores
    for place in range(len(hidden) - 1, -1, -1):
        units = layers[place + 1]
        if hidden[place] >= units.shape[1]:
            chosen = np.arange(units.shape[1])
        else:
            chosen = _chosen(units, wanted * effect, weight, hidden[place])
        kept.insert(0, chosen)
        outgoing = np.abs(weights[place + 1][:, kept[1]] if len(kept) > 1 else weights[place + 1])[chosen]
        effect = np.sqrt((outgoing**2) @ (effect**2))
        wanted = sums[place][:, chosen]
    return kept


def _chosen(units: np.ndarray, wanted: np.ndarray, weight: np.ndarray, n_chosen: int) -> np.ndarray:
    """Return the units that explain what is wanted best together; any others where these explain all."""
    rooted = (units - weight @ units) * np.sqrt(weight)[:, None]
    gram = rooted.T @ rooted
    gram.flat[:: len(gram) + 1] += RIDGE * max(np.trace(gram) / len(gram), np.finfo(np.float64).tiny)
    moments = rooted.T @ ((wanted - weight @ wanted) * np.sqrt(weight)[:, None])
    if n_chosen >= BACKWARD_SHARE * len(gram):
        coef = np.linalg.solve(gram, moments)
        removed = Moments(weight @ units, gram).least_useful(coef, len(gram) - n_chosen)
        return np.setdiff1d(np.arange(len(gram)), removed)
    chosen = choose_features(gram, moments, n_chosen)
    others = np.setdiff1d(np.arange(len(gram)), chosen)[: n_chosen - len(chosen)]
    return np.sort(np.append(chosen, others)).astype(np.intp)


def _solved(units: np.ndarray, wanted: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights and constants with which units add up to what is wanted."""
    mean, mean_wanted = weight @ units, weight @ wanted
    rooted = (units - mean) * np.sqrt(weight)[:, None]
    gram = rooted.T @ rooted
    ridge = RIDGE * float(np.trace(gram)) / len(gram)
    coef = ridge_solution(gram, rooted.T @ ((wanted - mean_wanted) * np.sqrt(weight)[:, None]), ridge)
    return coef, mean_wanted - mean @ coef
