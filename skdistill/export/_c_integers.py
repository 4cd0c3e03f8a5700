"""The writer of C for processors without floating-point numbers: trees of integers of 32 bits."""

import math

from ._c import add_up, c_names, encode, file_of, header_of, helpers, in_type, part_text, refuse_nul, row_lines
from ._integers import Integers
from ._order import c_order
from ._program import Program

CELL = "int32_t"


def integers_text(model: Integers, name: str, *, layout: str) -> str:
    """Return the source of a C file whose public names begin with ``name``."""
    program = model.program
    refuse_nul(program)
    parts = [part_text(place, part, layout, CELL, 0) for place, part in enumerate(program.parts)]
    blocks = [*helpers(program, "\n".join(parts), 0), *parts, add_up(program)]
    code = in_type("\n\n".join(block.strip("\n") for block in blocks), CELL)
    constants = f"const {CELL} {name}_missing = INT32_MIN;\nconst {CELL} {name}_one = {2**model.shift};"
    names = f"{constants}\n{c_names(program, name)}"
    return file_of(
        [_declarations(model, name), names, encode(program, name, CELL), code, _answers(model, name)], program
    )


def integers_header(model: Integers, name: str) -> str:
    """Return the header of the C file."""
    return header_of(_declarations(model, name), name)


def _declarations(model: Integers, name: str) -> str:
    program = model.program
    lines = [
        f"/* A row. Missing numbers are {name}_missing, missing categories NULL. Categories are texts in UTF-8. */",
        *row_lines(program, name, CELL),
        "/* The cell of a missing number. */",
        f"extern const {CELL} {name}_missing;",
        "",
        f"/* What stands for 1 in values and scores; they are rounded by at most {model.rounding:.3g}. */",
        f"extern const {CELL} {name}_one;",
        "",
    ]
    if program.classes is not None:
        lines += [
            "/* The class labels, as texts. */",
            f"extern const char *const {name}_classes[{program.n_outputs}];",
            "",
            f"/* Returns the position of the label in {name}_classes. */",
        ]
    lines += [f"{_head(program, name)};"]
    if program.classes is not None:
        lines += ["", f"/* Writes the scores, before the link {program.link!r}. */", f"{_scores_head(program, name)};"]
    return "\n".join(lines)


def _head(program: Program, name: str) -> str:
    if program.classes is not None:
        return f"int {name}_predict(const {name}_row *row)"
    if program.is_single:
        return f"{CELL} {name}_predict(const {name}_row *row)"
    return f"void {name}_predict(const {name}_row *row, {CELL} values[{program.n_scores}])"


def _scores_head(program: Program, name: str) -> str:
    return f"void {name}_scores(const {name}_row *row, {CELL} score[{program.n_scores}])"


def _answers(model: Integers, name: str) -> str:
    program = model.program
    if program.classes is not None:
        return "\n".join([_scores_head(program, name), *_body(program, "score"), "}", "", *_label(model, name)])
    head = _head(program, name)
    bounds = [*_bound(model, program.low, "<"), *_bound(model, program.high, ">"), *c_order(program, "values", CELL)]
    if program.is_single:
        lines = [
            f"{head}\n{{",
            f"    {CELL} values[1];",
            *_body(program, "values")[1:],
            *bounds,
            "    return values[0];",
        ]
        return "\n".join([*lines, "}"])
    return "\n".join([head, *_body(program, "values"), *bounds, "}"])


def _body(program: Program, out: str) -> list[str]:
    if program.is_numeric:
        return ["{", f"    add_up((const {CELL} *)row, {out});"]
    return ["{", f"    {CELL} cell[{len(program.columns)}];", "    encode(row, cell);", f"    add_up(cell, {out});"]


def _bound(model: Integers, bound: float, beyond: str) -> list[str]:
    if not math.isfinite(bound):
        return []
    limit = round(bound * 2**model.shift)
    return [
        f"    for (int i = 0; i < {model.program.n_scores}; i++)",
        f"        values[i] = values[i] {beyond} {limit} ? {limit} : values[i];",
    ]


def _label(model: Integers, name: str) -> list[str]:
    program = model.program
    lines = [_head(program, name), "{", f"    {CELL} score[{program.n_scores}];", f"    {name}_scores(row, score);"]
    if model.least is not None:
        return [*lines, f"    return score[0] >= {model.least};", "}"]
    if program.link == "identity" and program.least_of_positive is not None:
        least, positive = math.ceil(program.least_of_positive * 2**model.shift), program.positive
        return [*lines, f"    return score[{positive}] >= {least} ? {positive} : {1 - positive};", "}"]
    loop = [f"    for (int i = 1; i < {program.n_scores}; i++)", "        label = score[i] > score[label] ? i : label;"]
    return [*lines, "    int label = 0;", *loop, "    return label;", "}"]
