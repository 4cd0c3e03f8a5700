"""Isotonic calibration after the link, in every language: see :class:`skdistill.compiled.Isotonic`."""

from itertools import pairwise
from typing import Any

import numpy as np

from ..compiled import Isotonic
from ._program import Program


def python_isotonic(isotonic: Isotonic) -> str:
    """Return the function ``_calibrated`` in Python."""
    head = (
        f"_KNOTS = {listed(isotonic.knots)}\n_VALUES = {listed(isotonic.values)}\n_SLOPES = {listed(isotonic.slopes)}"
    )
    return "\n\n\n".join(
        [head, _PYTHON.strip("\n"), (_PYTHON_TWO if is_binary(isotonic) else _PYTHON_MORE).strip("\n")]
    )


def javascript_isotonic(isotonic: Isotonic) -> str:
    """Return the function ``calibrated`` in JavaScript."""
    arrays = (("knots", isotonic.knots), ("heights", isotonic.values), ("slopes", isotonic.slopes))
    head = "\n".join(f"const {name} = {listed(values)};" for name, values in arrays)
    return "\n\n".join([head, _JAVASCRIPT.strip("\n"), (_JS_TWO if is_binary(isotonic) else _JS_MORE).strip("\n")])


def c_isotonic(program: Program) -> tuple[str, list[str]]:
    """Return the functions in C, and the statements that calibrate the array ``out``; nothing without calibration."""
    isotonic = program.isotonic
    if isotonic is None:
        return "", []
    n_knots = max(map(len, isotonic.knots))
    arrays = (("KNOTS", isotonic.knots), ("VALUES", isotonic.values), ("SLOPES", isotonic.slopes))
    rows = ["\n".join(_c_rows(name, values, n_knots)) for name, values in arrays]
    counts = ", ".join(str(len(knots)) for knots in isotonic.knots)
    rows.append(f"static const int N_KNOTS[{len(isotonic.knots)}] = {{{counts}}};")
    text = "\n".join([*rows, "", _C.strip("\n")]) + "\n\n"
    if is_binary(isotonic):
        return text, ["    out[1] = calibrated(0, out[1]);", "    out[0] = 1 - out[1];"]
    return text, [
        "    double whole = 0;",
        f"    for (int i = 0; i < {program.n_outputs}; i++) {{",
        "        out[i] = calibrated(i, out[i]);",
        "        whole += out[i];",
        "    }",
        f"    for (int i = 0; i < {program.n_outputs}; i++)",
        "        out[i] /= whole;",
    ]


def sql_isotonic(isotonic: Isotonic, sql: Any, names: list[str]) -> dict[str, str]:
    """Return the expressions in SQL of calibrated probabilities by name, before they are divided by their sum."""
    if is_binary(isotonic):
        return {names[1]: _sql_of(isotonic, 0, sql, names[1])}
    return {name: _sql_of(isotonic, place, sql, name) for place, name in enumerate(names)}


def _sql_of(isotonic: Isotonic, place: int, sql: Any, name: str) -> str:
    knots, values, slopes = isotonic.knots[place], isotonic.values[place], isotonic.slopes[place]
    whens = [f"WHEN {name} <= {sql.exact(knots[0])} THEN {sql.exact(values[0])}"]
    for (start, end), value, slope in zip(pairwise(knots), values, slopes, strict=False):
        mapped = f"{sql.exact(value)} + {sql.exact(slope)} * ({name} - {sql.exact(start)})"
        whens.append(f"WHEN {name} <= {sql.exact(end)} THEN {mapped}")
    whens.append(f"WHEN {name} > {sql.exact(knots[-1])} THEN {sql.exact(values[-1])}")
    return f"CASE {' '.join(whens)} ELSE {name} END"  # the last one is NULL


