"""The rows by which a model is compressed: what it answers for them, and how much each score matters."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np

from ..compiled import CompiledModel
from ..compiled._links import inverse_link

MIN_SLOPE_SHARE = 0.03
"""Minimum weight of a score as a share of the mean, so that scores of certain rows are not left to chance."""

MAX_STEP = 1.0
"""Maximum step of a score towards an output, since the link is not linear."""

MAX_LEAF_CELLS = 8_000_000
"""Maximum number of leaves of rows, one for each tree, that are held at a time."""


@dataclass(frozen=True)
class Rows:
    """Encoded rows with the scores that a compressed scorer is to follow.

    Parameters
    ----------
    cells : ndarray or sparse matrix of shape (n_rows, n_features)
    scores : ndarray of shape (n_rows, n_outputs)
        Scores of the model that is compressed.
    weight : ndarray of shape (n_rows, n_outputs)
        Weight of the squared error of each score: the weight of the row times the squared slope of the link, so that
        errors count as much as they change the output.
    """

    cells: Any
    scores: np.ndarray
    weight: np.ndarray
    _known: list[tuple[Any, Any]] = field(default_factory=list, init=False, repr=False, compare=False)

    def once(self, thing: Any, make: Callable[[], Any]) -> Any:
        """Return what ``make`` makes of a thing and these rows; the last two are remembered.

        A step is applied to the same scorer at several strengths.
        """
        found = next((made for known, made in self._known if known is thing), None)
        found = make() if found is None else found
        others = [pair for pair in self._known if pair[0] is not thing]
        self._known[:] = [(thing, found), *others[:1]]
        return found

    @classmethod
    def of(cls, model: CompiledModel, cells: Any, sample_weight: np.ndarray, y: np.ndarray | None = None) -> Self:
        """Return the rows with the scores of a model, or with scores whose outputs are closer to those in ``y``."""
        scores = model.scorer.scores(cells)
        slope = _squared_slope(model.link, scores)
        slope = np.maximum(slope, MIN_SLOPE_SHARE * slope.mean(axis=0))
        if y is not None:
            scores = scores + _steps_towards(model, scores, y, np.sqrt(slope))
        mean = np.average(slope, weights=sample_weight, axis=0)
        return cls(cells, scores, sample_weight[:, None] * slope / np.where(mean > 0, mean, 1.0))

    def following(self, scorer: Any) -> Self:
        """Return the same rows with the scores of another scorer, for example a part of a sum."""
        return replace(self, scores=scorer.scores(self.cells))

    def at_most(self, n_rows: int) -> Self:
        """Return evenly spaced rows, all of them if there are no more than ``n_rows``."""
        if n_rows >= len(self.scores):
            return self
        chosen = np.linspace(0, len(self.scores) - 1, max(n_rows, 1)).astype(np.intp)
        return replace(self, cells=self.cells[chosen], scores=self.scores[chosen], weight=self.weight[chosen])


def _steps_towards(model: CompiledModel, scores: np.ndarray, y: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Return the Gauss-Newton steps of the scores towards outputs, each by its own output only."""
    outputs = inverse_link(model.link, model.bounds, model.order).of_rows(scores)
    if model.isotonic is not None:
        outputs = model.isotonic.of_rows(outputs)
    errors = y.reshape(outputs.shape) - outputs
    if model.link == "binary":
        errors = errors[:, 1:]
    return np.clip(errors / np.maximum(slope, 1e-300), -MAX_STEP, MAX_STEP) if model.link != "identity" else errors


def _squared_slope(link: str, scores: np.ndarray) -> np.ndarray:
    """Return the squared derivative of each output with respect to its score."""
    if link == "softmax":
        proba = np.exp(scores - scores.max(axis=1, keepdims=True))
        proba /= proba.sum(axis=1, keepdims=True)
        return (proba * (1 - proba)) ** 2
    if link in ("binary", "logistic", "one-vs-rest"):
        decay = np.exp(-np.abs(scores))
        return (decay / (1 + decay) ** 2) ** 2
    if link == "exp":
        return np.exp(2 * np.minimum(scores - scores.max(axis=0), 0))
    return np.ones_like(scores)
