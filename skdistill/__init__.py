"""Distil any fitted model into a small, fast scikit-learn estimator."""

from . import exceptions, metrics, samplers, students, targets, transfer
from .estimators import AutoSampler, DistilledClassifier, DistilledRegressor
from .teachers import as_teacher

__version__ = "0.1.0"

__all__ = [
    "AutoSampler",
    "DistilledClassifier",
    "DistilledRegressor",
    "as_teacher",
    "exceptions",
    "metrics",
    "samplers",
    "students",
    "targets",
    "transfer",
]
