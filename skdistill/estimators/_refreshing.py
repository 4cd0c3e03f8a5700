"""``refresh``: a student of the same teacher and size for new rows, which goes on from the shipped one if it can."""

import copy
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_consistent_length

from .._tables import take_rows
from .._validation import check_fitted, check_number, check_random_state, check_table
from ..exceptions import StudentError
from ..metrics import agreement, fidelity, pickled_bytes
from ..students import CompactBoostingClassifier, CompactBoostingRegressor
from ..students._deciding import DecidingClassifier
from ..teachers import SeenRows, is_fitted_teacher
from ._row_sample import most_real_rows

MIN_ROWS = 50
"""Smallest number of new rows."""

CONSTRAINTS = ("monotonic_cst", "interaction_cst")
"""Parameters of students and of estimators by which trees are constrained."""

REPLACED = ("student", "student_size", "max_real_rows", "teacher", "teacher_cv")
"""Parameters that a refresh sets during its fits."""


@dataclass(frozen=True)
class RefreshReport:
    """What a refresh has changed, on new rows that neither teaching nor choice has used.

    Parameters
    ----------
    start : {"shipped", "student", "nothing"}
        Whether the shipped student is kept as it is, or the new one went on from it, or was fitted afresh.
    fidelity_before, fidelity_after : float
        Fidelity of the shipped and of the new student; the same if the shipped one is kept.
    agreement : float
        Share of the rows on which both students predict the same label; for values, R² of the new student's to the
        shipped one's.
    bytes_before, bytes_after : int
        Sizes of their pickles in bytes.
    n_taught, n_tested : int
        Number of new rows that were taught, and that all of this was measured on.
    tried : dict of float
        Fidelity of the students tried, and of the shipped one, on the rows that the choice was made on.
    n_trees_kept : int or None, default=None
        Number of trees of the shipped student that the new one has, with other values in their leaves unless all is
        kept; the others are new. ``None`` if the shipped student is no boosting.
    """

    start: str
    fidelity_before: float
    fidelity_after: float
    agreement: float
    bytes_before: int
    bytes_after: int
    n_taught: int
    n_tested: int
    tried: dict[str, float]
    n_trees_kept: int | None = None

    def __str__(self) -> str:
        if self.start == "shipped":
            return (
                f"The shipped student is kept, because no new one is better on other new rows: fidelity "
                f"{self.fidelity_before:.3f} on {self.n_tested:,} new rows; {self.bytes_before:,} bytes."
            )
        how = "went on from the shipped student" if self.start == "student" else "was fitted afresh"
        how += f" (it keeps {self.n_trees_kept} of its trees)" if self.n_trees_kept else ""
        return (
            f"The new student {how}: fidelity {self.fidelity_before:.3f} before, {self.fidelity_after:.3f} after on "
            f"{self.n_tested:,} new rows; {self.bytes_before:,} bytes before, {self.bytes_after:,} after; agreement of "
            f"both students {self.agreement:.3f}."
        )


class RefreshMixin:
    """Mixin of the distilled estimators with ``refresh``."""

    def refresh(self, X: Any, y: Any = None, *, test_size: float = 0.2) -> Self:
        """Return a distilled estimator whose student is taught new rows by the same teacher, within the same size.

        This estimator is not changed, so that its student may go on answering, and nothing is half done if the fit
        fails. Two students are tried, if the shipped one is a network, a kernel machine or boosted trees (students with
        the parameter ``init``) without constraints: one that goes on from it, and one that is fitted afresh. Boosting
        keeps the first half of its trees with other values in their leaves, and grows the other half anew. All other
        students are fitted afresh. Of these and the shipped student as it is, the one of the highest fidelity on a
        fifth of the rows to teach is kept. Each fit queries the teacher as ``fit`` does, with ``max_queries`` for each,
        unless ``memory`` is set.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            New rows, at least 50, with the columns seen in ``fit``.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            True labels or values, as in ``fit``.
        test_size : float in (0, 1), default=0.2
            Share of the rows on which ``refresh_report_`` compares both students.

        Returns
        -------
        refreshed : DistilledClassifier or DistilledRegressor
            With the parameters of this one, and ``refresh_report_``: the fidelity before and after, the bytes, and the
            agreement of both students. Its ``seen_rows_`` know the rows of all fits.

        Raises
        ------
        ValueError
            If there are fewer rows, other columns, or not one label for each row.
        StudentError
            If no student can be fitted.
        """
        model: Any = self
        check_fitted(model, "student_")
        X = check_table(model, X, reset=False)
        _check_test_size(model, test_size)
        if y is not None:
            check_consistent_length(X, y)
        taught, chosen_on, tested = _parts(model, X.shape[0], test_size)
        soft_targets = [model.soft_targets(take_rows(X, rows)) for rows in (chosen_on, tested)]

        fitted = {"shipped": copy.copy(model)}
        fitted |= _fit_all(model, take_rows(X, taught), None if y is None else np.asarray(y)[taught])
        rows = take_rows(X, chosen_on)
        tried = {start: _fidelity(twin, rows, soft_targets[0]) for start, twin in fitted.items()}
        start = max(tried, key=lambda name: tried[name])
        best = fitted[start]
        best.seen_rows_ = SeenRows([X], best._targets.of(soft_targets[1]), earlier=getattr(model, "seen_rows_", None))
        best.refresh_report_ = _report(model, best, start, take_rows(X, tested), soft_targets[1], tried, len(taught))
        return best


