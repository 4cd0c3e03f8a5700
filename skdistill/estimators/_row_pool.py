"""Synthetic rows by sampler, and plans of how a transfer set is made of them."""

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
    """How a transfer set is made of real and synthetic rows.

    Attributes
    ----------
    name : str
        What the results call it.
    members : tuple of int
        Places of the samplers whose rows it has; empty for no synthetic rows.
    weight : float
        Of all synthetic rows together, in weights of all real ones.
    real_weight : float
        Share of their weight that the rows of ``X`` are taught with.
    """

    name: str
    members: tuple[int, ...] = ()
    weight: float = 0.0
    real_weight: float = 1.0


class RowPool:
    """Synthetic rows drawn so far, by sampler.

    Parameters
    ----------
    samplers : sequence of samplers
    oracle : Oracle
        Draws and labels.
    phase : Phase
        Is told what is drawn.
    """

    def __init__(self, samplers: Sequence[Any], oracle: Oracle, phase: Phase) -> None:
        self.samplers, self._oracle, self._phase = list(samplers), oracle, phase
        self._drawn: list[list[Drawn]] = [[] for _ in self.samplers]

    def draw(self, members: Sequence[int], parents: TransferSet, n_rows: int, seed: int) -> None:
        """Draw so many rows in all; of several samplers as a mixture, kept with the first of them."""
        if n_rows < 1:
            return
        one = self.samplers[members[0]]
        sampler = one if len(members) == 1 else Mixture([self.samplers[member] for member in members])
        self._phase.log(f"drawing {n_rows:,} rows with {sampler!r}")
        self._drawn[members[0]].append(self._oracle.draw(sampler, parents, n_rows, seed))

    def draw_of_each(self, parents: TransferSet, n_each: int, seed: int, n_jobs: int | None) -> None:
        """Draw so many rows of each sampler."""
        self._phase.log(f"drawing {n_each:,} rows with each of {self.samplers!r}")
        draws = [Draw(sampler, parents, n_each, seed) for sampler in self.samplers]
        for member, drawn in enumerate(self._oracle.draw_all(draws, n_jobs)):
            self._drawn[member].append(drawn)

    @property
    def n_queries(self) -> int:
        """Rows that the teacher was asked about so far, synthetic or not."""
        return self._oracle.n_queries

    def rows(self, members: Sequence[int]) -> list[Drawn]:
        """Return all rows of some samplers."""
        return [drawn for member in members for drawn in self._drawn[member]]

    def count(self, members: Sequence[int]) -> int:
        """Return how many these are."""
        return sum(len(outputs) for _, outputs in self.rows(members))

    def extend(self, real: TransferSet, plan: Plan, most: int | None = None) -> TransferSet:
        """Return real rows in full weight with the synthetic ones of a plan: so many at most, of each sampler alike."""
        rows = self.rows(plan.members)
        if most is not None and rows:
            each = -(-most // len(rows))
            rows = [(X[:each], outputs[:each]) for X, outputs in rows]
        return real.extend(rows, plan.weight, plan.name) if rows else real
