"""Trees of any size in C, as a walk over small tables."""

from string import Template

import numpy as np

from ._c_tables import c_type, number, table
from ._program import Trees


def starts_text(base: np.ndarray, score: str) -> str:
    """Return the additions of the constants to the scores, which begin with ``score``."""
    return "\n".join(f"{score}{output}] += {number(start)};" for output, start in enumerate(base))


def unit_text(trees: Trees, prefix: str) -> str:
    """Return the multiplication of a stored leaf value by its unit; nothing if all units are 1."""
    units = trees.unit
    if np.all(units == units[0]):
        return "" if units[0] == 1 else f" * {number(units[0])}"
    return f" * {prefix}unit[{prefix}output[tree] + k]"


def unit_table(trees: Trees, prefix: str) -> list[str]:
    """Return the table of units; nothing if they are all the same."""
    return [] if np.all(trees.unit == trees.unit[0]) else [table(f"{prefix}unit", trees.unit, indent="")]


def rounds(trees: Trees, cell: str) -> bool:
    """Whether cells of a type are rounded before they are compared with the thresholds."""
    return cell == "double" and trees.threshold.dtype == np.float32


def within_text(trees: Trees, cell: str, prefix: str) -> str:
    """Return the test whether a category is in the subset of a cut."""
    n_codes, n_bytes = trees.subsets.shape[1], -(-trees.subsets.shape[1] // 8)
    byte = f"{prefix}subset[(int){prefix}cut[cut] * {n_bytes} + (int){cell} / 8]"
    return f"{cell} > -1 && {cell} < {n_codes} && ({byte} >> ((int){cell} % 8) & 1)"


def subset_table(trees: Trees, prefix: str) -> list[str]:
    """Return the table of subsets, with a bit for each code; nothing without categories."""
    if not trees.is_category.any():
        return []
    return [table(f"{prefix}subset", np.packbits(trees.subsets, axis=1, bitorder="little"), indent="")]


def walk_text(place: int, trees: Trees, *, cell: str, is_small: bool) -> str:
    """Return the tables of a part and its function for one row.

    ``cell`` is the type of the cells. If the tables shall be small, equal thresholds of a column are stored once, and
    leaf values that the model stores in half precision remain so.
    """
    prefix = f"part{place}_"
    first, position = _distinct(trees) if is_small else (np.arange(len(trees.column)),) * 2
    packed, n_flags, n_bits = _packed(trees, position if is_small else np.zeros_like(position))
    is_half = is_small and trees.stored.dtype == np.float16
    value = f"{prefix}value[leaf * {trees.value.shape[1]} + k]"
    words = {
        "p": prefix,
        "starts": starts_text(trees.base, "    score["),
        "packed": _packed_type(packed),
        "cut": f"(int)(packed >> {n_bits})" if is_small else "split",
        "n_flags": n_flags,
        "ones": (1 << (n_bits - n_flags)) - 1,
        "goes_left": _goes_left(trees, cell, prefix),
        "value": (f"from_half({value})" if is_half else value) + unit_text(trees, prefix),
        "n_trees": len(trees.tree_splits),
        "width": trees.value.shape[1],
    }
    lines = [
        table(f"{prefix}column", trees.column[first], indent=""),
        table(f"{prefix}cut", trees.threshold[first], kind=c_type(trees.threshold), indent=""),
        table(f"{prefix}split", packed, kind=_packed_type(packed), indent=""),
        table(f"{prefix}tree_splits", trees.tree_splits, indent=""),
        table(f"{prefix}output", trees.tree_output, indent=""),
        table(f"{prefix}value", trees.stored.view(np.uint16) if is_half else trees.stored, indent=""),
        *unit_table(trees, prefix),
        *subset_table(trees, prefix),
    ]
    return "\n".join([*lines, "", Template(_WALK.strip()).substitute(words)])


def _distinct(trees: Trees) -> tuple[np.ndarray, np.ndarray]:
    """Return a split of each distinct pair of column and threshold, and the pair of each split."""
    order = np.lexsort((trees.threshold, trees.column))
    column, threshold = trees.column[order], trees.threshold[order]
    is_new = np.append(True, (column[1:] != column[:-1]) | (threshold[1:] != threshold[:-1]))[: len(order)]
    position = np.empty(len(order), dtype=np.int64)
    position[order] = np.cumsum(is_new) - 1
    return order[is_new], position


def _packed(trees: Trees, cut: np.ndarray) -> tuple[np.ndarray, int, int]:
    """Return the cut, the size of the left subtree and flags of each split as one integer, and the bits below the two.

    The flags are the side of missing cells and, if there are splits of both kinds, whether a split tests a category.
    """
    n_flags = 2 if _is_mixed(trees) else 1
    n_bits = n_flags + int(trees.n_left.max(initial=0)).bit_length()
    flags = trees.missing_left | (trees.is_category.astype(np.int64) << 1 if n_flags == 2 else 0)
    return (cut << n_bits) | (trees.n_left << n_flags) | flags, n_flags, n_bits


def _is_mixed(trees: Trees) -> bool:
    return bool(trees.is_category.any() and not trees.is_category.all())


def _packed_type(packed: np.ndarray) -> str:
    largest = int(packed.max(initial=0))
    return "uint16_t" if largest < 2**16 else "uint32_t" if largest < 2**32 else "uint64_t"


def _goes_left(trees: Trees, cell: str, prefix: str) -> str:
    """Return the test of a split."""
    compared = "rounded(x)" if rounds(trees, cell) else "x"
    missing = "x == INT32_MIN" if cell == "int32_t" else "x != x"
    of_number = f"{missing} ? (int)(packed & 1) : {compared} <= {prefix}cut[cut]"
    if not trees.is_category.any():
        return of_number
    within = within_text(trees, "x", prefix)
    return f"packed & 2 ? {within} : {of_number}" if _is_mixed(trees) else within


_WALK = """
static void add_${p}row(const double *cell, double *score)
{
    int first_split = 0, first_leaf = 0;
${starts}
    for (int tree = 0; tree < ${n_trees}; tree++) {
        /* the left child of a split follows it, the right child follows the left subtree */
        int split = first_split, leaf = first_leaf, n_below = ${p}tree_splits[tree];
        while (n_below > 0) {
            $packed packed = ${p}split[split];
            int cut = ${cut}, n_left = (int)(packed >> ${n_flags} & ${ones});
            double x = cell[${p}column[cut]];
            int goes_left = ${goes_left};
            if (goes_left) {
                n_below = n_left;
                split += 1;
            } else {
                split += 1 + n_left;
                leaf += 1 + n_left;
                n_below -= 1 + n_left;
            }
        }
        for (int k = 0; k < ${width}; k++)
            score[${p}output[tree] + k] += ${value};
        first_split += ${p}tree_splits[tree];
        first_leaf += ${p}tree_splits[tree] + 1;
    }
}
"""
