"""Prediction intervals whose coverage holds: split conformal prediction and conformalized quantiles."""

import math
from numbers import Real
from typing import Any

import numpy as np

from ._described import described
from .compilation import compile
from .compiled import ConformalIntervals
from .compiled._intervals import conformity_scores
from .convert import rows_of_student, unwrap
from .datasets._recognition import refuse_dataset
from .exceptions import CompileError
from .teachers import as_levels


def conformalize(
    model: Any, X: Any, y: Any, *, coverage: float = 0.9, quantiles: Any = None, groups: Any = None
) -> ConformalIntervals:
    r"""Return prediction intervals that contain at least a stated share of the true values.

    The margin of the intervals is computed from rows that neither the student nor its teacher has seen: it is the
    :math:`\lceil (n + 1) c \rceil`-th smallest of the margins with which the intervals of these :math:`n` rows would
    contain their true values, for the coverage :math:`c`. If these rows and a new one are exchangeable, for example
    drawn independently from one distribution, the interval of the new row contains its true value with probability at
    least :math:`c`, whatever the model and the distribution are, and at most :math:`c + 1 / (n + 1)` without ties [1]_.
    The probability is that over new rows *and* these rows; for given rows, the coverage varies around it with a
    standard deviation of about :math:`\sqrt{c (1 - c) / n}`.

    Parameters
    ----------
    model : estimator or CompiledModel
        A fitted ``DistilledRegressor``, its student, a compiled model, or any fitted regressor. It predicts one value;
        quantiles in columns, two of which are used [2]_; or means and standard deviations (``output_order_`` is
        ``"mean_std"``).
    X : table of shape (n_samples, n_features)
        Rows that neither the student nor the teacher was fitted on.
    y : array-like of shape (n_samples,)
        Their true values.
    coverage : float in (0, 1), default=0.9
        Share of the true values that intervals shall contain. It needs at least coverage / (1 - coverage) rows.
    quantiles : array-like of shape (n_outputs,) or None, default=None
        Levels of the outputs of the model, increasing and in (0, 1). ``None`` reads ``quantiles_`` of a distilled
        regressor. The levels next to (1 - coverage) / 2 and (1 + coverage) / 2 are used, on both sides of 0.5.
    groups : array-like of shape (n_samples,) or None, default=None
        Group of each row. Each group gets a margin of its own, so that the coverage holds within each group. Each
        needs as many rows as ``coverage`` does, and :meth:`~skdistill.compiled.ConformalIntervals.predict_interval`
        needs the group of each row.

    Returns
    -------
    intervals : ConformalIntervals
        With the method ``predict_interval(X)``; it depends on numpy only if the model can be compiled.

    Raises
    ------
    ValueError
        If there are too few rows for the coverage (the message says how many are needed), rows that a distilled
        regressor was fitted on, true values that are missing, or outputs that are no value, quantiles or means and
        standard deviations.

    References
    ----------
    .. [1] V. Vovk, A. Gammerman and G. Shafer, "Algorithmic Learning in a Random World", Springer, 2005.
    .. [2] Y. Romano, E. Patterson and E. Candès, "Conformalized Quantile Regression", NeurIPS 2019.

    Examples
    --------
    >>> import numpy as np
    >>> import skdistill
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(size=(900, 2))
    >>> y = X[:, 0] + X[:, 1] * rng.normal(size=900)
    >>> def teacher(X):  # the quantiles of y
    ...     return X[:, :1] + X[:, 1:] * np.array([-1.64, 0, 1.64])
    >>> model = skdistill.DistilledRegressor(
    ...     teacher, "linear", quantiles=[0.05, 0.5, 0.95], random_state=0
    ... )
    >>> intervals = skdistill.conformalize(model.fit(X[:300]), X[300:600], y[300:600])
    >>> low, high = intervals.predict_interval(X[600:]).T
    >>> bool(np.mean((low <= y[600:]) & (y[600:] <= high)) > 0.85)
    True
    """
    refuse_dataset("conformalize", X, "Margins need few rows: read some thousands, drawn at random.")
    truth = _checked(X, y, coverage)
    levels = _levels_of(model, quantiles)
    _refuse_classes(model)
    predict = _predictor(model)
    _refuse_seen_rows(model, X)
    outputs = np.asarray(predict(rows_of_student(model, X)), dtype=np.float64)
    kind, columns = _kind(model, predict, outputs, levels, coverage)
    scores = conformity_scores(outputs, truth, kind, columns)
    places = _rows_by_group(groups, len(truth))
    return ConformalIntervals(
        predict,
        kind,
        columns,
        margins={group: _margin(scores[rows], coverage, group) for group, rows in places.items()},
        coverage=float(coverage),
        n_rows={group: len(rows) for group, rows in places.items()},
    )


def _checked(X: Any, y: Any, coverage: Any) -> np.ndarray:
    """Return the true values as floats after checking them and the coverage."""
    if not isinstance(coverage, Real) or isinstance(coverage, bool) or not 0 < float(coverage) < 1:
        raise ValueError(f"conformalize: coverage={described(coverage)}; expected a number above 0 and below 1.")
    try:
        truth = np.asarray(y, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"conformalize: y={described(y)}; expected one number for each row of X.") from None
    truth = truth[:, 0] if truth.ndim == 2 and truth.shape[1] == 1 else truth
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if truth.shape != (n_rows,):
        raise ValueError(
            f"conformalize: y has shape {truth.shape}; expected {(n_rows,)}, one number for each row of X."
        )
    if not np.isfinite(truth).all():
        n_missing = int((~np.isfinite(truth)).sum())
        raise ValueError(
            f"conformalize: y has {n_missing} missing or infinite values. Pass rows with true values only."
        )
    return truth


