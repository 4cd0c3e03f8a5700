"""The monitor: counts of a shipped student's rows, outputs and audits, and the tests on them."""

import copy
import hashlib
import math
import pickle
from collections.abc import Sequence
from numbers import Real
from threading import RLock
from typing import Any, Self

import numpy as np

from ..compiled import CompiledModel
from ._arguments import check_positive, check_seed, check_share, count_rows
from ._bins import Bins
from ._evidence import (
    MAX_PERIODS,
    log_evidence_below,
    log_evidence_of_change,
    log_sum,
    log_weights,
    share_interval,
)
from ._sampling import is_sampled, key_numbers
from ._status import Alarm, MonitorStatus
from ._watched_student import (
    answered,
    compiled_student,
    is_kept,
    known_categories,
    promise_of,
    thresholds,
    watched_outputs,
)

BUDGET = {"audit": 1 / 2, "inputs": 1 / 6, "range": 1 / 6, "outputs": 1 / 6}
"""Share of each test in the false-alarm rate."""

MIN_REFERENCE = 60
"""Smallest number of reference rows."""

ROWS, OUTSIDE, AUDITS, KEPT = range(4)
"""Places of the first counts; those of the ranges of columns and outputs follow."""

LATE = 100
"""Tests of changes are computed again after a hundredth more rows."""


