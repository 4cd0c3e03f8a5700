"""Small tables formatted as text and as HTML."""

from collections.abc import Iterable, Mapping
from html import escape
from numbers import Integral, Real
from typing import Any

import numpy as np

Table = Mapping[str, Iterable[Any]]
"""Columns of equal length by name."""


def cells(values: Iterable[Any]) -> list[str]:
    """Return the formatted cells of a column: numbers with suitable precision, ``-`` for missing values."""
    values = list(values)
    sizes = [abs(float(value)) for value in values if _is_number(value) and np.isfinite(float(value))]
    largest = max(sizes, default=0.0)
    if all(size.is_integer() for size in sizes) and largest > 1:
        digits = 0
    elif 0 < largest < 0.1:
        digits = 2 - int(np.floor(np.log10(largest)))
    else:  # four significant digits of the largest number, and one decimal if there are small numbers as well
        digits = max(3 - min(int(np.log10(max(largest, 1.0))), 3), int(any(0 < size < 10 for size in sizes)))
    return [_cell(value, digits) for value in values]


def _cell(value: Any, digits: int) -> str:
    if value is None or value != value:
        return "-"
    if not _is_number(value):
        return str(value)
    return f"{float(value):,.{0 if isinstance(value, Integral) else digits}f}"


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def as_text(columns: Table) -> str:
    """Return the table as text, with numbers right-aligned and strings left-aligned."""
    blocks = []
    for name, values in _listed(columns).items():
        texts = [name, *cells(values)]
        width = max(map(len, texts))
        blocks.append([text.ljust(width) if _is_text(values) else text.rjust(width) for text in texts])
    return encodable("\n".join("  ".join(line).rstrip() for line in zip(*blocks, strict=True)))


def as_html(columns: Table, headers: Mapping[str, str] | None = None) -> str:
    """Return the table as HTML; the first column contains row headers, and strings have the class ``text``.

    ``headers`` has the HTML of the names of columns.
    """
    columns, shown = _listed(columns), headers or {}
    kinds = [" class=text" if _is_text(values) else "" for values in columns.values()]
    names = [shown.get(name, escape(name)) for name in columns]
    head = "".join(f'<th scope="col"{kind}>{name}</th>' for name, kind in zip(names, kinds, strict=True))
    lines = []
    for first, *others in zip(*map(cells, columns.values()), strict=True):
        rest = "".join(f"<td{kind}>{escape(text)}</td>" for text, kind in zip(others, kinds[1:], strict=True))
        lines.append(f'<tr><th scope="row"{kinds[0]}>{escape(first)}</th>{rest}</tr>')
    return encodable(f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>")


def encodable(text: str) -> str:
    """Return text that can be written to any file: lone surrogates, halves of a character, are replaced by U+FFFD.

    They occur in labels, categories and names that were decoded with ``errors="surrogateescape"`` or cut in UTF-16.
    """
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _listed(columns: Table) -> dict[str, list[Any]]:
    return {name: list(values) for name, values in columns.items()}


def _is_text(values: Iterable[Any]) -> bool:
    return any(isinstance(value, str) for value in values)
