"""Small trees in C: the leaf of a row from masks of leaves, for one row and for a block of rows.

The algorithm is QuickScorer: each split that sends a row to the right removes the leaves of its left subtree, and the
first leaf that remains is that of the row. Splits are stored by column and threshold, so that a cell is compared once
with each threshold. In a block of rows, the innermost loops compare a threshold with the cells of all rows and update
the masks of one tree. They have no branches, and compilers convert them to vector instructions.
"""

from dataclasses import dataclass
from string import Template

import numpy as np

from ..compiled._forest import Spans
from ._c_tables import c_type, table
from ._c_trees import rounds, starts_text, subset_table, unit_table, unit_text, within_text
from ._program import Trees

MAX_LEAVES = 64
"""Maximum number of leaves of a tree, which is the number of bits of the largest mask."""

TREES_PER_GROUP = 64
"""Maximum number of trees whose masks are kept at a time: those of a block of rows stay in the fastest cache."""

MISSING_LEFT, MISSING_RIGHT, CATEGORY = range(3)
ALL_BITS = 2**64 - 1


def has_masks(trees: Trees) -> bool:
    """Whether masks of leaves are wide enough for the trees."""
    return len(trees.column) > 0 and int(trees.tree_splits.max()) < MAX_LEAVES


@dataclass(frozen=True)
class Tests:
    """The splits of small trees by group of trees, column, and side of missing cells.

    Arrays whose names begin with "first" have one more element for the end.
    """

    column: np.ndarray
    kind: np.ndarray
    """``MISSING_LEFT``, ``MISSING_RIGHT`` or ``CATEGORY`` of each test."""
    first_test: np.ndarray
    """The first test of each group."""
    first_cut: np.ndarray
    first_split: np.ndarray
    cut: np.ndarray
    """The distinct thresholds, or positions of subsets, of each test in ascending order."""
    n_splits: np.ndarray
    """Number of splits at each cut."""
    tree: np.ndarray
    """The tree of each split, counted within its group."""
    mask: np.ndarray

    @classmethod
    def of(cls, trees: Trees) -> "Tests":
        """Return the sorted splits."""
        n_trees = len(trees.tree_splits)
        tree = np.repeat(np.arange(n_trees), trees.tree_splits)
        kind = np.where(trees.is_category, CATEGORY, np.where(trees.missing_left, MISSING_LEFT, MISSING_RIGHT))
        group = tree // TREES_PER_GROUP
        order = np.lexsort((tree, trees.threshold, kind, trees.column, group))
        keys, cut = np.column_stack([group, trees.column, kind])[order], trees.threshold[order]
        is_test = np.append(True, (keys[1:] != keys[:-1]).any(axis=1))
        tests, cuts = np.flatnonzero(is_test), np.flatnonzero(is_test | np.append(True, cut[1:] != cut[:-1]))
        return cls(
            column=keys[tests, 1],
            kind=keys[tests, 2],
            first_test=np.searchsorted(keys[tests, 0], np.arange(-(-n_trees // TREES_PER_GROUP) + 1)),
            first_cut=np.append(np.searchsorted(cuts, tests), len(cuts)),
            first_split=np.append(tests, len(order)),
            cut=cut[cuts],
            n_splits=np.diff(np.append(cuts, len(order))),
            tree=tree[order] % TREES_PER_GROUP,
            mask=_masks(trees)[order],
        )


def mask_bits(trees: Trees) -> int:
    """Return the number of bits of the masks."""
    n_leaves = int(trees.tree_splits.max()) + 1
    return next(bits for bits in (8, 16, 32, 64) if n_leaves <= bits)


def _masks(trees: Trees) -> np.ndarray:
    """Return for each split the leaves that remain if it sends a row to the right."""
    spans, bits = Spans.of(trees.n_left, trees.tree_splits), np.uint64(mask_bits(trees))
    below = np.uint64(ALL_BITS) >> (63 - trees.n_left).astype(np.uint64)  # a bit for each leaf of the left subtree
    return ~(below << spans.first_leaf.astype(np.uint64)) & (np.uint64(ALL_BITS) >> (np.uint64(64) - bits))


# ---------------------------------------------------------------------- text


def lowest_bit(bits: int) -> str:
    """Return the function that returns the position of the lowest bit that is set."""
    words = {"bits": bits, "builtin": "__builtin_ctzll" if bits == 64 else "__builtin_ctz", "half": bits // 2}
    return Template(_LOWEST_BIT.strip()).substitute(words)


_LOWEST_BIT = """
static int lowest_bit${bits}(uint${bits}_t bits)
{
#ifdef __GNUC__
    return ${builtin}(bits);
#else
    int position = 0;
    for (int step = ${half}; step > 0; step /= 2)
        if ((bits & (((uint${bits}_t)1 << step) - 1)) == 0) {
            bits >>= step;
            position += step;
        }
    return position;
#endif
}
"""


def masks_text(place: int, trees: Trees, *, cell: str, with_block: bool) -> str:
    """Return the tables of a part and its functions, for one row of cells of a type and perhaps for a block."""
    tests = Tests.of(trees)
    bits, prefix, kinds = mask_bits(trees), f"part{place}_", set(tests.kind.tolist())
    words = {
        "p": prefix,
        "mask": f"uint{bits}_t",
        "lowest_bit": "lowest_bit64" if bits == 64 else "lowest_bit32",
        "starts": starts_text(trees.base, "    score["),
        "starts_of_block": starts_text(trees.base, "    for (int r = 0; r < ROWS; r++)\n        score[r * N_SCORES + "),
        "cell": _cell(trees, cell, kinds, prefix, ""),
        "cell_of_block": _cell(trees, cell, kinds, prefix, "r * N_COLUMNS + "),
        "number": c_type(trees.threshold),
        "remove": _remove(trees, kinds, prefix),
        "compare": _compare(trees, kinds, prefix),
        "unit": unit_text(trees, prefix),
        "n_in_group": min(len(trees.tree_splits), TREES_PER_GROUP),
        "group_size": TREES_PER_GROUP,
        "n_groups": len(tests.first_test) - 1,
        "n_trees": len(trees.tree_splits),
        "width": trees.value.shape[1],
    }
    functions = [_ONE_ROW, _BLOCK] if with_block else [_ONE_ROW]
    texts = [Template(function.strip()).substitute(words) for function in functions]
    return "\n".join([*_table_texts(trees, tests, kinds, prefix), "", "\n\n".join(texts)])


def _table_texts(trees: Trees, tests: Tests, kinds: set[int], prefix: str) -> list[str]:
    names = ("column", "first_test", "first_cut", "first_split", "n_splits", "tree", *(["kind"] * (len(kinds) > 1)))
    tables = {name: getattr(tests, name) for name in names}
    tables["first_leaf"] = np.cumsum(trees.tree_splits + 1) - (trees.tree_splits + 1)
    tables["output"] = trees.tree_output
    lines = [table(prefix + name, values, indent="") for name, values in tables.items()]
    lines.append(table(f"{prefix}cut", tests.cut, kind=c_type(trees.threshold), indent=""))
    lines.append(table(f"{prefix}mask", tests.mask, kind=f"uint{mask_bits(trees)}_t", indent=""))
    lines.append(table(f"{prefix}value", trees.stored, indent=""))
    return [*lines, *unit_table(trees, prefix), *subset_table(trees, prefix)]


def _cell(trees: Trees, cell: str, kinds: set[int], prefix: str, row: str) -> str:
    """Return the expression of a cell as a test compares it."""
    read = f"cell[{row}{prefix}column[test]]"
    if rounds(trees, cell):
        return f"rounded({read})"
    if cell != "int32_t" or MISSING_RIGHT not in kinds:
        return read
    return f"missing_last({read}, {f'{prefix}kind[test] == {MISSING_RIGHT}' if len(kinds) > 1 else 1})"


def _remove(trees: Trees, kinds: set[int], prefix: str) -> str:
    """Return the loops over the cuts of a test at which one row goes to the right.

    Those of numbers come first, so that the loop over their splits is not left and entered again at each cut.
    """
    loops = {
        MISSING_LEFT: [f"while (cut < end && x > {prefix}cut[cut])", f"    last += {prefix}n_splits[cut++];"],
        MISSING_RIGHT: [f"while (cut < end && !(x <= {prefix}cut[cut]))", f"    last += {prefix}n_splits[cut++];"],
        CATEGORY: [
            "for (; cut < end; cut++, split = last) {",
            f"    last = split + {prefix}n_splits[cut];",
            f"    if (!({within_text(trees, 'x', prefix)}))",
            "        for (; split < last; split++)",
            f"            left[{prefix}tree[split]] &= {prefix}mask[split];",
            "}",
        ],
    }
    lines: list[str] = []
    for kind in sorted(kinds):
        if len(kinds) > 1:
            lines.append(f"if ({prefix}kind[test] == {kind}) {{")
        lines += [f"{'    ' * (len(kinds) > 1)}{line}" for line in loops[kind]]
        lines += ["}"] * (len(kinds) > 1)
    return "\n".join(f"            {line}" for line in lines)


def _compare(trees: Trees, kinds: set[int], prefix: str) -> str:
    """Return the loops that compare the cells of a block with a cut."""
    stays = {
        MISSING_LEFT: f"x[r] > {prefix}cut[cut] ? 0 : all",
        MISSING_RIGHT: f"x[r] <= {prefix}cut[cut] ? all : 0",
        CATEGORY: f"{within_text(trees, 'x[r]', prefix)} ? all : 0",
    }
    lines: list[str] = []
    for kind in sorted(kinds):
        if len(kinds) > 1:
            lines.append(f"if ({prefix}kind[test] == {kind})")
        inner = "    " * (len(kinds) > 1)
        lines += [f"{inner}for (int r = 0; r < ROWS; r++)", f"{inner}    stays[r] = {stays[kind]};"]
    return "\n".join(f"                {line}" for line in lines)


_ONE_ROW = """
/* A split that sends the row to the right removes leaves; the first one that remains is that of the row. */
static void add_${p}row(const double *cell, double *score)
{
${starts}
    for (int group = 0; group < ${n_groups}; group++) {
        $mask left[${n_in_group}];
        for (int i = 0; i < ${n_in_group}; i++)
            left[i] = ($mask)-1;
        for (int test = ${p}first_test[group]; test < ${p}first_test[group + 1]; test++) {
            $number x = $cell;
            int cut = ${p}first_cut[test], end = ${p}first_cut[test + 1];
            int split = ${p}first_split[test], last = split;
${remove}
            for (; split < last; split++)
                left[${p}tree[split]] &= ${p}mask[split];
        }
        for (int i = 0, tree = group * ${group_size}; i < ${n_in_group} && tree < ${n_trees}; i++, tree++) {
            int leaf = ${p}first_leaf[tree] + ${lowest_bit}(left[i]);
            for (int k = 0; k < ${width}; k++)
                score[${p}output[tree] + k] += ${p}value[leaf * ${width} + k]${unit};
        }
    }
}
"""

_BLOCK = """
/* The same for a block of rows, without branches in the innermost loops. */
WIDE static void add_${p}block(const double *cell, double *score)
{
    const $mask all = ($mask)-1;
${starts_of_block}
    for (int group = 0; group < ${n_groups}; group++) {
        $mask left[${n_in_group}][ROWS], stays[ROWS];
        $number x[ROWS];
        for (int i = 0; i < ${n_in_group}; i++)
            for (int r = 0; r < ROWS; r++)
                left[i][r] = all;
        for (int test = ${p}first_test[group]; test < ${p}first_test[group + 1]; test++) {
            int split = ${p}first_split[test];
            for (int r = 0; r < ROWS; r++)
                x[r] = ${cell_of_block};
            for (int cut = ${p}first_cut[test]; cut < ${p}first_cut[test + 1]; cut++) {
${compare}
                for (int end = split + ${p}n_splits[cut]; split < end; split++) {
                    $mask *of_tree = left[${p}tree[split]], mask = ${p}mask[split];
                    for (int r = 0; r < ROWS; r++)
                        of_tree[r] &= stays[r] | mask;
                }
            }
        }
        for (int i = 0, tree = group * ${group_size}; i < ${n_in_group} && tree < ${n_trees}; i++, tree++)
            for (int r = 0; r < ROWS; r++) {
                int leaf = ${p}first_leaf[tree] + ${lowest_bit}(left[i][r]);
                for (int k = 0; k < ${width}; k++)
                    score[r * N_SCORES + ${p}output[tree] + k] += ${p}value[leaf * ${width} + k]${unit};
            }
    }
}
"""
