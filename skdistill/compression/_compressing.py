"""Compression of a compiled model: checks of the arguments, rows to solve for values on, and rows that judge."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .._described import described
from .._validation import check_choice, check_number, check_random_state
from ..compiled import CompiledModel, Computed
from ..metrics._checks import as_floats, check_finite, check_row_weights
from ._chain import Chain, Compression, Judge
from ._rows import Rows
from ._steps import Prune, Quantize, ShareThresholds, Step

JUDGED_SHARE = 0.3
"""Share of the rows that fidelity is measured on."""

MIN_ROWS = 20
"""Minimum number of rows: six of them judge."""


def compress_compiled(
    compiled: CompiledModel,
    steps: Sequence[Step] | str,
    *,
    X: Any,
    y: Any = None,
    sample_weight: Any = None,
    tolerance: float,
    order: str,
    random_state: Any = 0,
) -> Compression:
    """Compress a compiled model; see :func:`skdistill.compress`."""
    steps = _checked_steps(steps)
    check_number("compress", "tolerance", tolerance, low=0)
    check_choice("compress", "order", order, ("smallest", "given"))
    rng = check_random_state(random_state, "compress")
    cells, reference, weight = _checked_rows(compiled, X, y, sample_weight)
    inside = compiled
    if isinstance(compiled.scorer, Computed):
        inside, cells = compiled.scored_by(compiled.scorer.scorer), _computed_columns(compiled.scorer, cells)
    is_judged = np.zeros(len(weight), dtype=bool)
    is_judged[rng.permutation(np.flatnonzero(weight > 0))[: max(round(JUDGED_SHARE * np.sum(weight > 0)), 1)]] = True
    judge = Judge(inside, cells[is_judged], reference[is_judged], weight[is_judged])
    is_fitted = ~is_judged & (weight > 0)
    rows = Rows.of(inside, cells[is_fitted], weight[is_fitted], None if y is None else reference[is_fitted])
    chain = Chain(compiled, steps, rows, judge, float(tolerance))
    records = chain.run(is_order_given=order == "given")
    return Compression(chain.model, records, float(tolerance), len(rows.scores), int(is_judged.sum()))


def _computed_columns(computed: Computed, cells: Any) -> np.ndarray:
    """Return the columns that the steps of a pipeline compute, which are not compressed."""
    return np.concatenate([columns for _, columns in computed.columns_in_chunks(cells)])


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
