"""The writer of Python: one file that needs the standard library only."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from ..compiled._computed import ComputedColumn
from ._computed import pairs_of, steps_of
from ._isotonic import python_isotonic
from ._order import python_order
from ._program import Column, Inputs, Kernels, Layers, Part, Program, Trees
from ._python_trees import is_nested, nested_trees


def python_text(program: Program) -> str:
    """Return the source of a module with the functions ``predict_proba`` (classifiers) and ``predict``."""
    cells = [_HEAD, _data(program), _ROW, _CELLS, *([_COMPUTED] if program.computed else [])]
    last = [] if program.order is None else [python_order(program)]
    last += [] if program.isotonic is None else [python_isotonic(program.isotonic)]
    blocks = [*cells, *_part_blocks(program), _link_block(program), *last, _answers(program)]
    return "\n\n".join(block.strip("\n") for block in blocks) + "\n"


_HEAD = '''
"""Predictions of a model, exported by skdistill. Needs the standard library of Python 3.8 or later only.

A row is a list of cells in the order of COLUMNS, or a dict with a cell for each of them. None and NaN are missing.
"""

import datetime
import decimal
import functools
import math
import numbers
import struct

NAN, INF = float("nan"), float("inf")
'''


# ---------------------------------------------------------------------- data


def _data(program: Program) -> str:
    columns = program.columns
    missing = {place: column.missing for place, column in enumerate(columns) if column.missing >= 0}
    lines = [
        f"COLUMNS = {_literal([column.name for column in columns])}",
        f"_KINDS = {_literal([column.kind for column in columns])}",
        f"_TEXTS = {_by_column(columns, [column.texts for column in columns])}",
        f"_NUMBERS = {_by_column(columns, [column.numbers for column in columns])}",
        f"_MISSING = {_literal(missing)}",
    ]
    if program.computed:
        lines.append(f"_COMPUTED = {_literal([_computed_data(column) for column in program.computed])}")
    if program.classes is not None:
        lines.insert(0, f"CLASSES = {_literal(program.classes)}")
    for place, part in enumerate(program.parts):
        if _is_nested(part):
            continue
        lines += [f"_PART{place}_{name.upper()} = {_literal(value)}" for name, value in _fields(part)]
    return "\n".join(lines)


def _computed_data(column: ComputedColumn) -> list[Any]:
    """Return the source, the known cells, ``missing``, ``other`` and the operations."""
    steps = [list(step) for step in steps_of(column)]
    return [column.source, dict(pairs_of(column)), column.missing, column.other, steps]


def _is_nested(part: Part) -> bool:
    return isinstance(part, Trees) and is_nested(part)


def _by_column(columns: list[Column], codes: list[dict[Any, int]]) -> str:
    return _literal({place: codes[place] for place, column in enumerate(columns) if column.kind == "category"})


def _fields(part: Part) -> Iterable[tuple[str, Any]]:
    """Yield the name and value of each table of a part."""
    if isinstance(part, Trees):
        subsets = [set(np.flatnonzero(codes).tolist()) for codes in part.subsets]
        for name in ("column", "bound", "missing_left", "is_category", "n_left", "tree_splits", "tree_output", "value"):
            yield name, getattr(part, name).tolist()
        yield "subsets", subsets
        yield "base", part.base.tolist()
        return
    if part.inputs is not None:
        yield "inputs", _inputs_data(part.inputs)
    if isinstance(part, Layers):
        yield "pairs", part.pairs.tolist()
        yield "weights", [weights.tolist() for weights in part.weights]
        yield "biases", [bias.tolist() for bias in part.biases]
    else:
        for name in ("positions", "scales", "coef", "linear", "base"):
            yield name, getattr(part, name).tolist()


def _inputs_data(inputs: Inputs) -> dict[str, Any]:
    names = ("column", "center", "scale", "low", "high", "indicators", "coded", "n_codes", "first")
    return {name: getattr(inputs, name).tolist() for name in names} | {"width": inputs.width}


def _literal(value: Any) -> str:
    """Return the literal of numbers, texts, lists, dicts and sets; texts in ASCII, lists as tuples."""
    if isinstance(value, list):
        items = [_literal(item) for item in value]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_literal(key)}: {_literal(item)}' for key, item in value.items())}}}"
    if isinstance(value, set):
        return f"frozenset(({''.join(f'{item}, ' for item in sorted(value))}))"
    if isinstance(value, float) and not math.isfinite(value):
        return "NAN" if value != value else "INF" if value > 0 else "-INF"
    return ascii(value)


# ---------------------------------------------------------------------- cells

_ROW = '''
def _cells(row):
    """Return the cells of a row in the order of COLUMNS."""
    if isinstance(row, dict):
        if set(row) != set(COLUMNS):
            raise ValueError("got a row with the columns %r; expected %r." % (list(row), COLUMNS))
        return [row[name] for name in COLUMNS]
    if len(row) != len(COLUMNS):
        raise ValueError("got a row of %d cells; expected %d." % (len(row), len(COLUMNS)))
    return row


def _encoded(row):
    """Return the numbers, microseconds and codes of the cells of a row; NaN if missing, -1 for an unseen category.

    Where the model knows missing categories, they have a code.
    """
    return [
        cell if coder is _number and type(cell) is float else coder(cell) for cell, coder in zip(_cells(row), _CODERS)
    ]
'''

_CELLS = '''
def _is_missing(cell):
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    return not isinstance(cell, str) and bool(cell != cell)


def _number(cell):
    """Return a number, a flag or the text of a number as a float."""
    return NAN if _is_missing(cell) else float(cell)


def _microseconds(cell):
    """Return the microseconds since 1970 of a date (UTC), or of its text in ISO 8601, or those of a duration."""
    if _is_missing(cell):
        return NAN
    if isinstance(cell, str):
        cell = datetime.datetime.fromisoformat(cell)
    if isinstance(cell, datetime.timedelta):
        return float(cell // datetime.timedelta(microseconds=1))
    if not isinstance(cell, datetime.date):
        raise ValueError("got %r; expected a date, its text in ISO 8601, or a duration." % (cell,))
    return float((_naive(cell) - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1))


def _naive(date):
    """Return a date as a moment without a time zone, in UTC."""
    if not isinstance(date, datetime.datetime):
        return datetime.datetime(date.year, date.month, date.day)
    return date if date.tzinfo is None else date.astimezone(datetime.timezone.utc).replace(tzinfo=None)


def _code(cell, texts, values, missing):
    """Return the code of a category: by its text, otherwise by its value."""
    if _is_missing(cell):
        return missing
    if isinstance(cell, bytes):
        cell = cell.decode()
    if isinstance(cell, str):
        return texts.get(cell, -1)
    if isinstance(cell, (datetime.date, datetime.timedelta)):
        return texts.get(_time_text(cell), -1)
    is_flag = type(cell).__name__ in ("bool", "bool_")
    number = int(cell) if is_flag else _exact_number(cell)
    if number is None:
        return texts.get(str(cell), -1)
    is_whole = isinstance(number, int) or number.is_integer()
    text = str(bool(cell)) if is_flag else str(int(number)) if is_whole and abs(number) < 1e16 else str(number)
    if text in texts:
        return texts[text]
    return values.get(number, values.get(number if is_whole else _float32(number), -1))


def _exact_number(cell):
    if isinstance(cell, numbers.Integral):
        return int(cell)
    return float(cell) if isinstance(cell, (numbers.Real, decimal.Decimal)) else None


def _float32(number):
    try:
        return struct.unpack("f", struct.pack("f", number))[0]
    except OverflowError:
        return math.copysign(INF, number)


def _time_text(cell):
    if isinstance(cell, datetime.timedelta):
        clock = datetime.datetime(1970, 1, 1) + cell - datetime.timedelta(days=cell.days)
        return "%d days %s" % (cell.days, clock.isoformat()[11:])
    text = _naive(cell).isoformat()
    return text[:-9] if text.endswith("T00:00:00") else text


def _coder(place, kind):
    """Return the function that encodes the cells of a column."""
    if kind == "category":
        return functools.partial(_code, texts=_TEXTS[place], values=_NUMBERS[place], missing=_MISSING.get(place, -1))
    return _number if kind == "number" else _microseconds


_CODERS = [_coder(place, kind) for place, kind in enumerate(_KINDS)]
'''


_COMPUTED = '''
_OPERATIONS = {
    "-": lambda a, b: a - b,
    "/": lambda a, b: a / b,
    "*": lambda a, b: a * b,
    "+": lambda a, b: a + b,
    "max": max,
    "min": min,
}


def _computed(cells):
    """Return the columns that the model reads, each computed from one cell: by its value, or by operations."""
    columns = []
    for source, known, missing, other, operations in _COMPUTED:
        cell = cells[source]
        if cell != cell:
            cell = missing
        elif cell in known:
            cell = known[cell]
        elif other is not None:
            cell = other
        else:
            for operation, number in operations:
                cell = _OPERATIONS[operation](cell, number)
        columns.append(cell)
    return columns
'''


# ---------------------------------------------------------------------- parts


def _part_blocks(program: Program) -> list[str]:
    """Return the functions of the parts, and what calls them."""
    kinds = {type(part) for part in program.parts if not _is_nested(part)}
    nested = [
        nested_trees(place, part)
        for place, part in enumerate(program.parts)
        if isinstance(part, Trees) and is_nested(part)
    ]
    blocks = [block for kind, block in ((Trees, _TREES), (Layers, _LAYERS), (Kernels, _KERNELS)) if kind in kinds]
    if any(not isinstance(part, Trees) and part.inputs is not None for part in program.parts):
        blocks.insert(0, _INPUTS)
    calls = [f"    {_call(place, part)}" for place, part in enumerate(program.parts)]
    head = f"def _scores(cells):\n    scores = [0.0] * {program.n_scores}"
    return [*blocks, *nested, "\n".join([head, *calls, "    return scores"])]


def _call(place: int, part: Part) -> str:
    if _is_nested(part):
        return f"_add_trees{place}(cells, scores)"
    names = [f"_PART{place}_{name.upper()}" for name, _ in _fields(part)]
    if isinstance(part, Trees):
        return f"_add_trees(cells, scores, {', '.join(names)})"
    if part.inputs is None:
        return f"_add_layers(cells, scores, {', '.join(names)})"
    function = "_add_layers" if isinstance(part, Layers) else "_add_kernels"
    return f"{function}(_inputs({names[0]}, cells), scores, {', '.join(names[1:])})"


_TREES = '''
def _add_trees(cells, scores, column, bound, missing_left, is_category, n_left, tree_splits, tree_output, value,
               subsets, base):
    """Add the values of a leaf of each tree: the left child of a split follows it, then the whole right subtree."""
    for output, start in enumerate(base):
        scores[output] += start
    first_split = first_leaf = 0
    for n_splits, output in zip(tree_splits, tree_output):
        split, leaf, n_below = first_split, first_leaf, n_splits
        while n_below:
            cell = cells[column[split]]
            if is_category[split]:
                goes_left = cell > -1 and cell < INF and int(cell) in subsets[int(bound[split])]
            elif cell != cell:
                goes_left = missing_left[split]
            else:
                goes_left = cell <= bound[split]
            if goes_left:
                n_below = n_left[split]
                split += 1
            else:
                n_passed = 1 + n_left[split]
                split, leaf, n_below = split + n_passed, leaf + n_passed, n_below - n_passed
        for place, added in enumerate(value[leaf]):
            scores[output + place] += added
        first_split, first_leaf = first_split + n_splits, first_leaf + n_splits + 1
'''

_INPUTS = '''
def _inputs(data, cells):
    """Return scaled numbers, indicators of missing cells, and indicators of categories."""
    inputs = []
    for column, center, scale, low, high in zip(
        data["column"], data["center"], data["scale"], data["low"], data["high"]
    ):
        cell = cells[column]
        inputs.append(0.0 if cell != cell else min(max((cell - center) / scale, low), high))
    inputs += [1.0 if cells[column] != cells[column] else 0.0 for column in data["indicators"]]
    inputs += [0.0] * (data["width"] - len(inputs))
    for column, n_codes, first in zip(data["coded"], data["n_codes"], data["first"]):
        if cells[column] > -1 and cells[column] < n_codes:
            inputs[first + int(cells[column])] = 1.0
    return inputs
'''

_LAYERS = '''
def _add_layers(inputs, scores, pairs, weights, biases):
    """Add weighted sums of the inputs and of products of pairs of them; all layers but the last are rectified."""
    inputs = list(inputs) + [inputs[first] * inputs[second] for first, second in pairs]
    for place, (rows, bias) in enumerate(zip(weights, biases)):
        if place:
            inputs = [0.0 if number < 0 else number for number in inputs]
        inputs = [start + sum(a * b for a, b in zip(row, inputs)) for start, row in zip(bias, rows)]
    for output, added in enumerate(inputs):
        scores[output] += added
'''

_KERNELS = '''
def _add_kernels(inputs, scores, positions, scales, coef, linear, base):
    """Add weighted sums of RBF kernels at the positions, and of the inputs."""
    scaled = [number * scale for number, scale in zip(inputs, scales)]
    kernels = []
    for position in positions:
        distance = 0.0
        for a, b in zip(scaled, position):
            distance += (a - b) * (a - b)
        kernels.append(math.exp(-distance))
    for output, (start, row) in enumerate(zip(base, coef)):
        scores[output] += start + sum(a * b for a, b in zip(row, kernels))
    for output, row in enumerate(linear):
        scores[output] += sum(a * b for a, b in zip(row, inputs))
'''


# ---------------------------------------------------------------------- outputs


def _link_block(program: Program) -> str:
    low, high = _literal(program.low), _literal(program.high)
    has_bounds = math.isfinite(program.low) or math.isfinite(program.high)
    within = f"    return [min(max(value, {low}), {high}) if value == value else value for value in values]"
    lines = [_LINKS[program.link].strip("\n")]
    if has_bounds:
        lines = [_BOUNDED[program.link].strip("\n").replace("LOW", low).replace("HIGH", high), within]
    elif program.power != 1:
        lines += [
            f"    values = [value ** {program.power!r} for value in values]",
            "    total = sum(values)",
            "    return [value / total for value in values]",
        ]
    else:
        lines.append("    return values")
    helpers = _LOGISTIC.strip("\n") + "\n\n\n" if program.link in ("logistic", "binary") else ""
    return helpers + "\n".join(lines)


_LOGISTIC = """
def _logistic(score):
    decay = math.exp(-abs(score))
    return (decay if score < 0 else 1.0) / (1.0 + decay)
