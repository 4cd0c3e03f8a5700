"""The measurements of a report: columns of numbers, with one row per model, class or slice."""

import math
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import clone

from .._encoding import find_among, find_repeated
from .._tables import is_frame, take_rows
from ..compiled import CompiledModel
from ..exceptions import StudentError
from ..metrics import (
    agreement,
    brier_distance,
    brier_skill,
    calibration_error,
    concordance,
    coverage,
    fidelity,
    footprint,
    kl_divergence,
    latency,
    n_operations,
    n_parameters,
    pinball_loss,
    pinball_skill,
    r2_skill,
    retention,
    top_k_agreement,
    total_variation,
)
from ..metrics._footprint import bytes_or_nan
from ..metrics._quantiles import pinball_losses, weighted_quantiles
from ..metrics._unwrapping import compiled_form, completed
from ..students import teach_classifier, teach_regressor
from ..teachers import Teacher, concordance_sign
from ._answers import Answers, as_table, check_labels, for_each_quantile, spread, variance, varies
from ._rules import MIN_RULE_ROWS, mean, standard_error
from ._slices import Slice

MANY_DEVIATIONS = 3.0
"""Number of standard deviations from which more rows than by chance are equal to training rows."""

STEPS = "earlier steps"
"""Name of the steps of a pipeline before the distilled estimator."""

Columns = dict[str, np.ndarray]
"""A table: columns of equal length by name, like ``cv_results_``."""


def quality(answers: Answers, outputs: np.ndarray) -> dict[str, float]:
    """Return the scores of a model's outputs on the true labels, if known, and with respect to the teacher."""
    measured = {}
    weight, y = answers.weight, answers.y
    if answers.classes is not None:
        labels = answers.labels_of(outputs)
        if y is not None:
            measured["accuracy"] = agreement(y, labels, sample_weight=weight)
            measured["skill"] = brier_skill(y, outputs, classes=answers.classes, sample_weight=weight)
    elif y is not None:
        measured |= _error_and_skill(answers, y, outputs)
    elif answers.survival is not None and answers.pair is not None and outputs.ndim == 1:
        sign = concordance_sign(answers.pair.teacher.model)
        measured["concordance"] = concordance(answers.survival, sign * outputs)
    if "skill" in measured:
        of_teacher = quality(answers, answers.teacher)["skill"] if outputs is not answers.teacher else measured["skill"]
        measured["kept"] = retention(of_teacher, measured["skill"])
    measured["fidelity"] = answers.fidelity_of(outputs)
    if answers.link is not None:
        measured[f"{answers.link.name}_fidelity"] = answers.link_fidelity_of(outputs)
    if answers.classes is not None:
        measured["agreement"] = agreement(answers.labels[0], labels, sample_weight=weight)
    return measured


def _error_and_skill(answers: Answers, y: np.ndarray, outputs: np.ndarray) -> dict[str, float]:
    """Return the error and the skill of values: by squared errors, or by the pinball loss of quantiles."""
    weight, levels = answers.weight, answers.levels
    has_skill = varies(y).any()
    if levels is None:
        error = float(np.sqrt(np.average((outputs - y) ** 2, axis=0, weights=weight)).mean())
        return {"error": error, "skill": r2_skill(y, outputs, sample_weight=weight) if has_skill else float("nan")}
    truth, columns = y.reshape(len(y), -1)[:, 0], outputs.reshape(len(y), -1)
    measured = {
        "pinball_loss": pinball_loss(truth, columns, quantiles=levels, sample_weight=weight),
        "skill": pinball_skill(truth, columns, quantiles=levels, sample_weight=weight) if has_skill else float("nan"),
    }
    if len(levels) > 1:
        ends = np.sort(columns[:, [0, -1]], axis=1)  # quantiles of a teacher may cross
        measured["coverage"] = coverage(truth, ends, sample_weight=weight)
    return measured


def skill_influence(answers: Answers, outputs: np.ndarray) -> np.ndarray:
    """Return the influence of each row on the skill of a model; the standard error of its mean is that of the skill.

    The true labels or values must not all be equal.
    """
    truth = answers.truth
    assert truth is not None
    levels = answers.levels
    if levels is None:
        return _influence(answers, truth, outputs)
    weight, y = answers.weight / answers.weight.sum(), truth.reshape(len(truth), -1)[:, 0]
    lost = pinball_losses(y, outputs.reshape(len(y), -1), levels).mean(axis=1)
    constant = pinball_losses(y, weighted_quantiles(y, answers.weight, levels)[None], levels).mean(axis=1)
    unit = weight @ constant
    return (weight @ lost / unit) * constant / unit - lost / unit


