"""What a monitor says: alarms, evidence, and what changed, in words, as a table, as HTML and as JSON."""

import json
import math
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

from .._tabulate import as_html, as_text, encodable

LARGEST = 300.0
"""Logarithm from which evidence is no longer written as a number."""


@dataclass(frozen=True)
class Alarm:
    """A test of a monitor that has reached its limit.

    Parameters
    ----------
    kind : {"audit", "inputs", "range", "outputs"}
        Which test.
    text : str
        What has changed, in words.
    row : int
        Number of rows that the monitor had seen when the alarm was raised; for audits, the number of audits.
    log_evidence : float
        Natural logarithm of the evidence at that time.
    columns : tuple of str, default=()
        Columns that changed, if the test is about columns.

    Examples
    --------
    >>> from skdistill.monitoring import Alarm
    >>> print(
    ...     Alarm("range", "More rows are outside the range of the reference.", 5000, 9.2)
    ... )
    range, row 5,000: More rows are outside the range of the reference.
    """

    kind: str
    text: str
    row: int
    log_evidence: float
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind}, {'audit' if self.kind == 'audit' else 'row'} {self.row:,}: {self.text}"


@dataclass(frozen=True, repr=False)
class MonitorStatus:
    """What a monitor has seen so far; created by :meth:`skdistill.Monitor.status`.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    n_periods : int
        Number of periods.
    n_audits, n_kept : int
        Number of audits, and of those on which the student follows the teacher.
    agreement_low, agreement_high : float
        Interval for the share of rows on which it does, which holds at all times together with the confidence
        1 - ``false_alarm_rate``.
    promise : float or None
        The promised share.
    false_alarm_rate : float
        Probability of any alarm at any time if nothing has changed and the promise is kept.
    log_evidence : dict of float
        Natural logarithm of the evidence of each test.
    log_limit : dict of float
        The limit from which it raises an alarm.
    columns : dict of list
        For each column and output: its ``name``, its ``log_evidence``, the ``range`` of cells that changed most, and
        its share among the ``reference`` rows and ``now``: since the period with the most evidence, NaN (printed:
        ``-``) as long as that has no rows.
    alarms : tuple of Alarm

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from skdistill import Monitor
    >>> X = np.random.default_rng(0).normal(size=(3000, 2))
    >>> student = LinearRegression().fit(X[:1000], X[:1000, 0])
    >>> monitor = Monitor(student, X_reference=X[1000:2000])
    >>> monitor.update(X[2000:])
    >>> print(monitor.status().alarms)
    ()
    """

    n_rows: int
    n_periods: int
    n_audits: int
    n_kept: int
    agreement_low: float
    agreement_high: float
    promise: float | None
    false_alarm_rate: float
    log_evidence: dict[str, float]
    log_limit: dict[str, float]
    columns: dict[str, list[Any]]
    alarms: tuple[Alarm, ...]

    def to_json(self, path: Any = None) -> str:
        """Return the status as JSON.

        Parameters
        ----------
        path : str, path-like or None, default=None
            A file to which it is written as well.

        Returns
        -------
        text : str
        """
        text = json.dumps(_plain(asdict(self)), indent=1, sort_keys=True, allow_nan=False)
        if path is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text + "\n")
        return text

    def __str__(self) -> str:
        parts = ["\n".join(self._lines()), as_text(self._tests()), as_text(self._columns())]
        return encodable("\n\n".join(parts))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        lines = "<br>".join(map(escape, self._lines()))
        return encodable(f"<div><p>{lines}</p>{as_html(self._tests())}{as_html(self._columns())}</div>")

    def _lines(self) -> list[str]:
        periods = "" if self.n_periods == 1 else f" in {self.n_periods:,} periods"
        lines = [f"{self.n_rows:,} rows{periods}, {self.n_audits:,} audits."]
        if self.n_audits:
            lines.append(
                f"The student follows its teacher on {self.n_kept / self.n_audits:.4f} of the audits; on all rows, "
                f"between {self.agreement_low:.4f} and {self.agreement_high:.4f}."
            )
        lines += [f"Alarm: {alarm}" for alarm in self.alarms]
        if not self.alarms:
            lines.append(f"No alarm (one without a cause has probability {self.false_alarm_rate:g} or less, ever).")
        return lines

    def _tests(self) -> dict[str, list[Any]]:
        return {
            "test": list(self.log_evidence),
            "evidence": [_number(value) for value in self.log_evidence.values()],
            "alarm from": [_number(self.log_limit[name]) for name in self.log_evidence],
        }

    def _columns(self, most: int = 10) -> dict[str, list[Any]]:
        """Return the columns with the most evidence."""
        order = sorted(range(len(self.columns["name"])), key=lambda at: -self.columns["log_evidence"][at])[:most]
        return {
            "column": [self.columns["name"][at] for at in order],
            "evidence": [_number(self.columns["log_evidence"][at]) for at in order],
            "most changed": [self.columns["range"][at] for at in order],
            "reference": [f"{self.columns['reference'][at]:.3f}" for at in order],
            "now": ["-" if _is_nan(now := self.columns["now"][at]) else f"{now:.3f}" for at in order],
        }


def _number(log_evidence: float) -> str:
    if log_evidence > LARGEST:
        return f"1e{log_evidence / math.log(10):.0f}"
    return f"{math.exp(log_evidence):.3g}"


def _is_nan(value: float) -> bool:
    return math.isnan(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
