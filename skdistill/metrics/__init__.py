"""What was kept and lost: arrays in, numbers out."""

from ._fidelity import agreement, brier_skill, fidelity, r2_skill, retention
from ._footprint import latency, pickled_bytes

__all__ = ["agreement", "brier_skill", "fidelity", "latency", "pickled_bytes", "r2_skill", "retention"]
