"""What a chooser of students saw: a table, and a sentence."""

from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

import numpy as np

from .._tabulate import as_html, as_text
from ._validation_rows import ON_SEEN_ROWS, ON_SYNTHETIC_ROWS

COLUMNS = (
    "family",
    "rung",
    "n_rows",
    "n_parameters",
    "n_bytes",
    "n_ops",
    "score",
    "fidelity",
    "fidelity_low",
    "fidelity_high",
    "seconds",
)
"""Of the printed table."""

VALIDATED = ("score", "fidelity", "fidelity_low", "fidelity_high")
"""What only validation rows can tell."""

CAUTIONS = {
    ON_SYNTHETIC_ROWS: " The teacher has memorised the rows it was fitted on, and there were no others, so the "
    "interval is wide: pass X_val, rows the teacher has not seen, to be sure.",
    ON_SEEN_ROWS: " It was not measured whether the teacher has memorised these rows: pass X_val to be sure.",
}
"""What must be said of estimates from some rows."""


@dataclass(frozen=True)
class Candidate:
    """A student that was tried.

    Attributes
    ----------
    family : str
    rung : int
        0 where all families were tried, 1 among the finalists, 2 for the chosen student.
    n_rows : int
        Rows it was taught on.
    n_parameters, n_bytes, n_ops : float
        Size, bytes once it is compiled, operations for a row; NaN where the budget is too small for the family.
    score : float
        What candidates are ranked by: fidelity on the validation rows, the mean of their groups where there are several
        (out-of-bag rows and synthetic ones). NaN where the candidate was not validated.
    fidelity, fidelity_low, fidelity_high : float
        Estimate of its fidelity on unseen rows, and the 95 % interval of that; NaN where it was not validated.
    seconds : float
        To teach it.
    is_within_budget : bool
    judged_on : str
        Which rows validated.
    real_weight : float, default=1.0
        Share of their weight that the rows of ``X`` were taught with.
    student : estimator or None
        Unfitted.
    """

    family: str
    rung: int
    n_rows: int
    n_parameters: float
    n_bytes: float
    n_ops: float
    score: float
    fidelity: float
    fidelity_low: float
    fidelity_high: float
    seconds: float
    is_within_budget: bool
    judged_on: str
    real_weight: float = 1.0
    student: Any = field(default=None, repr=False)

    def describe(self) -> str:
        """Return family, size and fidelity in a few words."""
        kept = "" if np.isnan(self.fidelity) else f", with fidelity {self.fidelity:.3f}"
        return f"{self.family} of {self.n_bytes:,.0f} bytes and {self.n_ops:,.0f} operations{kept}"


class Candidates(dict[str, np.ndarray]):
    """What was tried, a column for each key, as ``cv_results_`` are: ``pandas.DataFrame(candidates)`` is a frame.

    The columns are the attributes of a candidate. Printed, it is a sentence and a small table.

    Parameters
    ----------
    tried : list of Candidate
        In order.

    Attributes
    ----------
    chosen : Candidate or None
        The student that was chosen.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skdistill import AutoStudent, DistilledRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> student = AutoStudent(["linear", "tree"])
    >>> model = DistilledRegressor(Ridge().fit(X, y), student, sampler=None, random_state=0).fit(X)
    >>> model.candidates_.explain()[:6]
    'Linear'
    >>> model.candidates_["family"].tolist()
    ['linear', 'tree', 'linear', 'tree', 'linear']
    """

    def __init__(self, tried: list[Candidate]) -> None:
        self.tried = [replace(trial, student=None) for trial in tried]
        names = [name for name in Candidate.__dataclass_fields__ if name != "student"]
        super().__init__({name: np.array([getattr(trial, name) for trial in tried]) for name in names})
        self["student"] = np.array([repr(trial.student) for trial in tried], dtype=object)

    @property
    def chosen(self) -> Candidate | None:
        """The student that was chosen, with the fidelity that it was chosen for; ``None`` if none was."""
        if not self.tried or self.tried[-1].rung != 2 or not self.tried[-1].is_within_budget:
            return None
        last = self.tried[-1]
        is_judged = ~np.isnan(self["fidelity"])
        is_like = is_judged & (self["family"] == last.family) & (self["real_weight"] == last.real_weight)
        is_same = is_like & (self["student"] == self["student"][-1])
        # taught on all rows it may be beyond the budget, and is made a little smaller than what was judged
        judged = np.flatnonzero(is_same if is_same.any() else is_like)
        if len(judged) == 0:
            return last
        trial = self.tried[judged[-1]]
        return replace(last, **{name: getattr(trial, name) for name in VALIDATED})

    def explain(self) -> str:
        """Return why it was chosen, in a sentence or two."""
        chosen = self.chosen
        if chosen is None:
            return f"None of {len(self.tried)} candidates was chosen."
        if np.isnan(chosen.fidelity):
            return f"{chosen.describe().capitalize()} was taken without a choice: there were too few rows to validate."
        latest = {trial.family: trial for trial in self.tried if trial.rung < 2 and trial.is_within_budget}
        others = sorted(
            (trial for trial in latest.values() if trial.family != chosen.family),
            key=lambda trial: (trial.rung, trial.score),
            reverse=True,
        )
        of_others = "; ".join(
            f"{trial.family} {trial.fidelity:.3f} within {_kilobytes(trial.n_bytes)} ({trial.n_rows:,} rows)"
            for trial in others
        )
        interval = f"95 % interval {chosen.fidelity_low:.3f} to {chosen.fidelity_high:.3f}"
        return (
            f"{chosen.family.capitalize()} within {_kilobytes(chosen.n_bytes)}: its fidelity on unseen rows is "
            f"estimated as {chosen.fidelity:.3f} ({interval}), from {chosen.judged_on}."
            + CAUTIONS.get(chosen.judged_on, "")
            + (f" The others: {of_others}." if others else "")
        )

    def _table(self) -> dict[str, list[Any]]:
        return {name: [getattr(trial, name) for trial in self.tried] for name in COLUMNS}

    def __str__(self) -> str:
        return f"{self.explain()}\n\n{as_text(self._table())}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.explain())}</p>{as_html(self._table())}"

    def __reduce__(self) -> Any:
        return _restore, (self.tried, dict(self))


def _restore(tried: list[Candidate], columns: dict[str, np.ndarray]) -> Candidates:
    candidates = Candidates(tried)
    candidates.update(columns)
    return candidates


def _kilobytes(n_bytes: float) -> str:
    return f"{n_bytes / 1000:,.1f} kB"
