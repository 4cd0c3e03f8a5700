r"""A discriminator: a small network that learns to tell a teacher's outputs from those of the network in training.

It returns the logit :math:`D(x, u)` that the outputs :math:`u` for a row :math:`x` are the teacher's, and minimises

.. math:: \log(1 + e^{-D(x, t)}) + \log(1 + e^{D(x, g)})

for the outputs :math:`t` of the teacher and :math:`g` of the network, which is trained with the additional loss
:math:`\lambda \log(1 + e^{-D(x, g)})` [1]_. Both take one step for each batch.

.. [1] I. Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.special import expit

from ._additional_losses import share_of_rows
from ._network_training import BLOCK_ROWS, Adam, Layers, backward, forward

HIDDEN_UNITS = 32
"""Hidden units of the discriminator."""

MIN_SPREAD = 1e-3
"""Bounds the standard deviation by which outputs are divided before the discriminator sees them."""

WINNING_ACCURACY = 0.95
"""Share of validation rows, of either kind, from which on the discriminator tells teacher and network apart."""

WORSE = 2.0
"""Factor by which the validation error may exceed the smallest one so far."""

PATIENCE = 2
"""Number of successive epochs for which either must hold."""

MAX_HALVINGS = 3
"""Number of times that the weight is halved; the next time, it becomes zero."""


@dataclass(eq=False)
class Discriminator:
    """An adversarial loss, whose weight is reduced where the training is not stable.

    Parameters
    ----------
    weight : float > 0
    seed : int
        Seed of the weights of the discriminator.

    Attributes
    ----------
    cautions : list of (float, str)
        Each reduced weight and the reason, of the latest training.
    """

    weight: float
    seed: int
    cautions: list[tuple[float, str]] = field(default_factory=list, init=False)

    def begin(self, data: Any, parameters: list[np.ndarray], rate: float, n_steps: int) -> "RunningDiscriminator":
        """Return an untrained discriminator."""
        self.cautions.clear()
        n_inputs, n_outputs = len(parameters[0]), len(parameters[-1])
        layers = Layers([n_inputs + n_outputs, HIDDEN_UNITS, 1], dtype=parameters[-1].dtype)
        rng = np.random.RandomState(self.seed)
        layers.initialise(data.inputs.size + n_outputs, np.zeros(1), rng)
        return RunningDiscriminator(self, data, layers, Adam(layers, rate, 0.0, n_steps))

    def caution(self) -> str | None:
        """Return what was not stable in the latest training; ``None`` if nothing was."""
        if not self.cautions:
            return None
        weight, reason = self.cautions[-1]
        return (
            f"the adversarial training was not stable: {reason}. The weight of the discriminator was reduced from "
            f"{self.weight:g} to {weight:g}, and the best epoch is kept. Pass a smaller adversarial_weight."
        )


class RunningDiscriminator:
    """The discriminator as trained so far, and the weight that it has now."""

    def __init__(self, whole: Discriminator, data: Any, layers: Layers, adam: Adam) -> None:
        self.whole, self.data, self.adam, self.weight, self.n_unstable = whole, data, adam, whole.weight, 0
        self.parameters = layers.views(layers.vector)
        self.mean = data.targets.mean(axis=0)
        self.spread = np.maximum(data.targets.std(axis=0), np.float32(MIN_SPREAD))

    def gradients(self, rows: np.ndarray, layers: list[np.ndarray]) -> tuple[np.ndarray | None, None]:
        """Train the discriminator by one step; return the gradient of the network's loss by its scores."""
        if self.weight == 0:
            return None, None
        outputs, share = self.data.loss.outputs(layers[-1]), share_of_rows(self.data, rows)
        self._learn(layers[0], self.data.targets[rows], outputs, share)
        return self.by_scores(layers[0], outputs, share), None

    def _learn(self, inputs: np.ndarray, of_teacher: np.ndarray, of_network: np.ndarray, share: np.ndarray) -> None:
        """Take one step on a batch of outputs of both."""
        layers = forward(self.parameters, np.vstack([self._seen(inputs, of_teacher), self._seen(inputs, of_network)]))
        is_teacher = np.repeat([[1], [0]], len(inputs), axis=0).astype(inputs.dtype)
        by_logit = (expit(layers[-1]) - is_teacher) * np.vstack([share, share])
        backward(self.parameters, layers, by_logit, self.adam.gradients)
        self.adam.step()

    def _seen(self, inputs: np.ndarray, outputs: np.ndarray) -> np.ndarray:
        """Return what the discriminator sees of rows: inputs, and standardised outputs."""
        return np.hstack([inputs, (outputs - self.mean) / self.spread])

    def by_scores(self, inputs: np.ndarray, outputs: np.ndarray, share: np.ndarray) -> np.ndarray:
        """Return the gradient of the weighted loss of the network by its scores, given its outputs."""
        layers = forward(self.parameters, self._seen(inputs, outputs))
        by_hidden = (-expit(-layers[-1]) * share) @ self.parameters[2].T
        by_hidden *= layers[1] > 0
        by_outputs = by_hidden @ self.parameters[0][inputs.shape[1] :].T / self.spread
        by_scores: np.ndarray = self.data.loss.through_outputs(outputs, by_outputs)
        return by_scores * np.float32(self.weight)

    def value(self, inputs: np.ndarray, scores: np.ndarray, share: np.ndarray) -> float:
        """Return the weighted loss of the network."""
        logit = forward(self.parameters, self._seen(inputs, self.data.loss.outputs(scores)))[-1]
        return float(self.weight * (share * np.logaddexp(0, -logit)).sum())

    def accuracy(self, parameters: list[np.ndarray], rows: np.ndarray) -> float:
        """Return the share of outputs, of teacher and network for some rows, that are told right."""
        n_right = 0
        for start in range(0, len(rows), BLOCK_ROWS):
            some = rows[start : start + BLOCK_ROWS]
            inputs = self.data.inputs.take(some)
            outputs = self.data.loss.outputs(forward(parameters, inputs)[-1])
            of_teacher = forward(self.parameters, self._seen(inputs, self.data.targets[some]))[-1]
            of_network = forward(self.parameters, self._seen(inputs, outputs))[-1]
            n_right += int(np.count_nonzero(of_teacher > 0) + np.count_nonzero(of_network < 0))
        return n_right / (2 * len(rows))

    def end_epoch(self, parameters: list[np.ndarray], validation: np.ndarray, errors: list[float]) -> None:
        """Halve the weight if the discriminator wins outright, or if the network gets worse; after a while, drop it."""
        if self.weight == 0:
            return
        accuracy, worse = self.accuracy(parameters, validation), errors[-1] / max(min(errors), np.finfo(float).tiny)
        self.n_unstable = self.n_unstable + 1 if accuracy >= WINNING_ACCURACY or worse > WORSE else 0
        if self.n_unstable < PATIENCE:
            return
        self.n_unstable = 0
        self.weight = self.weight / 2 if len(self.whole.cautions) < MAX_HALVINGS else 0.0
        reason = f"the discriminator told {accuracy:.0%} of the validation rows right"
        if accuracy < WINNING_ACCURACY:
            reason = f"the validation error was {worse:.1f} times the smallest one"
        self.whole.cautions.append((self.weight, reason))
