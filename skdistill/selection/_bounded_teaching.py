r"""Students whose true labels count only where they are worse than the teacher, for students of any kind.

The loss of a labelled row is :math:`w \, \ell(t, s) + (1 - w) \max(0, \ell(y, s) + m - \ell(y, t))`; see
:func:`skdistill.targets.teacher_bounded`. Which rows are penalised depends on the student, and most students cannot
minimise such a loss. They are therefore fitted several times, each time to the targets and weights that have its
gradient at the outputs of the earlier fits, in the mean. This need not converge, so the fit with the smallest loss is
kept.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from .._tables import take_rows
from ..targets import blend, teacher_bounded, teacher_bounded_loss
from ..transfer import TransferSet

N_ROUNDS = 3
"""Number of fits after the first one, in which the true labels count everywhere."""


@dataclass(frozen=True)
class BoundedLoss:
    """The loss with respect to teacher and truth, with the weight of the teacher and the margin."""

    soft_weight: float
    margin: float
    name: Literal["squared_error", "log_loss"]

    def mean(self, outputs: np.ndarray, soft: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> float:
        """Return the weighted mean loss of rows."""
        of_truth, _ = teacher_bounded_loss(outputs, soft, truth, loss=self.name, margin=self.margin)
        of_teacher, _ = teacher_bounded_loss(outputs, soft, soft, loss=self.name)  # its distance to the teacher
        return float(np.average(self.soft_weight * of_teacher + (1 - self.soft_weight) * of_truth, weights=weight))

    def targets(self, outputs: np.ndarray, soft: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the targets of the next fit, and the factors of its weights."""
        return teacher_bounded(outputs, soft, truth, self.soft_weight, loss=self.name, margin=self.margin)


def teach_bounded(
    teach: Callable[[np.ndarray, np.ndarray], Any],
    predict: Callable[[Any, Any], np.ndarray],
    rows: TransferSet,
    soft: np.ndarray,
    loss: BoundedLoss,
) -> Any:
    """Return the student with the smallest loss on the labelled rows.

    ``teach(targets, sample_weight)`` returns a fitted student, ``predict(student, X)`` its outputs. Synthetic and
    unlabelled rows keep the targets ``soft`` and their weights.
    """
    assert rows.truth is not None
    student = best = teach(blend(soft, rows.truth, loss.soft_weight), rows.sample_weight)
    has_truth = ~np.isnan(rows.truth).reshape(len(rows), -1).all(axis=1)
    labelled = np.flatnonzero(has_truth & (rows.sample_weight > 0))
    if not len(labelled):
        return student
    labels = Labels(take_rows(rows.X, labelled), soft[labelled], rows.truth[labelled], rows.sample_weight[labelled])
    targets, weight, least = soft.copy(), rows.sample_weight.copy(), np.inf
    mean = MeanTargets(blend(labels.soft, labels.truth, loss.soft_weight))
    for index in range(N_ROUNDS + 1):
        outputs = predict(student, labels.X)
        if not np.isfinite(outputs).all():
            break
        reached = loss.mean(outputs, labels.soft, labels.truth, labels.weight)
        if reached < least:
            best, least = student, reached
        targets[labelled], factors = mean.updated(*loss.targets(outputs, labels.soft, labels.truth))
        weight[labelled] = factors * labels.weight
        if index < N_ROUNDS:
            student = teach(targets, weight)
    return best


class Labels(NamedTuple):
    """The labelled rows of positive weight: cells, outputs of the teacher, true values, and weights."""

    X: Any
    soft: np.ndarray
    truth: np.ndarray
    weight: np.ndarray


class MeanTargets:
    """The mean of the targets and weights of all rounds so far.

    At the minimum, the student is as good as the teacher less the margin in many rows, and their true labels count in
    part. Targets of the last round alone would switch between all and nothing.
    """

    def __init__(self, targets: np.ndarray) -> None:
        self.n_rounds, self.sum, self.weight = 1, targets.copy(), np.ones(len(targets))

    def updated(self, targets: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean targets and weights after another round."""
        self.n_rounds += 1
        self.sum += targets * (weight if targets.ndim == 1 else weight[:, None])
        self.weight += weight
        return self.sum / (self.weight if targets.ndim == 1 else self.weight[:, None]), self.weight / self.n_rounds
