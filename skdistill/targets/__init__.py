"""Functions that soften, blend, bound, link and compress soft targets."""

from ._blending import blend, one_hot
from ._bounding import loss_weights, teacher_bounded, teacher_bounded_loss
from ._compression import TargetCompressor
from ._links import TargetLink
from ._margins import fit_margin_scale
from ._schedules import logistic_schedule, scheduled_temperature
from ._temperature import centred_logits, soften, softmax

__all__ = [
    "TargetCompressor",
    "TargetLink",
    "blend",
    "centred_logits",
    "fit_margin_scale",
    "logistic_schedule",
    "loss_weights",
    "one_hot",
    "scheduled_temperature",
    "soften",
    "softmax",
    "teacher_bounded",
    "teacher_bounded_loss",
]
