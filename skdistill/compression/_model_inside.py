"""The model inside the wrappers of a teacher, and the inputs that it reads, as linear functions of other inputs."""

import warnings
from typing import Any, NamedTuple

import numpy as np

from .._described import with_article
from .._tables import take_rows
from ..compiled import CompiledModel, Design
from ..compiled._design import MAX_DEVIATIONS
from ..convert import unwrap
from ..exceptions import StudentError

MAX_INPUTS = 3000
"""Maximum number of inputs; the work grows with their square."""

MAP_ROWS = 1500
"""Maximum number of rows on which the linear functions are fitted."""

NEARLY_CLIPPED = 0.99 * MAX_DEVIATIONS
"""Size of an input from which on a row is not used."""

MAX_UNEXPLAINED = 0.01
"""Largest share of the variance of a model's inputs that linear functions of the columns may leave over."""


class Inside(NamedTuple):
    """A fitted model inside wrappers, and the transformers before it.

    Parameters
    ----------
    model : object
        The innermost model.
    transformers : tuple of Pipeline
        The outermost first.
    """

    model: Any
    transformers: tuple[Any, ...]

    def inputs(self, X: Any) -> np.ndarray:
        """Return rows of a table as the inputs of the model, dense."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # rows without column names, as the steps of a frame are given arrays
            for transformer in self.transformers:
                X = transformer.transform(X)
        return np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=np.float64)


def look_inside(model: Any) -> Inside:
    """Return the model inside pipelines, searches, one calibration and transformed targets, which may be nested.

    Outputs may differ from those of the model inside by a function of one score: they are not read from it.
    """
    transformers: tuple[Any, ...] = ()
    while True:
        found = unwrap(model)
        transformers = (*transformers, *found.transformers)
        model = found.model
        pairs: Any = getattr(model, "calibrated_classifiers_", ())
        if len(pairs) == 1:
            model = pairs[0].estimator
        elif hasattr(model, "regressor_") and hasattr(model, "transformer_"):
            model = model.regressor_
        elif hasattr(model, "student_"):
            model = model.student_
        else:
            return Inside(model, transformers)


def linear_inputs(
    inside: Inside, design: Design, cells: Any, X: Any, rng: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return the inputs of a model as a linear function of those of a design: a matrix and constants.

    Raises
    ------
    StudentError
        If the model cannot read the table, or its inputs are no linear functions of the columns.
    """
    kind = type(inside.model).__name__
    if design.width > MAX_INPUTS:
        raise StudentError(
            f"the table has {design.width} inputs, one for each number and category; expected at most {MAX_INPUTS} for "
            f"a start from the {kind}. Select columns before both are fitted."
        )
    if not inside.transformers and design.is_plain:
        return np.diag(design.scale), design.center.copy()
    n_rows = X.shape[0]
    some = np.arange(n_rows) if n_rows <= MAP_ROWS else np.sort(rng.choice(n_rows, MAP_ROWS, replace=False))
    try:
        of_model = inside.inputs(take_rows(X, some))
    except Exception as error:
        raise StudentError(f"the {kind} cannot read X ({error}). Pass the columns that it was fitted on.") from error
    dense = cells[some].toarray() if hasattr(cells, "toarray") else np.asarray(cells[some])
    inputs = design.inputs(dense)
    is_inside = (np.abs(inputs) < NEARLY_CLIPPED).all(axis=1)
    if np.count_nonzero(is_inside) > inputs.shape[1]:  # extreme numbers are clipped, which is not linear
        inputs, of_model = inputs[is_inside], of_model[is_inside]
    mean, mean_of_model = inputs.mean(axis=0), of_model.mean(axis=0)
    matrix = np.linalg.lstsq(inputs - mean, of_model - mean_of_model, rcond=1e-8)[0]
    left = of_model - mean_of_model - (inputs - mean) @ matrix
    variance = float(((of_model - mean_of_model) ** 2).sum())
    unexplained = float((left**2).sum()) / max(variance, np.finfo(np.float64).tiny)
    if not unexplained <= MAX_UNEXPLAINED:
        raise StudentError(
            f"the inputs of the {kind} are no linear functions of the columns of X ({unexplained:.0%} of their "
            "variance is left over); expected steps such as scalers, imputers, one-hot encoders or a PCA before it. "
            "Distil the last step on the transformed rows."
        )
    return matrix, mean_of_model - mean @ matrix


def check_numbers_of(kind: str, *arrays: Any) -> None:
    """Raise an error if any of the arrays of a model has a NaN or an infinity."""
    if not all(np.isfinite(np.asarray(array, dtype=np.float64)).all() for array in arrays):
        raise StudentError(
            f"the {kind} has parameters that are NaN or infinite; expected finite numbers. Fit it again, with smaller "
            "steps or scaled columns."
        )


def check_names(names: Any, of_model: Any, n_features: int, n_of_model: int, kind: str) -> None:
    """Raise an error unless a model reads the columns of a table directly."""
    if n_of_model != n_features:
        raise StudentError(
            f"the {kind} was fitted on {n_of_model} columns, and X has {n_features}; expected the columns that the "
            "model was fitted on."
        )
    if names is not None and of_model is not None and list(names) != list(of_model):
        raise StudentError(
            f"the {kind} was fitted on the columns {list(of_model)}, and X has {list(names)}; expected the same "
            "columns in the same order."
        )


def described_model(model: Any) -> str:
    """Return the kind of a model with an article, for messages."""
    return "a compiled model" if isinstance(model, CompiledModel) else with_article(model)
