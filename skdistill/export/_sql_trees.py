"""Trees as expressions of SQL: nested conditions, and lists of conditions below a depth that parsers refuse."""

from collections.abc import Callable

import numpy as np

from ..exceptions import ExportError
from ._dialects import Dialect
from ._program import Trees

MAX_NESTED = 10
"""Depth down to which conditions are nested: the parser of SQLite has room for about 17."""

MAX_CONDITIONS = 400
"""Maximum number of conditions of a leaf, since databases limit the depth of expressions."""


def tree_expression(trees: Trees, tree: int, place: int, sql: Dialect, code: Callable[[int], str]) -> str:
    """Return the expression of the value of a tree for one of its outputs.

    Parameters
    ----------
    trees : Trees
    tree : int
        Position of the tree.
    place : int
        Position of the output among those of the tree.
    sql : Dialect
    code : callable
        Returns the expression of the code of the category in a column.
    """
    splits = int(trees.tree_splits[:tree].sum())
    writer = _TreeWriter(trees, place, sql, code)
    return writer.nested(splits, int(trees.tree_splits[tree]), splits + tree, 0)


class _TreeWriter:
    def __init__(self, trees: Trees, place: int, sql: Dialect, code: Callable[[int], str]) -> None:
        self.trees, self.sql, self.code = trees, sql, code
        self.values = trees.value[:, place]

    def nested(self, split: int, n_splits: int, leaf: int, depth: int) -> str:
        """Return the expression of the subtree at a split, whose leftmost leaf is given."""
        if n_splits == 0:
            return self.value(leaf)
        if depth == MAX_NESTED:
            return self.flat(split, n_splits, leaf)
        n_left = int(self.trees.n_left[split])
        left = self.nested(split + 1, n_left, leaf, depth + 1)
        right = self.nested(split + 1 + n_left, n_splits - 1 - n_left, leaf + n_left + 1, depth + 1)
        return f"CASE WHEN {self.goes_left(split)} THEN {left} ELSE {right} END"

    def flat(self, split: int, n_splits: int, leaf: int) -> str:
        """Return the subtree as one list of conditions, from the left leaf to the right one.

        The leaf of a row is the first one for which the row goes left at all splits whose left subtree it is in.
        """
        conditions: list[list[str]] = [[] for _ in range(n_splits + 1)]
        below = [(split, n_splits, leaf)]
        while below:
            at, n_below, first = below.pop()
            if n_below == 0:
                continue
            n_left, condition = int(self.trees.n_left[at]), self.goes_left(at)
            for place in range(first - leaf, first - leaf + n_left + 1):
                conditions[place].append(condition)
            below += [(at + 1, n_left, first), (at + 1 + n_left, n_below - 1 - n_left, first + n_left + 1)]
        if max(map(len, conditions)) > MAX_CONDITIONS:
            raise ExportError(
                f"to_sql: a leaf has more than {MAX_CONDITIONS} conditions, the most that databases take. Fit a "
                "tree of less depth, or export to another language."
            )
        whens = [
            f" WHEN {' AND '.join(of_leaf)} THEN {self.value(leaf + k)}" for k, of_leaf in enumerate(conditions[:-1])
        ]
        return f"CASE{''.join(whens)} ELSE {self.value(leaf + n_splits)} END"

    def value(self, leaf: int) -> str:
        return self.sql.number(float(self.values[leaf]))

    def goes_left(self, split: int) -> str:
        """Return the condition under which a row goes left; for a missing cell, it may be NULL, which is not true."""
        trees, column = self.trees, int(self.trees.column[split])
        if trees.is_category[split]:
            codes = np.flatnonzero(trees.subsets[int(trees.bound[split])]).tolist()
            if not codes:
                return "1 = 0"
            return f"{self.code(column)} IN ({', '.join(map(str, codes))})"
        bound = self.sql.exact(float(trees.bound[split]))
        if trees.missing_left[split]:
            return f"(c{column} <= {bound} OR c{column} IS NULL)"
        return f"c{column} <= {bound}"
