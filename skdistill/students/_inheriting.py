"""Hints from a kernel teacher for a kernel student: the width of its kernel, and the rows that it keeps."""

from typing import Any

import numpy as np

from ..convert import read_kernel, unwrap

ONE_SCALE = 9.0
"""Largest ratio of the variances of a teacher's inputs for which a single gamma is passed on."""


def kernel_hints(teacher_model: Any) -> dict[str, Any]:
    """Return the hints of a kernel teacher for a kernel student: ``{"gamma": ..., "landmarks": ...}``, each if known.

    Parameters
    ----------
    teacher_model : fitted estimator
        A support vector machine, a Gaussian process or a kernel ridge regression of scikit-learn, also frozen or
        behind steps of a pipeline that can be inverted.

    Returns
    -------
    hints : dict
        ``gamma`` for standardised inputs, if the variances of the teacher's inputs are similar; ``landmarks`` as rows
        of the raw table. Empty for any other teacher.
    """
    try:
        return _hints_of(teacher_model)
    except Exception:  # hints are optional, and a teacher may be anything
        return {}


def _hints_of(model: Any) -> dict[str, Any]:
    inside = unwrap(model, through=("pipeline", "frozen"))
    machine = read_kernel(inside.model)
    if machine is None:
        return {}
    rows = machine.dense_rows
    hints: dict[str, Any] = {}
    if machine.gamma is not None:
        of_inputs = machine.gamma * np.var(rows, axis=0)
        if np.all(of_inputs > 0) and of_inputs.max() < ONE_SCALE * of_inputs.min():
            hints["gamma"] = float(np.exp(np.log(of_inputs).mean()))
    landmarks = inside.inverse_transform(rows.copy())  # a step may write into the rows
    if np.all(np.isfinite(landmarks)):
        hints["landmarks"] = np.asarray(landmarks)
    return hints
