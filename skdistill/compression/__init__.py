"""Smaller models from fitted ones: steps that prune, share, factorise and quantise, and parts left out without loss.

:func:`skdistill.compress` applies a chain of them to any model that can be compiled.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._chain import Compression
from ._lossless import without_redundancy
from ._steps import LowRank, Prune, Quantize, ShareThresholds, Step

__all__ = [
    "Compression",
    "LowRank",
    "Prune",
    "Quantize",
    "ShareThresholds",
    "Step",
    "without_redundancy",
]

if not TYPE_CHECKING:  # otherwise, type checkers would accept any attribute name

    def __getattr__(name: str) -> Any:
        """Return ``compress``, which takes models of rooms above this one and is imported at its first use."""
        if name != "compress":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return import_module("skdistill.compressing").compress
