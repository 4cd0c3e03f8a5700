"""Teaching: how soft targets reach any scikit-learn estimator.

What the student can do decides, in this order:

1. it has ``fit_soft``: it is fitted to the soft targets;
2. it is a regressor: it is fitted to centred logits and wrapped as a classifier;
3. its ``fit`` takes ``sample_weight``: each row is repeated once per class, weighted by the class's probability;
4. otherwise labels are drawn from the soft targets.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import narwhals as nw
import numpy as np
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline

from .._fitting import accepts_sample_weight, final_step, fit_weighted
from .._tables import take_rows
from .._threads import one_blas_thread
from .._validation import seed_estimator, tags_of
from ..exceptions import StudentError
from ..targets import TargetCompressor, TargetLink, centred_logits
from ._completion import CompletedClassifier, DecodedRegressor, LinkedRegressor, complete_classifier
from ._student import CompactRegressor, CompactStudent, rows_for

MIN_PROBABILITY = 1e-3
"""Bounds the probability of classes that get a copy of the row; the weight of others is shared among these."""


@one_blas_thread()  # students of others, too: sums of several threads differ in their last digits
def teach_classifier(
    student: Any,
    X: Any,
    proba: np.ndarray,
    *,
    classes: np.ndarray,
    sample_weight: np.ndarray,
    rng: np.random.RandomState,
    temperature: float = 1.0,
    target_compressor: Any = None,
) -> Any:
    """Fit a clone of ``student`` to class probabilities and return it as a complete classifier.

    Parameters
    ----------
    student : estimator
        Any scikit-learn classifier or regressor, or a pipeline that ends in one. It is cloned.
    X : table of shape (n_samples, n_features)
    proba : ndarray of shape (n_samples, n_classes)
        Soft targets, already softened by ``temperature``.
    classes : ndarray of shape (n_classes,)
        Sorted labels, the columns of ``proba``.
    sample_weight : ndarray of shape (n_samples,)
        Where the student takes no weights, rows are drawn in proportion to them.
    rng : RandomState
        Seeds every ``random_state`` of the student that is ``None``, and the drawn labels.
    temperature : float > 0, default=1.0
        Undone in the returned classifier, whose ``predict_proba`` is at temperature 1.
    target_compressor : transformer or None, default=None
        Fitted on the centred logits; a student that is a regressor learns their code.

    Returns
    -------
    student : estimator
        With ``classes_`` equal to ``classes`` and a normalised ``predict_proba``; it holds no row of ``X`` beyond
        what the student itself keeps.

    Raises
    ------
    StudentError
        If the student is neither classifier nor regressor, or no regressor where there is a ``target_compressor``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from skdistill.students import teach_classifier
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> student = teach_classifier(
    ...     DecisionTreeClassifier(),
    ...     X,
    ...     np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8]]),
    ...     classes=np.array(["no", "yes"]),
    ...     sample_weight=np.ones(3),
    ...     rng=np.random.RandomState(0),
    ... )
    >>> student.predict_proba(X)
    array([[0.9, 0.1],
           [0.5, 0.5],
           [0.2, 0.8]])
    """
    student, X = _seeded_clone(student, rng), rows_for(student, X)
    final = final_step(student)
    if is_regressor(student):
        logits = centred_logits(proba)
        code = None if target_compressor is None else _fit_compressor(target_compressor, logits, rng)
        if code is not None:
            logits = code.encode(logits)
        elif len(classes) == 2:
            logits = logits[:, 1] - logits[:, 0]
        fitted = _fit_values(student, X, logits, sample_weight, rng)
        return _asked(CompletedClassifier(fitted, classes, "logit", temperature, decoder=code), X)
    if target_compressor is not None:
        raise StudentError(
            f"target_compressor= makes the targets numbers, but the student {type(student).__name__} is no regressor; "
            'pass student="auto" or a regressor.'
        )
    if hasattr(final, "fit_soft"):
        fitted = _fit_soft(student, X, proba, classes, sample_weight)
    elif not is_classifier(student):
        raise StudentError(f"the student {type(student).__name__} is no classifier and no regressor; expected either.")
    elif accepts_sample_weight(student):
        rows, columns, weight = _one_row_per_class(proba, sample_weight)
        rows_of_X = X if len(rows) == len(proba) else take_rows(X, rows)
        fitted = _fit(student, rows_of_X, classes[columns], weight)
    else:
        rows, columns = _draw_labels(proba, sample_weight, rng)
        fitted = _fit(student, take_rows(X, rows), classes[columns])
    with _noted(fitted):
        return complete_classifier(fitted, classes, temperature, X, proba)


@one_blas_thread()
def teach_regressor(
    student: Any,
    X: Any,
    values: np.ndarray,
    *,
    sample_weight: np.ndarray,
    rng: np.random.RandomState,
    target_compressor: Any = None,
    link: TargetLink | None = None,
) -> Any:
    """Fit a clone of ``student`` to values and return it.

    Parameters
    ----------
    student : estimator
        Any scikit-learn regressor, or a pipeline that ends in one. It is cloned.
    X : table of shape (n_samples, n_features)
    values : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Soft targets.
    sample_weight : ndarray of shape (n_samples,)
        Where the student takes no weights, rows are drawn in proportion to them.
    rng : RandomState
        Seeds every ``random_state`` of the student that is ``None``.
    target_compressor : transformer or None, default=None
        Fitted on the values, or on their scores with a link; the student learns their code.
    link : TargetLink or None, default=None
        The student is fitted to the scores of the values, and its predictions are converted back; they stay within the
        bounds of the link, and in its order. ``None`` fits it to the values.

    Returns
    -------
    student : estimator
        With a single output, ``predict`` returns the shape (n_samples,).

    Raises
    ------
    ValueError
        If values are outside the bounds of the link.
    StudentError
        If the student is no regressor, or there is a ``target_compressor`` but a single output.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from skdistill.students import teach_regressor
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> rng = np.random.RandomState(0)
    >>> student = teach_regressor(
    ...     LinearRegression(), X, 3 * X[:, 0], sample_weight=np.ones(3), rng=rng
    ... )
    >>> student.predict([[4.0]]).round(6)
    array([12.])
    """
    student, X = _seeded_clone(student, rng), rows_for(student, X)
    if not is_regressor(student):
        raise StudentError(f"the student {type(student).__name__} is no regressor; expected one to imitate values.")
    if target_compressor is not None and values.ndim == 1:
        raise StudentError("target_compressor= needs a teacher of several outputs; this one has a single output.")
    if link is None or link.is_plain:
        return _in_shape(_fit_coded(student, X, values, sample_weight, rng, target_compressor), X, values)
    values = values[:, 0] if _is_single(values) and values.ndim == 2 else values
    link.check(values, f"the student {type(student).__name__}", "its targets")
    link.check_count(1 if values.ndim == 1 else values.shape[1], f"the student {type(student).__name__}", "its targets")
    values = link.in_order(values)
    if target_compressor is None and isinstance(student, CompactRegressor):
        options: dict[str, Any] = {"link": link.name, "bounds": link.bounds, "order": link.order}
        return student.fit_soft(X, values, sample_weight=sample_weight, **options)
    if link.name != "identity" and accepts_sample_weight(student):
        sample_weight = sample_weight * link.weights(values)
    fitted = _fit_coded(student, X, link.scores(values), sample_weight, rng, target_compressor)
    return LinkedRegressor(fitted, link, is_single=_is_single(values))


def _is_single(values: np.ndarray) -> bool:
    return values.reshape(len(values), -1).shape[1] == 1


def _fit_coded(
    student: Any, X: Any, values: np.ndarray, weight: np.ndarray, rng: np.random.RandomState, target_compressor: Any
) -> Any:
    """Fit a regressor to values, or to their code if there is a compressor."""
    if target_compressor is None:
        return _fit_values(student, X, values, weight, rng)
    code = _fit_compressor(target_compressor, values, rng)
    return DecodedRegressor(_fit_values(student, X, code.encode(values), weight, rng), code)


def _in_shape(fitted: Any, X: Any, values: np.ndarray) -> Any:
    """Return a regressor whose predictions for a single output have the shape (n_samples,)."""
    if isinstance(fitted, CompactRegressor | DecodedRegressor) or not _is_single(values) or _is_surely_flat(fitted, X):
        return fitted
    with _noted(fitted):
        is_flat = np.ndim(fitted.predict(take_rows(X, slice(0, 1)))) == 1
    if is_flat:
        return fitted
    return LinkedRegressor(fitted, TargetLink())


def _is_surely_flat(fitted: Any, X: Any) -> bool:
    """Whether a student is a tree or a linear model of scikit-learn that reads numbers: one row need not be asked."""
    is_known = type(fitted).__module__.startswith(("sklearn.tree.", "sklearn.linear_model."))
    return is_known and not hasattr(fitted, "estimator") and type(X) is np.ndarray and X.dtype.kind == "f"


def _seeded_clone(student: Any, rng: np.random.RandomState) -> Any:
    if not hasattr(student, "fit") or isinstance(student, type):
        raise StudentError(f'got {student!r} as a student; expected "auto" or a scikit-learn estimator.')
    return seed_estimator(clone(student), rng)


def _fit_compressor(compressor: Any, outputs: np.ndarray, rng: np.random.RandomState) -> TargetCompressor:
    missing = [name for name in ("fit", "transform", "inverse_transform") if not hasattr(compressor, name)]
    if missing:
        raise StudentError(
            f"got {compressor!r} as target_compressor, which has no {' and no '.join(missing)}; expected a transformer "
            "that can be inverted, e.g. PCA(5)."
        )
    return TargetCompressor(seed_estimator(clone(compressor), rng)).fit(outputs)


def _fit(student: Any, X: Any, y: np.ndarray, weight: np.ndarray | None = None) -> Any:
    X = _in_single_precision(X)
    try:
        return student.fit(X, y) if weight is None else fit_weighted(student, X, y, weight)
    except Exception as error:
        if is_classifier(student) and len(np.unique(y)) == 1:
            raise StudentError(
                f"the student {type(student).__name__} cannot be fitted to a single label, {y[0]!r}, which the teacher "
                'gives all rows. Pass a student that learns probabilities, such as student="auto", or rows of several '
                "labels."
            ) from error
        error.add_note(
            f"skdistill was fitting the student {type(student).__name__} on {X.shape[0]} rows. Pass a table that it "
            'accepts, or a student that reads any table, such as student="auto".'
        )
        raise


def _in_single_precision(X: Any) -> Any:
    """Return rows in float32 instead of float16, in which some estimators would store their coefficients."""
    if getattr(X, "dtype", None) == np.float16:
        return X.astype(np.float32)
    if not nw.dependencies.is_pandas_dataframe(X):
        return X
    half = X.columns[(X.dtypes == np.float16).to_numpy()]
    return X.astype(dict.fromkeys(half, np.float32)) if len(half) else X


def _asked(student: Any, X: Any) -> Any:
    """Return a fitted student of others after asking it for one row: some accept rows in ``fit`` only."""
    inside = getattr(student, "estimator", student)
    if not isinstance(inside, CompactStudent):
        with _noted(inside):
            student.predict(take_rows(X, slice(0, 1)))
    return student


@contextmanager
def _noted(student: Any) -> Iterator[None]:
    """Add to errors of a fitted student that they are its own."""
    try:
        yield
    except StudentError:
        raise
    except Exception as error:
        error.add_note(
            f"skdistill was asking the student {type(student).__name__} for rows that it was fitted on. Pass a table "
            'that it accepts, or a student that reads any table, such as student="auto".'
        )
        raise


def _fit_soft(student: Any, X: Any, proba: np.ndarray, classes: np.ndarray, weight: np.ndarray) -> Any:
    """Fit a student with ``fit_soft``; earlier steps of a pipeline are fitted to the most probable labels."""
    if not isinstance(student, Pipeline):
        return student.fit_soft(X, proba, classes=classes, sample_weight=weight)
    if len(student.steps) > 1:
        head = student[:-1]
        X = head.fit_transform(X, classes[proba.argmax(axis=1)])
        student.steps[:-1] = head.steps  # with memory, the fitted steps are clones
    _fit_soft(student[-1], X, proba, classes, weight)
    return student


def _fit_values(student: Any, X: Any, values: np.ndarray, weight: np.ndarray, rng: np.random.RandomState) -> Any:
    """Fit a regressor to one or many outputs, with weights or, if it takes none, on rows drawn by weight."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2 and not tags_of(student).target_tags.multi_output:
        student = MultiOutputRegressor(student)
    if np.all(weight == weight[0]):
        return _fit(student, X, values)
    if accepts_sample_weight(student):
        return _fit(student, X, values, weight)
    rows = _draw_rows(weight, rng)
    return _fit(student, take_rows(X, rows), values[rows])


