"""The transfer set: the rows a student is taught on, and how they come together."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from numbers import Integral
from time import perf_counter
from typing import Any, Literal

import joblib
import numpy as np

from ._tables import describe_mismatch, stack_rows, take_rows
from ._validation import draw_seed, seed_estimator
from .exceptions import SamplerError
from .samplers import as_sampler, choose_from_pool

AUTO_RATIO = 10
"""Synthetic rows a real one, for ``n_synthetic="auto"``."""

AUTO_ROWS, AUTO_CELLS = 200_000, 20_000_000
"""Synthetic rows and cells at most, for ``n_synthetic="auto"``: large tables need them least and pay most."""


SYNTHETIC_WEIGHT = 4.0
"""Of all synthetic rows together, in weights of all real ones; none weighs more than a real one."""


@dataclass(frozen=True)
class TransferSummary:
    """What a transfer set was made of; it holds no rows.

    Attributes
    ----------
    n_real, n_unlabeled, n_synthetic : int
        Rows by origin.
    synthetic_weight : float
        Weight of one synthetic row; a real one has its ``sample_weight``, or 1.
    sampler : str
        What the synthetic rows were drawn with; empty where there are none.
    n_queries : int
        Rows the teacher was asked about, also those that were asked only to choose a sampler.
    label_seconds : float
        Time the teacher took to label them (less where its answers were in the memory).
    sample_seconds : float
        Time the samplers took.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import DistilledRegressor
    >>> from skdistill.samplers import Jitter
    >>> X = np.linspace(0, 1, 40).reshape(-1, 1)
    >>> model = DistilledRegressor(lambda X: X[:, 0] ** 2, "linear", sampler=Jitter(), n_synthetic=100, random_state=0)
    >>> summary = model.fit(X).transfer_set_
    >>> summary.n_real, summary.n_synthetic, summary.sampler, summary.n_queries
    (40, 100, 'Jitter()', 140)
    """

    n_real: int
    n_unlabeled: int
    n_synthetic: int
    synthetic_weight: float
    sampler: str
    n_queries: int
    label_seconds: float
    sample_seconds: float

    def __repr__(self) -> str:
        told = {name: f"{value:.3g}" if isinstance(value, float) else repr(value) for name, value in vars(self).items()}
        return f"TransferSummary({', '.join(f'{name}={text}' for name, text in told.items())})"


@dataclass(frozen=True)
class TransferSet:
    """Rows with the teacher's outputs and a weight each; real rows first.

    Attributes
    ----------
    X : table of shape (n_samples, n_features)
    outputs : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        What the teacher said, and what is taught.
    sample_weight : ndarray of shape (n_samples,)
    truth : ndarray of shape (n_samples,) or (n_samples, n_outputs) or None, default=None
        True labels as targets; NaN in rows without.
    n_synthetic : int, default=0
        How many of the rows, the last ones, are synthetic.
    sampler : str, default=""
        What they were drawn with.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.transfer import TransferSet
    >>> real = TransferSet(np.eye(2), np.array([0.0, 1.0]), np.ones(2))
    >>> both = real.extend([(np.zeros((4, 2)), np.full(4, 0.5))], total_weight=1.0, sampler="zeros")
    >>> both.n_real, both.n_synthetic, both.sample_weight.tolist()
    (2, 4, [1.0, 1.0, 0.5, 0.5, 0.5, 0.5])
    """

    X: Any
    outputs: np.ndarray
    sample_weight: np.ndarray
    truth: np.ndarray | None = None
    n_synthetic: int = 0
    sampler: str = ""

    def take(self, rows: np.ndarray) -> "TransferSet":
        """Return the rows numbered ``rows``, in ascending order."""
        truth = None if self.truth is None else self.truth[rows]
        n_synthetic = int(np.count_nonzero(rows >= self.n_real))
        X, outputs, weight = take_rows(self.X, rows), self.outputs[rows], self.sample_weight[rows]
        return TransferSet(X, outputs, weight, truth, n_synthetic, self.sampler)

    @property
    def n_real(self) -> int:
        """How many of the rows, the first ones, are real."""
        return len(self.sample_weight) - self.n_synthetic

    def extend(self, synthetic: list[tuple[Any, np.ndarray]], total_weight: float, sampler: str) -> "TransferSet":
        """Return these real rows with synthetic ones below.

        All synthetic rows together weigh ``total_weight`` times as much as all real ones, but none weighs more than a
        real one does in the mean.
        """
        n_drawn = sum(len(outputs) for _, outputs in synthetic)
        weight = min(self.sample_weight.mean(), total_weight * self.sample_weight.sum() / n_drawn)
        truth = self.truth
        if truth is not None:
            truth = np.concatenate([truth, np.full((n_drawn, *truth.shape[1:]), np.nan)])
        return TransferSet(
            stack_rows([self.X, *(rows for rows, _ in synthetic)]),
            np.concatenate([self.outputs, *(outputs for _, outputs in synthetic)]),
            np.concatenate([self.sample_weight, np.full(n_drawn, weight)]),
            truth,
            n_drawn,
            sampler,
        )

    def summary(self, is_unlabeled: np.ndarray, oracle: "Oracle") -> TransferSummary:
        """Return what the set was made of; ``is_unlabeled`` tells which of its real rows had no label."""
        n_unlabeled = int(np.count_nonzero(is_unlabeled))
        return TransferSummary(
            len(is_unlabeled) - n_unlabeled,
            n_unlabeled,
            self.n_synthetic,
            float(self.sample_weight[-1]) if self.n_synthetic else 0.0,
            self.sampler,
            oracle.n_queries,
            oracle.label_seconds,
            oracle.sample_seconds,
        )


@dataclass
class Oracle:
    """The teacher, within a budget, and what it and the samplers have cost.

    Attributes
    ----------
    ask : callable
        ``ask(rows, origin)`` returns the teacher's outputs.
    memory : joblib.Memory
        Keeps drawn rows.
    max_queries : int or None, default=None
        Rows it may be asked about.
    n_queries : int
        Rows it was asked about.
    label_seconds, sample_seconds : float
        Time to ask, and to draw rows.
    """

    ask: Callable[[Any, str], np.ndarray]
    memory: joblib.Memory
    max_queries: int | None = None
    n_queries: int = field(default=0, init=False)
    label_seconds: float = field(default=0.0, init=False)
    sample_seconds: float = field(default=0.0, init=False)

    @property
    def n_left(self) -> float:
        """Rows it may still be asked about."""
        return np.inf if self.max_queries is None else self.max_queries - self.n_queries

    def label(self, rows: Any, origin: str) -> np.ndarray:
        """Return the teacher's outputs for ``rows``."""
        started = perf_counter()
        outputs = self.ask(rows, origin)
        self.label_seconds += perf_counter() - started
        self.n_queries += rows.shape[0]
        return outputs

    def draw(self, sampler: Any, real: TransferSet, n_samples: int, seed: int) -> tuple[Any, np.ndarray]:
        """Draw so many synthetic rows from the real ones and label them."""
        started = perf_counter()
        present = np.flatnonzero(real.sample_weight)  # rows of weight zero are no rows
        base = real if len(present) == len(real.sample_weight) else real.take(present)
        rows = self.memory.cache(draw_rows)(sampler, base.X, base.outputs, n_samples, seed)
        self.sample_seconds += perf_counter() - started
        return rows, self.label(rows, "synthetic rows")