"""

_LINKS = {
    "identity": """
def _outputs(scores):
    values = scores
""",
    "exp": """
def _outputs(scores):
    values = [INF if score > 709.782712893384 else math.exp(score) for score in scores]
""",
    "logistic": """
def _outputs(scores):
    values = [_logistic(score) for score in scores]
""",
    "binary": """
def _outputs(scores):
    share = _logistic(scores[0])
    values = [1.0 - share, share]
""",
    "one-vs-rest": """
def _outputs(scores):
    highest = min(max(scores), 0.0)
    values = [math.exp(min(score, 0.0) - highest) / (1.0 + math.exp(-abs(score))) for score in scores]
    total = sum(values)
    values = [value / total for value in values]
""",
    "softmax": """
def _outputs(scores):
    highest = max(scores)
    values = [math.exp(score - highest) for score in scores]
    total = sum(values)
    values = [value / total for value in values]
""",
}
_BOUNDED = {
    "identity": _LINKS["identity"],
    "exp": """
def _outputs(scores):
    values = [LOW + math.exp(min(max(score, -700.0), 700.0)) if score == score else score for score in scores]
""",
    "logistic": """
def _outputs(scores):
    values = [LOW + (HIGH - LOW) * _logistic(score) for score in scores]
""",
}


def _answers(program: Program) -> str:
    cells = "_computed(_encoded(row))" if program.computed else "_encoded(row)"
    outputs = f"_outputs(_scores({cells}))"
    if program.classes is None:
        outputs = outputs if program.order is None else f"_in_order({outputs})"
        what = "value" if program.is_single else "list of values"
        single = "[0]" if program.is_single else ""
        return f'def predict(row):\n    """Return the {what} of a row."""\n    return {outputs}{single}'
    outputs = outputs if program.isotonic is None else f"_calibrated({outputs})"
    lines = [
        "def predict_proba(row):",
        '    """Return the probabilities of a row, in the order of CLASSES."""',
        f"    return {outputs}",
        "",
        "",
        "def predict(row):",
        '    """Return the label of a row."""',
        "    proba = predict_proba(row)",
    ]
    if program.least_of_positive is not None:
        positive = program.positive
        rule = f"{positive} if proba[{positive}] >= {program.least_of_positive!r} else {1 - positive}"
        return "\n".join([*lines, f"    return CLASSES[{rule}]"])
    if program.thresholds is not None:
        lines.append(
            f"    proba = [share / threshold for share, threshold in zip(proba, {program.unit_of_decision!r})]"
        )
    return "\n".join([*lines, "    return CLASSES[proba.index(max(proba))]"])
