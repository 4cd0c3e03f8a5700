"""The public estimators ``DistilledClassifier`` and ``DistilledRegressor``, and their automatic options."""

from ..selection import AutoColumns, AutoSampler, AutoStudent, Candidates, Constraints
from ._classifier import DistilledClassifier
from ._regressor import DistilledRegressor

__all__ = [
    "AutoColumns",
    "AutoSampler",
    "AutoStudent",
    "Candidates",
    "Constraints",
    "DistilledClassifier",
    "DistilledRegressor",
]
