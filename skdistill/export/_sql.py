"""The writer of SQL: one SELECT statement, step by step in materialized subqueries."""

import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..compiled import Isotonic
from ..exceptions import ExportError
from ._dialects import DIALECTS, Dialect, identifier, string
from ._isotonic import is_binary, sql_isotonic
from ._order import sql_order
from ._program import Column, Inputs, Kernels, Layers, Program, Trees
from ._sql_computed import computed_expression
from ._sql_trees import tree_expression

MAX_BYTES = 1_000_000
"""Maximum length of a statement, which is that of SQLite."""

MAX_COLUMNS = 1500
"""Maximum number of columns of a step; PostgreSQL has 1600 at most."""

GROUP = 40
"""Number of terms of a sum in one pair of parentheses: databases limit the depth of expressions."""


def sql_text(program: Program, dialect: str, table: str, key: Sequence[str]) -> str:
    """Return a SELECT statement of the outputs for each row of a table, with the columns ``key`` before them."""
    sql = DIALECTS[dialect]
    _check_names(program, sql, table, key)
    steps = _Steps(sql, _numbered("k", key), _numbered("c", program.columns))
    cells = [f"t.{identifier(name)} AS k{place}" for place, name in enumerate(key)]
    if program.computed:
        steps.cells = _numbered("r", program.columns)
    cells += [f"{_cell(column, sql)} AS {name}" for name, column in zip(steps.cells, program.columns, strict=True)]
    steps.start(cells, table, program.n_scores)
    if program.computed:
        steps.cells = []
        steps.compute({f"c{n}": computed_expression(column, sql) for n, column in enumerate(program.computed)})
        steps.cells = _numbered("c", program.computed)
    for part in program.parts:
        writer = _Part(program, sql, steps)
        if isinstance(part, Trees):
            writer.trees(part)
        elif isinstance(part, Layers):
            writer.layers(part)
        else:
            writer.kernels(part)
    text = steps.text(_outputs(program, steps, sql), key, _output_names(program))
    if len(text.encode()) > MAX_BYTES:
        raise ExportError(
            f"to_sql: the statement has {len(text.encode()):,} bytes; expected at most {MAX_BYTES:,}. Export a smaller "
            "model, or to another language."
        )
    return text


def _check_names(program: Program, sql: Dialect, table: str, key: Sequence[str]) -> None:
    names = [column.name for column in program.columns]
    texts = [*names, table, *key, *(text for column in program.columns for text in column.texts)]
    texts += [label for label in program.classes or () if isinstance(label, str)]
    for text in texts:
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text) or text == "" in (table, *key):
            raise ExportError(
                f"to_sql: {text!r} has a NUL or a lone surrogate, or is empty; no database holds such names."
            )
    folded = {sql.folded(name): name for name in names}
    if len(folded) < len(names):
        twice = next(name for name in names if folded[sql.folded(name)] != name or names.count(name) > 1)
        raise ExportError(
            f"to_sql: another column has the name {twice!r} but for upper and lower case; {sql.name} has one column of "
            "that name. Rename it and fit again."
        )
    if "" in names:
        raise ExportError("to_sql: a column has an empty name; expected a name. Rename it and fit again.")
    clashing = {sql.folded(name) for name in key} & {sql.folded(name) for name in _output_names(program)}
    if clashing or len({sql.folded(name) for name in key}) < len(key):
        raise ExportError(f"to_sql: key={list(key)}; expected distinct names other than {_output_names(program)}.")
    if sql.folded(table).startswith(PREFIX):
        raise ExportError(f"to_sql: table={table!r}; expected a name that does not begin with {PREFIX!r}.")


PREFIX = "skdistill_"


def _output_names(program: Program) -> list[str]:
    if program.classes is not None:
        return [*(f"proba_{place}" for place in range(program.n_outputs)), "label"]
    return ["value"] if program.is_single else [f"value_{place}" for place in range(program.n_outputs)]


