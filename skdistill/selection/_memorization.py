"""A measure, without true labels, of whether a teacher has memorised its training rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._tables import stack_rows, take_rows
from .._validation import draw_seed
from ..samplers import LeafSwap
from ..samplers._jitter import draw_beside
from ..transfer import Oracle, TransferSet

MIN_MEMORIZED_SHARE = 0.03
"""Minimum share of the variance for which a teacher counts as having memorised its training rows."""

MIN_MEMORIZED_ERRORS = 2.0
"""Minimum number of standard errors by which the share must exceed zero."""

JITTER_SCALES = (0.05, 0.1)
"""Distances from a row to its neighbouring rows, as fractions of the range of ranks of a column."""

MIN_LOOKUP_SHARE = 0.9
"""A teacher that returns stored values has more than this share of distinct outputs on its training rows, and more than
this share of its outputs on synthetic rows are among them."""

MAX_MEAN_SHIFT = 0.5
"""Maximum difference, in standard deviations, between the mean outputs on synthetic rows and on real rows. If the
difference is larger, synthetic rows are too unlike the real rows for measuring memorisation."""

MIN_STRONGLY_MEMORIZED_SHARE = 0.18
"""Minimum share for strong memorisation: extra trees without regularisation exceed it, most other teachers do not."""

MIN_DRAWN_ROWS = 30
"""Minimum number of synthetic rows that the teacher labels."""

QUERIES_PER_ROW = 5
"""Number of queries per real row that is examined."""


@dataclass(frozen=True)
class Memorization:
    """The share of a teacher's outputs on its training rows that it does not reproduce on neighbouring rows.

    Attributes
    ----------
    share : float
        Share of the variance of the outputs: 0 if training rows and unseen rows have similar outputs, 1 if the teacher
        returns stored values for all rows, as 1-nearest-neighbour models do. NaN if it was not measured, or if the
        synthetic rows used for comparison are too unlike the real rows.
    error : float
        Standard error of the share.
    """

    share: float = np.nan
    error: float = np.nan

    @property
    def is_clear(self) -> bool:
        """Whether the teacher has significantly memorised its training rows."""
        return bool(self.share > max(MIN_MEMORIZED_SHARE, MIN_MEMORIZED_ERRORS * self.error))

    @property
    def is_strong(self) -> bool:
        """Whether memorisation is significant and so strong that excluding these rows most likely helps students."""
        return self.is_clear and self.share > MIN_STRONGLY_MEMORIZED_SHARE

    @property
    def is_possible(self) -> bool:
        """Whether the estimated share is above the minimum, significantly or not."""
        return bool(self.share > MIN_MEMORIZED_SHARE)


def measure_memorization(
    oracle: Oracle,
    real: TransferSet,
    targets_of: Callable[[np.ndarray], np.ndarray],
    n_rows: int,
    rng: np.random.RandomState,
) -> Memorization:
    r"""Measure memorisation by the teacher's outputs close to its training rows and close to synthetic rows.

    Let :math:`f` be the teacher, :math:`x` a row, and :math:`x', x''` two rows close to it, drawn independently. If
    :math:`f` is smooth around :math:`x`, then :math:`D(x) = E|f(x) - f(x')|^2 - E|f(x') - f(x'')|^2` is at most zero,
    since :math:`x'` and :math:`x''` are farther apart. If :math:`f(x)` is an outlier among the outputs around
    :math:`x`, then :math:`D(x)` is positive. The share is the difference between the mean of :math:`D` over training
    rows and its mean over synthetic rows, which no teacher has seen, divided by the variance of :math:`f`.

    Parameters
    ----------
    oracle : Oracle
        Labels five rows for each row examined.
    real : TransferSet
        Rows that the teacher may have been fitted on.
    targets_of : callable
        Maps outputs of the teacher to soft targets.
    n_rows : int
        Number of rows to examine.
    rng : RandomState

    Returns
    -------
    memorization : Memorization
    """
    seeds = [draw_seed(rng) for _ in range(3)]
    own = real.take(np.sort(rng.permutation(len(real))[:n_rows]))
    X, outputs = oracle.draw(LeafSwap(), own, len(own), seeds[0])
    if len(outputs) < MIN_DRAWN_ROWS:  # the teacher refuses synthetic rows
        return Memorization()
    unit = _Unit.of(_flat(targets_of(real.outputs)))
    of_own, of_drawn = unit.scale(targets_of(own.outputs)), unit.scale(targets_of(outputs))
    if np.linalg.norm(of_own.mean(axis=0) - of_drawn.mean(axis=0)) > MAX_MEAN_SHIFT:
        return Memorization()
    if _looks_up(_flat(real.outputs)[:, 0], _flat(outputs)[:, 0]):
        return Memorization(1.0, 0.0)

    neighbors = stack_rows([_neighbors_of(rows, seed) for rows in (own.X, X) for seed in seeds[1:]])
    neighbors, labels_near = oracle.label_drawn(neighbors, "neighbouring rows")
    if len(labels_near) < 2 * (len(own) + len(outputs)):  # pairs are incomplete
        return Memorization()
    outputs_near = unit.scale(targets_of(labels_near))

    def excess(at: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return ((at - one) ** 2 - (one - other) ** 2).sum(axis=1)

    of_neighbors = np.split(outputs_near, np.cumsum([len(own), len(own), len(outputs)]))
    own_excess, drawn_excess = excess(of_own, *of_neighbors[:2]), excess(of_drawn, *of_neighbors[2:])
    error = np.sqrt(own_excess.var() / len(own) + drawn_excess.var() / len(outputs))
    return Memorization(float(np.clip(own_excess.mean() - drawn_excess.mean(), 0, 1)), float(error))


def _looks_up(own: np.ndarray, drawn: np.ndarray) -> bool:
    """Whether the outputs on drawn rows are stored outputs of training rows, as for a 1-nearest-neighbour model."""
    values = np.unique(own)
    return len(values) > MIN_LOOKUP_SHARE * len(own) and bool(np.isin(drawn, values).mean() > MIN_LOOKUP_SHARE)


def _neighbors_of(X: Any, seed: int) -> Any:
    """Return one neighbouring row per row: at the smaller distance for the first half, at the larger for the rest."""
    is_near = np.arange(X.shape[0]) < X.shape[0] // 2
    parts = [
        draw_beside(take_rows(X, np.flatnonzero(of)), seed, scale=scale)
        for of, scale in zip((is_near, ~is_near), JITTER_SCALES, strict=True)
    ]
    return stack_rows(parts)


@dataclass(frozen=True)
class _Unit:
    """Scales targets so that their variances over the real rows sum to one, with equal contributions of all outputs."""

    largest: float
    deviation: np.ndarray

    @classmethod
    def of(cls, targets: np.ndarray) -> "_Unit":
        largest = float(np.abs(targets).max()) or 1.0  # avoids overflow in the squares of large outputs
        deviation: np.ndarray = (targets / largest).std(axis=0)
        deviation[deviation == 0] = np.inf
        return cls(largest, deviation * np.sqrt(max(int(np.isfinite(deviation).sum()), 1)))

    def scale(self, targets: np.ndarray) -> np.ndarray:
        return _flat(targets) / self.largest / self.deviation


def _flat(targets: np.ndarray) -> np.ndarray:
    return targets.reshape(len(targets), -1)
