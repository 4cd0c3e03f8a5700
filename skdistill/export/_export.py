"""The result of an export, and its comparison with the model."""

import os
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..compilation import compile
from ..compiled import CompiledModel
from ..convert import rows_of_student
from ..exceptions import ExportError
from ._integers import Integers, integer_difference
from ._program import Program, program_of
from ._rows import Rows, rows_for
from ._runtimes import Answers, NoRuntimeError

TOLERANCE = 1e-9
"""Maximum difference between the outputs of an exported model and of the model, relative to the outputs' scale."""


MAX_PARAMETERS = 1_000_000
"""Maximum number of parameters of a model: source files with more take minutes to compile."""


@dataclass(frozen=True)
class Export:
    """A model as text in another language, or as bytes.

    Exports are returned by :func:`~skdistill.export.to_python`, :func:`~skdistill.export.to_c`,
    :func:`~skdistill.export.to_javascript`, :func:`~skdistill.export.to_sql` and
    :func:`~skdistill.export.to_onnx`.

    Parameters
    ----------
    text : str
        The exported model; empty for ONNX.
    language : str
        ``"python"``, ``"c"``, ``"javascript"``, ``"onnx"``, or the dialect of SQL: ``"sqlite"``, ``"duckdb"``,
        ``"postgresql"``.
    largest_difference : float or None, default=None
        Largest difference between the outputs of the exported model and of the model on the compared rows, relative to
        the scale of the outputs; ``None`` if the exported model was not run.
    n_rows : int, default=0
        Number of compared rows.
    header : str, default=""
        Declarations for other C files; empty for other languages.
    object_bytes : int or None, default=None
        Bytes of the compiled code and tables of C, by ``size``; ``None`` if they were not compiled.
    largest_rounding : float or None, default=None
        Maximum rounding error of the scores of C with ``dtype="int"``; ``None`` for other exports.
    data : bytes, default=b''
        The exported model in ONNX; empty for other languages.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skdistill.export import to_python
    >>> exported = to_python(LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]))
    >>> exported.language, exported.largest_difference < 1e-9
    ('python', True)
    """

    text: str
    language: str
    largest_difference: float | None = None
    n_rows: int = 0
    header: str = ""
    object_bytes: int | None = None
    largest_rounding: float | None = None
    data: bytes = b""

    def __repr__(self) -> str:
        compared = "not run" if self.largest_difference is None else f"largest_difference={self.largest_difference:.2g}"
        compiled = "" if self.object_bytes is None else f", {self.object_bytes} bytes compiled"
        return f"<Export: {self.language}, {len(self.data or self.text.encode())} bytes{compiled}, {compared}>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the exported model to a file, and the header of C beside it with the ending ``.h``.

        An existing file is replaced at once: it is never half written.

        Parameters
        ----------
        path : str or path-like
        """
        path = Path(path)
        _write(path, self.data or self.text.encode())
        if self.header:
            _write(path.with_suffix(".h"), self.header.encode())


def _write(path: Path, content: bytes) -> None:
    """Write a file under another name and rename it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@dataclass(frozen=True)
class Form:
    """Numbers that are no doubles: how rows and outputs hold them, and how far outputs may differ."""

    cells: Callable[[np.ndarray], np.ndarray]
    outputs: Callable[[np.ndarray], np.ndarray] = lambda outputs: outputs
    tolerance: float = TOLERANCE
    integers: Integers | None = None


@dataclass(frozen=True)
class Draft:
    """The text or the bytes of an export, and what runs it on rows; ``None`` if nothing does.

    ``form`` says what kind of numbers the exported model computes with.
    """

    text: str
    run: Callable[[Rows], Answers] | None
    header: str = ""
    object_bytes: Callable[[], int | None] = lambda: None
    form: Form | None = None
    data: bytes = b""


def exported(
    model: Any,
    language: str,
    write: Callable[[Program], Draft],
    *,
    X: Any,
    verify: bool,
    path: str | os.PathLike[str] | None,
) -> Export:
    """Return the export of a model, compared with it and saved as asked for."""
    compiled = compile(model, dtype="float64")
    if compiled.scorer.n_parameters > MAX_PARAMETERS:
        raise ExportError(
            f"export: the model has {compiled.scorer.n_parameters:,} parameters; expected at most {MAX_PARAMETERS:,}. "
            "Distil it first, or export a smaller model."
        )
    program = program_of(compiled)
    draft = write(program)
    difference, n_rows = None, 0
    if verify and draft.run is not None:
        seen = None if X is None else rows_of_student(model, X)
        difference, n_rows = _compared(compiled, program, draft, draft.run, language, seen)
    integers = None if draft.form is None else draft.form.integers
    export = Export(
        draft.text,
        language,
        difference,
        n_rows,
        draft.header,
        draft.object_bytes(),
        None if integers is None else integers.rounding,
        draft.data,
    )
    if path is not None:
        export.save(path)
    return export


