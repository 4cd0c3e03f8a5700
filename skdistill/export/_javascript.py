"""The writer of JavaScript: one ES module without dependencies."""

import json
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..compiled._computed import ComputedColumn
from ..exceptions import ExportError
from ._computed import pairs_of, steps_of
from ._isotonic import javascript_isotonic
from ._order import javascript_order
from ._program import Inputs, Kernels, Layers, Part, Program, Trees

LARGEST_EXACT_INTEGER = 2**53


def javascript_text(program: Program) -> str:
    """Return the source of a module that exports ``predictProba`` (classifiers) and ``predict``."""
    kinds = {type(part) for part in program.parts}
    walks = [block for kind, block in ((Trees, _TREES), (Layers, _LAYERS), (Kernels, _KERNELS)) if kind in kinds]
    if any(not isinstance(part, Trees) and part.inputs is not None for part in program.parts):
        walks.insert(0, _INPUTS)
    cells = [_CELLS, *([_COMPUTED] if program.computed else [])]
    last = [] if program.order is None else [javascript_order(program)]
    last += [] if program.isotonic is None else [javascript_isotonic(program.isotonic)]
    blocks = [_HEAD, _data(program), *cells, *walks, _scores(program), _link(program), *last, _answers(program)]
    return "\n\n".join(block.strip("\n") for block in blocks) + "\n"


_HEAD = """
// Predictions of a model, exported by skdistill: an ES module without dependencies.
//
// A row is an array of cells in the order of `columns`, or an object with a cell for each of them. null, undefined and
// NaN are missing. Dates are Date objects, texts in ISO 8601 (in UTC unless they say otherwise), or microseconds since
// 1970; durations are microseconds.
"""


# ---------------------------------------------------------------------- data


def _data(program: Program) -> str:
    columns = program.columns
    categories = [place for place, column in enumerate(columns) if column.kind == "category"]
    texts = {place: _map(columns[place].texts) for place in categories}
    floats = {place: _map(columns[place].by_float) for place in categories}
    rounded = {place: _map(_of_floats(columns[place].numbers)) for place in categories}
    lines = [
        f"export const columns = {literal([column.name for column in columns])};",
        f"const kinds = {literal([column.kind for column in columns])};",
    ]
    for name, maps in (("texts", texts), ("numbers", floats), ("roundedNumbers", rounded)):
        lines.append(f"const {name} = {{{', '.join(f'{place}: {map}' for place, map in maps.items())}}};")
    missing = {place: str(column.missing) for place, column in enumerate(columns) if column.missing >= 0}
    lines.append(f"const missingCodes = {{{', '.join(f'{place}: {code}' for place, code in missing.items())}}};")
    if program.computed:
        computed = ",\n".join(f"  {_computed_data(column)}" for column in program.computed)
        lines.append(f"const computed = [\n{computed},\n];")
    if program.classes is not None:
        lines.insert(0, f"export const classes = {literal(program.classes)};")
    for place, part in enumerate(program.parts):
        lines.append(
            f"const part{place} = {{\n{''.join(f'  {name}: {value},{chr(10)}' for name, value in _fields(part))}}};"
        )
    return "\n".join(lines)


def _computed_data(column: ComputedColumn) -> str:
    """Return the source, the known cells, what becomes of missing and of other cells, and the operations."""
    known = f"new Map({literal([list(pair) for pair in pairs_of(column)])})"
    other = "null" if column.other is None else literal(column.other)
    steps = literal([list(step) for step in steps_of(column)])
    return f"[{column.source}, {known}, {literal(column.missing)}, {other}, {steps}]"


def _of_floats(numbers: dict[Any, int]) -> dict[float, int]:
    """Return the numbers that are doubles, as doubles."""
    return {float(number): code for number, code in numbers.items() if abs(number) < 1e300 and float(number) == number}


def _map(codes: dict[Any, int]) -> str:
    return f"new Map({literal([list(pair) for pair in codes.items()])})"


def literal(value: Any) -> str:
    """Return the literal of a number, a text or a list; texts in ASCII and without what ends a script in a page."""
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, str):
        return json.dumps(value).replace("<", "\\u003c").replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int) and abs(value) > LARGEST_EXACT_INTEGER:
        raise ExportError(
            f"export: the label {value} is no number in JavaScript; expected at most 2**53. Fit on texts."
        )
    return repr(value)


