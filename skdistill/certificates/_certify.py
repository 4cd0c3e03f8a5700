"""``certify``: statements about a student that hold with a stated confidence."""

import datetime
import math
import platform
from collections.abc import Mapping
from importlib.metadata import version
from numbers import Real
from typing import Any, Literal

import numpy as np

import skdistill

from .._validation import check_choice, check_number
from ..convert import unwrap
from ..datasets._recognition import refuse_dataset
from ..inspection._answers import Answers, as_table, ask_both
from ..inspection._slices import find_slices
from ..metrics import rows_needed
from ..metrics._binomial import check_possible
from ..metrics._checks import as_floats, check_row_weights
from ..metrics._confidence import check_share
from ..metrics._unwrapping import shipped
from ._certificate import Certificate, Statement
from ._digests import compiled_digest, data_digest, student_digest
from ._statements import Terms, class_statements, overall_statements, slice_statements
from ._units import Units, check_units
from ._unseen import check_unseen


def certify(
    model: Any,
    X: Any,
    y: Any = None,
    *,
    teacher: Any = None,
    confidence: float = 0.95,
    promise: float | None = None,
    tolerance: float | None = None,
    max_error: float | None = None,
    variance: Any = None,
    share: float = 0.99,
    by: Any = None,
    pos_label: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    max_weight: float | None = None,
    X_train: Any = None,
    on_seen: Literal["raise", "drop"] = "raise",
) -> Certificate:
    """Certify how closely a student follows its teacher, with bounds that hold for any distribution of rows.

    The rows must be drawn as those that the promise is about, and neither teaching nor selection may have seen them.
    All arguments but the rows are to be fixed before the rows are looked at: a promise that is chosen by its
    certificate is none.

    Parameters
    ----------
    model : estimator
        A fitted ``DistilledClassifier`` or ``DistilledRegressor``, a pipeline or search that ends in one, or any fitted
        model together with ``teacher`` and ``X_train``.
    X : table of shape (n_samples, n_features)
        Independent rows that were not used before.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs) or None, default=None
        True labels or values, for statements about what the student loses against the teacher.
    teacher : object or None, default=None
        A teacher as accepted by :func:`~skdistill.as_teacher`. ``None`` is the teacher the model was distilled from.
    confidence : float in (0, 1), default=0.95
        Confidence of each overall statement, and of all statements by class, or by slice, together.
    promise : float in (0, 1) or None, default=None
        The promised share: of rows with the same label or, for values, of rows within ``tolerance``. The certificate
        says whether it is met.
    tolerance : float > 0 or None, default=None
        For values: the largest absolute difference, in units of the output, of a row that counts as kept.
    max_error : float > 0 or None, default=None
        For values: errors are clipped to this number, in units of the output, before they are squared and averaged,
        because the mean of an unbounded error has no bound.
    variance : float, array-like of shape (n_outputs,) or None, default=None
        Variance of the teacher's outputs that errors are divided by. ``None`` is that on the rows of the fit, if the
        model is a distilled estimator.
    share : float in (0, 1), default=0.99
        Share of rows whose largest deviation is bounded.
    by : str, int, list, array-like of shape (n_samples,), dict of these, or None, default=None
        Slices: names or positions of columns of ``X``, or an array with the slice of each row. A dict names several
        arrays.
    pos_label : object or None, default=None
        Label that counts as selected in the selection rates of slices. ``None`` is the second of two classes.
    groups : array-like of shape (n_samples,) or None, default=None
        Group of each row, for rows that are not independent, such as those of one customer. Groups are then what is
        independent: each counts once, by its mean.
    sample_weight : array-like of shape (n_samples,) or None, default=None
        Weight of each row, such as an importance weight. Needs ``max_weight`` if weights differ.
    max_weight : float > 0 or None, default=None
        The largest weight that any row can have.
    X_train : table or None, default=None
        Rows that the teacher or the student was fitted on or selected with, in addition to those whose keys a distilled
        estimator keeps. Needed for other models.
    on_seen : {"raise", "drop"}, default="raise"
        What happens to rows that equal such rows: an error that says how many they are, or they are left out, with a
        warning. In tables with few different rows, rows that are equal by chance are kept.

    Returns
    -------
    certificate : Certificate

    Raises
    ------
    ValueError
        If rows were used before; if there are too few rows for the promise (the message says how many are needed); if
        the teacher's output is the same for all rows; if a loss has no bound; if an argument is invalid.
    TypeError
        If the model has no teacher and none is passed.

    See Also
    --------
    skdistill.metrics.rows_needed : Plans the number of rows.
    skdistill.metrics.ConfidenceSequence : For rows that are added until a promise is met or refuted.
    skdistill.checking.check_certificate : Computes the bounds again.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skdistill import DistilledClassifier, certify
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> forest = RandomForestClassifier(50, random_state=0).fit(X[:250], y[:250])
    >>> model = DistilledClassifier(forest, "boosting", sampler=None, random_state=0).fit(
    ...     X[:250]
    ... )
    >>> certificate = certify(model, X[250:], y[250:])
    >>> certificate.find("agreement").method
    'Clopper-Pearson'
    >>> certify(model, X[200:])
    Traceback (most recent call last):
        ...
    ValueError: certify: 50 of the 369 rows are among those that the student was taught on or selected with; ...
    """
    check_choice("certify", "on_seen", on_seen, ("raise", "drop"))
    _check_numbers(confidence, share, promise, tolerance, max_error)
    refuse_dataset("certify", X, "Bounds need few rows: read as many as rows_needed says, drawn at random.")
    X = as_table(X)
    kept, notes = check_unseen(model, X, X_train, on_seen)
    weight = np.zeros(X.shape[0])
    weight[kept] = check_row_weights("certify", sample_weight, X.shape[0])[kept]
    answers = ask_both("certify", model, X, y, teacher=teacher, sample_weight=weight)
    _check_answers(answers, promise, tolerance, max_error)
    units = check_units("certify", X.shape[0], groups, answers.weight, max_weight, answers.rows)
    terms = Terms(
        confidence, share, tolerance, max_error, _variance(model, answers, variance), _selected(answers, pos_label)
    )
    slices = _slices(answers, by, X.shape[0])
    _check_rows(units, promise, confidence)
    statements = (
        *overall_statements(answers, units, terms),
        *class_statements(answers, units, terms),
        *(slice_statements(answers, units, terms, slices) if slices else ()),
    )
    return _certificate(model, answers, units, terms, statements, promise, [*notes, *_notes(units, terms, slices)])


