"""The writer of C: one C99 file of constant tables and loops over them, without allocation."""

import math
import re

import numpy as np

from ..exceptions import ExportError
from ._c_blocks import add_up_block, batch_declarations, batches, block_head, in_blocks, rows_of_block
from ._c_computed import computed_text
from ._c_masks import lowest_bit, masks_text
from ._c_tables import number, table
from ._c_trees import walk_text
from ._identifiers import field_names
from ._isotonic import c_isotonic
from ._multiples import multiples_of
from ._order import c_order
from ._program import Column, Inputs, Kernels, Layers, Part, Program, Trees

LAYOUTS = ("fast", "table")
"""Small trees as masks of leaves, or all trees as small tables."""


def c_text(program: Program, name: str, *, layout: str = "fast", cell: str = "double") -> str:
    """Return the source of a C file whose public names begin with ``name``, for cells of type double or float."""
    refuse_nul(program)
    n_rows = rows_of_block(program, layout)
    parts = [part_text(place, part, layout, cell, n_rows) for place, part in enumerate(program.parts)]
    blocks = [*helpers(program, "\n".join(parts), n_rows), *parts, add_up(program)]
    blocks += [add_up_block(program, layout)] if n_rows else []
    blocks += [_link(program), _answers(program, name), batches(program, name, n_rows)]
    code = in_type("\n\n".join(block.strip("\n") for block in blocks), cell)
    declared = in_type(declarations(program, name), cell)
    return file_of([declared, c_names(program, name), encode(program, name, cell), code], program)


def file_of(blocks: list[str], program: Program) -> str:
    """Return the text of a file: its head, the headers it needs, and the blocks."""
    body = "\n\n".join(block.strip("\n") for block in blocks)
    headers = ["<stddef.h>", "<stdint.h>"]
    if any(column.kind == "category" for column in program.columns):
        headers.append("<string.h>")
    if re.search(r"\b(exp|pow)f?\(|INFINITY|NAN", body):
        headers.append("<math.h>")
    includes = "\n".join(f"#include {header}" for header in headers)
    return f"{_HEAD.strip()}\n\n{includes}\n\n{body}\n"


def in_type(text: str, cell: str) -> str:
    """Return code that was written for doubles with another type of numbers."""
    if cell == "double":
        return text
    text = re.sub(r"\bdouble\b", cell, text)
    return re.sub(r"\b(exp|pow)\(", r"\1f(", text)


def c_header(program: Program, name: str, *, cell: str = "double") -> str:
    """Return the header of the C file."""
    return header_of(in_type(declarations(program, name).strip("\n"), cell), name)


def header_of(body: str, name: str) -> str:
    """Return declarations as a header."""
    guard = f"{name.upper()}_H"
    start, end = '#ifdef __cplusplus\nextern "C" {\n#endif', "#ifdef __cplusplus\n}\n#endif"
    opening = f"#ifndef {guard}\n#define {guard}\n\n#include <stddef.h>\n#include <stdint.h>\n\n{start}"
    return f"{opening}\n\n{body}\n\n{end}\n\n#endif\n"


_HEAD = """
/* Predictions of a model, exported by skdistill. C99, thread-safe, without allocation. */

#ifdef __FAST_MATH__
#error "Compile this file without -ffast-math, which removes the tests for missing cells."
#endif

"""


def refuse_nul(program: Program) -> None:
    """Fail if a name, category or label cannot be a C string."""
    texts = [text for column in program.columns for text in (*column.texts, column.name)]
    texts += [str(label) for label in program.classes or ()]
    for text in texts:
        if "\0" in text or not _is_unicode(text):
            raise ExportError(
                f"export: the name, category or label {text!r} has a NUL or a lone surrogate, which no C string holds. "
                "Rename it in the table and fit again."
            )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# ---------------------------------------------------------------------- interface