def _fields(part: Part) -> Iterable[tuple[str, str]]:
    """Yield the name and the literal of each table of a part."""
    if isinstance(part, Trees):
        names: tuple[str, ...] = (
            "column",
            "bound",
            "missing_left",
            "is_category",
            "n_left",
            "tree_splits",
            "tree_output",
            "value",
            "base",
        )
        subsets = [f"new Set({literal(np.flatnonzero(codes).tolist())})" for codes in part.subsets]
        yield "subsets", f"[{', '.join(subsets)}]"
    elif isinstance(part, Layers):
        names = ("pairs",)
        yield "weights", literal([weights.tolist() for weights in part.weights])
        yield "biases", literal([bias.tolist() for bias in part.biases])
    else:
        names = ("positions", "scales", "coef", "linear", "base")
    if not isinstance(part, Trees) and part.inputs is not None:
        yield "inputs", _inputs(part.inputs)
    for name in names:
        yield camel_case(name), literal(getattr(part, name).tolist())


def _inputs(inputs: Inputs) -> str:
    names = ("column", "center", "scale", "low", "high", "indicators", "coded", "n_codes", "first")
    fields = [f"{camel_case(name)}: {literal(getattr(inputs, name).tolist())}" for name in names]
    return f"{{{', '.join([*fields, f'width: {inputs.width}'])}}}"


def camel_case(name: str) -> str:
    """Return a name as JavaScript spells it."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


# ---------------------------------------------------------------------- cells

_CELLS = r"""
function cellsOf(row) {
  if (Array.isArray(row)) {
    if (row.length !== columns.length) {
      throw new TypeError(`got a row of ${row.length} cells; expected ${columns.length}.`);
    }
    return row;
  }
  return columns.map((name) => {
    if (!Object.prototype.hasOwnProperty.call(row, name)) {
      throw new TypeError(`got a row without the column ${JSON.stringify(name)}; expected null for a missing cell.`);
    }
    return row[name];
  });
}

// Numbers and microseconds, NaN if missing; codes of categories, -1 if unseen, and mostly if missing.
function encoded(row) {
  return cellsOf(row).map((cell, place) => {
    if (kinds[place] === "category") return code(cell, place);
    if (cell === null || cell === undefined) return NaN;
    return kinds[place] === "time" ? microseconds(cell) : number(cell);
  });
}

function number(cell) {
  const found = typeof cell === "string" && cell.trim() === "" ? NaN : Number(cell);
  if (Number.isNaN(found) && typeof cell !== "number" && !/^\s*[+-]?nan\s*$/i.test(cell)) {
    throw new TypeError(`got ${JSON.stringify(String(cell))}; expected a number.`);
  }
  return found;
}

function microseconds(cell) {
  if (typeof cell === "number") return cell;
  if (cell instanceof Date) return cell.getTime() * 1000;
  const parts = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,6})\d*)?(Z|[+-]\d\d:?\d\d)?)?$/.exec(cell);
  if (parts === null) {
    throw new TypeError(`got ${JSON.stringify(String(cell))}; expected a Date, a text in ISO 8601, or microseconds.`);
  }
  const [, day, clock = "00:00:00", fraction = "", zone = "Z"] = parts;
  const seconds = clock.length === 5 ? ":00" : "";
  return Date.parse(`${day}T${clock}${seconds}${zone}`) * 1000 + Number(fraction.padEnd(6, "0"));
}

// A date as categories are spelled: without a fraction of zero, and without a clock at midnight.
function dateText(date) {
  const text = date.toISOString().replace("Z", "000");
  return text.replace(".000000", "").replace("T00:00:00", "");
}

