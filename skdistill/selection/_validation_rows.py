"""Validation rows of the sampler and student selection, and estimates of the fidelity on unseen rows from them."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from .._encoding import find_among
from .._tables import stack_rows, take_rows
from .._validation import draw_seed
from ..samplers import MUNGE, LeafSwap, TermSwap
from ..teachers import find_out_of_bag
from ..transfer import Draw, Oracle, TransferSet
from ._memorization import QUERIES_PER_ROW, Memorization, measure_memorization
from ._targets import Targets

MIN_VALIDATION_ROWS = 30
"""Minimum number of real rows for holding out a validation set, and minimum number of usable rows of ``X_val``."""

MIN_UNLABELED_ROWS, MAX_VALIDATION_ROWS = 100, 5000
"""The first number is the minimum number of unlabelled rows for using them instead of rows of ``X`` as validation rows;
the second is the maximum number of validation rows."""

POOL_SHARE = 0.5
"""Maximum share of the unlabelled rows that validate."""

MIN_SYNTHETIC_ROWS, SMALL_SYNTHETIC_ROWS = 50, 300
"""The first number is the minimum number of synthetic validation rows of a sampler. Up to the second number, they may
use twice ``VALIDATION_QUERY_SHARE``."""

MIN_ERRORS_SAMPLER = 4.0
"""Minimum number of standard errors by which another sampler must be better than the default: smaller differences
rarely persist on larger transfer sets."""

MIN_ERRORS_REAL_WEIGHT, MIN_GAIN_REAL_WEIGHT = 2.0, 0.05
"""Minimum number of standard errors, and minimum share of the loss, by which a smaller weight of the real rows must be
better where synthetic rows validate: these favour students that were fitted on synthetic rows only."""

MIN_OUT_OF_BAG_SHARE = 0.5
"""Minimum share of the held-out rows that have out-of-bag outputs of enough trees."""

NO_ROWS = np.zeros(0, dtype=int)

VALIDATION_QUERY_SHARE, MEMORIZATION_QUERY_SHARE = 0.03, 0.08
"""Number of queries, as shares of the number of synthetic rows, for the validation rows of each sampler and for the
measurement of memorisation. For the minimum number of rows, the measurement may use twice its share."""

MAX_SYNTHETIC_ROWS, MAX_MEMORIZATION_ROWS = 2000, 1000
"""Maximum numbers of synthetic validation rows of a sampler, and of real rows for the measurement of memorisation."""

ON_SYNTHETIC_ROWS = "synthetic rows"
ON_SEEN_ROWS = "rows of X, which the teacher may have been fitted on"
"""Origins of validation rows whose estimates may be biased."""

ON_UNLABELED_ROWS = "X_unlabeled"
"""Origin of validation rows that are half of the unlabelled rows, or were drawn at random before others."""

UNSEEN_KINDS = ("given", "unseen")
"""Kinds of validation rows that are real rows which the teacher was not fitted on, without synthetic ones."""

Z_95 = 1.96
"""Half-width of a 95 % interval in standard errors."""

FINAL_FIT_GAIN = 0.25
"""Relative decrease of the loss of a student of fidelity f, divided by f², when it is finally fitted on more real rows
and twice as many synthetic rows. This was measured on rows that no benchmark reports. If fewer unlabelled rows validate
than half of them, it decreases in proportion, because the final fit adds fewer rows."""

MIN_HALF_WIDTH = 0.002
HALF_WIDTH_SHARES = {
    "given": (0.05, 0.05),
    "unseen": (0.33, 0.3),
    "out of bag": (0.33, 0.5),
    "own": (0.6, 0.6),
    "synthetic": (0.6, 0.8),
}
"""Systematic error of an estimate, which widens its interval: a constant plus, for each kind of validation rows, shares
of the mean loss below and above the estimate."""


@dataclass(frozen=True)
class Losses:
    """Losses of a student on groups of validation rows.

    Attributes
    ----------
    groups : tuple of ndarray
        The losses of the rows of each group; fidelity is one minus their mean.
    weights : tuple of float
        Weights of the groups, independent of their numbers of rows; they sum to one.
    """

    groups: tuple[np.ndarray, ...]
    weights: tuple[float, ...] = (1.0,)

    @property
    def mean(self) -> float:
        """Mean loss."""
        return float(sum(w * losses.mean() for w, losses in zip(self.weights, self.groups, strict=True)))

    @property
    def fidelity(self) -> float:
        """One minus the mean loss."""
        return 1 - self.mean

    @property
    def error(self) -> float:
        """Standard error of the mean loss."""
        of_groups = zip(self.weights, self.groups, strict=True)
        return float(np.sqrt(sum(w**2 * losses.var() / len(losses) for w, losses in of_groups)))

    def __sub__(self, other: "Losses") -> "Losses":
        """Return the differences of the losses from those of another student on the same rows."""
        differences = tuple(mine - others for mine, others in zip(self.groups, other.groups, strict=True))
        return Losses(differences, self.weights)

    def is_clearly_above(self, other: "Losses", n_errors: float, share: float = 0.0) -> bool:
        """Whether the mean exceeds that of another student by ``n_errors`` standard errors and by a share of itself."""
        more = self - other
        return bool(more.mean > max(n_errors * more.error, share * self.mean))


class LeastGain(NamedTuple):
    """By how much the loss of a student must be smaller than that of another one."""

    n_errors: float
    """Number of standard errors of the difference."""
    share: float
    """Share of the loss of the other student."""


LEAST_GAIN, NO_GAIN = LeastGain(MIN_ERRORS_REAL_WEIGHT, MIN_GAIN_REAL_WEIGHT), LeastGain(0.0, 0.0)
"""That of a smaller weight of the real rows where synthetic rows validate, and none: the smaller loss decides."""


@dataclass(frozen=True)
class Group:
    """Validation rows with the targets of a perfect student.

    Attributes
    ----------
    X : table of shape (n_samples, n_features)
    targets : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,)
    noise : ndarray of shape (n_samples, n_outputs) or None, default=None
        Variance of the noise of the targets, which is subtracted from the losses and from the variance.
    importance : float, default=1.0
        Relative weight of the group.
    """

    X: Any
    targets: np.ndarray
    sample_weight: np.ndarray
    noise: np.ndarray | None = None
    importance: float = 1.0

    def mixed_with(self, other: "Group", share: float) -> "Group":
        """Return the rows of both groups; the rows of ``other`` have the given share of the total weight."""
        weights = ((1 - share) * self.sample_weight / self.sample_weight.sum(), share * other.sample_weight)
        return Group(
            stack_rows([self.X, other.X]),
            np.concatenate([self.targets, other.targets]),
            np.concatenate([weights[0], weights[1] / other.sample_weight.sum()]),
            importance=self.importance,
        )

    def losses(self, given: np.ndarray, *, pools_outputs: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the loss of each row, and its contribution to the variance times the number of rows."""
        size = np.abs(self.targets).max() or 1.0  # avoids overflow in the squares of large outputs
        targets = self.targets.reshape(len(self.targets), -1) / size
        noise = 0.0 if self.noise is None else self.noise / size / size
        weight = (self.sample_weight / self.sample_weight.mean())[:, None]
        squares = weight * ((targets - given.reshape(targets.shape) / size) ** 2 - noise)
        around = weight * ((targets - np.average(targets, axis=0, weights=weight[:, 0])) ** 2 - noise)
        variance = around.mean(axis=0)
        if pools_outputs:
            variance = variance.sum() if variance.sum() > 0 else 1.0
            return squares.sum(axis=1) / variance, around.sum(axis=1) / variance
        variance = np.where(variance > 0, variance, 1.0)
        return (squares / variance).mean(axis=1), (around / variance).mean(axis=1)