def declarations(program: Program, name: str) -> str:
    """Return the row, and the declarations of the public names."""
    n_outputs = program.n_outputs
    lines = [
        "/* A row. Missing numbers and times are NaN, missing categories NULL. Categories are texts in UTF-8. */",
        *row_lines(program, name, "double"),
    ]
    if program.classes is not None:
        lines += [
            "/* The class labels, as texts. */",
            f"extern const char *const {name}_classes[{n_outputs}];",
            "",
            "/* Writes the probability of each class. */",
            f"void {name}_predict_proba(const {name}_row *row, double proba[{n_outputs}]);",
            "",
            f"/* Returns the position of the label in {name}_classes. */",
            f"int {name}_predict(const {name}_row *row);",
        ]
    elif program.is_single:
        lines += ["/* Returns the value. */", f"double {name}_predict(const {name}_row *row);"]
    else:
        lines += [
            "/* Writes the values. */",
            f"void {name}_predict(const {name}_row *row, double values[{n_outputs}]);",
        ]
    return "\n".join([*lines, "", batch_declarations(program, name)])


def row_lines(program: Program, name: str, cell: str) -> list[str]:
    """Return the lines of the struct of a row, and the declaration of its columns."""
    kinds = {"number": f"{cell} ", "time": f"{cell} ", "category": "const char *"}
    fields = field_names(column.name for column in program.columns)
    notes = {"number": "", "time": " /* microseconds, of dates since 1970 in UTC */", "category": ""}
    rows = [
        f"    {kinds[column.kind]}{field};{notes[column.kind]}"
        for field, column in zip(fields, program.columns, strict=True)
    ]
    return [
        "typedef struct {",
        *rows,
        f"}} {name}_row;",
        "",
        f"/* The names of the columns, in the order of the fields of {name}_row. */",
        f"extern const char *const {name}_columns[{len(program.columns)}];",
        "",
    ]


def c_names(program: Program, name: str) -> str:
    """Return the names of the columns and the labels."""
    lines = [_strings(f"const char *const {name}_columns", [column.name for column in program.columns])]
    if program.classes is not None:
        lines.append(_strings(f"const char *const {name}_classes", [str(label) for label in program.classes]))
    return "\n".join(lines)


def c_string(text: str) -> str:
    """Return a literal of UTF-8; whatever is no plain letter, digit or space is written as octal digits."""
    safe = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.,:;+*/=()<>[]{}|&!#@^~$'")
    return '"' + "".join(chr(byte) if byte in safe else f"\\{byte:03o}" for byte in text.encode()) + '"'


def _strings(declaration: str, texts: list[str]) -> str:
    return f"{declaration}[{len(texts)}] = {{\n" + "".join(f"    {c_string(text)},\n" for text in texts) + "};"


# ---------------------------------------------------------------------- cells


def encode(program: Program, name: str, cell: str) -> str:
    """Return the function that converts a row to numbers; a row without categories is an array of them."""
    if program.is_numeric:
        size = f"sizeof({name}_row) == {len(program.columns)} * sizeof({cell})"
        return f"/* A row is read as an array of its fields. */\ntypedef char row_is_an_array[{size} ? 1 : -1];"
    fields = field_names(column.name for column in program.columns)
    lines = [f"static void encode(const {name}_row *row, {cell} *cell)", "{"]
    tables, body, into = [], [], "raw" if program.computed else "cell"
    for place, (field, column) in enumerate(zip(fields, program.columns, strict=True)):
        if column.kind == "category":
            tables += _codes(place, column)
            code = f"code_of(row->{field}, text{place}, code{place}, {len(column.texts)})"
            code = code if column.missing < 0 else f"row->{field} == NULL ? {column.missing} : {code}"
            body.append(f"    {into}[{place}] = {code};")
        else:
            body.append(f"    {into}[{place}] = row->{field};")
    helper = _CODE_OF.strip("\n") + "\n\n" if tables else ""
    if program.computed:
        helper += computed_text(program.computed) + "\n\n"
        tables.insert(0, f"    double raw[{max(len(program.columns), 1)}];")
        body.append("    compute(raw, cell);")
    return helper + "\n".join([*lines, *tables, *body, "}"])


def _codes(place: int, column: Column) -> list[str]:
    """Return the texts of the categories of a column in the order of ``strcmp``, and their codes."""
    texts = sorted(column.texts, key=str.encode)
    codes = np.array([column.texts[text] for text in texts], dtype=np.int64)
    strings = _strings(f"static const char *const text{place}", texts or [""]).replace("\n", "\n    ")
    return [f"    {strings}", table(f"code{place}", codes, kind="int")]


