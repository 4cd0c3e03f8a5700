"""Which statements a certificate makes, and their bounds."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from ..inspection._answers import Answers
from ..metrics import quantile_bound, rows_needed
from ._certificate import Statement, rounded
from ._units import Bounds, Units

OVERALL, BY_CLASS, BY_SLICE = "overall", "by class", "by slice"

MIN_UNITS = 2
"""Minimum number of units that a class or a slice needs for a statement."""

Direction = Literal["at least", "at most"]


@dataclass(frozen=True)
class Terms:
    """What is stated before rows are seen.

    Attributes
    ----------
    confidence : float
    share : float
        The quantile of the deviation.
    tolerance, max_error : float or None
        Of values, in their units.
    variance : ndarray or None
        Variance of the teacher's outputs, fixed before; ``None`` if it is not known.
    pos_label : object
        The selected label; ``None`` if there is none.
    """

    confidence: float
    share: float
    tolerance: float | None = None
    max_error: float | None = None
    variance: np.ndarray | None = None
    pos_label: Any = None


@dataclass(frozen=True)
class Quantity:
    """A variable of rows whose mean is bounded."""

    name: str
    values: np.ndarray
    direction: Direction
    bounds: tuple[float, float] = (0.0, 1.0)
    factor: float = 1.0
    shift: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)

    def state(self, found: Bounds, rows: str, family: str, confidence: float) -> Statement:
        """Return the statement about the mean, or about a linear function of it."""
        estimate, lower, upper, low, high = (
            rounded(self.shift + self.factor * end)
            for end in (found.estimate, found.lower, found.upper, found.low, found.high)
        )
        if self.factor < 0:
            lower, upper, low, high = upper, lower, high, low
        bound, other = (lower, upper) if self.direction == "at least" else (upper, lower)
        stated = {"range": list(self.bounds), "factor": self.factor, "shift": self.shift, "other_bound": other}
        return Statement(
            self.name, rows, self.direction, bound, low, high, estimate, found.n, rounded(confidence), found.method,
            family, {**stated, **self.details},
        )  # fmt: skip


def overall_quantities(answers: Answers, terms: Terms) -> list[Quantity]:
    """Return the variables whose means are bounded on all rows; the first is the one that a promise is about."""
    if answers.classes is None:
        return [*_of_values(answers, terms), *_against_values(answers, terms)]
    return [*_of_classes(answers, terms), *_against_labels(answers)]


def _of_classes(answers: Answers, terms: Terms) -> Iterator[Quantity]:
    same = answers.same_label
    assert same is not None
    yield Quantity("agreement", same.astype(float), "at least")
    lost = ((answers.teacher - answers.student) ** 2).sum(axis=1) / 2
    yield from _kept_variance(np.minimum(lost, 1.0), 1.0, 2.0, terms, "half the squared distance of probabilities")


def _of_values(answers: Answers, terms: Terms) -> Iterator[Quantity]:
    if terms.tolerance is not None:
        within = deviation_of(answers) <= terms.tolerance
        details = {"tolerance": terms.tolerance}
        yield Quantity(f"share within {terms.tolerance:g}", within.astype(float), "at least", details=details)
    if terms.max_error is None:
        return
    squared = (_clipped(answers.teacher - answers.student, terms) ** 2).reshape(len(answers.rows), -1)
    if terms.variance is None:
        mean = squared.mean(axis=1)
        yield Quantity("mean clipped squared error", mean, "at most", (0, terms.max_error**2), details=_clip(terms))
        return
    per_unit = (squared / terms.variance).mean(axis=1)
    most = float(np.mean(terms.max_error**2 / terms.variance))
    yield from _kept_variance(per_unit, most, None, terms, "squared error over the variances of the teacher's outputs")


def _kept_variance(lost: np.ndarray, most: float, n_terms: float | None, terms: Terms, what: str) -> Iterator[Quantity]:
    """Yield 1 less the mean loss over the fixed variance; without it, the mean loss."""
    details = {"loss": what, **_clip(terms)}
    if n_terms is None:  # already in variances
        yield Quantity("fidelity over a fixed variance", lost, "at least", (0.0, most), -1.0, 1.0, details)
    elif terms.variance is None:
        yield Quantity("mean squared distance", lost, "at most", (0.0, most), details=details)
    else:
        total = float(terms.variance.sum())
        yield Quantity(
            "fidelity over a fixed variance", lost, "at least", (0.0, most), -n_terms / total, 1.0,
            details,
        )  # fmt: skip


def _clip(terms: Terms) -> dict[str, Any]:
    """Return what the errors of values depend on."""
    if terms.max_error is None:
        return {}
    variances = None if terms.variance is None else [rounded(each) for each in terms.variance]
    return {"max_error": terms.max_error, "variances": variances}


def _clipped(difference: np.ndarray, terms: Terms) -> np.ndarray:
    assert terms.max_error is not None
    return np.minimum(np.abs(difference), terms.max_error)


def _against_labels(answers: Answers) -> Iterator[Quantity]:
    """Yield paired differences of losses against true labels: what the student loses."""
    if answers.y is None:
        return
    assert answers.classes is not None
    right = [(labels == answers.y).astype(float) for labels in answers.labels]
    yield Quantity("accuracy lost", right[0] - right[1], "at most", (-1.0, 1.0))
    truth = answers.classes == answers.y[:, None]
    of_teacher, of_student = (
        ((outputs - truth) ** 2).sum(axis=1) / 2 for outputs in (answers.teacher, answers.student)
    )
    yield Quantity("Brier score lost", np.clip(of_student - of_teacher, -1, 1), "at most", (-1.0, 1.0))


def _against_values(answers: Answers, terms: Terms) -> Iterator[Quantity]:
    if answers.y is None:
        return
    assert terms.max_error is not None  # checked with the arguments
    scale = 1.0 if terms.variance is None else terms.variance
    of_teacher, of_student = (
        (_clipped(outputs - answers.y, terms) ** 2 / scale).reshape(len(answers.rows), -1).mean(axis=1)
        for outputs in (answers.teacher, answers.student)
    )
    most = float(np.mean(terms.max_error**2 / scale))
    yield Quantity(
        "clipped squared error lost", of_student - of_teacher, "at most", (-most, most), details=_clip(terms)
    )


def deviation_of(answers: Answers) -> np.ndarray:
    """Return the deviation of each row: total variation, or the largest absolute difference of the values."""
    if answers.classes is not None:
        return np.abs(answers.teacher - answers.student).sum(axis=1) / 2
    return np.abs(answers.teacher - answers.student).reshape(len(answers.rows), -1).max(axis=1)


def overall_statements(answers: Answers, units: Units, terms: Terms) -> list[Statement]:
    """Return the statements about all rows, each with the confidence by itself."""
    rows, confidence = np.arange(units.n_rows), terms.confidence
    found = [
        each.state(units.mean_bounds(each.values, rows, confidence, each.bounds), "all", OVERALL, confidence)
        for each in overall_quantities(answers, terms)
    ]
    if units.are_rows and units.n_rows >= rows_needed(terms.share, confidence=confidence):
        found.append(_quantile(answers, terms))
    return found


def _quantile(answers: Answers, terms: Terms) -> Statement:
    deviation, name = deviation_of(answers), f"deviation of {terms.share:.4g} of rows"
    bound = quantile_bound(deviation, share=terms.share, confidence=terms.confidence)
    estimate = float(np.quantile(deviation, terms.share, method="higher"))
    return Statement(
        name, "all", "at most", rounded(bound), math.nan, math.nan, rounded(estimate), len(deviation),
        rounded(terms.confidence), "order statistic", OVERALL, {"share": terms.share},
    )  # fmt: skip


def class_statements(answers: Answers, units: Units, terms: Terms) -> list[Statement]:
    """Return the agreement for each label of the teacher, all at once."""
    if answers.classes is None:
        return []
    labels, first = answers.labels[0], overall_quantities(answers, terms)[0]
    parts = [(f"teacher: {label}", np.flatnonzero(labels == label)) for label in answers.classes]
    parts = [(name, rows) for name, rows in parts if units.count(rows) >= MIN_UNITS] if units.n_rows else []
    confidence = 1 - (1 - terms.confidence) / max(len(parts), 1)
    return [
        first.state(units.mean_bounds(first.values, rows, confidence), name, BY_CLASS, confidence)
        for name, rows in parts
    ]


def slice_quantities(answers: Answers, terms: Terms) -> list[Quantity]:
    """Return the variables that are bounded on each slice."""
    found = overall_quantities(answers, terms)[:1]
    if answers.classes is None:
        return found
    selected = [(labels == terms.pos_label).astype(float) for labels in answers.labels]
    if terms.pos_label is not None:
        for name, values in zip(("teacher", "student"), selected, strict=True):
            found.append(Quantity(f"selection rate of the {name}", values, "at most"))
        found.append(Quantity("change of the selection rate", selected[1] - selected[0], "at most", (-1.0, 1.0)))
    if answers.y is not None:
        wrong = [(labels != answers.y).astype(float) for labels in answers.labels]
        for name, values in zip(("teacher", "student"), wrong, strict=True):
            found.append(Quantity(f"error rate of the {name}", values, "at most"))
        found.append(Quantity("change of the error rate", wrong[1] - wrong[0], "at most", (-1.0, 1.0)))
    return found


def slice_statements(
    answers: Answers, units: Units, terms: Terms, slices: list[tuple[str, np.ndarray]]
) -> list[Statement]:
    """Return the statements about each slice and about how much they differ, all at once."""
    quantities = slice_quantities(answers, terms)
    parts = [(name, rows) for name, rows in slices if units.count(rows) >= MIN_UNITS]
    # one-sided bounds and the intervals, from which gaps are derived, are two families
    confidence = 1 - (1 - terms.confidence) / max(len(parts) * len(quantities), 1)
    found = [
        each.state(units.mean_bounds(each.values, rows, confidence, each.bounds), name, BY_SLICE, confidence)
        for name, rows in parts
        for each in quantities
    ]
    return found + [
        gap for what in ("selection rate", "error rate") for gap in _widest_gap(found, f"change of the {what}", what)
    ]


def _widest_gap(found: list[Statement], name: str, what: str) -> Iterator[Statement]:
    """Yield how much farther apart two slices can be under the student than under the teacher."""
    changes = [each for each in found if each.quantity == name]
    if len(changes) < 2:
        return
    estimates = [each.estimate for each in changes]
    bound = max(0.0, max(each.high for each in changes) - min(each.low for each in changes))
    yield Statement(
        f"growth of the gap in {what}s", "any two slices", "at most", rounded(bound), math.nan, math.nan,
        rounded(max(estimates) - min(estimates)), min(each.n for each in changes), changes[0].confidence, "derived",
        BY_SLICE, {},
    )  # fmt: skip
