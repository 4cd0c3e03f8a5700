"""The rows that students are validated on while they are chosen, and what these rows can tell of unseen ones."""

from dataclasses import dataclass, field
from typing import Any

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
"""Real rows below which nothing is held out, and rows of ``X_val`` that are of use at least."""

MIN_UNLABELED_ROWS, MAX_VALIDATION_ROWS = 100, 5000
"""Unlabelled rows that students are validated on instead of rows of ``X``, at least; and validation rows at most."""

MIN_SYNTHETIC_ROWS, SMALL_SYNTHETIC_ROWS = 50, 300
"""Synthetic rows that are of use at least, and up to which they may take twice the share of the queries."""

MIN_ERRORS_SAMPLER = 4.0
"""Standard errors by which a choice must be better than the default: on more rows than it is tried on it seldom is."""

MIN_ERRORS_REAL_WEIGHT, MIN_GAIN_REAL_WEIGHT = 2.0, 0.1
"""Standard errors by which a student must be better with less weight of the real rows, and share of its loss that it
must be better by: synthetic rows that validate like students that were taught nothing else."""

MIN_OUT_OF_BAG_SHARE = 0.5
"""Share of the held-out rows that enough trees of a forest must have left out."""

NO_ROWS = np.zeros(0, dtype=int)

VALIDATION_QUERY_SHARE, MEMORIZATION_QUERY_SHARE = 0.03, 0.08
"""Queries in shares of the synthetic rows: of each sampler that validates, and to measure what is memorised."""

MAX_SYNTHETIC_ROWS, MAX_MEMORIZATION_ROWS = 2000, 1000
"""Synthetic rows of a sampler that validate, and real rows by which it is measured what is memorised, at most."""

ON_SYNTHETIC_ROWS = "synthetic rows"
ON_SEEN_ROWS = "rows of X, which the teacher may have been fitted on"
"""What is said of validation rows that must be taken with care."""

Z_95 = 1.96
"""Standard errors to either side of an estimate."""

FINAL_FIT_GAIN = 0.25
"""Share of what it loses while it is validated that a student of high fidelity f does not lose in the end, when it is
taught on more real rows and twice the synthetic ones; times f². Measured on rows that no benchmark reports."""

MIN_HALF_WIDTH = 0.002
HALF_WIDTH_SHARES = {
    "given": (0.05, 0.05),
    "unseen": (0.33, 0.3),
    "out of bag": (0.33, 0.5),
    "own": (0.6, 0.6),
    "synthetic": (0.6, 0.8),
}
"""What an interval is wider by to either side: a constant, and for each kind of rows shares of the mean loss."""


@dataclass(frozen=True)
class Losses:
    """Losses of validation rows, in groups.

    Attributes
    ----------
    groups : tuple of ndarray
        For each group the losses of its rows; fidelity is one minus their mean.
    weights : tuple of float
        Of the groups, however many rows they have; they sum to one.
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
        """Return what each row loses more than by another student."""
        differences = tuple(mine - others for mine, others in zip(self.groups, other.groups, strict=True))
        return Losses(differences, self.weights)

    def is_clearly_above(self, other: "Losses", n_errors: float, share: float = 0.0) -> bool:
        """Whether more is lost than by another student, by more than so many standard errors and a share of all."""
        more = self - other
        return bool(more.mean > max(n_errors * more.error, share * self.mean))


@dataclass(frozen=True)
class Group:
    """Rows with what a perfect student would say of them.

    Attributes
    ----------
    X : table of shape (n_samples, n_features)
    targets : ndarray of shape (n_samples,) or (n_samples, n_outputs)
    sample_weight : ndarray of shape (n_samples,)
    noise : ndarray of shape (n_samples, n_outputs) or None, default=None
        Variance of the targets that no student can follow, and that is left out of losses and variance.
    importance : float, default=1.0
        How much the group counts beside others.
    """

    X: Any
    targets: np.ndarray
    sample_weight: np.ndarray
    noise: np.ndarray | None = None
    importance: float = 1.0

    def beside(self, other: "Group", share: float) -> "Group":
        """Return rows of both, of which those of the other have a share of the weight."""
        weights = ((1 - share) * self.sample_weight / self.sample_weight.sum(), share * other.sample_weight)
        return Group(
            stack_rows([self.X, other.X]),
            np.concatenate([self.targets, other.targets]),
            np.concatenate([weights[0], weights[1] / other.sample_weight.sum()]),
            importance=self.importance,
        )

    def losses(self, given: np.ndarray, *, pools_outputs: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return for each row its loss, and its share of the variance, times the number of rows."""
        size = np.abs(self.targets).max() or 1.0  # squares of large outputs stay within floats
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
    """Fidelity on unseen rows, estimated.

    Attributes
    ----------
    fidelity, low, high : float
        And its 95 % interval.
    """

    fidelity: float
    low: float
    high: float


