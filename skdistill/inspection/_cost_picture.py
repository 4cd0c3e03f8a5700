"""The costs of the models of a report as bars; an inline figure without matplotlib."""

from html import escape

import numpy as np

from ._costs import two_digits
from ._style import BLUE, GREEN, GREY

COSTS = (
    ("one_row", "Time for one row", "µs"),
    ("many_rows", "Time per row in a batch", "µs"),
    ("n_bytes", "Size", "bytes"),
)
"""Columns that are drawn, with their titles and units."""

COLORS = {"teacher": GREY, "student": BLUE, "student, compiled": GREEN}

WIDTH, BAR, LINE, GAP, LABEL, NUMBER = 390, 14, 24, 14, 132, 125
"""Of the figure, in units of the view box: width, height of a bar, of a line, between groups; widths of the texts."""


def cost_picture(models: dict[str, np.ndarray]) -> str:
    """Return a figure of the known costs of teacher and students; nothing if there is no cost of both.

    Bars have the length of the numbers, not of their logarithms, and the text of a bar says by what factor it is
    shorter or longer than the teacher's.
    """
    names = [str(name) for name in models["model"]]
    shown = [place for place, name in enumerate(names) if name in COLORS]
    drawn, told, top = [], [], 0
    for cost, title, unit in COSTS:
        values = {names[place]: float(models[cost][place]) for place in shown} if cost in models else {}
        values = {name: value for name, value in values.items() if np.isfinite(value) and value > 0}
        if "teacher" not in values or len(values) < 2:
            continue
        drawn.append(_group(title, unit, values, top))
        told.append(f"{title}: " + ", ".join(f"{name} {_amount(value, unit)}" for name, value in values.items()))
        top += LINE * (len(values) + 1) + GAP
    if not drawn:
        return ""
    head = f'<svg class="costs" role="img" aria-label="{escape(". ".join(told))}" viewBox="0 0 {WIDTH} {top - GAP}">'
    caption = "Time and size of each model; shorter is better"
    return f'<figure class="costs">{head}{"".join(drawn)}</svg><figcaption>{caption}</figcaption></figure>'


def _group(title: str, unit: str, values: dict[str, float], top: int) -> str:
    longest, room = max(values.values()), WIDTH - LABEL - NUMBER
    parts = [f'<text x="0" y="{top + 16}" font-weight="600">{title}</text>']
    for number, (name, value) in enumerate(values.items(), start=1):
        y = top + number * LINE
        width = max(room * value / longest, 2)
        parts += [
            f'<text x="0" y="{y + 16}">{name}</text>',
            f'<rect x="{LABEL}" y="{y + 5}" width="{width:.1f}" height="{BAR}" rx="2" fill="{COLORS[name]}"/>',
            f'<text x="{LABEL + width + 6:.1f}" y="{y + 16}">{_said(name, value, values["teacher"], unit)}</text>',
        ]
    return "".join(parts)


def _said(name: str, value: float, of_teacher: float, unit: str) -> str:
    amount = _amount(value, unit)
    if name == "teacher":
        return amount
    factor = of_teacher / value
    times = f"1/{_digits(two_digits(factor))}" if factor >= 1 else f"{_digits(two_digits(1 / factor))} times"
    return f"{amount} ({times})"


def _amount(value: float, unit: str) -> str:
    """Return a number with its unit and two or three digits."""
    for factor, larger in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= factor:
            scaled = {"k": "ms", "M": "s", "G": "ks"} if unit == "µs" else {"k": "kB", "M": "MB", "G": "GB"}
            return f"{_digits(value / factor)} {scaled[larger]}"
    return f"{_digits(value)} {unit}"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
