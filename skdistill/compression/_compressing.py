"""Compression of a compiled model: checks of the arguments, rows to solve for values on, and rows that judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._described import described
from .._suggesting import did_you_mean
from .._validation import check_choice, check_number, check_random_state
from ..compiled import CompiledModel, Computed
from ..metrics._checks import as_floats, check_finite, check_row_weights
from ._chain import Chain, Compression
from ._judging import Judge
from ._rows import Rows
from ._steps import Prune, Quantize, ShareThresholds, Step

JUDGED_SHARE = 0.3
"""Share of the rows that fidelity is measured on."""

N_SEARCHED = 9_000
"""Number of rows with which orders are compared if there are more; a third of them judge."""

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
    is_cautious: bool = True,
) -> Compression:
    """Compress a compiled model; see :func:`skdistill.compress`.

    The tolerance is that of the loss measured on the rows that judge unless ``is_cautious``.
    """
    steps = _checked_steps(steps)
    check_number("compress", "tolerance", tolerance, low=0)
    check_choice("compress", "order", order, ("smallest", "given"))
    rng = check_random_state(random_state, "compress")
    cells, reference, weight = _checked_rows(compiled, X, y, sample_weight)
    inside = compiled
    if isinstance(compiled.scorer, Computed):
        inside, cells = compiled.scored_by(compiled.scorer.scorer), _computed_columns(compiled.scorer, cells)
    judged, fitted = _drawn(weight, rng)
    task = _Task(compiled, steps, inside, cells, None if y is None else reference, reference, weight, float(tolerance))
    chain = task.chain(fitted, judged, is_cautious=is_cautious)
    scout = None
    if order == "smallest" and len(fitted) > N_SEARCHED:
        part = fitted[np.linspace(0, len(fitted) - 1, N_SEARCHED).astype(np.intp)]
        judges = np.arange(N_SEARCHED) % 3 == 0
        scout = task.chain(part[~judges], part[judges], is_cautious=is_cautious)
    records = chain.run(is_order_given=order == "given", scout=scout)
    return Compression(chain.model, records, float(tolerance), len(fitted), len(judged), chain.loss_bound)


@dataclass(frozen=True)
class _Task:
    """A model to compress, with all rows."""

    compiled: CompiledModel
    steps: list[Step]
    inside: CompiledModel
    cells: Any
    y: np.ndarray | None
    reference: np.ndarray
    weight: np.ndarray
    tolerance: float

    def chain(self, fitted: np.ndarray, judged: np.ndarray, *, is_cautious: bool) -> Chain:
        """Return a chain that solves for values on some rows and judges by others."""
        judge = Judge(self.inside, self.cells[judged], self.reference[judged], self.weight[judged], is_cautious)
        targets = None if self.y is None else self.y[fitted]
        rows = Rows.of(self.inside, self.cells[fitted], self.weight[fitted], targets)
        return Chain(self.compiled, self.steps, rows, judge, self.tolerance)


def _drawn(weight: np.ndarray, rng: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of the rows that judge, and of the others, without those of weight zero."""
    present = np.flatnonzero(weight > 0)
    judged = rng.permutation(present)[: max(round(JUDGED_SHARE * len(present)), 1)]
    return np.sort(judged), np.setdiff1d(present, judged)


def _computed_columns(computed: Computed, cells: Any) -> np.ndarray:
    """Return the columns that the steps of a pipeline compute, which are not compressed."""
    return np.concatenate([columns for _, columns in computed.columns_in_chunks(cells)])


def _checked_steps(steps: Any) -> list[Step]:
    if isinstance(steps, str) and steps == "auto":
        return [Prune(), ShareThresholds(), Quantize("int8")]
    if isinstance(steps, str | Step) or not isinstance(steps, Sequence):
        advice = did_you_mean(steps, ["auto"]) or " Pass [Prune()]."
        raise TypeError(f"compress: steps={described(steps)}; expected a list of steps or 'auto'.{advice}")
    for step in steps:
        if not isinstance(step, Step):
            advice = f" Pass {step.__name__}()." if isinstance(step, type) and issubclass(step, Step) else ""
            raise TypeError(
                f"compress: got the step {described(step)}; expected a step of skdistill.compression, such as Prune(), "
                f"LowRank(), ShareThresholds() or Quantize('int8').{advice}"
            )
        step.strengths()  # checks its parameters before anything is computed
    return list(steps)


def _count_axes(X: Any) -> int:
    """Return the number of axes of a table of any library; 0 for what is no table, such as rows of unequal length."""
    shape = getattr(X, "shape", None)
    try:
        return len(shape) if isinstance(shape, tuple) else np.ndim(X)
    except (TypeError, ValueError):
        return 0


def _checked_rows(model: CompiledModel, X: Any, y: Any, sample_weight: Any) -> tuple[Any, np.ndarray, np.ndarray]:
    """Return encoded rows, the outputs to compare with, and weights."""
    if _count_axes(X) != 2:
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
