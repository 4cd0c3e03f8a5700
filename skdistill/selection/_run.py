"""The state that all steps of one fit share: random generator, progress, deadline and number of jobs."""

import copy
from dataclasses import dataclass, replace

import numpy as np

from ._callbacks import Phases
from ._deadline import Deadline


@dataclass(frozen=True)
class Run:
    """The shared state of one fit.

    Attributes
    ----------
    rng : RandomState
        The random generator, which the steps use in their order.
    phases : Phases
        Reports the progress of the fit.
    deadline : Deadline
        The end of the time limit.
    n_jobs : int or None
        Number of students fitted in parallel.
    """

    rng: np.random.RandomState
    phases: Phases
    deadline: Deadline
    n_jobs: int | None

    def with_copied_generator(self) -> "Run":
        """Return a run with a copy of the generator, for optional steps that must not change later random draws."""
        return replace(self, rng=copy.deepcopy(self.rng))
