r"""``feature_importances_``: the share of each column in the scores of trees and linear students, read off the model.

No rows are kept for it, nothing is added to a file, and loaded students have it, too.
"""

from typing import Any

import numpy as np

from ..compiled import Forest, Network


def importances_of(scorer: Any, *, pools_outputs: bool) -> np.ndarray | None:
    r"""Return the importance of each column, of shape (n_features,), with the sum 1; ``None`` for other scorers.

    The importance of a column in a sum of trees is the sum over its splits of

    .. math:: \frac{n_l n_r}{n_l + n_r} (m_l - m_r)^2

    for the numbers :math:`n` of leaves on either side and the means :math:`m` of their values: the decrease of the sum
    of squares of the leaf values by the split. In a linear model, it is the sum of the absolute coefficients of the
    standardised inputs that the column has; a product of two inputs counts half for either.

    Parameters
    ----------
    scorer : Scorer
    pools_outputs : bool
        Whether the scores of all outputs have the same unit, as for classes. Otherwise, the importances are those for
        each output, averaged.
    """
    if isinstance(scorer, Forest):
        by_output = _of_trees(scorer)
    elif isinstance(scorer, Network) and not scorer.biases:
        by_output = _of_inputs(scorer)
    else:
        return None
    if pools_outputs:
        by_output = by_output.sum(axis=1, keepdims=True)
    total = by_output.sum(axis=0)
    varying = total > 0  # an output without splits, or of zero coefficients, is a constant
    if not varying.any():
        return np.zeros(len(by_output))
    return np.asarray((by_output[:, varying] / total[varying]).mean(axis=1))


def _of_trees(forest: Forest) -> np.ndarray:
    """Return the decrease of squares by the splits of each column, of shape (n_features, n_outputs)."""
    values = forest.leaf_values
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    first, n_left = forest.first_leaf, forest.n_left + 1
    middle, last = first + n_left, first + forest.spans.n_splits + 1
    n_right = last - middle
    apart = (sums[middle] - sums[first]) / n_left[:, None] - (sums[last] - sums[middle]) / n_right[:, None]
    decrease = (n_left * n_right / (n_left + n_right))[:, None] * apart**2
    output = np.repeat(forest.tree_output, forest.tree_splits)
    by_output = np.zeros((forest.n_features, len(forest.base)))
    for column in range(values.shape[1]):
        np.add.at(by_output, (forest.feature, output + column), decrease[:, column])
    return by_output


def _of_inputs(network: Network) -> np.ndarray:
    """Return the absolute coefficients by column, of shape (n_features, n_outputs)."""
    design = network.design
    codes = np.repeat(np.arange(design.n_features), design.n_codes)
    column = np.concatenate([design.numbers, np.flatnonzero(design.has_missing), codes]).astype(np.intp)
    size = np.abs(network.weights[-1].astype(np.float64) * network.unit)
    by_output = np.zeros((design.n_features, size.shape[1]))
    np.add.at(by_output, column, size[: design.width])
    for side in () if network.pairs is None else network.pairs.T:
        np.add.at(by_output, column[side], size[design.width :] / 2)
    return by_output
