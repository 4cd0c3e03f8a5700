"""Smaller models from fitted ones: steps that prune, share, factorise and quantise, and parts left out without loss.

:func:`skdistill.compress` applies a chain of them to any model that can be compiled.
"""

from ._chain import Compression, StepRecord
from ._lossless import without_redundancy
from ._rows import Rows
from ._steps import LowRank, Prune, Quantize, ShareThresholds, Step

__all__ = [
    "Compression",
    "LowRank",
    "Prune",
    "Quantize",
    "Rows",
    "ShareThresholds",
    "Step",
    "StepRecord",
    "without_redundancy",
]