class _Steps:
    """Subqueries, each of which computes columns from those of the one before it."""

    def __init__(self, sql: Dialect, keys: list[str], cells: list[str]) -> None:
        self.sql, self.keys, self.cells = sql, keys, cells
        self.scores: list[str] = []
        self.queries: list[str] = []

    def start(self, cells: list[str], table: str, n_scores: int) -> None:
        self.scores = [f"s{place}" for place in range(n_scores)]
        zeros = [f"{self.sql.number(0.0)} AS {score}" for score in self.scores]
        self._append([*cells, *zeros], f"{identifier(table)} AS t")

    def compute(self, columns: dict[str, str], kept: Iterable[str] = ()) -> None:
        """Add a step with new columns; the keys, the cells and the scores stay, and of the others those in ``kept``."""
        stay = [name for name in (*self.keys, *self.cells, *self.scores, *kept) if name not in columns]
        self._append([*stay, *(f"{expression} AS {name}" for name, expression in columns.items())], self._last)

    @property
    def _last(self) -> str:
        return f"{PREFIX}{len(self.queries) - 1}"

    def _append(self, columns: list[str], source: str) -> None:
        if len(columns) > MAX_COLUMNS:
            raise ExportError(
                f"to_sql: a step has {len(columns)} columns; expected at most {MAX_COLUMNS}. Export a smaller model, "
                "or to another language."
            )
        inner = ",\n    ".join(columns)
        self.queries.append(f"  SELECT\n    {inner}\n  FROM {source}")

    def text(self, outputs: list[str], key: Sequence[str], names: list[str]) -> str:
        queries = ",\n".join(
            f"{PREFIX}{place} AS MATERIALIZED (\n{query}\n)" for place, query in enumerate(self.queries)
        )
        columns = [f"k{place} AS {identifier(name)}" for place, name in enumerate(key)]
        columns += [f"{output} AS {identifier(name)}" for output, name in zip(outputs, names, strict=True)]
        inner = ",\n  ".join(columns)
        return f"WITH {queries}\nSELECT\n  {inner}\nFROM {self._last}\n"


# ---------------------------------------------------------------------- cells


def _cell(column: Column, sql: Dialect) -> str:
    name = f"t.{identifier(column.name)}"
    if column.kind == "number":
        return sql.cell_number(name)
    if column.kind == "time":
        return sql.cell_time(name)
    whens = "".join(f" WHEN {string(text)} THEN {code}" for text, code in column.texts.items())
    code = f"CASE {sql.cell_text(name)}{whens} ELSE -1 END" if whens else "-1"
    return code if column.missing < 0 else f"CASE WHEN {name} IS NULL THEN {column.missing} ELSE {code} END"


# ---------------------------------------------------------------------- parts


