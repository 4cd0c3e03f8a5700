"""``report``: what a student kept of its teacher and what it lost."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from .._tabulate import as_text, encodable
from ..datasets import is_dataset
from ..metrics import calibration_curve, calibration_error, clopper_pearson
from ..metrics._checks import check_count
from ..metrics._unwrapping import distilled_inside
from ._answers import Answers, ask_both, varies
from ._dataset_rows import read_sample
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
from ._subject import subject_of
from ._terms import terms_of
from ._verdict import verdict

FEW_ROWS = 100
"""Number of rows below which the report notes that its numbers are uncertain."""

MEMORISED = 0.05
"""Minimum ``teacher_memorization_`` for a note that the teacher has memorised its training rows."""

N_WORST = 10
"""Number of rows that are listed."""

PARTS = ("models", "divergences", "by_output", "by_slice", "rules", "calibration", "worst_rows")


@dataclass(frozen=True, repr=False, eq=False)
class Report:
    """What a student kept of its teacher and what it lost; created by :func:`skdistill.report`.

    It is printed as the verdict, whose first line is a decision and whose second line is the reason, the table of
    models, the meaning of its columns, and the notes. In a notebook, it is shown as a page. Each table is a dict of
    columns of equal length, like ``cv_results_``.

    Parameters
    ----------
    verdict : str
        Three lines: the decision; the reason in numbers; other evidence, bad news first.
    decision : {"ship", "train directly", "do not ship", "cannot tell"}
        The decision: ship the student; ship the same student, fitted to true labels without the teacher; do not ship;
        or collect more rows first (the verdict says how many).
    models : dict of ndarray
        Quality and costs, with one row each for the teacher, the student, the same student fitted without the teacher
        (if training rows were passed), and the compiled student.
    divergences : dict of float
        Distances between the student's and the teacher's probabilities; empty for values.
    by_output : dict of ndarray
        One row per class or output.
    by_slice : dict of ndarray
        One row per slice of a column, sorted by the distance minus two standard errors.
    rules : dict of ndarray
        A few groups of rows, given by conditions, that separate small from large distances.
    calibration : dict of ndarray
        One row per bin of the student's confidence, with the teacher's mean confidence in the same labels and, with
        ``y``, the share of them that is true; empty for values.
    worst_rows : dict of ndarray
        Positions, in ``X``, of the rows with the largest distance, and the outputs of both models.
    notes : tuple of str, default=()
        Information that is needed to interpret the numbers.
    answers : Answers or None, default=None
        The outputs of both models, for the figures.
    subject : dict of str or None, default=None
        What the report is about: teacher, student with its family, data, date, and versions of packages.
    warnings : tuple of str, default=()
        The sentences of bad news with which the third line of the verdict starts.

    See Also
    --------
    DisagreementDisplay : The rules as a figure.
    FidelityDisplay : All rows as a figure.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, report
    >>> X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    >>> forest = RandomForestClassifier(50, random_state=0).fit(X[:400], y[:400])
    >>> model = DistilledClassifier(forest, "linear", random_state=0).fit(X[:400])
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
    subject: dict[str, str] | None = None
    warnings: tuple[str, ...] = ()

    def to_frame(self, part: str = "models") -> Any:
        """Return one of the tables as a pandas frame.

        Parameters
        ----------
        part : {"models", "divergences", "by_output", "by_slice", "rules", "calibration", "worst_rows"}, \
default="models"
            The table.

        Returns
        -------
        frame : pandas.DataFrame
            ``frame.attrs["terms"]`` has a short explanation of its measures, and ``frame.attrs["subject"]`` says what
            the report is about.

        Raises
        ------
        ImportError
            If pandas is not installed. The tables are also available as attributes.
        """
        if part not in PARTS:
            raise ValueError(f"Report.to_frame: part={part!r}; expected one of {list(PARTS)}.")
        try:
            import pandas as pd
        except ImportError as error:
            raise ImportError(
                f"Report.to_frame needs pandas, which is not installed: pip install pandas. Without it, "
                f"report.{part} is a dict of columns."
            ) from error
        table = getattr(self, part)
        frame = pd.DataFrame([table] if part == "divergences" else table)
        frame.attrs |= {"terms": terms_of(list(table)), "subject": dict(self.subject or {})}
        return frame

    def to_html(self, path: Any) -> None:
        """Write a single HTML page without scripts, other files or network access.

        Parameters
        ----------
        path : str or path-like
            The file to write. If matplotlib is installed, the page contains figures.
        """
        Path(path).write_text(page(self), encoding="utf-8")

    def __str__(self) -> str:
        about = "\n".join(f"{name}: {text}" for name, text in (self.subject or {}).items())
        meanings = "\n".join(f"{name}: {text}" for name, text in terms_of(list(self.models)).items())
        parts = [self.verdict, about, as_text(self.models), meanings, *self.notes]
        return encodable("\n\n".join(part for part in parts if part))

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
    max_rows: int | None = 10_000,
    max_rules: int = 6,
    timing: bool = True,
    random_state: Any = None,
) -> Report:
    """Report what a student kept of its teacher and what it lost, on rows that it was not fitted on.

    Parameters
    ----------
    model : estimator
        A fitted ``DistilledClassifier`` or ``DistilledRegressor``, a pipeline or search that ends in one, or any fitted
        model together with ``teacher``.
    X : table of shape (n_samples, n_features), or dataset
        Rows that neither teacher nor student was fitted on: an array, a sparse matrix or a frame; or a dataset that is
        read in chunks (:func:`~skdistill.datasets.as_dataset`).
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), str or None, default=None
        True labels or values; of a dataset, the name of their column. Without them, the report measures how close the
        student is to the teacher, but not how good it is.
    teacher : object or None, default=None
        A teacher as accepted by :func:`~skdistill.as_teacher`. ``None`` is the teacher the model was distilled from.
    X_train, y_train : table and array-like, or None, default=None
        Training rows and true labels of the student. If they are passed together with ``y``, the same student is fitted
        without the teacher, and the verdict says whether the teacher helped.
    sample_weight : array-like of shape (n_samples,), str or None, default=None
        Weight of each row of ``X``; rows with weight 0 are left out. Of a dataset, the name of a column.
    columns : list of str or int, or None, default=None
        Columns used for slices. ``None`` uses all columns of tables with at most 100.
    max_rows : int >= 1 or None, default=10_000
        Maximum number of rows for which the teacher is queried. If there are more, they are drawn at random, and the
        report says so. ``None`` measures all rows; of a dataset, it reads them in chunks, and adds up what can be added
        up. Rules, costs and the ranges of slices are then those of 10,000 rows.
    max_rules : int >= 1, default=6
        Maximum number of rules that describe where teacher and student differ.
    timing : bool, default=True
        Whether to measure latency, which needs four more queries for a single row.
    random_state : int, RandomState instance or None, default=None
        Seed for drawing the rows.

    Returns
    -------
    report : Report

    Raises
    ------
    TypeError
        If the model has no teacher and none is passed.
    ValueError
        If tables, labels or weights are invalid.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skdistill import DistilledRegressor, report
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> forest = RandomForestRegressor(50, random_state=0).fit(X[:300], y[:300])
    >>> model = DistilledRegressor(forest, "boosting", sampler=None, random_state=0).fit(
    ...     X[:300]
    ... )
    >>> found = report(model, X[300:], y[300:], timing=False)
    >>> found.worst_rows["row"].shape
    (10,)
    """
    for name, count in (("max_rows", 1 if max_rows is None else max_rows), ("max_rules", max_rules)):
        check_count("report", name, count)
    read = None
    if is_dataset(X):
        read = read_sample(model, X, y, sample_weight, max_rows, random_state, is_trained=X_train is not None)
        X, y, sample_weight = read.sample
    _check_training_rows(X_train, y_train, y)
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
    sums = None if read is None else read.sums(model, teacher, answers, columns, N_WORST)
    outputs = {"teacher": answers.teacher, "student": answers.student}
    if X_train is not None:
        outputs["student without teacher"] = outputs_alone(answers, X_train, y_train)
    of_models = {name: quality(answers, given) for name, given in outputs.items()}
    for name, measured in costs(answers).items() if timing else ():
        of_models.setdefault(name, {}).update(measured)
    distilled = None if teacher is not None else distilled_inside(model, None)[0]
    of_models = of_models if sums is None else sums.quality(of_models)
    is_unseen, n_shared, n_seen = _known_rows(distilled, answers, X_train)
    findings = _findings(answers, of_models, outputs, n_shared=n_shared, is_unseen=is_unseen)
    findings = findings if sums is None else sums.findings(findings, of_models)
    rules = find_rules(answers, max_rules)
    said = verdict(findings)
    found = Report(
        verdict=said.text,
        decision=said.decision,
        models=_as_columns(of_models),
        divergences=divergences(answers),
        by_output=by_output(answers),
        by_slice=by_slice(answers, find_slices(answers.X, columns)),
        rules=rules.columns(),
        calibration={} if answers.classes is None else _calibration(answers),
        worst_rows=worst_rows(answers, N_WORST),
        notes=(
            *_notes(answers, columns, n_shared, has_steps=STEPS in of_models),
            *_notes_of_promise(answers, is_unseen or n_seen == 0),
            *_notes_of_fitting(distilled, findings.fidelity),
            *_notes_of_calibration(distilled, answers),
        ),
        answers=replace(answers, X=None, pair=None),  # neither rows nor models are kept or pickled
        subject=subject_of(answers, distilled),
        warnings=said.warnings,
    )
    return found if read is None else replace(found, **read.told(found, sums, answers))