def _check_numbers(confidence: Any, share: Any, promise: Any, tolerance: Any, max_error: Any) -> None:
    check_share("certify", "confidence", confidence)
    check_possible("certify", "share", share)
    if promise is not None:
        check_possible("certify", "promise", promise)
    for name, value in (("tolerance", tolerance), ("max_error", max_error)):
        if value is not None:
            if isinstance(value, Real) and not math.isfinite(value):
                raise ValueError(
                    f"certify: {name}={value!r}; expected a finite number. The mean of an error without a bound has "
                    "no bound that holds for all distributions: state the largest error that counts."
                )
            check_number("certify", name, value, low=0, low_open=True)


def _check_answers(answers: Answers, promise: float | None, tolerance: float | None, max_error: float | None) -> None:
    """Raise an error if no statement can be made about these outputs."""
    if answers.is_constant:
        raise ValueError(
            "certify: the teacher's output is the same for all rows, so following it says nothing; expected rows for "
            "which it varies. Pass more rows, or look at the teacher."
        )
    if answers.survival is not None:
        raise ValueError("certify: got survival labels; expected labels or values, or y=None. Pass y=None.")
    if answers.classes is not None:
        if tolerance is not None or max_error is not None:
            raise ValueError(
                "certify: got tolerance or max_error for a classifier; expected neither, because the distances of "
                "probabilities are bounded. Leave them out."
            )
    elif promise is not None and tolerance is None:
        raise ValueError(
            f"certify: promise={promise!r} without tolerance; expected the largest difference of values that counts "
            "as kept. Pass tolerance=, in units of the output."
        )
    elif answers.y is not None and max_error is None:
        raise ValueError(
            "certify: got y without max_error; expected the number that errors are clipped to, because the mean of "
            "an error without a bound has no bound. Pass max_error=, in units of the output, or y=None."
        )


def _check_rows(units: Units, promise: float | None, confidence: float) -> None:
    """Raise an error if there are too few rows for the promise, even if all are kept."""
    if promise is None or not units.are_rows:
        return
    needed = rows_needed(promise, confidence=confidence)
    if units.n_rows < needed:
        raise ValueError(
            f"certify: {units.n_rows:,} rows cannot prove promise={promise:g} with confidence {confidence:g}, even if "
            f"the student follows its teacher on all of them; expected at least {needed:,}, and more if it does not: "
            "skdistill.metrics.rows_needed(promise, expected=...) says how many. Pass more rows, or promise less."
        )


