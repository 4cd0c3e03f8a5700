"""Nearest neighbours of the rows of any table."""

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from .._encoding import fit_table_encoder

CATEGORY_DIMENSIONS = 8
"""Dimensions of the random code of a category in the space of the neighbour search."""


def find_neighbors(
    X: Any, *, n_neighbors: int, max_candidates: int, n_jobs: int | None, rng: np.random.RandomState
) -> np.ndarray:
    """Return the indices of the nearest neighbours of each row, nearest first: shape (n_samples, <= n_neighbors).

    Distances are Euclidean on standardised numbers. The distance between two different categories is about the square
    root of two standard deviations. Sparse rows are compared by cosine similarity. A table with more than
    ``max_candidates`` rows is split at random into blocks, and neighbours are searched within them.
    """
    encoder = fit_table_encoder(X)
    points = _metric_space(encoder.transform(X), encoder.is_category_, rng)
    n_rows = points.shape[0]
    n_blocks = min(-(-n_rows // max_candidates), n_rows // 2)
    blocks = np.array_split(rng.permutation(n_rows) if n_blocks > 1 else np.arange(n_rows), n_blocks)
    k = min(n_neighbors, min(len(block) for block in blocks) - 1)
    neighbors = np.empty((n_rows, k), dtype=np.int64)
    for block in blocks:
        search = NearestNeighbors(n_neighbors=k, n_jobs=n_jobs).fit(points[block])
        neighbors[block] = block[search.kneighbors(return_distance=False)]
    return neighbors


def _metric_space(encoded: Any, is_category: np.ndarray, rng: np.random.RandomState) -> Any:
    """Return rows as points whose Euclidean distance is that of the tables: shape (n_samples, n_dimensions)."""
    if sparse.issparse(encoded):
        return normalize(encoded.astype(np.float32))
    numbers = encoded[:, ~is_category].astype(np.float64)
    finite = np.isfinite(numbers)
    largest = np.abs(numbers).max(axis=0, initial=0, where=finite)
    numbers = numbers / np.where(largest > 0, largest, 1.0)  # prevents overflow of sums of squares
    with np.errstate(invalid="ignore", over="ignore"):
        count = np.maximum(finite.sum(axis=0), 1)
        mean = np.where(finite, numbers, 0).sum(axis=0) / count
        centred = np.where(finite, numbers - mean, 0)
        scale = np.sqrt((centred**2).sum(axis=0) / count)
    parts = [(centred / np.where((scale > 0) & np.isfinite(scale), scale, np.inf)).astype(np.float32)]
    for column in encoded[:, is_category].T:
        codes = np.nan_to_num(column, nan=np.nanmax(column, initial=-1) + 1).astype(int)
        n_dimensions = min(int(codes.max()) + 1, CATEGORY_DIMENSIONS)
        directions = rng.standard_normal((int(codes.max()) + 1, n_dimensions)).astype(np.float32)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        parts.append(directions[codes])
    return np.hstack(parts)
