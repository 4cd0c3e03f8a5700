"""What all steps of one fit share: generator, phases, time and threads."""

import copy
from dataclasses import dataclass, replace

import numpy as np

from ._callbacks import Phases
from ._deadline import Deadline


@dataclass(frozen=True)
class Run:
    """One fit.

    Attributes
    ----------
    rng : RandomState
        The one generator, drawn from in the order of the steps.
    phases : Phases
        Told how far the fit is.
    deadline : Deadline
        The time that is left.
    n_jobs : int or None
        Students that are taught at a time.
    """

    rng: np.random.RandomState
    phases: Phases
    deadline: Deadline
    n_jobs: int | None

    def with_copied_generator(self) -> "Run":
        """Return a run of a side step: it draws what this one would, and leaves this one's generator as it is."""
        return replace(self, rng=copy.deepcopy(self.rng))
