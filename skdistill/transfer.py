"""The transfer set: the rows a student is fitted on, and how they are drawn and labelled."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from numbers import Integral
from time import perf_counter
from typing import Any, Literal, Protocol

import joblib
import numpy as np

from ._encoding import declared_here, fit_table_encoder, once
from ._refusals import Refusals
from ._tables import describe_mismatch, stack_rows, take_rows
from ._tabulate import as_html, encodable
from ._threads import context_of_threads, in_threads
from ._validation import draw_seed, seed_estimator
from .exceptions import SamplerError, TeacherOutputError
from .samplers import as_sampler, choose_from_pool
from .teachers import Workers

AUTO_RATIO = 10
"""Number of synthetic rows per real row for ``n_synthetic="auto"``."""

AUTO_ROWS, AUTO_CELLS = 200_000, 20_000_000
"""Maximum numbers of synthetic rows and of their cells for ``n_synthetic="auto"``: large tables gain the least."""


SYNTHETIC_WEIGHT = 4.0
"""Total weight of the synthetic rows divided by that of the real rows; no synthetic row outweighs a mean real row."""

REAL, UNLABELLED, SAMPLERS = 0, 1, 2
"""Origins of real rows and of unlabelled real rows, and the origin of the first sampler."""


@dataclass(frozen=True)
class TransferSummary:
    """Summary of a transfer set without its rows.

    Attributes
    ----------
    n_real, n_unlabeled, n_synthetic : int
        Number of rows by origin.
    real_weight : float
        Factor in [0, 1] that multiplies the weights of the rows of ``X``. It is 0 if the teacher has memorised these
        rows and the student is better without them.
    synthetic_weight : float
        Mean weight of a synthetic row. The weight of a row of ``X`` is ``real_weight`` times its ``sample_weight``.
    sampler : str
        The sampler of the synthetic rows; empty if there are none.
    n_queries : int
        Number of rows that the teacher labelled, including rows used only for selection and validation, repeated
        queries of the same row, rows that complete a batch, and rows from which a student with ``hint_weight`` read
        hints.
    teacher_noise : float
        Share in [0, 1] of the variance of the soft targets that differs between two queries of the same row. A student
        that reproduces the rest has a fidelity of ``1 - teacher_noise``, the most that can be expected. 0 for a teacher
        that always returns the same output for a row; NaN if it was not measured, for lack of rows or queries.
    label_seconds : float
        Time to label these rows and to read hints, without rows that were cached in ``memory``.
    sample_seconds : float
        Time to draw synthetic rows.
    seconds : float
        Total time from the first query of the teacher until the student was fitted.
    sampled_from : int, default=0
        Number of rows of ``X`` that the ``n_real`` rows are a stratified sample of (``max_real_rows``); 0 if they are
        no such sample.
    labelled_by : str, default="1 thread"
        What labelled the blocks of rows, for example ``"2 threads"``: see ``n_jobs``.
    n_summed : int, default=0
        Number of rows of a dataset to which coefficients or leaf values of the student were fitted again, by sums over
        chunks; 0 if the student is that of the rows above.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill import DistilledRegressor
    >>> from skdistill.samplers import Jitter
    >>> X = np.linspace(0, 1, 40).reshape(-1, 1)
    >>> model = DistilledRegressor(
    ...     lambda X: X[:, 0] ** 2,
    ...     "linear",
    ...     sampler=Jitter(),
    ...     n_synthetic=100,
    ...     random_state=0,
    ... )
    >>> summary = model.fit(X).transfer_set_
    >>> summary.n_real, summary.n_synthetic, summary.sampler, summary.teacher_noise
    (40, 100, 'Jitter()', 0.0)
    >>> summary.n_queries  # 12 of them check whether outputs are the same again
    152
    >>> summary.explain()
    '40 real and 100 synthetic rows, drawn by Jitter(); the teacher labelled 152 rows.'
    """

    n_real: int
    n_unlabeled: int
    n_synthetic: int
    real_weight: float
    synthetic_weight: float
    sampler: str
    n_queries: int
    teacher_noise: float
    label_seconds: float
    sample_seconds: float
    seconds: float
    sampled_from: int = 0
    labelled_by: str = "1 thread"
    n_summed: int = 0

    def __repr__(self) -> str:
        fields = vars(self).items()
        texts = [f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value!r}" for name, value in fields]
        return f"TransferSummary({', '.join(texts)})"

    def explain(self) -> str:
        """Return what the transfer set consists of, as a sentence.

        Returns
        -------
        text : str
        """
        counts = {"real": self.n_real, "unlabelled": self.n_unlabeled, "synthetic": self.n_synthetic}
        *others, last = (f"{n:,} {origin}" for origin, n in counts.items() if n or origin == "real")
        rows = f"{', '.join(others)} and {last}" if others else last
        drawn = f", drawn by {' '.join(self.sampler.split())}" if self.sampler else ""
        drawn += f"; the real ones are a sample of {self.sampled_from:,}" if self.sampled_from else ""
        without = "" if self.real_weight else " The student was fitted without the real rows of X (real_weight=0)."
        summed = f" Its values were fitted again to {self.n_summed:,} rows, by sums." if self.n_summed else ""
        return f"{rows} rows{drawn}; the teacher labelled {self.n_queries:,} rows.{without}{summed}"

    def _repr_html_(self) -> str:
        values = [f"{value:.3g}" if isinstance(value, float) else value for value in vars(self).values()]
        texts = [f"{value:,}" if isinstance(value, int) else value for value in values]
        table = as_html({"attribute": list(vars(self)), "value": texts})
        return encodable(f"<div><p>{escape(self.explain())}</p>{table}</div>")


@dataclass(frozen=True)
class SampledRows:
    """Which rows of a table were sampled, and the outputs of those that were labelled to draw the sample.

    Attributes
    ----------
    table : table of shape (n_table, n_features)
    rows : ndarray of int, shape (n_sampled,)
        Positions of the sampled rows.
    is_labelled : ndarray of bool, shape (n_sampled,)
    outputs : ndarray of shape (n_labelled,) or (n_labelled, n_outputs)
        Outputs of the teacher for the labelled rows.
    """

    table: Any
    rows: np.ndarray
    is_labelled: np.ndarray
    outputs: np.ndarray

    @property
    def ratio(self) -> float:
        """Number of rows of the table for each sampled row."""
        return self.n_table / len(self.rows)

    @property
    def n_table(self) -> int:
        """Number of rows of the table."""
        return int(self.table.shape[0])

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"table": np.empty((self.n_table, 0))}  # other processes need the sample only

    def take(self, rows: np.ndarray) -> "SampledRows":
        """Return some of the sampled rows, without outputs."""
        return SampledRows(self.table, self.rows[rows], np.zeros(len(rows), dtype=bool), self.outputs[:0])

    def label_rest(self, X: Any, oracle: "Oracle") -> np.ndarray:
        """Return the outputs for ``X``, the sampled rows, of which only those without outputs are queried."""
        if self.is_labelled.all():
            return self.outputs
        rest = oracle.label(take_rows(X, np.flatnonzero(~self.is_labelled)), "real rows")
        if not self.is_labelled.any():
            return rest
        _check_shape(rest, self.outputs)
        outputs = np.empty((len(self.rows), *rest.shape[1:]))
        outputs[self.is_labelled], outputs[~self.is_labelled] = self.outputs, rest
        return outputs


@dataclass(frozen=True)
class TransferSet:
    """Rows with the teacher's outputs, their weights and their origins.

    Attributes
    ----------
    X : table of shape (n_samples, n_features)
    outputs : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        Outputs of the teacher.
    sample_weight : ndarray of shape (n_samples,)
    truth : ndarray of shape (n_samples,) or (n_samples, n_outputs) or None, default=None
        True labels as targets; NaN for rows without a true label.
    origin : ndarray of int, shape (n_samples,), or None, default=None
        Origin of each row, as its position in ``origins``. ``None`` means that all rows are real.
    origins : tuple of str, default=("real", "unlabelled")
        Names of the origins: real rows of ``X``, unlabelled real rows, then the samplers of the synthetic rows.
    sampled : SampledRows or None, default=None
        Which rows of a larger table the real rows are; ``None`` if they are not sampled. Parts of a transfer set have
        that of the whole.

    Examples
    --------
    >>> import numpy as np
    >>> from skdistill.transfer import TransferSet
    >>> real = TransferSet(np.eye(2), np.array([0.0, 1.0]), np.ones(2))
    >>> both = real.extend(
    ...     [(np.zeros((4, 2)), np.full(4, 0.5))], total_weight=1.0, sampler="zeros"
    ... )
    >>> both.n_real, both.n_synthetic, both.sample_weight.tolist()
    (2, 4, [1.0, 1.0, 0.5, 0.5, 0.5, 0.5])
    >>> more = both.extend(
    ...     [(np.ones((3, 2)), np.full(3, 0.5))], total_weight=1.0, sampler="ones"
    ... )
    >>> more.n_real, more.n_synthetic, more.origins[2:]
    (2, 7, ('zeros', 'ones'))

    In a notebook, a transfer set is shown as a table with a row for each origin.
    """

    X: Any
    outputs: np.ndarray
    sample_weight: np.ndarray
    truth: np.ndarray | None = None
    origin: Any = None
    origins: tuple[str, ...] = ("real", "unlabelled")
    sampled: SampledRows | None = None

    def __post_init__(self) -> None:
        if self.origin is None:
            object.__setattr__(self, "origin", np.full(len(self), REAL))

    def __len__(self) -> int:
        return len(self.sample_weight)

    @property
    def is_real(self) -> np.ndarray:
        """Mask of the rows of ``X``."""
        return self.origin == REAL

    @property
    def is_unlabeled(self) -> np.ndarray:
        """Mask of the unlabelled real rows."""
        return self.origin == UNLABELLED

    @property
    def is_synthetic(self) -> np.ndarray:
        """Mask of the synthetic rows."""
        return self.origin > UNLABELLED

    @property
    def n_real(self) -> int:
        """Number of rows of ``X``."""
        return int(np.count_nonzero(self.is_real))

    @property
    def n_synthetic(self) -> int:
        """Number of synthetic rows."""
        return int(np.count_nonzero(self.is_synthetic))

    @property
    def ratio(self) -> float:
        """Number of rows that each real row stands for: above 1 in a sample."""
        return 1.0 if self.sampled is None else self.sampled.ratio

    def _repr_html_(self) -> str:
        present = [place for place in range(len(self.origins)) if (self.origin == place).any()]
        rows = [self.origin == place for place in present]
        table: dict[str, list[Any]] = {
            "origin": [self.origins[place] for place in present],
            "rows": [int(np.count_nonzero(each)) for each in rows],
            "mean weight": [float(self.sample_weight[each].mean()) for each in rows],
        }
        shape = f"{len(self):,} rows with {self.X.shape[1]:,} columns; outputs of shape {self.outputs.shape}"
        return encodable(f"<div><p>Transfer set: {shape}.</p>{as_html(table)}</div>")

    def take(self, rows: np.ndarray) -> "TransferSet":
        """Return the rows at the positions ``rows``."""
        return replace(
            self,
            X=take_rows(self.X, rows),
            outputs=self.outputs[rows],
            sample_weight=self.sample_weight[rows],
            truth=None if self.truth is None else self.truth[rows],
            origin=self.origin[rows],
        )

    def extend(self, synthetic: Sequence[tuple[Any, np.ndarray]], total_weight: float, sampler: str) -> "TransferSet":
        """Return the transfer set with synthetic rows appended.

        The total weight of the added rows is ``total_weight`` times that of all real rows, labelled or not, but the
        weight of one added row is at most the mean weight of a real row; of a row of the table, if the real rows are a
        sample of it.
        """
        origins = self.origins if sampler in self.origins[SAMPLERS:] else (*self.origins, sampler)
        of_real = self.sample_weight[~self.is_synthetic]
        n_added = sum(len(outputs) for _, outputs in synthetic)
        weight = min(of_real.mean() / self.ratio, total_weight * of_real.sum() / n_added)
        return self._stack(synthetic, weight, origins.index(sampler, SAMPLERS), origins)

    def with_unlabeled(
        self, X: Any, outputs: np.ndarray, weight: np.ndarray | None = None, truth: np.ndarray | None = None
    ) -> "TransferSet":
        """Return the transfer set with further real rows appended.

        Without ``weight``, each has the mean weight of the rows so far; without ``truth``, they have no true labels.
        """
        weights = self.sample_weight.mean() if weight is None else weight
        added = self._stack([(X, outputs)], weights, UNLABELLED, self.origins)
        if truth is None or added.truth is None:
            return added
        return replace(added, truth=np.concatenate([added.truth[: len(self)], truth]))

    def _stack(
        self, rows: Sequence[tuple[Any, np.ndarray]], weight: Any, origin: int, origins: tuple[str, ...]
    ) -> "TransferSet":
        n_added = sum(len(outputs) for _, outputs in rows)
        truth = self.truth
        if truth is not None:
            truth = np.concatenate([truth, np.full((n_added, *truth.shape[1:]), np.nan)])
        return TransferSet(
            stack_rows([self.X, *(X for X, _ in rows)]),
            np.concatenate([self.outputs, *(outputs for _, outputs in rows)]),
            np.concatenate([self.sample_weight, np.full(n_added, weight)]),
            truth,
            np.concatenate([self.origin, np.full(n_added, origin)]),
            origins,
            self.sampled,
        )

    def weigh_real(self, share: float) -> "TransferSet":
        """Return the transfer set with the weights of the rows of ``X`` multiplied by ``share``; 0 removes the rows."""
        if share == 1:
            return self
        if share == 0:
            return once(TransferSet._without_real, self)  # one table for all students, so that it is encoded once
        return replace(self, sample_weight=np.where(self.is_real, share * self.sample_weight, self.sample_weight))

    def _without_real(self) -> "TransferSet":
        return self.take(np.flatnonzero(~self.is_real))

    def summary(self, oracle: "Oracle", real_weight: float = 1.0, n_summed: int = 0) -> TransferSummary:
        """Return the summary of the transfer set and of its costs."""
        is_synthetic = self.is_synthetic
        return TransferSummary(
            self.n_real,
            int(np.count_nonzero(self.is_unlabeled)),
            self.n_synthetic,
            float(real_weight),
            float(self.sample_weight[is_synthetic].mean()) if is_synthetic.any() else 0.0,
            " and ".join(self.origins[SAMPLERS:]) if is_synthetic.any() else "",
            oracle.n_asked,
            oracle.teacher_noise,
            oracle.label_seconds + oracle.extra_seconds,
            oracle.sample_seconds,
            perf_counter() - oracle.started,
            0 if self.sampled is None else self.sampled.n_table,
            oracle.workers.describe(),
            n_summed,
        )


def no_rows(n_rows: int) -> int:  # noqa: ARG001  # unlike a lambda, it can be pickled
    """Return that no rows complete a batch."""
    return 0


@dataclass
class Oracle:
    """Labels and draws rows within a query budget, and records the costs.

    Attributes
    ----------
    query : callable
        ``query(rows, origin)`` returns the teacher's outputs.
    memory : joblib.Memory
        Caches drawn rows.
    max_queries : int or None, default=None
        Maximum number of rows to label.
    n_repeats : int, default=1
        Number of times that the teacher is queried for each of them.
    n_padded : callable, default=no rows
        ``n_padded(n_rows)`` returns the number of rows that complete the batches of a query of ``n_rows`` rows.
    n_extra : int, default=0
        Number of queries beyond the rows labelled: the check of the teacher, rows that complete batches, and rows that
        hints were read from.
    extra_seconds : float, default=0.0
        Time spent on the check and on hints.
    n_queries : int
        Number of rows labelled so far, and rows that the teacher refused.
    teacher_noise : float
        See :class:`TransferSummary`.
    label_seconds, sample_seconds : float
        Time spent on labelling and on drawing rows.
    started : float
        Time of creation on a monotonic clock.
    workers : Workers, default=one thread
        What labels the rows.
    refusals : Refusals
        What the teacher has refused.
    """

    query: Callable[[Any, str], np.ndarray]
    memory: joblib.Memory
    max_queries: int | None = None
    n_repeats: int = 1
    n_padded: Callable[[int], int] = no_rows
    n_extra: int = 0
    extra_seconds: float = 0.0
    workers: Workers = field(default_factory=Workers)
    n_queries: int = field(default=0, init=False)
    teacher_noise: float = field(default=0.0, init=False)
    label_seconds: float = field(default=0.0, init=False)
    sample_seconds: float = field(default=0.0, init=False)
    started: float = field(default_factory=perf_counter, init=False)
    refusals: Refusals = field(init=False)

    def __post_init__(self) -> None:
        self.refusals = Refusals(self.label, self._left)

    def _left(self) -> float:
        return self.n_left

    @property
    def n_left(self) -> float:
        """Number of rows that may still be labelled."""
        return np.inf if self.max_queries is None else self.max_queries - self.n_queries

    @property
    def n_asked(self) -> int:
        """Number of queries of the teacher so far, each for one row."""
        return self.n_queries * self.n_repeats + self.n_extra + self.workers.n_compared

    def count_hints(self, n_rows: int, seconds: float) -> None:
        """Count rows of which a student has read what the teacher computes inside."""
        self.n_extra += n_rows
        self.extra_seconds += seconds

    def label(self, rows: Any, origin: str, query: Callable[[Any, str], np.ndarray] | None = None) -> np.ndarray:
        """Return the teacher's outputs for ``rows``, or what another query returns; rows that it refuses count, too."""
        started = perf_counter()
        self.n_queries += rows.shape[0]
        self.n_extra += self.n_padded(rows.shape[0]) * self.n_repeats
        outputs = (self.query if query is None else query)(rows, origin)
        self.label_seconds += perf_counter() - started
        return outputs

    def label_drawn(self, rows: Any, origin: str) -> tuple[Any, np.ndarray]:
        """Return the drawn rows that the teacher does not refuse, restricted to values that it knows, and outputs."""
        return self.refusals.label_parts([self.refusals.restrict(rows)], origin)[0]

    def draw(
        self, sampler: Any, real: TransferSet, n_samples: int, seed: int, *, is_given: bool = False
    ) -> tuple[Any, np.ndarray]:
        """Draw ``n_samples`` synthetic rows from the real ones and label them."""
        return self.draw_all([Draw(sampler, real, n_samples, seed)], is_given=is_given)[0]

    def draw_all(
        self, draws: Sequence["Draw"], n_jobs: int | None = None, *, is_given: bool = False
    ) -> list[tuple[Any, np.ndarray]]:
        """Draw synthetic rows with several samplers, and label them in one query, since each call has an overhead.

        Rows that the teacher refuses are left out, or an error if the user has given the sampler (``is_given``).
        """
        if any(hasattr(draw.sampler, "search") for draw in draws):
            return [self._searched(draw, is_given=is_given) for draw in draws]
        started = perf_counter()
        with context_of_threads(self.workers.n_jobs, draws[0].n_samples if len(draws) == 1 else 0):
            parts = list(in_threads(self._rows, draws, n_jobs))
        parts = [self.refusals.restrict(part) for part in parts]
        self.sample_seconds += perf_counter() - started
        if is_given:
            drawn = [self.refusals.label_all(part, draw.sampler) for part, draw in zip(parts, draws, strict=True)]
        else:
            drawn = self.refusals.label_parts(parts, "synthetic rows")
        for _, outputs in drawn:
            _check_shape(outputs, draws[0].real.outputs)
        return drawn

    def _searched(self, draw: "Draw", *, is_given: bool) -> tuple[Any, np.ndarray]:
        """Draw rows with a sampler that learns from the answers while it draws; each row is labelled once."""
        if not hasattr(draw.sampler, "search"):
            return self.draw_all([draw], is_given=is_given)[0]
        base = _weighted(draw.real)

        def ask(rows: Any) -> tuple[Any, np.ndarray]:
            _check_drawn(draw.sampler, base.X, rows, rows.shape[0], declared_here())
            rows = self.refusals.restrict(rows)
            if is_given:
                rows, outputs = self.refusals.label_all(rows, draw.sampler)
            else:
                [(rows, outputs)] = self.refusals.label_parts([rows], "synthetic rows")
            _check_shape(outputs, draw.real.outputs)
            return rows, outputs

        started, before, rng = perf_counter(), self.label_seconds, np.random.RandomState(draw.seed)
        sampler = seed_estimator(as_sampler(draw.sampler), rng).fit(base.X, base.outputs)
        found = sampler.search(draw.n_samples, ask, random_state=draw_seed(rng))
        self.sample_seconds += perf_counter() - started - (self.label_seconds - before)
        return found

    def _rows(self, draw: "Draw") -> Any:
        base = _weighted(draw.real)
        return self.memory.cache(draw_rows)(
            draw.sampler, base.X, base.outputs, draw.n_samples, draw.seed, declared_here()
        )