@dataclass(frozen=True)
class Estimate:
    """Estimated fidelity on unseen rows.

    Attributes
    ----------
    fidelity : float
        The estimate.
    low, high : float
        Its 95 % interval.
    """

    fidelity: float
    low: float
    high: float


@dataclass(frozen=True)
class Validation:
    """Validation rows that rank students, and validation rows that estimate the fidelity of the selected student.

    Attributes
    ----------
    ranking : tuple of Group
        Groups that rank students.
    reported : tuple of Group
        Groups that estimate the fidelity. Each of several groups tends to underestimate it, so the highest is reported.
    origin : str
        Origin of the rows as text.
    kind : {"given", "unseen", "out of bag", "own", "synthetic"}
        Kind of the rows. The final student is fitted on all kinds but "given". The last two kinds may be biased.
    targets : Targets
    final_fit_gain : float
        Relative decrease of the loss by the final fit, as :data:`FINAL_FIT_GAIN`.
    """

    ranking: tuple[Group, ...]
    reported: tuple[Group, ...]
    origin: str
    kind: str
    targets: Targets = field(repr=False)
    final_fit_gain: float = FINAL_FIT_GAIN

    def losses(self, student: Any) -> Losses:
        """Return the losses of a student that determine its rank."""
        total = sum(group.importance for group in self.ranking)
        weights = tuple(group.importance / total for group in self.ranking)
        return Losses(tuple(self._losses(student, group)[0] for group in self.ranking), weights)

    def estimate(self, student: Any) -> Estimate:
        """Return the estimated fidelity of a student on unseen rows."""
        losses, shares = min(
            (self._losses(student, group) for group in self.reported), key=lambda found: found[0].mean()
        )
        loss = losses.mean()
        error = (losses - loss * shares).std() / np.sqrt(len(losses))
        errors = np.hypot(error, error_of_one_more(1 - loss, len(losses))), error
        if self.kind != "given":
            loss *= 1 - self.final_fit_gain * max(1 - loss, 0) ** 2
        systematic = (MIN_HALF_WIDTH + share * loss for share in HALF_WIDTH_SHARES[self.kind])
        below, above = (np.hypot(Z_95 * each, other) for each, other in zip(errors, systematic, strict=True))
        return Estimate(1 - loss, 1 - loss - below, min(1 - loss + above, 1.0))

    def _losses(self, student: Any, group: Group) -> tuple[np.ndarray, np.ndarray]:
        given = self.targets.predict(student, group.X)
        return group.losses(given, pools_outputs=self.targets.pools_outputs)


