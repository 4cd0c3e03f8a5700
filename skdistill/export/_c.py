"""The writer of C: one C99 file of constant tables and loops over them, without allocation."""

import math
from typing import Any

import numpy as np

from ..exceptions import ExportError
from ._c_computed import computed_text
from ._identifiers import field_names
from ._program import Column, Inputs, Kernels, Layers, Part, Program, Trees

NUMBERS_PER_LINE = 6


def c_text(program: Program, name: str) -> str:
    """Return the source of a C file whose public names begin with ``name``."""
    _refuse_nul(program)
    includes = ["<stddef.h>"]
    if any(column.kind == "category" for column in program.columns):
        includes.append("<string.h>")
    parts = [_part(place, part) for place, part in enumerate(program.parts)]
    blocks = [_declarations(program, name), _names(program, name), *parts, _encode(program, name)]
    if any(isinstance(part, Trees) and part.threshold.dtype == np.float32 for part in program.parts):
        blocks.insert(2, _ROUNDED)
    if program.computed:
        blocks.append(computed_text(program.computed))
    blocks += [_scores(program), _link(program), _answers(program, name)]
    body = "\n\n".join(block.strip("\n") for block in blocks)
    if program.needs_exp or program.power != 1 or "INFINITY" in body or "NAN" in body:
        includes.append("<math.h>")
    head = "\n".join([_HEAD.strip("\n"), *(f"#include {header}" for header in includes)])
    return f"{head}\n\n{body}\n"


def c_header(program: Program, name: str) -> str:
    """Return the header of the C file."""
    guard = f"{name.upper()}_H"
    body = _declarations(program, name).strip("\n")
    start, end = '#ifdef __cplusplus\nextern "C" {\n#endif', "#ifdef __cplusplus\n}\n#endif"
    return f"#ifndef {guard}\n#define {guard}\n\n{start}\n\n{body}\n\n{end}\n\n#endif\n"


_HEAD = """
/* Predictions of a model, exported by skdistill. C99, thread-safe, without allocation. */

#ifdef __FAST_MATH__
#error "Compile this file without -ffast-math, which removes the tests for missing cells."
#endif

"""


def _refuse_nul(program: Program) -> None:
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


