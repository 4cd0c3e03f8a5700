"""Predictions of many rows in C: rows are taken in blocks wherever a part of the model has a function for blocks."""

from string import Template

from ._c_masks import has_masks
from ._program import Program, Trees

MAX_BLOCK_CELLS = 8192
"""Maximum number of cells and of scores of a block of rows, since they are on the stack."""


def rows_of_block(program: Program, layout: str) -> int:
    """Return the number of rows of a block; 0 if rows are predicted one by one."""
    widest = max(program.n_cells, program.n_scores)
    if widest * 8 > MAX_BLOCK_CELLS or not any(in_blocks(part, layout) for part in program.parts):
        return 0
    return next(n_rows for n_rows in (32, 16, 8) if widest * n_rows <= MAX_BLOCK_CELLS)


def in_blocks(part: object, layout: str) -> bool:
    """Whether a part has a function for blocks of rows."""
    return layout == "fast" and isinstance(part, Trees) and has_masks(part)


def block_head(program: Program, n_rows: int) -> str:
    """Return the sizes of a block, and the attribute of functions that are compiled for several processors."""
    return Template(_HEAD).substitute(rows=n_rows, columns=program.n_cells, scores=program.n_scores)


_HEAD = """
#define ROWS ${rows}
#define N_COLUMNS ${columns}
#define N_SCORES ${scores}

/* Functions for blocks of rows are compiled for several processors, and the fastest one is taken when they run. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__) && !defined(ONE_PROCESSOR)
#define WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define WIDE
#endif
"""


def add_up_block(program: Program, layout: str) -> str:
    """Return the function that computes the scores of a block."""
    lines = ["static void add_up_block(const double *cell, double *score)", "{"]
    lines += ["    for (int i = 0; i < ROWS * N_SCORES; i++)", "        score[i] = 0;"]
    for place, part in enumerate(program.parts):
        if in_blocks(part, layout):
            lines.append(f"    add_part{place}_block(cell, score);")
        else:
            lines.append("    for (int r = 0; r < ROWS; r++)")
            lines.append(f"        add_part{place}_row(cell + r * N_COLUMNS, score + r * N_SCORES);")
    return "\n".join([*lines, "}"])


def batch_declarations(program: Program, name: str) -> str:
    """Return the declarations of the functions for many rows."""
    if program.classes is None:
        outputs = "value" if program.is_single else f"{program.n_outputs} values"
        lines = [f"/* Writes the {outputs} of each of many rows. */", f"{_head(program, name)};"]
    else:
        lines = [
            f"/* Writes the {program.n_outputs} probabilities of each of many rows. */",
            f"{_head(program, name)};",
            "",
            f"/* Writes the positions of the labels of many rows in {name}_classes. */",
            f"{_labels_head(name)};",
        ]
    return "\n".join(lines)


def _head(program: Program, name: str) -> str:
    function, out = ("predict", "values") if program.classes is None else ("predict_proba", "proba")
    return f"void {name}_{function}_batch(const {name}_row *rows, size_t n_rows, double *{out})"


def _labels_head(name: str) -> str:
    return f"void {name}_predict_batch(const {name}_row *rows, size_t n_rows, int *labels)"


def batches(program: Program, name: str, n_rows: int) -> str:
    """Return the public functions for many rows."""
    out, one = "proba", f"{name}_predict_proba(rows + row, proba + row * {program.n_outputs})"
    if program.classes is None:
        out, one = "values", f"{name}_predict(rows + row, values + row * {program.n_outputs})"
        one = f"values[row] = {name}_predict(rows + row)" if program.is_single else one
    words = {"name": name, "out": out, "one": one, "n_outputs": program.n_outputs}
    words |= {"head": _head(program, name), "labels_head": _labels_head(name)}
    texts = [_BLOCK_OF_NUMBERS if program.is_numeric else _BLOCK, _OUTPUTS_OF_BLOCKS] if n_rows else [_OUTPUTS]
    if program.classes is not None:
        texts.append(_LABELS_OF_BLOCKS if n_rows else _LABELS)
    return "\n\n".join(Template(text.strip("\n")).substitute(words) for text in texts)


_OUTPUTS = """
$head
{
    for (size_t row = 0; row < n_rows; row++)
        $one;
}
"""

_LABELS = """
$labels_head
{
    for (size_t row = 0; row < n_rows; row++)
        labels[row] = ${name}_predict(rows + row);
}
"""

_BLOCK = """
static void predict_block(const ${name}_row *rows, double *out)
{
    double cell[ROWS * N_COLUMNS], score[ROWS * N_SCORES];
    for (int r = 0; r < ROWS; r++)
        encode(rows + r, cell + r * N_COLUMNS);
    add_up_block(cell, score);
    for (int r = 0; r < ROWS; r++)
        link(score + r * N_SCORES, out + r * ${n_outputs});
}
"""

_BLOCK_OF_NUMBERS = """
static void predict_block(const ${name}_row *rows, double *out)
{
    double score[ROWS * N_SCORES];
    add_up_block((const double *)rows, score);
    for (int r = 0; r < ROWS; r++)
        link(score + r * N_SCORES, out + r * ${n_outputs});
}
"""

_OUTPUTS_OF_BLOCKS = """
$head
{
    size_t row = 0;
    for (; n_rows - row >= ROWS; row += ROWS)
        predict_block(rows + row, $out + row * ${n_outputs});
    for (; row < n_rows; row++)
        $one;
}
"""

_LABELS_OF_BLOCKS = """
$labels_head
{
    double proba[ROWS * ${n_outputs}];
    size_t row = 0;
    for (; n_rows - row >= ROWS; row += ROWS) {
        predict_block(rows + row, proba);
        for (int r = 0; r < ROWS; r++)
            labels[row + r] = label_of(proba + r * ${n_outputs});
    }
    for (; row < n_rows; row++)
        labels[row] = ${name}_predict(rows + row);
}
"""
