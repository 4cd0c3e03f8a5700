"""The two estimators users meet: thin; ``fit`` reads as the picture of the whole package does."""

from ._classifier import DistilledClassifier
from ._regressor import DistilledRegressor

__all__ = ["DistilledClassifier", "DistilledRegressor"]
