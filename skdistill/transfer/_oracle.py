"""The oracle of a fit: labels and draws rows within a query budget, and records what that costs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import joblib
import numpy as np

from .._encoding import declared_here
from .._refusals import Refusals
from .._threads import context_of_threads, in_threads
from .._validation import draw_seed, seed_estimator
from ..exceptions import TeacherOutputError
from ..samplers import as_sampler
from ..teachers import Workers
from ._drawing import Draw, check_drawn, draw_rows
from ._transfer_set import TransferSet


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
    _first: tuple[Callable[[Any, str], np.ndarray], tuple[int, ...], str] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.refusals = Refusals(self._ask, self._left)

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
        outputs = self._ask(rows, origin, query)
        if query is None:
            self._check_shape(outputs, origin)
        return outputs

    def _ask(self, rows: Any, origin: str, query: Callable[[Any, str], np.ndarray] | None = None) -> np.ndarray:
        started = perf_counter()
        self.n_queries += rows.shape[0]
        self.n_extra += self.n_padded(rows.shape[0]) * self.n_repeats
        outputs = (self.query if query is None else query)(rows, origin)
        self.label_seconds += perf_counter() - started
        return outputs

    def _check_shape(self, outputs: np.ndarray, origin: str) -> None:
        """Raise an error if the outputs of a row have another shape than those that the query returned first."""
        if not len(outputs):
            return
        if self._first is None or self._first[0] is not self.query:  # labels are queried once they are to be taught
            self._first = self.query, outputs.shape, origin
        _, shape, of_first = self._first
        if outputs.shape[1:] != shape[1:]:
            raise TeacherOutputError(
                f"the outputs of the teacher have shape {outputs.shape} for {origin}, but shape {shape} for "
                f"{of_first}; expected the same number of outputs."
            )

    def label_drawn(self, rows: Any, origin: str) -> tuple[Any, np.ndarray]:
        """Return the drawn rows that the teacher does not refuse, restricted to values that it knows, and outputs."""
        [(rows, outputs)] = self.refusals.label_parts([self.refusals.restrict(rows)], origin)
        self._check_shape(outputs, origin)
        return rows, outputs

    def draw(
        self, sampler: Any, real: TransferSet, n_samples: int, seed: int, *, is_given: bool = False
    ) -> tuple[Any, np.ndarray]:
        """Draw ``n_samples`` synthetic rows from the real ones and label them."""
        return self.draw_all([Draw(sampler, real, n_samples, seed)], is_given=is_given)[0]

    def draw_all(
        self, draws: Sequence[Draw], n_jobs: int | None = None, *, is_given: bool = False
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
            self._check_shape(outputs, "synthetic rows")
        return drawn

    def _searched(self, draw: Draw, *, is_given: bool) -> tuple[Any, np.ndarray]:
        """Draw rows with a sampler that learns from the answers while it draws; each row is labelled once."""
        if not hasattr(draw.sampler, "search"):
            return self.draw_all([draw], is_given=is_given)[0]
        base = _weighted(draw.real)

        def ask(rows: Any) -> tuple[Any, np.ndarray]:
            check_drawn(draw.sampler, base.X, rows, rows.shape[0], declared_here())
            rows = self.refusals.restrict(rows)
            if is_given:
                rows, outputs = self.refusals.label_all(rows, draw.sampler)
            else:
                [(rows, outputs)] = self.refusals.label_parts([rows], "synthetic rows")
            self._check_shape(outputs, "synthetic rows")
            return rows, outputs

        started, before, rng = perf_counter(), self.label_seconds, np.random.RandomState(draw.seed)
        sampler = seed_estimator(as_sampler(draw.sampler), rng).fit(base.X, base.outputs)
        found = sampler.search(draw.n_samples, ask, random_state=draw_seed(rng))
        self.sample_seconds += perf_counter() - started - (self.label_seconds - before)
        return found

    def _rows(self, draw: Draw) -> Any:
        base = _weighted(draw.real)
        return self.memory.cache(draw_rows)(
            draw.sampler, base.X, base.outputs, draw.n_samples, draw.seed, declared_here()
        )


def _weighted(real: TransferSet) -> TransferSet:
    """Return the rows that are not of weight zero, which are ignored."""
    present = np.flatnonzero(real.sample_weight)
    return real if len(present) == len(real.sample_weight) else real.take(present)