def _check_training_rows(X_train: Any, y_train: Any, y: Any) -> None:
    """Raise an error if only some of the arguments are passed that the student without the teacher needs."""
    if (X_train is not None or y_train is not None) and (X_train is None or y_train is None or y is None):
        given = [name for name, value in (("X_train", X_train), ("y_train", y_train), ("y", y)) if value is not None]
        raise ValueError(
            f"report: got {' and '.join(given)}; a student is fitted without the teacher on X_train and y_train, and "
            "evaluated on y. Pass all three, or only y."
        )
    if y_train is not None and getattr(getattr(y, "dtype", None), "names", None):
        raise ValueError(
            "report: got X_train and y_train with survival labels; expected only y, because a student cannot be fitted "
            "to censored times. Leave out X_train and y_train."
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
    compiled = of_models.get("student, compiled", {}) if steps is None else {}  # pipelines cannot be compiled
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
    """Return the known skills of teacher, student, and the student fitted without the teacher."""
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
    is_skilled = skills["teacher"].is_clear  # otherwise the share of its skill is not defined
    found: dict[str, Any] = {f"{key}_skill": estimate for key, estimate in skills.items()}
    found |= {"kept": kept("student") if is_skilled else UNKNOWN, "student_gain": gain("student", "teacher")}
    if "alone" not in skills:
        return found
    found |= {
        "alone_kept": kept(names["alone"]) if is_skilled else UNKNOWN,
        "alone_gain": gain(names["alone"], "student"),
    }
    if answers.classes is not None:
        right = [answers.labels_of(outputs[name]) == answers.y for name in (names["alone"], "student")]
        difference = right[0].astype(float) - right[1]
        found["alone_accuracy"] = of_models[names["alone"]]["accuracy"]
        found["alone_labels"] = _estimate(
            answers, mean(difference, answers.weight, np.arange(len(difference))), difference
        )
    return found


def _estimate(answers: Answers, value: float, influence: np.ndarray) -> Estimate:
    """Return a number with its standard error, computed from the influence of each row."""
    return Estimate(float(value), standard_error(influence, answers.weight, np.arange(len(influence))))


def _as_columns(of_models: dict[str, dict[str, float]]) -> Columns:
    names = list(dict.fromkeys(name for measured in of_models.values() for name in measured))
    columns = {name: np.array([known(measured, name) for measured in of_models.values()]) for name in names}
    return {"model": np.array(list(of_models), dtype=object), **columns}


def _calibration(answers: Answers) -> Columns:
    curve = calibration_curve(answers.teacher, answers.student, sample_weight=answers.weight)
    if answers.truth is None:
        return curve
    of_truth = calibration_curve(answers.truth, answers.student, sample_weight=answers.weight)["teacher"]
    return {"student": curve["student"], "teacher": curve["teacher"], "truth": of_truth} | curve


def _notes(answers: Answers, columns: Any, n_shared: int, *, has_steps: bool) -> list[str]:
    n_rows, n_features = len(answers.rows), answers.X.shape[1] if len(answers.X.shape) == 2 else 0
    notes = []
    if n_shared:
        notes.append(
            f"{n_shared:,} of the {n_rows:,} rows are among the training rows, so the results are too optimistic."
        )
    if has_steps:
        notes.append(
            "Bytes and times are those of teacher and student alone; the verdict adds the time of the earlier steps."
        )
    if answers.link is not None:
        notes.append(f"The student has a {answers.link.name} link; {answers.link.name}_fidelity is R² on that scale.")
    if n_rows < answers.n_given:
        notes.append(f"Measured on {n_rows:,} of the {answers.n_given:,} rows, drawn at random.")
    if n_rows < FEW_ROWS:
        notes.append(f"Only {n_rows} row{'s' if n_rows != 1 else ''}: every number here is uncertain.")
    elif not answers.is_constant:
        notes.append(f"Fidelity has a standard error of {fidelity_error(answers):.4f} on these rows.")
    if answers.is_constant and n_rows > 1:
        notes.append("The teacher's output is the same for all of these rows, so fidelity is not defined.")
    if answers.share_of_other_labels > 0:
        notes.append(
            f"For {answers.share_of_other_labels:.1%} of these rows, the label that the teacher predicts is not its "
            "largest probability. Agreement and accuracy refer to the labels that the models predict."
        )
    notes += _notes_of_truth(answers)
    if columns is None and n_features > MOST_COLUMNS:
        notes.append(f"No slices for {n_features:,} columns; pass columns=[...] to select some.")
    if n_features and not has_rules(answers.X):
        notes.append(f"No rules for {n_features:,} sparse columns.")
    return notes


def _notes_of_truth(answers: Answers) -> list[str]:
    """Return notes about the true labels, and what is done without them."""
    truth, notes = answers.truth, []
    if truth is None:
        notes.append("Without true labels, the skill of teacher and student is not known.")
    elif len(answers.rows) > 1 and not varies(truth).any():
        what = "values" if answers.classes is None else "labels"
        notes.append(f"All true {what} are the same, so skill is not defined.")
    how = "set by convention" if truth is None else "fitted to these true labels"
    return notes + [
        f"The {name} returns margins, which are scaled to probabilities by one factor, {how}."
        for name in (answers.pair.margins if answers.pair else ())
    ]


def _known_rows(distilled: Any, answers: Answers, X_train: Any) -> tuple[bool, int, int | None]:
    """Return whether no row is a training row, how many are training rows, and how many the fit has seen.

    Training rows are those of ``X_train``, or those that a distilled estimator was taught on or selected with. It may
    not know the latter: their number is then ``None``.
    """
    n_equal, n_shared = (0, 0) if X_train is None else count_shared(answers.X, X_train)
    seen = getattr(distilled, "seen_rows_", None)
    n_seen = None if seen is None or answers.pair is None else seen.count_beyond_chance(answers.pair.X)
    is_unseen = X_train is not None and n_equal == 0 and are_comparable(answers.X, X_train)
    return is_unseen, max(n_shared, n_seen or 0), n_seen


def _notes_of_promise(answers: Answers, are_new: bool) -> list[str]:
    """Return the exact lower bound for the agreement on other rows, where one can be promised."""
    same, n_rows = answers.same_label, len(answers.rows)
    if same is None or not are_new or n_rows < FEW_ROWS or answers.is_constant or varies(answers.weight).any():
        return []
    low = float(clopper_pearson(int(same.sum()), n_rows, side="lower")[0])
    return [
        f"Of other rows like these, the student predicts the teacher's label for at least {low:.1%} (confidence 95 %; "
        "skdistill.certify states more)."
    ]


def _notes_of_fitting(distilled: Any, measured: Estimate) -> list[str]:
    """Return notes about the fit of a distilled estimator; none for other models."""
    notes = []
    memorization = float(getattr(distilled, "teacher_memorization_", float("nan")))
    if memorization > MEMORISED:
        notes.append(
            f"The teacher has memorised its training rows ({memorization:.2f} of the variance of its outputs there "
            "does not appear on nearby rows): evaluate it and its students on rows that it has not seen."
        )
    ignored = getattr(distilled, "ignored_features_", {})
    if ignored:
        columns = "; ".join(f"{name} ({reason})" for name, reason in ignored.items())
        notes.append(f"Columns that the student does not read: {columns}.")
    summary = getattr(distilled, "transfer_set_", None)
    usage = getattr(summary, "usage", None)
    if usage is not None:
        notes.append(f"The teacher is a service; during fit: {usage.explain()}.")
    noise = float(getattr(summary, "teacher_noise", float("nan")))
    if noise > 0:
        notes.append(
            f"The teacher's outputs for the same row differ between calls (teacher_noise {noise:.2g}): a fidelity "
            f"above {1 - noise:.3f} cannot be expected of any student."
        )
    differences = getattr(distilled, "teacher_disagreement_", None)
    if differences is not None:
        names, weights = distilled.teacher_.names, distilled.teacher_weights_
        shares = ", ".join(f"{name} {weight:.2f}" for name, weight in zip(names, weights, strict=True))
        notes.append(
            f"{len(names)} teachers ({shares}): on the rows of X, the outputs of two of them differ by "
            f"{float(np.mean(differences)):.3f} of the variance of the soft targets."
        )
    chosen = getattr(getattr(distilled, "candidates_", None), "chosen", None)
    promised = float(getattr(chosen, "fidelity", float("nan")))
    if not np.isnan(promised) and not np.isnan(measured.mean):
        notes.append(_promise_kept(chosen, promised, measured))
    return notes


def _notes_of_calibration(distilled: Any, answers: Answers) -> list[str]:
    """Return notes about a calibrated student: what it gained in fit, and how calibrated both models are here."""
    found, truth = getattr(distilled, "calibration_", None), answers.truth
    if found is None or found["is_chosen"][0]:
        return []
    place = int(np.argmax(found["is_chosen"]))
    notes = [
        f"The student is calibrated ({found['method'][place]}): during fit, its log loss fell by "
        f"{found['gain'][place]:.4f} (standard error {found['gain_error'][place]:.4f}) on "
        f"{found['n_validated'][place]:,} rows, from {found['validated_on'][place]}."
    ]
    if truth is not None:
        errors = (
            calibration_error(truth, each, sample_weight=answers.weight) for each in (answers.teacher, answers.student)
        )
        notes.append(
            "The expected calibration error against y is {:.3f} for the teacher, {:.3f} for the student.".format(
                *errors
            )
        )
    return notes


def _promise_kept(chosen: Any, promised: float, measured: Estimate) -> str:
    """Return the fidelity that was estimated during fit, the one measured here, and whether they agree."""
    low, high = (float(getattr(chosen, f"fidelity_{end}", float("nan"))) for end in ("low", "high"))
    source = f"from {getattr(chosen, 'validated_on', 'rows held out')}"
    interval = f"95 % interval {low:.3f} to {high:.3f}, " if low <= high else ""
    said = (
        f"During fit, its fidelity on unseen rows was estimated as {promised:.3f} ({interval}{source}); here "
        f"it is {measured.mean:.3f}"
    )
    if not interval or low <= measured.mean <= high:
        return f"{said}."
    if measured.low <= high and measured.high >= low:
        return f"{said}, outside that interval, but the difference is not significant on these rows."
    return f"{said}, outside that interval: these rows differ from the validation rows, or the estimate was wrong."
