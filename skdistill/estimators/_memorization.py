"""Whether a teacher has memorised the rows it was fitted on: seen without labels, on rows beside them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._tables import stack_rows, take_rows
from .._validation import draw_seed
from ..samplers import LeafSwap
from ..samplers._jitter import draw_beside
from ..transfer import Oracle, TransferSet

MIN_SHARE = 0.03
"""Share of the variance from which on a teacher is taken to have memorised its rows."""

MIN_ERRORS = 2.0
"""Standard errors that the share must be above zero for that."""

JITTER_SCALES = (0.05, 0.1)
"""Steps to the rows beside, as shares of the ranks of a column."""

MIN_LOOKUP_SHARE = 0.9
"""Share of its answers for synthetic rows that are answers for own rows, of a teacher that looks its answers up; and of
the answers for own rows that then differ."""

MAX_MEAN_SHIFT = 0.5
"""Standard deviations by which the mean answer for synthetic rows may differ from that for own rows: if it differs by
more, synthetic rows are no rows of this table, and tell nothing about what is memorised."""

STRONG_SHARE = 0.18
"""Share from which on much is memorised: extra trees that fit their rows exactly have more, most others less."""

QUERIES_PER_ROW = 5
"""Rows that the teacher is asked about for each real row looked at."""


@dataclass(frozen=True)
class Memorization:
    """How much of a teacher's answers on its own rows is found on no row beside them.

    Attributes
    ----------
    share : float
        Share of the variance of its answers: 0 where it answers its own rows as it does any, 1 where it answers any
        rows with values of its own ones, as a single near neighbour does. NaN if it was not measured, or the synthetic
        rows that it was compared with are too unlike the real ones.
    error : float
        Standard error of the share.
    """

    share: float = np.nan
    error: float = np.nan

    @property
    def is_clear(self) -> bool:
        """Whether the teacher has memorised its rows, beyond chance."""
        return bool(self.share > max(MIN_SHARE, MIN_ERRORS * self.error))

    @property
    def is_strong(self) -> bool:
        """Whether so much is memorised, beyond chance, that students are most likely better off without these rows."""
        return self.is_clear and self.share > STRONG_SHARE

    @property
    def is_possible(self) -> bool:
        """Whether it looks as if, if not beyond chance."""
        return bool(self.share > MIN_SHARE)


def measure_memorization(
    oracle: Oracle,
    real: TransferSet,
    targets_of: Callable[[np.ndarray], np.ndarray],
    n_rows: int,
    rng: np.random.RandomState,
) -> Memorization:
    r"""Ask a teacher about rows beside its own ones and beside synthetic ones.

    Let :math:`f` be the teacher, :math:`x` a row, and :math:`x', x''` two rows close to it, drawn independently. Where
    :math:`f` is at :math:`x` what it is around it, :math:`D(x) = E|f(x) - f(x')|^2 - E|f(x') - f(x'')|^2` is not above
    zero, since :math:`x'` and :math:`x''` are farther apart. Where the answer at :math:`x` itself stands out, it is.
    The share is the difference of the means of :math:`D` over own rows and over synthetic rows, which no teacher has
    seen, divided by the variance of :math:`f`.

    Parameters
    ----------
    oracle : Oracle
        Asked about five rows for each row looked at.
    real : TransferSet
        Rows that the teacher may have been fitted on.
    targets_of : callable
        Makes soft targets of the teacher's outputs.
    n_rows : int
        Rows to look at.
    rng : RandomState

    Returns
    -------
    memorization : Memorization
    """
    seeds = [draw_seed(rng) for _ in range(3)]
    own = real.take(np.sort(rng.permutation(len(real))[:n_rows]))
    X, outputs = oracle.draw(LeafSwap(), own, len(own), seeds[0])
    unit = _Unit.of(_flat(targets_of(real.outputs)))
    of_own, of_drawn = unit.scale(targets_of(own.outputs)), unit.scale(targets_of(outputs))
    if np.linalg.norm(of_own.mean(axis=0) - of_drawn.mean(axis=0)) > MAX_MEAN_SHIFT:
        return Memorization()
    if _looks_up(_flat(real.outputs)[:, 0], _flat(outputs)[:, 0]):
        return Memorization(1.0, 0.0)

    beside = [_beside(rows, seed) for rows in (own.X, X) for seed in seeds[1:]]
    answers = unit.scale(targets_of(oracle.label(stack_rows(beside), "rows beside others")))

    def stands_out(at: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return ((at - one) ** 2 - (one - other) ** 2).sum(axis=1)

    of_beside = np.split(answers, 4)
    own_stand_out, drawn_stand_out = stands_out(of_own, *of_beside[:2]), stands_out(of_drawn, *of_beside[2:])
    error = np.sqrt(own_stand_out.var() / len(own) + drawn_stand_out.var() / len(own))
    return Memorization(float(np.clip(own_stand_out.mean() - drawn_stand_out.mean(), 0, 1)), float(error))


def _looks_up(own: np.ndarray, drawn: np.ndarray) -> bool:
    """Whether a teacher of many values answers other rows with those of its own, as one near neighbour does."""
    values = np.unique(own)
    return len(values) > MIN_LOOKUP_SHARE * len(own) and bool(np.isin(drawn, values).mean() > MIN_LOOKUP_SHARE)


def _beside(X: Any, seed: int) -> Any:
    """Return a row beside each one: near to the first half of the rows, farther from the others."""
    is_near = np.arange(X.shape[0]) < X.shape[0] // 2
    parts = [
        draw_beside(take_rows(X, np.flatnonzero(of)), seed, scale=scale)
        for of, scale in zip((is_near, ~is_near), JITTER_SCALES, strict=True)
    ]
    return stack_rows(parts)


@dataclass(frozen=True)
class _Unit:
    """Scales targets so that their variances over real rows sum to one, each output counting the same."""

    largest: float
    deviation: np.ndarray

    @classmethod
    def of(cls, targets: np.ndarray) -> "_Unit":
        largest = float(np.abs(targets).max()) or 1.0  # squares of large outputs stay within floats
        deviation: np.ndarray = (targets / largest).std(axis=0)
        deviation[deviation == 0] = np.inf
        return cls(largest, deviation * np.sqrt(max(int(np.isfinite(deviation).sum()), 1)))

    def scale(self, targets: np.ndarray) -> np.ndarray:
        return _flat(targets) / self.largest / self.deviation


def _flat(targets: np.ndarray) -> np.ndarray:
    return targets.reshape(len(targets), -1)
