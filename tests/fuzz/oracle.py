"""What is wrong with a case: a foreign error, or a wrong answer without a word."""

import copy
import linecache
import traceback
from pathlib import Path

import narwhals as nw
import numpy as np
import pandas as pd
import sklearn
from scipy import sparse

import skdistill
from skdistill.exceptions import SkdistillError

PACKAGE = Path(skdistill.__file__).parent
CHECKS = {
    str(Path(sklearn.__file__).parent / name)
    for name in (
        "base.py",
        "metrics/_regression.py",
        "model_selection/_split.py",
        "utils/__init__.py",
        "utils/_param_validation.py",
        "utils/_tags.py",
        "utils/multiclass.py",
        "utils/validation.py",
    )
}
"""Modules of scikit-learn whose errors are about what the caller passed."""


class WrongAnswerError(AssertionError):
    """A call returned without an error, but what it did or returned is wrong."""


def demand(condition, what):
    """Raise ``WrongAnswerError`` unless the condition holds."""
    if not condition:
        raise WrongAnswerError(what)


def is_ours(error):
    """Whether an error says in our words, or in those of scikit-learn's checks, what is wrong with the arguments.

    This is so if it was raised by a ``raise`` statement of this package, or of a module of checks, and has a message
    that can be printed; and if it is an error of an estimator of others with a note of ours that says whose it is.
    """
    try:
        text = str(error)
    except Exception:  # its text raises
        return False
    frame = traceback.extract_tb(error.__traceback__)[-1]
    is_raised = linecache.getline(frame.filename, frame.lineno).lstrip().startswith("raise")
    is_here = Path(frame.filename).is_relative_to(PACKAGE) or frame.filename in CHECKS
    misleads = "one of []" in text or "expected some of ." in text
    is_noted = any(note.startswith("skdistill was") for note in getattr(error, "__notes__", ()))
    is_said = isinstance(error, SkdistillError) or (is_raised and is_here) or is_noted
    return bool(text) and not misleads and is_said


def name_of(error):
    """Return where a foreign error was raised, to count its kind."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE)]
    where = f"{Path(inside[-1].filename).relative_to(PACKAGE)}:{inside[-1].name}" if inside else frames[-1].name
    try:
        text = str(error)
    except Exception:  # its text raises
        text = "(no text)"
    return f"{type(error).__name__} in {where}: {text[:90]}"


# ---------------------------------------------------------------------- the caller's data


def fit_or_leave(model, *arguments, **more):
    """Fit an estimator; if this fails, demand that its state is as before."""
    before = dict(vars(model))
    try:
        model.fit(*arguments, **more)
    except Exception:
        after = vars(model)
        demand(after.keys() == before.keys() and all(after[name] is before[name] for name in before), "a changed state")
        raise


def snapshot(thing):
    """Return a deep copy of what the caller passes, as far as it can be copied."""
    try:
        return copy.deepcopy(thing)
    except Exception:  # generators and lazy objects have no copy
        return None


def is_same(before, after):
    """Whether an argument is as it was before the call."""
    if before is None or callable(before):
        return True
    if isinstance(before, np.ndarray):
        return before.dtype == after.dtype and before.shape == after.shape and repr(before) == repr(after)
    if sparse.issparse(before):
        return before.format == after.format and (before != after).nnz == 0
    if isinstance(before, pd.DataFrame | pd.Series):
        return list(before.index) == list(after.index) and repr(before) == repr(after)
    has_text = not hasattr(before, "__next__") and " at 0x" not in repr(before)
    return repr(before) == repr(after) if has_text else True


# ---------------------------------------------------------------------- students and compiled models


def width_of(table):
    return table.shape[1]


def head(table, rows):
    if nw.dependencies.is_into_dataframe(table):
        return nw.from_native(table, eager_only=True)[rows].to_native()
    return table.tocsr()[rows] if sparse.issparse(table) else table[rows]


def is_close(first, second, scale):
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    return first.shape == second.shape and bool(np.all(np.abs(first - second) <= 2e-5 * scale + 1e-300))


def outputs_of(model, table):
    return model.predict_proba(table) if hasattr(model, "predict_proba") else model.predict(table)


def check_predictions(model, table, n_rows):
    """Check what a fitted estimator returns for the rows of the fit."""
    values = outputs_of(model, table)
    demand(values.shape[0] == n_rows, f"predictions of shape {values.shape}")
    demand(np.isfinite(values).all(), "predictions that are not finite")
    if hasattr(model, "predict_proba"):
        demand(np.allclose(values.sum(axis=1), 1, atol=1e-6) and values.min() >= 0, "probabilities with another sum")
        demand(set(model.predict(table).tolist()) <= set(model.classes_.tolist()), "labels that are no classes")
    for row in {0, n_rows - 1}:
        one = outputs_of(model, head(table, slice(row, row + 1)))
        demand(one.shape[0] == 1, "one row, another shape")
        scale = max(np.abs(values).max(), 1e-300)
        demand(is_close(one[0], values[row], scale), "one row and many rows differ")
    return values


def check_compiled(compiled, table, values):
    """Check that a compiled model returns the predictions of the student, however the rows are passed."""
    scale = max(float(np.abs(values).max()), 1e-300)
    demand(is_close(compiled(table), values, scale), "compiled and student differ")
    demand(is_close(compiled(head(table, slice(0, 1)))[0], values[0], scale), "compiled table of one row differs")
    if nw.dependencies.is_into_dataframe(table):
        frame = nw.from_native(table, eager_only=True)
        row = dict(zip(frame.columns, frame.row(0), strict=True))
        if compiled.feature_names_in_ is not None:
            demand(is_close(compiled(row), values[0], scale), "compiled dict differs")
            backwards = frame.select(frame.columns[::-1]).to_native()
            demand(is_close(compiled(backwards), values, scale), "compiled frame in another order differs")
            demand(is_close(compiled([row, row])[1], values[0], scale), "compiled list of dicts differs")
        demand(is_close(compiled(list(frame.row(0))), values[0], scale), "compiled list differs")
        if isinstance(table, pd.DataFrame):
            demand(is_close(compiled(table.iloc[0]), values[0], scale), "compiled Series differs")
    elif isinstance(table, np.ndarray) and not any(isinstance(cell, list) for cell in np.ravel(table[:1]).tolist()):
        demand(is_close(compiled(np.asarray(table)[0]), values[0], scale), "compiled row differs")
        demand(is_close(compiled(np.asarray(table).tolist()), values, scale), "compiled list of rows differs")
        demand(is_close(compiled(np.asarray(table)[0].tolist()), values[0], scale), "compiled list differs")
