"""The transfer set: the rows a student is taught on, and how they come together."""

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral
from time import perf_counter
from typing import Any, Literal

import joblib
import numpy as np

from ._tables import describe_mismatch, stack_rows
from ._validation import draw_seed, seed_estimator
from .exceptions import SamplerError
from .samplers import as_sampler

AUTO_RATIO = 10
"""Synthetic rows a real one, for ``n_synthetic="auto"``."""

AUTO_LIMIT = 200_000
"""Synthetic rows at most, for ``n_synthetic="auto"``: large tables need them least and pay most."""


@dataclass(frozen=True)
class TransferSummary:
    """What a transfer set was made of; it holds no rows.

    Attributes
    ----------
    n_real, n_unlabeled, n_synthetic : int
        Rows by origin.
    synthetic_weight : float
        Weight of one synthetic row; a real one of unit ``sample_weight`` has 1.
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

    Synthetic rows share the weight of all real ones, and none weighs more than a real one: measured, a student that
    is limited by its size loses by synthetic rows that outweigh the real ones, and one that is limited by data gains
    about as much.

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

    X_real, n_real = stack_rows(rows), sum(len(weight) for weight in weights)
    n_drawn = 0 if sampler is None else _resolve_n_synthetic(n_synthetic, n_real)
    synthetic_weight = sample_seconds = 0.0
    if n_drawn:
        started = perf_counter()
        sampler = seed_estimator(as_sampler(sampler), rng)
        synthetic = memory.cache(draw_rows)(sampler, X_real, np.concatenate(outputs), n_drawn, draw_seed(rng))
        sample_seconds = perf_counter() - started
        started = perf_counter()
        outputs.append(ask(synthetic, "synthetic rows"))
        label_seconds += perf_counter() - started
        synthetic_weight = min(1.0, float(sum(weight.sum() for weight in weights)) / n_drawn)
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


def _resolve_n_synthetic(n_synthetic: int | float | str, n_real: int) -> int:
    if n_synthetic == "auto":
        return min(AUTO_RATIO * n_real, AUTO_LIMIT)
    return int(n_synthetic) if isinstance(n_synthetic, Integral) else round(float(n_synthetic) * n_real)
