"""Metrics of how well a student follows its teacher and what it costs, and scorers for ``scoring=``."""

from ._bernstein import bernstein_interval
from ._betting import betting_interval
from ._binomial import binomial_p_value, clopper_pearson, rows_needed
from ._calibration import calibration_curve, calibration_error
from ._counting import n_operations, n_parameters
from ._divergence import brier_distance, kl_divergence, top_k_agreement, total_variation
from ._fidelity import agreement, fidelity
from ._footprint import Footprint, footprint, latency, pickled_bytes
from ._multiplicity import fixed_sequence, holm
from ._order_statistics import quantile_bound
from ._quantiles import coverage, coverage_by_slice, pinball_loss, pinball_skill
from ._ranking import concordance, rank_agreement
from ._scorers import agreement_scorer, fidelity_scorer, neg_bytes_scorer, neg_latency_scorer, retention_scorer
from ._sequence import ConfidenceSequence
from ._skill import brier_skill, r2_skill, retention
from ._sums import FidelitySums

__all__ = [
    "ConfidenceSequence",
    "FidelitySums",
    "Footprint",
    "agreement",
    "agreement_scorer",
    "bernstein_interval",
    "betting_interval",
    "binomial_p_value",
    "brier_distance",
    "brier_skill",
    "calibration_curve",
    "calibration_error",
    "clopper_pearson",
    "concordance",
    "coverage",
    "coverage_by_slice",
    "fidelity",
    "fidelity_scorer",
    "fixed_sequence",
    "footprint",
    "holm",
    "kl_divergence",
    "latency",
    "n_operations",
    "n_parameters",
    "neg_bytes_scorer",
    "neg_latency_scorer",
    "pickled_bytes",
    "pinball_loss",
    "pinball_skill",
    "quantile_bound",
    "r2_skill",
    "rank_agreement",
    "retention",
    "retention_scorer",
    "rows_needed",
    "top_k_agreement",
    "total_variation",
]
