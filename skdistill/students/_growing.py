"""Growing trees with LightGBM: one binned table for all outputs, trees in batches that a memory can keep."""

from functools import cached_property
from typing import Any

import joblib
import lightgbm
import numpy as np
from scipy import sparse

from ..compiled import Forest, forest_from_lightgbm

BATCH = 20
"""Trees that are grown, and kept by a memory, at a time."""


class Grower:
    """Grows sequences of trees on one table.

    Parameters
    ----------
    X : ndarray or sparse array of float32, shape (n_rows, n_features)
    weight : ndarray of shape (n_rows,)
    is_category : ndarray of bool, shape (n_features,)
    params : dict
        LightGBM's.
    memory : joblib.Memory
        Keeps batches of trees: on the same rows a longer sequence goes on where a shorter one ended.
    """

    def __init__(
        self, X: Any, weight: np.ndarray, is_category: np.ndarray, params: dict[str, Any], memory: joblib.Memory
    ) -> None:
        self.X = sparse.csr_matrix(X) if sparse.issparse(X) else X  # LightGBM warns of sparse arrays
        self.weight = weight
        self.is_category = is_category
        self.params = params
        self.keeps = memory.location is not None
        self.grow_batch = memory.cache(_grow_batch, ignore=["grower"]) if self.keeps else _grow_batch
        self.key = joblib.hash((self.X, weight, is_category)) if self.keeps else None

    def grow(self, target: np.ndarray, start: float, n_trees: int) -> Forest:
        """Return the first trees for a target, on from a constant score; fewer if nothing is left to split."""
        texts, scores = [], np.full(len(target), start)
        for done in range(0, n_trees, BATCH):
            n_batch = BATCH if self.keeps else min(BATCH, n_trees - done)
            text, scores = self.grow_batch(self, self.key, target, self.params, scores, n_batch)
            texts.append(text)
        forest = forest_from_lightgbm(texts, n_trees=n_trees, dtype=np.float32)
        return forest.with_values(forest.value, forest.base + start)

    @cached_property
    def dataset(self) -> lightgbm.Dataset:
        """The binned table."""
        categories = np.flatnonzero(self.is_category).tolist()
        dataset = lightgbm.Dataset(
            self.X, weight=self.weight, categorical_feature=categories, params=self.params, free_raw_data=True
        )
        return dataset.construct()


def _grow_batch(
    grower: Grower,
    key: str | None,  # noqa: ARG001
    target: np.ndarray,
    params: dict[str, Any],
    start: np.ndarray,
    n_trees: int,
) -> tuple[str, np.ndarray]:
    """Grow more trees on from some scores; return their text and the scores with them."""
    grower.dataset.set_label(target)
    grower.dataset.set_init_score(start)
    booster = lightgbm.train(params, grower.dataset, num_boost_round=n_trees)
    scores = booster.predict(grower.X, raw_score=True, num_threads=params["num_threads"])
    return booster.model_to_string(), start + scores