def label_real_rows(
    X: Any,
    oracle: Oracle,
    *,
    sample_weight: np.ndarray,
    truth: np.ndarray | None = None,
    X_unlabeled: Any = None,
    label_anew: Callable[[np.ndarray], np.ndarray] | None = None,
    rng: np.random.RandomState,
) -> tuple[TransferSet, np.ndarray]:
    """Label the real rows, those of ``X`` first.

    Where the budget is too small for ``X``, rows of it are drawn at random; where it is too small for ``X_unlabeled``,
    more of its rows are drawn where the teacher's outputs vary more.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
    oracle : Oracle
    sample_weight : ndarray of shape (n_samples,)
        Weights of the rows of ``X``; unlabelled rows get their mean.
    truth : ndarray or None, default=None
        True labels of the rows of ``X``, as targets.
    X_unlabeled : table or None, default=None
        More real rows.
    label_anew : callable or None, default=None
        Maps the teacher's in-sample outputs for ``X`` to those that are taught (out of fold, out of bag).
    rng : RandomState

    Returns
    -------
    real : TransferSet
        With the outputs that are taught.
    is_unlabeled : ndarray of bool, shape (n_samples,)
        Which of its rows come from ``X_unlabeled``.
    """
    if X.shape[0] > oracle.n_left:
        first = np.argsort(sample_weight == 0, kind="stable")  # rows of weight zero are no rows
        order = rng.permutation(np.count_nonzero(sample_weight))
        chosen = np.sort(np.append(first[: len(order)][order], first[len(order) :])[: int(oracle.n_left)])
        X, sample_weight = take_rows(X, chosen), sample_weight[chosen]
        truth = None if truth is None else truth[chosen]
    outputs = oracle.label(X, "real rows")
    if label_anew is not None:
        outputs = label_anew(outputs)
    real = TransferSet(X, outputs, sample_weight, truth)
    is_unlabeled = np.zeros(X.shape[0], dtype=bool)
    if X_unlabeled is None or oracle.n_left < 1:
        return real, is_unlabeled
    pool = X_unlabeled
    if pool.shape[0] > oracle.n_left:
        pool = take_rows(pool, choose_from_pool(X, outputs, pool, int(oracle.n_left), rng))
    with_pool = real.extend([(pool, oracle.label(pool, "unlabelled rows"))], np.inf, "")
    return replace(with_pool, n_synthetic=0), np.append(is_unlabeled, np.ones(pool.shape[0], dtype=bool))


def draw_rows(sampler: Any, X: Any, outputs: np.ndarray, n_samples: int, seed: int) -> Any:
    """Fit a clone of the sampler and draw rows, which must be rows of the same table.

    Raises
    ------
    SamplerError
        If they have other columns, another kind, or another number.
    """
    rng = np.random.RandomState(seed)
    fitted = seed_estimator(as_sampler(sampler), rng).fit(X, outputs)
    rows = fitted.sample(n_samples, random_state=draw_seed(rng))
    mismatch = describe_mismatch(X, rows)
    if mismatch is None and rows.shape[0] != n_samples:
        mismatch = f"{rows.shape[0]} rows instead of {n_samples}"
    if mismatch is None and isinstance(X, np.ndarray) and rows.dtype.kind != X.dtype.kind:
        mismatch = f"dtype {rows.dtype} instead of {X.dtype}"
    if mismatch is not None:
        raise SamplerError(
            f"{type(sampler).__name__}.sample returned {mismatch}; expected rows like those it was fitted on. "
            "Keep the columns, their order and their dtypes."
        )
    return rows


def count_synthetic(
    n_synthetic: int | float | Literal["auto"], n_rows: int, n_features: int, ratio: int = AUTO_RATIO
) -> int:
    """Return how many rows ``n_synthetic`` means: their number, as a float a multiple of the real rows, or "auto"."""
    if n_synthetic == "auto":
        return min(ratio * n_rows, AUTO_ROWS, max(n_rows, AUTO_CELLS // n_features))
    return int(n_synthetic) if isinstance(n_synthetic, Integral) else round(float(n_synthetic) * n_rows)
