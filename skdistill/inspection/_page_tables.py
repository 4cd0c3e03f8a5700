"""The tables of a report on its page: columns that matter first, the others folded, terms explained."""

from html import escape

import numpy as np

from .._tabulate import as_html, cells
from ._terms import HEADERS, meaning_of, terms_of

FIRST_MEASURES = (
    "accuracy",
    "error",
    "pinball_loss",
    "concordance",
    "kept",
    "fidelity",
    "agreement",
    "one_row",
    "n_bytes",
)
"""Measures of the models that are not folded."""

FOLDED = {
    "by_output": ("agreement", "distance"),
    "by_slice": (
        "distance_error",
        "agreement",
        "teacher_accuracy",
        "student_accuracy",
        "teacher_error",
        "student_error",
    ),
    "rules": ("share", "distance_error", "share_of_distance"),
}
"""Columns of the other tables that are folded."""

Columns = dict[str, np.ndarray]


def models_table(models: Columns, label: str) -> str:
    """Return the measures of the models with one row per measure, so that the models stand side by side."""
    measures = {name: cells(values) for name, values in models.items() if name != "model"}
    first = [name for name in FIRST_MEASURES if name in measures]
    first = first or list(measures)
    others = [name for name in measures if name not in first]
    names = [str(name) for name in models["model"]]
    main = _region(_across(names, {name: measures[name] for name in first}), label, "across")
    if not others:
        return main
    rest = _across(names, {name: measures[name] for name in others})
    return main + folded("More measures of the models", _region(rest, f"{label}: more", "across"))


def part_table(part: str, columns: Columns, label: str, style: str = "") -> str:
    """Return a table with one row per class, slice, rule or bin; some columns are folded."""
    first = {name: values for name, values in columns.items() if name not in FOLDED.get(part, ())}
    main = _region(_down(first), label, style)
    if len(first) == len(columns):
        return main
    heads = list(columns)[: 2 if part == "by_slice" else 1]
    rest = {name: values for name, values in columns.items() if name in heads or name not in first}
    return main + folded(f"More columns: {label[0].lower()}{label[1:]}", _region(_down(rest), f"{label}: more", style))


def folded(summary: str, body: str) -> str:
    """Return a part of the page that opens by a click or a key."""
    return f"<details><summary>{escape(summary)}</summary>{body}</details>"


def legend(names: list[str]) -> str:
    """Return the explanations of the terms among these columns, folded."""
    told = {HEADERS.get(name, name): text for name, text in terms_of(names).items()}
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in told.items())
    return folded("What the terms mean", f"<dl>{lines}</dl>") if told else ""


def term(name: str) -> str:
    """Return the name of a column, with its explanation on hover."""
    shown, meaning = escape(HEADERS.get(name, name)), escape(meaning_of(name))
    return f'<abbr title="{meaning}">{shown}</abbr>' if meaning else shown


def _across(models: list[str], measures: dict[str, list[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in models)
    lines = []
    for name, values in measures.items():
        told = "".join(f"<td>{escape(value)}</td>" for value in values)
        lines.append(f'<tr><th scope="row" class="text">{term(name)}</th>{told}</tr>')
    head = f'<tr><th scope="col" class="text">measure</th>{head}</tr>'
    return f"<table><thead>{head}</thead><tbody>{''.join(lines)}</tbody></table>"


def _down(columns: Columns) -> str:
    return as_html(columns, headers={name: term(name) for name in columns})


def _region(table: str, label: str, style: str) -> str:
    """Return a table that scrolls on its own if it is too wide, also by keyboard."""
    attributes = f'class="scroll {style}" role="region" tabindex="0" aria-label="{escape(label)}"'
    return f"<div {attributes}>{table}</div>"