def error_of_one_more(fidelity: float, n_rows: int) -> float:
    r"""Return by how much the standard error below an estimated fidelity is larger, as the root of squares.

    Large losses are rare, and few rows contain none of them. The error is therefore that of the rows and one more, for
    which the student is as far from the teacher as the mean of the teacher's outputs is on average: its loss is 1. With
    the variance :math:`\sigma^2` of :math:`n` losses of mean :math:`1 - f`, the squared standard error is
    :math:`\sigma^2 / n + f^2 / (n (n + 1))`.
    """
    return float(abs(fidelity) / np.sqrt(n_rows * (n_rows + 1)))


@dataclass(frozen=True)
class HeldOut:
    """The split of the real rows for the selection of sampler, weights and student.

    Attributes
    ----------
    training : ndarray of int
        Positions of the real rows that students are fitted on during the selection.
    validation : Validation
    memorization : Memorization
    """

    training: np.ndarray
    validation: Validation
    memorization: Memorization

    @property
    def is_trusted(self) -> bool:
        """Whether a small loss means that no further gain is possible: the teacher has not memorised its own rows."""
        is_known = self.validation.kind != "own" or not np.isnan(self.memorization.share)
        return is_known and not self.memorization.is_clear

    @property
    def starts_without_memorised(self) -> bool:
        """Whether the selection starts without the rows of ``X``, if the teacher has significantly memorised them.

        Synthetic validation rows favour students fitted without these rows; memorisation must then be strong.
        """
        return self.validation.kind not in ("own", "synthetic") or self.memorization.is_strong

    @property
    def least_gain(self) -> LeastGain:
        """By how much a smaller weight of the rows of ``X`` must be better.

        Real rows that the teacher has not seen favour no weight: there, the smaller loss decides.
        """
        return NO_GAIN if self.validation.kind in UNSEEN_KINDS else LEAST_GAIN

    def __str__(self) -> str:
        text = f"validating on {self.validation.origin}"
        if self.memorization.is_clear:
            share = f"{self.memorization.share:.2f} of the variance of its outputs is specific to these rows"
            text += f"; the teacher has memorised its training rows ({share})"
        return text


def label_given_rows(X_val: Any, targets: Targets, oracle: Oracle, rng: np.random.RandomState) -> Group | None:
    """Label as many rows of ``X_val`` as the budget allows; ``None`` if they are too few."""
    n_rows = 0 if X_val is None else int(min(X_val.shape[0], MAX_VALIDATION_ROWS, oracle.n_left / 4))
    if n_rows < MIN_VALIDATION_ROWS:
        return None
    X_val = take_rows(X_val, np.sort(rng.permutation(X_val.shape[0])[:n_rows]))
    return Group(X_val, targets.of(oracle.label(X_val, "validation rows")), np.ones(n_rows))