def _levels_of(model: Any, quantiles: Any) -> np.ndarray | None:
    """Return the levels of the outputs: the given ones, or those of a distilled regressor."""
    if quantiles is None:
        return getattr(unwrap(model).model, "quantiles_", None)
    levels = as_levels(quantiles)
    if levels is None:
        raise ValueError(
            f"conformalize: quantiles={described(quantiles)}; expected at least two increasing numbers between 0 and "
            "1, one for each output of the model."
        )
    return levels


def _predictor(model: Any) -> Any:
    """Return the compiled form of a model, or else the ``predict`` of its student."""
    try:
        return compile(model)
    except CompileError:
        inside = unwrap(model)
        student = getattr(inside.model, "student_", None)
        predictor = model if inside.transformers or student is None else student
        return predictor.predict if hasattr(predictor, "predict") else predictor


def _refuse_classes(model: Any) -> None:
    """Refuse models of classes: labels that are numbers would get intervals that mean nothing."""
    inside = unwrap(model).model
    if getattr(inside, "classes_", None) is not None:
        raise ValueError(
            f"conformalize: {type(inside).__name__} predicts classes; expected a model of values, quantiles, or means "
            "and standard deviations. For classes, skdistill.certify bounds how often the student agrees with its "
            "teacher, and a CascadeClassifier leaves the rows of which it is not certain to the teacher."
        )


def _refuse_seen_rows(model: Any, X: Any) -> None:
    """Refuse rows that a distilled estimator knows from its fit: their residuals are not those of new rows."""
    seen = getattr(unwrap(model).model, "seen_rows_", None)
    n_seen = 0 if seen is None else seen.count_beyond_chance(X)
    if n_seen:
        raise ValueError(
            f"conformalize: {n_seen:,} rows of X were used to fit or select the student; expected new rows only, since "
            "intervals from rows that were seen are too narrow. Pass rows that were held out."
        )


def _kind(
    model: Any, predict: Any, outputs: np.ndarray, levels: np.ndarray | None, coverage: float
) -> tuple[str, tuple[int, int]]:
    """Return what the outputs are, and the positions of the lower and the upper quantile."""
    if not np.isfinite(outputs).all():
        raise ValueError("conformalize: the model predicts NaN or infinity for some rows of X; expected numbers.")
    n_outputs = 1 if outputs.ndim == 1 else outputs.shape[1]
    if levels is not None and len(levels) != n_outputs:
        raise ValueError(
            f"conformalize: quantiles has {len(levels)} levels, but the model has {n_outputs} outputs; expected one "
            "level for each output."
        )
    if levels is not None:
        return "quantiles", _levels_next_to(levels, float(coverage))
    order = getattr(unwrap(model).model, "output_order_", getattr(predict, "order", None))
    if order == "mean_std" and n_outputs == 2:
        return "mean_std", (0, 1)
    if n_outputs > 1:
        raise ValueError(
            f"conformalize: the model has {n_outputs} outputs; expected one value, quantiles, or one mean and one "
            "standard deviation. Pass the levels of the quantiles as quantiles=."
        )
    return "value", (0, 0)


def _levels_next_to(levels: np.ndarray, coverage: float) -> tuple[int, int]:
    below, above = np.flatnonzero(levels < 0.5), np.flatnonzero(levels > 0.5)
    if not len(below) or not len(above):
        raise ValueError(
            f"conformalize: the levels of the quantiles are {levels.tolist()}; expected at least one below 0.5 and one "
            "above. Distil a teacher with quantiles on both sides."
        )
    low = below[np.argmin(np.abs(levels[below] - (1 - coverage) / 2))]
    high = above[np.argmin(np.abs(levels[above] - (1 + coverage) / 2))]
    return int(low), int(high)


def _rows_by_group(groups: Any, n_rows: int) -> dict[Any, np.ndarray]:
    """Return the positions of the rows of each group; ``None`` stands for all rows."""
    if groups is None:
        return {None: np.arange(n_rows)}
    given = np.asarray(groups)
    if given.shape != (n_rows,):
        raise ValueError(f"conformalize: groups has shape {given.shape}; expected {(n_rows,)}, one group for each row.")
    found, place = np.unique(given, return_inverse=True)
    return {group: np.flatnonzero(place == position) for position, group in enumerate(found.tolist())}


def _margin(scores: np.ndarray, coverage: float, group: Any) -> float:
    """Return the smallest margin that promises the coverage."""
    rank = math.ceil((len(scores) + 1) * coverage - 1e-9)  # 10 * 0.7 is not 7 in floats
    of_group = "" if group is None else f" in the group {group!r}"
    if rank > len(scores):
        n_needed = math.ceil(coverage / (1 - coverage) - 1e-9)
        raise ValueError(
            f"conformalize: got {len(scores)} rows{of_group}; coverage={coverage:g} needs at least {n_needed:,}. Pass "
            "more rows, or a smaller coverage."
        )
    margin = float(np.partition(scores, rank - 1)[rank - 1])
    if not math.isfinite(margin):
        raise ValueError(
            f"conformalize: the standard deviation is zero in too many rows{of_group}; expected positive ones, which "
            "the margin is a multiple of. Distil the mean alone."
        )
    return margin
