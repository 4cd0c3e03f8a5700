"""The public estimators ``DistilledClassifier`` and ``DistilledRegressor``, and their automatic options."""

from ._auto_sampler import AutoSampler
from ._auto_student import AutoStudent
from ._candidates import Candidates
from ._classifier import DistilledClassifier
from ._regressor import DistilledRegressor

__all__ = ["AutoSampler", "AutoStudent", "Candidates", "DistilledClassifier", "DistilledRegressor"]
