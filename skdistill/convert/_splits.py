"""The splits of the trees of a fitted model, and the shares of its training rows that go to each side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._parts import FORESTS, Part, inverse, values_of
from ._structures import read_structure
from ._trees import Trees, trees_of_sklearn


@dataclass(frozen=True)
class Splits:
    """Trees whose splits test the cells of a table.

    Parameters
    ----------
    root : ndarray of int, shape (n_trees,)
        First node of each tree.
    column : ndarray of int, shape (n_nodes,)
        The column of the table that a split tests; -1 for leaves.
    threshold : ndarray of float64, shape (n_nodes,)
        Cells up to the threshold go left. NaN where the sides are described by ``subset``, or not at all.
    subset : ndarray of int, shape (n_nodes,)
        The row of ``subsets[column]`` that says which values go left; -1 where there is none.
    subsets : dict of {int: ndarray of bool, shape (n_subsets, n_values)}
        Which values of a column go left.
    left, right : ndarray of int, shape (n_nodes,)
        Children of each split.
    share : ndarray of float64, shape (n_nodes,)
        Share of the training rows of a node that go left.
    """

    root: np.ndarray
    column: np.ndarray
    threshold: np.ndarray
    subset: np.ndarray
    subsets: dict[int, np.ndarray]
    left: np.ndarray
    right: np.ndarray
    share: np.ndarray


def read_splits(part: Part, values: Sequence[list[Any] | None]) -> Splits | None:
    """Return the splits of a model of trees; ``None`` if it has none.

    Parameters
    ----------
    part : Part
        A model and the columns that it reads.
    values : sequence of (list or None)
        The values of each column of the table that is described by its values; ``None`` for columns of numbers.
    """
    if getattr(part.model, "_preprocessor", None) is not None:  # it reorders the columns
        return None
    trees = trees_of_sklearn(part.model) if isinstance(part.model, FORESTS) else read_structure(part.model)
    if not isinstance(trees, Trees) or trees.n_features > len(part.columns) or np.all(trees.left < 0):
        return None
    return _splits(trees, part, values)


def _splits(trees: Trees, part: Part, values: Sequence[list[Any] | None]) -> Splits:
    is_split = trees.left >= 0
    source = np.array([column.source.index for column in part.columns])
    subset, subsets = np.full(len(is_split), -1), dict[int, list[np.ndarray]]()
    threshold, is_ascending = np.full(len(is_split), np.nan), np.ones(len(is_split), dtype=bool)
    is_coded = np.zeros(trees.n_features, dtype=bool) if trees.is_category is None else trees.is_category
    for index, column in enumerate(part.columns):
        nodes = np.flatnonzero(is_split & (trees.feature == index))
        known = values[column.source.index]
        if len(nodes) == 0 or is_coded[index]:
            continue
        if known is not None:
            _add_subsets(np.array(values_of(column, known)), trees.threshold, nodes, subset, subsets, source[index])
        elif (found := inverse(column, trees.threshold[nodes])) is not None:
            threshold[nodes], is_ascending[nodes] = found
    share = _shares(trees, is_split)
    return Splits(
        root=trees.root,
        column=np.where(is_split, source[np.where(is_split, trees.feature, 0)], -1),
        threshold=threshold,
        subset=subset,
        subsets={column: np.array(rows) for column, rows in subsets.items()},
        left=np.where(is_ascending, trees.left, trees.right),
        right=np.where(is_ascending, trees.right, trees.left),
        share=np.where(is_ascending, share, 1 - share),
    )


def _add_subsets(
    numbers: np.ndarray,
    threshold: np.ndarray,
    nodes: np.ndarray,
    subset: np.ndarray,
    subsets: dict[int, list[np.ndarray]],
    column: int,
) -> None:
    """Add the values of a column that go left at each of the nodes, whose values are ``numbers`` to the model."""
    if np.isnan(numbers).all():
        return
    distinct, place = np.unique(threshold[nodes], return_inverse=True)
    rows = subsets.setdefault(column, [])
    subset[nodes] = len(rows) + place.reshape(-1)
    rows.extend(numbers <= distinct[:, None])


def _shares(trees: Trees, is_split: np.ndarray) -> np.ndarray:
    """Return the share of the training rows of each split that go left; a half where it is not known."""
    share = np.full(len(is_split), 0.5)
    if trees.n_rows is not None:
        of_left, of_right = trees.n_rows[trees.left[is_split]], trees.n_rows[trees.right[is_split]]
        total = of_left + of_right
        share[is_split] = np.divide(of_left, total, out=np.full(len(total), 0.5), where=total > 0)
    return share


def join_splits(found: Sequence[Splits]) -> Splits:
    """Return the splits of several models as those of one."""
    shift = np.cumsum([0, *(len(splits.column) for splits in found)])[:-1]
    subsets: dict[int, np.ndarray] = {}
    subset = [splits.subset.copy() for splits in found]
    for splits, numbers in zip(found, subset, strict=True):
        for column, rows in splits.subsets.items():
            before = subsets.get(column, rows[:0])
            numbers[(splits.column == column) & (numbers >= 0)] += len(before)
            subsets[column] = np.concatenate([before, rows])

    def joined(get: Callable[[Splits], np.ndarray], shifts: Any = None) -> np.ndarray:
        parts = [get(splits) for splits in found]
        return np.concatenate(parts if shifts is None else [part + by for part, by in zip(parts, shifts, strict=True)])

    return Splits(
        root=joined(lambda splits: splits.root, shift),
        column=joined(lambda splits: splits.column),
        threshold=joined(lambda splits: splits.threshold),
        subset=np.concatenate(subset),
        subsets=subsets,
        left=joined(lambda splits: splits.left, shift),
        right=joined(lambda splits: splits.right, shift),
        share=joined(lambda splits: splits.share),
    )
