"""Samplers draw synthetic rows from real ones: ``fit(X, y=None)``, then ``sample(n_samples, random_state)``."""

from ._adapters import as_sampler
from ._munge import MUNGE

__all__ = ["MUNGE", "as_sampler"]
