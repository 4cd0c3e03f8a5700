"""Select rows of an unlabelled pool for queries."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.tree import DecisionTreeRegressor

from .._encoding import TableEncoder, fit_table_encoder

LARGEST = 1e30
"""Larger numbers are clipped for trees, so that sums remain within float32."""


def tree_input(encoder: TableEncoder, X: Any) -> Any:
    """Return a table as float32 for trees: categories as codes, missing values as NaN."""
    encoded = encoder.transform(X)
    if sparse.issparse(encoded):
        return sparse.csr_matrix(encoded, dtype=np.float32)
    return np.clip(encoded, -LARGEST, LARGEST).astype(np.float32)


def standardise(outputs: np.ndarray) -> np.ndarray:
    """Return outputs as centred columns with a total variance of one, without overflow."""
    columns = outputs.reshape(len(outputs), -1)
    columns = columns / (np.abs(columns).max() or 1.0)
    columns = columns - columns.mean(axis=0)
    return columns / (columns.std() or 1.0)


def choose_from_pool(X: Any, outputs: np.ndarray, pool: Any, n_rows: int, rng: np.random.RandomState) -> np.ndarray:
    """Select informative rows of a pool: more rows where the teacher's outputs vary [1]_.

    A tree is grown on the labelled rows. Rows of the pool are drawn with a probability proportional to the standard
    deviation of the teacher's outputs in their leaf (Neyman allocation of a stratified sample).

    Parameters
    ----------
    X : table of shape (n_labelled, n_features)
        Labelled rows.
    outputs : ndarray of shape (n_labelled,) or (n_labelled, n_outputs)
        The teacher's outputs for these rows.
    pool : table of shape (n_pool, n_features)
    n_rows : int
        Number of rows to select, at most the size of the pool.
    rng : RandomState

    Returns
    -------
    chosen : ndarray of int, shape (n_rows,)
        Sorted indices of rows of the pool.

    Raises
    ------
    ValueError
        If the pool has fewer rows.

    References
    ----------
    .. [1] J. Neyman, "On the Two Different Aspects of the Representative Method", JRSS 97, 1934.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.samplers import choose_from_pool
    >>> pool = np.linspace(0, 1, 1000).reshape(-1, 1)
    >>> labelled = pool[::10]
    >>> outputs = np.where(labelled[:, 0] > 0.8, np.sin(300 * labelled[:, 0]), 0.0)
    >>> chosen = choose_from_pool(labelled, outputs, pool, 100, np.random.RandomState(0))
    >>> bool(np.mean(pool[chosen] > 0.7) > 0.9)
    True
    """
    if not 0 < n_rows <= pool.shape[0]:
        raise ValueError(f"choose_from_pool got n_rows={n_rows}; expected 1 to {pool.shape[0]}, the rows of the pool.")
    encoder = fit_table_encoder(X)
    values = standardise(outputs)
    tree = DecisionTreeRegressor(max_leaf_nodes=32, min_samples_leaf=8, random_state=rng)
    leaves = tree.fit(tree_input(encoder, X), values).apply(tree_input(encoder, X))
    count = np.maximum(np.bincount(leaves), 1)
    moments = [[np.bincount(leaves, weights=column**power) / count for column in values.T] for power in (1, 2)]
    mean, square = np.array(moments)
    spread = np.sqrt(np.maximum(square - mean**2, 0)).sum(axis=0)[tree.apply(tree_input(encoder, pool))]
    log_share = np.log(spread + 1e-3 * spread.mean() + np.finfo(float).tiny)
    keys = log_share + rng.gumbel(size=len(log_share))  # the largest keys are a draw without replacement
    return np.sort(np.argpartition(keys, -n_rows)[-n_rows:])
