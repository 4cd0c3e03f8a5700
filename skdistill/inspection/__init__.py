"""What was kept and what was lost: displays, and a report."""

from ._disagreement_display import DisagreementDisplay
from ._fidelity_display import FidelityDisplay
from ._report import Report, report
from ._sampler_display import SamplerDisplay
from ._size_fidelity_display import SizeFidelityDisplay

__all__ = ["DisagreementDisplay", "FidelityDisplay", "Report", "SamplerDisplay", "SizeFidelityDisplay", "report"]
