"""``report``: what was kept and what was lost, in one object."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .._tabulate import as_text
from ..metrics import calibration_curve
from ..metrics._checks import check_count
from ..metrics._unwrapping import distilled_inside
from ._answers import Answers, ask_both, varies
from ._decision import decide
from ._findings import UNKNOWN, Estimate, Findings, known
from ._measures import (
    STEPS,
    Columns,
    are_comparable,
    by_output,
    by_slice,
    costs,
    count_shared,
    divergences,
    fidelity_error,
    outputs_alone,
    quality,
    skill_influence,
    worst_rows,
)
from ._page import fragment, page
from ._rules import find_rules, has_rules, mean, standard_error
from ._slices import MOST_COLUMNS, find_slices
from ._verdict import verdict

FEW_ROWS = 100
"""Below which the report warns that its numbers are uncertain."""

MEMORISED = 0.05
"""Share of the variance of a teacher's answers on its training rows beyond which it is said to have memorised them."""

N_WORST = 10
"""Rows that are listed."""

PARTS = ("models", "divergences", "by_output", "by_slice", "rules", "calibration", "worst_rows")


@dataclass(frozen=True, repr=False, eq=False)
class Report:
    """What was kept of a teacher and what was lost; made by :func:`report`.

    Printed, it is the verdict, whose first line is a decision, and the table of models; in a notebook, a page. Each
    table is a dict of equally long columns, as ``cv_results_`` are.

    Parameters
    ----------
    verdict : str
        Two lines: the decision and its reason; then what speaks for and against it, the worst news first.
    decision : {"ship", "train directly", "do not ship", "cannot tell"}
        The decision, for programs: ship the student; ship the same student, fitted to true labels without the teacher;
        ship neither; or find more rows first, as many as the verdict says.
    models : dict of ndarray
        A row each for the teacher, the student, the same student fitted without the teacher (if training rows were
        given), and the compiled student: quality and cost.
    divergences : dict of float
        Distances of the student's probabilities to the teacher's; empty for values.
    by_output : dict of ndarray
        A row for each class or output.
    by_slice : dict of ndarray
        A row for each slice of a column, by distance less two standard errors.
    rules : dict of ndarray
        A few groups of rows that part teacher and student most, as conditions to read.
    calibration : dict of ndarray
        A row for each bin of the student's confidence, with the teacher's mean confidence in the same labels; empty for
        values.
    worst_rows : dict of ndarray
        Positions, in the table given, of the rows where the two are farthest apart, and what both say.
    notes : tuple of str, default=()
        What a reader must know to trust the numbers.
    answers : Answers or None, default=None
        What both said, for the pictures.

    See Also
    --------
    DisagreementDisplay : The rules as a picture.
    FidelityDisplay : All rows as a picture.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, report
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> forest = RandomForestClassifier(50, random_state=0).fit(X[:400], y[:400])
    >>> model = DistilledClassifier(forest, "boosting", random_state=0).fit(X[:400])
    >>> found = report(model, X[400:], y[400:])
    >>> found.decision, found.verdict[:7]
    ('ship', 'Ship it')
    >>> found.models["model"].tolist()
    ['teacher', 'student', 'student, compiled']
    >>> found.to_frame("by_output").columns.tolist()[:3]
    ['class', 'n_rows', 'fidelity']
    """

    verdict: str
    decision: str
    models: Columns
    divergences: dict[str, float]
    by_output: Columns
    by_slice: Columns
    rules: Columns
    calibration: Columns
    worst_rows: Columns
    notes: tuple[str, ...] = ()
    answers: Answers | None = None

    def to_frame(self, part: str = "models") -> Any:
        """Return one of the tables as a pandas frame.

        Parameters
        ----------
        part : {"models", "divergences", "by_output", "by_slice", "rules", "calibration", "worst_rows"}, \
default="models"
            Which.

        Returns
        -------
        frame : pandas.DataFrame

        Raises
        ------
        ImportError
            If pandas is not installed; the tables are attributes, too.
        """
        if part not in PARTS:
            raise ValueError(f"Report.to_frame: part={part!r}; expected one of {list(PARTS)}.")
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                f"Report.to_frame makes a pandas frame, and pandas is not installed: pip install pandas. Without it, "
                f"report.{part} is a dict of columns."
            ) from error
        table = getattr(self, part)
        return pd.DataFrame([table] if part == "divergences" else table)

    def to_html(self, path: Any) -> None:
        """Write one HTML page that needs nothing else: no network, no scripts, no other files.

        Parameters
        ----------
        path : str or path-like
            Where to. Where matplotlib is installed, the page has pictures.
        """
        Path(path).write_text(page(self), encoding="utf-8")

    def __str__(self) -> str:
        return "\n\n".join([self.verdict, as_text(self.models), *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return fragment(self)


def report(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    teacher: Any = None,
    X_train: Any = None,
    y_train: Any = None,
    sample_weight: Any = None,
    columns: Any = None,
    max_rows: int = 10_000,
    max_rules: int = 6,
    timing: bool = True,
    random_state: Any = None,
) -> Report:
    """Say what a student kept of its teacher and what it lost, on rows that it was not fitted on.

    Parameters
    ----------
    model : estimator
        A fitted ``DistilledClassifier`` or ``DistilledRegressor``, a pipeline or search that ends in one, or any fitted
        model together with ``teacher``.
    X : table of shape (n_samples, n_features)
        Rows that neither teacher nor student was fitted on: an array, a sparse matrix or a frame.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs) or None, default=None
        The truth. Without it, the report tells how close the copy is, but not how good.
    teacher : object or None, default=None
        What :func:`~skdistill.as_teacher` takes. ``None`` is the teacher the model was distilled from.
    X_train, y_train : table and array-like, or None, default=None
        Rows and true labels the student was distilled on. With them the same student is fitted without the teacher, and
        the verdict tells whether the teacher was of use; ``y`` is needed for it.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weight of each row of ``X``; rows of none are left out.
    columns : list of str or int, or None, default=None
        Columns to slice by. ``None`` takes all, of tables of at most 100.
    max_rows : int >= 1, default=10_000
        Rows the teacher is asked about; of more, so many are drawn at random, and the report says so.
    max_rules : int >= 1, default=6
        Rules at most that say where teacher and student differ.
    timing : bool, default=True
        Whether latency is measured. The teacher is asked for one row four times more.
    random_state : int, RandomState instance or None, default=None
        Draws the rows.

    Returns
    -------
    report : Report

    Raises
    ------
    TypeError
        If the model has no teacher and none is given.
    ValueError
        For tables, labels and weights that do not fit.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skdistill import DistilledRegressor, report
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> forest = RandomForestRegressor(50, random_state=0).fit(X[:300], y[:300])
    >>> model = DistilledRegressor(forest, "boosting", sampler=None, random_state=0).fit(X[:300])
    >>> found = report(model, X[300:], y[300:], timing=False)
    >>> found.worst_rows["row"].shape
    (10,)
    """
    check_count("report", "max_rows", max_rows)
    check_count("report", "max_rules", max_rules)
    if (X_train is not None or y_train is not None) and (X_train is None or y_train is None or y is None):
        given = [name for name, value in (("X_train", X_train), ("y_train", y_train), ("y", y)) if value is not None]
        raise ValueError(
            f"report: got {' and '.join(given)}; a student is fitted without the teacher on X_train and y_train, and "
            "judged by y. Pass all three, or y alone."
        )
    answers = ask_both(
        "report",
        model,
        X,
        y,
        teacher=teacher,
        sample_weight=sample_weight,
        max_rows=max_rows,
        random_state=random_state,
    )
    outputs = {"teacher": answers.teacher, "student": answers.student}
    if X_train is not None:
        outputs["student without teacher"] = outputs_alone(answers, X_train, y_train)
    of_models = {name: quality(answers, given) for name, given in outputs.items()}
    for name, measured in costs(answers).items() if timing else ():
        of_models.setdefault(name, {}).update(measured)
    n_shared = 0 if X_train is None else count_shared(answers.X, X_train)
    is_unseen = X_train is not None and n_shared == 0 and are_comparable(answers.X, X_train)
    findings = _findings(answers, of_models, outputs, n_shared=n_shared, is_unseen=is_unseen)
    slices = find_slices(answers.X, columns)
    rules = find_rules(answers, max_rules)
    distilled = None if teacher is not None else distilled_inside(model, None)[0]
    return Report(
        verdict=verdict(findings),
        decision=decide(findings).name,
        models=_as_columns(of_models),
        divergences=divergences(answers),
        by_output=by_output(answers),
        by_slice=by_slice(answers, slices),
        rules=rules.columns(),
        calibration={} if answers.classes is None else _calibration(answers),
        worst_rows=worst_rows(answers, N_WORST),
        notes=(
            *_notes(answers, columns, n_shared, has_steps=STEPS in of_models),
            *_notes_of_fitting(distilled, findings.fidelity),
        ),
        answers=replace(answers, X=None, pair=None),  # nobody's rows or model are kept alive, or pickled
    )


def _findings(
    answers: Answers,
    of_models: dict[str, dict[str, float]],
    outputs: dict[str, np.ndarray],
    *,
    n_shared: int,
    is_unseen: bool,
) -> Findings:
    teacher, student, steps = of_models["teacher"], of_models["student"], of_models.get(STEPS)
    compiled = of_models.get("student, compiled", {}) if steps is None else {}  # pipelines are not compiled
    steps = steps or {"one_row": 0.0, "many_rows": 0.0}
    return Findings(
        fidelity=Estimate(student["fidelity"], float("nan") if answers.is_constant else fidelity_error(answers)),
        n_rows=len(answers.rows),
        n_shared=n_shared,
        is_unseen=is_unseen,
        has_truth=answers.y is not None,
        agreement=known(student, "agreement"),
        student_accuracy=known(student, "accuracy"),
        teacher_row=known(teacher, "one_row") + steps["one_row"],
        student_row=known(student, "one_row") + steps["one_row"],
        compiled_row=known(compiled, "one_row"),
        teacher_many=known(teacher, "many_rows") + steps["many_rows"],
        student_many=known(student, "many_rows") + steps["many_rows"],
        teacher_bytes=known(teacher, "n_bytes"),
        student_bytes=known(student, "n_bytes"),
        compiled_bytes=known(compiled, "n_bytes"),
        **_skills(answers, of_models, outputs),
    )


def _skills(answers: Answers, of_models: dict[str, dict[str, float]], outputs: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return what is known of the skill of teacher, student, and the student fitted without the teacher."""
    if np.isnan(known(of_models["student"], "skill")):
        return {}
    skill = {name: of_models[name]["skill"] for name in outputs}
    influence = {name: skill_influence(answers, given) for name, given in outputs.items()}

    def gain(better: str, than: str) -> Estimate:
        return _estimate(answers, skill[better] - skill[than], influence[better] - influence[than])

    def kept(name: str) -> Estimate:
        share = skill[name] / skill["teacher"]
        return _estimate(answers, share, (influence[name] - share * influence["teacher"]) / skill["teacher"])

    names = {"teacher": "teacher", "student": "student", "alone": "student without teacher"}
    skills = {key: _estimate(answers, skill[name], influence[name]) for key, name in names.items() if name in skill}
    is_skilled = skills["teacher"].is_clear  # of a teacher without skill no share is taken
    found: dict[str, Any] = {f"{key}_skill": estimate for key, estimate in skills.items()}
    found |= {"kept": kept("student") if is_skilled else UNKNOWN, "student_gain": gain("student", "teacher")}
    if "alone" not in skills:
        return found
    found |= {
        "alone_kept": kept(names["alone"]) if is_skilled else UNKNOWN,
        "alone_gain": gain(names["alone"], "student"),
    }
    if answers.classes is not None:
        right = [answers.classes[outputs[name].argmax(axis=1)] == answers.y for name in (names["alone"], "student")]
        difference = right[0].astype(float) - right[1]
        found["alone_accuracy"] = of_models[names["alone"]]["accuracy"]
        found["alone_labels"] = _estimate(
            answers, mean(difference, answers.weight, np.arange(len(difference))), difference
        )
    return found


def _estimate(answers: Answers, value: float, influence: np.ndarray) -> Estimate:
    """Return a number with its standard error, of how much each row moves it."""
    return Estimate(float(value), standard_error(influence, answers.weight, np.arange(len(influence))))


def _as_columns(of_models: dict[str, dict[str, float]]) -> Columns:
    names = list(dict.fromkeys(name for measured in of_models.values() for name in measured))
    columns = {name: np.array([known(measured, name) for measured in of_models.values()]) for name in names}
    return {"model": np.array(list(of_models), dtype=object), **columns}


def _calibration(answers: Answers) -> Columns:
    return calibration_curve(answers.teacher, answers.student, sample_weight=answers.weight)


def _notes(answers: Answers, columns: Any, n_shared: int, *, has_steps: bool) -> list[str]:
    n_rows, truth = len(answers.rows), answers.truth
    n_features = answers.X.shape[1] if len(answers.X.shape) == 2 else 0
    notes = []
    if n_shared:
        notes.append(
            f"{n_shared:,} of the {n_rows:,} rows are among the training rows, which flatters who learned them."
        )
    if has_steps:
        notes.append(
            "Bytes and times are of teacher and student alone; the verdict adds the time of the earlier steps."
        )
    if n_rows < answers.n_given:
        notes.append(f"Measured on {n_rows:,} of the {answers.n_given:,} rows, drawn at random.")
    if n_rows < FEW_ROWS:
        notes.append(f"Only {n_rows} row{'s' if n_rows != 1 else ''}: every number here is uncertain.")
    elif not answers.is_constant:
        notes.append(f"Fidelity has a standard error of {fidelity_error(answers):.4f} on these rows.")
    if answers.is_constant and n_rows > 1:
        notes.append("The teacher answers the same for all of these rows, so fidelity is not defined.")
    if truth is None:
        notes.append("Without true labels nothing is said about how good teacher and student are.")
    elif n_rows > 1 and not varies(truth).any():
        what = "values" if answers.classes is None else "labels"
        notes.append(f"All true {what} are the same, so skill is not defined.")
    how = "by convention" if truth is None else "fitted to these true labels"
    notes += [
        f"The {name} answers with margins; one factor makes probabilities of them, {how}."
        for name in (answers.pair.margins if answers.pair else ())
    ]
    if columns is None and n_features > MOST_COLUMNS:
        notes.append(f"No slices of {n_features:,} columns; pass columns=[...] to choose some.")
    if n_features and not has_rules(answers.X):
        notes.append(f"No rules of {n_features:,} sparse columns.")
    return notes


def _notes_of_fitting(distilled: Any, measured: Estimate) -> list[str]:
    """Return what was found out while the model was fitted and matters here; nothing of other models."""
    notes = []
    memorization = float(getattr(distilled, "teacher_memorization_", float("nan")))
    if memorization > MEMORISED:
        notes.append(
            f"The teacher has memorised its training rows ({memorization:.2f} of the variance of its answers there is "
            "found on no row beside them): judge it, and any student, on rows it has not seen."
        )
    chosen = getattr(getattr(distilled, "candidates_", None), "chosen", None)
    promised = float(getattr(chosen, "fidelity", float("nan")))
    if not np.isnan(promised) and not np.isnan(measured.mean):
        notes.append(_promise_kept(chosen, promised, measured))
    return notes


def _promise_kept(chosen: Any, promised: float, measured: Estimate) -> str:
    """Return the fidelity that was estimated while fitting, the one measured here, and whether they agree."""
    low, high = (float(getattr(chosen, f"fidelity_{end}", float("nan"))) for end in ("low", "high"))
    source = f"from {getattr(chosen, 'validated_on', 'rows held out')}"
    interval = f"95 % interval {low:.3f} to {high:.3f}, " if low <= high else ""
    said = (
        f"When it was fitted, its fidelity on unseen rows was estimated as {promised:.3f} ({interval}{source}); here "
        f"it is {measured.mean:.3f}"
    )
    if not interval or low <= measured.mean <= high:
        return f"{said}."
    if measured.low <= high and measured.high >= low:
        return f"{said}, outside that interval, but within chance on these rows."
    return f"{said}, outside that interval: these rows differ from those, or the estimate was wrong."