def fidelity_error(answers: Answers) -> float:
    """Return the standard error of the fidelity on these rows; NaN for a single row.

    The teacher must not be constant.
    """
    influence = _influence(answers, answers.teacher, answers.student)
    return standard_error(influence, answers.weight, np.arange(len(influence)))


def _influence(answers: Answers, expected: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return the influence of each row on the R² of outputs with respect to the expected ones.

    With the loss l of a row and the loss v of the best constant, both in units of the mean of v, R² is 1 - mean(l), and
    the influence of a row is mean(l) v - l, because the variance of the expected outputs is estimated too. The
    influence is averaged over the outputs; all classes are one output.
    """
    weight = answers.weight / answers.weight.sum()
    columns = expected.reshape(len(expected), -1)
    lost = (columns - outputs.reshape(columns.shape)) ** 2
    constant = (columns - weight @ columns) ** 2
    if answers.classes is not None:
        lost, constant = lost.sum(axis=1, keepdims=True), constant.sum(axis=1, keepdims=True)
        unit = variance(expected, answers.weight).sum()
    else:
        unit = spread(expected, answers.weight) ** 2
    return ((weight @ lost / unit) * constant / unit - lost / unit).mean(axis=1)


def divergences(answers: Answers) -> dict[str, float]:
    """Return several distances between the student's and the teacher's probabilities."""
    if answers.classes is None:
        return {}
    pair = (answers.teacher, answers.student)
    options: dict[str, Any] = {"sample_weight": answers.weight}
    measured = {
        "total_variation": total_variation(*pair, **options),
        "kl_divergence": kl_divergence(*pair, **options),
        "brier_distance": brier_distance(*pair, **options),
        "calibration_error": calibration_error(*pair, **options),
    }
    if len(answers.classes) > 2:
        measured["top_2_agreement"] = top_k_agreement(*pair, k=2, **options)
    return measured


def costs(answers: Answers) -> dict[str, dict[str, float]]:
    """Return bytes, parameters, operations and microseconds per row of teacher, student and compiled student.

    The compiled student has its own quality, too.

    The teacher is only queried four more times, for one row: its time for many rows is that of labelling them.
    """
    pair = answers.pair
    assert pair is not None
    model = pair.teacher.model
    measured = {
        "teacher": {
            "n_bytes": bytes_or_nan(model),
            "n_parameters": n_parameters(model),
            "n_operations": n_operations(model),
            "one_row": _one_row_of(answers),
            "many_rows": answers.seconds / len(answers.weight) * 1e6,
        },
        "student": vars(footprint(pair.student, pair.narrow(pair.X))),
    }
    compiled = compiled_form(pair.student)
    if compiled is not None and not isinstance(pair.student, CompiledModel):
        rows = pair.narrow(pair.X)
        measured["student, compiled"] = compiled_quality(answers, compiled, rows) | vars(footprint(compiled, rows))
    if pair.X is not answers.X:
        one_row = latency(pair.see, take_rows(answers.X, slice(0, 1)))
        measured[STEPS] = {"one_row": one_row, "many_rows": latency(pair.see, answers.X, n_repeats=3, min_seconds=0.0)}
    return measured


def compiled_quality(answers: Answers, compiled: CompiledModel, rows: Any) -> dict[str, float]:
    """Return the scores of the compiled student, by its own outputs and labels; ``rows`` are those that it takes."""
    if answers.classes is None:
        outputs, said = np.asarray(compiled.predict(rows)).reshape(answers.student.shape), None
    else:
        outputs = np.asarray(compiled.predict_proba(rows))
        said = (np.searchsorted(answers.classes, answers.labels[0]), outputs.argmax(axis=1))
        if answers.said is not None:
            said = (answers.said[0], np.searchsorted(answers.classes, np.asarray(compiled.predict(rows))))
    own = replace(answers, student=outputs, said=said)
    return quality(own, own.student)


def _one_row_of(answers: Answers) -> float:
    """Return the teacher's time for one row; NaN if it cannot predict single rows, or fails."""
    pair = answers.pair
    assert pair is not None
    if pair.teacher.answers_only_given_rows:
        return float("nan")
    try:
        ask_once = partial(Teacher.outputs, pair.teacher)  # without repeated queries and rows that complete a batch
        return latency(ask_once, take_rows(pair.X, slice(0, 1)), n_repeats=3, min_seconds=0.0)
    except Exception:  # a service may fail occasionally, and the report is still useful without this number
        return float("nan")


def count_shared(X: Any, X_train: Any) -> tuple[int, int]:
    r"""Return how many rows of a table equal a training row, and how many of them are training rows.

    In a table with few different rows, other rows are equal to training rows by chance. A row of the same distribution
    is with about the probability :math:`p` with which a training row is equal to another one. Of :math:`N` rows of
    which :math:`n` equal a training row, :math:`(n - p N) / (1 - p)` are training rows, or none if :math:`n` is at most
    three standard deviations above :math:`p N`.

    Both are 0 if the tables cannot be compared.
    """
    X, X_train = as_table(X), as_table(X_train)
    if not are_comparable(X, X_train):
        return 0, 0
    n_equal, n_rows = int(np.count_nonzero(find_among(X, X_train))), X.shape[0]
    chance = float(np.mean(find_repeated(X_train))) if n_equal else 0.0
    expected = chance * n_rows
    if n_equal <= expected + MANY_DEVIATIONS * math.sqrt(expected * (1 - chance)) or chance == 1:
        return n_equal, 0
    return n_equal, round((n_equal - expected) / (1 - chance))


def are_comparable(X: Any, X_train: Any) -> bool:
    """Whether two tables can be compared by rows: both are dense, of the same type, and equally wide."""
    X, X_train = as_table(X), as_table(X_train)
    is_dense = not sparse.issparse(X) and not sparse.issparse(X_train)
    return is_dense and len(X.shape) == 2 and X.shape[1:] == X_train.shape[1:] and is_frame(X) == is_frame(X_train)


def outputs_alone(answers: Answers, X_train: Any, y_train: Any) -> np.ndarray:
    """Return the outputs of the same student, fitted to true labels without the teacher."""
    pair = answers.pair
    assert pair is not None
    student = pair.student
    while (inside := completed(student)) is not None:
        student = inside
    if not hasattr(student, "get_params"):
        raise StudentError(
            f"report: got X_train, but {type(student).__name__} cannot be fitted without the teacher, for comparison. "
            "Pass the estimator itself, or no X_train."
        )
    X_train, y_train = as_table(X_train), np.asarray(y_train)
    if X_train.shape[0] != len(y_train):
        raise ValueError(
            f"report: got X_train of {X_train.shape[0]} rows and y_train of shape {y_train.shape}; expected the true "
            "value of each row."
        )
    X_train, X = pair.narrow(pair.see(X_train)), pair.narrow(pair.X)
    y_train = for_each_quantile(y_train, answers.quantiles)
    options: dict[str, Any] = {"sample_weight": np.ones(len(y_train)), "rng": np.random.RandomState(0)}
    if answers.classes is None:
        return np.asarray(teach_regressor(clone(student), X_train, y_train, **options).predict(X))
    proba = check_labels("report", "y_train", y_train, answers.classes)
    alone = teach_classifier(clone(student), X_train, proba, classes=answers.classes, **options)
    return np.asarray(alone.predict_proba(X))


def by_output(answers: Answers) -> Columns:
    """Return the measurements per class, or per output if there are several."""
    teacher, student = (each.reshape(len(each), -1) for each in (answers.teacher, answers.student))
    weight, n_outputs = answers.weight, teacher.shape[1]
    kept = np.full(n_outputs, np.nan)
    for k in np.flatnonzero(varies(teacher)):
        kept[k] = fidelity(teacher[:, k], student[:, k], sample_weight=weight)
    if answers.classes is None:
        columns = {"output": np.array([f"output {place}" for place in range(n_outputs)]), "fidelity": kept}
        if answers.quantiles is not None:
            return columns | _by_quantile(answers)
        if answers.y is not None:
            truth = answers.y.reshape(len(teacher), -1)
            for name, outputs in (("teacher_error", teacher), ("student_error", student)):
                columns[name] = np.sqrt(np.average((outputs - truth) ** 2, axis=0, weights=weight))
        return columns
    labels, given = answers.labels
    groups = [np.flatnonzero(labels == label) for label in answers.classes]
    same, distance = (labels == given).astype(float), answers.distance
    columns = {
        "class": np.array([str(label) for label in answers.classes]),
        "n_rows": np.array([len(rows) for rows in groups]),
        "fidelity": kept,
        "agreement": np.array([mean(same, weight, rows) for rows in groups]),
        "distance": np.array([mean(distance, weight, rows) for rows in groups]),
    }
    if answers.y is not None:
        true = [np.flatnonzero(answers.y == label) for label in answers.classes]
        for name, said in (("teacher_recall", labels), ("student_recall", given)):
            right = (said == answers.y).astype(float)
            columns[name] = np.array([mean(right, weight, rows) for rows in true])
    return columns


def _by_quantile(answers: Answers) -> Columns:
    """Return the names of the outputs, and the share of the true values up to each quantile."""
    assert answers.quantiles is not None
    columns: Columns = {"output": np.array([f"quantile {level:g}" for level in answers.quantiles])}
    if answers.y is not None:
        for name, outputs in (("teacher_share_below", answers.teacher), ("student_share_below", answers.student)):
            columns[name] = np.average(answers.y <= outputs, axis=0, weights=answers.weight)
    return columns


def by_slice(answers: Answers, slices: list[Slice]) -> Columns:
    """Return measurements per slice, sorted by the distance minus two standard errors, small slices last."""
    weight, distance = answers.weight, answers.distance
    measured = {"distance": distance}
    if answers.classes is not None:
        labels, given = answers.labels
        measured["agreement"] = (labels == given).astype(float)
        if answers.y is not None:
            measured["teacher_accuracy"] = (labels == answers.y).astype(float)
            measured["student_accuracy"] = (given == answers.y).astype(float)
    elif answers.y is not None:
        for name, outputs in (("teacher_error", answers.teacher), ("student_error", answers.student)):
            measured[name] = ((outputs - answers.y).reshape(len(weight), -1) ** 2).mean(axis=1)
    error = np.array([standard_error(distance, weight, part.rows) for part in slices])
    columns: Columns = {
        "column": np.array([part.column for part in slices], dtype=object),
        "slice": np.array([part.value for part in slices], dtype=object),
        "n_rows": np.array([len(part.rows) for part in slices], dtype=int),
        "distance": np.array([]),
        "distance_error": error,
    }
    for name, values in measured.items():
        means = np.array([mean(values, weight, part.rows) for part in slices])
        columns[name] = np.sqrt(means) if name.endswith("_error") else means
    return sorted_slices(columns)


def sorted_slices(columns: Columns) -> Columns:
    """Return slices sorted by the distance minus two standard errors, small slices last."""
    surely = columns["distance"] - 2 * np.nan_to_num(columns["distance_error"])
    surely = np.where(columns["n_rows"] < MIN_RULE_ROWS, -np.inf, surely)
    order = np.argsort(-surely, kind="stable")
    return {name: values[order] for name, values in columns.items()}


def worst_rows(answers: Answers, most: int) -> Columns:
    """Return the rows with the largest distance between teacher and student."""
    distance = answers.distance
    return listed_rows(answers, np.argsort(-distance, kind="stable")[:most], distance)


def listed_rows(answers: Answers, rows: np.ndarray, distance: np.ndarray) -> Columns:
    """Return the given rows, with what both models say and the truth."""
    columns = {"row": answers.rows[rows], "distance": distance[rows]}
    for name, of_all in (("teacher", answers.teacher), ("student", answers.student)):
        outputs = of_all[rows]
        if answers.classes is None:
            columns[name] = np.array([_values(each) for each in outputs.reshape(len(rows), -1)], dtype=object)
            continue
        label = answers.labels_of(of_all)[rows]
        of_label = outputs[np.arange(len(rows)), np.searchsorted(answers.classes, label)]
        said = [f"{each} ({proba:.2f})" for each, proba in zip(label, of_label, strict=True)]
        columns[name] = np.array(said, dtype=object)
    if answers.y is not None:
        of_row = _values if answers.classes is None else str
        columns["truth"] = np.array([of_row(each) for each in answers.y[rows]], dtype=object)
    return columns


def _values(values: np.ndarray) -> str:
    values = np.atleast_1d(values)
    shown = [f"{value:.4g}" if isinstance(value, float | np.floating) else str(value) for value in values[:4]]
    return ", ".join(shown) + (", ..." if len(values) > 4 else "")
