"""A small table of columns, as text and as HTML."""

from collections.abc import Mapping, Sequence
from html import escape
from numbers import Integral, Real
from typing import Any

import numpy as np


def cell(value: Any) -> str:
    """Return a value in few digits: whole numbers whole, ``-`` for what is not known."""
    if value is None or value != value:
        return "-"
    if isinstance(value, bool) or not isinstance(value, Real):
        return str(value)
    number = float(value)
    if isinstance(value, Integral) or abs(number) >= 1000:
        return f"{number:,.0f}"
    if number.is_integer() and abs(number) > 1:
        return f"{number:.0f}"
    return f"{number:#.3g}" if 0 < abs(number) < 0.1 else f"{number:.3f}"


def as_text(columns: Mapping[str, Sequence[Any] | np.ndarray]) -> str:
    """Return the table as lines of text, numbers right and texts left."""
    blocks = []
    for name, values in columns.items():
        texts = [cell(value) for value in values]
        width = max(map(len, [name, *texts]))
        is_text = any(isinstance(value, str) for value in values)
        blocks.append([text.ljust(width) if is_text else text.rjust(width) for text in [name, *texts]])
    return "\n".join("  ".join(line).rstrip() for line in zip(*blocks, strict=True))


def as_html(columns: Mapping[str, Sequence[Any] | np.ndarray], caption: str = "") -> str:
    """Return the table as HTML; the first column names the rows."""
    names = list(columns)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    lines = []
    for values in zip(*columns.values(), strict=True):
        cells = [
            f'<th scope="row">{escape(cell(value))}</th>'
            if place == 0
            else f"<td{' class=text' if isinstance(value, str) else ''}>{escape(cell(value))}</td>"
            for place, value in enumerate(values)
        ]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
