"""Python code that computes the outputs of one row together with the certainty of the student."""

from ._certainty import Certainty, margin_of_one
from ._code import Code, float_literal, int_literal
from ._tree_code import columns_of, forest_code, reading

MAX_COMPARED = 50
"""Maximum number of classes whose probabilities are compared one by one in the code; those of more are sorted."""


def code_of_both(student: Code, ending: str, certainty: Certainty, n_outputs: int) -> Code | None:
    """Return code that extends that of the student by its certainty; ``None`` if no code is generated for it.

    The second model then costs little more than its comparisons.

    Parameters
    ----------
    student : Code
        Sets the scores of the row.
    ending : str
        The statements that return its outputs.
    certainty : Certainty
    n_outputs : int
        Number of outputs: 0 for a single value.
    """
    before, outputs = _assigned(ending)
    names = {"margin_of_one": margin_of_one, "decision": certainty.decision}
    if certainty.kind == "margin":
        lines = [*student.lines, *before, outputs, *_margin(certainty, n_outputs), "    certainty = margin"]
        return Code(lines, student.names | names, student.takes_array)
    if certainty.reader is None:
        return None
    cells, first, reads = _shared_cells(student, certainty, n_outputs)
    second = forest_code(certainty.helper.scorer, cells)
    if second is None:
        return None
    margin = _margin(certainty, n_outputs) if certainty.classifies else []
    lines = [*first, *student.lines, *before, outputs, *margin, *reads, *second.lines]
    if certainty.classifies:
        floor = float_literal(certainty.floor)
        lines.append(f"    certainty = margin / (s0 if s0 > {floor} else {floor})")
    else:
        lines.append("    certainty = -s0")
    return Code(lines, student.names | names, student.takes_array)


def _shared_cells(student: Code, certainty: Certainty, n_outputs: int) -> tuple[dict[int, str], list[str], list[str]]:
    """Return the variables that the second model reads, and the statements before and after those of the student.

    Cells that the code of the student has read, and left as they were given, are not read again.
    """
    columns, n_columns = columns_of(certainty.helper.scorer), certainty.reader.n_features_in_
    unread = [index for index in columns if index < n_columns and index not in student.read]
    variables = {index: f"{'c' if index in unread else 'x'}{index}" for index in columns if index < n_columns}
    variables |= {index: _read(certainty, n_outputs, index - n_columns) for index in columns if index >= n_columns}
    if not unread:
        return variables, [], []
    # the code of the student may replace the cells, or take an array of numbers of numpy, which are slow to compare
    given = "cells if type(cells) is list else cells.tolist()" if student.takes_array else "cells"
    read = range(n_columns) if len(unread) * 2 > n_columns else unread
    return variables, [f"    given = {given}"], reading(read, n_columns, cells="given", name="c")


def _assigned(ending: str) -> tuple[list[str], str]:
    """Return the statements before a return statement, and an assignment of what it returns, without an array."""
    *before, last = ending.split("\n")
    returned = last.removeprefix("    return ")
    if returned.startswith("array("):
        return before, f"    proba = {returned.removeprefix('array(').removesuffix(')')}"
    return before, f"    value = {returned}"


def _margin(certainty: Certainty, n_classes: int) -> list[str]:
    """Return the statements that set ``margin`` from the tuple ``proba``."""
    if n_classes == 2:
        cut = 0.5 if certainty.decision is None else certainty.decision.thresholds[1]
        return [f"    margin = 2 * abs(proba[1] - {float_literal(cut)})"]
    if certainty.decision is not None or n_classes < 2:
        return ["    margin = margin_of_one(list(proba), decision)"]
    if n_classes > MAX_COMPARED:
        return ["    *_, other, largest = sorted(proba)", "    margin = largest - other"]
    lines = [
        f"    {', '.join(f'p{place}' for place in range(n_classes))} = proba",
        "    largest, other = (p0, p1) if p0 > p1 else (p1, p0)",
    ]
    for name in (f"p{place}" for place in range(2, n_classes)):  # mostly one comparison, where sorting takes several
        swapped = f"({name}, largest) if {name} > largest else (largest, {name})"
        lines.append(f"    if {name} > other: largest, other = {swapped}")
    return [*lines, "    margin = largest - other"]


def _read(certainty: Certainty, n_outputs: int, place: int) -> str:
    """Return what the second model reads of the outputs, at a place behind the cells."""
    if certainty.classifies:
        return "margin"
    return "value" if n_outputs == 0 else f"proba[{int_literal(place)}]"
