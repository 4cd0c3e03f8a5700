"""Weights of rows with a stated bound, as bounds for weighted means need them."""

from typing import Any

import numpy as np

from .._validation import check_number
from ._checks import check_row_weights


def bounded_weights(who: str, sample_weight: Any, max_weight: float | None, n_rows: int) -> np.ndarray:
    """Return weights in [0, 1], divided by the largest weight that a row can have."""
    weight = check_row_weights(who, sample_weight, n_rows)
    if max_weight is None:
        if (weight != weight[0]).any():
            raise ValueError(
                f"{who}: sample_weight has weights from {weight.min():g} to {weight.max():g}, but max_weight=None; "
                "expected the largest weight that any row can have, since a mean with weights without a bound has no "
                "distribution-free bound. Pass max_weight=, known before the weights are seen."
            )
        return np.ones(n_rows)
    check_number(who, "max_weight", max_weight, low=0, low_open=True)
    if weight.max() > max_weight:
        raise ValueError(
            f"{who}: the largest weight is {weight.max():g}, but max_weight={max_weight:g}; expected the largest "
            "weight that any row can have. State a larger bound, or clip the weights to it."
        )
    return weight / max_weight