def _one_row_per_class(proba: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return row, class and weight of every copy of a row.

    The weights of the copies of a row sum to its own weight. Every class with a positive probability keeps at least its
    most probable row.
    """
    kept = proba >= MIN_PROBABILITY
    kept[np.arange(len(proba)), proba.argmax(axis=1)] = True
    kept[proba.argmax(axis=0), np.arange(proba.shape[1])] |= proba.max(axis=0) > 0
    share = np.where(kept, proba, 0)
    share *= (weight / share.sum(axis=1))[:, None]
    rows, columns = np.nonzero(kept)
    return rows, columns, share[rows, columns]


def _draw_labels(proba: np.ndarray, weight: np.ndarray, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Draw as many rows as there are, in proportion to their weight, and for each a label from its soft target."""
    rows = _draw_rows(weight, rng)
    bounds = np.cumsum(proba[rows], axis=1)
    columns = (rng.uniform(size=(len(rows), 1)) * bounds[:, -1:] > bounds).sum(axis=1)
    return rows, columns


def _draw_rows(weight: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """Draw rows by systematic sampling: in proportion to weight, rounded up or down; equal weights draw each once."""
    n_rows = len(weight)
    if np.all(weight == weight[0]):
        return np.arange(n_rows)
    steps = (np.arange(n_rows) + rng.uniform()) * (weight.sum() / n_rows)
    return np.searchsorted(np.cumsum(weight), steps, side="right").clip(max=n_rows - 1)
