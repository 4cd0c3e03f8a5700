"""Compression of any model that can be compiled, by a chain of steps."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._described import described
from ._validation import check_choice, check_number, check_random_state
from .compilation import compile
from .compiled import CompiledModel
from .compression import Compression, Prune, Quantize, ShareThresholds, Step
from .compression._chain import Chain, Judge
from .compression._rows import Rows
from .exceptions import CompileError
from .metrics._checks import as_floats, check_finite, check_row_weights

JUDGED_SHARE = 0.3
"""Share of the rows that fidelity is measured on."""

MIN_ROWS = 20
"""Minimum number of rows: six of them judge."""


def compress(
    model: Any,
    steps: Sequence[Step] | str = "auto",
    *,
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    tolerance: float = 0.002,
    order: str = "smallest",
    random_state: Any = 0,
) -> Compression:
    """Compress a fitted model by a chain of steps, each of which is kept only if fidelity stays within a tolerance.

    The model is compiled first. Parts that cannot change any prediction are left out, in any case. Then each step is
    applied as strongly as its share of the tolerance allows, and values are solved for again. A step that does not make
    the model smaller, or loses too much, is not kept; the table of the result says so.

    Parameters
    ----------
    model : estimator or CompiledModel
        Any model that :func:`skdistill.compile` takes: a distilled estimator, a student, a compiled model, or a model
        of scikit-learn or LightGBM.
    steps : sequence of Step or "auto", default="auto"
        Steps of :mod:`skdistill.compression`. ``"auto"`` is
        ``[Prune(), ShareThresholds(), Quantize("int8")]``.
    X : table of shape (n_samples, n_features)
        Rows as the model will see them, at least 20; synthetic ones serve too. 70 % of them are used to solve for
        values, and fidelity is measured on the others.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
        Outputs to compare with, for example those of a teacher: probabilities of all classes, or values. ``None``
        means the outputs of ``model``.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row. ``None`` means ones.
    tolerance : float >= 0, default=0.002
        Maximum loss of fidelity of all steps together, on the rows that judge.
    order : {"smallest", "given"}, default="smallest"
        ``"smallest"`` tries all orders of up to four steps, and keeps the one with the smallest result; ``"given"``
        applies the steps as they are given.
    random_state : int, RandomState instance or None, default=0
        Draws the rows that judge.

    Returns
    -------
    found : Compression
        ``found.model`` is the compressed model; printed, ``found`` is the table of the steps.

    Raises
    ------
    CompileError
        If the model cannot be compiled.
    TypeError, ValueError
        If an argument is invalid, there are too few rows, or the model has outputs that are not finite on ``X``.

    Examples
    --------
    >>> import skdistill
    >>> from skdistill.compression import Prune, Quantize
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = RandomForestRegressor(20, max_leaf_nodes=16, random_state=0).fit(X, y)
    >>> found = skdistill.compress(forest, [Prune(0.2), Quantize("int8", n_steps=20)], X=X, tolerance=0.05)
    >>> found.model(X[0]).shape, found.loss <= 0.05, found.ratio > 2
    ((), True, True)
    """
    steps = _checked_steps(steps)
    check_number("compress", "tolerance", tolerance, low=0)
    check_choice("compress", "order", order, ("smallest", "given"))
    rng = check_random_state(random_state, "compress")
    compiled = compile(model)
    cells, reference, weight = _checked_rows(compiled, X, y, sample_weight)
    is_judged = np.zeros(len(weight), dtype=bool)
    is_judged[rng.permutation(np.flatnonzero(weight > 0))[: max(round(JUDGED_SHARE * np.sum(weight > 0)), 1)]] = True
    judge = Judge(compiled, cells[is_judged], reference[is_judged], weight[is_judged])
    is_fitted = ~is_judged & (weight > 0)
    rows = Rows.of(compiled, cells[is_fitted], weight[is_fitted], None if y is None else reference[is_fitted])
    chain = Chain(compiled, steps, rows, judge, float(tolerance))
    records = chain.run(is_order_given=order == "given")
    small = compiled.scored_by(chain.scorer)
    small.quantization_loss_ = compiled.quantization_loss_ + max(records[0].fidelity - judge.fidelity(chain.scorer), 0.0)
    return Compression(small, records, float(tolerance), len(rows.scores), int(is_judged.sum()))


def _checked_steps(steps: Any) -> list[Step]:
    if isinstance(steps, str) and steps == "auto":
        return [Prune(), ShareThresholds(), Quantize("int8")]
    if isinstance(steps, str | Step) or not isinstance(steps, Sequence):
        raise TypeError(f"compress: steps={described(steps)}; expected a list of steps or 'auto'. Pass [Prune()].")
    for step in steps:
        if not isinstance(step, Step):
            advice = f" Pass {step.__name__}()." if isinstance(step, type) and issubclass(step, Step) else ""
            raise TypeError(
                f"compress: got the step {described(step)}; expected a step of skdistill.compression, such as Prune(), "
                f"LowRank(), ShareThresholds() or Quantize('int8').{advice}"
            )
        step.strengths()  # checks its parameters before anything is computed
    return list(steps)


def _checked_rows(model: CompiledModel, X: Any, y: Any, sample_weight: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return encoded rows, the outputs to compare with, and weights."""
    if X is None or getattr(X, "ndim", np.ndim(X)) != 2:
        raise ValueError(
            "compress: X is no table; expected rows of shape (n_samples, n_features). Pass rows such as those of fit."
        )
    n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
    if n_rows < MIN_ROWS:
        raise ValueError(
            f"compress: X has {n_rows} rows; expected at least {MIN_ROWS}, since values are solved for on some and "
            "fidelity is measured on others. Pass more rows; synthetic ones serve too."
        )
    cells = model.encoded(X)
    cells = cells.tocsr() if hasattr(cells, "tocsr") else cells
    weight = check_row_weights("compress", sample_weight, n_rows)
    if np.count_nonzero(weight) < MIN_ROWS:
        raise ValueError(
            f"compress: sample_weight is above zero for {np.count_nonzero(weight)} rows; expected at least {MIN_ROWS}."
        )
    outputs = model.outputs_of(cells)
    check_finite("compress", "the output of the model", outputs)
    if y is None:
        return cells, outputs, weight
    given = as_floats("compress", "y", y)
    if given.shape != outputs.shape:
        raise ValueError(
            f"compress: y has shape {given.shape}; expected {outputs.shape}, as the outputs of the model. Pass the "
            "teacher's outputs (probabilities of all classes, or values) rather than labels, or None."
        )
    check_finite("compress", "y", given)
    return cells, given, weight