def hold_out(
    share: float,
    real: TransferSet,
    given: Group | None,
    targets: Targets,
    oracle: Oracle,
    *,
    are_out_of_sample: bool,
    n_synthetic: int,
    n_jobs: int | None,
    rng: np.random.RandomState,
) -> HeldOut:
    """Select the best available validation rows.

    The best are rows that the teacher was not fitted on: ``X_val``, half of ``X_unlabeled`` or the rows of it that were
    drawn at random before others were selected, rows of ``X`` that are labelled out-of-fold, or rows of ``X`` for which
    a fitted forest has out-of-bag outputs. Rows that were selected by outputs never validate. The next best are rows of
    ``X``, if the teacher has not memorised them. Otherwise, synthetic rows drawn from held-out rows rank the students,
    and synthetic rows drawn from all rows estimate the fidelity of the selected one.

    Parameters
    ----------
    share : float
        Share of the rows of ``X`` to hold out, if these are the validation rows.
    real : TransferSet
        Labelled real rows.
    given : Group or None
        Labelled rows of ``X_val``.
    targets : Targets
    oracle : Oracle
    are_out_of_sample : bool
        Whether the rows of ``X`` are labelled by teachers that have not seen them.
    n_synthetic : int
        Final number of synthetic rows, which limits the number of queries; 0 allows none.
    n_jobs : int or None
    rng : RandomState

    Returns
    -------
    held_out : HeldOut
    """
    memorization = _memorization(real, targets, oracle, n_synthetic, rng)
    present = np.flatnonzero(real.sample_weight)
    if given is not None:
        return HeldOut(present, Validation((given,), (given,), "X_val", "given", targets), memorization)
    of_pool, n_unlabeled = np.flatnonzero(real.is_unlabeled & ~real.is_selected), np.count_nonzero(real.is_unlabeled)
    is_pool = len(of_pool) >= MIN_UNLABELED_ROWS
    candidates = of_pool if is_pool else present[~real.is_selected[present]]
    most = round(POOL_SHARE * n_unlabeled if is_pool else share * len(candidates))
    n_rows = int(np.clip(most, MIN_VALIDATION_ROWS // 4, MAX_VALIDATION_ROWS))
    rows = np.sort(rng.permutation(candidates)[:n_rows])
    if is_pool or are_out_of_sample:
        origin = ON_UNLABELED_ROWS if is_pool else "rows of X, labelled by teachers that had not seen them"
        group = group_of(real.take(rows), targets)
        gain = FINAL_FIT_GAIN * len(rows) / (POOL_SHARE * n_unlabeled) if is_pool else FINAL_FIT_GAIN
        validation = Validation((group,), (group,), origin, "unseen", targets, min(gain, FINAL_FIT_GAIN))
    else:
        validation = _of_seen_rows(real, rows, memorization, targets, oracle, n_synthetic, n_jobs, rng)
    return HeldOut(np.setdiff1d(present, rows), validation, memorization)


def _of_seen_rows(
    real: TransferSet,
    rows: np.ndarray,
    memorization: Memorization,
    targets: Targets,
    oracle: Oracle,
    n_synthetic: int,
    n_jobs: int | None,
    rng: np.random.RandomState,
) -> Validation:
    """Return the validation rows made from rows that the teacher may have been fitted on."""
    held, seeds = real.take(rows), [draw_seed(rng) for _ in range(3)]
    _, out_of_bag = out_of_bag_group(real, rows, targets)
    share = max(
        VALIDATION_QUERY_SHARE * n_synthetic, min(2 * VALIDATION_QUERY_SHARE * n_synthetic, SMALL_SYNTHETIC_ROWS)
    )
    most = min(2 * len(held), share, oracle.n_left / 20, MAX_SYNTHETIC_ROWS)
    n_drawn = int(most) if most >= MIN_SYNTHETIC_ROWS and not np.isnan(memorization.share) else 0
    copied = (
        _copied_rows(real, rows) if n_drawn and memorization.is_possible and out_of_bag is None else held.take(NO_ROWS)
    )

    drawn = _groups_of_drawn(real, held, copied, n_drawn, targets, oracle, n_jobs, seeds) if n_drawn else ([], [])
    of_held, of_all = map(tuple, drawn)
    if out_of_bag is not None:
        return Validation((out_of_bag, *of_held), (out_of_bag,), "rows of X, out of bag", "out of bag", targets)
    if of_held and memorization.is_clear:
        return Validation(of_held, of_all or of_held, ON_SYNTHETIC_ROWS, "synthetic", targets)
    own, origin = group_of(held, targets), "rows of X and synthetic rows" if of_all else ON_SEEN_ROWS
    if real.is_unlabeled.any():
        origin = "rows of X and X_unlabeled; the teacher may have been fitted on the first"
    if of_held and memorization.is_possible:  # rows of X may be biased
        return Validation(of_held, of_all or of_held, origin, "synthetic", targets)
    return Validation(of_held or (own,), (own, *of_all), origin, "own", targets)


def _groups_of_drawn(
    real: TransferSet,
    held: TransferSet,
    copied: TransferSet,
    n_drawn: int,
    targets: Targets,
    oracle: Oracle,
    n_jobs: int | None,
    seeds: list[int],
) -> tuple[list[Group], list[Group]]:
    """Return groups of synthetic rows that are drawn from the held-out rows, and from all rows."""
    other = TermSwap() if sparse.issparse(held.X) else MUNGE(n_jobs=n_jobs)
    drawn = [(LeafSwap(), held, 2.0), (other, held, 1.0), (LeafSwap(), real, 1.0)]  # leaf swap ranks better
    draws = [Draw(sampler, parents, n_drawn, seed) for (sampler, parents, _), seed in zip(drawn, seeds, strict=True)]
    of_held: list[Group] = []
    of_all: list[Group] = []
    for (X, outputs), (_, parents, importance) in zip(oracle.draw_all(draws, n_jobs), drawn, strict=True):
        if len(outputs) < MIN_SYNTHETIC_ROWS:  # the teacher refuses the others
            continue
        group = Group(X, targets.of(outputs), np.ones(len(outputs)), importance=importance)
        if len(copied):  # unseen rows may be copies of training rows, at the same rate as held-out rows
            group = group.mixed_with(group_of(copied, targets), len(copied) / len(held))
        (of_held if parents is held else of_all).append(group)
    return of_held, of_all


def _copied_rows(real: TransferSet, rows: np.ndarray) -> TransferSet:
    """Return the held-out rows that have a copy among the other rows."""
    if sparse.issparse(real.X):
        return real.take(NO_ROWS)
    others = np.setdiff1d(np.flatnonzero(real.sample_weight), rows)
    return real.take(rows[find_among(take_rows(real.X, rows), take_rows(real.X, others))])


def group_of(rows: TransferSet, targets: Targets) -> Group:
    return Group(rows.X, targets.of(rows.outputs), rows.sample_weight)


def _memorization(
    real: TransferSet, targets: Targets, oracle: Oracle, n_synthetic: int, rng: np.random.RandomState
) -> Memorization:
    """Measure whether the teacher has memorised ``X``, if the query budget allows it."""
    own = np.flatnonzero(real.is_real & (real.sample_weight > 0))
    most = MEMORIZATION_QUERY_SHARE * min(n_synthetic, oracle.n_left) / QUERIES_PER_ROW
    most = max(most, min(2 * most, MIN_VALIDATION_ROWS))
    n_rows = int(min(len(own), most, MAX_MEMORIZATION_ROWS))
    if n_rows < MIN_VALIDATION_ROWS:
        return Memorization()
    return measure_memorization(oracle, real.take(own), targets.of, n_rows, rng)


def out_of_bag_group(real: TransferSet, rows: np.ndarray, targets: Targets) -> tuple[np.ndarray, Group | None]:
    """Return the rows with out-of-bag outputs and their group; ``None`` unless the teacher is a forest fitted on ``X``.

    Parameters
    ----------
    real : TransferSet
    rows : ndarray of int
        Positions of real rows.
    targets : Targets

    Returns
    -------
    known : ndarray of int
        Positions of those of the rows that have out-of-bag outputs of enough trees.
    group : Group or None
    """
    rows = rows[real.is_real[rows]]
    if real.sampled is not None:  # the forest may have been fitted on the table that the rows were sampled from
        X, places = real.sampled.table, real.sampled.rows[rows]
    else:
        X, places = real.X if real.is_real.all() else take_rows(real.X, np.flatnonzero(real.is_real)), rows
    out_of_bag = find_out_of_bag(targets.teacher, X, places) if len(rows) else None
    if out_of_bag is None or out_of_bag.is_known.mean() < MIN_OUT_OF_BAG_SHARE:
        return NO_ROWS, None
    known = np.flatnonzero(out_of_bag.is_known)
    held = real.take(rows[known])
    group = Group(held.X, targets.of(out_of_bag.outputs[known]), held.sample_weight, out_of_bag.noise[known])
    return rows[known], group