def _weighted(real: TransferSet) -> TransferSet:
    """Return the rows that are not of weight zero, which are ignored."""
    present = np.flatnonzero(real.sample_weight)
    return real if len(present) == len(real.sample_weight) else real.take(present)


def _check_shape(outputs: np.ndarray, of_real: np.ndarray) -> None:
    if len(outputs) and outputs.shape[1:] != of_real.shape[1:]:
        raise TeacherOutputError(
            f"the outputs of the teacher have shape {outputs.shape} for synthetic rows, but shape {of_real.shape} for "
            "real rows; expected the same number of outputs."
        )


@dataclass(frozen=True)
class Draw:
    """A request for synthetic rows: a sampler, the real rows it is fitted on, the number of rows and a seed."""

    sampler: Any
    real: TransferSet
    n_samples: int
    seed: int


class Pool(Protocol):
    """Rows that are not in memory, from which some are selected once the teacher has labelled others."""

    def choose(
        self, X: Any, outputs: np.ndarray, n_left: float, rng: np.random.RandomState
    ) -> tuple[Any, np.ndarray | None, np.ndarray | None]:
        """Return at most ``n_left`` rows with their weights and true labels, if they have some."""
        ...


def label_real_rows(
    X: Any,
    oracle: Oracle,
    *,
    sample_weight: np.ndarray,
    truth: np.ndarray | None = None,
    X_unlabeled: Any = None,
    label_anew: Callable[[np.ndarray], np.ndarray] | None = None,
    pool: "Pool | None" = None,
    sampled: SampledRows | None = None,
    most_unlabeled: float = np.inf,
    rng: np.random.RandomState,
) -> TransferSet:
    """Label the real rows, those of ``X`` first.

    If the budget is smaller than ``X``, a random subset of its rows is labelled. If the rest of the budget, or
    ``most_unlabeled``, is smaller than ``X_unlabeled``, its rows are drawn with higher probability in regions where the
    teacher's outputs vary more.

    Parameters
    ----------
    X : table of shape (n_samples, n_features)
    oracle : Oracle
    sample_weight : ndarray of shape (n_samples,)
        Weights of the rows of ``X``; unlabelled rows get the mean weight.
    truth : ndarray or None, default=None
        True labels of the rows of ``X``, as targets.
    X_unlabeled : table or None, default=None
        Further real rows.
    label_anew : callable or None, default=None
        Maps the teacher's in-sample outputs for ``X`` to out-of-fold or out-of-bag outputs.
    pool : Pool or None, default=None
        A dataset in place of ``X_unlabeled``, from which rows are selected in the same way.
    sampled : SampledRows or None, default=None
        Which rows of a larger table ``X`` is, and the outputs that are known already.
    most_unlabeled : float, default=inf
        Maximum number of rows of ``X_unlabeled``.
    rng : RandomState

    Returns
    -------
    real : TransferSet
        The labelled real rows.
    """
    if X.shape[0] - (0 if sampled is None else np.count_nonzero(sampled.is_labelled)) > oracle.n_left:
        first = np.argsort(sample_weight == 0, kind="stable")  # rows of weight zero are ignored
        order = rng.permutation(np.count_nonzero(sample_weight))
        chosen = np.sort(np.append(first[: len(order)][order], first[len(order) :])[: int(oracle.n_left)])
        X, sample_weight = take_rows(X, chosen), sample_weight[chosen]
        truth = None if truth is None else truth[chosen]
        sampled = None if sampled is None else sampled.take(chosen)
    outputs = oracle.label(X, "real rows") if sampled is None else sampled.label_rest(X, oracle)
    if label_anew is not None:
        outputs = label_anew(outputs)
    real = TransferSet(X, outputs, sample_weight, truth, sampled=sampled)
    if X_unlabeled is not None and oracle.n_left >= 1:
        rows, most = X_unlabeled, min(oracle.n_left, most_unlabeled)
        if rows.shape[0] > most:
            rows = take_rows(rows, choose_from_pool(X, outputs, rows, int(most), rng))
        real = real.with_unlabeled(rows, oracle.label(rows, "unlabelled rows"))
    elif pool is not None and oracle.n_left >= 1:
        rows, weight, truth = pool.choose(X, outputs, oracle.n_left, rng)
        if rows.shape[0]:
            real = real.with_unlabeled(rows, oracle.label(rows, "rows of the dataset"), weight, truth)
    oracle.refusals.learn(real.X)
    return real


