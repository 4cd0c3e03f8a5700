"""Code generator for trees: nested conditional expressions of the cells of one row."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ._code import Code, check_arrays, float_literal, int_literal

MAX_SPLITS = 20_000
"""Maximum number of splits for code generation: the code of larger forests exceeds the processor's caches."""

MAX_DEPTH = 80
"""Maximum depth of a tree for code generation: Python's parser allows 200 open parentheses."""

MAX_TERMS_PER_LINE = 50
"""Maximum number of terms of a sum in one expression, since the nesting depth of the parser is limited."""


def forest_code(forest: Any, names: Mapping[int, str] | None = None) -> Code | None:
    """Return the code of a forest; ``None`` if it is too large or too deep.

    With ``names``, it reads no cells, and expects those of its columns, which must be numbers, in these variables.
    """
    check_arrays(forest)
    if max(len(forest.feature), forest.value.size // 2) > MAX_SPLITS or forest.spans.depth.max(initial=0) >= MAX_DEPTH:
        return None
    sums = [[float_literal(start)] if start else [] for start in forest.base.tolist()]
    width = forest.value.shape[1]
    lines, writer = [], _TreeWriter(forest, names)
    for tree, output in enumerate(forest.tree_output.tolist()):
        expression = writer.expression(tree)
        if width == 1:
            sums[output].append(expression)
        else:
            values = [f"t{tree}_{column}" for column in range(width)]
            lines.append(f"    {', '.join(values)} = {expression}")
            for column, name in enumerate(values):
                sums[output + column].append(name)
    for output, terms in enumerate(sums):
        lines.append(f"    s{output} = {' + '.join(terms[:MAX_TERMS_PER_LINE]) or 0.0}")
        lines += [
            f"    s{output} += {' + '.join(terms[k : k + MAX_TERMS_PER_LINE])}"
            for k in range(MAX_TERMS_PER_LINE, len(terms), MAX_TERMS_PER_LINE)
        ]
    if names is not None:
        return Code(lines)
    used = columns_of(forest)
    read = range(forest.n_features) if len(used) * 2 > forest.n_features else used
    coded = [index for index in used if forest.is_category[index]]
    n_codes = int_literal(forest.subsets.shape[1])
    codes = [f"    x{index} = int(x{index}) if -1 < x{index} < {n_codes} else -1" for index in coded]
    return Code(reading(read, forest.n_features) + codes + lines, read=frozenset(read).difference(coded))


def columns_of(forest: Any) -> list[int]:
    """Return the positions of the columns that the trees split."""
    return [int(int_literal(index)) for index in sorted(set(forest.feature.tolist()))]


def reading(columns: Sequence[int], n_features: int, *, cells: str = "cells", name: str = "x") -> list[str]:
    """Return the statements that read some or all of the cells of a row into ``x0``, ``x1``, ..."""
    if 0 < len(columns) == n_features:  # unpacking all cells is faster than indexing half of them
        return [f"    {', '.join(f'{name}{index}' for index in columns)}, = {cells}"]
    return [f"    {name}{index} = {cells}[{index}]" for index in columns]


class _TreeWriter:
    """Generates the expressions of trees; float64 cells give the same result as cells rounded to the forest's dtype."""

    def __init__(self, forest: Any, names: Mapping[int, str] | None) -> None:
        self.feature = forest.feature.tolist()
        self.names = {index: f"x{index}" for index in columns_of(forest)} if names is None else names
        self.bound = _bounds_for_doubles(forest.threshold).tolist()
        self.missing_left = forest.missing_left.tolist()
        self.n_left = forest.n_left.tolist()
        self.value = forest.leaf_values.tolist()
        self.is_category = forest.is_category.tolist()
        self.subset = [f"{{{', '.join(map(int_literal, np.flatnonzero(codes)))}}}" for codes in forest.subsets]
        self.first_split = forest.tree_split.tolist()
        self.n_splits = forest.tree_splits.tolist()
        self.first_leaf = forest.tree_leaf.tolist()

    def expression(self, tree: int) -> str:
        return self._below(self.first_split[tree], self.n_splits[tree], self.first_leaf[tree])

    def _below(self, split: int, n_splits: int, leaf: int) -> str:
        if n_splits == 0:
            values = self.value[leaf]
            return float_literal(values[0]) if len(values) == 1 else f"({', '.join(map(float_literal, values))})"
        n_left = self.n_left[split]
        left = self._below(split + 1, n_left, leaf)
        right = self._below(split + 1 + n_left, n_splits - 1 - n_left, leaf + n_left + 1)
        cell, bound = self.names[self.feature[split]], float_literal(self.bound[split])
        if self.is_category[self.feature[split]]:
            subset = self.subset[int(self.bound[split])]
            return f"({left} if {cell} in {subset} else {right})"
        if self.missing_left[split]:  # a comparison with NaN is false
            return f"({right} if {cell} > {bound} else {left})"
        return f"({left} if {cell} <= {bound} else {right})"


def _bounds_for_doubles(threshold: np.ndarray) -> np.ndarray:
    """Return for each float32 threshold the largest float64 that is rounded to it or below.

    Comparing a float64 cell with this bound gives the same result as rounding the cell to float32 first. A number half
    way between two float32 numbers is rounded to the even one.
    """
    if threshold.dtype != np.float32:
        return threshold
    with np.errstate(over="ignore", under="ignore"):
        above = np.nextafter(threshold, np.float32(np.inf)).astype(np.float64)
    above = np.where(np.isinf(above), 2.0**128, above)  # half a step above the largest float32 rounds to infinity
    middle = (threshold.astype(np.float64) + above) / 2
    is_even = threshold.view(np.uint32) % 2 == 0
    bound = np.where(is_even, middle, np.nextafter(middle, -np.inf))
    return np.where(np.isfinite(threshold), bound, threshold)
