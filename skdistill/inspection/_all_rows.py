"""The measurements of a report on all rows of a dataset, as sums in one reading."""

import copy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy.special import rel_entr

from ..metrics import retention
from ..metrics._sums import SquaredErrors
from ._answers import TIED, Answers, spread
from ._findings import UNKNOWN, Estimate, Findings
from ._measures import Columns, listed_rows, sorted_slices
from ._slice_sums import SliceSums

N_BINS = 10
"""Number of bins of the student's confidence."""

MODELS = ("teacher", "student")


@dataclass
class AllRows:
    """The sums of a report over all rows.

    Parameters
    ----------
    sample : Answers
        The answers for a sample of the rows, from which ranges and units are taken.
    columns : list of str or int, or None
        Columns used for slices.
    n_worst : int
        Number of rows that are listed.
    has_truth : bool
        Whether there are true labels or values.
    is_weighted : bool
        Whether rows have other weights than 1.
    """

    sample: Answers
    columns: Any
    n_worst: int
    has_truth: bool
    is_weighted: bool
    n_rows: int = field(default=0, init=False)
    worst: Answers | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.classes, teacher = self.sample.classes, self.sample.teacher
        self.n_outputs = teacher.reshape(len(teacher), -1).shape[1]
        self.unit = np.ones(1) if self.classes is not None else spread(teacher, self.sample.weight)
        self.closeness = SquaredErrors(1, self.classes is not None)
        self.skills = SquaredErrors(2, self.classes is not None)
        self.of_outputs = OutputSums(self.n_outputs) if self.classes is not None else None
        self.bins = np.zeros((5, N_BINS))
        self.names = self._quantity_names()
        self.slices = SliceSums(self.sample.X, self.columns, len(self.names))
        self.kl = self.top_2 = self.other_labels = 0.0

    def emptied(self) -> "AllRows":
        """Return sums of no rows, without the sample, to which other rows are added before they are joined."""
        empty = copy.copy(self)
        empty.sample, empty.n_rows, empty.worst = None, 0, None  # type: ignore[assignment]
        empty.closeness, empty.skills = (SquaredErrors(n_models, self.classes is not None) for n_models in (1, 2))
        empty.of_outputs = None if self.of_outputs is None else OutputSums(self.n_outputs)
        empty.bins, empty.slices = np.zeros_like(self.bins), self.slices.emptied()
        empty.kl = empty.top_2 = empty.other_labels = 0.0
        return empty

    def join(self, other: "AllRows") -> None:
        """Add the rows of other sums, which come after those so far."""
        self.n_rows += other.n_rows
        self.closeness.add(other.closeness)
        self.skills.add(other.skills)
        if self.of_outputs is not None and other.of_outputs is not None:
            self.of_outputs.add(other.of_outputs)
        self.bins += other.bins
        self.slices.add(other.slices)
        self.kl, self.top_2 = self.kl + other.kl, self.top_2 + other.top_2
        self.other_labels += other.other_labels
        if other.worst is not None:
            self._keep(other.worst)

    def _quantity_names(self) -> list[str]:
        names = ["n_rows", "weight", "squared_weight"] if self.is_weighted else ["n_rows"]
        names += ["distance", "squared_distance"]
        names += ["agreement"] if self.classes is not None else []
        if self.has_truth:
            ending = "accuracy" if self.classes is not None else "error"
            names += [f"{model}_{ending}" for model in MODELS]
        return names

    def update(self, answers: Answers, start: int) -> None:
        """Add the answers for a chunk, whose first row is at the position ``start``."""
        weight = answers.weight if self.is_weighted else None
        self.n_rows += len(answers.weight) if weight is None else int(np.count_nonzero(weight))
        distance = self._distance(answers)
        true = None if answers.y is None or self.classes is None else np.searchsorted(self.classes, answers.y)
        self.closeness.update(answers.teacher, [answers.student], weight)
        if answers.y is not None:
            truth = answers.y if true is None else np.eye(self.n_outputs)[true]
            self.skills.update(truth, [answers.teacher, answers.student], weight)
        quantities = self._quantities(answers, distance, true)
        if self.of_outputs is not None:
            self.of_outputs.update(answers, quantities[-3 if true is not None else -1], distance, true)
            self._add_bins(answers, true)
            self._add_divergences(answers)
        self.slices.update(answers.X, self._weighted(quantities, weight))
        self._keep_worst(answers, distance, start)

    def _weighted(self, quantities: list[np.ndarray], weight: np.ndarray | None) -> np.ndarray:
        """Return the quantities in the order of their names, times the weights, of shape (n_rows, n_quantities)."""
        of_weight = [np.ones(len(quantities[0]))] if weight is None else [(weight > 0).astype(float), weight, weight**2]
        return np.stack([*of_weight, *(each if weight is None else each * weight for each in quantities)], axis=1)

    def _distance(self, answers: Answers) -> np.ndarray:
        apart = np.abs(answers.teacher - answers.student)
        if self.classes is not None:
            return row_sums(apart) / 2
        return (apart.reshape(len(apart), -1) / self.unit).mean(axis=1)

    def _quantities(self, answers: Answers, distance: np.ndarray, true: np.ndarray | None) -> list[np.ndarray]:
        """Return the quantities of each row in the order of their names, after those of its weight."""
        found = [distance, distance**2]
        if self.classes is None:
            if answers.y is not None:
                of_models = (answers.teacher, answers.student)
                found += [((each - answers.y).reshape(len(distance), -1) ** 2).mean(axis=1) for each in of_models]
            return found
        assert answers.said is not None
        of_teacher, of_student = answers.said
        found.append((of_teacher == of_student).astype(float))
        if true is not None:
            found += [(said == true).astype(float) for said in answers.said]
        return found

    def _add_bins(self, answers: Answers, true: np.ndarray | None) -> None:
        """Add the confidence of the student, and what teacher and truth say of the same labels, by bin."""
        rows, weight = np.arange(len(answers.student)), answers.weight
        label = winners(answers.student)
        confidence, of_teacher = answers.student[rows, label], answers.teacher[rows, label]
        bins = np.minimum((confidence * N_BINS).astype(np.intp), N_BINS - 1)
        columns = [weight > 0, weight, weight * confidence, weight * of_teacher]
        if true is not None:
            columns.append(weight * (true == label))
        for place, values in enumerate(columns):
            self.bins[place] += np.bincount(bins, weights=values, minlength=N_BINS)

    def _add_divergences(self, answers: Answers) -> None:
        """Add the divergences of the rows that are no sums of other quantities."""
        teacher, student, weight = answers.teacher, answers.student, answers.weight
        divergences = row_sums(rel_entr(teacher, np.maximum(student, np.minimum(teacher, 1e-15))))
        self.kl += float(weight @ divergences)
        assert answers.said is not None
        rows, winner = np.arange(len(teacher)), winners(teacher)
        is_other = teacher[rows, answers.said[0]] < teacher[rows, winner] - TIED
        self.other_labels += float(weight @ is_other)
        if self.n_outputs > 2:
            of_winner = student[rows, winner][:, None]
            is_before = np.arange(student.shape[1]) < winner[:, None]
            rank = np.sum((student > of_winner) | ((student == of_winner) & is_before), axis=1)
            self.top_2 += float(weight @ (rank < 2))

    def _keep_worst(self, answers: Answers, distance: np.ndarray, start: int) -> None:
        """Keep the rows with the largest distances so far."""
        counted = np.where(answers.weight > 0, distance, -1.0)
        least = -1.0 if self.worst is None or len(self.worst.rows) < self.n_worst else float(self.worst.weight.min())
        rows = np.flatnonzero(counted > least)
        if len(rows) == 0:
            return
        rows = rows[np.argsort(-counted[rows], kind="stable")[: self.n_worst]]
        self._keep(_only(answers, rows, start, counted[rows]))  # the distance in place of the weight

    def _keep(self, new: Answers) -> None:
        """Keep the rows with the largest distances among those so far and some that come after them."""
        both = new if self.worst is None else _joined(self.worst, new)
        self.worst = _only(both, np.argsort(-both.weight, kind="stable")[: self.n_worst], None, None)

    # ------------------------------------------------------------------ results

    def quality(self, measured: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        """Return the measurements of the models with those that are known for all rows replaced."""
        found = {name: dict(values) for name, values in measured.items()}
        sums = self._named(self.slices.total)
        total = {name: values / sums["weight"] for name, values in sums.items()}
        for place, name in enumerate(MODELS):
            found[name]["fidelity"] = 1.0 if name == "teacher" else self.closeness.r_squared(0)
            if not self.closeness.is_varying.any():
                found[name]["fidelity"] = float("nan")
            found[name].pop(f"{self.sample.link.name}_fidelity" if self.sample.link else "", None)
            if self.classes is not None:
                found[name]["agreement"] = 1.0 if name == "teacher" else total["agreement"]
            if not self.has_truth:
                continue
            found[name]["skill"] = self.skills.r_squared(place) if self.skills.is_varying.any() else float("nan")
            if self.classes is not None:
                found[name]["accuracy"] = total[f"{name}_accuracy"]
            else:
                found[name]["error"] = float(np.sqrt(self.skills.mean_loss(place)).mean())
        for name in MODELS if self.has_truth else ():
            found[name]["kept"] = retention(found["teacher"]["skill"], found[name]["skill"])
        return found

    def findings(self, found: Findings, of_models: dict[str, dict[str, float]]) -> Findings:
        """Return the findings with those that are known for all rows replaced."""
        student = of_models["student"]
        return replace(
            found,
            fidelity=Estimate(student["fidelity"], self.closeness.standard_error(1.0)),
            n_rows=self.n_rows,
            agreement=student.get("agreement", float("nan")),
            student_accuracy=student.get("accuracy", float("nan")),
            **self._skills(of_models),
        )

    def _skills(self, of_models: dict[str, dict[str, float]]) -> dict[str, Any]:
        if not self.has_truth or not self.skills.is_varying.any():
            return {}
        of_teacher, of_student = (of_models[name]["skill"] for name in MODELS)
        teacher = Estimate(of_teacher, self.skills.standard_error(1.0, 0.0))
        kept = UNKNOWN
        if teacher.is_clear:
            share = of_student / of_teacher
            kept = Estimate(share, self.skills.standard_error(-share / of_teacher, 1 / of_teacher))
        return {
            "teacher_skill": teacher,
            "student_skill": Estimate(of_student, self.skills.standard_error(0.0, 1.0)),
            "kept": kept,
            "student_gain": Estimate(of_student - of_teacher, self.skills.standard_error(-1.0, 1.0)),
        }

    def divergences(self) -> dict[str, float]:
        """Return the distances between the probabilities of both models."""
        if self.classes is None:
            return {}
        total = self._named(self.slices.total)
        weight = float(total["weight"])
        found = {
            "total_variation": float(total["distance"] / weight),
            "kl_divergence": max(self.kl / weight, 0.0),
            "brier_distance": float(self.closeness.mean_loss(0)[0]),
            "calibration_error": float(np.abs(self.bins[2] - self.bins[3]).sum() / self.bins[1].sum()),
        }
        return found | ({"top_2_agreement": self.top_2 / weight} if self.n_outputs > 2 else {})

    def by_output(self, of_sample: Columns) -> Columns:
        """Return the measurements per class, or per output."""
        if self.of_outputs is not None:
            return self.of_outputs.columns(of_sample, has_truth=self.has_truth)
        varying = self.closeness.is_varying
        kept = [self.closeness.r_squared(0, k) if varying[k] else float("nan") for k in range(self.n_outputs)]
        found = {"output": of_sample["output"], "fidelity": np.array(kept)}
        for place, name in enumerate(MODELS) if self.has_truth else ():
            found[f"{name}_error"] = np.sqrt(self.skills.mean_loss(place))
        return found

    def by_slice(self) -> Columns:
        """Return the measurements per slice, as the report on a table in memory does."""
        slices = self.slices.slices()
        sums = np.array([each for _, _, each in slices]).reshape(len(slices), len(self.names)).T
        of = self._named(sums)
        scale = self._scale()
        mean, square = scale * of["distance"] / of["weight"], scale**2 * of["squared_distance"] / of["weight"]
        n_effective = of["weight"] ** 2 / of["squared_weight"]
        with np.errstate(invalid="ignore"):
            error = np.sqrt(np.maximum(square - mean**2, 0) / np.maximum(n_effective - 1, 1e-12))
        columns: Columns = {
            "column": np.array([column for column, _, _ in slices], dtype=object),
            "slice": np.array([text for _, text, _ in slices], dtype=object),
            "n_rows": of["n_rows"].astype(int),
            "distance": mean,
            "distance_error": np.where(of["n_rows"] < 2, np.nan, error),
        }
        for name in self.names[self.names.index("squared_distance") + 1 :]:
            means = of[name] / of["weight"]
            columns[name] = np.sqrt(means) if name.endswith("_error") else means
        return sorted_slices(columns)

    def calibration(self) -> Columns:
        """Return one row for each bin of the student's confidence that has rows."""
        if self.classes is None:
            return {}
        n_rows, weight, student, teacher, truth = self.bins[:, self.bins[1] > 0]
        columns = {"student": student / weight, "teacher": teacher / weight}
        columns |= {"truth": truth / weight} if self.has_truth else {}
        return columns | {"n_rows": n_rows.astype(int), "weight": weight / weight.sum()}

    def worst_rows(self) -> Columns:
        """Return the rows with the largest distances, with their positions in the dataset."""
        assert self.worst is not None
        order = np.argsort(-self.worst.weight, kind="stable")
        shown = replace(self.worst, weight=np.ones(len(order)))
        return listed_rows(shown, order, self._scale() * self.worst.weight)

    @property
    def share_of_other_labels(self) -> float:
        """Share of the rows for which the label of the teacher is not that of its largest probability."""
        return self.other_labels / float(self._named(self.slices.total)["weight"])

    def _named(self, sums: np.ndarray) -> dict[str, np.ndarray]:
        """Return sums by the names of the quantities; without weights, rows have the weight 1."""
        named = dict(zip(self.names, sums, strict=True))
        return named if self.is_weighted else named | {"weight": named["n_rows"], "squared_weight": named["n_rows"]}

    def _scale(self) -> float:
        """Return the unit of the sample in standard deviations of the teacher on all rows; 1 for several outputs."""
        if self.classes is not None or self.n_outputs > 1:
            return 1.0
        deviation = float(np.sqrt(self.closeness._constant_loss()[0]))
        return float(self.unit[0]) / deviation if deviation > 0 else 1.0


class OutputSums:
    """Sums by class, of the labels of the teacher and of the true ones, and losses of each probability.

    Parameters
    ----------
    n_classes : int
    """

    def __init__(self, n_classes: int) -> None:
        self.n_classes = n_classes
        self.errors = SquaredErrors(1, is_pooled=False, has_errors=False)
        self.of_label, self.of_truth = np.zeros((4, n_classes)), np.zeros((3, n_classes))

    def update(self, answers: Answers, agreement: np.ndarray, distance: np.ndarray, true: np.ndarray | None) -> None:
        """Add the answers of a chunk; ``true`` are the positions of the true labels."""
        assert answers.said is not None
        weight = answers.weight
        self.errors.update(answers.teacher, [answers.student], weight)
        sums = [weight > 0, weight, weight * agreement, weight * distance]
        for place, values in enumerate(sums):
            self.of_label[place] += np.bincount(answers.said[0], weights=values, minlength=self.n_classes)
        if true is None:
            return
        right = [weight * (said == true) for said in answers.said]
        for place, values in enumerate([weight, *right]):
            self.of_truth[place] += np.bincount(true, weights=values, minlength=self.n_classes)

    def add(self, other: "OutputSums") -> None:
        """Add the rows of other sums."""
        self.errors.add(other.errors)
        self.of_label += other.of_label
        self.of_truth += other.of_truth

    def columns(self, of_sample: Columns, *, has_truth: bool) -> Columns:
        """Return the measurements per class."""
        n_rows, weight, agreement, distance = self.of_label
        varying = self.errors.is_varying
        with np.errstate(divide="ignore", invalid="ignore"):
            found = {
                "class": of_sample["class"],
                "n_rows": n_rows.astype(int),
                "fidelity": np.array(
                    [self.errors.r_squared(0, k) if varying[k] else np.nan for k in range(self.n_classes)]
                ),
                "agreement": agreement / weight,
                "distance": distance / weight,
            }
            if has_truth:
                found |= {f"{name}_recall": self.of_truth[1 + k] / self.of_truth[0] for k, name in enumerate(MODELS)}
        return found


def row_sums(values: np.ndarray) -> np.ndarray:
    """Return the sum of each row, faster than numpy adds up short rows."""
    return np.asarray(values @ np.ones(values.shape[1]))


def winners(proba: np.ndarray) -> np.ndarray:
    """Return the position of the largest probability of each row, the first of equal ones."""
    return (proba[:, 1] > proba[:, 0]).astype(np.intp) if proba.shape[1] == 2 else proba.argmax(axis=1)


def _only(answers: Answers, rows: np.ndarray, start: int | None, weight: np.ndarray | None) -> Answers:
    """Return a few of the answers, without the table."""
    return replace(
        answers,
        X=None,
        rows=answers.rows[rows] if start is None else start + rows,
        teacher=answers.teacher[rows],
        student=answers.student[rows],
        y=None if answers.y is None else answers.y[rows],
        weight=answers.weight[rows] if weight is None else weight,
        said=None if answers.said is None else tuple(each[rows] for each in answers.said),
        pair=None,
    )


def _joined(first: Answers, second: Answers) -> Answers:
    def both(name: str) -> Any:
        values = getattr(first, name), getattr(second, name)
        return None if values[0] is None else np.concatenate(values)

    said = None
    if first.said is not None and second.said is not None:
        said = tuple(np.concatenate(each) for each in zip(first.said, second.said, strict=True))
    names = ("rows", "teacher", "student", "y", "weight")
    return replace(first, said=said, **{name: both(name) for name in names})  # type: ignore[arg-type]
