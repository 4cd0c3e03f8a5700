"""Students: compact estimators of our own, and the bridge that brings soft targets to anybody else's."""

from ._boosting import CompactBoostingClassifier, CompactBoostingRegressor
from ._teaching import teach_classifier, teach_regressor

__all__ = ["CompactBoostingClassifier", "CompactBoostingRegressor", "teach_classifier", "teach_regressor"]
