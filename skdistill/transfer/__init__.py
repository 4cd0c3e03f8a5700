"""The transfer set: the rows a student is fitted on, and how they are drawn and labelled."""

from ._drawing import AUTO_RATIO, SYNTHETIC_WEIGHT, Draw, count_synthetic, draw_rows
from ._oracle import Oracle
from ._real_rows import Pool, count_random, label_real_rows
from ._summary import TransferSummary
from ._transfer_set import REAL, SAMPLERS, UNLABELLED, SampledRows, TransferSet

__all__ = [
    "AUTO_RATIO",
    "REAL",
    "SAMPLERS",
    "SYNTHETIC_WEIGHT",
    "UNLABELLED",
    "Draw",
    "Oracle",
    "Pool",
    "SampledRows",
    "TransferSet",
    "TransferSummary",
    "count_random",
    "count_synthetic",
    "draw_rows",
    "label_real_rows",
]