_CODE_OF = """
/* Returns the code of a text, found by bisection; -1 if it is missing or unknown. */
static int code_of(const char *text, const char *const *texts, const int *codes, int n_texts)
{
    int low = 0, high = n_texts;
    if (text == NULL)
        return -1;
    while (low < high) {
        int middle = low + (high - low) / 2;
        int order = strcmp(text, texts[middle]);
        if (order == 0)
            return codes[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}
"""


# ---------------------------------------------------------------------- parts

_ROUNDED = """
/* Returns a cell as a float, as the model was fitted; infinite if it is out of range. */
static float rounded(double x)
{
#ifndef __STDC_IEC_559__
    if (x >= 3.4028235677973366e38 || x <= -3.4028235677973366e38)
        return x < 0 ? -INFINITY : INFINITY;
#endif
    return (float)x;
}
"""


def helpers(program: Program, code: str, n_rows: int) -> list[str]:
    """Return the sizes of blocks, and the functions that the code of the parts calls."""
    functions = {"rounded": _ROUNDED, "from_half": _FROM_HALF, "missing_last": _MISSING_LAST}
    functions |= {f"lowest_bit{bits}": lowest_bit(bits) for bits in (32, 64)}
    head = [block_head(program, n_rows)] if n_rows else []
    return [*head, *(text for name, text in functions.items() if f"{name}(" in code)]


_MISSING_LAST = """
/* Returns a cell so that a missing one is larger than all others where it goes to the right. */
static inline int32_t missing_last(int32_t x, int goes_right)
{
    return goes_right && x == INT32_MIN ? INT32_MAX : x;
}
"""

_FROM_HALF = """
/* Returns a number that is stored in half precision. */
static float from_half(unsigned bits)
{
    unsigned exponent = bits >> 10 & 31, fraction = bits & 1023;
    float size = exponent == 0 ? (float)fraction * 0x1p-24f
                               : (float)(1024 + fraction) * (float)(1ul << exponent) * 0x1p-25f;
    return bits >> 15 ? -size : size;
}
"""


def part_text(place: int, part: Part, layout: str, cell: str, n_rows: int) -> str:
    """Return the functions of a part, that for blocks of rows only if they have rows."""
    if isinstance(part, Trees):
        if in_blocks(part, layout):
            return masks_text(place, part, cell=cell, with_block=n_rows > 0)
        return walk_text(place, part, cell=cell, is_small=layout == "table")
    lines = [f"static void add_part{place}_row(const double *cell, double *score)", "{"]
    body = _layers(part) if isinstance(part, Layers) else _kernels(part)
    return "\n".join([*lines, *body, "}"])


def _layers(layers: Layers) -> list[str]:
    n_pairs, n_inputs = len(layers.pairs), layers.weights[0].shape[1]
    lines, source = [], "cell"
    if layers.inputs is not None:
        lines, source = _inputs(layers.inputs, n_inputs), "input"
    if n_pairs:
        lines += [table("first", layers.pairs[:, 0]), table("second", layers.pairs[:, 1])]
        lines += [f"    for (int k = 0; k < {n_pairs}; k++)"]
        lines += [f"        input[{n_inputs - n_pairs} + k] = input[first[k]] * input[second[k]];"]
    last = len(layers.weights) - 1
    for place, (weights, bias) in enumerate(zip(layers.weights, layers.biases, strict=True)):
        coded = multiples_of(weights)
        stored, factor = (weights, "") if coded is None else (coded[0], f" * {number(coded[1])}")
        lines += [table(f"weight{place}", stored), table(f"bias{place}", bias)]
        if place < last:
            lines.append(f"    double hidden{place}[{len(bias)}];")
        result = f"hidden{place}[i] = sum < 0 ? 0 : sum" if place < last else "score[i] += sum"
        lines += _sums(len(bias), f"bias{place}[i]", weights.shape[1], f"weight{place}", source, result, factor)
        source = f"hidden{place}"
    return lines


def _sums(
    n_rows: int, start: str, n_columns: int, weights: str, source: str, result: str, factor: str = ""
) -> list[str]:
    """Return the loops over the rows of a table of weights; ``factor`` is what these are multiplied by."""
    return [
        f"    for (int i = 0; i < {n_rows}; i++) {{",
        f"        double sum = {start};",
        f"        for (int j = 0; j < {n_columns}; j++)",
        f"            sum += {weights}[i * {n_columns} + j]{factor} * {source}[j];",
        f"        {result};",
        "    }",
    ]