class Monitor:
    r"""Watch a shipped student: drift of its inputs and outputs, and whether its promise still holds.

    A monitor needs numpy alone, also in another process after it was pickled. It only adds up counts, so its size does
    not grow with the number of rows, and monitors of several workers are merged exactly. The threads of a process may
    share one. Four tests share
    ``false_alarm_rate``, the probability that there is any alarm, at any time, if nothing has changed:

    - ``"audit"`` (half of it): the share of rows on which the student follows its teacher is below the promise. For a
      share of all rows the teacher is queried: see :meth:`to_audit` and :meth:`record_audit`.
    - ``"inputs"`` (a sixth): shares of cells in ranges of each column, which are bounded by thresholds of the student's
      own trees, have changed since the reference rows; also missing cells and new categories.
    - ``"range"`` (a sixth): the share of rows with a cell outside the range of the reference rows has changed.
    - ``"outputs"`` (a sixth): the certainty of a classifier, the difference of its two largest probabilities, and its
      labels, or the values of a regressor, have changed.

    All are e-processes of counts: an alarm is raised as soon as one reaches the reciprocal of its share of the rate
    (Ville's inequality). Rows must be independent, as in a certificate, and the reference rows drawn as new ones.

    Parameters
    ----------
    student : estimator or CompiledModel
        The student, the distilled estimator, or any other fitted model that :func:`skdistill.compile` accepts.
    certificate : Certificate or None, default=None
        A certificate of this student, from which the promise and its tolerance are taken: the promised share if it is
        met, else the bound of its first statement.
    X_reference : table of shape (n_samples, n_features)
        At least 60 rows that the student has not been taught on, drawn like those that it will answer. A third of them
        chooses the ranges, the others are compared with new rows.
    promise : float in (0, 1) or None, default=None
        Promised share of rows on which the student follows its teacher. ``None`` takes that of the certificate; without
        either, audits are reported and raise no alarm.
    tolerance : float > 0 or None, default=None
        For values: the largest difference between teacher and student of a row that counts as kept. ``None`` takes that
        of the certificate.
    audit_share : float in (0, 1], default=0.01
        Share of rows that are audited.
    false_alarm_rate : float in (0, 1), default=0.01
        Probability of any alarm over the lifetime if nothing has changed and the promise is kept.
    random_state : int, default=0
        Seed of the choice of audited rows and of the division of the reference rows.

    Attributes
    ----------
    alarms_ : list of Alarm
        Alarms raised so far, at most one by each test.
    n_rows_ : int
        Number of rows seen.
    n_audits_ : int
        Number of audits recorded.

    See Also
    --------
    skdistill.certify : Promises before shipping.

    Notes
    -----
    A change is assumed to begin with a period (see :meth:`start_period`): the evidence is the sum over the periods
    :math:`s = 0, 1, \dots` of :math:`\frac{1}{(s + 1)(s + 2)}` times that of the rows since. Without periods, many
    rows from before a change delay its detection.

    References
    ----------
    .. [1] L. Wasserman, A. Ramdas and S. Balakrishnan: Universal inference. PNAS 117 (2020).
    .. [2] A. Ramdas, P. Grünwald, V. Vovk and G. Shafer: Game-theoretic statistics and safe anytime-valid inference.
       Statistical Science 38 (2023).

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill import Monitor
    >>> X = np.random.default_rng(0).normal(size=(6000, 3))
    >>> student = DecisionTreeClassifier(max_leaf_nodes=8).fit(X[:2000], X[:2000, 0] > 0)
    >>> monitor = Monitor(student, X_reference=X[2000:3000], promise=0.95)
    >>> monitor.update(X[3000:])
    >>> monitor.alarms_
    []
    >>> monitor.start_period()
    >>> monitor.update(X[3000:] + 0.5)  # a change
    >>> [alarm.kind for alarm in monitor.alarms_]
    ['inputs', 'outputs']
    """

    def __init__(
        self,
        student: Any,
        certificate: Any = None,
        *,
        X_reference: Any,
        promise: float | None = None,
        tolerance: float | None = None,
        audit_share: float = 0.01,
        false_alarm_rate: float = 0.01,
        random_state: int = 0,
    ) -> None:
        self.model = student if isinstance(student, CompiledModel) else compiled_student(student)
        found = (None, None) if certificate is None else promise_of(certificate, self.model, student)
        self.promise = check_share("promise", promise) if promise is not None else found[0]
        self.tolerance = check_positive("tolerance", tolerance) if tolerance is not None else found[1]
        self._check_tolerance()
        audits_all = isinstance(audit_share, Real) and not isinstance(audit_share, bool) and audit_share == 1
        self.audit_share = 1.0 if audits_all else check_share("audit_share", audit_share)
        self.false_alarm_rate = check_share("false_alarm_rate", false_alarm_rate)
        self.random_state = check_seed(random_state)
        self._set_reference(X_reference)
        self._sums = np.zeros((1, 4 + len(self._inputs.column) + len(self._outputs.column)), dtype=np.int64)
        self._starts, self._n_periods = [0], 1
        self._n_offered = self._next_check = 0
        self.alarms_: list[Alarm] = []
        self._lock = RLock()

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            state = {name: value for name, value in vars(self).items() if name != "_lock"}
            copies = {"_sums": self._sums.copy(), "_starts": list(self._starts), "alarms_": list(self.alarms_)}
            return state | copies

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = RLock()

    # ------------------------------------------------------------------ what is seen

    def update(self, X: Any, outputs: Any = None) -> None:
        """Add rows that the student answers.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            With the columns of the student.
        outputs : array-like of shape (n_samples, n_classes), (n_samples,) or (n_samples, n_outputs), default=None
            What the student returned for them: ``predict_proba`` of a classifier, ``predict`` of a regressor. ``None``
            predicts again.

        Raises
        ------
        ValueError
            If the columns are others, or the outputs have another shape or are not finite.
        """
        cells, outputs = answered(self.model, "update", X, outputs)
        if not cells.shape[0]:
            return
        counts = self._counts(cells, outputs)
        with self._lock:
            self._sums[-1] += counts
            if self.n_rows_ >= self._next_check:
                self._test_changes()

    def to_audit(self, X: Any, keys: Any = None) -> np.ndarray:
        """Choose rows for which the teacher is to be queried.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
        keys : array-like of shape (n_samples,) or None, default=None
            Keys of the rows, such as numbers of requests, that decide which are chosen. ``None`` numbers the rows in
            the order in which they are passed to this method. The cells of a row never decide, because equal rows would
            be audited all or none.

        Returns
        -------
        rows : ndarray of int, shape (n_chosen,)
            Positions of the rows to audit.
        """
        n_rows = count_rows("Monitor.to_audit", X, self.model.n_features_in_)
        given = None if keys is None else key_numbers(keys, n_rows, "Monitor.to_audit")
        with self._lock:
            first = self._n_offered
            self._n_offered += n_rows
        numbers = np.arange(first, first + n_rows, dtype=np.uint64) if given is None else given
        return np.flatnonzero(is_sampled(numbers, self.audit_share, self.random_state))

    def record_audit(self, X: Any, teacher_outputs: Any, outputs: Any = None) -> None:
        """Add audited rows.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows chosen by :meth:`to_audit`.
        teacher_outputs : array-like of shape (n_samples,), (n_samples, n_classes) or (n_samples, n_outputs)
            What the teacher returns for them: labels or probabilities of a classifier, values of a regressor.
        outputs : array-like or None, default=None
            What the student returned, as in :meth:`update`. ``None`` predicts again.

        Raises
        ------
        ValueError
            If shapes are others, if outputs are not finite, if labels are unknown to the student, or if the student
            returns values and there is no tolerance.
        """
        cells, outputs = answered(self.model, "record_audit", X, outputs)
        kept = is_kept(self.model, self.tolerance, teacher_outputs, outputs, cells.shape[0])
        with self._lock:
            self._sums[-1, AUDITS] += len(kept)
            self._sums[-1, KEPT] += int(kept.sum())
            self._test_promise()

    def start_period(self) -> None:
        """Start a period, such as a day: a change may begin with it.

        All workers whose monitors are merged start the same periods. The 64 latest periods are kept apart.
        """
        with self._lock:
            self._starts.append(self._n_periods)
            self._n_periods += 1
            self._sums = np.vstack([self._sums, np.zeros_like(self._sums[:1])])
            if len(self._starts) > MAX_PERIODS:
                self._sums[0] += self._sums[1]
                self._sums = np.delete(self._sums, 1, axis=0)
                del self._starts[1]
            self._next_check = 0

    @property
    def n_rows_(self) -> int:
        """Number of rows seen."""
        return int(self._sums[:, ROWS].sum())

    @property
    def n_audits_(self) -> int:
        """Number of audits recorded."""
        return int(self._sums[:, AUDITS].sum())

    # ------------------------------------------------------------------ what is said

    def status(self) -> MonitorStatus:
        """Return what was seen so far, after all tests were computed again.

        Returns
        -------
        status : MonitorStatus
        """
        with self._lock:
            return self._status()

    def _status(self) -> MonitorStatus:
        evidence = {"audit": self._test_promise(), **self._test_changes()}
        if self.promise is None:
            del evidence["audit"]
        n_kept, n_audits = int(self._sums[:, KEPT].sum()), self.n_audits_
        low, high = share_interval(n_kept, n_audits, 1 - self.false_alarm_rate)
        return MonitorStatus(
            n_rows=self.n_rows_,
            n_periods=self._n_periods,
            n_audits=n_audits,
            n_kept=n_kept,
            agreement_low=low,
            agreement_high=high,
            promise=self.promise,
            false_alarm_rate=self.false_alarm_rate,
            log_evidence=evidence,
            log_limit={kind: self._limit(kind) for kind in evidence},
            columns=self._table(),
            alarms=tuple(self.alarms_),
        )

    def __repr__(self) -> str:
        said = ", ".join(alarm.kind for alarm in self.alarms_) or "none"
        return f"<Monitor: {self.n_rows_:,} rows, {self.n_audits_:,} audits, alarms: {said}>"

    @classmethod
    def merge(cls, monitors: Sequence["Monitor"]) -> Self:
        """Return the monitor of the rows and audits that several monitors have seen.

        Its counts and its evidence are exactly those of one monitor that has seen all rows, in any order within each
        period. Its alarms are those of the counts together: those of the monitors by themselves are not copied, because
        each of them has a false-alarm rate of its own.

        Parameters
        ----------
        monitors : sequence of Monitor
            Copies of one monitor, such as one for each worker, in the same period.

        Returns
        -------
        monitor : Monitor

        Raises
        ------
        TypeError
            If something else is among them.
        ValueError
            If there is none, one of them is there twice, they watch different students or compare with different
            reference rows, promises or rates, or are in different periods.
        """
        monitors = [monitors] if isinstance(monitors, Monitor) else list(monitors)
        _check_monitors(monitors)
        copies = [copy.copy(each) for each in monitors]  # each at one moment: threads may go on counting
        _check_mergeable(copies)
        merged: Self = copies[0]  # type: ignore[assignment]
        merged._sums = sum(each._sums for each in copies)  # type: ignore[assignment]
        merged._n_offered = sum(each._n_offered for each in copies)
        merged.alarms_ = []
        merged._test_promise()
        merged._test_changes()
        return merged

    # ------------------------------------------------------------------ the reference

    def _set_reference(self, X_reference: Any) -> None:
        """Choose ranges on a third of the reference rows, and count the others."""
        cells, outputs = answered(self.model, "X_reference", X_reference, None)
        n_rows = cells.shape[0]
        if n_rows < MIN_REFERENCE:
            raise ValueError(
                f"Monitor: X_reference has {n_rows} rows; expected at least {MIN_REFERENCE}, and better some "
                "thousands, because small changes do not show in few rows. Pass more rows; they need no labels."
            )
        order = np.random.default_rng(self.random_state).permutation(n_rows)
        first, rest = np.sort(order[: n_rows // 3]), np.sort(order[n_rows // 3 :])
        coded = known_categories(self.model)
        self._inputs = Bins(cells[first], thresholds(self.model), [known is not None for known in coded])
        watched, is_label = watched_outputs(self.model, outputs[first])
        self._outputs = Bins(watched, [None] * watched.shape[1], is_label)
        self._reference = self._counts(cells[rest], outputs[rest])
        self._definition = self._digest()

    def _digest(self) -> str:
        """Return a digest of the student and of what it is compared with."""
        parts = [pickle.dumps(self.model, protocol=4), self._reference.tobytes()]
        parts += [array.tobytes() for bins in (self._inputs, self._outputs) for array in (bins.low, bins.high)]
        parts.append(repr((self.promise, self.tolerance, self.audit_share, self.false_alarm_rate)).encode())
        return hashlib.sha256(b"".join(parts)).hexdigest()

    def _check_tolerance(self) -> None:
        if self.model.classes_ is not None and self.tolerance is not None:
            raise ValueError("Monitor: got tolerance for a classifier; expected None. A label is kept or not.")
        if self.model.classes_ is None and self.promise is not None and self.tolerance is None:
            raise ValueError(
                f"Monitor: promise={self.promise:g} for values without a tolerance; expected the largest difference "
                "between teacher and student of a row that counts as kept. Pass tolerance=."
            )

    # ------------------------------------------------------------------ counts

    def _counts(self, cells: Any, outputs: np.ndarray) -> np.ndarray:
        """Return the counts of rows, rows outside the reference, no audits, and all ranges."""
        of_inputs, n_outside = self._inputs.count(cells)
        of_outputs, _ = self._outputs.count(watched_outputs(self.model, outputs)[0])
        return np.concatenate([[cells.shape[0], n_outside, 0, 0], of_inputs, of_outputs])

    # ------------------------------------------------------------------ tests

    def _limit(self, kind: str) -> float:
        return -math.log(self.false_alarm_rate * BUDGET[kind])

    def _since(self) -> np.ndarray:
        """Return the counts since the start of each period."""
        return np.cumsum(self._sums[::-1], axis=0)[::-1]

    def _test_promise(self) -> float:
        """Return the evidence that the promise is broken, and raise an alarm from its limit."""
        if self.promise is None:
            return 0.0
        since = self._since()
        logs = log_evidence_below(since[:, KEPT], since[:, AUDITS], self.promise) + log_weights(self._starts)
        evidence, first = float(log_sum(logs)), int(np.argmax(logs))
        share = since[first, KEPT] / max(since[first, AUDITS], 1)
        text = (
            f"The student follows its teacher on {share:.3f} of {since[first, AUDITS]:,} audits"
            f"{self._from(first)}; promised is {self.promise:g}."
        )
        self._raise_alarm("audit", evidence, text, self.n_audits_)
        return evidence

    def _test_changes(self) -> dict[str, float]:
        """Return the evidence of all tests of changes, and raise alarms from their limits."""
        self._next_check = self.n_rows_ + max(int(self._sums[-1, ROWS]) // LATE, 1)
        logs = self._logs()
        found = {"range": float(log_sum(logs[:, 0]))}
        self._raise_alarm("range", found["range"], self._outside(int(np.argmax(logs[:, 0]))), self.n_rows_)
        for kind, of_columns in self._by_column(logs).items():
            found[kind] = float(log_sum(of_columns)) - math.log(len(of_columns))
            if found[kind] >= self._limit(kind):
                self._raise_alarm(kind, found[kind], *self._changed(kind, of_columns, logs))
        return found

    def _outside(self, first: int) -> str:
        """Return the share of rows outside the reference, in words."""
        since = self._since()[first]
        now, before = since[OUTSIDE] / max(since[ROWS], 1), self._reference[OUTSIDE] / self._n_reference
        return f"{now:.3f} of the rows{self._from(first)} are outside the reference, {before:.3f} of its own."

    def _changed(self, kind: str, of_columns: np.ndarray, logs: np.ndarray) -> tuple[str, int, tuple[str, ...]]:
        """Return what has changed in words, the number of rows, and the columns with enough evidence by themselves."""
        enough = self._limit(kind) + math.log(len(of_columns))
        order = np.argsort(-of_columns, kind="stable")
        n_named = max(int((of_columns >= enough).sum()), 1)
        names, (_, _, column_names, _) = [], self._group(kind)
        texts = []
        for column in order[:n_named].tolist():
            names.append(column_names[column])
            what, before, now, first = self._most_changed(kind, column, logs)
            texts.append(f"{what}: {now:.3f} of the rows{self._from(first)}, {before:.3f} of the reference")
        more = f"; and {n_named - 3} more columns" if n_named > 3 else ""
        return f"{'; '.join(texts[:3])}{more}.", self.n_rows_, tuple(names)

    def _raise_alarm(self, kind: str, evidence: float, text: str, row: int, columns: tuple[str, ...] = ()) -> None:
        if evidence >= self._limit(kind) and all(alarm.kind != kind for alarm in self.alarms_):
            self.alarms_.append(Alarm(kind, text, row, evidence, columns))

    def _logs(self) -> np.ndarray:
        """Return weighted evidence by start, for rows outside and then for each range."""
        since, keep = self._since(), np.r_[OUTSIDE, 4 : self._sums.shape[1]]
        rows = np.broadcast_to(since[:, [ROWS]], (len(since), len(keep)))
        logs = log_evidence_of_change(since[:, keep], rows, self._reference[keep][None], self._n_reference)
        return logs + log_weights(self._starts)[:, None]

    @property
    def _n_reference(self) -> int:
        return int(self._reference[ROWS])

    def _group(self, kind: str) -> tuple[Bins, int, list[str], list[Any]]:
        """Return ranges, the place of their first evidence, names and categories of the inputs or the outputs."""
        if kind == "inputs":
            names = self.model.feature_names_in_
            names = [f"column {number}" for number in range(self._inputs.n_columns)] if names is None else names
            return self._inputs, 1, names, known_categories(self.model)
        n_outputs, place = self._outputs.n_columns, 1 + len(self._inputs.column)
        if self.model.classes_ is not None:
            return self._outputs, place, ["certainty", "label"], [None, self.model.classes_]
        names = ["output"] if n_outputs == 1 else [f"output {number}" for number in range(n_outputs)]
        return self._outputs, place, names, [None] * n_outputs

    def _by_column(self, logs: np.ndarray) -> dict[str, np.ndarray]:
        """Return the evidence of each column: the mean over its ranges."""
        by_range, found = log_sum(logs), {}
        for kind in ("inputs", "outputs"):
            bins, place, _, _ = self._group(kind)
            weighted = by_range[place : place + len(bins.column)] + np.log(bins.weights)
            found[kind] = np.logaddexp.reduceat(weighted, bins.ends[:-1])
        return found

    def _most_changed(self, kind: str, column: int, logs: np.ndarray) -> tuple[str, float, float, int]:
        """Return the range with the most evidence, its share before and now, and the period since which."""
        bins, place, names, categories = self._group(kind)
        start, end = bins.ends[column], bins.ends[column + 1]
        first, at = np.unravel_index(np.argmax(logs[:, place + start : place + end]), (len(logs), end - start))
        since, count = self._since()[first], place + start + at + 3
        before = self._reference[count] / self._n_reference
        now = since[count] / since[ROWS] if since[ROWS] else math.nan
        what = bins.describe(start + at, names[column], categories[column])
        return what, float(before), float(now), int(first)

    def _table(self) -> dict[str, list[Any]]:
        logs = self._logs()
        table: dict[str, list[Any]] = {"name": [], "log_evidence": [], "range": [], "reference": [], "now": []}
        for kind, of_columns in self._by_column(logs).items():
            names = self._group(kind)[2]
            for column, evidence in enumerate(of_columns.tolist()):
                what, before, now, _ = self._most_changed(kind, column, logs)
                cells = (names[column], evidence, what, before, now)
                for values, cell in zip(table.values(), cells, strict=True):
                    values.append(cell)
        return table

    def _from(self, first: int) -> str:
        return "" if self._n_periods == 1 else f" since period {self._starts[first]}"


def _check_monitors(monitors: list[Any]) -> None:
    if not monitors:
        raise ValueError("Monitor.merge: got no monitor; expected at least one.")
    for each in monitors:
        if not isinstance(each, Monitor):
            raise TypeError(f"Monitor.merge: got a {type(each).__name__}; expected monitors.")
    if len(set(map(id, monitors))) < len(monitors):
        raise ValueError("Monitor.merge: got a monitor twice; expected each once, or its rows would count twice.")


def _check_mergeable(monitors: list[Monitor]) -> None:
    for each in monitors:
        if each._definition != monitors[0]._definition:
            raise ValueError(
                "Monitor.merge: got monitors of different students, reference rows, promises or rates; expected copies "
                "of one monitor. Create it once, and give each worker a copy of its pickle."
            )
        if each._n_periods != monitors[0]._n_periods:
            raise ValueError(
                f"Monitor.merge: got monitors with {monitors[0]._n_periods} and {each._n_periods} periods; expected "
                "the same periods. Call start_period of all monitors at the same times."
            )
