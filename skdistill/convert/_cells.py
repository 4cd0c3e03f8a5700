"""The cells of a column on their way through a pipeline, as functions of one column of the table."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..compiled._computed import OPERATIONS
from ..exceptions import CompileError

Kind = Literal["number", "text", "time", "category"]

ADVICE = (
    "Put it into the teacher, so that the student reads raw rows: DistilledClassifier(teacher=pipeline).fit(X), or "
    "DistilledRegressor."
)
"""What to do about a pipeline that cannot be read."""

_NAN = float("nan")


@dataclass(eq=False)
class Source:
    """A column of the table, and what it holds, which the transformers that read it know."""

    index: int
    name: str
    kind: Kind | None = None

    def read_as(self, kind: Kind) -> None:
        """Note what the column holds.

        Raises
        ------
        CompileError
            If another transformer reads it as something else.
        """
        if self.kind not in (None, kind):
            raise CompileError(
                f"compile: one step of the pipeline reads {self.name} as a {self.kind} and another one as a {kind}; "
                f"expected a single kind. {ADVICE}"
            )
        self.kind = kind


@dataclass(frozen=True)
class Table:
    """A number for each known cell: a text, or a number."""

    entries: Mapping[Any, float]
    missing: float
    unseen: float

    def of(self, cell: Any) -> float:
        """Return the number of a cell; ``None`` and NaN are missing."""
        return self.missing if is_missing_value(cell) else self.entries.get(cell, self.unseen)


@dataclass(frozen=True)
class Raw:
    """The cells of the table as they are, but that some texts are replaced; the key ``None`` is a missing cell."""

    source: Source
    replaced: Mapping[str | None, str] = field(default_factory=dict)

    def numbers(self, who: str) -> "Cells":
        """Return the cells as numbers."""
        if self.replaced:
            raise CompileError(
                f"compile: {who} reads the texts that replace cells of {self.source.name} as numbers; expected numbers."
                f" {ADVICE}"
            )
        self.source.read_as("number")
        return Cells(self.source)

    def encoded(self, table: Table, who: str) -> "Cells":
        """Return the numbers of the cells; the keys of the table are texts."""
        self.source.read_as("text")
        if None in self.replaced and table.missing != table.unseen and not math.isnan(table.missing):
            raise CompileError(
                f"compile: {who} knows missing cells of {self.source.name}, which an earlier imputer replaces, so that "
                "some are None and others NaN; compiled models read both as missing. Replace None by NaN before fit."
            )
        entries = dict(table.entries) | {
            text: table.of(other) for text, other in self.replaced.items() if text is not None
        }
        return Cells(self.source, entries, table.of(self.replaced.get(None)), table.unseen)


@dataclass(frozen=True)
class Cells:
    """Numbers that are computed from the cells of a column.

    A cell that is a key of ``known`` becomes its value, and a missing cell becomes ``missing``. Any other cell becomes
    ``other``; if that is ``None``, the operations are applied to it.

    ``is_sparse`` says whether the transformers exchange the column as a part of a sparse matrix, since scalers multiply
    these by the inverse of the scale, which may round to another double than a division.
    """

    source: Source
    known: Mapping[Any, float] = field(default_factory=dict)
    missing: float = _NAN
    other: float | None = None
    operations: tuple[tuple[str, float], ...] = ()
    is_sparse: bool = False

    def numbers(self, who: str) -> "Cells":  # noqa: ARG002
        """Return the cells themselves."""
        return self

    def after(self, operation: str, operand: float) -> "Cells":
        """Return the results of an operation of ``OPERATIONS``."""
        if operation == "divide" and self.is_sparse:
            operation, operand = "multiply", 1 / operand

        def of(cell: float) -> float:
            return float(OPERATIONS[operation](cell, operand))

        return replace(
            self,
            known={key: of(value) for key, value in self.known.items()},
            missing=of(self.missing),
            other=None if self.other is None else of(self.other),
            operations=self.operations if self.other is not None else (*self.operations, (operation, operand)),
        )

    def filled(self, value: float) -> "Cells":
        """Return the cells with missing ones replaced."""
        return replace(
            self,
            known={key: value if math.isnan(found) else found for key, found in self.known.items()},
            missing=value if math.isnan(self.missing) else self.missing,
            other=value if self.other is not None and math.isnan(self.other) else self.other,
        )

    def replacing(self, number: float, value: float, who: str) -> "Cells":
        """Return the cells with those that are equal to a number replaced."""
        if self.other is None:
            self._check_untouched(who)
        known = {key: value if found == number else found for key, found in self.known.items()}
        if self.other is None:
            known.setdefault(number, value)
        other = value if self.other == number else self.other
        return replace(self, known=known, missing=value if self.missing == number else self.missing, other=other)

    def encoded(self, table: Table, who: str) -> "Cells":
        """Return the numbers of the cells; the keys of the table are numbers."""
        if self.other is None:
            self._check_untouched(who)
        known = {key: table.of(value) for key, value in self.known.items()}
        if self.other is None:
            known = {key: value for key, value in table.entries.items() if key not in known} | known
        other = table.unseen if self.other is None else table.of(self.other)
        return Cells(self.source, known, table.of(self.missing), other, is_sparse=self.is_sparse)

    def _check_untouched(self, who: str) -> None:
        if self.operations:
            raise CompileError(
                f"compile: {who} compares the numbers of {self.source.name} with single values after a scaler; "
                f"expected it before. Scale the numbers afterwards. {ADVICE}"
            )


Column = Raw | Cells


def is_missing_value(value: Any) -> bool:
    """Whether a category or a cell stands for a missing one."""
    return value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NAType"