def _variance(model: Any, answers: Answers, variance: Any) -> np.ndarray | None:
    """Return the variance that errors are divided by: the one given, or that on the rows of the fit."""
    n_outputs = answers.teacher.reshape(len(answers.rows), -1).shape[1]
    if variance is None:
        found = getattr(getattr(unwrap(model).model, "seen_rows_", None), "output_variance", None)
        usable = found is not None and found.shape == (n_outputs,) and found.min() > 0 and np.isfinite(found).all()
        return found if usable else None
    given = np.atleast_1d(as_floats("certify", "variance", variance))
    if given.shape not in ((1,), (n_outputs,)) or not np.isfinite(given).all() or given.min() <= 0:
        raise ValueError(
            f"certify: variance={variance!r}; expected a finite number above 0, or {n_outputs} of them, one for each "
            "output of the teacher."
        )
    if answers.classes is not None and given.shape == (1,):
        return given
    return np.broadcast_to(given, (n_outputs,))


def _selected(answers: Answers, pos_label: Any) -> Any:
    """Return the label that counts as selected."""
    if answers.classes is None or (pos_label is None and len(answers.classes) != 2):
        return None
    if pos_label is None:
        return answers.classes[1]
    if pos_label not in answers.classes.tolist():
        raise ValueError(f"certify: pos_label={pos_label!r}; expected one of {answers.classes.tolist()}.")
    return pos_label


def _slices(answers: Answers, by: Any, n_given: int) -> list[tuple[str, np.ndarray]]:
    """Return names and rows of the slices."""
    if by is None:
        return []
    arrays = by if isinstance(by, Mapping) else {"slice": by}
    is_array = isinstance(by, Mapping) or (not isinstance(by, str) and np.shape(by) == (n_given,))
    if not is_array:
        return [(f"{each.column} = {each.value}", each.rows) for each in find_slices(answers.X, by)]
    found = []
    for name, values in arrays.items():
        given = np.asarray(values)
        if given.shape != (n_given,):
            raise ValueError(f"certify: by[{name!r}] of shape {given.shape}; expected {(n_given,)}, one slice a row.")
        used = given[answers.rows]
        found += [(f"{name} = {value}", np.flatnonzero(used == value)) for value in np.unique(used)]
    return found


def _notes(units: Units, terms: Terms, slices: list[tuple[str, np.ndarray]]) -> list[str]:
    notes = ["Overall statements hold with the confidence each by itself, those by class and by slice all at once."]
    if units.groups is not None:
        notes.append("Groups are independent, rows need not be: each group counts once, by its mean.")
    if units.weight is not None:
        notes.append(f"Means are weighted, with weights of at most {units.max_weight:g}.")
    needed = rows_needed(terms.share, confidence=terms.confidence)
    if not units.are_rows:
        notes.append("The deviation of a share of rows is bounded for independent rows of equal weight only.")
    elif units.n_rows < needed:
        notes.append(f"The deviation of {terms.share:.4g} of rows needs at least {needed:,} rows.")
    if slices and terms.pos_label is not None:
        notes.append(f"Selected: {terms.pos_label}.")
    return notes


def _certificate(
    model: Any,
    answers: Answers,
    units: Units,
    terms: Terms,
    statements: tuple[Statement, ...],
    promise: float | None,
    notes: list[str],
) -> Certificate:
    digests = {"student": student_digest(model), "rows": data_digest(answers.X)}
    compiled = compiled_digest(model)
    if compiled is not None:
        digests["compiled"] = compiled
    if answers.y is not None:
        digests["y"] = data_digest(answers.y)
    assert answers.pair is not None
    return Certificate(
        statements=statements,
        confidence=float(terms.confidence),
        n_rows=units.n_rows,
        n_units=units.count(np.arange(units.n_rows)),
        promise=promise,
        verdict="none" if promise is None else _verdict(statements[0], promise),
        student=type(unwrap(shipped(model)).model).__name__,
        teacher=answers.pair.teacher.name,
        digests=digests,
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        versions={
            "python": platform.python_version(),
            "skdistill": skdistill.__version__,
            **{name: version(name) for name in ("numpy", "scipy", "scikit-learn", "lightgbm")},
        },
        notes=tuple(notes),
    )


def _verdict(statement: Statement, promise: float) -> str:
    """Return whether the promise is met or refuted, each with the confidence, or neither."""
    if statement.bound >= promise:
        return "met"
    return "refuted" if statement.details["other_bound"] < promise else "open"
