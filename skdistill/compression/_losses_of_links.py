"""The loss of scores with a link, and the checked targets and weights of a transfer set."""

from typing import Any

import numpy as np

from .._losses import BinaryCrossEntropy, Loss, OneVsRestCrossEntropy, SoftmaxCrossEntropy, SquaredError
from .._validation import check_choice, check_weights

LOSSES: dict[str, Loss] = {
    loss.link: loss for loss in (SquaredError(), BinaryCrossEntropy(), OneVsRestCrossEntropy(), SoftmaxCrossEntropy())
}
"""By the name of the link of their scores."""


def loss_of(who: str, link: str, links: tuple[str, ...] = tuple(LOSSES)) -> Loss:
    """Return the loss whose scores have a link."""
    check_choice(who, "link", link, links)
    return LOSSES[link]


def of_one_score(loss: Loss) -> Loss:
    """Return the loss of one of the scores, each of which has a target of its own."""
    return loss if loss.is_quadratic else LOSSES["binary"]


def as_transfer_set(who: str, X: Any, targets: Any, sample_weight: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return targets of shape (n_rows, n_outputs), and weights with a mean of one."""
    targets = np.asarray(targets, dtype=np.float64)
    targets = targets.reshape(len(targets), -1)
    if len(targets) != X.shape[0] or not len(targets):
        raise ValueError(f"{who}: X has {X.shape[0]} rows and targets {len(targets)}; expected as many, at least one.")
    if not np.isfinite(targets).all():
        raise ValueError(f"{who}: targets contain NaN or infinity; expected finite numbers.")
    weight = check_weights(sample_weight, len(targets), who)
    return targets, weight / weight.mean()