@dataclass(frozen=True)
class Validation:
    """Rows that rank students, and rows that tell how well the chosen one follows the teacher.

    Attributes
    ----------
    ranking : tuple of Group
    reported : tuple of Group
        Where there are several, each tends to tell too little, and the one that tells most is believed.
    origin : str
        Where the rows come from, in words.
    kind : {"given", "unseen", "out of bag", "own", "synthetic"}
        What they are. Only those given are not taught in the end, and the last two may mislead.
    targets : Targets
    """

    ranking: tuple[Group, ...]
    reported: tuple[Group, ...]
    origin: str
    kind: str
    targets: Targets = field(repr=False)

    def losses(self, student: Any) -> Losses:
        """Return the losses that rank a student."""
        total = sum(group.importance for group in self.ranking)
        weights = tuple(group.importance / total for group in self.ranking)
        return Losses(tuple(self._losses(student, group)[0] for group in self.ranking), weights)

    def estimate(self, student: Any) -> Estimate:
        """Return how well a student follows the teacher on unseen rows, as far as these rows can tell."""
        losses, shares = min(
            (self._losses(student, group) for group in self.reported), key=lambda found: found[0].mean()
        )
        loss = losses.mean()
        error = Z_95 * (losses - loss * shares).std() / np.sqrt(len(losses))
        if self.kind != "given":
            loss *= 1 - FINAL_FIT_GAIN * max(1 - loss, 0) ** 2
        below, above = (np.hypot(error, MIN_HALF_WIDTH + share * loss) for share in HALF_WIDTH_SHARES[self.kind])
        return Estimate(1 - loss, 1 - loss - below, min(1 - loss + above, 1.0))

    def _losses(self, student: Any, group: Group) -> tuple[np.ndarray, np.ndarray]:
        given = self.targets.predict(student, group.X)
        return group.losses(given, pools_outputs=self.targets.pools_outputs)


@dataclass(frozen=True)
class HeldOut:
    """What is held out of a table while sampler, weights and student are chosen.

    Attributes
    ----------
    taught : ndarray of int
        Positions of the real rows that students are taught on during the selection.
    validation : Validation
    memorization : Memorization
    """

    taught: np.ndarray
    validation: Validation
    memorization: Memorization

    @property
    def starts_without_memorised(self) -> bool:
        """Whether rows of ``X`` are left out until they prove their worth, if they are clearly memorised.

        Where only synthetic rows validate, which like students that were taught nothing else, much must be memorised.
        """
        return self.validation.kind not in ("own", "synthetic") or self.memorization.is_strong

    def __str__(self) -> str:
        said = f"validating on {self.validation.origin}"
        if self.memorization.is_clear:
            share = f"{self.memorization.share:.2f} of the variance of its answers there is found on no row beside them"
            said += f"; the teacher has memorised its own rows ({share})"
        return said


