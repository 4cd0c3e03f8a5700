"""Trees in Python as nested conditions, which are faster than a walk over tables and can be read."""

from collections.abc import Iterator

import numpy as np

from ..compiled._forest import Spans
from ._program import Trees

MAX_SPLITS = 5_000
"""Maximum number of splits of nested conditions: larger models are shorter as tables, and Python reads them faster."""

MAX_DEPTH = 80
"""Maximum depth of nested conditions: Python allows 100 levels of indentation."""


def is_nested(trees: Trees) -> bool:
    """Whether trees are written as nested conditions."""
    depth = Spans.of(trees.n_left, trees.tree_splits).depth
    return len(trees.column) <= MAX_SPLITS and trees.value.size <= 2 * MAX_SPLITS and depth.max(initial=0) < MAX_DEPTH


def nested_trees(place: int, trees: Trees) -> str:
    """Return the function that adds the values of a leaf of each tree to the scores."""
    outputs = sorted(set(_outputs(trees)))
    lines = [f"def _add_trees{place}(cells, scores):", '    """Add the values of a leaf of each tree."""']
    lines += [f"    c{column} = cells[{column}]" for column in np.unique(trees.column).tolist()]
    lines += [f"    s{output} = scores[{output}] + {trees.base.tolist()[output]!r}" for output in outputs]
    first_split = first_leaf = 0
    for tree, n_splits in enumerate(trees.tree_splits.tolist()):
        lines.append(f"    # tree {tree}")
        lines += _node(trees, tree, first_split, n_splits, first_leaf, "    ")
        first_split, first_leaf = first_split + n_splits, first_leaf + n_splits + 1
    return "\n".join([*lines, *(f"    scores[{output}] = s{output}" for output in outputs)])


def _outputs(trees: Trees) -> list[int]:
    """Return the outputs that have a constant or a tree."""
    first = np.unique(trees.tree_output)
    of_trees = (first[:, None] + np.arange(trees.value.shape[1])).ravel().tolist()
    return [*np.flatnonzero(trees.base).tolist(), *of_trees]


def _node(trees: Trees, tree: int, split: int, n_splits: int, leaf: int, indent: str) -> Iterator[str]:
    """Yield the lines of a subtree with a number of splits."""
    if n_splits == 0:
        first = int(trees.tree_output[tree])
        for place, value in enumerate(trees.value[leaf].tolist()):
            yield f"{indent}s{first + place} += {value!r}"
        return
    n_left = int(trees.n_left[split])
    yield f"{indent}if {_test(trees, split)}:"
    yield from _node(trees, tree, split + 1, n_left, leaf, indent + "    ")
    yield f"{indent}else:"
    yield from _node(trees, tree, split + 1 + n_left, n_splits - 1 - n_left, leaf + 1 + n_left, indent + "    ")


def _test(trees: Trees, split: int) -> str:
    """Return the condition for the left side; NaN is not greater than any number, and not less."""
    cell, bound = f"c{int(trees.column[split])}", float(trees.bound[split])
    if trees.is_category[split]:
        codes = np.flatnonzero(trees.subsets[int(bound)]).tolist()
        return f"{cell} in {{{', '.join(map(str, codes))}}}" if codes else "False"
    limit = repr(bound) if np.isfinite(bound) else "INF" if bound > 0 else "-INF"
    return f"not {cell} > {limit}" if trees.missing_left[split] else f"{cell} <= {limit}"
