r"""Losses as objects: solvers get values, derivatives, links and best constants from them.

Each loss compares the scores :math:`s` of a row with its targets :math:`t`. A link turns outputs into scores, its
inverse :math:`g` scores into outputs; for all losses here the link is the canonical one, so that

.. math:: \nabla_s \, \ell(t, s) = g(s) - t

and the best constant scores are the link of the mean target.

==============================  ============================================  =====================
loss                            value of a row                                outputs
==============================  ============================================  =====================
:class:`SquaredError`           :math:`\frac{1}{2} \sum_k (s_k - t_k)^2`      the scores
:class:`BinaryCrossEntropy`     :math:`\log(1 + e^s) - t s`                   the logistic function
:class:`OneVsRestCrossEntropy`  :math:`\sum_k \log(1 + e^{s_k}) - t_k s_k`    the logistic function
:class:`SoftmaxCrossEntropy`    :math:`\log \sum_k e^{s_k} - \sum_k t_k s_k`  the softmax
==============================  ============================================  =====================
"""

from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, logit

from ._types import LinkName
from .targets._temperature import soften_rows, softmax_of_rows

MIN_CURVATURE = 1e-6
"""Minimum curvature of a row, which would be zero if its output is certain."""

MEAN_MARGIN = 1e-10
"""Bounds the distance of mean probabilities to 0 and to 1, where scores would be infinite."""


