"""Boosting with LightGBM: one binned table for all outputs, and trees in batches that a memory can cache."""

from functools import cached_property
from typing import Any

import joblib
import numpy as np
from scipy import sparse

from .._encoding import fit_encoder
from .._precision import needs_double
from ..compiled import Forest
from ..convert import forest_from_lightgbm

LARGEST_DOUBLE = 1e300
"""Largest number that LightGBM distinguishes from infinity."""

TREES_PER_BATCH = 20
"""Number of trees that are grown, and cached, at a time."""


class TreeTable:
    """A table as the numbers that trees compare with thresholds.

    The numbers are rounded to float32, which makes trees smaller and faster, unless that would blur the differences
    within a column. The trees then compare all columns in float64.

    Parameters
    ----------
    X : table of shape (n_rows, n_features)
    weight : ndarray of shape (n_rows,)
    declared : tuple of int, default=()
        Positions of columns that are declared as categories.

    Attributes
    ----------
    needs_double : ndarray of bool, shape (n_features,)
        Which columns float32 would blur.
    cells : ndarray or sparse matrix of float32 or float64, shape (n_rows, n_features)
    """

    def __init__(self, X: Any, weight: np.ndarray, declared: tuple[int, ...] = ()) -> None:
        self.encoder = fit_encoder(X, declared)
        encoded = self.encoder.transform(X)
        self.needs_double = needs_double(encoded)
        self.cells = _rounded(encoded, np.float64 if self.needs_double.any() else np.float32)
        self.weight = weight / weight.mean()

    @cached_property
    def has_missing(self) -> np.ndarray:
        """Which columns have missing cells."""
        if sparse.issparse(self.cells):
            return np.bincount(self.cells.indices[np.isnan(self.cells.data)], minlength=self.cells.shape[1]) > 0
        return np.isnan(self.cells).any(axis=0)

    @cached_property
    def key(self) -> str:
        """Hash of the table."""
        return joblib.hash((self.cells, self.weight, self.encoder.is_category_))


def _rounded(encoded: Any, dtype: Any) -> Any:
    """Return numbers of a dtype, clipped to its range."""
    largest = np.finfo(np.float32).max if dtype == np.float32 else LARGEST_DOUBLE
    if sparse.issparse(encoded):
        encoded = sparse.csr_matrix(encoded, copy=True)  # LightGBM warns of sparse arrays
        encoded.data = np.clip(encoded.data, -largest, largest)
        return encoded.astype(dtype)
    return np.clip(encoded, -largest, largest).astype(dtype)


class TreeGrower:
    """Grows sequences of trees on one table.

    Parameters
    ----------
    table : TreeTable
    params : dict
        Parameters of LightGBM.
    memory : joblib.Memory
        Caches batches of trees: on the same rows a longer sequence continues a shorter one.
    """

    def __init__(self, table: TreeTable, params: dict[str, Any], memory: joblib.Memory) -> None:
        self.table = table
        self.params = params
        self.memory = memory if memory.location is not None else None
        self.sequences: dict[int, list[str]] = {}
        self.latest: tuple[list[str], np.ndarray] = [], np.zeros(0)

    def grow(
        self, output: int, target: np.ndarray, start: float | np.ndarray, n_trees: int, *, only_these: bool
    ) -> Forest:
        """Return the first trees for an output, fewer if no split is left.

        They start from a constant score, which becomes the forest's base, or from a score for each row, which does not.
        Batches are grown whole, so that a longer sequence can continue them, unless ``only_these`` are wanted.
        """
        texts = self.sequences.setdefault(output, [])
        while len(texts) * TREES_PER_BATCH < n_trees:
            n_missing = n_trees - len(texts) * TREES_PER_BATCH
            n_batch = min(TREES_PER_BATCH, n_missing) if only_these and self.memory is None else TREES_PER_BATCH
            texts.append(self._next_batch(target, start, list(texts), n_batch))
        forest = forest_from_lightgbm(texts, n_trees=n_trees, dtype=self.table.cells.dtype)
        return forest if isinstance(start, np.ndarray) else forest.scaled(1.0, start)

    def _next_batch(self, target: np.ndarray, start: float | np.ndarray, texts: list[str], n_trees: int) -> str:
        if self.memory is None:
            return _grow_batch(self, None, target, self.params, start, texts, n_trees)
        grow_batch = self.memory.cache(_grow_batch, ignore=["grower"])
        return grow_batch(self, self.table.key, target, self.params, start, texts, n_trees)

    def scores_after(self, texts: list[str], start: float | np.ndarray) -> np.ndarray:
        """Return the scores of all rows after some batches, computed from the latest ones where these come before."""
        known, scores = self.latest
        if not known or texts[: len(known)] != known:
            known, scores = [], np.full(len(self.table.weight), start)
        for text in texts[len(known) :]:
            scores = scores + forest_from_lightgbm([text], dtype=self.table.cells.dtype).scores(self.table.cells)[:, 0]
        self.latest = list(texts), scores
        return scores

    @cached_property
    def dataset(self) -> Any:
        """The binned table."""
        from lightgbm import Dataset  # imported here, so that prediction does not need LightGBM

        categories = np.flatnonzero(self.table.encoder.is_category_).tolist()
        given = {"weight": self.table.weight, "categorical_feature": categories, "params": self.params}
        return Dataset(self.table.cells, **given).construct()


def _grow_batch(
    grower: TreeGrower,
    key: str | None,  # noqa: ARG001
    target: np.ndarray,
    params: dict[str, Any],
    start: float | np.ndarray,
    texts: list[str],
    n_trees: int,
) -> str:
    """Grow more trees after those of some texts; return their text."""
    import lightgbm

    grower.dataset.set_label(target)
    grower.dataset.set_init_score(grower.scores_after(texts, start))
    # what is kept for training is not copied through a text before the text is written
    grown = lightgbm.train(params, grower.dataset, num_boost_round=n_trees, keep_training_booster=True)
    return grown.model_to_string()
