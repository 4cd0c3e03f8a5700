"""``calibration=`` of ``DistilledClassifier``: probabilities calibrated on rows that nothing else in ``fit`` uses.

The rows are those of ``X_val`` if ``y_val`` is given, or if there are no true labels at all. Otherwise, a fifth of the
rows of ``X`` is left out of everything else: a recipe is fitted without them, no synthetic row is drawn from them, and
neither samplers nor students are selected or fitted on them.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.model_selection import GroupShuffleSplit, PredefinedSplit

from .._described import described
from .._suggesting import did_you_mean
from .._tables import take_rows
from .._validation import draw_seed, warn_caller
from ..exceptions import TeacherWarning
from ..students._calibrated import IsotonicClassifier, with_temperature
from ..students._deciding import DecidingClassifier
from ..targets._temperature import soften_rows
from ..teachers import Teacher, is_fitted_teacher
from ..transfer import Oracle
from ._calibrators import fit_isotonic, fit_temperature, log_losses
from ._fit_arguments import FitArguments
from ._student_view import is_constrained

METHODS = ("temperature", "isotonic", "auto")

LEFT_OUT_SHARE = 0.2
"""Share of the rows of ``X`` that are left out for the calibration, and largest share of the query budget for it."""

MIN_ROWS = {"temperature": 50, "isotonic": 300}
"""Minimum number of rows that a calibration is fitted to; an isotonic function needs more than a single number."""

MOST_ROWS = 10_000
"""Maximum number of rows that a calibration is fitted to."""

N_FOLDS = 5
"""Number of folds of the rows on which log losses are measured, each with a calibration fitted to the others."""

ON_VALIDATION, ON_LEFT_OUT = "X_val", "rows of X left out of everything else"


def check_calibration(model: Any) -> None:
    """Raise an error if the parameter ``calibration`` is invalid, or its rows cannot be left out."""
    name, method = type(model).__name__, model.calibration
    if method is not None and not (isinstance(method, str) and method in METHODS):
        raise ValueError(
            f"{name}: calibration={described(method)}; expected one of {METHODS}, or None."
            f"{did_you_mean(method, METHODS)}"
        )


@dataclass
class CalibrationRows:
    """Rows that a calibration is fitted to.

    Attributes
    ----------
    X : table of shape (n_rows, n_features)
    y : ndarray of shape (n_rows,) or None
        True labels; without them, the probabilities of the teacher are the targets.
    weight : ndarray of shape (n_rows,)
    origin : str
        Where the rows come from, as text.
    outputs : ndarray of shape (n_rows, n_outputs) or None
        Outputs of the teacher, if they are the targets.
    """

    X: Any
    y: np.ndarray | None
    weight: np.ndarray
    origin: str
    outputs: np.ndarray | None = field(default=None, init=False)

    def targets(self, model: Any, targets: Any) -> np.ndarray:
        """Return probabilities that those of the student are calibrated to; NaN for rows without a label."""
        if self.outputs is not None:
            return targets.of(self.outputs)
        truth = model._task.truth(model, targets.teacher, self.y, "y_val" if self.origin == ON_VALIDATION else "y")
        return np.asarray(truth)


# ---------------------------------------------------------------------- which rows


def leave_out_rows(model: Any, given: FitArguments, rng: np.random.RandomState) -> tuple[FitArguments, Any]:
    """Return the arguments of ``fit`` without the rows of the calibration, and these; ``None`` if there are none.

    ``rng`` is not advanced.

    Raises
    ------
    ValueError
        If there are too few rows for the calibration that is asked for, or the folds of ``teacher_cv`` are those of
        the whole table.
    """
    method = getattr(model, "calibration", None)
    if method is None:
        return given, None
    own = np.random.RandomState()
    own.set_state(rng.get_state())
    needed = MIN_ROWS["temperature" if method == "auto" else method]
    if given.y_val is not None or (given.y is None and given.X_val is not None):
        n_rows, what = min(given.X_val.shape[0], _most(model)), "X_val"
        chosen = np.sort(own.permutation(given.X_val.shape[0])[:n_rows])
        y = None if given.y_val is None else given.y_val[chosen]
        rows = CalibrationRows(take_rows(given.X_val, chosen), y, np.ones(n_rows), ON_VALIDATION)
    else:
        chosen, what = _left_out(model, given, own), f"a fifth of the {given.X.shape[0]:,} rows of X"
        left = given.take(chosen)
        rows = CalibrationRows(left.X, left.y, left.weight, ON_LEFT_OUT)
    if len(rows.weight) < needed:
        _refuse_few(model, method, len(rows.weight), what)
        return given, None
    if rows.origin == ON_LEFT_OUT:
        _refuse_fixed_folds(model)
        given = given.take(np.setdiff1d(np.arange(given.X.shape[0]), chosen))
    return given, rows


def _most(model: Any) -> int:
    budget = np.inf if model.max_queries is None else LEFT_OUT_SHARE * model.max_queries / model.n_repeats
    return int(min(MOST_ROWS, budget))


def _left_out(model: Any, given: FitArguments, rng: np.random.RandomState) -> np.ndarray:
    """Return positions of a fifth of the rows of positive weight: whole groups, or a fifth of each class."""
    usable = np.flatnonzero(given.weight > 0)
    if given.groups is not None:
        split = GroupShuffleSplit(1, test_size=LEFT_OUT_SHARE, random_state=draw_seed(rng))
        return usable[np.sort(next(split.split(usable, groups=given.groups[usable]))[1])]
    most = MOST_ROWS if given.y is not None else _most(model)
    share = min(LEFT_OUT_SHARE, most / len(usable))
    usable = rng.permutation(usable)
    codes = np.zeros(len(usable), int) if given.y is None else np.unique(given.y[usable], return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")  # every fifth of the rows in the order of their classes, at random in each
    first = int(rng.randint(max(int(1 / share), 1)))
    chosen = order[np.unique(np.arange(first, len(order), 1 / share).astype(int))]
    return np.sort(usable[chosen])


def _refuse_few(model: Any, method: str, n_rows: int, what: str) -> None:
    """Fail if a calibration that is asked for has too few rows; ``"auto"`` then leaves the probabilities alone."""
    if method == "auto":
        return
    needed = MIN_ROWS[method]
    fewer = "" if method == "temperature" or n_rows < MIN_ROWS["temperature"] else " calibration='temperature',"
    raise ValueError(
        f"{type(model).__name__}: calibration={method!r} has {n_rows:,} rows, {what}; expected at least {needed}. Pass "
        f"X_val with y_val of at least {needed} rows, at least {int(needed / LEFT_OUT_SHARE):,} rows of X,{fewer} or "
        "calibration=None."
    )


def _refuse_fixed_folds(model: Any) -> None:
    cv = model.teacher_cv
    if isinstance(cv, PredefinedSplit) or not (cv is None or isinstance(cv, str | int) or hasattr(cv, "split")):
        raise ValueError(
            f"{type(model).__name__}: calibration={model.calibration!r} leaves out rows of X, but teacher_cv="
            f"{described(cv)} has the folds of all rows; expected a number of folds, or a splitter of any rows. Pass "
            "one, or X_val with y_val."
        )


def label_rows(rows: CalibrationRows | None, teacher: Teacher, oracle: Oracle) -> None:
    """Query the teacher for the rows of the calibration, if they have no true labels."""
    if rows is None or rows.y is not None:
        return
    if teacher.transductive:
        raise ValueError(
            f"DistilledClassifier: the teacher {teacher.name} only knows the rows that it was fitted on, so that no "
            "rows are left for the calibration; expected true labels y. Pass them, or calibration=None."
        )
    rows.outputs = oracle.label(rows.X, "rows for the calibration")


# ---------------------------------------------------------------------- which calibration


def calibrate(model: Any, taught: Any, rows: CalibrationRows | None, targets: Any) -> Any:
    """Return what was taught with a calibrated student, and the results; unchanged if there are no rows."""
    if rows is None:
        return taught
    wanted = rows.targets(model, targets)
    known = np.flatnonzero(np.isfinite(wanted).all(axis=1) & (rows.weight > 0))
    methods = [name for name in MIN_ROWS if model.calibration in (name, "auto") and len(known) >= MIN_ROWS[name]]
    if not methods:
        _refuse_few(model, model.calibration, len(known), "those with a label")
    methods = [name for name in methods if _is_possible(model, name, taught.student)]
    data = (targets.predict(taught.student, take_rows(rows.X, known)), wanted[known], rows.weight[known])
    losses = {"none": log_losses(data[1], data[0])} | {name: _losses_held_out(name, *data) for name in methods}
    chosen = _best(losses, data[2]) if model.calibration == "auto" else model.calibration
    student, temperature = _calibrated(taught.student, chosen, *data)
    results = _results(losses, data[2], chosen, rows.origin, temperature)
    _warn_if_known(model, taught, rows)
    return taught._replace(student=student, calibration=results)


def _warn_if_known(model: Any, taught: Any, rows: CalibrationRows) -> None:
    """Warn if a fitted teacher recalls rows of ``X``: it hides its errors on those that are left out, too."""
    is_left_out = rows.origin == ON_LEFT_OUT and rows.y is not None and is_fitted_teacher(model.teacher)
    if is_left_out and taught.held_out is not None and taught.held_out.memorization.is_clear:
        share = taught.held_out.memorization.share
        warn_caller(
            f"{type(model).__name__}: the fitted teacher has memorised rows of X ({share:.2f} of the variance of its "
            "outputs there does not appear on nearby rows), and the student is calibrated on a fifth of these rows: "
            "on other rows, its probabilities are further from the truth. Pass X_val and y_val that the teacher has "
            "not seen, or an unfitted teacher.",
            TeacherWarning,
        )


def _is_possible(model: Any, method: str, student: Any) -> bool:
    """Whether a method keeps what the student promises; otherwise, fail if it was asked for."""
    reason = ""
    if method == "isotonic" and isinstance(student, DecidingClassifier):
        reason = "the student has the decision thresholds of its teacher, which it would move"
        advice = "decision='argmax'"
    elif method == "isotonic" and len(student.classes_) > 2 and is_constrained(model):
        reason = "the student keeps constraints of more than two classes, which it would break"
        advice = "no constraints"
    elif method == "temperature" and getattr(student, "response", "") == "predict":
        reason = "the student predicts labels only"
        advice = "a student with predict_proba"
    if reason and model.calibration != "auto":
        other = "'temperature'" if method == "isotonic" else "'isotonic'"
        raise ValueError(
            f"{type(model).__name__}: calibration={method!r} is not possible: {reason}. Pass calibration={other}, or "
            f"{advice}."
        )
    return not reason


def _losses_held_out(method: str, proba: np.ndarray, targets: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the log loss of each row with a calibration that was fitted to the other folds."""
    losses, fold = np.empty(len(proba)), np.arange(len(proba)) % N_FOLDS
    for each in range(N_FOLDS):
        here, others = fold == each, fold != each
        apply = _fitted(method, proba[others], targets[others], weight[others])[0]
        losses[here] = log_losses(targets[here], apply(proba[here]))
    return losses