def label_given_rows(X_val: Any, targets: Targets, oracle: Oracle, rng: np.random.RandomState) -> Group | None:
    """Label the rows that the user holds out, as many as the budget allows; ``None`` if they are too few."""
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
    """Choose validation rows: the best that there are.

    Best are rows that the teacher was not fitted on: those given (``X_val``), half of ``X_unlabeled``, rows of ``X``
    that are labelled out of fold, or out of bag, which a fitted forest can do for the rows it was fitted on. Next are
    rows of ``X``, if the teacher answers them as it does any others. Where it has memorised them, synthetic rows of
    held-out parents rank the students, and synthetic rows of all parents tell how well the chosen one does.

    Parameters
    ----------
    share : float
        Of the rows of ``X``, where these validate.
    real : TransferSet
        Labelled real rows.
    given : Group or None
        Rows of the user, labelled.
    targets : Targets
    oracle : Oracle
    are_out_of_sample : bool
        The rows of ``X`` are labelled by teachers that have not seen them.
    n_synthetic : int
        Synthetic rows in the end, in shares of which queries may be spent; 0 allows none.
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
    is_pool = np.count_nonzero(real.is_unlabeled) >= MIN_UNLABELED_ROWS
    candidates, share = (np.flatnonzero(real.is_unlabeled), 0.5) if is_pool else (present, share)
    n_rows = int(np.clip(round(share * len(candidates)), MIN_VALIDATION_ROWS // 4, MAX_VALIDATION_ROWS))
    rows = np.sort(rng.permutation(candidates)[:n_rows])
    if is_pool or are_out_of_sample:
        origin = "X_unlabeled" if is_pool else "rows of X, labelled by teachers that had not seen them"
        group = _group_of(real.take(rows), targets)
        validation = Validation((group,), (group,), origin, "unseen", targets)
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
    """Return how to validate with some of the rows that the teacher may have been fitted on."""
    held, seeds = real.take(rows), [draw_seed(rng) for _ in range(3)]
    out_of_bag = _out_of_bag_group(real, rows, targets)
    share = max(
        VALIDATION_QUERY_SHARE * n_synthetic, min(2 * VALIDATION_QUERY_SHARE * n_synthetic, SMALL_SYNTHETIC_ROWS)
    )
    most = min(2 * len(held), share, oracle.n_left / 20, MAX_SYNTHETIC_ROWS)
    n_drawn = int(most) if most >= MIN_SYNTHETIC_ROWS and not np.isnan(memorization.share) else 0
    copied = (
        _copied_rows(real, rows) if n_drawn and memorization.is_possible and out_of_bag is None else held.take(NO_ROWS)
    )

    groups: list[Group] = []
    if n_drawn:
        other = TermSwap() if sparse.issparse(held.X) else MUNGE(n_jobs=n_jobs)
        drawn = [(LeafSwap(), held, 2.0), (other, held, 1.0), (LeafSwap(), real, 1.0)]  # leaf swap ranks better
        draws = [
            Draw(sampler, parents, n_drawn, seed) for (sampler, parents, _), seed in zip(drawn, seeds, strict=True)
        ]
        for (X, outputs), (*_, importance) in zip(oracle.draw_all(draws, n_jobs), drawn, strict=True):
            group = Group(X, targets.of(outputs), np.ones(n_drawn), importance=importance)
            # beside rows that unseen rows would be copies of
            groups.append(group.beside(_group_of(copied, targets), len(copied) / len(held)) if len(copied) else group)
    of_held, of_all = tuple(groups[:2]), tuple(groups[2:])
    if out_of_bag is not None:
        return Validation((out_of_bag, *of_held), (out_of_bag,), "rows of X, out of bag", "out of bag", targets)
    if of_held and memorization.is_clear:
        return Validation(of_held, of_all, ON_SYNTHETIC_ROWS, "synthetic", targets)
    own, origin = _group_of(held, targets), "rows of X and synthetic rows" if of_all else ON_SEEN_ROWS
    if real.is_unlabeled.any():
        origin = "rows of X and X_unlabeled; the teacher may have been fitted on the first"
    if of_held and memorization.is_possible:  # own rows may mislead
        return Validation(of_held, of_all, origin, "synthetic", targets)
    return Validation(of_held or (own,), (own, *of_all), origin, "own", targets)


def _copied_rows(real: TransferSet, rows: np.ndarray) -> TransferSet:
    """Return those held-out rows that stand among the others, too: as many of the unseen rows will be copies."""
    if sparse.issparse(real.X):
        return real.take(NO_ROWS)
    others = np.setdiff1d(np.flatnonzero(real.sample_weight), rows)
    return real.take(rows[find_among(take_rows(real.X, rows), take_rows(real.X, others))])


def _group_of(rows: TransferSet, targets: Targets) -> Group:
    return Group(rows.X, targets.of(rows.outputs), rows.sample_weight)


def _memorization(
    real: TransferSet, targets: Targets, oracle: Oracle, n_synthetic: int, rng: np.random.RandomState
) -> Memorization:
    """Measure what is memorised of ``X``, if the budget allows it."""
    own = np.flatnonzero(real.is_real & (real.sample_weight > 0))
    most = MEMORIZATION_QUERY_SHARE * min(n_synthetic, oracle.n_left) / QUERIES_PER_ROW
    n_rows = int(min(len(own), most, MAX_MEMORIZATION_ROWS))
    if n_rows < MIN_VALIDATION_ROWS:
        return Memorization()
    return measure_memorization(oracle, real.take(own), targets.of, n_rows, rng)


def _out_of_bag_group(real: TransferSet, rows: np.ndarray, targets: Targets) -> Group | None:
    """Return rows with out-of-bag answers, where the teacher is a forest that was fitted on ``X``."""
    X = real.X if real.is_real.all() else take_rows(real.X, np.flatnonzero(real.is_real))
    rows = rows[real.is_real[rows]]
    out_of_bag = find_out_of_bag(targets.teacher, X, rows) if len(rows) else None
    if out_of_bag is None or out_of_bag.is_known.mean() < MIN_OUT_OF_BAG_SHARE:
        return None
    known = np.flatnonzero(out_of_bag.is_known)
    held = real.take(rows[known])
    return Group(held.X, targets.of(out_of_bag.outputs[known]), held.sample_weight, out_of_bag.noise[known])