def _inputs(inputs: Inputs, width: int) -> list[str]:
    n_numbers, n_missing = len(inputs.column), len(inputs.indicators)
    lines = [f"    double input[{max(width, 1)}] = {{0}};"]
    if n_numbers:
        fields = ("column", "center", "scale", "low", "high")
        lines += [table(name, getattr(inputs, name)) for name in fields]
        lines += [
            f"    for (int i = 0; i < {n_numbers}; i++) {{",
            "        double x = cell[column[i]], z = (x - center[i]) / scale[i];",
            "        input[i] = x != x ? 0 : z < low[i] ? low[i] : z > high[i] ? high[i] : z;",
            "    }",
        ]
    if n_missing:
        lines += [table("indicator", inputs.indicators), f"    for (int i = 0; i < {n_missing}; i++)"]
        lines += [f"        input[{n_numbers} + i] = cell[indicator[i]] != cell[indicator[i]];"]
    if len(inputs.coded):
        lines += [table("coded", inputs.coded), table("n_codes", inputs.n_codes), table("first_code", inputs.first)]
        lines += [
            f"    for (int i = 0; i < {len(inputs.coded)}; i++) {{",
            "        double code = cell[coded[i]];",
            "        if (code > -1 && code < n_codes[i])",
            "            input[first_code[i] + (int)code] = 1;",
            "    }",
        ]
    return lines


def _kernels(kernels: Kernels) -> list[str]:
    n_positions, n_inputs = kernels.positions.shape
    lines = _inputs(kernels.inputs, n_inputs)
    lines += [table(name, getattr(kernels, name)) for name in ("positions", "scales", "coef", "base")]
    lines += [f"    double kernel[{max(n_positions, 1)}] = {{0}};"]
    text = _DISTANCES.strip("\n").replace("N_POSITIONS", str(n_positions)).replace("N_INPUTS", str(n_inputs))
    lines += text.split("\n")
    n_outputs = len(kernels.base)
    lines += _sums(n_outputs, "base[i]", n_positions, "coef", "kernel", "score[i] += sum")
    if kernels.linear.size:
        lines.append(table("linear", kernels.linear))
        lines += _sums(n_outputs, "0", n_inputs, "linear", "input", "score[i] += sum")
    return lines


_DISTANCES = """
    for (int i = 0; i < N_POSITIONS; i++) {
        double distance = 0;
        for (int j = 0; j < N_INPUTS; j++) {
            double away = input[j] * scales[j] - positions[i * N_INPUTS + j];
            distance += away * away;
        }
        kernel[i] = exp(-distance);
    }
"""


def add_up(program: Program) -> str:
    """Return the function that computes the scores of a row."""
    calls = [f"    add_part{place}_row(cell, score);" for place in range(len(program.parts))]
    start = [f"    for (int i = 0; i < {program.n_scores}; i++)", "        score[i] = 0;"]
    return "\n".join(["static void add_up(const double *cell, double *score)", "{", *start, *calls, "}"])


# ---------------------------------------------------------------------- outputs


def _link(program: Program) -> str:
    """Return the function that converts scores to outputs."""
    lines = ["static void link(const double *score, double *out)", "{"]
    helper = _LOGISTIC.strip("\n") + "\n\n" if program.link in ("logistic", "binary") else ""
    if math.isfinite(program.low) or math.isfinite(program.high):
        body = _bounded_link(program)
    else:
        body = [_LINKS[program.link].strip("\n")]
        if program.power != 1:
            body.append(
                _POWER.strip("\n").replace("N_OUTPUTS", str(program.n_outputs)).replace("POWER", number(program.power))
            )
    functions, calibration = c_isotonic(program)
    text = functions + "\n".join([*lines, *body, *c_order(program, "out"), *calibration, "}"])
    return helper + text.replace("N_SCORES", str(program.n_scores))


def _bounded_link(program: Program) -> list[str]:
    low, high = number(program.low), number(program.high)
    value = {
        "identity": "score[i]",
        "exp": f"{low} + exp(score[i] < -700 ? -700 : score[i] > 700 ? 700 : score[i])",
        "logistic": f"{low} + ({high} - {low}) * logistic(score[i])",
    }[program.link]
    return [
        "    for (int i = 0; i < N_SCORES; i++) {",
        f"        double value = {value};",
        f"        out[i] = value < {low} ? {low} : value > {high} ? {high} : value;",
        "    }",
    ]