class Loss:
    """A loss of scores and targets. Arrays have the shape (n_rows, n_scores) unless stated otherwise."""

    link: ClassVar[LinkName]
    """Name of the link with which compiled models turn scores into predictions."""

    is_quadratic: ClassVar[bool] = False
    """Whether the normal equations give the minimum, as for the squared error."""

    far_curvature: ClassVar[float] = 0.25
    """What a single Newton step adds to the second derivatives of a row, in products of its gradient.

    Where an output is certain and wrong, the second derivatives are nearly zero and the step would be far too long.
    The sum stays positive definite, and is the second derivative itself where outputs are close to their targets.
    """

    def outputs(self, scores: np.ndarray) -> np.ndarray:
        """Return the inverse link of the scores, which is compared with the targets."""
        raise NotImplementedError

    def scores(self, outputs: np.ndarray) -> np.ndarray:
        """Return the link of the outputs, none of which may be certain."""
        raise NotImplementedError

    def clipped(self, outputs: np.ndarray, margin: float) -> np.ndarray:
        """Return the outputs, moved to a distance of ``margin`` from those whose scores are infinite."""
        return np.clip(outputs, margin, 1 - margin)

    def best_constant(self, mean: Any, margin: float = MEAN_MARGIN) -> Any:
        """Return the constant scores that minimise the loss of rows with a mean target, both of shape (n_scores,)."""
        return self.scores(self.clipped(mean, margin))

    def centred(self, scores: np.ndarray) -> np.ndarray:
        """Return scores with the same outputs whose mean over the last axis is zero, if the loss has such scores."""
        return scores

    def value(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the loss of each row, of shape (n_rows,)."""
        raise NotImplementedError

    def gradient(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the gradient of each row's loss with respect to its scores."""
        return self.outputs(scores) - targets

    def through_outputs(self, outputs: np.ndarray, by_outputs: np.ndarray) -> np.ndarray:
        """Return the gradient with respect to the scores of a function whose gradient by the outputs is known."""
        raise NotImplementedError

    def value_and_gradient(self, scores: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the loss of each row, and its gradient with respect to the scores."""
        return self.value(scores, targets), self.gradient(scores, targets)

    def second_derivative(self, outputs: np.ndarray, first: int, second: int) -> np.ndarray:
        """Return the second derivative of each row's loss with respect to two of its scores, of shape (n_rows,)."""
        raise NotImplementedError

    def curvature(self, outputs: np.ndarray) -> np.ndarray:
        """Return the mean second derivative with respect to the scores, of shape (n_rows,), bounded from below."""
        return np.maximum((outputs * (1 - outputs)).mean(axis=1), MIN_CURVATURE)

    def curvature_at(self, scores: np.ndarray) -> np.ndarray:
        """Return the curvature of each row at its scores, of shape (n_rows,)."""
        return self.curvature(self.outputs(scores))

    def validation_loss(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the squared distance of outputs to targets of validation rows, of shape (n_rows,).

        Fidelity is one minus its mean, on the scale of the variance of the targets, whatever loss was minimised.
        """
        return (self.gradient(scores, targets) ** 2).sum(axis=1)

    def softened(self, targets: np.ndarray, temperature: float) -> np.ndarray:
        """Return the targets at a temperature: the outputs of their scores divided by it."""
        raise NotImplementedError


class SquaredError(Loss):
    """Half the squared distance of values; scores are outputs."""

    link = "identity"
    is_quadratic = True
    far_curvature = 0.0

    def outputs(self, scores: np.ndarray) -> np.ndarray:
        """Return the scores."""
        return scores

    def scores(self, outputs: np.ndarray) -> np.ndarray:
        """Return the outputs."""
        return outputs

    def clipped(self, outputs: np.ndarray, margin: float) -> np.ndarray:  # noqa: ARG002
        """Return the outputs, all of which have finite scores."""
        return outputs

    def value(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return half the squared distance of each row, of shape (n_rows,)."""
        return ((scores - targets) ** 2).sum(axis=1) / 2

    def through_outputs(self, outputs: np.ndarray, by_outputs: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """Return the gradient unchanged."""
        return by_outputs

    def value_and_gradient(self, scores: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return half the squared distance of each row, and the difference."""
        excess = scores - targets
        return (excess**2).sum(axis=1) / 2, excess

    def second_derivative(self, outputs: np.ndarray, first: int, second: int) -> np.ndarray:
        """Return one for the same score, zero for different scores."""
        return np.full(len(outputs), float(first == second))

    def curvature(self, outputs: np.ndarray) -> np.ndarray:
        """Return ones."""
        return np.ones(len(outputs))

    def softened(self, targets: np.ndarray, temperature: float) -> np.ndarray:
        """Return the targets divided by the temperature."""
        return targets / temperature


class _LogisticLoss(Loss):
    """Cross-entropy of probabilities that need not sum to one; each score is the logit of one of them."""

    def outputs(self, scores: np.ndarray) -> np.ndarray:
        """Return the logistic function of each score."""
        return expit(scores)

    def scores(self, outputs: np.ndarray) -> np.ndarray:
        """Return the logit of each probability."""
        return np.log(outputs / (1 - outputs))

    def best_constant(self, mean: Any, margin: float = MEAN_MARGIN) -> Any:
        """Return the logit of the mean targets, exact to the last digit near 1/2 too."""
        return logit(self.clipped(mean, margin))

    def value(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the cross-entropy of each row, summed over its probabilities, of shape (n_rows,)."""
        return (np.logaddexp(0, scores) - targets * scores).sum(axis=1)

    def through_outputs(self, outputs: np.ndarray, by_outputs: np.ndarray) -> np.ndarray:
        """Return the gradient times the derivative of the logistic function."""
        return by_outputs * outputs * (1 - outputs)

    def second_derivative(self, outputs: np.ndarray, first: int, second: int) -> np.ndarray:
        """Return the variance of the label for the same score, zero for different scores."""
        variance = outputs[:, first] * (1 - outputs[:, first])
        return variance if first == second else np.zeros_like(variance)

    def curvature_at(self, scores: np.ndarray) -> np.ndarray:
        """Return the curvature of each row at its scores, exact where probabilities round to one."""
        return np.maximum((expit(scores) * expit(-scores)).mean(axis=1), MIN_CURVATURE)

    def softened(self, targets: np.ndarray, temperature: float) -> np.ndarray:
        """Return each probability softened together with that of its complement."""
        if temperature == 1:
            return targets
        both = np.stack([1 - targets, targets], axis=-1)
        return soften_rows(both.reshape(-1, 2), temperature)[:, 1].reshape(targets.shape)


class BinaryCrossEntropy(_LogisticLoss):
    """Cross-entropy of two classes; the one score and the one target of a row are those of the second class."""

    link = "binary"


class OneVsRestCrossEntropy(_LogisticLoss):
    """Cross-entropy of each class against all others, summed; compiled models normalise the probabilities."""

    link = "one-vs-rest"


class SoftmaxCrossEntropy(Loss):
    """Cross-entropy of more than two classes, whose targets sum to one."""

    link = "softmax"

    def outputs(self, scores: np.ndarray) -> np.ndarray:
        """Return the softmax of each row."""
        return softmax_of_rows(scores)

    def scores(self, outputs: np.ndarray) -> np.ndarray:
        """Return the logarithms of the probabilities."""
        return np.log(outputs)

    def centred(self, scores: np.ndarray) -> np.ndarray:
        """Return scores whose mean over the last axis is zero, with the same softmax."""
        return scores - scores.mean(axis=-1, keepdims=True)

    def value(self, scores: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Return the cross-entropy of each row, of shape (n_rows,)."""
        return self.value_and_gradient(scores, targets)[0]

    def value_and_gradient(self, scores: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the cross-entropy of each row, and its gradient, which share the exponentials."""
        shifted = scores - scores.max(axis=1, keepdims=True)
        proba = np.exp(shifted)
        total = proba.sum(axis=1, keepdims=True)
        proba /= total
        return np.log(total[:, 0]) - np.einsum("ij,ij->i", targets, shifted), proba - targets

    def through_outputs(self, outputs: np.ndarray, by_outputs: np.ndarray) -> np.ndarray:
        """Return the gradient less its mean under the probabilities, times these."""
        return outputs * (by_outputs - (outputs * by_outputs).sum(axis=1, keepdims=True))

    def second_derivative(self, outputs: np.ndarray, first: int, second: int) -> np.ndarray:
        """Return the covariance of the indicators of two classes."""
        return outputs[:, first] * ((first == second) - outputs[:, second])

    def softened(self, targets: np.ndarray, temperature: float) -> np.ndarray:
        """Return the probabilities of each row softened together."""
        return soften_rows(targets, temperature)
