"""Soft targets: soften, blend, compress. Arrays in, arrays out."""

from ._blending import blend, one_hot
from ._compression import TargetCompressor
from ._margins import fit_margin_scale
from ._temperature import centred_logits, soften, softmax

__all__ = ["TargetCompressor", "blend", "centred_logits", "fit_margin_scale", "one_hot", "soften", "softmax"]