def _compared(
    compiled: CompiledModel,
    program: Program,
    draft: Draft,
    run: Callable[[Rows], Answers],
    language: str,
    X: Any,
) -> tuple[float | None, int]:
    """Return the largest difference and the number of rows; ``None`` and 0 if nothing here runs the language."""
    cells, integers = (None, None) if draft.form is None else (draft.form.cells, draft.form.integers)
    rows = rows_for(compiled, program, X, converted=cells, of_scores=integers is not None)
    try:
        outputs, labels = run(rows)
    except NoRuntimeError as missing:
        warnings.warn(
            f"export: {missing} was not found, so the exported model has not been run and is not verified. Install it, "
            "or pass verify=False.",
            UserWarning,
            stacklevel=4,
        )
        return None, 0
    answers = np.array([[np.nan if value is None else value for value in row] for row in outputs], dtype=np.float64)
    if integers is not None:
        difference = integer_difference(integers, rows.expected, answers, labels)
        _check_difference(difference, integers.rounding, language, "Please report the model.")
        return difference, len(rows.raw)
    if draft.form is not None:
        rows = replace(rows, expected=draft.form.outputs(rows.expected))
    difference = largest_difference(rows, answers, is_classifier=program.classes is not None)
    tolerance = TOLERANCE if draft.form is None else draft.form.tolerance
    advice = "Please report the model." if draft.form is None else 'Export with dtype="double".'
    _check_difference(difference, tolerance, language, advice)
    if labels is not None:
        _check_labels(program, rows, labels, language, tolerance)
    return difference, len(rows.raw)


def _check_difference(difference: float, tolerance: float, language: str, advice: str) -> None:
    if not difference <= tolerance:
        raise ExportError(
            f"export: the outputs in {language} differ from those of the model by {difference:.2g} of their scale; "
            f"expected at most {tolerance:g}. Nothing was written. {advice}"
        )


def largest_difference(rows: Rows, answers: np.ndarray, *, is_classifier: bool) -> float:
    """Return the largest difference of outputs relative to their scale; infinity if only one of them is NaN.

    The scale of probabilities is 1. That of values is the largest one of each output in rows without huge numbers, and
    at least a millionth of the largest one of all outputs; for rows with huge numbers, their own values if larger.
    """
    expected = rows.expected
    if answers.shape != expected.shape:
        return float("inf")
    usual = np.abs(expected[~rows.is_odd])
    of_output = np.max(usual, axis=0, initial=0.0, where=np.isfinite(usual))
    of_output = np.maximum(of_output, max(1e-6 * np.max(of_output), 1e-300))
    own = np.where(rows.is_odd[:, None], np.abs(expected), 0.0)
    scale = np.ones(1) if is_classifier else np.maximum(of_output, own)
    same = (answers == expected) | (np.isnan(answers) & np.isnan(expected))
    with np.errstate(invalid="ignore"):
        differences = np.where(same, 0.0, np.abs(answers - expected) / scale)
    return float(np.max(np.where(np.isnan(differences), np.inf, differences), initial=0.0))


def _check_labels(program: Program, rows: Rows, labels: list[Any], language: str, tolerance: float) -> None:
    """Fail if a label differs from that of the model by more than the last digits of two probabilities."""
    expected = rows.expected
    known = np.flatnonzero(np.isfinite(expected).all(axis=1))
    positions = np.array([labels[index] for index in known], dtype=np.int64)
    if program.least_of_positive is not None:
        share = expected[known, program.positive]
        right = np.where(positions == program.positive, share, program.least_of_positive)
        wrong = np.where(positions == program.positive, program.least_of_positive, share)
        is_far = wrong - right > tolerance
    else:
        shares = expected[known] / np.array(program.unit_of_decision)
        chosen = shares[np.arange(len(known)), positions]
        is_far = shares.max(axis=1) - chosen > tolerance * np.maximum(shares.max(axis=1), 1)
    if np.any(is_far):
        raise ExportError(
            f"export: {int(is_far.sum())} of {len(known)} labels in {language} differ from those of the model. Nothing "
            "was written. Please report the model."
        )
