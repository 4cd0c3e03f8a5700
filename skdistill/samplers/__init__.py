"""Samplers draw synthetic rows from real ones: ``fit(X, y=None)``, then ``sample(n_samples, random_state)``."""

from ._adapters import as_sampler
from ._disagreement import Disagreement
from ._interpolation import Interpolation
from ._jitter import Jitter
from ._leaf_swap import LeafSwap
from ._marginal import MarginalResampling
from ._mixture import Mixture
from ._munge import MUNGE
from ._pool import choose_from_pool
from ._spunge import SPUNGE
from ._teacher_bins import TeacherBins
from ._term_swap import TermSwap
from ._uniform import UniformBox

__all__ = [
    "MUNGE",
    "SPUNGE",
    "Disagreement",
    "Interpolation",
    "Jitter",
    "LeafSwap",
    "MarginalResampling",
    "Mixture",
    "TeacherBins",
    "TermSwap",
    "UniformBox",
    "as_sampler",
    "choose_from_pool",
]
