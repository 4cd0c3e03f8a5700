"""The two estimators users meet: thin; ``fit`` reads as the picture of the whole package does."""

from ._auto_sampler import AutoSampler
from ._classifier import DistilledClassifier
from ._regressor import DistilledRegressor

__all__ = ["AutoSampler", "DistilledClassifier", "DistilledRegressor"]