def _check_test_size(model: Any, test_size: Any) -> None:
    who = f"{type(model).__name__}.refresh"
    check_number(who, "test_size", test_size, low=0, high=1, low_open=True, advice="It is a share of the rows.")


def _parts(model: Any, n_rows: int, test_size: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return positions of the rows to teach, to choose on, and to test on."""
    n_tested = round(test_size * n_rows)
    n_chosen_on = (n_rows - n_tested) // 5
    if n_rows < MIN_ROWS or min(n_tested, n_chosen_on) < 2:
        raise ValueError(
            f"{type(model).__name__}.refresh: got {n_rows} rows and test_size={test_size!r}; expected at least "
            f"{MIN_ROWS} rows, and some of them to teach, to choose on and to test on. Pass more rows; they need no "
            "labels."
        )
    order = check_random_state(model.random_state, model).permutation(n_rows)
    parts = np.split(order, [n_tested, n_tested + n_chosen_on])
    tested, chosen_on, taught = (np.sort(part) for part in parts)
    return taught, chosen_on, tested


def _fit_all(model: Any, X: Any, y: Any) -> dict[str, Any]:
    """Return fitted twins of a distilled estimator, by what their students start from."""
    shipped = _shipped(model)
    fitted = {"nothing": _fit(model, _afresh(model, shipped), X, y)}
    if _may_go_on(shipped):
        try:
            fitted["student"] = _fit(model, _afresh(model, shipped).set_params(init=_start_of(shipped)), X, y)
        except StudentError:  # for example, new rows whose categories the shipped trees do not know
            return fitted
        _shipped(fitted["student"]).set_params(init=None)  # what is shipped refers to no earlier student
    return fitted


def _may_go_on(shipped: Any) -> bool:
    """Whether a student can start from one like it: not where new trees would have to keep constraints of old ones."""
    if not hasattr(shipped, "init") or not hasattr(shipped, "fit_soft"):
        return False
    is_constrained = any(getattr(shipped, name, None) is not None for name in CONSTRAINTS)
    return not is_constrained and not type(shipped).__name__.startswith(INHERITS)


def _start_of(shipped: Any) -> Any:
    """Return what a student of the same size starts from: the shipped one, of boosting a part."""
    return shipped._start_on_new_rows() if hasattr(shipped, "_start_on_new_rows") else shipped


INHERITS = "CompactInherited"
"""Students that read the teacher itself, from which they start again."""


def _fit(model: Any, student: Any, X: Any, y: Any) -> Any:
    """Return a twin of a distilled estimator that is fitted with a student of the size of the shipped one."""
    twin = clone(model)
    twin.student, twin.student_size = student, None
    most = most_real_rows(model)
    twin.max_real_rows = None if np.isinf(most) else most
    if not is_fitted_teacher(model.teacher):
        twin.teacher, twin.teacher_cv = model.teacher_, None
    twin.fit(X, y)
    for name in REPLACED:
        setattr(twin, name, getattr(model, name))
    return twin


def _shipped(model: Any) -> Any:
    student = model.student_
    return student.estimator if isinstance(student, DecidingClassifier) else student


def _afresh(model: Any, shipped: Any) -> Any:
    """Return an unfitted student with the parameters of the shipped one; constraints are those of the estimator."""
    if not hasattr(shipped, "fit_soft"):
        return model.student
    given = [name for name in CONSTRAINTS if getattr(model, name) is not None]
    return clone(shipped).set_params(**dict.fromkeys(given))


def _outputs(model: Any, X: Any) -> np.ndarray:
    return model._targets.predict_seen(model.student_, model._student_rows(X))


def _fidelity(model: Any, X: Any, soft_targets: np.ndarray) -> float:
    return fidelity(soft_targets, _outputs(model, X), multioutput=model._task.multioutput)


def _report(
    before: Any, after: Any, start: str, X: Any, soft_targets: np.ndarray, tried: dict[str, float], n_taught: int
) -> RefreshReport:
    """Compare both students on rows that were not used."""
    if before._task.name == "classification":
        same = agreement(before.predict(X), after.predict(X))
    else:
        same = fidelity(_outputs(before, X), _outputs(after, X), multioutput=before._task.multioutput)
    return RefreshReport(
        start=start,
        fidelity_before=_fidelity(before, X, soft_targets),
        fidelity_after=_fidelity(after, X, soft_targets),
        agreement=same,
        bytes_before=pickled_bytes(before.student_),
        bytes_after=pickled_bytes(after.student_),
        n_taught=n_taught,
        n_tested=X.shape[0],
        tried=tried,
        n_trees_kept=_n_trees_kept(before, start),
    )


def _n_trees_kept(before: Any, start: str) -> int | None:
    shipped = _shipped(before)
    if not isinstance(shipped, CompactBoostingClassifier | CompactBoostingRegressor):
        return None
    if start == "nothing":
        return 0
    return int((shipped if start == "shipped" else _start_of(shipped)).scorer_.n_trees)
