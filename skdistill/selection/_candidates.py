"""The candidates of a student selection as a table, and an explanation of the selection."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
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
"""Columns of the printed table."""

VALIDATED = ("score", "fidelity", "fidelity_low", "fidelity_high")
"""Attributes of a candidate that are measured on validation rows."""

CAUTIONS = {
    ON_SYNTHETIC_ROWS: " The interval is wide because the teacher has memorised its training rows and no other real "
    "rows were available: pass X_val, rows that the teacher was not fitted on, for a reliable estimate.",
    ON_SEEN_ROWS: " It was not measured whether the teacher has memorised these rows: pass X_val for a reliable "
    "estimate.",
}
"""Caution that is added to the explanation, by origin of the validation rows."""


@dataclass(frozen=True)
class Candidate:
    """A student that was evaluated.

    Attributes
    ----------
    family : str
        Name of the family.
    rung : int
        Round of the search: 0 for all families, 1 for the finalists, 2 for the selected student.
    n_rows : int
        Number of rows that the candidate was fitted on; in each fold, if it was cross-validated.
    n_parameters, n_bytes, n_ops : float
        Number of parameters, size of the compiled student in bytes and operations per row; NaN if the budget is too
        small for the family.
    score : float
        Fidelity on the validation rows, or the score of ``scoring``, by which candidates are ranked; the weighted mean
        if there are several groups of them, such as out-of-bag rows and synthetic rows. NaN if the candidate was not
        validated.
    fidelity, fidelity_low, fidelity_high : float
        Estimated fidelity on unseen rows, and its 95 % interval; NaN if the candidate was not validated. The interval
        counts one more row with a large error, since few rows contain no rare ones; it is too narrow if the errors are
        still rarer and larger.
    seconds : float
        Time to fit the candidate, in all folds together.
    is_within_budget : bool
        Whether the candidate meets the budget.
    validated_on : str
        Origin of the validation rows.
    real_weight : float, default=1.0
        Factor by which the weights of the rows of ``X`` were multiplied.
    student : estimator or None
        The unfitted student.
    scored_by : str, default="fidelity"
        What the score is: ``"fidelity"``, the name of the scorer, or for a student for a cascade the share of rows that
        it answers.
    is_for_cascade : bool, default=False
        Whether the student was fitted for a cascade (``tolerance``).
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
    validated_on: str
    real_weight: float = 1.0
    student: Any = field(default=None, repr=False)
    scored_by: str = "fidelity"
    is_for_cascade: bool = False

    def describe(self) -> str:
        """Return family, size and fidelity as text."""
        kept = "" if np.isnan(self.fidelity) else f", with fidelity {self.fidelity:.3f}"
        return f"{self.family} of {self.n_bytes:,.0f} bytes and {self.n_ops:,.0f} operations{kept}"


MEASURED = [name for name in Candidate.__dataclass_fields__ if name != "student"]
"""Attributes of a candidate that are columns; the students are represented by their text."""


class Candidates(dict[str, np.ndarray]):
    """Results of a student selection, one column per key, in the format of ``cv_results_``.

    The columns are the attributes of the candidates; ``pandas.DataFrame(candidates)`` converts them to a frame. The
    printed form is an explanation of the selection and a table.

    Parameters
    ----------
    tried : sequence of Candidate, default=()
        The candidates in the order in which they were evaluated.

    Attributes
    ----------
    chosen : Candidate or None
        The selected student.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.linear_model import Ridge
    >>> from skdistill import AutoStudent, DistilledRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> student = AutoStudent(["linear", "tree"])
    >>> model = DistilledRegressor(
    ...     Ridge().fit(X, y), student, sampler=None, random_state=0
    ... ).fit(X)
    >>> model.candidates_.explain()[:6]
    'linear'
    >>> model.candidates_["family"].tolist()
    ['linear', 'tree', 'linear']
    """

    def __init__(self, tried: Sequence[Candidate] = ()) -> None:
        super().__init__({name: np.array([getattr(trial, name) for trial in tried]) for name in MEASURED})
        self["student"] = np.array([repr(trial.student) for trial in tried], dtype=object)

    @cached_property
    def tried(self) -> list[Candidate]:
        """The candidates in the order in which they were evaluated, without their students.

        They are read from the columns, which is all that skops stores of a dict.
        """
        n_tried = len(self["family"])  # a file of an earlier version lacks columns added later
        names = [name for name in MEASURED if len(self.get(name, ())) == n_tried]
        columns = (self[name].tolist() for name in names)
        return [Candidate(**dict(zip(names, cells, strict=True))) for cells in zip(*columns, strict=True)]

    @property
    def chosen(self) -> Candidate | None:
        """The selected student with its fidelity on the validation rows; ``None`` if no student was selected."""
        if not self.tried or self.tried[-1].rung != 2 or not self.tried[-1].is_within_budget:
            return None
        last = self.tried[-1]
        is_validated = ~np.isnan(self["fidelity"])
        is_like = is_validated & (self["family"] == last.family) & (self["real_weight"] == last.real_weight)
        is_alike = is_like & np.array([trial.is_for_cascade == last.is_for_cascade for trial in self.tried])
        is_like = is_alike if is_alike.any() else is_like  # where rows are few, it is only fitted so in the end
        is_same = is_like & (self["student"] == self["student"][-1])
        # fitted on all rows, it may exceed the budget and be made slightly smaller than the candidate validated
        validated = np.flatnonzero(is_same if is_same.any() else is_like)
        if len(validated) == 0:
            return last
        trial = self.tried[validated[-1]]
        return replace(last, **{name: getattr(trial, name) for name in VALIDATED})

    def explain(self) -> str:
        """Return a short explanation of the selection."""
        chosen = self.chosen
        if chosen is None:
            return f"None of the {len(self.tried)} candidates was selected."
        if np.isnan(chosen.fidelity):
            return f"{chosen.describe()} is the default: there were too few rows for a validation set."
        within = [trial for trial in self.tried if trial.rung < 2 and trial.is_within_budget]
        latest = {trial.family: trial for trial in sorted(within, key=lambda trial: (trial.rung, trial.score))}
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
            f"{chosen.family} within {_kilobytes(chosen.n_bytes)}: its estimated fidelity on unseen rows "
            f"is {chosen.fidelity:.3f} ({interval}), measured on {chosen.validated_on}."
            + ("" if chosen.scored_by == "fidelity" else f" It was chosen by {chosen.scored_by}: {chosen.score:.3f}.")
            + next((text for origin, text in CAUTIONS.items() if chosen.validated_on.startswith(origin)), "")
            + (f" Other families: {of_others}." if others else "")
        )

    def _table(self) -> dict[str, list[Any]]:
        scored_by = next((trial.scored_by for trial in self.tried), "fidelity")
        shown = {"score": "score" if scored_by == "fidelity" else scored_by}
        return {shown.get(name, name): [getattr(trial, name) for trial in self.tried] for name in COLUMNS}

    def __str__(self) -> str:
        return f"{self.explain()}\n\n{as_text(self._table())}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.explain())}</p>{as_html(self._table())}"

    def __reduce__(self) -> Any:
        return _restore, (dict(self),)


def _restore(columns: dict[str, np.ndarray]) -> Candidates:
    candidates = Candidates()
    candidates.update(columns)
    return candidates


def _kilobytes(n_bytes: float) -> str:
    return f"{n_bytes / 1000:,.1f} kB"