_LOGISTIC = """
static double logistic(double score)
{
    double decay = exp(score < 0 ? score : -score);
    return (score < 0 ? decay : 1) / (1 + decay);
}
"""

_POWER = """
    double sum = 0;
    for (int i = 0; i < N_OUTPUTS; i++) {
        out[i] = pow(out[i], POWER);
        sum += out[i];
    }
    for (int i = 0; i < N_OUTPUTS; i++)
        out[i] /= sum;
"""

_LINKS = {
    "identity": """
    for (int i = 0; i < N_SCORES; i++)
        out[i] = score[i];
""",
    "exp": """
    for (int i = 0; i < N_SCORES; i++)
        out[i] = exp(score[i]);
""",
    "logistic": """
    for (int i = 0; i < N_SCORES; i++)
        out[i] = logistic(score[i]);
""",
    "binary": """
    out[1] = logistic(score[0]);
    out[0] = 1 - out[1];
""",
    "one-vs-rest": """
    double highest = score[0], total = 0;
    for (int i = 1; i < N_SCORES; i++)
        highest = score[i] > highest ? score[i] : highest;
    highest = highest < 0 ? highest : 0;
    for (int i = 0; i < N_SCORES; i++) {
        double below = score[i] < 0 ? score[i] : 0, away = score[i] < 0 ? score[i] : -score[i];
        out[i] = exp(below - highest) / (1 + exp(away));
        total += out[i];
    }
    for (int i = 0; i < N_SCORES; i++)
        out[i] /= total;
""",
    "softmax": """
    double highest = score[0], total = 0;
    for (int i = 1; i < N_SCORES; i++)
        highest = score[i] > highest ? score[i] : highest;
    for (int i = 0; i < N_SCORES; i++) {
        out[i] = exp(score[i] - highest);
        total += out[i];
    }
    for (int i = 0; i < N_SCORES; i++)
        out[i] /= total;
""",
}


def _answers(program: Program, name: str) -> str:
    """Return the public functions."""
    arrays = f"    double score[{program.n_scores}]"
    steps = ["    add_up((const double *)row, score);"]
    if not program.is_numeric:
        arrays = f"    double cell[{max(program.n_cells, 1)}], score[{program.n_scores}]"
        steps = ["    encode(row, cell);", "    add_up(cell, score);"]
    if program.classes is None and program.is_single:
        head = [f"double {name}_predict(const {name}_row *row)", "{", f"{arrays}, value[1];"]
        return "\n".join([*head, *steps, "    link(score, value);", "    return value[0];", "}"])
    n_outputs, out = program.n_outputs, "values" if program.classes is None else "proba"
    function = "predict" if program.classes is None else "predict_proba"
    head = [f"void {name}_{function}(const {name}_row *row, double {out}[{n_outputs}])", "{", f"{arrays};"]
    text = "\n".join([*head, *steps, f"    link(score, {out});", "}"])
    if program.classes is None:
        return text
    label = [f"int {name}_predict(const {name}_row *row)", "{", f"    double proba[{n_outputs}];"]
    label += [f"    {name}_predict_proba(row, proba);", "    return label_of(proba);", "}"]
    return "\n\n".join([text, _label(program), "\n".join(label)])


def _label(program: Program) -> str:
    """Return the function that returns the label of probabilities."""
    n_outputs = program.n_outputs
    lines = ["static int label_of(double *proba)", "{"]
    if program.least_of_positive is not None:
        positive = program.positive
        rule = f"proba[{positive}] >= {number(program.least_of_positive)} ? {positive} : {1 - positive}"
        return "\n".join([*lines, f"    return {rule};", "}"])
    if program.thresholds is not None:
        lines.append(table("threshold", np.array(program.unit_of_decision)))
        lines += [f"    for (int i = 0; i < {n_outputs}; i++)", "        proba[i] /= threshold[i];"]
    lines += ["    int label = 0;", f"    for (int i = 1; i < {n_outputs}; i++)"]
    return "\n".join([*lines, "        label = proba[i] > proba[label] ? i : label;", "    return label;", "}"])
