"""Knots of numeric columns: thresholds at which the targets change, found by a few boosted trees."""

from typing import Any

import numpy as np
from scipy import sparse

from .._precision import needs_double
from ..convert import splits_of_lightgbm

MAX_KNOT_ROWS = 10_000
"""Most rows from which the outer knots of a column are computed."""

ENDS = 0.002
"""Share of the cells beyond the outer knots on either side; 0 for columns of few values."""

FEW_VALUES = 20
"""Most distinct values of a column whose outer knots are its smallest and its largest value."""

TREES = {"num_leaves": 63, "learning_rate": 0.3, "min_data_in_leaf": 20, "max_bin": 127}
N_TREES = 20
"""Number of trees, of all outputs together."""


def find_knots(
    cells: Any, n_codes: np.ndarray, targets: np.ndarray, weight: np.ndarray, n_knots: int, seed: int
) -> list[np.ndarray]:
    """Return ascending knots of each numeric column: two outer knots, and the thresholds with the largest gains of all.

    Parameters
    ----------
    cells : ndarray or sparse matrix of shape (n_rows, n_features)
        Coded rows. Columns of sparse ones get no knots.
    n_codes : ndarray of int, shape (n_features,)
        Number of categories of each column; 0 for numbers.
    targets : ndarray of shape (n_rows, n_outputs)
    weight : ndarray of shape (n_rows,)
    n_knots : int
        Number of thresholds, of all columns together.
    seed : int

    Returns
    -------
    knots : list of ndarray
        Numbers of float32 precision, unless that would blur the differences within the column; empty where a column has
        a single value.
    """
    columns = np.flatnonzero(n_codes == 0)
    if sparse.issparse(cells) or n_knots == 0 or not len(columns):
        return [np.zeros(0)] * len(columns)
    feature, threshold, gain = _splits(cells, n_codes, targets, weight, seed)
    is_number = n_codes[feature] == 0
    places, of = np.unique(np.column_stack([feature, threshold])[is_number], axis=0, return_inverse=True)
    gains = np.bincount(of.reshape(-1), gain[is_number], len(places))
    best = places[np.argsort(-gains, kind="stable")[:n_knots]]
    some = np.random.RandomState(seed).permutation(cells.shape[0])[:MAX_KNOT_ROWS]
    knots, is_double = [], needs_double(cells)
    for column in columns:
        values = cells[some, column]
        values = values[np.isfinite(values)]
        if len(values) == 0 or values.min() == values.max():
            knots.append(np.zeros(0))
            continue
        share = 0 if len(np.unique(values)) <= FEW_VALUES else ENDS
        low, high = np.quantile(values, [share, 1 - share])
        low, high = (low, high) if low < high else (values.min(), values.max())
        inner = best[best[:, 0] == column, 1]
        inner = inner[(inner > low) & (inner < high)]
        precision = np.float64 if is_double[column] else np.float32
        knots.append(np.unique(np.array([low, *inner, high], dtype=precision)).astype(np.float64))
    return knots


def _splits(
    cells: np.ndarray, n_codes: np.ndarray, targets: np.ndarray, weight: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return feature, threshold and gain of all splits of some trees for the outputs."""
    from lightgbm import Dataset, train

    params = {
        "objective": "regression",
        "num_threads": 1,
        "seed": seed,
        "deterministic": True,
        "verbosity": -1,
        **TREES,
    }
    categories = np.flatnonzero(n_codes).tolist()
    table = Dataset(cells, weight=weight / weight.mean(), categorical_feature=categories, params=params).construct()
    found = []
    for target in targets.T:
        table.set_label(target)
        n_trees = max(2, N_TREES // targets.shape[1])
        grown = train(params, table, num_boost_round=n_trees, keep_training_booster=True)
        found.append(splits_of_lightgbm(grown.model_to_string()))
    feature, threshold, gain = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return feature, threshold, gain
