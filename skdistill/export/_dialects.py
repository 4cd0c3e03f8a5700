"""The dialects of SQL: how each writes numbers, texts, and the conversion of cells."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

MAX_EXPONENT = 700.0
"""Exponents are clipped at this number, so that no exponential is infinite."""

SMALLEST = 1e-100
"""In databases that raise an error if a product is rounded to 0, smaller cells count as 0 in weighted sums."""

LARGEST_EXPONENT = 709.782712893384
"""From here on, the exponential of a double is infinite."""


def identifier(name: str) -> str:
    """Return a quoted name."""
    return '"' + name.replace('"', '""') + '"'


def string(text: str) -> str:
    """Return the literal of a text."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Dialect:
    """What databases write differently."""

    name: str
    number: Callable[[float], str]
    """The literal of a double; in SQLite, it may be off by the last digit."""
    exact: Callable[[float], str]
    """An expression that is exactly a double."""
    cell_number: Callable[[str], str]
    cell_time: Callable[[str], str]
    cell_text: Callable[[str], str]
    integer: str
    """The function that removes the fraction of a number."""
    flags: tuple[str, str]
    """The literals of false and true."""
    is_case_sensitive: bool
    largest: str
    """The function that returns the largest of its arguments."""
    raises_on_zero: bool = False
    """Whether a product or an exponential that is rounded to 0 is an error."""

    def folded(self, name: str) -> str:
        """Return a column name as the database compares it."""
        return name if self.is_case_sensitive else name.lower()

    def truncated(self, expression: str) -> str:
        """Return the expression of a number without its fraction."""
        return self.integer.format(expression)

    def clipped(self, expression: str, low: float, high: float) -> str:
        """Return the expression of a number within bounds; NULL stays NULL."""
        below = f" WHEN {expression} < {self.number(low)} THEN {self.number(low)}" if math.isfinite(low) else ""
        above = f" WHEN {expression} > {self.number(high)} THEN {self.number(high)}" if math.isfinite(high) else ""
        return f"CASE{below}{above} ELSE {expression} END"

    def exp(self, expression: str) -> str:
        """Return the expression of an exponential, of at most ``MAX_EXPONENT``."""
        least = -300.0 if self.raises_on_zero else -MAX_EXPONENT
        return f"exp({self.clipped(expression, least, MAX_EXPONENT)})"

    def weighable(self, cell: str) -> str:
        """Return the expression of a cell for weighted sums."""
        if not self.raises_on_zero:
            return cell
        return f"(CASE WHEN abs({cell}) < {self.number(SMALLEST)} THEN {self.number(0.0)} ELSE {cell} END)"

    def unbounded_exp(self, expression: str) -> str:
        """Return the expression of an exponential, which may be infinite."""
        within = self.clipped(expression, -MAX_EXPONENT, LARGEST_EXPONENT)
        is_beyond = f"{expression} > {self.number(LARGEST_EXPONENT)}"
        return f"CASE WHEN {is_beyond} THEN {self.number(math.inf)} ELSE exp({within}) END"

    def label(self, label: Any) -> str:
        """Return the literal of a class label."""
        if isinstance(label, bool):
            return self.flags[label]
        return str(label) if isinstance(label, int) else string(label) if isinstance(label, str) else self.exact(label)


def _digits(value: float) -> str:
    """Return the shortest decimal of a double, with an exponent: databases read decimals without one as exact ones."""
    text = repr(float(value))
    return text if "e" in text else f"{text}e0"


def _of_sqlite(value: float) -> str:
    if math.isinf(value):
        return "9e999" if value > 0 else "-9e999"
    return _digits(value)


def exact_in_sqlite(value: float) -> str:
    """Return a double as an integer divided by powers of two, unless its decimal has few digits and is exact.

    SQLite does not round every decimal to the nearest double, so that rows at a threshold would take another side.
    """
    if math.isinf(value) or (
        len(repr(value)) <= 15 and "e" not in repr(value) and Decimal(repr(value)) == Decimal(value)
    ):
        return _of_sqlite(value)
    mantissa, exponent = math.frexp(value)
    text, exponent = f"({int(math.ldexp(mantissa, 53))} * 1.0", exponent - 53
    while exponent:
        step = min(abs(exponent), 50)
        text += f" {'*' if exponent > 0 else '/'} {2**step}"
        exponent -= step if exponent > 0 else -step
    return f"{text})"


def _of_duckdb(value: float) -> str:
    if math.isinf(value):
        return f"CAST('{'-' if value < 0 else ''}Infinity' AS DOUBLE)"
    return _digits(value)


def _of_postgresql(value: float) -> str:
    text = f"{'-' if value < 0 else ''}Infinity" if math.isinf(value) else repr(float(value))
    return f"'{text}'::float8"


_SECONDS_OF_TEXT = "CAST(strftime('%s', substr({0}, 1, 19)) AS REAL) * 1000000"
_FRACTION_OF_TEXT = (
    "CAST(CASE WHEN substr({0}, 20, 1) = '.' THEN substr(substr({0}, 21, 6) || '000000', 1, 6) END AS REAL)"
)

DIALECTS = {
    "sqlite": Dialect(
        name="SQLite",
        number=_of_sqlite,
        exact=exact_in_sqlite,
        cell_number="CAST({0} AS REAL)".format,
        cell_time=(
            f"CASE typeof({{0}}) WHEN 'text' THEN {_SECONDS_OF_TEXT} + coalesce({_FRACTION_OF_TEXT}, 0) "
            "ELSE CAST({0} AS REAL) END"
        ).format,
        cell_text="CAST({0} AS TEXT) COLLATE BINARY".format,
        integer="CAST({0} AS INTEGER)",
        flags=("0", "1"),
        is_case_sensitive=False,
        largest="max",
    ),
    "duckdb": Dialect(
        name="DuckDB",
        number=_of_duckdb,
        exact=_of_duckdb,
        cell_number="NULLIF(CAST({0} AS DOUBLE), CAST('NaN' AS DOUBLE))".format,
        cell_time="CAST(epoch_us({0}) AS DOUBLE)".format,
        cell_text="CAST({0} AS VARCHAR)".format,
        integer="trunc({0})",
        flags=("FALSE", "TRUE"),
        is_case_sensitive=False,
        largest="greatest",
    ),
    "postgresql": Dialect(
        name="PostgreSQL",
        number=_of_postgresql,
        exact=_of_postgresql,
        cell_number="NULLIF(CAST({0} AS float8), 'NaN'::float8)".format,
        cell_time="CAST(round(extract(epoch FROM {0}) * 1000000) AS float8)".format,
        cell_text='CAST({0} AS text) COLLATE "C"'.format,
        integer="trunc({0})",
        flags=("FALSE", "TRUE"),
        is_case_sensitive=True,
        largest="greatest",
        raises_on_zero=True,
    ),
}