def _declarations(program: Program, name: str) -> str:
    n_outputs, n_columns = program.n_outputs, len(program.columns)
    kinds = {"number": "double ", "time": "double ", "category": "const char *"}
    fields = field_names(column.name for column in program.columns)
    notes = {"number": "", "time": " /* microseconds, of dates since 1970 in UTC */", "category": ""}
    rows = [
        f"    {kinds[column.kind]}{field};{notes[column.kind]}"
        for field, column in zip(fields, program.columns, strict=True)
    ]
    lines = [
        "/* A row. Missing numbers and times are NaN, missing categories NULL. Categories are texts in UTF-8. */",
        "typedef struct {",
        *rows,
        f"}} {name}_row;",
        "",
        f"/* The names of the columns, in the order of the fields of {name}_row. */",
        f"extern const char *const {name}_columns[{n_columns}];",
        "",
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
    return "\n".join(lines)


def _names(program: Program, name: str) -> str:
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


# ---------------------------------------------------------------------- tables


def _table(name: str, values: Any, kind: str | None = None) -> str:
    """Return the definition of a constant table; without a type, of doubles or the smallest type of its integers."""
    flat = np.asarray(values).ravel()
    write = _float if flat.dtype == np.float32 else _double if flat.dtype.kind == "f" else str
    items = [write(value) for value in (flat if flat.dtype == np.float32 else (flat + 0).tolist())]
    items = items or ["0"]  # C has no empty tables
    lines = [", ".join(items[at : at + NUMBERS_PER_LINE]) for at in range(0, len(items), NUMBERS_PER_LINE)]
    rows = ",\n        ".join(lines)
    return f"    static const {kind or _type_of(flat)} {name}[{len(items)}] = {{\n        {rows}\n    }};"


def _type_of(flat: np.ndarray) -> str:
    if flat.dtype.kind == "f":
        return "float" if flat.dtype == np.float32 else "double"
    largest = int(flat.max(initial=0))
    return "unsigned char" if largest < 2**8 else "unsigned short" if largest < 2**16 else "int"


def _float(value: np.float32) -> str:
    """Return the shortest decimal that a compiler reads as this float."""
    return f"{value!s}f" if math.isfinite(value) else _double(float(value))


def _double(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "INFINITY" if value > 0 else "-INFINITY"


# ---------------------------------------------------------------------- cells


def _encode(program: Program, name: str) -> str:
    fields = field_names(column.name for column in program.columns)
    lines = [f"static void encode(const {name}_row *row, double *cell)", "{"]
    tables, body = [], []
    for place, (field, column) in enumerate(zip(fields, program.columns, strict=True)):
        if column.kind == "category":
            tables += _codes(place, column)
            code = f"code_of(row->{field}, text{place}, code{place}, {len(column.texts)})"
            code = code if column.missing < 0 else f"row->{field} == NULL ? {column.missing} : {code}"
            body.append(f"    cell[{place}] = {code};")
        else:
            body.append(f"    cell[{place}] = row->{field};")
    helper = _CODE_OF.strip("\n") + "\n\n" if tables else ""
    return helper + "\n".join([*lines, *tables, *body, "}"])


def _codes(place: int, column: Column) -> list[str]:
    """Return the texts of the categories of a column in the order of ``strcmp``, and their codes."""
    texts = sorted(column.texts, key=str.encode)
    codes = np.array([column.texts[text] for text in texts], dtype=np.int64)
    strings = _strings(f"static const char *const text{place}", texts or [""]).replace("\n", "\n    ")
    return [f"    {strings}", _table(f"code{place}", codes, kind="int")]


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
    if (x >= 3.4028235677973366e38)
        return INFINITY;
    return x <= -3.4028235677973366e38 ? -INFINITY : (float)x;
}
"""


def _part(place: int, part: Part) -> str:
    lines = [f"static void add_part{place}(const double *cell, double *score)", "{"]
    body = _trees(part) if isinstance(part, Trees) else _layers(part) if isinstance(part, Layers) else _kernels(part)
    return "\n".join([*lines, *body, "}"])


def _trees(trees: Trees) -> list[str]:
    has_categories = bool(trees.is_category.any())
    fields = ("column", "threshold", "missing_left", "n_left", "tree_splits", "tree_output", "value")
    lines = [_table(name, getattr(trees, name)) for name in fields]
    cell = "rounded(x)" if trees.threshold.dtype == np.float32 else "x"
    test = f"x != x ? missing_left[split] : {cell} <= threshold[split]"
    if has_categories:
        bits = np.packbits(trees.subsets, axis=1, bitorder="little")
        lines += [_table("is_category", trees.is_category), _table("subset", bits)]
        n_codes, n_bytes = trees.subsets.shape[1], bits.shape[1]
        bit = f"subset[(int)threshold[split] * {n_bytes} + (int)x / 8] >> ((int)x % 8) & 1"
        within = f"x > -1 && x < {n_codes} && ({bit})"
        test = f"is_category[split] ? {within} : {test}"
    width = trees.value.shape[1]
    text = _WALK.strip("\n").replace("TEST", test).replace("N_TREES", str(len(trees.tree_splits)))
    return [*lines, *_starts(trees.base), *text.replace("WIDTH", str(width)).split("\n")]


def _starts(base: np.ndarray) -> list[str]:
    return [f"    score[{output}] += {_double(start)};" for output, start in enumerate(base.tolist())]


_WALK = """
    int first_split = 0, first_leaf = 0;
    for (int tree = 0; tree < N_TREES; tree++) {
        /* the left child of a split follows it, the right child follows the left subtree */
        int split = first_split, leaf = first_leaf, n_below = tree_splits[tree];
        while (n_below > 0) {
            double x = cell[column[split]];
            int goes_left = TEST;
            if (goes_left) {
                n_below = n_left[split];
                split += 1;
            } else {
                int n_passed = 1 + n_left[split];
                split += n_passed;
                leaf += n_passed;
                n_below -= n_passed;
            }
        }
        for (int k = 0; k < WIDTH; k++)
            score[tree_output[tree] + k] += value[leaf * WIDTH + k];
        first_split += tree_splits[tree];
        first_leaf += tree_splits[tree] + 1;
    }
"""


def _layers(layers: Layers) -> list[str]:
    n_pairs, n_inputs = len(layers.pairs), layers.weights[0].shape[1]
    lines, source = [], "cell"
    if layers.inputs is not None:
        lines, source = _inputs(layers.inputs, n_inputs), "input"
    if n_pairs:
        lines += [_table("first", layers.pairs[:, 0]), _table("second", layers.pairs[:, 1])]
        lines += [f"    for (int k = 0; k < {n_pairs}; k++)"]
        lines += [f"        input[{n_inputs - n_pairs} + k] = input[first[k]] * input[second[k]];"]
    last = len(layers.weights) - 1
    for place, (weights, bias) in enumerate(zip(layers.weights, layers.biases, strict=True)):
        lines += [_table(f"weight{place}", weights), _table(f"bias{place}", bias)]
        if place < last:
            lines.append(f"    double hidden{place}[{len(bias)}];")
        result = f"hidden{place}[i] = sum < 0 ? 0 : sum" if place < last else "score[i] += sum"
        lines += _sums(len(bias), f"bias{place}[i]", weights.shape[1], f"weight{place}", source, result)
        source = f"hidden{place}"
    return lines


def _sums(n_rows: int, start: str, n_columns: int, weights: str, source: str, result: str) -> list[str]:
    """Return the loops over the rows of a table of weights."""
    return [
        f"    for (int i = 0; i < {n_rows}; i++) {{",
        f"        double sum = {start};",
        f"        for (int j = 0; j < {n_columns}; j++)",
        f"            sum += {weights}[i * {n_columns} + j] * {source}[j];",
        f"        {result};",
        "    }",
    ]


def _inputs(inputs: Inputs, width: int) -> list[str]:
    n_numbers, n_missing = len(inputs.column), len(inputs.indicators)
    lines = [f"    double input[{max(width, 1)}] = {{0}};"]
    if n_numbers:
        fields = ("column", "center", "scale", "low", "high")
        lines += [_table(name, getattr(inputs, name)) for name in fields]
        lines += [
            f"    for (int i = 0; i < {n_numbers}; i++) {{",
            "        double x = cell[column[i]], z = (x - center[i]) / scale[i];",
            "        input[i] = x != x ? 0 : z < low[i] ? low[i] : z > high[i] ? high[i] : z;",
            "    }",
        ]
    if n_missing:
        lines += [_table("indicator", inputs.indicators), f"    for (int i = 0; i < {n_missing}; i++)"]
        lines += [f"        input[{n_numbers} + i] = cell[indicator[i]] != cell[indicator[i]];"]
    if len(inputs.coded):
        lines += [_table("coded", inputs.coded), _table("n_codes", inputs.n_codes), _table("first_code", inputs.first)]
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
    lines += [_table(name, getattr(kernels, name)) for name in ("positions", "scales", "coef", "base")]
    lines += [f"    double kernel[{max(n_positions, 1)}] = {{0}};"]
    text = _DISTANCES.strip("\n").replace("N_POSITIONS", str(n_positions)).replace("N_INPUTS", str(n_inputs))
    lines += text.split("\n")
    n_outputs = len(kernels.base)
    lines += _sums(n_outputs, "base[i]", n_positions, "coef", "kernel", "score[i] += sum")
    if kernels.linear.size:
        lines.append(_table("linear", kernels.linear))
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


def _scores(program: Program) -> str:
    calls = [f"    add_part{place}(cell, score);" for place in range(len(program.parts))]
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
                _POWER.strip("\n").replace("N_OUTPUTS", str(program.n_outputs)).replace("POWER", repr(program.power))
            )
    text = "\n".join([*lines, *body, "}"])
    return helper + text.replace("N_SCORES", str(program.n_scores))


def _bounded_link(program: Program) -> list[str]:
    low, high = _double(program.low), _double(program.high)
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
    n_columns, n_computed = len(program.columns), len(program.computed)
    arrays = f"    double cell[{max(n_computed or n_columns, 1)}], score[{program.n_scores}]"
    steps = ["    encode(row, cell);", "    add_up(cell, score);"]
    if program.computed:
        arrays += f", raw[{max(n_columns, 1)}]"
        steps[:1] = ["    encode(row, raw);", "    compute(raw, cell);"]
    if program.classes is None and program.is_single:
        head = [f"double {name}_predict(const {name}_row *row)", "{", f"{arrays}, value[1];"]
        return "\n".join([*head, *steps, "    link(score, value);", "    return value[0];", "}"])
    n_outputs, out = program.n_outputs, "values" if program.classes is None else "proba"
    function = "predict" if program.classes is None else "predict_proba"
    head = [f"void {name}_{function}(const {name}_row *row, double {out}[{n_outputs}])", "{", f"{arrays};"]
    text = "\n".join([*head, *steps, f"    link(score, {out});", "}"])
    return text if program.classes is None else f"{text}\n\n{_label(program, name)}"


def _label(program: Program, name: str) -> str:
    n_outputs, units = program.n_outputs, program.unit_of_decision
    head = [f"int {name}_predict(const {name}_row *row)", "{", f"    double proba[{n_outputs}];"]
    lines = [*head, f"    {name}_predict_proba(row, proba);"]
    if program.least_of_positive is not None:
        positive = program.positive
        rule = f"proba[{positive}] >= {_double(program.least_of_positive)} ? {positive} : {1 - positive}"
        return "\n".join([*lines, f"    return {rule};", "}"])
    if program.thresholds is not None:
        lines.insert(3, _table("threshold", np.array(units)))
        lines += [f"    for (int i = 0; i < {n_outputs}; i++)", "        proba[i] /= threshold[i];"]
    lines += ["    int label = 0;", f"    for (int i = 1; i < {n_outputs}; i++)"]
    return "\n".join([*lines, "        label = proba[i] > proba[label] ? i : label;", "    return label;", "}"])