// Categories match by their text, otherwise by their value.
function code(cell, place) {
  if (cell === null || cell === undefined || Number.isNaN(cell)) return missingCodes[place] ?? -1;
  if (cell instanceof Date) cell = dateText(cell);
  if (typeof cell === "boolean") {
    const found = texts[place].get(cell ? "True" : "False");
    return found === undefined ? (roundedNumbers[place].get(Number(cell)) ?? -1) : found;
  }
  if (typeof cell !== "number") return texts[place].get(String(cell)) ?? -1;
  const found = numbers[place].get(cell);
  if (found !== undefined) return found;
  return roundedNumbers[place].get(Number.isInteger(cell) ? cell : Math.fround(cell)) ?? -1;
}
"""


_COMPUTED = """
const operations = {
  "-": (a, b) => a - b,
  "/": (a, b) => a / b,
  "*": (a, b) => a * b,
  "+": (a, b) => a + b,
  max: Math.max,
  min: Math.min,
};

// The columns that the model reads, each computed from one cell: by its value, or by operations.
function computedOf(cells) {
  return computed.map(([source, known, missing, other, steps]) => {
    const cell = cells[source];
    if (Number.isNaN(cell)) return missing;
    const found = known.get(cell);
    if (found !== undefined) return found;
    if (other !== null) return other;
    return steps.reduce((value, [operation, number]) => operations[operation](value, number), cell);
  });
}
"""


# ---------------------------------------------------------------------- parts

_TREES = """
// The left child of a split follows it, the right child follows the left subtree.
function addTrees(cells, scores, part) {
  part.base.forEach((start, output) => { scores[output] += start; });
  let firstSplit = 0;
  let firstLeaf = 0;
  part.treeSplits.forEach((nSplits, tree) => {
    let split = firstSplit;
    let leaf = firstLeaf;
    let nBelow = nSplits;
    while (nBelow > 0) {
      const cell = cells[part.column[split]];
      let goesLeft;
      if (part.isCategory[split]) {
        goesLeft = cell > -1 && part.subsets[part.bound[split]].has(Math.trunc(cell));
      } else {
        goesLeft = Number.isNaN(cell) ? part.missingLeft[split] : cell <= part.bound[split];
      }
      if (goesLeft) {
        nBelow = part.nLeft[split];
        split += 1;
      } else {
        const nPassed = 1 + part.nLeft[split];
        split += nPassed;
        leaf += nPassed;
        nBelow -= nPassed;
      }
    }
    part.value[leaf].forEach((added, place) => { scores[part.treeOutput[tree] + place] += added; });
    firstSplit += nSplits;
    firstLeaf += nSplits + 1;
  });
}
"""

_INPUTS = """
// Scaled numbers, indicators of missing cells, and indicators of categories.
function inputsOf(data, cells) {
  const inputs = new Array(data.width).fill(0);
  data.column.forEach((column, place) => {
    const scaled = (cells[column] - data.center[place]) / data.scale[place];
    inputs[place] = Number.isNaN(scaled) ? 0 : Math.min(Math.max(scaled, data.low[place]), data.high[place]);
  });
  data.indicators.forEach((column, place) => {
    inputs[data.column.length + place] = Number.isNaN(cells[column]) ? 1 : 0;
  });
  data.coded.forEach((column, place) => {
    const found = cells[column];
    if (found > -1 && found < data.nCodes[place]) inputs[data.first[place] + Math.trunc(found)] = 1;
  });
  return inputs;
}
"""

_LAYERS = """
// Weighted sums of the inputs and of products of pairs of them; all layers but the last are rectified.
function addLayers(cells, scores, part) {
  let inputs = part.inputs === undefined ? cells : inputsOf(part.inputs, cells);
  inputs = inputs.concat(part.pairs.map(([first, second]) => inputs[first] * inputs[second]));
  part.weights.forEach((rows, place) => {
    if (place > 0) inputs = inputs.map((value) => (value < 0 ? 0 : value));
    const before = inputs;
    const start = part.biases[place];
    inputs = rows.map((row, output) => row.reduce((sum, weight, at) => sum + weight * before[at], start[output]));
  });
  inputs.forEach((added, output) => { scores[output] += added; });
}
"""

_KERNELS = """
// Weighted sums of RBF kernels at the positions, and of the inputs.
function addKernels(cells, scores, part) {
  const inputs = inputsOf(part.inputs, cells);
  const scaled = inputs.map((value, place) => value * part.scales[place]);
  const kernels = part.positions.map((position) =>
    Math.exp(-position.reduce((sum, value, at) => sum + (scaled[at] - value) * (scaled[at] - value), 0)));
  part.coef.forEach((row, output) => {
    scores[output] += row.reduce((sum, weight, at) => sum + weight * kernels[at], part.base[output]);
  });
  part.linear.forEach((row, output) => {
    scores[output] += row.reduce((sum, weight, at) => sum + weight * inputs[at], 0);
  });
}
"""


def _scores(program: Program) -> str:
    functions = {Trees: "addTrees", Layers: "addLayers", Kernels: "addKernels"}
    calls = [f"  {functions[type(part)]}(cells, scores, part{place});" for place, part in enumerate(program.parts)]
    start = f"  const scores = new Array({program.n_scores}).fill(0);"
    return "\n".join(["function scoresOf(cells) {", start, *calls, "  return scores;", "}"])


# ---------------------------------------------------------------------- outputs


def _link(program: Program) -> str:
    low, high = literal(program.low), literal(program.high)
    lines = ["function outputsOf(scores) {"]
    if math.isfinite(program.low) or math.isfinite(program.high):
        value = {
            "identity": "score",
            "exp": f"{low} + Math.exp(Math.min(Math.max(score, -700), 700))",
            "logistic": f"{low} + ({high} - {low}) * logistic(score)",
        }[program.link]
        lines.append(f"  return scores.map((score) => Math.min(Math.max({value}, {low}), {high}));")
    else:
        lines.append(_LINKS[program.link].strip("\n"))
        if program.power != 1:
            lines.append(f"  return shares(values.map((value) => value ** {program.power!r}));")
        else:
            lines.append("  return values;")
    helpers = [_LOGISTIC] if program.link in ("logistic", "binary") else []
    if program.power != 1 or program.link in ("one-vs-rest", "softmax"):
        helpers.append(_SHARES)
    return "\n\n".join([*(helper.strip("\n") for helper in helpers), "\n".join([*lines, "}"])])


_LOGISTIC = """
function logistic(score) {
  const decay = Math.exp(-Math.abs(score));
  return (score < 0 ? decay : 1) / (1 + decay);
}
"""

_SHARES = """
function shares(values) {
  const total = values.reduce((sum, value) => sum + value, 0);
  return values.map((value) => value / total);
}
"""

_LINKS = {
    "identity": "  const values = scores;",
    "exp": "  const values = scores.map(Math.exp);",
    "logistic": "  const values = scores.map(logistic);",
    "binary": "  const share = logistic(scores[0]);\n  const values = [1 - share, share];",
    "one-vs-rest": """
  const highest = Math.min(Math.max(...scores), 0);
  const odds = (score) => Math.exp(Math.min(score, 0) - highest) / (1 + Math.exp(-Math.abs(score)));
  const values = shares(scores.map(odds));