class _Part:
    """Adds the steps of a part of a model."""

    def __init__(self, program: Program, sql: Dialect, steps: _Steps) -> None:
        self.sql, self.steps, self.number = sql, steps, sql.number
        self.is_category = [column.kind == "category" for column in program.columns]
        if program.computed:
            self.is_category = [False] * len(program.computed)

    def code(self, column: int) -> str:
        """Return the expression of the code of a cell."""
        return f"c{column}" if self.is_category[column] else self.sql.truncated(f"c{column}")

    def add(self, sums: list[list[str]]) -> None:
        """Add terms to the scores."""
        self.steps.compute(
            {score: total([score, *terms]) for score, terms in zip(self.steps.scores, sums, strict=True)}
        )

    def trees(self, trees: Trees) -> None:
        sums = [[self.number(start)] for start in trees.base.tolist()]
        width = trees.value.shape[1]
        for tree, output in enumerate(trees.tree_output.tolist()):
            for place in range(width):
                sums[output + place].append(tree_expression(trees, tree, place, self.sql, self.code))
        self.add(sums)

    def layers(self, layers: Layers) -> None:
        weighted = self.cells_weighted
        if layers.inputs is not None:
            self.inputs(layers.inputs, layers.pairs)
            weighted = partial(self.inputs_weighted, layers.inputs)
        for place, (weights, bias) in enumerate(zip(layers.weights, layers.biases, strict=True)):
            sums = [[self.number(start), *weighted(row)] for start, row in zip(bias.tolist(), weights, strict=True)]
            if place == len(layers.weights) - 1:
                self.add(sums)
                return
            names = [f"h{place}_{unit}" for unit in range(len(bias))]
            self.steps.compute({name: total(terms) for name, terms in zip(names, sums, strict=True)})
            zero = self.number(0.0)
            self.steps.compute({f"r{name}": f"CASE WHEN {name} < {zero} THEN {zero} ELSE {name} END" for name in names})
            weighted = partial(self.weighted, [f"r{name}" for name in names])

    def weighted(self, names: Sequence[str], weights: np.ndarray) -> list[str]:
        return [f"{self.number(weight)} * {name}" for weight, name in zip(weights.tolist(), names, strict=False)]

    def cells_weighted(self, weights: np.ndarray) -> list[str]:
        return self.weighted([self.sql.weighable(cell) for cell in self.steps.cells], weights)

    def inputs(self, inputs: Inputs, pairs: np.ndarray) -> None:
        """Add the steps of the numbers, of the indicators of missing cells, and of the products."""
        numbers, number = list(zip(*edges_of(inputs), strict=True)), self.number
        columns = {}
        for place, column in enumerate(inputs.column.tolist()):
            cell, (lower, upper) = f"c{column}", numbers[place]
            whens = [f" WHEN {cell} IS NULL THEN {number(0.0)}"]
            if math.isfinite(inputs.low[place]):
                whens.append(f" WHEN {cell} <= {self.sql.exact(lower)} THEN {number(inputs.low[place])}")
            if math.isfinite(inputs.high[place]):
                whens.append(f" WHEN {cell} >= {self.sql.exact(upper)} THEN {number(inputs.high[place])}")
            scaled = f"({self.sql.weighable(cell)} - {number(inputs.center[place])}) / {number(inputs.scale[place])}"
            columns[f"z{place}"] = f"CASE{''.join(whens)} ELSE {scaled} END"
        for place, column in enumerate(inputs.indicators.tolist()):
            missing = f"CASE WHEN c{column} IS NULL THEN {number(1.0)} ELSE {number(0.0)} END"
            columns[f"z{len(inputs.column) + place}"] = missing
        if columns:
            self.steps.compute(columns)
        if len(pairs):
            values = [*columns, *self.indicators(inputs)]
            products = {f"q{k}": f"{values[a]} * {values[b]}" for k, (a, b) in enumerate(pairs.tolist())}
            self.steps.compute(products, kept=columns)

    def indicators(self, inputs: Inputs) -> list[str]:
        """Return the expressions of the indicators of categories."""
        one, zero = self.number(1.0), self.number(0.0)
        return [
            f"(CASE WHEN {self.code(column)} = {code} THEN {one} ELSE {zero} END)"
            for column, n_codes in zip(inputs.coded.tolist(), inputs.n_codes.tolist(), strict=True)
            for code in range(n_codes)
        ]

    def inputs_weighted(self, inputs: Inputs, weights: np.ndarray) -> list[str]:
        """Return the terms of the weighted sum of inputs, and of products after them."""
        n_before = len(inputs.column) + len(inputs.indicators)
        terms = self.weighted([f"z{place}" for place in range(n_before)], weights)
        for column, n_codes, first in self.coded(inputs):
            terms.append(self.by_code(column, weights[first : first + n_codes].tolist(), 0.0))
        return terms + self.weighted([f"q{k}" for k in range(len(weights) - inputs.width)], weights[inputs.width :])

    def coded(self, inputs: Inputs) -> list[tuple[int, int, int]]:
        return list(zip(inputs.coded.tolist(), inputs.n_codes.tolist(), inputs.first.tolist(), strict=True))

    def by_code(self, column: int, values: list[float], other: float) -> str:
        """Return the expression of a number for each code of a column."""
        whens = "".join(f" WHEN {code} THEN {self.number(value)}" for code, value in enumerate(values))
        return f"CASE {self.code(column)}{whens} ELSE {self.number(other)} END"

    def kernels(self, kernels: Kernels) -> None:
        inputs = kernels.inputs
        self.inputs(inputs, np.zeros((0, 2), dtype=np.int64))
        n_before = len(inputs.column) + len(inputs.indicators)
        kept = [f"z{place}" for place in range(n_before)]
        scaled = {f"u{place}": f"{name} * {self.number(kernels.scales[place])}" for place, name in enumerate(kept)}
        if scaled:
            self.steps.compute(scaled, kept=kept)
        names = [f"e{place}" for place in range(len(kernels.positions))]
        distances = {name: self.distance(kernels, row) for name, row in zip(names, kernels.positions, strict=True)}
        if names:
            self.steps.compute(distances, kept=kept)
            self.steps.compute({f"r{name}": self.sql.exp(f"-{name}") for name in names}, kept=kept)
        sums = [[self.number(start)] for start in kernels.base.tolist()]
        for terms, row in zip(sums, kernels.coef, strict=True):
            terms += self.weighted([f"r{name}" for name in names], row)
        for terms, row in zip(sums, kernels.linear, strict=False):
            terms += self.inputs_weighted(inputs, row)
        self.add(sums)

    def distance(self, kernels: Kernels, position: np.ndarray) -> str:
        """Return the expression of the squared distance of the scaled inputs from a position."""
        inputs, number = kernels.inputs, self.number
        n_before = len(inputs.column) + len(inputs.indicators)
        away = [f"(u{place} - {number(at)})" for place, at in enumerate(position[:n_before].tolist())]
        terms = [f"{difference} * {difference}" for difference in away]
        for column, n_codes, first in self.coded(inputs):
            at, scale = position[first : first + n_codes], kernels.scales[first : first + n_codes]
            none = float((at**2).sum())
            terms.append(self.by_code(column, (none - at**2 + (scale - at) ** 2).tolist(), none))
        return total(terms or [number(0.0)])