def draw_rows(
    sampler: Any, X: Any, outputs: np.ndarray, n_samples: int, seed: int, declared: tuple[int, ...] = ()
) -> Any:
    """Fit a clone of the sampler and draw rows; ``declared`` are the columns that are declared as categories.

    Raises
    ------
    SamplerError
        If the rows differ from ``X`` in columns, dtypes or table type, if their number is not ``n_samples``, or if a
        declared column has a category that no row of ``X`` has.
    """
    rng = np.random.RandomState(seed)
    fitted = seed_estimator(as_sampler(sampler), rng).fit(X, outputs)
    rows = fitted.sample(n_samples, random_state=draw_seed(rng))
    _check_drawn(sampler, X, rows, n_samples, declared)
    return rows


def _check_drawn(sampler: Any, X: Any, rows: Any, n_samples: int, declared: tuple[int, ...]) -> None:
    """Raise an error if drawn rows are not like those that the sampler was fitted on."""
    mismatch = describe_mismatch(X, rows)
    if mismatch is None and rows.shape[0] != n_samples:
        mismatch = f"{rows.shape[0]} rows instead of {n_samples}"
    if mismatch is None and isinstance(X, np.ndarray) and rows.dtype.kind != X.dtype.kind:
        mismatch = f"dtype {rows.dtype} instead of {X.dtype}"
    if mismatch is None and declared:
        mismatch = _describe_invented(X, rows, declared)
    if mismatch is not None:
        raise SamplerError(
            f"{type(sampler).__name__}.sample returned {mismatch}; expected rows like those it was fitted on. "
            "Return the same table type with the same columns and dtypes."
        )


def _describe_invented(X: Any, rows: Any, declared: tuple[int, ...]) -> str | None:
    """Describe the first declared column of ``rows`` that has a category which the column of ``X`` lacks."""
    known, drawn = (fit_table_encoder(table, declared).categories_ for table in (X, rows))
    for index in declared:
        invented = sorted(set(drawn[index]) - set(known[index]))  # type: ignore[arg-type]
        if invented:
            return f"the value {invented[0]} in column {index}, which is declared as categories and lacks it"
    return None


def count_synthetic(
    n_synthetic: int | float | Literal["auto"], n_rows: int, n_features: int, ratio: int = AUTO_RATIO
) -> int:
    """Return the number of rows that ``n_synthetic`` stands for; a float is a multiple of the number of real rows."""
    if n_synthetic == "auto":
        return min(ratio * n_rows, AUTO_ROWS, max(n_rows, AUTO_CELLS // n_features))
    return int(n_synthetic) if isinstance(n_synthetic, Integral) else round(float(n_synthetic) * n_rows)
