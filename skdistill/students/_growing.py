"""Growing trees with LightGBM: one binned table for all outputs, trees in batches that a memory can keep."""

from functools import cached_property
from typing import Any

import joblib
import lightgbm
import numpy as np
from scipy import sparse

from .._encoding import TableEncoder
from ..compiled import Forest, forest_from_lightgbm

BATCH = 10
"""Trees that are grown, and kept by a memory, at a time."""


class Table:
    """A table as the numbers that trees compare.

    Parameters
    ----------
    X : table of shape (n_rows, n_features)
    weight : ndarray of shape (n_rows,)
    """

    def __init__(self, X: Any, weight: np.ndarray) -> None:
        self.encoder = TableEncoder().fit(X)
        self.cells = _rounded(self.encoder.transform(X))
        self.weight = weight / weight.mean()

    @cached_property
    def has_missing(self) -> np.ndarray:
        """Which columns have missing cells."""
        if sparse.issparse(self.cells):
            return np.bincount(self.cells.indices[np.isnan(self.cells.data)], minlength=self.cells.shape[1]) > 0
        return np.isnan(self.cells).any(axis=0)

    @cached_property
    def key(self) -> str:
        """What tells this table from others."""
        return joblib.hash((self.cells, self.weight, self.encoder.is_category_))


def _rounded(encoded: Any) -> Any:
    """Return numbers as float32; what is too large is the largest."""
    largest = np.finfo(np.float32).max
    if sparse.issparse(encoded):
        encoded = sparse.csr_matrix(encoded, copy=True)  # LightGBM warns of sparse arrays
        encoded.data = np.clip(encoded.data, -largest, largest)
        return encoded.astype(np.float32)
    return np.clip(encoded, -largest, largest).astype(np.float32)


class Grower:
    """Grows sequences of trees on one table.

    Parameters
    ----------
    table : Table
    params : dict
        LightGBM's.
    memory : joblib.Memory
        Keeps batches of trees: on the same rows a longer sequence goes on where a shorter one ended.
    """

    def __init__(self, table: Table, params: dict[str, Any], memory: joblib.Memory) -> None:
        self.table = table
        self.params = params
        self.memory = memory if memory.location is not None else None
        self.sequences: dict[int, list[tuple[str, np.ndarray]]] = {}

    def grow(self, output: int, target: np.ndarray, start: float, n_trees: int) -> Forest:
        """Return the first trees for an output, on from a constant score; fewer if nothing is left to split."""
        batches = self.sequences.setdefault(output, [("", np.full(len(target), start))])
        while (len(batches) - 1) * BATCH < n_trees:
            batches.append(self._next_batch(target, batches[-1][1]))
        forest = forest_from_lightgbm([text for text, _ in batches[1:]], n_trees=n_trees, dtype=np.float32)
        return forest.with_values(forest.value, forest.base + start)

    def _next_batch(self, target: np.ndarray, scores: np.ndarray) -> tuple[str, np.ndarray]:
        if self.memory is None:
            return _grow_batch(self, None, target, self.params, scores)
        return self.memory.cache(_grow_batch, ignore=["grower"])(self, self.table.key, target, self.params, scores)

    @cached_property
    def dataset(self) -> lightgbm.Dataset:
        """The binned table."""
        categories = np.flatnonzero(self.table.encoder.is_category_).tolist()
        given = {"weight": self.table.weight, "categorical_feature": categories, "params": self.params}
        return lightgbm.Dataset(self.table.cells, **given).construct()


def _grow_batch(
    grower: Grower,
    key: str | None,  # noqa: ARG001
    target: np.ndarray,
    params: dict[str, Any],
    start: np.ndarray,
) -> tuple[str, np.ndarray]:
    """Grow some more trees on from some scores; return their text and the scores with them."""
    grower.dataset.set_label(target)
    grower.dataset.set_init_score(start)
    booster = lightgbm.train(params, grower.dataset, num_boost_round=BATCH)
    scores = booster.predict(grower.table.cells, raw_score=True, num_threads=params["num_threads"])
    return booster.model_to_string(), start + scores
