"""The certificate: statements, what they are about, and a hash that shows any change."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Literal

from .._tabulate import as_html, as_text, encodable
from ._digests import student_digest

FORMAT = 1
"""Version of the JSON form."""

DIGITS = 12
"""Significant digits of numbers, so that a certificate that was written and read again is the same."""


@dataclass(frozen=True)
class Statement:
    """A quantity and its bounds.

    Parameters
    ----------
    quantity : str
        What is bounded, for example ``"agreement"``.
    rows : str
        The rows it is about: ``"all"``, or those of a class or a slice.
    direction : {"at least", "at most"}
        On which side the bound is.
    bound : float
        The one-sided bound.
    low, high : float
        Ends of the two-sided interval; NaN if there is none.
    estimate : float
        The quantity on the rows of the certificate.
    n : int
        Number of independent units, rows or groups, that it rests on.
    confidence : float
        Confidence of the bound by itself, so that all statements of its family together hold with that of the
        certificate.
    method : str
        ``"Clopper-Pearson"``, ``"betting"``, ``"order statistic"``, or ``"derived"`` from other statements.
    family : str
        The statements that hold together: ``"overall"`` ones each for itself, those by class or by slice all at once.
    details : dict
        What the quantity depends on: the range of a loss, a variance, a share, a tolerance.

    Examples
    --------
    >>> from skdistill.certificates import Statement
    >>> method = "Clopper-Pearson"
    >>> print(
    ...     Statement(
    ...         "agreement",
    ...         "all",
    ...         "at least",
    ...         0.97,
    ...         0.968,
    ...         0.99,
    ...         0.98,
    ...         900,
    ...         0.95,
    ...         method,
    ...         "overall",
    ...         {},
    ...     )
    ... )
    agreement on all rows is at least 0.97
    """

    quantity: str
    rows: str
    direction: Literal["at least", "at most"]
    bound: float
    low: float
    high: float
    estimate: float
    n: int
    confidence: float
    method: str
    family: str
    details: dict[str, Any]

    def __str__(self) -> str:
        where = "on all rows" if self.rows == "all" else f"where {self.rows}"
        return f"{self.quantity} {where} is {self.direction} {self.bound:.4g}"


@dataclass(frozen=True, repr=False)
class Certificate:
    """Statements about a student that hold with a confidence; created by :func:`skdistill.certify`.

    It is printed as a table, shown as one in a notebook, and written as JSON together with a hash over its content, so
    that any change shows when it is read. :func:`skdistill.checking.check_certificate` computes all bounds again with
    numpy alone.

    Parameters
    ----------
    statements : tuple of Statement
    confidence : float
        Confidence of each overall statement, and of all statements by class or by slice together.
    n_rows : int
        Number of rows.
    n_units : int
        Number of independent units: rows, or groups of rows.
    promise : float or None
        The promised share.
    verdict : {"met", "refuted", "open", "none"}
        Whether the promise is met or refuted with the confidence, or neither; ``"none"`` without a promise.
    student, teacher : str
        Their names.
    digests : dict of str
        Digests of the student and its compiled form, the rows, and the true values.
    date : str
        Day of the certificate, in UTC.
    versions : dict of str
        Versions of Python and of the packages.
    notes : tuple of str
        What is needed to read the statements.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, certify
    >>> from skdistill.certificates import Certificate
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> forest = RandomForestClassifier(50, random_state=0).fit(X[:250], y[:250])
    >>> model = DistilledClassifier(forest, "boosting", sampler=None, random_state=0).fit(
    ...     X[:250]
    ... )
    >>> certificate = certify(model, X[250:], promise=0.85)
    >>> certificate.verdict
    'met'
    >>> Certificate.from_json(certificate.to_json()) == certificate
    True
    """

    statements: tuple[Statement, ...]
    confidence: float
    n_rows: int
    n_units: int
    promise: float | None
    verdict: str
    student: str
    teacher: str
    digests: dict[str, str]
    date: str
    versions: dict[str, str]
    notes: tuple[str, ...]

    @property
    def hash(self) -> str:
        """The hash over the content."""
        return content_hash(self._content())

    def find(self, quantity: str, rows: str = "all") -> Statement:
        """Return the statement about a quantity.

        Parameters
        ----------
        quantity : str
            For example ``"agreement"``.
        rows : str, default="all"
            The rows it is about.

        Returns
        -------
        statement : Statement

        Raises
        ------
        KeyError
            If there is no such statement; the message names all.
        """
        for each in self.statements:
            if (each.quantity, each.rows) == (quantity, rows):
                return each
        known = ", ".join(f"{each.quantity!r} ({each.rows})" for each in self.statements)
        raise KeyError(f"Certificate.find: no statement about {quantity!r} ({rows}); expected one of {known}.")

    def is_about(self, model: Any) -> bool:
        """Return whether this certificate is about the student in a model.

        Parameters
        ----------
        model : estimator or compiled model
            The distilled estimator, its student, or the student compiled by :func:`skdistill.compile`.

        Returns
        -------
        is_about : bool
        """
        return student_digest(model) in (self.digests["student"], self.digests.get("compiled"))

    def to_json(self, path: Any = None) -> str:
        """Return the certificate and its hash as JSON.

        Parameters
        ----------
        path : str, path-like or None, default=None
            A file to which it is written as well.

        Returns
        -------
        text : str
        """
        text = json.dumps({**self._content(), "hash": self.hash}, indent=1, sort_keys=True)
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text + "\n")
        return text

    @classmethod
    def from_json(cls, text: str) -> "Certificate":
        """Return the certificate that was written as JSON.

        Parameters
        ----------
        text : str
            The text that :meth:`to_json` returned.

        Returns
        -------
        certificate : Certificate

        Raises
        ------
        ValueError
            If the text is no certificate, or its content was changed after it was written.
        """
        try:
            content = json.loads(text)
            said = content.pop("hash")
            statements = tuple(Statement(**_with_nan(each)) for each in content["statements"])
            is_known = content.pop("format") == FORMAT
            read = cls(**{**content, "statements": statements, "notes": tuple(content["notes"])})
        except (TypeError, KeyError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(
                f"Certificate.from_json: the text is no certificate ({type(error).__name__}: {error}); expected what "
                "Certificate.to_json returned."
            ) from None
        if not is_known or said != read.hash:
            raise ValueError(
                f"Certificate.from_json: the hash of the content is {read.hash[:16]}…, but the certificate says "
                f"{str(said)[:16]}…; expected the content as it was written. It was changed: ask for the original."
            )
        return read

    def __str__(self) -> str:
        parts = [self._title(), as_text(self._table()), *self.notes, f"hash {self.hash}"]
        return encodable("\n\n".join(parts))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        lines = "<br>".join(map(escape, self._title().splitlines()))
        return encodable(f"<div><p>{lines}</p>{as_html(self._table())}{notes}<p>hash {self.hash}</p></div>")

    def _title(self) -> str:
        units = f"{self.n_rows:,} rows" + ("" if self.n_units == self.n_rows else f" of {self.n_units:,} groups")
        lines = [
            f"Certificate of {self.student}, a student of {self.teacher}, {self.date}: {units}, confidence "
            f"{self.confidence:g}."
        ]
        if self.promise is not None:
            first = self.statements[0]
            said = {"met": "met", "refuted": "refuted", "open": "neither met nor refuted by these rows"}
            lines.append(f"Promise: {first.quantity} at least {self.promise:g}; it is {said[self.verdict]}.")
        return "\n".join(lines)

    def _table(self) -> dict[str, list[Any]]:
        said = self.statements
        return {
            "quantity": [each.quantity for each in said],
            "rows": [each.rows for each in said],
            "estimate": [f"{each.estimate:.4f}" for each in said],
            "promise": [f"{each.direction} {each.bound:.4f}" for each in said],
            "interval": ["" if math.isnan(each.low) else f"{each.low:.4f} to {each.high:.4f}" for each in said],
            "n": [each.n for each in said],
            "method": [each.method for each in said],
        }

    def _content(self) -> dict[str, Any]:
        """Return the content as plain data, with numbers of twelve digits; NaN is null."""
        return {"format": FORMAT, **_plain(asdict(self))}


def content_hash(content: dict[str, Any]) -> str:
    """Return the hash over canonical JSON: sorted keys, no spaces, ASCII."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def rounded(value: float) -> float:
    """Return a number with twelve significant digits."""
    return float(f"{value:.{DIGITS}g}")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return None if math.isnan(value) else value
    return value


def _with_nan(statement: dict[str, Any]) -> dict[str, Any]:
    ends = {name: math.nan if statement[name] is None else statement[name] for name in ("low", "high")}
    return {**statement, **ends}
