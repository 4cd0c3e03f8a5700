"""Python code that computes the outputs of one row together with the certainty of the student."""

from ._certainty import Certainty, margin_of_one
from ._code import Code, float_literal
from ._row_code import row_code


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
    second = None if certainty.reader is None else row_code(certainty.helper.scorer)
    if second is None:
        return None
    lines = ["    read = cells if type(cells) is list else cells.tolist()", *student.lines, *before, outputs]
    ends = _margin(certainty, n_outputs) if certainty.classifies else []
    lines += [*ends, f"    cells = [*read, {_read(certainty, n_outputs)}]", *second.lines]
    if certainty.classifies:
        floor = float_literal(certainty.floor)
        lines.append(f"    certainty = margin / (s0 if s0 > {floor} else {floor})")
    else:
        lines.append("    certainty = -s0")
    return Code(lines, student.names | second.names | names, student.takes_array)


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
    return [
        "    others = list(proba)",
        "    largest = max(others)",
        "    others.remove(largest)",
        "    margin = largest - max(others)",
    ]


def _read(certainty: Certainty, n_outputs: int) -> str:
    """Return the outputs that the second model reads, as the items of a list."""
    if certainty.classifies:
        return "margin"
    return "value" if n_outputs == 0 else "*proba"
