"""The public estimators ``DistilledClassifier`` and ``DistilledRegressor``, and their automatic options."""

from ..selection import AutoSampler, AutoStudent, Candidates
from ._classifier import DistilledClassifier
from ._regressor import DistilledRegressor

__all__ = ["AutoSampler", "AutoStudent", "Candidates", "DistilledClassifier", "DistilledRegressor"]