def _fitted(method: str, *data: Any) -> tuple[Any, Any]:
    """Return a function of probabilities, and the temperature or the isotonic functions that it applies."""
    if method == "isotonic":
        isotonic = fit_isotonic(*data)
        return isotonic.of_rows, isotonic
    temperature = fit_temperature(*data)
    return lambda proba: soften_rows(proba, temperature), temperature


def _best(losses: dict[str, np.ndarray], weight: np.ndarray) -> str:
    """Return the method with a smaller log loss than the one before it by more than the standard error."""
    best = "none"
    for name in losses:
        gain, error = _mean_and_error(losses[best] - losses[name], weight)
        best = name if gain > error else best
    return best


def _mean_and_error(values: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    mean = float(np.average(values, weights=weight))
    return mean, float(np.sqrt(np.sum((weight * (values - mean)) ** 2)) / weight.sum())


def _calibrated(student: Any, method: str, *data: Any) -> tuple[Any, float]:
    """Return the calibrated student and the temperature: 1 for no calibration, NaN for isotonic functions."""
    if method == "none":
        return student, 1.0
    found = _fitted(method, *data)[1]
    if method == "isotonic":
        return IsotonicClassifier(student, found), float("nan")
    return with_temperature(student, found), found


def _results(
    losses: dict[str, np.ndarray], weight: np.ndarray, chosen: str, origin: str, temperature: float
) -> dict[str, np.ndarray]:
    names = list(losses)
    gains = [_mean_and_error(losses["none"] - each, weight) for each in losses.values()]
    of_names = {"none": 1.0, chosen: temperature}
    return {
        "method": np.array(names, dtype=object),
        "temperature": np.array([of_names.get(name, np.nan) for name in names]),
        "log_loss": np.array([np.average(each, weights=weight) for each in losses.values()]),
        "gain": np.array([gain for gain, _ in gains]),
        "gain_error": np.array([error for _, error in gains]),
        "is_chosen": np.array([name == chosen for name in names]),
        "n_validated": np.full(len(names), len(weight)),
        "validated_on": np.full(len(names), origin, dtype=object),
    }