def total(terms: list[str]) -> str:
    """Return the expression of a sum, in groups of groups."""
    while len(terms) > GROUP:
        terms = [f"({' + '.join(terms[at : at + GROUP])})" for at in range(0, len(terms), GROUP)]
    return " + ".join(terms)


def edges_of(inputs: Inputs) -> tuple[list[float], list[float]]:
    """Return the largest cell of each input that is scaled to its low or less, and the smallest to its high or more."""
    n_inputs = len(inputs.column)
    with np.errstate(over="ignore"):
        lower = _bisected(lambda x: (x - inputs.center) / inputs.scale <= inputs.low, n_inputs)
        upper = -_bisected(lambda x: (-x - inputs.center) / inputs.scale >= inputs.high, n_inputs)
    return lower.tolist(), upper.tolist()


def _bisected(holds: Any, n_inputs: int) -> np.ndarray:
    """Return the largest double for which a condition holds that holds below and not above; by their bits."""
    low, high = np.full(n_inputs, -(2**63) + 1 + 2**52), np.full(n_inputs, 2**63 - 1 - 2**52)
    for _ in range(66):
        middle = low // 2 + high // 2 + (low % 2 + high % 2) // 2
        is_held = holds(_from_bits(middle))
        low, high = np.where(is_held, middle, low), np.where(is_held, high, middle)
    return _from_bits(low)


def _from_bits(bits: np.ndarray) -> np.ndarray:
    """Return doubles in the order of integers: the negative ones mirrored."""
    return np.where(bits >= 0, bits, -bits | -(2**63)).astype(np.int64).view(np.float64)


# ---------------------------------------------------------------------- outputs


def _outputs(program: Program, steps: _Steps, sql: Dialect) -> list[str]:
    """Add the steps of the link and of the label, and return the expressions of the outputs."""
    steps.cells = []
    values = _linked(program, steps, sql)
    names = [f"p{place}" for place in range(len(values))]
    steps.compute(dict(zip(names, values, strict=True)))
    if program.classes is None:
        bounded = [sql.clipped(name, program.low, program.high) for name in names] if _has_bounds(program) else names
        return bounded if program.order is None else sql_order(program, steps, sql, bounded)
    if program.power != 1:
        _raise(program, steps, sql, names)
    if program.isotonic is not None:
        _calibrate(program.isotonic, steps, sql, names)
    labels = [sql.label(label) for label in program.classes]
    if program.least_of_positive is not None:
        positive = program.positive
        rule = f"{names[positive]} >= {sql.exact(program.least_of_positive)} THEN {labels[positive]}"
        return [*names, f"CASE WHEN {rule} ELSE {labels[1 - positive]} END"]
    shares = names
    if program.thresholds is not None:
        units = zip(names, program.unit_of_decision, strict=True)
        steps.compute({f"d{name}": f"{name} / {sql.exact(unit)}" for name, unit in units}, kept=names)
        shares = [f"d{name}" for name in names]
    steps.compute({"best": _largest(shares, sql)}, kept=dict.fromkeys([*names, *shares]))
    whens = "".join(f" WHEN {share} = best THEN {label}" for share, label in zip(shares, labels, strict=True))
    return [*names, f"CASE{whens} END"]