""",
    "softmax": """
  const highest = Math.max(...scores);
  const values = shares(scores.map((score) => Math.exp(score - highest)));
""",
}


def _answers(program: Program) -> str:
    cells = "computedOf(encoded(row))" if program.computed else "encoded(row)"
    outputs = f"outputsOf(scoresOf({cells}))"
    if program.classes is None:
        outputs = outputs if program.order is None else f"inOrder({outputs})"
        what, first = ("The value", "[0]") if program.is_single else ("The values", "")
        return f"// {what} of a row.\nexport function predict(row) {{\n  return {outputs}{first};\n}}"
    outputs = outputs if program.isotonic is None else f"calibrated({outputs})"
    lines = [
        "// The probabilities of a row, in the order of `classes`.",
        f"export function predictProba(row) {{\n  return {outputs};\n}}\n",
        "// The label of a row.",
        "export function predict(row) {",
    ]
    if program.least_of_positive is not None:
        rule = f"proba[{program.positive}] >= {literal(program.least_of_positive)}"
        lines += ["  const proba = predictProba(row);"]
        return "\n".join([*lines, f"  return classes[{rule} ? {program.positive} : {1 - program.positive}];", "}"])
    if program.thresholds is None:
        lines.append("  const proba = predictProba(row);")
    else:
        lines.append(f"  const thresholds = {literal(program.unit_of_decision)};")
        lines.append("  const proba = predictProba(row).map((share, place) => share / thresholds[place]);")
    return "\n".join([*lines, "  return classes[proba.indexOf(Math.max(...proba))];", "}"])
