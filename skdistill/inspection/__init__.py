"""Displays and a report that show what a student kept of its teacher and what it lost."""

from ._cascade_display import CascadeDisplay
from ._columns_display import ColumnsDisplay
from ._disagreement_display import DisagreementDisplay
from ._fidelity_display import FidelityDisplay
from ._report import Report, report
from ._sampler_display import SamplerDisplay
from ._size_fidelity_display import SizeFidelityDisplay

__all__ = [
    "CascadeDisplay",
    "ColumnsDisplay",
    "DisagreementDisplay",
    "FidelityDisplay",
    "Report",
    "SamplerDisplay",
    "SizeFidelityDisplay",
    "report",
]