def _raise(program: Program, steps: _Steps, sql: Dialect, names: list[str]) -> None:
    """Add the steps of the power of probabilities."""
    least = sql.number(10 ** (-300 / program.power))
    power, zero = sql.number(program.power), sql.number(0.0)
    raised = {f"w{n}": f"CASE WHEN {n} <= {least} THEN {zero} ELSE power({n}, {power}) END" for n in names}
    steps.compute(dict(zip(names, _divided_by_sum(steps, raised), strict=True)))


def _calibrate(isotonic: Isotonic, steps: _Steps, sql: Dialect, names: list[str]) -> None:
    """Add the steps of the isotonic calibration."""
    mapped = sql_isotonic(isotonic, sql, names)
    if is_binary(isotonic):
        steps.compute(mapped)
        steps.compute({names[0]: f"1 - {names[1]}"}, kept=names[1:])
    else:
        steps.compute(dict(zip(names, _divided_by_sum(steps, {f"c{n}": mapped[n] for n in names}), strict=True)))


def _has_bounds(program: Program) -> bool:
    return math.isfinite(program.low) or math.isfinite(program.high)


def _linked(program: Program, steps: _Steps, sql: Dialect) -> list[str]:
    """Return the expressions of the outputs before bounds and powers."""
    scores, one = steps.scores, sql.number(1.0)
    if program.link == "exp":
        low = f"{sql.number(program.low)} + " if math.isfinite(program.low) else ""
        return [f"{low}{sql.exp(score)}" if _has_bounds(program) else sql.unbounded_exp(score) for score in scores]
    logistic = [f"{one} / ({one} + {sql.exp(f'-{score}')})" for score in scores]
    if program.link == "logistic":
        if not _has_bounds(program):
            return logistic
        low, span = sql.number(program.low), sql.number(program.high - program.low)
        return [f"{low} + {span} * ({share})" for share in logistic]
    if program.link == "binary":
        steps.compute({"share": logistic[0]})
        return [f"{one} - share", "share"]
    if program.link == "identity":
        return scores
    steps.compute({"highest": _largest(scores, sql)})
    if program.link == "softmax":
        return _divided_by_sum(steps, {f"e{n}": sql.exp(f"({score} - highest)") for n, score in enumerate(scores)})
    steps.compute({"least": sql.clipped("highest", -math.inf, 0.0)})
    zero = sql.number(0.0)
    steps.compute({f"b{n}": sql.clipped(score, -math.inf, 0.0) for n, score in enumerate(scores)}, kept=["least"])
    away = [f"CASE WHEN {score} < {zero} THEN {score} ELSE -{score} END" for score in scores]
    steps.compute({f"a{n}": expression for n, expression in enumerate(away)}, kept=["least", *_numbered("b", scores)])
    odds = {f"e{n}": f"{sql.exp(f'(b{n} - least)')} / ({one} + {sql.exp(f'a{n}')})" for n in range(len(scores))}
    return _divided_by_sum(steps, odds)


def _numbered(letter: str, names: Sequence[Any]) -> list[str]:
    return [f"{letter}{place}" for place in range(len(names))]


def _divided_by_sum(steps: _Steps, columns: dict[str, str]) -> list[str]:
    """Add the steps of columns and of their sum, and return the expressions of the shares."""
    steps.compute(columns)
    steps.compute({"total": total(list(columns))}, kept=columns)
    return [f"{name} / total" for name in columns]


def _largest(names: list[str], sql: Dialect) -> str:
    """Return the expression of the largest of several columns."""
    while len(names) > 1:
        groups = [names[at : at + GROUP] for at in range(0, len(names), GROUP)]
        names = [f"{sql.largest}({', '.join(group)})" if len(group) > 1 else group[0] for group in groups]
    return names[0]
