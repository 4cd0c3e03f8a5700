"""Leaf values by least squares, of any numbers or of multiples of a step, tree by tree."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..compiled import Forest
from ._rows import MAX_LEAF_CELLS, Rows

RIDGE = 2.0
"""Ridge on the change of a leaf value, in rows of mean weight."""

N_ROUNDS = 3
"""Number of times that each tree is solved for."""

LARGEST_CODE = 127
"""Largest multiple of the step."""

TOWARDS_ZERO = 0.1
"""Shift of the border between two multiples of the step, in steps: smaller numbers take fewer bits."""


@dataclass(frozen=True)
class Fitted:
    """The leaves that rows reach in the trees of a forest.

    Parameters
    ----------
    rows : Rows
    codes : ndarray of int, shape (n_trees, n_rows)
        Leaf of each row, counted within its tree.
    """

    rows: Rows
    codes: np.ndarray

    @classmethod
    def known(cls, forest: Forest, rows: Rows) -> Self:
        """Return the leaves of the rows, found once for a forest that is changed in several ways."""
        found: Self = rows.once(forest, lambda: cls.of(forest, rows))
        return found

    @classmethod
    def of(cls, forest: Forest, rows: Rows) -> Self:
        """Find the leaves of as many rows as may be held at a time."""
        rows = rows.at_most(MAX_LEAF_CELLS // max(forest.n_trees, 1))
        dtype = np.dtype(np.min_scalar_type(int(forest.tree_splits.max(initial=0))))
        leaves: np.ndarray = forest.leaves(rows.cells) - forest.tree_leaf[:-1]
        codes = leaves.T.astype(dtype, order="C")
        return cls(rows, codes)

    def merged(self, forest: Forest, leaf: np.ndarray, is_kept: np.ndarray) -> Self:
        """Return the leaves after leaves have been merged, without looking at the rows again.

        Parameters
        ----------
        forest : Forest
            Whose leaves these are.
        leaf : ndarray of int, shape (n_leaves,)
            For each leaf, the leaf that it has become part of, counted over all trees.
        is_kept : ndarray of bool, shape (n_trees,)
            Mask of the trees that remain.
        """
        trees = [
            slice(*ends) for ends in zip(forest.tree_leaf[:-1].tolist(), forest.tree_leaf[1:].tolist(), strict=True)
        ]
        within = [(leaf[span] - leaf[span.start]).astype(self.codes.dtype) for span in trees]
        kept = [within[tree].take(self.codes[tree]) for tree in np.flatnonzero(is_kept).tolist()]
        codes = np.array(kept, dtype=self.codes.dtype).reshape(len(kept), self.codes.shape[1])
        return replace(self, codes=codes)

    def leaf_weight(self, forest: Forest) -> np.ndarray:
        """Return the weight of the rows in each leaf, by the output it adds to, of shape (n_leaves, width)."""
        total: np.ndarray = np.zeros(forest.value.shape)
        for tree, output, span in _trees_of(forest):
            for column in range(total.shape[1]):
                weight = self.rows.weight[:, output + column]
                total[span, column] = np.bincount(self.codes[tree], weight, span.stop - span.start)
        return total

    def resolved(
        self,
        forest: Forest,
        *,
        step: np.ndarray | None = None,
        like: Forest | None = None,
        n_rounds: int = N_ROUNDS,
    ) -> Forest:
        r"""Return the trees with values that minimise the weighted squared error of the scores.

        One tree after the other, each on what the others leave over: Gauss-Seidel steps for
        :math:`\sum_i w_i (s_i - \sum_t v_{t, \ell_t(i)})^2` plus a ridge on the changes. With steps, values are rounded
        to multiples, and later trees correct what the rounding of earlier ones has changed.

        Parameters
        ----------
        forest : Forest
        step : ndarray of shape (n_outputs,), default=None
            The values become multiples of the step of their output, as int8.
        like : Forest, default=None
            The values are stored as those of this forest are: with its steps, or in its dtype. ``None`` is ``forest``.
        n_rounds : int, default=3
            Number of times that each tree is solved for.
        """
        like = forest if like is None else like
        value, base = forest.leaf_values.copy(), forest.base.copy()
        if step is not None:
            base = self._centred(forest, value, base)
        elif like.value.dtype == np.int8:
            step = like.unit
        error = self.rows.scores - self._scores(forest, value, base)
        curvature = self.leaf_weight(forest)
        for _ in range(n_rounds):
            for tree, output, span in _trees_of(forest):
                for column in range(value.shape[1]):
                    place = output + column
                    by_step = None if step is None else step[place]
                    of_leaves = value[span, column], curvature[span, column]
                    self._solve(tree, *of_leaves, error[:, place], self.rows.weight[:, place], by_step)
        if step is not None:
            codes = np.rint(value / step[_output_of(forest)]).astype(np.int8)
            return replace(forest, value=codes, base=base, unit=step.copy())
        solved = replace(forest, value=value, base=base, unit=np.ones(len(base)))
        return solved.stored_as(like.value.dtype)

    def with_shared_values(self, forest: Forest) -> Forest:
        """Return trees of int8 values with each distinct value solved for, by least squares over all its leaves."""
        distinct, place = np.unique(forest.value, return_inverse=True)
        place, n_rows = place.reshape(forest.value.shape), len(self.rows.scores)
        gram, moment = np.zeros((len(distinct),) * 2), np.zeros(len(distinct))
        row = np.arange(n_rows) * len(distinct)
        for output in range(len(forest.base)):
            summed = np.zeros(n_rows * len(distinct))
            for tree, first, span in _trees_of(forest):
                if 0 <= output - first < forest.value.shape[1]:
                    summed[row + place[span, output - first].take(self.codes[tree])] += forest.unit[output]
            counts = summed.reshape(n_rows, -1)
            weighted = counts * self.rows.weight[:, [output]]
            gram += weighted.T @ counts
            moment += weighted.T @ (self.rows.scores[:, output] - forest.base[output] - counts @ distinct)
        gram[np.diag_indices_from(gram)] += RIDGE * (forest.unit**2).mean()
        table = (distinct + np.linalg.solve(gram, moment)).astype(np.float32)
        return replace(forest, value=table[place])

    def _solve(
        self,
        tree: int,
        value: np.ndarray,
        curvature: np.ndarray,
        error: np.ndarray,
        weight: np.ndarray,
        step: float | None,
    ) -> None:
        """Solve for the values of a tree, and update them and the errors of the rows in place."""
        codes = self.codes[tree]
        gradient = np.bincount(codes, weight * error, len(value))
        after = value + gradient / (curvature + RIDGE)
        if step is not None:
            after = _rounded(after / step) * step
        error -= (after - value).take(codes)
        value[:] = after

    def _centred(self, forest: Forest, value: np.ndarray, base: np.ndarray) -> np.ndarray:
        """Move the mean of the values of each tree to the base, so that the values are smaller; return the base."""
        weight, base = self.leaf_weight(forest) + 1e-9, base.copy()
        for _, output, span in _trees_of(forest):
            mean = np.average(value[span], weights=weight[span], axis=0)
            value[span] -= mean
            base[output : output + len(mean)] += mean
        return base

    def _scores(self, forest: Forest, value: np.ndarray, base: np.ndarray) -> np.ndarray:
        scores = np.tile(base, (len(self.rows.scores), 1))
        for tree, output, span in _trees_of(forest):
            for column in range(value.shape[1]):
                scores[:, output + column] += value[span, column].take(self.codes[tree])
        return scores


def _rounded(multiple: np.ndarray) -> np.ndarray:
    """Return the nearest integers, or the smaller of two if the number is almost half way between them."""
    size = np.floor(np.abs(multiple) + 0.5 - TOWARDS_ZERO)
    return np.copysign(np.minimum(size, LARGEST_CODE), multiple)


def _trees_of(forest: Forest) -> list[tuple[int, int, slice]]:
    """Return the position, the first output and the leaves of each tree."""
    ends = forest.tree_leaf.tolist()
    spans = map(slice, ends[:-1], ends[1:])
    return list(zip(range(forest.n_trees), forest.tree_output.tolist(), spans, strict=True))


def _output_of(forest: Forest) -> np.ndarray:
    """Return the output to which each leaf value is added, of the shape of the values."""
    first = np.repeat(forest.tree_output, forest.tree_splits + 1)
    return first[:, None] + np.arange(forest.value.shape[1])
