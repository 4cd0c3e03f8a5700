"""Cascades: a student that answers where it is certain, and its teacher elsewhere, with a promise that holds."""

from ._base import CascadeCosts
from ._classifier import CascadeClassifier
from ._regressor import CascadeRegressor
from ._thresholds import CascadePath

__all__ = ["CascadeClassifier", "CascadeCosts", "CascadePath", "CascadeRegressor"]
