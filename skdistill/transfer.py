"""The transfer set: the rows a student is taught on, and how they come together."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from time import perf_counter
from typing import Any, Literal

import joblib
import numpy as np

from ._tables import describe_mismatch, stack_rows, take_rows
from ._validation import draw_seed, seed_estimator
from .exceptions import SamplerError
from .samplers import as_sampler

AUTO_RATIO = 10
"""Synthetic rows a real one, for ``n_synthetic="auto"``."""

AUTO_ROWS, AUTO_CELLS = 200_000, 20_000_000
"""Synthetic rows and cells at most, for ``n_synthetic="auto"``: large tables need them least and pay most."""


@dataclass(frozen=True)
class TransferSummary:
    """What a transfer set was made of; it holds no rows.

    Attributes
    ----------
    n_real, n_unlabeled, n_synthetic : int
        Rows by origin.
    synthetic_weight : float
        Weight of one synthetic row; a real one has its ``sample_weight``, or 1.
    label_seconds : float
        Time the teacher took to label all rows (less where its answers were in the memory).
    sample_seconds : float
        Time the sampler took.
    """

    n_real: int
    n_unlabeled: int
    n_synthetic: int
    synthetic_weight: float
    label_seconds: float
    sample_seconds: float


@dataclass(frozen=True)
class TransferSet:
    """Rows with the teacher's outputs and a weight each; real rows first.

    Attributes
    ----------
    X : table of shape (n_samples, n_features)
    outputs : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        What the teacher said.
    sample_weight : ndarray of shape (n_samples,)
    summary : TransferSummary
    """

    X: Any
    outputs: np.ndarray
    sample_weight: np.ndarray
    summary: TransferSummary


def build_transfer_set(
    X: Any,
    ask: Callable[[Any, str], np.ndarray],
    *,
    label_real: Callable[[np.ndarray], np.ndarray] | None = None,
    X_unlabeled: Any = None,
    sampler: Any = None,
    n_synthetic: int | float | Literal["auto"] = "auto",
    sample_weight: np.ndarray,
    rng: np.random.RandomState,
    memory: joblib.Memory,
) -> TransferSet:
    """Label the real rows, draw synthetic ones from them, and label those.

    Synthetic rows share the weight of all real ones, and none weighs more than a real one does in the mean: measured,
    a student that is limited by its size loses by synthetic rows that outweigh the real ones, and one that is limited
    by data gains about as much.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
        Real rows.
    ask : callable
        ``ask(rows, origin)`` returns the teacher's outputs.
    label_real : callable or None, default=None
        Maps the teacher's in-sample outputs for ``X`` to those that are taught (out of fold, out of bag).
    X_unlabeled : table or None, default=None
        More real rows.
    sampler : sampler or None, default=None
        ``None`` draws no rows.
    n_synthetic : int, float or "auto", default="auto"
        Rows to draw: their number, or as a float a multiple of the real rows.
    sample_weight : ndarray of shape (n_samples,)
        Weights of the rows of ``X``.
    rng : RandomState
    memory : joblib.Memory
        Keeps the drawn rows.

    Returns
    -------
    transfer_set : TransferSet
    """
    started = perf_counter()
    rows, outputs, weights = [X], [ask(X, "real rows")], [sample_weight]
    taught = outputs[0] if label_real is None else label_real(outputs[0])
    if X_unlabeled is not None:
        rows.append(X_unlabeled)
        outputs.append(ask(X_unlabeled, "unlabelled rows"))
        weights.append(np.full(X_unlabeled.shape[0], sample_weight.mean()))
    label_seconds = perf_counter() - started

    X_real, real_weight = stack_rows(rows), np.concatenate(weights)
    n_real = len(real_weight)
    n_drawn = 0 if sampler is None else _resolve_n_synthetic(n_synthetic, X_real.shape)
    synthetic_weight = sample_seconds = 0.0
    if n_drawn:
        started = perf_counter()
        sampler = seed_estimator(as_sampler(sampler), rng)
        present = np.flatnonzero(real_weight)  # rows of weight zero are no rows
        model_rows = X_real if len(present) == n_real else take_rows(X_real, present)
        model_outputs = np.concatenate(outputs)[present]
        synthetic = memory.cache(draw_rows)(sampler, model_rows, model_outputs, n_drawn, draw_seed(rng))
        sample_seconds = perf_counter() - started
        started = perf_counter()
        outputs.append(ask(synthetic, "synthetic rows"))
        label_seconds += perf_counter() - started
        synthetic_weight = float(min(real_weight.mean(), real_weight.sum() / n_drawn))
        rows.append(synthetic)
        weights.append(np.full(n_drawn, synthetic_weight))
    outputs[0] = taught
    n_unlabeled = n_real - X.shape[0]
    summary = TransferSummary(X.shape[0], n_unlabeled, n_drawn, synthetic_weight, label_seconds, sample_seconds)
    return TransferSet(stack_rows(rows), np.concatenate(outputs), np.concatenate(weights), summary)


def draw_rows(sampler: Any, X: Any, outputs: np.ndarray, n_samples: int, seed: int) -> Any:
    """Fit the sampler and draw rows, which must be rows of the same table.

    Raises
    ------
    SamplerError
        If they have other columns, another kind, or another number.
    """
    rows = sampler.fit(X, outputs).sample(n_samples, random_state=seed)
    mismatch = describe_mismatch(X, rows)
    if mismatch is None and rows.shape[0] != n_samples:
        mismatch = f"{rows.shape[0]} rows instead of {n_samples}"
    if mismatch is not None:
        raise SamplerError(
            f"{type(sampler).__name__}.sample returned {mismatch}; expected rows like those it was fitted on. "
            "Keep the columns, their order and their dtypes."
        )
    return rows


def _resolve_n_synthetic(n_synthetic: int | float | str, real_shape: tuple[int, int]) -> int:
    n_rows, n_features = real_shape
    if n_synthetic == "auto":
        return min(AUTO_RATIO * n_rows, AUTO_ROWS, max(n_rows, AUTO_CELLS // n_features))
    return int(n_synthetic) if isinstance(n_synthetic, Integral) else round(float(n_synthetic) * n_rows)
