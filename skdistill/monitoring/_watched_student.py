"""The student that is watched: its rows and outputs, checked, what is counted of them, and what was promised of it."""

from typing import Any

import numpy as np

from ..compiled import CompiledModel, Forest, Sum
from ..compiled._columns import names_of_frame
from ._arguments import array, check_finite, distinct, numbers


def compiled_student(student: Any) -> CompiledModel:
    """Return the compiled form of what is shipped."""
    from ..compilation import compile  # a monitor that exists needs numpy alone
    from ..metrics._unwrapping import shipped

    return compile(shipped(student))


def promise_of(certificate: Any, model: CompiledModel, student: Any) -> tuple[float | None, float | None]:
    """Return the share that a certificate promises, and the tolerance of values."""
    if not hasattr(certificate, "is_about"):
        raise TypeError(f"Monitor: certificate is a {type(certificate).__name__}; expected a Certificate of certify.")
    if not certificate.is_about(model) and not certificate.is_about(student):
        raise ValueError(
            f"Monitor: the certificate is about another student, a {certificate.student}; expected one of the student "
            "that is watched. Pass its certificate, or promise=."
        )
    first = certificate.statements[0]
    is_share = first.quantity == "agreement" or "tolerance" in first.details
    if not is_share:
        return None, None
    promise = certificate.promise if certificate.verdict == "met" else first.bound
    return (promise if promise and 0 < promise < 1 else None), first.details.get("tolerance")


def thresholds(model: CompiledModel) -> list[np.ndarray | None]:
    """Return the distinct thresholds of the trees of a student for each column."""
    found: list[list[np.ndarray]] = [[] for _ in range(model.n_features_in_)]
    for part in model.scorer.parts if isinstance(model.scorer, Sum) else [model.scorer]:
        if isinstance(part, Forest):
            for column in np.unique(part.feature[~part.is_category[part.feature]]).tolist():
                found[column].append(part.threshold[part.feature == column].astype(float))
    return [np.unique(np.concatenate(parts)) if parts else None for parts in found]


def known_categories(model: CompiledModel) -> list[Any]:
    """Return the known categories of each column; ``None`` for numbers."""
    columns = model.columns
    return [None] * model.n_features_in_ if columns is None else columns.categories


def answered(model: CompiledModel, method: str, X: Any, outputs: Any) -> tuple[Any, np.ndarray]:
    """Return encoded rows, and the outputs of the student for them."""
    who = "Monitor" if method == "X_reference" else f"Monitor.{method}"
    _check_names(model, who, X)
    cells = model.encoded(X)
    n_rows, classes = cells.shape[0], model.classes_
    if outputs is None:
        outputs = model.outputs_of(cells) if n_rows else _no_outputs(model)
    outputs = numbers(who, "outputs", outputs)
    n_outputs = len(_no_outputs(model).T) if classes is None else len(classes)
    expected = (n_rows,) if classes is None and model.is_single else (n_rows, n_outputs)
    if outputs.shape != expected:
        what = "values of predict" if classes is None else "probabilities of predict_proba"
        raise ValueError(f"{who}: outputs of shape {outputs.shape}; expected {expected}, the {what} for these rows.")
    check_finite(who, "outputs", outputs)
    return cells, outputs


def _no_outputs(model: CompiledModel) -> np.ndarray:
    classes, n_outputs = model.classes_, len(model.scorer.base)
    if classes is None and model.is_single:
        return np.zeros(0)
    return np.zeros((0, n_outputs if classes is None else len(classes)))


def _check_names(model: CompiledModel, who: str, X: Any) -> None:
    """Raise an error if a frame has other column names than the student."""
    known, given = model.feature_names_in_, names_of_frame(X)
    if known is None or given is None:
        return
    of_student, of_frame = set(known), set(given)
    lacking, others = [name for name in known if name not in of_frame], [n for n in given if n not in of_student]
    if lacking or others:
        raise ValueError(
            f"{who}: got a frame without the columns {lacking[:5]} and with the unknown columns {others[:5]}; "
            f"expected the {len(known)} columns of the student. Pass exactly these columns."
        )


def watched_outputs(model: CompiledModel, outputs: np.ndarray) -> tuple[np.ndarray, list[bool]]:
    """Return what is watched of the outputs, column by column, and which columns are labels."""
    if model.classes_ is None:
        columns = outputs.reshape(len(outputs), -1)
        return columns, [False] * columns.shape[1]
    largest = np.partition(outputs, -2, axis=1)[:, -2:] if outputs.shape[1] > 1 else np.repeat(outputs, 2, axis=1)
    return np.column_stack([largest[:, 1] - largest[:, 0], _positions(model, outputs)]), [False, True]


def _positions(model: CompiledModel, outputs: np.ndarray) -> np.ndarray:
    decision = model.decision
    return np.argmax(outputs, axis=1) if decision is None else decision.positions(outputs)


def is_kept(
    model: CompiledModel, tolerance: float | None, teacher_outputs: Any, outputs: np.ndarray, n_rows: int
) -> np.ndarray:
    """Return a mask of the rows on which the student follows the teacher."""
    classes, who = model.classes_, "Monitor.record_audit"
    given = array(who, "teacher_outputs", teacher_outputs)
    shapes = [outputs.shape] if classes is None else [(n_rows,), outputs.shape]
    if given.shape not in shapes:
        expected = " or ".join(map(str, shapes))
        raise ValueError(f"{who}: teacher_outputs of shape {given.shape}; expected {expected}, one row each.")
    if classes is None:
        if tolerance is None:
            raise ValueError(f"{who}: the student returns values, and there is no tolerance. Pass it to Monitor.")
        given = numbers(who, "teacher_outputs", given)
        check_finite(who, "teacher_outputs", given)
        return (np.abs(given - outputs) <= tolerance).all(axis=tuple(range(1, outputs.ndim)))
    if given.ndim == 2:
        given = numbers(who, "teacher_outputs", given)
        check_finite(who, "teacher_outputs", given)
        return np.argmax(given, axis=1) == _positions(model, outputs)
    unknown = [label for label in distinct(who, given) if label not in classes.tolist()]
    if unknown:
        raise ValueError(f"{who}: unknown labels {unknown[:5]}; expected labels of {classes.tolist()}.")
    return given == classes[_positions(model, outputs)]
