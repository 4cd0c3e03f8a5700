"""``AutoSampler``: choose sampler, number and weight of synthetic rows by fidelity on held-out real rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral
from time import perf_counter
from typing import Any, Literal

import numpy as np
from scipy import sparse
from scipy.stats import rankdata

from .._progress import Progress
from .._representation import Documented
from .._tables import take_rows
from .._validation import check_number, draw_seed
from ..exceptions import SamplerError
from ..samplers import MUNGE, Jitter, LeafSwap, MarginalResampling, Mixture, TermSwap, as_sampler
from ..transfer import Oracle, TransferSet
from ._callbacks import Phase

TOGETHER = "all together"
"""What the results call the rows of all samplers."""

CHOICE_RATIO = 20
"""Synthetic rows a real one in the end, for ``n_synthetic="auto"``."""

SEARCH_SHARE = 1 / 3
"""Share of them that the choice is made with."""

CLEAR, CLEAR_NONE = 0.5, 2.0
"""Standard errors by which a choice, and that of no synthetic rows, must be better than the rule."""

FEWEST_ROWS = 50
"""Rows that a sampler is tried with at least: fewer tell nothing."""

FEWEST_REAL = 30
"""Real rows below which nothing is held out (all samplers draw together), and rows of ``X_val`` that judge at least."""

FEWEST_JUDGES, MOST_JUDGES = 100, 5000
"""Unlabelled rows that judge a student instead of rows of ``X``, at least; and rows that judge it, at most."""

ENOUGH_ROWS = 1000
"""Real rows from which on the search looks whether more rows would help at all."""


class AutoSampler(Documented):
    """Choose how to draw synthetic rows, for this teacher, table and student, by fidelity on held-out real rows.

    These are the options of ``sampler="auto"`` of the distilled estimators. The search needs no label:

    1. Some real rows are held out. The student is taught on the others, and on half of them: where doubling the real
       rows brings less than ``tolerance``, synthetic ones cannot bring more, and the search stops.
    2. Each sampler draws an equal share of a third of the synthetic rows, which are labelled once. The student is
       taught beside the real rows on the rows of all samplers together, with each of the ``weights``, and on those of
       each alone.
    3. If one sampler is clearly better than the others, it draws about as many rows as all had, which are tried too.
    4. All samplers together, with the first weight, are the rule. Another choice must be better by half a standard
       error, and that of no synthetic rows better by two: the judges may be spiky. What is chosen draws the other rows,
       now from all real ones, and the student is taught on everything.

    Parameters
    ----------
    samplers : sequence of samplers or "auto", default="auto"
        What to choose among; only the first of them where there are too few synthetic rows for each to draw 50.
        ``"auto"`` is leaf swap, jitter, MUNGE and marginal resampling; for sparse matrices term swap, leaf swap and
        MUNGE.
    weights : sequence of float, default=(4.0, 1.0)
        Weights to choose among: of all synthetic rows together, in weights of all real rows together. One synthetic
        row never weighs more than a real one in the mean.
    validation_fraction : float in (0, 1), default=0.25
        Share of the real rows that is held out where there are no better judges, at most 5,000 rows.
    max_queries : int or None, default=None
        Synthetic rows the teacher is asked about at most. ``None`` needs up to 1.25 times ``n_synthetic``.
    tolerance : float >= 0, default=0.001
        Gain in fidelity by doubling the real rows below which the search stops. 0 never stops.

    See Also
    --------
    skdistill.DistilledClassifier : Its ``sampler_results_`` tell what was tried.

    Notes
    -----
    The best judges are rows the teacher was not fitted on: ``X_val``, else half of ``X_unlabeled``, else rows of ``X``
    that are labelled out of fold or out of bag (``teacher_cv``). Rows a teacher was fitted on are the last resort: its
    outputs are spiky there, and ``sampler_results_["judged_on"]`` says so.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> from skdistill import AutoSampler, DistilledRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = RandomForestRegressor(random_state=0).fit(X[:300], y[:300])
    >>> model = DistilledRegressor(forest, sampler=AutoSampler(weights=[1.0]), random_state=0)
    >>> model = model.fit(X[:300], X_val=X[300:])
    >>> model.sampler_results_["sampler"][0], str(model.sampler_results_["judged_on"][0])
    ('none', 'X_val')
    """

    def __init__(
        self,
        samplers: Sequence[Any] | Literal["auto"] = "auto",
        weights: Sequence[float] = (4.0, 1.0),
        validation_fraction: float = 0.25,
        max_queries: int | None = None,
        tolerance: float = 1e-3,
    ) -> None:
        self.samplers = samplers
        self.weights = weights
        self.validation_fraction = validation_fraction
        self.max_queries = max_queries
        self.tolerance = tolerance

    def check(self) -> None:
        """Raise for options that cannot be."""
        if not isinstance(self.samplers, Sequence) or len(self.samplers) == 0 or self.samplers == "":
            raise SamplerError(f"AutoSampler: samplers={self.samplers!r}; expected a list of samplers, or 'auto'.")
        if isinstance(self.samplers, str) and self.samplers != "auto":
            raise SamplerError(f"AutoSampler: samplers={self.samplers!r}; the only text it takes is 'auto'.")
        for sampler in () if isinstance(self.samplers, str) else self.samplers:
            as_sampler(sampler)
        if not isinstance(self.weights, Sequence | np.ndarray) or len(self.weights) == 0:
            raise ValueError(f"AutoSampler: weights={self.weights!r}; expected a list of at least one number.")
        for index, weight in enumerate(self.weights):
            check_number(self, f"weights[{index}]", weight, low=0, low_open=True)
        check_number(self, "validation_fraction", self.validation_fraction, low=0, high=0.9, low_open=True)
        check_number(self, "tolerance", self.tolerance, low=0)
        if self.max_queries is not None:
            check_number(self, "max_queries", self.max_queries, kind=Integral, low=0)

    def candidates(self, X: Any, n_jobs: int | None) -> list[Any]:
        """Return the samplers to choose among for a table."""
        if not isinstance(self.samplers, str):
            return list(self.samplers)
        if sparse.issparse(X):
            return [TermSwap(), LeafSwap(), MUNGE(n_jobs=n_jobs)]
        return [LeafSwap(), Jitter(), MUNGE(n_jobs=n_jobs), MarginalResampling()]


@dataclass(frozen=True)
class Judge:
    """Held-out real rows that tell how well a student follows the teacher.

    Attributes
    ----------
    X : table of shape (n_samples, n_features)
    targets : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        What a perfect student would say.
    sample_weight : ndarray of shape (n_samples,)
    judged_on : str
        Where the rows come from.
    """

    X: Any
    targets: np.ndarray
    sample_weight: np.ndarray
    judged_on: str

    def losses(self, given: np.ndarray, *, pool_outputs: bool) -> np.ndarray:
        """Return for each row its loss; fidelity is one minus their mean.

        ``pool_outputs`` weights outputs by their variance, as for probabilities; else each counts the same.
        """
        size = np.abs(self.targets).max() or 1.0  # squares of large outputs stay within floats
        targets = self.targets.reshape(len(self.targets), -1) / size
        weight = self.sample_weight / self.sample_weight.mean()
        squares = weight[:, None] * (targets - given.reshape(targets.shape) / size) ** 2
        variance = np.average((targets - np.average(targets, axis=0, weights=weight)) ** 2, axis=0, weights=weight)
        if pool_outputs:
            return squares.sum(axis=1) / (variance.sum() or 1.0)
        return (squares / np.where(variance > 0, variance, 1.0)).mean(axis=1)


HoldOut = Callable[[], tuple[np.ndarray, Judge]]
"""Returns which real rows teach a student meanwhile, and who judges it."""


def hold_out_judges(
    validation_fraction: float,
    real: TransferSet,
    is_unlabeled: np.ndarray,
    X_val: Any,
    is_held_out: bool,
    oracle: Oracle,
    soft_targets: Callable[[np.ndarray], np.ndarray],
    rng: np.random.RandomState,
) -> tuple[np.ndarray, Judge]:
    """Return which real rows to teach a student on, and rows to judge it by: the best judges there are.

    ``is_held_out`` says that the rows of ``X`` are labelled by teachers that had not seen them.
    """
    present = np.flatnonzero(real.sample_weight)
    if X_val is not None:
        n_judges = int(min(X_val.shape[0], MOST_JUDGES, oracle.n_left / 4))
        if n_judges >= FEWEST_REAL:
            X_val = take_rows(X_val, np.sort(rng.permutation(X_val.shape[0])[:n_judges]))
            targets = soft_targets(oracle.label(X_val, "validation rows"))
            return present, Judge(X_val, targets, np.ones(n_judges), "X_val")
    candidates, share = present, validation_fraction
    if np.count_nonzero(is_unlabeled) >= FEWEST_JUDGES:
        candidates, share, judged_on = np.flatnonzero(is_unlabeled), 0.5, "X_unlabeled"
    elif is_held_out:
        judged_on = "rows of X, labelled by teachers that had not seen them"
    elif is_unlabeled.any():
        judged_on = "rows of X and X_unlabeled; the teacher may have been fitted on the first"
    else:
        judged_on = "rows of X, which the teacher may have been fitted on"
    n_judges = int(np.clip(round(share * len(candidates)), FEWEST_REAL // 4, MOST_JUDGES))
    held_out = np.sort(rng.permutation(candidates)[:n_judges])
    judges, taught = real.take(held_out), np.setdiff1d(present, held_out)
    return taught, Judge(judges.X, soft_targets(judges.outputs), judges.sample_weight, judged_on)


def choose_transfer_set(
    options: AutoSampler,
    real: TransferSet,
    hold_out: Callable[[], tuple[TransferSet, Judge]],
    losses_of: Callable[[TransferSet, Judge, int], np.ndarray],
    oracle: Oracle,
    *,
    n_synthetic: int,
    rng: np.random.RandomState,
    phase: Phase,
    n_jobs: int | None = None,
) -> tuple[TransferSet, dict[str, np.ndarray]]:
    """Choose the synthetic rows that serve a student best.

    Parameters
    ----------
    options : AutoSampler
    real : TransferSet
        All real rows, for the student in the end.
    hold_out : callable
        ``hold_out()`` returns those of them that the student is taught on meanwhile, and the judge.
    losses_of : callable
        ``losses_of(transfer_set, judge, seed)`` returns the losses of the judge's rows by a student taught on the set.
    oracle : Oracle
        Labels synthetic rows.
    n_synthetic : int
        Synthetic rows in the end: at least one, and within the oracle's budget.
    rng : RandomState
    phase : Phase
        Told how far the choice is.
    n_jobs : int or None, default=None
        Threads of the neighbour search.

    Returns
    -------
    transfer_set : TransferSet
    results : dict of ndarray
        What was tried, in order; empty if nothing was.
    """
    samplers = options.candidates(real.X, n_jobs)
    n_synthetic = n_synthetic if options.max_queries is None else min(n_synthetic, options.max_queries)
    n_present = np.count_nonzero(real.sample_weight)
    if n_synthetic < 1 or n_present < 2:
        return real, {}
    if n_present < FEWEST_REAL:
        mixture = Mixture(samplers)
        rows = [draw(phase, oracle, mixture, real, n_synthetic, draw_seed(rng))]
        return real.extend(rows, options.weights[0], repr(mixture)), {}

    taught, judge = hold_out()
    n_synthetic = int(min(n_synthetic, oracle.n_left))
    student_seed = draw_seed(rng)

    def teach(transfer_set: TransferSet) -> np.ndarray:
        return losses_of(transfer_set, judge, student_seed)

    limit = oracle.n_queries + (np.inf if options.max_queries is None else options.max_queries)
    n_tried = round(n_synthetic * SEARCH_SHARE * len(taught.sample_weight) / len(real.sample_weight))
    n_each = min(max(n_tried // len(samplers), FEWEST_ROWS), n_synthetic)
    samplers = samplers[: 1 + n_synthetic // (4 * n_each)]  # what the others drew is a quarter at most
    names = [repr(sampler) for sampler in samplers]
    n_fits = 2 + len(samplers) + len(options.weights)
    trials = _Trials(teach, oracle, judge.judged_on, phase.progress("choosing a sampler", n_fits, "students"))

    none = trials.add("none", taught)
    first_seed, more_seed, last_seed, half_seed = (draw_seed(rng) for _ in range(4))  # whatever will be chosen
    if not _would_help(options, taught, none, teach, half_seed):
        return real, trials.results()
    drawn = [draw(phase, oracle, sampler, taught, n_each, first_seed) for sampler in samplers]
    rule = TOGETHER if len(samplers) > 1 else names[0]
    together = [trials.add(rule, taught, drawn, weight) for weight in options.weights]
    choices = list(together)
    if len(samplers) > 1:
        alone = [trials.add(name, taught, [rows], options.weights[0]) for name, rows in zip(names, drawn, strict=False)]
        best = int(np.argmin([trial.losses.mean() for trial in alone]))
        others = np.mean([trial.losses for trial in alone if trial is not alone[best]], axis=0)
        n_more = int(min(n_each * (len(samplers) - 1), n_synthetic // 4, limit - oracle.n_queries, oracle.n_left))
        if n_more > 0 and _is_clear(others - alone[best].losses):
            rows = [drawn[best], draw(phase, oracle, samplers[best], taught, n_more, more_seed)]
            weight = min(together, key=lambda trial: trial.losses.mean()).weight
            choices.append(trials.add(names[best], taught, rows, weight))

    better = [trial for trial in choices if _is_clear(together[0].losses - trial.losses)]
    chosen = min(better, key=lambda trial: trial.losses.mean(), default=together[0])
    if _is_clear(chosen.losses - none.losses, CLEAR_NONE):
        return real, trials.results()
    n_left = int(min(n_synthetic - chosen.n_synthetic, limit - oracle.n_queries, oracle.n_left))
    rows = list(chosen.rows)
    if n_left > 0:
        sampler = Mixture(samplers) if chosen in together else samplers[best]
        rows.append(draw(phase, oracle, sampler, real, n_left, last_seed))
    return real.extend(rows, chosen.weight, chosen.sampler), trials.results()


def draw(
    phase: Phase, oracle: Oracle, sampler: Any, real: TransferSet, n_samples: int, seed: int
) -> tuple[Any, np.ndarray]:
    """Say that rows are drawn, draw them, and label them."""
    phase.say(f"drawing {n_samples:,} rows with {sampler!r}")
    return oracle.draw(sampler, real, n_samples, seed)


def _is_clear(gains: np.ndarray, standard_errors: float = CLEAR) -> bool:
    """Whether a gain in fidelity is larger than so many of its standard errors."""
    return bool(gains.mean() > standard_errors * gains.std() / np.sqrt(len(gains)))


@dataclass(frozen=True)
class _Trial:
    sampler: str
    rows: list[tuple[Any, np.ndarray]]
    weight: float
    losses: np.ndarray
    n_queries: int
    seconds: float

    @property
    def n_synthetic(self) -> int:
        return sum(len(outputs) for _, outputs in self.rows)


class _Trials:
    """What was tried, and how well it did."""

    def __init__(
        self, teach: Callable[[TransferSet], np.ndarray], oracle: Oracle, judged_on: str, progress: Progress
    ) -> None:
        self._teach, self._oracle, self._judged_on, self._progress = teach, oracle, judged_on, progress
        self._started = perf_counter()
        self.trials: list[_Trial] = []

    def add(
        self, sampler: str, taught: TransferSet, rows: Sequence[tuple[Any, np.ndarray]] = (), weight: float = 0.0
    ) -> _Trial:
        """Teach the student with these synthetic rows and keep its losses."""
        losses = self._teach(taught.extend(list(rows), weight, sampler) if rows else taught)
        seconds = perf_counter() - self._started
        self.trials.append(_Trial(sampler, list(rows), weight, losses, self._oracle.n_queries, seconds))
        self._progress.update(len(self.trials))
        return self.trials[-1]

    def results(self) -> dict[str, np.ndarray]:
        """Return the trials as columns, as ``cv_results_`` are."""
        losses = np.array([trial.losses for trial in self.trials])
        gains = losses[0] - losses
        fidelity = 1 - losses.mean(axis=1)
        return {
            "sampler": np.array([trial.sampler for trial in self.trials], dtype=object),
            "n_synthetic": np.array([trial.n_synthetic for trial in self.trials]),
            "weight": np.array([trial.weight for trial in self.trials]),
            "fidelity": fidelity,
            "gain": gains.mean(axis=1),
            "gain_error": gains.std(axis=1) / np.sqrt(gains.shape[1]),
            "rank_fidelity": rankdata(-fidelity, method="min").astype(int),
            "n_queries": np.array([trial.n_queries for trial in self.trials]),
            "seconds": np.array([trial.seconds for trial in self.trials]),
            "judged_on": np.array([self._judged_on] * len(self.trials), dtype=object),
        }


def _would_help(
    options: AutoSampler,
    taught: TransferSet,
    whole: _Trial,
    teach: Callable[[TransferSet], np.ndarray],
    seed: int,
) -> bool:
    """Whether the student gains by real rows, so that it may by synthetic ones: they are hardly better."""
    n_taught = len(taught.sample_weight)
    if n_taught < ENOUGH_ROWS or options.tolerance == 0:
        return True
    half = taught.take(np.sort(np.random.RandomState(seed).permutation(n_taught)[: n_taught // 2]))
    gains = teach(half) - whole.losses
    return bool(gains.mean() + 2 * gains.std() / np.sqrt(len(gains)) >= options.tolerance)
