"""Synthetic rows by sampler, and plans that describe how a transfer set combines them with real rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..samplers import Mixture
from ..transfer import Draw, Oracle, TransferSet
from ._callbacks import Phase

Drawn = tuple[Any, np.ndarray]
"""Synthetic rows with the teacher's outputs."""


@dataclass(frozen=True)
class Plan:
    """How a transfer set combines real and synthetic rows.

    Attributes
    ----------
    name : str
        Name in the results.
    members : tuple of int
        Positions of the samplers whose rows are used; empty for no synthetic rows.
    weight : float
        Total weight of the synthetic rows divided by the total weight of the real rows.
    real_weight : float
        Factor that multiplies the weights of the rows of ``X``.
    """

    name: str
    members: tuple[int, ...] = ()
    weight: float = 0.0
    real_weight: float = 1.0


class RowPool:
    """The synthetic rows drawn so far, by sampler.

    Parameters
    ----------
    samplers : sequence of samplers
    oracle : Oracle
        Draws and labels the rows.
    phase : Phase
        Logs what is drawn.
    max_queries : float, default=inf
        :meth:`fill` stops when the teacher has labelled this many rows in total.
    is_given : bool, default=False
        Whether the user has given the sampler: it is an error if the teacher refuses its rows. Otherwise, refused rows
        are left out, so there may be fewer rows than were to be drawn, or none.
    """

    def __init__(
        self,
        samplers: Sequence[Any],
        oracle: Oracle,
        phase: Phase,
        max_queries: float = np.inf,
        *,
        is_given: bool = False,
    ) -> None:
        self.samplers, self._oracle, self._phase = list(samplers), oracle, phase
        self._max_queries, self._is_given = max_queries, is_given
        self._drawn: list[list[Drawn]] = [[] for _ in self.samplers]

    def draw(self, members: Sequence[int], parents: TransferSet, n_rows: int, seed: int) -> None:
        """Draw ``n_rows`` rows; the rows of a mixture of several samplers are stored with the first of them."""
        if n_rows < 1:
            return
        one = self.samplers[members[0]]
        sampler = one if len(members) == 1 else Mixture([self.samplers[member] for member in members])
        self._phase.log(f"drawing {n_rows:,} rows with {sampler!r}")
        self._add(members[0], self._oracle.draw(sampler, parents, n_rows, seed, is_given=self._is_given))

    def fill(self, members: Sequence[int], parents: TransferSet, n_rows: float, seed: int) -> None:
        """Draw until there are ``n_rows`` rows, or until the query budget is exhausted."""
        n_left = min(self._max_queries - self.n_queries, self._oracle.n_left)
        self.draw(members, parents, int(min(n_rows - self.count(members), n_left)), seed)

    def draw_of_each(self, parents: TransferSet, n_each: int, seed: int, n_jobs: int | None) -> None:
        """Draw ``n_each`` rows with each sampler."""
        self._phase.log(f"drawing {n_each:,} rows with each of {self.samplers!r}")
        draws = [Draw(sampler, parents, n_each, seed) for sampler in self.samplers]
        for member, drawn in enumerate(self._oracle.draw_all(draws, n_jobs)):
            self._add(member, drawn)

    def _add(self, member: int, drawn: Drawn) -> None:
        if len(drawn[1]):
            self._drawn[member].append(drawn)

    @property
    def n_queries(self) -> int:
        """Number of queries of the teacher so far."""
        return self._oracle.n_asked

    def rows(self, members: Sequence[int]) -> list[Drawn]:
        """Return all rows drawn by the given samplers."""
        return [drawn for member in members for drawn in self._drawn[member]]

    def count(self, members: Sequence[int]) -> int:
        """Return the number of rows drawn by the given samplers."""
        return sum(len(outputs) for _, outputs in self.rows(members))

    def extend(self, real: TransferSet, plan: Plan, most: int | None = None) -> TransferSet:
        """Return the real rows at full weight with at most ``most`` synthetic rows of a plan, in equal parts."""
        rows = self.rows(plan.members)
        if most is not None and rows:
            each = -(-most // len(rows))
            rows = [(X[:each], outputs[:each]) for X, outputs in rows]
        return real.extend(rows, plan.weight, plan.name) if rows else real