def add_isotonic(graph: Any, isotonic: Isotonic | None, proba: str) -> str:
    """Add the nodes of ONNX that calibrate probabilities: sums over the pieces of each function."""
    if isotonic is None:
        return proba
    two = is_binary(isotonic)
    columns = [1] if two else list(range(len(isotonic.knots)))
    n_pieces = [max(len(knots) - 1, 1) for knots in isotonic.knots]
    chosen, slopes = np.zeros((2 if two else len(columns), sum(n_pieces))), np.zeros((sum(n_pieces), len(columns)))
    starts, widths = np.zeros(sum(n_pieces)), np.zeros(sum(n_pieces))
    for place, end in enumerate(np.cumsum(n_pieces)):
        pieces = slice(end - n_pieces[place], end)
        knots = np.array(isotonic.knots[place])
        chosen[columns[place], pieces] = 1
        if len(knots) > 1:
            starts[pieces], widths[pieces], slopes[pieces, place] = knots[:-1], np.diff(knots), isotonic.slopes[place]
    first = np.array([values[0] for values in isotonic.values])
    away = graph.add("Sub", graph.add("MatMul", proba, graph.constant(chosen)), graph.constant(starts))
    inside = graph.add("Min", graph.add("Max", away, graph.constant(np.array(0.0))), graph.constant(widths))
    if two:
        slopes, first = np.hstack([-slopes, slopes]), np.array([1 - first[0], first[0]])
    mapped = graph.add("Add", graph.add("MatMul", inside, graph.constant(slopes)), graph.constant(first))
    if two:
        return mapped
    return graph.add("Div", mapped, graph.add("ReduceSum", mapped, graph.constant(np.array([1])), keepdims=1))


def is_binary(isotonic: Isotonic) -> bool:
    """Whether there are two classes, and one function."""
    return len(isotonic.knots) == 1


def listed(values: Any) -> str:
    """Return lists of numbers as Python and JavaScript write them."""
    return repr([list(row) for row in values])


def _c_rows(name: str, values: Any, width: int) -> list[str]:
    rows = ", ".join("{" + ", ".join(repr(value) for value in row or (0.0,)) + "}" for row in values)
    return [f"static const double {name}[{len(values)}][{width}] = {{{rows}}};"]


_PYTHON = '''
def _mapped(place, share):
    """Return the calibrated probability of a class, before it is divided by the sum."""
    knots, values = _KNOTS[place], _VALUES[place]
    if share <= knots[0]:
        return values[0]
    for end in range(1, len(knots)):
        if share <= knots[end]:
            return values[end - 1] + _SLOPES[place][end - 1] * (share - knots[end - 1])
    return values[-1] if share == share else share
'''

_PYTHON_TWO = '''
def _calibrated(proba):
    """Return the calibrated probabilities of a row."""
    share = _mapped(0, proba[1])
    return [1 - share, share]
'''

_PYTHON_MORE = '''
def _calibrated(proba):
    """Return the calibrated probabilities of a row."""
    values = [_mapped(place, share) for place, share in enumerate(proba)]
    total = sum(values)
    return [value / total for value in values]
'''

_JAVASCRIPT = """
// The calibrated probability of a class, before it is divided by the sum.
function mapped(place, share) {
  const x = knots[place];
  if (share <= x[0]) return heights[place][0];
  for (let end = 1; end < x.length; end++) {
    if (share <= x[end]) return heights[place][end - 1] + slopes[place][end - 1] * (share - x[end - 1]);
  }
  return share === share ? heights[place][x.length - 1] : share;
}
"""

_JS_TWO = """
// The calibrated probabilities of a row.
function calibrated(proba) {
  const share = mapped(0, proba[1]);
  return [1 - share, share];
}
"""

_JS_MORE = """
// The calibrated probabilities of a row.
function calibrated(proba) {
  const values = proba.map((share, place) => mapped(place, share));
  const total = values.reduce((sum, value) => sum + value, 0);
  return values.map((value) => value / total);
}
"""

_C = """
static double calibrated(int place, double share)
{
    const double *knots = KNOTS[place], *values = VALUES[place];
    if (share <= knots[0])
        return values[0];
    for (int end = 1; end < N_KNOTS[place]; end++)
        if (share <= knots[end])
            return values[end - 1] + SLOPES[place][end - 1] * (share - knots[end - 1]);
    return share == share ? values[N_KNOTS[place] - 1] : share;
}
"""
