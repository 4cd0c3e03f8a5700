"""What a kernel teacher can tell a kernel student: how wide its kernel is, and which rows it keeps."""

from typing import Any

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

ONE_SCALE = 9.0
"""Ratio of the variances of a teacher's inputs up to which one gamma stands for all."""


def kernel_hints(teacher_model: Any) -> dict[str, Any]:
    """Return what a kernel teacher can tell a kernel student: ``{"gamma": ..., "landmarks": ...}``, each if known.

    Parameters
    ----------
    teacher_model : fitted estimator
        A support vector machine, a Gaussian process or a kernel ridge regression of scikit-learn, also frozen or
        behind steps of a pipeline that can be inverted.

    Returns
    -------
    hints : dict
        ``gamma`` in terms of standardised inputs, where the teacher's columns have about one scale; ``landmarks`` as
        rows of the raw table. Empty for any other teacher.
    """
    try:
        return _hints_of(teacher_model)
    except Exception:  # no hint is no harm, whatever a teacher is made of
        return {}


def _hints_of(model: Any) -> dict[str, Any]:
    steps: list[Any] = []
    while isinstance(model, FrozenEstimator | Pipeline):
        if isinstance(model, Pipeline):
            steps, model = [*steps, *(step for _, step in model.steps[:-1])], model.steps[-1][1]
        else:
            model = model.estimator
    if hasattr(model, "base_estimator_"):  # a Gaussian process classifier, one for each class
        model = getattr(model.base_estimator_, "estimators_", [model.base_estimator_])[0]
    rows = _own_rows(model)
    if rows is None:
        return {}
    hints: dict[str, Any] = {}
    gamma = _own_gamma(model, rows.shape[1])
    if gamma is not None:
        of_inputs = gamma * np.var(rows, axis=0)
        if np.all(of_inputs > 0) and of_inputs.max() < ONE_SCALE * of_inputs.min():
            hints["gamma"] = float(np.exp(np.log(of_inputs).mean()))
    for step in reversed(steps):
        if step is not None and not isinstance(step, str):
            rows = step.inverse_transform(rows)
    if np.all(np.isfinite(rows)):
        hints["landmarks"] = np.asarray(rows)
    return hints


def _own_rows(model: Any) -> np.ndarray | None:
    """Return the rows that a kernel model keeps, in its own inputs."""
    for name in ("support_vectors_", "X_train_", "X_fit_"):
        rows = getattr(model, name, None)
        if rows is not None:
            return rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows, dtype=np.float64)
    return None


def _own_gamma(model: Any, n_inputs: int) -> Any:
    """Return how fast the model's kernel falls with the square of the distance, for all inputs or for each."""
    kernel = getattr(model, "kernel_", getattr(model, "kernel", None))
    if kernel == "rbf":
        gamma = getattr(model, "_gamma", getattr(model, "gamma", None))
        return 1 / n_inputs if gamma is None else gamma
    if isinstance(kernel, str) or kernel is None:
        return None
    lengths = [value for name, value in kernel.get_params().items() if name.split("__")[-1] == "length_scale"]
    return 1 / (2 * np.asarray(lengths[0]) ** 2) if len(lengths) == 1 else None
